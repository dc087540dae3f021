"""The compiled census: which values of a column are ordinary, and who counts the others.

Layer 2. `liteferry.census` says what is to be counted. Here a column's rules are made, by which the compiled part knows
the values of which nothing is to be said but their number, their extremes, their form or shape: it counts these. Every
other value is handed to the column's accumulator, so that offences, notes, samples and reasons have one maker. Where a
rule would not surely count as the accumulator does, there is none, and all values of the class are handed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from liteferry.census import InvalidText
from liteferry.census.tally import Tally
from liteferry.conversions import LAST_KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Lock
    from types import ModuleType

    from liteferry.census import TableAccumulator
    from liteferry.census.columns import ColumnAccumulator

_ODD: Final = 0  # of every class: none is ordinary
_INT_BETWEEN, _INT_DIGITS = 1, 2
_REAL_ANY, _REAL_FINITE, _REAL_SINGLE, _REAL_DECIMAL = 1, 2, 3, 4
_TEXT_PLAIN, _TEXT_DECIMAL = 1, 2
_TEXT_FORMS: Final = {"datetime": 3, "date": 4, "time": 5, "json": 6, "uuid": 7, "bool": 8}
_BLOB_ANY, _BLOB_UUID = 1, 2

_LEAST, _GREATEST = -(1 << 63), (1 << 63) - 1
_EXACT_DOUBLE: Final = 1 << 53
_EXACT_SINGLE: Final = 1 << 24
"""Every integer up to these is exactly a number of double, or of single precision."""


def make_rules(column: ColumnAccumulator) -> tuple[Any, ...]:
    """Say which values of a column are ordinary, as the compiled part takes it. Pure."""
    declared, family = column.declared, column.declared.family
    holds = column.holds
    if set(column.conversions) - {LAST_KEY} or (column.is_undeclared and not column.expected):
        holds = frozenset()
    whole, fraction = -1, declared.fraction_digits
    takes_digits = True
    if family == "decimal" and declared.precision is not None:
        fraction = declared.scale or 0
        whole = declared.precision - fraction
        takes_digits = 0 <= fraction <= declared.precision
    low, high = _LEAST, _GREATEST
    if declared.pg_type == "real":
        low, high = -_EXACT_SINGLE, _EXACT_SINGLE
    elif family == "real":
        low, high = -_EXACT_DOUBLE, _EXACT_DOUBLE
    elif family == "bool":
        low, high = 0, 1
    elif family == "integer":
        low, high = -(1 << declared.integer_bits - 1), (1 << declared.integer_bits - 1) - 1
    integer_rule, real_rule = _INT_BETWEEN, _REAL_ANY if family == "real" else _REAL_FINITE
    if declared.pg_type == "real":
        real_rule = _REAL_SINGLE
    if family == "decimal":
        integer_rule = _INT_DIGITS if whole >= 0 else _INT_BETWEEN
        real_rule = _REAL_DECIMAL
    if column.look is not None:
        text_rule = _TEXT_FORMS.get(family, _ODD)
    else:
        text_rule = _TEXT_DECIMAL if family == "decimal" else _TEXT_PLAIN
    return (
        column.forbids_null,
        integer_rule if int in holds and takes_digits else _ODD,
        low,
        high,
        real_rule if float in holds and takes_digits else _ODD,
        text_rule if str in holds and takes_digits else _ODD,
        (_BLOB_UUID if family == "uuid" else _BLOB_ANY) if bytes in holds else _ODD,
        whole,
        fraction,
        -1 if declared.length is None or family != "text" else declared.length,
    )


def count_rows(
    part: ModuleType,
    reader: object,
    sql: str,
    accumulator: TableAccumulator,
    guard: Lock,
    *,
    has_rowid: bool,
    first_order: int,
    tell: Callable[[int], None],
) -> int:
    """Count the rows that a SELECT gives into the accumulator; returns how many they are.

    sql: gives the table's columns, then the rowid where there is one. part, reader: the compiled part and what its
    ``open_reader`` gave, for this thread alone. guard: keeps the accumulator for one thread at a time. first_order: the
    first row's place among the table's. tell: is called now and then with the rows that were counted so far; what it
    raises ends the counting.

    Raises: sqlite3.OperationalError.
    """

    def take(odd: list[Any], firsts: list[Any]) -> None:
        with guard:
            for column, values, keys, orders in odd:
                accumulator.add_values(column, values, keys, orders)
            for column, shape, key, order in firsts:
                accumulator.place_shape(column, shape, key, order)

    rules = tuple(map(make_rules, accumulator.columns))
    rows, max_rowid, tallies = part.count(
        reader, sql, rules, accumulator.key_positions, has_rowid, first_order, InvalidText, take, tell
    )
    found = [
        Tally(name=column.column.name, **tally) for column, tally in zip(accumulator.columns, tallies, strict=True)
    ]
    with guard:
        accumulator.add_tally(rows, max_rowid, found)
    return int(rows)
