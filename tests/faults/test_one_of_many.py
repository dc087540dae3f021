"""Small tables' rows go to the server by one message: what goes wrong with one of them is said of that one alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import execute, read_everything, untouched
from liteferry import Options, migrate, undo
from liteferry.loading import loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from liteferry.loading import Share
    from liteferry.model import Span, Table, TableMap

ROWS = {"a": 5, "b": 4, "c": 3, "d": 0}
WAYS = ["staging", "existing"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    path = tmp_path / "source" / "small.sqlite"
    with closing(sqlite3.connect(path)) as db:
        for name, rows in ROWS.items():
            db.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, v INTEGER, t TEXT)")
            db.executemany(f"INSERT INTO {name} (v, t) VALUES (?, ?)", [(n * 10, "x" * n) for n in range(rows)])
        db.commit()
    return path


def prepare(way: str, url: str, run_dir: Path, *, verify: bool = True) -> Options:
    """The options for that way of loading, and the tables where it needs them."""
    if way == "existing":
        for name in ROWS:
            execute(url, f"CREATE TABLE public.{name} (id bigint PRIMARY KEY, v bigint, t text)")
    return Options(run_dir=str(run_dir), jobs=1, verify=verify, into="existing" if way == "existing" else "new")


def plant(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[list[bytes]], Iterator[bytes]], *, times: int = 99
) -> list[str]:
    """Change what is sent for the table in the middle; the tables that were sent, in their order."""
    real, sent = loader.Loader._encode, list[str]()

    def encode(
        self: loader.Loader, table: Table, mapped: TableMap, counter: Share, span: Span | None = None
    ) -> Iterator[bytes]:
        sent.append(table.name)
        chunks = real(self, table, mapped, counter, span)
        yield from make(list(chunks)) if table.name == "b" and sent.count("b") <= times else chunks

    monkeypatch.setattr(loader.Loader, "_encode", encode)
    return sent


def spoil(chunks: list[bytes]) -> Iterator[bytes]:
    yield chunks[0]
    yield b"\0\x07 seven columns"
    yield from chunks[1:]


def migrate_badly(source: Path, url: str, admin_url: str, options: Options) -> str:
    """Run, fail, and leave the target as it was; the error's code, and what it says."""
    before = read_everything(admin_url)
    with untouched(source):
        report = migrate(source, url, options)
    assert (report.verdict, report.published, report.exit_status) == ("failed", False, 5)
    assert report.failure is not None
    assert read_everything(admin_url) == before
    with psycopg.connect(admin_url) as connection:
        for name in ROWS if options.into == "existing" else ():
            assert connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() == (0,)
    return f"{report.failure.code}: {report.failure.what}"


@pytest.mark.parametrize("way", WAYS)
def test_without_a_fault(way: str, source: Path, tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the other tests rely on: b is in the middle, and each is sent once."""
    sent = plant(monkeypatch, iter)
    report = migrate(source, pg_url, prepare(way, pg_url, tmp_path / "run"))
    assert report.verdict == "proven"
    assert sent[:3] == ["a", "b", "c"]
    assert len(sent) == len(set(sent))


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_the_server_refuses(
    way: str, source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = plant(monkeypatch, spoil)
    said = migrate_badly(source, pg_url, pg_admin_url, prepare(way, pg_url, tmp_path / "run"))
    assert said.startswith("step-failed: copying rows failed in step data/table/b: ")
    again = ["a", "b"] if way == "staging" else []  # each by itself, to say what it was
    assert sent == ["a", "b", *again]


def test_a_row_that_an_applications_table_refuses(source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    options = prepare("existing", pg_url, tmp_path / "run")
    execute(pg_url, "ALTER TABLE public.b ADD CONSTRAINT b_v CHECK (v % 100 < 20)")
    said = migrate_badly(source, pg_url, pg_admin_url, options)
    assert "violates check constraint" in said
    assert "in step data/table/b" in said
    assert "(table b, key id=3)" in said


def test_what_passes_when_it_is_tried_again(
    source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each table by itself, each by a transaction that is known as the one that wrote it."""
    before = read_everything(pg_admin_url)
    sent = plant(monkeypatch, spoil, times=1)
    report = migrate(source, pg_url, prepare("staging", pg_url, tmp_path / "run", verify=False))
    assert (report.verdict, report.failure) == ("not proven", None)
    assert sent == ["a", "b", "a", "b", "c", "d"]
    undo(tmp_path / "run", pg_url)
    assert read_everything(pg_admin_url) == before


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_is_cut_in_the_middle(
    way: str, source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(chunks: list[bytes]) -> Iterator[bytes]:
        yield chunks[0]
        execute(
            pg_admin_url,
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state = 'active' AND query LIKE '%COPY %' AND pid <> pg_backend_pid()",
        )
        yield from chunks[1:]

    sent = plant(monkeypatch, cut)
    said = migrate_badly(source, pg_url, pg_admin_url, prepare(way, pg_url, tmp_path / "run"))
    assert said.startswith("connection-lost: copying rows failed in step data/table/b: ")
    assert sent == ["a", "b"]


@pytest.mark.parametrize("way", WAYS)
def test_a_row_that_does_not_arrive(
    way: str, source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of each are counted on both sides, although the next one is under way by then."""
    plant(monkeypatch, lambda chunks: iter([chunks[0], chunks[-1]]))
    said = migrate_badly(source, pg_url, pg_admin_url, prepare(way, pg_url, tmp_path / "run"))
    assert said.startswith("step-failed: the server took 0 of 4 rows of b")
