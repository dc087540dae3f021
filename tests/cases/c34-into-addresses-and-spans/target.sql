CREATE TABLE host (id integer PRIMARY KEY, address inet, network cidr, lasts interval);
