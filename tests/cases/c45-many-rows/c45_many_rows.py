"""More rows than a batch holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PEAK_MB = 250


def make_source(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, at DATETIME, n INTEGER, x REAL, note TEXT)")
        rows = (
            (f"2024-01-01 00:{i // 60 % 60:02d}:{i % 60:02d}", i * i, i / 7, f"note {i % 1000}") for i in range(120_000)
        )
        db.executemany("INSERT INTO entry (at, n, x, note) VALUES (?, ?, ?, ?)", rows)
        db.commit()
