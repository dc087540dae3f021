"""Autovacuum is kept from a large table until its publication: who alters a table that it reads waits for a second."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import read_everything
from liteferry import Event, Options, migrate, planner, undo, verify
from liteferry.errors import MigrationError
from liteferry.model import Hook
from liteferry.target import open_target

if TYPE_CHECKING:
    from pathlib import Path

READ = "SELECT relname, reloptions FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY 1"


def read_options(url: str, schema: str) -> dict[str, list[str] | None]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute(READ.encode(), [schema]).fetchall())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A table of many rows, one of many bytes, one of neither."""
    path = tmp_path / "source" / "s.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE rows (id INTEGER PRIMARY KEY, a INT); CREATE TABLE bytes (id INTEGER PRIMARY KEY, a BLOB);"
            "CREATE TABLE little (id INTEGER PRIMARY KEY, a TEXT)"
        )
        connection.executemany("INSERT INTO rows VALUES (?, 1)", ((number,) for number in range(50_000)))
        connection.executemany("INSERT INTO bytes VALUES (?, zeroblob(1000000))", ((number,) for number in range(18)))
        connection.execute("INSERT INTO little VALUES (1, 'x')")
        connection.commit()
    return path


def test_it_is_off_for_large_tables_from_the_first_row_to_the_publication(
    source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    before, seen = read_everything(pg_admin_url), list[dict[str, list[str] | None]]()
    off = ["autovacuum_enabled=oFF"]

    def look(event: Event) -> None:
        if (event.kind, event.phase) in {("phase-start", "proof"), ("phase-start", "publish")}:
            seen.append(read_options(pg_url, "liteferry_staging_public"))

    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")), look)
    assert (report.verdict, report.published) == ("proven", True)
    assert seen == [{"bytes": off, "little": None, "rows": off}] * 2
    assert read_options(pg_url, "public") == {"bytes": None, "little": None, "rows": None}
    assert verify(source, pg_url, Options(run_dir=str(tmp_path / "run"))).verdict == "proven"
    undo(tmp_path / "run", pg_url)
    assert read_everything(pg_admin_url) == before


def test_whoever_switches_it_off_later_is_seen(source: Path, tmp_path: Path, pg_url: str) -> None:
    migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")))
    with psycopg.connect(pg_url) as connection:
        connection.execute("ALTER TABLE public.rows SET (autovacuum_enabled = off)")
    with open_target(pg_url) as target:
        assert "option autovacuum_enabled=off" in repr(target.read_catalog("public").table("rows"))


def test_a_publication_that_forgets_it_is_seen_by_verify(
    source: Path, tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof overlooks the option in staging; by the run's directory or without it, `verify` does not."""
    monkeypatch.setattr(planner, "let_vacuum_sql", lambda *_: [])
    assert migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"))).published
    for options in (Options(run_dir=str(tmp_path / "run")), Options()):
        report = verify(source, pg_url, options)
        assert report.verdict == "mismatch"
        assert {(found.object_name, found.table) for found in report.mismatches} == {
            ("option autovacuum_enabled=oFF", "rows"),
            ("option autovacuum_enabled=oFF", "bytes"),
        }
    with pytest.raises(MigrationError, match="2 definitions not as the run published them"):
        undo(tmp_path / "run", pg_url)


def test_a_hook_that_switches_it_off_is_obeyed(source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    before, names = read_everything(pg_admin_url), ("rows", "bytes", "little")
    sql = "".join(f"ALTER TABLE {name} SET (autovacuum_enabled = off);" for name in names)
    hook = Hook(point="after-data", file="hook.sql", sql=sql, sha256="0" * 64)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), hooks=(hook,)))
    assert (report.verdict, report.published) == ("proven", True)
    assert read_options(pg_url, "public") == {name: ["autovacuum_enabled=off"] for name in names}
    assert verify(source, pg_url, Options(run_dir=str(tmp_path / "run"))).verdict == "proven"
    undo(tmp_path / "run", pg_url)
    assert read_everything(pg_admin_url) == before


@pytest.mark.parametrize("place", ["load", "proof"])
def test_what_is_kept_of_a_run_is_vacuumed_again(place: str, source: Path, tmp_path: Path, pg_url: str) -> None:
    """Also where the tables that come later are not there yet."""

    def stop(event: Event) -> None:
        if event.kind == "step-end" and event.step_id == ("data/table/bytes" if place == "load" else "verify/bytes"):
            raise MigrationError("planted", code="step-failed")

    options = Options(run_dir=str(tmp_path / "run"), keep_staging=True, jobs=1)
    report = migrate(source, pg_url, options, stop)
    assert report.verdict == "failed"
    kept = read_options(pg_url, "liteferry_staging_public")
    assert place == "load" or "bytes" in kept
    assert set(kept.values()) <= {None}
