"""CHECKs that the census has answered: every row holds them, so that SQLite need not evaluate them again.

Layer 1, pure. Only what is certain from a column's counts: comparisons of a column that holds nothing but numbers with
a number, and json_valid() of one that holds nothing but JSON; and all of that joined by AND.
"""

from __future__ import annotations

import operator
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.expressions import syntax as s
from liteferry.expressions.json_checks import name_column, read_json_test
from liteferry.expressions.parser import parse_expression
from liteferry.sqlite_ddl import DdlError, fold_case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from liteferry.model import ColumnCensus, TableCensus

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = MappingProxyType(
    {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
)


def is_held(check_sql: str, counted: TableCensus) -> bool:
    """Whether every row of the census surely holds a CHECK, which NULL does. Pure."""
    try:
        node = parse_expression(check_sql)
    except DdlError:
        return False
    columns = {fold_case(column.name): column for column in counted.columns if column.name}  # "" names no column below
    return all(
        _holds_json(part, counted.table, columns) or _holds_comparison(part, counted.table, columns)
        for part in s.split_operands(node, "AND")
    )


def _holds_json(node: s.Node, table: str, columns: Mapping[str, ColumnCensus]) -> bool:
    """json_valid() takes whatever RFC 8259 does."""
    name, takes_null = read_json_test(node, table)
    column = columns.get(name)
    return (
        column is not None
        and column.forms_of == "json"
        and column.form("json-jsonb") + column.nulls == column.rows
        and (takes_null or not column.nulls)
    )


def _holds_comparison(node: s.Node, table: str, columns: Mapping[str, ColumnCensus]) -> bool:
    """``column >= 0`` and the like. Between the extremes, all values compare as they do."""
    if not (isinstance(node, s.Binary) and node.operator in _COMPARISONS and isinstance(node.right, s.Literal)):
        return False
    bound, column = node.right.value, columns.get(name_column(node.left, table))
    if not isinstance(bound, int | float) or column is None or column.texts or column.blobs:
        return False
    if column.positive_infinities or column.negative_infinities:
        return False
    extremes = (column.min_integer, column.max_integer, column.min_real, column.max_real)
    compare = _COMPARISONS[node.operator]
    return all(value is None or compare(value, bound) for value in extremes)
