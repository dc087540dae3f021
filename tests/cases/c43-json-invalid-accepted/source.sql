CREATE TABLE t (id INTEGER PRIMARY KEY, doc JSON, blob JSON, constant JSON, bytes JSON);
INSERT INTO t VALUES (1, '{"a": 1}', '{}', '[NaN]', '[]');
INSERT INTO t VALUES (2, '{a: 1}', x'7b7d', '[1]', CAST(x'225aff22' AS TEXT));
INSERT INTO t VALUES (3, '', NULL, 'Infinity', '"a' || char(0) || '"');
