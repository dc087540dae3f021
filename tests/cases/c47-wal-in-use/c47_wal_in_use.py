"""Rows that stand in the write-ahead log alone; an application has the file open, in the middle of a transaction."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness import Application
from live_files import make_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from case_directory import World


def make_source(path: Path) -> None:
    make_database(path, rows=0, wal=True).close()


@contextmanager
def prepare(world: World) -> Iterator[World]:
    with Application(world.source) as application:
        application.execute("PRAGMA wal_autocheckpoint = 0")
        application.execute("INSERT INTO t (v) VALUES ('in the log'), ('in the log, too')")
        application.execute("BEGIN")
        application.execute("INSERT INTO t (v) VALUES ('not committed')")
        yield world
        assert application.execute("SELECT count(*) FROM t") == "[(3,)]"
