"""COPYs of several tables in one message: what one of them failing does to the others, and whose error it is."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import execute
from liteferry.errors import MigrationError
from liteferry.target import copy_in_together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conftest import Database, PostgresServer
    from liteferry.target import Copies

TABLES = ("a", "b", "c")
SECRET = "a value of somebody's"
IDLE, IN_TRANSACTION, IN_ERROR = 0, 2, 3


@pytest.fixture
def connection(pg_url_all: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(pg_url_all, autocommit=True) as connection:
        yield connection


@contextmanager
def copying(
    connection: psycopg.Connection, *, tables: tuple[str, ...] = TABLES, freeze: bool = False
) -> Iterator[Copies]:
    """COPYs into tables made in the same transaction, which is taken back; what is left of it is of use."""
    connection.execute("BEGIN")
    for name in TABLES:
        connection.execute(f"CREATE TABLE {name} (n int CHECK (n < 1000), t text)".encode())
    try:
        options = " (FREEZE)" if freeze else ""
        with copy_in_together(connection, [f"COPY {name} FROM STDIN{options}" for name in tables]) as copies:
            yield copies
    finally:
        if not connection.closed:
            assert connection.info.transaction_status in {IN_TRANSACTION, IN_ERROR}
            connection.execute("ROLLBACK")
            assert connection.execute("SELECT 1").fetchone() == (1,)


def send_all(
    connection: psycopg.Connection, streams: Sequence[Iterator[bytes]], *, tables: tuple[str, ...] = TABLES
) -> None:
    """Send each table its rows, as the step of its name."""
    with copying(connection, tables=tables) as copies:
        for name, rows in zip(TABLES, streams, strict=True):
            copies.send(rows, step_id=f"data/table/{name}")


def put_at(bad: int, rows: Iterator[bytes]) -> list[Iterator[bytes]]:
    """Streams for all tables, one of them these rows."""
    return [rows if number == bad else say(5) for number in range(len(TABLES))]


def say(rows: int) -> Iterator[bytes]:
    for number in range(rows):
        yield f"{number}\tx\n".encode()


@pytest.mark.parametrize("freeze", [False, True])
def test_each_gets_its_rows(connection: psycopg.Connection, *, freeze: bool) -> None:
    with copying(connection, freeze=freeze) as copies:
        taken = [copies.send(say(rows), step_id=str(rows)) for rows in (3, 0, 500)]
        assert connection.info.transaction_status == IN_TRANSACTION, "the last one ends the message"
        found = connection.execute("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT max(n) FROM c)")
        assert found.fetchone() == (3, 0, 499)
    assert taken == [3, 0, 500]


def test_values_of_many_megabytes(connection: psycopg.Connection) -> None:
    """More than libpq is given at once; and then the next one's rows."""
    value = b"1\t" + b"x" * 9_000_000 + b"\n"
    with copying(connection) as copies:
        assert [copies.send(chunks, step_id="") for chunks in ([value, value], say(2), [value])] == [2, 2, 1]
        found = connection.execute("SELECT sum(length(t)) FROM (TABLE a UNION ALL TABLE b UNION ALL TABLE c) every")
        assert found.fetchone() == (27_000_002,)


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_refused_row_is_its_tables(connection: psycopg.Connection, bad: int) -> None:
    with pytest.raises(MigrationError, match="violates check constraint") as caught:
        send_all(connection, put_at(bad, say(1001)))
    name = TABLES[bad]
    assert (caught.value.code, caught.value.step_id, caught.value.table) == ("step-failed", f"data/table/{name}", name)
    assert isinstance(caught.value.__cause__, psycopg.errors.CheckViolation)
    assert (caught.value.__cause__.diag.context or "").startswith(f"COPY {name}, line 1001:")


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_statement_that_is_refused_is_its_own_tables(connection: psycopg.Connection, bad: int) -> None:
    names = tuple("missing" if number == bad else name for number, name in enumerate(TABLES))
    with pytest.raises(MigrationError, match='relation "missing" does not exist') as caught:
        send_all(connection, put_at(bad, say(5)), tables=names)
    assert caught.value.step_id == f"data/table/{TABLES[bad]}"


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_rows_that_cannot_be_made(bad: int, pg_server: PostgresServer, pg_database: Database) -> None:
    """The error is the one that they gave; the server hears of it, but not what it says."""

    def fail() -> Iterator[bytes]:
        yield b"1\tx\n"
        raise ValueError(SECRET)

    def try_all() -> None:
        with psycopg.connect(pg_database.url, autocommit=True) as connection:
            send_all(connection, put_at(bad, fail()))

    with pytest.raises(ValueError, match=SECRET):
        try_all()
    log = (pg_server.directory / "log").read_text(errors="replace")
    assert "COPY from stdin failed: broken off by liteferry" in log
    assert SECRET not in log


@pytest.mark.parametrize("sent", [0, 1, 2])
def test_who_leaves_early_has_loaded_nothing(connection: psycopg.Connection, sent: int) -> None:
    with copying(connection) as copies:
        for _ in range(sent):
            copies.send(say(5), step_id="")
        copies.leave()
        assert connection.info.transaction_status == (IN_ERROR if sent else IN_TRANSACTION)


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_connection_that_is_cut(connection: psycopg.Connection, pg_url_all: str, bad: int) -> None:
    own = connection.info.backend_pid

    def cut() -> Iterator[bytes]:
        yield b"1\tx\n"
        execute(pg_url_all, f"SELECT pg_terminate_backend({own}, 5000)")
        yield from say(900)

    with pytest.raises(MigrationError) as caught:
        send_all(connection, put_at(bad, cut()))
    assert (caught.value.code, caught.value.step_id) == ("connection-lost", f"data/table/{TABLES[bad]}")
    assert connection.closed


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_load_that_is_cancelled(connection: psycopg.Connection, bad: int) -> None:
    def cancel() -> Iterator[bytes]:
        yield b"1\tx\n"
        connection.cancel_safe(timeout=30)
        yield from say(900)

    with pytest.raises(MigrationError) as caught:
        send_all(connection, put_at(bad, cancel()))
    assert (caught.value.code, caught.value.step_id) == ("interrupted", f"data/table/{TABLES[bad]}")


def test_a_time_limit_is_each_statements_own(connection: psycopg.Connection) -> None:
    """Three of them take longer together than any may by itself; and one that does is cancelled."""

    def linger(for_s: float) -> Iterator[bytes]:
        yield b"1\tx\n"
        time.sleep(for_s)
        yield b"2\tx\n"

    def try_one() -> None:
        with copying(connection) as copies:
            for for_s in (0.1, 2.5, 0.1):
                copies.send(linger(for_s), step_id=f"for {for_s}")

    connection.execute("SET statement_timeout = '2s'")
    with copying(connection) as copies:
        assert [copies.send(linger(0.8), step_id="") for _ in range(3)] == [2, 2, 2]
    with pytest.raises(MigrationError) as caught:
        try_one()
    assert (caught.value.code, caught.value.step_id) == ("interrupted", "for 2.5")


def test_an_interrupt_between_two_tables(connection: psycopg.Connection) -> None:
    def interrupt() -> Iterator[bytes]:
        yield b"1\tx\n"
        raise KeyboardInterrupt

    def try_all() -> None:
        with copying(connection) as copies:
            copies.send(say(5), step_id="")
            copies.send(interrupt(), step_id="")

    with pytest.raises(KeyboardInterrupt):
        try_all()
    assert connection.info.transaction_status == IDLE
