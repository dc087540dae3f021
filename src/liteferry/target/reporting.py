"""The server's errors in our words.

Layer 2. Used by `target` and by those that work on its connections.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from liteferry.errors import ExitStatus, MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCKS_HINT: Final = (
    "every table and index takes a place in the server's table of locks, which is full: raise "
    "max_locks_per_transaction (64 by default) and restart the server; nothing was changed"
)
_LIMIT_HINT: Final = (
    "this is a limit of PostgreSQL's: leave the table behind with --exclude, or drop the index on a copy of the source"
)


@contextlib.contextmanager
def reporting(doing: str, *, step_id: str = "") -> Iterator[None]:
    """Turn the server's errors into `MigrationError` with the sqlstate's code.

    The server's DETAIL and CONTEXT can show values of rows, so that only the primary message is passed on.
    """
    import psycopg

    place = f" in step {step_id}" if step_id else ""
    try:
        yield
    except psycopg.errors.QueryCanceled as error:  # by an administrator, or by a timeout that somebody set: it says so
        reason = f": {error.diag.message_primary}" if error.diag.message_primary else ""
        raise MigrationError(
            f"{doing} was cancelled by the server{place}{reason}",
            code="interrupted",
            step_id=step_id,
            exit_status=ExitStatus.INTERRUPTED,
        ) from error
    except psycopg.Error as error:
        state = error.sqlstate or ""
        message = error.diag.message_primary or str(error).splitlines()[0]
        hint = error.diag.message_hint or ""
        if state == "53100":
            code, hint = "disk-full", "make room on the server's disk, then run again"
        elif state.startswith(("08", "57P")) or not state:
            code, hint = "connection-lost", "look at the server's log, then run again"
        elif state == "55P03":
            code, hint = "target-busy", "another session holds a lock that is in the way: pg_locks shows it; try later"
        elif state == "42501":
            code, hint = "no-create-right", hint or "ask the database's owner for the right that the message names"
        elif state == "53200":
            code, hint = "server-limits", _LOCKS_HINT
        elif state == "2BP01":  # its detail names the dependent objects, and no value of any row
            code = "step-failed"
            message += f": {'; '.join((error.diag.message_detail or '').splitlines())}"
        elif state.startswith("54"):
            code, hint = "step-failed", hint or _LIMIT_HINT
        else:
            code = "step-failed"
        constraint = f" (constraint {error.diag.constraint_name})" if error.diag.constraint_name else ""
        raise MigrationError(
            f"{doing} failed{place}: {message}{constraint} [{state or 'no SQLSTATE'}]",
            code=code,
            hint=hint,
            table=error.diag.table_name,
            column=error.diag.column_name,
            step_id=step_id,
        ) from error
