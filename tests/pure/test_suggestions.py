"""What `inspect` suggests: only what every value fits, and what leaves nothing to decide once it is taken."""

from __future__ import annotations

import glob
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from builders import column, make_table
from liteferry.census import start_census
from liteferry.choosing import choose_conversions, map_column
from liteferry.choosing.suggestions import ColumnChoice, choose_columns
from liteferry.decisions import parse_cast, parse_decision
from liteferry.model import Catalog, Census, ForeignKey, Options

if TYPE_CHECKING:
    from liteferry.model import Table

HEX = [f"{number:032x}" for number in range(3)]
DASHED = [str(UUID(text)) for text in HEX]
WORDS = ["one word", "or two", "three"]


def choose(table: Table, *values: object, others: tuple[Table, ...] = ()) -> ColumnChoice:
    """The choice for the last column of a table, of which every other value is a number."""
    accumulator = start_census(table)
    width = len(table.columns) - 1
    accumulator.add_batch([(*(rowid,) * width, value, rowid) for rowid, value in enumerate(values, 1)])
    return choose_columns(Catalog(tables=(table, *others)), Census(tables=(accumulator.finish(),)))[-1]


def suggest(declared: str, *values: object) -> tuple[str, str, str] | None:
    found = choose(make_table(column(declared=declared)), *values).suggestions
    assert len(found) <= 1
    return (found[0].pg_type, found[0].way, found[0].why) if found else None


TAKEN = [
    ("TEXT", DASHED, "uuid", ""),
    ("CHAR(32)", HEX, "uuid", ""),
    ("TEXT", [*DASHED, *HEX, None], "uuid", ""),
    ("TEXT", ["{}", '{"a": 1}', "{ }"], "jsonb", ""),
    ("", ["[]", "[1]", "{}"], "jsonb", ""),
    ("TEXT", ["{}", "[]", '{"a": 1, "a": 2}'], "json", ""),
    ("TEXT", ["2024-01-01", "2024-01-02", "2024-02-29"], "date", ""),
    ("VARCHAR(40)", ["2024-01-01 10:00", "2024-01-02T10:00:00.5", "2024-02-29"], "timestamp", ""),
    ("TEXT", ["2024-01-01 10:00Z", "2024-01-02T10:00:00.5+01:00", "2024-01-02 10:00:00-05"], "timestamptz", ""),
    ("TEXT", ["10:00", "10:00:01", "23:59:59.999999"], "time", ""),
    ("TEXT", ["true", "F", "t"], "boolean", ""),
    ("INTEGER", [0, 1, 1], "boolean", ""),
    ("INTEGER", [1_400_000_000, 1_800_000_000, None, 1_500_000_000], "timestamptz", "epoch-s"),
    ("BIGINT", [1_400_000_000_000, 1_800_000_000_000, 1_500_000_000_001], "timestamptz", "epoch-ms"),
    ("BIGINT", [1_400_000_000_000_000, 1_800_000_000_000_000, 1_500_000_000_000_001], "timestamptz", "epoch-us"),
]


@pytest.mark.parametrize(("declared", "values", "pg_type", "way"), TAKEN)
@pytest.mark.parametrize("name", ["a", "[a]*?"])
def test_suggestion_leaves_nothing_to_decide(
    declared: str, values: list[object], pg_type: str, way: str, name: str
) -> None:
    table = make_table(column(name=name, declared=declared))
    found = choose(table, *values)
    assert [(each.pg_type, each.way) for each in found.suggestions] == [(pg_type, way)]
    pattern = glob.escape(f"{table.name}.{name}")
    decisions = (parse_decision(f"{pattern}={way}"),) if way else ()
    options = Options(casts=(parse_cast(f"{pattern}={pg_type}"),), decisions=decisions)
    conversions = choose_conversions(table, table.columns[0], options, pg_type)
    accumulator = start_census(table, {name: pg_type}, {name: conversions})
    accumulator.add_batch([(value, rowid) for rowid, value in enumerate(values, 1)])
    choice = map_column(table, table.columns[0], accumulator.finish().columns[0], options, pg_type)
    assert not [finding for finding in choice.findings if finding.blocks and finding.way != way]
    assert choice.pg_type == pg_type


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        ("TEXT", WORDS),
        ("TEXT", [*DASHED, "none"]),
        ("TEXT", [*DASHED, ""]),
        ("TEXT", [*DASHED, b"\0" * 16]),
        ("TEXT", DASHED[:2]),
        ("TEXT", ["007", "008", "009"]),
        ("TEXT", ["2024-01-01 10:00", "2024-01-01 10:00Z", "2024-01-01"]),
        ("TEXT", ["10:00:00.1234567", "10:00", "11:00"]),
        ("TEXT", ["y", "n", "n"]),
        ("UUID", DASHED),
        ("DATETIME", ["2024-01-01"] * 3),
        ("DATETIME", [1_500_000_000] * 3),
        ("JSON", ["{}"] * 3),
        ("BOOL", [0, 1, 1]),
        ("INTEGER", [0, 1, 2]),
        ("INTEGER", [1, 1, 1]),
        ("INTEGER", [1_500_000_000, 1_500_000_001, 7]),
        ("INTEGER", [86_400, 172_800, 259_200]),
        ("REAL", [1.5e9, 1.6e9, 1.7e9]),
        ("BLOB", [b"\0" * 16, b"\0" * 16, b"\0" * 15]),
        ("TEXT", []),
        ("TEXT", [None] * 3),
    ],
)
def test_nothing_is_suggested(declared: str, values: list[object]) -> None:
    assert suggest(declared, *values) is None


def test_blobs_are_only_spoken_of() -> None:
    ids = [UUID(text).bytes for text in HEX]
    assert suggest("BLOB", *ids) == ("", "", "all 3 blobs have 16 bytes, as UUIDs do")
    assert suggest("BLOB", b"abc", b"def", b"ghi") == ("", "", "all 3 blobs are UTF-8 text")


def test_moments_in_keys_are_not_suggested() -> None:
    stamps = (1_500_000_000, 1_500_000_001, 1_500_000_002)
    parent = replace(make_table(column(name="a", declared="INTEGER")), name="parent")
    key = ForeignKey(columns=("a",), parent_table="PARENT", parent_columns=("A",))
    child = make_table(column(name="a", declared="INTEGER"), foreign_keys=(key,))
    assert choose(parent, *stamps).suggestions
    assert not choose(parent, *stamps, others=(child,)).suggestions
    assert not choose(child, *stamps).suggestions
    assert not choose(make_table(column(declared="INTEGER", pk_position=1), primary_key=("c",)), *stamps).suggestions


def test_uuids_in_foreign_keys_name_the_other_end() -> None:
    key = ForeignKey(columns=("a",), parent_table="parent", parent_columns=("a",))
    (found,) = choose(make_table(column(name="a", declared="TEXT"), foreign_keys=(key,)), *DASHED).suggestions
    assert "other end" in found.why
    assert found.pg_type == "uuid"


def test_findings_are_named_instead() -> None:
    found = choose(make_table(column(declared="DATETIME")), "2024-01-01", "soon", "2024-01-01")
    assert (found.pg_type, found.findings, found.suggestions) == ("text", ("date-form",), ())
