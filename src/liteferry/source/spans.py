"""Cutting a table into spans of rowids that can be read side by side.

Layer 2. Used through `source.snapshot`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.model import Span
from liteferry.source.select import name_rowid, quote_sqlite_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import Table
    from liteferry.source.connection import SourceConnection

_SPARSE: Final = 4
"""How many times as many rowids as rows there may be for equal stretches of them to hold about equally many rows."""


def cut_spans(connection: SourceConnection, table: Table, rows: int, count: int) -> tuple[Span, ...]:
    """Cut a table into spans that together hold every row once, about equally many each, in the order of the rowids.

    rows: how many there are, about; count: how many spans are wanted, and the most that there will be. The first has no
    lower end and the last no upper one. Empty where the rows have no rowid that can be named, or there is nothing to
    cut.
    """
    rowid = name_rowid(table)
    if rowid is None or count < 2 or rows < count:
        return ()
    place = f"main.{quote_sqlite_name(table.name)} AS t NOT INDEXED"
    low = _ask(connection, f"SELECT {rowid} FROM {place} ORDER BY {rowid} LIMIT 1")
    high = _ask(connection, f"SELECT {rowid} FROM {place} ORDER BY {rowid} DESC LIMIT 1")
    if low is None or high is None or low == high:
        return ()
    width = high - low + 1
    if width <= _SPARSE * rows:
        cuts = [low + width * number // count for number in range(1, count)]
    else:  # rowids far apart, or in heaps: the rows themselves are counted, which reads the table's pages once
        cuts, step = [], -(-rows // count)
        while len(cuts) < count - 1:
            sql = f"SELECT {rowid} FROM {place} WHERE {rowid} >= {low} ORDER BY {rowid} LIMIT 1 OFFSET {step}"
            found = _ask(connection, sql)
            if found is None:
                break
            cuts.append(found)
            low = found
    return make_spans(sorted(set(cuts)))


def make_spans(cuts: Sequence[int]) -> tuple[Span, ...]:
    """The spans between cuts, each the first rowid of a span but for the first one's. Pure."""
    if not cuts:
        return ()
    lows: list[int | None] = [None, *cuts]
    highs: list[int | None] = [*(cut - 1 for cut in cuts), None]
    return tuple(Span(low=low, high=high) for low, high in zip(lows, highs, strict=True))


def _ask(connection: SourceConnection, sql: str) -> int | None:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else None
