-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- pre-data/table/doc
CREATE TABLE "liteferry_staging_public"."doc" (
    "body" json NOT NULL,
    "n" bigint
);
-- data/table/doc
COPY "liteferry_staging_public"."doc" ("body", "n") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/doc
ANALYZE "liteferry_staging_public"."doc";
-- pre-data/table/note
CREATE TABLE "liteferry_staging_public"."note" (
    "doc" jsonb,
    "v" bigint
);
-- data/table/note
COPY "liteferry_staging_public"."note" ("doc", "v") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/note
ANALYZE "liteferry_staging_public"."note";
-- pre-data/table/many
CREATE TABLE "liteferry_staging_public"."many" (
    "c1" bigint NOT NULL,
    "c2" bigint NOT NULL,
    "c3" bigint NOT NULL,
    "c4" bigint NOT NULL,
    "c5" bigint NOT NULL,
    "c6" bigint NOT NULL,
    "c7" bigint NOT NULL,
    "c8" bigint NOT NULL,
    "c9" bigint NOT NULL,
    "c10" bigint NOT NULL,
    "c11" bigint NOT NULL,
    "c12" bigint NOT NULL,
    "c13" bigint NOT NULL,
    "c14" bigint NOT NULL,
    "c15" bigint NOT NULL,
    "c16" bigint NOT NULL,
    "c17" bigint NOT NULL,
    "c18" bigint NOT NULL,
    "c19" bigint NOT NULL,
    "c20" bigint NOT NULL,
    "c21" bigint NOT NULL,
    "c22" bigint NOT NULL,
    "c23" bigint NOT NULL,
    "c24" bigint NOT NULL,
    "c25" bigint NOT NULL,
    "c26" bigint NOT NULL,
    "c27" bigint NOT NULL,
    "c28" bigint NOT NULL,
    "c29" bigint NOT NULL,
    "c30" bigint NOT NULL,
    "c31" bigint NOT NULL,
    "c32" bigint NOT NULL,
    "c33" bigint NOT NULL
);
-- data/table/many
COPY "liteferry_staging_public"."many" ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "c19", "c20", "c21", "c22", "c23", "c24", "c25", "c26", "c27", "c28", "c29", "c30", "c31", "c32", "c33") FROM STDIN WITH (FORMAT binary, FREEZE);
-- post-data/analyze/many
ANALYZE "liteferry_staging_public"."many";
-- publish
ALTER TABLE "liteferry_staging_public"."doc" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."note" SET SCHEMA "public";
ALTER TABLE "liteferry_staging_public"."many" SET SCHEMA "public";
DROP SCHEMA "liteferry_staging_public" RESTRICT;
