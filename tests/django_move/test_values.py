"""Every type of field, moved by Django's rules: what the ORM read in SQLite it reads in PostgreSQL."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import call_ferry, execute
from liteferry import Options, migrate
from liteferry.django_project import ask_project, describe_project, find_place, read_settings, replace_all
from liteferry.django_rules.values import decide_values
from liteferry.project import ProjectOptions
from liteferry.source import open_snapshot
from liteferry.target import make_django_entry

if TYPE_CHECKING:
    from conftest import Database
    from liteferry import Report
    from liteferry.model import Catalog, Decision
    from liteferry.project import Project

PROJECT = Path(__file__).parent / "projects" / "values"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The project, with a file of its own and the settings that a test wants."""

    file: Path
    directory: Path
    environment: dict[str, str]

    def run(self, program: str, *words: str, entry: dict[str, Any] | None = None) -> str:
        """Run one of the project's programs; entry: of DATABASES, in place of the file."""
        environment = {**os.environ, **self.environment}
        if entry is not None:
            environment["VALUES_ENTRY"] = json.dumps(entry)
        done = subprocess.run(
            [sys.executable, program, *words], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def execute(self, *statements: str) -> None:
        """Write into the file as another program does."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as db:
            db.execute("PRAGMA ignore_check_constraints = ON")
            for statement in statements:
                db.execute(statement)

    def read(self, url: str = "") -> dict[tuple[str, str], dict[str, str]]:
        """Every row as the ORM gives it, by model and key: from the file, or from where the URL leads."""
        rows = json.loads(self.run("read.py", entry=make_django_entry(url) if url else None))
        return {(model, key): values for model, key, values in rows}

    def describe(self) -> Project:
        place = find_place(ProjectOptions(directory=str(PROJECT), python=sys.executable))
        settings, _ = read_settings(place)
        return describe_project(place, settings, "default", [("store", "0001_initial")])

    def decide(self) -> tuple[Decision, ...]:
        return decide_values(self.describe(), self.read_catalog())

    def read_catalog(self) -> Catalog:
        with open_snapshot(str(self.file), directory=self.directory / "copy") as snapshot:
            return snapshot.read_catalog()

    def move(self, url: str, *decisions: Decision, **facts: Any) -> Report:  # the fields of Options
        """Make the schema by the project's migrations, and move the rows as the rules decide."""
        project = self.describe()
        entry = make_django_entry(url)
        argument = {"alias": "default"}
        ask_project(project.place, "migrate", argument, databases=replace_all(project.settings, "default", entry))
        options = Options(
            into="existing",
            replace_rows=("*",),
            decisions=(*decide_values(project, self.read_catalog()), *decisions),
            run_dir=str(self.directory / "run"),
            **facts,
        )
        return migrate(self.file, url, options)


def make_store(directory: Path, monkeypatch: pytest.MonkeyPatch, *words: str, **environment: str) -> Store:
    """Fill the project's tables in a file of their own. environment: VALUES_… of the settings."""
    file = directory / "store.sqlite"
    environment["VALUES_SQLITE"] = str(file)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)  # for liteferry's own children
    store = Store(file=file, directory=directory, environment=environment)
    store.run("fill.py", *words)
    return store


SETTINGS = {
    "UTC": {},
    "a zone of the database": {"VALUES_DATABASE_TIME_ZONE": "America/New_York", "VALUES_TIME_ZONE": "Europe/Berlin"},
    "no USE_TZ": {"VALUES_USE_TZ": "0", "VALUES_TIME_ZONE": "Europe/Berlin"},
}


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_orm_reads_what_it_read(
    settings: str, tmp_path: Path, pg_url_all: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path, monkeypatch, "--oddly", **SETTINGS[settings])
    before = store.read()
    report = store.move(pg_url_all)
    assert report.verdict == "proven", report.mismatches
    assert store.read(pg_url_all) == before


