CREATE TABLE t (id INTEGER PRIMARY KEY /* '; DROP SCHEMA public CASCADE; -- */, -- ) '
  a TEXT DEFAULT '''); DROP TABLE t; --' CHECK (a <> '*/ ); SELECT pg_sleep(1000); /*'),
  b TEXT DEFAULT '$$; COPY t TO PROGRAM ''id''; $$', c TEXT DEFAULT 'E\''; --',
  d TEXT CHECK (d NOT LIKE '%''; DROP%' ESCAPE '\') /* not finished ' */);
INSERT INTO t VALUES (1, '''; DROP TABLE t; --', '$$', '\''', 'x'), (2, '\', '''', '%s %(x)s {0} ${x}', char(8238) || 'txet');
CREATE INDEX by_a ON t (a /* ; */) WHERE a <> '; DROP TABLE t; --' -- and no more
;
CREATE VIEW v AS SELECT a, ''');--' AS "'); DROP TABLE t; --" /* ' */ FROM t WHERE a <> '*/ -- ';
CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT load_extension('evil'); END;
