CREATE TABLE t (id INTEGER PRIMARY KEY, a UNSIGNED BIG INT, b INT8, c MEDIUMINT(9), d "LENGTH 2", e VARYING CHARACTER(255), f DOUBLE PRECISION,
  g FLOAT(24), h STRING, i CHARINT, j POINT, k "", l CLOB, m LONGTEXT, n TINYBLOB, o MONEY, p NUMBER(6), q [ENUM('a','b')], r whatever you like(1, 2), s "Größe", u);
INSERT INTO t VALUES (1, 1, 2, 3, 4, 'five', 6.5, 7.25, 'eight', 9, 10, x'0b', 'twelve', 'thirteen', x'0e', 15.5, 16, 'a', 18, 'nineteen', 20);
INSERT INTO t VALUES (2, 1, 2, 3, 4, 'five', 6, 7, 'acht', 9, 10, x'', 'twelve', 'thirteen', x'0e', 15, 999999, 'b', 18, 'neunzehn', 20);
INSERT INTO t (id) VALUES (3);
