"""What can be wrong with a project: each gives one clear error, named as the project's, and nothing is touched.

And what is only unusual, and must work.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from harness import call_ferry, has_schema, list_relations, read_everything
from liteferry.django_move.fresh import read_fresh_catalog
from liteferry.django_move.journey import read_applied
from liteferry.django_move.start import start_project
from liteferry.django_project import describe_project
from liteferry.django_rules.drift import find_drift
from liteferry.model import ignore
from liteferry.project import ProjectOptions
from liteferry.source import open_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Database
    from liteferry.model import Finding
    from liteferry.project import Project

MANAGE = """\
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf")
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "test data"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
"""
MODELS = """\
from django.db import models


class Item(models.Model):
    name = models.CharField(max_length=40)
"""
INITIAL = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Item",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
            ],
        ),
    ]
"""
FILE = """
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL,
  "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
CREATE TABLE "shop_item" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(40) NOT NULL);
INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0001_initial', '2024-01-01 00:00:00');
INSERT INTO shop_item (name) VALUES ('spoon'), ('fork');
"""
GOOD = {
    "manage.py": MANAGE,
    "conf.py": SETTINGS,
    "shop/__init__.py": "",
    "shop/models.py": MODELS,
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": INITIAL,
}


def make_project(directory: Path, files: dict[str, str | None], sql: str = "") -> Path:
    """A small project, with some files written otherwise; None leaves one out. sql: more for its database."""
    for name, text in {**GOOD, **files}.items():
        if text is not None:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    with closing(sqlite3.connect(directory / "db.sqlite3")) as connection:
        connection.executescript(FILE + sql)
    return directory


def add_migration(operations: str, name: str = "0002_more", *, after: str = "0001_initial") -> dict[str, str | None]:
    return {
        f"shop/migrations/{name}.py": "from django.db import migrations, models\n\n\n"
        "def fail(apps, schema_editor):\n    raise ValueError('the migration itself fails')\n\n\n"
        "class Migration(migrations.Migration):\n"
        f"    dependencies = [('shop', '{after}')]\n    operations = [{operations}]\n"
    }


