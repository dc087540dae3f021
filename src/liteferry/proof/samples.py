"""Sample values for the proof of translations: nasty ones for each kind of column, and those that stand in the SQL.

Layer 3, without effects. Deterministic: the same columns and the same expression always give the same rows.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Final

from liteferry.compare import StorageValue, Text, Unrepresentable, canonical_source, storage_class
from liteferry.sqlite_ddl import DdlError, Token, fold_case, lex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from liteferry.model import Affinity, Column, ColumnCensus, ColumnMap, Kind, Table, TableCensus, TableMap

MOST_ROWS: Final = 500
"""Of one expression. They cost both engines together 10 ms; 70, as many as one column has, cost 1.5."""

_INTEGERS: Final = (
    0, 1, -1, 2, -2, 3, 5, 7, -7, 10, 12, 42, 99, 100, 1000, 32767, -32768, 65536, 1700000000, 2147483647, -2147483648,
    4294967296, 9007199254740991, -9007199254740991,
)  # fmt: skip
_EXACT_IN_DOUBLES: Final = 18  # so many of these, even multiplied with each other
_REALS: Final = (
    0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.5, -2.5, 3.9, -3.9, 0.1, -0.1, 99.99, 100.0, 2.675, 0.49999999999999994,
    1e-7, -1e-7, 123456789.123, 1e10, 4503599627370498.0, 1e15,
)  # fmt: skip
_TEXTS: Final = (
    "", " ", "a", "A", "b", "B", "z", "Z", "abc", "ABC", "aBc", "Abc", "abcdef", "Zebra", "zebra", "_", "%", "a%b",
    "a_b", "a*b", "[a]", "it's", '"q"', "back\\slash", " pad ", "abc  ", "\tx", "a\nb", "0", "1", "5", "10", "-7",
    "1.5", "007", "12abc", "1e3", "äöü", "ÄÖÜ", "ß", "À", "à", "É", "İ", "\u0131", "Σ", "\u03c3", "日本語",
    "e\u0301", "\u00e9", "😀", "a@b.example", "2020-01-31", "2020-01-31 10:11:12", "null", "true", "x" * 40,
)  # fmt: skip
_BLOBS: Final = (b"", b"\x00", b"\x00\xff", b"abc", b"ABC", b"\x80", b"'", b"\\", b"0123456789abcdef")
_DAYS: Final = (
    "1970-01-01", "1999-12-31", "2000-02-29", "2019-12-31", "2020-01-01", "2020-02-29", "2020-03-01", "2023-07-15",
    "2024-12-30", "2025-01-31", "2038-01-20", "1900-01-01",
)  # fmt: skip
_CLOCKS: Final = ("00:00:00", "12:34:56", "23:59:59", "00:00:01", "09:05:07")
_FRACTION: Final = "789012345"
_JSON: Final = ("{}", "[]", "[1, 2]", '{"a": 1}', '{"a": {"b": [null]}}', '"x"', "null", "true")
_UUIDS: Final = ("00112233-4455-6677-8899-aabbccddeeff", "ffffffff-ffff-4fff-bfff-ffffffffffff")
_UUIDS_IN_HEX: Final = tuple(word.replace("-", "") for word in _UUIDS)

_OWN_STORAGE: Final[dict[Kind, frozenset[str]]] = {
    "int2": frozenset({"integer"}),
    "int4": frozenset({"integer"}),
    "int8": frozenset({"integer"}),
    "bool": frozenset({"integer"}),
    "interval": frozenset({"integer"}),
    "float8": frozenset({"real"}),
    "numeric": frozenset({"integer", "real"}),
    "bytea": frozenset({"blob"}),
}
_PYTHONS_FORMS: Final = frozenset({"datetime", "datetime-f6"})
_MODIFIER: Final = re.compile(r"\((\d+)(?:,\s*(\d+))?\)")
_ROWID_NAMES: Final = frozenset({"rowid", "_rowid_", "oid"})
_WORDS_OF_TRUTH: Final = ("true", "false", "t", "f")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleColumn:
    """A column that samples are made for: as SQLite declares it, what it holds, and what it becomes.

    storage: the storage classes that a value may have there, NULL apart: those that the census found, else its type's
    own. nullable: NULL is among the samples. forms: what its dates and times look like.
    """

    source: str
    target: str
    kind: Kind
    pg_type: str
    affinity: Affinity
    collation: str
    storage: frozenset[str]
    nullable: bool
    rowid: bool
    forms: frozenset[str]


def describe_columns(table: Table, census: TableCensus, mapped: TableMap) -> dict[str, SampleColumn]:
    """The table's columns by their folded names. Pure."""
    found = {}
    for column in table.columns:
        target = next((each for each in mapped.columns if each.source == column.name), None)
        if target is not None:
            described = _describe(table, column, census.column(column.name), target)
            found[fold_case(column.name)] = described
            if described.rowid:
                found |= dict.fromkeys(_ROWID_NAMES - {fold_case(each.name) for each in table.columns}, described)
    return found


