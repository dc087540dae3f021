-- every name is another one afterwards, wherever it stands: keys, checks, generated columns, predicates, views
CREATE TABLE "Order Details" ("OrderID" INTEGER PRIMARY KEY, "userName" TEXT NOT NULL DEFAULT 'x', "unitPrice" REAL, "2ndLine" TEXT,
  "Total" REAL GENERATED ALWAYS AS ("unitPrice" * 2) STORED, CONSTRAINT "CK_Price" CHECK ("unitPrice" >= 0), CONSTRAINT "UQ_User" UNIQUE ("userName", "OrderID"));
INSERT INTO "Order Details" ("OrderID", "userName", "unitPrice") VALUES (1, 'Ann', 1.5), (2, 'Bob', 0.25);
CREATE TABLE HTTPServer (id INTEGER PRIMARY KEY AUTOINCREMENT, "Order Ref" INT CONSTRAINT "FK_Order" REFERENCES "order details" (ORDERID) ON DELETE CASCADE,
  "UserId" INT, user_id INT, "user id" INT, "CTID" TEXT);
INSERT INTO HTTPServer ("Order Ref", "UserId", user_id, "user id", "CTID") VALUES (1, 1, 2, 3, 'c'), (2, 4, 5, 6, 'd');
CREATE UNIQUE INDEX "IX Server" ON HTTPServer ("Order Ref" DESC) WHERE "UserId" > 0;
CREATE INDEX "IX_Lower" ON "Order Details" (abs("unitPrice"));
CREATE TABLE http_server (v INT PRIMARY KEY);
INSERT INTO http_server VALUES (1);
CREATE VIEW "UserNames" AS
  SELECT d."userName", s.id AS "ServerID", s."CTID" FROM "Order Details" d JOIN HTTPServer s ON s."Order Ref" = d."OrderID" WHERE d."unitPrice" > 0.1;
CREATE VIEW user_names AS SELECT "ServerID", x."userName" AS n FROM (SELECT * FROM "UserNames") x;
CREATE VIEW "Counts" AS WITH "C T E" AS (SELECT "userName" AS "N", count(*) AS "howMany" FROM "UserNames" GROUP BY "userName") SELECT * FROM "C T E" WHERE "howMany" > 0;
