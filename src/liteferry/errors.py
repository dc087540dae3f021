"""Errors and exit statuses.

Layer 0. There is one kind of error for whatever a user can mend, `MigrationError`; it always says what, where, why
and what to do. Anything else that escapes is a bug in liteferry and shows its traceback.
"""

from __future__ import annotations

import errno
from enum import IntEnum
from types import MappingProxyType
from typing import Final


class ExitStatus(IntEnum):
    """What the process's exit status means; the table in the docs is checked against this."""

    PROVEN = 0
    ERROR = 1
    USAGE = 2
    MISMATCH = 3
    BLOCKED = 4
    UNDONE = 5
    INTERRUPTED = 130


EXIT_STATUSES = MappingProxyType(
    {
        ExitStatus.PROVEN: "The command did all that it was asked to; for migrate and verify: every value is proven.",
        ExitStatus.ERROR: "An error before anything was changed; the message says what to do. With --write-env"
        " also: the move is proven and published, but the project could not be switched over.",
        ExitStatus.USAGE: "The command line was wrong.",
        ExitStatus.MISMATCH: "The proof found differences, or was left out with --no-verify.",
        ExitStatus.BLOCKED: "Findings must be decided first; nothing was touched.",
        ExitStatus.UNDONE: "The run failed after it had begun, and everything was taken away again.",
        ExitStatus.INTERRUPTED: "Interrupted from the keyboard, by a signal or by the server's administrator; the"
        " target is as it was.",
    }
)

CODES = MappingProxyType(
    {
        "usage": "The command line or the options contradict each other.",
        "source-missing": "There is no file at that path.",
        "source-unreadable": "The file is there, but may not be read.",
        "source-empty": "The file has no bytes at all; SQLite would call it an empty database.",
        "source-not-sqlite": "The file is not a SQLite database.",
        "source-encrypted": "The file looks encrypted (as by SQLCipher).",
        "source-truncated": "The file is shorter than its own header says.",
        "source-corrupt": "SQLite's integrity check found damage.",
        "source-locked": "Another process kept the source locked for too long.",
        "source-hot-journal": "A crashed write left a journal that has to be rolled back before the file can be read.",
        "schema-unreadable": "SQLite or liteferry cannot make sense of a part of the source's schema.",
        "source-changed": "The source was written while it was being read without a snapshot.",
        "disk-space": "There is not enough room on a disk for what the run would write.",
        "disk-full": "A disk filled up during the run.",
        "run-dir": "The run directory cannot be made or is not one of liteferry's.",
        "server-unreachable": "No PostgreSQL server answers at that address.",
        "server-other": "Something answers on that port, but it is another server than the one meant.",
        "server-not-ready": "The server answers, but takes no connections now: it is starting, stopping or full.",
        "tls-failed": "The server and the client did not agree on encryption.",
        "server-too-old": "The server is older than PostgreSQL 13.",
        "connection-string": "libpq does not understand the connection string.",
        "auth-failed": "The server refused the password or the user.",
        "role-missing": "The role does not exist on the server that answered.",
        "database-missing": "The database does not exist on the server that answered.",
        "database-encoding": "The database's encoding is not UTF-8.",
        "pooled-sessions": "A connection pooler in transaction or statement mode stands before the server.",
        "no-create-right": "The role may not create a schema in that database.",
        "target-not-empty": "The target's schema already holds something.",
        "target-missing": "The schema that --into existing names does not exist.",
        "target-changed": "The target changed while the run was planned.",
        "target-busy": "Another liteferry run is working on this target.",
        "staging-exists": "A staging schema from an earlier run is still there.",
        "value-misfit": "A value does not fit its column's type, although the census said that it would.",
        "step-failed": "A statement of the plan failed on the server.",
        "hook-failed": "The SQL of a hook failed on the server.",
        "server-limits": "The server ran out of a resource that one of its settings limits.",
        "connection-lost": "The connection to the server broke during the run.",
        "undo-refused": "The target changed since the run published it.",
        "undo-nothing": "The run published nothing that could be taken away.",
        "embedded-missing": "The embedded PostgreSQL is not installed.",
        "embedded-failed": "The embedded PostgreSQL did not start.",
        "child-failed": "A helper process of liteferry died.",
        "django-not-found": "There is no Django project at that place, or no interpreter to run it with.",
        "django-missing": "The project's interpreter has no Django.",
        "django-not-started": "The project's manage.py fails before it hands over to Django.",
        "django-settings": "The project's settings cannot be imported.",
        "django-setup": "The project's applications cannot be loaded.",
        "django-failed": "The project's own code failed, or ended the process.",
        "django-database": "The database that was named is not in DATABASES, is not SQLite, or has no file.",
        "django-prune": "The rows that [django.prune] names cannot be taken away; nothing was.",
        "django-migrations": "The project's migrations are no history that Django can follow: two last ones, a gap.",
        "django-driver": "The project's interpreter has no psycopg.",
        "django-migration": "One of the project's migrations fails on PostgreSQL.",
        "django-not-switched": "The project's settings do not take the new address.",
        "django-other-server": "The project reaches another server or database than the one meant.",
        "django-not-served": "The project reaches the server, but cannot see or use its tables there.",
        "env-file": "The file of environment variables cannot be read, written or brought back.",
        "env-edited": "The file of environment variables was edited since liteferry wrote it.",
        "django-outside": "A migration made or changed something outside the schema that is made by migrations.",
        "django-staging-named": "A text that a migration wrote names the staging schema, which will be gone.",
        "django-unmovable": "The migrations make something that PostgreSQL cannot move into another schema.",
        "sample-exists": "The sample database would overwrite a file that is already there.",
        "sample-failed": "The sample database could not be written.",
        "system-error": "The operating system refused something that has no code of its own.",
        "interrupted": "The run was interrupted.",
    }
)
"""Every error code, with what it means. The docs' page of errors is checked against this."""


