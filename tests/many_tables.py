"""Databases with a great many tables, or columns."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_many_tables(path: Path, tables: int, *, columns: int = 3, rows: int = 1) -> Path:
    """Make a SQLite file of so many tables, each with a key, an index, and a foreign key to the one before it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN")
        for number in range(tables):
            name = f"table_{number:05d}"
            others = "".join(f", c{column} INTEGER" for column in range(columns - 3))
            db.execute(
                f"CREATE TABLE {name} (id INTEGER PRIMARY KEY AUTOINCREMENT, word VARCHAR(20) NOT NULL,"
                f" other_id INTEGER REFERENCES table_{max(0, number - 1):05d} (id){others})"
            )
            db.execute(f"CREATE INDEX {name}_word ON {name} (word)")
            db.executemany(f"INSERT INTO {name} (word, other_id) VALUES (?, 1)", [(f"w{i}",) for i in range(rows)])
        db.execute("COMMIT")
    return path
