INSERT INTO audit (customer_id, mood, amount) SELECT id, 'glad', id FROM customer;
CREATE INDEX customer_shout ON customer (shout(name));
