CREATE TABLE t (id INTEGER PRIMARY KEY, deep JSON);
INSERT INTO t VALUES (1, replace(hex(zeroblob(5000)), '00', '[[') || replace(hex(zeroblob(5000)), '00', ']]'));
