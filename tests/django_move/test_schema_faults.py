"""Migrations that fail, reach outside their schema, or are ended: what is said of it, and what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from liteferry.django_move.cache import SchemaCache
from liteferry.django_move.publishing import clear_made, mark_of, plan_publication
from liteferry.django_move.schema import make_schema
from liteferry.django_project import describe_project, find_place, read_settings
from liteferry.errors import MigrationError
from liteferry.model import ignore
from liteferry.names import STAGING_COMMENT, staging_name
from liteferry.project import ProjectOptions
from liteferry.target import open_target

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Database
    from liteferry.project import Project

STAGING = staging_name("public")


def write_project(directory: Path, operations: str) -> Project:
    """A project of one application with one model, whose second migration has these operations."""
    for package in ("notes", "notes/migrations"):
        (directory / package).mkdir()
        (directory / package / "__init__.py").touch()
    (directory / "conf.py").write_text(
        'SECRET_KEY = "x"\nINSTALLED_APPS = ["notes"]\nUSE_TZ = True\n'
        'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}\n'
    )
    (directory / "notes/models.py").write_text(
        "from django.db import models\n\nclass Note(models.Model):\n    text = models.TextField()\n"
    )
    migration = "from django.db import migrations, models\n\nclass Migration(migrations.Migration):\n"
    (directory / "notes/migrations/0001_initial.py").write_text(
        migration + "    operations = [migrations.CreateModel('Note', [('id', models.AutoField(primary_key=True)),"
        " ('text', models.TextField())])]\n"
    )
    (directory / "notes/migrations/0002_more.py").write_text(
        f"{migration}    dependencies = [('notes', '0001_initial')]\n    operations = [{operations}]\n"
    )
    place = find_place(ProjectOptions(directory=str(directory), settings="conf", python=sys.executable))
    settings, _ = read_settings(place)
    return describe_project(place, settings, "default", [])


def run_sql(sql: str) -> str:
    return f"migrations.RunSQL({sql!r})"


def list_schemas(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'liteferry%'").fetchall()
    return [name for (name,) in rows]


def test_a_failing_migration_is_named_with_operation_and_sql(pg_url: str, tmp_path: Path) -> None:
    project = write_project(tmp_path, run_sql("CREATE TABLE wrong (id nothing)"))
    with open_target(pg_url) as server, pytest.raises(MigrationError) as error:
        make_schema(server, STAGING, project, ignore)
    assert error.value.code == "django-migration"
    assert "migration notes.0002_more fails on PostgreSQL" in error.value.what
    assert "RunSQL" in error.value.what
    assert "CREATE TABLE wrong (id nothing)" in error.value.what
    assert 'type "nothing" does not exist' in error.value.what
    assert not list_schemas(pg_url)


OUTSIDE = {
    "a table": ("CREATE TABLE public.stray (id int)", "table public.stray"),
    "a function": ("CREATE FUNCTION public.stray() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.stray()"),
    "a schema": ("CREATE SCHEMA stray", "schema stray"),
    "a table in another schema": ("CREATE TABLE other.stray (id int)", "table other.stray"),
    "a changed function": (
        "CREATE OR REPLACE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        "public.f()",
    ),
    "a setting": ("ALTER ROLE ferry IN DATABASE {database} SET work_mem = '5MB'", "setting work_mem=5MB"),
    "a right": ("GRANT SELECT ON public.stranger TO PUBLIC", "rights {{ferry=arwd"),
    "a comment": ("COMMENT ON TABLE public.stranger IS 'mine'", "comment mine"),
    "default rights": ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", "default privileges"),
}


@pytest.mark.parametrize("fault", OUTSIDE)
def test_what_a_migration_does_elsewhere_is_noticed(fault: str, pg_database: Database, tmp_path: Path) -> None:
    sql, said = OUTSIDE[fault]
    with psycopg.connect(pg_database.url) as connection:
        connection.execute("CREATE TABLE public.stranger (id int)")
        connection.execute("CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        connection.execute("CREATE SCHEMA other")
    project = write_project(tmp_path, run_sql(sql.format(database=pg_database.name)))
    with open_target(pg_database.url) as server, pytest.raises(MigrationError) as error:
        make_schema(server, STAGING, project, ignore)
    assert error.value.code == "django-outside"
    assert error.value.what.startswith(("migration notes.0002_more did", "a migration did"))
    assert said.replace("{{", "{") in error.value.what
    assert not list_schemas(pg_database.url)


def test_a_role_that_a_migration_creates_is_noticed(pg_database: Database, tmp_path: Path) -> None:
    project = write_project(tmp_path, run_sql("CREATE ROLE stray_role"))
    try:
        with open_target(pg_database.admin_url) as server, pytest.raises(MigrationError) as error:
            make_schema(server, STAGING, project, ignore)
        assert "migration notes.0002_more did something outside" in error.value.what
        assert "role stray_role" in error.value.what
    finally:
        with psycopg.connect(pg_database.admin_url) as connection:
            connection.execute("DROP ROLE IF EXISTS stray_role")


@pytest.mark.parametrize("sql", ["DROP TABLE public.stranger", "ALTER TABLE public.stranger ADD COLUMN more int"])
def test_tables_of_strangers_cannot_be_dropped_or_altered(
    sql: str, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liteferry.django_move.schema._LOCK_PATIENCE", "200ms")
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE TABLE public.stranger (id int)")
    project = write_project(tmp_path, run_sql(sql))
    with open_target(pg_url) as server, pytest.raises(MigrationError) as error:
        make_schema(server, STAGING, project, ignore)
    assert error.value.code == "django-migration"
    assert "lock timeout" in error.value.what
    assert "must not write out the schema public" in error.value.hint
    with psycopg.connect(pg_url) as connection:
        columns = connection.execute("SELECT * FROM public.stranger").description
    assert [column.name for column in columns or ()] == ["id"]


def test_strangers_are_not_seen_and_an_index_is_built_concurrently_beside_them(pg_url: str, tmp_path: Path) -> None:
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE TABLE public.stranger (id int); INSERT INTO public.stranger VALUES (1)")
    project = write_project(
        tmp_path,
        run_sql("DROP TABLE IF EXISTS stranger") + ", " + run_sql("CREATE INDEX CONCURRENTLY c ON notes_note (text)")
        + "]\n    atomic = False\n    ignored = [",
    )  # fmt: skip
    with open_target(pg_url) as server:
        make_schema(server, STAGING, project, ignore)
        publish, undo = plan_publication(server, STAGING, "public", creates_schema=False)
        server.execute_all(publish)
        assert {table.name for table in server.read_catalog("public").tables} == {
            "stranger", "notes_note", "django_migrations"
        }  # fmt: skip
        server.execute_all(undo)
        assert [table.name for table in server.read_catalog("public").tables] == ["stranger"]


def test_something_of_the_same_name_is_refused_at_once(pg_url: str, tmp_path: Path) -> None:
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE TABLE public.notes_note (id int)")
    project = write_project(tmp_path, "")
    with open_target(pg_url) as server, pytest.raises(MigrationError) as error:
        make_schema(server, STAGING, project, ignore)
    assert error.value.code == "target-not-empty"
    assert 'relation "notes_note" already exists in schema "public"' in error.value.what
    assert not list_schemas(pg_url)


NAMED = {
    "a function's setting": "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1'",
    "a function's body": "DO $do$ BEGIN EXECUTE format('CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS '"
    " || '$x$SELECT count(*) FROM %I.notes_note$x$', current_schema()); END $do$",
    "a default": "DO $$ BEGIN EXECUTE format('ALTER TABLE notes_note ALTER text SET DEFAULT %L', current_schema());"
    " END $$",
}


@pytest.mark.parametrize("fault", NAMED)
def test_texts_that_name_the_staging_schema_are_refused(fault: str, pg_url: str, tmp_path: Path) -> None:
    project = write_project(tmp_path, run_sql(NAMED[fault]))
    with open_target(pg_url) as server, pytest.raises(MigrationError) as error:
        make_schema(server, STAGING, project, ignore)
    assert error.value.code == "django-staging-named"
    assert not list_schemas(pg_url)


def test_default_privileges_of_the_schema_are_given(pg_database: Database, tmp_path: Path) -> None:
    grants = ("SELECT ON TABLES TO PUBLIC", "USAGE, UPDATE ON SEQUENCES TO pg_monitor WITH GRANT OPTION")
    with psycopg.connect(pg_database.admin_url) as connection:
        for grant in grants:
            connection.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE ferry IN SCHEMA public GRANT {grant}".encode())
    project = write_project(tmp_path, run_sql("CREATE SEQUENCE tickets"))
    cache = SchemaCache(tmp_path / "home")
    with open_target(pg_database.url) as server:
        for made_by in ("migrations", "rehearsal"):
            made = make_schema(server, STAGING, project, ignore, cache=cache)
            assert (made.made_by, made.notes) == (made_by, ())
            publish, undo = plan_publication(server, STAGING, "public", creates_schema=False)
            server.execute_all(publish)
            server.execute_all(["CREATE TABLE public.beside (id int)", "CREATE SEQUENCE public.more"])
            rows = server.control.execute(
                "SELECT relname, ARRAY(SELECT unnest(relacl)::text ORDER BY 1) FROM pg_class"
                " WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            rights: dict[str, list[str]] = dict(rows)
            assert rights["notes_note"] == rights["beside"]
            assert "=r/ferry" in rights["beside"]
            assert rights["tickets"] == rights["more"]
            assert "pg_monitor=w*U*/ferry" in rights["more"]
            server.execute_all([*undo, "DROP TABLE public.beside", "DROP SEQUENCE public.more"])
        server.execute_all(["ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM PUBLIC"])
        found, notes = cache.find(server, STAGING, "public", project, {})
        assert found is None
        assert "other default privileges" in notes[0]


EXTENSIONS = (
    "CREATE EXTENSION citext",
    "create  extension if not exists \"citext\" with version '1.6'",
    "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS citext; END $$",
    'CREATE EXTENSION citext WITH SCHEMA "my ""odd"" 100%"',
)


@pytest.mark.parametrize("sql", EXTENSIONS)
def test_extensions_land_in_a_schema_that_is_made_and_go_again(sql: str, pg_url: str, tmp_path: Path) -> None:
    schema = 'my "odd" 100%'
    staging = staging_name(schema)
    if "WITH SCHEMA" in sql:
        sql = f'CREATE SCHEMA IF NOT EXISTS "my ""odd"" 100%"; {sql}'
        with psycopg.connect(pg_url) as connection:
            connection.execute(b'CREATE SCHEMA "my ""odd"" 100%"')
    project = write_project(tmp_path, run_sql(sql) + ", " + run_sql("ALTER TABLE notes_note ADD COLUMN c citext"))
    new = "WITH SCHEMA" not in sql
    with open_target(pg_url) as server:
        made = make_schema(server, staging, project, ignore, schema=schema)
        assert made.extensions == ("citext",)
        (found,) = [extension for extension in server.read_extensions() if extension.name == "citext"]
        assert (found.schema, found.comment) == (schema, mark_of(staging))
        clear_made(server, staging, schema)
        assert [extension.name for extension in server.read_extensions()] == ["plpgsql"]
        assert (server.read_schema_comment(schema) is None) == new
        make_schema(server, staging, project, ignore, schema=schema)
        publish, undo = plan_publication(server, staging, schema, creates_schema=new)
        server.execute_all(publish)
        (found,) = [extension for extension in server.read_extensions() if extension.name == "citext"]
        assert found.comment == found.words
        assert server.read_schema_comment(schema) == ""
        server.execute_all(undo)
        assert [extension.name for extension in server.read_extensions()] == ["plpgsql"]
        assert (server.read_schema_comment(schema) is None) == new


def test_an_extension_that_somebody_uses_by_then_stays(pg_url: str, tmp_path: Path) -> None:
    project = write_project(tmp_path, run_sql("CREATE EXTENSION citext"))
    with open_target(pg_url) as server:
        make_schema(server, STAGING, project, ignore)
        publish, undo = plan_publication(server, STAGING, "public", creates_schema=False)
        server.execute_all(publish)
        server.execute_all(["CREATE TABLE public.stranger (name public.citext)"])
        server.execute_all(undo)
        assert [table.name for table in server.read_catalog("public").tables] == ["stranger"]
        assert [extension.name for extension in server.read_extensions()] == ["citext", "plpgsql"]


def test_extensions_that_are_there_are_used_where_they_are(pg_url: str, tmp_path: Path) -> None:
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE SCHEMA tools; CREATE EXTENSION citext SCHEMA tools")
        connection.execute("CREATE TABLE public.stranger (id int)")
    project = write_project(
        tmp_path, run_sql("CREATE EXTENSION IF NOT EXISTS citext; ALTER TABLE notes_note ADD COLUMN c citext")
    )
    with open_target(pg_url) as server:
        made = make_schema(server, STAGING, project, ignore)
        assert made.extensions == ()
        _, undo = plan_publication(server, STAGING, "public", creates_schema=False)
        assert not [sql for sql in undo if "EXTENSION" in sql]


def test_a_range_type_only_goes_into_a_schema_that_is_new(pg_url: str, tmp_path: Path) -> None:
    project = write_project(tmp_path, run_sql("CREATE TYPE span AS RANGE (subtype = float8); CREATE TABLE s (x span)"))
    with open_target(pg_url) as server:
        with pytest.raises(MigrationError) as error:
            make_schema(server, STAGING, project, ignore)
        assert error.value.code == "django-unmovable"
        assert "type liteferry_staging_public.span" in error.value.what
        staging = staging_name("app")
        make_schema(server, staging, project, ignore, schema="app")
        publish, undo = plan_publication(server, staging, "app", creates_schema=True)
        server.execute_all(publish)
        assert server.read_schema_comment("app") == ""
        server.execute_all(undo)
        assert server.read_schema_comment("app") is None
    assert not list_schemas(pg_url)


RUNNER = """
import sys
from liteferry.django_move.schema import make_schema
from liteferry.django_project import describe_project, find_place, read_settings
from liteferry.model import ignore
from liteferry.project import ProjectOptions
from liteferry.target import open_target
place = find_place(ProjectOptions(directory=sys.argv[1], settings="conf", python=sys.executable))
project = describe_project(place, read_settings(place)[0], "default", [])
with open_target(sys.argv[2]) as server:
    make_schema(server, sys.argv[3], project, ignore)
