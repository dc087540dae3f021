"""The compiled comparer with a snapshot and any bytes for COPY's: it says "equal" of the right ones alone."""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compiled_fuzz import spell_in_pieces
from liteferry.compare import DigestSum, Text, canonicalise_rows, digest_rows
from liteferry.compiled.comparing import RowComparison, is_built, open_copy
from liteferry.model import ColumnMap, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

if not is_built():
    pytest.skip("the comparer was not built", allow_module_level=True)

CELLS: list[tuple[str, Kind, list[object], list[bytes]]] = [
    ("bigint", "int8", [1, 2, 3], [b"1", b"2", b"3"]),
    ("smallint", "int2", [-5, None, 7], [b"-5", b"\\N", b"7"]),
    ("double precision", "float8", [0.5, 1e300, -0.0], [b"0.5", b"1e+300", b"-0"]),
    ("numeric(9,2)", "numeric", [1.5, "2.5", 3], [b"1.50", b"2.50", b"3.00"]),
    ("boolean", "bool", [1, "false", 0], [b"t", b"f", b"f"]),
    ("text", "text", ["a\tb\\", "", "é\n"], [b"a\\tb\\\\", b"", "é\\n".encode()]),
    ("character(3)", "text", ["abc", "d", ""], [b"abc", b"d  ", b"   "]),
    ("bytea", "bytea", [b"\0\xff", b"", b"x"], [b"\\\\x00ff", b"\\\\x", b"\\\\x78"]),
    (
        "timestamp with time zone",
        "timestamptz",
        ["2024-01-02 03:04:05.6", "2024-01-02T03:04Z", "1999-12-31 23:59:59+01:00"],
        [b"2024-01-02 03:04:05.6+00", b"2024-01-02 03:04:00+00", b"1999-12-31 22:59:59+00"],
    ),
    ("date", "date", ["2024-02-29", None, "0001-01-01"], [b"2024-02-29", b"\\N", b"0001-01-01"]),
    ("interval", "interval", [1, 90_000_000_000, -1], [b"00:00:00.000001", b"1 day 01:00:00", b"-00:00:00.000001"]),
    ("jsonb", "jsonb", ['{"b":[1.0],"a":"\\n"}', "[]", '"x"'], [b'{"a": "\\\\n", "b": [1]}', b"[]", b'"x"']),
    ("json", "json", ["{ }", "1", "null"], [b"{ }", b"1", b"null"]),
    ("uuid", "uuid", ["0" * 32, bytes(16), None], [b"00000000-0000-0000-0000-000000000000"] * 2 + [b"\\N"]),
    ("inet", "inet", ["10.0.0.1", "::1", None], [b"10.0.0.1", b"::1", b"\\N"]),
]
COLUMNS = [
    ColumnMap(source=f"c{number}", target=f"c{number}", pg_type=pg_type, kind=kind, rule="test")
    for number, (pg_type, kind, _, _) in enumerate(CELLS)
]
STORED = [tuple(values[row] for _, _, values, _ in CELLS) for row in range(3)]
LINES = [b"\t".join(texts[row] for _, _, _, texts in CELLS) for row in range(3)]
DATA = b"".join(line + b"\n" for line in LINES)


@cache
def snapshot() -> str:
    place = tempfile.mkdtemp(prefix="liteferry-test-")
    path = Path(place) / "s.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE t ({', '.join(column.source for column in COLUMNS)})")
        database.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(COLUMNS))})", STORED)
        database.commit()
    return path.as_uri() + "?mode=ro"


def begin(*, is_paired: bool, columns: Sequence[ColumnMap] = COLUMNS, sql: str = "SELECT * FROM t") -> RowComparison:
    return RowComparison(
        columns, database=open_copy(snapshot()), sql=sql, key=(0,) if is_paired else (), is_paired=is_paired
    )


def feed(comparison: RowComparison, data: bytes, cuts: Sequence[int] = ()) -> bool:
    ends = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    blocks = [data[start:end] for start, end in pairwise(ends)]
    return all(comparison.feed(block) for block in blocks) and comparison.finish()


@given(st.booleans(), st.lists(st.integers(0, 1000), max_size=6))
def test_equal_rows_are_equal_wherever_the_blocks_are_cut(is_paired: bool, cuts: list[int]) -> None:  # noqa: FBT001
    comparison = begin(is_paired=is_paired)
    assert feed(comparison, DATA, cuts)
    stored = [tuple(Text(value.encode()) if isinstance(value, str) else value for value in row) for row in STORED]
    expected = DigestSum()
    expected.add(digest_rows(canonicalise_rows(stored, COLUMNS, "source")))  # type: ignore[arg-type]  # storage values
    assert comparison.source == comparison.target == expected.result()
    assert comparison.is_ordered == is_paired


