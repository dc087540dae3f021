"""Undo: what a run published goes away, and nothing else ever does."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from harness import (
    SECRET,
    SHOP,
    Outcome,
    assert_error,
    call_ferry,
    execute,
    give_to_carrier,
    has_schema,
    list_relations,
    make_shop,
    read_everything,
    run_ferry,
    untouched,
)
from liteferry import undo as take_away

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Database, PostgresServer
    from liteferry import Event

Published = tuple[str, "Path"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return make_shop(tmp_path / "source" / "shop.sqlite")


@pytest.fixture
def run_dir(shop: Path, tmp_path: Path, pg_url: str) -> Path:
    """The directory of a run that published."""
    outcome = call_ferry("migrate", shop, pg_url, "--yes", "--json", "--run-dir", tmp_path / "run")
    assert outcome.report.verdict == "proven"
    return tmp_path / "run"


def undo(run_dir: Path, *options: str) -> Outcome:
    return call_ferry("undo", run_dir, "--yes", "--json", *options)


def read_state(run_dir: Path) -> str:
    with closing(sqlite3.connect(run_dir / "journal.sqlite")) as db:
        (state,) = db.execute("SELECT value FROM run WHERE key = 'state'").fetchone()
        return str(state)


def test_there_and_back_and_there_again(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    before = read_everything(pg_admin_url)
    for turn in ("first", "second"):
        with untouched(shop):
            migrated = call_ferry("migrate", shop, pg_url, "--yes", "--json", "--run-dir", tmp_path / turn)
            assert migrated.report.verdict == "proven"
            assert list_relations(pg_admin_url) == SHOP
            undone = undo(tmp_path / turn)
        assert undone.status == 0
        assert undone.report.undone_at
        assert not undone.report.published
        assert read_everything(pg_admin_url) == before
        assert read_state(tmp_path / turn) == "undone"


@pytest.mark.parametrize("lost", ["journal.sqlite", "report.json"])
def test_what_was_undone_is_undone_though_it_cannot_be_written_down(
    lost: str, run_dir: Path, pg_url: str, pg_admin_url: str
) -> None:
    """The disk may be full by then, or somebody has tidied up: the tables are gone all the same, and it is said so."""
    notes: list[str] = []

    def tidy_up(event: Event) -> None:
        if event.kind == "warning":
            notes.append(event.message)
        elif lost == "journal.sqlite":
            (run_dir / lost).rename(run_dir / "aside")
        else:
            (run_dir / f"{lost}.part").mkdir()  # where it would be written first

    def tidy_up_once(event: Event) -> None:
        with suppress(FileNotFoundError, FileExistsError):
            tidy_up(event)

    assert take_away(run_dir, pg_url, tidy_up_once).undone_at
    assert list_relations(pg_admin_url) == []
    assert [note for note in notes if "everything is undone" in note and lost in note], notes


def test_it_says_what_it_took_away(run_dir: Path) -> None:
    outcome = call_ferry("undo", run_dir, "--yes")
    assert outcome.out == "Undone: 3 tables with 224 rows are gone from schema public.\n"
    assert "The run was undone" in call_ferry("report", run_dir).out


CHANGES = [
    ("INSERT INTO note VALUES ('new', 9)", "note: 5 rows now, 4 then"),
    ("DELETE FROM note WHERE number = 3", "note: 3 rows now, 4 then"),
    ("DELETE FROM note WHERE ctid = '(0,1)'; INSERT INTO note VALUES ('once', 1)", "note: 4 rows as before"),
    ("UPDATE purchase SET total = total + 0.01 WHERE id = 7", "purchase: 200 rows as before, but other values"),
    ("UPDATE customer SET name = upper(name)", "customer: 20 rows as before, but other values"),
    ("TRUNCATE purchase", "purchase: 0 rows now, 200 then"),
    ("DELETE FROM customer", "customer: 0 rows now, 20 then; purchase: 0 rows now, 200 then"),
]


@pytest.mark.parametrize(("sql", "says"), CHANGES, ids=range(len(CHANGES)))
def test_rows_that_were_written_since(sql: str, says: str, run_dir: Path, pg_url: str, pg_admin_url: str) -> None:
    execute(pg_url, f"SET search_path = public; {sql}")
    before = read_everything(pg_admin_url)
    outcome = undo(run_dir)
    assert_error(outcome, "undo-refused", "rows were written since", says, "nothing was touched")
    assert read_everything(pg_admin_url) == before
    assert read_state(run_dir) == "published"


def test_a_change_that_is_taken_back_does_not_count(run_dir: Path, pg_url: str, pg_admin_url: str) -> None:
    execute(
        pg_url,
        "UPDATE public.purchase SET total = 99 WHERE id = 7",
        "UPDATE public.purchase SET total = 1.5 WHERE id = 7",
    )
    assert undo(run_dir).status == 0
    assert list_relations(pg_admin_url) == []


OBJECTS = [
    ("DROP VIEW large_purchase; DROP TABLE purchase", "2 of 4 objects are not the run's any more: table purchase"),
    (
        "ALTER TABLE note RENAME TO old; CREATE TABLE note AS SELECT * FROM old; DROP TABLE old",
        "1 of 4 objects are not the run's any more: table note",
    ),
    ("ALTER TABLE note RENAME TO remark", "1 of 4 objects are not the run's any more: table note"),
    ("ALTER TABLE note ADD COLUMN author text", "1 table with other columns than the run published: note"),
    ("ALTER TABLE note RENAME COLUMN line TO text", "1 table with other columns than the run published: note"),
    ("CREATE VIEW mine AS SELECT * FROM note", "something else depends on what the run published"),
    (
        "CREATE TABLE mine (customer bigint REFERENCES customer)",
        "something else depends on what the run published",
    ),
    (
        "CREATE FUNCTION mine() RETURNS SETOF note LANGUAGE sql AS 'SELECT * FROM public.note'",
        "something else depends on what the run published",
    ),
]


@pytest.mark.parametrize(("sql", "says"), OBJECTS, ids=range(len(OBJECTS)))
def test_objects_that_are_somebodys(sql: str, says: str, run_dir: Path, pg_url: str, pg_admin_url: str) -> None:
    execute(pg_url, f"SET search_path = public; {sql}")
    before = read_everything(pg_admin_url)
    outcome = undo(run_dir)
    assert_error(outcome, "undo-refused", says)
    assert read_everything(pg_admin_url) == before
    assert read_state(run_dir) == "published"


def test_a_stranger_beside_it_stays(run_dir: Path, pg_url: str, pg_admin_url: str) -> None:
    execute(pg_url, "CREATE TABLE public.mine AS SELECT 1 AS x")
    assert undo(run_dir).status == 0
    assert list_relations(pg_admin_url) == ["mine"]


def test_everything_was_dropped_by_hand(run_dir: Path, pg_url: str) -> None:
    execute(pg_url, "DROP TABLE public.customer, public.purchase, public.note CASCADE")
    assert_error(undo(run_dir), "undo-nothing", "nothing of what the run published is in schema public")


def test_once_only(run_dir: Path, pg_admin_url: str) -> None:
    assert undo(run_dir).status == 0
    before = read_everything(pg_admin_url)
    assert_error(undo(run_dir), "undo-nothing", "its state is undone", "only once")
    assert read_everything(pg_admin_url) == before


def test_the_wrong_database(run_dir: Path, pg_server: PostgresServer) -> None:
    other = pg_server.create_database()
    assert_error(undo(run_dir, "--target", other.url), "undo-nothing", "is this the right server and database?")
    pg_server.drop_database(other.name)


def test_a_blocked_run(shop: Path, tmp_path: Path, pg_url: str) -> None:
    execute(pg_url, "CREATE TABLE public.mine (x int)")
    blocked = call_ferry("migrate", shop, pg_url, "--yes", "--json", "--run-dir", tmp_path / "run")
    assert blocked.status == 4
    assert_error(undo(tmp_path / "run"), "undo-nothing", "its state is blocked")


def test_a_directory_that_is_no_runs(tmp_path: Path) -> None:
    assert_error(undo(tmp_path), "run-dir", "it has no journal.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"not a database, but long enough to be taken for something" * 20)
    assert_error(undo(tmp_path), "run-dir", "cannot be used")


def test_the_schema_goes_where_the_run_made_it(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    before = read_everything(pg_admin_url)
    migrate = ("migrate", shop, pg_url, "--yes", "--json", "--schema", "Our Shop", "--run-dir", tmp_path / "run")
    assert call_ferry(*migrate).report.verdict == "proven"
    assert list_relations(pg_admin_url, "Our Shop") == SHOP
    assert call_ferry("verify", shop, pg_url, "--run-dir", tmp_path / "run").status == 0
    assert undo(tmp_path / "run").status == 0
    assert not has_schema(pg_admin_url, "Our Shop")
    assert read_everything(pg_admin_url) == before


def test_a_schema_of_the_runs_that_holds_something_else(
    shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    migrate = ("migrate", shop, pg_url, "--yes", "--json", "--schema", "made", "--run-dir", tmp_path / "run")
    assert call_ferry(*migrate).report.verdict == "proven"
    execute(pg_url, "CREATE TABLE made.mine (x int)")
    before = read_everything(pg_admin_url)
    assert_error(undo(tmp_path / "run"), "undo-refused", "something else depends")
    assert read_everything(pg_admin_url) == before


def test_a_source_without_tables(tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    """Nothing is published, and nothing is taken away; but the schema that was made is."""
    source = tmp_path / "empty.sqlite"
    with closing(sqlite3.connect(source)) as db:
        db.execute("PRAGMA user_version = 1")
    before = read_everything(pg_admin_url)
    for schema in ("public", "made"):
        run_dir = tmp_path / f"run-{schema}"
        migrate = ("migrate", source, pg_url, "--yes", "--json", "--schema", schema, "--run-dir", run_dir)
        assert call_ferry(*migrate).report.verdict == "proven"
        assert has_schema(pg_admin_url, schema)
        assert undo(run_dir).status == 0
        assert read_everything(pg_admin_url) == before


def test_a_run_without_a_proof_is_held_against_its_counts(shop: Path, tmp_path: Path, pg_url: str) -> None:
    migrate = ("migrate", shop, pg_url, "--yes", "--json", "--no-verify", "--run-dir", tmp_path / "run")
    assert call_ferry(*migrate).status == 3
    execute(pg_url, "INSERT INTO public.note VALUES ('new', 9)")
    assert_error(undo(tmp_path / "run"), "undo-refused", "note: 5 rows now, 4 then")
    execute(pg_url, "DELETE FROM public.note WHERE number = 9")
    assert undo(tmp_path / "run").status == 0


def test_the_address_holds_no_password(
    shop: Path, tmp_path: Path, pg_server: PostgresServer, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = give_to_carrier(pg_server, pg_database)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    migrate = ("migrate", shop, url, "--yes", "--json", "--run-dir", tmp_path / "run")
    assert call_ferry(*migrate).report.verdict == "proven"
    assert_error(undo(tmp_path / "run"), "auth-failed", "none was given")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    assert undo(tmp_path / "run").status == 0


def test_nobody_is_asked_without_a_terminal(run_dir: Path, pg_admin_url: str) -> None:
    assert_error(run_ferry("undo", run_dir, "--json"), "usage", "--yes was not given", status=2)
    assert list_relations(pg_admin_url) == SHOP


def test_nobody_else_can_write_meanwhile(run_dir: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and dropping no row can get in: an insert has to wait, and finds no table then."""
    import psycopg

    from liteferry import rollback

    refused = []
    real: Callable[..., list[str]] = rollback._find_changes

    def find_changes(*arguments: object) -> list[str]:
        found = real(*arguments)
        with psycopg.connect(pg_url, autocommit=True) as other:
            other.execute("SET lock_timeout = '100ms'")
            try:
                other.execute("INSERT INTO public.note VALUES ('late', 1)")
            except psycopg.errors.LockNotAvailable:
                refused.append(True)
        return found

    monkeypatch.setattr(rollback, "_find_changes", find_changes)
    assert undo(run_dir).status == 0
    assert refused == [True]


