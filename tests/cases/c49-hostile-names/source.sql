CREATE TABLE "x""; DROP SCHEMA public; --" ("id""; --" INTEGER PRIMARY KEY, "'); DROP TABLE t; --" TEXT, "$$" TEXT, "E'\'" TEXT UNIQUE);
INSERT INTO "x""; DROP SCHEMA public; --" VALUES (1, '''; DROP SCHEMA public; --', '$$', '\');
CREATE INDEX "i""; DROP SCHEMA public; --" ON "x""; DROP SCHEMA public; --" ("'); DROP TABLE t; --");
CREATE TABLE "{}" ("{0}" INTEGER PRIMARY KEY, "%(x)s" INT, "</script><b>" TEXT, "a/../b" TEXT);
INSERT INTO "{}" VALUES (1, 2, '</script>', '../../etc/passwd');
CREATE TABLE "../up" (v INT REFERENCES "{}" ("{0}"));
INSERT INTO "../up" VALUES (1);
CREATE TABLE "*" (v INT); CREATE TABLE "?" (v INT); CREATE TABLE "[a]" (v INTEGER);
INSERT INTO "[a]" VALUES ('text');
