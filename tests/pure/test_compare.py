"""What the proof takes for the same value, and what for another."""

from __future__ import annotations

import struct
from hashlib import blake2b
from itertools import combinations

import pytest

from liteferry import compare
from liteferry.compare import (
    NULL,
    DigestSum,
    StorageValue,
    Text,
    Unrepresentable,
    canonical_row,
    canonical_source,
    canonical_target,
    canonicalise_rows,
    digest_row,
    digest_rows,
    parse_copy_line,
    parse_copy_text,
)
from liteferry.compare.json_values import canonical_json, plain_decimal, scan_json
from liteferry.compare.words import describe_text, describe_value, spell_text, spell_value
from liteferry.model import ColumnMap, Kind

PG_TYPES: dict[Kind, str] = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "numeric": "numeric(10,2)",
    "bool": "boolean",
    "text": "text",
    "bytea": "bytea",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "date": "date",
    "time": "time",
    "interval": "interval",
    "json": "json",
    "jsonb": "jsonb",
    "uuid": "uuid",
    "inet": "inet",
}

# kind, what SQLite stores, what PostgreSQL's COPY renders (unescaped), the canonical form
EQUAL: list[tuple[Kind, StorageValue, bytes, bytes]] = [
    ("int2", -32768, b"-32768", b"i-32768"),
    ("int4", 0, b"0", b"i0"),
    ("int8", 9223372036854775807, b"9223372036854775807", b"i9223372036854775807"),
    ("float4", 0.5, b"0.5", b"e\x3f\x00\x00\x00"),
    ("float4", -3, b"-3", b"e\xc0\x40\x00\x00"),
    ("inet", Text(b"192.168.0.1"), b"192.168.0.1", b"a32/\xc0\xa8\x00\x01"),
    ("inet", Text(b"2001:DB8::1/64"), b"2001:db8::1/64", b""),
    ("float8", 0.1, b"0.1", b"f\x3f\xb9\x99\x99\x99\x99\x99\x9a"),
    ("float8", -0.0, b"-0", b"f\x80\x00\x00\x00\x00\x00\x00\x00"),
    ("float8", float("inf"), b"Infinity", b"f\x7f\xf0\x00\x00\x00\x00\x00\x00"),
    ("float8", float("-inf"), b"-Infinity", b"f\xff\xf0\x00\x00\x00\x00\x00\x00"),
    ("float8", 5e-324, b"5e-324", b"f\x00\x00\x00\x00\x00\x00\x00\x01"),
    ("float8", 1627303906.122, b"1627303906.122", b"f\x41\xd8\x3f\xab\xf8\x87\xce\xd9"),
    ("float8", 3, b"3", b"f\x40\x08\x00\x00\x00\x00\x00\x00"),
    ("numeric", 12.5, b"12.50", b"n12.5"),
    ("numeric", 100, b"100", b"n100"),
    ("numeric", 100.0, b"100.00", b"n100"),
    ("numeric", -0.0, b"0.00", b"n0"),
    ("numeric", 1e22, b"10000000000000000000000", b"n10000000000000000000000"),
    ("numeric", 1.5e-7, b"0.00000015", b"n0.00000015"),
    ("numeric", Text(b"+00123.4500"), b"123.45", b"n123.45"),
    ("numeric", Text(b".5"), b"0.5", b"n0.5"),
    ("numeric", Text(b"12e3"), b"12000", b"n12000"),
    ("numeric", Text(b"9" * 400 + b".10"), b"9" * 400 + b".1", b"n" + b"9" * 400 + b".1"),
    ("numeric", float("-inf"), b"-Infinity", b"n-Infinity"),
    ("bool", 1, b"t", b"b1"),
    ("bool", 0, b"f", b"b0"),
    ("bool", Text(b"TRUE"), b"t", b"b1"),
    ("bool", Text(b"F"), b"f", b"b0"),
    ("bool", Text(b"0"), b"f", b"b0"),
    ("text", Text("naïve\t\n\\".encode()), "naïve\t\n\\".encode(), "tnaïve\t\n\\".encode()),
    ("text", Text(b""), b"", b"t"),
    ("text", 17, b"17", b"t17"),
    ("text", 1e20, b"1e+20", b"t1e+20"),
    ("text", 1.0, b"1.0", b"t1.0"),
    ("bytea", b"\x00\xff", b"\\x00ff", b"x\x00\xff"),
    ("bytea", b"", b"\\x", b"x"),
    ("bytea", Text(b"caf\xc3\xa9"), b"\\x636166c3a9", b"xcaf\xc3\xa9"),
    ("bytea", 17, b"\\x3137", b"x17"),
    ("timestamp", Text(b"1970-01-01 00:00:00"), b"1970-01-01 00:00:00", b"s0"),
    ("timestamp", Text(b"1970-01-02"), b"1970-01-02 00:00:00", b"s86400000000"),
    ("timestamp", Text(b"1970-01-01T00:01"), b"1970-01-01 00:01:00", b"s60000000"),
    ("timestamp", Text(b"2024-02-29 23:59:59.5"), b"2024-02-29 23:59:59.5", b"s1709251199500000"),
    ("timestamp", Text(b"2024-02-29 23:59:59.123456000"), b"2024-02-29 23:59:59.123456", b"s1709251199123456"),
    ("timestamp", Text(b"0001-01-01 00:00:00"), b"0001-01-01 00:00:00", b"s-62135596800000000"),
    ("timestamp", Text(b"1969-12-31 23:59:59.999999"), b"1969-12-31 23:59:59.999999", b"s-1"),
    ("timestamptz", Text(b"2024-07-01 12:00:00"), b"2024-07-01 12:00:00+00", b"z1719835200000000"),
    ("timestamptz", Text(b"2024-07-01T12:00:00Z"), b"2024-07-01 12:00:00+00", b"z1719835200000000"),
    ("timestamptz", Text(b"2024-07-01 14:00:00+02:00"), b"2024-07-01 12:00:00+00", b"z1719835200000000"),
    ("timestamptz", Text(b"2024-07-01 14:00:00.000001+02"), b"2024-07-01 12:00:00.000001+00", b"z1719835200000001"),
    ("timestamptz", Text(b"2024-07-01 10:00:00.0000000000 -02"), b"2024-07-01 12:00:00+00", b"z1719835200000000"),
    ("timestamptz", Text(b"2024-07-01 06:30-0530"), b"2024-07-01 12:00:00+00", b"z1719835200000000"),
    ("timestamptz", Text(b"0001-01-01 00:00:00+01:00"), b"0001-12-31 23:00:00+00 BC", b"z-62135600400000000"),
    ("timestamptz", Text(b"9999-12-31 23:00:00-01:00"), b"10000-01-01 00:00:00+00", b"z253402300800000000"),
    ("date", Text(b"2000-03-01"), b"2000-03-01", b"d11017"),
    ("date", Text(b"0001-01-01"), b"0001-01-01", b"d-719162"),
    ("time", Text(b"23:59:59.999999"), b"23:59:59.999999", b"h86399999999"),
    ("time", Text(b"07:05"), b"07:05:00", b"h25500000000"),
    ("interval", 0, b"00:00:00", b"v0"),
    ("interval", -1, b"-00:00:00.000001", b"v-1"),
    ("interval", 90061000001, b"1 day 01:01:01.000001", b"v90061000001"),
    ("interval", 90061000001, b"25:01:01.000001", b"v90061000001"),
    ("interval", -86400000000, b"-1 days", b"v-86400000000"),
    ("interval", -82800000000, b"-1 days +01:00:00", b"v-82800000000"),
    ("interval", Text(b"1970-01-02 00:00:12.345000"), b"24:00:12.345", b"v86412345000"),
    ("interval", Text(b"1969-12-31 23:59:59.999999"), b"-00:00:00.000001", b"v-1"),
    ("json", Text(b'{"a": 1, "a": 2}'), b'{"a": 1, "a": 2}', b'J{"a": 1, "a": 2}'),
    ("json", 1.5, b"1.5", b"J1.5"),
    (
        "jsonb",
        Text(b'{"b": [1.50, -0], "a": "x"}'),
        b'{"a": "x", "b": [1.50, 0]}',
        b'j{"a":"x","b":["\\u00001.5","\\u00000"]}',
    ),
    ("jsonb", Text(b"1e3"), b"1000", b'j"\\u00001000"'),
    ("jsonb", 7, b"7", b'j"\\u00007"'),
    ("jsonb", Text(b' "caf\\u00e9\\n\\/" '), '"café\\n/"'.encode(), 'j"café\\n/"'.encode()),
    ("jsonb", Text(b'"\\ud83d\\ude00"'), '"😀"'.encode(), 'j"😀"'.encode()),
    ("jsonb", Text(b"null"), b"null", b"jnull"),
    ("uuid", Text(b"00112233445566778899AABBCCDDEEFF"), b"00112233-4455-6677-8899-aabbccddeeff", b""),
    ("uuid", Text(b"00112233-4455-6677-8899-aabbccddeeff"), b"00112233-4455-6677-8899-aabbccddeeff", b""),
    ("uuid", bytes(range(16)), b"00010203-0405-0607-0809-0a0b0c0d0e0f", b"u000102030405060708090a0b0c0d0e0f"),
]


