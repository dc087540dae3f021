CREATE TABLE secret (id INTEGER PRIMARY KEY, owner TEXT);
INSERT INTO secret VALUES (1, 'somebody else'), (2, NULL);
