-- pre-data/lock
LOCK TABLE "public"."invoice" IN ACCESS EXCLUSIVE MODE;
-- data/table/invoice
COPY "public"."invoice" ("id", "total", "wide") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/analyze/invoice
ANALYZE "public"."invoice";
-- publish
