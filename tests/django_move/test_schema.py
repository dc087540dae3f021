"""The schema that a project's migrations make in staging, published, is what `manage.py migrate` makes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest

from conftest import ROOT, PostgresServer
from harness import call_ferry
from liteferry.django_move.cache import SchemaCache, _read, _write, restore_schema
from liteferry.django_move.publishing import clear_made, plan_publication
from liteferry.django_move.schema import make_schema
from liteferry.django_project import describe_project, find_place, read_settings
from liteferry.model import ignore
from liteferry.names import staging_name
from liteferry.project import Project, ProjectOptions
from liteferry.proof import compare_catalogs
from liteferry.servers.installation import find_binaries
from liteferry.target import Target, open_target
from projects import copy_project, run_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def find_django(version: str) -> str:
    """An interpreter with that version of Django; skips where there is none. Our own has the oldest that is supported.

    `make setup` makes the others below .cache/django; LITEFERRY_TEST_DJANGO names another place for them.
    """
    if django.__version__.startswith(f"{version}."):
        return sys.executable
    home = Path(os.environ.get("LITEFERRY_TEST_DJANGO") or ROOT / ".cache" / "django")
    python = home / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no Django {version}: {python} is not there (`make setup` makes it where it can)")
    return str(python)


@pytest.fixture(scope="module", params=["4.2", "5.2", "6.0", "6.1"], ids=lambda version: f"django{version}")
def any_project(request: pytest.FixtureRequest) -> Project:
    """The project by every version of Django."""
    return ask(PROJECT, find_django(request.param))


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


def list_details(server: Target, schema: str) -> list[str]:
    """Every detail, but for the numbers of columns: a dropped one leaves a gap, which a dump does not have."""
    return sorted(re.sub(r"^(column .*?): number \d+,", r"\1:", line) for line in server.describe_schema(schema))


def assert_equal(ours: str, plain: str, schema: str = "public") -> None:
    with open_target(ours) as one, open_target(plain) as other:
        assert not compare_catalogs(other.read_catalog(schema), one.read_catalog(schema))
        assert list_details(one, schema) == list_details(other, schema)
        assert one.read_definitions(schema) == other.read_definitions(schema)
        assert one.read_extensions() == other.read_extensions()


def test_published_it_is_what_a_plain_migrate_makes(pg_servers_all: PostgresServer, any_project: Project) -> None:
    project = any_project
    with two_databases(pg_servers_all) as (ours, plain):
        migrate_plainly(project, plain.url)
        empty = dump(pg_servers_all, ours.name)
        with open_target(ours.url) as server:
            made = make_schema(server, STAGING, project, ignore)
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


def test_what_was_kept_is_restored_and_equal(pg_servers_all: PostgresServer, project: Project, tmp_path: Path) -> None:
    cache = SchemaCache(tmp_path)
    with two_databases(pg_servers_all) as (rehearsed, used):
        with open_target(rehearsed.url) as server:
            made = make_schema(server, STAGING, project, ignore, cache=cache)
            assert (made.made_by, made.notes) == ("migrations", ())
            clear_made(server, STAGING, "public")
            assert server.read_extensions() == tuple(x for x in server.read_extensions() if x.name == "plpgsql")
        with open_target(used.admin_url) as server:  # by another role
            restored = make_schema(server, STAGING, project, ignore, cache=cache)
            assert (restored.made_by, restored.notes) == ("rehearsal", ())
            assert restored.extensions == made.extensions
            assert restored.migrations == made.migrations
            assert not compare_catalogs(made.catalog, restored.catalog)
            rows = server.control.execute(f"SELECT full_name FROM {STAGING}.library_writer").fetchall()
            assert rows == [("Anonymous\nand \\others",)]
            publish(server)
        with open_target(rehearsed.url) as server:
            make_schema(server, STAGING, project, ignore, cache=cache, fresh=True)
            publish(server)
        ours, plain = (
            [line for line in dump(pg_servers_all, one.name) if "OWNER TO" not in line and "Owner: " not in line]
            for one in (used, rehearsed)
        )
        assert ours == plain
        paths = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert paths
        assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}


@pytest.fixture(scope="module")
def kept_once(pg_server: PostgresServer, project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a cache with the project's schema in it."""
    home = tmp_path_factory.mktemp("kept")
    database = pg_server.create_database()
    with open_target(database.url) as server:
        make_schema(server, STAGING, project, ignore, cache=SchemaCache(home))
    pg_server.drop_database(database.name)
    return home


