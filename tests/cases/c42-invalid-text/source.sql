CREATE TABLE letter (id INTEGER PRIMARY KEY, sender TEXT, body TEXT);
INSERT INTO letter VALUES (1, 'é', 'composed: ' || char(233)), (2, 'e' || char(769), 'decomposed: e' || char(769));
INSERT INTO letter VALUES (3, 'latin 1', CAST(x'476ed3' AS TEXT)), (4, 'cut', CAST(x'616220e282' AS TEXT));
INSERT INTO letter VALUES (5, 'lone surrogates', CAST(x'eda080' AS TEXT) || 'x' || CAST(x'edbfbf' AS TEXT));
INSERT INTO letter VALUES (6, 'too long for what it says', CAST(x'c0af' AS TEXT)), (7, 'beyond Unicode', CAST(x'f4908080' AS TEXT));
INSERT INTO letter VALUES (8, 'no characters, but valid', char(65534) || char(65535) || char(1114111)), (9, char(8206) || char(173), '');
