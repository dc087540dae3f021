"""Sources that no snapshot can be taken of, and snapshots that are cut short: clear errors, nothing left behind."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liteferry import pace
from liteferry.errors import MigrationError
from liteferry.source import connection as sqlite_connection
from liteferry.source import copying as sqlite_snapshot
from liteferry.source import file as sqlite_file
from liteferry.source import open_snapshot
from liteferry.source.copying import SnapshotRequest, take_snapshot
from live_files import HOLD, count, fingerprint, make_database, other_process, run_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from liteferry.model import Event

MODES = ("copy", "none")


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"


def refuse(path: str | Path, run_dir: Path) -> MigrationError:
    """The error of a source that cannot be taken; nothing is left behind."""
    with pytest.raises(MigrationError) as caught, open_snapshot(path, directory=run_dir):
        pytest.fail("it was taken")
    assert not run_dir.exists() or not list(run_dir.iterdir())
    assert caught.value.hint
    assert "\n" not in caught.value.what
    return caught.value


# ---------------------------------------------------------------------------------------------------------------------
# What is refused


def test_no_file(tmp_path: Path, run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refuse(tmp_path / "nothing.db", run_dir).code == "source-missing"
    assert refuse(tmp_path / "no" / "directory.db", run_dir).code == "source-missing"
    assert str(tmp_path) in refuse("nothing.db", run_dir).hint
    (tmp_path / "link.db").symlink_to("gone.db")
    error = refuse(tmp_path / "link.db", run_dir)
    assert error.code == "source-missing"
    assert "symbolic link to gone.db" in error.what
    assert not (tmp_path / "nothing.db").exists()


@pytest.mark.parametrize(
    ("make", "kind"), [(Path.mkdir, "a directory"), (os.mkfifo, "a named pipe"), (None, "a device")]
)
def test_no_regular_file(tmp_path: Path, run_dir: Path, make: Callable[[Path], None] | None, kind: str) -> None:
    path = tmp_path / "thing" if make else Path("/dev/null")
    if make:
        make(path)
    error = refuse(path, run_dir)
    assert error.code == "source-not-sqlite"
    assert kind in error.what


def test_unreadable(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "app" / "data.db"
    make_database(path).close()
    path.chmod(0)
    script = """
        import sys
        from pathlib import Path
        from liteferry.errors import MigrationError
        from liteferry.source import open_snapshot
        try:
            with open_snapshot(sys.argv[1], directory=Path(sys.argv[2])):
                print("read")
        except MigrationError as error:
            print(error.code, error.what)
    """
    result = run_python(script, path, run_dir, obey_permissions=True)
    assert result.stdout == f"source-unreadable {path} may not be read: Permission denied\n", result.stderr


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "source-empty", "no bytes"),
        (b"hello\n", "source-not-sqlite", "not a SQLite database"),
        (b"hello, world! " * 1170 + b"12345678", "source-not-sqlite", "not a SQLite database"),  # 32 pages of text
        (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "source-not-sqlite", "an SQL dump"),
        (gzip.compress(b"x" * 100, mtime=0), "source-not-sqlite", "a gzip file"),
        (hashlib.shake_256(b"seed").digest(8192), "source-encrypted", "looks encrypted"),
        (hashlib.shake_256(b"seed").digest(8000), "source-not-sqlite", "not a SQLite database"),  # no whole pages
        (b"SQLite format 3\0" + bytes(20), "source-truncated", "not even a whole header"),
    ],
)
def test_other_content(tmp_path: Path, run_dir: Path, content: bytes, code: str, said: str) -> None:
    path = tmp_path / "data.db"
    path.write_bytes(content)
    error = refuse(path, run_dir)
    assert error.code == code
    assert said.replace("looks encrypted", "looks like an encrypted") in error.what


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("part", [0.2, 0.999])
def test_truncated(tmp_path: Path, run_dir: Path, journal: str, part: float) -> None:
    path = tmp_path / "data.db"
    make_database(path, wal=journal == "wal").close()
    size = path.stat().st_size
    os.truncate(path, int(size * part))
    error = refuse(path, run_dir)
    assert error.code == "source-truncated"
    assert f"{int(size * part):,} bytes" in error.what
    assert f"{size:,}" in error.what


def test_hot_journal(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "app" / "data.db"
    make_database(path, rows=5000).close()
    crash = """
        import os, sqlite3, sys
        db = sqlite3.connect(sys.argv[1], isolation_level=None)
        db.execute("PRAGMA cache_size = 5")
        db.execute("BEGIN")
        db.execute("UPDATE t SET v = hex(randomblob(60))")
        os._exit(0)
    """
    run_python(crash, path)
    assert path.with_name("data.db-journal").stat().st_size > 0
    before = fingerprint(path.parent)
    assert refuse(path, run_dir).code == "source-hot-journal"
    assert fingerprint(path.parent) == before


@pytest.mark.parametrize(
    ("journal", "hold"),
    [
        ("delete", "BEGIN EXCLUSIVE"),
        ("wal", "PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t DEFAULT VALUES"),  # no -shm file
    ],
)
def test_locked(
    tmp_path: Path,
    run_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    journal: str,
    hold: str,
) -> None:
    for module in (sqlite_connection, sqlite_file, sqlite_snapshot):
        monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.2)
    path = tmp_path / "data.db"
    make_database(path, wal=journal == "wal").close()
    with other_process(HOLD, path, hold):
        with pytest.raises(MigrationError) as caught:
            take_snapshot(SnapshotRequest(path=str(path), directory=str(run_dir)), lambda _: None)
        assert caught.value.code == "source-locked"
    assert not list(run_dir.iterdir())


def test_locked_in_the_middle_of_the_copy(tmp_path: Path, run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sqlite_connection, sqlite_snapshot):
        monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.2)
    monkeypatch.setattr(sqlite_snapshot, "_STEP_BYTES", 4096)
    monkeypatch.setattr(pace, "TELL_EVERY_S", 0.0)
    path = tmp_path / "data.db"
    writer = make_database(path)

    def lock(event: Event) -> None:
        if event.kind == "step-progress" and not writer.in_transaction:
            writer.execute("BEGIN EXCLUSIVE")

    began = time.monotonic()
    with pytest.raises(MigrationError) as caught:
        take_snapshot(SnapshotRequest(path=str(path), directory=str(run_dir)), lock)
    assert caught.value.code == "source-locked"
    assert time.monotonic() - began < 3
    writer.close()


def damage_page(path: Path, table: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * page_bytes)
        file.write(b"\xff" * 64)


@pytest.mark.parametrize("mode", MODES)
def test_corrupt_page(tmp_path: Path, run_dir: Path, mode: str) -> None:
    path = tmp_path / "data.db"
    connection = make_database(path)
    connection.execute("CREATE TABLE other (a)")
    connection.execute("INSERT INTO other VALUES (1)")
    connection.close()
    damage_page(path, "other")
    with pytest.raises(MigrationError) as caught, open_snapshot(path, directory=run_dir, mode=mode):  # type: ignore[arg-type]  # a literal
        pytest.fail("it was taken")
    assert caught.value.code == "source-corrupt"
    assert caught.value.table == "other"
    assert ".recover" in caught.value.hint
    assert not run_dir.exists() or not list(run_dir.iterdir())


def test_corrupt_schema(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    connection = make_database(path)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE t (((' WHERE name = 't'")
    connection.close()
    error = refuse(path, run_dir)
    assert error.code == "source-corrupt"
    assert "malformed database schema" in error.what


@pytest.mark.parametrize("made_as", ["t (v) WHERE id > 100", "t (v || 'x')"], ids=["missing", "wrong"])
def test_index_that_does_not_fit_its_table(tmp_path: Path, run_dir: Path, made_as: str) -> None:
    path = tmp_path / "data.db"
    connection = make_database(path)
    connection.execute(f"CREATE INDEX by_v ON {made_as}")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX by_v ON t (v)' WHERE name = 'by_v'")
    connection.close()
    error = refuse(path, run_dir)
    assert error.code == "source-corrupt"
    assert error.table == "t"
    assert "by_v" in error.what


def test_quick_check_would_not_do(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    connection = make_database(path)
    connection.execute("CREATE INDEX by_v ON t (v || 'x')")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX by_v ON t (v)' WHERE name = 'by_v'")
    connection.close()
    with contextlib.closing(sqlite3.connect(path)) as check:
        assert check.execute("PRAGMA quick_check").fetchall() == [("ok",)]


def test_rows_that_break_constraints_are_no_damage(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    connection = make_database(path)
    connection.executescript(
        """
        PRAGMA ignore_check_constraints = ON;
        CREATE TABLE checked (a CHECK (a > 0));
        INSERT INTO checked VALUES (-1);
        CREATE TABLE filled (a TEXT);
        INSERT INTO filled VALUES (NULL), (1);
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = 'CREATE TABLE filled (a TEXT NOT NULL)' WHERE name = 'filled';
        """
    )
    connection.close()
    with open_snapshot(path, directory=run_dir) as snapshot:
        assert count(snapshot) == 500
        census = snapshot.take_census(snapshot.read_catalog())
        assert [offence.name for offence in census.table("filled").column("a").offences] == ["null"]


def test_what_only_the_application_has(tmp_path: Path, run_dir: Path) -> None:
    """Functions and collations of the application: the rows are read, and a note says what could not be checked."""
    path = tmp_path / "data.db"
    connection = make_database(path)
    connection.create_function("own", 1, lambda value: value, deterministic=True)
    connection.create_collation("own order", lambda left, right: (left > right) - (left < right))
    connection.executescript(
        """
        CREATE TABLE a (x CHECK (own(x))); INSERT INTO a VALUES (1);
        CREATE TABLE b (x); CREATE INDEX b_own ON b (own(x)); INSERT INTO b VALUES (1);
        CREATE TABLE c (x TEXT COLLATE "own order" UNIQUE); INSERT INTO c VALUES ('q'), ('z');
        CREATE TABLE d (x TEXT REFERENCES c (x)); INSERT INTO d VALUES ('q'), ('nobody');
        """
    )
    connection.close()
    events: list[Event] = []
    with open_snapshot(path, directory=run_dir, observe=events.append) as snapshot:
        catalog = snapshot.read_catalog()
        census = snapshot.take_census(catalog)
        assert [table.rows for table in census.tables] == [500, 1, 1, 2, 2]
        assert [(orphans.table, orphans.count) for orphans in census.orphans] == [("d", 1)]
    (note,) = [event.message for event in events if event.kind == "note"]
    assert note.endswith("compared with their rows: b and c")


def test_damage_is_found_beside_what_only_the_application_has(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    connection = make_database(path)
    connection.create_collation("own", lambda left, right: (left > right) - (left < right))
    connection.execute("CREATE TABLE c (x TEXT COLLATE own UNIQUE)")
    connection.execute("INSERT INTO c VALUES ('a')")
    connection.close()
    damage_page(path, "sqlite_autoindex_c_1")
    assert refuse(path, run_dir).code == "source-corrupt"


# ---------------------------------------------------------------------------------------------------------------------
# Disks, interruptions


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", place], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("only root may mount a small file system to fill")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_disk_too_small(tmp_path: Path, small_disk: Path, journal: str) -> None:
    path = tmp_path / "data.db"
    make_database(path, wal=journal == "wal", rows=20_000).close()
    error = refuse(path, small_disk / "run")
    assert error.code == "disk-space"
    assert "1.0 MB free" in error.what


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_disk_fills_up(
    tmp_path: Path,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    journal: str,
) -> None:
    monkeypatch.setattr(sqlite_snapshot, "_refuse_small_disk", lambda *_: None)  # there was room when we looked
    path = tmp_path / "data.db"
    make_database(path, wal=journal == "wal", rows=20_000).close()
    with pytest.raises(MigrationError) as caught:
        take_snapshot(SnapshotRequest(path=str(path), directory=str(small_disk / "run")), lambda _: None)
    assert caught.value.code == "disk-full"
    assert not list((small_disk / "run").iterdir())


def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    make_database(path).close()
    with pytest.raises(MigrationError) as caught, open_snapshot(path, directory=path / "run"):
        pytest.fail("it was taken")
    assert caught.value.code == "run-dir"


def list_children() -> set[str]:
    """The processes that this one started and that have not been reaped; the tests' own servers are among them."""
    return {child for file in Path("/proc/self/task").glob("*/children") for child in file.read_text().split()}


