"""Answer questions about rows: which a constraint or index of the target would not take.

Layer 2. A CHECK is evaluated by SQLite itself. Keys are compared in canonical form (`liteferry.compare`), as the proof
compares values: two that become one value have one form. Only digests are kept, in a file of SQLite's own that goes
away by itself, so that memory stays bounded.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from liteferry.census import SAMPLES, Offender
from liteferry.compare import canonicalise_rows, digest_rows, spell_literal
from liteferry.compare.forms import NULL
from liteferry.model import RowFault, RowQuestion, Sample, Table
from liteferry.source.orphans import describe_row
from liteferry.source.select import name_column, name_row_items, name_rowid, quote_sqlite_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from liteferry.compare import StorageValue
    from liteferry.source.connection import SourceConnection

CHECK_TIME_S: Final = 600.0
_BATCH_ROWS: Final = 1000

NameRow: TypeAlias = "Callable[[Table, Sequence[Any]], int | str | None]"
"""Makes a row's name of what `name_row_items` gave."""

_SIZES: Final = {
    "int2": (2, 2),
    "int4": (4, 4),
    "int8": (8, 8),
    "float8": (8, 8),
    "bool": (1, 1),
    "timestamp": (8, 8),
    "timestamptz": (8, 8),
    "date": (4, 4),
    "time": (8, 8),
    "interval": (16, 8),
    "uuid": (16, 1),
}
"""Bytes and alignment of values of fixed length. Source: PostgreSQL's pg_type, typlen and typalign."""
_POINTER_BYTES: Final = 18  # of a value that is stored apart
_SHORT_BYTES: Final = 127  # a value with its length word of one byte: not aligned
_HEADER_BYTES: Final = 23


class FaultCounter:
    """Counts offenders, keeps a few as samples, and hands all of them on."""

    def __init__(self, question: RowQuestion, sink: Callable[[Iterable[Offender]], None]) -> None:
        """Start with none."""
        self._question = question
        self._sink = sink
        self._samples: list[Sample] = []
        self._count = 0

    def add(self, found: Sequence[Offender]) -> None:
        """Add some."""
        self._count += len(found)
        self._samples.extend(Sample(key=one.key, why=one.why) for one in found[: SAMPLES - len(self._samples)])
        self._sink(found)

    def finish(self, error: str = "") -> RowFault:
        """Say what came out. error: why it is not known."""
        question = self._question
        return RowFault(
            table=question.table,
            code=question.code,
            name=question.name,
            count=self._count,
            samples=tuple(self._samples),
            error=error,
        )


def find_broken_check(
    connection: SourceConnection,
    table: Table,
    question: RowQuestion,
    filter_sql: str,
    name_row: NameRow,
    counter: FaultCounter,
) -> RowFault:
    """Find the rows that break a CHECK, by SQLite's own evaluation; NULL holds it.

    filter_sql: a further condition on the rows. An expression that fails, or that does not come to an end, is an answer
    too. Raises: sqlite3.Error where the user interrupts.
    """
    # without an alias, as the expression may name the table; on a line of its own, as it may end with a comment
    alias = quote_sqlite_name(table.name)
    further = f" AND {filter_sql}" if filter_sql else ""
    sql = (
        f"SELECT {', '.join(list_row_items(table, alias))} FROM main.{alias} NOT INDEXED"
        f" WHERE NOT (\n{question.condition_sql}\n){further}"
    )
    try:
        with connection.time_limit(CHECK_TIME_S):
            cursor = connection.execute(sql)
            while rows := cursor.fetchmany(_BATCH_ROWS):
                counter.add([make_offender(table, row, name_row, "breaks the CHECK") for row in rows])
    except sqlite3.Error as error:
        if connection.was_interrupted(error):
            raise
        return counter.finish(error="it took too long" if connection.is_late else str(error))
    return counter.finish()


def list_row_items(table: Table, alias: str = "t") -> list[str]:
    """The items of SQL by which `make_offender` describes and names a row. Pure."""
    key = [name_column(name, alias) for name in table.primary_key]
    return [*key, name_rowid(table, alias) or "NULL", *name_row_items(table, alias)]


def make_offender(table: Table, row: Sequence[Any], name_row: NameRow, why: str) -> Offender:
    """An offender of what `list_row_items` gave."""
    width = len(table.primary_key)
    return Offender(name_row(table, row[width + 1 :]), describe_row(table, row[:width], row[width]), why)


