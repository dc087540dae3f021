"""Which run is a project's newest: `report` without RUN_DIR."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from harness import assert_error, call_ferry
from projects import copy_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
REPORT = ROOT / "tests" / "golden" / "report" / "django.json"


def add_runs(directory: Path, names: Sequence[str]) -> None:
    """Put runs there, the oldest first, each with a report of its own project directory."""
    for age, name in enumerate(reversed(names)):
        run = directory / name
        run.mkdir(parents=True)
        shutil.copy(REPORT, run / "report.json")
        (run / "plan.json").write_text("{}")
        os.utime(run / "plan.json", (1_800_000_000 - age * 60,) * 2)


def test_the_newest_run_beside_the_database_is_meant(tmp_path: Path) -> None:
    notes = copy_project("notes", tmp_path / "notes")
    (notes / "db.sqlite3").touch()
    assert_error(call_ferry("report", "--django", notes), "run-dir", "db.sqlite3.liteferry", "RUN_DIR")
    add_runs(notes / "db.sqlite3.liteferry", ["2026-01-01T100000", "2026-01-03T100000", "called by me"])
    (notes / "db.sqlite3.liteferry" / "killed").mkdir()
    add_runs(notes / "other.sqlite3.liteferry", ["2027-01-01T100000"])
    found = call_ferry("report", "--django", notes)
    assert found.status == 0, found.err
    assert found.out.startswith("PROVEN")
    assert "db.sqlite3.liteferry/called by me" in found.err
    named = call_ferry("report", notes / "db.sqlite3.liteferry" / "2026-01-01T100000")
    assert named.out == found.out
    assert "newest" not in named.err


def test_a_project_that_is_switched_over_has_its_runs_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3*", ".env*", ".venv")
    community = Path(shutil.copytree(ROOT / "examples" / "community", tmp_path / "community", ignore=ignored))
    (community / ".env").write_text("DATABASE_URL=postgresql://nobody@db.invalid/nothing\n")
    add_runs(community / "db.sqlite3.liteferry", ["2026-01-01T100000", "2026-01-02T100000"])
    found = call_ferry("report", "--django", community)
    assert found.status == 0, found.err
    assert "2026-01-02T100000" in found.err


def test_without_a_project_a_run_is_named() -> None:
    assert_error(call_ferry("report"), "usage", "no run is named", "--django DIR", status=2)
