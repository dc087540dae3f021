-- pre-data/lock
LOCK TABLE "public"."parent" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."child" IN ACCESS EXCLUSIVE MODE;
-- pre-data/drop-foreign-key/child.child_parent_fkey
ALTER TABLE "public"."child" DROP CONSTRAINT "child_parent_fkey";
-- data/table/parent
COPY "public"."parent" ("id", "name") FROM STDIN WITH (FORMAT binary);
-- data/table/child
COPY "public"."child" ("id", "parent") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/foreign-key/child.child_parent_fkey
ALTER TABLE "public"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY (parent) REFERENCES public.parent(id);
-- post-data/analyze/parent
ANALYZE "public"."parent";
-- post-data/analyze/child
ANALYZE "public"."child";
-- publish
