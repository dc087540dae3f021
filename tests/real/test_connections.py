"""A server that gives few connections: what a run cannot do without is asked for before the source is read."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from application import build, install
from harness import assert_error, execute, give_to_carrier, make_shop, read_everything, run_ferry
from liteferry import Options, migrate, undo, verify
from liteferry.errors import MigrationError
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Database, PostgresServer
    from liteferry.model import Event

INTO = Options(into="existing", replace_rows=("team",))


@pytest.fixture
def limit_role(pg_server: PostgresServer, pg_database: Database) -> Iterator[Callable[[int], str]]:
    """Let a role own the database; called with a number, no more sessions than that. Gives its URL."""
    admin_url = pg_server.url("postgres")

    def limit(number: int) -> str:
        execute(admin_url, f"ALTER ROLE carrier CONNECTION LIMIT {number}")
        return url

    url = give_to_carrier(pg_server, pg_database)
    yield limit
    limit(-1)


@contextmanager
def refused(needed: int, got: int, directory: Path) -> Iterator[Callable[[Event], None]]:
    """Hold that a run is refused before the source is read, and leaves nothing behind. Gives what must observe it."""
    phases: list[str] = []
    listed = sorted(path.name for path in directory.iterdir())
    with pytest.raises(MigrationError) as caught:
        yield lambda event: phases.append(event.phase)
    assert caught.value.code == "server-not-ready"
    assert f"a run needs {needed} connections at once" in caught.value.what
    assert f"there {'is 1' if got == 1 else f'are {got}'}: " in caught.value.what
    assert 'too many connections for role "carrier"' in caught.value.what
    assert caught.value.hint is not None
    assert "CONNECTION LIMIT" in caught.value.hint
    assert "snapshot" not in phases
    assert sorted(path.name for path in directory.iterdir()) == listed


@pytest.mark.parametrize("jobs", [1, 6])
def test_a_new_schema_needs_three(
    jobs: int, tmp_path: Path, limit_role: Callable[[int], str], pg_admin_url: str
) -> None:
    source = make_shop(tmp_path / "shop.sqlite")
    before = read_everything(pg_admin_url)
    for limit in (1, 2):
        with refused(3, limit, tmp_path) as observe:
            migrate(source, limit_role(limit), Options(jobs=jobs), observe)
    assert read_everything(pg_admin_url) == before
    run_dir = str(tmp_path / "run")
    assert migrate(source, limit_role(3), Options(jobs=jobs, run_dir=run_dir)).verdict == "proven"
    assert verify(source, limit_role(3), Options(run_dir=run_dir)).verdict == "proven"
    with refused(3, 2, tmp_path) as observe:
        verify(source, limit_role(2), Options(run_dir=run_dir), observe)
    undo(run_dir, limit_role(3))


def test_without_a_proof_two_are_enough(tmp_path: Path, limit_role: Callable[[int], str]) -> None:
    source = make_shop(tmp_path / "shop.sqlite")
    with refused(2, 1, tmp_path) as observe:
        migrate(source, limit_role(1), Options(verify=False), observe)
    report = migrate(source, limit_role(2), Options(verify=False, jobs=6))
    assert (report.published, report.failure) == (True, None)


def test_an_existing_schema_needs_two(tmp_path: Path, limit_role: Callable[[int], str]) -> None:
    source = build(tmp_path / "app.sqlite")
    install(limit_role(-1))
    with refused(2, 1, tmp_path) as observe:
        migrate(source, limit_role(1), INTO, observe)
    run_dir = str(tmp_path / "run")
    report = migrate(source, limit_role(2), Options(into="existing", replace_rows=("team",), run_dir=run_dir))
    assert report.verdict == "proven"
    assert "rows-equal" in {finding.code for finding in report.findings}, "two are enough for comparing beforehand, too"
    undo(run_dir, limit_role(2))


def test_the_command_says_it_in_one_sentence(tmp_path: Path, limit_role: Callable[[int], str]) -> None:
    source = make_shop(tmp_path / "shop.sqlite")
    outcome = run_ferry("migrate", source, limit_role(2), "--yes")
    assert_error(
        outcome, "server-not-ready", "a run needs 3 connections at once, whatever --jobs says, and there are 2"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["shop.sqlite"]


def test_more_jobs_than_make_sense(tmp_path: Path) -> None:
    source = tmp_path / "x.sqlite"
    with closing(sqlite3.connect(source)) as db:
        db.execute("CREATE TABLE t (x)")
    with pytest.raises(MigrationError, match="999 jobs are asked for, and at most 64 make sense") as caught:
        migrate(source, "postgresql:///nowhere", Options(jobs=999))
    assert caught.value.code == "usage"


def test_a_connection_that_broke_in_the_pool_is_not_lent(pg_url: str, pg_admin_url: str) -> None:
    with open_target(pg_url) as server:
        server.reserve_connections(3)
        control = server.control.info.backend_pid
        with psycopg.connect(pg_admin_url, autocommit=True) as admin:
            ended = admin.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'liteferry' AND pid <> %s",
                [control],
            ).fetchall()
        assert ended == [(True,), (True,)]
        with server.lend_connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
