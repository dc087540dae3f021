"""ANALYZE of large tables runs beside the proof, where nothing before it needs the statistics."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness import read_everything, untouched
from liteferry import Event, Options, evidence, migrate
from liteferry.errors import MigrationError
from liteferry.model import ColumnMap, Hook, Span
from liteferry.proof.rows import select_target
from liteferry.target import SnapshotReader, open_target
from liteferry.target.readers import BY_INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from liteferry.model import Step

ROWS = 120_000
STEP = "post-data/analyze/reading"
PLAIN = "CREATE TABLE reading (id INTEGER PRIMARY KEY, place TEXT, value REAL)"
OTHERS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "few rows": (PLAIN, 1000, {}),
    "a key that is text": ("CREATE TABLE reading (place TEXT PRIMARY KEY, id INTEGER, value REAL)", ROWS, {}),
    "a foreign key": (PLAIN.replace("value REAL", "value REAL REFERENCES scale (id)"), ROWS, {}),
    "pointed at": (f"{PLAIN}; CREATE TABLE note (reading_id INTEGER REFERENCES reading (id))", ROWS, {}),
    "one job": (PLAIN, ROWS, {"jobs": 1}),
    "no proof": (PLAIN, ROWS, {"verify": False}),
    "a hook": (PLAIN, ROWS, {"hooks": (Hook(point="after-data", file="hook.sql", sql="SELECT 1", sha256="0" * 64),)}),
}


def make_source(path: Path, schema: str, rows: int) -> Path:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE scale (id REAL PRIMARY KEY); INSERT INTO scale VALUES (0.5); {schema}")
        connection.executemany(
            "INSERT INTO reading (id, place, value) VALUES (?, ?, 0.5)", ((i, f"place {i}") for i in range(rows))
        )
        connection.commit()
    return path


def list_phases(events: Sequence[Event]) -> list[str]:
    """The phases in which the table was analyzed."""
    phases, found = list[str](), list[str]()
    for event in events:
        if event.kind == "phase-start":
            phases.append(event.phase)
        elif event.kind == "phase-end":
            phases.remove(event.phase)
        elif (event.kind, event.step_id) == ("step-end", STEP):
            found.append(phases[-1])
    return found


def count_statistics(url: str) -> int:
    sql = "SELECT FROM pg_stats WHERE schemaname = 'public' AND tablename = 'reading'"
    with psycopg.connect(url) as connection:
        return len(connection.execute(sql).fetchall())


def test_a_large_table_is_analyzed_beside_the_proof(tmp_path: Path, pg_url: str) -> None:
    source, events = make_source(tmp_path / "source" / "s.sqlite", PLAIN, ROWS), list[Event]()
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=2), events.append)
    assert (report.verdict, report.published) == ("proven", True)
    assert list_phases(events) == ["proof"]
    assert count_statistics(pg_url) == 3
    proof = next(phase for phase in report.phases if phase.name == "proof")
    assert "analyze" in {part.name for part in proof.parts}


@pytest.mark.parametrize("case", OTHERS)
def test_where_statistics_are_needed_sooner_they_come_sooner(case: str, tmp_path: Path, pg_url: str) -> None:
    schema, rows, options = OTHERS[case]
    source, events = make_source(tmp_path / "source" / "s.sqlite", schema, rows), list[Event]()
    given: dict[str, Any] = {"jobs": 2, **options}
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), **given), events.append)
    assert report.published
    (phase,) = list_phases(events)
    assert phase != "proof"
    assert count_statistics(pg_url) == 3


class HoldUp:
    """Keeps ANALYZE waiting for a lock from the proof's beginning, and does something to it once it waits."""

    def __init__(self, url: str, deed: str) -> None:
        """An observer. deed: what is asked of the server, of the process id that waits; "" interrupts ourselves."""
        self._url = url
        self._deed = deed
        self._thread = threading.Thread(target=self._act, daemon=True)
        self._locked = threading.Event()
        self.ended_while_held = False

    def __call__(self, event: Event) -> None:
        if (event.kind, event.phase) == ("phase-start", "proof"):
            self._thread.start()
            assert self._locked.wait(20)

    def _act(self) -> None:
        with psycopg.connect(self._url) as holder, psycopg.connect(self._url, autocommit=True) as watcher:
            holder.execute("LOCK TABLE liteferry_staging_public.reading IN SHARE UPDATE EXCLUSIVE MODE")
            self._locked.set()
            waiting = self._watch(watcher, is_there=True)
            time.sleep(0.5)  # the proof of the rows has ended meanwhile, or nearly
            if self._deed:
                watcher.execute(self._deed.encode(), waiting)
            else:
                os.kill(os.getpid(), signal.SIGINT)
                self.ended_while_held = not self._watch(watcher, is_there=False)

    @staticmethod
    def _watch(watcher: psycopg.Connection, *, is_there: bool) -> tuple[int, ...]:
        """Until an ANALYZE waits for a lock, or none does any more: its process id."""
        sql = (
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%ANALYZE%' AND wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        deadline = time.monotonic() + 20
        while ((found := watcher.execute(sql.encode()).fetchone()) is not None) != is_there:
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        return found or ()

    def end(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.mark.parametrize(
    ("deed", "code"),
    [("SELECT pg_cancel_backend(%s)", "interrupted"), ("SELECT pg_terminate_backend(%s)", "connection-lost")],
)
def test_an_analyze_that_fails_ends_the_run(
    deed: str, code: str, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    before = read_everything(pg_admin_url)
    source, hold = make_source(tmp_path / "source" / "s.sqlite", PLAIN, ROWS), HoldUp(pg_admin_url, deed)
    with untouched(source):
        report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=2), hold)
    hold.end()
    assert (report.verdict, report.published) == ("failed", False)
    assert report.failure is not None
    assert (report.failure.code, report.failure.step_id) == (code, STEP)
    assert read_everything(pg_admin_url) == before


def test_ctrl_c_while_analyze_waits_takes_everything_back(tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    before = read_everything(pg_admin_url)
    source, hold = make_source(tmp_path / "source" / "s.sqlite", PLAIN, ROWS), HoldUp(pg_admin_url, "")
    with untouched(source), pytest.raises(KeyboardInterrupt):
        migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=2), hold)
    hold.end()
    assert hold.ended_while_held
    assert read_everything(pg_admin_url) == before


