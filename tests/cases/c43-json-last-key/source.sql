CREATE TABLE doc (id INTEGER PRIMARY KEY, a JSON, b JSON);
INSERT INTO doc VALUES (1, '{"a": 1, "a": {"b": 1.50, "b": 1e2}, "c": [{"d": 1, "d": -0}]}', '{"a": 1, "a": 2}'), (2, '{"a": [{"a": 1}, {"a": 2}]}', '"\u0000"'), (3, NULL, '{"k": 1}');
