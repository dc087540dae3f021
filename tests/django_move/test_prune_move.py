"""A project is moved without the rows that its liteferry.toml names: shown, moved, proven, verified."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import assert_error, call_ferry, read_everything, untouched
from projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Database

RULES = """
[django]
settings = "config.settings"

[django.prune]
"notes.Note" = { stars__gt = 0 }
"notes.Tag" = { word = "no such word" }
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project("notes", tmp_path_factory.mktemp("filled") / "notes")


@pytest.fixture
def notes(filled: Path, tmp_path: Path) -> Path:
    """The notes project, with stars on half of its notes, and rules."""
    home = shutil.copytree(filled, tmp_path / "notes")
    (home / "liteferry.toml").write_text(RULES)
    with closing(sqlite3.connect(home / "db.sqlite3")) as connection:
        connection.execute("UPDATE notes_note SET stars = rowid % 2")
        connection.commit()
    return home


def ask(notes: Path, sql: str) -> int:
    with closing(sqlite3.connect(notes / "db.sqlite3")) as connection:
        (count,) = connection.execute(sql).fetchone()
        return int(count)


def test_rows_that_are_pruned_do_not_arrive(notes: Path, pg_database: Database, tmp_path: Path) -> None:
    starred = ask(notes, "SELECT count(*) FROM notes_note WHERE stars > 0")
    kept = ask(notes, "SELECT count(*) FROM notes_note WHERE stars = 0")
    assert starred
    assert kept
    before = read_everything(pg_database.admin_url)
    with untouched(notes / "db.sqlite3"):
        checked = call_ferry("check", "--django", notes, pg_database.url)
        assert checked.status == 0, checked.err
        assert "of 2 tables do not travel" in checked.out  # the tags of a note go with it
        assert "notes.Tag: no row matches the rule (word = 'no such word')" in checked.out
        dry = call_ferry("migrate", "--django", notes, pg_database.url, "--dry-run")
        assert "do not travel" in dry.out
        assert read_everything(pg_database.admin_url) == before
        done = call_ferry(
            "migrate", "--django", notes, pg_database.url, "--yes", "--json", "--run-dir", tmp_path / "run"
        )
    assert done.status == 0, done.err
    report = done.report
    assert report.verdict == "proven"
    assert report.django is not None
    pruned = {row.model: row for row in report.django.pruned}
    assert pruned["notes.Note"].deleted == starred
    assert report.source.pruned_rows >= starred
    with psycopg.connect(pg_database.url) as connection:
        assert connection.execute("SELECT count(*), max(stars) FROM notes_note").fetchone() == (kept, 0)
    for name in ("report.md", "report.html"):
        assert "notes.Tag: no row matches the rule" in (tmp_path / "run" / name).read_text()
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert [rule["model"] for rule in plan["decided"]["prune"]] == ["notes.Note", "notes.Tag"]


def test_verify_prunes_as_the_run_did(notes: Path, pg_database: Database, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert call_ferry("migrate", "--django", notes, pg_database.url, "--yes", "--run-dir", run).status == 0
    (notes / "liteferry.toml").write_text('[django.prune]\n"notes.Note" = true\n')  # other rules since
    again = call_ferry("verify", "--django", notes, pg_database.url, "--run-dir", run)
    assert again.status == 0, again.out + again.err
    anew = call_ferry("verify", "--django", notes, pg_database.url)
    assert anew.status == 3, anew.out + anew.err


def test_a_run_without_rules_is_verified_without_rules(notes: Path, pg_database: Database, tmp_path: Path) -> None:
    rules = (notes / "liteferry.toml").read_text()
    (notes / "liteferry.toml").unlink()
    run = tmp_path / "run"
    assert call_ferry("migrate", "--django", notes, pg_database.url, "--yes", "--run-dir", run).status == 0
    (notes / "liteferry.toml").write_text(rules)
    again = call_ferry("verify", "--django", notes, pg_database.url, "--run-dir", run)
    assert again.status == 0, again.out + again.err


def test_a_rule_that_cannot_be_followed_stops_before_the_target(notes: Path, pg_database: Database) -> None:
    (notes / "liteferry.toml").write_text('[django.prune]\n"notes.Note" = { star = 1 }\n')
    before = read_everything(pg_database.admin_url)
    with untouched(notes / "db.sqlite3"):
        outcome = call_ferry("migrate", "--django", notes, pg_database.url, "--yes")
    assert_error(outcome, "django-prune", "notes.Note has no field star", "did you mean stars?")
    assert read_everything(pg_database.admin_url) == before
    assert not list(notes.glob("*.liteferry"))


def test_a_plain_file_is_moved_as_if_there_were_no_rules(
    notes: Path, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(notes)
    (notes / "liteferry.toml").write_text('[casts.columns]\n"notes_tag.word" = "text"\n' + RULES)
    outcome = call_ferry("migrate", "db.sqlite3", pg_database.url, "--yes", "--json", "--accept", "all")
    assert outcome.status == 0, outcome.err
    assert outcome.report.source.pruned_rows == 0
    starred = ask(notes, "SELECT count(*) FROM notes_note")
    with psycopg.connect(pg_database.url) as connection:
        assert connection.execute("SELECT count(*) FROM notes_note").fetchone() == (starred,)
