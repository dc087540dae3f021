CREATE TABLE t (id INTEGER PRIMARY KEY, stamp VARCHAR(3) DEFAULT CURRENT_TIMESTAMP, day VARCHAR(10) DEFAULT CURRENT_DATE,
  token VARCHAR(31) DEFAULT (lower(hex(randomblob(16)))), fits VARCHAR(32) DEFAULT (lower(hex(randomblob(16)))),
  amount DECIMAL(3,0) DEFAULT (1000 + 1));
INSERT INTO t VALUES (1, 'now', '2024-02-29', 'none', 'some', 5);
