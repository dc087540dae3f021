PRAGMA user_version = 7;
VACUUM;
