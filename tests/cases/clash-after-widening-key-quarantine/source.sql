CREATE TABLE code (at DATETIME PRIMARY KEY, note TEXT);
INSERT INTO code VALUES ('2024-01-01', 'a date'), ('2024-01-01 00:00:00', 'a date and time'), ('2024-01-02', 'another');
