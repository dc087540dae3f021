CREATE TABLE line (id INTEGER PRIMARY KEY, price DECIMAL(8,2), amount INTEGER, total NUMERIC GENERATED ALWAYS AS (price * amount) VIRTUAL, shown TEXT, label TEXT);
INSERT INTO line (id, price, amount, shown, label) VALUES (5, 1.25, 4, 'ABC', 'abc'), (6, NULL, 1, NULL, NULL);
