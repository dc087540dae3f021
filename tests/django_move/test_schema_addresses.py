"""The project's process, and pg_dump, reach the target by every connection string that libpq takes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from liteferry.django_move.cache import SchemaCache
from liteferry.django_move.publishing import clear_made
from liteferry.django_move.schema import make_schema
from liteferry.django_project import describe_project, find_place, read_settings
from liteferry.model import ignore
from liteferry.names import staging_name
from liteferry.project import ProjectOptions
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import PostgresServer
    from liteferry.project import Project

ROLE: Final = "odd 'role' \"%\\"
PASSWORD: Final = "p@ss:w/o?r#d&=+ %41'\"\\{}$`;,|<>é"
SEEN_SQL: Final = (
    "CREATE TABLE seen AS SELECT current_user::text AS who, current_database()::text AS place,"
    " current_setting('work_mem') AS memory, current_setting('TimeZone') AS zone"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose only migration writes down where it is."""
    directory = tmp_path_factory.mktemp("seen")
    (directory / "notes" / "migrations").mkdir(parents=True)
    for package in ("notes", "notes/migrations"):
        (directory / package / "__init__.py").touch()
    (directory / "conf.py").write_text(
        'SECRET_KEY = "x"\nINSTALLED_APPS = ["notes"]\nUSE_TZ = True\nTIME_ZONE = "Asia/Tokyo"\n'
        'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}\n'
    )
    (directory / "notes/migrations/0001_initial.py").write_text(
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n"
        f"    operations = [migrations.RunSQL({SEEN_SQL!r})]\n"
    )
    place = find_place(ProjectOptions(directory=str(directory), settings="conf", python=sys.executable))
    settings, _ = read_settings(place)
    return describe_project(place, settings, "default", [])


@pytest.fixture
def where(pg_server: PostgresServer) -> Iterator[dict[str, str]]:
    """A database with an odd name, and a role with an odd name and password, by libpq's keywords."""
    database = f"{pg_server.create_database().name} of 'mine' 100%"
    with psycopg.connect(pg_server.url("postgres"), autocommit=True) as connection:
        name, role = (psycopg.sql.Identifier(text).as_string() for text in (database, ROLE))
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(psycopg.sql.SQL("ALTER ROLE {} PASSWORD {}").format(psycopg.sql.Identifier(ROLE), PASSWORD))
        connection.execute(f"CREATE DATABASE {name} OWNER {role}".encode())
    yield {"host": "127.0.0.1", "port": str(pg_server.port), "dbname": database, "user": ROLE, "password": PASSWORD}
    pg_server.drop_database(database)
    with psycopg.connect(pg_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP ROLE {role}".encode())


def by_uri(where: dict[str, str], _: Path) -> tuple[str, dict[str, str]]:
    user, password, name = (quote(where[key], safe="") for key in ("user", "password", "dbname"))
    return f"postgresql://{user}:{password}@{where['host']}:{where['port']}/{name}?sslmode=prefer", {}


def by_keywords(where: dict[str, str], _: Path) -> tuple[str, dict[str, str]]:
    return make_conninfo("", **where), {}


def by_environment(where: dict[str, str], _: Path) -> tuple[str, dict[str, str]]:
    names = {"dbname": "PGDATABASE"}
    return "", {names.get(key, f"PG{key.upper()}"): value for key, value in where.items()}


def by_password_file(where: dict[str, str], tmp_path: Path) -> tuple[str, dict[str, str]]:
    file = tmp_path / "pgpass"
    password = where["password"].replace("\\", "\\\\").replace(":", "\\:")
    file.write_text(f"*:*:*:*:{password}\n", encoding="utf-8")
    file.chmod(0o600)
    rest = {key: value for key, value in where.items() if key != "password"}
    return make_conninfo("", **rest, passfile=str(file)), {}


def by_service(where: dict[str, str], tmp_path: Path) -> tuple[str, dict[str, str]]:
    file = tmp_path / "services"
    lines = [f"{key}={value}" for key, value in where.items()]
    file.write_text("\n".join(["[mine]", *lines, "options=-c work_mem=5MB", ""]), encoding="utf-8")
    return "service=mine", {"PGSERVICEFILE": str(file)}


def by_service_in_a_uri(where: dict[str, str], tmp_path: Path) -> tuple[str, dict[str, str]]:
    _, variables = by_service(where, tmp_path)
    return "postgresql://?service=mine", variables


def with_options(where: dict[str, str], _: Path) -> tuple[str, dict[str, str]]:
    return make_conninfo("", **where, options="-c work_mem=5MB -c application_name=a\\ b"), {}


def with_pgoptions(where: dict[str, str], _: Path) -> tuple[str, dict[str, str]]:
    return make_conninfo("", **where), {"PGOPTIONS": "-c work_mem=5MB"}


def by_several_hosts(where: dict[str, str], _: Path) -> tuple[str, dict[str, str]]:
    several = {"host": f"127.0.0.1,{where['host']}", "port": f"1,{where['port']}", "target_session_attrs": "read-write"}
    return make_conninfo("", **{**where, **several}), {}


FORMS = (
    by_uri, by_keywords, by_environment, by_password_file, by_service, by_service_in_a_uri, with_options,
    with_pgoptions, by_several_hosts,
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_the_project_and_pg_dump_come_to_the_same_place(
    form: Callable[[dict[str, str], Path], tuple[str, dict[str, str]]],
    where: dict[str, str],
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conninfo, variables = form(where, tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    schema = 'my \\ "schéma"'
    staging = staging_name(schema)
    with open_target(conninfo) as server:
        made = make_schema(server, staging, project, ignore, schema=schema, cache=SchemaCache(tmp_path))
        assert made.notes == ()
        quoted = psycopg.sql.Identifier(staging).as_string()
        seen = server.control.execute(f"SELECT * FROM {quoted}.seen".encode()).fetchone()
        memory = "5MB" if "options" in form.__name__ or "service" in form.__name__ else "4MB"
        assert seen == (ROLE, where["dbname"], memory, "UTC")
        clear_made(server, staging, schema)
        again = make_schema(server, staging, project, ignore, schema=schema, cache=SchemaCache(tmp_path))
        assert (again.made_by, again.notes) == ("rehearsal", ())
    (kept,) = tmp_path.glob("django/*/pg*/*.json")
    assert "p@ss" not in kept.read_text(encoding="utf-8")
