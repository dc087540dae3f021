CREATE TABLE t (id INTEGER PRIMARY KEY, doc JSON, declared JSONB, doubled JSON, escaped JSON, numbers JSON);
INSERT INTO t VALUES (1, '{"b": 1.50, "a": [1, 2, null, true, "x"]}', '[]', '{"a": 1, "a": 2}', '{"nul": "\u0000"}', '12345678901234567890123.000');
INSERT INTO t VALUES (2, '"text"', '{"deep": {"er": [{}, [], ""]}}', '{}', '"\ud83d\ude00"', '[1e400, 1E-5, -0, 0.1]');
INSERT INTO t VALUES (3, 'null', '  [ 1 ,2 ]  ', 'true', '"\ud83d"', '1.50');
INSERT INTO t VALUES (4, NULL, '"Größe \u00e9"', NULL, '"\\u0000"', '7');
