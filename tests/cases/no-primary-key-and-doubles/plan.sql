-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/log
CREATE TABLE "liteferry_staging_public"."log" (
    "at" timestamp,
    "what" text,
    "n" bigint
);
-- data/table/log
COPY "liteferry_staging_public"."log" ("at", "what", "n") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/log
ANALYZE "liteferry_staging_public"."log";
-- publish
ALTER TABLE "liteferry_staging_public"."log" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
