"""What a value becomes when SQLite stores it in a column: the affinity's conversion, and the type that holds it.

Layer 1, pure. Used for defaults and generated columns. Source: https://sqlite.org/datatype3.html, section 3.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions.comparisons import looks_numeric
from liteferry.expressions.temporal import temporal_literal
from liteferry.expressions.terms import (
    INTEGER,
    INTEGER_KINDS,
    PG_TYPES,
    TEMPORAL_KINDS,
    Term,
    as_bigint,
    as_condition,
    as_float,
    as_number,
    as_text,
    describe,
    describe_storage,
    make_literal,
)
from liteferry.names import quote_literal

if TYPE_CHECKING:
    from liteferry.expressions.data import ColumnType
    from liteferry.model import Kind

_RANGES: Final[dict[Kind, int]] = {"int2": 2**15, "int4": 2**31, "int8": 2**63}
_MODIFIER: Final = re.compile(r"\((\d+)(?:,\s*(-?\d+))?\)")
_SIMPLE_REAL: Final = re.compile(r"-?\d{1,9}\.\d{1,6}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}")
_TRUE_WORDS: Final = {"t": True, "true": True, "f": False, "false": False}
_NUMERIC_AFFINITIES: Final = frozenset({"INTEGER", "REAL", "NUMERIC"})


def store_term(term: Term, column: ColumnType) -> str:
    """The SQL of a value, in the type of the column that stores it. Pure.

    Raises: Untranslatable when SQLite would store something that the type cannot hold, or holds differently.
    """
    if term.is_null:
        return "NULL"
    if term.literal is not None and term.kind != "json":
        return store_literal(term.literal.value, column)
    if column.kind in INTEGER_KINDS | {"float8", "numeric"}:
        return _store_number(term, column)
    if column.kind == "bool":
        if term.kind == "bool":
            return as_condition(term).sql
        raise _misfit(describe(term), column, describe_storage(term))
    if column.kind == "text":
        return as_text(term, "storing").sql
    if column.kind in TEMPORAL_KINDS:
        return _store_temporal(term, column)
    if column.kind in ("json", "jsonb") and term.kind in ("json", "jsonb"):
        return f"{term.operand.removesuffix('::json')}::{column.kind}"
    if column.kind == term.kind:
        return term.sql
    raise _misfit(describe(term), column, describe_storage(term))


def _misfit(what: str, column: ColumnType, why: str) -> Untranslatable:
    return Untranslatable(f"{what} ({why}) does not fit column {column.source}, which becomes {column.pg_type}")


def _store_number(term: Term, column: ColumnType) -> str:
    if term.kind == "text" and term.digits and column.affinity in _NUMERIC_AFFINITIES:
        return f"{term.operand}::{PG_TYPES[column.kind]}"
    number = as_number(term, "storing")
    if column.kind in INTEGER_KINDS:
        if not number.storage <= INTEGER:
            raise _misfit(describe(term), column, describe_storage(number))
        bigint = as_bigint(number, "storing")
        return bigint.sql if column.kind == "int8" else f"{bigint.operand}::{PG_TYPES[column.kind]}"
    if column.kind == "float8":
        return as_float(number, "storing").sql
    if number.storage <= INTEGER or (number.kind == "numeric" and not _MODIFIER.search(column.pg_type)):
        return f"{number.operand}::numeric"
    if _MODIFIER.search(column.pg_type):
        raise Untranslatable(f"{describe(term)} may have more digits than {column.pg_type}, which would round it")
    # a whole number becomes an INTEGER, as NUMERIC's affinity has it, with all its digits; any other goes by way of its
    # shortest text, since a direct cast keeps 15 digits only
    x = number.operand
    whole = f"{x} = trunc({x}) AND abs({x}) < 9223372036854774784"
    return f"CASE WHEN {whole} THEN {x}::bigint::numeric ELSE {x}::text::numeric END"


def _store_temporal(term: Term, column: ColumnType) -> str:
    if term.kind == column.kind:
        return term.sql
    if term.kind == "date" and column.kind in ("timestamp", "timestamptz"):
        moment = f"{term.operand}::timestamp"
    elif term.kind == "timestamp" and column.kind == "timestamptz":
        moment = term.operand
    elif term.kind == "text" and term.instant and column.kind in ("timestamp", "timestamptz"):
        moment = term.instant
    else:
        raise _misfit(describe(term), column, f"{term.kind} in PostgreSQL")
    return f"{moment} AT TIME ZONE 'UTC'" if column.kind == "timestamptz" else moment


def store_literal(value: int | float | str | bytes | None, column: ColumnType) -> str:  # noqa: PYI041 - they differ
    """The SQL of a literal, in the type of the column that stores it. Pure. Raises: Untranslatable."""
    stored = _apply_affinity(value, column)
    what = f"{value!r}"
    match column.kind:
        case "int2" | "int4" | "int8":
            if not isinstance(stored, int):
                raise _misfit(what, column, "not an integer")
            if not -_RANGES[column.kind] <= stored < _RANGES[column.kind]:
                raise _misfit(what, column, "out of range")
            return make_literal(stored).sql
        case "float8":
            if not isinstance(stored, int | float):
                raise _misfit(what, column, "not a number")
            return make_literal(float(stored)).sql
        case "numeric":
            return _store_decimal(stored, column, what)
        case "bool":
            truth = _TRUE_WORDS.get(stored.lower()) if isinstance(stored, str) else {0: False, 1: True}.get(stored)  # type: ignore[arg-type] # None for all else
            if truth is None:
                raise _misfit(what, column, "neither 0 nor 1")
            return "TRUE" if truth else "FALSE"
        case "text":
            return _store_text(stored, column, what)
        case "bytea":
            if not isinstance(stored, bytes):
                raise _misfit(what, column, "not a blob")
            return make_literal(stored).sql
        case "interval":
            if not isinstance(stored, int):
                raise _misfit(what, column, "not a number of microseconds")
            return f"'{stored} microseconds'::interval"
        case _:
            return _store_from_text(stored, column, what)


def _store_from_text(stored: object, column: ColumnType, what: str) -> str:
    """A date, a time, JSON or a UUID, which SQLite keeps as text."""
    if not isinstance(stored, str):
        raise _misfit(what, column, "not a text")
    if column.kind in ("json", "jsonb"):
        try:
            json.loads(stored)
        except ValueError:
            raise _misfit(what, column, "not JSON") from None
        return f"{make_literal(stored).sql.removesuffix('::text')}::{column.kind}"
    if column.kind == "uuid":
        if not _UUID.fullmatch(stored):
            raise _misfit(what, column, "not a UUID")
        return f"{quote_literal(stored)}::uuid"
    sql = temporal_literal(stored, column.kind)
    if sql is None:
        raise _misfit(what, column, "not written as one")
    return sql


def _apply_affinity(value: int | float | str | bytes | None, column: ColumnType) -> int | float | str | bytes | None:  # noqa: PYI041 - int and float differ here
    """What SQLite stores. Source: sqlite3.c, applyAffinity and sqlite3VdbeIntegerAffinity."""
    if isinstance(value, str) and column.affinity in _NUMERIC_AFFINITIES and looks_numeric(value):
        text = value.strip()
        value = int(text) if re.fullmatch(r"[+-]?\d+", text) and abs(int(text)) < 2**63 else float(text)
    if isinstance(value, float) and column.affinity in ("INTEGER", "NUMERIC") and value.is_integer():
        value = int(value) if abs(value) < 2**53 else value
    if isinstance(value, int) and column.affinity == "REAL":
        value = float(value)
    return value


def _store_decimal(stored: object, column: ColumnType, what: str) -> str:
    if not isinstance(stored, int | float) or stored in (float("inf"), float("-inf")):
        raise _misfit(what, column, "not a number that numeric can hold")
    text = repr(stored)
    if "e" in text:
        raise _misfit(what, column, "a number with an exponent")
    if modifier := _MODIFIER.search(column.pg_type):
        precision, scale = int(modifier[1]), int(modifier[2] or 0)
        whole, _, fraction = text.lstrip("-").partition(".")
        if len(fraction.rstrip("0")) > scale or len(whole.lstrip("0")) > precision - scale:
            raise _misfit(what, column, "too many digits")
    return text.removesuffix(".0")


def _store_text(stored: object, column: ColumnType, what: str) -> str:
    if isinstance(stored, int):
        text = str(stored)
    elif isinstance(stored, float) and _SIMPLE_REAL.fullmatch(repr(stored)):
        text = repr(stored)
    elif isinstance(stored, str):
        text = stored
    else:
        raise _misfit(what, column, "not a text, and written as one in different ways")
    modifier = _MODIFIER.search(column.pg_type)
    if modifier and len(text) > int(modifier[1]):
        raise _misfit(what, column, "too long")
    return make_literal(text).sql
