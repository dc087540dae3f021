"""The compiled comparer's forms are those of `liteferry.compare`, whatever the value; or it asks for them."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compiled_fuzz import escape
from liteferry.compare import Text, canonical_source_column, canonical_target
from liteferry.compare.copy_text import parse_copy_line
from liteferry.compiled import find_part
from liteferry.compiled.comparing import name_kind
from liteferry.model import Kind

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from liteferry.compare import StorageValue

part = find_part("_comparer")
if part is None:
    pytest.skip("the comparer was not built", allow_module_level=True)

TYPES: list[tuple[Kind, str]] = [*((kind, kind) for kind in get_args(Kind)), ("text", "character(5)")]
KINDS = st.sampled_from(TYPES)
STRINGS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
SPELLED_DECIMALS = st.builds(
    lambda sign, whole, rest: sign + whole + rest,
    st.sampled_from(["", "-", "+"]),
    st.sampled_from(["", "0", "00", "7", "120", "0099"]),
    st.sampled_from(["", ".", ".0", ".50", ".007", "e3", "E-2", ".5e+2", ".1e-7"]),
)
MOMENTS = st.builds(
    lambda moment, separator, end: moment.isoformat(separator) + end,
    st.datetimes(),
    st.sampled_from(" T"),
    st.sampled_from(
        ["", "", "Z", "+01", "+01:30", "-0830", " Z", " +02:00", "+16:00", "+00 BC", "+00", "0", ".5", " "]
    ),
)
CLOCKS = st.builds(
    lambda days, sign, clock: days + sign + clock,
    st.sampled_from(["", "1 day ", "-3 days ", "1 day", "2 days -", "1 mon ", "1 year 2 mons "]),
    st.sampled_from(["", "-", "+"]),
    st.times().map(str) | st.sampled_from(["", "24:00:00", "100:00:00.5", "23:59", "23:59:60", "1:00"]),
)
JSON: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(0, 180).map(lambda number: round(number, 6))
    | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)
JSON_TEXTS = st.builds(
    lambda value, indent, is_ascii, before, after: (
        before + json.dumps(value, indent=indent, ensure_ascii=is_ascii) + after
    ),
    JSON,
    st.sampled_from([None, 1]),
    st.booleans(),
    st.sampled_from(["", "", " \n", "["]),
    st.sampled_from(["", "", "\t ", "]", ",", "x"]),
)
UUIDS = st.uuids().map(str) | st.uuids().map(lambda value: value.hex.upper()) | st.uuids().map(lambda u: str(u)[:-1])
FLOATS = (
    st.floats(allow_nan=False)
    | st.floats(-1e6, 1e6)
    | st.floats(-1e6, 1e6).map(lambda number: round(number, 2))
    | st.floats(width=32, allow_nan=False)
)
WORDS = st.sampled_from(
    ["", "t", "f", "true", "False", "TRUE", "1", "0", "\x10", "T", "yes", "Infinity", "-Infinity", "NaN", "1e400", "-0"]
) | st.sampled_from(["\\x", "\\x00fF", "\\x0", "\\xzz", "127.0.0.1", "::1/64", "a  "])
SPELLINGS = (
    STRINGS | DECIMALS.map(str) | SPELLED_DECIMALS | MOMENTS | CLOCKS | JSON_TEXTS | UUIDS | FLOATS.map(repr) | WORDS
    | st.dates().map(str) | st.integers().map(str)
)  # fmt: skip
MANGLED = st.builds(
    lambda text, at, byte: text[: at % (len(text) + 1)] + byte + text[at % (len(text) + 1) + 1 :],
    SPELLINGS.map(str.encode),
    st.integers(0, 60),
    st.binary(max_size=1),
)
TEXTS = SPELLINGS.map(str.encode) | MANGLED | st.binary(max_size=20)
STORED = st.integers(-(2**63), 2**63 - 1) | FLOATS | TEXTS.map(Text) | st.binary(max_size=20)


@given(KINDS, STORED)
@example(("jsonb", "jsonb"), Text(b'{"b": [1.50, -0.0, 1e-5], "a": "\\u00e9\\ud83d\\ude00\\n"}'))
@example(("numeric", "numeric"), 5.684341886080802e-14)
@example(("numeric", "numeric"), 0.1 + 0.2)
@example(("text", "text"), -0.0)
@example(("numeric", "numeric"), -0.0)
@example(("timestamptz", "timestamptz"), Text(b"2024-02-29T23:59:59.5-0130"))
def test_a_stored_value_has_the_same_form(of_kind: tuple[Kind, str], value: StorageValue) -> None:
    kind, pg_type = of_kind
    assert part is not None
    assert value is not None
    found = part.form_of_source(name_kind(kind, pg_type), value, isinstance(value, Text))
    assert found is None or [found] == canonical_source_column([value], kind, pg_type)


@given(KINDS, TEXTS)
@example(("float8", "float8"), b"0.30000000000000004")
@example(("float8", "float8"), b"1.7976931348623157e+308")
@example(("interval", "interval"), b"-1 days -00:00:00.5")
def test_a_rendered_value_has_the_same_form(of_kind: tuple[Kind, str], text: bytes) -> None:
    kind, pg_type = of_kind
    assert part is not None
    found = part.form_of_target(name_kind(kind, pg_type), escape(text))
    assert found is None or found == canonical_target(text, kind, pg_type)


@given(KINDS, st.binary(max_size=30).map(lambda text: text.replace(b"\t", b"").replace(b"\n", b"")))
@example(("text", "text"), b"\\N")
@example(("text", "text"), b"a\\")
def test_a_field_is_unescaped_alike(of_kind: tuple[Kind, str], field: bytes) -> None:
    kind, pg_type = of_kind
    assert part is not None
    found = part.form_of_target(name_kind(kind, pg_type), field)
    (text,) = parse_copy_line(field)
    assert found is None or found == canonical_target(text, kind, pg_type)


COMMON: dict[Kind, tuple[StorageValue, ...]] = {
    "int2": (0, -32768),
    "int4": (17,),
    "int8": (2**63 - 1, -(2**63)),
    "float4": (0.5, 3),
    "float8": (0.1, 1e300, 3),
    "numeric": (12.5, 0.3, -7, 1234567.89, Text(b"1.50"), 0.7266457153438604),
    "bool": (1, 0, Text(b"True")),
    "text": (Text(b"x\ty"), Text(b""), 7, 1.5),
    "bytea": (b"\0\xff", b""),
    "timestamp": (Text(b"2024-02-29 10:11:12.123456"), Text(b"2024-02-29"), Text(b"2024-02-29T10:11")),
    "timestamptz": (Text(b"2024-02-29 10:11:12+02:00"), Text(b"2024-02-29 10:11:12Z"), Text(b"2024-02-29 10:11:12.5")),
    "date": (Text(b"0001-01-01"), Text(b"9999-12-31")),
    "time": (Text(b"10:11"), Text(b"10:11:12.000001")),
    "interval": (-5,),
    "json": (Text(b"{}"), 7),
    "jsonb": (Text(b'{"b": [1, 2.50], "a": {"\\u00e9": null}}'),),
    "uuid": (Text(b"00112233445566778899AABBCCDDEEFF"), bytes(16)),
}


@pytest.mark.parametrize("kind", COMMON)
def test_common_values_need_no_asking(kind: Kind) -> None:
    assert part is not None
    for value in COMMON[kind]:
        found = part.form_of_source(name_kind(kind, kind), value, isinstance(value, Text))
        assert [found] == canonical_source_column([value], kind, kind), value


RENDERED: dict[Kind, tuple[bytes, ...]] = {
    "float4": (b"0.1", b"1e-05"),
    "float8": (b"0.1", b"1e-05", b"-0", b"0.30000000000000004", b"123456789.125"),
    "numeric": (b"1.50", b"NaN"),
    "bool": (b"t", b"f"),
    "bytea": (b"\\\\x00ff",),
    "timestamp": (b"2024-02-29 10:11:12.123456", b"2024-02-29 10:11:12"),
    "timestamptz": (b"2024-02-29 10:11:12.1+00",),
    "date": (b"0001-01-01",),
    "time": (b"10:11:12.000001",),
    "interval": (b"1 day 02:03:04.5", b"-00:00:01", b"-3 days", b"2 days -01:00:00"),
    "jsonb": (b'{"a": [1, 2.50, "\\\\n"], "bb": null}',),
    "uuid": (b"00112233-4455-6677-8899-aabbccddeeff",),
}


@pytest.mark.parametrize("kind", RENDERED)
def test_common_texts_need_no_asking(kind: Kind) -> None:
    assert part is not None
    for field in RENDERED[kind]:
        (text,) = parse_copy_line(field)
        assert part.form_of_target(name_kind(kind, kind), field) == canonical_target(text, kind, kind), field


@pytest.mark.parametrize(
    "digits", [b"0", b"000", b"0g", b"g0", b" 0", b"0\x80", b"\xff0", b"@0", b"0`", b"0:", b"/0", b"G0"]
)
def test_what_is_no_pair_of_hexadecimal_digits_is_asked_about(digits: bytes) -> None:
    assert part is not None
    assert part.form_of_target("bytea", b"\\\\x00" + digits) is None
    assert part.form_of_target("bytea", b"\\\\x" + digits + b"00") is None


def test_every_pair_of_hexadecimal_digits_is_a_byte() -> None:
    assert part is not None
    every = bytes(range(256))
    for digits in (every.hex(), every.hex().upper()):
        assert part.form_of_target("bytea", b"\\\\x" + digits.encode()) == b"x" + every


def test_doubles_are_rarely_asked_for() -> None:
    """Of the shortest texts of doubles, one in a thousand lies too near the middle of two."""
    assert part is not None
    numbers = [(number * 0.000_714_285_3) ** 3 for number in range(1, 3000)]
    fields = [repr(number).encode() for number in numbers]
    assert sum(part.form_of_target("float8", field) is None for field in fields) < 30
    assert sum(part.form_of_source("numeric", number, False) is None for number in numbers if number > 1e-4) < 300


@given(
    st.dictionaries(st.text(st.sampled_from('ab"\\/\n\x01\x7fé\ue000\ufffd\U0001f600'), max_size=4), st.integers()),
    st.booleans(),
)
def test_members_are_put_in_order_however_keys_are_spelled(members: dict[str, int], is_ascii: bool) -> None:  # noqa: FBT001
    assert part is not None
    text = json.dumps(members, ensure_ascii=is_ascii).encode()
    assert [part.form_of_source("jsonb", text, True)] == canonical_source_column([Text(text)], "jsonb", "jsonb")


ORDERS: dict[str, Callable[[int], list[str]]] = {
    "sorted": lambda count: [f"{number:09d}" for number in range(count)],
    "reversed": lambda count: [f"{number:09d}" for number in reversed(range(count))],
    "by length, as jsonb has them": lambda count: [f"{number}" for number in range(count)],
    "shuffled": lambda count: [f"{number * 7919 % 30_011}" for number in range(count)],
    "two halves": lambda count: [f"{number:05d}" for number in [*range(0, count, 2), *range(1, count, 2)]],
    "alike for long": lambda count: ["x" * 300 + f"{number * 7919 % 30_011}\n" for number in range(count)],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("count", [1, 2, 11, 12, 13, 14, 24, 25, 26, 27, 49, 97, 1000, 4097])
def test_many_members_are_put_in_order(order: str, count: int) -> None:
    assert part is not None
    members = [f"{json.dumps(key)}:{number}" for number, key in enumerate(ORDERS[order](count))]
    text = f"{{{','.join(members)}}}".encode()
    assert [part.form_of_source("jsonb", text, True)] == canonical_source_column([Text(text)], "jsonb", "jsonb")
    for at in {0, count // 2, count - 1}:
        for again in {0, count // 3, count}:
            doubled = [*members[:again], members[at], *members[again:]]
            assert part.form_of_source("jsonb", f"{{{','.join(doubled)}}}".encode(), True) is None, (at, again)


@given(st.binary(max_size=400))
@example(b"")
@example(bytes(128))
@example(bytes(129))
def test_digests_are_those_of_hashlib(message: bytes) -> None:
    assert part is not None
    assert part.digest_of(message) == blake2b(message, digest_size=16).digest()


@given(st.datetimes())
def test_every_day_is_counted(moment: dt.datetime) -> None:
    assert part is not None
    text = str(moment).encode()
    assert part.form_of_source("timestamp", text, True) == canonical_target(text, "timestamp", "timestamp")
    assert part.form_of_target("timestamp", text) == canonical_target(text, "timestamp", "timestamp")
