"""Pruning: what goes with the rows that a rule names, held against what Django itself deletes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from liteferry.django_project import ProjectError, count_pruned, find_place, prune_snapshot, read_settings
from liteferry.errors import MigrationError
from liteferry.project import ProjectOptions, Pruned, PruneRule
from liteferry.source import open_snapshot
from liteferry.source.pruned import CopyState, refuse_changes

PROJECT = Path(__file__).parent / "projects" / "prune"
Tables = dict[str, list[tuple[Any, ...]]]


def in_project(code: str, *arguments: str, database: Path, python: str = sys.executable) -> None:
    """Run code in the project, with its receivers out of the way."""
    subprocess.run(
        [python, "-c", f"import sys, django; django.setup(); {code}", *arguments],
        cwd=PROJECT,
        env={
            **os.environ,
            "PRUNE_DATABASE": str(database),
            "PRUNE_QUIET": "1",
            "DJANGO_SETTINGS_MODULE": "prune_site.settings",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        check=True,
    )


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that the project's migrations made."""
    path = tmp_path_factory.mktemp("prune") / "empty.sqlite"
    in_project("from django.core.management import call_command as c; c('migrate', verbosity=0)", database=path)
    return path


def fill(empty: Path, seed: int) -> Path:
    """A database with rows, the same for the same seed. For reading: it stays for others."""
    path = empty.parent / f"full-{seed}.sqlite"
    if not path.exists():
        shutil.copy(empty, path)
        in_project("from library.filling import fill; fill(*sys.argv[1:])", str(seed), database=path)
    return path


@pytest.fixture(scope="session")
def full(empty: Path) -> Path:
    return fill(empty, 1)


@pytest.fixture
def copy(full: Path, tmp_path: Path) -> Path:
    path = tmp_path / "copy.sqlite"
    shutil.copy(full, path)
    return path


def prune(path: Path, *rules: PruneRule, dry_run: bool = False, python: str = sys.executable) -> dict[str, Pruned]:
    """Prune as the flow does: the project's own DATABASES leads to a file that must not be touched."""
    place = find_place(ProjectOptions(directory=str(PROJECT), python=python))
    settings, _ = read_settings(place)
    found = prune_snapshot(place, settings, "default", path, rules, dry_run=dry_run)
    return {row.model or row.table: row for row in found}


def rule(model: str, *filters: dict[str, object]) -> PruneRule:
    return PruneRule(model=model, filters=filters, all_rows=not filters)


