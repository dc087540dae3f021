CREATE TABLE author (id uuid PRIMARY KEY);
CREATE TABLE book (id integer PRIMARY KEY, author_id uuid REFERENCES author (id) DEFERRABLE INITIALLY DEFERRED,
    pages integer CHECK (pages >= 0), "of" bigint CONSTRAINT few CHECK ("of" < 10));
