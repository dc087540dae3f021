CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE, town TEXT COLLATE NOCASE);
INSERT INTO person VALUES (1, 'Émile', 'Århus'), (2, 'émile', 'Zürich'), (3, 'Ann', 'Ulm'), (4, 'Ann' || char(1), 'ULM'), (5, 'e' || char(769) || 'mile', NULL);
