"""Rows on their way in: several tables by one message, so that each costs one round trip and not two.

Layer 2. Used within `target`. A COPY is answered twice: at its start, by the server's readiness to read, and at its
end. In a message of several COPYs the end of each and the start of the next are one answer; psycopg's own COPY sends
one at a time. Each is a statement by itself all the same: an error belongs to the one whose rows are being sent, and
statement_timeout, since PostgreSQL 13, is each one's.

Source: PostgreSQL docs, "Message Flow", COPY Operations and Multiple Statements in a Simple Query.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, TypeVar

from liteferry.target.reporting import reporting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import psycopg
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn, PGresult

_Found = TypeVar("_Found")

_UNSENT_BYTES: Final = 1 << 20
"""How much libpq may hold for a server that is slower than we are: its buffer grows with whatever it is given."""
_PIECE_BYTES: Final = 4 << 20
"""So much is given to libpq at once, whose buffer has room for it in any case."""
_BROKEN_OFF: Final = b"broken off by liteferry"
"""What the server is told, and writes into its log: an error of ours can hold the values of a row."""


class Copies:
    """COPYs that were asked for together, each waiting for its rows. Made by `copy_in_together`."""

    def __init__(self, connection: psycopg.Connection, statements: Sequence[str]) -> None:
        """Ask for nothing yet."""
        self._connection = connection
        self._statements = statements
        self._begun = self._ended = 0

    def send(self, chunks: Iterable[bytes], *, step_id: str) -> int:
        """Send the next COPY its data; returns the number of rows that the server took.

        Whatever goes wrong, none of those that follow takes place, and the transaction has failed.

        Raises: MigrationError, the server's; and whatever chunks raises.
        """
        pgconn = self._connection.pgconn
        with reporting("copying rows", step_id=step_id):
            if not self._begun:
                pgconn.send_query(";\n".join(self._statements).encode())
            self._begun += 1
            self._wait(_expect_copy(pgconn))
            unsent = 0
            for chunk in chunks:
                for start in range(0, len(chunk), _PIECE_BYTES):
                    piece = chunk[start : start + _PIECE_BYTES]  # the chunk itself, where it is no more than a piece
                    unsent += len(piece)
                    if pgconn.put_copy_data(piece) == 0:
                        self._wait(_put(pgconn, piece))
                    if unsent >= _UNSENT_BYTES:
                        self._wait(_flush(pgconn))
                        unsent = 0
                    del piece
                del chunk  # a large value is not to be there beside the next one
            taken = self._wait(_finish_copy(pgconn, last=self._begun == len(self._statements)))
            self._ended += 1
            return taken

    def leave(self) -> None:
        """Refuse what was not sent to its end, if anything. Raises nothing: what went wrong is being told already."""
        import psycopg

        if self._begun and self._ended < len(self._statements):
            with contextlib.suppress(psycopg.Error):
                self._wait(_break_off(self._connection.pgconn))

    def _wait(self, work: PQGen[_Found]) -> _Found:
        with self._connection.lock:
            return self._connection.wait(work)


@contextlib.contextmanager
def copy_in_together(connection: psycopg.Connection, statements: Sequence[str]) -> Iterator[Copies]:
    """Begin COPYs from the client, all in one message, in a transaction that the caller began and will end.

    The block sends each its rows, in the same order; where it ends before the last one, the transaction has failed.
    """
    copies = Copies(connection, statements)
    try:
        yield copies
    finally:
        copies.leave()


def _expect_copy(pgconn: PGconn) -> PQGen[None]:
    """Wait until the server is ready for the next COPY's rows."""
    from psycopg.pq import ExecStatus

    yield from _flush(pgconn)
    result = yield from _read_result(pgconn)
    if result.status != ExecStatus.COPY_IN:
        raise _explain(result)


def _finish_copy(pgconn: PGconn, *, last: bool) -> PQGen[int]:
    """End a COPY; how many rows the server took."""
    from psycopg.pq import ExecStatus

    while pgconn.put_copy_end() == 0:
        yield from _flush(pgconn)
    yield from _flush(pgconn)
    result = yield from _read_result(pgconn)
    if result.status != ExecStatus.COMMAND_OK:
        raise _explain(result)
    if last and (more := (yield from _read(pgconn))) is not None:
        raise _explain(more)
    return result.command_tuples or 0


def _break_off(pgconn: PGconn) -> PQGen[None]:
    """Refuse the COPY that is under way, which ends the message, and read what is still to come."""
    from psycopg.pq import ExecStatus

    yield from _flush(pgconn)
    while (result := (yield from _read(pgconn))) is not None:
        if result.status == ExecStatus.COPY_IN:
            while pgconn.put_copy_end(_BROKEN_OFF) == 0:
                yield from _flush(pgconn)
            yield from _flush(pgconn)


def _put(pgconn: PGconn, piece: bytes) -> PQGen[None]:
    """Hand over what libpq had no room for."""
    while pgconn.put_copy_data(piece) == 0:
        yield from _flush(pgconn)


def _flush(pgconn: PGconn) -> PQGen[None]:
    """Send what is waiting, and listen meanwhile: neither side may wait for the other for ever."""
    from psycopg.waiting import Ready, Wait

    while pgconn.flush():
        if (yield Wait.RW) & Ready.R:
            pgconn.consume_input()


def _read_result(pgconn: PGconn) -> PQGen[PGresult]:
    import psycopg

    result = yield from _read(pgconn)
    if result is None:
        raise psycopg.OperationalError("the connection is lost")
    return result


def _read(pgconn: PGconn) -> PQGen[PGresult | None]:
    from psycopg.waiting import Wait

    while pgconn.is_busy():
        if (yield Wait.R):
            pgconn.consume_input()
    return pgconn.get_result()


def _explain(result: PGresult) -> psycopg.Error:
    import psycopg
    from psycopg.pq import ExecStatus

    if result.status == ExecStatus.FATAL_ERROR:
        return psycopg.errors.error_from_result(result)
    return psycopg.InternalError(f"the server answered a COPY with {ExecStatus(result.status).name}")
