"""Hold every index against its table, by reading each once from end to end.

Layer 2. SQLite's integrity check looks up every row in every index, a random access each, which for large tables takes
longer than all else that is done with them. The compiled checker adds up what is there instead: together with
``quick_check`` it finds what the integrity check finds. It says no more than that a table is in doubt; what is in doubt
is left to SQLite's own check, and so is every table with an index of a kind that is not understood here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from liteferry.compiled import find_part
from liteferry.source.connection import make_uri
from liteferry.source.select import name_column, quote_sqlite_name
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from liteferry.source.connection import SourceConnection

_COLLATIONS: Final = {"BINARY": 0, "NOCASE": 1, "RTRIM": 2}
_DESCENDING: Final = 4
_ROWID_NAMES: Final = ("rowid", "_rowid_", "oid")
_KEY_BYTES: Final = 8

_COLUMNS_SQL: Final = """
    SELECT t.name, c.name, c.hidden
    FROM sqlite_master AS t, pragma_table_xinfo(t.name, 'main') AS c
    WHERE t.type = 'table' AND t.rootpage > 0
    ORDER BY t.name
"""
_INDEXES_SQL: Final = """
    SELECT t.name, i.name, i."unique", i.partial, c.cid, c.name, c."desc", c.coll, c.key
    FROM sqlite_master AS t, pragma_index_list(t.name, 'main') AS i, pragma_index_xinfo(i.name, 'main') AS c
    WHERE t.type = 'table' AND t.rootpage > 0
    ORDER BY t.name, i.seq, c.seqno
"""

Index = tuple[int, tuple[int, ...], bytes, int]
"""What `find_doubtful` of the compiled checker takes for an index."""

_IndexPart = tuple[str, str, int, int, int, str | None, int, str | None, int]
_ROWID: Final = -1  # where the number of a column would stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How to hold indexes against their tables.

    ``tables``: what the compiled checker takes, ``names`` theirs. ``left_out``: the tables that SQLite must check.
    """

    tables: tuple[tuple[str, int, tuple[Index, ...]], ...]
    names: tuple[str, ...]
    left_out: tuple[str, ...]


def plan_comparison(connection: SourceConnection) -> Comparison | None:
    """Find the indexes that can be held against their tables. None where SQLite had better check all.

    That is where the checker was not built, and in UTF-16. Raises: sqlite3.Error.
    """
    if find_part("_checker") is None or connection.execute("PRAGMA encoding").fetchone() != ("UTF-8",):
        return None
    columns = {
        table: {fold_case(name): bool(hidden) for _, name, hidden in group}
        for table, group in groupby(connection.execute(_COLUMNS_SQL).fetchall(), key=itemgetter(0))
    }
    roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'index'").fetchall())
    parts: list[_IndexPart] = connection.execute(_INDEXES_SQL).fetchall()
    tables, names, left_out = [], [], []
    for name, group in groupby(parts, key=itemgetter(0)):
        table = _plan_table(name, columns.get(name, {}), list(group), roots)
        if table is None:
            left_out.append(name)
        else:
            tables.append(table)
            names.append(name)
    return Comparison(tables=tuple(tables), names=tuple(names), left_out=tuple(left_out))


def _plan_table(
    name: str, columns: Mapping[str, bool], parts: Sequence[_IndexPart], roots: Mapping[str, int]
) -> tuple[str, int, tuple[Index, ...]] | None:
    """What the checker is told of a table; None for one of which an index is not understood. Pure.

    columns: their names in lower case, and whether they are generated, or hidden in another way. roots: the first pages
    of indexes.
    """
    rowid = next((f"t.{name}" for name in _ROWID_NAMES if name not in columns), None)
    if rowid is None:
        return None
    items = [rowid]
    indexes = []
    for index_name, group in groupby(parts, key=itemgetter(1)):
        index = _plan_index(roots.get(index_name, 0), list(group), columns, items)
        if index is None:
            return None
        indexes.append(index)
    return f"SELECT {', '.join(items)} FROM main.{quote_sqlite_name(name)} AS t NOT INDEXED", len(items), tuple(indexes)


def _plan_index(root: int, parts: Sequence[_IndexPart], columns: Mapping[str, bool], items: list[str]) -> Index | None:
    """What the checker is told of an index; None for a key that is not understood. Pure, but for the items.

    items: what the table's SELECT gives, beginning with the rowid; it is added to.
    A table WITHOUT ROWID has none at the end of its indexes, and one with such a table's key is not understood.
    """
    positions, orders = [], []
    for _, _, _, partial, number, column, descending, collation, is_key in parts:
        code = _COLLATIONS.get((collation or "BINARY").upper())
        is_rowid = number == _ROWID
        if partial or code is None or is_rowid == bool(is_key):
            return None
        if not is_rowid and (column is None or columns.get(fold_case(column), True)):
            return None  # an expression, or a generated column
        item = items[0] if column is None else name_column(column)
        if item not in items:
            items.append(item)
        positions.append(items.index(item))
        orders.append(code | _DESCENDING * bool(descending))
    if root < 1 or len(parts) == 1 or parts[-1][4] != _ROWID:
        return None
    return root, tuple(positions), bytes(orders), len(parts) - 1 if parts[0][2] else 0


def find_doubtful(comparison: Comparison, copy: Path, stop: bytearray) -> list[str]:
    """The tables for which SQLite's own check is wanted; none when stopped. The GIL is released meanwhile.

    stop: ends it once its byte is set. Raises: sqlite3.Error, OSError, ValueError when the copy cannot be opened.
    """
    checker = find_part("_checker")
    assert checker is not None  # noqa: S101 - else nothing would have been planned
    key = int.from_bytes(os.urandom(_KEY_BYTES), "big")
    with copy.open("rb", buffering=0) as file:
        uri = make_uri(copy)
        positions: list[int] | None = checker.find_doubtful(uri, file.fileno(), comparison.tables, key, stop)
    return [*comparison.left_out, *(comparison.names[position] for position in positions or ())]
