CREATE TABLE item (id integer PRIMARY KEY, made_here text DEFAULT 'new', empty_here integer, computed integer GENERATED ALWAYS AS (id * 2) STORED, required integer NOT NULL, listed integer[]);
