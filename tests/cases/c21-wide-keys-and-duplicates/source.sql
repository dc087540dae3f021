CREATE TABLE t (a TEXT, b BLOB, c REAL, d NUMERIC, e BOOLEAN, f DATE, g DATETIME, h UUID, i TIME, j INT, PRIMARY KEY (j, i, h, g, f, e, d, b, a));
INSERT INTO t VALUES ('a', x'00', 0.5, 1.5, 1, '2024-01-01', '2024-01-01 10:00:00', '6fa459ea-ee8a-3ca4-894e-db77e160355e', '10:00:00', 1),
  ('A', x'00', 0.5, 1.5, 1, '2024-01-01', '2024-01-01 10:00:00', '6fa459ea-ee8a-3ca4-894e-db77e160355e', '10:00:00', 1),
  ('ä', x'0000', -0.5, 10, 0, '0001-01-01', '9999-12-31 23:59:59.999999', '00000000-0000-0000-0000-000000000000', '00:00:00', -5),
  ('', x'', NULL, 9, 0, '2024-12-31', '2024-01-01 09:00:00.5', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '23:59:59.999999', 9223372036854775807);
CREATE TABLE overlapping (a INT, b INT, UNIQUE (a), UNIQUE (a, b), UNIQUE (b, a), PRIMARY KEY (b));
INSERT INTO overlapping VALUES (1, 2), (NULL, 3), (NULL, 4);
CREATE INDEX twice_1 ON overlapping (a);
CREATE INDEX twice_2 ON overlapping (a);
