"""What a way lost: the target held against the source, without liteferry, by counting and by reading values back.

Everything is counted over all rows but the values themselves, of which those of at most 20,000 rows a table are
compared, evenly spread. A value counts as the same where it means the same: a moment that became a text of that moment
is no different value, but a column of another type.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_COMPARED: Final = 20_000
EXACT: Final[dict[str, frozenset[str]]] = {
    "integer": frozenset({"int2", "int4", "int8", "numeric"}),
    "bigint": frozenset({"int8", "numeric"}),
    "bool": frozenset({"bool"}),
    "decimal": frozenset({"numeric"}),
    "real": frozenset({"float8"}),
    "datetime": frozenset({"timestamp", "timestamptz"}),
    "date": frozenset({"date"}),
    "json": frozenset({"json", "jsonb"}),
    "blob": frozenset({"bytea"}),
    "text": frozenset({"text", "varchar", "bpchar"}),
}
"""The types of PostgreSQL in which a declared type keeps its meaning."""
_DECLARED: Final = (
    (r"bool", "bool"),
    (r"bigint", "bigint"),
    (r"int", "integer"),
    (r"decimal|numeric", "decimal"),
    (r"real|double|float", "real"),
    (r"datetime|timestamp", "datetime"),
    (r"date", "date"),
    (r"blob", "blob"),
    (r"", "text"),
)
_OBJECTS_SQL: Final = """
SELECT c.relname, c.oid,
    (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid AND NOT i.indisprimary AND i.indisvalid),
    (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid AND NOT i.indisprimary AND i.indpred IS NOT NULL),
    (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary),
    (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'),
    (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c')
FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
_COLUMNS_SQL: Final = """
SELECT a.attrelid, a.attname, t.typname, a.attnotnull,
    pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname),
    d.adbin IS NOT NULL AND pg_get_expr(d.adbin, d.adrelid) NOT LIKE 'nextval(%'
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r' AND n.nspname = 'public'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What the source has and the target has not, each with how many the source has.

    ``values``: of the rows that are there, those that were compared; ``flattened``: columns whose type does not say any
    more what the values are, as "datetime became text" with their number; ``first_difference``: where the first
    value lies that is another one.
    """

    tables: tuple[int, int] = (0, 0)
    rows: tuple[int, int] = (0, 0)
    nulls: tuple[int, int] = (0, 0)
    values: tuple[int, int] = (0, 0)
    column_types: tuple[int, int] = (0, 0)
    not_null: tuple[int, int] = (0, 0)
    primary_keys: tuple[int, int] = (0, 0)
    indexes: tuple[int, int] = (0, 0)
    predicates: tuple[int, int] = (0, 0)
    foreign_keys: tuple[int, int] = (0, 0)
    checks: tuple[int, int] = (0, 0)
    defaults: tuple[int, int] = (0, 0)
    sequences: tuple[int, int] = (0, 0)
    flattened: dict[str, int]
    first_difference: str = ""


COUNTED: Final = {
    "tables": "tables",
    "rows": "rows",
    "nulls": "NULLs",
    "values": "values that differ",
    "column_types": "column types",
    "not_null": "NOT NULL",
    "primary_keys": "primary keys",
    "indexes": "indexes",
    "predicates": "index predicates",
    "foreign_keys": "foreign keys",
    "checks": "CHECKs",
    "defaults": "defaults",
    "sequences": "keys that number themselves",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    name: str
    family: str
    not_null: bool
    default: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a column is in the target. ``sequence``: what its next value comes from, as SQL."""

    name: str
    type_name: str
    not_null: bool
    sequence: str | None
    default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    name: str
    key: str  # its integer primary key
    columns: tuple[_Column, ...]
    counts: Counter[str]  # of the objects


def quote(name: str) -> str:
    """Quote an identifier, for both engines. Pure."""
    return '"' + name.replace('"', '""') + '"'


def read_tables(source: sqlite3.Connection) -> list[_Table]:
    """What the source declares."""
    found = []
    listed = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    for name, sql in source.execute(listed).fetchall():
        as_json = set(re.findall(r"json_valid\s*\(\s*(\w+)\s*\)", sql))
        columns, key = [], ""
        for _, column, declared, not_null, default, position in source.execute(f"PRAGMA table_info({quote(name)})"):
            family = next(family for pattern, family in _DECLARED if re.search(pattern, declared.lower()))
            columns.append(
                _Column(
                    name=column,
                    family="json" if column in as_json else family,
                    not_null=bool(not_null or position),
                    default=default is not None,
                )
            )
            key = column if position else key
        indexes = source.execute(f"PRAGMA index_list({quote(name)})").fetchall()
        keys = {row[0] for row in source.execute(f"PRAGMA foreign_key_list({quote(name)})")}
        counts = Counter(
            indexes=sum(origin != "pk" for _, _, _, origin, _ in indexes),
            predicates=sum(partial for *_, partial in indexes),
            primary_keys=1,
            foreign_keys=len(keys),
            checks=len(re.findall(r"\bCHECK\b", sql)) - len(as_json),  # jsonb is the check itself
            sequences=1,
            not_null=sum(column.not_null for column in columns),
            defaults=sum(column.default for column in columns),
        )
        found.append(_Table(name=name, key=key, columns=tuple(columns), counts=counts))
    return found


def count_losses(source_path: Path, url: str) -> Lost:
    """Hold a target's schema public against the source. Names are compared without regard to case."""
    with (
        closing(sqlite3.connect(f"file:{source_path}?mode=ro", uri=True)) as source,
        psycopg.connect(url, autocommit=True) as target,
    ):
        counting = _Counting(source, target)
        for table in read_tables(source):
            counting.add(table)
    counts = {what: (counting.lost[what], counting.had[what]) for what in COUNTED}
    return Lost(**counts, flattened=dict(counting.flattened), first_difference=counting.first)


class _Counting:
    """What is known of a target so far: what was there to be lost, what was lost, and the first other value's place."""

    def __init__(self, source: sqlite3.Connection, target: psycopg.Connection[Any]) -> None:
        """Read the target's catalogue."""
        self.source, self.target = source, target
        self.had: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.flattened: Counter[str] = Counter()
        self.first = ""
        target.execute("SET TimeZone = 'UTC'")
        self._tables = {row[0].lower(): row for row in target.execute(_OBJECTS_SQL).fetchall()}
        self._columns: dict[int, dict[str, _Place]] = {}
        for oid, column, *rest in target.execute(_COLUMNS_SQL).fetchall():
            self._columns.setdefault(oid, {})[column.lower()] = _Place(column, *rest)

    def add(self, table: _Table) -> None:
        """Count one table."""
        names = ", ".join(f"count({quote(column.name)})" for column in table.columns)
        rows, *filled = self.source.execute(f"SELECT count(*), {names} FROM {quote(table.name)}").fetchone()
        nulls = {column.name: rows - count for column, count in zip(table.columns, filled, strict=True)}
        whole = table.counts + Counter(tables=1, rows=rows, nulls=sum(nulls.values()), column_types=len(table.columns))
        self.had.update(whole)
        found = self._tables.get(table.name.lower())
        if found is None:
            self.lost.update(whole)
            return
        name, oid, *objects = found
        own = self._columns.get(oid, {})
        pairs = [(column, own[column.name.lower()]) for column in table.columns if column.name.lower() in own]
        kept = Counter(
            dict(zip(("indexes", "predicates", "primary_keys", "foreign_keys", "checks"), objects, strict=True))
        )
        kept["sequences"] = self._is_sequence_set(table, own.get(table.key.lower()))
        for column, place in pairs:
            kept["not_null"] += column.not_null and place.not_null
            kept["defaults"] += column.default and place.default
            if place.type_name in EXACT[column.family]:
                kept["column_types"] += 1
            else:
                self.flattened[f"{column.family} became {place.type_name}"] += 1
        for what in (*table.counts, "column_types"):
            self.lost[what] += max(0, whole[what] - kept[what])
        self._count_rows(rows, nulls, name, pairs)
        self._compare(table, name, pairs, rows)

    def _count_rows(self, rows: int, nulls: dict[str, int], name: str, pairs: list[tuple[_Column, _Place]]) -> None:
        counted = "".join(f", count({quote(place.name)})" for _, place in pairs)
        found = self.target.execute(f"SELECT count(*){counted} FROM {quote(name)}".encode()).fetchone()
        arrived, *filled = found or (0,)
        self.lost["rows"] += abs(rows - arrived)
        there = {column.name: arrived - count for (column, _), count in zip(pairs, filled, strict=True)}
        self.lost["nulls"] += sum(abs(count - there.get(column, 0)) for column, count in nulls.items())

    def _is_sequence_set(self, table: _Table, key: _Place | None) -> bool:
        """Whether the next insert gets a key of its own, beyond all that SQLite ever gave out."""
        if key is None or key.sequence is None:
            return False
        following_sql = f"SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END FROM {key.sequence}"
        following = self.target.execute(following_sql.encode()).fetchone()
        given = self.source.execute(f"SELECT max({quote(table.key)}) FROM {quote(table.name)}").fetchone()[0] or 0
        if self.source.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
            row = self.source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).fetchone()
            given = max(given, row[0] if row else 0)
        return following is not None and following[0] > given

    def _compare(self, table: _Table, name: str, pairs: list[tuple[_Column, _Place]], rows: int) -> None:
        """Compare the values of a table's rows, at most MOST_COMPARED of them. A lost row is not counted here."""
        own_key = next((place.name for column, place in pairs if column.name == table.key), None)
        if own_key is None or not rows:
            return
        step = -(-rows // MOST_COMPARED)
        key = quote(table.key)
        chosen = ", ".join(quote(column.name) for column, _ in pairs)
        read = self.source.execute(f"SELECT {key}, {chosen} FROM {quote(table.name)} WHERE {key} % {step} = 0")
        asked = ", ".join(quote(place.name) + ("::text" * (place.type_name in EXACT["json"])) for _, place in pairs)
        key = f"{quote(own_key)}::bigint"
        query = f"SELECT {key}, {asked} FROM {quote(name)} WHERE {key} % {step} = 0"
        arrived = {row[0]: row[1:] for row in self.target.execute(query.encode())}
        for number, *values in read:
            for (column, _), value, other in zip(pairs, values, arrived.get(number, ()), strict=False):
                self.had["values"] += 1
                if not is_same(column.family, value, other):
                    self.lost["values"] += 1
                    self.first = self.first or f"{table.name}.{column.name}, {table.key}={number}"


def is_same(family: str, value: Any, other: Any) -> bool:
    """Whether a value of PostgreSQL means what SQLite stored in a column of that family. Pure."""
    if value is None or other is None:
        return value is other
    try:
        read: Callable[[Any], Any] = _READERS[family]
        return bool(read(value) == read(other))
    except (ValueError, TypeError, InvalidOperation, AttributeError):
        return False


def read_moment(value: Any) -> dt.datetime:
    """A moment in UTC, without a zone. Pure."""
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def read_day(value: Any) -> dt.date:
    """A day; a moment at midnight is that day. Pure."""
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def read_text(value: Any) -> str:
    """A text; bytes are none. Pure."""
    if not isinstance(value, str):
        raise TypeError
    return value


def read_truth(value: Any) -> int:
    """0 or 1. Pure."""
    return int({"true": 1, "t": 1, "false": 0, "f": 0}.get(value, value))


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "integer": int,
    "bigint": int,
    "bool": read_truth,
    "decimal": lambda value: Decimal(str(value)),
    "real": float,
    "datetime": read_moment,
    "date": read_day,
    "json": lambda value: json.loads(value, parse_float=Decimal),
    "blob": lambda value: bytes(value) if not isinstance(value, str) else value,
    "text": read_text,
}