def read(path: Path) -> Tables:
    """Every table as it is stored, rowids and sequences too."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            table: connection.execute(f'SELECT rowid, * FROM "{table}" ORDER BY rowid').fetchall() for table in tables
        }


def write(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def ask(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [row[0] for row in connection.execute(sql)]


def refused(path: Path, *rules: PruneRule) -> MigrationError:
    """The error, after which the copy is byte for byte what it was."""
    before = path.read_bytes()
    with pytest.raises(MigrationError) as caught:
        prune(path, *rules)
    assert caught.value.code == "django-prune"
    assert path.read_bytes() == before
    assert list(path.parent.glob(f"{path.name}*")) == [path]
    return caught.value


# ---------------------------------------------------------------------------------------------------------------------
# The same as Django


SAME: list[tuple[int, str, dict[str, Any]]] = [
    *((seed, "library.Author", {"is_test": True}) for seed in range(1, 6)),
    *((seed, "library.Author", {"created__lt": "2020-01-01", "pk__gt": 3}) for seed in range(6, 9)),
    (1, "library.Book", {"reviewer__is_test": True}),
    (2, "library.Book", {"series__isnull": False, "tags__name": "t1"}),
    (3, "library.Place", {"owner__isnull": True}),
    (4, "library.Shop", {"sells__tags__name__in": ["t1", "t2"]}),
    (5, "library.Antiquarian", {}),
    (6, "library.TestAuthor", {"code__endswith": "4", "pk__gt": 4}),
    (7, "library.Tag", {"pk__gt": 2}),
    (8, "contenttypes.ContentType", {"model": "device"}),
]


@pytest.mark.parametrize(("seed", "model", "lookups"), SAME)
def test_the_copy_becomes_what_django_would_make_of_it(
    empty: Path, tmp_path: Path, seed: int, model: str, lookups: dict[str, Any]
) -> None:
    """Every table, compared whole; signals, triggers, managers and methods of models have no part in it."""
    ours, theirs = tmp_path / "ours.sqlite", tmp_path / "theirs.sqlite"
    for path in (ours, theirs):
        shutil.copy(fill(empty, seed), path)
    before = read(ours)
    given = PruneRule(model=model, filters=(lookups,)) if lookups else PruneRule(model=model, all_rows=True)
    delete = "from library.filling import delete; delete(*sys.argv[1:])"
    in_project(delete, model, json.dumps(lookups), database=theirs)
    dry = prune(ours, given, dry_run=True)
    assert read(ours) == before
    pruned = prune(ours, given)
    assert dry == pruned
    after = read(ours)
    assert after == read(theirs)
    assert after != before
    assert {row.table: row.deleted - row.added for row in pruned.values() if row.deleted != row.added} == {
        table: len(rows) - len(after[table]) for table, rows in before.items() if len(rows) != len(after[table])
    }
    for row in pruned.values():  # what was counted as changed is what changed
        kept = {rowid: values for rowid, *values in after[row.table]}
        changed = [rowid for rowid, *values in before[row.table] if rowid in kept and kept[rowid] != values]
        assert row.updated == len(changed), row


OTHERS = Path(os.environ.get("LITEFERRY_TEST_DJANGO") or Path(__file__).parents[2] / ".cache" / "django")
"""Where environments with other versions of Django are, each in a directory of that name."""


@pytest.mark.parametrize("version", ["4.2", "6.0", "6.1"])
def test_other_versions_of_django(empty: Path, tmp_path: Path, version: str) -> None:
    python = OTHERS / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"there is no Django {version} in {OTHERS}")
    ours, theirs = tmp_path / "ours.sqlite", tmp_path / "theirs.sqlite"
    for path in (ours, theirs):
        shutil.copy(fill(empty, 1), path)
    delete = "from library.filling import delete; delete(*sys.argv[1:])"
    in_project(delete, "library.Author", '{"is_test": true}', database=theirs, python=str(python))
    assert prune(ours, rule("library.Author", {"is_test": True}), python=str(python))["library.Book"].updated
    assert read(ours) == read(theirs)
    assert ask(ours, "SELECT count(*) FROM library_author WHERE is_test") == [0]


def test_the_random_rows_reach_every_way(empty: Path, tmp_path: Path) -> None:
    """Else the comparison would say little."""
    reached: set[str] = set()
    for seed in (1, 2, 3):
        path = tmp_path / f"{seed}.sqlite"
        shutil.copy(fill(empty, seed), path)
        for name, row in prune(path, rule("library.Author", {"is_test": True})).items():
            reached |= {f"{name} {what}" for what in ("deleted", "updated", "added", "orphaned") if getattr(row, what)}
    wanted = {
        *("Author deleted", "Author updated", "Author added", "Book deleted", "Book updated", "Book_tags deleted"),
        *("Chapter deleted", "Note deleted", "Note orphaned", "Like orphaned", "PenName deleted", "Place deleted"),
        *("Shop deleted", "Shop_sells deleted", "Antiquarian deleted", "Antiquarian updated", "Visit deleted"),
        *("Series deleted", "Device deleted"),
    }
    assert {f"library.{name}" for name in wanted} <= reached


def test_memory_and_variables_are_bounded(empty: Path, tmp_path: Path) -> None:
    """More rows than SQLite takes variables in one statement, on every way; in a process of bounded memory."""
    path = tmp_path / "large.sqlite"
    shutil.copy(empty, path)
    some = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)"
    kind = ask(path, "SELECT id FROM django_content_type WHERE model = 'book'")[0]
    write(
        path,
        f"{some} INSERT INTO library_author (id, code, name, is_test, hidden, created)"
        " SELECT i, 'a' || i, 'x', i > 10, i % 2, '2020-01-01 00:00:00' FROM n",
        f"{some} INSERT INTO library_book (id, author_id, editor_id, reviewer_id)"
        " SELECT i, i, CASE WHEN i <= 10 THEN 20 + i END, CASE WHEN i <= 10 THEN i + 30 ELSE i END FROM n",
        f"{some} INSERT INTO library_book (author_id, editor_id, reviewer_id) SELECT 1, i, 1 FROM n",
        f"{some} INSERT INTO library_note (kind_id, number, text) SELECT {kind}, i, '' FROM n",
        f"{some} INSERT INTO library_chapter (book_id, text) SELECT i, '' FROM n",
    )
    pruned = prune(path, rule("library.Author", {"is_test": True}))
    assert pruned["library.Author"].deleted == 39990
    assert pruned["library.Book"].deleted == 39990
    assert pruned["library.Book"].updated == 39990 + 10
    assert pruned["library.Note"].deleted == 39990
    assert pruned["library.Chapter"].deleted == 39990
    made = pruned["library.Author"].added  # by Django 4.2, which asks SET() for its author even if no row needs one
    assert count_pruned(tuple(pruned.values())) == 5 * 39990 + 10 + made
    assert ask(path, "SELECT count(*) FROM library_book WHERE editor_id > 10") == [0]
    assert ask(path, "SELECT seq FROM sqlite_sequence WHERE name = 'library_author'") == [40000 + made]


# ---------------------------------------------------------------------------------------------------------------------
# The copy


def test_the_copy_keeps_its_form(copy: Path) -> None:
    """No receiver was heard, although the project's own would have written rows and turned WAL on."""
    before = read(copy)
    pruned = prune(copy, rule("library.Author", {"is_test": True}), rule("library.Chapter"))
    assert list(copy.parent.glob(f"{copy.name}*")) == [copy]
    assert ask(copy, "PRAGMA journal_mode") == ["delete"]
    assert ask(copy, "PRAGMA integrity_check") == ["ok"]
    after = read(copy)
    assert after["library_audit"] == []
    assert after["django_content_type"] == before["django_content_type"]
    sequences = {name: value for _, name, value in before["sqlite_sequence"]}
    added = {row.table: row.added for row in pruned.values() if row.added}
    assert {
        name: value - sequences[name] for _, name, value in after["sqlite_sequence"] if value != sequences[name]
    } == added
    untouched = set(before) - {row.table for row in pruned.values()} - {"sqlite_sequence"}
    assert {"auth_user", "library_tag", "library_publisher", "django_migrations"} <= untouched
    assert {table: before[table] for table in untouched} == {table: after[table] for table in untouched}


