"""Live SQLite files for tests: made, used and locked by other processes, and looked at for changes."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import sqlite3
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from liteferry.source import Snapshot

HOLD = """
    import sqlite3, sys
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    for statement in sys.argv[2].split(";"):
        db.execute(statement).fetchall()
    print("ready", flush=True)
    sys.stdin.read()
"""
"""A script that runs the statements of its second argument, and then keeps what it has locked."""


def make_database(path: Path, *, wal: bool = False, rows: int = 500) -> sqlite3.Connection:
    """A table t(id, v) with rows; the connection stays open."""
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    if wal:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    fill(connection, rows)
    return connection


def fill(connection: sqlite3.Connection, rows: int) -> None:
    connection.execute(
        "INSERT INTO t (v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) "
        "SELECT 'value ' || i || hex(zeroblob(50)) FROM n",
        [rows],
    )


def fingerprint(directory: Path) -> dict[str, tuple[object, ...]]:
    """What must not change: names, bytes and mtimes. Of a -shm file, which is a shared cache, the name alone."""
    return {
        path.name: ("-shm",)
        if path.name.endswith("-shm")
        else (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns, path.stat().st_ino)
        for path in directory.iterdir()
    }


def run_python(code: str, *arguments: str | Path, obey_permissions: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a script in another process. obey_permissions: even when we are root."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=_drop_override if obey_permissions and os.geteuid() == 0 else None,
    )


def _drop_override() -> None:
    """Take CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH from what is executed next: root then is bound by modes."""
    libc = ctypes.CDLL(None)
    drop_from_bounding_set = 24
    for capability in (1, 2):
        libc.prctl(drop_from_bounding_set, capability, 0, 0, 0)


@contextlib.contextmanager
def other_process(code: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has done its work when it prints a line, and waits until we are done."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def mounted(directory: Path, *options: str) -> Iterator[Path]:
    """Mount something on the directory, for those who may."""
    done = subprocess.run(["mount", *options, directory], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[Path]:
    """Nobody may write in the directory, not even root."""
    if os.geteuid() == 0:
        with mounted(directory, "--bind", "-o", "ro", str(directory)):
            yield directory
        return
    directory.chmod(0o555)
    try:
        yield directory
    finally:
        directory.chmod(0o755)


def count(snapshot: Snapshot) -> int:
    """The rows of the table t."""
    table = snapshot.read_catalog().table("t")
    return sum(len(batch) for batch in snapshot.read_rows(table, ["id", "v"]))
