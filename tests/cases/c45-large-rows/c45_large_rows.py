"""Two rows of 24 MB in one table."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PEAK_MB = 500


def make_source(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE film (id INTEGER PRIMARY KEY, data BLOB, words TEXT)")
        for size in (16_000_000, 8_000_000, 0, 1):
            values = (bytes(range(250)) * (size // 250), "größe " * (size // 12))
            db.execute("INSERT INTO film (data, words) VALUES (?, ?)", values)
        db.commit()
