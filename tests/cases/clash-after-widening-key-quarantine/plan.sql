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
-- post-data/primary-key/code_pkey
ALTER TABLE "liteferry_staging_public"."code" ADD CONSTRAINT "code_pkey" PRIMARY KEY ("at");
-- post-data/analyze/code
ANALYZE "liteferry_staging_public"."code";
-- pre-data/table/code_quarantine
CREATE TABLE "liteferry_staging_public"."code_quarantine" (
    "at" text NOT NULL,
    "note" text NOT NULL,
    "liteferry_rowid" bigint NOT NULL,
    "liteferry_reason" text NOT NULL
);
-- data/table/code_quarantine
COPY "liteferry_staging_public"."code_quarantine" ("at", "note", "liteferry_rowid", "liteferry_reason") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/code_quarantine
ANALYZE "liteferry_staging_public"."code_quarantine";
-- publish
ALTER TABLE "liteferry_staging_public"."code" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."code_quarantine" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
