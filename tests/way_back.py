"""From a migrated PostgreSQL database back to SQLite's values: written for the tests, and sharing nothing.

The run's plan says which column became what; the rows are read as text and compared with what the source stores, by an
equality that is stated for each type (`SOURCE_FORMS`): numbers by value, doubles by their bits, texts and blobs by
their bytes, moments by instant, JSON by value with numbers as decimals.
"""

from __future__ import annotations

import json
import re
import sqlite3
import struct
from collections import Counter
from contextlib import closing
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import psycopg

from random_databases import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from liteferry.model import Plan, TableMap

Stored = tuple[str, Any]
"""SQLite's typeof(), and the value: TEXT and BLOB as bytes."""


# ---------------------------------------------------------------------------------------------------------------------
# Forms that are equal where two values are


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


def _days(year: int, month: int, day: int) -> int:
    """Days since 0000-03-01 of the proleptic Gregorian calendar."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year


_MOMENT: Final = re.compile(
    r"(\d{4,})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?( BC)?"
)


def read_moment(text: str) -> Fraction:
    """Seconds since long ago; without an offset in UTC."""
    match = _MOMENT.fullmatch(text)
    assert match, text
    year, month, day, hour, minute, second, offset, era = match.groups()
    days = _days(1 - int(year) if era else int(year), int(month), int(day))
    seconds = Fraction(days * 86_400 + int(hour or 0) * 3600 + int(minute or 0) * 60) + Fraction(second or 0)
    if offset and offset != "Z":
        digits = offset[1:].replace(":", "").ljust(4, "0")
        shift = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        seconds -= shift if offset[0] == "+" else -shift
    return seconds


def read_clock(text: str) -> Fraction:
    parts = [Fraction(part) for part in text.split(":")]
    return parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)


def read_json(text: str) -> Hashable:
    """JSON by value."""

    def freeze(value: object) -> Hashable:
        if isinstance(value, dict):
            return ("object", frozenset((key, freeze(item)) for key, item in value.items()))
        if isinstance(value, list):
            return ("array", tuple(map(freeze, value)))
        return (type(value).__name__, value)  # true is not 1

    return freeze(json.loads(text, parse_float=Decimal, parse_int=Decimal))


def _spelled(kind: str, value: Any) -> bytes:  # a number or bytes
    return bytes(value) if kind in {"text", "blob"} else repr(value).encode()


def _decimal(kind: str, value: Any) -> Decimal:  # a number or the bytes of one
    return Decimal(value.decode() if kind == "text" else repr(value))


def _as_text(kind: str, value: Any) -> str:  # bytes
    assert kind == "text", (kind, value)
    return str(bytes(value), "utf-8")


def _integer(kind: str, value: Any) -> int:  # a number
    assert kind == "integer", (kind, value)
    return int(value)


def _double(kind: str, value: Any) -> bytes:  # a number
    assert kind in {"integer", "real"}, (kind, value)
    assert Fraction(value) == Fraction(float(value)) if kind == "integer" else True
    return _bits(float(value))


_TRUE_WORDS: Final = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def _boolean(kind: str, value: Any) -> bool:  # a number or a word
    return _TRUE_WORDS[value.decode().lower() if kind == "text" else repr(value)]


SOURCE_FORMS: Final[dict[str, Callable[[str, Any], Hashable]]] = {
    "int8": _integer,
    "float8": _double,
    "numeric": _decimal,
    "bool": _boolean,
    "text": _spelled,
    "bytea": _spelled,
    "timestamp": lambda kind, value: read_moment(_as_text(kind, value)),
    "timestamptz": lambda kind, value: read_moment(_as_text(kind, value)),
    "date": _as_text,
    "time": lambda kind, value: read_clock(_as_text(kind, value)),
    "json": _spelled,
    "jsonb": lambda kind, value: read_json(_spelled(kind, value).decode()),
    "uuid": lambda kind, value: _as_text(kind, value).replace("-", "").lower(),
}
TARGET_FORMS: Final[dict[str, Callable[[str], Hashable]]] = {
    "int8": int,
    "float8": lambda text: _bits(float(text)),
    "numeric": Decimal,
    "bool": {"true": True, "false": False}.__getitem__,
    "text": str.encode,
    "bytea": lambda text: bytes.fromhex(text.removeprefix("\\x")),
    "timestamp": read_moment,
    "timestamptz": read_moment,
    "date": str,
    "time": read_clock,
    "json": str.encode,
    "jsonb": read_json,
    "uuid": lambda text: text.replace("-", ""),
}


# ---------------------------------------------------------------------------------------------------------------------
# Rows


def read_source_rows(path: Path, table: TableMap) -> Counter[tuple[Hashable, ...]]:
    """Every row of the source in the forms of its columns' types, and how often it is there."""
    items = ", ".join(f"typeof(t.{quote(column.source)}), t.{quote(column.source)}" for column in table.columns)
    with closing(sqlite3.connect(path)) as db:
        db.text_factory = bytes
        rows = db.execute(f"SELECT {items} FROM {quote(table.source)} AS t NOT INDEXED").fetchall()
    return Counter(
        tuple(
            None if kind == b"null" else SOURCE_FORMS[column.kind](kind.decode(), value)
            for column, kind, value in zip(table.columns, row[::2], row[1::2], strict=True)
        )
        for row in rows
    )


