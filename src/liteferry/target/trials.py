"""Trying out what the target refuses, in a transaction that never commits.

Layer 2. Used through `target` only.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liteferry.target.readers import end_transaction
from liteferry.target.reporting import reporting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from liteferry.target.session import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a statement: its rows, or the SQLSTATE it failed with and the constraint that it names."""

    rows: tuple[tuple[object, ...], ...] = ()
    sqlstate: str = ""
    constraint: str = ""


class Trial:
    """A transaction that is rolled back at the end, in which a statement that fails leaves the others as they are."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Hold a connection in a transaction."""
        self._connection = connection

    def run(self, sql: str) -> tuple[tuple[object, ...], ...]:
        """Run a statement that has to work; its rows, if it gives any. Raises: MigrationError."""
        with reporting("trying out a key"):
            cursor = self._connection.execute(sql.encode())
            return tuple(cursor.fetchall()) if cursor.description else ()

    def attempt(self, sql: str) -> Outcome:
        """Run a statement that may fail on the rows that it makes. Raises: MigrationError for any other reason."""
        import psycopg

        with reporting("trying out a key"):
            try:
                with self._connection.transaction():
                    cursor = self._connection.execute(sql.encode())
                    return Outcome(rows=tuple(cursor.fetchall()) if cursor.description else ())
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                return Outcome(sqlstate=error.sqlstate or "", constraint=error.diag.constraint_name or "")


@contextlib.contextmanager
def begin_trial(target: Target) -> Iterator[Trial]:
    """Open such a transaction on a connection of its own."""
    with target.lend_connection() as connection, reporting("trying out a key"):
        connection.execute("BEGIN")
        try:
            yield Trial(connection)
        finally:
            end_transaction(connection)
