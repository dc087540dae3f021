"""The expressions of tables and indexes: defaults, CHECKs, predicates, generated columns, keys.

Layer 1, pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions import syntax as s
from liteferry.expressions.data import Translation
from liteferry.expressions.parser import parse_expression
from liteferry.expressions.scalar import ScalarTranslator
from liteferry.expressions.storing import store_literal, store_term
from liteferry.expressions.terms import Term, Volatility, as_condition, make_column
from liteferry.sqlite_ddl import DdlError, fold_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.expressions.data import ColumnType

ROWID_NAMES: Final = frozenset({"rowid", "_rowid_", "oid"})
_HEX = r"hex\(randomblob\({}\)\)"
_RANDOM_UUID: Final = re.compile(
    # the expression that goes round for a random UUID: 8-4-4-4-12 hexadecimal digits with the version and variant
    rf"lower\({_HEX.format(4)}\)\|\|'-'\|\|lower\({_HEX.format(2)}\)\|\|'-4'\|\|substr\(lower\({_HEX.format(2)}\),2\)"
    rf"\|\|'-'\|\|substr\('89ab',\(?abs\(random\(\)\)%4\)?\+1,1\)\|\|substr\(lower\({_HEX.format(2)}\),2\)\|\|'-'\|\|"
    rf"lower\({_HEX.format(6)}\)"
)
_NOW: Final = frozenset({"current_timestamp", "datetime('now')", "datetime()"})
_RANDOM_HEX: Final = re.compile(rf"(?:lower\({_HEX.format(16)}\)|{_HEX.format(16)})")


class TableScope:
    """The columns of one table."""

    def __init__(self, columns: Sequence[ColumnType], *, forbid_generated: bool = False) -> None:
        """Look names up among the columns; a generated one is refused where it may not be used."""
        self._columns = {fold_case(column.source): column for column in columns}
        self._rowid = next((column for column in columns if column.rowid), None)
        self._forbid_generated = forbid_generated

    def resolve(self, parts: tuple[str, ...]) -> Term | None:
        """The column of that name, None when there is none."""
        name = fold_case(parts[-1])
        column = self._columns.get(name)
        if column is None and name in ROWID_NAMES:
            column = self._rowid
        if column is None:
            return None
        if column.generated and self._forbid_generated:
            raise Untranslatable(f"it uses {column.source}, which is generated itself")
        return make_column(column)


class _NoScope:
    """Where there are no columns: any name is a word."""

    def resolve(self, _: tuple[str, ...]) -> Term | None:
        return None


def _parse(sql: str) -> s.Node:
    try:
        return parse_expression(sql)
    except DdlError as error:
        raise Untranslatable(f"liteferry cannot read it: {error}") from error


def _translate(sql: str, scope: TableScope | _NoScope) -> Term:
    try:
        return ScalarTranslator(scope).translate(_parse(sql))
    except RecursionError:
        raise Untranslatable("it is nested too deeply") from None


def _require_immutable(term: Term, what: str) -> None:
    if term.volatility is not Volatility.IMMUTABLE:
        raise Untranslatable(f"{what} must give the same result whenever it is computed, but its value depends on more")


def check(sql: str, columns: Sequence[ColumnType]) -> Translation:
    """Translate a CHECK. Pure. Raises: Untranslatable."""
    term = as_condition(_translate(sql, TableScope(columns)))
    if term.volatility is Volatility.VOLATILE:
        raise Untranslatable("a CHECK with a random value")
    return Translation(sql=term.sql, kind="bool", implied_by_type=term.always)


def predicate(sql: str, columns: Sequence[ColumnType]) -> Translation:
    """Translate a partial index's WHERE. Pure. Raises: Untranslatable."""
    term = as_condition(_translate(sql, TableScope(columns)))
    _require_immutable(term, "an index's condition")
    return Translation(sql=term.sql, kind="bool", implied_by_type=term.always and term.not_null)


def generated(sql: str, columns: Sequence[ColumnType], column: ColumnType) -> Translation:
    """Translate a generated column. Pure. Raises: Untranslatable."""
    scope = TableScope(columns, forbid_generated=True)
    term = _translate(sql, scope)
    _require_immutable(term, "a generated column")
    _refuse_constant_comparisons(_parse(sql), scope)
    text = store_term(term, column)
    if column.kind == "text" and not (term.kind == "text" or column.affinity == "TEXT"):
        raise Untranslatable(f"it gives {term.kind}, which SQLite would not store as text in column {column.source}")
    if term.kind in {"int2", "int4", "int8"} and column.affinity != "REAL" and "real" in column.storage:
        raise Untranslatable(
            "some rows give numbers beyond 64 bits, which SQLite computes as floating-point numbers and PostgreSQL"
            " refuses"
        )
    if "to_char(" in text:
        raise Untranslatable("it writes a time as text, which PostgreSQL does not call immutable")
    return Translation(sql=f"({text})::{column.pg_type}" if term.is_null else text, kind=column.kind)


_COMPARING_OPERATORS: Final = frozenset({"=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT"})
_COMPARING_CALLS: Final = frozenset({"glob", "instr", "like", "max", "min", "nullif", "replace"})


def _refuse_constant_comparisons(node: s.Node, scope: TableScope) -> None:
    """Refuse what compares texts of which none is a column's, wherever it stands.

    PostgreSQL computes constants before it has given a generated column's expression its collations, and fails with
    42P22 even where a COLLATE is written: seen on 15, 17 and 18.
    """
    waiting = [node]
    while waiting:
        node = waiting.pop()
        waiting += s.list_children(node)
        if any(_is_constant_text(compared, scope) for compared in _list_compared(node)):
            raise Untranslatable("a generated column that compares texts none of which is a column's")


