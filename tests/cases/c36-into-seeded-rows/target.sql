CREATE TABLE role (id serial PRIMARY KEY, name text UNIQUE);
INSERT INTO role (name) VALUES ('admin'), ('user');
CREATE TABLE version (v text);
INSERT INTO version VALUES ('0042');
