CREATE TABLE t (id INTEGER PRIMARY KEY, nul TEXT, broken VARCHAR(20), both TEXT, fine TEXT);
INSERT INTO t VALUES (1, 'a' || char(0) || 'b', 'gut', 'x', 'Größe 漢字 😀');
INSERT INTO t VALUES (2, '', CAST(x'67fc74' AS TEXT), CAST(x'ff00' AS TEXT), '');
INSERT INTO t VALUES (3, char(0), CAST(x'eda080' AS TEXT), CAST(x'c0af' AS TEXT), char(65279) || 'bom');
INSERT INTO t VALUES (4, NULL, NULL, 'a' || char(0), NULL);
