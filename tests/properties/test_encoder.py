"""The compiled encoder gives the bytes and the errors of its specification, whatever is stored."""

from __future__ import annotations

import math
import random
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encoder_cases import CASES, MISFITS
from liteferry.census import InvalidText
from liteferry.codecs import ENCODERS, NULL, make_encoder
from liteferry.compiled import encoding
from liteferry.compiled.encoding import encode_rows
from liteferry.model import Span
from stored_rows import column, encode_by_reference, encode_compiled, needs_encoder, store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

    from liteferry.model import ColumnMap, Kind
    from liteferry.source import Snapshot

pytestmark = needs_encoder

WAYS: dict[str, list[tuple[str, ...]]] = {
    "text": [("strip-nul",), ("u-fffd",), ("escape",), ("strip-nul", "escape"), ("null",), ("null:integer,blob",)],
    "numeric": [
        ("quantise:6,2",),
        ("quantise:15,0",),
        ("quantise:20,7",),
        ("quantise-reals:8,2",),
        ("quantise",),
        ("quantise:8,2", "null"),
    ],
    "timestamp": [("epoch-s",), ("epoch-ms",), ("epoch-us",), ("julian",), ("null",)],
    "timestamptz": [
        ("epoch-s",),
        ("epoch-ms", "timezone:UTC"),
        ("julian",),
        ("timezone:UTC",),
        ("timezone:UTC", "earlier"),
        ("timezone:Europe/Berlin",),
        ("timezone:Europe/Berlin", "later", "epoch-us"),
    ],
    "date": [("epoch-s",), ("epoch-ms",), ("julian",)],
    "time": [("epoch-s",)],
    "json": [("strip-nul",), ("last-key",)],
    "jsonb": [("last-key",), ("last-key", "null")],
    "int8": [("null",)],
    "bytea": [("escape",), ("null:text",)],
    "uuid": [("u-fffd",)],
}
PG_TYPES = {"text": "varchar(5)", "timestamp": "timestamp(3)", "numeric": "numeric(8,2)"}

_STAMP = r"(19[0-9][0-9]|2000|9999|0001|[0-9]{4})-(0[1-9]|1[0-3])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-4]):[0-6][0-9](:[0-6][0-9]([.][0-9]{0,8})?)?"
SHAPES: dict[str, str] = {  # what the encoders read of texts, and a little more than that
    "date": _STAMP,
    "timestamp": rf"{_STAMP}([ T]{_CLOCK}[ \t]?)?",
    "timestamptz": rf"{_STAMP}([ T]{_CLOCK}[ \n]?(Z|[+-][012][0-9](:?[0-6][0-9])?)?)?",
    "interval": r"(1970|1969)-(01-01|12-31)[ T]([01][0-9]|23):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,7}0*)?)?",
    "time": _CLOCK,
    "numeric": r"[+-]?[0-9]{0,20}([.][0-9]{0,20})?([eE][+-]?[0-9]{1,5})?",
    "uuid": r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    "inet": r"((25[0-6]|[0-9]{1,2}|0[0-9])[.]){3}[0-9]{1,3}(/([0-9]|[0-3][0-9]|255[.]0[.]0[.]0))?"
    r"|([0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(/[0-9]{1,3})?",
    "bool": r"([tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[tTfF01])",
    "jsonb": r'[{]"a": ?[0-9.]{1,5}(, "a": ?null)?[}]',
}
STRINGS = st.text(st.characters(exclude_categories=["Cs"]), max_size=24)
SHAPED = {kind: st.from_regex(shape, fullmatch=True) for kind, shape in SHAPES.items()}


