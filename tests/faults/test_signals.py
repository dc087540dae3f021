"""The real command is told to stop, or killed, at a chosen place: nothing is half done, and the next run works."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from harness import (
    PLACES,
    SHOP,
    STAGING,
    Application,
    Ferry,
    Outcome,
    Scene,
    assert_error,
    assert_no_secret,
    call_ferry,
    execute,
    has_schema,
    hold_up_server,
    list_relations,
    read_everything,
    set_scene,
    untouched,
    wait_until,
    wait_until_alone,
)
from liteferry.loading.crew import stop_workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Database, PostgresServer
    from liteferry.target import Target


@pytest.fixture
def scene(tmp_path: Path, pg_server: PostgresServer, pg_database: Database) -> Iterator[Scene]:
    with set_scene(tmp_path, pg_server, pg_database) as scene:
        yield scene


def assert_taken_back(scene: Scene, outcome: Outcome) -> None:
    """The run says that it was interrupted, and left the target as it was."""
    assert outcome.status == 130, outcome
    assert outcome.err.splitlines()[-1] == "liteferry: interrupted; the target is as it was [interrupted]"
    assert outcome.json["code"] == "interrupted"
    assert "Traceback" not in outcome.err
    assert scene.read_state() == "failed"
    report = call_ferry("report", scene.run_dir, "--json").report
    assert (report.verdict, report.exit_status, report.published) == ("failed", 130, False)
    assert not (scene.run_dir / "source.sqlite").exists()
    assert_no_secret(outcome, scene.run_dir)


def interrupt(scene: Scene, place: str, number: signal.Signals, *options: str) -> None:
    before, hold = read_everything(scene.admin_url), scene.hold(place)
    with untouched(scene.source), scene.start(*options) as ferry:
        hold.wait()
        assert list_relations(scene.admin_url) == []
        ferry.process.send_signal(number)
        let_it_arrive(ferry)
        hold.release()
        outcome = ferry.end()
    if place == "commit":
        # psycopg asks the server to cancel and waits for its answer: here the commit gets through nevertheless
        assert (outcome.status, outcome.report.verdict) == (0, "proven")
        assert "everything was published by then" in outcome.err
        assert scene.read_state() == "published"
        assert call_ferry("undo", scene.run_dir, "--target", scene.direct_url, "--yes").status == 0
    else:
        assert_taken_back(scene, outcome)
    assert read_everything(scene.admin_url) == before


def let_it_arrive(ferry: Ferry) -> None:
    """Let the signal arrive while the client is held up: it is then waiting for a cancel's effect, or for a thread."""
    with suppress(Exception):
        ferry.process.wait(0.2)


