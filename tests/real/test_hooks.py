"""SQL of the user's in a run: where it runs, what is found of what it does, and that all of it goes away again."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import (
    SHOP,
    Ferry,
    Outcome,
    assert_error,
    call_ferry,
    execute,
    has_schema,
    list_relations,
    make_shop,
    read_everything,
    untouched,
    wait_until,
)
from liteferry import scripts
from liteferry.model import HookChange

if TYPE_CHECKING:
    from pathlib import Path

POINTS = (
    "before-pre-data",
    "after-pre-data",
    "before-data",
    "after-data",
    "before-post-data",
    "after-post-data",
    "before-publish",
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return make_shop(tmp_path / "source" / "shop.sqlite")


def write_hooks(directory: Path, **hooks: str) -> Path:
    """A file of decisions with a hook's SQL at each point; ``undo_POINT`` is its undo file."""
    lines = ["[hooks]"]
    for point, sql in hooks.items():
        (directory / f"{point}.sql").write_text(sql)
        name = point.replace("_", "-")
        if not point.startswith("undo_"):
            undo = f', undo = "undo_{point}.sql"' if f"undo_{point}" in hooks else ""
            lines.append(f'{name} = {{ run = "{point}.sql"{undo} }}')
    (directory / "liteferry.toml").write_text("\n".join(lines))
    return directory / "liteferry.toml"


def migrate(shop: Path, url: str, config: Path, *options: str) -> Outcome:
    run_dir = config.parent / f"run-{len(list(config.parent.glob('run-*')))}"
    return call_ferry("migrate", shop, url, "--yes", "--json", "--run-dir", run_dir, "--config", config, *options)


def undo(outcome: Outcome, url: str) -> Outcome:
    return call_ferry("undo", outcome.report.run_dir, "--target", url, "--yes", "--json")


def read(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_each_runs_where_it_says(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    """What a hook sees: the tables, their rows, their keys; nothing of the schema's name in it."""
    note = (
        "INSERT INTO {0} SELECT (SELECT count(*) FROM pg_class WHERE relname = 'note'),"
        " (SELECT count(*) FROM pg_constraint WHERE conname = 'customer_pkey'),"
        " (SELECT count(*) FROM pg_class WHERE relname = 'large_purchase')"
    )
    rows = ", (SELECT count(*) FROM purchase)"
    first = "CREATE TABLE seen (point serial, tables int, keys int, views int, rows int);"
    hooks = {"before_pre_data": first + note.format("seen (tables, keys, views)")}
    for point in POINTS[1:]:
        name = point.replace("-", "_")
        hooks[name] = note.format("seen (tables, keys, views, rows)") + rows
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, **hooks))
    assert outcome.status == 0, outcome
    found = read(pg_admin_url, "SELECT tables, keys, views, rows FROM seen ORDER BY point")
    assert found == [
        (0, 0, 0, None),
        (1, 0, 0, 0),
        (1, 0, 0, 0),
        (1, 0, 0, 200),
        (1, 0, 0, 200),
        (1, 1, 1, 200),
        (1, 1, 1, 200),
    ]
    assert [run.file.point for run in outcome.report.hooks] == list(POINTS)
    assert outcome.report.hooks[0].changes == (HookChange(change="made", kind="table", name="seen", table="seen"),)
    assert undo(outcome, pg_url).status == 0
    assert list_relations(pg_admin_url) == []


