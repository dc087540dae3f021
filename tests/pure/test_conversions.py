"""The load's conversions and the proof's: each against written answers, and both against each other."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liteferry.census import InvalidText
from liteferry.codecs import NULL, make_encoder
from liteferry.compare import Text, canonical_target, canonicalise_columns, convert_column, is_changed
from liteferry.compare.storage import Digits, StorageValue, Unclear
from liteferry.compare.storage import Moment as ProofMoment
from liteferry.conversions import (
    EPOCH_WAYS,
    Unconvertible,
    is_zone,
    make_moment_converter,
    make_quantiser,
    make_repair,
    make_zone_resolver,
    split_null,
)
from liteferry.model import ColumnMap, Kind

US = 1_000_000
PG_TYPES: dict[Kind, str] = {
    "numeric": "numeric(5,2)",
    "text": "varchar(4)",
    "int8": "bigint",
    "float8": "double precision",
}


def make_column(kind: Kind, *conversions: str, pg_type: str = "") -> ColumnMap:
    pg_type = pg_type or PG_TYPES.get(kind, kind)
    return ColumnMap(source="c", target="c", pg_type=pg_type, kind=kind, rule="", conversions=conversions)


def as_stored(value: object) -> StorageValue:
    """A value as the load reads it, as the proof reads it."""
    if isinstance(value, str):
        return Text(value.encode())
    if isinstance(value, InvalidText):
        return Text(bytes(value))
    return value  # type: ignore[return-value]  # an int, a float, a blob or None


def prove(value: object, column: ColumnMap) -> StorageValue:
    return convert_column([as_stored(value)], column)[0]


# ---------------------------------------------------------------------------------------------------------------------
# Moments

MOMENTS = [
    ("epoch-s", 0, 0),
    ("epoch-s", 86_400, 86_400 * US),
    ("epoch-s", -1, -US),
    ("epoch-s", 1627303906.122, 1_627_303_906_122_000),
    ("epoch-s", 1e9, 10**15),
    ("epoch-s", 0.1, 100_000),
    ("epoch-s", 1e-06, 1),
    ("epoch-s", -62_135_596_800, -62_135_596_800 * US),
    ("epoch-s", -210_866_803_200, -210_866_803_200 * US),
    ("epoch-s", 9_224_318_015_999, 9_224_318_015_999 * US),
    ("epoch-ms", 1_700_000_000_123, 1_700_000_000_123_000),
    ("epoch-ms", 1.5, 1_500),
    ("epoch-us", -1, -1),
    ("epoch-us", 2.0, 2),
    ("julian", 2_440_587.5, 0),
    ("julian", 2_440_588, 43_200 * US),
    ("julian", 0, -210_866_760_000 * US),
    ("julian", 2460000.123456, 1_677_250_666_598_000),
]
BEYOND = [
    ("epoch-s", 9_224_318_016_000),
    ("epoch-s", -210_866_803_201),
    ("epoch-s", 1e300),
    ("epoch-s", float("inf")),
    ("epoch-s", 0.1 + 0.2),
    ("epoch-ms", 0.0001),
    ("epoch-us", 0.5),
    ("epoch-us", -(2**63)),
    ("julian", -0.5),
    ("julian", 5_373_484.5),
    ("julian", 1_700_000_000),
    ("julian", float("inf")),
]


@pytest.mark.parametrize(("way", "value", "moment_us"), MOMENTS)
def test_numbers_become_moments(way: str, value: float, moment_us: int) -> None:
    assert make_moment_converter(way)(value) == moment_us
    found = prove(value, make_column("timestamptz", way))
    assert (type(found), found) == (ProofMoment, moment_us)


@pytest.mark.parametrize(("way", "value"), BEYOND)
def test_what_is_beyond_or_finer_is_refused(way: str, value: float) -> None:
    with pytest.raises(Unconvertible):
        make_moment_converter(way)(value)
    assert prove(value, make_column("timestamptz", way)) is value
    with pytest.raises(ValueError, match=r"beyond|finer|finite|Julian"):
        make_encoder(make_column("timestamptz", way))(value)
    assert make_encoder(make_column("timestamptz", way, "null"))(value) == NULL
    assert prove(value, make_column("timestamptz", way, "null")) is None


def test_dates_are_midnights() -> None:
    midnight, later = 86_400, 86_401
    assert make_moment_converter("epoch-s", whole_days=True)(midnight) == midnight * US
    with pytest.raises(Unconvertible, match="midnight"):
        make_moment_converter("epoch-s", whole_days=True)(later)
    assert type(prove(midnight, make_column("date", "epoch-s"))) is ProofMoment
    assert prove(later, make_column("date", "epoch-s")) == later


@given(st.sampled_from(EPOCH_WAYS), st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)))
def test_the_load_and_the_proof_agree_about_numbers(way: str, value: float) -> None:
    try:
        wanted: int | None = make_moment_converter(way)(value)
    except Unconvertible:
        wanted = None
    found = prove(value, make_column("timestamptz", way))
    assert (found if isinstance(found, ProofMoment) else None) == wanted


@given(st.floats(0, 5_373_484.4999))
def test_julian_days_are_what_sqlite_makes_of_them(value: float) -> None:
    connection = sqlite3.connect(":memory:")
    seconds, fraction = connection.execute("SELECT strftime('%s', ?1), strftime('%f', ?1)", (value,)).fetchone()
    connection.close()
    milliseconds = int(seconds) * 1000 + int(fraction.partition(".")[2])
    assert make_moment_converter("julian")(value) == milliseconds * 1000


# ---------------------------------------------------------------------------------------------------------------------
# Time zones

LOCAL = [
    ("Europe/Berlin", "2024-07-01 12:00:00", "2024-07-01 10:00:00"),
    ("Europe/Berlin", "2024-12-24", "2024-12-23 23:00:00"),
    ("Europe/Berlin", "2024-03-31T03:00", "2024-03-31 01:00:00"),
    ("Europe/Berlin", "2024-10-27 03:00:00.000001", "2024-10-27 02:00:00.000001"),
    ("America/New_York", "2024-01-01 00:00:00", "2024-01-01 05:00:00"),
    ("Asia/Kathmandu", "2024-01-01 00:00:00", "2023-12-31 18:15:00"),
    ("Pacific/Apia", "2011-12-31 00:00:00", "2011-12-30 10:00:00"),
    ("UTC", "2024-02-29 23:59:59.999999", "2024-02-29 23:59:59.999999"),
]
UNCLEAR = [
    ("Europe/Berlin", "2024-03-31 02:30:00", "never"),
    ("Europe/Berlin", "2024-10-27 02:30:00", "twice"),
    ("Pacific/Apia", "2011-12-30 12:00:00", "never"),
    ("America/Sao_Paulo", "2018-11-04", "never"),
    ("Europe/Berlin", "2024-10-27 02:00:00", "twice"),
]


def spell_us(text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


@pytest.mark.parametrize(("zone", "local", "utc"), LOCAL)
def test_local_times_become_moments(zone: str, local: str, utc: str) -> None:
    column = make_column("timestamptz", f"timezone:{zone}")
    assert prove(local, column) == ProofMoment(spell_us(utc))
    assert make_encoder(column)(local) == make_encoder(make_column("timestamptz"))(utc)


@pytest.mark.parametrize(("zone", "local", "why"), UNCLEAR)
def test_local_times_that_never_were_or_were_twice_are_refused(zone: str, local: str, why: str) -> None:
    column = make_column("timestamptz", f"timezone:{zone}")
    assert type(prove(local, column)) is Unclear
    with pytest.raises(Unconvertible, match=why):
        make_encoder(column)(local)
    with pytest.raises(Unconvertible, match=why):
        make_zone_resolver(zone)(spell_us(local))
    assert make_encoder(make_column("timestamptz", f"timezone:{zone}", "null"))(local) == NULL
    assert prove(local, make_column("timestamptz", f"timezone:{zone}", "null")) is None


def test_a_written_offset_is_kept() -> None:
    column = make_column("timestamptz", "timezone:Europe/Berlin")
    text = "2024-07-01 12:00:00+05:00"
    assert prove(text, column) == text.encode()
    assert make_encoder(column)(text) == make_encoder(make_column("timestamptz"))(text)


@given(
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran"]),
    st.one_of(
        st.datetimes(datetime(1850, 1, 1), datetime(2037, 12, 31)),  # noqa: DTZ001 - local times, on purpose
        st.datetimes(max_value=datetime(1, 1, 2)),  # noqa: DTZ001 - the same
        st.datetimes(datetime(9999, 12, 30)),  # noqa: DTZ001 - the same
    ),
)
def test_the_load_and_the_proof_agree_about_local_times(zone: str, local: datetime) -> None:
    text = local.isoformat(" ")
    try:
        wanted: int | None = make_zone_resolver(zone)(spell_us(text))
    except Unconvertible:
        wanted = None
    found = prove(text, make_column("timestamptz", f"timezone:{zone}"))
    assert (found if isinstance(found, ProofMoment) else None) == wanted
    if wanted is not None:
        back = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wanted)).astimezone(ZoneInfo(zone))
        assert back.replace(tzinfo=None, fold=0) == local


TWICE = [
    ("Europe/Berlin", "2024-10-27 02:30:00", "2024-10-27 00:30:00", "2024-10-27 01:30:00"),
    ("America/New_York", "2024-11-03 01:00:00.5", "2024-11-03 05:00:00.5", "2024-11-03 06:00:00.5"),
    ("Australia/Lord_Howe", "2024-04-07 01:45:00", "2024-04-06 14:45:00", "2024-04-06 15:15:00"),
    ("Europe/Berlin", "2024-07-01 12:00:00", "2024-07-01 10:00:00", "2024-07-01 10:00:00"),
]


@pytest.mark.parametrize(("zone", "local", "earlier", "later"), TWICE)
def test_which_of_two_moments_is_meant(zone: str, local: str, earlier: str, later: str) -> None:
    for which, utc in (("earlier", earlier), ("later", later)):
        column = make_column("timestamptz", f"timezone:{zone}", which)
        assert prove(local, column) == ProofMoment(spell_us(utc))
        assert make_encoder(column)(local) == make_encoder(make_column("timestamptz"))(utc)


@given(
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran"]),
    st.sampled_from(["earlier", "later"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31)),  # noqa: DTZ001 - local times, on purpose
    st.sampled_from(["any time", "near a change"]),
)
def test_the_load_and_the_proof_agree_about_which_is_meant(zone: str, which: str, local: datetime, where: str) -> None:
    if where == "near a change":  # the night of a Sunday in autumn
        local = local.replace(month=10, day=25) + timedelta(days=6 - local.replace(month=10, day=25).weekday())
        local = local.replace(hour=local.hour % 4)
    text = local.isoformat(" ")
    try:
        wanted: int | None = make_zone_resolver(zone, which)(spell_us(text))
    except Unconvertible:
        wanted = None
    found = prove(text, make_column("timestamptz", f"timezone:{zone}", which))
    assert (found if isinstance(found, ProofMoment) else None) == wanted


@pytest.mark.parametrize(
    ("zone", "local"), [("Asia/Kolkata", "0001-01-01 00:00:00"), ("America/New_York", "9999-12-31 23:00:00")]
)
def test_a_local_time_at_the_calendars_end_is_refused(zone: str, local: str) -> None:
    column = make_column("timestamptz", f"timezone:{zone}", "earlier")
    assert type(prove(local, column)) is Unclear
    with pytest.raises(Unconvertible, match="calendar"):
        make_encoder(column)(local)


@pytest.mark.parametrize("name", ["Europe", "Nowhere/At_All", "../etc/passwd", "", "\0"])
def test_what_is_no_time_zone(name: str) -> None:
    assert not is_zone(name)
    assert is_zone("Europe/Berlin")


# ---------------------------------------------------------------------------------------------------------------------
# Texts

REPAIRED = [
    ("strip-nul", "a\0b\0", "ab"),
    ("strip-nul", "\\", "\\"),
    ("u-fffd", "a\0b", "a\ufffdb"),
    ("u-fffd", InvalidText(b"a\xffb"), "a\ufffdb"),
    ("u-fffd", InvalidText(b"\xe2\x82"), "\ufffd\ufffd"),
    ("u-fffd", InvalidText(b"\xed\xa0\x80"), "\ufffd" * 3),
    ("u-fffd", InvalidText(b"\xf0\x80\x80A"), "\ufffd" * 3 + "A"),
    ("u-fffd", "ä€😀", "ä€😀"),
    ("escape", "a\0b", "a\\x00b"),
    ("escape", "C:\\x00", "C:\\\\x00"),
    ("escape", InvalidText(b"\\\xff\0"), "\\\\\\xff\\x00"),
]


@pytest.mark.parametrize(("way", "value", "wanted"), REPAIRED)
def test_texts_are_repaired(way: str, value: str | InvalidText, wanted: str) -> None:
    assert make_repair([way])(value) == wanted
    assert prove(value, make_column("text", way, pg_type="text")) == Text(wanted.encode())


@given(
    st.sampled_from([["strip-nul"], ["u-fffd"], ["escape"], ["strip-nul", "u-fffd"], ["strip-nul", "escape"]]),
    st.one_of(st.binary(max_size=12), st.lists(st.sampled_from([b"\0", b"\xc2", b"\x80", b"a", b"\\"])).map(b"".join)),
)
def test_the_load_and_the_proof_agree_about_texts(ways: list[str], raw: bytes) -> None:
    try:
        value: str | InvalidText = raw.decode()
    except UnicodeDecodeError:
        value = InvalidText(raw)
    found = prove(value, make_column("text", *ways, pg_type="text"))
    repaired = make_repair(ways)(value)
    assert isinstance(found, Text)
    if repaired is not None:
        assert found == repaired.encode()
        assert is_changed(Text(raw), found) == (repaired != value)


@given(st.binary(max_size=20))
def test_escaping_is_reversible(raw: bytes) -> None:
    try:
        value: str | InvalidText = raw.decode()
    except UnicodeDecodeError:
        value = InvalidText(raw)
    escaped = make_repair(["escape"])(value)
    assert escaped is not None
    back, position = bytearray(), 0
    while position < len(escaped):
        if escaped[position] != "\\":
            back += escaped[position].encode()
            position += 1
        elif escaped[position + 1] == "\\":
            back += b"\\"
            position += 2
        else:
            back.append(int(escaped[position + 2 : position + 4], 16))
            position += 4
    assert bytes(back) == raw


# ---------------------------------------------------------------------------------------------------------------------
# Decimals

QUANTISED = [
    ("quantise:5,2", 0.1 + 0.2, "0.30"),
    ("quantise:5,2", 1.005, "1.00"),
    ("quantise:5,2", 1.015, "1.02"),
    ("quantise:5,2", 2.5, "2.50"),
    ("quantise:5,0", 2.5, "2"),
    ("quantise:5,0", 3.5, "4"),
    ("quantise:5,0", -2.5, "-2"),
    ("quantise:5,2", -0.0, "0.00"),
    ("quantise:5,2", 7, "7.00"),
    ("quantise:5,2", 999.994, "999.99"),
    ("quantise:5,2", 1e-300, "0.00"),
    ("quantise:20,2", 123456789012345678, "123456789012346000.00"),
    ("quantise-reals:20,2", 123456789012345678, "123456789012345678.00"),
    ("quantise-reals:5,2", 0.1 + 0.2, "0.30"),
    ("quantise", 0.1 + 0.2, "0.300000000000000"),
    ("quantise", 5e-324, "4.94065645841247E-324"),
]
UNQUANTISED = [
    ("quantise:5,2", 1e300),
    ("quantise:5,2", 999.995),
    ("quantise:5,2", 1000),
    ("quantise:5,5", 1),
    ("quantise:16,1", 999999999999999.9),
    ("quantise:5,2", float("inf")),
    ("quantise", float("-inf")),
]


@pytest.mark.parametrize(("way", "value", "wanted"), QUANTISED)
def test_decimals_are_quantised(way: str, value: float, wanted: str) -> None:
    assert str(make_quantiser(way)(value)).removeprefix("-") == wanted.removeprefix("-")
    column = make_column("numeric", way, pg_type="numeric")
    found = prove(value, column)
    assert Decimal(found.decode() if isinstance(found, Digits) else repr(found)) == Decimal(wanted)
    changed = Decimal(repr(value)) != Decimal(wanted)
    assert is_changed(value, found) == changed == isinstance(found, Digits)
    assert make_encoder(column)(value) == make_encoder(make_column("numeric"))(f"{make_quantiser(way)(value):f}")


@pytest.mark.parametrize(("way", "value"), UNQUANTISED)
def test_what_does_not_fit_even_rounded_is_refused(way: str, value: float) -> None:
    column = make_column("numeric", way)
    with pytest.raises(Unconvertible, match=r"digits|finite"):
        make_quantiser(way)(value)
    with pytest.raises(Unconvertible):
        make_encoder(column)(value)
    found = prove(value, column)
    assert type(found) is Unclear
    assert not is_changed(value, found)
    assert make_encoder(make_column("numeric", way, "null"))(value) == NULL
    assert prove(value, make_column("numeric", way, "null")) is None


@given(
    st.sampled_from(["quantise", "quantise-reals"]),
    st.one_of(st.none(), st.tuples(st.integers(1, 30), st.integers(0, 20)).filter(lambda two: two[1] <= two[0])),
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False),
        st.decimals(-(10**9), 10**9, allow_nan=False, places=3).map(float),
    ),
)
def test_the_load_and_the_proof_agree_about_decimals(name: str, limits: tuple[int, int] | None, value: float) -> None:
    way = f"{name}:{limits[0]},{limits[1]}" if limits else name
    column = make_column("numeric", way, pg_type=f"numeric({limits[0]},{limits[1]})" if limits else "numeric")
    found = prove(value, column)
    try:
        wanted = make_quantiser(way)(value)
    except Unconvertible:
        assert type(found) is Unclear
    else:
        assert Decimal(found.decode() if isinstance(found, Digits) else repr(found)) == wanted
        assert is_changed(value, found) == (wanted != Decimal(repr(value)))


@pytest.mark.parametrize("value", ["1.005", "0.300000000000000049", None])
def test_texts_are_not_rounded(value: str | None) -> None:
    column = make_column("numeric", "quantise:5,2")
    assert make_encoder(column)(value) == make_encoder(make_column("numeric"))(value)
    assert prove(value, column) == as_stored(value)


# ---------------------------------------------------------------------------------------------------------------------
# JSON

DOUBLED = [
    ('{"a": 1, "a": 2}', '{"a": 2}'),
    ('{"a": {"b": 1.50, "b": 1e2}, "c": [{"d": -0, "d": null}]}', '{"a": {"b": 1e2}, "c": [{"d": null}]}'),
    ('{"\\u0061": "x", "a": "ä\\n"}', '{"a": "ä\\n"}'),
    (
        '{"a": [1], "a": 12345678901234567890.123456789012345678901}',
        '{"a": 12345678901234567890.123456789012345678901}',
    ),
]
SINGLE = ['{"a": 1}', '[{"a": 1}, {"a": 1}]', '"a"', '{"a": 1, "a": "\\u0000"}', '{"a": 1, "a": }', "{0}"]


@pytest.mark.parametrize(("text", "wanted"), DOUBLED)
def test_the_last_of_the_same_keys_counts(text: str, wanted: str) -> None:
    column = make_column("jsonb", "last-key")
    found = prove(text, column)
    assert isinstance(found, Text)
    assert is_changed(as_stored(text), found)
    ((form,),) = canonicalise_columns([[as_stored(text)]], [column], "source")
    assert form == canonical_target(wanted.encode(), "jsonb", "jsonb")
    assert make_encoder(make_column("jsonb", "last-key", "null"))(text) != NULL


@pytest.mark.parametrize("text", SINGLE)
def test_other_json_stays_as_it_is(text: str) -> None:
    assert prove(text, make_column("jsonb", "last-key")) == text.encode()


# ---------------------------------------------------------------------------------------------------------------------
# NULL

KINDS: list[Kind] = [
    "int2", "int4", "int8", "float8", "numeric", "bool", "text", "bytea", "timestamp", "timestamptz", "date", "time",
    "interval", "jsonb", "json", "uuid",
]  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-70_000, 70_000),
    st.floats(allow_nan=False),
    st.binary(max_size=17),
    st.binary(max_size=5).map(lambda raw: InvalidText(raw + b"\xff")),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.from_regex(r"[+-]?\d{0,4}[.]?\d{0,3}([eE][+-]?\d{1,2})?", fullmatch=True),
    st.sampled_from(
        ["t", "FALSE", "1", "0" * 32, "{}", '{"a":1,"a":2}', "[1e5]", '"\\u0000"', "{0}", "a\0", "äöüß", "äöüßx", "0-0"]
    ),
    st.sampled_from(
        ["1.005", "99999", "-0.001", "nan", "NaN", "Infinity", "1e400", "5.", " 1", "0x1F", ".5", ".", "+"]
    ),
    st.sampled_from(["2024-02-30", "2024-02-29", "12:00", "12:00:60", "2024-02-29 24:00", "2024-01-01T00:00Z"]),
)


@given(st.sampled_from(KINDS), VALUES)
def test_the_load_and_the_proof_agree_about_what_becomes_null(kind: Kind, value: object) -> None:
    column = make_column(kind, "null")
    field = make_encoder(column)(value)
    assert (field == NULL) == (prove(value, column) is None)


@pytest.mark.parametrize(
    ("kind", "classes", "value"),
    [("bytea", "text", "password"), ("text", "integer", 17), ("text", "real", 1.5), ("numeric", "text", "1.5")],
)
def test_whole_storage_classes_become_null(kind: Kind, classes: str, value: object) -> None:
    kept, gone = make_column(kind, "null"), make_column(kind, f"null:blob,{classes}")
    assert make_encoder(kept)(value) != NULL
    assert prove(value, kept) is not None
    assert make_encoder(gone)(value) == NULL
    assert prove(value, gone) is None


def test_reading_null_from_conversions() -> None:
    assert split_null(("epoch-s",)) == (False, frozenset())
    assert split_null(("epoch-s", "null")) == (True, frozenset())
    assert split_null(("null:text,blob",)) == (True, frozenset({"text", "blob"}))


def test_a_whole_column_is_converted_before_it_is_compared() -> None:
    column = make_column("timestamptz", "epoch-s", "null")
    (forms,) = canonicalise_columns([[0, None, Text(b"1970-01-01 00:00:01Z"), Text(b"soon"), 2.5]], [column], "source")
    texts = [b"1970-01-01 00:00:00+00", None, b"1970-01-01 00:00:01+00", None, b"1970-01-01 00:00:02.5+00"]
    assert forms == [canonical_target(text, "timestamptz", "timestamptz") for text in texts]
