-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/t
CREATE TABLE "liteferry_staging_public"."t" (
    "a" text NOT NULL,
    "b" bytea NOT NULL,
    "c" double precision,
    "d" numeric NOT NULL,
    "e" boolean NOT NULL,
    "f" date NOT NULL,
    "g" timestamp NOT NULL,
    "h" uuid NOT NULL,
    "i" time NOT NULL,
    "j" bigint NOT NULL
);
-- data/table/t
COPY "liteferry_staging_public"."t" ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/primary-key/t_pkey
ALTER TABLE "liteferry_staging_public"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY ("j", "i", "h", "g", "f", "e", "d", "b", "a");
-- post-data/analyze/t
ANALYZE "liteferry_staging_public"."t";
-- pre-data/table/overlapping
CREATE TABLE "liteferry_staging_public"."overlapping" (
    "a" bigint,
    "b" bigint NOT NULL
);
-- data/table/overlapping
COPY "liteferry_staging_public"."overlapping" ("a", "b") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/primary-key/overlapping_pkey
ALTER TABLE "liteferry_staging_public"."overlapping" ADD CONSTRAINT "overlapping_pkey" PRIMARY KEY ("b");
-- post-data/unique/overlapping_a_key
ALTER TABLE "liteferry_staging_public"."overlapping" ADD CONSTRAINT "overlapping_a_key" UNIQUE ("a");
-- post-data/unique/overlapping_a_b_key
ALTER TABLE "liteferry_staging_public"."overlapping" ADD CONSTRAINT "overlapping_a_b_key" UNIQUE ("a", "b");
-- post-data/unique/overlapping_b_a_key
ALTER TABLE "liteferry_staging_public"."overlapping" ADD CONSTRAINT "overlapping_b_a_key" UNIQUE ("b", "a");
-- post-data/index/twice_1
CREATE INDEX "twice_1" ON "liteferry_staging_public"."overlapping" ("a");
-- post-data/index/twice_2
CREATE INDEX "twice_2" ON "liteferry_staging_public"."overlapping" ("a");
-- post-data/analyze/overlapping
ANALYZE "liteferry_staging_public"."overlapping";
-- publish
ALTER TABLE "liteferry_staging_public"."t" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."overlapping" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
