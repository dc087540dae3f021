"""An application was killed in the middle of a write: SQLite would roll it back, and so write to the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_files import make_database, run_python

if TYPE_CHECKING:
    from pathlib import Path

CRASH = """
    import os, sqlite3, sys
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    db.execute("PRAGMA cache_size = 5")
    db.execute("BEGIN")
    db.execute("UPDATE t SET v = hex(randomblob(60))")
    os._exit(1)
"""


def make_source(path: Path) -> None:
    make_database(path, rows=5000).close()
    run_python(CRASH, path)
    assert path.with_name(path.name + "-journal").stat().st_size > 0
