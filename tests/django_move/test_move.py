"""A Django project's move, end to end: its own schema, the source's rows, nothing of it where it shall not be."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import Ferry, assert_error, call_ferry, has_schema, list_relations, read_everything, run_ferry, untouched
from liteferry.proof import compare_catalogs
from liteferry.target import open_target
from projects import PROJECTS, make_project, migrate_afresh, run_python, second_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Database, PostgresServer

STAGING = "liteferry_staging_public"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project("notes", tmp_path_factory.mktemp("filled") / "notes")


@pytest.fixture
def notes(filled: Path, tmp_path: Path) -> Path:
    """The notes project, filled."""
    return shutil.copytree(filled, tmp_path / "notes")


@pytest.fixture
def other(pg_server: PostgresServer) -> Iterator[Database]:
    """A second database."""
    database = pg_server.create_database()
    yield database
    pg_server.drop_database(database.name)


def ask(database: Path | str, sql: str) -> list[tuple[object, ...]]:
    """Ask the SQLite file, or a PostgreSQL server, the same."""
    if isinstance(database, str):
        with psycopg.connect(database) as connection:
            return connection.execute(sql.encode()).fetchall()
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.usefixtures("liteferry_home")
def test_rows_arrive_in_the_schema_that_migrations_make(
    notes: Path, pg_servers_all: PostgresServer, tmp_path: Path
) -> None:
    moved, fresh = pg_servers_all.create_database(), pg_servers_all.create_database()
    with untouched(notes / "db.sqlite3"):
        outcome = call_ferry("migrate", "--django", notes, moved.url, "--yes", "--json", "--run-dir", tmp_path / "run")
    assert outcome.status == 0, outcome.err
    report = outcome.report
    assert (report.verdict, report.into, report.published) == ("proven", "django", True)
    assert report.django is not None
    assert report.django.made_by in {"migrations", "rehearsal"}  # another test may have kept it, in this home
    assert dict(report.django.seeded)["notes_tag"] == 3
    migrate_afresh(notes, fresh.url)
    with open_target(fresh.url) as expected, open_target(moved.url) as found:
        assert compare_catalogs(expected.read_catalog("public"), found.read_catalog("public")) == ()
    for sql in (
        "SELECT id, app, name FROM django_migrations ORDER BY id",
        "SELECT id, app_label, model FROM django_content_type ORDER BY id",
        "SELECT id, content_type_id, codename FROM auth_permission ORDER BY id",
        "SELECT id, word FROM notes_tag ORDER BY id",
        "SELECT id, domain, name FROM django_site ORDER BY id",
        "SELECT text, model, about_id FROM notes_comment, django_content_type t WHERE t.id = about_type_id ORDER BY 1",
        "SELECT p.codename FROM auth_user_user_permissions u JOIN auth_permission p ON p.id = u.permission_id",
        "SELECT count(*) FROM notes_trace",  # no signal was sent
    ):
        assert ask(moved.url, sql) == ask(notes / "db.sqlite3", sql), sql
    assert ask(moved.url, "INSERT INTO notes_tag (word) VALUES ('next') RETURNING id") > ask(
        notes / "db.sqlite3", "SELECT max(id) FROM notes_tag"
    )
    assert not has_schema(moved.admin_url, STAGING)
    for database in (moved, fresh):
        pg_servers_all.drop_database(database.name)


def test_a_project_that_asks_for_its_engine_has_what_postgresql_has(
    pg_database: Database, other: Database, tmp_path: Path
) -> None:
    """Its models and migrations are others there, and so are the models that the evidence is taken with."""
    signs = make_project("engines", tmp_path / "signs")
    named = ["--django", str(signs), pg_database.url, "--target-env", "SIGNS_ENGINE=postgresql", "--json"]
    looked = call_ferry("check", *named)
    blocking = [found for found in looked.json["findings"] if found["severity"] == "blocker" and not found["accepted"]]
    assert [(found["code"], found["table"]) for found in blocking] == [("target-table-missing", "signs_found")]
    accepted = ["--accept", "target-table-missing:signs_found", "--yes", "--run-dir", str(tmp_path / "run")]
    outcome = call_ferry("migrate", *named, *accepted)
    assert outcome.status == 0, outcome.err
    assert outcome.report.django is not None
    evidence = {found.model: found for found in outcome.report.django.evidence or ()}
    assert {model for model, found in evidence.items() if found.status != "equal"} == set()
    assert "signs.Found" not in evidence
    assert evidence["signs.Visit"].rows_target == 5, "its module is imported by the URLs alone"
    assert not [found for found in outcome.report.findings if found.code.startswith("django-")]
    assert dict(evidence["signs.Sign"].checks)["insert"].startswith("took primary key 6")
    migrate_afresh(signs, other.url, SIGNS_ENGINE="postgresql")
    with open_target(other.url) as expected, open_target(pg_database.url) as found:
        assert compare_catalogs(expected.read_catalog("public"), found.read_catalog("public")) == ()
    assert ask(pg_database.url, "SELECT count(*) FROM signs_sign WHERE words @@ 'größer'") == [(5,)]


def test_undo_leaves_the_target_as_it_was(notes: Path, pg_database: Database, tmp_path: Path) -> None:
    before = read_everything(pg_database.admin_url)
    for run in ("first", "second"):
        directory = tmp_path / run
        done = call_ferry("migrate", "--django", notes, pg_database.url, "--yes", "--json", "--run-dir", directory)
        assert done.status == 0, done.err
        verified = call_ferry("verify", "--django", notes, pg_database.url, "--run-dir", directory, "--json")
        assert verified.report.verdict == "proven", verified.err
        plain = call_ferry("verify", notes / "db.sqlite3", pg_database.url, "--run-dir", directory)
        assert_error(plain, "usage", "moved a Django project", "--django", status=2)
        assert (verified.report.into, verified.report.objects.checks.left_out) == ("django", 0)
        undone = call_ferry("undo", directory, "--target", pg_database.url, "--yes")
        assert undone.status == 0, undone.err
        assert read_everything(pg_database.admin_url) == before


@pytest.mark.usefixtures("liteferry_home")
def test_a_rehearsal_leaves_nothing(notes: Path, pg_database: Database) -> None:
    before = read_everything(pg_database.admin_url)
    on_target = call_ferry("rehearse", "--django", notes, pg_database.url, "--json")
    assert (on_target.status, on_target.report.verdict, on_target.report.published) == (0, "proven", False)
    assert read_everything(pg_database.admin_url) == before
    url = call_ferry("server", "url").out.strip()  # other tests of this process have left databases there
    held = ask(url, "SELECT oid, datname FROM pg_database ORDER BY oid")
    embedded = call_ferry("rehearse", "--django", notes, "--json")
    assert (embedded.status, embedded.report.verdict, embedded.report.rehearsal) == (0, "proven", True)
    assert ask(url, "SELECT oid, datname FROM pg_database ORDER BY oid") == held


@pytest.mark.usefixtures("liteferry_home")
def test_check_touches_nothing(notes: Path, pg_database: Database) -> None:
    before = read_everything(pg_database.admin_url)
    with untouched(notes / "db.sqlite3"):
        outcome = call_ferry("check", "--django", notes, pg_database.url)
    assert outcome.status == 0, outcome.err
    assert outcome.out.startswith("READY")
    assert read_everything(pg_database.admin_url) == before
    assert not list(notes.glob("*.liteferry"))


def test_the_project_has_the_command_itself(notes: Path, pg_database: Database) -> None:
    with_app = {"MORE_APPS": "liteferry.django"}
    checked = run_python(notes, "manage.py", "liteferry", "check", "--quiet", env=with_app)
    assert "READY" in checked.out
    done = run_python(notes, "manage.py", "liteferry", "migrate", pg_database.url, "--yes", "--quiet", env=with_app)
    assert "PROVEN" in done.out
    again = run_python(
        notes, "manage.py", "liteferry", "migrate", pg_database.url, "--yes", "--quiet", env=with_app, check=False
    )
    assert again.status == 1
    assert "has tables of this project already" in again.err


def test_tables_that_are_there_are_filled_where_that_is_said(
    notes: Path, pg_database: Database, tmp_path: Path
) -> None:
    migrate_afresh(notes, pg_database.url)
    before = list_relations(pg_database.admin_url)
    refused = call_ferry("migrate", "--django", notes, pg_database.url, "--yes")
    assert_error(refused, "target-not-empty", "django_migrations", "--into existing")
    assert list_relations(pg_database.admin_url) == before
    blocked = call_ferry("migrate", "--django", notes, pg_database.url, "--yes", "--into", "existing", "--json")
    assert (blocked.status, {f.code for f in blocked.report.findings if f.blocks}) == (4, {"seeded-rows"})
    done = call_ferry(
        "migrate", "--django", notes, pg_database.url, "--yes", "--into", "existing", "--replace-rows", "*", "--json",
        "--run-dir", tmp_path / "run",
    )  # fmt: skip
    assert (done.status, done.report.verdict) == (0, "proven")
    assert list_relations(pg_database.admin_url) == before
    assert ask(pg_database.url, "SELECT id, word FROM notes_tag ORDER BY id") == [(1, "erstens"), (3, "third")]
    undone = call_ferry("undo", tmp_path / "run", "--target", pg_database.url, "--yes")
    assert undone.status == 0, undone.err
    assert ask(pg_database.url, "SELECT count(*) FROM notes_note") == [(0,)]


def test_the_target_is_a_second_database_of_the_settings(
    notes: Path, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in second_database(pg_database.url).items():
        monkeypatch.setenv(name, value)
    outcome = call_ferry("migrate", "--django", notes, "--yes")
    assert outcome.status == 0, outcome.err
    assert "DATABASES['new']" in outcome.err
    assert ("notes_note",) in ask(pg_database.url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    wrong = call_ferry("migrate", "--django", notes, "--target-alias", "newer", "--yes")
    assert_error(wrong, "django-database", "newer", "new")


def test_the_target_is_what_a_variable_says(
    notes: Path, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", pg_database.url)
    outcome = call_ferry("migrate", "--django", notes, "--yes")
    assert outcome.status == 0, outcome.err
    assert "DATABASE_URL" in outcome.err
    assert ask(pg_database.url, "SELECT count(*) FROM notes_note") == [(20,)]


def test_ctrl_c_while_migrations_run_takes_everything_away(notes: Path, pg_database: Database) -> None:
    (notes / "notes" / "migrations" / "0003_slow.py").write_text(
        "import time\nfrom django.db import migrations\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('notes', '0002_first_tags')]\n"
        "    operations = [migrations.RunPython(lambda *_: time.sleep(60), migrations.RunPython.noop)]\n"
    )
    with closing(sqlite3.connect(notes / "db.sqlite3")) as connection, connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('notes', '0003_slow', '2020-01-01')"
        )
    before = read_everything(pg_database.admin_url)
    with Ferry("rehearse", "--django", notes, pg_database.url) as ferry:
        ferry.wait_for_line("project")
        ferry.process.send_signal(signal.SIGINT)
        outcome = ferry.end()
    assert outcome.status == 130
    assert read_everything(pg_database.admin_url) == before


def test_a_killed_run_is_cleared_away_by_the_next(notes: Path, pg_database: Database, tmp_path: Path) -> None:
    with psycopg.connect(pg_database.url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {STAGING}")
        connection.execute(f"COMMENT ON SCHEMA {STAGING} IS 'liteferry staging'")
        connection.execute(f"CREATE TABLE {STAGING}.notes_note (leftover text)")
    outcome = run_ferry("migrate", "--django", notes, pg_database.url, "--yes", "--run-dir", tmp_path / "run")
    assert outcome.status == 0, outcome.err
    assert "left behind by a run that was killed" in outcome.err
    assert not has_schema(pg_database.admin_url, STAGING)


def test_what_makes_no_sense_for_a_project_is_refused(notes: Path) -> None:
    for options, word in (
        (("--names", "snake"), "--names"),
        (("--cast", "a.b=text"), "cast"),
        (("--snapshot", "none"), "--snapshot none"),
        (("--replace-rows", "*"), "--replace-rows"),
        (("--into", "existing"), "TARGET"),
    ):
        outcome = call_ferry("check", "--django", notes, *options)
        assert_error(outcome, "usage", word, status=2)


def test_the_projects_are_there() -> None:
    assert {path.name for path in PROJECTS.iterdir()} >= {"notes"}


@pytest.mark.usefixtures("liteferry_home")
def test_the_window_of_a_project_is_measured_and_predicted(notes: Path, pg_database: Database) -> None:
    checked = call_ferry("check", "--django", notes, pg_database.url, "--json").json
    expected = {phase["name"] for phase in checked["forecast"]["phases"]}
    assert checked["forecast"]["basis"] == "rates"
    assert {"snapshot", "schema", "load", "proof", "evidence", "publish"} <= expected
    rehearsed = call_ferry("rehearse", "--django", notes, pg_database.url, "--yes", "--json").report
    assert rehearsed.window is not None
    assert rehearsed.forecast is not None
    assert sum(part.elapsed_s for part in rehearsed.window.parts) == pytest.approx(rehearsed.window.elapsed_s)
    assert {part.name for part in rehearsed.window.parts} - {"publish"} <= expected
    moved = call_ferry("migrate", "--django", notes, pg_database.url, "--yes", "--json").report
    assert moved.window is not None
    assert moved.forecast is not None
    assert moved.forecast.rehearsal == rehearsed.run_id
    assert {part.name for part in moved.window.parts} == {phase.name for phase in moved.forecast.phases}
    assert {"schema", "evidence", "project", "drift"} <= {part.name for part in moved.window.parts}


@pytest.mark.usefixtures("liteferry_home")
@pytest.mark.parametrize(
    ("schema", "beforehand", "makes_it"),
    [
        ("app", "CREATE SCHEMA app AUTHORIZATION ferry", False),
        ("app", "", True),
        ("public", "DROP SCHEMA public", True),
    ],
)
def test_the_plan_makes_the_schema_where_the_target_lacks_it(
    notes: Path, pg_database: Database, schema: str, beforehand: str, *, makes_it: bool
) -> None:
    with psycopg.connect(pg_database.admin_url, autocommit=True) as connection:
        connection.execute(beforehand.encode())
    found = call_ferry("plan", "--django", notes, pg_database.url, "--schema", schema, "--json")
    assert found.status in {0, 4}, found.err
    assert found.json["creates_schema"] is makes_it
    (publication,) = [step for step in found.json["steps"] if step["phase"] == "publish"]
    assert any(sql.startswith("CREATE SCHEMA") for sql in publication["sql"]) is makes_it
