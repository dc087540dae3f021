-- pre-data/lock
LOCK TABLE "public"."secret" IN ACCESS EXCLUSIVE MODE;
-- data/table/secret
COPY "public"."secret" ("id", "owner") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/analyze/secret
ANALYZE "public"."secret";
-- publish
