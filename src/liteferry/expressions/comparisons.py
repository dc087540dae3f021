"""Comparisons: which affinity and which collation SQLite applies, and the operator that means the same.

Layer 1, pure. Source: https://sqlite.org/datatype3.html, "Comparison Expressions" and "Collating Sequences";
sqlite3CompareAffinity and sqlite3BinaryCompareCollSeq in expr.c.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions.temporal import MIRRORED, compare_temporal, compare_with_text
from liteferry.expressions.terms import (
    BLOB,
    INTEGER,
    NUMBER,
    TEMPORAL_KINDS,
    TEXT,
    Term,
    as_condition,
    as_number,
    as_text,
    describe,
    describe_storage,
    fold_ascii,
    make_condition,
    make_decimal,
    make_literal,
)
from liteferry.names import quote_literal

if TYPE_CHECKING:
    from collections.abc import Sequence

_NULL_SAFE: Final = {"IS": "IS NOT DISTINCT FROM", "IS NOT": "IS DISTINCT FROM"}
_EXACT: Final = 2**53  # the whole numbers up to here are exact in a double
_NUMERIC: Final = frozenset({"INTEGER", "REAL", "NUMERIC"})
_NUMBER_TEXT: Final = re.compile(r"[ \t\n\f\r\v]*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?[ \t\n\f\r\v]*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Comparable:
    """Two sides that one PostgreSQL operator compares as SQLite compares the originals."""

    left: str
    right: str


def looks_numeric(text: str) -> bool:
    """Whether SQLite would store this text as a number in a column of numeric affinity. Pure."""
    return _NUMBER_TEXT.match(text) is not None


def compare(operator: str, left: Term, right: Term) -> Term:
    """Compare as SQLite does. Pure. operator: ``< <= > >= = <> IS``, ``IS NOT``. Raises: Untranslatable."""
    if operator in _NULL_SAFE:
        return _compare_null_safe(operator, left, right)
    if left.is_null or right.is_null:
        return make_condition("NULL::boolean", [], atom=True, not_null=False)
    left, right = _apply_affinity(left, right), _apply_affinity(right, left)
    if left.kind in TEMPORAL_KINDS and right.literal and isinstance(right.literal.value, str):
        return compare_with_text(operator, left, right.literal.value)
    if right.kind in TEMPORAL_KINDS and left.literal and isinstance(left.literal.value, str):
        return compare_with_text(MIRRORED[operator], right, left.literal.value)
    if left.kind in TEMPORAL_KINDS or right.kind in TEMPORAL_KINDS:
        return compare_temporal(operator, left, right)
    if simple := _compare_boolean(operator, left, right):
        return simple
    sides = pair(left, right, ordered=operator not in ("=", "<>"))
    always = operator == "=" and is_always_in(left, [right])
    return make_condition(f"{sides.left} {operator} {sides.right}", [left, right], always=always)


def _compare_null_safe(operator: str, left: Term, right: Term) -> Term:
    for side, other in ((left, right), (right, left)):
        if side.is_null:
            return make_condition(f"{other.operand} {operator} NULL", [other], not_null=True)
    left, right = _apply_affinity(left, right), _apply_affinity(right, left)
    if left.kind in TEMPORAL_KINDS or right.kind in TEMPORAL_KINDS:
        compared = compare("=" if operator == "IS" else "<>", left, right)
        test = "IS TRUE" if operator == "IS" else "IS NOT FALSE"
        if not left.not_null and not right.not_null:
            raise Untranslatable("IS between two dates that may both be NULL")
        return make_condition(f"({compared.sql}) {test}", [left, right], not_null=True)
    sides = pair(left, right, ordered=False)
    return make_condition(f"{sides.left} {_NULL_SAFE[operator]} {sides.right}", [left, right], not_null=True)


def compare_any(operand: Term, items: Sequence[Term], *, negated: bool) -> Term:
    """Compare with each of some values: x [NOT] IN (a, b). Pure. Raises: Untranslatable."""
    sides: list[Comparable] = []
    others: list[Term] = []
    for item in items:
        # the items lose their own affinity and collation: x IN (a) is x = +a
        bare = replace(item, affinity=None, collation=None, explicit=False)
        left, right = _apply_affinity(operand, bare), _apply_affinity(bare, operand)
        if operand.is_null or bare.is_null or {left.kind, right.kind} & (TEMPORAL_KINDS | {"bool"}):
            others.append(compare("=", operand, bare))
        else:
            sides.append(pair(left, right, ordered=False))
    always = not negated and is_always_in(operand, items)
    parts = [operand, *items]
    lefts = {side.left for side in sides}
    if not others and len(lefts) == 1:
        values = ", ".join(side.right for side in sides)
        return make_condition(f"{lefts.pop()} {'NOT IN' if negated else 'IN'} ({values})", parts, always=always)
    tests = [other.operand for other in others] + [f"({side.left} = {side.right})" for side in sides]
    sql = " OR ".join(tests)
    return make_condition(f"NOT ({sql})" if negated else sql, parts, always=always)


def pair_any(left: Term, right: Term) -> Comparable:
    """Bring two sides to where ``=`` compares them as SQLite does. Pure. Raises: Untranslatable."""
    return pair(_apply_affinity(left, right), _apply_affinity(right, left), ordered=False)


def pair(left: Term, right: Term, *, ordered: bool) -> Comparable:
    """Bring two sides to where one operator compares them as SQLite does; their affinities are applied already. Pure.

    ordered: for ``<`` and its like, which need the byte order that SQLite has. Raises: Untranslatable.
    """
    if left.storage <= NUMBER and right.storage <= NUMBER:
        return _pair_numbers(left, right)
    if left.kind == right.kind == "bytea" and left.storage <= BLOB and right.storage <= BLOB:
        return Comparable(left.operand, right.operand)
    if left.kind == right.kind == "uuid":
        if left.forms == right.forms and left.storage <= TEXT and right.storage <= TEXT and not ordered:
            return Comparable(left.operand, right.operand)
        raise Untranslatable(f"{describe(left)} and {describe(right)} are UUIDs, whose texts SQLite compares")
    if left.storage <= TEXT and right.storage <= TEXT:
        return _pair_texts(left, right, ordered=ordered)
    if _is_never_number(left, right) and not ordered:
        return _pair_texts(replace(left, storage=TEXT), replace(right, storage=TEXT), ordered=False)
    raise Untranslatable(
        f"it compares {describe(left)} with {describe(right)}: SQLite compares {describe_storage(left)} with "
        f"{describe_storage(right)} by storage class"
    )


def _is_never_number(left: Term, right: Term) -> bool:
    """Whether one is a text column that also holds other classes, and the other a word that can equal none of them."""
    for column, word in ((left, right), (right, left)):
        if (
            column.kind == "text"
            and column.storage <= NUMBER | TEXT
            and word.literal
            and isinstance(word.literal.value, str)
            and not looks_numeric(word.literal.value)
        ):
            return True
    return False


def _apply_affinity(term: Term, other: Term) -> Term:
    """What SQLite makes of one side because of the other's affinity."""
    affinities = {term.affinity, other.affinity} - {None}
    if affinities & _NUMERIC:
        return _apply_numeric(term)
    if other.affinity == "TEXT" and term.affinity is None:
        if term.literal and isinstance(term.literal.value, float):
            raise Untranslatable(f"it compares {describe(other)}, a text, with the number {term.literal.value!r}")
        return term if term.storage <= TEXT | BLOB else as_text(term, "a comparison")
    return term


