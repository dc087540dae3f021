"""The schema that a project's migrations make in staging, published, is what `manage.py migrate` makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from conftest import ROOT, PostgresServer

from liteferry.django_move.publishing import clear_made, plan_publication
from liteferry.django_move.schema import MadeSchema, make_schema
from liteferry.django_project import describe_project, find_place, read_settings
from liteferry.errors import MigrationError
from liteferry.model import ignore
from liteferry.planner import staging_name
from liteferry.project import Project, ProjectOptions
from liteferry.proof import compare_catalogs
from liteferry.servers.installation import find_binaries
from liteferry.target import Target, open_target

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parent / "projects" / "schema"
STAGING = staging_name("public")


def ask(directory: Path, python: str = sys.executable) -> Project:
    """Describe a project, whose SQLite file is not looked at."""
    place = find_place(ProjectOptions(directory=str(directory), python=python))
    settings, _ = read_settings(place)
    return describe_project(place, settings, "default", [])


@pytest.fixture(scope="module")
def project() -> Project:
    return ask(PROJECT)


def migrate_plainly(project: Project, url: str) -> None:
    """What the user would have done: `manage.py migrate` into an empty database."""
    with open_target(url) as server:
        entry = server.make_django_entry()
    done = subprocess.run(
        [project.place.python, "manage.py", "migrate", "--verbosity=0"],
        cwd=project.place.directory,
        env={**os.environ, "SCHEMA_PROJECT_PG": json.dumps(entry)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def dump(server: PostgresServer, name: str) -> list[str]:
    """`pg_dump --schema-only`, without the key that differs every time."""
    text = subprocess.run(
        [find_binaries().bin_dir / "pg_dump", "--schema-only", "-d", server.url(name)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


@contextmanager
def two_databases(server: PostgresServer) -> Iterator[tuple[Any, Any]]:
    databases = server.create_database(), server.create_database()
    yield databases
    for database in databases:
        server.drop_database(database.name)


def publish(server: Target, schema: str = "public", *, creates: bool = False) -> tuple[str, ...]:
    sql, undo = plan_publication(server, staging_name(schema), schema, creates)
    server.execute_all(sql)
    return undo


def assert_equal(ours: str, plain: str, schema: str = "public") -> None:
    with open_target(ours) as one, open_target(plain) as other:
        assert not compare_catalogs(other.read_catalog(schema), one.read_catalog(schema))
        assert one.describe_schema(schema) == other.describe_schema(schema)
        assert one.read_definitions(schema) == other.read_definitions(schema)
        assert one.read_extensions() == other.read_extensions()


def test_published_it_is_what_a_plain_migrate_makes(pg_servers_all: PostgresServer, project: Project) -> None:
    with two_databases(pg_servers_all) as (ours, plain):
        migrate_plainly(project, plain.url)
        empty = dump(pg_servers_all, ours.name)
        with open_target(ours.url) as server:
            made = make_schema(server, ours.url, STAGING, project, ignore)
            assert made.made_by == "migrations"
            assert made.migrations > 15
            assert made.extensions == ("btree_gin", "btree_gist", "citext", "hstore", "pg_trgm", "unaccent")
            staged = server.read_catalog(STAGING)
            assert not server.read_catalog("public").tables
            undo = publish(server)
            assert {table.oid for table in staged.tables} == {t.oid for t in server.read_catalog("public").tables}
            assert_equal(ours.url, plain.url)
            assert dump(pg_servers_all, ours.name) == dump(pg_servers_all, plain.name)
            server.execute_all(undo)
        assert dump(pg_servers_all, ours.name) == empty
