CREATE TABLE person (id INTEGER PRIMARY KEY, login TEXT NOT NULL, first TEXT, last TEXT, born DATE, height REAL);
INSERT INTO person VALUES (1, 'Ann', 'Ann', 'Oz', '1990-02-03', 1.7), (2, 'bob', NULL, 'Å', NULL, NULL), (3, 'ANNE', '', '', '2001-12-31', 1.85);
CREATE UNIQUE INDEX person_login ON person (lower(login));
CREATE INDEX person_names ON person (coalesce(last, '') || ', ' || coalesce(first, ''), id DESC);
CREATE INDEX person_initial ON person (substr(login, 1, 1));
CREATE INDEX person_length ON person (length(login)) WHERE last IS NOT NULL;
CREATE INDEX person_double ON person (id * 2 + 1);
CREATE INDEX person_tall ON person (CASE WHEN height > 1.8 THEN 'tall' ELSE 'not tall' END);
