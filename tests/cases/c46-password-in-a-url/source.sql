CREATE TABLE item (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(20) NOT NULL UNIQUE, price NUMERIC);
INSERT INTO item (name, price) VALUES ('nut', 0.25), ('bolt', 1.5), ('größer', NULL);
