"""Findings that one rule of Django's decided for many columns: one line, not one a column; JSON keeps them all."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from liteferry.findings import make_finding
from liteferry.model import Finding, Report, from_json
from liteferry.report import render_findings_text, render_html, render_json, render_markdown, render_text

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "report"
COLUMNS = 57


def make_given(number: int, rule: str = "USE_TZ, UTC", way: str = "timezone:UTC") -> Finding:
    found = make_finding(
        "time-zone-given", f"{number} timestamps have no offset", table=f"shop_t{number}", name="at", count=number
    )
    return replace(found, way=way, decided_by=f"Django: DateTimeField shop.T{number}.at ({rule})")


def make_clear(number: int) -> Finding:
    found = make_finding("local-time-unclear", "twice", table=f"shop_t{number}", name="at", count=2)
    return replace(
        found,
        way="earlier",
        accepted=True,
        decided_by=f"Django: DateTimeField shop.T{number}.at (USE_TZ, Europe/Berlin)",
    )


GIVEN = [make_given(number) for number in range(1, COLUMNS + 1)]
OWN = replace(make_given(99), decided_by="--on-misfit shop_t99.at=timezone:Asia/Tokyo", way="timezone:Asia/Tokyo")
TOTAL = f"{sum(range(1, COLUMNS + 1)):,}"


def unfold(text: str) -> str:
    return " ".join(text.split())


def test_one_line_for_all_columns_of_a_rule() -> None:
    text = unfold(render_findings_text([*GIVEN, OWN], blocked=False))
    assert f"57 columns with {TOTAL} values, decided by Django: DateTimeField (USE_TZ, UTC): timezone:UTC" in text
    assert "shop_t1.at (1), shop_t2.at (2)" in text
    assert "52 more, listed in full by --json" in text
    assert "shop_t30.at" not in text
    assert "shop_t99.at" in text  # the user's own is told by itself


def test_every_rule_has_a_line_of_its_own() -> None:
    other = [make_given(number, "USE_TZ, Asia/Tokyo", "timezone:Asia/Tokyo") for number in (60, 61)]
    text = unfold(render_findings_text([*GIVEN, *other, make_given(70, "no USE_TZ, Asia/Tokyo")], blocked=False))
    assert "2 columns with 121 values, decided by Django: DateTimeField (USE_TZ, Asia/Tokyo)" in text
    assert "70 timestamps have no offset" in text  # alone of its rule


def make_report() -> Report:
    case = from_json(Report, (GOLDEN / "proven.json").read_bytes())
    return replace(case, findings=(*case.findings, *GIVEN, *(make_clear(number) for number in range(1, 8))))


def test_pages_and_summary_say_it_once_and_json_keeps_all() -> None:
    report = make_report()
    page, markdown, text = render_html(report), render_markdown(report), unfold(render_text(report))
    told = f"57 columns with {TOTAL} values, decided by"
    assert told in page
    assert told in markdown
    assert "timestamps have no offset" not in page
    assert len(re.findall(r"<li><span class=\"name\">shop_<wbr>t\d+\.<wbr>at", page)) == COLUMNS + 7
    assert "by Django: DateTimeField (USE_TZ, Europe/Berlin)" in text
    assert render_json(report).count("timestamps have no offset") == COLUMNS
