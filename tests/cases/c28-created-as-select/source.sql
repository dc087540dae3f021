CREATE TABLE base (id INTEGER PRIMARY KEY, price NUMERIC, name VARCHAR(10), at DATETIME, ratio REAL, raw BLOB, flag BOOLEAN);
INSERT INTO base VALUES (1, 1.5, 'a', '2024-01-01 00:00:00', 0.5, x'00', 1), (2, 2, 'b', NULL, 1, NULL, 0);
CREATE TABLE copied AS SELECT * FROM base;
CREATE TABLE computed AS SELECT id + 1 AS next, price * 2 AS twice, name || '!' AS shout, count(*) OVER () AS n, NULL AS no_value FROM base;