def _describe(table: Table, column: Column, census: ColumnCensus, target: ColumnMap) -> SampleColumn:
    counts = {"integer": census.integers, "real": census.reals, "text": census.texts, "blob": census.blobs}
    rowid = column.name == table.rowid_alias
    return SampleColumn(
        source=column.name,
        target=target.target,
        kind=target.kind,
        pg_type=target.pg_type,
        affinity=column.affinity,
        collation=column.collation if column.collation.upper() in {"NOCASE", "RTRIM"} else "BINARY",
        storage=frozenset(name for name, count in counts.items() if count)
        or _OWN_STORAGE.get(target.kind, frozenset({"text"})),
        nullable=not (column.not_null or rowid),
        rowid=rowid,
        forms=frozenset(form.name for form in census.forms),
    )


def list_names(sql: str) -> set[str]:
    """Every word of an expression that may be a column's name, folded. Pure."""
    return {fold_case(token.value) for token in _lex(sql)}


def uses_fractions(sql: str) -> bool:
    """Whether a number with a point or an exponent stands in an expression, or a cast to one. Pure."""
    return any(token.kind == "number" and not token.value.isdigit() for token in _lex(sql)) or bool(
        list_names(sql) & {"real", "round", "numeric", "total", "avg", "julianday"}
    )


def find_used(sql: str, columns: dict[str, SampleColumn]) -> list[SampleColumn]:
    """The columns that an expression may use: whose names occur in it. Pure."""
    names = list_names(sql)
    return list({column.source: column for name, column in columns.items() if name in names}.values())


def _lex(sql: str) -> Sequence[Token]:
    try:
        return lex(sql)
    except DdlError:  # then it was not translated either
        return ()


def sample_values(column: SampleColumn, sql: str, *, exact: bool) -> list[object]:
    """Values to be stored in a column, those first that the expression itself names; more than can stay. Pure.

    exact: there are integers beyond what a floating-point number counts exactly. Where these are in play, sums of such
    integers are known to differ (the docs' table of expressions says so).
    """
    tokens = _lex(sql)
    integers = _INTEGERS if exact else _INTEGERS[:_EXACT_IN_DOUBLES]
    words = list(_vary_words(tokens))
    numbers = list(_vary_numbers(tokens))
    values: list[object] = [None] if column.nullable else []
    match column.kind:
        case "int2" | "int4" | "int8" | "interval":
            values += [*(number for number in numbers if isinstance(number, int)), *integers]
        case "float8" | "numeric":
            values += [*numbers, *_REALS, *integers]
        case "bool":
            values += [0, 1, *_WORDS_OF_TRUTH]
        case "text":
            values += [*words, *_TEXTS, *numbers, *_INTEGERS[:12]]
        case "bytea":
            values += [*_BLOBS, *words, *_TEXTS[:12]]
        case "json" | "jsonb":
            values += [*_JSON]
        case "uuid":
            values += [*_UUIDS, *_UUIDS_IN_HEX]
        case _:
            values += list(_spell_moments(column, words))
    return list(dict.fromkeys(values))


def _vary_words(tokens: Iterable[Token]) -> Iterator[str]:
    """The texts in an expression, and texts that are nearly the same."""
    for token in tokens:
        if token.kind in {"string", "quoted"}:
            word = token.value
            plain = re.sub(r"[%*]", "", word).replace("_", "x").replace("?", "x")
            yield from (word, word.upper(), word.lower(), word.swapcase(), plain, plain.upper(), f"{plain}x")
            yield from (f"x{plain}", f"x{plain}x", word[:-1], f"{word} ", re.sub(r"[%*]", "xy", word))


