CREATE TABLE t (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  age INT CHECK (age >= 0 AND age < 150) CONSTRAINT adult CHECK (age >= 18),
  kind TEXT NOT NULL CONSTRAINT t_kind_not_null CHECK (kind IN ('a', 'b', 'c''d')),
  code TEXT CHECK (length(code) = 3),
  price NUMERIC CHECK (price > 0),
  flag BOOLEAN CHECK (flag IN (0, 1)),
  typed TEXT CHECK (typeof(typed) = 'text'),
  data TEXT CHECK (json_valid(data)),
  starts DATE, ends DATE,
  pattern TEXT CHECK (pattern GLOB '[A-Z]*'),
  mail TEXT CHECK (mail LIKE '%@%'),
  CHECK (starts <= ends),
  CONSTRAINT either CHECK (age IS NOT NULL OR price IS NOT NULL),
  CONSTRAINT "with space" CHECK (code <> kind COLLATE NOCASE)
);
INSERT INTO t VALUES (1, 20, 'a', 'abc', 1.5, 1, 'x', '{}', '2024-01-01', '2024-12-31', 'Abc', 'a@b');
INSERT INTO t VALUES (2, NULL, 'c''d', NULL, 2, NULL, 'x', '[]', NULL, NULL, NULL, NULL);
