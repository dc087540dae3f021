"""The encoders' bytes mean to a real server what the SQL literal beside them means."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encoder_cases import CASES, MISFITS
from liteferry.codecs import ENCODERS, HEADER, TRAILER, Misfit, RowEncoder, RowMisfit
from stored_rows import column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liteferry.model import Kind


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
