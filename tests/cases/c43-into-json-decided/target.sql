CREATE TABLE doc (id integer PRIMARY KEY, a jsonb, b jsonb);
