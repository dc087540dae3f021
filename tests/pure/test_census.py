from __future__ import annotations

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import column, make_table
from liteferry.census import (
    FORMS,
    OFFENCES,
    REASONS,
    SAMPLES,
    InvalidText,
    count_digits,
    describe_key_value,
    start_census,
    tell_why_no_time,
    text_form_datetime,
    text_form_json,
    text_form_time,
)
from liteferry.census.json_forms import JsonReader
from liteferry.model import Affinity, Check, ColumnCensus
from liteferry.typemap import demand_of_target


def count(declared: str, *values: object, check: str = "") -> ColumnCensus:
    table = make_table(column(declared=declared), checks=(Check(sql=check),) if check else ())
    accumulator = start_census(table)
    accumulator.add_batch([(value, rowid) for rowid, value in enumerate(values, start=1)])
    return accumulator.finish().columns[0]


@pytest.mark.parametrize(
    ("text", "form", "digits"),
    [
        ("2025-10-09", "date", 0),
        ("2025-02-30", "other", 0),
        ("0000-01-01", "other", 0),
        ("10000-01-01", "other", 0),
        ("2025-1-9", "other", 0),
        ("20251009", "other", 0),
        ("2025-W01-1", "other", 0),
        ("2025-10-09 16:21", "datetime-short", 0),
        ("2025-10-09 16:21:00", "datetime", 0),
        ("2025-10-09 16:21:60", "other", 0),
        ("2025-10-09 24:00:00", "other", 0),
        ("2025-10-09T16:21:00", "datetime-t", 0),
        ("2025-10-09T16:21:00.5", "datetime-t", 1),
        ("2025-10-09 16:21:00.5", "datetime-f1", 1),
        ("2025-10-09 16:21:00.123456", "datetime-f6", 6),
        ("2025-10-09 16:21:00.120000", "datetime-f6", 2),
        ("2025-10-09 16:21:00.000000", "datetime-f6", 0),
        ("2025-10-09 16:21:00.123456789", "datetime-f9", 9),
        ("2025-10-09 16:21:00,123456", "other", 0),
        ("2025-10-09 16:21:00.1+0200", "datetime-tz", 1),
        ("2025-10-09 16:21:00Z", "datetime-tz", 0),
        ("2025-10-09T16:21:00.5-05:30", "datetime-tz", 1),
        ("2025-10-09 16:21:00+99:00", "other", 0),
        ("２０２５-10-09", "other", 0),  # noqa: RUF001 - full-width digits are the point
        (" 2025-10-09", "other", 0),
        ("", "other", 0),
        ("now", "other", 0),
    ],
)
def test_datetime_forms(text: str, form: str, digits: int) -> None:
    assert text_form_datetime(text) == (form, digits)
    assert form in FORMS


@pytest.mark.parametrize(
    ("text", "form"),
    [("08:30", "time"), ("08:30:00.5", "time"), ("24:00", "other"), ("8:30", "other"), ("08:30:00Z", "other")],
)
def test_time_forms(text: str, form: str) -> None:
    assert text_form_time(text)[0] == form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('{"a": [1, 2.5, null, true, "x"]}', "json-jsonb"),
        (" 5 ", "json-jsonb"),
        ('"\\ud83d\\ude00"', "json-jsonb"),
        ('"\\\\u0000"', "json-jsonb"),
        ("1e400", "json-jsonb"),
        ('{"a": 1, "a": 2}', "json-only"),
        ('[{"a": {"b": 1, "b": 1}}]', "json-only"),
        ('"\\u0000"', "json-only"),
        ('"\\ud800"', "json-only"),
        ('"\\ud800\\ud800"', "json-only"),
        ('"\\udc00"', "json-only"),
        ("1e200000", "json-only"),
        ("1" * 20_000, "json-only"),
        ("NaN", "other"),
        ("[1,]", "other"),
        ("'a'", "other"),
        ("01", "other"),
        ("", "other"),
        ("{}{}", "other"),
        ('"a\nb"', "other"),
        ("[" * 100_000, "other"),
    ],
)
def test_json_forms(text: str, form: str) -> None:
    assert text_form_json(text) == form