@pytest.mark.parametrize(("kind", "stored", "rendered", "form"), EQUAL)
def test_the_same_value_has_the_same_form_on_both_sides(
    kind: Kind, stored: StorageValue, rendered: bytes, form: bytes
) -> None:
    source = canonical_source(stored, kind, PG_TYPES[kind])
    assert source == canonical_target(rendered, kind, PG_TYPES[kind])
    if form:
        assert source == form


@pytest.mark.parametrize("kind", PG_TYPES)
def test_null_equals_null_and_nothing_else(kind: Kind) -> None:
    assert canonical_source(None, kind, PG_TYPES[kind]) == canonical_target(None, kind, PG_TYPES[kind]) == NULL
    for other, stored, rendered, _ in EQUAL:
        if other == kind:
            assert canonical_source(stored, kind, PG_TYPES[kind]) != NULL
            assert canonical_target(rendered, kind, PG_TYPES[kind]) != NULL


# kind, what SQLite stores, a rendering that is close but not the same value
DIFFERENT: list[tuple[Kind, StorageValue, bytes]] = [
    ("int8", 17, b"18"),
    ("float4", 0.5, b"0.50000006"),
    ("inet", Text(b"10.0.0.1/8"), b"10.0.0.1"),
    ("inet", Text(b"10.0.0.1"), b"10.0.0.2"),
    ("float8", 0.1, b"0.10000000000000002"),
    ("float8", 0.0, b"-0"),
    ("float8", float("inf"), b"1.7976931348623157e+308"),
    ("float8", 0.1, b"NaN"),
    ("numeric", 0.1 + 0.2, b"0.3"),
    ("numeric", Text(b"1e-400"), b"0"),
    ("numeric", 1, b"NaN"),
    ("bool", 1, b"f"),
    ("text", Text(b"a"), b"a "),
    ("text", Text("é".encode()), "e\u0301".encode()),
    ("text", Text(b""), b"\\N"),
    ("text", 1.0, b"1"),
    ("bytea", b"", b"\\x00"),
    ("bytea", b"\x00", b"\\x"),
    ("timestamp", Text(b"2024-01-01 00:00:00"), b"2024-01-01 00:00:00.000001"),
    ("timestamp", Text(b"2024-01-01 00:00:00"), b"2024-01-01 00:00:00 BC"),
    ("timestamp", Text(b"2024-01-01 00:00:00"), b"infinity"),
    ("timestamptz", Text(b"2024-01-01 00:00:00"), b"2024-01-01 00:00:00+08"),
    ("timestamptz", Text(b"2024-01-01 00:00:00"), b"-infinity"),
    ("date", Text(b"2024-01-01"), b"2024-01-02"),
    ("date", Text(b"2024-01-01"), b"infinity"),
    ("time", Text(b"00:00:00"), b"24:00:00"),
    ("interval", 1, b"00:00:00"),
    ("interval", 30 * 86_400_000_000, b"1 mon"),
    ("interval", 0, b"infinity"),
    ("json", Text(b'{"a":1}'), b'{"a": 1}'),
    ("jsonb", Text(b'{"a":1}'), b'{"a": "1"}'),
    ("jsonb", Text(b"[1,2]"), b"[2, 1]"),
    ("jsonb", Text(b"1.0000000000000000001"), b"1"),
    ("jsonb", Text(b"[]"), b"{}"),
    ("jsonb", Text(b'""'), b"null"),
    ("jsonb", Text(b"9" * 400), b"9" * 399 + b"8"),
    ("uuid", bytes(16), b"00000000-0000-0000-0000-000000000001"),
]


