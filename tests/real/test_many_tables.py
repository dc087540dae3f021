"""Thousands of tables: what is done for each of them must not depend on how many there are."""

from __future__ import annotations

import sys
import threading
from itertools import count
from typing import TYPE_CHECKING

import pytest

from harness import read_everything
from liteferry import Options, migrate, undo
from liteferry.servers import create_database, drop_database, start_server
from many_tables import make_many_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from liteferry import Event


def count_calls(source: Path, url: str, run_dir: Path) -> int:
    """How many calls of Python functions, and steps of generators, all threads make to migrate a file."""
    calls = count()

    def note(_: FrameType, event: str, __: object) -> None:
        if event == "call":
            next(calls)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        report = migrate(source, url, Options(run_dir=str(run_dir), jobs=1, accept=("all",)))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert report.verdict == "proven"
    undo(run_dir, url)
    return next(calls)


def test_four_times_as_many_tables_are_four_times_the_work(tmp_path: Path, pg_url: str) -> None:
    calls = []
    for number, tables in enumerate((1, 1, 75, 300)):
        source = make_many_tables(tmp_path / f"{number}.sqlite", tables)
        calls.append(count_calls(source, pg_url, tmp_path / f"run-{number}"))
    _, first, few, many = calls  # the very first run imports what it needs
    assert first < few
    assert (many - first) / (few - first) < 4.2, calls


def test_many_tables_of_one_row(tmp_path: Path, pg_url: str) -> None:
    source = make_many_tables(tmp_path / "many.sqlite", 1000)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), accept=("all",)))
    assert (report.verdict, len(report.tables), report.rows) == ("proven", 1000, 1000)


def test_many_columns(tmp_path: Path, pg_url: str) -> None:
    source = make_many_tables(tmp_path / "wide.sqlite", 2, columns=1000, rows=300)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), accept=("all",)))
    assert (report.verdict, report.values_compared) == ("proven", 2 * 1000 * 300)


def test_more_staged_tables_than_the_server_can_lock(tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    """A schema that DROP … CASCADE cannot take away in one transaction goes some tables at a time."""
    before = read_everything(pg_admin_url)
    source = make_many_tables(tmp_path / "many.sqlite", 1000)

    def fail(event: Event) -> None:
        if (event.kind, event.phase) == ("phase-start", "proof"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), accept=("all",)), fail)
    assert read_everything(pg_admin_url) == before


# ---------------------------------------------------------------------------------------------------------------------
# Ten thousand, on the embedded server, whose table of locks is larger than others'


@pytest.fixture
def embedded_url(liteferry_home: Path) -> Iterator[str]:
    assert liteferry_home.exists()
    server = start_server()
    url = create_database(server, "many")
    yield url
    drop_database(server, url)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_tables(tmp_path: Path, embedded_url: str) -> None:
    source = make_many_tables(tmp_path / "many.sqlite", 10_000)
    report = migrate(source, embedded_url, Options(run_dir=str(tmp_path / "run"), accept=("all",)))
    assert (report.verdict, len(report.tables), report.rows) == ("proven", 10_000, 10_000)
