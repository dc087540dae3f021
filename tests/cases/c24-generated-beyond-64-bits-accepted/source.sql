-- SQLite goes on in floating-point numbers where integers end; PostgreSQL fails
CREATE TABLE big (id INTEGER PRIMARY KEY, twice INT AS (id * 2), next INT AS (id + 1));
INSERT INTO big (id) VALUES (1), (4611686018427387904);
-- an expression that names no column
CREATE TABLE same (id INTEGER PRIMARY KEY, day DATE AS ('2024-01-01'), one INT AS (1) STORED);
INSERT INTO same (id) VALUES (1), (2);
