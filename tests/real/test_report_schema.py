"""report.json and `migrate --json`: one documented schema, whatever came out."""

from __future__ import annotations

import copy
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]  # it ships no types

from harness import STAGING, call_ferry, make_shop
from liteferry import Options, migrate, undo
from liteferry.model import Report, from_json, json_schema, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry import Event

VALIDATOR = Draft202012Validator(json_schema(Report))

TOP = {
    "schema", "verdict", "exit_status", "liteferry_version", "python_version", "run_id", "started_at", "elapsed_s",
    "source", "target", "target_schema", "phases", "tables", "objects", "findings", "mismatches",
}  # fmt: skip
TABLE = {"name", "rows_source", "rows_target", "bytes", "elapsed_s", "values_compared", "digest", "verdict"}
OBJECTS = {"tables", "columns", "indexes", "unique", "checks", "foreign_keys", "sequences", "views"}
FINDING = {"code", "severity", "message", "table", "name", "count", "samples", "sql", "hint", "if_accepted", "accepted"}
MISMATCH = {"kind", "table", "column", "key", "object_kind", "object_name", "source", "target", "message"}


def break_constraint(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"UPDATE {STAGING}.note SET number = 7 WHERE number = 3".encode())
        connection.execute(f"DROP VIEW {STAGING}.large_purchase".encode())


@pytest.fixture
def make_report(tmp_path: Path, pg_url: str, pg_admin_url: str) -> Any:  # a function of a verdict
    """Make a run end with a verdict; its run directory."""
    source = make_shop(tmp_path / "shop.sqlite")

    def make(verdict: str) -> Path:
        run_dir = tmp_path / "run"
        accepted: tuple[str, ...] = ()
        if verdict in {"blocked", "accepted"}:
            with closing(sqlite3.connect(source)) as db:
                db.execute("CREATE TRIGGER t AFTER INSERT ON note BEGIN SELECT 1; END")
                db.execute("UPDATE note SET number = 'many' WHERE number = 3")
                db.commit()
            accepted = ("all",) if verdict == "accepted" else ()

        def spoil(event: Event) -> None:
            if (event.kind, event.phase) == ("phase-start", "proof"):
                if verdict == "mismatch":
                    break_constraint(pg_admin_url)
                if verdict == "failed":
                    with psycopg.connect(pg_admin_url, autocommit=True) as connection:
                        connection.execute(f"DROP SCHEMA {STAGING} CASCADE".encode())
                if verdict == "interrupted":
                    raise KeyboardInterrupt

        options = Options(run_dir=str(run_dir), verify=verdict != "not proven", accept=accepted)
        try:
            report = migrate(source, pg_url, options, spoil)
        except KeyboardInterrupt:
            assert verdict == "interrupted"
        else:
            expected = {"accepted": "proven", "undone": "proven", "failed": "mismatch"}.get(verdict, verdict)
            assert report.verdict == expected
        if verdict == "undone":
            undo(run_dir)
        return run_dir

    return make


@pytest.mark.parametrize(
    "verdict", ["proven", "not proven", "mismatch", "blocked", "accepted", "failed", "interrupted", "undone"]
)
def test_every_report_is_valid(verdict: str, make_report: Any) -> None:
    run_dir = make_report(verdict)
    text = (run_dir / "report.json").read_text()
    found = json.loads(text)
    VALIDATOR.validate(found)
    assert found["schema"] == "liteferry.report/1"
    assert found.keys() >= TOP
    assert found["target"].keys() >= {"version", "host", "port", "database", "user", "encoding"}
    assert not found["target"].keys() & {"password", "url", "conninfo"}
    assert found["source"].keys() >= {"path", "size_bytes", "sha256", "sqlite_version", "encoding", "journal_mode"}
    assert found["objects"].keys() == OBJECTS
    assert all(count.keys() >= {"source", "target"} for count in found["objects"].values())
    assert all(phase.keys() >= {"name", "elapsed_s"} for phase in found["phases"])
    assert all(table.keys() >= TABLE for table in found["tables"])
    assert all(finding.keys() >= FINDING for finding in found["findings"])
    assert all(mismatch.keys() >= MISMATCH for mismatch in found["mismatches"])
    assert bool(found["tables"]) == (verdict != "blocked")
    assert to_json(from_json(Report, text)) == text.rstrip("\n")
    assert call_ferry("report", run_dir, "--json").json == found
    for form in ("text", "markdown", "html"):
        shown = call_ferry("report", run_dir, "--format", form)
        assert shown.status == 0
        assert "shop.sqlite" in shown.out
    for name, form in (("report.html", "html"), ("report.md", "markdown")):
        again = call_ferry("report", run_dir, "--format", form)
        assert (run_dir / name).read_text().rstrip() == again.out.rstrip()


def test_what_migrate_writes_is_the_same(tmp_path: Path, pg_url: str) -> None:
    source = make_shop(tmp_path / "shop.sqlite")
    outcome = call_ferry("migrate", source, pg_url, "--yes", "--json", "--run-dir", tmp_path / "run")
    VALIDATOR.validate(outcome.json)
    assert outcome.json == json.loads((tmp_path / "run" / "report.json").read_text())
    dry = call_ferry("migrate", source, pg_url, "--yes", "--json", "--dry-run", "--schema", "other")
    VALIDATOR.validate(dry.json)
    verified = call_ferry("verify", source, pg_url, "--json")
    VALIDATOR.validate(verified.json)


def test_the_figures_are_those_of_the_run(tmp_path: Path, pg_url: str) -> None:
    source = make_shop(tmp_path / "shop.sqlite")
    report = call_ferry("migrate", source, pg_url, "--yes", "--json", "--run-dir", tmp_path / "run").report
    rows = {table.name: (table.rows_source, table.rows_target) for table in report.tables}
    assert rows == {"customer": (20, 20), "purchase": (200, 200), "note": (4, 4)}
    values = {table.name: table.values_compared for table in report.tables}
    assert values == {"customer": 60, "purchase": 800, "note": 8}
    assert report.rows == 224
    assert report.values_compared == 868
    assert all(table.bytes > 0 and table.digest.startswith(f"{table.rows_target}:") for table in report.tables)
    assert report.source.size_bytes == source.stat().st_size
    counts = {name: (getattr(report.objects, name).source, getattr(report.objects, name).target) for name in OBJECTS}
    assert counts == {
        "tables": (3, 3), "columns": (9, 9), "indexes": (1, 1), "unique": (1, 1), "checks": (1, 1),
        "foreign_keys": (1, 1), "sequences": (2, 2), "views": (1, 1),
    }  # fmt: skip


DAMAGES = [
    lambda report: report.pop("verdict"),
    lambda report: report.update(verdict="fine"),
    lambda report: report["tables"][0].update(rows_target="many"),
    lambda report: report["tables"][0].pop("digest"),
    lambda report: report["objects"].update(tables=3),
    lambda report: report.update(findings=[{"code": "x"}]),
    lambda report: report.update(phases=None),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_schema_notices(damage: Any, make_report: Any) -> None:
    """The guard's guard: what is not a report is not taken for one."""
    found = json.loads((make_report("proven") / "report.json").read_text())
    VALIDATOR.validate(found)
    damaged = copy.deepcopy(found)
    damage(damaged)
    with pytest.raises(ValidationError):
        VALIDATOR.validate(damaged)
