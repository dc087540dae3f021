-- pre-data/lock
LOCK TABLE "public"."meeting" IN ACCESS EXCLUSIVE MODE;
-- data/table/meeting
COPY "public"."meeting" ("id", "at", "again", "never") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/analyze/meeting
ANALYZE "public"."meeting";
-- publish
