-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/code
CREATE TABLE "liteferry_staging_public"."code" (
    "a" bigint NOT NULL,
    "token" uuid
);
-- data/table/code
COPY "liteferry_staging_public"."code" ("a", "token") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/primary-key/code_pkey
ALTER TABLE "liteferry_staging_public"."code" ADD CONSTRAINT "code_pkey" PRIMARY KEY ("a");
-- post-data/analyze/code
ANALYZE "liteferry_staging_public"."code";
-- publish
ALTER TABLE "liteferry_staging_public"."code" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