class MigrationError(Exception):
    """An error that the user can act on.

    what: one sentence, naming the thing at fault. hint: what to do about it. code: a key of `CODES`. table, column,
    key: where in the data. step_id: the plan's step that failed. exit_status: how the process ends. ``trace``: where
    in the user's own code it came from, a line each, the innermost last.
    """

    trace: tuple[str, ...] = ()

    def __init__(
        self,
        what: str,
        *,
        code: str,
        hint: str = "",
        table: str | None = None,
        column: str | None = None,
        key: str | None = None,
        step_id: str | None = None,
        exit_status: ExitStatus = ExitStatus.ERROR,
    ) -> None:
        """Hold the parts. Raises: KeyError when the code is not in `CODES`."""
        CODES[code]  # a code that is not documented is a bug: fail in the first test that raises it
        super().__init__(what)
        self.what = what
        self.code = code
        self.hint = hint
        self.table = table
        self.column = column
        self.key = key
        self.step_id = step_id
        self.exit_status = exit_status

    def __reduce__(self) -> tuple[object, ...]:
        """Let the error cross from a child process to its parent."""
        return _rebuild, (
            self.what,
            self.code,
            self.hint,
            self.table,
            self.column,
            self.key,
            self.step_id,
            int(self.exit_status),
        )

    @property
    def where(self) -> str:
        """``table x, column y, key z``; empty when the error is about no place in the data."""
        parts = (("table", self.table), ("column", self.column), ("key", self.key))
        return ", ".join(f"{name} {value}" for name, value in parts if value)

    def __str__(self) -> str:
        """What, and where."""
        return f"{self.what} ({self.where})" if self.where else self.what


def _rebuild(
    what: str,
    code: str,
    hint: str,
    table: str | None,
    column: str | None,
    key: str | None,
    step_id: str | None,
    exit_status: int,
) -> MigrationError:
    return MigrationError(
        what,
        code=code,
        hint=hint,
        table=table,
        column=column,
        key=key,
        step_id=step_id,
        exit_status=ExitStatus(exit_status),
    )


_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def explain_system_error(error: BaseException) -> MigrationError | None:
    """What the operating system refused to give: memory, a thread, a file; None for an error of another kind. Pure."""
    if isinstance(error, MemoryError):
        what, hint = "it has no more memory for liteferry", "see what limits it: the machine, a container, `ulimit -v`"
    elif isinstance(error, RuntimeError) and "start new thread" in str(error):
        what, hint = "it starts no more threads for liteferry", "fewer --jobs, or see `ulimit -u`, `ulimit -v`"
    elif isinstance(error, OSError):
        what = (error.strerror or str(error)) + (f": {error.filename}" if error.filename else "")
        hint = "fewer --jobs, or see `ulimit -n`" if error.errno in {errno.EMFILE, errno.ENFILE} else ""
    else:
        return None
    is_full = isinstance(error, OSError) and error.errno in _ROOM
    return MigrationError(
        f"the system refused: {what}",
        code="disk-full" if is_full else "system-error",
        hint="make room there" if is_full else hint,
    )


class TooSlow(Exception):  # noqa: N818 - an answer, not a failure: what was asked need not be answered
    """Something that may take for ever was given up when its time was over."""

    def __init__(self, seconds: float) -> None:
        """Hold how many seconds it was given."""
        super().__init__(f"it was not done within {seconds:.0f} seconds")


class Untranslatable(Exception):  # noqa: N818 - the field's word for it; it is an answer, not a failure
    """A SQLite expression that has no PostgreSQL form of surely the same meaning. ``reason`` is one sentence."""

    def __init__(self, reason: str) -> None:
        """Hold the reason."""
        super().__init__(reason)
        self.reason = reason
