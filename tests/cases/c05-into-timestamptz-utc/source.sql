CREATE TABLE meeting (id integer PRIMARY KEY, at datetime, again datetime, never datetime);
INSERT INTO meeting VALUES (1, '2024-10-27 02:30:00', '2024-10-27T02:30:00+02:00', NULL), (2, '0001-01-01', '2024-01-01 00:00:00', NULL);
