"""The compiled census against the one in Python, which says what is right: the same counts, samples and offenders."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing, contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liteferry.census.columns import ColumnAccumulator
from liteferry.compiled import VARIABLE, find_part
from liteferry.errors import MigrationError
from liteferry.source import tallying
from liteferry.source.connection import connect_read_only
from liteferry.source.copying import describe_source
from liteferry.source.offenders import OffenderStore
from liteferry.source.select import quote_sqlite_name
from liteferry.source.snapshot import Snapshot
from liteferry.typemap import demand_of_target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from liteferry.census.rows import Batch
    from liteferry.model import Census, Event

pytestmark = pytest.mark.skipif(find_part("_counter") is None, reason="the compiled census was not built")

HEX = "0123456789abcdefABCDEF0123456789"
DASHED = "01234567-89AB-cdef-0123-456789abcdef"
DECLARED = (
    "",
    *("INTEGER", "INT", "SMALLINT", "BIGINT", "BOOLEAN", "REAL", "DOUBLE", "DECIMAL", "DECIMAL(5,2)", "NUMERIC(20,0)"),
    *("TEXT", "VARCHAR(5)", "CHAR(32)", "DATETIME", "TIMESTAMP", "DATE", "TIME", "INTERVAL", "JSON", "BLOB", "UUID"),
    *("geometry", "ANY"),
)
DEMANDED = (
    *("smallint", "integer", "bigint", "double precision", "numeric", "numeric(5,2)", "numeric(5,-2)", "numeric(3,5)"),
    *(
        "boolean",
        "text",
        "varchar(3)",
        "bytea",
        "timestamp",
        "timestamptz",
        "date",
        "time",
        "interval",
        "json",
        "jsonb",
    ),
    "uuid",
    *map(demand_of_target, ("real", "inet", "cidr", "citext", "character(4)", "timestamp(3) without time zone")),
    demand_of_target("mood", ("ok", "t", "17")),
)
CONVERSIONS: tuple[tuple[str, ...], ...] = (
    ("strip-nul",),
    ("u-fffd",),
    ("epoch-s",),
    ("epoch-ms",),
    ("julian",),
    ("timezone:Europe/Berlin",),
    ("timezone:Europe/Berlin", "earlier"),
    ("quantise:5,2",),
    ("quantise-reals:5,2",),
    ("last-key",),
)

TEXTS = (
    *(
        "",
        " ",
        "\t",
        "a",
        "17",
        "-17",
        "+0",
        "007",
        "1.50",
        ".5",
        "5.",
        ".",
        "-",
        "+",
        "1e5",
        "1E-3",
        "1.5e-3",
        "1e",
        "0x1f",
    ),
    *("123.45", "000123.4500", "99999.99", "1" * 20, "1" * 31, "1" * 32, "1" * 36, "0." + "1" * 18, "1_0", "٣", "1 "),
    *(
        HEX,
        HEX[:-1] + "g",
        DASHED,
        DASHED.replace("-", "_"),
        "{" + DASHED + "}",
        "g" * 32,
        "g" * 36,
        "é" * 32,
        "é" * 36,
    ),
    *("true", "False", "T", "f", "yes", "NO", "on", "Off", "y", "N", "no!", "\u212aes", "\u017f", "0", "1", "None"),
    *("2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2024-13-01"),
    *("2024-01-00", "2024-1-01", "2024-01-01 ", "2024-W01-1", "1970-01-01 00:00:01", "1969-12-31 23:59:59.5"),
    *("2024-01-01 10:20", "2024-01-01 10:20 ", "2024-01-01T10:20:30", "2024-01-01 10:20:30", "2024-01-01 24:00:00"),
    *("2024-01-01 10:20:60", "2024-01-01 10:60", "2024-01-01 10:20:3", "2024-01-01 10:20:30.", "2024-01-01x10:20:30"),
    *(f"2024-01-01 10:20:30.{'1234567890'[:digits]}" for digits in range(1, 11)),
    *(
        "2024-01-01 10:20:30.000000",
        "2024-01-01T10:20:30.120000",
        "2024-01-01 10:20:30.123000000",
        "2024-03-31 02:30:00",
    ),
    *("2024-01-01 10:20:30Z", "2024-01-01 10:20:30 Z", "2024-01-01 10:20:30+01:00", "2024-01-01T10:20-0530"),
    *(
        "2024-01-01 10:20+1",
        "2024-01-01 10:20+16",
        "2024-01-01 10:20+01:",
        "2024-01-01 10:20+01:5",
        "2024-01-01 10:20  Z",
    ),
    *("2024-01-01 10:20:30.12345٦", "2024-01-01 10:20:30\v+01", "2024-10-27 02:30:00", "2024-01-01 10:20z"),
    *(
        "10:20",
        "10:20:30",
        "10:20:30.5",
        "10:20:30.1234567",
        "24:00",
        "1:20",
        "10:20:",
        "10:20:30.",
        "10:20:30.120000000",
    ),
    *(
        "{}",
        "[]",
        " {} ",
        '{"a": 1}',
        '{"a": 1, "a": 2}',
        '{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}',
        "{a: 1}",
        "[1,]",
    ),
    *('{"a":1,}', "[1 2]", "[01]", "[1.]", "[-]", "[-0]", "[1e400]", "[1e9999]", "[1e200000]", "[NaN]", "[Infinity]"),
    *(
        "[-Infinity]",
        "nul",
        "null",
        "tru",
        '"a"',
        '"a',
        '"\\u0000"',
        '["\\u00e9"]',
        '["\\ud83d\\ude00"]',
        '["\\ud83d"]',
    ),
    *(
        '["\\ude00"]',
        '["\\ud83dx"]',
        '["\\ud83d\\n"]',
        '["\\x"]',
        '["\t"]',
        '["\\t"]',
        '{"\\u0061": 1, "a": 2}',
        "[1]x",
    ),
    *("[" * 100 + "]" * 100, "[" * 101 + "]" * 101, "[" * 5000 + "]" * 5000, "{}{}", "[}", "{]", "\ufeff{}", "[1,\f2]"),
    *(
        "[" + "1" * 1001 + "]",
        "[" + "1" * 17_000 + "]",
        "[" + "1" * 500 + "e5]",
        "\u00a0{}",
        "[\u00a01]",
        '["é😀"]',
        "[link](x)",
    ),
    json.dumps({f"k{number}": number for number in range(255)}),
    json.dumps({f"k{number}": number for number in range(300)}),
    json.dumps([{"type": "Point", "coordinates": [7.1, -50.25]}] * 40),
    *(
        "a\0b",
        "\0",
        "ok",
        "mood",
        "words and more",
        "häßlich",
        "日本",
        "😀" * 5,
        "abc ",
        "10.0.0.1",
        "10.0.0.0/8",
        "::1",
    ),
)
BYTES = (
    *(
        b"",
        b"\0",
        b"\xff",
        b"abc",
        b"a\tb\r\n",
        b"a\x1bb",
        bytes(16),
        b"sixteen letters!",
        "é".encode(),
        b"\xc3",
        b"\x7f",
    ),
    *(b"\xed\xa0\x80", b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xf4\x8f\xbf\xbf"),
    *(b"12345678\xff", b"1234567\0", b"\xef\xbb\xbf", bytes(range(16)), b"\xf5\x80\x80\x80", b"\xe9", "é".encode() * 8),
)
INTEGERS = (0, 1, -1, 2, 100, 999, 1000, 99_999, 100_000, *(1 << n for n in (15, 24, 31, 53, 62)))
REALS = (
    *(0.0, -0.0, 0.1, 0.1 + 0.2, 1.5, 123.45, 999.995, 1000.5, 1e-5, 5e-324, 1e15, 1e16, 123456789012345.0, 1e22),
    *(1e300, 9007199254740993.0, 3.4e38, 3.5e38, 1 / 3, 2.5e-7, 0.000123, 1234567.891, 99999999999999.9, 16777217.0),
    *(math.inf, -math.inf, 1700000000.5, 2460000.5),
)

values = st.one_of(
    st.none(),
    st.sampled_from(INTEGERS),
    st.sampled_from(INTEGERS).map(lambda value: -value - 1),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.sampled_from(REALS),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**13), max_value=10**13).map(float),
    st.sampled_from(TEXTS),
    st.sampled_from(TEXTS),
    st.text(max_size=40),
    st.text("0123456789+-.:eTZ {}[]\",'", max_size=40),
    st.datetimes().map(str),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.sampled_from(BYTES),
    st.binary(max_size=20),
    st.sampled_from(BYTES).map(lambda raw: ("text", raw)),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
        max_leaves=8,
    ).map(json.dumps),
)


@contextmanager
def snapshot_of(path: Path) -> Iterator[Snapshot]:
    with closing(connect_read_only(path)) as connection:
        info = describe_source(connection, str(path))
    with closing(Snapshot(info, file=path)) as snapshot:
        yield snapshot


def take_census(
    path: Path, way: str, demanded: Mapping[str, str], conversions: Mapping[str, tuple[str, ...]]
) -> tuple[Census, list[tuple[object, ...]]]:
    """The census and all offenders. way: as the variable has it."""
    with pytest.MonkeyPatch.context() as patch, snapshot_of(path) as snapshot:
        patch.setenv(VARIABLE, way)
        kept = path.with_name(f"offenders-{way}.sqlite")
        kept.unlink(missing_ok=True)
        snapshot.offenders = OffenderStore(kept, show_values=True)
        census = snapshot.take_census(
            snapshot.read_catalog(), None, lambda _: None, {"t": demanded}, {"t": conversions}
        )
        snapshot.offenders.close()
        if not kept.exists():
            return census, []
        with closing(sqlite3.connect(kept)) as db:
            return census, sorted(db.execute("SELECT * FROM offender"), key=repr)


def assert_equal(
    path: Path,
    demanded: Mapping[str, str] = MappingProxyType({}),
    conversions: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Census:
    right, offenders = take_census(path, "none", demanded, conversions)
    found, found_offenders = take_census(path, "require", demanded, conversions)
    assert repr(found) == repr(right)  # which tells -0.0 from 0.0, too
    assert found_offenders == offenders
    return right


def fill(path: Path, schema: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute(schema)
        for row in rows:
            holders = ", ".join("CAST(? AS TEXT)" if isinstance(value, tuple) else "?" for value in row)
            bound = [value[1] if isinstance(value, tuple) else value for value in row]
            db.execute(
                f"INSERT OR IGNORE INTO t ({', '.join(map(quote_sqlite_name, names))}) VALUES ({holders})", bound
            )
        db.commit()


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[str], list[list[Any]], dict[str, str], dict[str, tuple[str, ...]]]:
    names = [f"c{number}" for number in range(draw(st.integers(1, 4)))]
    declared = [draw(st.sampled_from(DECLARED)) for _ in names]
    key = draw(st.sampled_from(["", "", "PRIMARY KEY (c0)", "WITHOUT ROWID"]))
    if key and declared[0] == "INTEGER":
        declared[0] = "INT"  # no rowid, which would take nothing but integers
    tail = " WITHOUT ROWID" if key == "WITHOUT ROWID" else ""
    demanded = {}
    conversions = {}
    for name in names:
        way = draw(st.sampled_from(["", "", "demanded", "converted"]))
        if way == "demanded" and not key:
            demanded[name] = draw(st.sampled_from(DEMANDED))
        elif way == "converted":
            conversions[name] = draw(st.sampled_from(CONVERSIONS))
            if conversions[name][0].startswith("timezone:"):
                declared[names.index(name)] = "DATETIME"  # which alone they are for
    clauses = [f"{name} {kind}" for name, kind in zip(names, declared, strict=True)]
    if not key and draw(st.booleans()):
        names, clauses = ["id", *names], ["id INTEGER PRIMARY KEY", *clauses]
    if key:
        clauses.append("PRIMARY KEY (c0)")
    ids = st.integers(-50, 50) | st.integers(-(1 << 63), (1 << 63) - 1)
    one_row = st.tuples(*(ids if name == "id" else values for name in names)).map(list)
    rows = draw(st.lists(one_row, min_size=1, max_size=25))
    return f"CREATE TABLE t ({', '.join(clauses)}){tail}", names, rows, demanded, conversions


@settings(max_examples=150, deadline=None)
@given(made=tables(), span_rows=st.sampled_from([1, 10, 1000]))
def test_equal_on_any_table(tmp_path_factory: pytest.TempPathFactory, made: Any, span_rows: int) -> None:
    schema, names, rows, demanded, conversions = made
    path = tmp_path_factory.mktemp("census") / "t.sqlite"
    fill(path, schema, names, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallying, "SPAN_ROWS", span_rows)
        patch.setattr("liteferry.source.counting.SPAN_ROWS", span_rows)
        assert_equal(path, demanded, conversions)


@pytest.mark.parametrize("declared", DECLARED)
def test_equal_on_every_value_of_a_declared_type(tmp_path: Path, declared: str) -> None:
    path = tmp_path / "t.sqlite"
    rows = [[value] for value in (*TEXTS, *BYTES, *(("text", raw) for raw in BYTES), *INTEGERS, *REALS, None)]
    fill(path, f"CREATE TABLE t (c {declared})", ["c"], [*rows, *rows[::-1]])
    assert_equal(path)


@pytest.mark.parametrize("demanded", DEMANDED)
def test_equal_on_every_value_of_a_demanded_type(tmp_path: Path, demanded: str) -> None:
    path = tmp_path / "t.sqlite"
    rows = [[value] for value in (*TEXTS, *BYTES, *(("text", raw) for raw in BYTES), *INTEGERS, *REALS, None)]
    fill(path, "CREATE TABLE t (c)", ["c"], rows)
    assert_equal(path, {"c": demanded})
    fill(path, "CREATE TABLE t (c TEXT)", ["c"], rows)
    assert_equal(path, {"c": demanded})


@pytest.mark.parametrize("conversions", CONVERSIONS)
def test_equal_with_conversions(tmp_path: Path, conversions: tuple[str, ...]) -> None:
    path = tmp_path / "t.sqlite"
    rows = [[value] * 4 for value in (*TEXTS, *BYTES, *(("text", raw) for raw in BYTES), *INTEGERS, *REALS, None)]
    fill(path, "CREATE TABLE t (a DATETIME, b VARCHAR(4), c JSON, d DECIMAL(7,2))", list("abcd"), rows)
    assert_equal(path, {}, dict.fromkeys("a" if conversions[0].startswith("timezone:") else "abcd", conversions))


def test_many_odd_values_in_spans_and_large_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liteferry.source.counting.SPAN_ROWS", 100)
    path = tmp_path / "t.sqlite"
    rows = [
        [number, "x" * (200_000 if number % 5000 == 0 else 3), f"{number}{'!' * 70_000 * (number % 4000 == 7)}"]
        for number in range(1, 12_001)
    ]
    fill(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b DATETIME)", ["id", "a", "b"], rows)
    census = assert_equal(path)
    (offence,) = census.table("t").column("a").offences
    assert (offence.count, [sample.key for sample in offence.samples]) == (12_000, [f"id={n}" for n in range(1, 6)])


def test_schemas_that_python_must_read(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            """
            CREATE TABLE generated (a INT, b TEXT AS (a || 'x'));
            INSERT INTO generated (a) VALUES (1), ('2'), ('odd');
            CREATE TABLE hidden (rowid TEXT, _rowid_ TEXT, oid TEXT);
            INSERT INTO hidden VALUES ('a', 'b', 'c'), (X'00', 1, NULL);
            CREATE TABLE t (a);
            """
        )
    assert_equal(path)


def test_a_wrong_count_of_the_compiled_part_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.sqlite"
    fill(path, "CREATE TABLE t (a INTEGER)", ["a"], [[1], [2]])
    assert_equal(path)
    right = ColumnAccumulator.add_tally
    monkeypatch.setattr(ColumnAccumulator, "add_tally", lambda self, tally: (right(self, tally), right(self, tally)))
    with pytest.raises(AssertionError):
        assert_equal(path)


MANY_KEYS = ",".join(f'"{number * 7919 % 3001}":{number}' for number in range(3001))


@pytest.mark.parametrize(
    ("text", "is_ordinary"),
    [
        (f"{{{MANY_KEYS}}}", True),
        (f'{{{MANY_KEYS},"17":0}}', False),
        (f'[{{"a":{{{MANY_KEYS}}},"b":1}},{{"a":1,"b":{{{MANY_KEYS}}}}}]', True),
        ('{"\\n":1,"\\t":{"\\n":2},"é":3}', True),
        ('{"\\u00e9":1,"é":2}', False),
        ('{"\\ud83d\\ude00":1,"😀":2}', False),
        ('{"\\ud83d\\ude00":1,"\\ud83d\\ude01":2}', True),
        ('{"\\/":1,"/":2}', False),
        ('{"\\"":1,"\\u0022":2}', False),
        ('{"\\b":1,"b":2,"\\u0062x":3}', True),
        ('{"\\u20ac":1,"€":2}', False),
    ],
)
def test_keys_are_compared_however_they_are_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, *, is_ordinary: bool
) -> None:
    path = tmp_path / "t.sqlite"
    fill(path, "CREATE TABLE t (a JSON)", ["a"], [[text]])
    right = assert_equal(path)
    asked = []
    add = ColumnAccumulator.add

    def note(self: ColumnAccumulator, values: Sequence[object], rows: Batch) -> None:
        asked.append(values)
        add(self, values, rows)

    monkeypatch.setattr(ColumnAccumulator, "add", note)
    assert take_census(path, "require", {}, {})[0] == right
    assert is_ordinary == (not asked)


def test_no_row_is_left_to_python_where_all_are_ordinary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.sqlite"
    row = [1, 1.25, "2024-01-01 10:00:00", '{"a": [1, "x"]}', "words", b"\0\1", DASHED, 1, 12.5, None]
    schema = "(a INT, b REAL, c DATETIME, d JSON, e TEXT, f BLOB, g UUID, h BOOLEAN, i DECIMAL(9,2), j TEXT)"
    fill(path, f"CREATE TABLE t {schema}", list("abcdefghij"), [row] * 5000)

    def fail(*_: object) -> None:
        raise AssertionError

    right = assert_equal(path)
    monkeypatch.setattr(ColumnAccumulator, "add", fail)
    assert take_census(path, "require", {}, {})[0] == right


def test_sizes_that_the_census_knows_are_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.sqlite"
    fill(path, "CREATE TABLE t (a TEXT, b BLOB, c REAL)", list("abc"), [["x" * 5000, b"y" * 70, 1 / 3], ["é", None, 1]])
    monkeypatch.setenv(VARIABLE, "require")
    with snapshot_of(path) as snapshot:
        catalog = snapshot.read_catalog()
        snapshot.take_census(catalog)
        assert snapshot._largest_bytes == {"t": {"a": 5000, "b": 70, "c": 32}}
        assert [len(batch) for batch in snapshot.read_rows(catalog.tables[0], ["a", "b", "c"])] == [2]


def test_progress_ends_once_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.sqlite"
    fill(path, "CREATE TABLE t (a TEXT)", ["a"], [["x"]] * 500)
    monkeypatch.setenv(VARIABLE, "require")
    monkeypatch.setattr("liteferry.source.counting.SPAN_ROWS", 10)
    events: list[Event] = []
    with snapshot_of(path) as snapshot:
        snapshot.take_census(snapshot.read_catalog(), None, events.append)
    assert [(event.kind, event.table, event.rows) for event in events if event.kind == "step-end"] == [
        ("step-end", "t", 500)
    ]


def test_an_interruption_ends_all_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.sqlite"
    fill(path, "CREATE TABLE t (a TEXT)", ["a"], [["x"]] * 500)
    monkeypatch.setenv(VARIABLE, "require")

    def interrupt(_: Event) -> None:
        raise KeyboardInterrupt

    with snapshot_of(path) as snapshot, pytest.raises(KeyboardInterrupt):
        snapshot.take_census(snapshot.read_catalog(), None, interrupt)


def test_a_damaged_file_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.sqlite"
    fill(path, "CREATE TABLE t (a TEXT)", ["a"], [["x" * 300]] * 500)
    monkeypatch.setenv(VARIABLE, "require")
    with snapshot_of(path) as snapshot:
        catalog = snapshot.read_catalog()
        raw = bytearray(path.read_bytes())
        raw[4096 * 10 : 4096 * 20] = b"\xaa" * 40_960
        path.write_bytes(raw)
        snapshot.close()
        with pytest.raises(MigrationError) as caught:
            snapshot.take_census(catalog)
    assert caught.value.code == "source-corrupt"


def test_an_error_may_quote_what_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    fill(path, "CREATE TABLE t (a)", ["a"], [[1]])
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET name = CAST(x'ff' AS TEXT), sql = 'CREATE TABLE nonsense'")
    part = find_part("_counter")
    assert part is not None
    with pytest.raises(sqlite3.OperationalError, match="malformed database schema") as caught:
        part.open_reader(f"file:{path}?mode=ro", ())
    assert caught.value.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CORRUPT
