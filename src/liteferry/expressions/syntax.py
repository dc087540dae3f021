"""The parts of SQLite's expressions and SELECT statements, as `liteferry.expressions.parser` gives them.

Layer 1, pure data. One class a construct; nothing is normalised, so that nothing of the meaning is lost: a unary plus,
a name in double quotes and the order of compound operators all stand here as written.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal as OneOf


@dataclass(frozen=True, slots=True)
class Node:
    """Any expression."""


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A literal. value: an int, float, str or bytes; None for NULL."""

    value: int | float | str | bytes | None


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A column, by its parts: ``a``, ``t.a``, ``main.t.a``. quotes: the character before the last part, "" for none."""

    parts: tuple[str, ...]
    quotes: str = ""


@dataclass(frozen=True, slots=True)
class CurrentTime(Node):
    """CURRENT_TIMESTAMP, CURRENT_DATE or CURRENT_TIME, in upper case."""

    word: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """``-x``, ``+x``, ``~x``, ``NOT x``."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """A binary operator in SQLite's first spelling: ``=`` for ``==``, ``<>`` for ``!=``; also ``IS``, ``IS NOT``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Collate(Node):
    """``x COLLATE name``."""

    operand: Node
    collation: str


@dataclass(frozen=True, slots=True)
class Match(Node):
    """``x [NOT] LIKE y [ESCAPE z]``, and GLOB, REGEXP, MATCH."""

    operator: str
    operand: Node
    pattern: Node
    escape: Node | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between(Node):
    """``x [NOT] BETWEEN low AND high``."""

    operand: Node
    low: Node
    high: Node
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InList(Node):
    """``x [NOT] IN (a, b)``."""

    operand: Node
    items: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InSelect(Node):
    """``x [NOT] IN (SELECT …)``; ``x IN table`` is read as ``x IN (SELECT * FROM table)``, which it means."""

    operand: Node
    select: Select
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Exists(Node):
    """``EXISTS (SELECT …)``."""

    select: Select


@dataclass(frozen=True, slots=True)
class Subquery(Node):
    """``(SELECT …)`` as a value."""

    select: Select


@dataclass(frozen=True, slots=True)
class Row(Node):
    """``(a, b)``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Cast(Node):
    """``CAST(x AS type)``."""

    operand: Node
    type: str


@dataclass(frozen=True, slots=True)
class Case(Node):
    """``CASE [base] WHEN … THEN … [ELSE …] END``."""

    base: Node | None
    whens: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


@dataclass(frozen=True, slots=True)
class Ordered:
    """A term of ORDER BY. nulls: FIRST or LAST where written."""

    expression: Node
    descending: bool = False
    nulls: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """What follows OVER. base: the name of another window; frame_sql: upper case, tokens joined by one space."""

    base: str | None = None
    partition: tuple[Node, ...] = ()
    order: tuple[Ordered, ...] = ()
    frame: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function. name: in lower case. star: ``count(*)``. over: a window, or the name of one."""

    name: str
    arguments: tuple[Node, ...] = ()
    star: bool = False
    distinct: bool = False
    order: tuple[Ordered, ...] = ()
    where: Node | None = None
    over: Window | str | None = None


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a SELECT: an expression, or a star (of the table ``star_of``, "" for all). text: as written."""

    expression: Node | None
    alias: str | None = None
    star_of: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class TableSource:
    """A table or view in FROM."""

    name: str
    schema: str | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class SelectSource:
    """A subquery in FROM."""

    select: Select
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class JoinSource:
    """Joins in parentheses in FROM."""

    joins: tuple[Join, ...]


Source = TableSource | SelectSource | JoinSource


@dataclass(frozen=True, slots=True)
class Join:
    """An item of FROM and how it joins what stands before it. kind: CROSS for the comma and for a bare JOIN too."""

    source: Source
    kind: OneOf["CROSS", "INNER", "LEFT", "RIGHT", "FULL"] = "CROSS"
    natural: bool = False
    on: Node | None = None
    using: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Core:
    """SELECT without ORDER BY and LIMIT; or VALUES, when ``rows`` is not empty."""

    columns: tuple[ResultColumn, ...] = ()
    distinct: bool = False
    joins: tuple[Join, ...] = ()
    where: Node | None = None
    group: tuple[Node, ...] = ()
    having: Node | None = None
    windows: tuple[tuple[str, Window], ...] = ()
    rows: tuple[tuple[Node, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class CommonTable:
    """A table of WITH."""

    name: str
    columns: tuple[str, ...]
    select: Select


@dataclass(frozen=True, slots=True)
class Select:
    """A whole SELECT. ``rest``: the compound operators (UNION ALL, …) with what follows each, from left to right."""

    first: Core
    rest: tuple[tuple[str, Core], ...] = ()
    order: tuple[Ordered, ...] = ()
    limit: Node | None = None
    offset: Node | None = None
    with_tables: tuple[CommonTable, ...] = ()


def split_operands(node: Node, operator: str) -> list[Node]:
    """List the operands of ``a AND b AND c``, or of OR, from the left; the node itself when it is neither. Pure."""
    found: list[Node] = []
    waiting = [node]  # no recursion: generated SQL joins thousands
    while waiting:
        node = waiting.pop()
        if isinstance(node, Binary) and node.operator == operator:
            waiting += [node.right, node.left]
        else:
            found.append(node)
    return found


def list_children(node: Node) -> list[Node]:
    """List the expressions that a node is made of; those of a subquery or a window are not among them. Pure."""
    found: list[Node] = []
    waiting: list[object] = [getattr(node, field.name) for field in reversed(fields(node))]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Node):
            found.append(part)
        elif isinstance(part, tuple):
            waiting += reversed(part)
    return found
