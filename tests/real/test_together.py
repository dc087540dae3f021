"""Many statements in one round trip: what one of them failing does to the others, and that nobody waits for ever."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from liteferry.errors import MigrationError
from liteferry.target import SnapshotReader, open_target
from liteferry.target.ahead import AHEAD_BYTES
from liteferry.target.together import QUESTIONS_TOGETHER, ask_together, copy_together, run_together, try_together

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def connection(pg_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(pg_url, autocommit=True) as connection:
        yield connection


def spell(answers: list[list[object]]) -> list[list[object]]:
    """Values, or the SQLSTATE of an error."""
    return [
        [each.sqlstate if isinstance(each, psycopg.Error) else each.get_value(0, 0) for each in group]  # type: ignore[attr-defined]  # a PGresult
        for group in answers
    ]


def test_an_error_skips_the_rest_of_its_group_alone(connection: psycopg.Connection) -> None:
    groups = [[(b"SELECT 1", None), (b"SELECT 1 / 0", None), (b"SELECT 2", None)], [(b"SELECT $1::int + 1", [b"2"])]]
    assert spell(try_together(connection, groups)) == [[b"1", "22012"], [b"3"]]  # type: ignore[arg-type]  # lists
    assert connection.execute("SELECT 4").fetchone() == (4,)


def test_both_sides_may_have_much_to_say(connection: psycopg.Connection) -> None:
    """Neither waits for the other to listen: 40 MB go each way in one pipeline."""
    text = b"x" * 1_000_000
    answers = try_together(connection, [[(b"SELECT $1::text", [text])] for _ in range(40)])
    assert spell(answers) == [[text]] * 40  # type: ignore[arg-type]  # lists


def test_a_batch_within_a_transaction_leaves_it_as_it_was(connection: psycopg.Connection) -> None:
    with connection.transaction():
        connection.execute("CREATE TABLE kept (n int)")
        with pytest.raises(psycopg.errors.DivisionByZero):
            run_together(connection, ["CREATE TABLE lost (n int)", "SELECT 1 / 0"])
        run_together(connection, ["INSERT INTO kept VALUES (1) -- with a comment", "INSERT INTO kept VALUES (2)"])
    assert connection.execute("SELECT count(*), to_regclass('lost') FROM kept").fetchone() == (2, None)


def test_a_batch_of_its_own_happens_as_a_whole_or_not_at_all(connection: psycopg.Connection) -> None:
    for commit_apart in (False, True):
        with pytest.raises(psycopg.errors.DivisionByZero):
            run_together(connection, ["CREATE TABLE t (n int)", "SELECT 1 / 0"], commit_apart=commit_apart)
        assert connection.info.transaction_status == 0
    run_together(connection, ["CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)"], commit_apart=True)
    assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]


def test_copies_together(connection: psycopg.Connection) -> None:
    selects = ["SELECT 1, 'a' -- a comment", "SELECT repeat('x', 1000)", "SELECT 2 WHERE false", "SELECT 3"]
    assert copy_together(connection, selects, most_bytes=2000) == [b"1\ta\n", b"x" * 1000 + b"\n", b"", b"3\n"]
    assert copy_together(connection, selects, most_bytes=500) == [b"1\ta\n", None, None, None]
    with pytest.raises(psycopg.errors.DivisionByZero):
        copy_together(connection, ["SELECT 1", "SELECT 1 / 0", "SELECT 2"], most_bytes=500)
    assert connection.execute("SELECT 4").fetchone() == (4,)


def test_what_is_expected_is_what_would_have_been_read(pg_url: str) -> None:
    """Too much, or refused: read by itself, as if nobody had expected it; and what nobody expected, too."""
    large = f"SELECT repeat('x', {AHEAD_BYTES})"
    selects = [f"SELECT {number}" for number in range(45)]
    with open_target(pg_url) as target, SnapshotReader(target) as reader:
        wanted = {sql: b"".join(reader.copy_out(sql)) for sql in (*selects, large)}
        reader.expect([*selects[:30], large, *selects[30:]])
        for sql in (*reversed(selects), large, *selects):
            assert b"".join(reader.copy_out(sql)) == wanted[sql]
        reader.expect([*selects, "SELECT 1 / 0"])
        for sql in selects:
            assert b"".join(reader.copy_out(sql)) == wanted[sql]
        with pytest.raises(MigrationError, match="division by zero"):
            list(reader.copy_out("SELECT 1 / 0"))
        assert b"".join(reader.copy_out(selects[0])) == wanted[selects[0]]


def test_expecting_takes_few_queries(pg_url: str) -> None:
    """Else the test above would pass without anything being read ahead."""
    with open_target(pg_url) as target, SnapshotReader(target) as reader:
        reader.expect(["SELECT 1", "SELECT 2"])
        assert b"".join(reader.copy_out("SELECT 1")) == b"1\n"
        target.control.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        assert b"".join(reader.copy_out("SELECT 2")) == b"2\n", "it was read with the first"
        with pytest.raises(MigrationError):
            list(reader.copy_out("SELECT 3"))


def test_what_is_asked_together_holds_few_locks(connection: psycopg.Connection) -> None:
    """All that goes in one round trip is one transaction, and a schema may have more sequences than there are locks."""
    questions: list[tuple[str, dict[str, object]]]
    questions = [(f"SELECT {number} FROM pg_advisory_xact_lock({number})", {}) for number in range(450)]
    held = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"
    *answers, ((count,),) = ask_together(connection, [*questions, (held, {})])
    assert [number for ((number,),) in answers] == list(range(450))
    assert 0 < count < QUESTIONS_TOGETHER


def count_open(connection: psycopg.Connection) -> int:
    """Transactions of other sessions."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    row = connection.execute(f"{sql} AND xact_start IS NOT NULL".encode()).fetchone()
    return int(row[0]) if row else -1


def test_who_still_reads_when_the_reader_ends_keeps_no_transaction(connection: psycopg.Connection, pg_url: str) -> None:
    """A thread that nobody knows of, since Ctrl-C came while it was started, must not keep its locks."""
    connection.execute("CREATE TABLE public.long AS SELECT i, repeat('x', 1000) AS t FROM generate_series(1, 50000) i")
    with open_target(pg_url) as target:
        with SnapshotReader(target) as reader:
            expected = reader.copy_out("SELECT 1")
            large = reader.copy_out("SELECT * FROM public.long")
            assert next(large)
        with pytest.raises(MigrationError) as caught:
            list(large)
        assert caught.value.code == "interrupted"
        with pytest.raises(MigrationError) as caught:
            list(expected)
        assert caught.value.code == "interrupted"
        assert count_open(connection) == 0
        connection.execute("SET lock_timeout = '2s'")
        connection.execute("DROP TABLE public.long")


def test_who_ends_reading_after_the_reader_keeps_no_transaction(connection: psycopg.Connection, pg_url: str) -> None:
    with open_target(pg_url) as target:
        with SnapshotReader(target) as reader:
            blocks = reader.copy_out("SELECT i FROM generate_series(1, 3) i")
            assert next(blocks)
        with suppress(MigrationError):  # the cancel may come before or after its end
            list(blocks)
        assert count_open(connection) == 0
