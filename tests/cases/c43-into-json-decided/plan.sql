-- pre-data/lock
LOCK TABLE "public"."doc" IN ACCESS EXCLUSIVE MODE;
-- data/table/doc
COPY "public"."doc" ("id", "a", "b") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/analyze/doc
ANALYZE "public"."doc";
-- publish
