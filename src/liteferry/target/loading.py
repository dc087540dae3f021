"""Transactions of the load: few round trips, and none that waits for the disk.

Layer 2. Used through `target`. What is loaded is in a staging schema that nobody else sees, and the publication comes
after it: its commit does wait, and the server's log is one sequence. When that commit is on disk, so is every one
before it; until then, whatever is lost with the server is in a schema that is removed anyway.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from liteferry.target.readers import end_transaction
from liteferry.target.reporting import reporting
from liteferry.target.together import run_together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg
    from psycopg.rows import TupleRow

_NOT_WAITING: Final = "SET LOCAL synchronous_commit = off"
_NUMBER: Final = "SELECT pg_catalog.pg_current_xact_id()::xid::text"
_SORT_MEMORY: Final = (
    "SELECT pg_catalog.set_config('maintenance_work_mem', greatest("
    "pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')), least("
    "pg_catalog.pg_size_bytes('256MB'),"
    " pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) / {share}"
    ")) / 1024 || 'kB', true)"
)
"""Memory to sort an index's entries in, of a session: never less than the server gives, never more than 256 MB, and of
all sessions together no more than a quarter of what it was given for its buffers. Sorting two million integers in 256
MB takes 0.85 of the time that it takes in 64 MB; beyond, nothing is gained."""


class LoadTransaction:
    """A transaction under way. ``number``: by which the rows that it writes can be told, where it was asked for."""

    def __init__(self, connection: psycopg.Connection, number: str) -> None:
        """Made by `begin_load`."""
        self._connection = connection
        self.number = number
        self.committed = False

    def commit(self, statements: Sequence[str] = (), *, step_id: str = "") -> None:
        """Run the last statements and commit, in one round trip. Raises: MigrationError (step-failed …)."""
        with reporting("running a statement of the plan", step_id=step_id):
            _execute_together(self._connection, [*statements, "COMMIT"])
        self.committed = True


@contextlib.contextmanager
def begin_load(
    connection: psycopg.Connection,
    statements: Sequence[str] = (),
    *,
    step_id: str = "",
    numbered: bool = False,
) -> Iterator[LoadTransaction]:
    """Open a transaction and run statements in it, in one round trip. It is rolled back unless it is committed.

    numbered: ask for the transaction's number.

    Raises: MigrationError (step-failed …).
    """
    opening = ["BEGIN", _NOT_WAITING, *([_NUMBER] if numbered else [])]
    try:
        with reporting("running a statement of the plan", step_id=step_id):
            answers = _execute_together(connection, [*opening, *statements])
            number = _read_answer(answers, opening.index(_NUMBER)) if numbered else ""
        load = LoadTransaction(connection, number)
        yield load
    finally:
        if not connection.closed and connection.info.transaction_status != 0:
            end_transaction(connection)


def run_load(
    connection: psycopg.Connection, statements: Sequence[str], *, step_id: str = "", sessions: int = 0
) -> None:
    """Run statements in a transaction of their own, all in one round trip.

    sessions: how many may sort at once, each then with memory for it; 0 where nothing is sorted.

    Raises: MigrationError (step-failed …).
    """
    memory = [_SORT_MEMORY.format(share=4 * sessions)] if sessions else []
    with reporting("running a statement of the plan", step_id=step_id):
        run_together(connection, [_NOT_WAITING, *memory, *statements])


def _execute_together(connection: psycopg.Connection, statements: Sequence[str]) -> psycopg.Cursor[TupleRow]:
    """Run statements in one round trip; the cursor stands at the first one's answer."""
    return connection.execute("\n;\n".join(statements).encode())  # one may end in a comment


def _read_answer(answers: psycopg.Cursor[TupleRow], position: int) -> str:
    """The one value that the statement at this position gave."""
    for _ in range(position):
        answers.nextset()
    row = answers.fetchone()
    return str(row[0]) if row else ""