JSON_SEEDS = (
    '{"a":[1,2.5,-0,1e5,"x\\u00e9"],"b":{"a":null,"c":[],"d":{}}}',
    '[[],{},[1,"a",true , false],"\\ud83d\\ude00"]',
    '{"a":1,"a":2}',
    ' [ 1 , "\\u0000" ] ',
    '"\\ud800"',
    "[1e400,1e99999]",
    f"[1{'0' * 17000},2]",
    '{"k\\n":1,"k\\u000a":2}',
    "-",
    "NaN",
    "[" * 300 + "]" * 300,
    "[" * 600 + "]" * 600,
    '{"a":[{"b":1},{"b":2}],"c":"\\/"}',
    "\ufeff[]",
)
EDITS = st.lists(
    st.tuples(st.integers(0, 80), st.integers(0, 2), st.sampled_from(["", *'[]{},:"\\ 01.e-tu\n\1'])), max_size=3
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(JSON_SEEDS), EDITS)
def test_large_json_is_told_alike(
    monkeypatch: pytest.MonkeyPatch, text: str, edits: list[tuple[int, int, str]]
) -> None:
    for at, taken, put in edits:
        text = text[:at] + put + text[at + taken :]
    found = []
    for limit in (1 << 40, -1):
        monkeypatch.setattr("liteferry.census.json_forms._LARGE_CHARS", limit)
        reader = JsonReader()
        found.append((form := reader.classify(text), form != "other" and reader.is_only_doubled))
    assert found[0] == found[1]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_what_sqlite_calls_json_is_json(value: object) -> None:
    import json

    text = json.dumps(value)
    valid = sqlite3.connect(":memory:").execute("SELECT json_valid(?)", (text,)).fetchone()[0]
    assert (text_form_json(text) != "other") == bool(valid)


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        (0, (0, 0)),
        (-120, (3, 0)),
        (1.5, (1, 1)),
        (0.1, (0, 1)),
        (0.1 + 0.2, (0, 17)),
        (1e-7, (0, 7)),
        (1e20, (21, 0)),
        ("001.500", (1, 1)),
        ("-.5", (0, 1)),
        ("abc", None),
        (float("inf"), None),
    ],
)
def test_count_digits(value: float | str, digits: tuple[int, int] | None) -> None:
    assert count_digits(value) == digits


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_count_digits_agrees_with_decimal(value: object) -> None:
    text = f"{value:f}"
    whole, _, fraction = text.lstrip("-").partition(".")
    assert count_digits(text) == (len(whole.lstrip("0")), len(fraction.rstrip("0")))


def test_classes_and_bounds() -> None:
    found = count("", None, 3, -7, 1.5, "häß", b"\0\1", InvalidText(b"\xff"))
    assert (found.nulls, found.integers, found.reals, found.texts, found.blobs) == (1, 2, 1, 2, 1)
    assert (found.min_integer, found.max_integer) == (-7, 3)
    assert (found.longest_text_chars, found.longest_value_bytes) == (3, 5)
    assert found.rows == 7


OFFENDERS = [
    ("INTEGER", "x", "class"),
    ("INTEGER", 1.5, "class"),
    ("REAL", "x", "class"),
    ("TEXT", b"x", "class"),
    ("BLOB", "x", "class"),
    ("DATETIME", 86400, "class"),
    ("BOOL", 2, "form"),
    ("BOOL", "yes", "form"),
    ("DATE", "2025-10-09 00:00:00", "form"),
    ("DATETIME", "soon", "form"),
    ("DATETIME", "2025-10-09 16:21:00.1234567", "form"),
    ("DATETIME", "2025-10-09 16:21:00Z", "zone"),
    ("TIME", "25:00", "form"),
    ("UUID", "x", "form"),
    ("UUID", b"short", "form"),
    ("DECIMAL(5,2)", 1.234, "excess"),
    ("DECIMAL(5,2)", 12345, "excess"),
    ("DECIMAL", "abc", "form"),
    ("DECIMAL", float("inf"), "nonfinite"),
    ("VARCHAR(3)", "abcd", "too-long"),
    ("TEXT", "a\0b", "nul"),
    ("TEXT", InvalidText(b"\xff"), "invalid-utf8"),
    ("JSON", "{", "form"),
    ("JSON", '{"a":1,"a":1}', "json-only"),
    ("JSON", float("-inf"), "nonfinite"),
]


@pytest.mark.parametrize(("declared", "value", "offence"), OFFENDERS)
def test_an_offender_is_found_among_good_values(declared: str, value: object, offence: str) -> None:
    found = count(declared, None, None, value).offence(offence)
    assert found is not None
    assert (found.count, [sample.key for sample in found.samples]) == (1, ["rowid=3"])


CONVERTED = {
    "epoch": ("DATETIME", "epoch-s", 10**15),
    "local-none": ("DATETIME", "timezone:Europe/Berlin", "2024-03-31 02:30:00"),
    "local-twice": ("TIMESTAMP", "timezone:Europe/Berlin", "2024-10-27 02:30:00"),
    "local-beyond": ("DATETIME", "timezone:Asia/Kolkata", "0001-01-01 00:00:00"),
}