def _apply_numeric(term: Term) -> Term:
    if term.storage <= NUMBER | BLOB or term.kind in TEMPORAL_KINDS:
        return term
    if term.literal and isinstance(term.literal.value, str):
        if not looks_numeric(term.literal.value):
            return term
        number = float(term.literal.value)
        whole = number.is_integer() and abs(number) < 2**53
        return make_literal(int(number) if whole else number)
    if term.affinity in ("TEXT", "BLOB", None) and term.storage <= TEXT:
        raise Untranslatable(
            f"it compares {describe(term)}, a text, with a number: SQLite converts the texts that look like numbers, "
            "and takes the others for greater than any number"
        )
    return term


def _compare_boolean(operator: str, left: Term, right: Term) -> Term | None:
    """A boolean against 0 or 1, or against another boolean."""
    if operator not in ("=", "<>"):
        return None
    for side, other in ((left, right), (right, left)):
        if side.kind != "bool" or not side.storage <= INTEGER:
            continue
        if other.kind == "bool" and other.storage <= INTEGER:
            return make_condition(f"{side.operand} {operator} {other.operand}", [side, other])
        if other.literal and other.literal.value in (0, 1) and other.storage <= INTEGER:
            wanted = bool(other.literal.value) == (operator == "=")
            condition = as_condition(side)
            sql = condition.operand if wanted else f"NOT {condition.operand}"
            return replace(
                make_condition(sql, [side], atom=wanted and condition.atom), always=condition.always and wanted
            )
    return None


