-- pre-data/lock
LOCK TABLE "public"."role" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."version" IN ACCESS EXCLUSIVE MODE;
-- pre-data/replace-rows/role
TRUNCATE TABLE ONLY "public"."role";
-- data/table/role
COPY "public"."role" ("id", "name") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/analyze/role
ANALYZE "public"."role";
-- publish
