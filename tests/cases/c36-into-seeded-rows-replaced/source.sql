CREATE TABLE role (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
INSERT INTO role VALUES (1, 'admin'), (2, 'guest');
CREATE TABLE version (v TEXT);
INSERT INTO version VALUES ('0042');