def test_what_was_converted_is_counted_by_field(tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(tmp_path, monkeypatch, "--oddly", **SETTINGS["no USE_TZ"])
    report = store.move(pg_url)
    converted = {f"{found.table}.{found.column}": (found.conversions, found.values) for found in report.conversions}
    assert converted["store_price.total"] == (("quantise:10,2",), 6)
    assert converted["store_thing.data"] == (("last-key",), 1)
    assert converted["store_moment.at"] == (("timezone:Europe/Berlin", "later"), 15)
    said = {(found.code, found.place): found.decided_by for found in report.findings if found.decided_by}
    rule = "Django: DateTimeField store.Moment.at (no USE_TZ, Europe/Berlin)"
    assert said["decimal-inexact", "store_price.total"] == "Django: DecimalField store.Price.total"
    assert said["time-zone-given", "store_moment.at"] == rule
    assert said["local-time-unclear", "store_moment.at"] == rule
    assert said["json-not-jsonb", "store_thing.data"] == "Django: JSONField store.Thing.data"
    assert not [found for found in report.findings if found.code == "decision-unused"]


@pytest.mark.parametrize(("zone", "of"), [("Asia/Kolkata", "role"), ("America/St_Johns", "database")])
def test_the_servers_time_zone_changes_nothing(
    zone: str, of: str, tmp_path: Path, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = "ROLE ferry IN DATABASE" if of == "role" else "DATABASE"
    execute(pg_database.admin_url, f"ALTER {who} {pg_database.name} SET timezone = '{zone}'")
    store = make_store(tmp_path, monkeypatch, "--oddly")
    before = store.read()
    assert store.move(pg_database.url).verdict == "proven"
    assert store.read(pg_database.url) == before


def test_the_next_rows_get_ids_of_their_own(tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(tmp_path, monkeypatch)
    with closing(sqlite3.connect(store.file)) as db:
        given = dict(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    assert given["store_letter"] == 6  # two more were given than there are rows
    store.move(pg_url)
    made = json.loads(store.run("add.py", entry=make_django_entry(pg_url)))
    assert made == {table: given[table] + 1 for table in ("store_letter", "store_moment", "store_price")}


def test_the_whole_move_and_its_verification(tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(tmp_path, monkeypatch, "--oddly", **SETTINGS["no USE_TZ"])
    before = store.read()
    run_dir = tmp_path / "run"
    moved = call_ferry(
        "migrate",
        "--django",
        PROJECT,
        pg_url,
        "--accept",
        "django-custom-field",
        "--yes",
        "--json",
        "--run-dir",
        run_dir,
    )
    assert moved.status == 0, moved.err
    assert store.read(pg_url) == before
    for words in (("--run-dir", run_dir), ()):
        verified = call_ferry("verify", "--django", PROJECT, pg_url, "--json", *words)
        assert verified.report.verdict == "proven", (verified.err, verified.report.mismatches)


# ---------------------------------------------------------------------------------------------------------------------
# What no rule settles: findings, which name the rows

BAD = [
    ("store_price", "rate", "'free'", "value-misfit"),
    ("store_price", "total", "123456789.5", "decimal-excess"),
    ("store_price", "whole", "99999.5", "decimal-excess"),
    ("store_price", "wide", "9e999", "value-misfit"),
    ("store_price", "rate", "x'00'", "value-misfit"),
    ("store_price", "pieces", "-1", "check-broken"),
    ("store_price", "few", "40000", "value-misfit"),
    ("store_price", "number", "2147483648", "value-misfit"),
    ("store_price", "number", "'many'", "value-misfit"),
    ("store_moment", "at", "'2024-03-31 02:30:00'", "local-time-unclear"),
    ("store_moment", "at", "1700000000", "date-form"),
    ("store_moment", "at", "'2024-02-30 00:00:00'", "date-form"),
    ("store_moment", "at", "'9999-12-31 24:00:00'", "date-form"),
    ("store_moment", "day", "'2024-01-01 00:00:00'", "date-form"),
    ("store_moment", "day", "'0000-00-00'", "date-form"),
    ("store_moment", "clock", "'24:00:00'", "date-form"),
    ("store_moment", "lasts", "'1 day'", "value-misfit"),
    ("store_moment", "lasts", "1.5", "value-misfit"),
    ("store_thing", "other", "'urn:uuid:00000000-0000-0000-0000-000000001230'", "value-misfit"),
    ("store_thing", "other", "x'00000000000000000000000000001230'", "value-misfit"),
    ("store_thing", "parent_id", "'00000000-0000-0000-0000-00000000ffff'", "target-orphans"),
    ("store_thing", "data", "'NaN'", "json-invalid"),
    ("store_thing", "data", "'[Infinity]'", "json-invalid"),
    ("store_thing", "address", "'10.0.0.256'", "value-misfit"),
    ("store_thing", "address", "'fe80::1%eth0'", "value-misfit"),
    ("store_thing", "raw", "'text'", "value-misfit"),
    ("store_thing", "yes", "2", "value-misfit"),
    ("store_letter", "name", "'123456789012345678901'", "text-too-long"),
    ("store_letter", "name", "'a' || char(0)", "text-nul"),
    ("store_letter", "body", "CAST(x'ff' AS TEXT)", "text-invalid"),
]

REFUSED_BY_JSONB = [
    ("store_thing", "data", "'\"\\u0000\"'", "json-not-jsonb"),
    ("store_thing", "data", "'\"\\ud800\"'", "json-not-jsonb"),
]


@pytest.mark.parametrize("bad", [BAD, REFUSED_BY_JSONB], ids=["all sorts", "of jsonb alone"])
def test_what_no_rule_settles_is_a_finding(
    bad: list[tuple[str, str, str, str]], tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path, monkeypatch, **SETTINGS["no USE_TZ"])
    with closing(sqlite3.connect(store.file, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        keys = [spoil(db, table, column, value) for table, column, value, _ in bad]
    report = store.move(pg_url)
    assert report.verdict == "blocked"
    blocking = [found for found in report.findings if found.blocks]
    named = {(found.code, found.table, found.name): found for found in blocking}
    for (table, column, value, code), key in zip(bad, keys, strict=True):
        name = "store_price_pieces_check" if code == "check-broken" else column
        found = named.pop((code, table, name), None) or next(
            (one for one in blocking if (one.code, one.table, one.name) == (code, table, name)), None
        )
        assert found is not None, (value, code)
        assert any(key in sample.key for sample in found.samples), (value, found)
        if code != "target-orphans":
            assert "quarantine" in {way.name for way in found.ways}
    assert set(named) <= {("text-nul", "store_letter", "greeting")}  # computed of the name


def spoil(db: sqlite3.Connection, table: str, column: str, value: str) -> str:
    """Add a copy of a row with another value; returns its key as samples name it."""
    columns = [name for _, name, *_, hidden in db.execute(f"PRAGMA table_xinfo({table})") if not hidden]
    unique = {"id": "NULL", "slug": f"'{column}-' || {db.total_changes}"}
    if table == "store_thing":
        unique["id"] = f"'{db.total_changes:032x}'"
    given = {**{name: name for name in columns}, **unique, column: value}
    db.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(given[name] for name in columns)}"
        f" FROM {table} LIMIT 1"
    )
    (key,) = db.execute(f"SELECT id FROM {table} WHERE rowid = last_insert_rowid()").fetchone()
    return str(key)


# ---------------------------------------------------------------------------------------------------------------------
# Fields of the project's own


def test_a_field_with_two_forms_is_decided_by_its_owner(
    tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path, monkeypatch, VALUES_OWN="1")
    store.execute("INSERT INTO own_walk (done) VALUES ('true')")
    options = ("--yes", "--json", "--run-dir")
    blocked = call_ferry("migrate", "--django", PROJECT, pg_url, *options, tmp_path / "blocked")
    assert blocked.report.verdict == "blocked"
    found = {(one.code, one.place): one for one in blocked.report.findings if one.blocks}
    assert set(found) == {
        ("django-custom-field", "own_walk.lasts"),
        ("target-type-unknown", "own_walk.tags"),
        ("django-boolean-word", "own_walk.done"),
    }
    assert "store.fields.SpanField" in found["django-custom-field", "own_walk.lasts"].message
    assert "bigint in SQLite, interval in PostgreSQL" in found["django-custom-field", "own_walk.lasts"].message
    before = store.read()
    accepted = [word for code, _ in found for word in ("--accept", code)]
    moved = call_ferry("migrate", "--django", PROJECT, pg_url, *options, tmp_path / "run", *accepted)
    # the minutes were taken for microseconds, and 'true' for true: what was accepted is not what the project's ORM read
    assert (moved.report.verdict, moved.report.published) == ("mismatch", False)
    assert moved.report.django is not None
    assert [one.model for one in moved.report.django.evidence or () if one.status == "different"] == ["own.Walk"]
    assert store.read() == before


def test_an_address_that_is_spelled_otherwise_is_the_same_to_the_evidence(
    tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path, monkeypatch)
    store.execute("UPDATE store_thing SET address = '2001:DB8:0:0::1', either = '::5'")
    run_dir = tmp_path / "run"
    moved = call_ferry("migrate", "--django", PROJECT, pg_url, "--yes", "--json", "--run-dir", run_dir)
    assert moved.report.verdict == "proven", moved.report.django and moved.report.django.evidence
    said = {found.name: found.count for found in moved.report.findings if found.code == "address-respelled"}
    assert said == {"address": 8, "either": 8}
