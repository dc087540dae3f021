CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, title VARCHAR(8));
INSERT INTO note VALUES (1, 'a' || char(0) || 'b', 'x' || char(0));
INSERT INTO note VALUES (2, 'C:\temp', 'plain');
INSERT INTO note VALUES (3, 'ä€😀', 'ä' || char(0) || 'ö');
INSERT INTO note VALUES (4, CAST(x'61ff62' AS TEXT), CAST(x'e282' AS TEXT));
INSERT INTO note VALUES (5, CAST(x'f0809f00ed9fbfeda080' AS TEXT), NULL);
INSERT INTO note VALUES (6, NULL, 'eightchr');
