"""Random values through the load's conversions, a real server and the proof's conversions: always the same value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liteferry.census import InvalidText
from liteferry.codecs import HEADER, TRAILER, RowEncoder
from liteferry.compare import Text, canonicalise_columns, parse_copy_text
from liteferry.model import ColumnMap, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS: list[tuple[Kind, str, tuple[str, ...]]] = [
    ("int4", "integer", ("null",)),
    ("int8", "bigint", ("null:text,blob",)),
    ("float8", "double precision", ("null",)),
    ("numeric", "numeric(6,2)", ("null",)),
    ("numeric", "numeric", ("null",)),
    ("numeric", "numeric(8,2)", ("quantise:8,2", "null")),
    ("numeric", "numeric(25,3)", ("quantise-reals:25,3", "null")),
    ("numeric", "numeric", ("quantise", "null")),
    ("bool", "boolean", ("null",)),
    ("text", "varchar(5)", ("null",)),
    ("text", "text", ("strip-nul", "null")),
    ("text", "text", ("u-fffd", "null")),
    ("text", "varchar(8)", ("escape", "null")),
    ("bytea", "bytea", ("null:text,integer,real",)),
    ("timestamptz", "timestamptz", ("epoch-s", "null")),
    ("timestamptz", "timestamptz", ("epoch-us", "timezone:Europe/Berlin", "null")),
    ("timestamp", "timestamp", ("epoch-ms", "null")),
    ("timestamptz", "timestamptz", ("julian", "null")),
    ("timestamptz", "timestamptz", ("timezone:America/New_York", "null")),
    ("timestamptz", "timestamptz", ("timezone:Europe/Berlin", "earlier", "null")),
    ("timestamptz", "timestamptz", ("timezone:Europe/Berlin", "later", "null")),
    ("interval", "interval", ("null",)),
    ("date", "date", ("epoch-s", "null")),
    ("jsonb", "jsonb", ("null",)),
    ("jsonb", "jsonb", ("last-key", "null")),
    ("json", "json", ("null",)),
    ("uuid", "uuid", ("null",)),
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
STAMPS = st.datetimes().map(lambda moment: moment.isoformat(" "))
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(10**10), 10**10).map(lambda days: days * 86_400),
    st.floats(allow_nan=False),
    st.floats(0, 5_373_484.4),
    st.integers(-(10**12), 10**12).map(lambda number: number / 1000),
    st.binary(max_size=17),
    st.binary(max_size=6).map(lambda raw: InvalidText(raw + b"\xff")),
    TEXTS,
    TEXTS.map(lambda text: f"{text}\0\\"),
    STAMPS,
    STAMPS.map(lambda stamp: f"{stamp}+02:00"),
    st.sampled_from(["2024-10-27 02:30:00", "2024-03-31 02:30:00", '[{"a":1,"a":{"b":1E2,"b":-0}}]', "0.1", "1e-3"]),
    st.sampled_from([0.1 + 0.2, 1.005, 2.675, -0.0, 999999.995, 123456789012345678]),
    st.sampled_from(["{}", '{"a":1,"a":2}', "[1.50]", "t", "12.345", "9999.99", "0" * 32, "2024-02-30", "2024-02-29"]),
)


@pytest.fixture
def connection(pg_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(pg_url) as connection:
        yield connection


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(VALUES, min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=1, max_size=12))
def test_what_was_converted_and_loaded_is_what_the_proof_expects(
    rows: list[list[object]], connection: psycopg.Connection
) -> None:
    columns = [
        ColumnMap(source=f"c{at}", target=f"c{at}", pg_type=pg_type, kind=kind, rule="", conversions=conversions)
        for at, (kind, pg_type, conversions) in enumerate(COLUMNS)
    ]
    connection.rollback()
    connection.execute("SET TIME ZONE 'UTC'; SET extra_float_digits = 1")
    clauses = ", ".join(f"{column.target} {column.pg_type}" for column in columns)
    connection.execute(f"CREATE TEMP TABLE converted (place serial, {clauses}) ON COMMIT DROP".encode())
    names = ", ".join(column.target for column in columns)
    cursor = connection.cursor()
    with cursor.copy(f"COPY converted ({names}) FROM STDIN (FORMAT binary)".encode()) as copy:
        copy.write(HEADER + RowEncoder(columns).encode([tuple(row) for row in rows]) + TRAILER)
    with cursor.copy(f"COPY (SELECT {names} FROM converted ORDER BY place) TO STDOUT".encode()) as copy:
        loaded = b"".join(bytes(block) for block in copy)
    stored = [
        [Text(v.encode()) if isinstance(v, str) else Text(v) if isinstance(v, InvalidText) else v for v in column]
        for column in zip(*rows, strict=True)
    ]
    expected = canonicalise_columns(stored, columns, "source")
    found = canonicalise_columns(parse_copy_text(loaded.removesuffix(b"\n"), len(columns)), columns, "target")
    for column, wanted, given_back in zip(columns, expected, found, strict=True):
        assert (column.conversions, given_back) == (column.conversions, wanted)
