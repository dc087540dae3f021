"""Which CHECKs SQLite is asked about: not those that the census has answered."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from builders import column, make_table
from liteferry.census import start_census
from liteferry.model import Census, Check, Options
from liteferry.planner.questions import plan_questions

PLAIN = ("{}", "[1, 2]", '{"a": 1}', "17")


@pytest.mark.parametrize(
    ("check", "values", "asked"),
    [
        ("json_valid(c)", PLAIN, 0),
        ("JSON_VALID(t.C)", PLAIN, 0),
        ("json_valid(c) = 1", PLAIN, 0),
        ("json_valid(c) IS TRUE", PLAIN, 0),
        ("json_valid(c) = 1", (*PLAIN, None), 1),
        ("json_valid(c)", (*PLAIN, None), 1),
        ("json_valid(c) OR json_valid(c)", (*PLAIN, None), 1),
        ("(json_valid(c) OR c IS NULL)", (*PLAIN, None), 0),
        ("json_valid(c) AND json_valid(c)", PLAIN, 0),
        ("json_valid(c) IS TRUE", (*PLAIN, None), 1),
        ("json_valid(c) IS TRUE OR c IS NULL", (*PLAIN, None), 0),
        ("json_valid(c) AND c <> '{}'", PLAIN, 1),
        ("json_valid(c) AND json_valid(d)", PLAIN, 1),
        ("NOT json_valid(c)", PLAIN, 1),
        ("json_valid(c)", (*PLAIN, "{"), 1),
        ("json_valid(c)", (*PLAIN, '{"a": 1, "a": 2}'), 1),
        ("json_valid(c)", (*PLAIN, 17), 1),
        ("json_valid(c)", (*PLAIN, b"{}"), 1),
        ("json_valid(c)", (*PLAIN, "{}\0"), 1),
        ("c <> 'json_valid(c)'", PLAIN, 1),
        ("json_valid(c) AND d > 6.5", PLAIN, 0),
        ("c >= 0", (0, 1, None, 2.5), 0),
        ('"t"."C" >= 0 AND c < 10', (0, 1), 0),
        ("c > 0", (1, 0.5), 0),
        ("c > 0", (0, 1), 1),
        ("c > 0", (1, -0.0), 1),
        ("c <= 9007199254740992.0", (9007199254740993,), 1),
        ("c >= 0", (0, "x"), 1),
        ("c >= 0", (0, b""), 1),
        ("c >= 0", (0, 9e999), 1),
        ("c >= '0'", (0, 1), 1),
        ("c >= NULL", (0, 1), 1),
        ("c >= d", (10, 11), 1),
        ("e >= 0", (10, 11), 1),
        ("other.c >= 0", (10, 11), 1),
        ("c >= 0 OR c < -5", (10, 11), 1),
        ("0 <= c", (10, 11), 1),
        ("c >= 0 AND", (10, 11), 1),
    ],
)
def test_checks_that_are_asked_about(check: str, values: tuple[object, ...], asked: int) -> None:
    table = make_table(
        column(declared="TEXT" if isinstance(values[0], str) else ""), column(name="d"), checks=(Check(sql=check),)
    )
    accumulator = start_census(table)
    accumulator.add_batch([(value, 7, rowid) for rowid, value in enumerate(values)])
    census = Census(tables=(accumulator.finish(),))
    assert [question.code for question in plan_questions(census, Options(), [table], {})] == ["check-broken"] * asked
    if not asked:
        with closing(sqlite3.connect(":memory:")) as db:
            db.execute("CREATE TABLE t (c, d)")
            db.executemany("INSERT INTO t VALUES (?, 7)", [(value,) for value in values])
            assert db.execute(f"SELECT count(*) FROM t WHERE NOT ({check})").fetchone() == (0,)


@pytest.mark.parametrize(
    ("check", "values"),
    [("d + 1 > 0", (1, 2)), ("-d > 0", (1, 2)), ("json_valid(d || '}')", PLAIN), ("5 >= 0", (1, 2))],
)
def test_what_is_no_column_is_not_the_one_without_a_name(check: str, values: tuple[object, ...]) -> None:
    """SQLite allows a column to be named by the empty text."""
    table = make_table(
        column(name="", declared="JSON" if isinstance(values[0], str) else ""),
        column(name="d"),
        checks=(Check(sql=check),),
    )
    accumulator = start_census(table)
    accumulator.add_batch([(value, 7, rowid) for rowid, value in enumerate(values)])
    census = Census(tables=(accumulator.finish(),))
    assert [question.code for question in plan_questions(census, Options(), [table], {})] == ["check-broken"]