def _pair_numbers(left: Term, right: Term) -> Comparable:
    """Numbers compare by value; a literal takes the type of the other side, a decimal meets a double as a double."""
    left, right = as_number(left, "a comparison"), as_number(right, "a comparison")
    for side, other in ((left, right), (right, left)):
        value = side.literal.value if side.literal else None
        if other.kind == "float8" and isinstance(value, int) and abs(value) > _EXACT:
            raise Untranslatable(f"it compares a floating-point number with {value}, which has too many digits for one")
    if "float8" in (left.kind, right.kind) and left.literal is None and right.literal is None:
        return Comparable(_double(left), _double(right))
    return Comparable(_plain(left), _plain(right))


def _double(term: Term) -> str:
    return term.operand if term.kind == "float8" else f"{term.operand}::double precision"


def _plain(term: Term) -> str:
    if term.literal and isinstance(term.literal.value, float):
        return make_decimal(term.literal.value) if term.literal.value >= 0 else f"({make_decimal(term.literal.value)})"
    return term.operand


def _pair_texts(left: Term, right: Term, *, ordered: bool) -> Comparable:
    collation = find_collation(left, right)
    sides = [as_text(side, "a comparison") for side in (left, right)]
    left_sql, right_sql = (collate(side, collation, ordered=ordered) for side in sides)
    if ordered and all(side.literal for side in sides):
        left_sql += ' COLLATE "C"'  # no column brings it along, and the database's own may sort a before B
    return Comparable(left_sql, right_sql)


def is_always_in(term: Term, literals: Sequence[Term]) -> bool:
    """Whether every value that the term can have, by its type, is among the literals. Pure."""
    return term.values is not None and term.values <= {item.literal.value for item in literals if item.literal}


def find_collation(left: Term, right: Term) -> str:
    """The collation that SQLite compares two texts with. Pure."""
    for term in (left, right):
        if term.explicit:
            return term.collation or "BINARY"
    return left.collation or right.collation or "BINARY"


def collate(term: Term, collation: str, *, ordered: bool) -> str:
    """The SQL of a text, so that plain operators compare it as SQLite's collation does. Pure.

    NOCASE folds A to Z; RTRIM ignores spaces at the end; both compare bytes otherwise, as the "C" collation does.
    Raises: Untranslatable for the application's own collations.
    """
    literal = term.literal.value if term.literal and isinstance(term.literal.value, str) else None
    if collation == "BINARY":
        sql = quote_literal(literal) if literal is not None else term.operand
        return f'{sql} COLLATE "C"' if ordered and literal is None else sql
    if collation == "NOCASE":
        if literal is not None:
            return quote_literal(fold_literal(literal))
        return f'{fold_ascii(term.operand)} COLLATE "C"'
    if collation == "RTRIM":
        return quote_literal(literal.rstrip(" ")) if literal is not None else f"rtrim({term.sql}, ' ') COLLATE \"C\""
    raise Untranslatable(f"the collation {collation} belongs to the application; PostgreSQL does not have it")


def fold_literal(text: str) -> str:
    """Fold A to Z and nothing else. Pure."""
    return "".join(character.lower() if character.isascii() else character for character in text)
