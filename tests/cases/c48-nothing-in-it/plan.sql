-- pre-data/schema
CREATE SCHEMA "liteferry_staging_public";
COMMENT ON SCHEMA "liteferry_staging_public" IS 'liteferry staging';
-- publish
DROP SCHEMA "liteferry_staging_public" RESTRICT;
