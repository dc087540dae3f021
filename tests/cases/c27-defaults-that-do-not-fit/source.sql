CREATE TABLE t (id INTEGER PRIMARY KEY, number INT DEFAULT 'none', flag BOOLEAN DEFAULT 5, at DATETIME DEFAULT 0, day DATE DEFAULT 'today', short VARCHAR(2) DEFAULT 'abc',
  token UUID DEFAULT '', doc JSON DEFAULT 'x', price DECIMAL(3, 1) DEFAULT 123.45, blob BLOB DEFAULT 'text', mixed INT DEFAULT 5);
INSERT INTO t (id, number, flag, at, day, token, doc) VALUES (1, 1, 1, NULL, NULL, NULL, NULL);
INSERT INTO t (id, number, flag, at, day, token, doc, mixed) VALUES (2, 1, 1, NULL, NULL, NULL, NULL, 'x');
UPDATE t SET short = NULL, price = NULL, blob = NULL;
