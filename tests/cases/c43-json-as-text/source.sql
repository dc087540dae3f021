CREATE TABLE doc (id INTEGER PRIMARY KEY, a JSON, b TEXT CHECK (json_valid(b)), c TEXT CHECK (json_valid(c)), d JSON);
INSERT INTO doc VALUES (1, '{"k": 1, "k": 2}', '{"z": 1,  "a": 2}', '[1, 2]', '{"x": 1}');
INSERT INTO doc VALUES (2, '"\u0000"', '3.10', 'null', '{"x": ');
