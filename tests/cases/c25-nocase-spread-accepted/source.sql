CREATE TABLE tag (name TEXT COLLATE NOCASE PRIMARY KEY);
INSERT INTO tag VALUES ('Red'), ('green');
CREATE TABLE thing (id INTEGER PRIMARY KEY, tag TEXT REFERENCES tag (name) ON UPDATE CASCADE, UNIQUE (tag, id));
INSERT INTO thing VALUES (1, 'RED'), (2, 'green'), (3, 'blue');
CREATE VIEW greens AS SELECT id FROM thing WHERE tag = 'green';