def _list_compared(node: s.Node) -> list[tuple[s.Node, ...]]:
    """What a node compares with what. Pure."""
    match node:
        case s.Binary() if node.operator in _COMPARING_OPERATORS:
            return [(node.left, node.right)]
        case s.Match():
            return [(node.operand, node.pattern)]
        case s.Between():
            return [(node.operand, node.low), (node.operand, node.high)]
        case s.InList():
            return [(node.operand, item) for item in node.items]
        case s.Case(base=base) if base is not None:
            return [(base, when) for when, _ in node.whens]
        case s.Call() if node.name in _COMPARING_CALLS:
            return [node.arguments]
        case _:
            return []


def _is_constant_text(nodes: tuple[s.Node, ...], scope: TableScope) -> bool:
    """Whether no column is read, and a text or a function's result is among the parts."""
    waiting, has_text = list(nodes), False
    while waiting:
        part = waiting.pop()
        waiting += s.list_children(part)
        if isinstance(part, s.Name) and scope.resolve(part.parts) is not None:
            return False
        is_text = isinstance(part, s.Literal) and isinstance(part.value, str)
        is_word = isinstance(part, s.Name) and part.quotes == '"'
        has_text = has_text or is_text or is_word or isinstance(part, s.Call | s.Cast)
    return has_text


def index_key(sql: str, columns: Sequence[ColumnType]) -> Translation:
    """Translate an index's key. Pure. Raises: Untranslatable."""
    term = _translate(sql, TableScope(columns))
    _require_immutable(term, "an index's key")
    if term.explicit and term.collation not in (None, "BINARY"):
        raise Untranslatable(f"COLLATE {term.collation} within an index's key")
    if term.is_null:
        raise Untranslatable("an index on NULL")
    return Translation(sql=term.sql, kind=term.kind)


def default(sql: str, column: ColumnType) -> Translation:
    """Translate a DEFAULT. Pure. Raises: Untranslatable."""
    node = _parse(sql)
    if isinstance(node, s.Name) and len(node.parts) == 1:
        word = node.parts[0]
        if not node.quotes and word.lower() in ("true", "false"):
            return Translation(sql=store_literal(int(word.lower() == "true"), column), kind=column.kind)
        return Translation(sql=store_literal(word, column), kind=column.kind)  # DEFAULT word is DEFAULT 'word'
    squeezed = re.sub(r"\s+", "", sql).lower()
    while squeezed.startswith("(") and squeezed.endswith(")"):
        squeezed = squeezed[1:-1]
    if not isinstance(node, s.Literal):  # which the storing itself measures
        _check_room(_UUID_LENGTH if _RANDOM_UUID.fullmatch(squeezed) else _measure_text(node), column)
    if column.kind == "uuid" and _RANDOM_UUID.fullmatch(squeezed):
        return Translation(sql="gen_random_uuid()", kind="uuid")
    if column.kind == "text" and column.affinity == "TEXT" and _RANDOM_UUID.fullmatch(squeezed):
        return Translation(sql="gen_random_uuid()::text", kind="text")
    try:
        term = ScalarTranslator(_NoScope()).translate(node)
    except RecursionError:
        raise Untranslatable("it is nested too deeply") from None
    if column.kind == "uuid" and _RANDOM_HEX.fullmatch(squeezed):
        return Translation(sql=f"({term.operand}::uuid)", kind="uuid")
    if term.is_null:
        return Translation(sql="NULL", kind=None)
    if column.kind == "timestamptz" and squeezed in _NOW:
        return Translation(sql="date_trunc('second', statement_timestamp())", kind="timestamptz")
    stored = store_term(term, column)
    if column.kind == "numeric" and not term.literal and "(" in column.pg_type:
        raise Untranslatable(f"the number that it computes may have more digits than {column.pg_type}")
    # DEFAULT takes no operator like AT TIME ZONE or AND without parentheses
    return Translation(sql=stored if term.literal else f"({stored})", kind=column.kind)


_UUID_LENGTH: Final = 36
_MAX_LENGTH: Final = re.compile(r"\((\d+)\)")
_CLOCK_LENGTHS: Final = {"CURRENT_TIMESTAMP": 19, "CURRENT_DATE": 10, "CURRENT_TIME": 8}
_CALL_LENGTHS: Final = {"datetime": 19, "date": 10, "time": 8}


def _check_room(length: int, column: ColumnType) -> None:
    """Refuse a text that is surely longer than the column takes: each INSERT that leaves it out would fail."""
    limit = _MAX_LENGTH.search(column.pg_type) if column.kind == "text" else None
    if limit and length > int(limit[1]):
        raise Untranslatable(f"its text has {length} characters, more than {column.pg_type} takes")


def _measure_text(node: s.Node) -> int:
    """How many characters the text of an expression without columns has at the least. Pure."""
    match node:
        case s.Literal(value=str(value)):
            return len(value)
        case s.CurrentTime(word=word):
            return _CLOCK_LENGTHS[word]
        case s.Binary(operator="||"):
            return sum(_measure_text(part) for part in s.split_operands(node, "||"))
        case s.Call(name="hex", arguments=(s.Call(name="randomblob", arguments=(s.Literal(value=int(size)),)),)):
            return 2 * max(size, 1)
        case s.Call(name="lower" | "upper", arguments=(argument,)):
            return _measure_text(argument)
        case s.Call(name=name):
            return _CALL_LENGTHS.get(name, 0)
        case _:
            return 0
