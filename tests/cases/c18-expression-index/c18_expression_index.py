"""Two logins that differ by case alone."""

from __future__ import annotations

import psycopg
import pytest


def use(url: str) -> None:
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.UniqueViolation, match="person_login"):
        connection.execute("INSERT INTO person (login) VALUES ('BOB')")