@pytest.mark.parametrize(("kind", "stored", "rendered"), DIFFERENT)
def test_another_value_has_another_form(kind: Kind, stored: StorageValue, rendered: bytes) -> None:
    assert canonical_source(stored, kind, PG_TYPES[kind]) != canonical_target(rendered, kind, PG_TYPES[kind])


# kind, what SQLite stores, a part of the reason
WITHOUT_FORM: list[tuple[Kind, StorageValue, str]] = [
    ("int8", 1.0, "stored as a real"),
    ("float4", 0.1, "single precision"),
    ("float4", 1e300, "single precision"),
    ("inet", Text(b"10.0.0"), "no IP address"),
    ("int8", Text(b"1"), "stored as a text"),
    ("int8", b"1", "stored as a blob"),
    ("float8", Text(b"0.1"), "stored as a text"),
    ("float8", 2**53 + 1, "double precision"),
    ("numeric", b"1", "stored as a blob"),
    ("numeric", Text(b"1,5"), "not a decimal"),
    ("numeric", Text(b"."), "not a decimal"),
    ("numeric", Text("٣".encode()), "not a decimal"),
    ("numeric", Text(b"1e999999999999"), "more digits"),
    ("numeric", Text(b"1e-20000"), "more digits"),
    ("bool", 2, "other than 0 and 1"),
    ("bool", 1.0, "stored as a real"),
    ("bool", Text(b"yes"), "other than true and false"),
    ("text", b"blob", "stored as a blob"),
    ("timestamp", 1700000000, "stored as an integer"),
    ("timestamp", Text(b"2023-02-29 00:00:00"), "no such day"),
    ("timestamp", Text(b"2023-02-28 24:00:00"), "no such time"),
    ("timestamp", Text(b"2023-02-28 23:59:60"), "no such time"),
    ("timestamp", Text(b"0000-01-01"), "no such day"),
    ("timestamp", Text(b"2023-02-28 00:00:00.1234567"), "finer than a microsecond"),
    ("timestamp", Text(b"2023-02-28 00:00:00Z"), "offset"),
    ("timestamp", Text(b"2023-02-28x00:00:00"), "form"),
    ("timestamp", Text(b"2023-02-28 00:00:00  "), "form"),
    ("timestamp", Text(b"2023-02-28 00:00:00.+12345"), "form"),
    ("timestamp", Text(b"2023-02-28 00:00.5"), "form"),
    ("timestamp", Text(b"23-02-28"), "form"),
    ("timestamp", Text(b""), "form"),
    ("timestamptz", Text(b"2023-02-28 00:00:00+16:00"), "offset"),
    ("timestamptz", Text(b"2023-02-28 00:00:00+01:60"), "offset"),
    ("date", Text(b"2023-02-28 00:00:00"), "form"),
    ("date", 2459000.5, "stored as a real"),
    ("time", Text(b"25:00:00"), "no such time"),
    ("time", Text(b"1:00"), "form"),
    ("interval", Text(b"1 day"), "stored as a text"),
    ("interval", Text(b"1971-01-01 00:00:00"), "stored as a text"),
    ("json", b"{}", "stored as a blob"),
    ("jsonb", Text(b"{'a': 1}"), "not JSON"),
    ("jsonb", Text(b"[1] 2"), "not JSON"),
    ("jsonb", Text(b""), "not JSON"),
    ("jsonb", Text(b"NaN"), "not JSON"),
    ("jsonb", Text(b'{"a": 1, "a": 1}'), "same key twice"),
    ("jsonb", Text(b'"\\u0000"'), "U+0000"),
    ("jsonb", Text(b'{"\\u0000": 1}'), "U+0000"),
    ("jsonb", Text(b'"\\ud800"'), "surrogate"),
    ("jsonb", Text(b'"\xff"'), "UTF-8"),
    ("jsonb", Text(b"1e200000"), "more digits"),
    ("jsonb", float("inf"), "stored as a real"),
    ("uuid", Text(b"0011"), "32 hexadecimal"),
    ("uuid", Text(b"0011223344556677-8899aabbccddeeff"), "32 hexadecimal"),
    ("uuid", bytes(15), "16 bytes"),
    ("uuid", 5, "stored as an integer"),
]


