"""What PostgreSQL makes of sample values, without touching any table.

Layer 2. For `liteferry.proof.probe`, which asks SQLite the same.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, TypeAlias

from liteferry.errors import MigrationError
from liteferry.names import NameSpace, quote_name
from liteferry.target.reporting import reporting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from liteferry.target.session import Target

Answer: TypeAlias = "tuple[str, bytes | None]"
"""The SQLSTATE of an error, "" for none; and the value's text."""

_TOGETHER_MS: Final = 10_000  # for one expression; 500 rows take 5


class SampleServer:
    """Computes expressions over sample values. Made by `begin_samples`."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Hold a connection that can only read."""
        self._connection = connection

    def evaluate(
        self, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str | None]], expression_sql: str
    ) -> list[Answer]:
        """What an expression comes to in each row. columns: names and types; rows: the values' texts.

        Raises: MigrationError when the server cannot be asked.
        """
        with reporting("comparing translations"):
            return _evaluate(self._connection, _make_sql(columns, expression_sql), list(rows), len(columns))


@contextlib.contextmanager
def begin_samples(target: Target) -> Iterator[SampleServer]:
    """Lend a connection for sample values: one trip to the server an expression, each for a limited time.

    Nothing can be written on it, and it is closed in the end, so that none of its settings lives on.
    """
    with target.lend_connection() as connection:
        try:
            with reporting("comparing translations"):
                connection.execute(
                    "SELECT pg_catalog.set_config('statement_timeout', %s, false),"
                    " pg_catalog.set_config('default_transaction_read_only', 'on', false)",
                    (str(_TOGETHER_MS),),
                )
            yield SampleServer(connection)
        finally:
            connection.close()


def _make_sql(columns: Sequence[tuple[str, str]], expression_sql: str) -> bytes:
    names = NameSpace(name for name, _ in columns)
    number = quote_name(names.claim("number"))
    typed = [f"s.c{at}::{pg_type} AS {quote_name(name)}" for at, (name, pg_type) in enumerate(columns)]
    arrays = ", ".join(f"${at + 1}::text[]" for at in range(max(len(columns), 1)))
    aliases = ", ".join(f"c{at}" for at in range(max(len(columns), 1)))
    rows_sql = (
        f"SELECT {', '.join([*typed, f'n AS {number}'])} FROM unnest({arrays}) WITH ORDINALITY AS s({aliases}, n)"
    )
    return f"SELECT ({expression_sql}\n) FROM ({rows_sql}) AS q ORDER BY {number}".encode()


def _evaluate(connection: psycopg.Connection, sql: bytes, rows: list[Sequence[str | None]], width: int) -> list[Answer]:
    """Ask for all rows at once; where one is an error, for each half apart."""
    import psycopg

    if not rows:
        return []
    arrays = [[row[at] for row in rows] for at in range(width)] or [[None] * len(rows)]
    try:
        with psycopg.RawCursor(connection) as cursor:
            cursor.execute(sql, arrays)
            result = cursor.pgresult
            if result is None or result.ntuples != len(rows):
                raise MigrationError("the server gave another number of rows than it was asked for", code="step-failed")
            return [("", result.get_value(at, 0)) for at in range(len(rows))]
    except psycopg.Error as error:
        state = error.sqlstate or ""
        if not state or state.startswith(("08", "57P", "53")):
            raise
        if len(rows) == 1 or not state.startswith("22"):  # every row fails alike
            return [(state, None)] * len(rows)
        half = len(rows) // 2
        return _evaluate(connection, sql, rows[:half], width) + _evaluate(connection, sql, rows[half:], width)
