CREATE TABLE "user" ("order" INTEGER PRIMARY KEY, "select" TEXT, "table" TEXT, "from" INT, "where" INT, "group" INT, "limit" INT, "offset" INT, "end" INT,
  "default" INT, "check" INT, "analyse" INT, "primary" INT, "references" INT, "array" INT, "current_user" INT, "lateral" INT, "returning" INT, "variadic" INT,
  "true" INT, "null" INT, "public" INT, "pg_catalog" INT, "text" INT, "CURRENT_DATE" INT);
INSERT INTO "user" ("order", "select", "CURRENT_DATE") VALUES (1, 'x', 5);
CREATE TABLE "table" (oid INT, ctid TEXT, xmin INT, xmax INT, cmin INT, cmax INT, tableoid INT, CTID2 INT, rowid TEXT, PRIMARY KEY (ctid, xmin));
INSERT INTO "table" VALUES (1, 'c', 3, 4, 5, 6, 7, 8, 'r');
CREATE TABLE "all" (id INTEGER PRIMARY KEY, ctid TEXT, xmin INT, FOREIGN KEY (ctid, xmin) REFERENCES "table" (ctid, xmin));
INSERT INTO "all" VALUES (1, 'c', 3);
CREATE INDEX "index" ON "table" (tableoid, oid);
CREATE TABLE pg_class (id INTEGER PRIMARY KEY, relname TEXT);
INSERT INTO pg_class VALUES (1, 'mine');
CREATE TABLE pg_toast_1 (v INT PRIMARY KEY);
CREATE VIEW "view" AS SELECT "order", "select" FROM "user";
