-- pre-data/lock
LOCK TABLE "public"."author" IN ACCESS EXCLUSIVE MODE;
LOCK TABLE "public"."book" IN ACCESS EXCLUSIVE MODE;
-- pre-data/drop-foreign-key/book.book_author_id_fkey
ALTER TABLE "public"."book" DROP CONSTRAINT "book_author_id_fkey";
-- data/table/author
COPY "public"."author" ("id") FROM STDIN WITH (FORMAT binary);
-- data/table/book
COPY "public"."book" ("id", "author_id", "pages", "of") FROM STDIN WITH (FORMAT binary);
-- post-data/constraints
SET CONSTRAINTS ALL IMMEDIATE;
-- post-data/foreign-key/book.book_author_id_fkey
ALTER TABLE "public"."book" ADD CONSTRAINT "book_author_id_fkey" FOREIGN KEY (author_id) REFERENCES public.author(id) DEFERRABLE INITIALLY DEFERRED;
-- post-data/analyze/author
ANALYZE "public"."author";
-- post-data/analyze/book
ANALYZE "public"."book";
-- publish
