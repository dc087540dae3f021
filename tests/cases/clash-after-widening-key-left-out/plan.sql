-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/code
CREATE TABLE "liteferry_staging_public"."code" (
    "at" timestamp NOT NULL,
    "note" text
);
-- data/table/code
COPY "liteferry_staging_public"."code" ("at", "note") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/code
ANALYZE "liteferry_staging_public"."code";
-- publish
ALTER TABLE "liteferry_staging_public"."code" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
