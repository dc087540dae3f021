CREATE TABLE line (order_id INT NOT NULL, pos INT NOT NULL, sku TEXT NOT NULL, PRIMARY KEY (sku, order_id, pos), UNIQUE (pos, order_id));
INSERT INTO line VALUES (1, 1, 'b'), (1, 2, 'a'), (2, 1, 'b'), (2, 2, 'B');
CREATE TABLE part (sku TEXT, nr INT, ord INT, note TEXT, FOREIGN KEY (ord, nr, sku) REFERENCES line (order_id, pos, sku) ON DELETE CASCADE);
INSERT INTO part VALUES ('b', 1, 1, 'x'), ('a', NULL, 99, 'a NULL in the key points nowhere'), ('B', 2, 2, NULL);
CREATE TABLE other (pos INT, order_id INT, CONSTRAINT "by position" FOREIGN KEY (pos, order_id) REFERENCES line (pos, order_id) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED);
INSERT INTO other VALUES (2, 1), (1, 2);
