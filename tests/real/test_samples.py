"""Two well-known databases, there and back on every version of PostgreSQL: Chinook and Northwind."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import call_ferry
from liteferry.errors import ExitStatus
from liteferry.model import ObjectCount
from liteferry.names import quote_qualified
from liteferry.target import open_target

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry.model import Report, TargetCatalog

SAMPLES = {
    "chinook": ((), 11, 15_607),
    "northwind": (("view-untranslatable:Invoices",), 13, 3_310),
}
"""The findings that must be accepted, the tables, the rows."""


def read_public(url: str) -> TargetCatalog:
    with open_target(url) as target:
        return target.read_catalog("public")


def migrate(source: Path, url: str, run_dir: Path, accept: tuple[str, ...]) -> Report:
    options = [word for code in accept for word in ("--accept", code)]
    done = call_ferry("migrate", source, url, "--json", "--quiet", "--yes", "--run-dir", run_dir, *options)
    assert done.status == ExitStatus.PROVEN, done.err
    return done.report


@pytest.mark.parametrize("name", SAMPLES)
def test_there_and_back(sample_data: Path, name: str, pg_url_all: str, tmp_path: Path) -> None:
    accept, tables, rows = SAMPLES[name]
    source, run_dir = sample_data / f"{name}.sqlite", tmp_path / "run"
    before = read_public(pg_url_all)

    report = migrate(source, pg_url_all, run_dir, accept)
    assert (report.verdict, len(report.tables), report.rows) == ("proven", tables, rows)
    assert {table.verdict for table in report.tables} == {"proven"}
    assert [f"{found.code}:{found.place}" for found in report.findings if found.severity == "blocker"] == [*accept]

    assert call_ferry("verify", source, pg_url_all, "--quiet", "--json", "--run-dir", run_dir).status == 0
    there = call_ferry("digest", source, "--quiet", "--json", "--run-dir", run_dir).json["tables"]
    here = call_ferry("digest", pg_url_all, "--quiet", "--json").json["tables"]
    assert {table["name"]: table["digest"] for table in there} == {table["name"]: table["digest"] for table in here}
    assert {table["digest"] for table in here} == {table.digest for table in report.tables}

    assert call_ferry("undo", run_dir, "--target", pg_url_all, "--quiet", "--yes").status == 0
    assert read_public(pg_url_all) == before
    again = migrate(source, pg_url_all, tmp_path / "again", accept)
    assert [table.digest for table in again.tables] == [table.digest for table in report.tables]


def test_northwind_is_blocked_by_the_one_view_that_means_something_else(sample_data: Path, pg_url: str) -> None:
    done = call_ferry("check", sample_data / "northwind.sqlite", pg_url, "--json", "--quiet")
    assert done.status == ExitStatus.BLOCKED
    (found,) = [found for found in done.json["findings"] if found["severity"] == "blocker"]
    assert (found["code"], found["name"]) == ("view-untranslatable", "Invoices")
    assert "adds the numbers" in found["message"], "FirstName + ' ' + LastName is 0 in SQLite"


def plain(value: object) -> object:
    """A value as SQLite would give it; numbers to nine digits, since sums depend on the order of the rows."""
    if isinstance(value, float | Decimal | int) and not isinstance(value, bool):
        return float(f"{value:.9g}")
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds")  # Northwind writes three digits
    return value.isoformat() if isinstance(value, date | time) else value


def test_northwinds_views_give_the_same_rows(sample_data: Path, pg_url_all: str, tmp_path: Path) -> None:
    source = sample_data / "northwind.sqlite"
    report = migrate(source, pg_url_all, tmp_path / "run", SAMPLES["northwind"][0])
    assert report.objects.views == ObjectCount(source=16, target=15, left_out=1)
    views = [view.name for view in read_public(pg_url_all).views]
    with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old, psycopg.connect(pg_url_all) as new:
        for name in views:
            before = old.execute(f'SELECT * FROM "{name}"')
            after = new.execute(f"SELECT * FROM {quote_qualified('public', name)}".encode())
            assert [column[0] for column in before.description] == [column.name for column in after.description or ()]
            wanted, found = before.fetchall(), after.fetchall()
            assert Counter(tuple(map(plain, row)) for row in found) == Counter(
                tuple(map(plain, row)) for row in wanted
            ), name