def _vary_numbers(tokens: Iterable[Token]) -> Iterator[int | float]:
    for token in tokens:
        if token.kind == "number":
            text = token.value.replace("_", "")
            if re.fullmatch(r"\d{1,15}", text):
                yield from (int(text), int(text) - 1, int(text) + 1, -int(text))
            elif re.fullmatch(r"[\d.]+([eE][+-]?\d+)?", text):
                yield from (float(text), float(text) - 0.5, float(text) + 0.5, -float(text))


def _spell_moments(column: SampleColumn, words: Iterable[str]) -> Iterator[str]:
    """Dates and times in the forms that the column has."""
    named = [word[:10] for word in words if re.match(r"\d{4}-\d\d-\d\d", word)]
    days = list(dict.fromkeys([*named, *_DAYS]))
    if column.kind == "time":
        yield from (*_CLOCKS, "10:11:12.345678")
        return
    if column.kind == "date":
        yield from days
        return
    for form in sorted(column.forms or _PYTHONS_FORMS):
        fraction = re.fullmatch(r"datetime-f(\d)", form)
        for number, day in enumerate(days):
            for clock in (_CLOCKS[0], _CLOCKS[1 + number % (len(_CLOCKS) - 1)]):
                if form == "date":
                    yield day
                elif fraction:
                    yield f"{day} {clock}.{_FRACTION[: min(int(fraction[1]), 6)].ljust(int(fraction[1]), '0')}"
                elif form == "datetime-t":
                    yield f"{day}T{clock}"
                elif form == "datetime-tz":
                    yield f"{day} {clock}+00:00"
                elif form in {"datetime", "datetime-any"}:
                    yield f"{day} {clock}"


def fits(column: SampleColumn, value: StorageValue) -> bool:
    """Whether a value, as SQLite stored it, is one that the column could hold when it was planned. Pure."""
    if value is None:
        return column.nullable
    if storage_class(value) not in column.storage:
        return False
    try:
        canonical_source(value, column.kind, column.pg_type)
    except Unrepresentable:
        return False
    modifier = _MODIFIER.search(column.pg_type)
    if modifier and column.kind == "text":
        return len(_spell(value)) <= int(modifier[1])
    if modifier and column.kind == "numeric":
        text, room = _spell(value), int(modifier[1]) - int(modifier[2] or 0)
        whole, _, fraction = text.lstrip("-").partition(".")
        return "e" not in text and len(fraction.rstrip("0")) <= int(modifier[2] or 0) and len(whole) <= room
    limits = {"int2": 2**15, "int4": 2**31}
    return not isinstance(value, int) or -limits.get(column.kind, 2**63) <= value < limits.get(column.kind, 2**63)


def combine(columns: Sequence[Sequence[StorageValue]]) -> list[tuple[StorageValue, ...]]:
    """Rows of the columns' values: all combinations where they are few, else each value once and a choice. Pure."""
    if prod(map(len, columns)) <= MOST_ROWS:
        return list(product(*columns))
    longest = max(map(len, columns))
    rows = [tuple(values[at % len(values)] for values in columns) for at in range(longest)]
    choice = random.Random(len(columns))  # noqa: S311 - the same choice each time, for no secret
    rows += [tuple(choice.choice(values) for values in columns) for _ in range(MOST_ROWS - len(rows))]
    return list(dict.fromkeys(rows))[:MOST_ROWS]


def spell_for_target(column: SampleColumn, value: StorageValue) -> str | None:
    """A stored value as PostgreSQL reads it in the column's type; `fits` said that it can hold it. Pure."""
    if value is None:
        return None
    if column.kind == "bytea":
        return "\\x" + (value if isinstance(value, bytes) else _spell(value).encode()).hex()
    text = _spell(value)
    if column.kind == "interval":
        return f"{text} microseconds"
    if column.kind == "timestamptz" and not text.endswith("+00:00"):
        return f"{text}+00"
    return text


def _spell(value: StorageValue) -> str:
    return value.decode() if isinstance(value, Text) else str(value)
