"""The databases that are moved in the measurements: made here, the same every time."""

from __future__ import annotations

import datetime as dt
import json
import random
import sqlite3
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = ("login", "logout", "purchase", "refund", "view", "search")


def write_wide(path: Path, rows: int) -> None:
    """One table of eleven columns of ten types, with two indexes."""
    random.seed(1)
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)

    def generate() -> Iterator[tuple[object, ...]]:
        for i in range(1, rows + 1):
            moment = start + dt.timedelta(seconds=i * 7, microseconds=i * 7919 % 1_000_000)
            yield (
                i,
                random.randrange(1, 100_000),
                random.choice(KINDS),
                i % 2,
                round(random.random() * 1000, 2),
                random.random() if i % 7 else None,
                f"{moment:%Y-%m-%d %H:%M:%S.%f}",
                f"{moment:%Y-%m-%d}",
                f'{{"a": {i}, "b": "x{i % 100}", "c": [1, 2, 3]}}',
                None if i % 3 else f'a note with\ttab, "quotes", \\ backslash and é, {i}',
                uuid.UUID(int=random.getrandbits(128)).hex,
            )

    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE event (id integer PRIMARY KEY AUTOINCREMENT, user_id bigint NOT NULL, kind varchar(32) NOT NULL,"
        " ok bool NOT NULL, amount decimal NOT NULL, score real, created_at datetime NOT NULL, day date NOT NULL,"
        " payload text NOT NULL CHECK (json_valid(payload)), note text, uid char(32) NOT NULL)"
    )
    connection.executemany("INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?,?,?)", generate())
    connection.execute("CREATE INDEX event_user ON event (user_id)")
    connection.execute("CREATE INDEX event_created ON event (created_at)")
    connection.commit()
    connection.close()


def write_many(path: Path, tables: int) -> None:
    """Many tables of an application: most of them small, five with GeoJSON; foreign keys and indexes throughout."""
    random.seed(2)
    connection = sqlite3.connect(path)
    for number in range(tables):
        parents = random.sample(range(number), min(number, 2))
        columns = [
            "id integer NOT NULL PRIMARY KEY AUTOINCREMENT",
            "name varchar(255) NOT NULL",
            "slug varchar(100) NOT NULL",
            "created_at datetime NOT NULL",
            "is_active bool NOT NULL",
            "data text NOT NULL CHECK (json_valid(data) OR data IS NULL)",
            *(
                f"parent{parent}_id bigint NULL REFERENCES t{parent} (id) DEFERRABLE INITIALLY DEFERRED"
                for parent in parents
            ),
        ]
        connection.execute(f"CREATE TABLE t{number} ({', '.join(columns)})")
        for column in ("slug", "created_at", *(f"parent{parent}_id" for parent in parents)):
            connection.execute(f"CREATE INDEX t{number}_{column} ON t{number} ({column})")
        shape = json.dumps(
            {"type": "Polygon", "coordinates": [[[random.random(), random.random()] for _ in range(70)]]}
        )
        rows = 6500 if number < 5 else 36
        connection.executemany(
            f"INSERT INTO t{number} (name, slug, created_at, is_active, data)"
            " VALUES (?, ?, '2025-10-09 16:21:00', 1, ?)",
            ((f"n{row}", f"s{row}", shape if number < 5 else "{}") for row in range(rows)),
        )
    connection.commit()
    connection.close()
