CREATE TABLE secret (id INTEGER PRIMARY KEY, value BLOB, only_text BLOB);
INSERT INTO secret VALUES (1, x'0001fe', 'password');
INSERT INTO secret VALUES (2, 'password', '-----BEGIN PRIVATE KEY-----' || char(10) || 'MIIB' || char(10) || '-----END PRIVATE KEY-----');
INSERT INTO secret VALUES (3, '-----BEGIN PRIVATE KEY-----' || char(10) || 'MIIB' || char(10) || '-----END PRIVATE KEY-----', NULL);
INSERT INTO secret VALUES (4, NULL, '');
