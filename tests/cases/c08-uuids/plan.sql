-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/t
CREATE TABLE "liteferry_staging_public"."t" (
    "id" uuid NOT NULL,
    "other" uuid,
    "bytes" bytea,
    "empty" uuid
);
-- data/table/t
COPY "liteferry_staging_public"."t" ("id", "other", "bytes", "empty") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/primary-key/t_pkey
ALTER TABLE "liteferry_staging_public"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY ("id");
-- post-data/analyze/t
ANALYZE "liteferry_staging_public"."t";
-- publish
ALTER TABLE "liteferry_staging_public"."t" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
