CREATE TABLE t (id INTEGER PRIMARY KEY DEFAULT 5,
  zero INT NOT NULL DEFAULT 0, negative INT DEFAULT -1, hex INT DEFAULT 0xff, truth INT DEFAULT TRUE, quoted_number INT DEFAULT '7',
  text_x TEXT DEFAULT 'x', double_quoted TEXT DEFAULT "x", empty TEXT DEFAULT '', null_word TEXT DEFAULT 'null', no_value TEXT DEFAULT NULL, no_value2 TEXT DEFAULT (NULL), number_text TEXT DEFAULT 5,
  apostrophe TEXT DEFAULT 'it''s', backslash TEXT DEFAULT 'a\b', real_one REAL DEFAULT 1, real_exp REAL DEFAULT 1e-3, money DECIMAL(5, 2) DEFAULT 9.90, sum INT DEFAULT (1 + 2 * 3),
  flag BOOLEAN DEFAULT 0, flag_true BOOLEAN NOT NULL DEFAULT TRUE, flag_word BOOLEAN DEFAULT 'true', blob BLOB DEFAULT x'00ff', empty_blob BLOB DEFAULT x'', doc JSON DEFAULT '{}',
  at DATETIME DEFAULT CURRENT_TIMESTAMP, at2 DATETIME DEFAULT (datetime('now')), on_day DATE DEFAULT CURRENT_DATE, at_time TIME DEFAULT CURRENT_TIME, day2 DATE DEFAULT (date('now')),
  fixed DATETIME DEFAULT '2024-01-01 00:00:00', token UUID DEFAULT '6fa459ea-ee8a-3ca4-894e-db77e160355e', as_text TEXT DEFAULT CURRENT_TIMESTAMP, seconds INT DEFAULT (strftime('%s', 'now')),
  local DATETIME DEFAULT (datetime('now', 'localtime')), random_id TEXT DEFAULT (lower(hex(randomblob(16)))), random_int INT DEFAULT (random()));
INSERT INTO t (id, at, at2, on_day, at_time, day2, as_text, seconds, local, random_id, random_int) VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
