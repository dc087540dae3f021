"""Find rows whose foreign key points at nothing.

Layer 2. By SQLite's own rules, which are not those of a join: the parent's column decides on affinity and collation,
and a key with a NULL in it points nowhere, which is allowed. Where the parent has a collation they are counted byte for
byte, too: 'a' points at 'A' under NOCASE, but not in PostgreSQL, where it has lost that collation.

Source: https://sqlite.org/foreignkeys.html, 3 "Required and Suggested Database Indexes"; datatype3.html, 4.2.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from liteferry.census import SAMPLES, describe_key_value
from liteferry.model import Catalog, ForeignKey, Orphans, Sample, Table
from liteferry.source.select import name_column, name_rowid, quote_sqlite_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BATCH_ROWS: Final = 10_000


def find_orphans(connection: sqlite3.Connection, table: Table, catalog: Catalog) -> Iterator[Orphans]:
    """Count the orphans of each of the table's foreign keys that has any.

    A foreign key whose parent does not exist has none: it is a finding of its own.
    Raises: sqlite3.Error.
    """
    for number, key in enumerate(table.foreign_keys):
        parent = next((found for found in catalog.tables if found.name == key.parent_table), None)
        if parent is None or not _points_at_columns(key, parent):
            continue
        collated = any(column.collation != "BINARY" for column in parent.columns if column.name in key.parent_columns)
        for exact in (False, True) if collated else (False,):
            try:
                found = _count_orphans(connection, table, key, number, exact=exact)
            except sqlite3.OperationalError as error:
                if not str(error).startswith("no such collation"):
                    raise
                if not exact:
                    continue
                found = _count_orphans(connection, table, key, number, exact=True, indexed=False)
            if found.count:
                yield found


def _points_at_columns(key: ForeignKey, parent: Table) -> bool:
    names = {column.name for column in parent.columns}
    return len(key.parent_columns) == len(key.columns) and names.issuperset(key.parent_columns)


def _count_orphans(
    connection: sqlite3.Connection, table: Table, key: ForeignKey, number: int, *, exact: bool, indexed: bool = True
) -> Orphans:
    """Count them. exact: compare byte for byte. indexed: SQLite knows all collations of the parent's indexes."""
    collation = " COLLATE BINARY" if exact else ""
    pairs = [
        (name_column(child, "c"), name_column(parent, "p"))
        for child, parent in zip(key.columns, key.parent_columns, strict=True)
    ]
    # The plus takes the child's affinity away, so that the parent's is applied; the left side's collation holds.
    matches = " AND ".join(f"{parent}{collation} = +{child}" for child, parent in pairs)
    complete = " AND ".join(f"{child} IS NOT NULL" for child, _ in pairs)
    items = [*(name_column(name, "c") for name in table.primary_key), name_rowid(table, "c") or "NULL"]
    parent_hint = "" if indexed else " NOT INDEXED"
    why = f"{key.parent_table} has no such row" + (" that is equal byte for byte" if exact else "")
    cursor = connection.execute(
        f"SELECT {', '.join(items)} FROM main.{quote_sqlite_name(table.name)} AS c NOT INDEXED "
        f"LEFT JOIN main.{quote_sqlite_name(key.parent_table)} AS p{parent_hint} ON {matches} "
        f"WHERE {complete} AND {pairs[0][1]} IS NULL"
    )
    samples: list[Sample] = []
    count = 0
    while rows := cursor.fetchmany(_BATCH_ROWS):
        samples.extend(
            Sample(key=describe_row(table, key_values, rowid), why=why)
            for *key_values, rowid in rows[: SAMPLES - len(samples)]
        )
        count += len(rows)
    return Orphans(table=table.name, foreign_key=number, count=count, samples=tuple(samples), exact=exact)


def describe_row(table: Table, key_values: Sequence[object], rowid: object) -> str:
    """Name a row for people: by its primary key, or by its rowid where it has none or a NULL in it. Pure."""
    if key_values and None not in key_values:
        named = zip(table.primary_key, key_values, strict=True)
        return ", ".join(f"{name}={describe_key_value(value)}" for name, value in named)
    return "the row with NULL in its key" if rowid is None else f"rowid={rowid}"
