CREATE TABLE audit (id bigserial PRIMARY KEY, ticket bigint DEFAULT nextval('tickets'), customer_id bigint, mood "Mood", amount positive);
CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER note BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION note_it();
ALTER TABLE customer ALTER COLUMN grade SET DEFAULT 5;
CREATE TABLE part (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE part_2024 PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
