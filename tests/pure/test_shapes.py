"""What the census says that texts, blobs and reals look like, whatever their declared type."""

from __future__ import annotations

import json
import math
import string
from collections import Counter
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import column, make_table
from liteferry.census import SHAPES, InvalidText, start_census
from liteferry.census.shapes import ShapeCounter, shape_blob

if TYPE_CHECKING:
    from liteferry.model import ColumnCensus

HEX = "0123456789abcdef0123456789abcdef"
DASHED = "01234567-89ab-cdef-0123-456789abcdef"
BATCH = 1000


def count(declared: str, *values: object, batch: int = BATCH) -> ColumnCensus:
    accumulator = start_census(make_table(column(declared=declared)))
    rows = [(value, rowid) for rowid, value in enumerate(values, start=1)]
    for start in range(0, len(rows), batch):
        accumulator.add_batch(rows[start : start + batch])
    return accumulator.finish().columns[0]


def shapes_of(census: ColumnCensus) -> dict[str, int]:
    return {shape.name: shape.count for shape in census.shapes}


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("", "empty"),
        (" ", "other"),
        ("0", "integer"),
        ("-12", "integer"),
        ("+12", "integer"),
        ("007", "integer"),
        ("٣", "other"),
        ("1 ", "other"),
        ("1_000", "other"),
        ("1.5", "decimal"),
        (".5", "decimal"),
        ("5.", "decimal"),
        ("1e400", "decimal"),
        (".", "other"),
        ("-", "other"),
        ("1.2.3", "other"),
        ("0x1f", "other"),
        ("2025-10-09", "date"),
        ("2025-02-29", "other"),
        ("2024-02-29", "date"),
        ("20251009", "integer"),
        ("2025-10-09 16:21", "datetime"),
        ("2025-10-09 16:21:00", "datetime"),
        ("2025-10-09T16:21:00.5", "datetime"),
        ("2025-10-09 24:00:00", "other"),
        ("2025-10-09 16:21:00+01", "datetime-tz"),
        ("2025-10-09T16:21:00.123456Z", "datetime-tz"),
        ("2025-10-09T16:21:00.1234567", "other"),
        ("2025-10-09T16:21:00.123456000", "datetime"),
        ("16:21:00.1234567", "other"),
        ("16:21", "time"),
        ("16:21:00.5", "time"),
        ("25:00", "other"),
        (HEX, "uuid-hex"),
        ("1" * 32, "uuid-hex"),
        ("1" * 31, "integer"),
        (HEX.upper(), "uuid-hex"),
        (DASHED, "uuid-dashed"),
        (DASHED.replace("-", "_"), "other"),
        ("{" + DASHED + "}", "other"),
        ("g" * 32, "other"),
        ("True", "bool-word"),
        ("f", "bool-word"),
        ("no", "yes-no"),
        ("ON", "yes-no"),
        ("none", "other"),
        ("{}", "json-object"),
        (' {"a": [1, 2]}\n', "json-object"),
        ("[]", "json-array"),
        ('{"a": 1, "a": 2}', "json-only"),
        (r'["\u0000"]', "json-only"),
        ("{a: 1}", "other"),
        ("{'a': 1}", "other"),
        ("[NaN]", "other"),
        ("[1", "other"),
        ('"a"', "other"),
        ("[" * 100_000 + "]" * 100_000, "other"),
        ("a\0b", "other"),
    ],
)
def test_shape_of_a_text(text: str, shape: str) -> None:
    assert ShapeCounter().shape_text(text) == shape
    assert shapes_of(count("TEXT", text)) == {shape: 1}
    assert shapes_of(count("TEXT", text, text, text)) == {shape: 3}
    mixed = Counter(shapes_of(count("TEXT", text, "2024-01-01", "some words")))
    assert mixed == Counter([shape, "date", "other"])


@pytest.mark.parametrize(
    ("blob", "shape"),
    [
        (b"", "empty-blob"),
        (b"hello\nworld", "text-blob"),
        ("häßlich".encode(), "text-blob"),
        (b"sixteen letters!", "text-blob"),
        (bytes(16), "uuid-blob"),
        (UUID(HEX).bytes, "uuid-blob"),
        (b"\x00", "other-blob"),
        (b"\xff", "other-blob"),
        (b"a\x1bb", "other-blob"),
        ("é".encode()[:1], "other-blob"),
        (("é" * 200_000).encode(), "text-blob"),
        (("aé" * 200_000).encode()[:-1], "other-blob"),
    ],
)
def test_shape_of_a_blob(blob: bytes, shape: str) -> None:
    assert shape_blob(blob) == shape
    assert shapes_of(count("BLOB", blob)) == {shape: 1}


