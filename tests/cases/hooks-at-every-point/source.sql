CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, grade INT);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INT REFERENCES customer (id), total REAL);
CREATE INDEX purchase_customer ON purchase (customer_id);
INSERT INTO customer VALUES (1, 'Ann', 2), (2, 'Bob', NULL);
INSERT INTO purchase VALUES (1, 1, 2.5), (2, 2, 0.25), (3, 1, 7);
CREATE VIEW large AS SELECT id, total FROM purchase WHERE total > 1;
