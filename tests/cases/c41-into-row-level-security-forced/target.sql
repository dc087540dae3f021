CREATE TABLE secret (id integer PRIMARY KEY, owner text);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user);
