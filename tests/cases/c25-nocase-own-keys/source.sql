CREATE TABLE word (word TEXT, lang TEXT, n INTEGER, CONSTRAINT word_key PRIMARY KEY (word COLLATE NOCASE, lang), UNIQUE (lang, n COLLATE NOCASE), CONSTRAINT word_lang UNIQUE (n, lang COLLATE NOCASE));
CREATE UNIQUE INDEX word_joined ON word ((word || '/' || lang) COLLATE NOCASE);
CREATE UNIQUE INDEX word_trimmed ON word (lang COLLATE RTRIM DESC, word) WHERE n > 1;
CREATE INDEX word_by_n ON word (n COLLATE RTRIM, word COLLATE NOCASE);
INSERT INTO word VALUES ('Haus', 'de', 1), ('house', 'en', 2), ('maison', 'fr', 3), ('É', 'fr', 4), ('é', 'fr', 5);
CREATE TABLE used (word TEXT, lang TEXT, n INTEGER, FOREIGN KEY (word, lang) REFERENCES word (word, lang));
INSERT INTO used VALUES ('Haus', 'de', 1), ('É', 'fr', 2);
CREATE TABLE trimmed (name TEXT PRIMARY KEY COLLATE RTRIM);
INSERT INTO trimmed VALUES ('a'), ('b ');
