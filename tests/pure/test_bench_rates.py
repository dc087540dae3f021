"""Fitting rates to reports: what was made by rates is explained by them; what few runs say is not overdone."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from rates import Case, fit_rate, list_cases, write_rate

from liteferry.forecast.rates import RATES, Rate
from liteferry.model import ObjectCounts, Report, SourceInfo, Window, WindowPart, Work

BEFORE = Rate(fixed_ms=10, row_us=1.0, byte_us=0.01, server_share=0.5)
WORKS = [
    Work(rows=10, size_bytes=1000),
    Work(rows=1_000_000, size_bytes=10_000_000),
    Work(rows=100_000, size_bytes=500_000_000),
    Work(rows=3_000_000, size_bytes=300_000_000),
]


def make_cases(rate: Rate, *, stretched: float = 1.0) -> list[Case]:
    return [
        Case(
            work=work,
            taken_us=(rate.fixed_ms * 1000 + rate.row_us * work.rows + rate.byte_us * work.size_bytes) * stretched
            + 500,
            trips_us=500,
            stretched=stretched,
        )
        for work in WORKS
    ]


@pytest.mark.parametrize("stretched", [1.0, 1.5])
@pytest.mark.parametrize(
    "truth",
    [BEFORE, replace(BEFORE, fixed_ms=30.0, row_us=0.5, byte_us=0.02), replace(BEFORE, row_us=2.0, byte_us=0.001)],
)
def test_what_rates_made_is_explained_by_them(truth: Rate, stretched: float) -> None:
    found = Rate(**asdict(BEFORE) | fit_rate(BEFORE, make_cases(truth, stretched=stretched)))
    again = make_cases(found, stretched=stretched)
    for case, wanted in zip(again, make_cases(truth, stretched=stretched), strict=True):
        assert case.taken_us == pytest.approx(wanted.taken_us, rel=0.1)


def test_what_no_run_says_anything_about_stays() -> None:
    fitted = fit_rate(BEFORE, [replace(case, work=Work()) for case in make_cases(replace(BEFORE, fixed_ms=20.0))])
    assert fitted["row_us"] == pytest.approx(BEFORE.row_us)
    assert fitted["fixed_ms"] > BEFORE.fixed_ms
    assert min(fitted.values()) >= 0


def test_runs_into_a_schema_that_is_there_are_left_out() -> None:
    source = SourceInfo(path="", size_bytes=0, sha256="", sqlite_version="", encoding="", journal_mode="")
    report = Report(
        schema="", verdict="proven", exit_status=0, liteferry_version="", python_version="", run_id="", started_at="",
        elapsed_s=3, run_dir="", source=source, target=None, target_schema="", phases=(), tables=(),
        objects=ObjectCounts(), findings=(), work=WORKS[1],
        window=Window(elapsed_s=3, parts=(WindowPart(name="load", elapsed_s=2), WindowPart(name="hooks", elapsed_s=1))),
    )  # fmt: skip
    assert set(list_cases([report])) == {"load"}
    assert not list_cases([replace(report, into="existing")])
    assert not list_cases([replace(report, window=None)])


def test_rates_are_written_as_they_stand_in_the_code() -> None:
    for name, rate in RATES.items():
        figures = {key: getattr(rate, key) for key in ("fixed_ms", "table_us", "row_us")}
        line = write_rate(name, rate, figures)
        made = eval("{" + line + "}", {"Rate": Rate})  # noqa: S307 - our own text: it has to be Python
        assert made[name].server_share == rate.server_share
        assert made[name].row_us == pytest.approx(rate.row_us, rel=0.01)
