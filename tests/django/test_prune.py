"""Pruning: what goes with the rows that a rule names, held against what Django itself deletes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from liteferry.django_project import choose_database, count_pruned, find_place, prune_snapshot, read_settings
from liteferry.errors import MigrationError
from liteferry.project import ProjectOptions, Pruned, PruneRule

PROJECT = Path(__file__).parent / "projects" / "prune"
Tables = dict[str, list[tuple[Any, ...]]]


def in_project(code: str, *arguments: str, database: Path) -> None:
    """Run code in the project, with its receivers out of the way."""
    subprocess.run(
        [sys.executable, "-c", f"import sys, django; django.setup(); {code}", *arguments],
        cwd=PROJECT,
        env={
            **os.environ,
            "PRUNE_DATABASE": str(database),
            "PRUNE_QUIET": "1",
            "DJANGO_SETTINGS_MODULE": "prune_site.settings",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        check=True,
    )


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that the project's migrations made."""
    path = tmp_path_factory.mktemp("prune") / "empty.sqlite"
    in_project("from django.core.management import call_command as c; c('migrate', verbosity=0)", database=path)
    return path


def fill(empty: Path, directory: Path, seed: int = 1, size: int = 30) -> Path:
    path = directory / f"full-{seed}.sqlite"
    shutil.copy(empty, path)
    in_project("from library.filling import fill; fill(*sys.argv[1:])", str(seed), str(size), database=path)
    return path


@pytest.fixture(scope="session")
def full(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(empty, tmp_path_factory.mktemp("full"))


@pytest.fixture
def copy(full: Path, tmp_path: Path) -> Path:
    path = tmp_path / "copy.sqlite"
    shutil.copy(full, path)
    return path


def prune(path: Path, *rules: PruneRule, dry_run: bool = False) -> dict[str, Pruned]:
    """Prune as the flow does: the project's own DATABASES leads to a file that must not be touched."""
    place = find_place(ProjectOptions(directory=str(PROJECT), python=sys.executable))
    settings, _ = read_settings(place)
    found = prune_snapshot(place, settings, "default", path, rules, dry_run=dry_run)
    return {row.model or row.table: row for row in found}


def rule(model: str, *filters: dict[str, object]) -> PruneRule:
    return PruneRule(model=model, filters=filters, all_rows=not filters)


def read(path: Path) -> Tables:
    """Every table as it is stored, rowids and sequences too."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            table: connection.execute(f'SELECT rowid, * FROM "{table}" ORDER BY rowid').fetchall() for table in tables
        }


def rows_of(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(sql).fetchall()
        connection.commit()
        return found
