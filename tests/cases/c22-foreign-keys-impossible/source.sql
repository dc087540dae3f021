CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT, code TEXT);
CREATE UNIQUE INDEX parent_code ON parent (code) WHERE code IS NOT NULL;
INSERT INTO parent VALUES (1, 'x', 'c'), (2, 'x', NULL);
CREATE TABLE child (id INTEGER PRIMARY KEY, by_name TEXT REFERENCES parent (name), by_code TEXT REFERENCES parent (code),
  gone INT REFERENCES vanished (id), no_column INT REFERENCES parent (nummer), types TEXT REFERENCES parent (id),
  too_few INT REFERENCES pair);
CREATE TABLE pair (a INT, b INT, PRIMARY KEY (a, b));
CREATE VIEW v AS SELECT id FROM parent;
CREATE TABLE of_view (id INT REFERENCES v (id));
INSERT INTO child VALUES (1, 'x', 'c', 1, 1, '1', NULL);
