"""Which columns a table's CHECKs allow nothing but JSON in.

Layer 1, pure. Cheap to import: the parser, and none of the translator.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from liteferry.expressions import syntax as s
from liteferry.expressions.parser import parse_expression
from liteferry.sqlite_ddl import DdlError, fold_case

_EQUAL: Final = frozenset({"=", "IS"})


@lru_cache(maxsize=1024)  # it is asked for each column of the table
def find_json_columns(check: str, table: str) -> frozenset[str]:
    """The columns, folded (`fold_case`), that one CHECK of the table allows only JSON and NULL in. Pure.

    Only the operands of the outermost ANDs count: every row passes all of them, whatever the others say. Under a NOT,
    beside an OR or within a CASE, json_valid() may be what a row is let in without.
    """
    try:
        node = parse_expression(check)
    except DdlError:
        return frozenset()
    found = (_match_json_check(part, table) for part in s.split_operands(node, "AND"))
    return frozenset(name for name in found if name)


def read_json_test(node: s.Node, table: str) -> tuple[str, bool]:
    """The column, folded, of an expression that asks for nothing but JSON in it, "" for any other. Pure.

    With whether NULL holds it by ``OR column IS NULL``; without, that is for SQLite to say: json_valid(NULL) was 0
    before it was NULL.
    """
    takes_null = any(map(_is_null_test, s.split_operands(node, "OR")))
    return _match_json_check(node, table), takes_null


def _match_json_check(node: s.Node, table: str) -> str:
    """The column of ``json_valid(column)``, with or without ``OR column IS NULL`` beside it; or ""."""
    tested, null = set[str](), set[str]()
    for part in s.split_operands(node, "OR"):
        if isinstance(part, s.Binary) and _is_null_test(part):
            null.add(name_column(part.left, table))
        else:
            tested.add(_name_tested(part, table))
    return tested.pop() if len(tested) == 1 and null <= tested else ""


def _is_null_test(node: s.Node) -> bool:
    return isinstance(node, s.Binary) and node.operator == "IS" and node.right == s.Literal(None)


def _name_tested(node: s.Node, table: str) -> str:
    """The column of ``json_valid(column)``, perhaps with ``= 1`` or ``IS TRUE`` behind it; or ""."""
    if isinstance(node, s.Binary) and node.operator in _EQUAL and _is_true(node.right):
        node = node.left
    if isinstance(node, s.Call) and node == s.Call("json_valid", node.arguments) and len(node.arguments) == 1:
        return name_column(node.arguments[0], table)
    return ""


def _is_true(node: s.Node) -> bool:
    if isinstance(node, s.Name):
        return not node.quotes and [part.upper() for part in node.parts] == ["TRUE"]
    return isinstance(node, s.Literal) and type(node.value) is int and node.value == 1


def name_column(node: s.Node, table: str) -> str:
    """The column that a name means, folded; "" for anything else, another table's column among it."""
    if not isinstance(node, s.Name) or any(fold_case(part) != fold_case(table) for part in node.parts[-2:-1]):
        return ""
    return fold_case(node.parts[-1])
