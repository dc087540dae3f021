"""The census: what is really stored in each column, over every row.

Layer 1, pure: it is fed batches of rows and never reads anything itself. SQLite keeps any value in any column, so the
declared type is a guess until every value has been looked at; the planner decides on what the census counted, and a
finding names the places that the census kept.

Speed: a batch is turned into columns, and each column is looked at by C-level built-ins (``set(map(type, …))``,
``max(map(len, …))``); values are looked at one by one only where that shows something odd, or where the declared
type makes the text's form matter (dates, JSON, booleans, UUIDs, decimals).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from liteferry.census.columns import ColumnAccumulator
from liteferry.census.forms import (
    FORMS,
    REASONS,
    count_digits,
    read_local_us,
    tell_why_no_time,
    text_form_datetime,
    text_form_time,
)
from liteferry.census.json_forms import text_form_json
from liteferry.census.offences import NOTES, OFFENCES, SAMPLES
from liteferry.census.rows import Batch, Offender, Sink, name_row_by_key
from liteferry.census.shapes import SHAPES
from liteferry.census.values import InvalidText, describe_class, describe_key_value, to_storage
from liteferry.model import Table, TableCensus
from liteferry.typemap import classify_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "FORMS",
    "NOTES",
    "OFFENCES",
    "REASONS",
    "SAMPLES",
    "SHAPES",
    "InvalidText",
    "Offender",
    "TableAccumulator",
    "count_digits",
    "describe_class",
    "describe_key_value",
    "name_row_by_key",
    "read_local_us",
    "start_census",
    "tell_why_no_time",
    "text_form_datetime",
    "text_form_json",
    "text_form_time",
    "to_storage",
]


class TableAccumulator:
    """Takes a table's rows batch by batch; made by `start_census`."""

    def __init__(
        self,
        table: Table,
        demanded: Mapping[str, str],
        conversions: Mapping[str, Sequence[str]],
        sink: Sink | None,
        *,
        is_named: bool,
    ) -> None:
        """Start with no rows."""
        self._is_named = is_named
        self._table = table
        self._rows = 0
        self._max_rowid: int | None = None
        self._columns = [
            ColumnAccumulator(
                column,
                classify_column(
                    table, column, demanded.get(column.name, ""), conversions=conversions.get(column.name, ())
                ),
                sink,
                conversions=conversions.get(column.name, ()),
                forbids_null=column.not_null or (column.pk_position > 0 and column.name != table.rowid_alias),
            )
            for column in table.columns
        ]
        positions = {column.name: index for index, column in enumerate(table.columns)}
        self._key = [(name, positions[name]) for name in table.primary_key]
        self._has_rowid = not table.without_rowid

    def add_batch(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Count a batch: one tuple a row, the values in the table's column order, then the rowid where there is one.

        TEXT is str, or `InvalidText` where it is not UTF-8; BLOB is bytes.
        """
        if not rows:
            return
        self._rows += len(rows)

        batch = Batch(rows, self._key, has_rowid=self._has_rowid, is_named=self._is_named)
        for accumulator, values in zip(self._columns, zip(*rows, strict=True), strict=False):
            accumulator.add(values, batch)
        if self._has_rowid:
            highest = max(row[-1] for row in rows)  # type: ignore[type-var]  # rowids are integers
            if self._max_rowid is None or highest > self._max_rowid:  # type: ignore[operator]  # the same
                self._max_rowid = highest  # type: ignore[assignment]  # the same

    def finish(self) -> TableCensus:
        """Return what was counted."""
        return TableCensus(
            table=self._table.name,
            rows=self._rows,
            columns=tuple(accumulator.finish() for accumulator in self._columns),
            size_bytes=sum(accumulator.size_bytes for accumulator in self._columns),
            max_rowid=self._max_rowid,
        )


def start_census(
    table: Table,
    demanded: Mapping[str, str] = MappingProxyType({}),
    conversions: Mapping[str, Sequence[str]] = MappingProxyType({}),
    sink: Sink | None = None,
    *,
    is_named: bool = True,
) -> TableAccumulator:
    """Begin the census of one table. Pure, but for what the sink does.

    demanded: the PostgreSQL types that cast rules or the target demand, by column name. conversions: what the user
    decided to make of a column's values, as `liteferry.choosing.choose_conversions` gives it. sink: takes every
    offender; the census itself keeps a few. is_named: SQL can ask for the rows by their rowids or keys.
    """
    return TableAccumulator(table, demanded, conversions, sink, is_named=is_named)
