"""A child process really started: results, errors, deaths, interruptions."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import liteferry
from liteferry.child import FUNCTIONS, child_ahead, run_in_child
from liteferry.errors import MigrationError
from liteferry.model import Event, Options
from liteferry.source.copying import SnapshotRequest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "data.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    return str(path)


def snapshot_request(database: str, tmp_path: Path) -> SnapshotRequest:
    return SnapshotRequest(path=database, directory=str(tmp_path / "run"))


def children() -> set[int]:
    """The processes that we started and that have not ended."""
    return {
        int(pid)
        for thread in Path("/proc/self/task").iterdir()
        for pid in (thread / "children").read_text().split()
        if (Path("/proc") / pid / "cmdline").read_bytes()
    }


def await_child(others: set[int]) -> int:
    """The one further process that we have just started: /proc shows its command line a moment later."""
    while not (found := children() - others):
        time.sleep(0.001)
    (child,) = found
    return child


@contextmanager
def lock(database: str) -> Iterator[sqlite3.Connection]:
    """Keep a child that copies the file waiting, after its first event, until the transaction ends."""
    with closing(sqlite3.connect(database, isolation_level=None)) as locker:
        locker.execute("BEGIN EXCLUSIVE")
        yield locker


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc to see the child")


def test_result_and_events(database: str, tmp_path: Path) -> None:
    events: list[Event] = []
    info = run_in_child("take_snapshot", snapshot_request(database, tmp_path), observe=events.append)
    assert info.path == database
    assert events[0] == Event(kind="step-start", phase="snapshot", step_id="snapshot/copy")


def test_an_error_arrives_with_all_its_parts(tmp_path: Path) -> None:
    path = str(tmp_path / "nothing")
    with pytest.raises(MigrationError) as caught:
        run_in_child("inspect_source", path)
    assert (caught.value.code, caught.value.what) == ("source-missing", f"there is no file {path}")
    assert caught.value.hint == f"the way there ends in {tmp_path}"


def test_a_bug_arrives_with_the_childs_traceback() -> None:
    with pytest.raises(KeyError) as caught:
        run_in_child("use_case", ("nonsense", (), Options()))
    assert "run_use_case" in caught.value.__notes__[0]


def test_only_known_functions_run() -> None:
    with pytest.raises(KeyError):
        run_in_child("os:system", "true")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_there(name: str) -> None:
    import importlib

    module, _, function = FUNCTIONS[name].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_child_that_dies(database: str, tmp_path: Path, number: signal.Signals) -> None:
    others = children()

    def kill(_event: Event) -> None:
        for pid in children() - others:
            os.kill(pid, number)
            time.sleep(0.1)

    with lock(database), pytest.raises(MigrationError) as caught:
        run_in_child("take_snapshot", snapshot_request(database, tmp_path), observe=kill)
    assert caught.value.code == "child-failed"
    assert number.name in caught.value.what
    assert children() == others


@needs_proc
def test_a_child_that_is_told_to_stop_cleans_up(database: str, tmp_path: Path) -> None:
    others = children()

    def stop(_event: Event) -> None:
        for pid in children() - others:
            os.kill(pid, signal.SIGTERM)

    with lock(database), pytest.raises(MigrationError) as caught:
        run_in_child("take_snapshot", snapshot_request(database, tmp_path), observe=stop)
    assert caught.value.code == "interrupted"
    assert caught.value.exit_status == 130
    assert not list((tmp_path / "run").iterdir())


@needs_proc
def test_when_observe_raises_the_child_is_ended(database: str, tmp_path: Path) -> None:
    others = children()

    def fail(_event: Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_in_child("take_snapshot", snapshot_request(database, tmp_path), observe=fail)
    assert children() == others


@needs_proc
def test_a_child_that_does_not_listen_is_killed(database: str, tmp_path: Path) -> None:
    """SIGSTOP stands for a long call into C, from which no signal handler is reached."""
    with sqlite3.connect(database) as connection:  # so much that it is still at it when it is stopped
        connection.execute("INSERT INTO t WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 60) "
                           "SELECT randomblob(1000000) FROM n")  # fmt: skip
    connection.close()
    others, stopped = children(), set[int]()

    def interrupt(_event: Event) -> None:
        if not stopped:
            stopped.update(children() - others)
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGINT)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_in_child("take_snapshot", snapshot_request(database, tmp_path), observe=interrupt, grace_s=0.3)
    assert 0.3 <= time.monotonic() - began < 5
    assert children() == others


def test_from_another_thread(database: str, tmp_path: Path) -> None:
    results: list[object] = []
    thread = threading.Thread(
        target=lambda: results.append(run_in_child("take_snapshot", snapshot_request(database, tmp_path)))
    )
    thread.start()
    thread.join()
    assert len(results) == 1


def test_what_the_child_prints_goes_to_standard_error(database: str, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("print('a stray line')\n")
    script = """
        import os, sys
        from liteferry.child import run_in_child
        os.environ["PYTHONPATH"] = sys.argv[2]
        header, _ = run_in_child("inspect_source", sys.argv[1])
        print(header.size_bytes)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), database, tmp_path / "site"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (result.stdout, result.stderr) == ("8192\n", "a stray line\n")