def test_a_proof_that_fails_between_two_of_them_begins_no_further_one(
    tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancel that comes then reaches no statement."""
    source = make_source(tmp_path / "source" / "s.sqlite", f"{PLAIN}; {PLAIN.replace('reading', 'other')}", ROWS)
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("INSERT INTO other SELECT * FROM reading")
        connection.commit()
    begun, is_first = list[str](), threading.Event()

    def analyze(steps: Sequence[Step], _: object) -> Sequence[Event]:
        begun.extend(step.id for step in steps)
        is_first.set()
        time.sleep(1)
        return ()

    def fail(*_: object, **__: object) -> None:
        assert is_first.wait(20)
        raise MigrationError("planted", code="step-failed")

    monkeypatch.setattr(evidence, "run_steps", analyze)
    monkeypatch.setattr(evidence, "verify_table", fail)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=2))
    assert report.failure is not None
    assert report.failure.what == "planted"
    assert len(begun) == 1


def test_analyze_may_come_long_after_the_rows_are_proven(tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    source, hold = make_source(tmp_path / "source" / "s.sqlite", PLAIN, ROWS), HoldUp(pg_admin_url, "SELECT %s::int")
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=2), hold)
    hold.end()
    assert (report.verdict, report.published) == ("proven", True)
    assert count_statistics(pg_url) == 3


@pytest.mark.parametrize("span", [Span(high=49_999), Span(low=50_000, high=99_999), Span(low=100_000)], ids=repr)
def test_a_span_is_read_by_its_keys_index_before_anything_is_known_of_the_table(span: Span, pg_url: str) -> None:
    integer_key = ColumnMap(source="id", target="id", pg_type="bigint", kind="int8", rule="integer")
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE TABLE reading (id bigint PRIMARY KEY, place text)")
        connection.execute("ALTER TABLE reading SET (autovacuum_enabled = off)")
        connection.execute("INSERT INTO reading SELECT i, 'place' || i FROM generate_series(1, 150000) i")
        connection.execute(BY_INDEX)
        sql = select_target("public", "reading", [integer_key], [0], span=span)
        plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {sql}".encode()))
        assert "Index" in plan
        assert "Sort" not in plan
        row = connection.execute(f"SELECT count(*) FROM ({sql}) s".encode()).fetchone()
    assert row == (50_000 if span.low and span.high else 49_999 if span.high else 50_001,)


def test_the_proof_reads_with_that_setting_and_leaves_none_behind(pg_url: str) -> None:
    sql = "SELECT pg_catalog.current_setting('enable_bitmapscan')"
    with open_target(pg_url) as target:
        with SnapshotReader(target) as reader:
            assert b"".join(reader.copy_out(sql)) == b"off\n"
        with target.lend_connection() as connection:
            assert connection.execute(sql.encode()).fetchone() == ("on",)
