CREATE TABLE word (id integer PRIMARY KEY, a varchar(5), b character(3), c text);
