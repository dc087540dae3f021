CREATE TABLE mail (id INTEGER PRIMARY KEY, address TEXT, size INT);
INSERT INTO mail VALUES (1, 'ann', 10), (2, 'bob', NULL), (3, NULL, 30);
CREATE INDEX all_of_them ON mail (address, size DESC) WHERE 1;
CREATE UNIQUE INDEX each_once ON mail (address) WHERE (TRUE);
CREATE INDEX equal_numbers ON mail (size) WHERE 1 = 1;
CREATE INDEX both ON mail (size, id) WHERE 1 AND NOT 0;
CREATE INDEX none_of_them ON mail (size + 1) WHERE 0;
