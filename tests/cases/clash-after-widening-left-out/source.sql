CREATE TABLE code (id INTEGER PRIMARY KEY, v UNIQUE, flag BOOL);
INSERT INTO code VALUES (1, 1, 1), (2, '1', 't'), (3, 2, 0), (4, NULL, 0), (5, NULL, 0);
