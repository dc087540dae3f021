CREATE TABLE int_key (id INT PRIMARY KEY, v TEXT);
INSERT INTO int_key VALUES (1, 'a'), (NULL, 'b'), (NULL, 'c');
CREATE TABLE quirk (id INTEGER PRIMARY KEY DESC, v TEXT);
INSERT INTO quirk VALUES (NULL, 'a'), (5, 'b');
CREATE TABLE pair (a TEXT, b INT, c TEXT, CONSTRAINT pair_key PRIMARY KEY (a, b));
INSERT INTO pair VALUES ('x', NULL, '1'), (NULL, NULL, '2'), ('x', 1, '3'), (NULL, NULL, '2');
CREATE TABLE child (a TEXT, b INT, id INT REFERENCES int_key, FOREIGN KEY (a, b) REFERENCES pair);
INSERT INTO child VALUES ('x', 1, 1);
