"""Django projects of the tests: copied, filled by their own code, and started as their users start them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECTS = Path(__file__).parent / "django_move" / "projects"


def run_python(
    directory: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    check: bool = True,
    python: str = sys.executable,
) -> Outcome:
    """Run a program of the project's, in its directory; check: that it succeeds."""
    done = subprocess.run(
        [python, *arguments],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
        timeout=180,
    )
    assert not check or done.returncode == 0, f"{arguments}: {done.stdout[-1000:]} {done.stderr[-2000:]}"
    return Outcome(done.returncode, done.stdout, done.stderr)


def copy_project(name: str, directory: Path) -> Path:
    """Copy a project, without a database."""
    return Path(shutil.copytree(PROJECTS / name, directory, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3")))


def make_project(name: str, directory: Path, python: str = sys.executable) -> Path:
    """Copy a project, migrate its SQLite database and fill it by its own fill.py."""
    copy_project(name, directory)
    run_python(directory, "manage.py", "migrate", "-v0", python=python)
    run_python(directory, "fill.py", python=python)
    return directory


def find_python(version: str) -> str:
    """The interpreter of an environment with this version of Django; skips the test where there is none."""
    if version == "5.2":
        return sys.executable
    places = (os.environ.get("LITEFERRY_TEST_DJANGO", ""), str(Path(__file__).parent.parent / ".cache" / "django"))
    for place in places:
        python = Path(place, version, "bin", "python")
        if place and python.is_file():
            return str(python)
    pytest.skip(f"no environment with Django {version} (.ci/setup makes it where there is a Python for it)")


def second_database(url: str) -> dict[str, str]:
    """The variable by which the notes project is given a second database."""
    with psycopg.connect(url) as connection:
        info = connection.info
        words = (info.host, str(info.port), info.user, info.dbname, info.password)
    return {"SECOND_DATABASE": " ".join(words)}


def migrate_afresh(directory: Path, url: str, **environment: str) -> None:
    """What `manage.py migrate` makes of an empty PostgreSQL database, by Django alone."""
    program = (
        "import sys, django; from django.conf import settings\n"
        "import os; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings'); sys.path[0] = '.'\n"
        "host, port, user, name, password = sys.argv[1].split(' ')\n"
        "settings.DATABASES['default'] = dict(ENGINE='django.db.backends.postgresql', HOST=host, PORT=port, USER=user,"
        " NAME=name, PASSWORD=password)\n"
        "django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
    )
    run_python(directory, "-c", program, second_database(url)["SECOND_DATABASE"], env=environment)
