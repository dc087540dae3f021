"""Taking a snapshot of real files, in every state that a SQLite file is found in."""

from __future__ import annotations

import contextlib
import ctypes
import gzip
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liteferry import sqlite_connection, sqlite_file, sqlite_snapshot
from liteferry.errors import MigrationError
from liteferry.sqlite_snapshot import SnapshotRequest, take_snapshot
from liteferry.sqlite_source import Snapshot, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from liteferry.model import Event

MODES = ("copy", "none")


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"


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
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def count(snapshot: Snapshot) -> int:
    table = snapshot.read_catalog().table("t")
    return sum(len(batch) for batch in snapshot.read_rows(table, ["id", "v"]))


def refuse(path: str | Path, run_dir: Path) -> MigrationError:
    """The error of a source that cannot be taken; nothing is left behind."""
    with pytest.raises(MigrationError) as caught, open_snapshot(path, directory=run_dir):
        pytest.fail("it was taken")
    assert not run_dir.exists() or not list(run_dir.iterdir())
    assert caught.value.hint
    assert "\n" not in caught.value.what
    return caught.value


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
        from liteferry.sqlite_source import open_snapshot
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
        from liteferry.sqlite_source import open_snapshot
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
    monkeypatch.setattr(sqlite_snapshot, "_EVENT_INTERVAL_S", 0.0)  # an event a step
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
    monkeypatch.setattr(sqlite_snapshot, "_EVENT_INTERVAL_S", 0.0)
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
        from liteferry.sqlite_source import open_snapshot
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
        (gzip.compress(b"x" * 100), "source-not-sqlite", "a gzip file"),
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


HOLD = """
    import sqlite3, sys
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    for statement in sys.argv[2].split(";"):
        db.execute(statement).fetchall()
    print("ready", flush=True)
    sys.stdin.read()
"""


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
    monkeypatch.setattr(sqlite_snapshot, "_EVENT_INTERVAL_S", 0.0)
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


def test_missing_index_entries(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    connection = make_database(path)
    connection.execute("CREATE INDEX by_v ON t (v) WHERE id > 100")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX by_v ON t (v)' WHERE name = 'by_v'")
    connection.close()
    with contextlib.closing(sqlite3.connect(path)) as check:
        assert check.execute("PRAGMA quick_check").fetchall() == [("ok",)]  # the quick one does not see it
    error = refuse(path, run_dir)
    assert error.code == "source-corrupt"
    assert error.table == "t"
    assert "by_v" in error.what


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


def test_ctrl_c_ends_the_child_and_removes_the_part(tmp_path: Path, run_dir: Path) -> None:
    path = tmp_path / "data.db"
    make_database(path, wal=True).close()
    keep_waiting = "PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t DEFAULT VALUES"
    began = time.monotonic()
    with (
        other_process(HOLD, path, keep_waiting),
        pytest.raises(KeyboardInterrupt),
        open_snapshot(path, directory=run_dir, observe=lambda _: os.kill(os.getpid(), signal.SIGINT)),
    ):
        pytest.fail("it was taken")
    assert time.monotonic() - began < 4, "the child was not told"
    assert not list(run_dir.iterdir())
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


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
        from liteferry.sqlite_source import open_snapshot
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
