"""Everything that RunSQL can make and that Django knows nothing of."""

from django.db import migrations
from library.operations import PgSQL


class Migration(migrations.Migration):
    """By hand."""

    dependencies = [("library", "0003_postgres")]
    operations = [
        PgSQL("CREATE EXTENSION IF NOT EXISTS unaccent"),
        PgSQL(
            """
            CREATE TYPE mood AS ENUM ('sad', 'it''s fine', 'glad');
            CREATE DOMAIN percent AS smallint CHECK (VALUE BETWEEN 0 AND 100);
            CREATE TYPE pair AS (one integer, other mood);
            CREATE SEQUENCE tickets INCREMENT BY 5 START 100;
            CREATE TEXT SEARCH CONFIGURATION plain (COPY = pg_catalog.english);
            ALTER TEXT SEARCH CONFIGURATION plain ALTER MAPPING FOR hword, word WITH unaccent, simple;
            """
        ),
        PgSQL(
            """
            CREATE TABLE log (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                ticket bigint NOT NULL DEFAULT nextval('tickets'),
                what text NOT NULL,
                how mood NOT NULL DEFAULT 'glad',
                share percent,
                span numrange,
                words tsvector GENERATED ALWAYS AS (to_tsvector('plain', what)) STORED
            );
            ALTER TABLE log SET (autovacuum_enabled = off);
            COMMENT ON COLUMN log.what IS 'what''s been done';
            CREATE STATISTICS log_pairs (dependencies) ON what, how FROM log;
            CREATE FUNCTION log_book() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO log (what, share) VALUES ('book ' || NEW.isbn, 100);
                RETURN NEW;
            END $$;
            CREATE TRIGGER log_books AFTER INSERT ON library_book FOR EACH ROW EXECUTE FUNCTION log_book();
            CREATE FUNCTION moods(mood[]) RETURNS SETOF mood LANGUAGE sql IMMUTABLE AS 'SELECT unnest($1)';
            CREATE AGGREGATE joined (text) (SFUNC = textcat, STYPE = text, INITCOND = '');
            CREATE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM log';
            CREATE OPERATOR ==> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4gt);
            CREATE VIEW long_books AS SELECT b.id, b.title, s.place FROM library_book b
                LEFT JOIN library_shelf s ON s.code = b.shelf_id WHERE length(b.title) > 20;
            CREATE VIEW moody AS SELECT * FROM moods(ARRAY['sad', 'glad']::mood[]) AS m;
            CREATE MATERIALIZED VIEW shelves AS SELECT code, place FROM library_shelf;
            CREATE UNIQUE INDEX shelves_code ON shelves (code);
            CREATE RULE no_delete AS ON DELETE TO log DO INSTEAD NOTHING;
            """
        ),
        PgSQL("GRANT SELECT ON long_books TO PUBLIC"),
    ]
