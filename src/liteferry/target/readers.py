"""Reading rows back from the target, for the proof.

Layer 2. Used through `target` only.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Self

from liteferry.errors import MigrationError, TooSlow
from liteferry.names import quote_qualified
from liteferry.target.gathering import copy_blocks
from liteferry.target.reporting import reporting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from liteferry.target.session import Target


class SnapshotReader:
    """Reads the target at one moment, from several threads: every reader sees the same snapshot.

    A context manager; the snapshot lives as long as it is open.
    """

    def __init__(self, target: Target) -> None:
        """Wait for `__enter__`."""
        self._target = target
        self._stack = contextlib.ExitStack()
        self._snapshot = ""

    def __enter__(self) -> Self:
        """Open the exporting transaction."""
        connection = self._stack.enter_context(self._target.lend_connection())
        with reporting("taking a snapshot of the target"):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._stack.callback(end_transaction, connection)
            row = connection.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
        self._snapshot = str(row[0]) if row else ""
        return self

    def __exit__(self, *exc: object) -> None:
        """End it."""
        self._stack.close()

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        """Give the blocks of ``COPY (select_sql) TO STDOUT`` in text format, cut at row ends.

        Settings as in every session here: UTC, ISO dates, shortest exact floats, hex bytea, UTF-8.
        """
        with self._target.lend_connection() as connection, reporting("reading rows back"):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                self._take_snapshot(connection)
                yield from copy_blocks(connection, f"COPY ({select_sql}) TO STDOUT")
            finally:
                end_transaction(connection)

    def answer(self, select_sql: str, /, *, within_s: float) -> Iterator[bytes]:
        """As `copy_out`, for what the source's own SQL asks: it may be slow, or never end. Raises: TooSlow."""
        import psycopg

        with self._target.lend_connection() as connection, reporting("asking for its rows"):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            began = time.monotonic()
            try:
                self._take_snapshot(connection)
                connection.execute(f"SET LOCAL statement_timeout = {max(1, int(within_s * 1000))}".encode())
                yield from copy_blocks(connection, f"COPY ({select_sql}) TO STDOUT")
            except psycopg.errors.QueryCanceled as error:
                if time.monotonic() - began < within_s:
                    raise
                raise TooSlow(within_s) from error
            finally:
                end_transaction(connection)

    def _take_snapshot(self, connection: psycopg.Connection) -> None:
        import psycopg

        try:
            connection.execute(f"SET TRANSACTION SNAPSHOT '{self._snapshot}'".encode())
        except (psycopg.errors.UndefinedObject, psycopg.errors.InvalidParameterValue) as error:
            raise MigrationError(
                "the session that held the snapshot for the proof was ended",
                code="connection-lost",
                hint="look at the server's log, then run again",
            ) from error


class TransactionReader:
    """Reads rows on a connection whose transaction somebody else began and will end."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Hold the connection."""
        self._connection = connection

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        """As `SnapshotReader.copy_out`."""
        with reporting("reading rows back"):
            yield from copy_blocks(self._connection, f"COPY ({select_sql}) TO STDOUT")

    def count_rows_of_others(self, schema: str, table: str, version: str | None) -> int:
        """Count the rows that another transaction wrote. version: as `Target.read_row_versions` gives it; None: none.

        An UPDATE writes the row anew, whatever it changes.
        """
        sql = f"SELECT count(*) FROM ONLY {quote_qualified(schema, table)} WHERE xmin::text IS DISTINCT FROM %s"
        with reporting("looking at the rows' transactions"):
            row = self._connection.execute(sql.encode(), (version,)).fetchone()
        return int(row[0]) if row else 0


def end_transaction(connection: psycopg.Connection) -> None:
    """End a transaction that only read. Raises nothing: where the connection broke, something said so already."""
    import psycopg

    if connection.closed:
        return
    if connection.info.transaction_status == 1:  # a COPY was left half read: the connection is of no use any more
        connection.close()
        return
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()
