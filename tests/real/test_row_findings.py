"""What only rows together show is known before the target is touched; decisions that decide nothing are said."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from harness import call_ferry

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry.model import Report

LEAST = "(-9223372036854775807 - 1)"
LOWER, UPPER = "'6fa459eaee8a3ca4894edb77e160355e'", "'6FA459EAEE8A3CA4894EDB77E160355E'"
NULLS = "(NULL, 1), (NULL, 1)"
PARTIAL = "CREATE UNIQUE INDEX one ON t (u) WHERE n = 1"


def make_source(path: Path, statements: str) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.executescript(statements)
    return path


def check(source: Path, *options: str) -> list[tuple[str, str | None, int]]:
    """The findings that block or are about rows: code, name, count."""
    found = call_ferry("check", source, "--json", *options).json["findings"]
    return [(one["code"], one["name"], one["count"]) for one in found if one["code"] != "rowid-not-kept"]


def migrate(source: Path, url: str, run_dir: Path, *options: str) -> Report:
    return call_ferry("migrate", source, url, "--yes", "--json", "--run-dir", run_dir, *options).report


@pytest.mark.parametrize(
    ("statements", "options", "expected"),
    [
        ("CREATE TABLE t (a TEXT UNIQUE, b); INSERT INTO t VALUES ('1', 1), ('2', 1)", (), []),
        (
            f"CREATE TABLE t (u UUID, n INT, UNIQUE (n, u)); INSERT INTO t VALUES ({LOWER}, 1), ({UPPER}, 2), {NULLS}",
            (),
            [],
        ),
        (
            f"CREATE TABLE t (u UUID, n INT, UNIQUE (n, u)); INSERT INTO t VALUES ({LOWER}, 1), ({UPPER}, 1), ('-', 2)",
            ("--on-misfit", "value-misfit:t.u=quarantine"),
            [("value-misfit", "u", 1), ("unique-clash", "n, u", 2)],
        ),
        (
            f"CREATE TABLE t (u UUID, n INT); {PARTIAL}; INSERT INTO t VALUES ({LOWER}, 1), ({UPPER}, 0)",
            (),
            [],
        ),
        (
            "CREATE TABLE t (a TEXT UNIQUE); INSERT INTO t VALUES ('a'), ('a' || char(0))",
            ("--on-misfit", "t.a=strip-nul"),
            [("text-nul", "a", 1), ("unique-clash", "a", 2)],
        ),
        (
            "CREATE TABLE t (t TIME UNIQUE); INSERT INTO t VALUES ('10:00'), ('10:00:00')",
            (),
            [("unique-clash", "t", 2)],
        ),
        ("CREATE TABLE t (d DATE UNIQUE); INSERT INTO t VALUES ('2024-01-01'), ('2024-01-02')", (), []),
        ("CREATE TABLE t (a INT CHECK (a > 0)); INSERT INTO t VALUES (1), (NULL)", (), []),
        (
            "CREATE TABLE t (a INT, CHECK (t.a > 0 -- so\n)); INSERT INTO t VALUES (0)",
            (),
            [("check-broken", "check 1", 1)],
        ),
        (
            f"CREATE TABLE t (a INT CONSTRAINT big CHECK (abs(a) > 0)); INSERT INTO t VALUES ({LEAST}), (1)",
            (),
            [("check-broken", "big", 0)],
        ),
        (
            "CREATE TABLE t (a INT, b INT CHECK (b > 0)); INSERT INTO t VALUES ('x', -1), (1, 1)",
            ("--on-misfit", "t.a=quarantine"),
            [("value-misfit", "a", 1)],
        ),
    ],
    ids=[
        *("all differ", "nulls differ", "rows in quarantine do not clash", "outside the predicate", "after a repair"),
        *("times", "dates", "null holds", "a comment", "an overflow", "a broken row in quarantine already"),
    ],
)
def test_rows_are_asked_about(
    tmp_path: Path, statements: str, options: tuple[str, ...], expected: list[tuple[str, str | None, int]]
) -> None:
    assert check(make_source(tmp_path / "rows.sqlite", statements), *options) == expected


def test_a_check_that_takes_too_long_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source(
        tmp_path / "slow.sqlite",
        "CREATE TABLE t (a INT CONSTRAINT slow CHECK (abs(a) > 0));"
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i FROM n",
    )
    monkeypatch.setattr("liteferry.source.faults.CHECK_TIME_S", -1.0)
    (found,) = [f for f in call_ferry("check", source, "--json").json["findings"] if f["code"] == "check-broken"]
    assert "it took too long" in found["message"]
    assert [way["name"] for way in found["ways"]] == ["not-valid", "leave-out"]


def test_what_cannot_be_evaluated_can_be_accepted(tmp_path: Path, pg_url: str) -> None:
    statements = f"CREATE TABLE t (a INT CONSTRAINT big CHECK (abs(a) > 0)); INSERT INTO t VALUES ({LEAST}), (1)"
    source = make_source(tmp_path / "abs.sqlite", statements)
    assert migrate(source, pg_url, tmp_path / "run", "--accept", "check-broken:t.big").verdict == "proven"


@pytest.mark.parametrize(
    ("way", "left"), [("quarantine", 1), ("nullable", 2)], ids=["in quarantine", "the column is nullable"]
)
def test_null_where_it_is_forbidden(tmp_path: Path, pg_url: str, way: str, left: int) -> None:
    source = make_source(tmp_path / "null.sqlite", "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT)")
    with closing(sqlite3.connect(source)) as db:
        db.execute("INSERT INTO t (a) VALUES (1), (NULL)")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'a INT', 'a INT NOT NULL')")
        db.commit()
    report = migrate(source, pg_url, tmp_path / "run", "--on-misfit", f"null-in-not-null:t.a={way}")
    assert report.verdict == "proven"
    assert next(table for table in report.tables if table.part != "quarantine").rows_target == left


def test_null_in_a_key(tmp_path: Path, pg_url: str) -> None:
    source = make_source(
        tmp_path / "key.sqlite", "CREATE TABLE t (k TEXT PRIMARY KEY); INSERT INTO t VALUES ('a'), (NULL), (NULL)"
    )
    report = migrate(source, pg_url, tmp_path / "run", "--on-misfit", "null-in-key:*=quarantine")
    assert report.verdict == "proven"
    assert [(table.part, table.rows_target, table.method) for table in report.tables] == [
        ("fitting", 1, "merge by primary key"),
        ("quarantine", 2, "multiset"),
    ]


# ---------------------------------------------------------------------------------------------------------------------
# Decisions that decide nothing


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return make_source(
        tmp_path / "plain.sqlite",
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, age INT); INSERT INTO customer VALUES (1, 41), (2, 'x');"
        "CREATE VIEW old AS SELECT id FROM customer",
    )


@pytest.mark.parametrize(
    "option",
    [
        ("--accept", "value-misfit:custmer.age"),
        ("--on-misfit", "customer.agee=null"),
        ("--on-misfit", "orphan-rows:Customer.*=quarantine"),
    ],
)
def test_a_misspelt_place_is_refused(plain: Path, option: tuple[str, str]) -> None:
    outcome = call_ferry("check", plain, *option)
    assert outcome.status == 2
    assert "there is nothing of that name in the source" in outcome.err


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (("--accept", "orphan-rows:customer.age"), "nothing is to be decided there"),
        (("--on-misfit", "customer.id=quarantine"), "nothing is to be decided there"),
        (("--on-misfit", "customer.age=julian"), "it offers"),
        (("--accept", "check-untranslatable:customer.age"), "nothing is to be decided there"),
    ],
)
def test_a_decision_that_decides_nothing_is_said(plain: Path, option: tuple[str, str], why: str) -> None:
    found = call_ferry("check", plain, "--json", *option).json["findings"]
    (unused,) = [one for one in found if one["code"] == "decision-unused"]
    assert why in unused["message"]
    assert unused["severity"] == "info"


@pytest.mark.parametrize("option", [("--accept", "value-misfit:customer.*"), ("--on-misfit", "*.age=widen")])
def test_a_decision_that_is_taken_up_is_not_said(plain: Path, option: tuple[str, str]) -> None:
    assert check(plain, *option) == [("value-misfit", "age", 1)]
