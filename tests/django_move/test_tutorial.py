"""The tutorial for a Django project, command by command, as it is written: what it promises is what happens."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import Outcome
from liteferry.cli import build_parser
from liteferry.run import read_report

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / "examples" / "community"
PAGE = (ROOT / "docs" / "tutorial" / "django.md").read_text(encoding="utf-8")

ENVIRONMENT = [
    "cd examples/community",
    "python3 -m venv .venv",
    ". .venv/bin/activate",
    "pip install -r requirements.txt '../..[embedded]'",
]
"""What makes the environment: here the tests' own stands for it."""

ASKING = {"switch --write-env", "switch --back", "undo"}
"""The commands that the reader answers with y; nobody can be asked here."""

PAGES = ("/", "/map/", "/map/region.geojson", "/calendar/", "/calendar/feed.json", "/calendar/feed.ics")


def list_commands() -> list[str]:
    """The commands of the page, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def list_written_files() -> dict[str, str]:
    """The files that the reader is asked to write."""
    return {"liteferry.toml": "".join(re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))}


def run_line(line: str, directory: Path) -> Outcome:
    """Run a line in a shell, as its reader does, with the tests' interpreter as the environment's."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=directory,
        env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@contextmanager
def run_site(directory: Path) -> Iterator[str]:
    """Have `runserver` run, on a free port; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (directory / "runserver.log").open("w") as log:
        site = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", address], cwd=directory, stdout=log, stderr=log
        )
        try:
            deadline = time.monotonic() + 60
            while site.poll() is None and time.monotonic() < deadline:
                with socket.socket() as trial:
                    if trial.connect_ex(split_address(address)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://{address}"
        finally:
            site.terminate()
            site.wait(30)


def split_address(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port)


def read_pages(directory: Path) -> dict[str, str]:
    """What the site shows, without what differs at each call."""
    found = {}
    with run_site(directory) as site:
        for page in PAGES:
            try:
                with urllib.request.urlopen(site + page, timeout=60) as answer:  # noqa: S310 - our own server
                    text = answer.read().decode()
            except urllib.error.HTTPError as error:
                pytest.fail(f"{page}: {error}: {(directory / 'runserver.log').read_text()[-2000:]}")
            found[page] = re.sub(r"DTSTAMP:\S+|csrfmiddlewaretoken[^>]*", "", text)
    return found


def test_the_page_has_commands_and_its_environment_can_be_made() -> None:
    commands = list_commands()
    assert commands[: len(ENVIRONMENT)] == ENVIRONMENT
    assert len(commands) > 15
    assert (SAMPLE / "requirements.txt").is_file()
    assert re.search(r"^embedded = ", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    "line", [line for line in list_commands() if line.startswith("python manage.py liteferry")], ids=lambda line: line
)
def test_every_command_is_understood(line: str) -> None:
    build_parser("within").parse_args(shlex.split(line)[3:])


@pytest.mark.usefixtures("liteferry_home")
def test_the_tutorial_from_clone_to_postgresql_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3*", ".env*", ".venv", "leaflet")
    directory = Path(shutil.copytree(SAMPLE, tmp_path / "community", ignore=ignored))
    said: dict[str, list[str]] = {}
    pages: list[dict[str, str]] = []
    engines: list[bool] = []
    for line in list_commands()[len(ENVIRONMENT) :]:
        if "db.example.org" in line or line == "liteferry server stop":
            continue  # somebody's own server; the tests' embedded one serves other tests, too
        if line.endswith("runserver"):
            pages.append(read_pages(directory))
            engines.append((directory / ".env").exists())
            continue
        if line == "python manage.py liteferry check" and line in said:
            for name, text in list_written_files().items():
                (directory / name).write_text(text)
        words = line.removeprefix("python manage.py liteferry ").split()
        asked = words[0] in ASKING or any(f"{words[0]} {option}" in ASKING for option in words[1:])
        done = run_line(f"{line} --yes" if asked else line, directory)
        assert done.status == 0, f"{line}: {done.out[-2000:]} {done.err[-2000:]}"
        said.setdefault(line, []).append(done.out)
    first, pruned = said["python manage.py liteferry check"]
    assert first.startswith("READY")
    assert re.search(r"^ +mana\.Assessment +2 +0 +its own rule$", pruned, re.MULTILINE)
    assert re.search(r"^ +mana\.Survey +0 +1 +mana\.Assessment$", pruned, re.MULTILINE)
    for name in ("rehearse", "report"):  # the newest run is the rehearsal
        assert "This was a rehearsal" in said[f"python manage.py liteferry {name}"][0]
    moved = read_report(directory / "db.sqlite3.liteferry" / "moved")
    assert (moved.verdict, moved.rehearsal, moved.into) == ("proven", False, "django")
    assert moved.undone_at
    assert moved.django is not None
    assert moved.django.evidence
    assert {found.status for found in moved.django.evidence} == {"equal"}
    shown, written = (out for name, outs in said.items() if " switch db" in name for out in outs)
    assert "DATABASE_URL=postgresql://" in shown
    assert "it sees the lock that liteferry holds there" in written
    assert engines == [False, True, False]
    before, on_postgresql, after = pages
    assert after == before
    for page in PAGES:
        if not page.startswith("/calendar/"):
            assert on_postgresql[page] == before[page], page
    events, fewer = (json.loads(found["/calendar/feed.json"])["events"] for found in (before, on_postgresql))
    gone = [event for event in events if event not in fewer]
    assert [event for event in events if event in fewer] == fewer
    assert len(gone) == 2
    assert all(event["place"].startswith("TEST ") for event in gone)
    assert not (directory / ".env").exists()
