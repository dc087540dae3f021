"""Copy every table of a SQLite file into PostgreSQL by DuckDB: ``CREATE TABLE … AS SELECT``, or INSERT into existing.

usage: copy_by_duckdb.py SOURCE CONNINFO new|existing
"""

from __future__ import annotations

import json
import sys
import time

import duckdb
from duckdb_extensions import import_extension


def main() -> int:
    """Run it."""
    source, conninfo, into = sys.argv[1:]
    import_extension("sqlite_scanner")
    import_extension("postgres_scanner")
    connection = duckdb.connect()
    connection.execute("LOAD sqlite_scanner")
    connection.execute("LOAD postgres_scanner")
    connection.execute(f"ATTACH '{source}' AS s (TYPE sqlite, READ_ONLY)")
    connection.execute(f"ATTACH '{conninfo}' AS p (TYPE postgres)")
    begun = time.monotonic()
    named = connection.execute("SELECT name FROM sqlite_scan(?, 'sqlite_master') WHERE type = 'table'", [source])
    for (table,) in named.fetchall():
        if not table.startswith("sqlite_"):
            quoted = '"' + table.replace('"', '""') + '"'
            made = f"INSERT INTO p.{quoted}" if into == "existing" else f"CREATE TABLE p.{quoted} AS"
            connection.execute(f"{made} SELECT * FROM s.{quoted}")
    print(json.dumps({"rows_s": time.monotonic() - begun}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
