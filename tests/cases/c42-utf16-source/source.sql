PRAGMA encoding = 'UTF-16le';
CREATE TABLE "tàblé" (id INTEGER PRIMARY KEY, s TEXT, "名" VARCHAR(3));
INSERT INTO "tàblé" VALUES (1, 'Größe 漢字 😀', '漢字😀'), (2, '', 'abc'), (3, 'e' || char(769) || ' ≠ é', NULL);
CREATE TABLE by_text (k TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO by_text VALUES ('😀'), ('z'), (char(65535)), (char(57344)), ('');