DEFINITIONS = [
    ("CREATE INDEX mine ON purchase (total)", "index mine on purchase"),
    ("ALTER TABLE note ALTER line SET DEFAULT 'mine'", "column line of note: the value"),
    ("ALTER TABLE note ADD CONSTRAINT mine CHECK (number < 99)", "check mine on note"),
    ("CREATE TRIGGER mine BEFORE INSERT ON note EXECUTE FUNCTION suppress_redundant_updates_trigger()", "trigger mine"),
    ("CREATE RULE mine AS ON DELETE TO note DO INSTEAD NOTHING", "rule mine on note"),
    ("ALTER TABLE note ENABLE ROW LEVEL SECURITY", "row level security on note"),
    ("CREATE OR REPLACE VIEW large_purchase AS SELECT id, total FROM purchase WHERE total > 11", "view large_purchase"),
]


@pytest.mark.parametrize(("sql", "says"), DEFINITIONS, ids=range(len(DEFINITIONS)))
def test_definitions_that_somebody_changed(sql: str, says: str, run_dir: Path, pg_url: str, pg_admin_url: str) -> None:
    execute(pg_url, f"SET search_path = public; {sql}")
    before = read_everything(pg_admin_url)
    outcome = undo(run_dir)
    assert_error(outcome, "undo-refused", "1 definition not as the run published them", says, "nothing was touched")
    assert read_everything(pg_admin_url) == before
    assert read_state(run_dir) == "published"


def test_a_run_without_a_proof_is_held_against_its_rows(
    shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    """There are no digests to tell a changed value by; but each row tells which transaction wrote it."""
    migrate = ("migrate", shop, pg_url, "--yes", "--json", "--no-verify", "--run-dir", tmp_path / "run")
    assert call_ferry(*migrate).status == 3
    execute(pg_url, "UPDATE public.purchase SET total = total + 0.01 WHERE id IN (7, 8)", "VACUUM FULL public.purchase")
    before = read_everything(pg_admin_url)
    said = "purchase: 200 rows as before, but 2 of them were written since"
    assert_error(undo(tmp_path / "run"), "undo-refused", said)
    assert read_everything(pg_admin_url) == before


def test_a_run_without_a_proof_that_nobody_touched(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    migrate = ("migrate", shop, pg_url, "--yes", "--json", "--no-verify", "--run-dir", tmp_path / "run")
    assert call_ferry(*migrate).status == 3
    execute(pg_url, "VACUUM FULL FREEZE public.purchase")
    assert undo(tmp_path / "run").status == 0
    assert list_relations(pg_admin_url) == []