def test_triggers_stay_and_do_not_fire(copy: Path) -> None:
    triggers = [
        "CREATE TRIGGER gone AFTER DELETE ON library_book BEGIN INSERT INTO library_audit (what) VALUES ('x''y'); END",
        "CREATE TRIGGER \"no more\" BEFORE DELETE ON library_author BEGIN SELECT RAISE(ABORT, 'never'); END",
    ]
    write(copy, *triggers)
    assert prune(copy, rule("library.Author", {"is_test": True}))["library.Book"].deleted
    assert ask(copy, "SELECT sql FROM sqlite_schema WHERE type = 'trigger'") == triggers
    assert ask(copy, "SELECT count(*) FROM library_audit") == [0]


def test_rows_that_no_field_can_read_go_too(copy: Path) -> None:
    """Keys alone are read: dirt in other columns is no hindrance, where Django itself would raise."""
    write(copy, "UPDATE library_author SET created = 'never', born = '0000-13-99', name = x'ff' WHERE is_test")
    assert prune(copy, rule("library.Author", {"is_test": True}))["library.Author"].deleted
    assert ask(copy, "SELECT count(*) FROM library_author WHERE is_test") == [0]


def test_old_orphans_stay_as_they_are(copy: Path) -> None:
    write(
        copy,
        "UPDATE library_chapter SET book_id = 9999 WHERE id = 1",
        "UPDATE library_book SET author_id = 8888 WHERE id = 3",
    )
    prune(copy, rule("library.Tag"))
    with closing(sqlite3.connect(copy)) as connection:
        left = {(table, rowid) for table, rowid, *_ in connection.execute("PRAGMA foreign_key_check")}
    assert left == {("library_chapter", 1), ("library_book", 3)}


