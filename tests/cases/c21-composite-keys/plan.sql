-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/line
CREATE TABLE "liteferry_staging_public"."line" (
    "order_id" bigint NOT NULL,
    "pos" bigint NOT NULL,
    "sku" text NOT NULL
);
-- data/table/line
COPY "liteferry_staging_public"."line" ("order_id", "pos", "sku") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/primary-key/line_pkey
ALTER TABLE "liteferry_staging_public"."line" ADD CONSTRAINT "line_pkey" PRIMARY KEY ("sku", "order_id", "pos");
-- post-data/unique/line_pos_order_id_key
ALTER TABLE "liteferry_staging_public"."line" ADD CONSTRAINT "line_pos_order_id_key" UNIQUE ("pos", "order_id");
-- post-data/analyze/line
ANALYZE "liteferry_staging_public"."line";
-- pre-data/table/part
CREATE TABLE "liteferry_staging_public"."part" (
    "sku" text,
    "nr" bigint,
    "ord" bigint,
    "note" text
);
-- data/table/part
COPY "liteferry_staging_public"."part" ("sku", "nr", "ord", "note") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/part
ANALYZE "liteferry_staging_public"."part";
-- pre-data/table/other
CREATE TABLE "liteferry_staging_public"."other" (
    "pos" bigint,
    "order_id" bigint
);
-- data/table/other
COPY "liteferry_staging_public"."other" ("pos", "order_id") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/other
ANALYZE "liteferry_staging_public"."other";
-- post-data/foreign-key/part.part_ord_nr_sku_fkey
ALTER TABLE "liteferry_staging_public"."part" ADD CONSTRAINT "part_ord_nr_sku_fkey" FOREIGN KEY ("ord", "nr", "sku") REFERENCES "liteferry_staging_public"."line" ("order_id", "pos", "sku") ON DELETE CASCADE;
-- post-data/foreign-key/other.by position
ALTER TABLE "liteferry_staging_public"."other" ADD CONSTRAINT "by position" FOREIGN KEY ("pos", "order_id") REFERENCES "liteferry_staging_public"."line" ("pos", "order_id") ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED;
-- publish
ALTER TABLE "liteferry_staging_public"."line" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."part" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."other" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
