CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, w TEXT UNIQUE);
INSERT INTO t VALUES (1, 'ä', 'ä'), (2, 'a', 'a'), (3, 'Ä', NULL);
CREATE TABLE child (v TEXT REFERENCES t (w));
INSERT INTO child VALUES ('ä');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT COLLATE german, w TEXT COLLATE "german two" UNIQUE)' WHERE name = 't';
PRAGMA writable_schema = OFF;
