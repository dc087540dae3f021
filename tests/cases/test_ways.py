"""Every way out that a case offers, taken: what it says happens, and the values are proven all the same.

Each case's golden report.json says which findings it has and which ways out each offers. Here each of them is taken by
``--on-misfit``, all other findings by what accepting them does, and the run goes: migrate → verify → undo. A finding
that comes up only because a way was taken must offer ways itself, of which the first is taken then; once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pytest

from case_directory import HERE, Case, World, list_cases, read_case, with_environment
from harness import Outcome, call_ferry
from liteferry.errors import ExitStatus
from liteferry.findings import FINDINGS
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Database, PostgresServer


@dataclass(frozen=True, slots=True, order=True)
class Trial:
    """A way out of a finding of a case."""

    case: str
    code: str
    place: str
    way: str

    @property
    def option(self) -> str:
        """The way as ``--on-misfit`` takes it."""
        way = "timezone:Europe/Berlin" if self.way == "timezone" else self.way
        return f"{self.code}:{self.place}={way}"


def read_findings(name: str) -> list[dict[str, Any]]:
    path = HERE / name / "report.json"
    return list(json.loads(path.read_text())["findings"]) if path.exists() else []


def name_place(finding: dict[str, Any]) -> str:
    return ".".join(part for part in (finding["table"], finding["name"]) if part)


def list_ways(finding: dict[str, Any]) -> list[str]:
    return str(finding["ways"]).split(", ") if finding.get("ways") else []


def list_trials() -> Iterator[Trial]:
    for name in list_cases():
        for finding in read_findings(name):
            if not finding["accepted"]:
                for way in list_ways(finding):
                    yield Trial(name, finding["code"], name_place(finding), way)


def select_trials() -> set[Trial]:
    """One trial of each way out of each kind of finding: that of the case with the fewest findings."""
    cheapest: dict[tuple[str, str], Trial] = {}
    for trial in sorted(list_trials(), key=lambda trial: (len(read_findings(trial.case)), trial)):
        cheapest.setdefault((trial.code, trial.way), trial)
    return set(cheapest.values())


TRIALS: Final = sorted(set(list_trials()))
SELECTED: Final = select_trials()

ONLY_REPAIRED: Final = MappingProxyType({})
"""Cases that stay blocked whatever is taken, with the finding that no way leads out of."""

NOT_OFFERED: Final = frozenset({("x", "x")})
"""Ways out of kinds of findings that no case offers: what it takes is shown elsewhere."""


def test_every_way_is_offered_by_a_case() -> None:
    known = {(code, way) for code, kind in FINDINGS.items() for way in (kind.way if kind.if_accepted else "", *kind.others) if way}
    offered = {(trial.code, trial.way) for trial in TRIALS}
    assert offered - known == set()
    assert known - offered == NOT_OFFERED


@pytest.mark.parametrize(
    "trial",
    [
        pytest.param(
            trial,
            id=f"{trial.case}: {trial.code}:{trial.place}={trial.way}".encode("unicode_escape").decode(),
            marks=() if trial in SELECTED else pytest.mark.slow,
        )
        for trial in TRIALS
    ],
)
def test_way(
    trial: Trial, tmp_path: Path, pg_server: PostgresServer, pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = read_case(trial.case)
    with case.set_up(tmp_path, pg_server, pg_database) as world:
        with_environment(world, monkeypatch)
        with open_target(world.target) as target:
            before = target.read_catalog(case.schema)
        options = [*case.options, "--accept", "all", "--on-misfit", trial.option]
        outcome, run_dir = migrate(world, options, tmp_path / "run")
        report = outcome.json
        taken = [f["way"] for f in report["findings"] if (f["code"], name_place(f)) == (trial.code, trial.place)]
        assert taken == [trial.option.rpartition("=")[2]]
        if outcome.status == ExitStatus.BLOCKED:
            blocking = [f for f in report["findings"] if f["severity"] == "blocker" and not f["accepted"]]
            stuck = [f["code"] for f in blocking if not f["ways"]]
            if stuck:
                assert ONLY_REPAIRED.get(trial.case) == set(stuck), blocking
                return
            for finding in blocking:
                options += ["--on-misfit", f"{finding['code']}:{name_place(finding)}={finding['ways'][0]['name']}"]
            outcome, run_dir = migrate(world, options, tmp_path / "again")
        if trial.way == "try" and outcome.status == ExitStatus.UNDONE:
            assert outcome.json["failure"]["hint"]
        else:
            assert outcome.status == ExitStatus.PROVEN, outcome
            prove_and_undo(case, world, run_dir)
        with open_target(world.target) as target:
            assert target.read_catalog(case.schema) == before


def migrate(world: World, options: list[str], run_dir: Path) -> tuple[Outcome, Path]:
    common = ("--yes", "--quiet", "--json", "--run-dir", run_dir)
    return call_ferry("migrate", world.source, world.target, *common, *options), run_dir


def prove_and_undo(case: Case, world: World, run_dir: Path) -> None:
    common = ("--quiet", "--json", "--run-dir", run_dir)
    verified = call_ferry("verify", world.source, world.target, "--schema", case.schema, *common)
    assert verified.status == ExitStatus.PROVEN, verified
    undone = call_ferry("undo", run_dir, "--target", world.target, "--yes", "--quiet", "--json")
    assert undone.status == ExitStatus.PROVEN, undone