def test_the_child_is_the_same_liteferry_and_ignores_the_working_directory(database: str, tmp_path: Path) -> None:
    package = tmp_path / "vendored" / "liteferry"
    shutil.copytree(Path(liteferry.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    with (package / "source/copying.py").open("a") as module:
        module.write("\n\ndef inspect_source(path, observe):\n    return __file__\n")
    here = tmp_path / "here"
    here.mkdir()
    for name in ("sqlite3", "pickle", "liteferry"):
        (here / f"{name}.py").write_text("raise SystemExit('not this one')\n")
    script = f"""
        import sys
        sys.path[:] = [{str(package.parent)!r}] + sys.path[1:]
        from liteferry.child import run_in_child
        print(run_in_child("inspect_source", "x"))
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), database], capture_output=True, text=True, check=True, cwd=here
    )
    assert result.stdout == f"{package / 'source/copying.py'}\n"


@needs_proc
def test_nothing_of_the_request_stands_on_the_command_line(database: str, tmp_path: Path) -> None:
    others = children()
    lines: list[bytes] = []

    def look(_event: Event) -> None:
        if locker.in_transaction:
            lines.extend(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children() - others)
            locker.rollback()

    with lock(database) as locker:
        run_in_child("take_snapshot", snapshot_request(database, tmp_path), observe=look)
    assert lines
    assert {line.split(b"\0", 1)[1] for line in lines} <= {b"-P\0-m\0liteferry.child\0take_snapshot\0"}


@needs_proc
def test_a_child_ahead_is_the_one_that_is_asked(database: str, tmp_path: Path) -> None:
    others = children()
    asked: set[int] = set()
    with child_ahead("take_snapshot"):
        ahead = await_child(others)
        request = snapshot_request(database, tmp_path)

        def look(_event: Event) -> None:
            if locker.in_transaction:
                asked.update(children() - others)
                locker.rollback()

        with lock(database) as locker:
            info = run_in_child("take_snapshot", request, observe=look)
        assert info.path == database
        assert asked == {ahead}
        assert children() == others
        assert run_in_child("inspect_source", database)[0].size_bytes == 8192
    assert children() == others


@needs_proc
def test_a_child_ahead_that_nobody_wants_ends(database: str) -> None:
    others = children()
    with child_ahead("take_snapshot"):
        ahead = await_child(others)
        assert run_in_child("inspect_source", database)[0].size_bytes == 8192
        assert children() - others == {ahead}
    assert children() == others


@pytest.mark.parametrize("request_bytes", [b"", b"\0" * 7, (1000).to_bytes(8, "big") + b"half a request"])
def test_a_child_whose_parent_dies_before_it_asks_says_nothing(request_bytes: bytes) -> None:
    command = [sys.executable, "-P", "-m", "liteferry.child", "take_snapshot"]
    ended = subprocess.run(command, input=request_bytes, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, b"", b"")


@needs_proc
def test_a_child_ahead_that_has_died_meanwhile(database: str, tmp_path: Path) -> None:
    others = children()
    request = snapshot_request(database, tmp_path)
    with child_ahead("take_snapshot"):
        os.kill(await_child(others), signal.SIGKILL)
        with pytest.raises(MigrationError, match=r"killed by SIGKILL") as caught:
            run_in_child("take_snapshot", request)
    assert caught.value.code == "child-failed"
    assert children() == others


def test_without_an_interpreter_no_child_is_ahead(monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with child_ahead("inspect_source"), pytest.raises(MigrationError, match=r"sys\.executable is empty"):
        run_in_child("inspect_source", database)


def test_the_child_that_copies_imports_little() -> None:
    """It is started by every run: what it does not need would cost the smallest database most."""
    code = "import sys, liteferry.child, liteferry.source.copying; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"liteferry.report", "liteferry.census", "liteferry.compare", "liteferry.planner", "psycopg", "jinja2"}
    assert not heavy & set(done.stdout.split())


def test_what_is_done_meanwhile_is_done_once_while_the_child_works(database: str, tmp_path: Path) -> None:
    calls: list[bool] = []

    def note() -> None:
        while not (tmp_path / "run").exists():  # the child makes it
            time.sleep(0.001)
        calls.append(True)

    info = run_in_child("take_snapshot", snapshot_request(database, tmp_path), meanwhile=note)
    assert (info.path, calls) == (database, [True])


@needs_proc
@pytest.mark.parametrize("interrupts", [1, 2])
def test_ctrl_c_meanwhile_ends_the_child(database: str, tmp_path: Path, interrupts: int) -> None:
    others = children()

    def interrupt() -> None:
        raise KeyboardInterrupt

    observe = interrupt if interrupts == 2 else lambda: None
    with pytest.raises(KeyboardInterrupt):
        run_in_child(
            "take_snapshot",
            snapshot_request(database, tmp_path),
            observe=lambda _event: observe(),
            harmless=True,
            meanwhile=interrupt,
        )
    assert children() == others


@needs_proc
def test_what_fails_meanwhile_ends_the_child(database: str, tmp_path: Path) -> None:
    others = children()

    def fail() -> None:
        raise ImportError("no module named jinja2")

    with pytest.raises(ImportError, match="jinja2"):
        run_in_child("take_snapshot", snapshot_request(database, tmp_path), meanwhile=fail)
    assert children() == others


def test_a_run_imports_little_before_its_snapshot() -> None:
    """The rest is imported while the child takes it (`course.open_source`)."""
    code = "import sys, liteferry.cli, liteferry.pipeline; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    later = {f"liteferry.{name}" for name in ("proof", "planner", "executor", "arrival", "report.pages", "codecs")}
    assert not (later | {"psycopg", "jinja2", "sqlglot", "rich"}) & set(done.stdout.split())