@pytest.fixture
def kept(kept_once: Path, tmp_path: Path) -> tuple[SchemaCache, Path]:
    """A cache with the project's schema in it, and the file."""
    shutil.copytree(kept_once, tmp_path, dirs_exist_ok=True)
    (path,) = tmp_path.glob("django/*/pg*/*.json")
    return SchemaCache(tmp_path), path


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what was kept, with a checksum that fits."""
    content = _read(path)
    change(content)
    _write(path, content)


PLANTED = {
    "a column's type": ("numeric(9,2)", "numeric(10,2)", "column price of library_book"),
    "a function's body": ("VALUES ('book '", "VALUES ('buch '", "function"),
    "a constraint": ("CHECK ((price >= (0)::numeric))", "CHECK ((price > (0)::numeric))", "price_positive"),
    "a comment": ("Who writes", "Who reads", "comment"),
    "a right": ("GRANT SELECT ON TABLE liteferry_staging_public.long_books TO PUBLIC;", "", "rights"),
    "a label": ("'it''s fine'", "'it''s bad'", "it's fine"),
    "an error": ("CREATE VIEW liteferry_staging_public.long_books", "CREATE VIEWS x", "syntax error"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_kept_schema_that_is_restored_otherwise_is_noticed(
    fault: str, kept: tuple[SchemaCache, Path], pg_url: str, project: Project
) -> None:
    before, after, said = PLANTED[fault]
    cache, path = kept
    assert before in _read(path)["sql"]
    rewrite(path, lambda content: content.update(sql=content["sql"].replace(before, after)))
    with open_target(pg_url) as server:
        found, _ = cache.find(server, STAGING, "public", project, {})
        assert found is not None
        catalog, why = restore_schema(server, STAGING, "public", found)
    assert catalog is None
    assert said in why


def test_a_kept_schema_that_does_not_serve_is_made_anew(
    kept: tuple[SchemaCache, Path], pg_url: str, project: Project
) -> None:
    cache, path = kept
    rewrite(path, lambda content: content.update(sql=content["sql"].replace("numeric(9,2)", "numeric(10,2)")))
    with open_target(pg_url) as server:
        made = make_schema(server, STAGING, project, ignore, cache=cache)
        assert made.made_by == "migrations"
        assert "restored, it is not what it was: column price of library_book" in made.notes[0]
        clear_made(server, STAGING, "public")
        again = make_schema(server, STAGING, project, ignore, cache=cache)
    assert (again.made_by, again.notes) == ("rehearsal", ())


def test_a_damaged_file_is_noticed(kept: tuple[SchemaCache, Path], pg_url: str, project: Project) -> None:
    cache, path = kept
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with open_target(pg_url) as server:
        made = make_schema(server, STAGING, project, ignore, cache=cache)
    assert made.made_by == "migrations"
    assert "is damaged (its checksum does not fit" in made.notes[0]


def test_conditions_that_are_others_are_said(kept: tuple[SchemaCache, Path], pg_url: str, project: Project) -> None:
    cache, path = kept
    with open_target(pg_url) as server:
        variables = {"SCHEMA_PROJECT_SWITCH": "on"}
        found, notes = cache.find(server, STAGING, "public", project, variables)
        assert found is None
        assert "other variables" in notes[0]
        rewrite(path, lambda content: content["conditions"]["extensions"].update(postgis="gis"))
        found, notes = cache.find(server, STAGING, "public", project, {})
        assert found is None
        assert "extension postgis is not installed here, and was in gis then" in notes[0]
        found, notes = cache.find(server, staging_name("app"), "app", project, {})
        assert found is None
        assert "for PostgreSQL" in notes[0]
        assert "schema app" in notes[0]


def test_a_stale_key_is_explained(kept: tuple[SchemaCache, Path], pg_url: str, project: Project) -> None:
    cache, _ = kept
    parts = dict(project.digest_parts)
    parts["package Django"] = "5.2.999"
    parts["migration library.0007_more"] = "x"
    changed = replace(project, digest="another", digest_parts=tuple(sorted(parts.items())))
    with open_target(pg_url) as server:
        found, notes = cache.find(server, STAGING, "public", changed, {})
    assert found is None
    assert "migration library.0007_more is new; package Django " in notes[0]
    assert " → 5.2.999)" in notes[0]


def test_what_was_kept_of_a_project_as_it_was_goes_when_it_changes(
    kept: tuple[SchemaCache, Path], pg_url: str, project: Project, tmp_path: Path
) -> None:
    cache, path = kept
    changed = replace(project, digest="f" * 64)
    with open_target(pg_url) as server:
        made = make_schema(server, STAGING, changed, ignore, cache=cache)
    assert made.notes == ("the project has changed since its schema was kept: the migrations run again",)
    assert not path.exists()
    assert len(list(tmp_path.glob("django/*/pg*/*.json"))) == 1


def test_two_processes_may_keep_and_read_at_once(kept: tuple[SchemaCache, Path]) -> None:
    _, path = kept
    content = _read(path)

    def use(number: int) -> object:
        if number % 2:
            _write(path, content)
        return _read(path)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(use, range(24)))
    assert all(one == content for one in found)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_without_pg_dump_nothing_is_kept_and_a_note_says_so(
    pg_url: str, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITEFERRY_PG_BIN", str(tmp_path))
    with open_target(pg_url) as server:
        made = make_schema(server, STAGING, project, ignore, cache=SchemaCache(tmp_path / "home"))
    assert made.notes[0].startswith("the schema is not kept for the next run: there is no embedded PostgreSQL")
    assert not (tmp_path / "home").exists()


def test_a_directory_that_cannot_be_written_stops_nothing(pg_url: str, project: Project, tmp_path: Path) -> None:
    (tmp_path / "django").write_text("in the way")
    with open_target(pg_url) as server:
        made = make_schema(server, STAGING, project, ignore, cache=SchemaCache(tmp_path))
    assert made.notes[0].startswith("the schema is not kept for the next run: ")


def test_a_whole_move_and_its_undo(pg_server: PostgresServer, tmp_path: Path, project: Project) -> None:
    directory = copy_project("schema", tmp_path / "project")
    run_python(directory, "manage.py", "migrate", "-v0")
    with two_databases(pg_server) as (ours, plain):
        empty = dump(pg_server, ours.name)
        arguments = ("migrate", "--django", directory, ours.url, "--yes", "--json", "--accept", "all", "--run-dir")
        done = call_ferry(*arguments, tmp_path / "run")
        assert done.status == 0, done.err
        assert (done.report.verdict, done.report.published) == ("proven", True)
        migrate_plainly(project, plain.url)
        assert_equal(ours.url, plain.url)
        assert dump(pg_server, ours.name) == dump(pg_server, plain.name)
        undone = call_ferry("undo", tmp_path / "run", "--target", ours.url, "--yes")
        assert undone.status == 0, undone.err
        assert dump(pg_server, ours.name) == empty


def test_a_move_that_fails_leaves_no_extension(
    pg_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = copy_project("schema", tmp_path / "project")
    run_python(directory, "manage.py", "migrate", "-v0")
    monkeypatch.setattr("liteferry.django_move.evidence.judge_evidence", lambda _: False)
    with two_databases(pg_server) as (ours, _):
        empty = dump(pg_server, ours.name)
        arguments = ("migrate", "--django", directory, ours.url, "--yes", "--accept", "all", "--run-dir")
        done = call_ferry(*arguments, tmp_path / "run")
        assert done.status != 0
        assert dump(pg_server, ours.name) == empty
