-- pre-data/lock
LOCK TABLE "public"."item" IN ACCESS EXCLUSIVE MODE;
-- data/table/item
COPY "public"."item" ("id") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/analyze/item
ANALYZE "public"."item";
-- publish
