"""What goes wrong late in a project's move: while it is published, or after rows are there for good."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import assert_error, call_ferry, read_everything
from liteferry import django_move
from liteferry.errors import MigrationError
from liteferry.model import Event, Options
from liteferry.project import ProjectOptions
from projects import make_project, migrate_afresh, second_database

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Database

EXTENSION = """\
from django.contrib.postgres.operations import CITextExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notes", "0002_first_tags")]
    operations = [CITextExtension()]
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project("notes", tmp_path_factory.mktemp("filled") / "notes")


@pytest.fixture
def notes(filled: Path, tmp_path: Path) -> Path:
    """The notes project, filled."""
    return shutil.copytree(filled, tmp_path / "notes")


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql.encode()).fetchall()


def add_extension(project: Path) -> None:
    (project / "notes" / "migrations" / "0003_citext.py").write_text(EXTENSION)
    with closing(sqlite3.connect(project / "db.sqlite3")) as connection, connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('notes', '0003_citext', '2020-01-01')"
        )


@pytest.mark.usefixtures("liteferry_home")
def test_a_publication_that_fails_leaves_no_extension(notes: Path, pg_database: Database, tmp_path: Path) -> None:
    add_extension(notes)
    extensions = "SELECT extname, obj_description(oid, 'pg_extension') FROM pg_extension ORDER BY 1"
    before = ask(pg_database.url, extensions)

    def get_in_the_way(event: Event) -> None:
        if event.kind == "phase-start" and event.phase == "publish":
            with psycopg.connect(pg_database.url) as connection:
                connection.execute("CREATE TABLE public.notes_note ()")

    options = Options(project=ProjectOptions(directory=str(notes)), run_dir=str(tmp_path / "run"))
    report = django_move.migrate_project(pg_database.url, options, get_in_the_way)
    assert (report.verdict, report.published) == ("failed", False)
    assert ask(pg_database.url, extensions) == before
    assert ask(pg_database.url, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'liteferry%'") == []
    assert ask(pg_database.url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("notes_note",)]


def test_a_project_that_cannot_read_what_is_there_for_good_is_reported(
    notes: Path, pg_database: Database, tmp_path: Path
) -> None:
    migrate_afresh(notes, pg_database.url)
    rows = "SELECT id, word FROM notes_tag ORDER BY id"
    before = ask(pg_database.url, rows)

    def break_project(event: Event) -> None:
        if event.kind == "phase-start" and event.phase == "evidence":
            (notes / "config" / "settings.py").write_text("raise ValueError('broken meanwhile')\n")

    run_dir = tmp_path / "run"
    options = Options(
        project=ProjectOptions(directory=str(notes)), into="existing", replace_rows=("*",), run_dir=str(run_dir)
    )
    report = django_move.migrate_project(pg_database.url, options, break_project)
    assert (report.verdict, report.exit_status, report.published) == ("mismatch", 3, True)
    assert ask(pg_database.url, rows) != before
    assert report.failure is not None
    assert "broken meanwhile" in report.failure.what
    assert "broken meanwhile" in (run_dir / "report.md").read_text()
    undone = call_ferry("undo", run_dir, "--target", pg_database.url, "--yes")
    assert undone.status == 0, undone.err
    assert ask(pg_database.url, rows) == before


def test_a_rehearsal_never_fills_tables_that_are_there(notes: Path, pg_database: Database) -> None:
    migrate_afresh(notes, pg_database.url)
    before = read_everything(pg_database.admin_url)
    refused = call_ferry("rehearse", "--django", notes, pg_database.url, "--into", "existing", "--replace-rows", "*")
    assert_error(refused, "usage", "rehearsed", "liteferry check", status=2)
    assert read_everything(pg_database.admin_url) == before


def test_tables_of_strangers_beside_the_project_are_no_mismatch(
    notes: Path, pg_database: Database, tmp_path: Path
) -> None:
    with psycopg.connect(pg_database.url) as connection:
        connection.execute("CREATE TABLE stranger (id int PRIMARY KEY); CREATE VIEW odd AS SELECT * FROM stranger")
    run = tmp_path / "run"
    done = call_ferry("migrate", "--django", notes, pg_database.url, "--yes", "--json", "--run-dir", run)
    assert done.report.verdict == "proven", done.err
    verified = call_ferry("verify", "--django", notes, pg_database.url, "--run-dir", run, "--json")
    assert verified.report.verdict == "proven", verified.report.mismatches
    assert "not the project's: stranger, odd" in verified.err
    with psycopg.connect(pg_database.url) as connection:
        connection.execute("ALTER TABLE notes_note ADD COLUMN more int")
    verified = call_ferry("verify", "--django", notes, pg_database.url, "--run-dir", run, "--json")
    assert verified.report.verdict == "mismatch"


STRAY = """\
from django.db import connections, migrations


def write(apps, schema_editor):
    connections["new"].cursor().execute("CREATE TABLE stray (id integer)")


class Migration(migrations.Migration):
    dependencies = [("notes", "0002_first_tags")]
    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
"""


@pytest.mark.usefixtures("liteferry_home")
def test_migrations_do_not_reach_another_database(
    notes: Path, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (notes / "notes" / "migrations" / "0003_stray.py").write_text(STRAY)
    with closing(sqlite3.connect(notes / "db.sqlite3")) as connection, connection:
        connection.execute("INSERT INTO django_migrations VALUES (1000, 'notes', '0003_stray', '2020-01-01')")
    for name, value in second_database(pg_database.url).items():
        monkeypatch.setenv(name, value)
    outcome = call_ferry("check", "--django", notes)
    assert outcome.status == 1
    assert "0003_stray" in outcome.err
    assert ask(pg_database.url, "SELECT to_regclass('public.stray')") == [(None,)]


@pytest.mark.usefixtures("liteferry_home")
def test_without_an_embedded_server_the_target_plans(
    notes: Path, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise MigrationError("the embedded PostgreSQL is not installed", code="embedded-missing", hint="install it")

    monkeypatch.setattr("liteferry.servers.start_server", refuse)
    before = read_everything(pg_database.admin_url)
    assert_error(call_ferry("check", "--django", notes, pg_database.url), "embedded-missing", "not installed")
    shown = call_ferry("migrate", "--django", notes, pg_database.url, "--dry-run", "--yes")
    assert "in a staging schema of the target" in shown.err
    assert read_everything(pg_database.admin_url) == before
    done = call_ferry("migrate", "--django", notes, pg_database.url, "--yes")
    assert done.status == 0, done.err
    assert "PROVEN" in done.out


@pytest.mark.usefixtures("liteferry_home")
def test_an_interruption_after_the_commit_is_no_proof(notes: Path, pg_database: Database) -> None:
    migrate_afresh(notes, pg_database.url)

    def interrupt(event: Event) -> None:
        if event.kind == "phase-start" and event.phase == "evidence":
            raise KeyboardInterrupt

    options = Options(project=ProjectOptions(directory=str(notes)), into="existing", replace_rows=("*",))
    report = django_move.migrate_project(pg_database.url, options, interrupt)
    assert (report.verdict, report.published, report.exit_status) == ("not proven", True, 3)