def find_clashes(
    table: Table,
    question: RowQuestion,
    batches: Iterable[Sequence[tuple[Any, ...]]],
    name_row: NameRow,
    counter: FaultCounter,
) -> RowFault:
    """Find the rows whose keys become equal in the columns' types: every row of each group of equal ones.

    batches: rows of the key's values, as stored, then what names the row. A key with NULL in it clashes with none.
    """
    width = len(question.columns)
    with closing(sqlite3.connect("", isolation_level=None)) as scratch:  # a file without a name, gone when it is closed
        scratch.execute("PRAGMA journal_mode = OFF")
        scratch.execute("PRAGMA cache_size = -16384")  # KiB
        scratch.execute("CREATE TABLE entry (digest BLOB, row)")
        scratch.execute("BEGIN")
        for batch in batches:
            forms = canonicalise_rows([row[:width] for row in batch], question.columns, "source")
            digests = digest_rows(forms)
            entries = [
                (digest, name_row(table, row[width:]))
                for row, digest, form in zip(batch, digests, zip(*forms, strict=True), strict=True)
                if NULL not in form
            ]
            scratch.executemany("INSERT INTO entry VALUES (?, ?)", entries)
        scratch.execute("CREATE INDEX entry_digest ON entry (digest)")
        cursor = scratch.execute(
            "SELECT row, digest FROM entry WHERE digest IN"
            " (SELECT digest FROM entry GROUP BY digest HAVING count(*) > 1) ORDER BY digest, row"
        )
        groups: dict[bytes, int] = {}  # the last one's number; whatever its digest is, it is not shown
        number = 0
        while found := cursor.fetchmany(_BATCH_ROWS):
            offenders = []
            for row, digest in found:
                if digest not in groups:
                    number += 1
                    groups = {digest: number}
                why = f"equal to the others of group {number}"
                offenders.append(Offender(row, _describe_name(table, row), why))
            counter.add(offenders)
    return counter.finish()


def _describe_name(table: Table, row: int | str | None) -> str:
    if not table.without_rowid:
        return f"{table.rowid_alias or 'rowid'}={row}"
    names = ", ".join(table.primary_key)
    return f"{names}={row}" if len(table.primary_key) == 1 else f"({names})=({row})"


def entry_bytes_sql(question: RowQuestion) -> str:
    """The bytes of an index's key as stored, in SQL. Pure."""
    sizes = [f"coalesce(length(CAST({name_column(column.source)} AS BLOB)), 0)" for column in question.columns]
    return " + ".join(sizes)


def find_wide_rows(
    table: Table,
    question: RowQuestion,
    batches: Iterable[Sequence[tuple[Any, ...]]],
    name_row: NameRow,
    counter: FaultCounter,
) -> RowFault:
    """Find the rows that no page holds, with whatever can be stored apart stored apart.

    batches: rows of the columns' values, as stored, then what names the row. A row that would be too wide in
    quarantine, too, where each value is a text, is an error: then that is no way out.
    """
    width = len(question.columns)
    error = ""
    for batch in batches:
        found = []
        for row in batch:
            size = measure_row(row[:width], [column.kind for column in question.columns])
            if size > question.limit:
                name = name_row(table, row[width:])
                found.append(
                    Offender(name, _describe_name(table, name), f"{size:,} bytes, with long values stored apart")
                )
                literals = [spell_literal(value) for value in row[:width]]
                if measure_row(literals, ["text"] * width) + 2 * _POINTER_BYTES > question.limit:
                    error = "a row is too wide for a quarantine table, too"
        counter.add(found)
    return counter.finish(error)


def measure_row(values: Sequence[StorageValue], kinds: Sequence[str]) -> int:
    """The bytes of a row on its page at least, its header with it. Pure. Source: PostgreSQL docs, "TOAST"."""
    size = 0
    for value, kind in zip(values, kinds, strict=True):
        if value is None:
            continue
        if kind in _SIZES:
            length, alignment = _SIZES[kind]
            size += -size % alignment + length
        else:
            length = len(value) if isinstance(value, bytes) else 12
            size += min(length + 1, _POINTER_BYTES) if length < _SHORT_BYTES else _POINTER_BYTES
    header = _HEADER_BYTES + (-(-len(values) // 8) if None in values else 0)
    return header + -header % 8 + size
