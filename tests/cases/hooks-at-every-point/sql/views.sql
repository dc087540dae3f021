CREATE VIEW moods AS SELECT c.name, a.mood, "How glad"(a.mood, NULL) AS how FROM customer c JOIN audit a ON a.customer_id = c.id;
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(total) AS total FROM purchase GROUP BY 1;
ALTER TABLE audit ADD FOREIGN KEY (customer_id) REFERENCES customer (id);
