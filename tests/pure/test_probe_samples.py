"""Sample values for the proof of translations, and what decides that a translation is not used."""

from __future__ import annotations

import pytest

from builders import column, make_table
from liteferry.compare import Text
from liteferry.errors import Untranslatable
from liteferry.model import ColumnCensus, ColumnMap, Decision, Form, Kind, Options, TableCensus, TableMap
from liteferry.planner.refusals import Refusals
from liteferry.proof.probe import _look_alike
from liteferry.proof.samples import (
    MOST_ROWS,
    SampleColumn,
    combine,
    describe_columns,
    find_used,
    fits,
    sample_values,
    spell_for_target,
)


def describe(kind: Kind, pg_type: str, affinity: str = "TEXT", **counts: object) -> SampleColumn:
    table = make_table(column("c", affinity, affinity))  # type: ignore[arg-type]  # an affinity
    mapped = TableMap(
        source="t", target="t", columns=(ColumnMap(source="c", target="C", pg_type=pg_type, kind=kind, rule=""),)
    )
    census = TableCensus(table="t", rows=1, columns=(ColumnCensus(name="c", **counts),))  # type: ignore[arg-type]  # a test's shorthand
    return describe_columns(table, census, mapped)["c"]


def test_the_values_in_an_expression_and_their_neighbours_are_samples() -> None:
    values = sample_values(describe("int8", "bigint", "INTEGER"), "c >= 18", exact=True)
    assert {17, 18, 19, None, 0, -1, 9007199254740991} <= set(values)
    assert 9007199254740991 not in sample_values(describe("int8", "bigint", "INTEGER"), "c >= 18", exact=False)
    words = sample_values(describe("text", "text"), "c LIKE 'Ab%'", exact=True)
    assert {"Ab%", "AB%", "ab%", "Ab", "Abx", "xAb", "À"} <= set(words)
    days = sample_values(describe("date", "date", "NUMERIC"), "c < '2021-05-06'", exact=True)
    assert {"2021-05-06", "2020-02-29"} <= set(days)


def test_moments_are_written_as_the_column_writes_them() -> None:
    forms = (Form(name="datetime-f3", count=1),)
    values = sample_values(describe("timestamp", "timestamp", "NUMERIC", forms=forms), "c", exact=True)
    assert "2020-02-29 00:00:00.789" in values
    assert all(value is None or len(str(value)) == 23 for value in values)


FITTING = [
    (describe("text", "text"), Text(b"x"), True),
    (describe("text", "text"), 5, False),  # the column holds texts alone
    (describe("text", "text", texts=1, integers=1), 5, True),
    (describe("text", "character varying(2)"), Text("äöü".encode()), False),
    (describe("int2", "smallint", "INTEGER"), 32768, False),
    (describe("numeric", "numeric(4,2)", "NUMERIC"), 99.99, True),
    (describe("numeric", "numeric(4,2)", "NUMERIC"), 100, False),
    (describe("numeric", "numeric(4,2)", "NUMERIC"), 1.005, False),
    (describe("bool", "boolean", "NUMERIC"), 2, False),
    (describe("int8", "bigint", "INTEGER"), None, True),
]


@pytest.mark.parametrize(("of", "value", "expected"), FITTING)
def test_what_a_column_can_hold(of: SampleColumn, value: Text | float | None, expected: bool) -> None:  # noqa: FBT001 - a table's last item
    assert fits(of, value) is expected


def test_values_are_spelled_for_their_type() -> None:
    assert spell_for_target(describe("bytea", "bytea", "BLOB"), b"\x00\xff") == "\\x00ff"
    assert spell_for_target(describe("timestamptz", "timestamptz"), Text(b"2020-01-01 00:00:00")) == (
        "2020-01-01 00:00:00+00"
    )
    assert spell_for_target(describe("interval", "interval", "INTEGER"), 5) == "5 microseconds"
    assert spell_for_target(describe("text", "text"), None) is None


def test_rows_are_all_combinations_or_a_choice_with_every_value_and_always_the_same() -> None:
    assert combine([[1, 2], [3, 4]]) == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert combine([]) == [()]
    many = [list(range(100)), list(range(50)), list(range(7))]
    rows = combine(many)
    assert len(rows) <= MOST_ROWS
    assert rows == combine(many)
    assert [{row[at] for row in rows} for at in range(3)] == [set(values) for values in many]


def test_the_columns_of_an_expression_are_found_in_quotes_too() -> None:
    table = make_table(column("a"), column("B c"), column("d"))
    maps = tuple(ColumnMap(source=n, target=n, pg_type="text", kind="text", rule="") for n in ("a", "B c", "d"))
    census = TableCensus(table="t", rows=0, columns=tuple(ColumnCensus(name=n) for n in ("a", "B c", "d")))
    found = describe_columns(table, census, TableMap(source="t", target="t", columns=maps))
    assert [each.source for each in find_used('A > "b c"', found)] == ["a", "B c"]


REFUSING = [
    (Options(), {}, ""),
    (Options(accept=("check-untranslatable",)), {}, ""),
    (Options(accept=("check-untranslatable:t.*",)), {}, ""),
    (Options(accept=("check-untranslatable:t.c",)), {}, "you asked to leave it out"),
    (Options(accept=("index-untranslatable:t.c",)), {}, ""),
    (Options(decisions=(Decision(place="t.c", way="leave-out"),)), {}, "you asked to leave it out"),
    (Options(decisions=(Decision(place="t.c", way="widen"),)), {}, ""),
    (Options(decisions=(Decision(place="t.c", way="leave-out", code="index-untranslatable"),)), {}, ""),
    (Options(), {"check-untranslatable:t.c": "they disagree"}, "they disagree"),
]


@pytest.mark.parametrize(("options", "refused", "reason"), REFUSING)
def test_a_translation_is_left_out_at_its_exact_place(options: Options, refused: dict[str, str], reason: str) -> None:
    refusals = Refusals(options=options, refused=refused)
    if not reason:
        refusals.check("check-untranslatable", "t", "c")
        return
    with pytest.raises(Untranslatable) as caught:
        refusals.check("check-untranslatable", "t", "c")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("form", "other", "alike"),
    [
        (b"t4040430481945453618", b"t-4337067840214214027", True),
        (b"t4040430481945453618", b"t-433706784021421402", True),
        (b"t1764000000", b"t1764000000000", False),
        (b"t00ff00ff00", b"t12ab34cd56", True),
        (b"t" + b"00ff" * 8, b"t" + b"00FF" * 8, False),
        (b"i5", b"i-9", True),
        (b"i5", b"t5", False),
    ],
)
def test_what_looks_alike_where_chance_or_the_clock_decides(form: bytes, other: bytes, alike: bool) -> None:  # noqa: FBT001 - a table's column
    assert _look_alike(form, other) is alike
