"""The sequences of another schema, one of them by the name that the table's own has."""

from __future__ import annotations

import psycopg


def use(url: str) -> None:
    with psycopg.connect(url) as connection:
        numbers = connection.execute("SELECT last_value, is_called FROM other.numbers").fetchone()
        assert numbers == (4205, True)
        assert connection.execute("SELECT last_value FROM other.item_id_seq").fetchone() == (2,)
        assert connection.execute("INSERT INTO item (v) VALUES ('next') RETURNING id").fetchone() == (5,)
