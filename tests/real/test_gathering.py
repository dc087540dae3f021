"""COPY's data is what psycopg gives, however it is gathered; and so is what goes wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psycopg
import pytest

from liteferry.compiled.comparing import is_built
from liteferry.target import gathering
from liteferry.target.gathering import BLOCK_BYTES, close_unread, copy_blocks
from liteferry.target.readers import TransactionReader

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["psycopg", "gathered"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "psycopg":
        monkeypatch.setenv("LITEFERRY_COMPILED", "none")
    elif not is_built():
        pytest.skip("there is no compiled part")
    return str(request.param)


@pytest.fixture
def connection(pg_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(pg_url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    "select_sql",
    [
        "SELECT 1 WHERE false",
        "SELECT 1",
        "SELECT NULL, ''",
        "SELECT n, repeat('x', n % 50) FROM generate_series(1, 30000) n",
        "SELECT repeat('y', 3000000) FROM generate_series(1, 3)",
        "SELECT n, pg_sleep(0.15) FROM generate_series(1, 3) n",
    ],
)
def test_every_byte_arrives(connection: psycopg.Connection, select_sql: str) -> None:
    with connection.cursor().copy(f"COPY ({select_sql}) TO STDOUT".encode()) as copy:
        expected = b"".join(bytes(piece) for piece in copy)
    blocks = list(copy_blocks(connection, f"COPY ({select_sql}) TO STDOUT"))
    assert b"".join(blocks) == expected
    assert all(block.endswith(b"\n") for block in blocks)
    assert not [block for block in blocks if len(block) > BLOCK_BYTES + 3_000_001]
    assert connection.execute("SELECT 7").fetchone() == (7,)


@pytest.mark.parametrize(
    ("select_sql", "error"),
    [
        ("SELECT 1 / (n - 20000) FROM generate_series(1, 30000) n", psycopg.errors.DivisionByZero),
        ("SELECT nothing", psycopg.errors.UndefinedColumn),
        (
            "SELECT n, CASE n WHEN 5 THEN pg_terminate_backend(pg_backend_pid()) END FROM generate_series(1, 9) n",
            psycopg.OperationalError,
        ),
    ],
)
def test_an_error_in_the_middle_is_raised(
    connection: psycopg.Connection, select_sql: str, error: type[psycopg.Error]
) -> None:
    with pytest.raises(error):
        list(copy_blocks(connection, f"COPY ({select_sql}) TO STDOUT"))


def test_a_statement_that_takes_too_long_is_cancelled(connection: psycopg.Connection) -> None:
    connection.execute("SET statement_timeout = 300")
    with pytest.raises(psycopg.errors.QueryCanceled):
        list(copy_blocks(connection, "COPY (SELECT n, pg_sleep(0.05) FROM generate_series(1, 100) n) TO STDOUT"))


def test_a_transaction_goes_on_after_a_copy(connection: psycopg.Connection) -> None:
    with connection.transaction():
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 5) AS n")
        assert b"".join(TransactionReader(connection).copy_out("SELECT n FROM t ORDER BY n")) == b"1\n2\n3\n4\n5\n"
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (5,)


def test_a_copy_that_is_left_half_read_ends(connection: psycopg.Connection) -> None:
    blocks = copy_blocks(connection, "COPY (SELECT n, repeat('x', 1000) FROM generate_series(1, 30000) n) TO STDOUT")
    assert next(iter(blocks))
    blocks.close()  # type: ignore[attr-defined]  # a generator
    assert connection.execute("SELECT 7").fetchone() == (7,)


def test_a_connection_that_is_read_is_closed_by_another_thread(connection: psycopg.Connection, way: str) -> None:
    if way == "psycopg":
        pytest.skip("psycopg reads with the interpreter's lock")
    with ThreadPoolExecutor(1) as pool:
        sleeping = "COPY (SELECT n, repeat('x', 9), pg_sleep(0.001) FROM generate_series(1, 600) n) TO STDOUT"
        reading = pool.submit(list, copy_blocks(connection, sleeping))
        while connection.info.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
            assert not reading.done()
        close_unread(connection)
        with pytest.raises(psycopg.Error):
            reading.result()


def test_a_row_that_libpq_cannot_hold_is_an_error(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says -2, and then that COPY goes on, as often as it is asked."""
    part = SimpleNamespace(gather=lambda *_: (b"", -2))
    monkeypatch.setattr(gathering, "find_part", lambda _: part)
    monkeypatch.setattr(gathering, "_find_libpq", lambda _: (1, 2, 3))
    with pytest.raises(psycopg.OperationalError, match="could not read a row"):
        list(copy_blocks(connection, "COPY (SELECT generate_series(1, 30000)) TO STDOUT"))
    assert connection.execute("SELECT 7").fetchone() == (7,)
