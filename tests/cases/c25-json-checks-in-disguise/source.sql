-- json_valid() stands in each CHECK, and none of them lets only JSON in: the texts stay what they are, spaces and all
CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, note TEXT, c TEXT, d TEXT, e TEXT,
  CHECK (not (a > 5 AND json_valid(c) AND a < 9)),
  CHECK (note <> 'a AND json_valid(d) AND b'),
  CHECK (a < 9 /* AND json_valid(e) AND */ OR a > 9));
INSERT INTO t VALUES (1, 1, 'x', '{"b": 1, "a": 2.0}', '[1,  2]', '{"a":1,"a":2}'), (2, 2, 'y', '  [1.0]  ', '{ }', '1e2');
