-- pre-data/lock
LOCK TABLE "public"."host" IN ACCESS EXCLUSIVE MODE;
-- data/table/host
COPY "public"."host" ("id", "address", "network", "lasts") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/analyze/host
ANALYZE "public"."host";
-- publish
