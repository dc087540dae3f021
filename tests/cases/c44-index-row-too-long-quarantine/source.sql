CREATE TABLE page (id INTEGER PRIMARY KEY, url TEXT, short TEXT);
WITH RECURSIVE n(i, x) AS (SELECT 1, 12345 UNION ALL SELECT i + 1, (x * 1103515245 + 12345) % 2147483648 FROM n WHERE i < 9000)
  INSERT INTO page SELECT 1, group_concat(char(33 + (x / 65536) % 94), ''), 'x' FROM n;
CREATE INDEX page_short ON page (short);
CREATE INDEX page_url ON page (url);