@st.composite
def bent(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text of a form that is read, with a character too many, too few, or another one."""
    text, other = draw(texts), draw(st.sampled_from(["", " ", "0", "-", ":", "\0", "é", "\u0661"]))
    at = draw(st.integers(0, len(text)))
    return f"{text[:at]}{other}{text[at + draw(st.integers(0, 1)) :]}"


REALS = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-(10**15), 10**15).flatmap(lambda n: st.integers(-20, 20).map(lambda e: n * 10.0**e)),
    st.decimals(min_value=-(10**9), max_value=10**9, places=2).map(float),
    st.integers(-1080, 1023).map(lambda e: 2.0**e),
    st.floats(0, 5_373_485),
    st.floats(width=32, allow_nan=False),
    st.integers(-(10**6), 10**6).map(lambda n: n / 8 + 0.005),
)
INTEGERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-5, 5),
    st.integers(0, 63).flatmap(lambda e: st.integers(-2, 2).map(lambda d: min(2**e + d, 2**63 - 1))),
    st.integers(0, 18).flatmap(lambda e: st.integers(-1, 1).map(lambda d: 10**e + d)),
    st.integers(-(10**6), 10**6).map(lambda days: days * 86_400_000),
)
BROKEN = st.sampled_from(
    [
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe0\x80\x80",
        b"\xf0\x80\x80\x80",
        b"\xc3",
        b"\xe2\x82",
    ]
)
VALUES = st.one_of(
    st.none(),
    INTEGERS,
    REALS,
    STRINGS,
    st.one_of(*SHAPED.values()),
    st.binary(max_size=20),
    st.binary(min_size=16, max_size=16),
    st.builds(
        lambda a, b, c: InvalidText(a.encode() + b + c.encode()),
        STRINGS,
        BROKEN,
        st.sampled_from(["", "x", "éééééééé"]),
    ),
)


@st.composite
def columns_of(draw: st.DrawFn) -> ColumnMap:
    kind: Kind = draw(st.sampled_from(sorted(ENCODERS)))
    conversions = draw(st.sampled_from([(), *WAYS.get(kind, [])]))
    return column(kind, draw(st.sampled_from(["", PG_TYPES.get(kind, "")])), conversions=conversions)


def values_for(of: ColumnMap) -> st.SearchStrategy[object]:
    """Any value, and rather those that look as if they were for this column."""
    likely: dict[str, st.SearchStrategy[object]] = {
        "text": STRINGS,
        "json": STRINGS,
        "float4": st.floats(width=32, allow_nan=False),
        "float8": REALS,
        "int8": INTEGERS,
        "int4": st.integers(-(2**31), 2**31),
        "int2": st.integers(-(2**15), 2**15),
    }
    shaped = SHAPED.get(of.kind)
    if shaped is not None:
        return st.one_of(shaped, shaped, REALS, bent(shaped), VALUES)
    return st.one_of(likely.get(of.kind, VALUES), VALUES)


def differences(snapshot: Snapshot, columns: Sequence[ColumnMap], rows: int) -> list[object]:
    """For each row by itself what the two make of it, where it is not the same."""
    spans = [Span(low=number, high=number) for number in range(1, rows + 1)]
    outcomes = [
        (encode_compiled(snapshot, columns, span), encode_by_reference(snapshot, columns, span)) for span in spans
    ]
    return [pair for pair in outcomes if not same(*pair)]


def same(found: object, expected: object) -> bool:
    """Whether outcomes are equal, with the types of the values in them."""
    return repr(found) == repr(expected)


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(columns_of(), st.data())
def test_any_value_of_any_column(tmp_path: Path, of: ColumnMap, data: st.DataObject) -> None:
    values = data.draw(st.lists(values_for(of), min_size=1, max_size=25))
    snapshot = store(tmp_path / "v.sqlite", ["c"], [[value] for value in values])
    assert not differences(snapshot, [of], len(values))
    snapshot.close()


@settings(max_examples=80, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(columns_of(), min_size=1, max_size=4), st.data())
def test_any_rows(tmp_path: Path, kinds: list[ColumnMap], data: st.DataObject) -> None:
    """Rows together: the first misfit's row, column and values; or all the bytes."""
    columns = [replace(of, source=f"c{number}") for number, of in enumerate(kinds)]
    rows = data.draw(st.lists(st.tuples(*map(values_for, columns)), max_size=12))
    kept = data.draw(st.integers(0, 12))  # of this row also what does not fit
    rows = [
        tuple(value if number == kept or fits(of, value) else None for of, value in zip(columns, row, strict=True))
        for number, row in enumerate(rows)
    ]
    snapshot = store(tmp_path / "r.sqlite", [of.source for of in columns], rows)
    assert same(encode_compiled(snapshot, columns), encode_by_reference(snapshot, columns))
    snapshot.close()


def fits(of: ColumnMap, value: object) -> bool:
    try:
        make_encoder(of)(value)
    except (ValueError, OverflowError):
        return False
    return True


@pytest.mark.parametrize("kind", sorted(ENCODERS))
def test_the_cases_of_the_specification(tmp_path: Path, kind: Kind) -> None:
    """What the server's own literals are held against, and what is refused."""
    values = [case[2] for case in CASES if case[0] == kind] + [value for of, value in MISFITS if of == kind]
    stored = [value for value in values if not (isinstance(value, str) and "\ud800" in value) and value != 2**63]
    snapshot = store(tmp_path / "v.sqlite", ["c"], [[value] for value in stored])
    assert not differences(snapshot, [column(kind)], len(stored))
    snapshot.close()


BOUNDS: list[tuple[Kind, list[object]]] = [
    ("int2", [-32768, 32767, -32769, 32768]),
    ("int4", [-(2**31), 2**31 - 1, -(2**31) - 1, 2**31]),
    ("int8", [-(2**63), 2**63 - 1, 0]),
    ("float4", [3.4028234663852886e38, 3.4028235677973366e38, -1e39, 1e-46, 16777216, 16777217, math.inf, -0.0]),
    ("float8", [2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**62, -0.0, 5e-324, -math.inf]),
    (
        "numeric",
        [0, -1, 9999, 10000, 10**18, 2**63 - 1, -(2**63), 0.0, -0.0, 1e15, 999999999999999.9, 1e16, 1e22, 1e23],
    ),
    ("numeric", [0.1, 1e-4, 1e-5, 1.5e-7, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 123456.7891234567]),
    ("numeric", ["0", "-0.00", "+1", "00012.3400", ".5", "5.", ".", "", "-", "1e3", "9" * 400, "9" * 401]),
    ("numeric", ["0." + "0" * 397 + "1", " 1", "1 ", "1\n", "--1", "1.2.3", 0.00012345]),
    ("text", ["", "a" * 7 + "\0", "a" * 15 + "é", "\x7f" * 9, "\ud7ff\ue000\U0010ffff", 0.1, 1e15, 1e16, 0.0001]),
    ("text", [0.00001, -0.0, -12.5, -(2**63), math.inf]),
    ("timestamp", ["0001-01-01", "9999-12-31 23:59:59.999999", "1900-02-29", "2000-02-29", "2100-02-29", "2024-02-29"]),
    ("timestamp", ["2000-01-01 00:00", "2000-01-01T00:00:00.", "2000-01-01 00:00:00.1234560", "2000-01-01 "]),
    ("timestamp", ["2000-01-01 00:00:00.1234567", "2000-01-01 00:00 ", "2000-01-01 00:00  ", "2000-01-01 00:00\x0b"]),
    ("timestamp", ["2000-01-01 00:00\x1c", "2000-01-01 0", "2000-01-01 00:00:0", "2000-01-01 00:00.5"]),
    ("timestamp", ["2000-00-01", "2000-01-00", "2000-13-01", "0000-01-01", "2000-01-01 00:00Z", "2000-01-01t00:00"]),
    ("timestamptz", ["2000-01-01 00:00+00", "2000-01-01 00:00 -0000", "2000-01-01 00:00:00+15:59"]),
    ("timestamptz", ["2000-01-01 00:00+16", "2000-01-01 00:00+1", "2000-01-01 00:00+010", "2000-01-01 00:00+01:0"]),
    ("timestamptz", ["2000-01-01 00:00+01:60", "2000-01-01Z", "2000-01-01 00:00ZZ", "2000-01-01 00:00z"]),
    ("timestamptz", ["0001-01-01 00:00+01", "9999-12-31 23:59:59-15"]),
    ("date", ["0001-01-01", "9999-12-31", "2023-02-29", "2000-02-30", "2000-1-01", "2000-01-01 00:00:00", 1]),
    ("time", ["00:00", "23:59:59.999999", "23:59:59.9999990", "24:00", "23:60", "23:59:60", "12:00:00.", "1:00"]),
    ("interval", [0, -1, 86_400_000_000, -86_400_000_000, 2**63 - 1, -(2**63), "1970-01-01", "1969-12-31 23:59:59.9"]),
    ("uuid", ["0" * 31, "0" * 33, "g" * 32, "0" * 31 + "g", "0" * 8 + "-" * 4 + "0" * 24, "{" + "0" * 34 + "}"]),
    ("uuid", ["-" * 36, b"", b"0" * 16, b"0" * 17]),
    (
        "inet",
        ["1.0.0.0", "255.255.255.255/32", "1.2.3.4/0", "1.2.3.4/33", "1.2.3.4/08", "1.2.3.04", "1.2.3", "1.2.3.4/"],
    ),
    ("inet", ["1.2.3.4.5", "1.2.3.4/24/1", "256.1.1.1", "::1", "::ffff:1.2.3.4", "1.2.3.4 ", "1.2.3.4/255.255.0.0"]),
    ("bool", [0, 1, 2, -1, 1.0, "t", "T", "tRuE", "0", "", "yes", "\u212a"]),
    ("json", [1, 0.5, 1e300, "", "{}", "\0", "nul", b"{}"]),
    ("jsonb", [1, 0.5, -0.0, "{}", "é", b"1"]),
    ("bytea", [b"", b"\0", "", "é", 1, 0.5, math.inf, InvalidText(b"\xff")]),
]


@pytest.mark.parametrize(("kind", "values"), BOUNDS)
def test_what_stands_at_a_bound(tmp_path: Path, kind: Kind, values: list[object]) -> None:
    snapshot = store(tmp_path / "v.sqlite", ["c"], [[value] for value in values])
    assert not differences(snapshot, [column(kind)], len(values))
    snapshot.close()


MOMENTS: list[object] = [
    0,
    -1,
    86_400,
    9_223_372_036_854,
    9_223_372_036_855,
    2**63 - 1,
    -(2**63),
    0.5,
    -0.25,
    1e-7,
    1e15,
]
MOMENTS += [
    1627303906.122,
    1e300,
    -210_866_803_200,
    -210_866_803_201,
    2460310.5,
    5373484.4,
    5373484.5,
    5373484,
    5373485,
]
MOMENTS += [-0.0, 9_224_318_015_999, 9_224_318_016_000, 210_866_803_200.5, "2000-01-01", "1", b"", None]


@pytest.mark.parametrize("way", ["epoch-s", "epoch-ms", "epoch-us", "julian"])
@pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "date", "time"])
def test_numbers_that_are_moments(tmp_path: Path, kind: Kind, way: str) -> None:
    snapshot = store(tmp_path / "v.sqlite", ["c"], [[value] for value in MOMENTS])
    assert not differences(snapshot, [column(kind, conversions=[way])], len(MOMENTS))
    snapshot.close()