def test_ctrl_c_ends_the_child_and_removes_the_part(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    make_database(path, wal=True).close()
    keep_waiting = "PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t DEFAULT VALUES"
    began, before = time.monotonic(), list_children()
    with (
        other_process(HOLD, path, keep_waiting),
        pytest.raises(KeyboardInterrupt),
        open_snapshot(path, directory=run_dir, observe=lambda _: os.kill(os.getpid(), signal.SIGINT)),
    ):
        pytest.fail("it was taken")
    assert time.monotonic() - began < 4, "the child was not told"
    assert not list(run_dir.iterdir())
    assert list_children() == before


def test_ctrl_c_counts_even_when_the_snapshot_is_just_done(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    make_database(path).close()

    def interrupt_at_the_end(event: Event) -> None:
        if (event.kind, event.step_id) == ("step-end", "snapshot/check"):
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), open_snapshot(path, directory=run_dir, observe=interrupt_at_the_end):
        pytest.fail("it was taken")
    assert not list(run_dir.iterdir())


def test_the_child_stops_when_its_parent_is_killed(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    make_database(path, wal=True).close()
    script = """
        import sys
        from pathlib import Path
        from liteferry.source import open_snapshot
        def tell(event):
            print("ready", flush=True)
        with open_snapshot(sys.argv[1], directory=Path(sys.argv[2]), observe=tell):
            pass
    """
    hold = "PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t DEFAULT VALUES"  # keeps the child waiting
    with other_process(HOLD, path, hold), other_process(script, path, run_dir) as parent:
        assert [entry.name for entry in run_dir.iterdir()] == ["source.sqlite.partial"]
        parent.kill()
        deadline = time.monotonic() + 3  # sooner than it would give up by itself
        while list(run_dir.iterdir()):
            assert time.monotonic() < deadline, "the child goes on alone"
            time.sleep(0.02)


def test_a_leftover_of_a_killed_run_is_no_obstacle(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    make_database(path).close()
    run_dir.mkdir()
    (run_dir / "source.sqlite.partial").write_bytes(b"half")
    (run_dir / "source.sqlite.partial-wal").write_bytes(b"half")
    with open_snapshot(path, directory=run_dir) as snapshot:
        assert count(snapshot) == 500
        assert [entry.name for entry in run_dir.iterdir()] == ["source.sqlite"]
