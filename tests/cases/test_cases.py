"""Every case: a real SQLite file through the real commands on a real server, there and back, twice.

A case is a directory with ``source.sql`` (run by SQLite to make the file), optionally ``options.json`` (the arguments
of `migrate`) and ``target.sql`` (run in the target beforehand, by its owner), and what must come out: ``plan.sql`` (the
plan's steps) and ``report.json`` (the report without what changes from run to run). ``LITEFERRY_UPDATE_GOLDEN=1``
writes the two anew.
of `migrate`, in which ``{case}`` stands for the directory), and what must come out: ``plan.sql`` (the plan's steps) and
``report.json`` (the report without what changes from run to run). ``LITEFERRY_UPDATE_GOLDEN=1`` writes the two anew.

Each goes: check → migrate → (published: verify → undo → the target as before → migrate again).
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import execute
from liteferry.cli import main
from liteferry.errors import ExitStatus
from liteferry.model import Plan, TargetCatalog, from_json
from liteferry.proof import compare_catalogs
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/source.sql"))
UPDATE = os.environ.get("LITEFERRY_UPDATE_GOLDEN") == "1"

FINDING_KEYS = ("code", "table", "name", "count", "message", "if_accepted", "accepted")

Run = Any  # a command's exit status and its JSON


def build_source(case: Path, path: Path) -> None:
    """Make the SQLite file. ``source.sql`` may hold any bytes that SQLite takes as text."""
    connection = sqlite3.connect(path)
    connection.executescript((case / "source.sql").read_text())
    connection.close()


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


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def run_command(*arguments: str) -> Run:
        capsys.readouterr()
        status = main([*arguments])
        out = capsys.readouterr().out
        return status, json.loads(out)

    return run_command


def test_there_are_cases() -> None:
    assert len(CASES) >= 20


def read_options(case: Path) -> list[str]:
    if not (case / "options.json").exists():
        return []
    return [option.replace("{case}", str(case)) for option in json.loads((case / "options.json").read_text())]


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path, pg_url: str, run: Callable[..., Run]) -> None:
    case, source = HERE / name, tmp_path / f"{name}.sqlite"
    build_source(case, source)
    options = read_options(case)
    schema = options[options.index("--schema") + 1] if "--schema" in options else "public"
    is_into_existing = "--into" in options
    if (case / "target.sql").exists():
        execute(pg_url, (case / "target.sql").read_text())
    before, fingerprint, mtime = (
        read_target(pg_url, schema),
        hashlib.sha256(source.read_bytes()),
        source.stat().st_mtime_ns,
    )

    migrate = ("migrate", str(source), pg_url, "--json", "--quiet", "--yes", *options)
    run_dir = tmp_path / "run"
    status, report = run(*migrate, "--run-dir", str(run_dir))
    plan = from_json(Plan, (run_dir / "plan.json").read_bytes())
    hold_against(case / "plan.sql", describe_plan(plan))
    hold_against(case / "report.json", json.dumps(describe_report(report), indent=2, ensure_ascii=False) + "\n")
    assert status == report["exit_status"]
    target = (pg_url,) if is_into_existing else ()
    if is_into_existing and report["published"]:
        assert run("undo", str(run_dir), "--target", pg_url, "--json", "--quiet", "--yes")[0] == ExitStatus.PROVEN
    checking = (o for o in options if o != "--no-verify")
    checked, findings = run("check", str(source), *target, "--json", "--quiet", *checking)
    if is_into_existing and report["published"]:
        run_dir = tmp_path / "run-again"
        status, report = run(*migrate, "--run-dir", str(run_dir))
    assert checked == (ExitStatus.BLOCKED if report["verdict"] == "blocked" else ExitStatus.PROVEN)
    assert [f["code"] for f in findings["findings"]] == [f["code"] for f in report["findings"]]

    if report["published"]:
        held = read_target(pg_url, schema)
        made = {
            c["name"] for h in report["hooks"] for c in h["changes"] if (c["kind"], c["change"]) == ("table", "made")
        }
        if is_into_existing:
            assert compare_catalogs(before, held) == ()
        else:
            assert {table.name for table in held.tables} == {table.target for table in plan.tables} | made
        verified, proof = run(
            "verify", str(source), pg_url, "--json", "--quiet", "--schema", schema, "--run-dir", str(run_dir)
        )
        assert verified == ExitStatus.PROVEN, proof["mismatches"]
        undone, refusal = run("undo", str(run_dir), "--target", pg_url, "--json", "--quiet", "--yes")
        assert undone == ExitStatus.PROVEN, refusal
        assert read_target(pg_url, schema) == before
        again, second = run(*migrate, "--run-dir", str(tmp_path / "again"))
        assert again == status, second["failure"]
        assert describe_report(second) == describe_report(report)
    else:
        assert read_target(pg_url, schema) == before
    if not is_into_existing:
        assert read_target(pg_url, plan.staging_schema) == TargetCatalog(schema=plan.staging_schema, exists=False)
    assert hashlib.sha256(source.read_bytes()).digest() == fingerprint.digest()
    assert source.stat().st_mtime_ns == mtime
    assert [path.name for path in tmp_path.glob(f"{name}.sqlite*")] == [source.name]
