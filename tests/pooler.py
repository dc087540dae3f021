"""A connection pooler before a test server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Database, PostgresServer

ROOT = Path(__file__).parents[1]
UNPACKED = Path(os.environ.get("LITEFERRY_PGBOUNCER", ROOT / ".cache" / "pgbouncer"))
START_S = 20


@contextmanager
def run_pooler(server: PostgresServer, database: Database, mode: str, size: int) -> Iterator[str]:
    """Run a pooler before the server, in this mode and with so many sessions: gives the database's URL through it."""
    if not (UNPACKED / "usr/sbin/pgbouncer").exists():
        pytest.skip("no pgbouncer (`make setup` fetches it where it can, LITEFERRY_PGBOUNCER names another)")
    # where the server's account can reach it: a pooler refuses to run as root
    place = Path(tempfile.mkdtemp(prefix="pooler-", dir=server.directory))
    shutil.copytree(UNPACKED / "usr", place / "usr")
    place.chmod(0o755)
    libraries = ":".join(str(path) for path in place.glob("usr/lib/*-linux-gnu"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = place / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host={server.directory} port={server.port} user=ferry\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\ndefault_pool_size = {size}\n"
    )
    as_root = os.geteuid() == 0
    process = subprocess.Popen(
        [place / "usr/sbin/pgbouncer", "-q", settings],
        env={"LD_LIBRARY_PATH": libraries},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=server.account.uid if as_root else None,
        group=server.account.gid if as_root else None,
    )
    try:
        yield _wait_for(f"postgresql://ferry@127.0.0.1:{port}/{quote(database.name)}")
    finally:
        process.terminate()
        process.wait(START_S)
        shutil.rmtree(place)


def _wait_for(url: str) -> str:
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
