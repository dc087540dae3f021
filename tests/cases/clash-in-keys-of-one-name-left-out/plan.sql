-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/nulls
CREATE TABLE "liteferry_staging_public"."nulls" (
    "k" bytea,
    "v" bigint
);
-- data/table/nulls
COPY "liteferry_staging_public"."nulls" ("k", "v") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/nulls
ANALYZE "liteferry_staging_public"."nulls";
-- pre-data/table/pairs
CREATE TABLE "liteferry_staging_public"."pairs" (
    "a" timestamp,
    "b" bigint
);
-- data/table/pairs
COPY "liteferry_staging_public"."pairs" ("a", "b") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/pairs
ANALYZE "liteferry_staging_public"."pairs";
-- pre-data/table/mails
CREATE TABLE "liteferry_staging_public"."mails" (
    "at" timestamp,
    "to_id" bigint
);
-- data/table/mails
COPY "liteferry_staging_public"."mails" ("at", "to_id") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/index/at
CREATE INDEX "at" ON "liteferry_staging_public"."mails" ("to_id");
-- post-data/analyze/mails
ANALYZE "liteferry_staging_public"."mails";
-- pre-data/table/unnamed
CREATE TABLE "liteferry_staging_public"."unnamed" (
    "a" bigint
);
-- data/table/unnamed
COPY "liteferry_staging_public"."unnamed" ("a") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/unnamed
ANALYZE "liteferry_staging_public"."unnamed";
-- post-data/view/of_nothing
CREATE VIEW "liteferry_staging_public"."of_nothing" ("a") AS
SELECT "unnamed"."a" AS "a" FROM "liteferry_staging_public"."unnamed" AS "unnamed" WHERE "unnamed"."a" > 0;
-- publish
ALTER TABLE "liteferry_staging_public"."nulls" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."pairs" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."mails" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."unnamed" SET SCHEMA "public";
ALTER VIEW "liteferry_staging_public"."of_nothing" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
