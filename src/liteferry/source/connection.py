"""Open the source with every precaution, and say what SQLite's errors mean.

Layer 2. Every connection to the source or its snapshot is made here: read-only, with nothing of the schema trusted.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_from_bytes

from liteferry.errors import MigrationError, explain_system_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUSY_TIMEOUT_S: Final = 5.0
"""How long a reader waits for another process's lock before it gives up."""

_INNOCUOUS: Final = 0x200000
_HARDENING: Final = (
    "PRAGMA cell_size_check = ON",  # a damaged page is noticed when it is read
    "PRAGMA query_only = ON",
    "PRAGMA cache_size = -16384",  # KiB; at most this much a connection
)
_CALLBACK_OPCODES: Final = 20_000  # about a millisecond of SQLite's virtual machine
_LIMITED_OPCODES: Final = 100  # under a time limit, since a single function call may be slow
_PRIMARY_CODE: Final = 0xFF


class SourceConnection(sqlite3.Connection):
    """A connection that explains its errors, and whose statements can be given a time limit.

    ``path``: the source, as messages name it.
    """

    path = ""
    _deadline = float("inf")
    _late = False

    def watch_clock(self) -> None:
        """Let `time_limit` work, and Ctrl-C stop a long statement."""
        self.set_progress_handler(self._stop_when_late, _CALLBACK_OPCODES)

    def _stop_when_late(self) -> bool:
        self._late = time.monotonic() > self._deadline
        return self._late

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Interrupt what runs longer than this: SQL of the source's own schema, for instance."""
        self._deadline = time.monotonic() + seconds
        self.set_progress_handler(self._stop_when_late, _LIMITED_OPCODES)
        try:
            yield
        finally:
            self._deadline = float("inf")
            self.watch_clock()

    @property
    def is_late(self) -> bool:
        """Whether the last statement was stopped by its time limit."""
        return self._late

    def was_interrupted(self, error: sqlite3.Error) -> bool:
        """Whether an error means that the user interrupted a statement."""
        return _code_of(error) == sqlite3.SQLITE_INTERRUPT and not self._late

    @contextmanager
    def explain_errors(self, *, table: str | None = None) -> Iterator[None]:
        """Turn SQLite's errors into ones that the user can act on.

        Raises: MigrationError; KeyboardInterrupt when a statement was interrupted from the keyboard, since SQLite
        swallows the exception that Python's signal handler raises within a callback.
        """
        try:
            yield
        except sqlite3.Error as error:
            if self.was_interrupted(error):
                raise KeyboardInterrupt from error
            raise explain_sqlite_error(error, self.path, table=table) from error
        except UnicodeDecodeError as error:  # Python cannot even read SQLite's message: it quotes the schema's bytes
            raise MigrationError(
                f"the schema of {self.path} holds a name that is not valid UTF-8, and SQLite cannot read it",
                code="schema-unreadable",
                hint=RECOVER_HINT,
                table=table,
            ) from error


@contextmanager
def explaining(name: str, *, table: str | None = None) -> Iterator[None]:
    """Turn the errors of a compiled part's connection into ones that the user can act on. Raises: MigrationError.

    name: the source, as messages name it.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise explain_sqlite_error(error, name, table=table) from error


def connect_read_only(
    path: str | Path, *, shown: str | Path | None = None, stand_ins: Sequence[str] = ()
) -> SourceConnection:
    """Open a database for reading: no writes, no extensions, no trust in its schema; usable from any thread in turn.

    stand_ins: collations to define as comparing byte for byte. SQLite refuses every statement on a table whose key uses
    an unknown collation, even a plain scan; and it must know them before it reads the schema. For reading alone: a
    check of the indexes would find them wrongly ordered.

    shown: the path that messages name, when it is another one. Never ``immutable=1``, which would overlook the rows in
    a -wal file. Source: https://sqlite.org/security.html.
    Raises: MigrationError when it cannot be opened.
    """
    name = show_path(path if shown is None else shown)
    with explaining(name):
        connection = sqlite3.connect(
            make_uri(path),
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            factory=SourceConnection,
        )
    connection.path = name
    try:
        for collation in stand_ins:
            connection.create_collation(collation, _compare_bytes)
        with connection.explain_errors():  # setting the cache's size reads the file
            distrust_schema(connection)
            for statement in _HARDENING:
                connection.execute(statement)
        connection.watch_clock()
    except BaseException:
        connection.close()
        raise
    return connection


def distrust_schema(connection: sqlite3.Connection) -> None:
    """Let the schema's views, indexes, CHECKs and generated columns call harmless functions only.

    Where this SQLite does not count its own JSON functions among them (3.40 does not), distrust would make a table with
    ``CHECK (json_valid(…))`` unreadable. There the schema is trusted: we add no functions and load no extensions, and
    what of SQLite's own is not harmless (load_extension) it refuses to a schema in any case.
    Source: https://sqlite.org/c3ref/c_deterministic.html, SQLITE_DIRECTONLY and SQLITE_INNOCUOUS.
    """
    if _counts_json_as_harmless():
        connection.execute("PRAGMA trusted_schema = OFF")


_COLLATE: Final = re.compile(
    r"""\bcollate\s+(?:"((?:[^"]|"")+)"|\[([^\]]+)\]|`([^`]+)`|'([^']+)'|(\w+))""", re.IGNORECASE
)