def list_files(directory: Path) -> dict[str, str]:
    """Every file with its digest, what Python itself writes aside."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def describe(directory: Path, settings: str = "", database: str = "") -> tuple[Project, tuple[Finding, ...]]:
    """The project, and where it and its file do not agree."""
    start = start_project(ProjectOptions(directory=str(directory), settings=settings, database=database), None)
    with open_snapshot(start.path, directory=directory.parent / "snapshot") as snapshot:
        catalog, applied = snapshot.read_catalog(), read_applied(snapshot)
    project = describe_project(start.place, start.settings, start.alias, applied)
    return project, find_drift(project, catalog, read_fresh_catalog(project, ignore), None)


# ---------------------------------------------------------------------------------------------------------------------
# Errors


@dataclass
class Bad:
    """A project that cannot be moved: what is wrong with it, and what is said."""

    code: str
    says: tuple[str, ...]
    files: dict[str, str | None] = field(default_factory=dict)
    sql: str = ""
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def database(entry: str) -> dict[str, str | None]:
    return {"conf.py": SETTINGS + f"DATABASES = {entry}\n"}


SQLITE = '"ENGINE": "django.db.backends.sqlite3"'
BAD = {
    "no manage.py": Bad("django-not-found", ("has no manage.py", "--settings MODULE"), {"manage.py": None}),
    "two of them": Bad(
        "django-not-found",
        ("more than one manage.py (one/manage.py, two/manage.py)",),
        {"manage.py": None, "one/manage.py": MANAGE, "two/manage.py": MANAGE},
    ),
    "settings that are not there": Bad(
        "django-settings",
        ("the project's settings cannot be imported: ModuleNotFoundError: No module named 'conf'",),
        {"conf.py": None},
        never=("liteferry/django_project",),
    ),
    "settings that import what is not there": Bad(
        "django-settings",
        ("the project's settings cannot be imported: ModuleNotFoundError: No module named 'dotenv_of_ours'",
         "conf.py:1 in <module>: import dotenv_of_ours"),
        {"conf.py": "import dotenv_of_ours\n" + SETTINGS},
        never=("importlib", "site-packages"),
    ),
    "settings without a variable": Bad(
        "django-settings",
        ("KeyError: 'SHOP_SECRET'", "conf.py:2 in <module>: SECRET = os.environ['SHOP_SECRET']",
         "environment variables must be set here"),
        {"conf.py": "import os\nSECRET = os.environ['SHOP_SECRET']\n" + SETTINGS},
    ),
    "settings that end the process": Bad(
        "django-settings",
        ("it ends with exit status 3", "set SHOP_MODE first"),
        {"conf.py": "import sys\nprint('set SHOP_MODE first')\nsys.exit(3)\n"},
    ),
    "settings with a syntax error": Bad(
        "django-settings", ("SyntaxError", "conf.py:1", "this is no Python"), {"conf.py": "this is no Python\n"}
    ),
    "models with a syntax error": Bad(
        "django-setup",
        ("the project's applications cannot be loaded: SyntaxError", "shop/models.py:3 in <module>: class Item(:"),
        {"shop/models.py": "from django.db import models\n\nclass Item(:\n"},
    ),
    "models that fail": Bad(
        "django-setup",
        ("ZeroDivisionError: division by zero", "shop/models.py:1 in <module>: 1 / 0"),
        {"shop/models.py": "1 / 0\n"},
    ),
    "an app that is not installed": Bad(
        "django-setup",
        ("No module named 'nowhere'",),
        {"conf.py": SETTINGS + "INSTALLED_APPS.append('nowhere')\n"},
    ),
    "manage.py that exits": Bad(
        "django-not-started",
        ("the project's manage.py fails: it ends with exit status 7", "not on this machine"),
        {"manage.py": "import sys\nprint('not on this machine')\nsys.exit(7)\n"},
    ),
    "manage.py that says nothing": Bad(
        "django-not-started",
        ("it ended without calling Django's execute_from_command_line",),
        {"manage.py": "print('hello')\n"},
        never=("NotStartedError",),
    ),
    "manage.py that raises": Bad(
        "django-not-started",
        ("RuntimeError: wrong directory", "manage.py:1 in <module>"),
        {"manage.py": "raise RuntimeError('wrong directory')\n"},
    ),
    "manage.py that catches everything": Bad(
        "django-settings",
        ("KeyError: 'SHOP_SECRET'",),
        {
            "conf.py": "import os\nSECRET = os.environ['SHOP_SECRET']\n",
            "manage.py": MANAGE.replace(
                "execute_from_command_line(sys.argv)",
                "try:\n    execute_from_command_line(sys.argv)\nexcept Exception:\n    sys.exit('something failed')",
            ),
        },
    ),
    "an interpreter without Django": Bad(
        "django-missing", ("has no Django", "--python"), words=("--python", "PYTHON-WITHOUT-DJANGO")
    ),
    "an interpreter that does not exist": Bad(
        "django-not-found", ("/nowhere/python is no interpreter",), words=("--python", "/nowhere/python")
    ),
    "an interpreter that is none": Bad(
        "django-not-found", ("cannot be started", "--python"), words=("--python", "NO-PYTHON")
    ),
    "a process that ends itself": Bad(
        "django-failed",
        ("ended without an answer (exit status 5)", "good-bye"),
        {"shop/models.py": "import os\nprint('good-bye', flush=True)\nos._exit(5)\n"},
    ),
    "an alias that is not SQLite": Bad(
        "django-database",
        ("database default of the project is postgresql, not SQLite", "other (sqlite)", "--database"),
        database('{"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x"}, '
                 f'"other": {{{SQLITE}, "NAME": "db.sqlite3"}}, "more": {{{SQLITE}, "NAME": "db.sqlite3"}}}}'),
    ),
    "an alias that does not exist": Bad(
        "django-database",
        ("DATABASES has no database archive; it has: default (sqlite)",),
        words=("--database", "archive"),
    ),
    "a file that does not exist": Bad(
        "django-database",
        ("has no file: gone.sqlite3",),
        database(f'{{"default": {{{SQLITE}, "NAME": "gone.sqlite3"}}}}'),
    ),
    "a database in memory": Bad(
        "django-database", ("has no file: :memory:",), database(f'{{"default": {{{SQLITE}, "NAME": ":memory:"}}}}')
    ),
    "a database in memory by URI": Bad(
        "django-database",
        ("has no file: file:x?mode=memory",),
        database(f'{{"default": {{{SQLITE}, "NAME": "file:x?mode=memory"}}}}'),
    ),
    "no database at all": Bad(
        "django-database", ("it has: none",), {"conf.py": SETTINGS.replace("DATABASES", "NONE")}
    ),
    "a database without a name": Bad(
        "django-database", ("has no file",), database(f'{{"default": {{{SQLITE}}}}}')
    ),
    "two last migrations": Bad(
        "django-migrations",
        ("app shop has 2 last migrations, 0002_more and 0002_other", "makemigrations --merge"),
        {**add_migration(""), **add_migration("", "0002_other")},
        never=("manage.py:",),
    ),
    "a migration that is not there": Bad(
        "django-migrations", ("0009_gone",), add_migration("", after="0009_gone")
    ),
    "a migration that cannot be imported": Bad(
        "django-failed",
        ("NameError", "shop/migrations/0002_more.py"),
        {"shop/migrations/0002_more.py": "oops\n"},
    ),
    "a migration that is none": Bad(
        "django-migrations", ("has no Migration class",), {"shop/migrations/0002_more.py": "x = 1\n"}
    ),
    "a database that ready() needs": Bad(
        "django-setup",
        ("OperationalError: no such table: shop_item", "shop/apps.py:6 in ready", "AppConfig.ready() must do without"),
        {
            "shop/apps.py": "from django.apps import AppConfig\n\nclass Shop(AppConfig):\n    name = 'shop'\n"
            "    def ready(self):\n        print(self.get_model('Item').objects.count())\n"
        },
    ),
    "a router that is not there": Bad(
        "django-failed", ("No module named 'routers'",), {"conf.py": SETTINGS + "DATABASE_ROUTERS = ['routers.Shop']\n"}
    ),
    "a file that is not SQLite": Bad(
        "source-not-sqlite", ("not a SQLite database",),
        {**database(f'{{"default": {{{SQLITE}, "NAME": "other.db"}}}}'), "other.db": "no database, " * 1000},
    ),
    "a file without Django's tables": Bad(
        "django-database", ("no table django_migrations",), sql="DROP TABLE django_migrations",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_project_is_one_clear_error(name: str, tmp_path: Path) -> None:
    bad = BAD[name]
    directory = make_project(tmp_path / "project", bad.files, bad.sql)
    without = tmp_path / "python-without-django"
    without.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    none = tmp_path / "no-python"
    none.write_text("no program\n")
    for path in (without, none):
        path.chmod(0o755)
    words = [{"PYTHON-WITHOUT-DJANGO": str(without), "NO-PYTHON": str(none)}.get(word, word) for word in bad.words]
    before = list_files(directory)
    found = call_ferry("check", "--django", directory, *words)
    assert found.status == 1, found
    shown = " ".join(found.err.split())
    for text in bad.says:
        assert text in shown, found.err
    assert shown.count(f"[{bad.code}]") == 1
    assert shown.count("liteferry: ") == 1
    assert "Traceback" not in shown
    for text in bad.never:
        assert text not in shown
    assert list_files(directory) == before


IFNULL = add_migration("migrations.RunSQL('CREATE VIEW shop_names AS SELECT ifnull(name, 0) AS n FROM shop_item')")
ANOTHER = "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0002_more', '2024-01-01');"
ON_POSTGRESQL = {
    "its SQL is SQLite's alone": (
        IFNULL,
        "CREATE VIEW shop_names AS SELECT ifnull(name, 0) AS n FROM shop_item;",
        ("migration shop.0002_more fails on PostgreSQL", "in RunSQL", "function ifnull(character varying, integer)",
         "the SQL was: CREATE VIEW shop_names AS SELECT ifnull(name, 0)"),
    ),
    "its code is for SQLite alone": (
        add_migration("migrations.RunPython(only_sqlite)"),
        "",
        ("migration shop.0002_more fails on PostgreSQL", "in RunPython", "ValueError: not for postgresql"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ON_POSTGRESQL)
@pytest.mark.parametrize("command", ["check", "migrate"])
def test_a_migration_that_fails_on_postgresql_is_named(
    command: str, name: str, tmp_path: Path, pg_database: Database
) -> None:
    files, sql, says = ON_POSTGRESQL[name]
    path = "shop/migrations/0002_more.py"
    text = (files[path] or "").replace(
        "class Migration",
        "def only_sqlite(apps, schema_editor):\n    if schema_editor.connection.vendor != 'sqlite':\n"
        "        raise ValueError('not for ' + schema_editor.connection.vendor)\n\n\nclass Migration",
    )
    directory = make_project(tmp_path / "project", {path: text}, sql + ANOTHER)
    before, there = list_files(directory), read_everything(pg_database.admin_url)
    more = ("--yes", "--run-dir", tmp_path / "run") if command == "migrate" else ()
    found = call_ferry(command, "--django", directory, pg_database.url, *more)
    assert found.status == 1, found
    shown = " ".join(found.err.split())
    assert shown.count("[django-migration]") == 1
    for part in says:
        assert part in shown, found.err
    assert list_files(directory) == before
    assert read_everything(pg_database.admin_url) == there


def test_an_interpreter_without_psycopg_is_told_so(tmp_path: Path, pg_database: Database) -> None:
    for name in ("psycopg", "psycopg2"):
        (tmp_path / "without").mkdir(exist_ok=True)
        (tmp_path / "without" / f"{name}.py").write_text("raise ImportError('it is not here')\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path / "without"}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    directory = make_project(tmp_path / "project", {})
    there = read_everything(pg_database.admin_url)
    found = call_ferry(
        "migrate", "--django", directory, pg_database.url, "--python", python, "--yes", "--run-dir", tmp_path / "run"
    )
    assert found.status == 1, found
    assert "has no psycopg" in found.err
    assert "[django-driver]" in found.err
    assert "pip install" in found.err
    assert read_everything(pg_database.admin_url) == there


def test_drift_stops_the_move_before_anything_is_touched(tmp_path: Path, pg_database: Database) -> None:
    adding = add_migration("migrations.AddField('Item', 'size', models.IntegerField(default=0))")
    models = {"shop/models.py": MODELS + "    size = models.IntegerField(default=0)\n"}
    directory = make_project(tmp_path / "project", {**adding, **models})
    before, there = list_files(directory), read_everything(pg_database.admin_url)
    found = call_ferry("migrate", "--django", directory, pg_database.url, "--yes", "--run-dir", tmp_path / "run")
    assert found.status == 4, found
    shown = " ".join((found.out + found.err).split())
    assert (
        "model field `Item.size` has no column shop_item.size: migration shop.0002_more, which adds it, is not" in shown
    )
    assert "python manage.py migrate" in shown
    assert "target-column-required" not in shown
    assert list_files(directory) == before
    assert read_everything(pg_database.admin_url) == there
    refused = call_ferry("check", "--django", directory, "--accept", "django-column-missing")
    assert refused.status == 2, refused
    assert "cannot be accepted, only repaired" in refused.err


def test_an_unmanaged_table_is_left_behind_when_accepted(tmp_path: Path, pg_database: Database) -> None:
    migration = add_migration(
        "migrations.CreateModel('Legacy', [('id', models.BigAutoField(primary_key=True, auto_created=True,"
        " serialize=False, verbose_name='ID')), ('word', models.TextField())],"
        " options={'managed': False, 'db_table': 'legacy'})"
    )
    sql = ANOTHER + "CREATE TABLE legacy (id integer PRIMARY KEY, word text); INSERT INTO legacy (word) VALUES ('old');"
    directory = make_project(tmp_path / "project", {"shop/models.py": MODELS + UNMANAGED, **migration}, sql)
    words = ("migrate", "--django", directory, pg_database.url, "--yes")
    found = call_ferry(*words, "--run-dir", tmp_path / "one")
    assert found.status == 4, found
    assert "the model shop.Legacy is unmanaged" in " ".join((found.out + found.err).split())
    assert not list_relations(pg_database.admin_url)
    found = call_ferry(*words, "--accept", "target-table-missing:legacy", "--run-dir", tmp_path / "two")
    assert found.status == 0, found
    assert list_relations(pg_database.admin_url) == ["django_migrations", "shop_item"]
    assert not has_schema(pg_database.admin_url, "liteferry_staging_public")


# ---------------------------------------------------------------------------------------------------------------------
# What is unusual, and works


ITEM_AWAY = """\
class Away:
    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return model_name != "secret"
