-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/word
CREATE TABLE "liteferry_staging_public"."word" (
    "word" text NOT NULL,
    "lang" text NOT NULL,
    "n" bigint
);
-- data/table/word
COPY "liteferry_staging_public"."word" ("word", "lang", "n") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/primary-key/word_key
ALTER TABLE "liteferry_staging_public"."word" ADD CONSTRAINT "word_key" PRIMARY KEY ("word", "lang");
-- post-data/index/word_key_nocase
CREATE UNIQUE INDEX "word_key_nocase" ON "liteferry_staging_public"."word" (pg_catalog.lower("word" COLLATE "C"), "lang");
-- post-data/unique/word_lang_n_key
ALTER TABLE "liteferry_staging_public"."word" ADD CONSTRAINT "word_lang_n_key" UNIQUE ("lang", "n");
-- post-data/index/word_lang
CREATE UNIQUE INDEX "word_lang" ON "liteferry_staging_public"."word" ("n", pg_catalog.lower("lang" COLLATE "C"));
-- post-data/index/word_joined
CREATE UNIQUE INDEX "word_joined" ON "liteferry_staging_public"."word" (pg_catalog.lower((("word" || '/'::text) || "lang") COLLATE "C"));
-- post-data/index/word_trimmed
CREATE UNIQUE INDEX "word_trimmed" ON "liteferry_staging_public"."word" (pg_catalog.rtrim("lang" COLLATE "C", ' ') DESC, "word") WHERE "n" > 1;
-- post-data/index/word_by_n
CREATE INDEX "word_by_n" ON "liteferry_staging_public"."word" ("n", pg_catalog.lower("word" COLLATE "C"));
-- post-data/analyze/word
ANALYZE "liteferry_staging_public"."word";
-- pre-data/table/used
CREATE TABLE "liteferry_staging_public"."used" (
    "word" text,
    "lang" text,
    "n" bigint
);
-- data/table/used
COPY "liteferry_staging_public"."used" ("word", "lang", "n") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/used
ANALYZE "liteferry_staging_public"."used";
-- pre-data/table/trimmed
CREATE TABLE "liteferry_staging_public"."trimmed" (
    "name" text NOT NULL
);
-- data/table/trimmed
COPY "liteferry_staging_public"."trimmed" ("name") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/primary-key/trimmed_pkey
ALTER TABLE "liteferry_staging_public"."trimmed" ADD CONSTRAINT "trimmed_pkey" PRIMARY KEY ("name");
-- post-data/index/trimmed_pkey_rtrim
CREATE UNIQUE INDEX "trimmed_pkey_rtrim" ON "liteferry_staging_public"."trimmed" (pg_catalog.rtrim("name" COLLATE "C", ' '));
-- post-data/analyze/trimmed
ANALYZE "liteferry_staging_public"."trimmed";
-- post-data/foreign-key/used.used_word_lang_fkey
ALTER TABLE "liteferry_staging_public"."used" ADD CONSTRAINT "used_word_lang_fkey" FOREIGN KEY ("word", "lang") REFERENCES "liteferry_staging_public"."word" ("word", "lang");
-- publish
ALTER TABLE "liteferry_staging_public"."word" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."used" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."trimmed" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
