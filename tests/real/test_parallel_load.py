"""Large tables in spans on several connections, their indexes at once; small ones many in a transaction."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness import execute, list_relations, read_everything, untouched
from liteferry import Options, migrate, pace, undo
from liteferry.errors import MigrationError
from liteferry.loading import Crew, Share, Task, loader, tables
from liteferry.loading.steps import run_in_load
from liteferry.model import Event, Span
from liteferry.planner import foreign_keys, keys
from liteferry.run import MOST_CHOSEN_JOBS, choose_jobs
from liteferry.source import open_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from liteferry.model import Step, Table, TableMap
    from liteferry.target import Copies

ROWS = 6000
JOBS = 3


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done with tables of many megabytes is done with those of some kilobytes."""
    monkeypatch.setattr(loader, "find_encoder", lambda *_: object())
    monkeypatch.setattr(loader, "SPLIT_BYTES", 1 << 16)
    monkeypatch.setattr(loader, "SPAN_BYTES", 1 << 15)
    monkeypatch.setattr(tables, "LARGE_ROWS", 1000)
    monkeypatch.setattr(keys, "LARGE_BYTES", 1 << 16)
    monkeypatch.setattr(pace, "TELL_EVERY_S", 0.0)
    monkeypatch.setattr(foreign_keys, "LARGE_ROWS", 2)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    path = tmp_path / "source" / "events.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            """
            CREATE TABLE event (
                id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE, user_id INTEGER, score REAL,
                kind_id INTEGER DEFAULT 1,
                CONSTRAINT event_score CHECK (score >= 0),
                CONSTRAINT event_kind FOREIGN KEY (kind_id) REFERENCES kind (id) ON DELETE SET NULL
            );
            CREATE INDEX event_user ON event (user_id, id DESC);
            CREATE INDEX event_few ON event (score) WHERE user_id > 5;
            CREATE TABLE kind (id INTEGER PRIMARY KEY, name TEXT, other_id INTEGER REFERENCES kind (id));
            CREATE TABLE "_kind" (id INTEGER PRIMARY KEY, name TEXT);
            INSERT INTO kind (name) VALUES ('a'), ('b');
            """
        )
        rows = ((f"code {i}", i % 17 or None, i / 8) for i in range(ROWS))
        db.executemany("INSERT INTO event (code, user_id, score) VALUES (?, ?, ?)", rows)
        db.execute("DELETE FROM event WHERE id BETWEEN 100 AND 250")
        db.commit()
    return path


def read_definitions(url: str) -> list[tuple[object, ...]]:
    """Everything that the catalogue says of indexes and constraints, but for OIDs and file numbers."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT c.relname::text, pg_get_indexdef(i.indexrelid), i.indisprimary, i.indisunique, i.indimmediate,"
            " i.indisvalid, i.indisready, i.indislive, i.indnullsnotdistinct, i.indoption::text, i.indclass::text,"
            " i.indcollation::text, c.relam, c.reloptions, k.conname::text, k.contype, pg_get_constraintdef(k.oid),"
            " k.condeferrable, k.convalidated, k.conislocal, k.connoinherit, k.conkey,"
            " (SELECT array_agg(d.dep ORDER BY d.dep) FROM"
            "  (SELECT concat(deptype, refclassid::regclass, refobjsubid) AS dep"
            "   FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid) d)"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " FULL JOIN pg_constraint k ON k.conindid = c.oid"
            " WHERE 'public'::regnamespace IN (c.relnamespace, k.connamespace) ORDER BY 1, k.conname, k.contype"
            if connection.info.server_version >= 150000
            else "SELECT"
        ).fetchall()


