"""The measurements work, and what they count as lost is lost: each planted fault is counted as that and no other."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from losses import COUNTED, count_losses, is_same
from peers import read_pgloader_summary
from workloads import WORKLOADS

from liteferry import Options, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import PostgresServer

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"
WIDE, EXISTING, HOSTILE = "wide", "existing", "hostile"
FLOOR, PSYCOPG, UNPROVEN, PROVEN = "floor, one connection", "sqlite3 and psycopg", "liteferry --no-verify", "liteferry"


def test_one_command_measures_and_counts(tmp_path: Path) -> None:
    output = tmp_path / "figures.json"
    argv = [sys.executable, str(BENCH / "run.py"), "--scale", "0.0005", "--rounds", "1", "--cache", str(tmp_path)]
    for option, values in (("--workload", (WIDE, EXISTING)), ("--peer", ("floor", "psycopg"))):
        argv += [word for value in values for word in (option, value)]
    done = subprocess.run([*argv, "--output", str(output)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(output.read_text())
    assert results["machine"]["cores"] > 0
    assert results["left_out"] == {}
    assert not (tmp_path / "peers").exists(), "nothing is installed for peers that were not asked for"
    for name in (WIDE, EXISTING):
        ways = results["workloads"][name]["ways"]
        assert list(ways) == [PROVEN, UNPROVEN, PSYCOPG, FLOOR, *(["floor, two connections"] if name == WIDE else [])]
        assert {way: found["outcome"] for way, found in ways.items()} == dict.fromkeys(ways, "done")
        for way, found in ways.items():
            assert found["elapsed_s"]["least"] > 0
            assert found["ratio_to_proven"]["median"] > 0
            lost = {what: pair for what, pair in (found["lost"] or {}).items() if what in COUNTED and pair[0]}
            assert lost == {}, (name, way)
        assert ways[PROVEN]["phases"]["proof"] > 0
        assert "proof" not in ways[UNPROVEN]["phases"]
    assert results["workloads"][WIDE]["size"]["rows"] == 1000
    assert "| liteferry, every value proven |" in done.stdout


@pytest.fixture(scope="module")
def moved(pg_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """The hostile file, moved: its path, the database's name, and its address."""
    directory = tmp_path_factory.mktemp("hostile")
    source = directory / "hostile.sqlite3"
    WORKLOADS[HOSTILE].write(source, 1)
    database = pg_server.create_database()
    assert migrate(source, database.url, Options(run_dir=str(directory / "run"))).verdict == "proven"
    yield source, database.name, database.url
    pg_server.drop_database(database.name)


def test_nothing_is_lost_where_nothing_was_done(moved: tuple[Path, str, str]) -> None:
    found = asdict(count_losses(moved[0], moved[2]))
    assert {what: found[what][0] for what in COUNTED} == dict.fromkeys(COUNTED, 0)
    assert found["flattened"] == {}
    assert all(found[what][1] > 0 for what in COUNTED), "everything that is counted is there to be lost"


