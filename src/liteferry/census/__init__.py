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
from typing import TYPE_CHECKING, Final

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

    from liteferry.census.tally import Tally

__all__ = [
    "FIRST_VALUES",
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


FIRST_VALUES: Final = 1000
"""So many values of a column without a type say which storage class the others ought to have."""


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
        self.columns = [
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
        orders = range(self._rows, self._rows + len(rows))
        self._rows += len(rows)

        batch = Batch(rows, self._key, orders, has_rowid=self._has_rowid, is_named=self._is_named)
        for accumulator, values in zip(self.columns, zip(*rows, strict=True), strict=False):
            accumulator.add(values, batch)
        if self._has_rowid:
            self._raise_rowid(max(row[-1] for row in rows))  # type: ignore[type-var, arg-type]  # rowids are integers

    def _raise_rowid(self, highest: int) -> None:
        if self._max_rowid is None or highest > self._max_rowid:
            self._max_rowid = highest

    def list_undeclared(self) -> tuple[str, ...]:
        """The columns without a type, of which the first `FIRST_VALUES` values say which storage class belongs there.

        Unless `expect_storage` tells, these are taken to be those of the first batch.
        """
        return tuple(accumulator.column.name for accumulator in self.columns if accumulator.is_undeclared)

    def expect_storage(self, counted: Mapping[str, Mapping[str, int]]) -> None:
        """Say how many of a column's first values have each storage class, as ``typeof()`` names it."""
        for accumulator in self.columns:
            if accumulator.column.name in counted:
                accumulator.expect_storage(counted[accumulator.column.name])

    # what the compiled census hands over: it counts ordinary values itself

    @property
    def key_positions(self) -> tuple[int, ...]:
        """The positions of the primary key's columns: of what a row's key for `add_values` consists, then the rowid."""
        return tuple(position for _, position in self._key)

    def add_tally(self, rows: int, max_rowid: int | None, tallies: Sequence[Tally]) -> None:
        """Add rows whose values were counted elsewhere, one tally a column, or are handed to `add_values`."""
        self._rows += rows
        if max_rowid is not None:
            self._raise_rowid(max_rowid)
        for accumulator, tally in zip(self.columns, tallies, strict=True):
            accumulator.add_tally(tally)

    def add_values(
        self, column: int, values: Sequence[object], keys: Sequence[tuple[object, ...]], orders: Sequence[int]
    ) -> None:
        """Count values of one column. keys: of their rows; orders: the rows' places among the table's, ascending."""
        self.columns[column].add(values, self._name_keys(keys, orders))

    def place_shape(self, column: int, shape: str, key: tuple[object, ...], order: int) -> None:
        """Keep the key of a row whose value was counted elsewhere, if it is the first with the shape."""
        self.columns[column].place_shape(shape, order, self._name_keys([key], [order]).describe(0))

    def _name_keys(self, keys: Sequence[tuple[object, ...]], orders: Sequence[int]) -> Batch:
        parts = [(name, place) for place, (name, _) in enumerate(self._key)]
        return Batch(keys, parts, orders, has_rowid=self._has_rowid, is_named=self._is_named)

    def finish(self) -> TableCensus:
        """Return what was counted."""
        return TableCensus(
            table=self._table.name,
            rows=self._rows,
            columns=tuple(accumulator.finish() for accumulator in self.columns),
            size_bytes=sum(accumulator.size_bytes for accumulator in self.columns),
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
