-- pre-data/lock
LOCK TABLE "public"."word" IN ACCESS EXCLUSIVE MODE;
-- data/table/word
COPY "public"."word" ("id", "a", "b", "c") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/analyze/word
ANALYZE "public"."word";
-- publish
