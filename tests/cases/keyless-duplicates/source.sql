CREATE TABLE log (at DATETIME, what TEXT, n, amount NUMERIC, raw BLOB);
INSERT INTO log VALUES ('2025-01-01 10:00:00', 'x', 1, 0.1, x'00'), ('2025-01-01 10:00:00', 'x', 1, 0.1, x'00'), (NULL, NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL, NULL),
  ('2025-01-02', '', 0, 0, x''), ('2025-01-02', NULL, 0, 0, x''), ('2025-01-02', '', 0, 0, NULL);
CREATE TABLE one_column (v TEXT);
INSERT INTO one_column VALUES (''), (''), (NULL), ('a'), ('a'), ('a'), ('A'), (' a');
CREATE TABLE unique_but_nulls (v TEXT UNIQUE, w INT);
INSERT INTO unique_but_nulls VALUES (NULL, 1), (NULL, 1), ('a', 1), (NULL, 2);