def read_target_rows(url: str, schema: str, table: TableMap) -> Counter[tuple[Hashable, ...]]:
    """The same of the target."""
    items = ", ".join(f"{quote(column.target)}::text" for column in table.columns)
    options = "-c timezone=UTC -c datestyle=ISO,YMD -c bytea_output=hex"
    with psycopg.connect(url, options=options) as connection:
        rows = connection.execute(f"SELECT {items} FROM {quote(schema)}.{quote(table.target)}".encode()).fetchall()
    return Counter(
        tuple(
            None if text is None else TARGET_FORMS[column.kind](text)
            for column, text in zip(table.columns, row, strict=True)
        )
        for row in rows
    )


def assert_rows_equal(path: Path, url: str, plan: Plan) -> int:
    """Both sides hold the same rows, as often. Returns their number."""
    total = 0
    for table in plan.tables:
        source, target = read_source_rows(path, table), read_target_rows(url, plan.target_schema, table)
        assert source == target, (table, source - target, target - source)
        total += source.total()
    return total


# ---------------------------------------------------------------------------------------------------------------------
# Objects


def _ask(url: str, sql: str) -> Counter[str]:
    with psycopg.connect(url) as connection:
        return Counter(str(name) for (name,) in connection.execute(sql.encode()))


_CONSTRAINTS_SQL: Final = (
    "SELECT c.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
    "WHERE c.relnamespace = 'public'::regnamespace AND contype = '{}'"
)
_DEFAULTS_SQL: Final = (
    "SELECT c.relname FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN pg_attribute a ON attrelid = c.oid"
    " AND attnum = adnum WHERE c.relnamespace = 'public'::regnamespace AND attgenerated = ''"
)


def list_unaccounted(path: Path, url: str, plan: Plan) -> list[str]:
    """What the source declares that is neither in the target nor named by a finding: nothing, one hopes.

    Counted from SQLite's pragmas and PostgreSQL's catalogue, table by table, not from what the plan says.
    """
    told = Counter((found.code, found.table) for found in plan.findings)
    held = {kind: _ask(url, _CONSTRAINTS_SQL.format(kind)) for kind in "fcpu"}
    defaults = _ask(url, _DEFAULTS_SQL)
    indexes = _ask(url, "SELECT tablename FROM pg_indexes WHERE schemaname = 'public'")
    views = _ask(url, "SELECT viewname FROM pg_views WHERE schemaname = 'public'")
    wrong: list[str] = []

    def compare(what: str, declared: int, made: int, *codes: str, table: str | None) -> None:
        explained = sum(told[code, table] for code in codes)
        if not made <= declared <= made + explained:
            wrong.append(f"{table}: {declared} {what} declared, {made} made, {explained} explained")

    with closing(sqlite3.connect(path)) as db:
        entries = db.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        ).fetchall()
        tables = {name: sql for kind, name, _, sql in entries if kind == "table"}
        assert {table.source for table in plan.tables} == set(tables)
        for table in plan.tables:
            name, target = table.source, table.target
            argument = quote(name)
            keys = {row[0] for row in db.execute(f"PRAGMA foreign_key_list({argument})")}
            compare(
                "foreign keys", len(keys), held["f"][target], "foreign-key-no-parent", "foreign-key-not-unique",
                "foreign-key-types", "left-dangling", table=name,
            )  # fmt: skip
            checks = tables[name].count(" CHECK (")
            compare("CHECKs", checks, held["c"][target], "check-untranslatable", "check-implied", table=name)
            columns = db.execute(f"PRAGMA table_xinfo({argument})").fetchall()
            assert [column.source for column in table.columns] == [row[1] for row in columns]
            listed = db.execute(f"PRAGMA index_list({argument})").fetchall()
            alias = any(row[5] for row in columns) and not any(row[3] == "pk" for row in listed)
            with_default = [row for row in columns if row[4] is not None and row[4].upper() != "NULL"]
            wanted = sum(not (alias and row[5]) for row in with_default)  # SQLite never uses that of a rowid's alias
            compare("defaults", wanted, defaults[target], "default-untranslatable", table=name)
            # a primary key that cannot ignore what SQLite's does has an index beside it that can
            beside = sum(made.stands_for == "primary_key" and made.table == target for made in plan.objects)
            compare(
                "indexes with those of keys", len(listed) + alias, indexes[target] - beside, "index-untranslatable",
                "null-in-key", "value-misfit", "collation-lost", "unique-clash", "index-entry-too-long", table=name,
            )  # fmt: skip
        all_views = [name for kind, name, _, _ in entries if kind == "view"]
        explained = sum(
            code.startswith("view-") and code not in {"view-differs", "view-not-compared"}
            for code, _ in told.elements()
        )
        if len(all_views) != views.total() + explained:
            wrong.append(f"{len(all_views)} views declared, {views.total()} made, {explained} explained")
        triggers = sum(kind == "trigger" for kind, *_ in entries)
        if triggers != sum(count for (code, _), count in told.items() if code == "trigger-left-out"):
            wrong.append(f"{triggers} triggers")
    return wrong
