CREATE TABLE word (id INTEGER PRIMARY KEY, a VARCHAR(5), b CHAR(3), c VARCHAR(2));
INSERT INTO word VALUES (1, 'äöüßé', 'ab', 'longer than two'), (2, 'six___', 'a  ', NULL), (3, 'much too long', 'abcd', '');