"""


def start_and_wait(url: str, directory: Path) -> subprocess.Popen[bytes]:
    """Start a run whose second migration sleeps, and wait until it does."""
    write_project(directory, run_sql("CREATE EXTENSION citext; SELECT pg_sleep(60)"))
    runner = directory / "runner.py"
    runner.write_text(textwrap.dedent(RUNNER))
    process = subprocess.Popen(
        [sys.executable, runner, directory, url, STAGING], stderr=subprocess.PIPE, env={**os.environ}
    )
    deadline = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < deadline and process.poll() is None:
            if connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
                " AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
            ).fetchone():
                return process
            time.sleep(0.05)
    process.kill()
    raise AssertionError((process.communicate()[1] or b"").decode())


def count_sessions(url: str) -> int:
    """How many sessions but ours are in the database, once those that end have ended."""
    deadline = time.monotonic() + 20
    left = -1
    with psycopg.connect(url, autocommit=True) as connection:
        while left and time.monotonic() < deadline:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
            left = row[0] if row else 0
            time.sleep(0.05)
    return left


def test_interrupted_migrations_leave_nothing(pg_url: str, tmp_path: Path) -> None:
    process = start_and_wait(pg_url, tmp_path)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    assert not list_schemas(pg_url)
    assert count_sessions(pg_url) == 0
    with open_target(pg_url) as server:
        assert [extension.name for extension in server.read_extensions()] == ["plpgsql"]


def test_what_a_killed_run_left_is_ours_to_clear(pg_url: str, tmp_path: Path) -> None:
    process = start_and_wait(pg_url, tmp_path)
    process.kill()
    process.communicate(timeout=60)
    with open_target(pg_url) as server:
        assert server.read_schema_comment(STAGING) == STAGING_COMMENT
        server.control.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'liteferry-%'"
        )
        clear_made(server, STAGING, "public")
        assert server.read_schema_comment(STAGING) is None


def test_a_schema_of_somebody_else_stays(pg_url: str, tmp_path: Path) -> None:
    project = write_project(tmp_path, "")
    with open_target(pg_url) as server:
        server.execute_all([f"CREATE SCHEMA {STAGING}"])
        with pytest.raises(MigrationError, match="already exists"):
            make_schema(server, STAGING, project, ignore)
        assert server.read_schema_comment(STAGING) == ""
