"""Copy every table of a SQLite file by the standard library's sqlite3 and psycopg's ``write_row``, as one does by hand.

The schema is given: SQL_DIR holds schema.sql and indexes.sql, as somebody who knows both databases would write them.
Sequences are set beyond the keys that are there.

usage: copy_by_psycopg.py SOURCE URL SQL_DIR new|existing
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from pathlib import Path

import psycopg


def main() -> int:
    """Run it."""
    source, url, sql_dir, into = sys.argv[1:]
    reader = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    named = [name for (name,) in reader.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")]
    with psycopg.connect(url) as writer:
        writer.execute("SET TimeZone = 'UTC'")
        if into == "new":
            writer.execute((Path(sql_dir) / "schema.sql").read_bytes())
        begun = time.monotonic()
        for table in named:
            if table.startswith("sqlite_"):
                continue
            quoted = '"' + table.replace('"', '""') + '"'
            rows = reader.execute(f"SELECT * FROM {quoted}")
            columns = ", ".join('"' + column[0].replace('"', '""') + '"' for column in rows.description)
            with writer.cursor().copy(f"COPY {quoted} ({columns}) FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row(row)
        rows_s = time.monotonic() - begun
        for table in named:
            for _, column, _, _, _, position in reader.execute("SELECT * FROM pragma_table_info(?)", (table,)):
                if position and not table.startswith("sqlite_"):
                    writer.execute(
                        "SELECT setval(pg_get_serial_sequence(quote_ident(%s), %s), found.number)"
                        f' FROM (SELECT max({column}) AS number FROM "{table}") AS found'.encode(),
                        (table, column),
                    )
        if into == "new":
            writer.execute((Path(sql_dir) / "indexes.sql").read_bytes())
    reader.close()
    print(json.dumps({"rows_s": rows_s}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
