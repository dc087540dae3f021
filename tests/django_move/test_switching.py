"""A project's setting for its new database: shown, written, seen to lead to the right place, taken back."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest

from harness import (
    SECRET,
    Outcome,
    assert_error,
    assert_no_secret,
    call_ferry,
    execute,
    give_to_role,
    list_relations,
    run_ferry,
)
from pooler import run_pooler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Database, PostgresServer

PROJECT = Path(__file__).parent / "projects" / "switch_notes"
HARD = "p@ss:/?#[]%&=+ 'ü$x"
"""A password with what URLs, shells and files of variables take for something else."""
ENV = b"""\
# the project's own settings
DEBUG=1
export DATABASE_URL="sqlite:///db.sqlite3"  # while it is small
GREETING='DATABASE_URL=of another kind'\r
LAST=no newline"""
COMMENT = b"  # while it is small"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project, which no variable of ours leads elsewhere."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    return Path(shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__")))


def migrate_there(project: Path, url: str, *extra: str) -> None:
    """Have the project's tables in a database, as after a move."""
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--settings", "settings_dj", *extra],
        cwd=project,
        env={**os.environ, "DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
    )
    execute(url, "INSERT INTO notes_note (text) SELECT 'note ' || i FROM generate_series(1, 300) i")


@pytest.fixture(scope="session")
def template(pg_server: PostgresServer) -> str:
    """The name of a database with the project's tables, to be copied."""
    database = pg_server.create_database()
    migrate_there(PROJECT, database.url)
    return database.name