@pytest.mark.parametrize(
    ("sql", "line", "words"),
    [
        ("SELECT 1;\nSELEC 2", 2, "syntax error"),
        ("SELECT 1;\n\nSELECT * FROM nowhere", 3, "nowhere"),
        ("INSERT INTO customer (id, name) VALUES (1, 'again'), (1, 'and again')", 0, "duplicate key"),
        ("DO $$ BEGIN RAISE EXCEPTION 'no more'; END $$", 0, "no more"),
        ("DO $$ BEGIN COMMIT; END $$", 0, "transaction termination"),
        ("VACUUM customer", 0, "VACUUM cannot run"),
    ],
)
def test_its_failure_is_a_failure(
    sql: str, line: int, words: str, shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    before = read_everything(pg_admin_url)
    hooks = {
        "before_data": "CREATE SCHEMA aside; CREATE TABLE mine (v int)",
        "undo_before_data": "DROP SCHEMA aside",
        "after_post_data": sql,
    }
    config = write_hooks(tmp_path, **hooks)
    with untouched(shop):
        outcome = migrate(shop, pg_url, config)
    assert outcome.status == 5
    failure = outcome.report.failure
    assert failure
    assert failure.code == "hook-failed"
    assert "after_post_data.sql" in failure.what
    assert (f", line {line} failed" in failure.what) == bool(line)
    assert words in failure.what
    assert failure.step_id == "hook/after-post-data/1/after_post_data.sql"
    assert read_everything(pg_admin_url) == before  # the undo file of the one that had run was run


def test_an_interruption_ends_it_on_the_server_too(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    before = read_everything(pg_admin_url)
    hooks = {
        "before_data": "CREATE SCHEMA aside",
        "undo_before_data": "DROP SCHEMA aside",
        "after_data": "SELECT pg_sleep(300)",
    }
    config = write_hooks(tmp_path, **hooks)
    asleep = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    with Ferry("migrate", shop, pg_url, "--yes", "--config", config, "--run-dir", tmp_path / "run") as ferry:
        wait_until(lambda: bool(read(pg_admin_url, asleep)), "the hook to run")
        ferry.process.send_signal(signal.SIGINT)
        outcome = ferry.end()
    assert outcome.status == 130, outcome
    assert not read(pg_admin_url, asleep)
    assert read_everything(pg_admin_url) == before


def test_what_an_undo_file_cannot_take_back_is_said(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    hooks = {"before_data": "CREATE SCHEMA aside", "undo_before_data": "DROP SCHEMA asside", "after_data": "nonsense"}
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, **hooks))
    assert outcome.status == 5
    assert outcome.report.failure
    assert "undo_before_data.sql" in outcome.report.failure.hint
    assert "asside" in outcome.report.failure.hint
    assert has_schema(pg_admin_url, "aside")
    assert not has_schema(pg_admin_url, "liteferry_staging_public")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE purchase SET total = 1 WHERE id = 7", "id=7"),
        ("DELETE FROM purchase WHERE id = 7", "id=7"),
        ("INSERT INTO customer (name) VALUES ('one more')", "id=21"),
        ("DROP VIEW large_purchase", "large_purchase"),
        ("ALTER TABLE purchase DROP CONSTRAINT purchase_customer", "purchase_customer"),
        ("ALTER TABLE customer DROP COLUMN active CASCADE", "active"),
    ],
)
def test_what_it_does_to_the_tables_is_found_by_the_proof(
    sql: str, words: str, shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    before = read_everything(pg_admin_url)
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, before_publish=sql))
    if outcome.report.failure:  # the proof could not even read it
        assert outcome.status == 5
    else:
        assert outcome.status == 3
        assert any(words in f"{m.key} {m.object_name}" for m in outcome.report.mismatches)
    assert read_everything(pg_admin_url) == before


def test_an_extension_has_to_say_where_it_belongs(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    """Without a schema it is made in the first of the search_path, from where only a superuser can move it."""
    if not read(
        pg_admin_url, "SELECT FROM pg_available_extensions WHERE name = 'citext' AND installed_version IS NULL"
    ):
        pytest.skip("this server has no citext")
    before = read_everything(pg_admin_url)
    makes = "CREATE TABLE logins (login public.citext PRIMARY KEY)"
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, before_pre_data="CREATE EXTENSION citext"))
    assert outcome.status == 5
    assert outcome.report.failure
    assert 'SCHEMA "public"' in outcome.report.failure.hint
    assert read_everything(pg_admin_url) == before
    hooks = {
        "before_pre_data": f"CREATE EXTENSION citext SCHEMA public; {makes}",
        "undo_before_pre_data": "DROP EXTENSION IF EXISTS citext",
    }
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, **hooks))
    assert outcome.status == 0, outcome.report.failure
    assert list_relations(pg_admin_url) == sorted([*SHOP, "logins"])
    assert undo(outcome, pg_url).status == 0  # what depends on the extension goes first, whatever the order
    assert read_everything(pg_admin_url) == before


MAKES = {
    "before_data": "CREATE TYPE mood AS ENUM ('glad'); CREATE TABLE audit (id serial PRIMARY KEY, mood mood);"
    " CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    " CREATE TRIGGER t BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION note();"
    " CREATE SEQUENCE tickets; ALTER TABLE note ALTER number SET DEFAULT nextval('tickets')",
    "after_data": "INSERT INTO audit (mood) VALUES ('glad')",
    "after_post_data": "CREATE VIEW audited AS SELECT a.id, c.name FROM audit a JOIN customer c USING (id)",
}