@pytest.mark.parametrize("offence", CONVERTED)
def test_what_a_conversion_does_not_take_is_found(offence: str) -> None:
    declared, conversion, value = CONVERTED[offence]
    accumulator = start_census(make_table(column("a", declared)), conversions={"a": (conversion,)})
    accumulator.add_batch([("2024-01-01 12:00:00", 1), (value, 2), (5, 3), (None, 4)])
    found = accumulator.finish().columns[0]
    assert [sample.key for sample in (found.offence(offence) or pytest.fail("not found")).samples] == ["rowid=2"]
    assert found.converted == 1  # the number by an epoch, the good local time by a zone


def test_escaping_may_make_a_text_too_long() -> None:
    accumulator = start_census(make_table(column("a", "VARCHAR(4)")), conversions={"a": ("escape",)})
    accumulator.add_batch(
        [("a\0", 1), ("ab\0", 2), ("\\\\", 3), ("abc\\", 4), (InvalidText(b"a\xffb"), 5), ("abcd", 6)]
    )
    found = accumulator.finish().columns[0]
    assert found.converted == 5
    assert found.longest_text_chars == 6
    assert [sample.key for sample in (found.offence("too-long") or pytest.fail("not found")).samples] == [
        "rowid=1",
        "rowid=2",
        "rowid=4",
        "rowid=5",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2025-10-09 16:21:00.1234567", "too-fine"),
        ("24:00", "hour-24"),
        ("2025-10-09 24:00:00", "hour-24"),
        ("2025-02-30", "no-such-day"),
        ("2025-02-30T10:00", "no-such-day"),
        (" 2025-10-09 ", "blanks"),
        ("1700000000", "number"),
        ("yesterday", "other"),
        ("09.10.2025", "other"),
    ],
)
def test_why_a_text_is_no_time(text: str, reason: str) -> None:
    assert tell_why_no_time(text) == reason
    assert reason in REASONS


@pytest.mark.parametrize(
    ("value", "is_inexact"), [(0.1 + 0.2, True), (0.3, False), (1e300, False), (1 / 3, True), (123456789.123456, False)]
)
def test_binary_dust_in_decimals_is_noted(value: float, *, is_inexact: bool) -> None:
    found = count("DECIMAL", value).notes
    assert [(note.name, note.count) for note in found] == ([("inexact", 1)] if is_inexact else [])


def test_every_offence_has_an_offender() -> None:
    assert {offence for _, _, offence in OFFENDERS} | {"null", "range", *CONVERTED} == set(OFFENCES)


@pytest.mark.parametrize(("demanded", "low", "high"), [("smallint", -(2**15), 2**15), ("int4", -(2**31), 2**31)])
def test_an_integer_beyond_the_demanded_type_is_found(demanded: str, low: int, high: int) -> None:
    table = make_table(column("a", declared="INTEGER"))
    accumulator = start_census(table, {"a": demanded})
    accumulator.add_batch([(low, 1), (low - 1, 2), (high - 1, 3), (high, 4)])
    found = accumulator.finish().columns[0].offence("range")
    assert found is not None
    assert (found.count, [sample.key for sample in found.samples]) == (2, ["rowid=2", "rowid=4"])


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        ("INTEGER", (1, None, -(2**63))),
        ("BOOL", (0, 1, None, "true", "F")),
        ("REAL", (1.5, float("inf"), None)),
        ("DECIMAL(5,2)", (999.99, -1, "1.50", None)),
        ("VARCHAR(3)", ("äöü", "")),
        ("DATETIME", ("2025-10-09", "2025-10-09 16:21:00.123456")),
        ("JSON", ("{}", 5, 1.5)),
        ("UUID", ("0" * 32, bytes(16))),
        ("", (b"x", None, b"y")),
    ],
)
def test_good_values_offend_nobody(declared: str, values: tuple[object, ...]) -> None:
    assert count(declared, *values).offences == ()


@pytest.mark.parametrize(
    ("affinity", "values", "offenders"),
    [
        ("BLOB", ("x", 1, "y"), ["rowid=2"]),
        ("BLOB", (None, 1.5, 1.5, 1), ["rowid=4"]),
        ("BLOB", (1, "x"), ["rowid=2"]),
        ("BLOB", ("x", InvalidText(b"\xff"), b"x"), ["rowid=3"]),
        ("NUMERIC", (1.5, 1, "x"), ["rowid=3"]),
    ],
)
def test_without_a_declared_type_the_rarer_classes_offend(
    affinity: Affinity, values: tuple[object, ...], offenders: list[str]
) -> None:
    accumulator = start_census(make_table(column(declared="", affinity=affinity)))
    accumulator.add_batch([(value, rowid) for rowid, value in enumerate(values, start=1)])
    found = accumulator.finish().columns[0].offence("class")
    assert found is not None
    assert [sample.key for sample in found.samples] == offenders


