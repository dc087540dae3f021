"""Into an application's own schema with ways out: values converted, rows in quarantine beside it, and back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from application import build, install
from harness import assert_error, call_ferry, execute
from liteferry.target import open_target

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Database
    from harness import Outcome
    from liteferry.holding import Holding


def ferry(command: str, source: Path, url: str, *options: str | Path) -> Outcome:
    confirmed = ("--yes",) if command == "migrate" else ()
    return call_ferry(command, source, url, "--into", "existing", "--json", "--quiet", *confirmed, *options)


def read_holding(url: str) -> Holding:
    with open_target(url) as target:
        found = target.read_holding("public")
    assert found is not None
    return found


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        return connection.execute(sql.encode()).fetchall()


def decide(*decisions: str) -> list[str]:
    return [word for decision in decisions for word in ("--on-misfit", decision)]


TARGET = "CREATE TABLE t (id integer PRIMARY KEY, a {})"
SOURCE = "CREATE TABLE t (id INTEGER PRIMARY KEY, a {}); INSERT INTO t VALUES (1, {}), (2, {})"
WAYS = [
    ("null", "integer", "INT", "'x'", "7", "t.a=null", (None, 7)),
    ("null-class", "boolean", "BOOLEAN", "2", "1", "value-misfit:t.a=null", (None, True)),
    ("strip-nul", "text", "TEXT", "'a' || char(0) || 'b'", "'c'", "t.a=strip-nul", ("ab", "c")),
    ("u-fffd", "varchar(9)", "VARCHAR(9)", "CAST(x'61ff' AS TEXT)", "'c'", "t.a=u-fffd", ("a\ufffd", "c")),
    ("escape", "text", "TEXT", "'a' || char(0)", "'c'", "t.a=escape", ("a\\x00", "c")),
    ("epoch-s", "timestamp", "DATETIME", "86400", "'2024-01-01'", "t.a=epoch-s",
     ("1970-01-02 00:00:00", "2024-01-01 00:00:00")),
    ("epoch-ms", "date", "DATE", "86400000", "'2024-01-01'", "t.a=epoch-ms", ("1970-01-02", "2024-01-01")),
    ("julian", "timestamp", "DATETIME", "2440588.5", "'2024-01-01'", "t.a=julian",
     ("1970-01-02 00:00:00", "2024-01-01 00:00:00")),
    ("timezone", "timestamptz", "DATETIME", "'2024-01-01 12:00'", "'2024-01-01 12:00Z'", "t.a=timezone:Asia/Tokyo",
     ("2024-01-01 03:00:00+00", "2024-01-01 12:00:00+00")),
    ("null-too-long", "varchar(3)", "VARCHAR(3)", "'abcd'", "'abc'", "t.a=null", (None, "abc")),
    ("null-range", "smallint", "INT", "40000", "3", "t.a=null", (None, 3)),
    ("null-inexact", "real", "REAL", "0.1", "0.5", "t.a=null", (None, "0.5")),
    ("null-fraction", "timestamp(3)", "DATETIME", "'2024-01-01 00:00:00.1234'", "'2024-01-01'", "t.a=null",
     (None, "2024-01-01 00:00:00")),
    ("null-excess", "numeric(4,1)", "DECIMAL(8,3)", "1.25", "1.5", "t.a=null", (None, "1.5")),
    ("null-blank", "character(4)", "CHAR(4)", "'ab '", "'ab'", "t.a=null", (None, "ab")),
    ("null-address", "inet", "TEXT", "'10.0.0'", "'10.0.0.1'", "t.a=null", (None, "10.0.0.1/32")),
    ("null-day", "date", "DATE", "'2024-01-01 10:00:00'", "'2024-01-02'", "t.a=null", (None, "2024-01-02")),
    ("null-json", "jsonb", "JSON", "'{'", "'[1]'", "t.a=null", (None, "[1]")),
    ("null-seconds", "time(0)", "TIME", "'10:00:00.5'", "'10:00:00'", "t.a=null", (None, "10:00:00")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pg_type", "declared", "bad", "good", "decision", "wanted"), [row[1:] for row in WAYS], ids=[w[0] for w in WAYS]
)
def test_a_value_becomes_what_was_decided(
    pg_type: str,
    declared: str,
    bad: str,
    good: str,
    decision: str,
    wanted: tuple[object, object],
    tmp_path: Path,
    pg_url: str,
) -> None:
    url = install(pg_url, "CREATE TYPE mood AS ENUM ('sad', 'ok');" + TARGET.format(pg_type))
    source = build(tmp_path / "s.sqlite", SOURCE.format(declared, bad, good))
    before = read_holding(url)
    done = ferry("migrate", source, url, *decide(decision), "--run-dir", tmp_path / "run")
    assert (done.status, done.report.verdict) == (0, "proven"), done
    assert [found.values for found in done.report.conversions] == [1]
    cast = "a" if isinstance(wanted[1], int) else "a::text"
    assert ask(url, f"SELECT {cast} FROM t ORDER BY id") == [(value,) for value in wanted]
    verified = call_ferry("verify", source, url, "--run-dir", tmp_path / "run", "--json", "--quiet")
    assert verified.report.verdict == "proven", verified
    assert ferry("verify", source, url, *decide(decision)).report.verdict == "proven"
    assert ferry("verify", source, url).status != 0
    assert call_ferry("undo", tmp_path / "run", "--target", url, "--yes", "--quiet").status == 0
    assert read_holding(url) == before


def test_null_is_not_offered_where_the_target_says_not_null(tmp_path: Path, pg_url: str) -> None:
    url = install(pg_url, TARGET.format("integer NOT NULL") + "; CREATE TABLE u (id integer PRIMARY KEY, a integer)"
                  "; CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE v (id integer PRIMARY KEY, a mood)")  # fmt: skip
    text = SOURCE.format("INT", "'x'", "7")
    source = build(tmp_path / "s.sqlite", ";".join(text.replace(" t ", f" {name} ") for name in "tuv"))
    found = {f["table"]: f for f in ferry("check", source, url).json["findings"] if f["code"] == "value-misfit"}
    assert [way["name"] for way in found["t"]["ways"]] == ["quarantine"]
    assert [way["name"] for way in found["u"]["ways"]] == ["quarantine", "null"]
    assert [way["name"] for way in found["v"]["ways"]] == ["quarantine"]  # an enum's labels are the server's
    assert ferry("migrate", source, url, *decide("*.a=null")).status == 4


# ---------------------------------------------------------------------------------------------------------------------
# Quarantine

FAMILY = """CREATE TABLE parent (id integer PRIMARY KEY, age integer, name varchar(5) NOT NULL UNIQUE);
CREATE TABLE child (id serial PRIMARY KEY, parent_id integer NOT NULL REFERENCES parent ON DELETE CASCADE, note text);
CREATE TABLE toy (child_id integer REFERENCES child, v text);
CREATE SCHEMA other; CREATE VIEW other.names AS SELECT name FROM parent;"""
ROWS = """CREATE TABLE parent (id INTEGER PRIMARY KEY, age INT, name TEXT, old TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INT, note TEXT);
CREATE TABLE toy (child_id INT, v TEXT);
INSERT INTO parent VALUES (1, 41, 'a', NULL), (2, 'old', 'b', NULL), (3, 3, NULL, NULL), (4, 4, 'd', NULL),
    (5, 5, 'd', NULL), (6, 6, 'too long', NULL), (7, 7, 'g', NULL);