def test_every_shape_is_described() -> None:
    texts = ["", "1", "1.5", "2024-01-01", "2024-01-01 10:00", "2024-01-01 10:00Z", "10:00", DASHED, HEX, "t", "y"]
    texts += ["{}", "[]", '{"a":1,"a":1}', "x!"]
    found = count("", *texts, b"", bytes(16), b"abc", b"\0")
    assert [shape.name for shape in found.shapes] == list(SHAPES)


# Held against Python's own parsers


@given(st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.floats(allow_nan=False))
def test_numbers_as_texts(number: object) -> None:
    text = str(number)
    shape = ShapeCounter().shape_text(text)
    if len(text) == 32 and text.isdigit():
        return  # a UUID as well
    if shape == "integer":
        assert int(text) == number
    else:
        assert shape == ("other" if "inf" in text else "decimal")
        assert float(text) == float(number)  # type: ignore[arg-type]


@given(st.datetimes(timezones=st.none() | st.timezones()).filter(lambda moment: moment.utcoffset() is None))
def test_moments_as_python_writes_them(moment: datetime) -> None:
    for text in (moment.isoformat(), moment.isoformat(" "), str(moment)):
        assert ShapeCounter().shape_text(text) == "datetime"
        assert ShapeCounter().shape_text(f"{text}+05:30") == "datetime-tz"
    assert ShapeCounter().shape_text(str(moment.date())) == "date"
    assert ShapeCounter().shape_text(str(moment.time())) == "time"


@given(
    st.text(string.digits + "-: T.", max_size=27)
    | st.from_regex(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?", fullmatch=True)
)
def test_nothing_is_a_moment_that_python_refuses(text: str) -> None:
    match ShapeCounter().shape_text(text):
        case "date":
            date.fromisoformat(text)
        case "datetime":
            datetime.fromisoformat(text)
        case "time":
            time.fromisoformat(text)


@given(st.uuids())
def test_uuids(value: UUID) -> None:
    assert shapes_of(count("TEXT", str(value), value.hex)) == {"uuid-dashed": 1, "uuid-hex": 1}
    assert UUID(str(value)) == UUID(value.hex)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, (list, dict)))
)
def test_json_as_python_writes_it(value: list[object] | dict[str, object]) -> None:
    shape = "json-object" if isinstance(value, dict) else "json-array"
    for text in (json.dumps(value), json.dumps(value, indent=2), json.dumps(value, ensure_ascii=False)):
        assert ShapeCounter().shape_text(text) == shape
        assert ShapeCounter().shape_text(text[:-1]) == "other"


# A batch at once gives what its texts give one by one

MOMENTS = st.datetimes().map(lambda moment: moment.replace(microsecond=0))
UNIFORM = st.one_of(
    st.lists(MOMENTS.map(str), min_size=1),
    st.lists(st.datetimes().map(lambda moment: f"{moment:%Y-%m-%d %H:%M:%S.%f}".rjust(26, "0")), min_size=1),
    st.lists(st.dates().map(str), min_size=1),
    st.lists(st.uuids().map(str), min_size=1),
    st.lists(st.uuids().map(lambda value: value.hex), min_size=1),
    st.lists(st.integers(0, 9).map(str), min_size=1),
)
SPOILT = st.sampled_from(
    [
        "2024-01-01 24:00:00",
        "2024-02-30 10:00:00",
        "2024-01-01 10:00:00+00:000",
        "2024-01-01 10:00:00.1230+0",
        "2024-01-01 10:00:00.123+01",
        "2023-02-29",
        "2024-W01-1",
        DASHED.replace("a", "g"),
        HEX.replace("0", "-"),
        "²",
        "x",
    ]
)


@given(UNIFORM, st.lists(SPOILT, max_size=2), st.booleans())
@example(["2024-01-01 10:00:00"], ["2024-01-01 24:00:00"], True)
@example(["2024-01-01 10:00:00.123456"], ["2024-01-01 10:00:00.123+01"], False)
def test_batch_as_one_by_one(texts: list[str], spoilt: list[str], first: bool) -> None:  # noqa: FBT001 - drawn
    both = [*spoilt, *texts] if first else [*texts, *spoilt]
    one_by_one = Counter(map(ShapeCounter().shape_text, both))
    found = count("TEXT", *both)
    assert shapes_of(found) == one_by_one
    for shape in found.shapes:
        place = next(i for i, text in enumerate(both, 1) if ShapeCounter().shape_text(text) == shape.name)
        assert shape.first == f"rowid={place}"


