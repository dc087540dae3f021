"""The next row, written without an id."""

from __future__ import annotations

import psycopg


def _insert(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"INSERT INTO {table} (v) VALUES ('next') RETURNING id".encode()).fetchone()
    assert row
    return int(row[0])


def use(url: str) -> None:
    with psycopg.connect(url) as connection:
        assert _insert(connection, "auto") == 1
        assert _insert(connection, "plain") == 1
