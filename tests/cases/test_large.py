"""The cases of size, in full: more rows, larger rows, and values that PostgreSQL has no room for.

Their short versions are the directories c45-large-rows and c45-many-rows.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from harness import call_ferry, execute, measure_ferry, read_everything, untouched

if TYPE_CHECKING:
    from pathlib import Path

MB = 1_000_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source" / "large.sqlite"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_rows_of_a_hundred_megabytes(source: Path, tmp_path: Path, pg_url: str) -> None:
    """Memory is that of one row, several times over, however many there are."""
    with closing(sqlite3.connect(source)) as db:
        db.execute("CREATE TABLE film (id INTEGER PRIMARY KEY, data BLOB)")
        for _ in range(4):
            db.execute("INSERT INTO film (data) VALUES (?)", [os.urandom(100 * MB)])
        db.commit()
    with untouched(source):
        outcome, peak_mb = measure_ferry("migrate", source, pg_url, "--yes", "--json", "--run-dir", tmp_path / "run")
    assert outcome.report.verdict == "proven"
    assert peak_mb < 80 + 21 * 100


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_millions_of_rows(source: Path, tmp_path: Path, pg_url: str) -> None:
    """Memory does not grow with their number. LITEFERRY_CASE_ROWS asks for more: 100000000, say."""
    count = int(os.environ.get("LITEFERRY_CASE_ROWS", "3000000"))
    with closing(sqlite3.connect(source)) as db:
        db.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, n INTEGER, note TEXT)")
        db.executemany("INSERT INTO entry (n, note) VALUES (?, ?)", ((i * i, f"note {i % 97}") for i in range(count)))
        db.commit()
    with untouched(source):
        outcome, peak_mb = measure_ferry("migrate", source, pg_url, "--yes", "--json", "--run-dir", tmp_path / "run")
    assert outcome.report.verdict == "proven"
    assert outcome.report.tables[0].rows_target == count
    assert peak_mb < 250


@pytest.mark.slow
def test_a_value_that_cannot_be_read_out(source: Path, pg_url: str, pg_admin_url: str) -> None:
    """SQLite's largest blob is a gigabyte. PostgreSQL takes it, and could never give it back."""
    with closing(sqlite3.connect(source)) as db:
        db.execute("CREATE TABLE disk (id INTEGER PRIMARY KEY, image BLOB, label TEXT)")
        db.execute("INSERT INTO disk VALUES (1, zeroblob(536871000), 'large'), (2, zeroblob(10), 'small')")
        db.commit()
    before = read_everything(pg_admin_url)
    with untouched(source):
        outcome = call_ferry("check", source, pg_url, "--json")
    assert outcome.status == 4
    (found,) = outcome.json["findings"]
    assert (found["code"], found["table"], found["name"]) == ("value-too-large", "disk", "image")
    assert "536,871,000 bytes" in found["message"]
    assert read_everything(pg_admin_url) == before


@pytest.mark.slow
def test_the_server_itself_cannot_read_it_out(pg_url: str) -> None:
    """The limit is real: what the finding says of a larger value, the server says, too."""
    import psycopg

    execute(pg_url, "CREATE TABLE t (b bytea)", "INSERT INTO t VALUES (decode(repeat('00', 536870000), 'hex'))")
    execute(pg_url, "UPDATE t SET b = b || decode(repeat('00', 2000), 'hex')")
    with psycopg.connect(pg_url) as connection, pytest.raises(psycopg.Error, match="invalid memory alloc request size"):
        connection.execute("SELECT length(b::text) FROM t").fetchone()