@given(st.lists(st.text() | st.sampled_from(["1", "", "{}", "t", HEX, "2024-01-01"])))
def test_any_batch_as_one_by_one(texts: list[str]) -> None:
    found = count("TEXT", *texts)
    assert shapes_of(found) == Counter(map(ShapeCounter().shape_text, texts))


# Large columns


def test_offender_in_the_last_row_is_found() -> None:
    values = ["2024-01-01 10:00:00"] * 99_999
    assert shapes_of(count("TEXT", *values, "2024-01-01 24:00:00")) == {"datetime": 99_999, "other": 1}
    found = count("DATETIME", *values, "soon")
    assert [(offence.name, offence.count, offence.samples[0].key) for offence in found.offences] == [
        ("form", 1, "rowid=100000")
    ]
    assert shapes_of(found) == {"other": 1}
    assert found.shapes[0].first == "rowid=100000"


@pytest.mark.parametrize(
    ("declared", "last", "offence"),
    [
        ("TEXT", "a\0b", "nul"),
        ("TEXT", InvalidText(b"\xff"), "invalid-utf8"),
        ("VARCHAR(9)", "ten letter", "too-long"),
        ("TEXT", b"\0", "class"),
    ],
)
def test_offender_in_the_last_row_of_a_plain_column_is_found(declared: str, last: object, offence: str) -> None:
    found = count(declared, *["words"] * 99_999, last)
    assert [(each.name, each.count, each.samples[0].key) for each in found.offences] == [(offence, 1, "rowid=100000")]


def test_rare_shapes_are_counted_among_plain_text() -> None:
    found = count("TEXT", *["plain words"] * 5000, "2024-01-01", *["plain words"] * 4999)
    assert shapes_of(found) == {"date": 1, "other": 9999}
    assert next(shape.first for shape in found.shapes if shape.name == "date") == "rowid=5001"


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batches_make_no_difference(batch: int) -> None:
    texts = ["17", "1 2", "plain", InvalidText(b"\xff"), "", "2024-01-01", "x", "9" * 32, b"", "true", b"\xff", "17"]
    values = [*texts, 0.0, -0.0, 1, 5.5, *reversed(texts), *texts]
    for declared in ("TEXT", "DATETIME", "INTEGER", "UUID"):
        assert count(declared, *values, batch=batch) == count(declared, *values)


@pytest.mark.parametrize("value", ["2024-01-01 10:00:00", "2024-01-01", DASHED, HEX, "17", "1.5", "{}", "t", ""])
def test_column_of_one_shape_is_counted_exactly(value: str) -> None:
    found = count("TEXT", *[value] * 5000)
    assert [shape.count for shape in found.shapes] == [5000]


def test_forms_of_the_declared_type_are_counted_once() -> None:
    found = count("DATETIME", "2024-01-01", "2024-01-01 10:00:00", "12345", "soon")
    assert {form.name: form.count for form in found.forms} == {"date": 1, "datetime": 1, "other": 2}
    assert shapes_of(found) == {"integer": 1, "other": 1}
    assert next(shape.first for shape in found.shapes if shape.name == "integer") == "rowid=3"


# Reals


def test_extremes_of_reals_are_of_the_finite() -> None:
    found = count("REAL", -0.0, 0.0, 1.5, -2.5, math.inf, -math.inf, -math.inf, 7)
    assert (found.min_real, found.max_real) == (-2.5, 1.5)
    assert (found.negative_zeros, found.positive_infinities, found.negative_infinities) == (1, 1, 2)
    assert (found.min_integer, found.max_integer) == (7, 7)


def test_no_finite_real() -> None:
    found = count("REAL", math.inf)
    assert (found.min_real, found.max_real, found.positive_infinities) == (None, None, 1)


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.integers(1, 5))
def test_reals_in_batches(reals: list[float], batch: int) -> None:
    found = count("", *reals, batch=batch)
    finite = [value for value in reals if math.isfinite(value)]
    assert (found.min_real, found.max_real) == ((min(finite), max(finite)) if finite else (None, None))
    assert found.negative_zeros == sum(value == 0 and math.copysign(1, value) < 0 for value in reals)
    assert (found.positive_infinities, found.negative_infinities) == (reals.count(math.inf), reals.count(-math.inf))
