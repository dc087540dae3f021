"""Reading rows back from the target, for the proof.

Layer 2. Used through `target` only.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from liteferry.errors import ExitStatus, MigrationError, TooSlow
from liteferry.names import quote_qualified
from liteferry.target.ahead import AHEAD_BYTES, QUERIES_TOGETHER, ReadAhead
from liteferry.target.gathering import copy_blocks
from liteferry.target.reporting import reporting
from liteferry.target.together import copy_together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from liteferry.target.session import Target


@dataclass(slots=True)
class _Seat:
    """A connection in a transaction that sees the snapshot. ``within_s``: its statements' time, 0 for any."""

    connection: psycopg.Connection
    lending: contextlib.ExitStack
    within_s: float
    used: int = 0
    thread: int = 0  # who sits there


class SnapshotReader:
    """Reads the target at one moment, from several threads: every reader sees the same snapshot.

    A context manager; the snapshot lives as long as it is open. Connections and their transactions are kept for the
    next query.
    """

    def __init__(self, target: Target) -> None:
        """Wait for `__enter__`."""
        self._target = target
        self._stack = contextlib.ExitStack()
        self._snapshot = ""
        self._free: list[_Seat] = []
        self._taken: list[_Seat] = []
        self._guard = threading.Condition()
        self._closed = False
        self._ahead = ReadAhead(self._read_ahead)

    def __enter__(self) -> Self:
        """Open the exporting transaction."""
        connection = self._stack.enter_context(self._target.lend_connection())
        with reporting("taking a snapshot of the target"):
            self._stack.callback(end_transaction, connection)
            cursor = connection.execute(f"{_BEGIN}; SELECT pg_catalog.pg_export_snapshot()".encode())
            cursor.nextset()
            row = cursor.fetchone()
        self._snapshot = str(row[0]) if row else ""
        return self

    def __exit__(self, *exc: object) -> None:
        """End it, and every reader's transaction.

        A thread may still be reading that nobody knows of: Ctrl-C came while it was being started. It is cancelled.
        """
        with self._guard:
            self._closed = True
            free, self._free = self._free, []
        try:
            if self._taken:
                self._target.cancel_all()
            for seat in free:
                _leave(seat)
        finally:
            self._stack.close()

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        """Give the blocks of ``COPY (select_sql) TO STDOUT`` in text format, cut at row ends.

        Settings as in every session here: UTC, ISO dates, shortest exact floats, hex bytea, UTF-8.
        """
        if (found := self._ahead.take(select_sql)) is not None:
            if found:
                yield found
            return
        with reporting("reading rows back"), self._sit_down(0) as connection:
            yield from copy_blocks(connection, f"COPY ({select_sql}) TO STDOUT")

    def expect(self, selects: Sequence[str], *, within_s: float = 0) -> None:
        """Say what `copy_out`, or with a time `answer`, is going to be asked for: small things, about in this order.

        They are read many at once. What was expected before is not any more.
        """
        self._ahead.expect(selects, within_s)

    def _read_ahead(self, selects: Sequence[str], within_s: float) -> list[bytes | None]:
        """Read queries; none where one of them is refused, or takes too long: it is asked again, by itself."""
        try:
            with reporting("reading rows back"), self._sit_down(within_s, weight=len(selects)) as connection:
                return copy_together(connection, selects, most_bytes=AHEAD_BYTES)
        except MigrationError as error:
            if error.code == "step-failed" or (within_s and error.code == "interrupted"):
                return [None] * len(selects)
            raise

    def answer(self, select_sql: str, /, *, within_s: float) -> Iterator[bytes]:
        """As `copy_out`, for what the source's own SQL asks: it may be slow, or never end. Raises: TooSlow."""
        import psycopg

        if (found := self._ahead.take(select_sql, within_s)) is not None:
            if found:
                yield found
            return
        with reporting("asking for its rows"):
            began = time.monotonic()
            try:
                with self._sit_down(max(0.001, within_s)) as connection:
                    yield from copy_blocks(connection, f"COPY ({select_sql}) TO STDOUT")
            except psycopg.errors.QueryCanceled as error:
                if time.monotonic() - began < within_s:
                    raise
                raise TooSlow(within_s) from error

    @contextlib.contextmanager
    def _sit_down(self, within_s: float, *, weight: int = 1) -> Iterator[psycopg.Connection]:
        """Lend a connection whose transaction sees the snapshot, and whose statements may take so long; 0 for any.

        weight: how many queries it is for.
        """
        with self._guard:
            seat = self._take_free(within_s)
        if seat is None:
            seat = self._make_seat(within_s)
        done = False
        try:
            self._prepare(seat, within_s, weight)
            yield seat.connection
            done = True
        finally:
            with self._guard:
                kept = done and not self._closed
                if kept:
                    self._taken.remove(seat)
                    self._free.append(seat)
                    self._guard.notify_all()
            if not kept:
                _leave(seat)
                with self._guard:
                    self._taken.remove(seat)
                    self._guard.notify_all()

    def _take_free(self, within_s: float) -> _Seat | None:
        """Take a seat that nobody sits on, one that is prepared where there is one. The caller holds the guard."""
        suited = [seat for seat in self._free if seat.within_s == within_s] or self._free
        if not suited:
            return None
        seat = suited[0]
        self._free.remove(seat)
        seat.thread = threading.get_ident()
        self._taken.append(seat)
        return seat

    def _make_seat(self, within_s: float) -> _Seat:
        """Take a further connection; where the server has no more of them, wait for a seat that another thread has.

        A thread that sits on one already does not wait: two of that sort would wait for each other.
        """
        lending, own = contextlib.ExitStack(), threading.get_ident()
        if self._closed:
            raise MigrationError("the run reads no more", code="interrupted", exit_status=ExitStatus.INTERRUPTED)
        try:
            made = _Seat(lending.enter_context(self._target.lend_connection()), lending, within_s, thread=own)
        except MigrationError as error:
            with self._guard:
                while error.code == "server-not-ready":
                    if (seat := self._take_free(within_s)) is not None:
                        return seat
                    if not self._taken or any(seat.thread == own for seat in self._taken):
                        break
                    self._guard.wait()
            raise
        with self._guard:
            self._taken.append(made)
        return made

    def _prepare(self, seat: _Seat, within_s: float, weight: int) -> None:
        """See to the transaction, and to its statements' time: one round trip, and mostly none."""
        import psycopg

        words = [f"SET LOCAL statement_timeout = {int(within_s * 1000)}"]
        if not 0 < seat.used < QUERIES_TOGETHER:
            words = ["ROLLBACK"] * bool(seat.used) + [
                _BEGIN,
                f"SET TRANSACTION SNAPSHOT '{self._snapshot}'",
                BY_INDEX,
                *words,
            ]
            seat.used = 0
        elif seat.within_s == within_s:
            words = []
        try:
            if words:
                seat.connection.execute(";".join(words).encode())
        except (psycopg.errors.UndefinedObject, psycopg.errors.InvalidParameterValue) as error:
            raise MigrationError(
                "the session that held the snapshot for the proof was ended",
                code="connection-lost",
                hint="look at the server's log, then run again",
            ) from error
        seat.within_s = within_s
        seat.used += weight


