"""`inspect` over files: every offender is found, wherever it stands, and what is shown follows from what is stored."""

from __future__ import annotations

import sqlite3
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from builders import column, make_table
from harness import call_ferry
from liteferry import inspect
from liteferry.census import SAMPLES, Offender, start_census

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ROWS = 100_000


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100,000 rows, of which the last is wrong in every column."""
    path = tmp_path_factory.mktemp("inspect") / "planted.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, at DATETIME, note TEXT, uid TEXT, mark CHAR(36),"
            " r REAL)"
        )
        good = (
            (
                row,
                row,
                f"2024-01-{row % 28 + 1:02} 10:00:00",
                "just words",
                str(UUID(int=row)),
                str(UUID(int=row)),
                row / 4,
            )
            for row in range(1, ROWS)
        )
        db.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", good)
        db.execute(
            "INSERT INTO t VALUES (?, 'many', '2024-02-30 10:00:00', CAST(x'61ff' AS TEXT), ?, ?, -9e999)",
            (ROWS, "not one", str(UUID(int=0))),
        )
        db.commit()
    return path


def test_the_last_of_many_rows_is_found(planted: Path, tmp_path: Path) -> None:
    kept = tmp_path / "offenders.sqlite"
    outcome = call_ferry("inspect", planted, "--json", "--offenders", kept)
    assert outcome.status == 0
    (table,) = outcome.json["census"]["tables"]
    columns = {found["name"]: found for found in table["columns"]}
    last = f"id={ROWS}"
    for name, offence in (("n", "class"), ("at", "form"), ("note", "invalid-utf8")):
        (found,) = columns[name]["offences"]
        assert (found["name"], found["count"], [sample["key"] for sample in found["samples"]]) == (offence, 1, [last])
    shapes = {shape["name"]: (shape["count"], shape["first"]) for shape in columns["uid"]["shapes"]}
    assert shapes == {"uuid-dashed": (ROWS - 1, "id=1"), "other": (1, last)}
    assert (columns["r"]["negative_infinities"], columns["r"]["min_real"]) == (1, 0.25)
    assert columns["r"]["max_real"] == (ROWS - 1) / 4
    with closing(sqlite3.connect(kept)) as db:
        assert db.execute("SELECT name, row FROM offender ORDER BY name").fetchall() == [
            ("at", ROWS),
            ("n", ROWS),
            ("note", ROWS),
        ]
    suggested = {choice["column"]: choice["suggestions"] for choice in outcome.json["choices"] if choice["suggestions"]}
    assert list(suggested) == ["mark"]
    assert suggested["mark"] == [{"why": "all 100,000 texts are UUIDs", "pg_type": "uuid", "way": ""}]
    decided = {choice["column"]: (choice["pg_type"], choice["findings"]) for choice in outcome.json["choices"]}
    assert decided["id"] == ("bigint", [])
    assert decided["mark"] == ("varchar(36)", [])
    assert decided["at"] == ("text", ["date-form"])


def test_the_same_for_reading(planted: Path) -> None:
    text = call_ferry("inspect", planted).out
    assert "--cast t.mark=uuid" in text
    assert "--cast t.uid" not in text
    assert f"uuid-dashed 99,999, other 1 (first at id={ROWS})" in " ".join(text.split())
    assert "-Infinity 1" in text


def test_types_are_those_of_the_plan(planted: Path) -> None:
    accepted = call_ferry("plan", planted, "--accept", "all", "--json").json
    types = {column["source"]: column["pg_type"] for table in accepted["tables"] for column in table["columns"]}
    assert types == {choice.column: choice.pg_type for choice in inspect(planted).choices}


def test_suggestion_can_be_taken(planted: Path) -> None:
    plan = call_ferry("plan", planted, "--accept", "all", "--cast", "t.mark=uuid", "--json").json
    assert [found["pg_type"] for found in plan["tables"][0]["columns"] if found["source"] == "mark"] == ["uuid"]
    assert not [found for found in plan["findings"] if found["name"] == "mark"]


def test_memory_does_not_grow_with_offenders() -> None:
    taken = 0

    def take(_column: str, _offence: str, found: Iterable[Offender]) -> None:
        nonlocal taken
        taken += sum(1 for _ in found)

    accumulator = start_census(make_table(column(declared="INTEGER")), sink=take)
    accumulator.add_batch([(f"text {row}", row) for row in range(1000)])
    tracemalloc.start()
    try:
        for start in range(1000, ROWS, 1000):
            accumulator.add_batch([(f"text {row}", row) for row in range(start, start + 1000)])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (offence,) = accumulator.finish().columns[0].offences
    assert (offence.count, len(offence.samples), taken) == (ROWS, SAMPLES, ROWS)
    assert peak < 4 << 20