ALL = [(place, number) for place in PLACES for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
QUICK = [
    ("copy", signal.SIGTERM),
    ("proof", signal.SIGTERM),
    ("proof", signal.SIGHUP),  # the terminal is gone
    ("publish", signal.SIGINT),
    ("commit", signal.SIGINT),
]


@pytest.mark.parametrize(
    ("place", "number"),
    [pytest.param(*case, marks=() if case in QUICK else pytest.mark.slow) for case in ALL],
)
def test_a_signal(place: str, number: signal.Signals, scene: Scene) -> None:
    interrupt(scene, place, number)


def test_a_signal_without_a_snapshot(scene: Scene) -> None:
    """The run is in a child process, which takes everything back."""
    before, hold = read_everything(scene.admin_url), scene.hold("copy")
    with untouched(scene.source), scene.start("--snapshot", "none") as ferry:
        hold.wait()
        ferry.process.send_signal(signal.SIGINT)
        let_it_arrive(ferry)
        hold.release()
        outcome = ferry.end()
    assert outcome.status == 130
    assert read_everything(scene.admin_url) == before
    assert scene.read_state() == "failed"


@pytest.mark.slow
def test_a_signal_while_the_source_is_locked(scene: Scene) -> None:
    """During the snapshot: nothing was begun, and nothing of the run is left."""
    before = read_everything(scene.admin_url)
    with Application(scene.source) as application:
        application.execute("BEGIN EXCLUSIVE")
        with untouched(scene.source), scene.start() as ferry:
            wait_until(lambda: any(map(has_open_database, ferry.list_children())), "the snapshot to begin")
            ferry.process.send_signal(signal.SIGINT)
            outcome = ferry.end()
        application.execute("ROLLBACK")
    assert outcome.status == 130
    assert not scene.run_dir.exists()
    assert read_everything(scene.admin_url) == before
    scene.run_again()


def has_open_database(pid: int) -> bool:
    with suppress(OSError):
        return any(str(link.readlink()).endswith(".sqlite") for link in Path(f"/proc/{pid}/fd").iterdir())
    return False


def test_a_signal_while_the_server_works(scene: Scene) -> None:
    """The statement that runs on the server is cancelled there: nobody waits for its end."""
    before = read_everything(scene.admin_url)
    with closing(hold_up_server(scene.admin_url, "CREATE VIEW")) as gate, scene.start() as ferry:
        gate.wait()
        ferry.process.send_signal(signal.SIGINT)
        outcome = ferry.end()
    assert_taken_back(scene, outcome)
    execute(scene.admin_url, "DROP EVENT TRIGGER gate", "DROP SCHEMA gate CASCADE")
    assert read_everything(scene.admin_url) == before


class _Line:
    """Stands for the target: what the worker waits for ends when it is cancelled."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.broken = False

    def cancel_all(self) -> None:
        self.ended.set()

    def break_all(self) -> None:
        self.broken = True


def test_tables_that_wait_to_be_proven_hold_up_no_interruption() -> None:
    """A pool that is shut down takes them out of its queue, and tells nobody who waits for them."""
    line = _Line()
    with ThreadPoolExecutor(1) as pool:
        futures = [pool.submit(line.ended.wait) for _ in range(3)]
        pool.shutdown(wait=False, cancel_futures=True)
        stop_workers(futures, cast("Target", line))
    assert not line.broken  # which it is when the time for stopping is over


def test_a_nervous_user(scene: Scene) -> None:
    """The second Ctrl-C does not stop the taking back, but says that it goes on."""
    before, hold = read_everything(scene.admin_url), scene.hold("copy")
    with untouched(scene.source), scene.start() as ferry:
        hold.wait()
        ferry.process.send_signal(signal.SIGINT)
        let_it_arrive(ferry)
        ferry.process.send_signal(signal.SIGINT)
        ferry.wait_for_line("taking back what was made; once more to leave it as it is")
        hold.release()
        outcome = ferry.end()
    assert_taken_back(scene, outcome)
    assert read_everything(scene.admin_url) == before


def test_a_very_nervous_user(scene: Scene) -> None:
    """Whatever is left behind then, nothing is published, and the next run cleans up."""
    hold = scene.hold("copy")
    with untouched(scene.source), scene.start() as ferry:
        hold.wait()
        for _ in range(4):
            ferry.process.send_signal(signal.SIGINT)
            let_it_arrive(ferry)
        hold.release()
        outcome = ferry.end()
    assert outcome.status in {130, -signal.SIGINT}  # the last one may come when Python itself is ending
    assert "Traceback" not in outcome.err
    assert list_relations(scene.admin_url) == []
    scene.run_again()


# ---------------------------------------------------------------------------------------------------------------------
# Killed

QUICKLY_KILLED = ["copy", "publish"]
KILLED = ["load", "copy", "index", "constraints", "proof", "reading back", "publish"]


@pytest.mark.parametrize(
    "place",
    [pytest.param(place, marks=() if place in QUICKLY_KILLED else pytest.mark.slow) for place in KILLED],
)
def test_a_kill(place: str, scene: Scene) -> None:
    hold = scene.hold(place)
    with untouched(scene.source):
        with scene.start() as ferry:
            hold.wait()
            ferry.process.kill()
            outcome = ferry.end()
        scene.proxy.cut()
        hold.release()
    assert outcome.status == -signal.SIGKILL
    assert list_relations(scene.admin_url) == []
    assert has_schema(scene.admin_url, STAGING)
    assert scene.read_state() == ("publishing" if place == "publish" else "running")
    assert_no_secret(scene.run_dir)
    if place == "publish":
        undone = call_ferry("undo", scene.run_dir, "--target", scene.direct_url, "--yes", "--json")
        assert_error(undone, "undo-nothing")
        assert "the run ended while it published" in call_ferry("report", scene.run_dir).out
    else:
        undone = call_ferry("undo", scene.run_dir, "--target", scene.direct_url, "--yes", "--json")
        assert_error(undone, "undo-nothing", "goes when a migration into the same schema begins")
    again = scene.run_again()
    assert "a staging schema left behind by a run that was killed has been removed" in again.err


@pytest.mark.parametrize("arrives", [True, False])
def test_a_kill_during_the_commit(arrives: bool, scene: Scene) -> None:  # noqa: FBT001 - a parameter of the test
    """Whether the commit got to the server is luck; nothing is half published, and undo knows what to do."""
    before, hold = read_everything(scene.admin_url), scene.hold("commit")
    with scene.start() as ferry:
        hold.wait()
        ferry.process.kill()
        ferry.end()
    if not arrives:
        scene.proxy.cut()
    hold.release()
    wait_until_alone(scene.admin_url)
    assert scene.read_state() == "publishing"
    assert list_relations(scene.admin_url) == (SHOP if arrives else [])
    if arrives:
        execute(scene.direct_url, "INSERT INTO public.note VALUES ('since', 9)")
        undo = ("undo", scene.run_dir, "--target", scene.direct_url, "--yes", "--json")
        assert_error(call_ferry(*undo), "undo-refused", "note: 5 rows now, 4 then")
        execute(scene.direct_url, "DELETE FROM public.note WHERE number = 9")
        assert call_ferry(*undo).status == 0
        assert read_everything(scene.admin_url) == before
    scene.run_again()


def test_a_kill_without_a_snapshot(scene: Scene) -> None:
    """The child that the run is in notices, and takes everything back."""
    before, hold = read_everything(scene.admin_url), scene.hold("copy")
    with untouched(scene.source):
        with scene.start("--snapshot", "none") as ferry:
            hold.wait()
            (child,) = ferry.list_children()
            ferry.process.kill()
            hold.release()
            wait_until(lambda: not is_running(child), "the child to end")
        assert read_everything(scene.admin_url) == before
        assert scene.read_state() == "failed"
    scene.run_again()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
def test_a_kill_during_the_snapshot(scene: Scene) -> None:
    """The child that copies ends too, and removes its part of the copy."""
    with Application(scene.source) as application:
        application.execute("BEGIN EXCLUSIVE")
        with untouched(scene.source), scene.start() as ferry:
            wait_until(lambda: any(map(has_open_database, ferry.list_children())), "the snapshot to begin")
            (child,) = ferry.list_children()
            ferry.process.kill()
            wait_until(lambda: not is_running(child), "the child to end")
        application.execute("ROLLBACK")
    assert list(scene.run_dir.iterdir()) == []
    scene.run_again()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_during_the_census(number: signal.Signals, scene: Scene) -> None:
    with closing(sqlite3.connect(scene.source)) as db:
        rows = ((f"line {i}", i) for i in range(400_000))
        db.executemany("INSERT INTO note VALUES (?, ?)", rows)
        db.commit()
    before = read_everything(scene.admin_url)
    with untouched(scene.source), scene.start() as ferry:
        ferry.wait_for_line("taking a snapshot")
        ferry.process.send_signal(number)
        outcome = ferry.end()
    assert outcome.status == (130 if number == signal.SIGINT else -number)
    assert read_everything(scene.admin_url) == before
    assert number == signal.SIGKILL or not scene.run_dir.exists()
