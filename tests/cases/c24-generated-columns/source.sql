CREATE TABLE item (id INTEGER PRIMARY KEY, price REAL NOT NULL, count INT NOT NULL, name TEXT,
  total REAL GENERATED ALWAYS AS (price * count) STORED,
  twice INT AS (count * 2) VIRTUAL,
  upper_name TEXT AS (upper(name)) UNIQUE,
  label TEXT AS (name || ' x' || count) STORED,
  rest INT AS (count % 3) VIRTUAL,
  half INT AS (count / 2),
  is_big BOOLEAN AS (count > 5),
  exact NUMERIC AS (price * count),
  whole INT AS (price * count));
INSERT INTO item (id, price, count, name) VALUES (1, 0.1, 3, 'nut'), (2, 2.5, 7, 'Bolt'), (3, -1, 2, NULL), (4, 1e300, -7, 'ß'), (5, -1, 0, 'nil');
CREATE INDEX by_total ON item (total);
CREATE INDEX by_rest ON item (rest, twice DESC);
CREATE TABLE json_item (doc TEXT CHECK (json_valid(doc)), kind TEXT GENERATED ALWAYS AS (json_extract(doc, '$.kind')) VIRTUAL, day TEXT AS (strftime('%Y', 'now')) VIRTUAL);
