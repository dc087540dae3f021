"""Fit the rates that `check` predicts by to what was measured: ``python bench/rates.py REPORT.json …``.

Each file is a run's report.json, of runs on an idle machine, with the server on the same one. Nothing is written: a
table says how far each phase was off, by run, and below it stand the rates that fit better, to be put into
``src/liteferry/forecast/rates.py``. What few runs say nothing about stays nearly as it was.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.forecast import Machine, predict_from_rates
from liteferry.forecast.rates import RATES, REFERENCE_SERVER, Rate
from liteferry.model import Report, from_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from liteferry.model import Work

UNITS: Final[dict[str, str]] = {
    "source_byte_us": "source_bytes",
    "table_us": "tables",
    "object_us": "objects",
    "row_us": "rows",
    "value_us": "values",
    "byte_us": "size_bytes",
    "document_byte_us": "document_bytes",
    "entry_us": "entries",
    "reference_us": "references",
}
"""The rates that are fitted, and what of the work each is of; `Rate.fixed_ms` is of every run."""
TRUST: Final = 0.01
"""How much the rates as they are weigh against a run."""
ROUNDS: Final = 2000
NOTHING: Final = 1e-6
"""A rate that fell to this share of what it was is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A phase of a run: how much there was to do, what it took, and what of that no rate explains, in microseconds."""

    work: Work
    taken_us: float
    trips_us: float
    stretched: float


def list_cases(reports: Sequence[Report]) -> dict[str, list[Case]]:
    """The phases of runs that made the schema themselves, or of a project, by name. Pure."""
    found: dict[str, list[Case]] = defaultdict(list)
    for report in reports:
        if report.window is None or report.work is None or report.into == "existing":
            continue
        work, machine = report.work, Machine(jobs=report.jobs)
        for part in report.window.parts:
            rate = RATES.get(part.name)
            if rate is not None and part.elapsed_s > 0:
                trips = rate.trips + rate.trips_a_table * work.tables + rate.trips_a_step * work.steps
                usual = 1 - rate.parallel_share + rate.parallel_share * 2 / min(max(machine.jobs, 1), 2)
                speed = report.server_speed or REFERENCE_SERVER
                case = Case(
                    work=work,
                    taken_us=part.elapsed_s * 1e6,
                    trips_us=trips * speed.round_trip_s * 1e6,
                    stretched=usual,
                )
                found[part.name].append(case)
    return found


def fit_rate(rate: Rate, cases: Sequence[Case]) -> dict[str, float]:
    """The rates that explain the cases best, none below 0: least squares of the relative errors. Pure."""
    names = [name for name in ("fixed_ms", *UNITS) if getattr(rate, name) > 0]
    before = {name: getattr(rate, name) for name in names}
    now = dict(before)
    rows = [{name: weigh(name, case) * case.stretched / case.taken_us for name in names} for case in cases]
    wanted = [max(0.0, case.taken_us - case.trips_us) / case.taken_us for case in cases]
    for _ in range(ROUNDS):  # one rate at a time, the others as they are: slow, and sure to end
        for name in names:
            left = [
                goal - sum(row[other] * now[other] for other in names if other != name)
                for row, goal in zip(rows, wanted, strict=True)
            ]
            above = sum(row[name] * rest for row, rest in zip(rows, left, strict=True)) + TRUST / before[name]
            below = sum(row[name] ** 2 for row in rows) + TRUST / before[name] ** 2
            now[name] = max(0.0, above / below)
    return {name: found if found > before[name] * NOTHING else 0.0 for name, found in now.items()}


def weigh(name: str, case: Case) -> float:
    """How many microseconds a rate of 1 stands for in a case. Pure."""
    return 1000.0 if name == "fixed_ms" else float(getattr(case.work, UNITS[name]))


def write_rate(name: str, rate: Rate, fitted: Mapping[str, float]) -> str:
    """A rate as it stands in the code. Pure."""
    parts = [f"{key}={value:.3g}" for key, value in fitted.items()]
    parts += [
        f"{field.name}={getattr(rate, field.name)}"
        for field in fields(Rate)
        if field.name not in fitted and getattr(rate, field.name) != field.default
    ]
    return f'    "{name}": Rate({", ".join(parts)}),'


def main() -> int:
    """Read the reports, and print what they say."""
    reports = [from_json(Report, Path(path).read_bytes()) for path in sys.argv[1:]]
    if not reports:
        print(__doc__)
        return 2
    print("measured / expected by the rates, by run:")
    for path, report in zip(sys.argv[1:], reports, strict=True):
        if report.window is None or report.work is None:
            print(f"  {path}: did not come to its end")
            continue
        expected = predict_from_rates(report.work, Machine(jobs=report.jobs), into=report.into)
        likely = {phase.name: phase.likely_s for phase in expected.phases}
        shown = [
            f"{part.name} {part.elapsed_s:.2f}/{likely[part.name]:.2f}"
            for part in report.window.parts
            if part.name in likely
        ]
        print(f"  {path}: whole {report.window.elapsed_s:.2f}/{expected.likely_s:.2f}; {', '.join(shown)}")
    cases = list_cases(reports)
    print("\nrates that fit better:")
    for name, rate in RATES.items():
        fitted = fit_rate(rate, cases[name]) if cases.get(name) else {}
        print(write_rate(name, rate, fitted or {key: getattr(rate, key) for key in ("fixed_ms", *UNITS)}))
    speeds = [report.server_speed for report in reports if report.server_speed is not None]
    if speeds:
        print(
            f"\nREFERENCE_SERVER: round_trip_s={statistics.median(s.round_trip_s for s in speeds):.2g}, "
            f"work_s={statistics.median(s.work_s for s in speeds):.2g}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
