"""Every test finds the small sample in the database. With DATABASE_URL set, that database is in PostgreSQL."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sample.counts import scale_counts
from sample.fill import fill_database

PROJECT = Path(__file__).resolve().parent.parent
SCALE = 0.02


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):  # noqa: ARG001 - first what pytest-django does
    """Migrate from nothing, as pytest-django does, and then fill."""
    with django_db_blocker.unblock():
        fill_database(scale=SCALE)


@pytest.fixture(autouse=True)
def _database(db):
    """Give every test the database, and roll back what it wrote."""


@pytest.fixture
def counts():
    """How many rows the sample has."""
    return scale_counts(SCALE)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    """A SQLite file that was migrated from nothing and is empty. Copy it."""
    path = tmp_path_factory.mktemp("migrated") / "empty.sqlite3"
    manage(path, "migrate", "--verbosity", "0")
    return path


@pytest.fixture
def sqlite_file(migrated_file, tmp_path):
    """A migrated SQLite file of the test's own."""
    return Path(shutil.copy(migrated_file, tmp_path / "db.sqlite3"))


def manage(path, *arguments, ok=True):
    """Run manage.py with the SQLite file ``path`` in a process of its own: its output, or its errors if not ``ok``."""
    done = subprocess.run(
        [sys.executable, PROJECT / "manage.py", *arguments],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": f"sqlite:///{path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout if ok else done.stderr
