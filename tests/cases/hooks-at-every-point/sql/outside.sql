CREATE SCHEMA IF NOT EXISTS elsewhere;
CREATE TABLE elsewhere.log (what text);
