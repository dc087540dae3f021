"""Behind a connection pooler: refused where sessions are shared, used where they are not."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

import psycopg
import pytest

from harness import assert_error, call_ferry, make_shop, read_everything

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Database, PostgresServer

ROOT = Path(__file__).parents[2]
UNPACKED = Path(os.environ.get("LITEFERRY_PGBOUNCER", ROOT / ".cache" / "pgbouncer"))
START_S = 20

StartPooler: TypeAlias = "Callable[[str, int], str]"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return make_shop(tmp_path / "source" / "shop.sqlite")


@pytest.fixture
def start_pooler(pg_server: PostgresServer, pg_database: Database) -> Iterator[StartPooler]:
    """Start a pooler before the server, in this mode and with so many sessions: gives the database's URL through it."""
    if not (UNPACKED / "usr/sbin/pgbouncer").exists():
        pytest.skip("no pgbouncer (`make setup` fetches it where it can, LITEFERRY_PGBOUNCER names another)")
    # where the server's account can reach it: a pooler refuses to run as root
    place = Path(tempfile.mkdtemp(prefix="pooler-", dir=pg_server.directory))
    shutil.copytree(UNPACKED / "usr", place / "usr")
    place.chmod(0o755)
    libraries = ":".join(str(path) for path in place.glob("usr/lib/*-linux-gnu"))
    running: list[subprocess.Popen[bytes]] = []

    def start(mode: str, size: int) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = place / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={pg_server.directory} port={pg_server.port} user=ferry\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"pool_mode = {mode}\ndefault_pool_size = {size}\n"
        )
        as_root = os.geteuid() == 0
        running.append(
            subprocess.Popen(
                [place / "usr/sbin/pgbouncer", "-q", settings],
                env={"LD_LIBRARY_PATH": libraries},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                user=pg_server.account.uid if as_root else None,
                group=pg_server.account.gid if as_root else None,
            )
        )
        url = f"postgresql://ferry@127.0.0.1:{port}/{quote(pg_database.name)}"
        deadline = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(url).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return url

    yield start
    for process in running:
        process.terminate()
        process.wait(START_S)
    shutil.rmtree(place)


@pytest.mark.parametrize(("mode", "size"), [("transaction", 1), ("transaction", 20), ("statement", 20)])
def test_shared_sessions_are_refused(
    mode: str, size: int, start_pooler: StartPooler, shop: Path, pg_admin_url: str
) -> None:
    url = start_pooler(mode, size)
    before = read_everything(pg_admin_url)
    outcome = call_ferry("migrate", shop, url, "--yes", "--quiet")
    assert_error(outcome, "pooled-sessions", "session mode")
    assert read_everything(pg_admin_url) == before


def test_a_pool_in_session_mode_is_as_good_as_the_server(start_pooler: StartPooler, shop: Path, tmp_path: Path) -> None:
    url = start_pooler("session", 20)
    outcome = call_ferry("migrate", shop, url, "--yes", "--quiet", "--run-dir", tmp_path / "run")
    assert outcome.status == 0, outcome
    assert call_ferry("undo", tmp_path / "run", "--target", url, "--yes", "--quiet").status == 0