@pytest.mark.parametrize(("kind", "stored", "reason"), WITHOUT_FORM)
def test_a_value_that_the_type_cannot_hold_is_refused_with_a_reason(
    kind: Kind, stored: StorageValue, reason: str
) -> None:
    with pytest.raises(Unrepresentable, match=r".") as caught:
        canonical_source(stored, kind, PG_TYPES[kind])
    assert reason in str(caught.value)


@pytest.mark.parametrize("kind", PG_TYPES)
def test_a_whole_column_has_the_same_forms_as_its_values_one_by_one(kind: Kind) -> None:
    stored = [value for other, value, _, _ in EQUAL if other == kind]
    rendered = [text for other, _, text, _ in EQUAL if other == kind]
    rendered += [text for other, _, text in DIFFERENT if other == kind]
    pg_type = PG_TYPES[kind]
    one_by_one = [canonical_source(value, kind, pg_type) for value in (None, *stored)]
    assert compare.canonical_source_column([None, *stored], kind, pg_type) == one_by_one
    target = [canonical_target(text, kind, pg_type) for text in (None, *rendered)]
    assert compare.canonical_target_column([None, *rendered], kind, pg_type) == target
    # one value without form takes no other with it, and equals nothing that a target can hold
    bad = [value for other, value, _ in WITHOUT_FORM if other == kind]
    mixed = compare.canonical_source_column([None, *stored, *bad], kind, pg_type)
    assert mixed[: len(one_by_one)] == one_by_one
    marks = mixed[len(one_by_one) :]
    assert all(mark.startswith(b"!") for mark in marks)
    assert len(set(marks)) == len(bad)
    assert not set(marks) & {canonical_target(mark, kind, pg_type) for mark in marks}


