"""Whatever the value: one form a value, one value a form."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TypeAlias

from hypothesis import assume, example, given
from hypothesis import strategies as st

from liteferry.compare import (
    Text,
    canonical_row,
    canonical_source,
    canonical_source_column,
    canonical_target,
    parse_copy_line,
)
from liteferry.compare.json_values import canonical_json, plain_decimal, scan_json
from liteferry.compare.times import (
    source_timestamp_us,
    target_date_days,
    target_interval_us,
    target_timestamp_us,
)

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

STRINGS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)
STAMPS = st.datetimes().map(str)
STORED = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary() | st.binary().map(Text)
COPY_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
)


def shuffle_json(value: Json, draw: st.DrawFn) -> str:
    """Another spelling of the same JSON value."""
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    if isinstance(value, dict):
        members = [f"{json.dumps(key)}{space}:{shuffle_json(inner, draw)}" for key, inner in value.items()]
        return "{" + space + f",{space}".join(draw(st.permutations(members))) + "}"
    if isinstance(value, list):
        return "[" + f"{space},".join(shuffle_json(inner, draw) for inner in value) + space + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    exact = Decimal(repr(value))
    return space + draw(st.sampled_from([str(exact), f"{exact:f}", f"{exact:e}", f"{exact:E}"])) + space


def by_value(value: Json) -> object:
    """JSON as something that Python compares as jsonb does: true is not 1, and 1 is 1.0."""
    if isinstance(value, dict):
        return ("object", frozenset((key, by_value(inner)) for key, inner in value.items()))
    if isinstance(value, list):
        return ("array", tuple(map(by_value, value)))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("number", Decimal(repr(value)).normalize() + 0)
    return (type(value).__name__, value)


@given(JSON, JSON)
@example([1, "1"], ["1", 1])
@example("\\u00001", 1)
@example({"a": [], "b": {}}, {"a": {}, "b": []})
@example(['a,"\\u0000",b'], ["a", "b"])
def test_json_values_have_the_same_form_exactly_when_they_are_equal(left: Json, right: Json) -> None:
    forms = [canonical_json(json.dumps(value).encode()) for value in (left, right)]
    assert (forms[0] == forms[1]) == (by_value(left) == by_value(right))


@given(st.data(), JSON)
def test_the_spelling_of_json_does_not_matter(data: st.DataObject, value: Json) -> None:
    respelled = data.draw(st.composite(lambda draw: shuffle_json(value, draw))())
    assert canonical_json(respelled.encode()) == canonical_json(json.dumps(value).encode())


@given(JSON, st.text(alphabet='[]{}:,"\\u0 1.eE-+tnf', max_size=12))
def test_both_readers_of_json_agree(value: Json, noise: str) -> None:
    spelled = json.dumps(value)
    for text in (spelled, noise, spelled + noise, f"[{spelled},{noise}]"):
        try:
            scanned: bytes | None = scan_json(text).encode()
        except ValueError:
            scanned = None
        try:
            read: bytes | None = canonical_json(text.encode())
        except ValueError:
            read = None
        assert read == scanned


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=12))
@example(Decimal("-0.0"))
def test_plain_decimals_keep_the_value_whatever_the_spelling(number: Decimal) -> None:
    plain = plain_decimal(str(number))
    assert Decimal(plain) == number
    assert {plain_decimal(spelling) for spelling in (f"{number:f}000" if "." in f"{number:f}" else f"{number:f}.0",
                                                     f"{number:.60e}", f"{number:E}")} == {plain}  # fmt: skip
    assert plain == "0" or not plain.lstrip("-").startswith("00")
    assert plain != "-0"
    assert not ("." in plain and plain.endswith(("0", ".")))


@given(st.floats(allow_nan=False))
def test_doubles_in_numeric_are_their_shortest_text(number: float) -> None:
    form = canonical_source(number, "numeric", "numeric").removeprefix(b"n")
    assert float(form) == number


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_doubles_have_the_same_form_exactly_when_their_bits_are_equal(left: float, right: float) -> None:
    same = left.hex() == right.hex()
    assert (canonical_source(left, "float8", "x") == canonical_target(repr(right).encode(), "float8", "x")) == same


@given(st.datetimes(), st.datetimes())
def test_timestamps_are_as_far_apart_as_the_calendar_says(left: dt.datetime, right: dt.datetime) -> None:
    apart_us = (right - left) // dt.timedelta(microseconds=1)
    texts = [str(moment).encode() for moment in (left, right)]
    source_us = [source_timestamp_us(text, zoned) for text in texts for zoned in (False, True)]
    assert source_us[0] == source_us[1] == target_timestamp_us(texts[0])
    assert source_us[2] - source_us[0] == target_timestamp_us(texts[1]) - target_timestamp_us(texts[0]) == apart_us


@given(st.integers(-4712, 294_276), st.integers(1, 12), st.integers(1, 28))
def test_any_year_of_the_target_can_be_read(year: int, month: int, day: int) -> None:
    def rendered(year: int) -> bytes:
        spelled = f"{year if year > 0 else 1 - year:04}-{month:02}-{day:02}" + ("" if year > 0 else " BC")
        return spelled.encode()

    days = target_date_days(rendered(year))
    assert target_date_days(rendered(year + 400)) - days == 146_097
    assert target_timestamp_us(rendered(year).replace(b" BC", b"") + b" 00:00:00" + (b" BC" if year < 1 else b"")) == (
        days * 86_400_000_000
    )


@given(st.integers(-(10**6), 10**6), st.integers(-(10**13), 10**13))
def test_intervals_are_days_and_a_clock(days: int, clock_us: int) -> None:
    minutes, us = divmod(abs(clock_us), 60_000_000)
    spelled = f"{days} days {'-' if clock_us < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}:{us / 1e6:09.6f}"
    assert target_interval_us(spelled.encode()) == days * 86_400_000_000 + clock_us


@given(
    st.binary(max_size=30), st.sampled_from(["timestamp", "timestamptz", "date", "time", "interval", "jsonb", "bool"])
)
def test_no_text_makes_the_target_reader_fail(text: bytes, kind: str) -> None:
    assert canonical_target(text, kind, kind)  # type: ignore[arg-type]


@given(st.lists(STRINGS | st.none(), min_size=1))
def test_copy_lines_give_back_what_was_escaped(values: list[str | None]) -> None:
    line = "\t".join("\\N" if value is None else value.translate(COPY_ESCAPES) for value in values)
    assert parse_copy_line(line.encode()) == [None if value is None else value.encode() for value in values]


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_rows_have_the_same_bytes_only_when_they_are_equal(left: list[bytes], right: list[bytes]) -> None:
    assert (canonical_row(left) == canonical_row(right)) == (left == right)


@given(STORED, STORED)
def test_values_without_a_form_keep_their_difference(left: object, right: object) -> None:
    """In a digest of the source alone, whatever is stored counts as what it is."""
    assume(type(left) is not type(right) or repr(left) != repr(right))
    forms = canonical_source_column([left, right], "uuid", "uuid")  # type: ignore[list-item]
    refused = [form for form in forms if form.startswith(b"!")]
    assert len(set(refused)) == len(refused)
