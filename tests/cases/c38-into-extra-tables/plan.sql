-- pre-data/lock
LOCK TABLE "public"."Item" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."extra" IN ACCESS EXCLUSIVE MODE;
-- pre-data/drop-foreign-key/extra.extra_item_id_fkey
ALTER TABLE "public"."extra" DROP CONSTRAINT "extra_item_id_fkey";
-- data/table/Item
COPY "public"."Item" ("userName", "id") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/foreign-key/extra.extra_item_id_fkey
ALTER TABLE "public"."extra" ADD CONSTRAINT "extra_item_id_fkey" FOREIGN KEY (item_id) REFERENCES public."Item"(id) ON DELETE CASCADE;
-- post-data/analyze/Item
ANALYZE "public"."Item";
-- publish