def test_the_class_of_the_first_rows_stays_the_expected_one() -> None:
    accumulator = start_census(make_table(column(declared="")))
    accumulator.add_batch([(None, 1)])
    accumulator.add_batch([("x", 2), (None, 3)])
    accumulator.add_batch([(value, value) for value in range(4, 9)])
    found = accumulator.finish().columns[0].offence("class")
    assert found is not None
    assert found.count == 5


def test_each_misfit_is_in_one_group() -> None:
    accumulator = start_census(make_table(column(declared="VARCHAR(3)")))
    accumulator.add_batch([("abcd", 1), ("ab\0cd", 2), ("a\0", 3), (b"x", 4), ("abc", 5), ("bcde", 6)])
    found = accumulator.finish().columns[0].misfits
    assert {(group.storage, group.offences): group.count for group in found} == {
        ("text", ("too-long",)): 2,
        ("text", ("nul", "too-long")): 1,
        ("text", ("nul",)): 1,
        ("blob", ("class",)): 1,
    }


def test_json_valid_makes_a_text_column_json() -> None:
    found = count("text", "{", check='(JSON_VALID("c") OR "c" IS NULL)')
    assert found.offence("form") is not None
    assert count("text", "{").offence("form") is None


def test_null_offends_only_where_it_is_forbidden() -> None:
    table = make_table(
        column("k", "TEXT", pk_position=1),
        column("n", "TEXT", not_null=True),
        column("free", "TEXT"),
        primary_key=("k",),
    )
    accumulator = start_census(table)
    accumulator.add_batch([("a", "x", None, 1), (None, None, None, 2)])
    key, not_null, free = accumulator.finish().columns
    assert [key.offence("null"), not_null.offence("null"), free.offence("null")].count(None) == 1
    assert free.offence("null") is None


def test_samples_are_few_and_counts_exact() -> None:
    found = count("INTEGER", *["x"] * 50).offence("class")
    assert found is not None
    assert (found.count, len(found.samples)) == (50, SAMPLES)


def test_rows_are_named_by_their_key() -> None:
    table = make_table(
        column("a", "INT"), column("b", "TEXT"), column("c", "INT"), primary_key=("a", "b"), without_rowid=True
    )
    accumulator = start_census(table)
    accumulator.add_batch([(1, "it's", "wrong")])
    offence = accumulator.finish().column("c").offence("class")
    assert offence is not None
    assert offence.samples[0].key == "a=1, b='it''s'"


def test_a_sample_shows_no_value() -> None:
    found = count("INTEGER", "my password").offence("class")
    assert found is not None
    assert "password" not in found.samples[0].why


@pytest.mark.parametrize(("value", "shown"), [(17, "17"), ("a'b", "'a''b'"), (b"\0\xff", "x'00ff'"), (None, "NULL")])
def test_describe_key_value(value: object, shown: str) -> None:
    assert describe_key_value(value) == shown


def test_the_highest_rowid() -> None:
    accumulator = start_census(make_table(column()))
    accumulator.add_batch([(None, 5), (None, -3)])
    accumulator.add_batch([(None, 4)])
    assert accumulator.finish().max_rowid == 5
    assert start_census(make_table(column())).finish().max_rowid is None


IN_TARGET = [
    (demand_of_target("real"), 0.5, 0.1, "range"),
    (demand_of_target("real"), 16777216, 16777217, "range"),
    (demand_of_target("real"), 1.5, 1e300, "range"),
    (demand_of_target("public.mood", ("sad", "ok")), "sad", "Sad", "form"),
    (demand_of_target("character(4)"), " ab", "ab ", "form"),
    (demand_of_target("character(4)"), "abcd", "abcde", "too-long"),
    (
        demand_of_target("timestamp(3) without time zone"),
        "2024-01-01 00:00:00.1230",
        "2024-01-01 00:00:00.1234",
        "form",
    ),
    (demand_of_target("timestamp(0) with time zone"), "2024-01-01 00:00:00", "2024-01-01 00:00:00.5", "form"),
    (demand_of_target("time(0) without time zone"), "10:00:00.0", "10:00:00.5", "form"),
    (demand_of_target("inet"), "10.0.0.1/8", "10.0.0", "form"),
    (demand_of_target("inet"), "fe80::1", "fe80::1%eth0", "form"),
    (demand_of_target("cidr"), "10.0.0.0/8", "10.0.0.1/8", "form"),
]


@pytest.mark.parametrize(("demanded", "good", "bad", "offence"), IN_TARGET)
def test_what_only_a_targets_type_refuses(demanded: str, good: object, bad: object, offence: str) -> None:
    table = make_table(column("a", declared="TEXT" if isinstance(good, str) else "REAL"))
    accumulator = start_census(table, {"a": demanded})
    accumulator.add_batch([(good, 1), (bad, 2), (None, 3)])
    found = accumulator.finish().columns[0]
    assert [(o.name, o.count, o.samples[0].key) for o in found.offences] == [(offence, 1, "rowid=2")]
