"""The window, measured and predicted, in real runs. Nothing is asserted about how long anything takes."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from distance import run_far_away
from harness import assert_error, call_ferry, make_shop
from liteferry import Options, migrate
from liteferry.forecast import Machine, predict_from_rates
from liteferry.model import WINDOW_SCHEMA, Forecast, PhaseTime, Plan, Report, from_json, to_json
from liteferry.pipeline import examine

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PostgresServer

WITHOUT_STAGING = {"snapshot", "census", "plan", "load", "constraints", "proof", "publish", "between"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop.sqlite")


def assert_adds_up(forecast: Forecast | None) -> Forecast:
    assert forecast is not None
    assert forecast.schema == WINDOW_SCHEMA
    assert forecast.likely_s == pytest.approx(sum(phase.likely_s for phase in forecast.phases))
    assert all(0 <= phase.low_s <= phase.likely_s <= phase.high_s for phase in forecast.phases)
    assert forecast.low_s < forecast.likely_s < forecast.high_s
    assert len({phase.name for phase in forecast.phases}) == len(forecast.phases)
    return forecast


def assert_accounted(report: Report) -> None:
    """Every moment of the window belongs to a phase, or to what lies between; every part to its phase."""
    assert report.window is not None
    assert sum(part.elapsed_s for part in report.window.parts) == pytest.approx(report.window.elapsed_s)
    assert report.window.started_s + report.window.elapsed_s <= report.elapsed_s
    for phase in report.phases:
        for part in phase.parts:
            assert part.steps > 0
            assert phase.started_s <= part.started_s
            assert part.started_s + part.elapsed_s <= phase.started_s + phase.elapsed_s + 0.01
            assert part.busy_s > 0


def phase_of(report: Report, name: str) -> PhaseTime:
    return next(phase for phase in report.phases if phase.name == name)


def test_a_migration_measures_its_window_phase_by_phase(shop: Path, tmp_path: Path, pg_url: str) -> None:
    report = migrate(shop, pg_url, Options(run_dir=str(tmp_path / "run")))
    assert_accounted(report)
    assert report.window is not None
    names = {part.name for part in report.window.parts}
    assert names >= {"snapshot", "census", "plan", "load", "indexes", "constraints", "proof", "publish"}
    last = phase_of(report, "publish")
    assert report.window.started_s + report.window.elapsed_s == pytest.approx(last.started_s + last.elapsed_s)
    assert report.window.started_s == phase_of(report, "snapshot").started_s
    assert {part.name for part in phase_of(report, "snapshot").parts} == {"copy", "check"}
    assert {"rows", "tables", "indexes"} <= {part.name for part in phase_of(report, "load").parts}
    assert {"rows", "objects", "behaviour"} <= {part.name for part in phase_of(report, "proof").parts}
    assert phase_of(report, "load").rows == phase_of(report, "proof").rows == 224
    assert phase_of(report, "load").size_bytes == sum(table.bytes for table in report.tables)
    assert phase_of(report, "snapshot").size_bytes == shop.stat().st_size
    assert all(phase.cpu_s >= 0 for phase in report.phases)
    assert report.work is not None
    assert report.work.rows == 224
    assert report.server_speed is not None


def test_a_migration_without_a_rehearsal_is_predicted_from_its_census(shop: Path, tmp_path: Path, pg_url: str) -> None:
    report = migrate(shop, pg_url, Options(run_dir=str(tmp_path / "run")))
    forecast = assert_adds_up(report.forecast)
    assert forecast.basis == "rates"
    assert forecast.rehearsal == ""
    saved = from_json(Report, (tmp_path / "run" / "report.json").read_text())
    assert saved.forecast == forecast
    assert saved.window == report.window
    for form in ("text", "markdown", "html"):
        shown = call_ferry("report", tmp_path / "run", "--format", form)
        assert "t was expected to be about" in " ".join(shown.out.split())


def test_a_rehearsal_predicts_the_move_and_the_move_finds_it(shop: Path, pg_url: str) -> None:
    rehearsed = call_ferry("rehearse", shop, pg_url, "--yes", "--json").report
    assert_accounted(rehearsed)
    forecast = assert_adds_up(rehearsed.forecast)
    assert (forecast.basis, forecast.rehearsal) == ("rehearsal", rehearsed.run_id)
    assert rehearsed.window is not None
    measured = {part.name: part.elapsed_s for part in rehearsed.window.parts}
    expected = {phase.name: phase.likely_s for phase in forecast.phases}
    assert expected.keys() - measured.keys() == {"publish"}, "which a rehearsal on somebody's server does not do"
    assert {name: expected[name] for name in measured} == pytest.approx(measured)

    checked = call_ferry("check", shop, pg_url, "--json").json
    assert checked["forecast"]["rehearsal"] == rehearsed.run_id
    assert {phase["name"] for phase in checked["phases"]} == {"snapshot", "census", "plan"}
    assert checked["server_speed"]["round_trip_s"] > 0

    moved = call_ferry("migrate", shop, pg_url, "--yes", "--json").report
    assert_accounted(moved)
    forecast = assert_adds_up(moved.forecast)
    assert (forecast.basis, forecast.rehearsal) == ("rehearsal", rehearsed.run_id)
    assert forecast.rehearsed_at == rehearsed.started_at
    assert moved.window is not None
    assert {part.name for part in moved.window.parts} == {phase.name for phase in forecast.phases}


def test_the_rehearsal_may_be_named(shop: Path, tmp_path: Path, pg_url: str) -> None:
    first = call_ferry("rehearse", shop, pg_url, "--yes", "--json", "--run-dir", tmp_path / "first").report
    call_ferry("rehearse", shop, pg_url, "--yes", "--json")
    found = call_ferry("check", shop, pg_url, "--json", "--rehearsal", tmp_path / "first").json
    assert found["forecast"]["rehearsal"] == first.run_id
    text = " ".join(call_ferry("check", shop, pg_url, "--rehearsal", tmp_path / "first").out.split())
    assert "Window: about" in text
    assert f"From the run of {first.started_at}" in text
    assert_error(call_ferry("check", shop, pg_url, "--json", "--rehearsal", tmp_path), "run-dir")
    (tmp_path / "first" / "report.json").write_text(to_json(first).replace('"window": {', '"windows": {', 1))
    assert_error(call_ferry("check", shop, pg_url, "--json", "--rehearsal", tmp_path / "first"), "run-dir")


def test_a_spoilt_run_beside_the_source_is_passed_over(shop: Path, pg_url: str) -> None:
    call_ferry("rehearse", shop, pg_url, "--yes", "--json")
    runs = shop.with_name("shop.sqlite.liteferry")
    for path in runs.glob("*/report.json"):
        path.write_text("{")
    found = call_ferry("check", shop, pg_url, "--json")
    assert found.status == 0
    assert found.json["forecast"]["basis"] == "rates"


def test_a_larger_source_is_predicted_to_take_longer(shop: Path, tmp_path: Path, pg_url: str) -> None:
    run_dir = tmp_path / "run"
    rehearsed = call_ferry("rehearse", shop, pg_url, "--yes", "--json", "--run-dir", run_dir).report
    larger = make_shop(tmp_path / "larger.sqlite", rows=20_000)
    found = examine(larger, pg_url, Options(rehearsed=str(run_dir)))
    assert found.forecast is not None
    assert rehearsed.forecast is not None
    # the publication is not rehearsed here: it is taken from rates, and those from how fast the server is just now
    before = {phase.name: phase.likely_s for phase in rehearsed.forecast.phases if phase.name != "publish"}
    after = {phase.name: phase.likely_s for phase in found.forecast.phases}
    assert all(after[name] >= before[name] for name in before)
    assert after["load"] > before["load"]


def test_without_target_and_without_proof(shop: Path, tmp_path: Path, pg_url: str) -> None:
    alone = call_ferry("check", shop, "--json").json
    assert alone["server_speed"] is None
    assert any("no TARGET" in note for note in alone["forecast"]["notes"])
    report = migrate(shop, pg_url, Options(run_dir=str(tmp_path / "run"), verify=False))
    assert_accounted(report)
    assert report.forecast is not None
    assert "proof" not in {phase.name for phase in report.forecast.phases}


def test_what_blocks_has_a_forecast_and_no_window(shop: Path, tmp_path: Path, pg_url: str) -> None:
    report = call_ferry("migrate", shop, pg_url, "--yes", "--json", "--dry-run").report
    assert report.window is None
    assert_adds_up(report.forecast)
    shown = call_ferry("migrate", shop, pg_url, "--yes", "--dry-run")
    assert "the move" in shown.out
    shutil.rmtree(tmp_path / "run", ignore_errors=True)


def test_the_trial_of_a_server_writes_nothing(shop: Path, pg_url: str, pg_admin_url: str) -> None:
    with psycopg.connect(pg_admin_url, autocommit=True) as connection:
        count = "SELECT count(*), max(oid) FROM pg_catalog.pg_class"
        before = connection.execute(count).fetchone()
        assert call_ferry("check", shop, pg_url, "--json").status == 0
        assert connection.execute(count).fetchone() == before


def test_a_far_server_is_known_to_be_far(shop: Path, tmp_path: Path, pg_server: PostgresServer) -> None:
    near, database = pg_server.create_database(), pg_server.create_database()
    run_dir = tmp_path / "run"
    rehearsed = call_ferry("rehearse", shop, near.url, "--yes", "--json", "--run-dir", run_dir).report
    with run_far_away(pg_server, database, delay_ms=20) as far:
        found = examine(shop, far.url, Options(rehearsed=str(run_dir)))
        guessed = examine(shop, far.url)
    assert found.server_speed is not None
    assert found.server_speed.round_trip_s >= 0.04, "the relay has seen to that"
    assert found.server_speed.transfer_bytes_s > 0
    assert found.forecast is not None
    assert guessed.forecast is not None
    assert rehearsed.forecast is not None
    before = {phase.name: phase.likely_s for phase in rehearsed.forecast.phases}
    for forecast in (assert_adds_up(found.forecast), assert_adds_up(guessed.forecast)):
        after = {phase.name: phase.likely_s for phase in forecast.phases}
        assert after["proof"] >= 0.04 * 12
    after = {phase.name: phase.likely_s for phase in found.forecast.phases}
    assert all(after[name] > before[name] for name in ("load", "constraints", "proof"))
    assert any("another server" in note for note in found.forecast.notes)


def test_a_migration_does_not_try_out_a_server_that_it_knows(shop: Path, pg_url: str) -> None:
    rehearsed = call_ferry("rehearse", shop, pg_url, "--yes", "--json").report
    moved = call_ferry("migrate", shop, pg_url, "--yes", "--json").report
    assert rehearsed.server_speed is not None
    assert moved.server_speed is None


def test_into_a_schema_that_is_there(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    call_ferry("migrate", shop, pg_url, "--yes", "--run-dir", tmp_path / "made")
    with psycopg.connect(pg_admin_url, autocommit=True) as connection:
        connection.execute("TRUNCATE customer, purchase, note CASCADE")
    checked = call_ferry("check", shop, pg_url, "--into", "existing", "--json").json
    names = {phase["name"] for phase in checked["forecast"]["phases"]}
    assert names == WITHOUT_STAGING
    options = ("--into", "existing", "--replace-rows", "*", "--accept", "all")
    moved = call_ferry("migrate", shop, pg_url, "--yes", "--json", *options, "--run-dir", tmp_path / "run").report
    assert moved.verdict == "proven"
    assert_accounted(moved)
    assert_adds_up(moved.forecast)
    assert moved.window is not None
    assert {part.name for part in moved.window.parts} == WITHOUT_STAGING
    assert {"rows", "objects"} <= {part.name for part in phase_of(moved, "proof").parts}
    assert moved.work is not None
    assert (moved.work.entries > moved.work.rows, moved.work.references) == (True, 200)


def test_what_becomes_jsonb_is_weighed_and_expected_to_take_longer(tmp_path: Path, pg_url: str) -> None:
    """The server takes documents apart, which takes longer than texts; where one cannot be jsonb, all stay json."""
    source, document = tmp_path / "documents.sqlite", '{"a": [1, 2, 3]}'
    with closing(sqlite3.connect(source)) as connection:
        for table in ("whole", "doubled"):
            connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, title TEXT, body JSON)")
            rows = [(f"title {number}", document) for number in range(100)]
            connection.executemany(f"INSERT INTO {table} (title, body) VALUES (?, ?)", rows)
        connection.execute("INSERT INTO doubled (body) VALUES (?)", ['{"a": 1, "a": 2}'])
        connection.commit()
    run_dir = tmp_path / "run"
    made = call_ferry("migrate", source, pg_url, "--yes", "--json", "--accept", "all", "--run-dir", run_dir).report
    plan = from_json(Plan, (run_dir / "plan.json").read_bytes())
    assert {(column.target, column.kind) for table in plan.tables for column in table.columns} >= {("body", "json")}
    assert made.work is not None
    assert made.work.document_bytes == 100 * len(document)
    assert made.work.document_bytes < made.work.size_bytes

    with psycopg.connect(pg_url, autocommit=True) as connection:
        connection.execute("TRUNCATE whole, doubled")
    moved = call_ferry("migrate", source, pg_url, "--into", "existing", "--yes", "--json", "--accept", "all").report
    assert (moved.verdict, moved.work and moved.work.document_bytes) == ("proven", 100 * len(document))

    texts = replace(made.work, document_bytes=0)
    expected = [
        predict_from_rates(work, Machine()).phases for work in (replace(made.work, document_bytes=10**9), texts)
    ]
    longer = {one.name for one, other in zip(*expected, strict=True) if one.likely_s > other.likely_s + 0.1}
    assert longer == {"census", "load", "proof"}


def test_verify_and_undo_say_what_they_took(shop: Path, tmp_path: Path, pg_url: str) -> None:
    migrate(shop, pg_url, Options(run_dir=str(tmp_path / "run")))
    verified = call_ferry("verify", shop, pg_url, "--json").report
    assert [phase.name for phase in verified.phases] == ["snapshot", "census", "plan", "proof"]
    assert verified.window is None, "the application need not stand still for it"
    assert {"rows", "objects"} <= {part.name for part in phase_of(verified, "proof").parts}
    undone = call_ferry("undo", tmp_path / "run", "--yes", "--json").report
    (taken,) = undone.undo_phases
    assert taken.name == "take back"
    assert [part.name for part in taken.parts] == ["look"]
    assert 0 < taken.parts[0].elapsed_s <= taken.elapsed_s
    assert undone.window is not None, "of the move that was undone"
    assert "undo: take back" in call_ferry("report", tmp_path / "run", "--format", "markdown").out
