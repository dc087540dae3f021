CREATE TABLE meeting (id integer PRIMARY KEY, at timestamptz, again timestamptz, never timestamptz);
