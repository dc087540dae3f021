"""Expressions: each construct that is known to mean the same, and a refusal for all others.

Layer 1, pure. `ScalarTranslator` knows constraints, defaults and index keys; `views.SelectTranslator` adds subqueries,
aggregates and windows.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from liteferry.errors import Untranslatable
from liteferry.expressions import syntax as s
from liteferry.expressions.comparisons import compare, compare_any
from liteferry.expressions.datetimes import DATE_FUNCTIONS, current
from liteferry.expressions.functions import FUNCTIONS, REFUSED, translate_hex
from liteferry.expressions.patterns import translate_glob, translate_like
from liteferry.expressions.terms import (
    INTEGER,
    NUMBER,
    REAL,
    TEXT,
    Term,
    Volatility,
    as_bigint,
    as_condition,
    as_float,
    as_number,
    as_text,
    describe,
    describe_storage,
    make_condition,
    make_expression,
    make_literal,
    merge,
    unify,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from liteferry.model import Affinity

_COMPARISONS: Final = frozenset({"<", "<=", ">", ">=", "=", "<>", "IS", "IS NOT"})
_TRUTH: Final = {"true": 1, "false": 0}
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_SUBQUERY: Final = "a subquery, which PostgreSQL allows only in views"
_BITS: Final = {"&": "&", "|": "|"}


_METHODS: Final[dict[type[s.Node], str]] = {
    s.Literal: "_literal",
    s.Name: "_name",
    s.CurrentTime: "_current",
    s.Unary: "_unary",
    s.Binary: "_binary",
    s.Collate: "_collate",
    s.Match: "_match",
    s.Between: "_between",
    s.InList: "_in_list",
    s.InSelect: "_in_select",
    s.Exists: "_exists",
    s.Subquery: "_subquery",
    s.Row: "_row",
    s.Case: "_case",
    s.Cast: "_cast",
    s.Call: "_call",
}
"""The method that translates each construct; there are no others."""


class Scope(Protocol):
    """Where names are looked up."""

    def resolve(self, parts: tuple[str, ...]) -> Term | None:
        """The column of that name, None when there is none."""


def cast_affinity(type_text: str) -> Affinity:
    """The affinity of a declared type. Pure. Source: https://sqlite.org/datatype3.html, section 3.1."""
    upper = type_text.upper()
    if "INT" in upper:
        return "INTEGER"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in upper or not upper:
        return "BLOB"
    if any(word in upper for word in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


class ScalarTranslator:
    """Translates expressions whose names a scope resolves."""

    def __init__(self, scope: Scope) -> None:
        """Look names up in the scope."""
        self._scope = scope

    def translate(self, node: s.Node) -> Term:
        """Translate an expression. Raises: Untranslatable."""
        translate: Callable[[s.Node], Term] = getattr(self, _METHODS[type(node)])
        return translate(node)

    def translate_value(self, node: s.Node) -> Term:
        """Translate an operand of anything but a comparison, where a COLLATE would reach further than is known."""
        term = self.translate(node)
        if term.explicit and term.collation != "BINARY":
            raise Untranslatable(f"COLLATE {term.collation} within a larger expression")
        return term

    # names and literals

    def _literal(self, node: s.Literal) -> Term:
        return make_literal(node.value)

    def _name(self, node: s.Name) -> Term:
        term = self._scope.resolve(node.parts)
        if term is not None:
            return term
        name = ".".join(node.parts)
        if len(node.parts) == 1 and not node.quotes and name.lower() in _TRUTH:
            return make_literal(_TRUTH[name.lower()])
        if len(node.parts) == 1 and node.quotes == '"':
            return make_literal(name)  # SQLite takes a name in double quotes that names nothing for a text
        raise Untranslatable(f"{name} names no column that is carried over")

    def _current(self, node: s.CurrentTime) -> Term:
        return current(node.word)

    # operators

    def _unary(self, node: s.Unary) -> Term:
        if node.operator == "NOT":
            condition = as_condition(self.translate_value(node.operand))
            return make_condition(f"NOT {condition.operand}", [condition])
        if node.operator == "+":
            return replace(self.translate(node.operand), affinity=None, column=None)
        operand = self.translate_value(node.operand)
        if node.operator == "~":
            bits = as_bigint(operand, "~")
            return make_expression(f"~{bits.operand}", "int8", [bits], storage=INTEGER)
        if operand.literal and isinstance(operand.literal.value, int | float) and operand.literal.value != -(2**63):
            return make_literal(-operand.literal.value)
        number = as_number(operand, "-")
        if number.storage <= INTEGER:
            number = as_bigint(number, "-")
        return make_expression(f"- {number.operand}", number.kind or "int8", [number], storage=number.storage)

    def _binary(self, node: s.Binary) -> Term:
        if node.operator in ("AND", "OR"):
            return self._logic(node)
        right_node = _without_hints(node.right)
        if node.operator in ("IS", "IS NOT") and isinstance(right_node, s.Name) and not right_node.quotes:
            word = right_node.parts[-1].lower()
            if len(right_node.parts) == 1 and word in _TRUTH and self._scope.resolve(right_node.parts) is None:
                condition = as_condition(self.translate_value(node.left))
                return make_condition(f"{condition.operand} {node.operator} {word.upper()}", [condition], not_null=True)
        if node.operator in _COMPARISONS:
            return compare(node.operator, self.translate(node.left), self.translate(node.right))
        left, right = self.translate_value(node.left), self.translate_value(node.right)
        if node.operator == "||":
            texts = [as_text(side, "||") for side in (left, right)]
            return make_expression(" || ".join(text.operand for text in texts), "text", texts, storage=TEXT)
        if node.operator in ("->", "->>"):
            raise Untranslatable(f"{node.operator} gives each row's value its own type")
        return self._arithmetic(node.operator, left, right)

    def _logic(self, node: s.Binary) -> Term:
        conditions = [as_condition(self.translate_value(side)) for side in s.split_operands(node, node.operator)]
        combine = all if node.operator == "AND" else any
        sql = f" {node.operator} ".join(condition.operand for condition in conditions)
        return make_condition(sql, conditions, always=combine(condition.always for condition in conditions))

    def _arithmetic(self, operator: str, left: Term, right: Term) -> Term:
        if operator == "+" and "text" in (left.kind, right.kind):
            raise Untranslatable(
                f"+ between {describe(left)} and {describe(right)} adds the numbers that the texts begin with, 0 for "
                "words; || would join them"
            )
        left, right = as_number(left, operator), as_number(right, operator)
        if operator in _BITS:
            bits = [as_bigint(side, operator) for side in (left, right)]
            return make_expression(f"{bits[0].operand} {operator} {bits[1].operand}", "int8", bits, storage=INTEGER)
        if operator in ("<<", ">>"):
            return _shift(operator, left, right)
        if left.storage <= INTEGER and right.storage <= INTEGER:
            return _integer_arithmetic(operator, as_bigint(left, operator), as_bigint(right, operator))
        if operator == "%":
            raise Untranslatable("% of numbers with fractions, which SQLite cuts off first")
        surely_real = left.storage <= REAL or right.storage <= REAL
        if operator == "/" and not surely_real:
            raise Untranslatable(
                f"/ between {describe(left)} and {describe(right)}: SQLite truncates in the rows where both are stored "
                "as integers"
            )
        x, y = as_float(left, operator), as_float(right, operator)
        divisor = y.operand
        if operator == "/" and not (y.literal and y.literal.value):
            divisor = f"nullif({y.sql}, 0)"
        storage = REAL if surely_real else NUMBER
        not_null = operator != "/" and x.not_null and y.not_null
        return make_expression(
            f"{x.operand} {operator} {divisor}", "float8", [x, y], storage=storage, not_null=not_null
        )

    def _collate(self, node: s.Collate) -> Term:
        return replace(self.translate(node.operand), collation=node.collation.upper(), explicit=True)

    def _match(self, node: s.Match) -> Term:
        operand, pattern = self.translate_value(node.operand), self.translate_value(node.pattern)
        if node.operator == "LIKE":
            escape = self.translate_value(node.escape) if node.escape else None
            return translate_like(operand, pattern, escape, negated=node.negated)
        if node.operator == "GLOB" and node.escape is None:
            return translate_glob(operand, pattern, negated=node.negated)
        raise Untranslatable(f"{node.operator} belongs to the application")

    def _between(self, node: s.Between) -> Term:
        operand = _use_again(self.translate(node.operand))
        low = compare(">=", operand, self.translate(node.low))
        high = compare("<=", operand, self.translate(node.high))
        sql = f"{low.operand} AND {high.operand}"
        if node.negated:
            return make_condition(f"NOT ({sql})", [low, high])
        return make_condition(sql, [low, high])

    def _in_list(self, node: s.InList) -> Term:
        operand = self.translate(node.operand)
        items = [self.translate(item) for item in node.items]
        if not items:  # false even for NULL
            return make_condition("TRUE" if node.negated else "FALSE", [operand], atom=True, not_null=True)
        return compare_any(operand, items, negated=node.negated)

    # forms with words

    def _row(self, _: s.Row) -> Term:
        raise Untranslatable("a row of values in parentheses")

    def _case(self, node: s.Case) -> Term:
        base = _use_again(self.translate(node.base)) if node.base else None
        conditions: list[Term] = []
        for when, _ in node.whens:
            test = self.translate(when)
            conditions.append(as_condition(test) if base is None else compare("=", base, test))
        results = [self.translate_value(then) for _, then in node.whens]
        results.append(self.translate_value(node.otherwise) if node.otherwise else make_literal(None))
        results = list(unify(results, "CASE"))
        if all(result.is_null for result in results):
            return make_literal(None)
        pieces = [
            f"WHEN {condition.sql} THEN {result.sql}" for condition, result in zip(conditions, results, strict=False)
        ]
        otherwise = f" ELSE {results[-1].sql}" if node.otherwise else ""
        not_null = bool(node.otherwise) and all(result.not_null for result in results)
        return merge(f"CASE {' '.join(pieces)}{otherwise} END", results, conditions, atom=True, not_null=not_null)

    def _cast(self, node: s.Cast) -> Term:
        operand = self.translate(node.operand)
        affinity = cast_affinity(node.type)
        if operand.is_null:
            return operand
        term = _CASTS[affinity](operand)
        return replace(term, affinity=affinity, collation=operand.collation, explicit=operand.explicit, column=None)

    def _call(self, node: s.Call) -> Term:
        if node.over is not None or node.where is not None or node.distinct or node.star or node.order:
            raise Untranslatable(f"{node.name}() as an aggregate or window function")
        if node.name in ("like", "glob") and len(node.arguments) > 1:
            escape = node.arguments[2] if len(node.arguments) > 2 else None
            return self._match(s.Match(node.name.upper(), node.arguments[1], node.arguments[0], escape))
        if node.name == "lower" and len(node.arguments) == 1 and _is_hex(node.arguments[0]):
            inner = node.arguments[0].arguments[0]  # type: ignore[attr-defined] # _is_hex looked
            return translate_hex(self.translate_value(inner), upper=False)
        arguments = [self.translate_value(argument) for argument in node.arguments]
        if rule := DATE_FUNCTIONS.get(node.name):
            if len(arguments) < rule.arguments:
                raise Untranslatable(f"{node.name}() with {len(arguments)} arguments")
            return rule.translate(arguments)
        if function := FUNCTIONS.get(node.name):
            smallest, largest = function.arguments
            if not smallest <= len(arguments) <= largest:
                raise Untranslatable(f"{node.name}() with {len(arguments)} arguments")
            return function.translate(arguments)
        why = REFUSED.get(node.name, "liteferry does not know what it means")
        raise Untranslatable(f"the function {node.name}(): {why}")

    def _subquery(self, _: s.Subquery) -> Term:
        raise Untranslatable(_SUBQUERY)

    def _exists(self, _: s.Exists) -> Term:
        raise Untranslatable(_SUBQUERY)

    def _in_select(self, _: s.InSelect) -> Term:
        raise Untranslatable(_SUBQUERY)


def _without_hints(node: s.Node) -> s.Node:
    """An expression without what SQLite passes over when it looks for TRUE. Source: sqlite3ExprSkipCollateAndLikely."""
    while True:
        if isinstance(node, s.Collate):
            node = node.operand
        elif isinstance(node, s.Call) and node.name in ("likely", "unlikely") and len(node.arguments) == 1:
            node = node.arguments[0]
        else:
            return node


def _use_again(term: Term) -> Term:
    if term.volatility is Volatility.VOLATILE:
        raise Untranslatable("a random value that is compared more than once")
    return term


def _is_hex(node: s.Node) -> bool:
    return isinstance(node, s.Call) and node.name == "hex" and len(node.arguments) == 1


def _shift(operator: str, left: Term, right: Term) -> Term:
    bits = as_bigint(left, operator)
    count = right.literal.value if right.literal else None
    if not isinstance(count, int) or not 0 <= count < 64:
        raise Untranslatable(f"{operator} by anything but a literal from 0 to 63, where PostgreSQL differs")
    return make_expression(f"{bits.operand} {operator} {count}", "int8", [bits], storage=INTEGER)


def _integer_arithmetic(operator: str, left: Term, right: Term) -> Term:
    divides = operator in ("/", "%")
    divisor = right.operand
    if divides and not (right.literal and right.literal.value):
        divisor = f"nullif({right.sql}, 0)"
    lowest = None
    if left.lowest is not None and right.lowest is not None:
        if operator == "+":
            lowest = left.lowest + right.lowest
        elif operator == "*" or operator in ("/", "%"):
            lowest = 0 if left.lowest >= 0 and right.lowest >= 0 else None
    if operator == "-" and left.lowest is not None and right.literal and isinstance(right.literal.value, int):
        lowest = left.lowest - right.literal.value
    if operator == "%" and left.lowest is not None and left.lowest >= 0:
        lowest = 0
    return make_expression(
        f"{left.operand} {operator} {divisor}",
        "int8",
        [left, right],
        storage=INTEGER,
        not_null=left.not_null and right.not_null and (not divides or bool(right.literal and right.literal.value)),
        lowest=lowest,
    )


def _cast_integer(term: Term) -> Term:
    literal = term.literal.value if term.literal else None
    if isinstance(literal, str) and _INTEGER.fullmatch(literal) and abs(int(literal)) < 2**63:
        return make_literal(int(literal))
    if term.kind == "text" and term.digits and term.storage <= TEXT:
        return make_expression(f"{term.operand}::bigint", "int8", [term], storage=INTEGER, atom=True)
    number = as_number(term, "CAST")
    if number.storage <= INTEGER:
        return as_bigint(number, "CAST")
    return make_expression(f"trunc({number.sql})::bigint", "int8", [number], storage=INTEGER, atom=True)


def _cast_numeric(term: Term) -> Term:
    if term.kind == "text" and term.digits:
        return _cast_integer(term)
    return as_number(term, "CAST")


def _cast_text(term: Term) -> Term:
    return as_text(term, "CAST")


def _cast_float(term: Term) -> Term:
    return replace(as_float(term, "CAST"), storage=REAL, lowest=None)


def _cast_blob(term: Term) -> Term:
    if term.kind == "bytea":
        return term
    raise Untranslatable(f"CAST of {describe_storage(term)} to a blob")


_CASTS: Final[dict[Affinity, Callable[[Term], Term]]] = {
    "INTEGER": _cast_integer,
    "NUMERIC": _cast_numeric,
    "TEXT": _cast_text,
    "REAL": _cast_float,
    "BLOB": _cast_blob,
}
