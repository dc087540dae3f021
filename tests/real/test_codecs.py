"""The encoders' bytes mean to a real server what the SQL literal beside them means."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liteferry.codecs import ENCODERS, HEADER, TRAILER, Misfit, RowEncoder, RowMisfit
from liteferry.model import ColumnMap, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES: list[tuple[Kind, str, object, str]] = [
    ("int2", "smallint", -32768, "-32768"),
    ("int4", "integer", 2**31 - 1, "2147483647"),
    ("int8", "bigint", -(2**63), "'-9223372036854775808'"),
    ("float4", "real", 0.5, "0.5"),
    ("float4", "real", -16777216, "-16777216"),
    ("float4", "real", float("-inf"), "'-Infinity'"),
    ("inet", "inet", "192.168.0.1", "'192.168.0.1'"),
    ("inet", "inet", "10.1.2.3/8", "'10.1.2.3/8'"),
    ("inet", "inet", "2001:DB8::1", "'2001:db8::1'"),
    ("inet", "cidr", "10.0.0.0/8", "'10.0.0.0/8'"),
    ("float8", "double precision", 0.1234567890123456, "0.1234567890123456"),
    ("float8", "double precision", -0.0, "'-0'"),
    ("float8", "double precision", float("inf"), "'Infinity'"),
    ("float8", "double precision", 5e-324, "'5e-324'"),
    ("float8", "double precision", 7, "7"),
    ("numeric", "numeric", 0, "0"),
    ("numeric", "numeric", 0.1, "0.1"),
    ("numeric", "numeric", -0.0, "0"),
    ("numeric", "numeric", 123456789.123, "123456789.123"),
    ("numeric", "numeric", -9999.0001, "-9999.0001"),
    ("numeric", "numeric", 10000, "10000"),
    ("numeric", "numeric", 2**63 - 1, "9223372036854775807"),
    ("numeric", "numeric", 1e300, "1e300"),
    ("numeric", "numeric", 1.5e-300, "1.5e-300"),
    ("numeric", "numeric", "0.00001234", "0.00001234"),
    ("numeric", "numeric", "-12.50", "-12.50"),
    ("numeric", "numeric", "1" * 400, "1" * 400),
    ("numeric", "numeric(10,2)", 1.5, "1.5"),
    ("bool", "boolean", 1, "true"),
    ("bool", "boolean", 0, "false"),
    ("bool", "boolean", "True", "true"),
    ("bool", "boolean", "f", "false"),
    ("text", "text", "", "''"),
    ("text", "text", "a\tb\\n\n'é\U0001f600", "E'a\\tb\\\\n\\n''é\U0001f600'"),
    ("text", "varchar(3)", "äöü", "'äöü'"),
    ("text", "text", 17, "'17'"),
    ("text", "text", 1e20, "'1e+20'"),
    ("bytea", "bytea", b"", "''"),
    ("bytea", "bytea", bytes(range(256)), "'\\x" + bytes(range(256)).hex() + "'"),
    ("bytea", "bytea", "password", "'\\x" + b"password".hex() + "'"),
    ("timestamp", "timestamp", "2025-10-09 16:21:00", "'2025-10-09 16:21:00'"),
    ("timestamp", "timestamp", "1899-12-31T23:59:59.999999", "'1899-12-31 23:59:59.999999'"),
    ("timestamp", "timestamp", "0001-01-01", "'0001-01-01 00:00:00'"),
    ("timestamp", "timestamp", "2000-01-01 00:00:00.100000000", "'2000-01-01 00:00:00.1'"),
    ("timestamptz", "timestamptz", "2025-10-09 16:21:00+08:00", "'2025-10-09 16:21:00+08:00'"),
    ("timestamptz", "timestamptz", "2025-10-09T16:21:00Z", "'2025-10-09 16:21:00+00'"),
    ("timestamptz", "timestamptz", "2025-10-09 16:21", "'2025-10-09 16:21:00+00'"),
    ("timestamptz", "timestamptz", "2025-10-09 16:21:00-0530", "'2025-10-09 16:21:00-05:30'"),
    ("date", "date", "1583-01-01", "'1583-01-01'"),
    ("date", "date", "9999-12-31", "'9999-12-31'"),
    ("time", "time", "23:59:59.5", "'23:59:59.5'"),
    ("time", "time", "08:30", "'08:30:00'"),
    ("interval", "interval", 90_000_000, "'90 seconds'"),
    ("interval", "interval", -1, "'-1 day 23:59:59.999999'"),
    ("interval", "interval", "1970-01-02 00:00:12.345000", "'1 day 00:00:12.345'"),
    ("interval", "interval", "1970-01-01T00:00", "'0'"),
    ("interval", "interval", "1969-12-31 23:59:59.999999", "'-1 day 23:59:59.999999'"),
    ("json", "json", '{"a": 1, "a": "\\u0000"}', '\'{"a": 1, "a": "\\u0000"}\''),
    ("jsonb", "jsonb", '{"b": [1.50, null], "a": "é"}', '\'{"b": [1.50, null], "a": "é"}\''),
    ("jsonb", "jsonb", 5, "'5'"),
    ("jsonb", "jsonb", 0.25, "'0.25'"),
    ("uuid", "uuid", "00000000000000000000000000001230", "'00000000-0000-0000-0000-000000001230'"),
    ("uuid", "uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    ("uuid", "uuid", bytes(range(16)), "'00010203-0405-0607-0809-0a0b0c0d0e0f'"),
]

MISFITS: list[tuple[Kind, object]] = [
    ("int8", 2**63),
    ("int8", "5"),
    ("int8", 1.0),
    ("int2", 32768),
    ("float4", 0.1),
    ("float4", 16777217),
    ("float4", 1e300),
    ("float4", "1.5"),
    ("inet", "10.0.0"),
    ("inet", "fe80::1%eth0"),
    ("inet", 1),
    ("float8", 2**53 + 1),
    ("float8", "1.5"),
    ("numeric", float("inf")),
    ("numeric", "1,5"),
    ("numeric", "\u00a01.5"),
    ("numeric", "1.5 "),
    ("numeric", ""),
    ("numeric", "."),
    ("numeric", b"1"),
    ("bool", 2),
    ("bool", "yes"),
    ("text", "a\0b"),
    ("text", b"bytes"),
    ("text", "\ud800"),
    ("timestamp", "2025-02-30 00:00:00"),
    ("timestamp", "2025-01-01 24:00:00"),
    ("timestamp", "2025-01-01 00:00:60"),
    ("timestamp", "2025-01-01 00:00:00.0000001"),
    ("timestamp", "2025-01-01 00:00:00Z"),
    ("timestamp", 86400),
    ("timestamp", "0000-01-01"),
    ("timestamptz", "2025-01-01 00:00:00+99:00"),
    ("date", "2025-1-1"),
    ("date", "20250101"),
    ("date", "2025-W01-1"),
    ("date", 5),
    ("time", "24:00"),
    ("time", "1:00"),
    ("interval", "1"),
    ("interval", "1970-01-01 00:00:01Z"),
    ("interval", "2026-01-01 00:00:01"),
    ("interval", "1970-02-30 00:00:01"),
    ("json", b"{}"),
    ("jsonb", float("inf")),
    ("uuid", "xyz"),
    ("uuid", b"short"),
]


def column(kind: Kind, pg_type: str = "", name: str = "c") -> ColumnMap:
    return ColumnMap(source=name, target=name, pg_type=pg_type or kind, kind=kind, rule="test")


@pytest.fixture
def connection(pg_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(pg_url, autocommit=True) as opened:
        yield opened


def test_every_kind_has_cases() -> None:
    assert {case[0] for case in CASES} == set(ENCODERS)


def test_bytes_mean_what_the_literal_means(connection: psycopg.Connection) -> None:
    for number, (kind, pg_type, value, literal) in enumerate(CASES):
        encoded = RowEncoder([column("int8"), column(kind, pg_type)]).encode([(1, value), (2, None)])
        connection.execute(f"CREATE TABLE t{number} (id bigint, c {pg_type})".encode())
        with connection.cursor().copy(f"COPY t{number} FROM STDIN (FORMAT binary)".encode()) as copy:
            copy.write(HEADER + encoded + TRAILER)
        rows = connection.execute(
            f"SELECT c::text, ({literal})::{pg_type}::text, c IS NULL FROM t{number} ORDER BY id".encode()
        ).fetchall()
        assert rows[0][0] == rows[0][1], (kind, value)
        assert rows[1][2] is True, (kind, "NULL")


@pytest.mark.parametrize(("kind", "value"), MISFITS)
def test_misfits_are_refused(kind: Kind, value: object) -> None:
    with pytest.raises(Misfit):
        ENCODERS[kind](value)


def test_a_misfit_is_found_in_its_batch() -> None:
    encoder = RowEncoder([column("int8", name="a"), column("text", name="b")])
    with pytest.raises(RowMisfit) as caught:
        encoder.encode([(1, "x"), (2, "y"), (3, "z\0")])
    assert (caught.value.row, caught.value.column) == (2, "b")
    with pytest.raises(RowMisfit) as caught:
        encoder.encode([(1, "x"), ("2", "y")])
    assert (caught.value.row, caught.value.column) == (1, "a")


def test_no_column_and_no_row() -> None:
    assert RowEncoder([]).encode([(), ()]) == struct.pack(">hh", 0, 0)
    assert RowEncoder([column("int8")]).encode([]) == b""


NUMBERS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=5).map(str)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_numeric_keeps_every_number(connection: psycopg.Connection, values: list[object]) -> None:
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS n (i bigint, v numeric)")
    connection.execute("TRUNCATE n")
    rows = list(enumerate(values))
    with connection.cursor().copy("COPY n FROM STDIN (FORMAT binary)") as copy:
        copy.write(HEADER + RowEncoder([column("int8"), column("numeric")]).encode(rows) + TRAILER)
    for index, same in connection.execute(
        "SELECT n.i, n.v = t.v FROM n JOIN unnest(%s::numeric[]) WITH ORDINALITY t(v, i) ON t.i = n.i + 1",
        ([repr(value) if not isinstance(value, str) else value for value in values],),
    ):
        assert same, values[index]
