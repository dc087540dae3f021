"""Every case: a real SQLite file through the real commands on a real server, there and back, twice.

A case is a directory with ``source.sql`` or a scenario (see `case_directory`), optionally ``options.json`` (the
arguments of `migrate`, in which ``{case}`` stands for the directory) and ``target.sql`` (run in the target beforehand,
by its owner), and what must come out: ``plan.sql`` (the plan's steps) and ``report.json`` (the report without what
changes from run to run); or ``error.json``, where it ends before there is a plan. ``LITEFERRY_UPDATE_GOLDEN=1`` writes
plan.sql and report.json anew.

Each goes: check → migrate → (published: verify → undo → the target as before → migrate again).
A directory's number is that of its case in `NUMBERED`; those without a number came up while the others were written.
"""

from __future__ import annotations

import json
import os
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from case_directory import Case, World, list_cases, read_case, with_environment
from harness import assert_error, call_ferry, list_directory, measure_ferry, read_everything
from liteferry.errors import ExitStatus
from liteferry.model import Plan, TargetCatalog, from_json
from liteferry.proof import compare_catalogs
from liteferry.target import open_target
from live_files import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Database, PostgresServer

CASES = list_cases()
UPDATE = os.environ.get("LITEFERRY_UPDATE_GOLDEN") == "1"

FINDING_KEYS = ("code", "table", "name", "count", "message", "if_accepted", "accepted")

NUMBERED = MappingProxyType(
    {
        # values that get lost elsewhere without a word
        1: "one text among the numbers of an INTEGER column",
        2: "doubles, bit for bit",
        3: "texts in a BLOB column",
        4: "NUL in the middle of a text",
        5: "numbers where a date should be",
        6: "keys that the server cannot make: their rows are named",
        7: "defaults that are computed",
        8: "UUIDs that became numbers long ago",
        9: "rows whose parent is gone",
        10: "blobs of every byte, and what is empty but not NULL",
        11: "booleans as Django writes them",
        # the first row that is written afterwards
        12: "the next id: AUTOINCREMENT",
        13: "the next id: INTEGER PRIMARY KEY alone",
        14: "the next id: an empty table",
        15: "the next id: the largest row was deleted",
        16: "the next id: serial and identity columns of a schema that was there",
        17: "a sequence of somebody else's is left alone",
        # the schema
        18: "indexes on expressions",
        19: "unique indexes on some of the rows",
        20: "a foreign key that names no column",
        21: "keys of several columns, in an order of their own",
        22: "a foreign key to what is not unique",
        23: "foreign keys in a circle, with actions, deferred",
        24: "generated columns",
        25: "CHECK, and text that ignores case",
        26: "virtual tables",
        27: "defaults in odd spellings",
        28: "types that SQLite alone knows",
        29: "names with capitals and spaces",
        30: "names that are words of PostgreSQL's",
        31: "names that are too long",
        32: "names of indexes and constraints",
        33: "views and triggers",
        # into an application's schema
        34: "0 and 1 into the target's boolean",
        35: "texts that are too long for varchar",
        36: "rows that the application's migrations put there",
        37: "columns that one side alone has",
        38: "tables that nobody here knows",
        39: "generated and identity columns of the target's",
        40: "partitions and triggers of the target's",
        41: "row level security",
        # text and JSON
        42: "texts in other encodings, or in none",
        43: "JSON that is odd, deep or large",
        44: "what is too large for PostgreSQL",
        # running it
        45: "memory stays bounded",
        46: "every way to say where the server is, and who asks",
        47: "a source that is in use, or in an odd place",
        48: "files that hold nothing, or nothing whole",
        49: "names and schema texts that mean harm",
        50: "servers that will not do",
    }
)


def read_target(url: str, schema: str) -> TargetCatalog:
    with open_target(url) as target:
        return target.read_catalog(schema)


def describe_plan(plan: Plan) -> str:
    """The steps as SQL, to be read in a review."""
    lines = []
    for step in plan.steps:
        lines.append(f"-- {step.id}")
        lines += [f"{sql};" for sql in step.sql]
    return "\n".join(lines) + "\n"


def _first_way(finding: dict[str, Any]) -> list[str]:
    """The way that accepting takes."""
    return [finding["ways"][0]["name"]] if finding["ways"] and finding["if_accepted"] else []


def describe_report(report: dict[str, Any]) -> dict[str, Any]:
    """What of a report is the same in every run."""
    return {
        "verdict": report["verdict"],
        "exit_status": report["exit_status"],
        "published": report["published"],
        "tables": [
            {
                key: table[key]
                for key in (
                    "name",
                    "target",
                    "rows_source",
                    "rows_target",
                    "values_compared",
                    "digest",
                    "verdict",
                    "method",
                )
            }
            | ({"rows_replaced": table["rows_replaced"]} if report["into"] == "existing" else {})
            for table in report["tables"]
        ],
        "objects": report["objects"] if report["tables"] else {},
        "types": report["types"],
        "names": report["names"],
        "findings": [
            {
                **{key: finding[key] for key in FINDING_KEYS},
                **({"ways": ", ".join(way["name"] for way in finding["ways"])} if finding["ways"] else {}),
                **({"way": finding["way"]} if finding["way"] not in {"", *_first_way(finding)} else {}),
                "samples": [f"{sample['key']}: {sample['why']}" for sample in finding["samples"]],
            }
            for finding in report["findings"]
        ],
        **({"conversions": report["conversions"]} if report["conversions"] else {}),
        **(
            {"hooks": [{"step": h["step_id"], "changes": h["changes"]} for h in report["hooks"]]}
            if report["hooks"]
            else {}
        ),
        "mismatches": report["mismatches"],
        "failure": report["failure"],
    }