QUANTISED: list[object] = [0, 0.0, -0.0, 0.5, 1.5, 2.5, -0.5, 0.005, 0.015, 0.025, 2.675, 1e-9, 99.994, 99.995, 99.996]
QUANTISED += [
    9999.99,
    9999.995,
    10000,
    10**14,
    10**15,
    10**17,
    2**63 - 1,
    1e14,
    1e15,
    0.1 + 0.2,
    1e-22,
    "12.3456",
    "x",
    b"",
]


@pytest.mark.parametrize("limits", ["6,2", "4,0", "2,2", "15,3", "19,0", "30,15", "3,3"])
@pytest.mark.parametrize("way", ["quantise", "quantise-reals"])
def test_numbers_that_are_quantised(tmp_path: Path, way: str, limits: str) -> None:
    snapshot = store(tmp_path / "v.sqlite", ["c"], [[value] for value in QUANTISED])
    assert not differences(snapshot, [column("numeric", conversions=[f"{way}:{limits}"])], len(QUANTISED))
    snapshot.close()


def make_reals(count: int) -> list[float]:
    """Doubles of all magnitudes and lengths, always the same ones."""
    chance = random.Random(5)
    found: list[float] = [2.0**power for power in range(-1074, 1024)]
    while len(found) < count:
        (bits,) = struct.unpack(">d", chance.randbytes(8))
        found += [bits] if math.isfinite(bits) else []
        found.append(round(chance.uniform(-1e6, 1e6), chance.randrange(12)))
        found.append(chance.randrange(10**17) / 10 ** chance.randrange(23))
        found.append(math.nextafter(found[-1], chance.choice([-math.inf, math.inf])))
        found.append(chance.random() * 10.0 ** chance.randrange(-30, 30))
    return found