def test_what_it_made_is_verified_and_undone(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    before = read_everything(pg_admin_url)
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, **MAKES))
    assert outcome.status == 0, outcome
    assert list_relations(pg_admin_url) == sorted([*SHOP, "audit", "audited"])
    run_dir = outcome.report.run_dir
    verified = call_ferry("verify", shop, pg_url, "--run-dir", run_dir, "--json")
    assert verified.status == 0, verified
    foreign = call_ferry("verify", shop, pg_url, "--json", "--no-config")
    assert {"audit", "audited"} <= {found.object_name for found in foreign.report.mismatches}
    assert undo(outcome, pg_url).status == 0
    assert read_everything(pg_admin_url) == before


@pytest.mark.parametrize(
    ("point", "options"),
    [
        ("before_data", ()),
        ("after_data", ("--no-verify",)),
        ("after_post_data", ("--names", "snake")),
        ("before_post_data", ("--jobs", "1")),
    ],
)
def test_a_column_that_it_adds(point: str, options: tuple[str, ...], shop: Path, tmp_path: Path, pg_url: str) -> None:
    sql = (
        "ALTER TABLE note ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('english', line)) STORED;"
        "CREATE INDEX note_search ON note USING gin (search);"
        "ALTER TABLE customer ADD COLUMN at timestamptz NOT NULL DEFAULT now(), ADD CHECK (at > '2000-01-01');"
        "CREATE TABLE shadow (LIKE note INCLUDING ALL); COMMENT ON COLUMN note.search IS 'mine'"
    )
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, **{point: sql}), *options)
    assert outcome.status == (3 if options == ("--no-verify",) else 0), outcome.report.failure
    assert outcome.report.published
    assert not outcome.report.mismatches
    made = {(change.kind, change.name) for run in outcome.report.hooks for change in run.changes}
    assert {("column", "search"), ("index", "note_search"), ("column", "at"), ("table", "shadow")} <= made
    run_dir = outcome.report.run_dir
    assert call_ferry("verify", shop, pg_url, "--run-dir", run_dir, "--json").status == 0
    assert undo(outcome, pg_url).status == 0
    assert read(pg_url, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


def test_everything_on_every_version(shop: Path, tmp_path: Path, pg_url_all: str) -> None:
    outcome = migrate(shop, pg_url_all, write_hooks(tmp_path, **MAKES))
    assert outcome.status == 0, outcome.report.failure
    assert call_ferry("verify", shop, pg_url_all, "--run-dir", outcome.report.run_dir, "--json").status == 0
    assert undo(outcome, pg_url_all).status == 0
    assert migrate(shop, pg_url_all, tmp_path / "liteferry.toml").status == 0


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("INSERT INTO audit (mood) VALUES ('glad')", "audit"),
        ("UPDATE audit SET mood = NULL", "audit"),
        ("ALTER TABLE audit ADD COLUMN more int", "audit"),
        ("DROP VIEW audited", "audited"),
        ("ALTER TABLE customer DISABLE TRIGGER t", "customer"),
    ],
)
def test_undo_refuses_when_what_a_hook_made_was_changed(
    sql: str, words: str, shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, **MAKES))
    assert outcome.status == 0, outcome
    execute(pg_admin_url, sql)
    held = read_everything(pg_admin_url)
    assert_error(undo(outcome, pg_url), "undo-refused", words)
    assert read_everything(pg_admin_url) == held


def test_undo_runs_the_undo_files_the_last_first(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    execute(pg_admin_url, "CREATE SCHEMA told", "GRANT ALL ON SCHEMA told TO PUBLIC")
    execute(
        pg_admin_url,
        "CREATE TABLE told.order_of (n serial, who text)",
        "GRANT ALL ON ALL TABLES IN SCHEMA told TO PUBLIC",
    )
    execute(pg_admin_url, "GRANT ALL ON ALL SEQUENCES IN SCHEMA told TO PUBLIC")
    tell = "INSERT INTO told.order_of (who) SELECT '{}' || count(*) FROM customer"
    hooks = {
        "before_data": "SELECT 1",
        "undo_before_data": tell.format("first "),
        "before_publish": "SELECT 2",
        "undo_before_publish": tell.format("last "),
    }
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, **hooks))
    assert undo(outcome, pg_url).status == 0
    assert read(pg_admin_url, "SELECT who FROM told.order_of ORDER BY n") == [("last 20",), ("first 20",)]


