"""The sample project of the documentation does what its README says: migrate, fill, plant dirt, pass its own tests.

It is run by this environment's Python, in processes of its own. What liteferry makes of it is held by other tests.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = ROOT / "examples" / "community"
NOT_OURS = ("DJANGO_", "PYTEST_", "COV_")


def run_python(directory: Path, database_url: str, *arguments: str) -> str:
    """Run Python in ``directory`` with the project's database at ``database_url``: what it wrote to its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    environment |= {"DATABASE_URL": database_url, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone of the project, as git has it."""
    ignored = shutil.ignore_patterns("__pycache__", ".*", "*.sqlite3*", "leaflet", "media", "staticfiles")
    return Path(shutil.copytree(PROJECT, tmp_path / "community", ignore=ignored))


def test_from_clone_to_a_filled_file(project: Path) -> None:
    file = project / "db.sqlite3"
    run_python(project, "", "manage.py", "migrate", "--verbosity", "0")
    run_python(project, "", "manage.py", "generate_sample", "--scale", "0.02")
    with closing(sqlite3.connect(file)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        assert len(tables) > 110
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        empty = [name for name in tables if connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() is None]
        assert empty == []
        assert connection.execute("SELECT count(*) FROM common_barangay").fetchone() == (132,)

    # the list that other tests walk names tables and columns that are there
    kinds = json.loads(run_python(project, "", "manage.py", "generate_sample", "--list-dirt", "--json"))
    planted = json.loads(run_python(project, "", "manage.py", "generate_sample", "--dirt", "--json"))
    assert [kind["name"] for kind in kinds] == [one["name"] for one in planted]
    assert len(kinds) == 40
    with closing(sqlite3.connect(file)) as connection:
        for kind in kinds:
            columns = {row[1] for row in connection.execute(f'PRAGMA table_xinfo("{kind["table"]}")')}
            assert columns, kind
            assert kind["column"] is None or kind["column"] in columns, kind


def test_its_own_tests_pass_with_sqlite(project: Path) -> None:
    """All but those of its dirt, each kind of which tests/django_move/test_dirt.py plants and finds, too."""
    run_python(project, "", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--ignore=tests/test_dirt.py")


@pytest.mark.slow
def test_its_own_tests_of_dirt_pass_with_sqlite(project: Path) -> None:
    run_python(project, "", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_dirt.py")


def test_its_own_tests_pass_with_postgresql(project: Path, pg_admin_url: str) -> None:
    # those that are not here run manage.py with SQLite files of their own, whatever the database is
    files = [f"tests/test_{name}.py" for name in ("models", "pages", "signals")]
    run_python(project, pg_admin_url, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files)
