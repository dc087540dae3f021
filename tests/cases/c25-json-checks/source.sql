CREATE TABLE t (id INTEGER PRIMARY KEY, kind TEXT, data TEXT CHECK (kind <> 'json' OR json_valid(data)), never TEXT CHECK (NOT json_valid(never)),
  maybe TEXT CHECK (maybe IS NULL OR json_valid(maybe)), always TEXT CHECK (json_valid(always) AND length(always) < 100), bad TEXT CHECK (json_valid(bad)));
INSERT INTO t VALUES (1, 'json', '{"a": 1}', 'text', '[1]', '{}', '1'), (2, 'json', '[]', NULL, NULL, '[]', '2');
PRAGMA ignore_check_constraints = ON;
INSERT INTO t VALUES (3, 'json', '[]', NULL, NULL, '[]', 'broken');