def hold_against(path: Path, found: str) -> None:
    if UPDATE:
        path.write_text(found)
    assert path.exists(), f"{path.name} is missing: run with LITEFERRY_UPDATE_GOLDEN=1 and read what it writes"
    assert found == path.read_text()


def run(*arguments: str | Path) -> tuple[int, Any]:
    """A command's exit status and its JSON."""
    outcome = call_ferry(*arguments, "--json")
    return outcome.status, outcome.json


def test_every_number_has_a_case() -> None:
    found = {int(match[1]) for name in CASES if (match := re.fullmatch(r"c(\d\d)-[a-z0-9-]+", name))}
    assert found == set(NUMBERED)
    assert len(NUMBERED) == 50


@pytest.mark.parametrize("name", CASES)
def test_case(
    name: str, tmp_path: Path, pg_server: PostgresServer, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = read_case(name)
    with case.set_up(tmp_path, pg_server, pg_database) as world:
        with_environment(world, monkeypatch)
        before = fingerprint(world.source.parent)
        if case.error is not None:
            refuse(case, world)
        else:
            move(case, world, tmp_path)
        if not world.is_written:
            assert fingerprint(world.source.parent) == before


def refuse(case: Case, world: World) -> None:
    """It ends before there is a plan, `check` as `migrate`, and nothing is left anywhere."""
    assert case.error is not None
    objects = read_everything(world.database.admin_url)
    files = list_directory(world.source.parent)
    for command, *flags in (("check",), ("migrate", "--yes", "--json")):
        outcome = call_ferry(command, world.source, world.target, *flags, *case.options)
        assert_error(outcome, case.error["code"], *case.error["says"], status=case.error["status"])
    assert read_everything(world.database.admin_url) == objects
    assert list_directory(world.source.parent) == files


def move(case: Case, world: World, place: Path) -> None:
    """There, proven, back, and there again."""
    source, target, schema, run_dir = world.source, world.target, case.schema, place / "run"
    before = read_target(target, schema)
    migrate: list[str | Path] = ["migrate", source, target, "--quiet", "--yes", *case.options]
    if case.peak_mb:
        outcome, peak_mb = measure_ferry(*migrate, "--json", "--run-dir", run_dir)
        assert peak_mb < case.peak_mb
        status, report = outcome.status, outcome.json
    else:
        status, report = run(*migrate, "--run-dir", run_dir)
    plan = from_json(Plan, (run_dir / "plan.json").read_bytes())
    hold_against(case.directory / "plan.sql", describe_plan(plan))
    hold_against(
        case.directory / "report.json", json.dumps(describe_report(report), indent=2, ensure_ascii=False) + "\n"
    )
    assert status == report["exit_status"]
    if case.is_into_existing and report["published"]:
        assert run("undo", run_dir, "--target", target, "--quiet", "--yes")[0] == ExitStatus.PROVEN
    checking = [option for option in case.options if option != "--no-verify"]
    place_of_check = [target] if case.is_into_existing else []
    checked, findings = run("check", source, *place_of_check, "--quiet", *checking)
    if case.is_into_existing and report["published"]:
        run_dir = place / "run-again"
        status, report = run(*migrate, "--run-dir", run_dir)
    assert checked == (ExitStatus.BLOCKED if report["verdict"] == "blocked" else ExitStatus.PROVEN)
    assert [f["code"] for f in findings["findings"]] == [f["code"] for f in report["findings"]]

    if report["published"]:
        held = read_target(target, schema)
        made = {
            c["name"] for h in report["hooks"] for c in h["changes"] if (c["kind"], c["change"]) == ("table", "made")
        }
        if case.is_into_existing:
            assert compare_catalogs(before, held) == ()
        else:
            assert {table.name for table in held.tables} == {table.target for table in plan.tables} | made
        verified, proof = run("verify", source, target, "--quiet", "--schema", schema, "--run-dir", run_dir)
        assert verified == ExitStatus.PROVEN, proof["mismatches"]
        undone, refusal = run("undo", run_dir, "--target", target, "--quiet", "--yes")
        assert undone == ExitStatus.PROVEN, refusal
        assert read_target(target, schema) == before
        again, second = run(*migrate, "--run-dir", place / "again")
        assert again == status, second["failure"]
        assert describe_report(second) == describe_report(report)
    else:
        assert read_target(target, schema) == before
    if not case.is_into_existing:
        assert read_target(target, plan.staging_schema) == TargetCatalog(schema=plan.staging_schema, exists=False)
    case.use(world.database.admin_url)
