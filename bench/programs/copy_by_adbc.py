"""Copy every table of a SQLite file into PostgreSQL by ADBC's drivers, as batches of Arrow.

A table that fails is told and left out; the exit status is then 1.

usage: copy_by_adbc.py SOURCE URL new|existing
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi


def main() -> int:
    """Run it."""
    source, url, into = sys.argv[1:]
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as catalogue:
        named = [name for (name,) in catalogue.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    named = [name for name in named if not name.startswith("sqlite_")]
    begun, failed = time.monotonic(), []
    with adbc_driver_sqlite.dbapi.connect(source) as reader, adbc_driver_postgresql.dbapi.connect(url) as writer:
        for table in named:
            try:
                with reader.cursor() as read, writer.cursor() as write:
                    read.execute('SELECT * FROM "' + table.replace('"', '""') + '"')
                    batches = read.fetch_record_batch()
                    write.adbc_ingest(table, batches, mode="append" if into == "existing" else "create")
                writer.commit()
            except Exception as error:  # noqa: BLE001 - whatever a driver raises is what is told of it
                failed.append(f"{table}: {str(error).splitlines()[0]}")
                writer.rollback()
    print(json.dumps({"rows_s": time.monotonic() - begun}))
    if failed:
        print(f"{len(failed)} of {len(named)} tables: {failed[0]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