def test_storage_classes_are_told_apart_where_a_value_has_no_form() -> None:
    forms = compare.canonical_source_column([b"1", Text(b"1"), 1.0], "int8", "bigint")
    assert len(set(forms)) == 3


def test_padded_characters_compare_without_their_padding() -> None:
    assert canonical_source(Text(b"ab"), "text", "character(5)") == canonical_target(b"ab   ", "text", "character(5)")
    assert canonical_source(Text(b"ab"), "text", "character varying(5)") != canonical_target(
        b"ab   ", "text", "character varying(5)"
    )
    with pytest.raises(Unrepresentable, match="blank"):
        canonical_source(Text(b"ab "), "text", "character(5)")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("0", "0"),
        ("-0.000e5", "0"),
        ("0e999999999999", "0"),
        ("1.50", "1.5"),
        ("+1", "1"),
        ("-001.10", "-1.1"),
        ("1.", "1"),
        (".5", "0.5"),
        ("5e-3", "0.005"),
        ("1.25E+2", "125"),
        ("1.25e1", "12.5"),
        ("100", "100"),
        ("0.0100", "0.01"),
    ],
)
def test_decimals_have_one_plain_form(text: str, plain: str) -> None:
    assert plain_decimal(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000 + "]" * 10_000,
        '{"a":' * 10_000 + "[1.50]" + "}" * 10_000,
        '[{"b":2,"a":' * 5_000 + "null" + "}]" * 5_000,
    ],
    ids=["arrays", "objects", "both"],
)
def test_nesting_of_any_depth_is_read(text: str) -> None:
    form = canonical_json(text.encode())
    assert form == canonical_json(text.replace(":", " : ").replace("1.50", "15e-1").encode())
    assert form != canonical_json(text.replace("[1.50]", "[1.51]").replace("null", "0").replace("[]", "[0]").encode())


