CREATE TABLE "Item" (id integer PRIMARY KEY, "userName" text);
CREATE TABLE extra (id serial PRIMARY KEY, item_id integer REFERENCES "Item" ON DELETE CASCADE);
CREATE TABLE with_rows (a text);
INSERT INTO with_rows VALUES ('stays');
CREATE VIEW all_items AS SELECT * FROM "Item";