PLANTED: dict[str, tuple[str, dict[str, int]]] = {
    "a table": (
        "DROP TABLE empty_one",
        {"tables": 1, "column_types": 2, "not_null": 2, "primary_keys": 1, "sequences": 1},
    ),
    "a row": ("DELETE FROM order_line WHERE id = 7", {"rows": 1}),
    "a row too many": ("INSERT INTO empty_one VALUES (1, 'x')", {"rows": 1}),
    "a NULL": ("UPDATE account SET remark = 'x' WHERE id = 1", {"nulls": 1, "values": 1}),
    "a text": ("UPDATE account SET remark = remark || ' ' WHERE id = 4", {"values": 1}),
    "the last digit of a double": ("UPDATE account SET weight = weight::real WHERE id = 2", {"values": 1}),
    "a microsecond": ("UPDATE account SET joined = joined + '1 microsecond' WHERE id = 3", {"values": 1}),
    "a byte": ("UPDATE account SET photo = set_byte(photo, 255, 0) WHERE id = 7", {"values": 1}),
    "a number in JSON": ("""UPDATE account SET settings = '{"a": 1.0}' WHERE id = 1""", {"values": 1}),
    "an integer": ("UPDATE account SET big = big - 1 WHERE id = 1", {"values": 1}),
    "a truth": ("UPDATE account SET active = NOT active WHERE id = 9", {"values": 1}),
    "a decimal": ("UPDATE account SET balance = balance + 0.0000000001 WHERE id = 9", {"values": 1}),
    "a day": ("UPDATE account SET born = born + 1 WHERE id = 9", {"values": 1}),
    "a type": ('ALTER TABLE "Order" ALTER "Total Sum" TYPE double precision', {"column_types": 1}),
    "a NOT NULL": ("ALTER TABLE order_line ALTER article DROP NOT NULL", {"not_null": 1}),
    "a primary key": ("ALTER TABLE order_line DROP CONSTRAINT order_line_pkey", {"primary_keys": 1}),
    "an index": ('DROP INDEX "Order_account"', {"indexes": 1}),
    "a predicate": (
        "DROP INDEX account_active; CREATE INDEX account_active ON account (joined)",
        {"predicates": 1},
    ),
    "a check": ('ALTER TABLE account DROP CONSTRAINT "account_role_check"', {"checks": 1}),
    "a default": ("ALTER TABLE account ALTER role DROP DEFAULT", {"defaults": 1}),
    "a sequence": ('ALTER TABLE "Order" ALTER id RESTART WITH 60', {"sequences": 1}),  # 60 was given out, and deleted
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_loss_is_counted(planted: str, moved: tuple[Path, str, str], pg_server: PostgresServer) -> None:
    sql, expected = PLANTED[planted]
    source, template, _ = moved
    database = pg_server.create_database()
    name = f"{database.name}_planted"
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    try:
        url = psycopg.conninfo.make_conninfo(database.admin_url, dbname=name)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.encode())
        found = asdict(count_losses(source, url))
    finally:
        with psycopg.connect(database.admin_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
        pg_server.drop_database(database.name)
    assert {what: found[what][0] for what in COUNTED if found[what][0]} == expected
    assert found["flattened"] == ({"decimal became float8": 1} if planted == "a type" else {})


@pytest.mark.parametrize(
    ("family", "value", "other", "same"),
    [
        ("integer", 1, "1", True),
        ("decimal", 0.1, 0.1, True),
        ("decimal", 0.1, 0.10000001, False),
        ("bool", 1, True, True),
        ("bool", 0, "true", False),
        ("datetime", "2025-03-01 12:00:00", "2025-03-01T12:00:00", True),
        ("datetime", "2025-03-01 12:00:00", "2025-03-01 14:00:00+02:00", True),
        ("datetime", "2025-03-01 12:00:00", "2025-03-01 12:00:00.1", False),
        ("json", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}', True),
        ("json", '{"a": 12345678901234567890.5}', '{"a": 12345678901234567000}', False),
        ("blob", b"\x00a", b"\x00a", True),
        ("blob", b"a", "a", False),
        ("text", "", None, False),
        ("text", "1", 1, False),
        ("text", None, None, True),
        ("integer", 1, "one", False),
    ],
)
def test_what_means_the_same_is_the_same(family: str, value: object, other: object, *, same: bool) -> None:
    assert is_same(family, value, other) is same


def test_pgloaders_summary_is_read() -> None:
    summary = """
               table name     errors       rows      bytes      total time
-----------------------  ---------  ---------  ---------  --------------
                  event          2      39998     7.1 MB          0.521s
-----------------------  ---------  ---------  ---------  --------------
COPY Threads Completion          0          4              1m2.5s
      Total import time          2      39998     7.1 MB   1m3.6s
"""
    assert read_pgloader_summary(summary) == (62.5, 2)
    assert read_pgloader_summary("nothing of the kind") == (None, 0)
