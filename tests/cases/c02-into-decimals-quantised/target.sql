CREATE TABLE invoice (id integer PRIMARY KEY, total numeric(10,2), wide numeric(20,2),
    twice numeric(11,2) GENERATED ALWAYS AS (total * 2) STORED);
