-- a key that contains NULL and clashes: it would be a UNIQUE constraint, and is not even that
CREATE TABLE nulls (k INT PRIMARY KEY, v INT);
INSERT INTO nulls VALUES (1, 1), (x'31', 2), (NULL, 3), (NULL, 4);
-- constraints on the same columns
CREATE TABLE pairs (a DATETIME, b INT, UNIQUE (a, b), UNIQUE (a COLLATE NOCASE, b), UNIQUE (b, a));
INSERT INTO pairs VALUES ('2024-01-01', 1), ('2024-01-01 00:00:00', 1), ('2024-01-02', 1);
-- an index that is called as a constraint's column is, and that no row clashes in
CREATE TABLE mails (at DATETIME UNIQUE, to_id INT);
CREATE INDEX at ON mails (to_id);
INSERT INTO mails VALUES ('2024-01-01', 1), ('2024-01-01 00:00:00', 2);
CREATE TABLE "" (a INT);
INSERT INTO "" VALUES (1);
CREATE VIEW of_nothing AS SELECT a FROM "" WHERE a > 0;
CREATE VIEW with_nothing AS WITH ""(b) AS (SELECT 1) SELECT b FROM "";
