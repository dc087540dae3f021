CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(3), c CHAR(5), n NVARCHAR(4), ok VARCHAR(4), padded CHARACTER(10), zero VARCHAR(0), free CHARACTER VARYING, native NATIVE CHARACTER(70));
INSERT INTO t VALUES (1, 'abcd', 'abcdef', 'äöüß!', 'äöü😀', 'a  ', 'any length', 'x', 'y');
INSERT INTO t VALUES (2, 'äöü', 'abc', 'äöüß', '', '', NULL, '', NULL);
INSERT INTO t VALUES (3, 'abcdefg' || char(0), NULL, NULL, NULL, '          ', '', NULL, '');
