CREATE TABLE invoice (id integer PRIMARY KEY, total decimal, wide decimal, twice decimal AS (total * 2) STORED);
INSERT INTO invoice (id, total, wide) VALUES (1, 0.1 + 0.2, 123456789012345678), (2, 1.25, 0.1), (3, -0.0, NULL), (4, 7, 1e-12);
