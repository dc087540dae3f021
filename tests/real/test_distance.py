"""A server that is far away: what a run costs in round trips, which must not grow with every statement.

A table costs one round trip, for its rows cannot be sent before COPY is answered. Nothing else may cost any for each
table, index, check or default: at 50 ms a round trip, one question a table makes 1,000 tables wait for a minute.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

import liteferry
from distance import run_far_away
from harness import call_ferry
from liteferry.model import Options
from liteferry.sample import write_sample

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import PostgresServer
    from distance import FarServer

FEW, MANY = 10, 60
MOST_PER_TABLE = {"check": 0.3, "migrate": 1.8, "verify": 0.5, "into existing": 1.4, "undo": 0.3, "undo rows": 0.3}
"""Round trips. COPY in takes one: the end of each and the start of the next are one answer. The rest is a share of what
is done for many at once: statements in batches, small tables read back together."""
MOST_AT_ALL = {"check": 30, "migrate": 90, "verify": 50, "into existing": 90, "undo": 35, "undo rows": 50}
"""Round trips of the smaller database: what begins and ends a run, and opens its connections."""
BUSY_MS = 3
"""Each way: a client that is held up for less, on a loaded machine, does not seem to have waited for an answer."""


def make_source(path: Path, tables: int) -> Path:
    """Tables with everything that a question could be asked for: checks, defaults, indexes, keys of every kind."""
    with closing(sqlite3.connect(path)) as db:
        for number in range(tables):
            db.execute(
                f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL DEFAULT 'x{number}',"
                f" n INTEGER CHECK (n > {number}), parent INTEGER REFERENCES t{max(number - 1, 0)} (id),"
                " up TEXT COLLATE NOCASE UNIQUE)"
            )
            db.execute(f"CREATE INDEX parent{number} ON t{number} (parent)")
            db.execute(f"CREATE INDEX some{number} ON t{number} (name) WHERE n > {number + 1}")
            rows = [(f"name{key}", number + key, key if number else None, f"u{key}") for key in range(1, 4)]
            db.executemany(f"INSERT INTO t{number} (name, n, parent, up) VALUES (?, ?, ?, ?)", rows)
        db.commit()
    return path


def listen(far: FarServer, *arguments: str | Path) -> Counter[str]:
    """Run a command: what was said at the begin of each of its round trips, and how often."""
    before = far.count()
    done = call_ferry(*arguments, "--quiet")
    assert done.status == 0, done.err
    return far.count().spoken - before.spoken


def listen_to_all(server: PostgresServer, directory: Path, tables: int) -> dict[str, Counter[str]]:
    """The round trips of every command, for a source of so many tables."""
    directory.mkdir()
    source, database = make_source(directory / "source.sqlite", tables), server.create_database()
    options = ("--accept", "all", "--yes", "--run-dir")
    try:
        with run_far_away(server, database, delay_ms=BUSY_MS) as far:
            found = {"check": listen(far, "check", source, far.url, "--accept", "all")}
            found["migrate"] = listen(far, "migrate", source, far.url, *options, directory / "first")
            found["verify"] = listen(far, "verify", source, far.url, "--accept", "all")
            with psycopg.connect(database.url) as connection:
                connection.execute(f"TRUNCATE {', '.join(f't{number}' for number in range(tables))}".encode())
            again = directory / "again"
            existing = ("migrate", source, far.url, "--into", "existing", *options, again)
            found["into existing"] = listen(far, *existing)
            found["undo rows"] = listen(far, "undo", again, "--target", far.url, "--yes")
            with psycopg.connect(database.url) as connection:
                connection.execute(b"DROP SCHEMA public CASCADE")
                connection.execute(b"CREATE SCHEMA public")
            listen(far, "migrate", source, far.url, *options, directory / "last")
            found["undo"] = listen(far, "undo", directory / "last", "--target", far.url, "--yes")
    finally:
        server.drop_database(database.name)
    return found


def test_a_table_costs_few_round_trips(pg_server: PostgresServer, tmp_path: Path) -> None:
    few, many = (listen_to_all(pg_server, tmp_path / str(tables), tables) for tables in (FEW, MANY))
    per_table = {name: (many[name].total() - few[name].total()) / (MANY - FEW) for name in few}
    too_many = {name: cost for name, cost in per_table.items() if cost > MOST_PER_TABLE[name]}
    assert too_many == {}, {name: many[name].most_common(12) for name in too_many}
    too_many = {name: said.total() for name, said in few.items() if said.total() > MOST_AT_ALL[name]}
    assert too_many == {}, {name: few[name].most_common(12) for name in too_many}


def test_the_relay_counts_and_delays(pg_server: PostgresServer) -> None:
    """What the other tests rely on: a question is one round trip, many together are hardly more, and each waits."""
    database = pg_server.create_database()
    with run_far_away(pg_server, database, delay_ms=20) as far, psycopg.connect(far.url, autocommit=True) as connection:
        opened = far.count()
        assert opened.connections == 1
        begun = time.monotonic()
        for _ in range(5):
            connection.execute("SELECT 1")
        assert time.monotonic() - begun > 5 * 2 * 0.02, "a lower bound, which no slow machine breaks"
        asked = far.count()
        assert asked.trips - opened.trips == 5
        with connection.pipeline():
            for _ in range(50):
                connection.execute("SELECT 1")
        assert far.count().trips - asked.trips <= 5
    pg_server.drop_database(database.name)


@pytest.fixture
def far_database(pg_server: PostgresServer) -> Iterator[FarServer]:
    database = pg_server.create_database()
    with run_far_away(pg_server, database, delay_ms=25) as far:
        yield far
    pg_server.drop_database(database.name)


@pytest.mark.slow
def test_161_tables_at_50_ms(far_database: FarServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Really run; how long it took is said, and depends on the machine."""
    source = tmp_path / "sample.sqlite"
    write_sample(source, scale=0.02)
    begun = time.monotonic()
    report = liteferry.migrate(source, far_database.url, Options(accept=("all",), run_dir=str(tmp_path / "run")))
    with capsys.disabled():
        phases = ", ".join(f"{phase.name} {phase.elapsed_s:.1f}" for phase in report.phases)
        print(f"\n161 tables, 50 ms away: {time.monotonic() - begun:.1f} s ({phases})")  # noqa: T201 - what it is for
    assert report.verdict == "proven"
    assert len(report.tables) == 161
    assert far_database.count().trips < 161 * 6