def test_hidden_rows_are_seen(copy: Path) -> None:
    """The default manager hides them; Django's base manager does not."""
    hidden = ask(copy, "SELECT count(*) FROM library_author WHERE hidden AND is_test")[0]
    assert hidden
    prune(copy, rule("library.Author", {"is_test": True}))
    assert ask(copy, "SELECT count(*) FROM library_author WHERE is_test") == [0]


# ---------------------------------------------------------------------------------------------------------------------
# Rules


def test_filters_add_up_and_order_does_not_matter(copy: Path, full: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    shutil.copy(full, other)
    rules = [
        rule("library.Author", {"is_test": True, "hidden": False}, {"code": "a30"}),
        rule("library.Book", {"author__is_test": True}),  # of those that the first rule would take already
        rule("library.Publisher", {"book__isnull": False}),  # protected, until the next rule has been followed
        rule("library.Book", {"publisher__isnull": False}),
    ]
    prune(copy, *rules)
    prune(other, *reversed(rules))
    for path in (copy, other):  # whether SET() had to make its author depends on which rows were there at its turn
        write(path, "DELETE FROM library_author WHERE code = 'nobody'", "DELETE FROM sqlite_sequence")
    assert read(copy) == read(other)
    assert ask(copy, "SELECT count(*) FROM library_author WHERE (is_test AND NOT hidden) OR code = 'a30'") == [0]
    assert ask(copy, "SELECT count(*) FROM library_author WHERE is_test AND hidden") != [0]


def test_who_led_to_what(copy: Path) -> None:
    pruned = prune(copy, rule("library.Author", {"is_test": True}), rule("library.PenName"))
    assert pruned["library.PenName"].by == ("library.Author", "library.PenName")
    assert pruned["library.Book"].by == ("library.Author",)
    assert list(pruned)[:2] == ["library.Author", "library.PenName"]


def test_a_rule_that_nothing_matches_is_told(copy: Path) -> None:
    before = read(copy)
    pruned = prune(copy, rule("library.Memory"), rule("library.Author", {"code": "zz"}, {"name": "Zoë"}))
    assert pruned == {
        "library.Memory": Pruned(
            model="library.Memory", table="library_memory", deleted=0, by=("library.Memory",), unmatched=("all rows",)
        ),
        "library.Author": Pruned(
            model="library.Author",
            table="library_author",
            deleted=0,
            by=("library.Author",),
            unmatched=("code = 'zz'", "name = 'Zoë'"),
        ),
    }
    assert read(copy) == before
    assert prune(copy) == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (rule("library.Autor"), ["no model library.Autor", "did you mean library.Author?"]),
        (rule("nothing.Author"), ["no model nothing.Author"]),
        (rule("library.Author", {"is_tset": True}), ["rule 1", "library.Author has no field is_tset", "mean is_test?"]),
        (rule("library.Author", {"code__begins": "a"}), ["rule 1, library.Author (code__begins = 'a')", "begins"]),
        (rule("library.Author", {"books__titel": 1}), ["titel"]),
        (rule("library.Author", {"id": "one"}), ["rule 1", "expected a number but got 'one'"]),
        (rule("library.Author", {"created__lt": "soon"}), ["created__lt", "soon"]),
        (rule("library.Author", {"is_test": "perhaps"}), ["is_test", "perhaps"]),
        (rule("library.Author", {"id__in": 3}), ["id__in"]),
        (rule("library.Author", {"born__isnull": 1}), ["born__isnull"]),
        (rule("library.Author", {"_connector": "OR", "id": 1}), ["_connector"]),
        (rule("library.Device", {"id": "no uuid"}), ["no uuid"]),
    ],
    ids=lambda given: "" if isinstance(given, list) else f"{given.model} {given.filters}",
)
def test_a_wrong_rule_is_named(copy: Path, given: PruneRule, words: list[str]) -> None:
    error = refused(copy, given)
    assert not [word for word in words if word not in f"{error.what} {error.hint}"], f"{error.what} {error.hint}"


