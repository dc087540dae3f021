CREATE TABLE t (id INTEGER PRIMARY KEY, doc JSON UNIQUE, twice JSON);
INSERT INTO t VALUES (1, '{"a": 1, "a": 2}', '[1]'), (2, '{}', '[2]');
CREATE INDEX by_doc ON t (doc);
CREATE INDEX by_twice ON t (twice);
