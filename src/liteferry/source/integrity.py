"""Find damage in a SQLite database.

Layer 2. ``integrity_check``, not ``quick_check`` alone: an index that lacks entries passes the quick one, and then
answers questions with too few rows. Of our own copy, the quick check and the compiled comparison of every index with
its table are made side by side; together they find what the integrity check finds, many times as fast. Where they find
anything, the integrity check says what it is.

Source: https://sqlite.org/pragma.html#pragma_integrity_check.
"""

from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.source.connection import RECOVER_HINT, SourceConnection, read_something
from liteferry.source.file import measure_wal
from liteferry.source.indexes import find_doubtful, plan_comparison
from liteferry.source.select import quote_sqlite_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_MESSAGES: Final = 3  # of integrity_check, that an error quotes
_MESSAGE_LIMIT: Final = 10_000  # bounds what SQLite gathers before it gives the first
_NO_LIMIT: Final = 2_000_000_000
_TABLE_LIMIT: Final = 100  # SQLite's own, of the check of one table, which takes no other
_LARGE_CACHE_KIB: Final = 1 << 16

# What integrity_check says of rows that break a constraint or have an unusual type, and of full-text indexes, which are
# not carried over. None of it is damage: the census counts such rows.
_NO_DAMAGE: Final = re.compile(
    r"(?:[\w-]+ value in |CHECK constraint failed in |(?:malformed|unable to validate the) inverted index |ok\Z)"
)
_APPLICATIONS_OWN: Final = ("unknown function", "no such function", "no such collation", "no such module")


def check_integrity(connection: SourceConnection, note: Callable[[str], None], *, copy: Path | None = None) -> None:
    """Read every page and compare every index with its table.

    copy: the file, where it is our own, so that it may be opened a second time.

    A read-only connection does not look at CHECKs, and rows that break NOT NULL are no damage: the census counts them.
    Where an index needs a function or collation that only the application has, its table is checked without its
    indexes' entries, and a note says so.

    Raises: MigrationError ``source-corrupt``, which quotes SQLite's first messages and names the first damaged table.
    """
    with connection.explain_errors():
        read_something(connection)
        if copy is not None and _is_sound(connection, copy):
            return
        # not where one process does everything: it would keep the memory for the rest of the run
        with nullcontext() if copy is None else _large_cache(connection):
            try:
                messages = _find_damage(connection)
            except _NeedsApplicationError:
                messages = _find_damage_without_application(connection, note)
            if messages:
                raise _explain_damage(connection, messages)


@contextmanager
def _large_cache(connection: SourceConnection) -> Iterator[None]:
    """Let the connection keep more pages for a while: the whole check looks up each row in each index."""
    (usual,) = connection.execute("PRAGMA cache_size").fetchone()
    connection.execute(f"PRAGMA cache_size = -{_LARGE_CACHE_KIB}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA cache_size = {usual}")


class _NeedsApplicationError(Exception):
    """The schema uses a function, collation or module that only the application has. ``missing``: SQLite's words."""

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing


class _CutOffError(Exception):
    """The check of one table ended before all of it was looked at: it had said too much of what is no damage."""


def _is_sound(connection: SourceConnection, copy: Path) -> bool:
    """Whether the two quick ways together find the file sound. False where SQLite's whole check must decide."""
    if measure_wal(str(copy)):  # then not all of its pages are in the file
        return False
    stop = bytearray(1)
    try:
        comparison = plan_comparison(connection)
        if comparison is None:
            return False
        with ThreadPoolExecutor(1) as executor:
            doubtful = executor.submit(find_doubtful, comparison, copy, stop)
            try:
                damage = _find_damage(connection, "quick_check") or [
                    message for table in doubtful.result() for message in _find_damage(connection, table=table)
                ]
            finally:
                stop[0] = 1
            return not damage
    except (_NeedsApplicationError, _CutOffError):
        return False
    except sqlite3.Error as error:
        if connection.was_interrupted(error):
            raise
        return False  # the whole check meets it again, and explains it


def _find_damage(connection: SourceConnection, check: str = "integrity_check", table: str | None = None) -> list[str]:
    """The first messages that mean damage.

    Raises: _NeedsApplicationError; _CutOffError, of a table; sqlite3.Error for anything but damage.
    """
    for limit in (_MESSAGE_LIMIT, _NO_LIMIT):
        argument = limit if table is None else quote_sqlite_name(table)
        damage: list[str] = []
        found = 0
        try:
            for (message,) in connection.execute(f"PRAGMA {check}({argument})"):
                found += 1
                if not _NO_DAMAGE.match(message):
                    damage.append(message)
                    if len(damage) > _MESSAGES:
                        break
        except sqlite3.DatabaseError as error:
            if str(error).startswith(_APPLICATIONS_OWN):
                raise _NeedsApplicationError(str(error)) from error
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            damage.append(str(error))
        if table is not None and not damage and found >= _TABLE_LIMIT:
            raise _CutOffError
        if damage or found < limit:
            return damage
    return []


def _find_damage_without_application(connection: SourceConnection, note: Callable[[str], None]) -> list[str]:
    """Check what can be checked where indexes need the application's own functions and collations.

    Every table whose indexes can be read is checked wholly; the others, and the file as such, by quick_check, with
    stand-ins for collations, which it names but never calls.
    """
    skipped, cut_off = [], []
    for table in _list_stored_tables(connection):
        try:
            damage = _find_damage(connection, table=table)
        except _NeedsApplicationError:
            skipped.append(table)
        except _CutOffError:
            cut_off.append(table)
        else:
            if damage:
                return damage
    note(
        "for want of the application's own functions or collations, indexes of these tables could not be compared "
        f"with their rows: {_list_names(skipped)}"
    )
    if cut_off:
        note(
            "nor could the indexes of these, of whose rows so many break NOT NULL or have unusual types that SQLite's "
            f"check ends early: {_list_names(cut_off)}"
        )
    while True:
        try:
            return _find_damage(connection, "quick_check")
        except _NeedsApplicationError as error:
            collation = re.fullmatch(r"no such collation sequence: (.*)", error.missing, re.DOTALL)
            if not collation:
                raise MigrationError(
                    f"{connection.path} cannot be checked: {error.missing}",
                    code="schema-unreadable",
                    hint="its schema needs what only the application has",
                ) from error
            connection.create_collation(collation[1], lambda _left, _right: 0)


def _list_stored_tables(connection: SourceConnection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 ORDER BY rowid")
    return [name for (name,) in rows]


def _explain_damage(connection: SourceConnection, messages: list[str]) -> MigrationError:
    tables: list[str] = []
    with suppress(sqlite3.Error, _NeedsApplicationError):  # the schema itself may be what is damaged
        for table in _list_stored_tables(connection):
            with suppress(_CutOffError):
                if _find_damage(connection, table=table):
                    tables.append(table)
    quoted = "; ".join(" ".join(message.split()) for message in messages[:_MESSAGES])
    more = "; and more" if len(messages) > _MESSAGES else ""
    where = f"; damaged: {_list_names(tables)}" if len(tables) > 1 else ""
    return MigrationError(
        f"{connection.path} is damaged; SQLite's integrity check says: {quoted}{more}{where}",
        code="source-corrupt",
        hint=RECOVER_HINT,
        table=tables[0] if tables else None,
    )


def _list_names(names: Sequence[str]) -> str:
    from liteferry.report.wording import format_list  # and all of the reports with it: not for a sound file

    return format_list(names)