@pytest.mark.parametrize("text", ["[", "]", "[1,]", "{,}", '{"a"}', '{"a":}', "{1:2}", "[1 2]", "1 1", '"', "01", "+1"])
def test_neither_reader_takes_what_is_not_json(text: str) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        canonical_json(text.encode())
    with pytest.raises(ValueError, match="not JSON"):
        scan_json(text)


def test_a_number_is_no_string() -> None:
    forms = [canonical_json(text) for text in (b"1", b'"1"', b'"\\\\u00001"', b'["\\\\u0000", 1]', b'["\\\\u00001"]')]
    assert len(set(forms)) == len(forms)


# ---------------------------------------------------------------------------------------------------------------------
# Rows and digests

ROWS = [
    [],
    [b""],
    [b"", b""],
    [NULL],
    [b"t"],
    [b"tab", b"t"],
    [b"ta", b"bt"],
    [b"t", b"tab"],
    [b"tabt"],
    [b"t\0\0\0\0\0\0\0\1"],
]


def test_no_two_rows_have_the_same_bytes() -> None:
    for left, right in combinations(ROWS, 2):
        assert canonical_row(left) != canonical_row(right)


def test_a_rows_bytes_are_as_documented() -> None:
    assert canonical_row([b"i17", NULL]) == struct.pack(">IQQ", 2, 3, 1) + b"i17-"
    assert digest_row([b"i17", NULL]) == blake2b(canonical_row([b"i17", NULL]), digest_size=16).digest()


def test_digests_of_columns_are_those_of_their_rows() -> None:
    rows = [(b"i1", b"ta"), (b"i2", NULL), (b"i3", b"t" * 1000)]
    assert digest_rows([list(column) for column in zip(*rows, strict=True)]) == [digest_row(row) for row in rows]


def test_a_tables_digest_does_not_depend_on_the_order_but_on_every_row() -> None:
    digests = [digest_row([b"i%d" % number]) for number in range(1000)]
    forwards, backwards, doubled = DigestSum(), DigestSum(), DigestSum()
    forwards.add(digests)
    for digest in reversed(digests):
        backwards.add([digest])
    assert forwards.result() == backwards.result()
    assert forwards.result().rows == 1000
    total = sum(int.from_bytes(digest) for digest in digests) % (1 << 128)
    assert forwards.result().sum == f"{total:032x}"
    doubled.add([*digests[:-1], digests[0]])
    assert doubled.result().rows == 1000
    assert doubled.result() != forwards.result()
    assert DigestSum().result().text == f"0:{'0' * 32}:{'0' * 32}"


