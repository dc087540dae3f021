"""Each way in which a project, its migrations and its file can come apart is found, with its cause; nothing else is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liteferry.django_move.fresh import read_fresh_catalog
from liteferry.django_move.journey import read_applied
from liteferry.django_move.schema import make_schema
from liteferry.django_project import choose_database, describe_project, find_place, read_settings
from liteferry.django_rules.drift import find_drift
from liteferry.errors import MigrationError
from liteferry.model import Event, TargetCatalog, ignore
from liteferry.project import ProjectOptions
from liteferry.source import open_snapshot
from liteferry.target import open_target

if TYPE_CHECKING:
    from liteferry.model import Catalog, Finding
    from liteferry.project import Project

HISTORY = Path(__file__).parent / "projects" / "drift_history"
ROOT = Path(__file__).parents[2]
ENVIRONMENTS = {"5.2": sys.executable, "6.0": "6.0", "6.1": "6.1"}


@dataclass
class Made:
    """A copy of the project with its file, and what its migrations make."""

    directory: Path
    python: str
    fresh: Catalog | None = None
    described: dict[tuple[tuple[str, str], ...], Project] = field(default_factory=dict)  # by what is applied

    @property
    def file(self) -> Path:
        return self.directory / "db.sqlite3"

    def run(self, *words: str) -> str:
        found = subprocess.run(
            [self.python, "manage.py", *words], cwd=self.directory, capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stderr
        return found.stdout

    def execute(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.file)) as connection:
            for statement in statements:
                connection.executescript(statement)
            connection.commit()

    def describe(self) -> tuple[Project, Catalog]:
        with open_snapshot(self.file, directory=self.directory / "snapshot") as snapshot:
            catalog = snapshot.read_catalog()
            applied = read_applied(snapshot)
        if applied not in self.described:
            place = find_place(ProjectOptions(directory=str(self.directory), python=self.python))
            settings, _ = read_settings(place)
            alias, path = choose_database(settings)
            assert path == self.file
            self.described[applied] = describe_project(place, settings, alias, applied)
        return self.described[applied], catalog

    def write_migration(self, name: str, text: str) -> None:
        """One more migration on disk: the project has to be asked again."""
        (self.directory / "common" / "migrations" / f"{name}.py").write_text(text)
        self.described, self.fresh = {}, None

    def find(self, target: TargetCatalog | None = None) -> tuple[Finding, ...]:
        project, catalog = self.describe()
        return find_drift(project, catalog, self.fresh or read_fresh_catalog(project, ignore), target)


def make_history(directory: Path, python: str) -> Made:
    """The project with a file that grew with it: rows were there before the later migrations ran."""
    made = Made(directory, python)
    shutil.copytree(HISTORY, directory, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    made.run("migrate", "-v0", "common", "0001")
    made.execute(
        """INSERT INTO common_calendarresource (id, name, slug, seats, obsolete) VALUES (1, 'Hall', '', 40, 'x');
        INSERT INTO common_reservation (starts, ends, fee, resource_id)
            VALUES ('2020-01-01 10:00:00', '2020-01-01 11:00:00', 12.5, 1)"""
    )
    made.run("migrate", "-v0")
    return made


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = make_history(tmp_path_factory.mktemp("drift") / "a project, ünïcode", sys.executable)
    made.fresh = read_fresh_catalog(made.describe()[0], ignore)
    return made


@pytest.fixture
def copy(history: Made, tmp_path: Path) -> Made:
    directory = tmp_path / "project"
    shutil.copytree(history.directory, directory)
    return Made(directory, history.python, history.fresh, history.described)


def find_python(version: str) -> str:
    """The interpreter of an environment with this version of Django."""
    if version == "5.2":
        return sys.executable
    for place in (os.environ.get("LITEFERRY_TEST_DJANGO", ""), str(ROOT / ".cache" / "django")):
        python = Path(place, version, "bin", "python")
        if place and python.is_file():
            return str(python)
    pytest.skip(f"no environment with Django {version} (.ci/setup makes it where there is a Python for it)")


# ---------------------------------------------------------------------------------------------------------------------
# Nothing is found where nothing is wrong


@pytest.mark.parametrize("version", ENVIRONMENTS)
def test_an_honest_history_is_no_drift(version: str, tmp_path: Path) -> None:
    made = make_history(tmp_path / "project", find_python(version))
    assert made.find() == ()


HONEST = {
    "no checks of positive numbers, as before 2.1": ('CHECK ("seats" >= 0)', ""),
    "foreign keys not deferrable, as before 2.0": (" DEFERRABLE INITIALLY DEFERRED", ""),
    "types in capitals": ("varchar", "VARCHAR"),
    "whole numbers by another name": (" bigint", " integer"),
    "no AUTOINCREMENT": (" AUTOINCREMENT", ""),
    "names without quotes": ('"title"', "title"),
    "names in brackets": ('"starts"', "[starts]"),
    "the table's name before the columns": ('("price" >= ', '("common_booking"."price" >= '),
    "numbers by another spelling": ("""("ends" > ("starts"))""", """("ends" > "starts")"""),
    "guards against NULL": ("""("ends" > ("starts"))""", """("ends" > "starts" AND "ends" IS NOT NULL)"""),
    "other names of indexes": ("common_booking_resource_id_4c5397f4", "common_booking_de54fa62"),
}


@pytest.mark.parametrize("name", HONEST)
def test_what_older_versions_wrote_is_no_drift(name: str, copy: Made) -> None:
    old, new = HONEST[name]
    assert rewrite(copy, old, new), "the case must change something"
    assert copy.find() == ()


def rewrite(made: Made, old: str, new: str) -> bool:
    """Write the schema's text otherwise, as another version of Django would have."""
    with closing(sqlite3.connect(made.file)) as connection:
        before = connection.execute("SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%' || ? || '%'", [old])
        found = bool(before.fetchone()[0])
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, ?)", [old, new])
        connection.execute("UPDATE sqlite_schema SET name = ? WHERE name = ?", [new, old])
        connection.execute("PRAGMA writable_schema=RESET")
        connection.commit()
    return found