def list_foreign_collations(path: str | Path) -> tuple[str, ...]:
    """The collations that a database's schema names and that only its application has. Opens and closes it."""
    with closing(sqlite3.connect(":memory:")) as empty:  # the file's own list has those that its schema only names, too
        known = {str(name).casefold() for _, name in empty.execute("PRAGMA collation_list")}
    with closing(connect_read_only(path)) as connection, connection.explain_errors():
        connection.text_factory = bytes
        found: dict[str, str] = {}
        for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"):
            for match in _COLLATE.finditer(sql.decode(errors="replace")):
                name = next(group for group in match.groups() if group)
                if name.casefold() not in known and "\0" not in name:
                    found.setdefault(name.casefold(), name)
        return tuple(found.values())


def _compare_bytes(left: str, right: str) -> int:
    return (left > right) - (left < right)


@cache
def _counts_json_as_harmless() -> bool:
    with closing(sqlite3.connect(":memory:")) as connection:
        (harmful,) = connection.execute(
            "SELECT count(*) FROM pragma_function_list WHERE builtin AND name = 'json_valid' AND NOT flags & ?",
            [_INNOCUOUS],
        ).fetchone()
    return not harmful


def read_something(connection: sqlite3.Connection) -> None:
    """Take SQLite's read lock and parse the schema: whatever stands in the way of reading is found here."""
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def make_uri(path: str | Path) -> str:
    """The ``file:`` URI of a path for reading only, whatever bytes the path is made of. Pure but for the cwd.

    The path is not normalised: ``link/..`` means what the kernel says it does.
    """
    return "file://" + quote_from_bytes(os.fsencode(Path(path).absolute())) + "?mode=ro"


def show_path(path: str | Path) -> str:
    r"""A path as text that can be printed and put into JSON: bytes that are not UTF-8 as ``\xff``. Pure.

    What it gave once it gives again, also where the file system's encoding is ASCII and the path holds an accent.
    """
    try:
        return os.fsencode(path).decode(errors="backslashreplace")
    except UnicodeEncodeError:
        return os.fspath(path).encode(errors="surrogateescape").decode(errors="backslashreplace")


RECOVER_HINT: Final = (
    "restore a backup, or let SQLite save what can be saved: `sqlite3 FILE .recover | sqlite3 NEW_FILE`, and look at "
    "what it lost before you move the new file"
)


def explain_sqlite_error(error: sqlite3.Error, name: str, *, table: str | None = None) -> MigrationError:
    """Turn SQLite's error about the source, or its snapshot, into one that the user can act on."""
    code = _code_of(error)
    if code in {sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY}:
        return MigrationError(
            f"{name} has a hot journal: a write to it was cut short, and must be rolled back before it can be read",
            code="source-hot-journal",
            hint="start the application once, or run `sqlite3 FILE .tables`, so that SQLite rolls it back; liteferry "
            "does not, since it never writes to the source. To leave the file as it is, do that on a copy of it and "
            "its -journal file",
        )
    match code & _PRIMARY_CODE:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return explain_lock(name)
        case sqlite3.SQLITE_CORRUPT:
            return MigrationError(
                f"{name} is damaged: {error}",
                code="source-corrupt",
                hint=RECOVER_HINT,
                table=table,
            )
        case sqlite3.SQLITE_NOTADB:
            return MigrationError(
                f"{name} is not a SQLite database", code="source-not-sqlite", hint="is it the right file?"
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            if exhausted := _find_no_more_files():
                return exhausted
            return MigrationError(
                f"{name} may not be read: {error}",
                code="source-unreadable",
                hint="a database in WAL mode needs its -wal and -shm files beside it, or a directory in which they "
                "can be made. `--snapshot copy` gets along without",
            )
        case sqlite3.SQLITE_FULL:
            return MigrationError(
                f"a disk filled up while {name} was read: {error}",
                code="disk-full",
                hint="sorting needs room for temporary files: set SQLITE_TMPDIR to a directory with enough",
                table=table,
            )
        case sqlite3.SQLITE_IOERR:
            return MigrationError(
                f"{name} cannot be read: the operating system reported {error}",
                code="source-unreadable",
                hint="see the system's log for the disk's errors",
                table=table,
            )
        case sqlite3.SQLITE_INTERRUPT:
            return MigrationError(
                f"SQL of the schema of {name} ran for too long",
                code="schema-unreadable",
                hint="look at its views and at the expressions of its generated columns",
                table=table,
            )
        case _ if "too many columns" in str(error):  # with its rowid it has more than a SELECT may have
            return MigrationError(
                f"{name} has a table with more columns than can be read at once: {error}",
                code="schema-unreadable",
                hint="PostgreSQL allows 1,600 columns: leave it behind with --exclude, or split it in the source",
                table=table,
            )
        case _:
            return MigrationError(
                f"SQLite {sqlite3.sqlite_version} cannot read {name}: {error}",
                code="schema-unreadable",
                hint="an expression of its schema (of a generated column, an index) may fail on a row, call a function "
                "that only the application has, or need a newer SQLite",
                table=table,
            )


def _find_no_more_files() -> MigrationError | None:
    """Whether this process may open no more files at all, which SQLite tells like a file that it may not open."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return explain_system_error(error)
    return None


def explain_lock(name: str) -> MigrationError:
    """The error for a source that another process keeps locked. Pure."""
    return MigrationError(
        f"{name} stayed locked by another process for {BUSY_TIMEOUT_S:.0f} seconds",
        code="source-locked",
        hint="try again when its long transaction is over, or stop the application meanwhile "
        "(`fuser FILE` shows which process has it open)",
    )


def _code_of(error: sqlite3.Error) -> int:
    """SQLite's extended result code; SQLITE_ERROR for an error that Python's module raised itself."""
    code = getattr(error, "sqlite_errorcode", None)
    return sqlite3.SQLITE_ERROR if code is None else code
