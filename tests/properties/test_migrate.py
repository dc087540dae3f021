"""Whatever a SQLite file declares and holds: it arrives and comes back equal, or is blocked for a stated reason."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from liteferry import Options, digest, migrate, undo, verify
from liteferry.errors import ExitStatus
from liteferry.findings import FINDINGS
from liteferry.run import read_plan
from liteferry.target import open_target
from random_databases import Statement, databases, write_database
from way_back import assert_rows_equal, list_unaccounted, read_json, read_moment

if TYPE_CHECKING:
    from liteferry.model import Plan, Report

UNEQUAL_IN_SQLITE: Final = (
    "differ in SQLite, but are equal in the PostgreSQL types of",
    "do not hold CHECK constraint",
)
"""The reasons for which a run may fail after all findings were accepted. Each names its rows."""


def is_excused(report: Report) -> bool:
    """Whether the run failed for one of the stated reasons."""
    failure = report.failure
    return failure is not None and any(reason in failure.what for reason in UNEQUAL_IN_SQLITE)


def assert_untouched(url: str) -> None:
    with open_target(url) as target:
        assert target.read_catalog("public").is_empty


def assert_findings_are_clear(report: Report) -> None:
    """Each says where and why, and what accepting it would do unless nothing but a repair helps."""
    for finding in report.findings:
        assert finding.message
        assert finding.place or finding.table == "" or finding.name == "", finding
        if finding.severity == "blocker":
            assert finding.if_accepted or not FINDINGS[finding.code].if_accepted, finding


def forget_decisions(plan: Plan) -> Plan:
    findings = tuple(replace(found, accepted=False, way="", decided_by="") for found in plan.findings)
    return replace(plan, findings=findings, decided=None)


def check_round_trip(url: str, statements: tuple[Statement, ...]) -> str:
    """Go there and back; what came out: ``proven``, ``accepted`` or ``excused``."""
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "source.sqlite"
        write_database(source, statements)
        first = migrate(source, url, Options(run_dir=f"{directory}/first"))
        assert_findings_are_clear(first)
        assert first.verdict in {"proven", "blocked"} or is_excused(first), (first.failure, first.mismatches)
        is_blocked = any(finding.blocks for finding in first.findings)
        assert is_blocked is (first.verdict == "blocked")
        if first.verdict == "proven":
            undo(f"{directory}/first", url)
        assert_untouched(url)

        run_dir = Path(directory) / "second"
        report = migrate(source, url, Options(accept=("all",), run_dir=str(run_dir)))
        plan = read_plan(run_dir)
        assert forget_decisions(plan) == forget_decisions(read_plan(Path(directory) / "first")), "the plan differs"
        if is_excused(report):
            assert report.exit_status == ExitStatus.UNDONE
            assert_untouched(url)
            return "excused"
        assert report.verdict == "proven", (report.failure, report.mismatches)
        assert assert_rows_equal(source, url, plan) == report.rows
        wrong = list_unaccounted(source, url, plan)
        assert not wrong, wrong
        if first.verdict == "proven":
            assert [table.digest for table in first.tables] == [table.digest for table in report.tables]
        found = dict(digest(str(source), Options(run_dir=str(run_dir))))
        assert {name: one.text for name, one in found.items()} == {t.target: t.digest for t in report.tables}
        undo(run_dir, url)
        assert_untouched(url)
        return "accepted" if is_blocked else "proven"


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a shrink is a migration a step: by hand, when needed
)
@given(statements=databases())
def test_any_database_goes_there_and_back(pg_url: str, statements: tuple[Statement, ...]) -> None:
    check_round_trip(pg_url, statements)


@pytest.mark.slow
@pytest.mark.timeout(7200)
# each is two migrations, a second or two; others every time, so that many runs find more than a long one
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(statements=databases())
def test_any_database_goes_there_and_back_at_length(pg_url: str, statements: tuple[Statement, ...]) -> None:
    check_round_trip(pg_url, statements)


# ---------------------------------------------------------------------------------------------------------------------
# The property can fail


def make_two_rows(path: Path) -> None:
    write_database(
        path,
        (
            Statement('CREATE TABLE "t" ("a" TEXT CHECK ("a" <> \'\'), "b" INTEGER DEFAULT 1 REFERENCES "t" ("b"))'),
            Statement('CREATE VIEW "v" AS SELECT "a" FROM "t"'),
            Statement('INSERT INTO "t" VALUES (?, ?)', ("x", None)),
            Statement('INSERT INTO "t" VALUES (?, ?)', ("y", None)),
        ),
    )


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE t SET a = 'z' WHERE a = 'y'",
        "DELETE FROM t WHERE a = 'x'",
        "INSERT INTO t SELECT * FROM t LIMIT 1",
        "UPDATE t SET b = 0 WHERE a = 'x'",
    ],
)
def test_the_way_back_sees_other_rows(fault: str, pg_url: str, tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite"
    make_two_rows(source)
    options = Options(run_dir=str(tmp_path / "run"), accept=("all",))
    assert migrate(source, pg_url, options).verdict == "proven"
    plan = read_plan(tmp_path / "run")
    assert assert_rows_equal(source, pg_url, plan) == 2
    assert list_unaccounted(source, pg_url, plan) == []
    with psycopg.connect(pg_url) as connection:
        connection.execute(fault.encode())
    with pytest.raises(AssertionError):
        assert_rows_equal(source, pg_url, plan)
    assert verify(source, pg_url, options).verdict == "mismatch"


@pytest.mark.parametrize(
    "fault",
    ["ALTER TABLE t DROP CONSTRAINT t_a_check", "ALTER TABLE t ALTER b DROP DEFAULT", "DROP VIEW v"],
)
def test_the_way_back_sees_missing_objects(fault: str, pg_url: str, tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite"
    make_two_rows(source)
    assert migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), accept=("all",))).verdict == "proven"
    with psycopg.connect(pg_url) as connection:
        connection.execute(fault.encode())
    assert list_unaccounted(source, pg_url, read_plan(tmp_path / "run"))


def test_forms_are_equal_where_values_are() -> None:
    """The test's own idea of equality, against Python's and SQLite's."""
    assert read_moment("2025-10-09 16:21:00+02") == read_moment("2025-10-09T14:21:00.000Z")
    assert read_moment("0001-01-01 00:00:00+14:00") == read_moment("0001-12-31 10:00:00 BC")
    assert read_moment("2024-03-01") - read_moment("2024-02-28") == 2 * 86_400
    with closing(sqlite3.connect(":memory:")) as db:
        for text in ("0001-01-01", "1899-12-31 23:59", "2000-02-29 12:00:00", "9999-12-31 23:59:59"):
            (seconds,) = db.execute("SELECT strftime('%s', ?)", [text]).fetchone()
            assert read_moment(text) - read_moment("1970-01-01") == int(seconds)
    assert read_json('{"a": 1.0, "b": [true]}') == read_json('{"b": [true], "a": 1}')
    assert read_json("[1]") != read_json("[true]")
    assert read_json("1e400") != read_json("1e401")
    assert json.loads("1e400") == json.loads("1e401")