def test_the_order_of_columns_is_no_drift(copy: Made) -> None:
    copy.execute("ALTER TABLE common_tag ADD COLUMN later", "ALTER TABLE common_tag DROP COLUMN later")
    copy.execute(
        """PRAGMA legacy_alter_table=ON;
        ALTER TABLE common_booking RENAME TO was;
        CREATE TABLE common_booking ("remark" text NOT NULL, "price" decimal NOT NULL CONSTRAINT
          booking_price_not_negative CHECK (price >= 0), "ends" datetime NOT NULL, "starts" datetime NOT NULL,
          "id" integer PRIMARY KEY, "resource_id" bigint NOT NULL REFERENCES common_calendarresource,
          CONSTRAINT booking_ends_after_start CHECK (ends > starts));
        CREATE UNIQUE INDEX one ON common_booking (starts, resource_id);
        CREATE UNIQUE INDEX two ON common_booking (resource_id) WHERE ((remark = 'fixed'));
        DROP VIEW booking_totals;
        INSERT INTO common_booking (id, starts, ends, price, remark, resource_id)
          SELECT id, starts, ends, price, remark, resource_id FROM was;
        DROP TABLE was;
        CREATE INDEX three ON common_booking (starts, ends);
        CREATE INDEX four ON common_booking (resource_id);
        CREATE VIEW "booking_totals" as select resource_id, COUNT(*) AS bookings
          FROM "common_booking" GROUP BY "resource_id";"""
    )
    assert copy.find() == ()


# ---------------------------------------------------------------------------------------------------------------------
# Whatever is wrong is found, with its cause


@dataclass
class Damage:
    sql: str
    code: str
    place: str
    says: str
    repair: str = ""
    severity: str = "info"
    others: int = 0  # findings beside it


