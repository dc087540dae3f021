CREATE TABLE t (id INTEGER PRIMARY KEY, age INT CONSTRAINT grown CHECK (age >= 18));
PRAGMA ignore_check_constraints = ON;
INSERT INTO t VALUES (1, 20), (2, 5);
