CREATE TABLE invoice (id INTEGER PRIMARY KEY, total DECIMAL(5,2));
INSERT INTO invoice VALUES (1, 0.1 + 0.2), (2, 999.995), (3, 1000), (4, 12.345), (5, '12.3');
