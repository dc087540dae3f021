"""Taking a snapshot of real files, in every state that a SQLite file is found in."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from liteferry import pace
from liteferry.errors import MigrationError
from liteferry.source import copying as sqlite_snapshot
from liteferry.source import open_snapshot
from liteferry.source.copying import SnapshotRequest, take_snapshot
from live_files import count, fingerprint, make_database, other_process, run_python

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry.model import Event

MODES = ("copy", "none")


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"


# ---------------------------------------------------------------------------------------------------------------------
# What is taken


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("state", ["rollback", "rollback-open", "wal-open", "wal-closed", "wal-crashed", "wal-no-shm"])
def test_every_committed_row_is_there_and_the_source_is_as_before(
    tmp_path: Path, run_dir: Path, mode: str, state: str
) -> None:
    path = tmp_path / "app" / "data.db"
    writer = make_database(path, wal=state.startswith("wal"))
    if state in {"rollback", "wal-closed"}:
        writer.close()
    if state in {"wal-crashed", "wal-no-shm"}:
        crashed = tmp_path / "crashed"
        shutil.copytree(path.parent, crashed)  # what a crash leaves: rows in the -wal only
        writer.close()
        path = crashed / path.name
        assert path.stat().st_size < path.with_name("data.db-wal").stat().st_size
        if state == "wal-no-shm":
            path.with_name("data.db-shm").unlink()
    before = fingerprint(path.parent)
    with open_snapshot(path, directory=run_dir, mode=mode) as snapshot:  # type: ignore[arg-type]  # a literal
        assert count(snapshot) == 500
        assert snapshot.info.path == str(path)
        assert snapshot.info.journal_mode == ("wal" if state.startswith("wal") else "delete")
        assert snapshot.info.snapshot == mode
        if mode == "copy":
            assert snapshot.file is not None
            assert fingerprint(path.parent) == before
            assert snapshot.info.sha256 == hashlib.sha256(snapshot.file.read_bytes()).hexdigest()
            assert snapshot.info.size_bytes == snapshot.file.stat().st_size
            assert snapshot.file.stat().st_mode & 0o777 == 0o600
            assert snapshot.file.read_bytes()[18:20] == b"\1\1"  # no WAL: reading it makes no files
            assert [entry.name for entry in run_dir.iterdir()] == ["source.sqlite"]
            assert run_dir.stat().st_mode & 0o777 == 0o700
    assert fingerprint(path.parent) == before
    assert not run_dir.exists() or not list(run_dir.iterdir())
    writer.close()


@pytest.mark.parametrize("state", ["wal-closed", "wal-no-shm", "wal-crashed", "rollback"])
def test_read_only_directory(tmp_path: Path, run_dir: Path, state: str) -> None:
    path = tmp_path / "app" / "data.db"
    writer = make_database(path, wal=state != "rollback")
    if state in {"wal-crashed", "wal-no-shm"}:
        crashed = tmp_path / "crashed"
        shutil.copytree(path.parent, crashed)
        path = crashed / path.name
        if state == "wal-no-shm":
            path.with_name("data.db-shm").unlink()
    writer.close()
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)
    before = fingerprint(path.parent)
    script = """
        import sys
        from pathlib import Path
        from liteferry.source import open_snapshot
        try:
            Path(sys.argv[1]).with_name("x").touch()
        except PermissionError:
            pass
        else:
            raise AssertionError("the directory is writable: the test proves nothing")
        with open_snapshot(sys.argv[1], directory=Path(sys.argv[2])) as snapshot:
            print(snapshot.take_census(snapshot.read_catalog()).table("t").rows)
    """
    result = run_python(script, path, run_dir, obey_permissions=True)
    path.parent.chmod(0o755)
    assert result.stdout == "500\n", result.stderr
    assert fingerprint(path.parent) == before


def test_wal_in_a_read_only_directory_cannot_be_read_without_a_copy(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "app" / "data.db"
    make_database(path, wal=True).close()
    path.parent.chmod(0o555)
    script = """
        import sys
        from pathlib import Path
        from liteferry.errors import MigrationError
        from liteferry.source import open_snapshot
        try:
            with open_snapshot(sys.argv[1], directory=Path(sys.argv[2]), mode="none"):
                print("read")
        except MigrationError as error:
            print(error.code, "--snapshot copy" in error.hint)
    """
    result = run_python(script, path, run_dir, obey_permissions=True)
    path.parent.chmod(0o755)
    assert result.stdout == "source-unreadable True\n", result.stderr


@pytest.mark.parametrize(
    "name", [b"my data.db", b"100%.db", b"a?b#c&d=e.db", b"caf\xc3\xa9.db", b"caf\xe9.db", b"'\"\\ \t.db", b"%41.db"]
)
@pytest.mark.parametrize("mode", MODES)
def test_paths(tmp_path: Path, run_dir: Path, name: bytes, mode: str) -> None:
    path = tmp_path / "app" / os.fsdecode(name)
    make_database(path).close()
    with open_snapshot(path, directory=run_dir, mode=mode) as snapshot:  # type: ignore[arg-type]  # a literal
        assert count(snapshot) == 500
        assert snapshot.info.path.encode()  # can be printed
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_relative_path_and_link(tmp_path: Path, run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app" / "data.db"
    writer = make_database(path, wal=True)
    (tmp_path / "link.db").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    with open_snapshot("link.db", directory=run_dir) as snapshot:  # the -wal lies beside what it points at
        assert count(snapshot) == 500
        assert snapshot.info.path == "link.db"
    writer.close()


def test_keep_and_discard(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "app" / "data.db"
    make_database(path).close()
    with open_snapshot(path, directory=run_dir, keep=True) as snapshot:
        pass
    assert [entry.name for entry in run_dir.iterdir()] == ["source.sqlite"]
    with pytest.raises(MigrationError) as caught, open_snapshot(path, directory=run_dir):
        pytest.fail("it overwrote the first")
    assert caught.value.code == "run-dir"
    assert (run_dir / "source.sqlite").exists()
    snapshot.discard()
    with open_snapshot(path, directory=run_dir, keep=True) as snapshot:
        count(snapshot)
        snapshot.discard()
    assert not list(run_dir.iterdir())


def test_events(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "app" / "data.db"
    make_database(path).close()
    events: list[Event] = []
    with open_snapshot(path, directory=run_dir, observe=events.append) as snapshot:
        size = snapshot.info.size_bytes
    told = [(event.kind, event.step_id) for event in events if event.kind != "step-progress"]
    assert told == [
        ("step-start", "snapshot/copy"),
        ("step-end", "snapshot/copy"),
        ("step-start", "snapshot/check"),
        ("step-end", "snapshot/check"),
    ]
    assert next(event for event in events if event.kind == "step-end").size_bytes == size


# ---------------------------------------------------------------------------------------------------------------------
# Other processes and connections


TRANSFERS = """
    import random, sqlite3, sys
    db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
    db.execute("PRAGMA synchronous = OFF")
    print("ready", flush=True)
    while True:
        db.execute("BEGIN IMMEDIATE")
        a, b = random.sample(range(1, 2001), 2)
        db.execute("UPDATE account SET balance = balance - 7, filler = randomblob(4000) WHERE id = ?", [a])
        db.execute("UPDATE account SET balance = balance + 7, filler = randomblob(4000) WHERE id = ?", [b])
        db.execute("INSERT INTO log DEFAULT VALUES")
        db.execute("COMMIT")
