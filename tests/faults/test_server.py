"""The server, the network or a disk fails in the middle of a run: nothing is half done, and what is said is so."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import (
    MARKER,
    SHOP,
    STAGING,
    Ferry,
    Outcome,
    Scene,
    Wire,
    assert_no_secret,
    call_ferry,
    execute,
    has_schema,
    list_relations,
    make_shop,
    read_everything,
    set_scene,
    untouched,
    wait_until,
)
from liteferry import Options, migrate
from liteferry.loading import LARGE_ROWS
from liteferry.report.verdict import state_outcome
from liteferry.target import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Database, PostgresServer
    from liteferry import Event


@pytest.fixture
def scene(tmp_path: Path, pg_server: PostgresServer, pg_database: Database) -> Iterator[Scene]:
    with set_scene(tmp_path, pg_server, pg_database) as scene:
        yield scene


def assert_failed(scene: Scene, outcome: Outcome, *codes: str) -> None:
    """The run says what happened, and that everything was taken back."""
    assert outcome.status == 5, outcome
    assert "Traceback" not in outcome.err
    report = outcome.report
    assert (report.verdict, report.exit_status, report.published) == ("failed", 5, False)
    assert report.failure is not None
    assert report.failure.code in (codes or ("connection-lost",)), report.failure
    assert "still there" not in report.failure.hint
    assert scene.read_state() == "failed"
    assert call_ferry("report", scene.run_dir, "--json").report == report
    assert_no_secret(outcome, scene.run_dir)


# ---------------------------------------------------------------------------------------------------------------------
# Sessions that are ended

HOLDER = (
    "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)
WORKER = (
    "SELECT pid FROM pg_stat_activity"
    f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid NOT IN ({HOLDER})"
)
"""The sessions of a run: the one that holds its lock, and those that carry rows."""


def terminate(admin_url: str, which: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        found = connection.execute(f"SELECT count(pg_terminate_backend(pid)) FROM ({which}) found".encode()).fetchone()
        assert found != (0,)


QUICK = [("begin", WORKER), ("copy", WORKER), ("constraints", HOLDER), ("reading back", WORKER), ("commit", HOLDER)]
ENDED = [
    *QUICK,
    ("copy", HOLDER),
    ("copy's commit", WORKER),
    ("proof", WORKER),
    ("reading back", HOLDER),
    ("publish", HOLDER),
]


@pytest.mark.parametrize(
    ("place", "which"),
    [pytest.param(*case, marks=() if case in QUICK else pytest.mark.slow) for case in ENDED],
    ids=lambda value: {WORKER: "worker", HOLDER: "control"}.get(value, value),
)
def test_a_session_is_ended(place: str, which: str, scene: Scene) -> None:
    before, hold = read_everything(scene.admin_url), scene.hold(place)
    with untouched(scene.source), scene.start() as ferry:
        hold.wait()
        terminate(scene.admin_url, which)
        hold.release()
        outcome = ferry.end()
    assert_failed(scene, outcome)
    assert read_everything(scene.admin_url) == before
    if place == "copy":
        scene.run_again()


def test_a_session_is_cancelled(scene: Scene) -> None:
    """By an administrator: pg_cancel_backend."""
    before, hold = read_everything(scene.admin_url), scene.hold("copy")
    with untouched(scene.source), scene.start() as ferry:
        hold.wait()
        with psycopg.connect(scene.admin_url, autocommit=True) as connection:
            sql = f"SELECT count(pg_cancel_backend(pid)) FROM ({WORKER}) found"
            assert connection.execute(sql.encode()).fetchone() != (0,)
        hold.release()
        outcome = ferry.end()
    assert outcome.status == 130
    assert outcome.report.failure is not None
    what = outcome.report.failure.what
    assert "was cancelled by the server in step data/" in what
    assert "canceling statement due to user request" in what
    assert outcome.report.failure.step_id.startswith("data/")
    assert read_everything(scene.admin_url) == before


def test_another_run_comes_in_when_the_lock_is_lost(scene: Scene) -> None:
    """Both fail, or one of them publishes: their rows are never mixed."""
    hold, run_dir = scene.hold("copy"), scene.run_dir.with_name("second")
    with scene.start("--jobs", "1") as first:
        hold.wait()
        terminate(scene.admin_url, HOLDER)
        hold.release()
        second = call_ferry("migrate", scene.source, scene.direct_url, "--yes", "--json", "--run-dir", run_dir)
        outcome = first.end()
    assert outcome.status == 5, outcome
    assert second.status in {0, 5}, second
    assert list_relations(scene.admin_url) == (SHOP if second.status == 0 else [])
    assert not has_schema(scene.admin_url, STAGING)
    if second.status == 0:
        assert call_ferry("verify", scene.source, scene.direct_url, "--run-dir", run_dir).status == 0


def test_the_staging_schema_of_another_run_is_left_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that lost its lock, and finds that another has it now, must not take back what is not its own."""
    monkeypatch.setattr(session, "PATIENCE_S", 0.5)
    hold, started = scene.hold("proof"), list[Ferry]()

    def let_another_in(event: Event) -> None:
        if (event.kind, event.phase) == ("phase-start", "constraints"):
            terminate(scene.admin_url, HOLDER)
            started.append(scene.start())
            hold.wait()

    options = Options(run_dir=str(scene.run_dir.with_name("first")))
    report = migrate(scene.source, scene.direct_url, options, let_another_in)
    with started[0] as second:
        assert (report.verdict, report.published) == ("failed", False)
        assert report.failure is not None
        assert "another liteferry run is working on schema public" in report.failure.hint
        assert list_relations(scene.admin_url, STAGING) == SHOP
        hold.release()
        assert second.end().report.verdict == "proven"
    assert list_relations(scene.admin_url) == SHOP


