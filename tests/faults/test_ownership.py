"""A run takes away what it made, and nothing that is somebody else's."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import psycopg
import pytest

from liteferry import Options, migrate
from liteferry.names import staging_name
from liteferry.servers import read_status

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry.model import Event

STAGING = staging_name("public")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a');")
    connection.close()
    return path


@pytest.mark.parametrize("comment", ["", "mine", "liteferry staging, kept for inspection"])
def test_a_strangers_schema_that_appears_meanwhile_survives(
    source: Path, pg_url: str, tmp_path: Path, comment: str
) -> None:
    def interfere(event: Event) -> None:
        if event.kind == "phase-start" and event.phase == "plan":
            with psycopg.connect(pg_url) as connection:
                connection.execute(f"CREATE SCHEMA {STAGING}".encode())
                connection.execute(f"COMMENT ON SCHEMA {STAGING} IS '{comment}'".encode())
                connection.execute(f"CREATE TABLE {STAGING}.precious AS SELECT 1 AS v".encode())

    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")), interfere)
    assert (report.verdict, report.published) == ("failed", False)
    assert report.failure is not None
    assert STAGING in report.failure.what
    with psycopg.connect(pg_url) as connection:
        assert connection.execute(f"SELECT v FROM {STAGING}.precious".encode()).fetchall() == [(1,)]


def test_staging_that_is_kept_on_the_embedded_server_keeps_its_database(source: Path, tmp_path: Path) -> None:
    def spoil(event: Event) -> None:
        if event.kind == "phase-start" and event.phase == "proof":
            server = read_status()
            assert server is not None
            with psycopg.connect(server.url, dbname="source") as connection:
                connection.execute(f"UPDATE {STAGING}.t SET v = 'b'".encode())

    report = migrate(source, None, Options(run_dir=str(tmp_path / "run"), keep_staging=True), spoil)
    assert report.verdict == "mismatch"
    server = read_status()
    assert server is not None
    with psycopg.connect(server.url, dbname="source") as connection:
        assert connection.execute(f"SELECT v FROM {STAGING}.t".encode()).fetchall() == [("b",)]