def test_two_equal_rows_cancel_in_the_exclusive_or_but_not_in_the_sum() -> None:
    twice = DigestSum()
    twice.add([digest_row([b"i1"])] * 2)
    assert twice.result().xor == "0" * 32
    assert twice.result().sum != "0" * 32


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (b"1\ta", [b"1", b"a"]),
        (b"", [b""]),
        (b"\t", [b"", b""]),
        (b"\\N\t\\\\N", [None, b"\\N"]),
        (b"a\\tb\\nc\\rd\\be\\ff\\vg\\\\h", [b"a\tb\nc\rd\be\ff\vg\\h"]),
        (b"\\\\x00ff\t1", [b"\\x00ff", b"1"]),
        (b"\\\\\\\\N", [b"\\\\N"]),
        ("é\t\\N".encode(), ["é".encode(), None]),
    ],
)
def test_copy_lines_are_unescaped(line: bytes, fields: list[bytes | None]) -> None:
    assert parse_copy_line(line) == fields


def test_lines_of_copy_text_become_columns() -> None:
    assert parse_copy_text(b"1\ta\n2\t\\N\n3\tx\\ny", 2) == [[b"1", b"2", b"3"], [b"a", None, b"x\ny"]]
    assert parse_copy_text(b"", 1) == [[b""]]
    assert parse_copy_text(b"\n", 1) == [[b"", b""]]
    with pytest.raises(ValueError, match="2 lines of COPY text with 3 fields"):
        parse_copy_text(b"1\ta\n2", 2)


def test_rows_are_canonicalised_a_column_at_a_time() -> None:
    columns = [
        ColumnMap(source="id", target="id", pg_type="bigint", kind="int8", rule=""),
        ColumnMap(source="name", target="name", pg_type="text", kind="text", rule=""),
    ]
    source = canonicalise_rows([(1, Text(b"a")), (2, None)], columns, "source")
    assert source == [[b"i1", b"i2"], [b"ta", NULL]]
    assert source == canonicalise_rows([[b"1", b"a"], [b"2", None]], columns, "target")
    assert canonicalise_rows([], columns, "source") == [[], []]
    with pytest.raises(ValueError, match="shorter"):
        canonicalise_rows([[b"1", b"a"], [b"2"]], columns, "target")


# ---------------------------------------------------------------------------------------------------------------------
# Words


@pytest.mark.parametrize(
    ("value", "words", "spelled"),
    [
        (None, "NULL", "NULL"),
        (17, "integer", "17"),
        (0.5, "real", "0.5"),
        (Text("Zoë's".encode()), "text, 5 characters", "'Zoë''s'"),
        (Text(b"x"), "text, 1 character", "'x'"),
        (Text(b"\xff"), "text, 1 character", "'\\xff'"),
        (b"\x00\xff", "blob, 2 bytes", "x'00ff'"),
        (Text(b"x" * 300), "text, 300 characters", "'" + "x" * 199 + "…"),
        (b"x" * 300, "blob, 300 bytes", "x'" + "78" * 100 + "…"),
    ],
)
def test_source_values_are_described_without_showing_them(value: StorageValue, words: str, spelled: str) -> None:
    assert describe_value(value, show_values=False) == words
    assert describe_value(value, show_values=True) == spell_value(value) == spelled


@pytest.mark.parametrize(
    ("text", "kind", "words", "spelled"),
    [
        (None, "text", "NULL", "NULL"),
        (b"17", "int8", "bigint", "17"),
        (b"t", "bool", "boolean", "t"),
        ("Zoë's".encode(), "text", "text, 5 characters", "'Zoë''s'"),
        (b"\\x00ff", "bytea", "bytea, 2 bytes", "x'00ff'"),
        (b"2024-01-01", "date", "date", "'2024-01-01'"),
        (b"\\x" + b"78" * 300, "bytea", "bytea, 300 bytes", "x'" + "78" * 100 + "…"),
    ],
)
def test_target_values_are_described_without_showing_them(
    text: bytes | None, kind: Kind, words: str, spelled: str
) -> None:
    assert describe_text(text, kind, PG_TYPES[kind], show_values=False) == words
    assert describe_text(text, kind, PG_TYPES[kind], show_values=True) == spell_text(text, kind) == spelled
