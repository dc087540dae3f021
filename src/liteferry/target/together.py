"""Many statements in one round trip: a server far away is asked once, not once a statement.

Layer 2. Used within `target`. Three ways, for three needs: reading (`ask_together`), changing, in one transaction
(`run_together`), and trying, where one statement's error must not stop the others (`try_together`).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn, PGresult

Statement: TypeAlias = "tuple[bytes, Sequence[bytes | None] | None]"
"""SQL with ``$1``, ``$2`` …, and the texts that stand for them; None where there are none."""

QUESTIONS_TOGETHER: Final = 200
"""What is asked in one round trip is one transaction: it holds a lock on everything that was looked at until its end,
and a server has some thousands for all sessions."""
_IN_TRANSACTION: Final = 2  # libpq's numbers, so that psycopg need not be imported for them
_IN_ERROR: Final = 3
_SAVEPOINT: Final = (
    "SAVEPOINT liteferry_together",
    "RELEASE SAVEPOINT liteferry_together",
    "ROLLBACK TO SAVEPOINT liteferry_together; RELEASE SAVEPOINT liteferry_together",
)
_TRANSACTION: Final = ("BEGIN", "COMMIT", "ROLLBACK")


def ask_together(
    connection: psycopg.Connection,
    questions: Sequence[tuple[str, Mapping[str, object]]],
    *,
    at_once: int = QUESTIONS_TOGETHER,
) -> list[list[Any]]:
    """Ask questions, each one statement, so many in a round trip; the rows that each gave. Raises: psycopg.Error."""
    answers = []
    for start in range(0, len(questions), at_once):
        with connection.pipeline():
            asked = questions[start : start + at_once]
            cursors = [connection.execute(sql.encode(), arguments or None) for sql, arguments in asked]
        answers += [cursor.fetchall() for cursor in cursors]
    return answers


def run_together(connection: psycopg.Connection, statements: Sequence[str], *, commit_apart: bool = False) -> None:
    """Run statements in one transaction and one round trip, or behind a savepoint of the one that is open.

    They are one message, which PostgreSQL reads as a whole before it runs any. commit_apart: the commit is asked for
    when all else is done; until then, whatever breaks, nothing was committed.

    Raises: psycopg.Error, all taken back.
    """
    inside = connection.info.transaction_status == _IN_TRANSACTION
    opening, closing, taking_back = _SAVEPOINT if inside else _TRANSACTION
    try:
        last = () if commit_apart else (closing,)
        connection.execute("\n;\n".join((opening, *statements, *last)).encode())  # one may end in a comment
        if commit_apart:
            connection.execute(closing.encode())
    except BaseException:
        take_back(connection, taking_back)
        raise


def take_back(connection: psycopg.Connection, sql: str = "ROLLBACK") -> None:
    """Leave a transaction, or a savepoint, that did not come to its end."""
    import psycopg

    if connection.info.transaction_status in {_IN_TRANSACTION, _IN_ERROR}:
        with contextlib.suppress(psycopg.Error):  # what went wrong is being told already
            connection.execute(sql.encode())


def try_together(
    connection: psycopg.Connection, groups: Sequence[Sequence[Statement]]
) -> list[list[PGresult | psycopg.Error]]:
    """Run groups of statements in one round trip; what came of each statement, its result or its error.

    An error skips the rest of its group, which is missing in the answer, and no other group. Outside a transaction each
    group is one; within one an error spoils all that follows until a ROLLBACK, in a group of its own.

    Raises: psycopg.Error when the connection breaks; the other errors are in the answer.
    """
    pgconn = connection.pgconn
    with connection.lock:
        pgconn.enter_pipeline_mode()
        try:
            for group in groups:
                for sql, values in group:
                    pgconn.send_query_params(sql, values)
                pgconn.pipeline_sync()
            return connection.wait(_gather(pgconn, len(groups)))
        finally:
            import psycopg

            with contextlib.suppress(psycopg.Error):  # the connection broke: nobody uses it again
                pgconn.exit_pipeline_mode()


def copy_together(connection: psycopg.Connection, selects: Sequence[str], *, most_bytes: int) -> list[bytes | None]:
    """Give what each ``COPY (select) TO STDOUT`` says, asked for in one message; None where there is too much of it.

    most_bytes: of all together; what is beyond is read and dropped. Raises: psycopg.Error, which spoils them all.
    """
    pgconn = connection.pgconn
    with connection.lock:
        pgconn.send_query(";".join(f"COPY ({sql}\n) TO STDOUT" for sql in selects).encode())
        return connection.wait(_gather_copies(pgconn, most_bytes))


def _gather_copies(pgconn: PGconn, most_bytes: int) -> PQGen[list[bytes | None]]:
    import psycopg
    from psycopg.pq import ExecStatus
    from psycopg.waiting import Ready, Wait

    copies: list[bytes | None] = []
    error: psycopg.Error | None = None
    while pgconn.flush():
        if (yield Wait.RW) & Ready.R:
            pgconn.consume_input()
    left = most_bytes
    while True:
        while pgconn.is_busy():
            if (yield Wait.R):
                pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            break
        if result.status == ExecStatus.FATAL_ERROR:
            error = error or psycopg.errors.error_from_result(result)
        elif result.status == ExecStatus.COPY_OUT:
            pieces: list[bytes] = []
            while True:
                size, piece = pgconn.get_copy_data(1)
                if size < 0:
                    break
                if size == 0:
                    if (yield Wait.R):
                        pgconn.consume_input()
                    continue
                left -= size
                if left >= 0:
                    pieces.append(bytes(piece))
            copies.append(b"".join(pieces) if left >= 0 else None)
    if error is not None:
        raise error
    return copies


def _gather(pgconn: PGconn, groups: int) -> PQGen[list[list[PGresult | psycopg.Error]]]:
    """Send what is waiting and read the answers, both at once: neither side may wait for the other for ever."""
    import psycopg
    from psycopg.pq import ExecStatus
    from psycopg.waiting import Ready, Wait

    answers: list[list[PGresult | psycopg.Error]] = [[] for _ in range(groups)]
    done, unsent = 0, True
    while done < groups:
        ready = yield Wait.RW if unsent else Wait.R
        if not ready:
            continue
        if ready & Ready.W:
            unsent = pgconn.flush() == 1
        if not ready & Ready.R:
            continue
        pgconn.consume_input()
        while done < groups and not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                if pgconn.status != psycopg.pq.ConnStatus.OK:
                    raise psycopg.OperationalError("the connection is lost")
            elif result.status == ExecStatus.PIPELINE_SYNC:
                done += 1
            elif result.status == ExecStatus.FATAL_ERROR:
                answers[done].append(psycopg.errors.error_from_result(result))
                if pgconn.status != psycopg.pq.ConnStatus.OK:
                    raise psycopg.errors.error_from_result(result)
            elif result.status != ExecStatus.PIPELINE_ABORTED:
                answers[done].append(result)
    return answers
