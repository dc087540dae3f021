-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/t
CREATE TABLE "liteferry_staging_public"."t" (
    "a" bigint,
    "b" bigint
);
-- data/table/t
COPY "liteferry_staging_public"."t" ("a", "b") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/t
ANALYZE "liteferry_staging_public"."t";
-- post-data/view/fine
CREATE VIEW "liteferry_staging_public"."fine" ("a") AS
SELECT "t"."a" AS "a" FROM "liteferry_staging_public"."t" AS "t";
-- publish
ALTER TABLE "liteferry_staging_public"."t" SET SCHEMA "public";
ALTER VIEW "liteferry_staging_public"."fine" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
