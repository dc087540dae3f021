-- pre-data/lock
LOCK TABLE "public"."flag" IN ACCESS EXCLUSIVE MODE;
-- data/table/flag
COPY "public"."flag" ("id", "a", "b") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/analyze/flag
ANALYZE "public"."flag";
-- publish
