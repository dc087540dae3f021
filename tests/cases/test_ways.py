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
        return spell_decision(self.code, self.place, self.way)


def spell_decision(code: str, place: str, way: str) -> str:
    """A decision as ``--on-misfit`` takes it."""
    return f"{code}:{place}={way}" + (":Europe/Berlin" if way == "timezone" else "")


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

    def cost(trial: Trial) -> tuple[bool, int, Trial]:
        return read_case(trial.case).is_into_existing, len(read_findings(trial.case)), trial

    cheapest: dict[tuple[str, str], Trial] = {}
    for trial in sorted(list_trials(), key=cost):
        cheapest.setdefault((trial.code, trial.way), trial)
    return set(cheapest.values())


TRIALS: Final = sorted(set(list_trials()))
SELECTED: Final = select_trials()

ONLY_REPAIRED: Final = MappingProxyType(
    {"c37-into-columns-of-one-side": "target-column-required: a column that nothing fills has no way out but a default"}
)
"""Cases that stay blocked whatever is taken: the finding that offers no way, and why it cannot."""

ROUNDS: Final = 3
"""How often a way may bring up what is to be decided next: two findings of one column, each with ways of its own."""


def test_every_way_is_offered_by_a_case() -> None:
    known = {
        (code, way)
        for code, kind in FINDINGS.items()
        if not code.startswith("django-")  # of projects: tests/django_move
        for way in (*([kind.way] if kind.if_accepted else []), *kind.others)
    }
    assert {(trial.code, trial.way) for trial in TRIALS} == known
    assert {(trial.code, trial.way) for trial in SELECTED} == known


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
        for number in range(ROUNDS):
            run_dir = tmp_path / f"run-{number}"
            outcome = migrate(world, options, run_dir)
            findings = outcome.json["findings"]
            assert not [f for f in findings if f["code"] == "decision-unused"]
            blocking = [f for f in findings if f["severity"] == "blocker" and not f["accepted"]]
            stuck = {f["code"] for f in blocking if not f["ways"]}
            if stuck:
                assert stuck == {ONLY_REPAIRED.get(trial.case, "").partition(":")[0]}, blocking
                return
            if not blocking:
                break
            for finding in blocking:
                next_one = spell_decision(finding["code"], name_place(finding), finding["ways"][0]["name"])
                options += ["--on-misfit", next_one]
        if trial.way == "try" and outcome.status == ExitStatus.UNDONE:
            assert outcome.json["failure"]["hint"]
        else:
            assert outcome.status == ExitStatus.PROVEN, (outcome, blocking)
            prove_and_undo(case, world, run_dir)
        with open_target(world.target) as target:
            assert target.read_catalog(case.schema) == before


def migrate(world: World, options: list[str], run_dir: Path) -> Outcome:
    common = ("--yes", "--quiet", "--json", "--run-dir", run_dir)
    return call_ferry("migrate", world.source, world.target, *common, *options)


def prove_and_undo(case: Case, world: World, run_dir: Path) -> None:
    common = ("--quiet", "--json", "--run-dir", run_dir)
    verified = call_ferry("verify", world.source, world.target, "--schema", case.schema, *common)
    assert verified.status == ExitStatus.PROVEN, verified
    undone = call_ferry("undo", run_dir, "--target", world.target, "--yes", "--quiet", "--json")
    assert undone.status == ExitStatus.PROVEN, undone
