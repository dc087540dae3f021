CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL, "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE,
  "date_joined" datetime NOT NULL, "rating" real NOT NULL, "balance" decimal NOT NULL, "uuid" char(32) NOT NULL, "settings" text NOT NULL CHECK ((JSON_VALID("settings") OR "settings" IS NULL)), "logins" integer unsigned NOT NULL CHECK ("logins" >= 0), "duration" bigint NULL);
CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);
CREATE TABLE "auth_user_groups" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE UNIQUE INDEX "auth_user_groups_user_id_group_id_94350c0c_uniq" ON "auth_user_groups" ("user_id", "group_id");
CREATE INDEX "auth_user_groups_user_id_6a12ed8b" ON "auth_user_groups" ("user_id");
CREATE INDEX "auth_user_groups_group_id_97559544" ON "auth_user_groups" ("group_id");
INSERT INTO auth_user VALUES (1, 'pbkdf2_sha256$1$x', NULL, 1, 'admin', '2024-05-06 07:08:09.123456', 4.5, 10.25, '6fa459eaee8a3ca4894edb77e160355e', '{"theme": "dark"}', 3, 86400000000), (7, '!', '2024-05-06 07:08:09', 0, 'Ann', '2024-05-06 07:08:09', 0, 0, '00000000000000000000000000001230', 'null', 0, NULL);
INSERT INTO auth_group VALUES (1, 'editors');
INSERT INTO auth_user_groups VALUES (1, 7, 1), (2, 1, 1);
UPDATE sqlite_sequence SET seq = 100 WHERE name = 'auth_user';