def test_a_table_that_is_not_there(copy: Path) -> None:
    write(copy, "DROP TABLE library_chapter")
    assert "no such table: library_chapter" in refused(copy, rule("library.Chapter")).what


# ---------------------------------------------------------------------------------------------------------------------
# What holds on


def test_a_protected_row_stops_all(copy: Path) -> None:
    count = ask(copy, "SELECT count(*) FROM library_book WHERE publisher_id IS NOT NULL")[0]
    error = refused(copy, rule("library.Tag"), rule("library.Publisher"))
    assert f"rule 2, library.Publisher: its rows are held by on_delete: {count} rows of library.Book" in error.what
    assert " by PROTECT (primary key " in error.what


def test_a_restricted_row_stops_all_unless_it_goes_itself(copy: Path) -> None:
    kept = ask(copy, "SELECT count(*) FROM library_book WHERE series_id = 1")[0]
    assert f"{kept} rows of library.Book.series" in refused(copy, rule("library.Series", {"pk": 1})).what
    owner = ask(copy, "SELECT owner_id FROM library_series WHERE id = 1")[0]
    if owner > 3:
        assert prune(copy, rule("library.Author", {"pk": owner}))["library.Series"].deleted


def test_left_alone_with_a_constraint_is_refused_and_without_is_told(copy: Path) -> None:
    write(
        copy,
        "INSERT INTO library_memory (id, author_id) SELECT id, id FROM library_author WHERE id > 3",
        "INSERT INTO library_memory (id, author_id) VALUES (500, 700)",  # refers to nothing already
    )
    gone = ask(copy, "SELECT count(*) FROM library_author WHERE is_test")[0]
    before = read(copy)["library_memory"]
    assert prune(copy, rule("library.Author", {"is_test": True}), dry_run=True)["library.Memory"].orphaned == gone
    assert prune(copy, rule("library.Author", {"is_test": True}))["library.Memory"].orphaned == gone
    assert read(copy)["library_memory"] == before
    last = ask(copy, "SELECT max(id) FROM library_author WHERE id > 3 AND code <> 'nobody'")[0]
    write(copy, f"INSERT INTO library_grave (id, author_id) VALUES (1, {last})")
    error = refused(copy, rule("library.Author", {"pk": last}))
    assert "1 row of library.Grave would refer to rows of library.Author that are gone (rowid 1)" in error.what
    assert prune(copy, rule("library.Author", {"pk": last}), rule("library.Grave"))["library.Grave"].deleted == 1


def test_left_alone_in_a_file_without_the_constraint_is_refused_too(copy: Path) -> None:
    """PostgreSQL's table will have it: the migrations make it there."""
    write(
        copy,
        "DROP TABLE library_grave",
        "CREATE TABLE library_grave (id integer PRIMARY KEY, author_id bigint)",
        "INSERT INTO library_grave SELECT 1, max(id) FROM library_author",
    )
    last = ask(copy, "SELECT max(id) FROM library_author")[0]
    error = refused(copy, rule("library.Author", {"pk": last}))
    assert "1 row of library.Grave would refer by author to rows of library.Author that are gone" in error.what


