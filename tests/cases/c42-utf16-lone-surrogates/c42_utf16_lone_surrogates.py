"""A UTF-16 file whose texts hold halves of a character: SQLite stores them, and gives them out as something else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_source(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA encoding = 'UTF-16le'")
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        texts = ["whole: \N{GRINNING FACE}", "high: \ud83d", "low: \ude00 and on", "turned: \ude00\ud83d"]
        for text in texts:
            db.execute(f"INSERT INTO t (v) VALUES (CAST(x'{text.encode('utf-16-le', 'surrogatepass').hex()}' AS TEXT))")
        db.commit()
