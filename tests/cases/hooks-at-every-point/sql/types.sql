-- types and functions that the tables and views below use
CREATE TYPE "Mood" AS ENUM ('glad', 'sad');
CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
CREATE TYPE pair AS (one int, two int);
CREATE SEQUENCE tickets;
CREATE FUNCTION shout(word text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper(word) || '!;' $$;
CREATE FUNCTION "How glad"("Mood", pair) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE AGGREGATE total_of(bigint) (SFUNC = int8pl, STYPE = bigint, INITCOND = '0');
