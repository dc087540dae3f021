-- SQLite passes over ASCII blanks and makes numbers of such texts; what has other blanks around it stays a text
CREATE TABLE t (id INTEGER PRIMARY KEY, price DECIMAL(10,2), free NUMERIC);
INSERT INTO t VALUES (1, ' 1.50 ', '2'), (2, char(160) || '1.50', 2.5), (3, char(28) || '1.5', '1e');
