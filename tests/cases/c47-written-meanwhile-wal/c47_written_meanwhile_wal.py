"""An application goes on writing, into its write-ahead log: each transaction takes all rows away and puts them back.

Whoever reads in the middle of one, or pages of two of them, misses rows or has some twice.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from case_directory import World, change
from live_files import other_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT = """
    import sqlite3, sys, time
    db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
    rows = db.execute("SELECT * FROM entry").fetchall()
    said = False
    while True:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM entry")
        db.executemany("INSERT INTO entry VALUES (?, ?)", rows)
        db.execute("UPDATE beat SET n = n")
        db.execute("COMMIT")
        if not said:
            print("ready", flush=True)
            said = True
        time.sleep(0.05)
"""


def make_source(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, v TEXT)")
        db.execute("CREATE TABLE beat (n INTEGER)")
        db.execute("INSERT INTO beat VALUES (1)")
        db.execute("BEGIN")
        db.executemany("INSERT INTO entry (v) VALUES (?)", ((f"entry {i} " * 5,) for i in range(1500)))
        db.execute("COMMIT")


@contextmanager
def prepare(world: World) -> Iterator[World]:
    with other_process(SCRIPT, world.source) as application:
        yield change(world, is_written=True)
        assert application.poll() is None, "it died"