UNDO_COST = (
    "DELETE FROM django_migrations WHERE name = '0005_cost'; ALTER TABLE common_calendarresource DROP cost_per_use"
)
DAMAGES = {
    "unapplied column": Damage(
        UNDO_COST,
        "django-column-missing",
        "common_calendarresource.cost_per_use",
        "model field `CalendarResource.cost_per_use` has no column common_calendarresource.cost_per_use: migration"
        " common.0005_cost, which adds it, is not applied",
        "python manage.py migrate",
        "blocker",
        1,
    ),
    "unapplied migration": Damage(
        UNDO_COST,
        "django-migration-unapplied",
        "common.0005_cost",
        "migration common.0005_cost is not applied to the SQLite file: it adds calendarresource.cost_per_use",
        "python manage.py migrate",
        "blocker",
        1,
    ),
    "recorded column": Damage(
        "ALTER TABLE common_calendarresource DROP cost_per_use",
        "django-column-missing",
        "common_calendarresource.cost_per_use",
        "migration common.0005_cost, which adds it, is recorded as applied, but was not (migrate --fake?)",
        "add it by the SQL",
        "blocker",
    ),
    "recorded rename": Damage(
        "ALTER TABLE common_booking RENAME price TO fee",
        "django-column-missing",
        "common_booking.price",
        "migration common.0002_tags_and_names, which renames fee, is recorded as applied, but was not",
        "RENAME COLUMN",
        "blocker",
        1,
    ),
    "column of a rename": Damage(
        "ALTER TABLE common_booking RENAME price TO fee",
        "django-column-extra",
        "common_booking.fee",
        "migration common.0002_tags_and_names, which renames it to price, is recorded as applied",
        others=1,
    ),
    "column that a migration removes": Damage(
        "ALTER TABLE common_calendarresource ADD obsolete varchar(10)",
        "django-column-extra",
        "common_calendarresource.obsolete",
        "migration common.0003_slugs, which removes it, is recorded as applied, but was not",
        "drop it",
    ),
    "column made by hand": Damage(
        "ALTER TABLE common_booking ADD colour text",
        "django-column-extra",
        "common_booking.colour",
        "no model and no migration knows it",
        "give it a field and a migration",
    ),
    "recorded table": Damage(
        "DROP TABLE common_calendarresource_tags",
        "django-table-missing",
        "common_calendarresource_tags",
        "migration common.0002_tags_and_names, which creates it, is recorded as applied, but was not",
        "SQL",
        "blocker",
    ),
    "table of a model": Damage(
        "DROP TABLE office_notes",
        "django-table-missing",
        "office_notes",
        "migration notes.0001_initial, which creates it, is recorded as applied",
        severity="blocker",
    ),
    "table that a migration deletes": Damage(
        "CREATE TABLE notes_draft (id integer PRIMARY KEY, text text)",
        "django-table-extra",
        "notes_draft",
        "migration notes.0003_no_drafts, which deletes it, is recorded as applied, but was not",
    ),
    "unapplied deletion": Damage(
        "CREATE TABLE notes_draft (id integer); DELETE FROM django_migrations WHERE name = '0003_no_drafts'",
        "django-table-extra",
        "notes_draft",
        "migration notes.0003_no_drafts, which deletes it, is not applied",
        "migrate",
        others=1,
    ),
    "table that a migration renames": Damage(
        "ALTER TABLE common_booking RENAME TO common_reservation",
        "django-table-extra",
        "common_reservation",
        "migration common.0002_tags_and_names, which renames its model to booking, is recorded as applied",
        others=2,
    ),
    "dynamic table": Damage(
        "CREATE TABLE survey_2024_answers (id integer PRIMARY KEY, answer text)",
        "django-table-extra",
        "survey_2024_answers",
        "the application makes it itself, or somebody made it by hand",
        "give it a model",
    ),
    "table of an app that is gone": Damage(
        "CREATE TABLE polls_vote (id integer PRIMARY KEY); INSERT INTO django_migrations (app, name, applied) VALUES"
        " ('polls', '0001_initial', '2020-01-01')",
        "django-table-extra",
        "polls_vote",
        "it belongs to the app polls, whose migrations were applied and which is not installed now",
        others=1,
    ),
    "unmanaged table": Damage(
        "CREATE TABLE old_archive (year integer PRIMARY KEY, pages text)",
        "django-table-extra",
        "old_archive",
        "the model notes.Archive is unmanaged (managed = False)",
    ),
    "cache table": Damage(
        "CREATE TABLE office_cache (cache_key varchar(255) PRIMARY KEY, value text, expires datetime)",
        "django-table-extra",
        "office_cache",
        "createcachetable",
        "on the target",
    ),
    "records of an app that is gone": Damage(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('polls', '0001_initial', '2020-01-01')",
        "django-migration-gone",
        "polls",
        "1 migration of polls recorded as applied, but not on disk (0001_initial): the app is not installed any more",
    ),
    "records of a squashed migration": Damage(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('common', '0002_was_squashed', '2020-01-01')",
        "django-migration-gone",
        "common",
        "squashed or deleted since",
        "--prune",
    ),
    "inconsistent history": Damage(
        "DELETE FROM django_migrations WHERE name = '0004_rules'",
        "django-migration-order",
        "common.0005_cost",
        "common.0004_rules, which it depends on, is not",
        "refuses this, too",
        "blocker",
        1,
    ),
    "another type": Damage(
        'rewrite:"remark" text:"remark" integer',
        "django-column-differs",
        "common_booking.remark",
        "is integer in the file, and text by the migrations: the table was changed by hand",
    ),
    "another length": Damage(
        "rewrite:varchar(120):varchar(80)",
        "django-column-differs",
        "common_calendarresource.title",
        "is varchar(80) in the file, and varchar(120) by the migrations: the table was changed by hand, or migration"
        " common.0002_tags_and_names, which changes it, is recorded as applied but was not (migrate --fake?)",
    ),
    "NULL allowed": Damage(
        'rewrite:"title" varchar(120) NOT NULL:"title" varchar(120) NULL',
        "django-column-differs",
        "common_calendarresource.title",
        "is NULL in the file, and NOT NULL by the migrations",
    ),
    "NULL forbidden": Damage(
        'rewrite:"opens" time NULL:"opens" time NOT NULL',
        "django-column-differs",
        "common_calendarresource.opens",
        "is NOT NULL in the file, and NULL by the migrations",
    ),
    "a default": Damage(
        'rewrite:"remark" text NOT NULL:"remark" text NOT NULL DEFAULT \'none\'',
        "django-column-differs",
        "common_booking.remark",
        "is DEFAULT 'none' in the file, and without a default by the migrations",
    ),
    "a collation": Damage(
        'rewrite:"remark" text NOT NULL:"remark" text NOT NULL COLLATE NOCASE',
        "django-column-differs",
        "common_booking.remark",
        "COLLATE NOCASE in the file",
    ),
    "no primary key": Damage(
        'rewrite:"id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "label":"id" integer NOT NULL, "label"',
        "django-constraint-differs",
        "common_tag.id",
        "the primary key of common_tag is none in the file, and (id) by the migrations",
    ),
    "a unique key is gone": Damage(
        "DROP INDEX booking_one_fixed",
        "django-constraint-differs",
        "common_booking.resource_id",
        "the unique index (resource_id) of common_booking is missing in the file",
    ),
    "a unique key by hand": Damage(
        "CREATE UNIQUE INDEX by_hand ON common_booking (ends)",
        "django-constraint-differs",
        "common_booking.by_hand",
        "the unique key (ends) of common_booking is only in the file: it was added by hand",
        "write it into a model",
    ),
    "a foreign key is gone": Damage(
        'rewrite: REFERENCES "common_booking" ("id") DEFERRABLE INITIALLY DEFERRED:',
        "django-constraint-differs",
        "office_notes.booking_id",
        "the foreign key (booking_id) to common_booking (id) of office_notes is missing in the file",
    ),
    "a CHECK is gone": Damage(
        'rewrite:CONSTRAINT "booking_price_not_negative" CHECK ("price" >= \'0\'), :',
        "django-constraint-differs",
        "common_booking.booking_price_not_negative",
        "is missing in the file: migration common.0004_rules, which makes it, is recorded as applied, but was not",
    ),
    "a CHECK says something else": Damage(
        "rewrite:CHECK (\"price\" >= '0'):CHECK (\"price\" > '0')",
        "django-constraint-differs",
        "common_booking.booking_price_not_negative",
        """("price" >= '0') of common_booking is ("price" > '0') in the file: migration common.0004_rules""",
    ),
    "a CHECK of JSON is gone": Damage(
        'rewrite: CHECK ((JSON_VALID("details") OR "details" IS NULL)):',
        "django-constraint-differs",
        "common_calendarresource.details",
        'the CHECK ((JSON_VALID("details") OR "details" IS NULL)) of common_calendarresource is missing',
    ),
    "an index is gone": Damage(
        "DROP INDEX booking_span",
        "django-object-differs",
        "common_booking.booking_span",
        "the index booking_span (starts, ends) of common_booking is missing in the file: migration common.0004_rules",
    ),
    "an index by hand": Damage(
        "CREATE INDEX faster ON common_booking (lower(remark)) WHERE price > 100",
        "django-object-differs",
        "common_booking.faster",
        "the index faster (an expression) of common_booking is only in the file: it was added by hand",
        "RunSQL",
    ),
    "a trigger by hand": Damage(
        "CREATE TRIGGER stamp AFTER INSERT ON common_booking BEGIN SELECT 1; END",
        "django-object-differs",
        "common_booking.stamp",
        "the trigger stamp of common_booking is only in the file",
    ),
    "a view by hand": Damage(
        "CREATE VIEW mine AS SELECT 1 AS one",
        "django-object-differs",
        "mine",
        "the view mine is only in the file: it was made by hand",
    ),
    "a view is gone": Damage(
        "DROP VIEW booking_totals",
        "django-object-differs",
        "booking_totals",
        "the view booking_totals is missing in the file: migration common.0004_rules, which makes it",
    ),
    "a view says something else": Damage(
        "DROP VIEW booking_totals; CREATE VIEW booking_totals AS SELECT 1 AS resource_id, 2 AS bookings",
        "django-object-differs",
        "booking_totals",
        "says something else in the file",
    ),
    "a virtual table": Damage(
        "CREATE VIRTUAL TABLE search USING fts5(body)",
        "django-table-extra",
        "search",
        "no model and no migration knows it",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_is_found_with_its_cause(name: str, copy: Made) -> None:
    damage = DAMAGES[name]
    if damage.sql.startswith("rewrite:"):
        assert rewrite(copy, *damage.sql.removeprefix("rewrite:").split(":")), "the damage must be done"
    else:
        copy.execute(damage.sql)
    found = copy.find()
    about = [finding for finding in found if (finding.code, finding.place) == (damage.code, damage.place)]
    assert len(about) == 1, found
    assert damage.says in about[0].message
    assert damage.repair in about[0].hint
    assert about[0].severity == damage.severity
    assert len(found) == 1 + damage.others, found
    assert not any("--fake" in finding.hint for finding in found)


def test_the_statement_that_is_offered_repairs_the_file(copy: Made) -> None:
    copy.execute("ALTER TABLE common_calendarresource DROP cost_per_use", "DROP TABLE office_notes")
    found = copy.find()
    assert {finding.code for finding in found} == {"django-column-missing", "django-table-missing"}
    copy.execute(*(finding.sql or "" for finding in found))
    assert [finding.code for finding in copy.find()] == ["django-object-differs"]  # the new table's index


# ---------------------------------------------------------------------------------------------------------------------
# Models against PostgreSQL


def read_target(made: Made, url: str) -> TargetCatalog:
    project, _ = made.describe()
    with open_target(url) as server:
        return make_schema(server, "staging", project, ignore).catalog


def test_the_schema_on_postgresql_is_what_the_models_want(history: Made, pg_url: str) -> None:
    assert history.find(read_target(history, pg_url)) == ()


def test_what_a_migration_leaves_out_on_postgresql_is_found(copy: Made, pg_url: str) -> None:
    copy.write_migration(
        "0006_elsewhere",
        "from django.db import migrations\n\n\ndef drop(apps, schema_editor):\n"
        "    if schema_editor.connection.vendor == 'postgresql':\n"
        "        schema_editor.execute('ALTER TABLE common_booking DROP COLUMN remark CASCADE')\n"
        "        schema_editor.execute('ALTER TABLE common_tag ALTER label TYPE text')\n\n\n"
        "class Migration(migrations.Migration):\n    dependencies = [('common', '0005_cost')]\n"
        "    operations = [migrations.RunPython(drop)]\n",
    )
    copy.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('common', '0006_elsewhere', '2024-01-01')")
    found = copy.find(read_target(copy, pg_url))
    assert [(finding.code, finding.place, finding.severity) for finding in found] == [
        ("django-target-differs", "common_tag.label", "info"),
        ("django-target-missing", "common_booking.remark", "blocker"),
    ]
    assert "migration common.0004_rules, which adds it, makes none on PostgreSQL" in found[1].message


# ---------------------------------------------------------------------------------------------------------------------
# What migrations make on an empty file


def test_what_the_migrations_made_is_kept_and_recalled(
    copy: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITEFERRY_HOME", str(tmp_path / "home"))
    project, _ = copy.describe()
    told: list[Event] = []
    first = read_fresh_catalog(project, told.append)
    assert "fresh/migration/common.0005_cost" in {event.step_id for event in told}
    kept = tmp_path / "home" / "django" / project.digest / "fresh.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    told.clear()
    assert read_fresh_catalog(project, told.append) == first
    assert not told
    kept.write_text("{}")
    assert {table.name for table in read_fresh_catalog(project, told.append).tables} == {t.name for t in first.tables}
    assert told
    assert read_fresh_catalog(replace(project, digest="another"), ignore).tables
    assert not list(kept.parent.glob(".fresh-*"))


def test_a_migration_that_fails_on_sqlite_is_named(copy: Made) -> None:
    copy.write_migration(
        "0006_wrong",
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        "    dependencies = [('common', '0005_cost')]\n"
        "    operations = [migrations.RunSQL('ALTER TABLE common_tag ALTER label TYPE text')]\n",
    )
    project, _ = copy.describe()
    before = copy.file.read_bytes()
    with pytest.raises(MigrationError) as caught:
        read_fresh_catalog(project, ignore)
    assert caught.value.code == "django-migration"
    assert "migration common.0006_wrong fails on an empty SQLite file, in RunSQL" in caught.value.what
    assert "the SQL was: ALTER TABLE common_tag ALTER label TYPE text" in caught.value.what
    assert copy.file.read_bytes() == before


def test_without_a_fresh_file_the_models_say_what_is_missing(copy: Made) -> None:
    copy.execute("ALTER TABLE common_calendarresource DROP cost_per_use", "DROP TABLE common_calendarresource_tags")
    project, catalog = copy.describe()
    found = sorted(find_drift(project, catalog, None, None), key=lambda finding: finding.code)
    assert [(finding.code, finding.place) for finding in found] == [
        ("django-column-missing", "common_calendarresource.cost_per_use"),
        ("django-table-missing", "common_calendarresource_tags"),
    ]
    assert "common.0005_cost" in found[0].message
