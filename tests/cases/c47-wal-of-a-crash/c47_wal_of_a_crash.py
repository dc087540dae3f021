"""An application was killed: its last rows stand in the write-ahead log that it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_files import make_database, run_python

if TYPE_CHECKING:
    from pathlib import Path

CRASH = """
    import os, sqlite3, sys
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    db.execute("INSERT INTO t (v) VALUES ('the last one')")
    db.execute("BEGIN")
    db.execute("PRAGMA cache_size = 5")
    db.execute("INSERT INTO t (v) SELECT hex(randomblob(100)) FROM t, t AS u")
    os._exit(1)
"""


def make_source(path: Path) -> None:
    make_database(path, rows=60, wal=True).close()
    run_python(CRASH, path)
    assert path.with_name(path.name + "-wal").stat().st_size > 100_000