@pytest.mark.parametrize(
    ("keys", "is_ordered"),
    [
        ([-(2**63), -(2**63) + 1, -1, 0, 2**63 - 1], True),
        ([2**63 - 1, -(2**63)], False),
        ([-(2**63), -(2**63)], False),
        ([0, -(2**63)], False),
    ],
)
def test_the_order_of_the_outermost_keys(keys: list[int], is_ordered: bool) -> None:  # noqa: FBT001 - a case's
    column = next(column for column in COLUMNS if column.kind == "int8")
    values = ", ".join(f"({key})" for key in keys)
    comparison = begin(is_paired=True, columns=(column,), sql=f"SELECT * FROM (VALUES {values})")
    assert feed(comparison, b"".join(b"%d\n" % key for key in keys))
    assert comparison.is_ordered == is_ordered


@given(st.booleans(), st.integers(0, 2), st.integers(0, len(CELLS) - 1), st.sampled_from([b"\\N", b"", b"1", b"zz"]))
def test_one_changed_cell_differs(is_paired: bool, row: int, position: int, text: bytes) -> None:  # noqa: FBT001
    fields = [line.split(b"\t") for line in LINES]
    pads = CELLS[position][0] == "character(3)"  # b"" is all blanks there
    changed = fields[row][position] != text and not (pads and text == fields[row][position].strip())
    changed = changed and not (CELLS[position][1] == "numeric" and text == b"1" and fields[row][position] == b"1")
    fields[row][position] = text
    comparison = begin(is_paired=is_paired)
    equal = feed(comparison, b"".join(b"\t".join(line) + b"\n" for line in fields))
    assert (equal and comparison.source == comparison.target) == (not changed)


@given(
    st.booleans(),
    st.lists(st.tuples(st.integers(0, len(DATA)), st.integers(0, 3), st.binary(max_size=3)), min_size=1, max_size=4),
)
@example(True, [(0, 0, b"\n")])
@example(False, [(len(DATA), 0, b"\n")])
@example(True, [(len(DATA) - 1, 1, b"")])
def test_mangled_copy_text_is_read_or_refused(is_paired: bool, edits: list[tuple[int, int, bytes]]) -> None:  # noqa: FBT001
    """Nothing crashes; and where the comparer says equal, the specification says so, too."""
    data = DATA
    for at, cut, put in edits:
        data = data[:at] + put + data[at + cut :]
    comparison = begin(is_paired=is_paired)
    equal = feed(comparison, data) and comparison.source == comparison.target
    assert equal == (read_by_specification(data) == read_by_specification(DATA))


def read_by_specification(data: bytes) -> object:
    from liteferry.compare import parse_copy_text

    with suppress(ValueError):
        columns = parse_copy_text(data.removesuffix(b"\n"), len(COLUMNS))
        rows = list(zip(*columns, strict=True))
        digest = DigestSum()
        digest.add(digest_rows(canonicalise_rows(rows, COLUMNS, "target")))
        return digest.result()
    return None


@pytest.mark.parametrize("data", [DATA[: DATA.index(b"\n") + 1], DATA + DATA, b"", b"\n", LINES[1] + b"\n" + DATA])
@pytest.mark.parametrize("is_paired", [True, False])
def test_rows_too_few_or_too_many_differ(data: bytes, *, is_paired: bool) -> None:
    comparison = begin(is_paired=is_paired)
    assert not (feed(comparison, data) and comparison.source == comparison.target)


def test_it_is_over_after_the_end() -> None:
    comparison = begin(is_paired=True)
    assert feed(comparison, DATA)
    with pytest.raises(RuntimeError):
        comparison.feed(b"")


@pytest.mark.parametrize("sql", ["SELECT nothing FROM t", "SELECT", "SELECT abs(-9223372036854775807 - 1) FROM t"])
def test_errors_of_the_source_are_its_own(sql: str) -> None:
    with pytest.raises(sqlite3.OperationalError) as caught:
        begin(is_paired=True, columns=COLUMNS[:1], sql=sql).feed(b"1\n")
    assert caught.value.sqlite_errorcode


@pytest.mark.parametrize("sql", ["SELECT 1, 2 FROM t", ""])
def test_another_number_of_columns_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match="number of columns"):
        begin(is_paired=True, columns=COLUMNS[:1], sql=sql)


def test_a_callback_that_fails_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("liteferry.compiled.comparing.canonical_source_column", fail)
    comparison = begin(is_paired=True)
    with pytest.raises(ZeroDivisionError):
        feed(comparison, DATA)


PIECED = (
    ColumnMap(source="id", target="id", pg_type="bigint", kind="int8", rule="test"),
    ColumnMap(source="v", target="v", pg_type="text", kind="text", rule="test"),
    ColumnMap(source="j", target="j", pg_type="jsonb", kind="jsonb", rule="test"),
)
DICE = random.Random(1)


def make_document(depth: int) -> object:
    """JSON of some hundred kilobytes, whose objects are large, small and empty, and hold keys in any order."""
    names = ["k" + '"' * (at % 2) + f"{DICE.randrange(10**6)}é" for at in range(6)]
    if depth == 0:
        return {name: [DICE.random() for _ in range(700)] for name in names}
    inner: list[object] = [{}, {"b": 1, "a": None}, [], "x\n" * 9, -0.0, 1e-7]
    return {name: [make_document(depth - 1), *inner] if at < 3 else inner for at, name in enumerate(names)}