def test_an_undo_file_that_fails_undoes_nothing(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    hooks = {**MAKES, "undo_before_data": "SELECT 1;\nDROP TABLE nowhere"}
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, **hooks))
    held = read_everything(pg_admin_url)
    assert_error(undo(outcome, pg_url), "hook-failed", "undo_before_data.sql", "nowhere", status=5)
    assert read_everything(pg_admin_url) == held


def test_an_object_that_undo_forgets_is_noticed(
    shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted fault: the catalogue before and after shows it, which the test above relies on."""
    before = read_everything(pg_admin_url)
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, after_data="CREATE SEQUENCE lonely"))
    monkeypatch.setattr(scripts, "read_hook_remains", lambda *_: scripts.HookRemains((), {}))
    monkeypatch.setattr("liteferry.rollback.read_hook_remains", lambda *_: scripts.HookRemains((), {}))
    assert undo(outcome, pg_url).status == 0
    left = {row[2] for row in read_everything(pg_admin_url) if row[0] != "column"} - {row[2] for row in before}
    assert left == {"public.lonely"}


def test_an_object_that_no_hook_made_is_foreign(
    shop: Path, tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted fault: a hook's work that is not noted makes the proof fail."""
    monkeypatch.setattr("liteferry.proof.compare_catalogs", lambda *_: ())
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, after_data="CREATE INDEX strange ON purchase (total)"))
    assert outcome.status == 3
    assert [found.object_name for found in outcome.report.mismatches] == ["strange"]


def test_what_cannot_be_published_is_not(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    """A range type's functions belong to the server's superuser, and cannot be moved out of staging."""
    before = read_everything(pg_admin_url)
    sql = "CREATE TYPE odd AS RANGE (subtype = float8)"
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, after_data=sql))
    assert outcome.status == 5
    assert outcome.report.failure
    assert "odd" in outcome.report.failure.what
    assert read_everything(pg_admin_url) == before


def test_a_setting_does_not_outlive_its_hook(shop: Path, tmp_path: Path, pg_url: str) -> None:
    sql = "SET TimeZone = 'Asia/Tokyo'; SET bytea_output = escape; SET search_path = nowhere; SET DateStyle = 'German'"
    outcome = migrate(shop, pg_url, write_hooks(tmp_path, before_pre_data=sql, before_data=sql, after_data=sql))
    assert outcome.status == 0, outcome


def test_check_and_plan_show_them_and_run_nothing(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    config = write_hooks(tmp_path, before_data="CREATE SCHEMA never", undo_before_data="DROP SCHEMA never")
    checked = call_ferry("check", shop, pg_url, "--config", config, "--json")
    assert checked.status == 0
    config = write_hooks(tmp_path, before_data="CREATE SCHEMA never")
    checked = call_ferry("check", shop, pg_url, "--config", config)
    assert "hook-without-undo" in checked.out
    planned = call_ferry("plan", shop, pg_url, "--config", config)
    assert "CREATE SCHEMA never" in planned.out
    assert "hook/before-data/1/before_data.sql" in planned.out
    steps = json.loads(call_ferry("plan", shop, pg_url, "--config", config, "--json").out)["steps"]
    (hook,) = [step for step in steps if step["hook"]]
    assert hook["sql"] == ["CREATE SCHEMA never"]
    assert len(hook["hook"]["sha256"]) == 64
    assert not has_schema(pg_admin_url, "never")


def test_without_a_hook_between_them_rows_and_keys_stay_together(shop: Path, tmp_path: Path, pg_url: str) -> None:
    """FREEZE, one group a table: a hook at the ends costs nothing."""
    config = write_hooks(tmp_path, before_pre_data="SELECT 1", after_post_data="SELECT 1", before_publish="SELECT 1")
    steps = json.loads(call_ferry("plan", shop, pg_url, "--config", config, "--json").out)["steps"]
    bare = json.loads(call_ferry("plan", shop, pg_url, "--no-config", "--json").out)["steps"]
    assert [step for step in steps if not step["hook"]] == bare
    assert any("FREEZE" in sql for step in bare for sql in step["sql"])
    config = write_hooks(tmp_path, before_data="SELECT 1")
    steps = json.loads(call_ferry("plan", shop, pg_url, "--config", config, "--json").out)["steps"]
    assert not any("FREEZE" in sql for step in steps for sql in step["sql"])
