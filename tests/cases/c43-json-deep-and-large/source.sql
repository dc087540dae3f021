CREATE TABLE t (id INTEGER PRIMARY KEY, deep JSON, digits JSON, spaced JSON);
WITH RECURSIVE n(i, s) AS (SELECT 1, '1' UNION ALL SELECT i + 1, '[' || s || ']' FROM n WHERE i < 900)
  INSERT INTO t SELECT 1, s, '{"n": ' || replace(hex(zeroblob(200)), '00', '17') || '}', '[1.0, 1.00, -0.0, 1e2, 1E+2]' FROM n WHERE i = 900;