DOCUMENT = make_document(1)
MANY_MEMBERS = {"\n" * (n % 3) + f"{n * 7919 % 10_007}": [n, {"é": 1, "\t": 2}] for n in range(10_007)}
LARGE_ROWS = [
    (1, "é\t" * 50, json.dumps(DOCUMENT, indent=1), json.dumps(DOCUMENT, sort_keys=True, ensure_ascii=False)),
    (2, None, json.dumps([DOCUMENT, {}]), json.dumps([DOCUMENT, {}])),
    (3, "", "{}", "{}"),
    (4, None, json.dumps(MANY_MEMBERS), json.dumps(MANY_MEMBERS, sort_keys=True, ensure_ascii=False)),
]


def begin_pieced(large_bytes: int) -> RowComparison:
    rows = " UNION ALL ".join(
        f"SELECT {key}, {'NULL' if text is None else quote(text)}, {quote(document)}"
        for key, text, document, _ in LARGE_ROWS
    )
    return RowComparison(
        PIECED,
        database=open_copy(snapshot()),
        sql=rows,
        key=(0,),
        pieced=(1, 2),
        large_bytes=large_bytes,
        is_paired=True,
    )


def quote(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


@pytest.mark.parametrize(("size", "large_bytes"), [(10, 1), (50, 90), (100_000, 1), (100_000, 10**9), (10**7, 1)])
def test_large_values_have_the_digest_of_their_forms(size: int, large_bytes: int) -> None:
    comparison = begin_pieced(large_bytes)
    assert feed(comparison, b"".join(line + b"\n" for line in spell_in_pieces(LARGE_ROWS, size)))
    rows = [
        (key, None if text is None else Text(str(text).encode()), Text(document.encode()))
        for key, text, document, _ in LARGE_ROWS
    ]
    expected = DigestSum()
    expected.add(digest_rows(canonicalise_rows(rows, PIECED, "source")))
    assert comparison.source == comparison.target == expected.result()


LINES_IN_PIECES = spell_in_pieces(LARGE_ROWS, 40_000)


def begins_with_blanks(line: bytes) -> bool:
    """Whether the document's part in a row's first line is white space, before what its pieces say."""
    fields = line.split(b"\t")
    return fields[0] == b"0" and len(fields) == 6 and not fields[3].translate(None, b"\\rnt \r")


@settings(deadline=None)
@given(st.integers(0, len(LINES_IN_PIECES) - 1), st.integers(0, 100_000), st.binary(min_size=1, max_size=2))
@example(8, 8, b"r")
def test_a_mangled_piece_differs_or_is_the_same(number: int, at: int, put: bytes) -> None:
    line = LINES_IN_PIECES[number]
    at %= len(line)
    changed = line[:at] + put + line[at + len(put) :]
    comparison = begin_pieced(1)
    data = b"".join(found + b"\n" for found in [*LINES_IN_PIECES[:number], changed, *LINES_IN_PIECES[number + 1 :]])
    if feed(comparison, data):  # a digit in the other case, a field that says nothing, another spelling of JSON
        same = changed.lower() == line.lower() or line[:2] != b"0\t" or b"{" in line
        assert same or begins_with_blanks(changed)


@pytest.mark.parametrize("order", ["twice", "left out", "swapped", "too many"])
def test_pieces_in_another_order_differ(order: str) -> None:
    lines = list(LINES_IN_PIECES)
    match order:
        case "twice":
            lines.insert(2, lines[1])
        case "left out":
            del lines[1]
        case "swapped":
            lines[1], lines[2] = lines[2], lines[1]
        case _:
            lines.append(b"1\t\\N\t\\N\t\\N\t\\N\t\\\\x00")
    assert not feed(begin_pieced(1), b"".join(line + b"\n" for line in lines))


@pytest.mark.parametrize(
    ("kind", "pg_type"), [("text", "text"), ("bytea", "bytea"), ("json", "json"), ("jsonb", "jsonb")]
)
@pytest.mark.parametrize(
    ("stored", "field", "is_same"), [("''", b"\\N", False), ("NULL", b"\\N", True), ("NULL", b"", False)]
)
def test_an_empty_value_is_not_null_in_a_column_of_large_ones(
    kind: Kind,
    pg_type: str,
    stored: str,
    field: bytes,
    is_same: bool,  # noqa: FBT001 - a case's
) -> None:
    columns = (PIECED[0], replace(PIECED[1], kind=kind, pg_type=pg_type))
    comparison = RowComparison(
        columns,
        database=open_copy(snapshot()),
        sql=f"SELECT 1, {stored}",
        key=(0,),
        pieced=(1,),
        large_bytes=100,
        is_paired=True,
    )
    assert feed(comparison, b"0\t1\t" + field + b"\t\\N\n") is is_same
