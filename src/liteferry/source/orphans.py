"""Find rows whose foreign key points at nothing.

Layer 2. By SQLite's own rules, which are not those of a join: the parent's column decides on affinity and collation,
and a key with a NULL in it points nowhere, which is allowed. Where the parent has a collation they are counted byte for
byte, too: 'a' points at 'A' under NOCASE, but not in PostgreSQL, where it has lost that collation.

Source: https://sqlite.org/foreignkeys.html, 3 "Required and Suggested Database Indexes"; datatype3.html, 4.2.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from liteferry.census import SAMPLES, Offender, describe_key_value
from liteferry.model import Catalog, ForeignKey, Orphans, Sample, Table
from liteferry.source.select import name_column, name_row_items, name_rowid, quote_sqlite_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_BATCH_ROWS: Final = 1000


NameRow: TypeAlias = "Callable[[Table, Sequence[Any]], int | str | None]"
"""Makes a row's name of what `name_row_items` gave."""


def find_orphans(
    connection: sqlite3.Connection,
    table: Table,
    catalog: Catalog,
    filter_sql: Callable[[Table, str], str] = lambda _, __: "",
    take: Callable[[str, Sequence[Offender]], None] = lambda _, __: None,
    name_row: NameRow = lambda _, __: None,
) -> Iterator[Orphans]:
    """Count the orphans of each of the table's foreign keys that has any.

    A foreign key whose parent does not exist has none: it is a finding of its own. filter_sql: the condition on the
    rows of a table of this alias that are there at all. take: is handed every orphan, under the foreign key's columns.
    Raises: sqlite3.Error.
    """
    search = _Search(connection, table, filter_sql, take, name_row)
    for number, key in enumerate(table.foreign_keys):
        parent = catalog.find_table(key.parent_table)
        if parent is None or not _points_at_columns(key, parent):
            continue
        for exact in _list_ways(key, parent):
            try:
                found = search.count(key, parent, number, exact=exact)
            except sqlite3.OperationalError as error:
                if not str(error).startswith("no such collation"):
                    raise
                if not exact:
                    continue
                found = search.count(key, parent, number, exact=True, indexed=False)
            if found.count:
                yield found


def _list_ways(key: ForeignKey, parent: Table) -> tuple[bool, ...]:
    """How to compare: as SQLite does, byte for byte, or in both ways where the target may keep the collation."""
    collations = {column.collation for column in parent.columns if column.name in key.parent_columns} - {"BINARY"}
    if not collations:
        return (False,)
    return (False, True) if collations <= {"NOCASE", "RTRIM"} else (True,)


def _points_at_columns(key: ForeignKey, parent: Table) -> bool:
    names = {column.name for column in parent.columns}
    return len(key.parent_columns) == len(key.columns) and names.issuperset(key.parent_columns)


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for one table's orphans."""

    connection: sqlite3.Connection
    table: Table
    filter_sql: Callable[[Table, str], str]
    take: Callable[[str, Sequence[Offender]], None]
    name_row: NameRow

    def count(self, key: ForeignKey, parent: Table, number: int, *, exact: bool, indexed: bool = True) -> Orphans:
        """Count them. exact: compare byte for byte. indexed: SQLite knows all collations of the parent's indexes."""
        table = self.table
        collation = " COLLATE BINARY" if exact else ""
        pairs = [
            (name_column(child, "c"), name_column(column, "p"))
            for child, column in zip(key.columns, key.parent_columns, strict=True)
        ]
        # The plus takes the child's affinity away, so that the parent's is applied; the left side's collation holds.
        equal = [f"{column}{collation} = +{child}" for child, column in pairs]
        complete = [f"{child} IS NOT NULL" for child, _ in pairs]
        parent_filter, child_filter = self.filter_sql(parent, "p"), self.filter_sql(table, "c")
        matches = " AND ".join(filter(None, (*equal, parent_filter)))
        wanted = " AND ".join(filter(None, (*complete, f"{pairs[0][1]} IS NULL", child_filter)))
        width = len(table.primary_key)
        items = [*(name_column(name, "c") for name in table.primary_key), name_rowid(table, "c") or "NULL"]
        items += name_row_items(table, "c")
        parent_hint = "" if indexed else " NOT INDEXED"
        why = f"{key.parent_table} has no such row" + (" that is equal byte for byte" if exact else "")
        joined_sql = (
            f"SELECT {', '.join(items)} FROM main.{quote_sqlite_name(table.name)} AS c NOT INDEXED "
            f"LEFT JOIN main.{quote_sqlite_name(key.parent_table)} AS p{parent_hint} ON {matches} WHERE {wanted}"
        )
        cursor = self._ask_for_uuids(items, key, parent) if key.is_of_uuids else self.connection.execute(joined_sql)
        samples: list[Sample] = []
        count = 0
        while rows := cursor.fetchmany(_BATCH_ROWS):
            found = [
                Offender(self.name_row(table, row[width + 1 :]), describe_row(table, row[:width], row[width]), why)
                for row in rows
            ]
            samples.extend(Sample(key=one.key, why=one.why) for one in found[: SAMPLES - len(samples)])
            count += len(rows)
            self.take(", ".join(key.columns), found)
        return Orphans(table=table.name, foreign_key=number, count=count, samples=tuple(samples), exact=exact)

    def _ask_for_uuids(self, items: Sequence[str], key: ForeignKey, parent: Table) -> sqlite3.Cursor:
        """The orphans of a key of UUIDs, with or without hyphens, in capitals or not.

        By a list of the parent's, which SQLite sorts once: a join of expressions would look at each pair of rows.
        """
        child_sql, parent_sql = name_column(key.columns[0], "c"), name_column(key.parent_columns[0], "p")
        parent_filter, child_filter = self.filter_sql(parent, "p"), self.filter_sql(self.table, "c")
        there = " AND ".join(filter(None, (f"{parent_sql} IS NOT NULL", parent_filter)))
        parents = (
            f"SELECT {_level_uuid(parent_sql)} FROM main.{quote_sqlite_name(key.parent_table)} AS p NOT INDEXED"
            f" WHERE {there}"
        )
        lacks = f"{_level_uuid(child_sql)} NOT IN ({parents})"
        wanted = " AND ".join(filter(None, (f"{child_sql} IS NOT NULL", lacks, child_filter)))
        return self.connection.execute(
            f"SELECT {', '.join(items)} FROM main.{quote_sqlite_name(self.table.name)} AS c NOT INDEXED WHERE {wanted}"
        )


def _level_uuid(expression: str) -> str:
    """SQL that gives a UUID's 32 digits in small letters; of a blob, those of its bytes."""
    text = f"CASE typeof({expression}) WHEN 'blob' THEN hex({expression}) ELSE {expression} END"
    return f"lower(replace({text}, '-', ''))"


def describe_row(table: Table, key_values: Sequence[object], rowid: object) -> str:
    """Name a row for people: by its primary key, or by its rowid where it has none or a NULL in it. Pure."""
    if key_values and None not in key_values:
        named = zip(table.primary_key, key_values, strict=True)
        return ", ".join(f"{name}={describe_key_value(value)}" for name, value in named)
    return "the row with NULL in its key" if rowid is None else f"rowid={rowid}"
