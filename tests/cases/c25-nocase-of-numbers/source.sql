-- a collation for letters, on keys that have none
CREATE TABLE reading (
    id INTEGER PRIMARY KEY,
    serial INTEGER,
    taken DATETIME
);
INSERT INTO reading VALUES (1, 7, '2026-11-22 10:00:00'), (2, 8, '2026-11-22 11:00:00');
CREATE UNIQUE INDEX reading_serial ON reading (serial COLLATE NOCASE);
CREATE UNIQUE INDEX reading_taken ON reading (taken COLLATE RTRIM);
