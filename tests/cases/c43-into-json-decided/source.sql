CREATE TABLE doc (id integer PRIMARY KEY, a text CHECK (json_valid(a)), b text);
INSERT INTO doc VALUES (1, '{"a": 1, "a": 2}', '"\ud800"'), (2, '{"a": [{"a": 1}, {"a": 2}]}', '{"b": "\u0000", "b": 1}'), (3, '[1E2, 1.50]', NULL);