def test_tables_of_nobody(copy: Path) -> None:
    """What the database itself deletes is counted; what it would leave without a parent is refused."""
    write(
        copy,
        "CREATE TABLE shelf (id integer PRIMARY KEY, book_id bigint REFERENCES library_book ON DELETE CASCADE)",
        "INSERT INTO shelf SELECT id, id FROM library_book",
    )
    write(
        copy,
        'CREATE TABLE "50% ""off""" (id integer PRIMARY KEY, book_id bigint REFERENCES library_book'
        " ON DELETE SET NULL)",
        'INSERT INTO "50% ""off""" SELECT id, id FROM library_book',
        "CREATE TABLE odd (book_id bigint PRIMARY KEY REFERENCES library_book ON DELETE CASCADE) WITHOUT ROWID",
        "INSERT INTO odd SELECT id FROM library_book",
    )
    pruned = prune(copy, rule("library.Book", {"pk": 1}))
    count = pruned["library.Book"].deleted
    assert pruned["shelf"] == Pruned(model="", table="shelf", deleted=count)
    assert pruned["odd"] == Pruned(model="", table="odd", deleted=count)
    assert pruned['50% "off"'] == Pruned(model="", table='50% "off"', deleted=0, updated=count)
    write(
        copy,
        "CREATE TABLE attic (id integer PRIMARY KEY, tag_id bigint REFERENCES library_tag DEFERRABLE"
        " INITIALLY DEFERRED)",
        "INSERT INTO attic VALUES (1, 1)",
    )
    error = refused(copy, rule("library.Tag", {"pk": 1}))
    assert "1 row of table attic would refer to rows of library.Tag that are gone" in error.what


def test_what_a_default_points_at_must_stay(copy: Path) -> None:
    """SET_DEFAULT, and the default is among what goes."""
    error = refused(copy, rule("library.Author", {"pk__lte": 3}))
    assert "of library.Book would refer to rows of library.Author that are gone" in error.what


# ---------------------------------------------------------------------------------------------------------------------
# Faults


def project_with(tmp_path: Path, path: str, old: str, new: str) -> Path:
    """The project with a piece of code changed."""
    home = tmp_path / "project"
    shutil.copytree(PROJECT, home, ignore=shutil.ignore_patterns("__pycache__"))
    text = (home / path).read_text()
    assert old in text
    (home / path).write_text(text.replace(old, new))
    return home


def prune_project(home: Path, path: Path, *rules: PruneRule) -> tuple[Pruned, ...]:
    place = find_place(ProjectOptions(directory=str(home), python=sys.executable))
    settings, _ = read_settings(place)
    return prune_snapshot(place, settings, "default", path, rules)


def test_a_handler_that_raises(copy: Path, tmp_path: Path) -> None:
    home = project_with(
        tmp_path, "library/models.py", "    return Author.objects.get_or_create(", "    1 / 0\n    return Author("
    )
    before = copy.read_bytes()
    with pytest.raises(ProjectError) as caught:
        prune_project(home, copy, rule("library.Author", {"is_test": True}))
    assert caught.value.code == "django-prune"
    assert "pruning library.Author: " in caught.value.what
    assert "ZeroDivisionError" in caught.value.what
    assert "library/models.py" in caught.value.what
    assert copy.read_bytes() == before


def test_a_handler_that_writes_elsewhere_is_noticed(copy: Path, tmp_path: Path) -> None:
    """It opens the copy by its own means, after the transaction: only we can see that."""
    home = project_with(
        tmp_path,
        "library/models.py",
        "    return Author.objects.get_or_create(",
        "    import atexit, sqlite3\n"
        f"    atexit.register(lambda: sqlite3.connect({str(copy)!r}, isolation_level=None)"
        ".execute(\"INSERT INTO library_audit (what) VALUES ('x')\"))\n"
        "    return Author.objects.get_or_create(",
    )
    with pytest.raises(MigrationError) as caught:
        prune_project(home, copy, rule("library.Author", {"is_test": True}))
    assert caught.value.code == "django-prune"
    assert "table library_audit has 1 rows and should have 0" in caught.value.what