@pytest.fixture
def moved(pg_server: PostgresServer, pg_database: Database, template: str) -> str:
    """The URL of a fresh database with the project's tables."""
    with psycopg.connect(pg_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{pg_database.name}"'.encode())
        connection.execute(f'CREATE DATABASE "{pg_database.name}" TEMPLATE "{template}" OWNER ferry'.encode())
    return pg_database.url


def by_tcp(server: PostgresServer, database: Database, role: str, password: str) -> str:
    give_to_role(server, database, role, password)
    execute(database.admin_url, f'REASSIGN OWNED BY ferry TO "{role}"')
    return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{server.port}/{database.name}"


def switch(project: Path, target: str, *words: str | Path, settings: str = "settings_plain") -> Outcome:
    return call_ferry(
        "switch", "--django", project, "--settings", settings, "--python", sys.executable, "--target", target, *words
    )


# ---------------------------------------------------------------------------------------------------------------------
# Shown


@pytest.mark.usefixtures("moved")
def test_the_setting_is_shown_in_both_forms_without_the_password(
    project: Path, pg_server: PostgresServer, pg_database: Database
) -> None:
    done = switch(project, by_tcp(pg_server, pg_database, "carrier", SECRET))
    assert done.status == 0, done.err
    assert f"DATABASE_URL=postgresql://carrier:<password>@127.0.0.1:{pg_server.port}/{pg_database.name}" in done.out
    assert "the project reads it" in done.out
    for line in ('"PASSWORD": "<password>",', '"HOST": "127.0.0.1",', f'"PORT": "{pg_server.port}",', "CONN_MAX_AGE"):
        assert line in done.out
    assert_no_secret(done)
    assert not (project / ".env").exists()


@pytest.mark.parametrize(
    ("settings", "reads"), [("settings_plain", True), ("settings_dj", True), ("settings_fixed", False)]
)
def test_whether_the_project_follows_the_variable_is_tried_out(
    project: Path, moved: str, settings: str, *, reads: bool
) -> None:
    if settings == "settings_dj":
        pytest.importorskip("dj_database_url")
    done = switch(project, moved, "--json", settings=settings)
    assert done.json["schema"] == "liteferry.switch/1"
    assert done.json["reads_variable"] is reads
    assert done.json["file"] == ""
    assert done.json["reach"] is None


def test_the_shown_entry_leads_there(project: Path, moved: str) -> None:
    entry = switch(project, moved, "--json").json["setting"]["entry"]
    with (project / "settings_fixed.py").open("a") as file:
        file.write(f"\n{entry}\n")
    done = switch(project, moved, "--check", settings="settings_fixed")
    assert done.status == 0, done.err
    assert "300 rows of notes.Note" in done.out


# ---------------------------------------------------------------------------------------------------------------------
# Written, and back


@pytest.mark.parametrize("settings", ["settings_plain", "settings_environ"])
@pytest.mark.parametrize("way", ["tcp", "socket"])
def test_a_file_is_written_checked_and_brought_back(
    project: Path, moved: str, pg_server: PostgresServer, pg_database: Database, settings: str, way: str
) -> None:
    if settings == "settings_environ":
        pytest.importorskip("environ")
    file = project / ".env"
    before = ENV if settings == "settings_plain" else ENV.replace(COMMENT, b"")
    file.write_bytes(before)
    file.chmod(0o640)
    target = by_tcp(pg_server, pg_database, "hard", HARD) if way == "tcp" else moved
    done = switch(project, target, "--write-env", file, "--yes", "--json", settings=settings)
    assert done.status == 0, done.err
    assert_no_secret(done, secret=HARD)
    assert_no_secret(done, secret=quote(HARD, safe=""))
    reach = done.json["reach"]
    assert (reach["database"], reach["model"], reach["rows"]) == (pg_database.name, "notes.Note", 300)
    assert reach["version"].startswith(str(pg_server.version))

    written = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    old, new = before.splitlines(keepends=True), written.splitlines(keepends=True)
    assert [place for place in range(len(old)) if old[place] != new[place]] == [2]
    assert new[2].startswith(b'export DATABASE_URL="postgresql://')
    assert new[2].endswith(b'"' + COMMENT + b"\n" if settings == "settings_plain" else b'"\n')
    backup = Path(done.json["backup"])
    assert backup.read_bytes() == before
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600

    back = call_ferry("switch", "--django", project, "--back", "--write-env", file, "--yes")
    assert back.status == 0, back.err
    assert "does not read" not in str(reach["notes"])
    assert file.read_bytes() == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert not backup.exists()


def test_a_new_file_is_its_owners_alone_and_goes_away_again(project: Path, moved: str) -> None:
    file = project / ".env"
    done = switch(project, moved, "--write-env", file, "--yes")
    assert done.status == 0, done.err
    assert file.read_text().startswith("DATABASE_URL=")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert call_ferry("switch", "--django", project, "--back", "--yes").status == 0
    assert sorted(path.name for path in project.iterdir() if path.name.startswith(".env")) == []


def test_the_projects_file_is_meant_where_only_that_is_there(
    project: Path, moved: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_bytes(ENV)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = switch(project, moved, "--write-env", ".env", "--yes", "--json")
    assert done.status == 0, done.err
    assert done.json["file"] == str(project / ".env")


def test_an_edited_file_is_not_overwritten_unless_forced(project: Path, moved: str) -> None:
    file = project / ".env"
    file.write_bytes(ENV)
    assert switch(project, moved, "--write-env", file, "--yes").status == 0
    edited = file.read_bytes() + b"\nMORE=1\n"
    file.write_bytes(edited)
    words = ("switch", "--django", project, "--back", "--write-env", file, "--yes")
    assert_error(call_ferry(*words), "env-edited", str(file))
    assert file.read_bytes() == edited
    assert call_ferry(*words, "--force").status == 0
    assert file.read_bytes() == ENV
    (kept,) = project.glob(".env.edited-*")
    assert kept.read_bytes() == edited
    assert_error(call_ferry(*words), "env-file", "no backup")


def test_a_comment_that_the_reader_takes_for_a_part_of_the_value_is_told(project: Path, moved: str) -> None:
    pytest.importorskip("environ")
    file = project / ".env"
    file.write_bytes(ENV)
    done = switch(project, moved, "--write-env", file, "--yes", settings="settings_environ")
    assert_error(done, "django-not-switched", "line 3", "a comment behind the value", "is as it was")
    assert file.read_bytes() == ENV


def test_a_file_that_others_read_for_the_project_is_said_to_be_one(project: Path, moved: str) -> None:
    pytest.importorskip("dj_database_url")
    file = project / "docker.env"
    file.write_bytes(ENV)
    done = switch(project, moved, "--write-env", file, "--yes", settings="settings_dj")
    assert done.status == 0, done.err
    assert "the project does not read" in done.out
    assert "300 rows of notes.Note" in done.out


@pytest.mark.parametrize(("settings", "name"), [("settings_fixed", ".env"), ("settings_plain", "other.env")])
def test_a_file_that_changes_nothing_is_brought_back(project: Path, moved: str, settings: str, name: str) -> None:
    file = project / name
    file.write_bytes(b"DEBUG=1\n")
    done = switch(project, moved, "--write-env", file, "--yes", settings=settings)
    assert_error(done, "django-not-switched", "is sqlite", "is as it was")
    assert file.read_bytes() == b"DEBUG=1\n"
    assert [path.name for path in project.glob(f"{name}*")] == [name]


def test_an_error_of_the_project_does_not_tell_the_password(
    project: Path, moved: str, pg_server: PostgresServer, pg_database: Database
) -> None:
    assert moved
    (project / "settings_telling.py").write_text(
        "from settings_plain import *\nfrom settings_plain import read_file\n"
        "if 'postgresql' in DATABASES['default']['ENGINE']:\n"
        "    print(DATABASES)\n"
        "    raise RuntimeError(f\"not {DATABASES} nor {read_file()} nor {DATABASES['default']['PASSWORD']}\")\n"
    )
    for password in (SECRET, HARD):
        target = by_tcp(pg_server, pg_database, f"role {password[0]}", password).replace("role ", "role%20")
        done = switch(project, target, "--write-env", project / ".env", "--yes", settings="settings_telling")
        assert done.status == 1
        assert "RuntimeError: not {" in done.err
        assert_no_secret(done, secret=password)
        assert_no_secret(done, secret=quote(password, safe=""))
        assert "<password>" in done.err


def test_of_two_assignments_the_first_may_be_the_one_that_counts(project: Path, moved: str) -> None:
    pytest.importorskip("environ")
    file = project / ".env"
    twice = b"DATABASE_URL=sqlite:///db.sqlite3\nA=1\nDATABASE_URL=sqlite:///db.sqlite3\n"
    file.write_bytes(twice)
    first_counts = switch(project, moved, "--write-env", file, "--yes", settings="settings_environ")
    if first_counts.status:
        assert_error(first_counts, "django-not-switched", "lines 1, 3")
        assert file.read_bytes() == twice
    last_counts = switch(project, moved, "--write-env", file, "--yes")
    assert last_counts.status == 0, last_counts.err
    assert "2 times, in lines 1, 3" in last_counts.out


def test_a_variable_that_overrules_the_file_is_told(project: Path, moved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///db.sqlite3")
    done = switch(project, moved, "--write-env", project / ".env", "--yes")
    assert done.status == 0, done.err
    assert "DATABASE_URL is set in this environment" in done.out


def test_git_would_commit_it(project: Path, moved: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("no git")
    subprocess.run(["git", "init", "-q", project], check=True)
    (project / ".env").write_bytes(ENV)
    done = switch(project, moved, "--write-env", project / ".env", "--yes")
    assert "git does not ignore" in done.out
    assert call_ferry("switch", "--django", project, "--back", "--yes").status == 0
    subprocess.run(["git", "-C", project, "add", ".env"], check=True)
    done = switch(project, moved, "--write-env", project / ".env", "--yes")
    assert f"git tracks {project / '.env'}" in done.out


# ---------------------------------------------------------------------------------------------------------------------
# Where it leads


@pytest.fixture
def second_server(start_server_of: Callable[..., PostgresServer]) -> Iterator[PostgresServer]:
    server = start_server_of(15)
    yield server
    server.stop()


def test_another_server_with_the_same_database_is_noticed(
    project: Path,
    moved: str,
    pg_database: Database,
    second_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with psycopg.connect(second_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{pg_database.name}" OWNER ferry'.encode())
    other = f"postgresql://ferry:ferry@127.0.0.1:{second_server.port}/{pg_database.name}"
    migrate_there(project, other)
    monkeypatch.setenv("DATABASE_URL", other)
    done = switch(project, moved, "--check")
    assert_error(done, "django-other-server", f"port {second_server.port}", "PostgreSQL 15", pg_database.name)
    assert "listens there" in done.err
    monkeypatch.setenv("DATABASE_URL", moved)
    assert switch(project, moved, "--check").status == 0


def test_another_database_of_the_same_server_is_noticed(
    project: Path, moved: str, pg_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = pg_server.create_database()
    try:
        migrate_there(project, other.url)
        monkeypatch.setenv("DATABASE_URL", other.url)
        assert_error(switch(project, moved, "--check"), "django-other-server", f"to database {other.name}")
    finally:
        pg_server.drop_database(other.name)


def test_the_application_may_go_through_a_pool(
    project: Path, moved: str, pg_server: PostgresServer, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_pooler(pg_server, pg_database, "transaction", 5) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        done = switch(project, moved, "--check")
        assert done.status == 0, done.err
        assert "300 rows of notes.Note" in done.out


def test_settings_that_are_not_switched_are_told(project: Path, moved: str) -> None:
    assert_error(switch(project, moved, "--check"), "django-not-switched", "database default", "is sqlite")
    done = switch(project, moved, "--check", "--database", "other")
    assert_error(done, "django-not-switched", "other", "not in DATABASES")


@pytest.mark.parametrize(
    ("role", "password", "database", "code"),
    [
        ("ferry", "wrong", "", "auth-failed"),
        ("ferry", "", "", "auth-failed"),
        ("ferry", "ferry", "nowhere", "database-missing"),
    ],
)
def test_a_refused_connection_is_explained(
    project: Path,
    moved: str,
    pg_server: PostgresServer,
    pg_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    password: str,
    database: str,
    code: str,
) -> None:
    url = f"postgresql://{role}:{password}@127.0.0.1:{pg_server.port}/{database or pg_database.name}"
    monkeypatch.setenv("DATABASE_URL", url)
    done = switch(project, moved, "--check")
    assert_error(done, code, "the project cannot connect its database default")
    assert ("its settings hold no password" in done.err) is (password == "")


def test_nobody_listens_there(project: Path, moved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ferry@127.0.0.1:1/app")
    assert_error(switch(project, moved, "--check"), "server-unreachable", "127.0.0.1:1")


def test_tables_in_a_schema_of_their_own_are_found_by_the_setting(
    project: Path, moved: str, pg_database: Database
) -> None:
    execute(pg_database.admin_url, 'CREATE SCHEMA "own one" AUTHORIZATION ferry')
    for table in ("django_migrations", "django_content_type", "notes_note", "notes_label", "notes_note_labels"):
        execute(moved, f'ALTER TABLE {table} SET SCHEMA "own one"')
    file = project / ".env"
    done = switch(project, moved, "--write-env", file, "--yes")
    assert_error(done, "django-not-served", "does not see its tables", "search_path")
    assert not file.exists()
    done = switch(project, moved, "--schema", "own one", "--write-env", file, "--yes", "--json")
    assert done.status == 0, done.err
    assert done.json["reach"]["search_path"] == '"own one",public'


def test_a_role_without_rights_is_noticed(
    project: Path,
    moved: str,
    pg_server: PostgresServer,
    pg_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute(
        pg_database.admin_url,
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    )
    monkeypatch.setenv("DATABASE_URL", pg_server.url(pg_database.name, "reader"))
    assert_error(switch(project, moved, "--check"), "django-not-served", "reader", "notes_label", "GRANT")
    execute(
        pg_database.admin_url,
        "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO reader",
    )
    assert_error(switch(project, moved, "--check"), "django-not-served", "reader", "SEQUENCES")
    execute(pg_database.admin_url, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO reader")
    assert switch(project, moved, "--check").status == 0
    execute(
        pg_database.admin_url,
        "ALTER TABLE notes_note ENABLE ROW LEVEL SECURITY",
    )
    assert_error(switch(project, moved, "--check"), "django-not-served", "counts 0 rows of notes.Note", "300")


def test_migrations_still_to_be_applied_are_told(project: Path, moved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    later = project / "notes" / "migrations" / "0002_later.py"
    later.write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        '    dependencies = [("notes", "0001_initial")]\n    operations = []\n'
    )
    monkeypatch.setenv("DATABASE_URL", moved)
    done = switch(project, moved, "--check")
    assert done.status == 0, done.err
    assert "still to be applied there: notes.0002_later" in done.out


@pytest.mark.usefixtures("moved")
def test_a_password_of_this_shell_alone_is_told(
    project: Path, pg_server: PostgresServer, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = by_tcp(pg_server, pg_database, "carrier", SECRET)
    without = target.replace(f":{SECRET}@", "@")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    monkeypatch.setenv("DATABASE_URL", without)
    done = switch(project, without, "--check")
    assert done.status == 0, done.err
    assert "PGPASSWORD of this environment served" in done.out
    monkeypatch.delenv("DATABASE_URL")
    done = switch(project, without, "--write-env", project / ".env", "--yes")
    assert done.status == 0, done.err
    assert f":{SECRET}@" in (project / ".env").read_text()
    assert_no_secret(done)


@pytest.mark.usefixtures("moved")
def test_a_password_file_serves_the_application_too(
    project: Path,
    pg_server: PostgresServer,
    pg_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    target = by_tcp(pg_server, pg_database, "carrier", SECRET).replace(f":{SECRET}@", "@")
    passes = tmp_path / "passes"
    passes.write_text(f"127.0.0.1:*:*:carrier:{SECRET}\n")
    passes.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passes))
    done = switch(project, target, "--write-env", project / ".env", "--yes")
    assert done.status == 0, done.err
    assert SECRET not in (project / ".env").read_text()
    assert "the password came from ~/.pgpass or a service file" in done.out


# ---------------------------------------------------------------------------------------------------------------------
# After a run, and wrong command lines


def test_a_run_knows_where_its_database_is_now(project: Path, pg_url: str, tmp_path: Path) -> None:
    make_file(project)
    run = tmp_path / "run"
    words = ("--django", project, "--settings", "settings_plain", "--python", sys.executable, "--yes")
    done = run_ferry("migrate", *words, pg_url, "--run-dir", run)
    assert done.status == 0, done
    done = run_ferry("switch", run, *words, "--write-env", project / ".env")
    assert done.status == 0, done
    assert "The project reaches database" in done.out
    done = run_ferry("switch", run, *words, "--check")
    assert done.status == 0, done


def make_file(project: Path) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--settings", "settings_fixed"],
        cwd=project,
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize(("settings", "status"), [("settings_plain", 0), ("settings_fixed", 1)])
def test_a_move_switches_over_at_its_end(
    project: Path, pg_url: str, tmp_path: Path, settings: str, status: int
) -> None:
    make_file(project)
    words = ("--django", project, "--settings", settings, "--python", sys.executable, "--yes", "--json")
    file = project / ".env"
    file.write_bytes(b"DEBUG=1\n")
    done = run_ferry("migrate", *words, pg_url, "--run-dir", tmp_path / "run", "--write-env", file)
    assert done.status == status, done.err
    assert done.report.verdict == "proven"
    assert done.report.published
    if status:
        assert "[django-not-switched]" in done.err
        assert "The move itself is done" in done.err
        assert file.read_bytes() == b"DEBUG=1\n"
    else:
        assert "The project reaches database" in done.err
        assert file.read_bytes().startswith(b"DEBUG=1\nDATABASE_URL=")


def test_a_file_that_cannot_be_written_is_noticed_before_the_move(project: Path, pg_url: str, tmp_path: Path) -> None:
    make_file(project)
    words = ("--django", project, "--settings", "settings_plain", "--python", sys.executable, "--yes")
    done = call_ferry("migrate", *words, pg_url, "--run-dir", tmp_path / "run", "--write-env", tmp_path)
    assert done.status == 1
    assert "[env-file]" in done.err
    assert not (tmp_path / "run").exists()
    assert list_relations(pg_url) == []


def test_wrong_command_lines(project: Path, moved: str, tmp_path: Path) -> None:
    assert_error(call_ferry("switch", "--target", moved), "usage", "--django", status=2)
    assert_error(call_ferry("switch", "--django", project), "usage", "RUN_DIR", status=2)
    assert_error(switch(project, moved, "--write-env", project / ".env"), "usage", "--yes", status=2)
    assert_error(call_ferry("switch", tmp_path / "none", "--django", project), "run-dir", "none")
    assert_error(switch(project, moved, "--write-env", tmp_path, "--yes"), "env-file", "a directory")
    assert_error(switch(project, moved, "--name", "A B", "--write-env", project / ".env", "--yes"), "usage", status=2)
