CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, title VARCHAR(8));
INSERT INTO note VALUES (1, 'a' || char(0) || 'b', 'x' || char(0));
INSERT INTO note VALUES (2, 'C:\temp', 'plain');
INSERT INTO note VALUES (3, 'ä€😀', 'ä' || char(0) || 'ö');
