"""Find damage in a SQLite database.

Layer 2. ``integrity_check``, not ``quick_check``: an index that lacks entries passes the quick one, and then answers
questions with too few rows.

Source: https://sqlite.org/pragma.html#pragma_integrity_check.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.report.wording import format_list
from liteferry.source.connection import RECOVER_HINT, SourceConnection, read_something
from liteferry.source.select import quote_sqlite_name

if TYPE_CHECKING:
    from collections.abc import Callable

_MESSAGES: Final = 3  # of integrity_check, that an error quotes
_MESSAGE_LIMIT: Final = 10_000  # bounds what SQLite gathers before it gives the first
_NO_LIMIT: Final = 2_000_000_000

# What integrity_check says of rows that break a constraint or have an unusual type, and of full-text indexes, which are
# not carried over. None of it is damage: the census counts such rows.
_NO_DAMAGE: Final = re.compile(
    r"(?:[\w-]+ value in |CHECK constraint failed in |(?:malformed|unable to validate the) inverted index |ok\Z)"
)
_APPLICATIONS_OWN: Final = ("unknown function", "no such function", "no such collation", "no such module")


def check_integrity(connection: SourceConnection, note: Callable[[str], None]) -> None:
    """Read every page and compare every index with its table.

    A read-only connection does not look at CHECKs, and rows that break NOT NULL are no damage: the census counts them.
    Where an index needs a function or collation that only the application has, its table is checked without its
    indexes' entries, and a note says so.

    Raises: MigrationError ``source-corrupt``, which quotes SQLite's first messages and names the first damaged table.
    """
    with connection.explain_errors():
        read_something(connection)
        try:
            messages = _find_damage(connection)
        except _NeedsApplicationError:
            messages = _find_damage_without_application(connection, note)
        if messages:
            raise _explain_damage(connection, messages)


class _NeedsApplicationError(Exception):
    """The schema uses a function, collation or module that only the application has. ``missing``: SQLite's words."""

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing


def _find_damage(connection: SourceConnection, check: str = "integrity_check", table: str | None = None) -> list[str]:
    """The first messages that mean damage. Raises: _NeedsApplicationError; sqlite3.Error for anything but damage."""
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
        if damage or found < limit:
            return damage
    return []


def _find_damage_without_application(connection: SourceConnection, note: Callable[[str], None]) -> list[str]:
    """Check what can be checked where indexes need the application's own functions and collations.

    Every table whose indexes can be read is checked wholly; the others, and the file as such, by quick_check, with
    stand-ins for collations, which it names but never calls.
    """
    skipped = []
    for table in _list_stored_tables(connection):
        try:
            damage = _find_damage(connection, table=table)
        except _NeedsApplicationError:
            skipped.append(table)
        else:
            if damage:
                return damage
    note(
        "for want of the application's own functions or collations, indexes of these tables could not be compared "
        f"with their rows: {format_list(skipped)}"
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
        tables.extend(table for table in _list_stored_tables(connection) if _find_damage(connection, table=table))
    quoted = "; ".join(" ".join(message.split()) for message in messages[:_MESSAGES])
    more = "; and more" if len(messages) > _MESSAGES else ""
    where = f"; damaged: {format_list(tables)}" if len(tables) > 1 else ""
    return MigrationError(
        f"{connection.path} is damaged; SQLite's integrity check says: {quoted}{more}{where}",
        code="source-corrupt",
        hint=RECOVER_HINT,
        table=tables[0] if tables else None,
    )