@pytest.mark.parametrize("count", [40_000, pytest.param(2_000_000, marks=pytest.mark.slow)])
def test_the_shortest_decimal_of_a_real(tmp_path: Path, count: int) -> None:
    snapshot = store(tmp_path / "v.sqlite", ["c"], [[value] for value in make_reals(count)])
    for kind in ("numeric", "text"):
        columns = [column(kind)]
        assert encode_compiled(snapshot, columns) == encode_by_reference(snapshot, columns)
    snapshot.close()


@pytest.mark.parametrize("size", [131_063, 131_064, 131_072, 131_073, 262_143, 1_000_000])
@pytest.mark.parametrize("kind", ["text", "bytea", "json", "jsonb"])
def test_values_that_are_larger_than_a_chunk(tmp_path: Path, kind: Kind, size: int) -> None:
    values = ["é" * (size // 2), "x", "y" * size, None, "z" * (size - 20), InvalidText(b"\xff" * size)]
    columns = [column("int8", name="a"), column(kind, name="b"), column(kind, name="c", conversions=["escape"])]
    if kind != "bytea":
        values.pop()
    rows = [[number, value, value] for number, value in enumerate(values)]
    snapshot = store(tmp_path / "v.sqlite", ["a", "b", "c"], rows)
    assert encode_compiled(snapshot, columns) == encode_by_reference(snapshot, columns)
    snapshot.close()


def test_how_many_rows_end_in_each_chunk(tmp_path: Path) -> None:
    snapshot = store(tmp_path / "v.sqlite", ["c"], [["x" * 1000]] * 300 + [["y" * 400_000]] + [["z"]] * 5)
    chunks = list(encode_rows(snapshot, snapshot.read_catalog().table("t"), [column("text")]))
    assert max(len(chunk) for _, chunk in chunks) == 128 * 1024  # what psycopg does not cut into pieces
    assert [rows for rows, _ in chunks] == [130, 130, 40, 0, 0, 6]
    snapshot.close()


@pytest.mark.parametrize("kind", ["text", "int8", "bool"])
def test_a_text_that_is_not_utf8(tmp_path: Path, kind: Kind) -> None:
    """Where nobody said what becomes of it: the place, as the reading in Python says it."""
    snapshot = store(tmp_path / "v.sqlite", ["a", "b"], [[1, None], [2, InvalidText(b"a\xff")]])
    columns = [column("int8", name="a"), column(kind, name="b")]
    outcome = encode_compiled(snapshot, columns)
    assert same(outcome, encode_by_reference(snapshot, columns))
    assert str(outcome).endswith("rowid=2")
    snapshot.close()


# What the comparisons above would see


def test_a_wrong_encoder_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a kind that is taken for another, and of what is left to Python."""
    snapshot = store(tmp_path / "v.sqlite", ["c"], [["2024-01-01 00:00+01:00"], ["2024-01-01"], ["10.0.0.1"], ["::1"]])
    describe = encoding.describe_column

    def describe_wrongly(module: ModuleType, of: ColumnMap) -> Any:
        found = describe(module, of)
        return ("timestamptz", *found[1:])

    assert not differences(snapshot, [column("timestamp")], 4)
    monkeypatch.setattr(encoding, "describe_column", describe_wrongly)
    assert len(differences(snapshot, [column("timestamp")], 4)) == 1
    monkeypatch.undo()
    assert not differences(snapshot, [column("inet")], 4)
    monkeypatch.setattr(encoding, "make_encoder", lambda _: lambda _value: NULL)
    assert len(differences(snapshot, [column("inet")], 4)) == 3  # not of 10.0.0.1, for which nobody was asked
    snapshot.close()
