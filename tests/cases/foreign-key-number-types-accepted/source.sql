CREATE TABLE parent (id INTEGER PRIMARY KEY, amount NUMERIC UNIQUE, ratio REAL UNIQUE);
INSERT INTO parent VALUES (1, 10, 0.5), (2, 20.5, 2.0);
CREATE TABLE fits (id INTEGER PRIMARY KEY, by_amount INT REFERENCES parent (amount), by_ratio INT REFERENCES parent (ratio),
  numeric_ratio NUMERIC REFERENCES parent (ratio));
INSERT INTO fits VALUES (1, 10, 2, 0.5);
CREATE TABLE wider (id INTEGER PRIMARY KEY, numeric_id NUMERIC REFERENCES parent (id), decimal_id DECIMAL(10, 0) REFERENCES parent,
  real_id REAL REFERENCES parent (id), real_amount REAL REFERENCES parent (amount));
INSERT INTO wider VALUES (1, 1, 2, 1, 20.5);
