"""Aggregates and window functions in PostgreSQL's words: a table, one entry a function.

Layer 1, pure. Source: https://sqlite.org/lang_aggfunc.html, https://sqlite.org/windowfunctions.html.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions.functions import check_one_order, check_orderable
from liteferry.expressions.temporal import has_one_form
from liteferry.expressions.terms import (
    INTEGER,
    REAL,
    TEMPORAL_KINDS,
    TEXT,
    Term,
    as_bigint,
    as_float,
    as_number,
    as_text,
    describe,
    make_expression,
    make_literal,
    unify,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FLOAT_NOTE: Final = (
    "floating-point numbers are added in the order of the rows, so that sums may differ in the last digit"
)
ORDER_NOTE: Final = "group_concat() joins texts in the order of the rows, which neither engine promises"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate's call, up to FILTER and OVER. call: with its arguments. wrap: what goes around the whole."""

    call: str
    term: Term  # of the result; its sql is not used
    wrap: str = "{}"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateRule:
    """How an aggregate is translated; ``translate`` gets the arguments and "DISTINCT " or ""."""

    arguments: tuple[int, int]
    translate: Callable[[Sequence[Term], str], Aggregate]
    sqlite: str
    postgresql: str
    note: str = ""


def check_groupable(term: Term, why: str) -> None:
    """Refuse what the engines do not take for equal alike: DISTINCT, GROUP BY, UNION. Pure. Raises: Untranslatable."""
    if term.kind in ("json", "jsonb"):
        raise Untranslatable(f"{why} compares {describe(term)}, whose JSON texts PostgreSQL does not keep")
    if term.kind in TEMPORAL_KINDS and not has_one_form(term):
        raise Untranslatable(f"{why} compares {describe(term)} by its texts, which are written in several ways")
    if (term.collation or "BINARY") != "BINARY":
        raise Untranslatable(f"{why} of a text with the collation {term.collation}")
    if not term.is_null:
        check_one_order(term, why)


def _result(kind_of: Term, parts: Sequence[Term], *, not_null: bool = False) -> Term:
    term = make_expression("", kind_of.kind or "text", parts, storage=kind_of.storage, not_null=not_null)
    return replace(term, forms=kind_of.forms)


def _count(arguments: Sequence[Term], distinct: str) -> Aggregate:
    if distinct:
        check_groupable(arguments[0], "count(DISTINCT)")
    inner = arguments[0].sql if arguments else "*"
    term = replace(make_expression("", "int8", arguments, storage=INTEGER, not_null=True), lowest=0)
    return Aggregate(f"count({distinct}{inner})", term)


def _sum(arguments: Sequence[Term], distinct: str) -> Aggregate:
    number = as_number(arguments[0], "sum()")
    if number.storage <= INTEGER:
        bigint = as_bigint(number, "sum()")
        term = make_expression("", "int8", [bigint], storage=INTEGER, not_null=False)
        return Aggregate(f"sum({distinct}{bigint.sql})", term, "{}::bigint")
    double = as_float(number, "sum()")
    term = make_expression("", "float8", [double], storage=double.storage, not_null=False)
    return Aggregate(f"sum({distinct}{double.sql})", term, note=FLOAT_NOTE)


def _total(arguments: Sequence[Term], distinct: str) -> Aggregate:
    double = as_float(arguments[0], "total()")
    term = make_expression("", "float8", [double], storage=REAL, not_null=True)
    return Aggregate(f"sum({distinct}{double.sql})", term, "coalesce({}, 0)", FLOAT_NOTE)


def _avg(arguments: Sequence[Term], distinct: str) -> Aggregate:
    double = as_float(arguments[0], "avg()")
    term = make_expression("", "float8", [double], storage=REAL, not_null=False)
    return Aggregate(f"avg({distinct}{double.sql})", term, note=FLOAT_NOTE)


def _extreme(name: str) -> Callable[[Sequence[Term], str], Aggregate]:
    def translate(arguments: Sequence[Term], distinct: str) -> Aggregate:
        (value,) = arguments
        check_orderable([value], f"{name}()")
        if value.kind == "bytea":
            raise Untranslatable(f"{name}() of blobs, which PostgreSQL has only from version 18 on")
        if value.kind == "bool":
            value = as_number(value, f"{name}()")
        if value.kind == "text":
            value = as_text(value, f"{name}()")
        inner = f'{value.operand} COLLATE "C"' if value.kind == "text" else value.sql
        return Aggregate(f"{name}({distinct}{inner})", replace(_result(value, [value]), lowest=value.lowest))

    return translate


def _group_concat(arguments: Sequence[Term], distinct: str) -> Aggregate:
    if distinct:
        check_groupable(arguments[0], "group_concat(DISTINCT)")
        if not arguments[0].storage <= TEXT:
            raise Untranslatable("group_concat(DISTINCT) of anything but texts")
    text = as_text(arguments[0], "group_concat()")
    separator = as_text(arguments[1], "group_concat()") if len(arguments) > 1 else make_literal(",")
    if not (separator.literal and isinstance(separator.literal.value, str)):
        raise Untranslatable("group_concat() with a separator that is not a literal")
    term = make_expression("", "text", [text, separator], storage=TEXT, not_null=False)
    return Aggregate(f"string_agg({distinct}{text.sql}, {separator.sql})", term, note=ORDER_NOTE)


