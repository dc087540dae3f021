CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO author VALUES (1, 'A'), (2, 'B');
CREATE TABLE book (isbn TEXT PRIMARY KEY, author INT NOT NULL REFERENCES author (id) ON DELETE CASCADE, next TEXT REFERENCES book);
INSERT INTO book VALUES ('1', 1, NULL), ('2', 3, '1'), ('3', 0, '9'), ('4', 2, '3'), ('5', -1, NULL);
CREATE TABLE review (book TEXT REFERENCES book (isbn), stars INT);
INSERT INTO review VALUES ('1', 5), ('7', 1), (NULL, 3), ('7', 1);