"""


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_writer_meanwhile_leaves_the_copy_whole(tmp_path: Path, run_dir: Path, journal: str) -> None:
    path = tmp_path / "bank.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER, filler BLOB)")
    connection.execute("CREATE TABLE log (id INTEGER PRIMARY KEY)")
    connection.execute(
        "INSERT INTO account WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000) "
        "SELECT i, 100, randomblob(4000) FROM n"
    )
    with other_process(TRANSFERS, path):
        for _ in range(3):
            (done,) = connection.execute("SELECT count(*) FROM log").fetchone()
            with open_snapshot(path, directory=run_dir) as snapshot:
                balances = list(snapshot.read_rows(snapshot.read_catalog().table("account"), ["balance"]))
                assert sum(balance for batch in balances for (balance,) in batch) == 2000 * 100
                (copied,) = [table.rows for table in snapshot.take_census(snapshot.read_catalog(), ["log"]).tables]
                assert copied >= done
        (now,) = connection.execute("SELECT count(*) FROM log").fetchone()
        assert now > done, "nobody wrote: the test proves nothing"
    connection.close()


def test_a_writer_that_never_rests_has_to_wait(tmp_path: Path, run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_snapshot, "_STEP_BYTES", 4096)  # a step a page
    monkeypatch.setattr(pace, "TELL_EVERY_S", 0.0)  # an event a step
    path = tmp_path / "data.db"
    writer = make_database(path)
    writer.execute("PRAGMA busy_timeout = 0")
    outcomes: list[str] = []

    def write(event: Event) -> None:
        if event.kind == "note":
            outcomes.append("note")
        elif event.kind == "step-progress":
            try:
                writer.execute("INSERT INTO t (v) VALUES ('meanwhile')")
            except sqlite3.OperationalError as error:
                outcomes.append(str(error))
            else:
                outcomes.append("written")

    take_snapshot(SnapshotRequest(path=str(path), directory=str(run_dir)), write)
    begun_again = sqlite_snapshot._RESTARTS
    assert outcomes[: begun_again + 1] == [*["written"] * begun_again, "note"]
    assert set(outcomes[begun_again + 1 :]) == {"database is locked"}
    with contextlib.closing(sqlite3.connect(run_dir / "source.sqlite")) as copy:
        assert copy.execute("SELECT count(*) FROM t WHERE v = 'meanwhile'").fetchone() == (outcomes.count("written"),)
    writer.close()


def test_somebody_begins_to_use_an_idle_wal_database_during_the_copy(
    tmp_path: Path, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages copied before and after a checkpoint do not belong together: they are thrown away, and copied anew."""
    monkeypatch.setattr(sqlite_snapshot, "_STEP_BYTES", 4096)
    monkeypatch.setattr(pace, "TELL_EVERY_S", 0.0)
    path = tmp_path / "data.db"
    make_database(path, wal=True).close()
    use = """
        import sqlite3, sys
        db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
        db.execute("UPDATE t SET v = 'changed'")
        db.close()  # the last one: SQLite copies the WAL into the file and removes it, if it can
    """
    done: list[int] = []

    def begin_to_use(event: Event) -> None:
        if event.kind == "step-progress" and event.size_bytes > event.total_bytes / 2 and not done:
            done.append(run_python(use, path).returncode)

    take_snapshot(SnapshotRequest(path=str(path), directory=str(run_dir)), begin_to_use)
    assert done == [0]
    with contextlib.closing(sqlite3.connect(run_dir / "source.sqlite")) as copy:
        assert copy.execute("SELECT count(*), count(DISTINCT v), max(v) FROM t").fetchall() == [(500, 1, "changed")]