INSERT INTO child VALUES (1, 1, 'fits'), (2, 2, 'its parent goes'), (3, 77, 'orphan'), (90, 4, 'both of d go');
INSERT INTO toy VALUES (1, 'x'), (2, 'y'), (NULL, 'z');"""


def test_rows_go_beside_the_application_and_come_back(tmp_path: Path, pg_url_all: str) -> None:
    url, source, run_dir = install(pg_url_all, FAMILY), build(tmp_path / "s.sqlite", ROWS), tmp_path / "run"
    before = read_holding(url)
    checked = {(f["code"], f["table"], f["name"]): f for f in ferry("check", source, url).json["findings"]}
    wanted = {
        ("value-misfit", "parent", "age"): 1, ("target-null-forbidden", "parent", "name"): 1,
        ("text-too-long", "parent", "name"): 1, ("unique-clash", "parent", "parent_name_key"): 2,
        ("target-orphans", "child", "parent_id"): 1,
    }  # fmt: skip
    blocking = {place: f["count"] for place, f in checked.items() if f["severity"] == "blocker"}
    assert blocking == wanted
    assert all("quarantine" in {way["name"] for way in checked[place]["ways"]} for place in wanted)
    assert all(checked[place]["samples"] for place in wanted)

    done = ferry("migrate", source, url, *decide("*=quarantine"), "--run-dir", run_dir)
    assert (done.status, done.report.verdict) == (0, "proven"), done
    assert {table.target: table.rows_target for table in done.report.tables} == {
        "parent": 2, "parent_quarantine": 5, "child": 1, "child_quarantine": 3, "toy": 2, "toy_quarantine": 1,
    }  # fmt: skip
    assert ask(url, "SELECT id, age, name, old, liteferry_reason FROM parent_quarantine ORDER BY 1")[0] == (
        "2", "'old'", "'b'", "NULL", "class:age",
    )  # fmt: skip
    assert ask(url, "INSERT INTO child (parent_id) VALUES (1) RETURNING id") == [(91,)]
    execute(url, "DELETE FROM child WHERE id = 91")
    with open_target(url) as target:
        after = target.read_holding("public", without=("parent_quarantine", "child_quarantine", "toy_quarantine"))
    assert after is not None
    assert after.footprint == before.footprint
    with closing(sqlite3.connect(run_dir / "quarantine.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM parent_quarantine").fetchone() == (5,)

    verified = call_ferry("verify", source, url, "--run-dir", run_dir, "--json", "--quiet")
    assert verified.report.verdict == "proven", verified.report.mismatches
    assert ferry("verify", source, url, *decide("*=quarantine")).report.verdict == "proven"
    execute(url, "UPDATE parent_quarantine SET age = '''young''' WHERE id = '2'")
    assert call_ferry("verify", source, url, "--run-dir", run_dir, "--quiet").status == 3
    assert_error(call_ferry("undo", run_dir, "--target", url, "--yes", "--quiet"), "undo-refused", "parent_quarantine")
    execute(url, "UPDATE parent_quarantine SET age = '''old''' WHERE id = '2'")
    execute(url, "CREATE VIEW other.apart AS SELECT id FROM parent_quarantine")
    assert_error(call_ferry("undo", run_dir, "--target", url, "--yes", "--quiet"), "undo-refused")
    execute(url, "DROP VIEW other.apart")
    assert call_ferry("undo", run_dir, "--target", url, "--yes", "--quiet").status == 0
    assert read_holding(url) == before


def test_a_second_table_of_that_name_evades_the_first(tmp_path: Path, pg_url: str) -> None:
    url = install(pg_url, TARGET.format("integer") + "; CREATE TYPE t_quarantine AS ENUM ('mine')")
    source = build(tmp_path / "s.sqlite", SOURCE.format("INT", "'x'", "7"))
    done = ferry("migrate", source, url, *decide("t.a=quarantine"), "--run-dir", tmp_path / "run")
    assert done.report.verdict == "proven", done
    (name,) = [table.target for table in done.report.tables if table.part == "quarantine"]
    assert name.startswith("t_quarantine_")
    verified = call_ferry("verify", source, url, "--run-dir", tmp_path / "run", "--json", "--quiet")
    assert verified.report.verdict == "proven"
    assert call_ferry("undo", tmp_path / "run", "--target", url, "--yes", "--quiet").status == 0


def test_rows_in_quarantine_without_a_proof_and_without_a_snapshot(tmp_path: Path, pg_url: str) -> None:
    url, source, run_dir = install(pg_url, FAMILY), build(tmp_path / "s.sqlite", ROWS), tmp_path / "run"
    options: tuple[str | Path, ...] = (
        *decide("*=quarantine"),
        "--no-verify",
        "--snapshot",
        "none",
        "--run-dir",
        run_dir,
    )
    done = ferry("migrate", source, url, *options)
    assert (done.status, done.report.verdict) == (3, "not proven"), done
    assert sum(table.rows_target for table in done.report.tables) == 14
    assert ferry("verify", source, url, *decide("*=quarantine"), "--snapshot", "none").report.verdict == "proven"
    execute(url, "UPDATE toy_quarantine SET v = v")
    assert_error(call_ferry("undo", run_dir, "--target", url, "--yes", "--quiet"), "undo-refused", "toy_quarantine")


def test_quarantine_without_the_right_to_create_is_refused_beforehand(
    tmp_path: Path, pg_url: str, pg_admin_url: str, pg_database: Database
) -> None:
    url, source = (
        install(pg_url, TARGET.format("integer")),
        build(tmp_path / "s.sqlite", SOURCE.format("INT", "'x'", "7")),
    )
    execute(
        pg_admin_url,
        f'ALTER DATABASE "{pg_database.name}" OWNER TO postgres',
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC, ferry",
    )
    assert_error(ferry("migrate", source, url, *decide("t.a=quarantine")), "no-create-right", "quarantine")
    assert ask(url, "SELECT count(*) FROM t") == [(0,)]


def test_a_table_whose_rows_all_go_into_quarantine(tmp_path: Path, pg_url: str) -> None:
    url, source = (
        install(pg_url, TARGET.format("date")),
        build(tmp_path / "s.sqlite", SOURCE.format("DATE", "'x'", "'y'")),
    )
    before = read_holding(url)
    done = ferry("migrate", source, url, *decide("t.a=quarantine"), "--run-dir", tmp_path / "run")
    assert done.report.verdict == "proven", done
    assert call_ferry("undo", tmp_path / "run", "--target", url, "--yes", "--quiet").status == 0
    assert read_holding(url).footprint == before.footprint


def test_a_misspelt_decision_is_refused(tmp_path: Path, pg_url: str) -> None:
    url, source = (
        install(pg_url, TARGET.format("integer")),
        build(tmp_path / "s.sqlite", SOURCE.format("INT", "1", "7")),
    )
    assert_error(ferry("migrate", source, url, *decide("t.b=null")), "usage", "t.b", status=2)


def test_a_check_names_the_row_among_those_that_are_left(tmp_path: Path, pg_url: str) -> None:
    url = install(pg_url, TARGET.format("integer CHECK (a % 10 < 5)"))
    source = build(tmp_path / "s.sqlite", SOURCE.format("INT", "'x'", "7"))
    failed = ferry("migrate", source, url, *decide("t.a=quarantine"))
    assert failed.status == 5
    assert failed.report.failure is not None
    assert "key id=2" in failed.report.failure.what