"""
SECRET = """\


class Secret(models.Model):
    word = models.CharField(max_length=40)
"""
UNMANAGED = """\


class Legacy(models.Model):
    word = models.TextField()

    class Meta:
        managed = False
        db_table = "legacy"
"""
PERSON = """\


from django.contrib.auth.models import AbstractBaseUser


class Person(AbstractBaseUser):
    email = models.CharField(max_length=200, unique=True)
    USERNAME_FIELD = "email"
"""
CREATE_SECRET = (
    "migrations.CreateModel('Secret', [('id', models.BigAutoField(primary_key=True, auto_created=True, serialize=False,"
    " verbose_name='ID')), ('word', models.CharField(max_length=40))])"
)
APPLIED = "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0002_more', '2024-01-01');"


@dataclass
class Odd:
    """A project that is unusual. finds: what is found about it, as codes with places."""

    files: dict[str, str | None] = field(default_factory=dict)
    sql: str = ""
    finds: tuple[tuple[str, str], ...] = ()
    settings: str = ""
    database: str = ""
    models: tuple[str, ...] = ("shop.Item",)
    variables: dict[str, str] = field(default_factory=dict)


ODD = {
    "nothing unusual": Odd(),
    "settings named, and no manage.py": Odd({"manage.py": None}, settings="conf"),
    "it prints megabytes": Odd(
        {"shop/models.py": "import os\nprint('x' * 5_000_000)\nos.write(2, b'y' * 5_000_000)\n" + MODELS,
         "shop/migrations/0001_initial.py": "print('z' * 1_000_000)\n" + INITIAL}
    ),
    "it reads its input": Odd({"manage.py": "import sys\nassert sys.stdin.read() == ''\n" + MANAGE}),
    "ManagementUtility": Odd(
        {"manage.py": MANAGE.replace("import execute_from_command_line", "import ManagementUtility").replace(
            "execute_from_command_line(sys.argv)", "ManagementUtility(sys.argv).execute()")}
    ),
    "another package's way in": Odd(
        {
            "configurations_of_ours/__init__.py": "",
            "configurations_of_ours/management.py":
                "from django.core.management import execute_from_command_line, call_command\n",
            "manage.py": MANAGE.replace("django.core.management", "configurations_of_ours.management"),
        }
    ),
    "manage.py in a function that exits": Odd(
        {"manage.py": MANAGE.replace("execute_from", "sys.exit(execute_from").replace("(sys.argv)", "(sys.argv) or 3)")
            .replace("import sys.exit(execute_from_command_line", "import execute_from_command_line")}
    ),
    "manage.py reads a file of variables": Odd(
        {
            ".env": "SHOP_SECRET=1\n",
            "manage.py": "import os\nfor line in open('.env'):\n    name, _, value = line.strip().partition('=')\n"
            "    os.environ[name] = value\n" + MANAGE,
            "conf.py": "import os\nSECRET = os.environ['SHOP_SECRET']\n" + SETTINGS,
        }
    ),
    "manage.py that moves to another directory": Odd(
        {"src/conf.py": SETTINGS.replace("parent\n", "parent.parent\n"), "conf.py": None,
         "manage.py": "import os, sys\nos.chdir('src')\nsys.path.insert(0, os.getcwd())\n" + MANAGE}
    ),
    "a relative name": Odd({"conf.py": SETTINGS + f"DATABASES = {{'default': {{{SQLITE}, 'NAME': 'db.sqlite3'}}}}\n"}),
    "a name by URI": Odd(
        {"conf.py": SETTINGS + f"DATABASES = {{'default': {{{SQLITE}, 'NAME': 'file:db%2Esqlite3?mode=rw'}}}}\n"}
    ),
    "the only SQLite database is not the default": Odd(
        {"conf.py": SETTINGS + f"DATABASES = {{'default': {{}}, 'lite': {{{SQLITE}, 'NAME': 'db.sqlite3'}}}}\n"}
    ),
    "another alias": Odd(
        {"conf.py": SETTINGS + f"DATABASES['lite'] = {{{SQLITE}, 'NAME': 'db.sqlite3'}}\n"}, database="lite"
    ),
    "settings that open the database": Odd(
        {"conf.py": SETTINGS + "import sqlite3\nwith sqlite3.connect(BASE_DIR / 'db.sqlite3') as c:\n"
                    "    ITEMS = c.execute('SELECT count(*) FROM shop_item').fetchone()[0]\n"}
    ),
    "settings that open it by Django": Odd(
        {"conf.py": SETTINGS.replace("INSTALLED_APPS", "from django.conf import settings\nINSTALLED_APPS")
            + "from django.db import connections\nfrom django.db.utils import ConnectionHandler\n"
            "with ConnectionHandler(DATABASES)['default'].cursor() as c:\n    c.execute('SELECT 1 FROM shop_item')\n"}
    ),
    "an engine of its own": Odd(
        {
            "engine/__init__.py": "",
            "engine/base.py": "from django.db.backends.sqlite3 import base\n\n\nclass DatabaseWrapper("
            "base.DatabaseWrapper):\n    def get_new_connection(self, params):\n"
            "        connection = super().get_new_connection(params)\n"
            "        connection.create_function('shop_word', 0, lambda: 'word')\n        return connection\n",
            "conf.py": SETTINGS.replace("django.db.backends.sqlite3", "engine"),
            **add_migration("migrations.RunSQL('CREATE TABLE made_by AS SELECT shop_word() AS word',"
                            " 'DROP TABLE made_by')"),
        },
        "CREATE TABLE made_by (word);" + APPLIED,
    ),
    "a router keeps a model away": Odd(
        {"shop/models.py": MODELS + SECRET, "shop/routers.py": ITEM_AWAY, **add_migration(CREATE_SECRET),
         "conf.py": SETTINGS + "DATABASE_ROUTERS = ['shop.routers.Away']\n"},
        APPLIED,
        models=("shop.Item", "shop.Secret"),
    ),
    "a model that a router keeps away has no migration": Odd(
        {"shop/models.py": MODELS + SECRET, "shop/routers.py": ITEM_AWAY,
         "conf.py": SETTINGS + "DATABASE_ROUTERS = ['shop.routers.Away']\n"},
        models=("shop.Item", "shop.Secret"),
    ),
    "an unmanaged model without a table": Odd(
        {"shop/models.py": MODELS + UNMANAGED,
         **add_migration("migrations.CreateModel('Legacy', [('id', models.BigAutoField(primary_key=True,"
                         " auto_created=True, serialize=False, verbose_name='ID')), ('word', models.TextField())],"
                         " options={'managed': False, 'db_table': 'legacy'})")},
        APPLIED,
        models=("shop.Item", "shop.Legacy"),
    ),
    "an unmanaged model with a table": Odd(
        {"shop/models.py": MODELS + UNMANAGED,
         **add_migration("migrations.CreateModel('Legacy', [('id', models.BigAutoField(primary_key=True,"
                         " auto_created=True, serialize=False, verbose_name='ID')), ('word', models.TextField())],"
                         " options={'managed': False, 'db_table': 'legacy'})")},
        APPLIED + "CREATE TABLE legacy (id integer PRIMARY KEY, word text);",
        (("django-table-extra", "legacy"),),
        models=("shop.Item", "shop.Legacy"),
    ),
    "a swapped user model": Odd(
        {
            "conf.py": SETTINGS + "INSTALLED_APPS += ['django.contrib.auth', 'django.contrib.contenttypes']\n"
            "AUTH_USER_MODEL = 'shop.Person'\n",
            "shop/models.py": MODELS + PERSON,
        },
        finds=(("django-migration-unapplied", "contenttypes.0001_initial"),),
        models=("shop.Item", "shop.Person", "auth.Group"),
    ),
    "an app without migrations": Odd(
        {"plain/__init__.py": "", "plain/models.py": MODELS,
         "conf.py": SETTINGS + "INSTALLED_APPS.append('plain')\n"},
        'CREATE TABLE "plain_item" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(40) NOT NULL);',
        models=("shop.Item", "plain.Item"),
    ),
    "an app without migrations, and without its table": Odd(
        {"plain/__init__.py": "", "plain/models.py": MODELS,
         "conf.py": SETTINGS + "INSTALLED_APPS.append('plain')\n"},
        finds=(("django-table-missing", "plain_item"),),
        models=("shop.Item", "plain.Item"),
    ),
    "a model that has no migration": Odd(
        {"shop/models.py": MODELS + SECRET},
        finds=(("django-model-changed", "shop"),),
        models=("shop.Item", "shop.Secret"),
    ),
    "a change that only Python sees": Odd(
        {"shop/models.py": MODELS.replace("max_length=40", "max_length=40, help_text='which'")},
        finds=(("django-model-changed", "shop"),),
    ),
    "an unapplied migration": Odd(
        {**add_migration("migrations.RunPython(fail)")},
        finds=(("django-migration-unapplied", "shop.0002_more"),),
    ),
    "ready() that asks the database, and minds the answer": Odd(
        {
            "shop/apps.py": "from django.apps import AppConfig\nfrom django.db import DatabaseError\n\n\n"
            "class Shop(AppConfig):\n    name = 'shop'\n\n    def ready(self):\n        try:\n"
            "            self.get_model('Item').objects.count()\n        except DatabaseError:\n            pass\n"
        }
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ODD)
def test_what_is_unusual_works(name: str, tmp_path: Path) -> None:
    odd = ODD[name]
    directory = make_project(tmp_path / "project", odd.files, odd.sql)
    before = list_files(directory)
    if name == "an unapplied migration":  # it fails, whenever it runs
        directory = make_project(tmp_path / "another", {**odd.files, **add_migration("")}, odd.sql)
        before = list_files(directory)
    project, found = describe(directory, odd.settings, odd.database)
    known = {model.label for model in project.models}
    assert set(odd.models) <= known
    places = [(finding.code, finding.place) for finding in found]
    if name == "a swapped user model":
        assert set(odd.finds) <= set(places)
        assert "auth.User" not in known
        assert ("django-table-missing", "auth_user") not in places
    else:
        assert tuple(places) == odd.finds, found
    assert list_files(directory) == before
