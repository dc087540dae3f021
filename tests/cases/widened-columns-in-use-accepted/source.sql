CREATE TABLE t (id INTEGER PRIMARY KEY, n INT DEFAULT 5 CHECK (n > 0), b TEXT DEFAULT 'x' CHECK (length(b) < 10), d DATETIME DEFAULT CURRENT_TIMESTAMP, f BOOLEAN NOT NULL DEFAULT 0 CHECK (f IN (0, 1, 2)),
  m DECIMAL(4, 1) DEFAULT 1.5, v VARCHAR(2) DEFAULT 'ab', twice INT AS (n * 2), shout TEXT AS (b || '!') STORED, UNIQUE (n, b));
INSERT INTO t (id, n, b, d, f, m, v) VALUES (1, 'many', 'a' || char(0) || 'b', 0, 2, 1.25, 'abc'), (2, 7, 'plain', '2024-01-01 00:00:00', 1, 2, 'a');
CREATE INDEX by_sum ON t (n + 1);
CREATE INDEX by_lower ON t (lower(b));
CREATE INDEX by_day ON t (date(d));
CREATE INDEX active ON t (id) WHERE f = 1;
CREATE INDEX large ON t (n) WHERE n > 10;
CREATE VIEW sums AS SELECT n + 1 AS s, m * 2 AS m2 FROM t;
CREATE VIEW texts AS SELECT b, length(b) AS l, upper(v) AS u FROM t;
CREATE VIEW days AS SELECT date(d) AS day FROM t WHERE f;
CREATE VIEW everything AS SELECT * FROM t;