@pytest.mark.parametrize("verify", [True, False])
def test_a_table_in_spans(
    verify: bool,  # noqa: FBT001 - a parameter of the test
    source: Path,
    tmp_path: Path,
    pg_url: str,
    pg_admin_url: str,
) -> None:
    before, events = read_everything(pg_admin_url), list[Event]()
    options = Options(run_dir=str(tmp_path / "run"), jobs=JOBS, verify=verify)
    with untouched(source):
        report = migrate(source, pg_url, options, events.append)
    assert (report.verdict, report.mismatches) == ("proven" if verify else "not proven", ())
    with psycopg.connect(pg_admin_url) as connection:
        found = connection.execute("SELECT count(*), count(DISTINCT xmin::text) FROM event").fetchone()
    assert found is not None
    assert found[0] == ROWS - 151
    assert found[1] >= 2 * JOBS, "it was not loaded in spans"
    copied = [event for event in events if event.step_id == "data/table/event" and event.phase == "load"]
    assert [event.kind for event in copied if event.kind != "step-progress"] == ["step-start", "step-end"]
    assert copied[-1].rows == ROWS - 151
    ended = [event.step_id for event in events if event.kind == "step-end" and event.table == "event"]
    assert len(ended) == len(set(ended)), "a step is told once"
    assert "post-data/foreign-key/event.event_kind" in ended
    assert {"post-data/primary-key/event_pkey", "post-data/index/event_user", "post-data/analyze/event"} <= set(ended)
    undo(tmp_path / "run", pg_url)
    assert read_everything(pg_admin_url) == before


WAIT_S = 30
"""How long two that are to be at work at once wait for each other; they never both come where one follows the other."""


def meet_at_indexes(monkeypatch: pytest.MonkeyPatch, meeting: threading.Barrier, most: int) -> None:
    """Let so many of the first builders of the large table's indexes wait there."""
    coming = iter(range(most))

    def run(steps: Sequence[Step], *given: Any, **named: Any) -> Iterator[Event]:
        if steps[0].table == "event" and "INDEX " in steps[0].sql[0] and next(coming, None) is not None:
            meeting.wait(WAIT_S)
        return run_in_load(steps, *given, **named)

    monkeypatch.setattr(loader, "run_in_load", run)


def test_indexes_of_a_large_table_are_built_at_once(
    source: Path, tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(2)
    meet_at_indexes(monkeypatch, meeting, 2)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=2))
    assert (report.verdict, meeting.broken) == ("proven", False)


def test_rows_of_a_table_come_while_indexes_of_another_are_built(
    source: Path, tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, real = threading.Barrier(2), loader.Loader._send

    def send(self: loader.Loader, step: Step, *given: Any) -> int:
        if step.table == "kind":
            meeting.wait(WAIT_S)
        return real(self, step, *given)

    monkeypatch.setattr(loader.Loader, "_send", send)
    meet_at_indexes(monkeypatch, meeting, 1)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=2))
    assert (report.verdict, meeting.broken) == ("proven", False)


def test_as_many_workers_as_cores_but_no_more_than_were_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, workers in ((None, 1), (1, 1), (2, 2), (64, MOST_CHOSEN_JOBS)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert choose_jobs(0) == workers
        assert choose_jobs(7) == 7


@pytest.mark.parametrize("limit", [3, 4])
def test_with_fewer_connections_than_jobs(
    limit: int, source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    """A hosted database often allows few: what one worker cannot begin, those who have a connection do."""
    execute(
        pg_admin_url,
        f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT {limit}', current_database()); END $$",
    )
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=6))
    assert (report.verdict, report.mismatches) == ("proven", ())
    undo(tmp_path / "run", pg_url)


def test_an_undo_without_a_proof_sees_what_was_written_since(source: Path, tmp_path: Path, pg_url: str) -> None:
    migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=JOBS, verify=False))
    execute(pg_url, "UPDATE public.event SET score = score + 1 WHERE id = 7")
    with pytest.raises(MigrationError, match="1 of them were written since"):
        undo(tmp_path / "run", pg_url)


