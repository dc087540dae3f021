-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/int_key
CREATE TABLE "liteferry_staging_public"."int_key" (
    "id" bigint,
    "v" text
);
-- data/table/int_key
COPY "liteferry_staging_public"."int_key" ("id", "v") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/unique/int_key_pkey
ALTER TABLE "liteferry_staging_public"."int_key" ADD CONSTRAINT "int_key_pkey" UNIQUE ("id");
-- post-data/analyze/int_key
ANALYZE "liteferry_staging_public"."int_key";
-- pre-data/table/quirk
CREATE TABLE "liteferry_staging_public"."quirk" (
    "id" bigint,
    "v" text
);
-- data/table/quirk
COPY "liteferry_staging_public"."quirk" ("id", "v") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/unique/quirk_pkey
ALTER TABLE "liteferry_staging_public"."quirk" ADD CONSTRAINT "quirk_pkey" UNIQUE ("id");
-- post-data/analyze/quirk
ANALYZE "liteferry_staging_public"."quirk";
-- pre-data/table/pair
CREATE TABLE "liteferry_staging_public"."pair" (
    "a" text,
    "b" bigint,
    "c" text
);
-- data/table/pair
COPY "liteferry_staging_public"."pair" ("a", "b", "c") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/unique/pair_key
ALTER TABLE "liteferry_staging_public"."pair" ADD CONSTRAINT "pair_key" UNIQUE ("a", "b");
-- post-data/analyze/pair
ANALYZE "liteferry_staging_public"."pair";
-- pre-data/table/child
CREATE TABLE "liteferry_staging_public"."child" (
    "a" text,
    "b" bigint,
    "id" bigint
);
-- data/table/child
COPY "liteferry_staging_public"."child" ("a", "b", "id") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/child
ANALYZE "liteferry_staging_public"."child";
-- post-data/foreign-key/child.child_id_fkey
ALTER TABLE "liteferry_staging_public"."child" ADD CONSTRAINT "child_id_fkey" FOREIGN KEY ("id") REFERENCES "liteferry_staging_public"."int_key" ("id");
-- post-data/foreign-key/child.child_a_b_fkey
ALTER TABLE "liteferry_staging_public"."child" ADD CONSTRAINT "child_a_b_fkey" FOREIGN KEY ("a", "b") REFERENCES "liteferry_staging_public"."pair" ("a", "b");
-- publish
ALTER TABLE "liteferry_staging_public"."int_key" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."quirk" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."pair" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."child" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
