"""Every type of field, moved by Django's rules: what the ORM read in SQLite it reads in PostgreSQL."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from liteferry import Options, migrate
from liteferry.django_project import ask_project, describe_project, find_place, read_settings, replace_all
from liteferry.django_rules.values import decide_values
from liteferry.project import ProjectOptions
from liteferry.source import open_snapshot
from liteferry.target import make_django_entry

if TYPE_CHECKING:
    from liteferry import Report
    from liteferry.model import Catalog, Decision
    from liteferry.project import Project

PROJECT = Path(__file__).parent / "projects" / "values"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The project, with a file of its own and the settings that a test wants."""

    file: Path
    directory: Path
    environment: dict[str, str]

    def run(self, program: str, *words: str, entry: dict[str, Any] | None = None) -> str:
        """Run one of the project's programs; entry: of DATABASES, in place of the file."""
        environment = {**os.environ, **self.environment}
        if entry is not None:
            environment["VALUES_ENTRY"] = json.dumps(entry)
        done = subprocess.run(
            [sys.executable, program, *words], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def execute(self, *statements: str) -> None:
        """Write into the file as another program does."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as db:
            db.execute("PRAGMA ignore_check_constraints = ON")
            for statement in statements:
                db.execute(statement)

    def read(self, url: str = "") -> dict[tuple[str, str], dict[str, str]]:
        """Every row as the ORM gives it, by model and key: from the file, or from where the URL leads."""
        rows = json.loads(self.run("read.py", entry=make_django_entry(url) if url else None))
        return {(model, key): values for model, key, values in rows}

    def describe(self) -> Project:
        place = find_place(ProjectOptions(directory=str(PROJECT), python=sys.executable))
        settings, _ = read_settings(place)
        return describe_project(place, settings, "default", [("store", "0001_initial")])

    def decide(self) -> tuple[Decision, ...]:
        return decide_values(self.describe(), self.read_catalog())

    def read_catalog(self) -> Catalog:
        with open_snapshot(str(self.file), directory=self.directory / "copy") as snapshot:
            return snapshot.read_catalog()

    def move(self, url: str, *decisions: Decision, **facts: Any) -> Report:  # the fields of Options
        """Make the schema by the project's migrations, and move the rows as the rules decide."""
        project = self.describe()
        entry = make_django_entry(url)
        argument = {"alias": "default"}
        ask_project(project.place, "migrate", argument, databases=replace_all(project.settings, "default", entry))
        options = Options(
            into="existing",
            replace_rows=("*",),
            decisions=(*decide_values(project, self.read_catalog()), *decisions),
            run_dir=str(self.directory / "run"),
            **facts,
        )
        return migrate(self.file, url, options)


def make_store(directory: Path, monkeypatch: pytest.MonkeyPatch, *words: str, **environment: str) -> Store:
    """Fill the project's tables in a file of their own. environment: VALUES_… of the settings."""
    file = directory / "store.sqlite"
    environment["VALUES_SQLITE"] = str(file)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)  # for liteferry's own children
    store = Store(file=file, directory=directory, environment=environment)
    store.run("fill.py", *words)
    return store


SETTINGS = {
    "UTC": {},
    "a zone of the database": {"VALUES_DATABASE_TIME_ZONE": "America/New_York", "VALUES_TIME_ZONE": "Europe/Berlin"},
    "no USE_TZ": {"VALUES_USE_TZ": "0", "VALUES_TIME_ZONE": "Europe/Berlin"},
}


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_orm_reads_what_it_read(
    settings: str, tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path, monkeypatch, "--oddly", **SETTINGS[settings])
    before = store.read()
    report = store.move(pg_url)
    assert report.verdict == "proven", report.mismatches
    assert store.read(pg_url) == before