AGGREGATES: Final[dict[str, AggregateRule]] = {
    "count": AggregateRule(
        arguments=(0, 1), translate=_count, sqlite="count(*), count(x)", postgresql="count(*), count(x)"
    ),
    "sum": AggregateRule(
        arguments=(1, 1),
        translate=_sum,
        sqlite="sum(x)",
        postgresql="sum(x)::bigint, sum(x::double precision)",
        note="integers stay integers; NUMERIC is added as floating-point numbers, as SQLite does",
    ),
    "total": AggregateRule(
        arguments=(1, 1),
        translate=_total,
        sqlite="total(x)",
        postgresql="coalesce(sum(x::double precision), 0)",
    ),
    "avg": AggregateRule(arguments=(1, 1), translate=_avg, sqlite="avg(x)", postgresql="avg(x::double precision)"),
    "min": AggregateRule(
        arguments=(1, 1), translate=_extreme("min"), sqlite="min(x)", postgresql='min(x), min(x COLLATE "C")'
    ),
    "max": AggregateRule(
        arguments=(1, 1), translate=_extreme("max"), sqlite="max(x)", postgresql='max(x), max(x COLLATE "C")'
    ),
    "group_concat": AggregateRule(
        arguments=(1, 2),
        translate=_group_concat,
        sqlite="group_concat(x, ',')",
        postgresql="string_agg(x, ',')",
        note="in the order of the rows, which neither engine promises",
    ),
    "string_agg": AggregateRule(
        arguments=(2, 2), translate=_group_concat, sqlite="string_agg(x, ',')", postgresql="string_agg(x, ',')"
    ),
}
"""Every aggregate, by its name in lower case; all can be window functions too."""


def _ranking(name: str) -> Callable[[Sequence[Term]], tuple[str, Term]]:
    def translate(_: Sequence[Term]) -> tuple[str, Term]:
        return f"{name}()", make_expression("", "int8", [], storage=INTEGER, not_null=True, lowest=1)

    return translate


def _share(name: str) -> Callable[[Sequence[Term]], tuple[str, Term]]:
    def translate(_: Sequence[Term]) -> tuple[str, Term]:
        return f"{name}()", make_expression("", "float8", [], storage=REAL, not_null=True)

    return translate


def _count_of(term: Term, name: str) -> int:
    value = term.literal.value if term.literal else None
    if not isinstance(value, int) or not 0 < value < 2**31:
        raise Untranslatable(f"{name}() with a number that is not a literal above 0")
    return value


def _ntile(arguments: Sequence[Term]) -> tuple[str, Term]:
    term = make_expression("", "int4", [], storage=INTEGER, not_null=True, lowest=1)
    return f"ntile({_count_of(arguments[0], 'ntile')})", term


def _neighbour(name: str) -> Callable[[Sequence[Term]], tuple[str, Term]]:
    def translate(arguments: Sequence[Term]) -> tuple[str, Term]:
        distance = _count_of(arguments[1], name) if len(arguments) > 1 else 1
        terms = unify([arguments[0], *arguments[2:]], f"{name}()")
        sql = ", ".join([terms[0].sql, str(distance), *(term.sql for term in terms[1:])])
        return f"{name}({sql})", _result(terms[0], terms)

    return translate


def _from_frame(name: str) -> Callable[[Sequence[Term]], tuple[str, Term]]:
    def translate(arguments: Sequence[Term]) -> tuple[str, Term]:
        count = f", {_count_of(arguments[1], name)}" if len(arguments) > 1 else ""
        return f"{name}({arguments[0].sql}{count})", _result(arguments[0], arguments)

    return translate


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    """How a window function is translated, all of which PostgreSQL has under the same names."""

    arguments: tuple[int, int]
    translate: Callable[[Sequence[Term]], tuple[str, Term]]


WINDOW_FUNCTIONS: Final[dict[str, WindowRule]] = {
    "row_number": WindowRule(arguments=(0, 0), translate=_ranking("row_number")),
    "rank": WindowRule(arguments=(0, 0), translate=_ranking("rank")),
    "dense_rank": WindowRule(arguments=(0, 0), translate=_ranking("dense_rank")),
    "percent_rank": WindowRule(arguments=(0, 0), translate=_share("percent_rank")),
    "cume_dist": WindowRule(arguments=(0, 0), translate=_share("cume_dist")),
    "ntile": WindowRule(arguments=(1, 1), translate=_ntile),
    "lag": WindowRule(arguments=(1, 3), translate=_neighbour("lag")),
    "lead": WindowRule(arguments=(1, 3), translate=_neighbour("lead")),
    "first_value": WindowRule(arguments=(1, 1), translate=_from_frame("first_value")),
    "last_value": WindowRule(arguments=(1, 1), translate=_from_frame("last_value")),
    "nth_value": WindowRule(arguments=(2, 2), translate=_from_frame("nth_value")),
}
"""Every window function that is no aggregate, by its name in lower case."""