STATE = CopyState(
    journal_mode="delete",
    schema=frozenset({("table", "a", "a", "CREATE TABLE a (id integer)"), ("trigger", "t", "a", "CREATE TRIGGER t")}),
    sequences={"a": 9},
    rows={"a": 5, "b": 1},
    violations={("a", "b", 0): 2},
    side_files=(),
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"side_files": ("-journal",)}, "-journal was left beside it"),
        ({"journal_mode": "wal"}, "its journal mode is wal"),
        ({"schema": frozenset(list(STATE.schema)[:1])}, "changed"),
        ({"rows": {"a": 4, "b": 1}}, "table a has 4 rows and should have 3"),
        ({"rows": {"a": 3, "b": 1, "c": 1}}, "table c has 1 rows and should have 0"),
        ({"rows": {"a": 3}}, "table b has 0 rows and should have 1"),
        ({"sequences": {"a": 8}}, "the sequence of table a changed"),
        ({"sequences": {"a": 10}}, "the sequence of table a changed"),
        ({"sequences": {"a": 9, "b": 1}}, "the sequence of table b changed"),
        ({"sequences": {}}, "the sequence of table a is gone"),
        ({"violations": {("a", "b", 0): 3}}, "1 rows of table a have no row of b any more"),
        ({"violations": {("b", "a", 0): 1}}, "1 rows of table b have no row of a any more"),
    ],
)
def test_what_else_changed_is_noticed(change: dict[str, Any], words: str) -> None:
    as_said = replace(STATE, rows={"a": 3, "b": 1}, violations={})
    refuse_changes(STATE, as_said, {"a": -2})
    refuse_changes(STATE, replace(as_said, sequences={"a": 10}), {"a": -2}, {"a"})
    with pytest.raises(MigrationError) as caught:
        refuse_changes(STATE, replace(as_said, **change), {"a": -2})
    assert caught.value.code == "django-prune"
    assert words in caught.value.what


def test_what_applications_do_when_they_start_does_not_reach_the_copy(copy: Path, tmp_path: Path) -> None:
    home = project_with(
        tmp_path,
        "library/apps.py",
        "        if os.environ.get",
        "        from django.db import connection\n"
        "        connection.cursor().execute('CREATE TABLE started (id integer)')\n"
        "        if os.environ.get",
    )
    pruned = prune_project(home, copy, rule("library.Tag"))
    assert pruned[0].deleted == 6
    assert ask(copy, "SELECT count(*) FROM sqlite_schema WHERE name = 'started'") == [0]


def test_the_live_file_is_not_touched(copy: Path, full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = full.read_bytes()
    monkeypatch.setenv("PRUNE_DATABASE", str(full))
    prune(copy, rule("library.Author", {"is_test": True}))
    assert full.read_bytes() == before
    assert list(full.parent.glob(f"{full.name}*")) == [full]


# ---------------------------------------------------------------------------------------------------------------------
# As a snapshot


def test_a_snapshot_is_pruned_before_anything_is_read(full: Path, tmp_path: Path) -> None:
    digests = []

    def prepare(path: Path) -> int:
        digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
        return count_pruned(tuple(prune(path, rule("library.Chapter")).values()))

    source = full.read_bytes()
    with open_snapshot(full, directory=tmp_path / "run", prepare=prepare) as snapshot:
        table = snapshot.read_catalog().table("library_chapter")
        assert list(snapshot.read_rows(table, ["id"])) == []
        assert snapshot.info.pruned_rows == 90
        assert table.sequence_value == 90
        assert [snapshot.info.sha256] == digests
    assert full.read_bytes() == source
    assert list((tmp_path / "run").iterdir()) == []


def test_a_snapshot_that_cannot_be_pruned_goes_away(full: Path, tmp_path: Path) -> None:
    def prepare(path: Path) -> int:
        path.with_name(f"{path.name}-journal").write_bytes(b"")  # as a process that was killed leaves one
        prune(path, rule("library.Publisher"))
        raise AssertionError

    with (
        pytest.raises(MigrationError, match="PROTECT"),
        open_snapshot(full, directory=tmp_path / "run", prepare=prepare),
    ):
        raise AssertionError
    assert list((tmp_path / "run").iterdir()) == []


def test_without_a_copy_nothing_can_be_pruned(full: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(MigrationError, match="--snapshot none makes none") as caught,
        open_snapshot(full, directory=tmp_path / "run", mode="none", prepare=lambda _: 0),
    ):
        raise AssertionError
    assert caught.value.code == "usage"