_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
BY_INDEX: Final = "SET LOCAL enable_bitmapscan = off"
"""A range of a key is read in the key's order, without a sort of what a bitmap gives in the order of the pages: that
would be the server's choice for a table that it has not analyzed yet."""


def _leave(seat: _Seat) -> None:
    """End the transaction and give the connection back."""
    with seat.lending:
        end_transaction(seat.connection)


class TransactionReader:
    """Reads rows on a connection whose transaction somebody else began and will end."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Hold the connection."""
        self._connection = connection
        self._ahead = ReadAhead(self._read_ahead)

    def expect(self, selects: Sequence[str]) -> None:
        """As `SnapshotReader.expect`; but an error in one of them spoils the transaction."""
        self._ahead.expect(selects)

    def _read_ahead(self, selects: Sequence[str], _: float) -> list[bytes | None]:
        with reporting("reading rows back"):
            return copy_together(self._connection, selects, most_bytes=AHEAD_BYTES)

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        """As `SnapshotReader.copy_out`."""
        if (found := self._ahead.take(select_sql)) is not None:
            if found:
                yield found
            return
        with reporting("reading rows back"):
            yield from copy_blocks(self._connection, f"COPY ({select_sql}) TO STDOUT")

    def count_rows_of_others(self, schema: str, table: str, version: str | None) -> int:
        """Count the rows that other transactions wrote. version: as `Target.read_row_versions` gives it; None: none.

        An UPDATE writes the row anew, whatever it changes.
        """
        others = "(xmin::text = ANY (string_to_array(%s, ' '))) IS NOT TRUE"
        sql = f"SELECT count(*) FROM ONLY {quote_qualified(schema, table)} WHERE {others}"
        with reporting("looking at the rows' transactions"):
            row = self._connection.execute(sql.encode(), (version,)).fetchone()
        return int(row[0]) if row else 0


@contextlib.contextmanager
def read_at_one_moment(connection: psycopg.Connection) -> Iterator[TransactionReader]:
    """Read in a transaction that sees one moment, on a connection without one. Raises: MigrationError."""
    try:
        with reporting("a transaction"):
            connection.execute(_BEGIN)
        yield TransactionReader(connection)
    finally:
        end_transaction(connection)


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