TRY_TO_WRITE = """
    import sqlite3, sys
    db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
    try:
        db.execute("BEGIN IMMEDIATE")
        print("not locked")
    except sqlite3.OperationalError as error:
        print(error)
"""


def test_the_trap_of_posix_locks_is_real(tmp_path: Path) -> None:
    """Reading the file with open() in the same process drops the connection's lock: what open_snapshot must not do."""
    path = tmp_path / "data.db"
    application = make_database(path)
    application.execute("BEGIN IMMEDIATE")
    assert run_python(TRY_TO_WRITE, path).stdout == "database is locked\n"
    path.read_bytes()
    assert run_python(TRY_TO_WRITE, path).stdout == "not locked\n"
    application.close()


def test_an_application_keeps_its_locks(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    application = make_database(path)
    application.execute("BEGIN IMMEDIATE")
    application.execute("INSERT INTO t (v) VALUES ('not committed yet')")
    with open_snapshot(path, directory=run_dir) as snapshot:
        assert count(snapshot) == 500
        assert run_python(TRY_TO_WRITE, path).stdout == "database is locked\n"
    assert run_python(TRY_TO_WRITE, path).stdout == "database is locked\n"
    application.execute("COMMIT")
    application.close()


def test_without_a_copy_writers_wait_and_the_rows_stay_the_same(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    make_database(path, wal=True).close()
    insert = """
        import sqlite3, sys
        sqlite3.connect(sys.argv[1], isolation_level=None).execute("INSERT INTO t DEFAULT VALUES")
    """
    with open_snapshot(path, directory=run_dir, mode="none") as snapshot:
        assert run_python(insert, path).returncode == 0
        assert count(snapshot) == 500
    with open_snapshot(path, directory=run_dir, mode="none") as snapshot:
        assert count(snapshot) == 501


def test_without_a_copy_a_change_behind_the_lock_is_noticed(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    make_database(path).close()
    with pytest.raises(MigrationError) as caught, open_snapshot(path, directory=run_dir, mode="none"):
        os.utime(path)  # as a write on a file system whose locks do not work
    assert caught.value.code == "source-changed"
