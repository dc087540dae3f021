CREATE TABLE flag (id integer PRIMARY KEY, a boolean NOT NULL, b boolean, UNIQUE (id, a));
