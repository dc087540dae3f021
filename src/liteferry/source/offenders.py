"""Every offending value's place, and which rows are set apart, in a SQLite file of their own.

Layer 2. The census hands each offender over as it finds it, and so do the questions that are asked of rows afterwards:
findings keep a few samples, this file keeps them all. The rows that the user quarantines are chosen from it, in SQL;
the readers of rows then ask it, row by row, whether a row is set apart, and why. It never touches the source.

A row's name, ``row``: its rowid, or in a table WITHOUT ROWID the literals of its primary key, ``'a', 5``.

Memory is bounded: offenders are written in batches, and only small sets of rows are held for quick answers.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from liteferry.census import to_storage
from liteferry.compare.literals import spell_literal
from liteferry.errors import MigrationError
from liteferry.model import Apart, ReasonCount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from liteferry.census import Offender

OFFENDERS_NAME: Final = "offenders.sqlite"
HELD_ROWS: Final = 100_000
"""As many rows of a table that are set apart are held in memory (some 10 MB); more are looked up in the file."""

_BATCH: Final = 1000
_SETTINGS: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",  # a run that is killed begins anew
    "PRAGMA cache_size = -16384",  # KiB
)
_TABLES: Final = (
    """
    CREATE TABLE offender (
        table_name TEXT NOT NULL, name TEXT NOT NULL, offence TEXT NOT NULL, row, key TEXT NOT NULL, why TEXT NOT NULL,
        value TEXT
    )""",
    """
    CREATE TABLE quarantine (
        table_name TEXT NOT NULL, row NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (table_name, row, reason)
    ) WITHOUT ROWID""",
)

RowName: TypeAlias = int | str
FindReason: TypeAlias = "Callable[[RowName], str | None]"


class OffenderStore:
    """The file of offenders, and of the rows that are set apart. Usable from several threads at once."""

    def __init__(self, path: Path, *, show_values: bool = False) -> None:
        """Hold where the file shall be: it is made when there is something to write. show_values: keep those, too."""
        self.path = path
        self._show_values = show_values
        self._connection: sqlite3.Connection | None = None
        self._guard = threading.RLock()
        self._pending: list[tuple[object, ...]] = []
        self._finders: dict[str, FindReason] = {}

    def close(self) -> None:
        """Write what is pending, and close the file."""
        with self._guard:
            if self._connection is not None:
                with self._reporting():
                    self._flush()
                    self._connection.commit()
                self._connection.close()
                self._connection = None

    def save(self) -> bool:
        """Write everything down, so that others can read it. Returns whether there is anything."""
        with self._guard, self._reporting():
            self._flush()
            if self._connection is not None:
                self._connection.commit()
            return self._connection is not None

    def clear(self) -> None:
        """Forget every offender, and which rows are set apart: the same rows are about to be planned for anew."""
        with self._guard:
            self._pending.clear()
            self._finders.clear()
            if self._connection is not None:
                with self._reporting():
                    self._connection.execute("DELETE FROM offender")
                    self._connection.execute("DELETE FROM quarantine")

    # offenders

    def forget(self, table: str, name: str = "", offence: str = "") -> None:
        """Forget a table's offenders, or those of one object and offence: they are about to be found anew."""
        with self._guard:
            self._pending = [
                row
                for row in self._pending
                if not (row[0] == table and name in {"", row[1]} and offence in {"", row[2]})
            ]
            if self._connection is not None:
                with self._reporting():
                    self._connection.execute(
                        "DELETE FROM offender WHERE table_name = ?1 AND ?2 IN ('', name) AND ?3 IN ('', offence)",
                        (table, name, offence),
                    )

    def add(self, table: str, name: str, offence: str, found: Iterable[Offender]) -> None:
        """Add offenders of a table. name: of the column, or whatever else of the table it is about."""
        with self._guard:
            for offender in found:
                shown = None
                if self._show_values and offender.has_value:
                    shown = spell_literal(to_storage(offender.value)).decode()
                self._pending.append((table, name, offence, offender.row, offender.key, offender.why, shown))
                if len(self._pending) >= _BATCH:
                    with self._reporting():
                        self._flush()

    # rows that are set apart

    def set_apart(self, table: str, name: str, offence: str, reason: str) -> int:
        """Set the rows apart that offend so, for this reason. Returns how many new rows that are."""
        with self._guard, self._reporting():
            self._flush()
            if self._connection is None:
                return 0
            before = self._count_rows(table)
            self._connection.execute(
                "INSERT OR IGNORE INTO quarantine SELECT table_name, row, ? FROM offender"
                " WHERE table_name = ? AND name = ? AND offence = ? AND row IS NOT NULL",
                (reason, table, name, offence),
            )
            self._finders.pop(table, None)
            return self._count_rows(table) - before

    def count_apart(self) -> tuple[Apart, ...]:
        """How many rows are set apart of each table that has any, and for which reasons."""
        with self._guard, self._reporting():
            if self._connection is None:
                return ()
            tables = [name for (name,) in self._connection.execute("SELECT DISTINCT table_name FROM quarantine")]
            return tuple(
                Apart(
                    table=table,
                    rows=self._count_rows(table),
                    reasons=tuple(
                        ReasonCount(reason=reason, rows=rows)
                        for reason, rows in self._connection.execute(
                            "SELECT reason, count(*) FROM quarantine WHERE table_name = ? GROUP BY reason", [table]
                        )
                    ),
                )
                for table in tables
            )

    def has_apart(self, table: str) -> bool:
        """Whether any row of the table is set apart."""
        with self._guard, self._reporting():
            return self._connection is not None and self._count_rows(table) > 0

    def find_reason(self, table: str, row: RowName) -> str | None:
        """Why a row is set apart, its reasons in one text; None when it is not."""
        find = self._finders.get(table)
        if find is None:
            with self._guard, self._reporting():
                find = self._finders[table] = self._make_finder(table)
        return find(row)

    def _make_finder(self, table: str) -> FindReason:
        if self._connection is None:
            return lambda _: None
        if self._count_rows(table) > HELD_ROWS:
            return lambda row: self._look_up(table, row)
        held: dict[RowName, str] = {}
        reasons: dict[str, str] = {}  # one text for all rows that share it
        for row, reason in self._connection.execute(f"SELECT row, {_REASONS} GROUP BY row", [table]):
            held[row] = reasons.setdefault(reason, reason)
        return lambda row: held.get(row)  # noqa: PLW0108 - its type says less

    def _look_up(self, table: str, row: RowName) -> str | None:
        with self._guard, self._reporting():
            assert self._connection is not None  # noqa: S101 - there are rows in it
            (reason,) = self._connection.execute(f"SELECT {_REASONS} AND row = ?", [table, row]).fetchone()
        return None if reason is None else str(reason)

    def _count_rows(self, table: str) -> int:
        assert self._connection is not None  # noqa: S101 - the callers have looked
        (count,) = self._connection.execute(
            "SELECT count(DISTINCT row) FROM quarantine WHERE table_name = ?", [table]
        ).fetchone()
        return int(count)

    # the file

    def _flush(self) -> None:
        if not self._pending:
            return
        connection = self._connection or self._make_file()
        connection.executemany("INSERT INTO offender VALUES (?, ?, ?, ?, ?, ?, ?)", self._pending)
        self._pending.clear()

    def _make_file(self) -> sqlite3.Connection:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.close(descriptor)
        connection = sqlite3.connect(self.path, check_same_thread=False)
        for statement in (*_SETTINGS, *_TABLES):
            connection.execute(statement)
        self._connection = connection
        return connection

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            full = "full" in str(error) or "No space" in str(error)
            raise MigrationError(
                f"the list of offending values cannot be written to {self.path}: {error}",
                code="disk-full" if full else "run-dir",
                hint="make room there, or name another directory with --run-dir",
            ) from error


_REASONS: Final = (
    "group_concat(reason, ', ') FROM (SELECT row, reason FROM quarantine WHERE table_name = ? ORDER BY row, reason)"
    " WHERE true"
)
