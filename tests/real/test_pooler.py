"""Behind a connection pooler: refused where sessions are shared, used where they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import assert_error, call_ferry, make_shop, read_everything
from pooler import run_pooler

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Database, PostgresServer


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return make_shop(tmp_path / "source" / "shop.sqlite")


@pytest.mark.parametrize(("mode", "size"), [("transaction", 1), ("transaction", 20), ("statement", 20)])
def test_shared_sessions_are_refused(
    mode: str, size: int, pg_server: PostgresServer, pg_database: Database, shop: Path
) -> None:
    with run_pooler(pg_server, pg_database, mode, size) as url:
        before = read_everything(pg_database.admin_url)
        outcome = call_ferry("migrate", shop, url, "--yes", "--quiet")
        assert_error(outcome, "pooled-sessions", "session mode")
        assert read_everything(pg_database.admin_url) == before


def test_a_pool_in_session_mode_is_as_good_as_the_server(
    pg_server: PostgresServer, pg_database: Database, shop: Path, tmp_path: Path
) -> None:
    with run_pooler(pg_server, pg_database, "session", 20) as url:
        outcome = call_ferry("migrate", shop, url, "--yes", "--quiet", "--run-dir", tmp_path / "run")
        assert outcome.status == 0, outcome
        assert call_ferry("undo", tmp_path / "run", "--target", url, "--yes", "--quiet").status == 0