# ---------------------------------------------------------------------------------------------------------------------
# Two tables at a time


def let_two_work(scene: Scene) -> None:
    """Make a table of the source so large that it is loaded by itself, while another worker loads the others."""
    with closing(sqlite3.connect(scene.source)) as db:
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?)"
            " INSERT INTO purchase (customer_id, total) SELECT i % 20 + 1, i FROM n",
            [LARGE_ROWS],
        )
        db.commit()


def test_an_observers_error_stops_the_other_tables(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker that is in the middle of its rows has ended before anything is taken back.

    Here a network holds it up, so that neither it nor the server notices anything: its connection is broken.
    """
    monkeypatch.setattr("liteferry.loading.crew.STOP_S", 0.5)
    let_two_work(scene)
    before, hold = read_everything(scene.admin_url), scene.hold("copy")

    def fail(event: Event) -> None:
        if (event.kind, event.phase, event.table) == ("step-end", "load", "purchase"):
            hold.wait()
            raise ZeroDivisionError

    begun = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        migrate(scene.source, scene.url, Options(run_dir=str(scene.run_dir), jobs=3), fail)
    assert time.monotonic() - begun < 15
    hold.release()
    assert read_everything(scene.admin_url) == before


def test_a_worker_that_cannot_be_cancelled_is_waited_for(scene: Scene) -> None:
    """One connection breaks, and the server cannot be reached to cancel what the other one does."""
    let_two_work(scene)
    before = read_everything(scene.admin_url)
    other = scene.proxy.hold(b'COPY "liteferry_staging_public"."purchase"')

    def lose_it(wire: Wire) -> None:
        other.wait()
        scene.proxy.refuse()
        wire.cut()

    scene.proxy.halt(MARKER.encode(), lose_it)
    with scene.start("--jobs", "3") as ferry:
        other.wait()
        wait_until(lambda: scene.proxy.refuses, "the other connection to break")
        time.sleep(1)
        scene.proxy.listen()
        other.release()
        outcome = ferry.end()
    assert_failed(scene, outcome)
    assert read_everything(scene.admin_url) == before


def test_the_connection_breaks_while_all_is_taken_back(scene: Scene) -> None:
    """A server that dies takes one session after the other: taking back is tried again."""
    before = read_everything(scene.admin_url)

    def fail(event: Event) -> None:
        if (event.kind, event.phase) == ("phase-start", "proof"):
            scene.proxy.halt(b"DROP SCHEMA", cut)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        migrate(scene.source, scene.url, Options(run_dir=str(scene.run_dir)), fail)
    assert scene.read_state() == "failed"
    assert read_everything(scene.admin_url) == before


# ---------------------------------------------------------------------------------------------------------------------
# The commit of the publication


def swallow(wire: Wire) -> None:
    """The commit gets through, its answer does not come back."""
    wire.swallow = True


def cut(wire: Wire) -> None:
    """The connection breaks, and the commit is lost with it."""
    wire.cut()


def delay(wire: Wire) -> None:
    """The client is cut off; the commit would reach the server a little later, when the client has come again."""
    wire.cut_client()
    time.sleep(1)


@pytest.mark.parametrize(("break_it", "published"), [(swallow, True), (cut, False), (delay, False)])
def test_the_connection_breaks_in_the_commit(
    break_it: Callable[[Wire], None],
    published: bool,  # noqa: FBT001 - a parameter of the test
    scene: Scene,
) -> None:
    before = read_everything(scene.admin_url)
    scene.proxy.halt(b"COMMIT", break_it, armed_by=b"RESTRICT")
    with untouched(scene.source), scene.start() as ferry:
        outcome = ferry.end()
    if published:
        assert (outcome.status, outcome.report.verdict, outcome.report.published) == (0, "proven", True)
        assert "but everything was published by then" in outcome.err
        assert list_relations(scene.admin_url) == SHOP
        assert scene.read_state() == "published"
        assert call_ferry("undo", scene.run_dir, "--target", scene.direct_url, "--yes").status == 0
    else:
        assert_failed(scene, outcome)
    time.sleep(1 if break_it is delay else 0)  # what was delayed has arrived by now
    assert read_everything(scene.admin_url) == before
    assert not has_schema(scene.admin_url, STAGING)


def test_something_else_has_the_name_by_then(scene: Scene) -> None:
    """Somebody made a table in the target after the plan: the publication is one transaction, and does not happen."""
    hold = scene.hold("publish")
    with untouched(scene.source), scene.start() as ferry:
        hold.wait()
        execute(scene.direct_url, "CREATE TABLE public.note (mine int)")
        before = [row for row in read_everything(scene.admin_url) if STAGING not in str(row)]
        hold.release()
        outcome = ferry.end()
    assert_failed(scene, outcome, "step-failed")
    assert outcome.report.failure is not None
    assert outcome.report.failure.step_id == "publish"
    assert read_everything(scene.admin_url) == before
    assert list_relations(scene.admin_url) == ["note"]


# ---------------------------------------------------------------------------------------------------------------------
# The whole server


@pytest.fixture(scope="module")
def mortal(start_server_of: Callable[..., PostgresServer]) -> Iterator[PostgresServer]:
    """A server that may be killed."""
    server = start_server_of()
    yield server
    server.stop()


@pytest.fixture
def mortal_scene(tmp_path: Path, mortal: PostgresServer) -> Iterator[Scene]:
    database = mortal.create_database()
    with set_scene(tmp_path, mortal, database) as scene:
        yield scene
    mortal.drop_database(database.name)


def read_pid(server: PostgresServer) -> int:
    return int((server.data_dir / "postmaster.pid").read_text().split()[0])


def start_again(server: PostgresServer) -> None:
    """Start it as it was. The processes of the old one may still be ending."""
    options = f"-k {server.directory} -p {server.port} -c listen_addresses=127.0.0.1"
    control: list[str | Path] = [server.bin_dir / "pg_ctl", "-D", server.data_dir, "-w", "-o", options]
    start = [*control, "-l", server.directory / "log", "start"]
    wait_until(lambda: server.account.run(start).returncode == 0, "the server to start again")


def stop_now(server: PostgresServer) -> None:
    server.account.run([server.bin_dir / "pg_ctl", "stop", "-m", "immediate", "-D", server.data_dir])


def is_up(server: PostgresServer) -> bool:
    try:
        psycopg.connect(server.url("postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def kill_backend(_: PostgresServer, scene: Scene) -> None:
    """The server ends all sessions, recovers, and is back by itself."""
    with psycopg.connect(scene.admin_url) as connection:
        pids = [pid for (pid,) in connection.execute(f"({WORKER}) UNION ALL ({HOLDER})".encode())]
    os.kill(pids[0], signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the sessions to end")


def kill_postmaster(server: PostgresServer, _: Scene) -> None:
    """Everything is gone, until somebody starts the server again."""
    os.kill(read_pid(server), signal.SIGKILL)
    start_again(server)


@pytest.mark.parametrize(
    ("place", "kill"),
    [
        ("copy", kill_backend),
        pytest.param("copy", kill_postmaster, marks=pytest.mark.slow),
        pytest.param("constraints", kill_backend, marks=pytest.mark.slow),
        pytest.param("reading back", kill_backend, marks=pytest.mark.slow),
        ("publish", kill_backend),
        pytest.param("commit", kill_backend, marks=pytest.mark.slow),
        pytest.param("commit", kill_postmaster, marks=pytest.mark.slow),
    ],
)
def test_the_server_dies_and_comes_again(
    place: str, kill: Callable[[PostgresServer, Scene], None], mortal: PostgresServer, mortal_scene: Scene
) -> None:
    scene = mortal_scene
    before, hold = read_everything(scene.admin_url), scene.hold(place)
    with untouched(scene.source), scene.start() as ferry:
        hold.wait()
        kill(mortal, scene)
        hold.release()
        outcome = ferry.end()
    # a worker that wants one more connection meanwhile is told why it gets none
    assert_failed(scene, outcome, "connection-lost", "server-not-ready", "server-unreachable", "server-other")
    wait_until(lambda: is_up(mortal), "the server to come again")
    assert read_everything(scene.admin_url) == before
    scene.run_again()


def test_what_was_published_survives_the_servers_death(mortal: PostgresServer, mortal_scene: Scene) -> None:
    """The load's commits do not wait for the server's log; the publication's does, and all of them with it."""
    scene = mortal_scene

    def kill(event: Event) -> None:
        if (event.kind, event.phase) == ("phase-end", "publish"):
            os.kill(read_pid(mortal), signal.SIGKILL)

    report = migrate(scene.source, scene.direct_url, Options(run_dir=str(scene.run_dir)), kill)
    assert (report.verdict, report.published) == ("proven", True)
    start_again(mortal)
    wait_until(lambda: is_up(mortal), "the server to come again")
    assert call_ferry("verify", scene.source, scene.direct_url, "--run-dir", scene.run_dir).status == 0
    assert not has_schema(scene.admin_url, STAGING)


@pytest.mark.parametrize(
    ("place", "says", "state"),
    [
        (("phase-end", "load"), "the staging schema liteferry_staging_public is still there", "running"),
        (("phase-start", "publish"), "whether the publication happened is not known", "publishing"),
    ],
)
def test_the_server_does_not_come_again(
    place: tuple[str, str],
    says: str,
    state: str,
    mortal: PostgresServer,
    mortal_scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then the staging schema is still there, which is said; the next run removes it."""
    scene = mortal_scene
    monkeypatch.setattr(session, "PATIENCE_S", 0.5)

    def stop_server(event: Event) -> None:
        if (event.kind, event.phase) == place:
            stop_now(mortal)

    try:
        report = migrate(scene.source, scene.direct_url, Options(run_dir=str(scene.run_dir)), stop_server)
    finally:
        start_again(mortal)
    assert (report.verdict, report.exit_status) == ("failed", 5)
    assert report.failure is not None
    assert report.failure.code == "connection-lost"
    assert says in report.failure.hint
    assert not report.failure.is_settled
    assert "not everything could be taken away again" in state_outcome(report)
    assert scene.read_state() == state
    assert list_relations(scene.admin_url) == []
    again = scene.run_again()
    assert "a staging schema left behind by a run that was killed has been removed" in again.err


def test_nobody_knows_whether_it_was_published(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server cannot be reached any more after the commit: it is said that this is not known, and undo works."""
    monkeypatch.setattr(session, "PATIENCE_S", 0.5)
    before = read_everything(scene.admin_url)

    def vanish(wire: Wire) -> None:
        wire.swallow = True
        scene.proxy.refuse()

    scene.proxy.halt(b"COMMIT", vanish, armed_by=b"RESTRICT")
    report = migrate(scene.source, scene.url, Options(run_dir=str(scene.run_dir)))
    assert (report.verdict, report.exit_status, report.published) == ("failed", 5, False)
    assert report.failure is not None
    assert "whether the publication happened is not known" in report.failure.hint
    assert scene.read_state() == "publishing"
    assert list_relations(scene.admin_url) == SHOP
    assert call_ferry("undo", scene.run_dir, "--target", scene.direct_url, "--yes").status == 0
    assert read_everything(scene.admin_url) == before


# ---------------------------------------------------------------------------------------------------------------------
# Disks


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk that anybody may write to, and get to."""
    if not shutil.which("mount"):
        pytest.skip("no mount(8) here")
    directory = Path(tempfile.mkdtemp(prefix="lfdisk-", dir="/tmp"))
    directory.chmod(0o755)
    argv: list[str | Path] = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=777", "tmpfs", directory]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        yield directory
        subprocess.run(["umount", "-l", directory], check=True)
    directory.rmdir()
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")


def test_the_servers_disk_is_full(tmp_path: Path, disk: Path, mortal: PostgresServer) -> None:
    space = disk / "space"
    space.mkdir()
    os.chown(space, mortal.account.uid, mortal.account.gid)
    execute(
        mortal.url("postgres"),
        f"CREATE TABLESPACE small LOCATION '{space}'",
        "CREATE DATABASE crowded OWNER ferry TABLESPACE small",
    )
    (tmp_path / "source").mkdir()
    source = make_shop(tmp_path / "source" / "shop.sqlite", rows=250_000)
    try:
        before = read_everything(mortal.url("crowded"))
        with untouched(source):
            outcome = call_ferry(
                "migrate", source, mortal.url("crowded", "ferry"), "--yes", "--json", "--run-dir", tmp_path / "run"
            )
        assert outcome.status == 5
        assert outcome.report.failure is not None
        assert outcome.report.failure.code == "disk-full"
        assert "make room on the server's disk" in outcome.report.failure.hint
        assert read_everything(mortal.url("crowded")) == before
    finally:
        mortal.drop_database("crowded")
        execute(mortal.url("postgres"), "DROP TABLESPACE small")


@pytest.mark.parametrize("place", [("phase-start", "load"), ("phase-start", "proof"), ("phase-start", "publish")])
def test_the_run_directorys_disk_fills_up(
    place: tuple[str, str], tmp_path: Path, disk: Path, pg_url: str, pg_admin_url: str
) -> None:
    """The journal cannot be written any more: then nothing is published, since nobody could undo it."""
    source = make_shop(tmp_path / "shop.sqlite")
    before = read_everything(pg_admin_url)

    def fill(event: Event) -> None:
        if (event.kind, event.phase) == place:
            with (disk / "filler").open("wb", buffering=0) as file:
                while file.write(bytes(1 << 12)) == 1 << 12:
                    pass

    def fill_and_notice(event: Event) -> None:
        try:
            fill(event)
        except OSError:
            return

    report = migrate(source, pg_url, Options(run_dir=str(disk / "run")), fill_and_notice)
    assert (report.verdict, report.exit_status, report.published) == ("failed", 5, False)
    assert report.failure is not None
    assert report.failure.code == "disk-full"
    assert str(disk / "run") in report.failure.what
    assert read_everything(pg_admin_url) == before


def test_the_disk_fills_up_when_all_is_published(tmp_path: Path, disk: Path, pg_url: str, pg_admin_url: str) -> None:
    """What came out stands; that it could not be written down is said, and undo works nevertheless."""
    source = make_shop(tmp_path / "shop.sqlite")
    before, notes = read_everything(pg_admin_url), []

    def fill(event: Event) -> None:
        if event.kind == "warning":
            notes.append(event.message)
        if (event.kind, event.phase) == ("phase-end", "publish"):
            try:
                (disk / "filler").write_bytes(bytes(1 << 25))
            except OSError:
                return

    report = migrate(source, pg_url, Options(run_dir=str(disk / "run")), fill)
    assert (report.verdict, report.published) == ("proven", True)
    assert any("the report could not be written down" in note for note in notes)
    (disk / "filler").unlink()
    assert call_ferry("undo", disk / "run", "--yes", "--target", pg_url).status == 0
    assert read_everything(pg_admin_url) == before