def test_keys_made_of_indexes_are_the_same_keys(
    source: Path, pg_url_all: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whether a key is made at once or of an index that was built beside others, the catalogue says the same."""
    found = []
    for large in (1 << 16, 1 << 40):
        monkeypatch.setattr(keys, "LARGE_BYTES", large)
        monkeypatch.setattr(foreign_keys, "LARGE_ROWS", large >> 15)
        options = Options(run_dir=str(tmp_path / f"run-{large}"), jobs=JOBS)
        assert migrate(source, pg_url_all, options).verdict == "proven"
        found.append(read_definitions(pg_url_all))
        undo(tmp_path / f"run-{large}", pg_url_all)
    assert found[0] == found[1]
    assert [row[14] for row in found[0] if row[15] == "f"] == ["event_kind", "kind_other_id_fkey"]
    assert len(found[0]) > 6


# ---------------------------------------------------------------------------------------------------------------------
# What goes wrong in the middle of a table


def migrate_badly(source: Path, run_dir: Path, url: str, admin_url: str, observe: object = None) -> str:
    """Run, fail, and leave the target as it was; the error's code, and what it says."""
    before = read_everything(admin_url)
    options = Options(run_dir=str(run_dir), jobs=JOBS)
    with untouched(source):
        report = migrate(source, url, options, observe or (lambda _: None))  # type: ignore[arg-type]  # an observer
    assert (report.verdict, report.published, report.exit_status) == ("failed", False, 5)
    assert report.failure is not None
    assert "still there" not in report.failure.hint
    assert read_everything(admin_url) == before
    return f"{report.failure.code}: {report.failure.what}"


def plant(monkeypatch: pytest.MonkeyPatch, fault: Callable[[], None]) -> None:
    """Have a fault in the middle of the last span of the large table."""
    real = loader.Loader._encode

    def encode(
        self: loader.Loader, table: Table, mapped: TableMap, counter: Share, span: Span | None = None
    ) -> Iterator[bytes]:
        for number, chunk in enumerate(real(self, table, mapped, counter, span)):
            if table.name == "event" and span is not None and span.high is None and number:
                fault()
            yield chunk

    monkeypatch.setattr(loader.Loader, "_encode", encode)


def test_the_worker_of_one_span_fails(
    source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise MigrationError("the last span cannot be read", code="source-corrupt")

    plant(monkeypatch, fail)
    said = migrate_badly(source, tmp_path / "run", pg_url, pg_admin_url)
    assert said == "source-corrupt: the last span cannot be read"


def test_a_connection_is_cut_in_the_middle_of_a_table(
    source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut() -> None:
        execute(
            pg_admin_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND query LIKE '%COPY %' AND pid <> pg_backend_pid()",
        )

    plant(monkeypatch, cut)
    assert migrate_badly(source, tmp_path / "run", pg_url, pg_admin_url).startswith("connection-lost: ")


def test_a_span_is_forgotten(
    source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing is proven, nothing that lacks rows is published."""
    real = loader.Loader._cut
    monkeypatch.setattr(loader.Loader, "_cut", lambda *given: real(*given)[1:])
    said = migrate_badly(source, tmp_path / "run", pg_url, pg_admin_url)
    assert said.startswith("step-failed: the spans of event had ")


@pytest.mark.parametrize(
    "place", [("step-progress", "data/table/event"), ("step-end", "post-data/index/event_user")], ids=str
)
def test_an_interrupt_in_the_middle_of_a_table(
    place: tuple[str, str], source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    before, seen = read_everything(pg_admin_url), list[Event]()

    def interrupt(event: Event) -> None:
        if (event.kind, event.step_id) == place and not seen:
            seen.append(event)
            raise KeyboardInterrupt

    with untouched(source), pytest.raises(KeyboardInterrupt):
        migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=JOBS), interrupt)
    assert seen
    assert read_everything(pg_admin_url) == before


def test_rows_that_a_key_refuses_are_named(
    source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index of a key that is built beside others says which rows it does not take."""
    real = loader.Loader._send

    def send(self: loader.Loader, step: object, counter: object, copies: Copies, span: Span | None = None) -> int:
        taken = real(self, step, counter, copies, span)  # type: ignore[arg-type]  # as they came
        if span is not None and span.low is None:
            sql = "UPDATE \"liteferry_staging_public\".event SET code = 'code 1' WHERE id = 3"
            copies._connection.execute(sql)
        return taken

    monkeypatch.setattr(loader.Loader, "_send", send)
    said = migrate_badly(source, tmp_path / "run", pg_url, pg_admin_url)
    assert "differ in SQLite, but are equal" in said
    assert "id=2; id=3" in said


def test_rows_that_a_foreign_key_refuses(
    source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is noticed when the key is validated."""
    real = loader.Loader.validate

    def validate(self: loader.Loader, steps: Iterable[Step]) -> Iterator[Event]:
        execute(
            pg_admin_url,
            "SET session_replication_role = replica;"
            ' UPDATE "liteferry_staging_public".event SET kind_id = 77 WHERE id = 5',
        )
        return real(self, steps)

    monkeypatch.setattr(loader.Loader, "validate", validate)
    said = migrate_badly(source, tmp_path / "run", pg_url, pg_admin_url)
    assert "violates foreign key constraint" in said
    assert "in step post-data/foreign-key/event.event_kind" in said


def test_tables_whose_array_types_want_one_name(
    source: Path, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind and _kind in two transactions at once, of which one fails and is tried again; or in one, which does not."""
    for together in (1, 100):
        monkeypatch.setattr(loader, "BATCH_STEPS", together)
        run_dir = tmp_path / f"run-{together}"
        assert migrate(source, pg_url, Options(run_dir=str(run_dir), jobs=JOBS)).verdict == "proven"
        assert list_relations(pg_url) == ["_kind", "event", "kind"]
        undo(run_dir, pg_url)


# ---------------------------------------------------------------------------------------------------------------------
# Spans


@pytest.mark.parametrize(
    ("ids", "most"),
    [
        (range(1, 101), 10),
        (range(-50, 51), 11),
        ([*range(1, 51), *range(10**15, 10**15 + 50)], 10),
        ([-(2**63), 0, 2**63 - 1], 1),
        ([n * n * n for n in range(200)], 20),
    ],
    ids=["dense", "negative", "two heaps", "the ends of the world", "sparse"],
)
def test_spans_hold_every_row_once(ids: list[int], most: int, tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        db.executemany("INSERT INTO t VALUES (?)", [(number,) for number in ids])
        db.commit()
    with open_snapshot(path, directory=tmp_path / "run") as snapshot:
        table = snapshot.read_catalog().table("t")
        count = min(10, len(ids))
        spans = snapshot.cut_spans(table, len(ids), count)
        assert 1 < len(spans) <= count
        read = [[row[0] for batch in snapshot.read_rows(table, ["id"], span=span) for row in batch] for span in spans]
    assert [number for span in read for number in span] == sorted(ids)
    assert max(map(len, read)) <= most
    assert (spans[0].low, spans[-1].high) == (None, None)


def test_what_cannot_be_cut(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE keyed (id TEXT PRIMARY KEY) WITHOUT ROWID")
        db.execute("CREATE TABLE hidden (rowid TEXT, _rowid_ TEXT, oid TEXT)")
        db.execute("CREATE TABLE empty (id INTEGER PRIMARY KEY)")
        db.execute("CREATE TABLE one (id INTEGER PRIMARY KEY)")
        db.executemany("INSERT INTO keyed VALUES (?)", [(str(number),) for number in range(20)])
        db.executemany("INSERT INTO hidden VALUES (?, 1, 2)", [(str(number),) for number in range(20)])
        db.execute("INSERT INTO one VALUES (5)")
        db.commit()
    with open_snapshot(path, directory=tmp_path / "run") as snapshot:
        for table in snapshot.read_catalog().tables:
            assert snapshot.cut_spans(table, 20, 4) == (), table.name


# ---------------------------------------------------------------------------------------------------------------------
# The crew


def test_what_follows_comes_first_and_then_the_largest() -> None:
    done: list[str] = []

    def make(name: str, size: int, *follow: Task) -> Task:
        def work(_: object) -> list[Task]:
            done.append(name)
            return list(follow)

        return Task(work=work, size=size)

    crew = Crew([make("small", 1), make("large", 3, make("its index", 0)), make("middle", 2)])
    while (task := crew.take()) is not None:
        crew.finish(task.work(None))  # type: ignore[arg-type]  # they need no connection
    assert done == ["large", "its index", "middle", "small"]


def test_a_crew_that_is_broken_off_takes_nothing_more() -> None:
    crew = Crew([Task(work=lambda _: [])])
    crew.break_off()
    assert crew.take() is None
