-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/log
CREATE TABLE "liteferry_staging_public"."log" (
    "at" timestamp,
    "what" text,
    "n" bigint,
    "amount" numeric,
    "raw" bytea
);
-- data/table/log
COPY "liteferry_staging_public"."log" ("at", "what", "n", "amount", "raw") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/log
ANALYZE "liteferry_staging_public"."log";
-- pre-data/table/one_column
CREATE TABLE "liteferry_staging_public"."one_column" (
    "v" text
);
-- data/table/one_column
COPY "liteferry_staging_public"."one_column" ("v") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/one_column
ANALYZE "liteferry_staging_public"."one_column";
-- pre-data/table/unique_but_nulls
CREATE TABLE "liteferry_staging_public"."unique_but_nulls" (
    "v" text,
    "w" bigint
);
-- data/table/unique_but_nulls
COPY "liteferry_staging_public"."unique_but_nulls" ("v", "w") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/unique/unique_but_nulls_v_key
ALTER TABLE "liteferry_staging_public"."unique_but_nulls" ADD CONSTRAINT "unique_but_nulls_v_key" UNIQUE ("v");
-- post-data/analyze/unique_but_nulls
ANALYZE "liteferry_staging_public"."unique_but_nulls";
-- publish
ALTER TABLE "liteferry_staging_public"."log" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."one_column" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."unique_but_nulls" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
