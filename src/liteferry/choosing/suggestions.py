"""What the values of a column speak for, although nothing declared says so: shown by `inspect`, never applied.

Layer 1, pure. A suggestion is only made where every value was looked at and every one fits, so that taking it leaves
nothing to decide about values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.choosing import map_column
from liteferry.model import Options
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from liteferry.model import Catalog, Census, Column, ColumnCensus
    from liteferry.typemap import TypeChoice

_FEWEST: Final = 3
"""Fewer values than this say nothing about a column."""
_EPOCH_UNITS: Final = MappingProxyType({"epoch-s": 1, "epoch-ms": 10**3, "epoch-us": 10**6})
_UNIT_WORDS: Final = MappingProxyType({"epoch-s": "seconds", "epoch-ms": "milliseconds", "epoch-us": "microseconds"})
_EARLIEST_S: Final = 946_684_800  # 2000-01-01
_LATEST_S: Final = 2_208_988_800  # 2040-01-01
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A type that all values of a column would fit. Never applied: only the user knows what the values mean."""

    why: str  # what the values are
    pg_type: str = ""  # the type that they would fit; "" where the values are only worth knowing
    way: str = ""  # the conversion that it takes, for --on-misfit


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChoice:
    """What a column becomes in PostgreSQL without any decision, and what could be decided instead."""

    table: str
    column: str
    pg_type: str  # where findings stand in the way: the one that accepting them leads to
    rule: str  # which rule of liteferry.typemap.RULES chose the type
    findings: tuple[str, ...] = ()  # the codes of the findings that must be decided first
    suggestions: tuple[Suggestion, ...] = ()


def choose_columns(catalog: Catalog, census: Census, options: Options | None = None) -> tuple[ColumnChoice, ...]:
    """Choose the type of every column that was counted, and suggest others. Pure."""
    options = options or Options()
    counted = {table.table: table for table in census.tables}
    linked = _find_linked(catalog)
    found = []
    for table in catalog.tables:
        for column in table.columns if table.name in counted else ():
            stored = counted[table.name].column(column.name)
            choice = map_column(table, column, stored, options)
            blocking = tuple(dict.fromkeys(finding.code for finding in choice.findings if finding.blocks))
            is_linked = (fold_case(table.name), fold_case(column.name)) in linked
            found.append(
                ColumnChoice(
                    table=table.name,
                    column=column.name,
                    pg_type=choice.pg_type,
                    rule=choice.rule,
                    findings=blocking,
                    suggestions=() if blocking else suggest_types(column, stored, choice, is_linked=is_linked),
                )
            )
    return tuple(found)


def _find_linked(catalog: Catalog) -> frozenset[tuple[str, str]]:
    """The columns of foreign keys, on both sides, folded."""
    return frozenset(
        (fold_case(owner), fold_case(name))
        for table in catalog.tables
        for key in table.foreign_keys
        for owner, names in ((table.name, key.columns), (key.parent_table, key.parent_columns))
        for name in names
    )


def suggest_types(
    column: Column, census: ColumnCensus, choice: TypeChoice, *, is_linked: bool = False
) -> tuple[Suggestion, ...]:
    """Suggest types that every value of a column fits. Pure. is_linked: it is in a foreign key, on either side.

    Nothing is suggested for generated columns, nor for numbers of keys.
    """
    stored = census.rows - census.nulls
    if stored < _FEWEST or column.generated:
        return ()
    if census.texts == stored and choice.kind == "text":
        found = _suggest_for_texts(census)
    elif census.blobs == stored and choice.kind == "bytea":
        found = _suggest_for_blobs(census)
    elif census.integers == stored and choice.kind == "int8" and not is_linked and not column.pk_position:
        found = _suggest_for_integers(census)
    else:
        return ()
    if found is None:
        return ()
    if is_linked and found.pg_type:
        why = f"{found.why}; the columns at the other end of its foreign keys must become the same"
        return (Suggestion(why=why, pg_type=found.pg_type, way=found.way),)
    return (found,)


_TEXT_TYPES: Final = (
    (("uuid-dashed",), "uuid", "UUIDs"),
    (("uuid-hex",), "uuid", "32 hexadecimal digits, as UUIDs have them, and MD5 sums"),
    (("uuid-dashed", "uuid-hex"), "uuid", "UUIDs, with and without hyphens"),
    (("json-object",), "jsonb", "JSON objects that jsonb keeps by value"),
    (("json-array",), "jsonb", "JSON arrays that jsonb keeps by value"),
    (("json-object", "json-array"), "jsonb", "JSON that jsonb keeps by value"),
    (("json-object", "json-array", "json-only"), "json", "JSON, some of which jsonb would change or refuse"),
    (("date",), "date", "ISO dates"),
    (("datetime-tz",), "timestamptz", "ISO dates and times with an offset"),
    (("datetime", "date"), "timestamp", "ISO dates and times without an offset"),
    (("time",), "time", "times of day"),
    (("bool-word",), "boolean", "words for true and false"),
)
"""The first whose shapes all texts have."""


def _suggest_for_texts(census: ColumnCensus) -> Suggestion | None:
    for shapes, pg_type, words in _TEXT_TYPES:
        if sum(map(census.shape, shapes)) == census.texts:
            return Suggestion(why=f"all {census.texts:,} texts are {words}", pg_type=pg_type)
    return None


def _suggest_for_blobs(census: ColumnCensus) -> Suggestion | None:
    if census.shape("uuid-blob") == census.blobs:
        # in one byte order or the other (.NET writes the first half backwards): no type can be chosen for them
        return Suggestion(why=f"all {census.blobs:,} blobs have 16 bytes, as UUIDs do")
    if census.shape("text-blob") == census.blobs:
        return Suggestion(why=f"all {census.blobs:,} blobs are UTF-8 text")
    return None


def _suggest_for_integers(census: ColumnCensus) -> Suggestion | None:
    low, high = census.min_integer, census.max_integer
    if low is None or high is None:
        return None
    if (low, high) == (0, 1):
        return Suggestion(why=f"all {census.integers:,} integers are 0 or 1", pg_type="boolean")
    for way, unit in _EPOCH_UNITS.items():
        if low >= _EARLIEST_S * unit and high < _LATEST_S * unit:
            first, last = (_EPOCH + timedelta(seconds=number // unit) for number in (low, high))
            why = (
                f"all {census.integers:,} integers, taken for {_UNIT_WORDS[way]} since 1970, lie between "
                f"{first:%Y-%m-%d} and {last:%Y-%m-%d}"
            )
            return Suggestion(why=why, pg_type="timestamptz", way=way)
    return None
