"""The next row, written without an id."""

from __future__ import annotations

import psycopg


def _insert(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"INSERT INTO {table} (v) VALUES ('next') RETURNING id".encode()).fetchone()
    assert row
    return int(row[0])


def use(url: str) -> None:
    with psycopg.connect(url) as connection:
        assert _insert(connection, "auto") == 18
        assert _insert(connection, "below_zero") == 1
