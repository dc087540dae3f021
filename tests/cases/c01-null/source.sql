CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    age INTEGER,
    height REAL,
    alive BOOL,
    name VARCHAR(5),
    price DECIMAL(5,2),
    born DATE,
    key UUID,
    photo BLOB,
    data JSON,
    loose
);
INSERT INTO person VALUES (1, 30, 1.75, 1, 'Anna', 1.25, '1990-01-01', '00000000000000000000000000000abc', x'00ff', '{"a": 1}', 7);
INSERT INTO person VALUES (2, 'old', 'tall', 2, 'Christopher', 1.255, '1990-02-30', 'nobody', 'photo', '{"a": ', 8);
INSERT INTO person VALUES (3, 30.5, x'00', 'maybe', 'a' || char(0), 12345, 0, 17, 5, x'00', 'nine');
INSERT INTO person VALUES (4, NULL, NULL, NULL, NULL, 'free', NULL, NULL, NULL, NULL, NULL);
INSERT INTO person VALUES (5, x'00', 1e999, 'true', CAST(x'ff' AS TEXT), 999.99, '1990-01-01 10:00', '{0000}', x'', '5', 1.5);
