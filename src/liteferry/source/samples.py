"""What SQLite makes of sample values: defaults, stored values, expressions; in memory, without touching any file.

Layer 2. For `liteferry.proof.probe`, which asks PostgreSQL the same.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.compare import Text
from liteferry.source.select import quote_sqlite_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from liteferry.compare import StorageValue

_LONGEST_BYTES: Final = 10_000_000  # of a value: zeroblob(1000000000) in a CHECK is not worth its memory
_OPCODES: Final = 1000
_TOGETHER_S: Final = 10.0  # for all that is asked of one table; 500 rows of a CHECK take 0.01


@dataclass(frozen=True, slots=True)
class SampleClause:
    """A column of the table that the samples are put into. declared: a type name of its affinity."""

    name: str
    declared: str
    collation: str = "BINARY"
    rowid: bool = False

    @property
    def sql(self) -> str:
        """What stands in CREATE TABLE."""
        if self.rowid:
            return f"{quote_sqlite_name(self.name)} INTEGER PRIMARY KEY"
        return f"{quote_sqlite_name(self.name)} {self.declared} COLLATE {quote_sqlite_name(self.collation)}"


class SampleDatabase:
    """An empty SQLite database in memory. A context manager."""

    def __init__(self, encoding: str) -> None:
        """Make it with the source's encoding, which decides what hex() of a text is, for instance."""
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.execute(f"PRAGMA encoding = {quote_sqlite_name(encoding)}")
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_BYTES)
        self._connection.text_factory = Text
        self._deadline = time.monotonic() + _TOGETHER_S
        self._connection.set_progress_handler(lambda: time.monotonic() > self._deadline, _OPCODES)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget everything."""
        self._connection.close()

    def store(self, clause: SampleClause, values: Sequence[object]) -> list[StorageValue]:
        """What becomes of values that are stored in a column of this kind; those that it refuses are left out."""
        self._make("sample", [clause.sql])
        stored: list[StorageValue] = []
        for value in values:
            try:
                self._connection.execute('INSERT INTO "sample" VALUES (?)', [value])
                stored += self._connection.execute('SELECT * FROM "sample"').fetchone()
                self._connection.execute('DELETE FROM "sample"')
            except (sqlite3.Error, OverflowError):
                continue
        return stored

    def read_default(self, clause: SampleClause, default_sql: str) -> StorageValue:
        """What a row gets that says nothing of its one column.

        Raises: ValueError when this SQLite does not take the default.
        """
        for written in (default_sql, f"({default_sql}\n)"):  # a word stands without parentheses, a sum within
            try:
                self._make("sample", [f"{clause.sql} DEFAULT {written}"])
                self._connection.execute('INSERT INTO "sample" DEFAULT VALUES')
                (value,) = self._connection.execute('SELECT * FROM "sample"').fetchone()
            except sqlite3.Error as error:
                refused = str(error)
                continue
            return value  # type: ignore[no-any-return]  # whatever SQLite stores
        raise ValueError(refused)

    def evaluate(
        self,
        table: str,
        clauses: Sequence[SampleClause],
        rows: Sequence[Sequence[object]],
        expression_sql: str,
        stored_as: str = "",
    ) -> Iterator[tuple[bool, StorageValue]]:
        """What an expression comes to in each row; ``False, None`` where SQLite raises an error.

        table: its name, which the expression may use. stored_as: an affinity; the value is then that of a generated
        column, and else as it is computed.
        """
        wanted, parts = f"({expression_sql}\n)", [clause.sql for clause in clauses] or ["empty"]
        if stored_as:
            name = max((clause.name for clause in clauses), key=len, default="") + "_"  # which none of them has
            wanted = quote_sqlite_name(name)
            parts.append(f"{wanted} {stored_as} AS ({expression_sql}\n)")
        self._make(table, parts)
        into, holders = quote_sqlite_name(table), ", ".join("?" * len(clauses))
        names = ", ".join(quote_sqlite_name(clause.name) for clause in clauses)
        insert = f"INSERT INTO {into} ({names}) VALUES ({holders})" if clauses else f"INSERT INTO {into} DEFAULT VALUES"
        for row in rows:
            try:
                self._connection.execute(insert, [_bind(value) for value in row])
                with closing(self._connection.execute(f"SELECT {wanted} FROM {into}")) as cursor:
                    (value,) = cursor.fetchone()
                yield True, value
            except sqlite3.Error:
                yield False, None
            self._connection.execute(f"DELETE FROM {into}")

    def _make(self, table: str, parts: Sequence[str]) -> None:
        for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            self._connection.execute(f"DROP TABLE {quote_sqlite_name(name.decode())}")
        self._connection.execute(f"CREATE TABLE {quote_sqlite_name(table)} ({', '.join(parts)})")


def _bind(value: object) -> object:
    return value.decode() if isinstance(value, Text) else value
