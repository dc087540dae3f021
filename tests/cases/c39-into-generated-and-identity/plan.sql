-- pre-data/lock
LOCK TABLE "public"."line" IN ACCESS EXCLUSIVE MODE;
-- data/table/line
COPY "public"."line" ("id", "price", "amount", "label") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/sequence/line_id_seq
ALTER SEQUENCE "public"."line_id_seq" RESTART WITH 7;
-- post-data/analyze/line
ANALYZE "public"."line";
-- publish
