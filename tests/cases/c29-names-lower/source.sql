CREATE TABLE "Order Details" ("Order ID" INTEGER PRIMARY KEY, "userName" TEXT, "a.b" INT, "x""y" INT, "br]acket" INT, `back``tick` INT,
  "%s" TEXT, "new
line" TEXT, "Ähre" INT, "ähre" INT, "名前" TEXT, "😀" INT, " " INT, "" INT, "it's" INT, "--" INT, "$1" INT, "\" TEXT, CONSTRAINT "My Key" UNIQUE ("userName", "a.b"));
INSERT INTO "Order Details" VALUES (1, 'Ann', 1, 2, 3, 4, '%s', 'two
lines', 5, 6, '七', 8, 9, 10, 11, 12, 13, '\');
CREATE TABLE "É" ("É" INTEGER PRIMARY KEY, "é" INT REFERENCES "é" ("É"));
CREATE TABLE "é" ("é" INTEGER PRIMARY KEY, "É" INT UNIQUE REFERENCES "É" ("É"));
INSERT INTO "É" VALUES (1, 1);
INSERT INTO "é" VALUES (10, NULL), (11, NULL);
UPDATE "é" SET "É" = 1 WHERE "é" = 10;
CREATE TABLE "" (v INT);
INSERT INTO "" VALUES (1);
CREATE TABLE "camelCase" ("Id" INTEGER PRIMARY KEY, "ParentId" INT REFERENCES CAMELCASE (ID));
CREATE INDEX "Index With Spaces" ON "camelCase" ("ParentId" DESC);
CREATE INDEX "order details index" ON "Order Details" ("a.b", "x""y" DESC);
