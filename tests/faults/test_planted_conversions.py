"""Faults planted in the load's conversions, and in what the census counted: the proof names each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import pytest

from harness import has_schema
from liteferry import Options, codecs, conversions, migrate
from liteferry.choosing import count_converted
from liteferry.compiled import encoding
from liteferry.decisions import parse_decision
from liteferry.planner import tables as planner_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liteferry import Report

STAGING = "liteferry_staging_public"

SOURCE_SQL = """
CREATE TABLE cell (id INTEGER PRIMARY KEY, at DATETIME, local DATETIME, body TEXT, photo BLOB, age INTEGER,
    total DECIMAL(10,2), autumn DATETIME, doc JSON);
INSERT INTO cell VALUES (1, 1700000000, '2024-07-01 12:00:00', 'a' || char(0) || 'b', x'00', 30,
    0.1 + 0.2, '2024-10-27 02:30:00', '{"a": 1, "a": 2}');
INSERT INTO cell VALUES (2, NULL, '2024-12-24', 'plain', 'password', 'old', 0.125, '2024-10-27 04:00:00', '{"b": 1}');
INSERT INTO cell VALUES (3, 0, NULL, NULL, NULL, 31, 7, NULL, NULL);
"""
WAYS = (
    "cell.at=epoch-s",
    "cell.local=timezone:Europe/Berlin",
    "cell.body=strip-nul",
    "cell.photo=null",
    "cell.age=null",
    "cell.total=quantise",
    "cell.autumn=timezone:Europe/Berlin",
    "cell.autumn=earlier",
    "cell.doc=last-key",
)

Patch = pytest.MonkeyPatch


def make_source(directory: Path) -> Path:
    path = directory / "cells.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SOURCE_SQL)
    return path


def run(directory: Path, url: str) -> Report:
    options = Options(decisions=tuple(map(parse_decision, WAYS)), run_dir=str(directory / "run"))
    return migrate(make_source(directory), url, options)


def test_without_a_fault_all_is_proven(tmp_path: Path, pg_url: str) -> None:
    report = run(tmp_path, pg_url)
    assert report.verdict == "proven"
    assert {(found.column, found.conversions, found.values) for found in report.conversions} == {
        ("at", ("epoch-s",), 2),
        ("local", ("timezone:Europe/Berlin",), 2),
        ("body", ("strip-nul",), 1),
        ("photo", ("null:text",), 1),
        ("age", ("null:text",), 1),
        ("total", ("quantise:10,2",), 2),
        ("autumn", ("timezone:Europe/Berlin", "earlier"), 2),
        ("doc", ("last-key",), 1),
    }
    assert not any(found.samples for found in report.conversions)


def null_too_much(patch: Patch) -> None:
    patch.setattr(codecs, "_limit_check", lambda _: lambda value, _field: value != 31)


def null_too_little(patch: Patch) -> None:
    patch.setattr(codecs, "split_null", lambda _: (True, frozenset()))


def shift_the_epoch(patch: Patch) -> None:
    def make(way: str, *, whole_days: bool = False) -> Callable[[float], conversions.Moment]:
        convert = conversions.make_moment_converter(way, whole_days=whole_days)
        return lambda value: conversions.Moment(convert(value) + (value > 0))

    patch.setattr(codecs, "make_moment_converter", make)


def take_another_zone(patch: Patch) -> None:
    patch.setattr(
        codecs,
        "make_zone_resolver",
        lambda zone, which: conversions.make_zone_resolver(zone if which else "Europe/Istanbul", which),
    )


def strip_another_character(patch: Patch) -> None:
    patch.setattr(codecs, "make_repair", lambda _: lambda text: text.replace("\0", "").replace("p", ""))


def take_the_other_of_two(patch: Patch) -> None:
    patch.setattr(codecs, "make_zone_resolver", lambda zone, _: conversions.make_zone_resolver(zone, "later"))


def round_halves_up(patch: Patch) -> None:
    patch.setattr(
        codecs,
        "make_quantiser",
        lambda _: lambda value: Decimal(repr(value)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP),
    )


def take_the_first_key(patch: Patch) -> None:
    encode = codecs.encode_jsonb
    changed = {'{"a": 1, "a": 2}': '{"a": 1}'}
    patch.setitem(codecs.__dict__, "ENCODERS", {**codecs.ENCODERS, "jsonb": lambda v: encode(changed.get(v, v))})


FAULTS = [
    (take_the_other_of_two, "autumn", ["id=1"]),
    (round_halves_up, "total", ["id=2"]),
    (take_the_first_key, "doc", ["id=1"]),
    (null_too_much, "age", ["id=3"]),
    (null_too_little, "photo", ["id=2"]),
    (shift_the_epoch, "at", ["id=1"]),
    (take_another_zone, "local", ["id=1", "id=2"]),
    (strip_another_character, "body", ["id=2"]),
]


@pytest.mark.parametrize(("plant", "column", "keys"), FAULTS)
def test_an_error_of_the_load_is_named(
    plant: Callable[[Patch], None],
    column: str,
    keys: list[str],
    tmp_path: Path,
    pg_url: str,
    pg_admin_url: str,
    monkeypatch: Patch,
) -> None:
    monkeypatch.setattr(encoding, "find_part", lambda _: None)  # the faults are planted in the encoder in Python
    plant(monkeypatch)
    report = run(tmp_path, pg_url)
    assert (report.verdict, report.published) == ("mismatch", False)
    found = {(mismatch.column, mismatch.key) for mismatch in report.mismatches}
    assert {column} == {place for place, _ in found}
    assert set(keys) <= {key for _, key in found}
    assert not has_schema(pg_admin_url, STAGING)


@pytest.mark.parametrize("away", [1, -1])
def test_a_census_that_counts_otherwise_than_the_proof_is_named(
    away: int, tmp_path: Path, pg_url: str, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(
        planner_tables,
        "count_converted",
        lambda choice, census: count_converted(choice, census) + away * (census.name == "body"),
    )
    report = run(tmp_path, pg_url)
    (found,) = report.mismatches
    assert (report.verdict, found.table, found.column) == ("mismatch", "cell", "body")
    assert found.source == "1 value changed by strip-nul"
    assert found.target == ("2 values expected" if away == 1 else "0 values expected")


def test_values_are_shown_only_where_they_are_asked_for(tmp_path: Path, pg_url: str) -> None:
    options = Options(decisions=tuple(map(parse_decision, WAYS)), run_dir=str(tmp_path / "run"), show_values=True)
    report = migrate(make_source(tmp_path), pg_url, options)
    shown = {found.column: [(s.key, s.before, s.after) for s in found.samples] for found in report.conversions}
    assert shown == {
        "at": [("id=1", "1700000000", "2023-11-14 22:13:20Z"), ("id=3", "0", "1970-01-01 00:00:00Z")],
        "local": [
            ("id=1", "'2024-07-01 12:00:00'", "2024-07-01 10:00:00Z"),
            ("id=2", "'2024-12-24'", "2024-12-23 23:00:00Z"),
        ],
        "body": [("id=1", "'a\0b'", "'ab'")],
        "photo": [("id=2", "'password'", "NULL")],
        "age": [("id=2", "'old'", "NULL")],
        "total": [("id=1", "0.30000000000000004", "0.3"), ("id=2", "0.125", "0.12")],
        "autumn": [
            ("id=1", "'2024-10-27 02:30:00'", "2024-10-27 00:30:00Z"),
            ("id=2", "'2024-10-27 04:00:00'", "2024-10-27 03:00:00Z"),
        ],
        "doc": [("id=1", """'{"a": 1, "a": 2}'""", """'{"a": 2}'""")],
    }
