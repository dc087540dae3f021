"""Every model through the ORM on both sides: equal after a move, and each planted fault named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from liteferry.django_project import (
    ask_project,
    collect_evidence,
    describe_project,
    find_place,
    read_settings,
    replace_all,
)
from liteferry.django_rules.evidence import judge_evidence
from liteferry.model import Options
from liteferry.pipeline import migrate
from liteferry.project import ModelEvidence, Project, ProjectOptions
from liteferry.target import make_django_entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECT = Path(__file__).parent / "projects" / "evidence"
STAGING = "liteferry_staging_evidence"


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop, filled in SQLite."""

    project: Project
    database: Path

    @property
    def directory(self) -> Path:
        return Path(self.project.place.directory)


def make_shop(directory: Path, environment: Mapping[str, str]) -> Shop:
    """Copy the project, migrate and fill its SQLite database, by Django alone."""
    shutil.copytree(PROJECT, directory, ignore=shutil.ignore_patterns("__pycache__"))
    for command in (["manage.py", "migrate", "-v0"], ["fill.py"]):
        subprocess.run(
            [sys.executable, *command],
            cwd=directory,
            check=True,
            env={**os.environ, **environment, "PYTHONWARNINGS": ""},
        )
    place = find_place(ProjectOptions(directory=str(directory)))
    settings, _ = read_settings(place)
    project = describe_project(place, settings, "default", ())
    (directory / "signals.log").unlink()
    return Shop(project, directory / "db.sqlite3")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("shop") / "shop", {})


def move(shop: Shop, url: str) -> dict[str, Any]:
    """Make the schema by the project's migrations, and bring the rows into it; the entry that leads there."""
    entry = make_django_entry(url, (STAGING, "public"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {STAGING}")
    ask_project(
        shop.project.place,
        "migrate",
        {"alias": "default"},
        databases=replace_all(shop.project.settings, "default", entry),
    )
    report = migrate(shop.database, url, Options(schema=STAGING, into="existing", replace_rows=("*",), accept=("all",)))
    assert report.verdict == "proven", [f"{f.code} {f.place} {f.message}" for f in report.findings if f.blocks]
    return entry


def collect(shop: Shop, entry: dict[str, Any], **more: Any) -> dict[str, ModelEvidence]:
    found = collect_evidence(shop.project, shop.database, entry, **{"show_values": False, **more})
    return {evidence.model: evidence for evidence in found}


def list_wrong(found: Mapping[str, ModelEvidence]) -> dict[str, str]:
    return {name: f"{one.status}: {one.why}" for name, one in found.items() if one.status not in ("equal",)}


def test_a_moved_project_is_equal(shop: Shop, pg_url_all: str) -> None:
    entry = move(shop, pg_url_all)
    found = collect(shop, entry)
    for one in found.values():
        print(one.model, one.status, one.rows_source, one.rows_target, dict(one.checks), one.why)
    assert list_wrong(found) == {"shop.Elsewhere": "skipped: the SQLite file has no table for it"}
