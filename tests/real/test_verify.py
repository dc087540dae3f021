"""The proof of rows on a real server: whatever is planted is named exactly, and nothing else is."""

from __future__ import annotations

import datetime as dt
import json
import random
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from liteferry.compare import StorageValue, Text
from liteferry.compiled.comparing import is_built
from liteferry.model import ColumnMap, Event, Kind, Mismatch, Part, SourceInfo, TableMap, to_json
from liteferry.proof import TableProof, digest_source, digest_target, verify_table
from liteferry.proof.compiled import EqualRows, compare_compiled
from liteferry.source import Snapshot
from liteferry.target import SnapshotReader, open_target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from liteferry.proof.rows import Progress, ProofJob

SCHEMA = "moved to"  # has to be quoted

PG_TYPES: dict[Kind, str] = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float8": "double precision",
    "numeric": "numeric(20,6)",
    "bool": "boolean",
    "text": "character varying(40)",
    "bytea": "bytea",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "date": "date",
    "time": "time without time zone",
    "interval": "interval",
    "json": "json",
    "jsonb": "jsonb",
    "uuid": "uuid",
}

# kind: what SQLite stores and what PostgreSQL is given for the same value; and another value, as near as can be
VALUES: dict[Kind, tuple[list[tuple[StorageValue, str]], str]] = {
    "int2": ([(7, "7"), (-32768, "-32768")], "8"),
    "int4": ([(7, "7"), (2147483647, "2147483647")], "-7"),
    "int8": ([(9007199254740993, "9007199254740993"), (0, "0")], "9007199254740992"),
    "float8": ([(0.1, "0.1"), (1627303906.122, "1627303906.122"), (-0.0, "-0")], "0.10000000000000002"),
    "numeric": ([(12.5, "12.5"), (Text(b"0.000001"), "0.000001"), (3, "3")], "12.500001"),
    "bool": ([(1, "t"), (0, "f")], "f"),
    "text": ([(Text("Zoë\t\\\n'\"".encode()), "Zoë\t\\\n'\""), (Text(b""), ""), (Text(b"\\N"), "\\N")], "Zoe"),
    "bytea": ([(bytes(range(256)), "\\x" + bytes(range(256)).hex()), (b"", "\\x")], "\\x00"),
    "timestamp": ([(Text(b"2024-02-29 23:59:59.5"), "2024-02-29 23:59:59.5")], "2024-02-29 23:59:59.500001"),
    "timestamptz": ([(Text(b"2024-07-01T14:00:00+02:00"), "2024-07-01 12:00:00Z")], "2024-07-01 12:00:00.000001Z"),
    "date": ([(Text(b"2024-02-29"), "2024-02-29")], "2024-03-01"),
    "time": ([(Text(b"23:59:59.999999"), "23:59:59.999999")], "23:59:59.999998"),
    "interval": ([(90061000001, "1 day 01:01:01.000001"), (-1, "-1 microsecond")], "1 day 01:01:01.000002"),
    "json": ([(Text(b'{"a": 1.0, "a": 2}'), '{"a": 1.0, "a": 2}')], '{"a": 1, "a": 2}'),
    "jsonb": ([(Text(b'{"b":[1.50,"x"],"aa":null}'), '{"aa": null, "b": [1.5, "x"]}'), (7, "7")], '{"b": [1.5, "X"]}'),
    "uuid": (
        [(Text(b"00112233445566778899AABBCCDDEEFF"), "00112233-4455-6677-8899-aabbccddeeff"), (bytes(16), "0" * 32)],
        "00112233-4455-6677-8899-aabbccddeef0",
    ),
}
ROWS = 9


def column(name: str, kind: Kind) -> ColumnMap:
    return ColumnMap(source=name, target=name.lower(), pg_type=PG_TYPES[kind], kind=kind, rule="test")


EVERYTHING = TableMap(
    source="Everything",
    target="everything",
    columns=(column("Id", "int8"), *(column(f"c_{kind}", kind) for kind in VALUES)),
    key=("Id",),
    rows=ROWS,
)
BAG = TableMap(
    source="bag",
    target="bag",
    columns=(column("a", "int4"), column("b", "text"), column("c", "float8"), column("d", "bytea")),
)
NAMED = TableMap(source="named", target="named", columns=(column("name", "text"), column("v", "int8")), key=("name",))
PAIRS = TableMap(
    source="pairs",
    target="pairs",
    columns=(column("v", "text"), column("name", "text"), column("day", "date"), column("n", "int8")),
    key=("n", "name", "day"),
)
TOKENS = TableMap(source="tokens", target="tokens", columns=(column("id", "uuid"), column("v", "text")), key=("id",))
TABLES = (EVERYTHING, BAG, NAMED, PAIRS, TOKENS)


@dataclass
class SmallBatches:
    """Reads the source by the real adapter, in small batches, so that blocks begin and end anywhere."""

    snapshot: Snapshot
    batch_rows: int

    def read_storage_rows(
        self,
        table: str,
        columns: Sequence[str],
        order_by: Sequence[str],
        /,
        *,
        with_rowid: bool = False,
        part: Part = "",
    ) -> Iterator[list[tuple[StorageValue, ...]]]:
        for batch in self.snapshot.read_storage_rows(table, columns, order_by, with_rowid=with_rowid, part=part):
            for start in range(0, len(batch), self.batch_rows):
                yield batch[start : start + self.batch_rows]


@dataclass
class ChoppedCopy:
    """Reads the target by the real adapter, in blocks that are cut anywhere."""

    reader: SnapshotReader
    block_bytes: int
    statements: list[str]

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        self.statements.append(select_sql)
        for block in self.reader.copy_out(select_sql):
            for start in range(0, len(block), self.block_bytes):
                yield block[start : start + self.block_bytes]


@dataclass
class Sides:
    """A source and a target that hold the same, until something is planted."""

    source: sqlite3.Connection
    file: Path
    target: psycopg.Connection
    url: str
    scratch_dir: Path
    encoding: str = "UTF-8"
    batch_rows: int = 4
    block_bytes: int = 100
    is_compiled: bool = False
    events: list[Event] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    compiled: list[EqualRows | None] = field(default_factory=list)

    @contextmanager
    def read_source(self) -> Iterator[SmallBatches | Snapshot]:
        """What the file holds now."""
        self.source.commit()
        info = SourceInfo(
            path=str(self.file), size_bytes=0, sha256="", sqlite_version="", encoding=self.encoding, journal_mode=""
        )
        with closing(Snapshot(info, file=self.file)) as snapshot:
            yield snapshot if self.is_compiled else SmallBatches(snapshot, self.batch_rows)

    def prove(self, table: TableMap, *, show_values: bool = False) -> TableProof:
        with self.read_source() as source, open_target(self.url) as target, SnapshotReader(target) as reader:
            catalog = target.read_catalog(SCHEMA)
            proof = verify_table(
                table,
                source,
                ChoppedCopy(reader, self.block_bytes, self.statements),
                schema=SCHEMA,
                target_catalog=catalog,
                show_values=show_values,
                scratch_dir=self.scratch_dir,
                observe=self.events.append,
            )
        assert not list(self.scratch_dir.iterdir())
        if self.compiled:  # it says by itself whether anything differs
            is_read = self.is_compiled and self.encoding == "UTF-8"
            assert bool(self.compiled.pop()) == (is_read and proof.source_digest == proof.target_digest)
        return proof

    def prove_all(self, **others: TableProof) -> None:
        """Every table is proven, but for those named."""
        for table in TABLES:
            if table.target not in others:
                assert self.prove(table).verdict == "proven"

    def plant(self, sql: str) -> None:
        """Change the target."""
        self.target.execute(f'SET search_path = "{SCHEMA}"'.encode())
        found = self.target.execute(sql.encode())
        assert found.rowcount != 0, sql


def store(value: StorageValue) -> object:
    return value.decode() if isinstance(value, Text) else value


@pytest.fixture(params=["python", "compiled"])
def sides(
    request: pytest.FixtureRequest, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sides]:
    is_compiled = request.param == "compiled"
    if is_compiled and not is_built():
        pytest.skip("the comparer was not built")
    file = tmp_path / "source.sqlite"
    scratch_dir = tmp_path / "scratch"
    scratch_dir.mkdir()
    with closing(sqlite3.connect(file)) as source, psycopg.connect(pg_url, autocommit=True) as target:
        target.execute(f'CREATE SCHEMA "{SCHEMA}"'.encode())
        target.execute(f'SET search_path = "{SCHEMA}"'.encode())
        sides = Sides(source, file, target, pg_url, scratch_dir, is_compiled=is_compiled)

        def compare(job: ProofJob, progress: Progress, *_: object) -> EqualRows | None:
            sides.compiled.append(compare_compiled(job, progress))
            return sides.compiled[-1]

        monkeypatch.setattr("liteferry.proof.tables.compare_compiled", compare)
        _fill_everything(sides)
        _fill_others(sides)
        yield sides


def make_table(sides: Sides, table: TableMap, rows: Sequence[Sequence[tuple[StorageValue, str | None]]]) -> None:
    """Make the table on both sides. rows: for each value what SQLite stores, and PostgreSQL's spelling of it."""
    key = f", PRIMARY KEY ({', '.join(table.key)})" if table.key else ""
    names = ", ".join(f'"{found.source}"' for found in table.columns)
    sides.source.execute(f'CREATE TABLE "{table.source}" ({names}{key})')
    places = ", ".join("?" * len(table.columns))
    stored = [[store(value) for value, _ in row] for row in rows]
    sides.source.executemany(f'INSERT INTO "{table.source}" VALUES ({places})', stored)
    typed = ", ".join(f'"{found.target}" {found.pg_type}' for found in table.columns)
    sides.target.execute(f'CREATE TABLE "{table.target}" ({typed}{key})'.encode())
    places = ", ".join(f"%s::{found.pg_type}" for found in table.columns)
    with sides.target.cursor() as cursor:
        insert = f'INSERT INTO "{table.target}" VALUES ({places})'.encode()
        cursor.executemany(insert, [[spelling for _, spelling in row] for row in rows])


def _fill_everything(sides: Sides) -> None:
    rows = []
    for number in range(ROWS):
        cells: list[tuple[StorageValue, str | None]] = [(number - 2, str(number - 2))]
        for same, _ in VALUES.values():
            cells.append((None, None) if number % 4 == 3 else same[number % len(same)])
        rows.append(cells)
    make_table(sides, EVERYTHING, rows)


def same(value: float | str | bytes) -> tuple[StorageValue, str]:
    """A value that both sides spell alike."""
    if isinstance(value, str):
        return Text(value.encode()), value
    return value, "\\x" + value.hex() if isinstance(value, bytes) else repr(value)


def _fill_others(sides: Sides) -> None:
    bag = [(1, "one", 0.5, b"\0"), (1, "one", 0.5, b"\0"), (2, "two", 0.25, b"\1"), (3, "three", 0.125, b"\2")]
    make_table(sides, BAG, [[same(value) for value in row] for row in bag])
    # the orders of C, of en_US and of ICU differ for these
    names = ["a", "B", "b", "A", "Z", "z", "_", "é", "e", "É", "", " ", "~", "ab", "a b", "\U0001f600", "\ue000"]
    make_table(sides, NAMED, [[same(name), same(number)] for number, name in enumerate(names)])
    pairs = [(f"v{n}", name, f"2024-01-{day:02}", n) for n in (-1, 2, 10) for name in ("b", "A", "a") for day in (2, 1)]
    make_table(sides, PAIRS, [[same(value) for value in row] for row in pairs])
    generator = random.Random(5)
    keys = [f"{first}{generator.getrandbits(124):031x}" for first in "0159abcdef"]
    make_table(sides, TOKENS, [[same(key), same(f"token {key[:4]}")] for key in keys])


def the_one(proof: TableProof) -> Mismatch:
    """The only mismatch."""
    assert proof.mismatch_count == 1, proof.mismatches
    assert proof.verdict == "mismatch"
    (found,) = proof.mismatches
    assert found.table == proof.table
    assert found.message
    return found


def assert_one_value(proof: TableProof, column: str, key: str) -> Mismatch:
    found = the_one(proof)
    assert (found.kind, found.column, found.key) == ("value", column, key)
    assert proof.source_digest != proof.target_digest
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Nothing planted


@pytest.mark.parametrize(
    ("batch_rows", "block_bytes", "batch_bytes"),
    [(1, 1, 1), (3, 17, 64), (1000, 1 << 18, 1 << 18), (2, 300, 200), (1000, 40, 1)],
)
def test_equal_sides_are_proven_wherever_the_blocks_are_cut(
    sides: Sides, monkeypatch: pytest.MonkeyPatch, batch_rows: int, block_bytes: int, batch_bytes: int
) -> None:
    sides.batch_rows, sides.block_bytes = batch_rows, block_bytes
    monkeypatch.setattr("liteferry.proof.rows._BATCH_BYTES", batch_bytes)
    methods = {}
    for table in TABLES:
        proof = sides.prove(table)
        assert proof.mismatches == ()
        assert proof.verdict == "proven"
        assert proof.source_digest == proof.target_digest
        assert proof.rows_source == proof.rows_target == proof.source_digest.rows > 0
        assert proof.values_compared == proof.rows_source * len(table.columns)
        methods[table.target] = proof.method
    assert methods.pop("bag") == "multiset"
    assert set(methods.values()) == {"merge by primary key"}


def test_texts_are_read_in_the_order_of_their_bytes_whatever_the_databases_collation(sides: Sides) -> None:
    """The server of the test may sort by bytes anyway; others do not."""
    sides.prove(PAIRS)
    (sql,) = sides.statements
    assert sql.endswith('FROM "moved to"."pairs" ORDER BY "n", "name" COLLATE "C", "day"')


def test_each_side_alone_has_the_digest_of_the_proof(sides: Sides) -> None:
    expected = [(table.target, sides.prove(table).source_digest) for table in TABLES]
    with sides.read_source() as source:
        assert list(digest_source(TABLES, source)) == expected
    with open_target(sides.url) as target, SnapshotReader(target) as reader:
        assert list(digest_target(TABLES, reader, schema=SCHEMA)) == expected


def test_an_empty_table_is_proven(sides: Sides) -> None:
    for table in (EVERYTHING, BAG):
        sides.source.execute(f'DELETE FROM "{table.source}"')
        sides.plant(f"DELETE FROM {table.target}")
        proof = sides.prove(table)
        assert (proof.verdict, proof.rows_source, proof.values_compared) == ("proven", 0, 0)


def test_a_watcher_hears_of_the_beginning_and_the_end(sides: Sides) -> None:
    sides.prove(EVERYTHING)
    assert [event.kind for event in sides.events] == ["step-start", "step-end"]
    assert {event.step_id for event in sides.events} == {"verify/everything"}
    assert sides.events[-1].rows == sides.events[-1].total_rows == ROWS


# ---------------------------------------------------------------------------------------------------------------------
# Values


@pytest.mark.parametrize("kind", VALUES)
def test_one_changed_cell_of_each_type_is_named(sides: Sides, kind: Kind) -> None:
    sides.plant(f"UPDATE everything SET c_{kind} = '{VALUES[kind][1]}' WHERE id = -2")
    assert_one_value(sides.prove(EVERYTHING), f"c_{kind}", "Id=-2")
    sides.prove_all(everything=sides.prove(EVERYTHING))


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_that_became_null_is_named(sides: Sides, kind: Kind) -> None:
    sides.plant(f"UPDATE everything SET c_{kind} = NULL WHERE id = 0")
    assert assert_one_value(sides.prove(EVERYTHING), f"c_{kind}", "Id=0").target == "NULL"


@pytest.mark.parametrize("kind", VALUES)
def test_a_null_that_became_a_value_is_named(sides: Sides, kind: Kind) -> None:
    sides.plant(f"UPDATE everything SET c_{kind} = '{VALUES[kind][1]}' WHERE id = 1")
    assert assert_one_value(sides.prove(EVERYTHING), f"c_{kind}", "Id=1").source == "NULL"


@pytest.mark.parametrize(
    ("kind", "literal"),
    [
        ("float8", "'NaN'"),
        ("float8", "'-Infinity'"),
        ("numeric", "'NaN'"),
        ("timestamp", "'infinity'"),
        ("timestamp", "'4713-01-01 BC'"),
        ("timestamptz", "'-infinity'"),
        ("timestamptz", "'99999-12-31 00:00Z'"),
        ("date", "'infinity'"),
        ("date", "'0044-03-15 BC'"),
        ("time", "'24:00:00'"),
        ("interval", "'1 month'"),
        ("interval", "'-3 years 2 days -00:00:00.5'"),
    ],
)
def test_values_that_sqlite_cannot_hold_are_named(sides: Sides, kind: Kind, literal: str) -> None:
    sides.plant(f"UPDATE everything SET c_{kind} = {literal} WHERE id = 2")
    assert_one_value(sides.prove(EVERYTHING), f"c_{kind}", "Id=2")


def test_values_swapped_between_two_rows_are_both_named(sides: Sides) -> None:
    sides.plant("UPDATE named SET v = 3 - v WHERE v IN (1, 2)")
    proof = sides.prove(NAMED)
    assert {(found.kind, found.column, found.key) for found in proof.mismatches} == {
        ("value", "v", "name='B'"),
        ("value", "v", "name='b'"),
    }
    assert proof.mismatch_count == 2


def test_several_columns_of_a_row_are_each_named(sides: Sides) -> None:
    sides.plant("UPDATE pairs SET v = 'x' WHERE n = 2 AND name = 'A' AND day = '2024-01-02'")
    assert_one_value(sides.prove(PAIRS), "v", "n=2, name='A', day='2024-01-02'")
    sides.plant("UPDATE everything SET c_int2 = 100, c_uuid = NULL WHERE id = 3")
    proof = sides.prove(EVERYTHING)
    assert [(found.column, found.key) for found in proof.mismatches] == [("c_int2", "Id=3"), ("c_uuid", "Id=3")]


def test_a_source_value_that_does_not_fit_is_named_with_the_reason(sides: Sides) -> None:
    sides.source.execute("UPDATE Everything SET c_int4 = 'seven' WHERE Id = 2")
    found = assert_one_value(sides.prove(EVERYTHING), "c_int4", "Id=2")
    assert found.source == "text, 5 characters"
    assert "has no form in integer: it is stored as a text" in found.message


def test_values_are_shown_only_when_asked_for(sides: Sides) -> None:
    sides.plant("UPDATE everything SET c_text = 'hush hush' WHERE id = 2")
    hidden, shown = sides.prove(EVERYTHING), sides.prove(EVERYTHING, show_values=True)
    assert "Zoë" not in to_json(hidden.mismatches)
    assert "hush" not in to_json(hidden.mismatches)
    assert (hidden.mismatches[0].source, hidden.mismatches[0].target) == (
        "text, 0 characters",
        "character varying(40), 9 characters",
    )
    assert (shown.mismatches[0].source, shown.mismatches[0].target) == ("''", "'hush hush'")


# ---------------------------------------------------------------------------------------------------------------------
# Rows of tables with a key


@pytest.mark.parametrize("key", [-2, 0, 3, 6])
def test_one_lost_row_is_named(sides: Sides, key: int) -> None:
    sides.plant(f"DELETE FROM everything WHERE id = {key}")
    proof = sides.prove(EVERYTHING)
    found = the_one(proof)
    assert (found.kind, found.key, found.target) == ("row-missing", f"Id={key}", "absent")
    assert (proof.rows_source, proof.rows_target) == (ROWS, ROWS - 1)
    assert proof.values_compared == (ROWS - 1) * len(EVERYTHING.columns)


@pytest.mark.parametrize("key", [-100, 100])
def test_one_extra_row_is_named(sides: Sides, key: int) -> None:
    sides.plant(f"INSERT INTO everything (id) VALUES ({key})")
    found = the_one(sides.prove(EVERYTHING))
    assert (found.kind, found.key, found.source) == ("row-extra", f"Id={key}", "absent")


def test_a_changed_key_is_a_lost_and_an_extra_row(sides: Sides) -> None:
    sides.plant("UPDATE named SET name = 'Ab' WHERE name = 'ab'")
    proof = sides.prove(NAMED)
    assert {(found.kind, found.key) for found in proof.mismatches} == {
        ("row-missing", "name='ab'"),
        ("row-extra", "name='Ab'"),
    }


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_lost_added_and_changed_at_once_is_told_apart(sides: Sides, seed: int) -> None:
    many = TableMap(
        source="many", target="many", columns=(column("id", "int8"), column("v", "text")), key=("id",), rows=60
    )
    make_table(sides, many, [[same(number * 2), same(f"v{number}")] for number in range(60)])
    generator = random.Random(seed)
    lost, changed = generator.sample(range(60), 12), generator.sample(range(60), 12)
    extra = generator.sample(range(60), 12)
    changed = [number for number in changed if number not in lost]
    sides.plant(f"DELETE FROM many WHERE id IN ({', '.join(str(2 * number) for number in lost)})")
    sides.plant(f"UPDATE many SET v = v || '!' WHERE id IN ({', '.join(str(2 * number) for number in changed)})")
    sides.plant("INSERT INTO many VALUES " + ", ".join(f"({2 * number + 1}, 'x')" for number in extra))
    sides.batch_rows, sides.block_bytes = generator.randint(1, 70), generator.randint(1, 300)
    proof = sides.prove(many)
    assert {(found.kind, found.key) for found in proof.mismatches} == {
        *(("row-missing", f"id={2 * number}") for number in lost),
        *(("value", f"id={2 * number}") for number in changed),
        *(("row-extra", f"id={2 * number + 1}") for number in extra),
    }
    assert proof.mismatch_count == len(lost) + len(changed) + len(extra)
    assert proof.method == "merge by primary key"


def test_a_hundred_mismatches_are_listed_and_all_are_counted(sides: Sides) -> None:
    columns = (column("id", "int8"), column("a", "text"), column("b", "int8"))
    for key in (("id",), ()):
        many = TableMap(source=f"many{len(key)}", target=f"many{len(key)}", columns=columns, key=key)
        make_table(sides, many, [[same(number), same("x"), same(number)] for number in range(200)])
        sides.plant(f"UPDATE {many.target} SET a = 'y', b = -b - 1 WHERE id < 30")
        sides.plant(f"DELETE FROM {many.target} WHERE id >= 30 AND id < 150")
        proof = sides.prove(many)
        assert len(proof.mismatches) == 100
        assert proof.mismatch_count >= 30 + 120
        if key:
            assert proof.mismatch_count == 2 * 30 + 120


# ---------------------------------------------------------------------------------------------------------------------
# Keys whose order the sides do not share


def test_mixed_storage_classes_in_the_key_fall_back_and_name_exactly(sides: Sides) -> None:
    sides.source.execute("UPDATE named SET name = 10 WHERE name = 'ab'")
    sides.source.execute("INSERT INTO named VALUES (9, 100)")
    sides.plant("UPDATE named SET name = '10' WHERE name = 'ab'")
    sides.plant("INSERT INTO named VALUES ('9', 100)")
    proof = sides.prove(NAMED)
    assert (proof.verdict, proof.method) == ("proven", "multiset")
    sides.plant("UPDATE named SET v = 99 WHERE name = '10'")
    found = assert_one_value(sides.prove(NAMED), "v", "name=10")
    assert found.message == "the values differ"


def test_uuids_spelled_in_two_ways_fall_back_and_name_exactly(sides: Sides) -> None:
    changed = sides.source.execute("UPDATE tokens SET id = upper(id) WHERE id > 'c'").rowcount
    assert 0 < changed < 10  # the file's order is now digits, C to F, a and b
    assert sides.prove(TOKENS).verdict == "proven"
    assert sides.prove(TOKENS).method == "multiset"
    sides.plant("UPDATE tokens SET v = 'x' WHERE ctid IN (SELECT max(ctid) FROM tokens)")
    sides.plant("DELETE FROM tokens WHERE ctid IN (SELECT min(ctid) FROM tokens)")
    sides.plant(f"INSERT INTO tokens VALUES ('{'f' * 32}', 'new')")
    proof = sides.prove(TOKENS)
    assert [found.kind for found in proof.mismatches].count("value") == 1
    assert sorted(found.kind for found in proof.mismatches) == ["row-extra", "row-missing", "value"]
    assert "id='ffffffff-ffff-ffff-ffff-ffffffffffff'" in {found.key for found in proof.mismatches}
    assert proof.mismatch_count == 3


def test_a_utf_16_file_is_proven_although_it_orders_texts_otherwise(sides: Sides, tmp_path: Path) -> None:
    rows = sides.source.execute("SELECT name, v FROM named").fetchall()
    sides.file = tmp_path / "utf16.sqlite"
    with closing(sqlite3.connect(sides.file)) as utf16:
        utf16.execute("PRAGMA encoding = 'UTF-16le'")
        utf16.execute("CREATE TABLE named (name, v, PRIMARY KEY (name))")
        utf16.executemany("INSERT INTO named VALUES (?, ?)", rows)
        utf16.commit()
    for encoding in ("UTF-16le", "UTF-8"):  # the second is a lie: SQLite's own order, which the proof must notice
        sides.encoding = encoding
        assert sides.prove(NAMED).verdict == "proven"
    assert sides.prove(NAMED).method == "multiset"
    sides.plant("DELETE FROM named WHERE name = 'é'")
    found = the_one(sides.prove(NAMED))
    assert (found.kind, found.key) == ("row-missing", "name='é'")


def test_a_null_in_the_key_falls_back(sides: Sides) -> None:
    sides.source.execute("INSERT INTO named VALUES (NULL, 100)")
    sides.plant("ALTER TABLE named DROP CONSTRAINT named_pkey")
    sides.plant("ALTER TABLE named ALTER name DROP NOT NULL")
    sides.plant("INSERT INTO named VALUES (NULL, 100)")
    assert sides.prove(NAMED).verdict == "proven"
    sides.plant("UPDATE named SET v = 101 WHERE name IS NULL")
    assert_one_value(sides.prove(NAMED), "v", "name=NULL")


# ---------------------------------------------------------------------------------------------------------------------
# Tables without a key


@pytest.mark.parametrize(("column", "literal"), [("a", "33"), ("b", "'drei'"), ("c", "0.1250000001"), ("d", "NULL")])
def test_one_changed_cell_without_a_key_is_named_by_column_and_rowid(sides: Sides, column: str, literal: str) -> None:
    sides.plant(f"UPDATE bag SET {column} = {literal} WHERE a = 3")
    assert_one_value(sides.prove(BAG), column, "rowid=4")


def test_a_changed_cell_of_one_of_two_equal_rows_is_named(sides: Sides) -> None:
    sides.plant("UPDATE bag SET c = 0.75 WHERE ctid = (SELECT min(ctid) FROM bag)")
    assert_one_value(sides.prove(BAG), "c", "rowid=1 or 2")


def test_a_lost_row_without_a_key_is_named(sides: Sides) -> None:
    sides.plant("DELETE FROM bag WHERE a = 2")
    found = the_one(sides.prove(BAG))
    assert (found.kind, found.key, found.source, found.target) == ("row-missing", "rowid=3", "present once", "absent")


def test_a_doubled_row_without_a_key_is_named(sides: Sides) -> None:
    sides.plant("INSERT INTO bag SELECT * FROM bag WHERE a = 2")
    found = the_one(sides.prove(BAG))
    assert (found.kind, found.key) == ("row-extra", "rowid=3")
    assert found.message == "the row is present 2 times in the target, once in the source"


def test_one_of_two_equal_rows_lost_is_named(sides: Sides) -> None:
    sides.plant("DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag)")
    found = the_one(sides.prove(BAG))
    assert (found.kind, found.key) == ("row-missing", "rowid=1 or 2")
    assert found.message == "the row is present once in the target, 2 times in the source"


def test_an_extra_row_without_a_key_is_named_by_its_place_in_the_target(sides: Sides) -> None:
    sides.plant("INSERT INTO bag VALUES (9, 'nine', 9, '')")
    found = the_one(sides.prove(BAG))
    assert (found.kind, found.key, found.source) == ("row-extra", "ctid=(0,5)", "absent")


def test_a_lost_and_a_doubled_row_do_not_hide_each_other(sides: Sides) -> None:
    sides.plant("DELETE FROM bag WHERE a = 2")
    sides.plant("INSERT INTO bag SELECT * FROM bag WHERE a = 3")
    proof = sides.prove(BAG)
    assert proof.rows_source == proof.rows_target
    assert {(found.kind, found.key) for found in proof.mismatches} == {
        ("row-missing", "rowid=3"),
        ("row-extra", "rowid=4"),
    }


def test_values_swapped_without_a_key_are_both_named(sides: Sides) -> None:
    sides.plant("UPDATE bag SET b = CASE a WHEN 2 THEN 'three' ELSE 'two' END WHERE a IN (2, 3)")
    proof = sides.prove(BAG)
    assert [(found.kind, found.column, found.key) for found in proof.mismatches] == [
        ("value", "b", "rowid=3"),
        ("value", "b", "rowid=4"),
    ]


def test_changed_rows_without_a_key_are_paired_with_those_that_they_resemble_most(sides: Sides) -> None:
    rows = [(5, "same", 1.5, b""), (5, "same", 2.5, b"\1")]
    like = replace(BAG, source="alike", target="alike")
    make_table(sides, like, [[same(value) for value in row] for row in rows])
    sides.plant("UPDATE alike SET c = 9 WHERE d = ''")
    sides.plant("UPDATE alike SET a = 6 WHERE d <> ''")
    proof = sides.prove(like)
    assert [(found.kind, found.column, found.key) for found in proof.mismatches] == [
        ("value", "c", "rowid=1"),
        ("value", "a", "rowid=2"),
    ]


def test_one_of_two_equal_rows_changed_and_the_other_lost_are_told_apart(sides: Sides) -> None:
    sides.plant("UPDATE bag SET c = 0.75 WHERE ctid = (SELECT min(ctid) FROM bag)")
    sides.plant("DELETE FROM bag WHERE a = 1 AND c = 0.5")
    proof = sides.prove(BAG)
    assert [(found.kind, found.column, found.key) for found in proof.mismatches] == [
        ("value", "c", "rowid=1 or 2"),
        ("row-missing", None, "rowid=1 or 2"),
    ]
    assert proof.mismatches[1].message == "the row is present once in the target, 2 times in the source"
    assert proof.mismatch_count == 2


def test_equal_rows_changed_alike_are_counted_each(sides: Sides) -> None:
    sides.plant("UPDATE bag SET c = 0.75 WHERE a = 1")
    proof = sides.prove(BAG)
    (found,) = proof.mismatches
    assert (found.kind, found.column, found.message) == ("value", "c", "the values differ, in 2 equal rows")
    assert proof.mismatch_count == 2


def test_huge_values_are_described_not_kept(sides: Sides) -> None:
    sides.source.execute("UPDATE bag SET d = zeroblob(3000000) WHERE a = 3")
    sides.plant("UPDATE bag SET d = decode(repeat('00', 2999999), 'hex') WHERE a = 3")
    found = assert_one_value(sides.prove(BAG), "d", "rowid=4")
    assert (found.source, found.target) == ("blob, 3000000 bytes", "bytea, 2999999 bytes")


# ---------------------------------------------------------------------------------------------------------------------
# A target that is not what was planned


def test_a_table_that_is_not_there_is_reported(sides: Sides) -> None:
    sides.plant("DROP TABLE everything")
    proof = sides.prove(EVERYTHING)
    found = the_one(proof)
    assert (found.kind, found.target, proof.method) == ("row-count", "no table", "not compared")


def test_a_column_that_is_not_there_leaves_the_others_compared(sides: Sides) -> None:
    sides.plant("ALTER TABLE everything DROP COLUMN c_text")
    proof = sides.prove(EVERYTHING)
    assert (proof.verdict, proof.mismatch_count) == ("mismatch", 0)  # verify_objects names the column
    assert proof.values_compared == ROWS * (len(EVERYTHING.columns) - 1)
    sides.plant("UPDATE everything SET c_int2 = 100 WHERE id = 3")
    assert_one_value(sides.prove(EVERYTHING), "c_int2", "Id=3")
    sides.plant("ALTER TABLE everything DROP COLUMN id")
    proof = sides.prove(EVERYTHING)
    assert proof.method == "multiset"
    assert_one_value(proof, "c_int2", "rowid=6")


def test_a_changed_type_still_compares_what_is_there(sides: Sides) -> None:
    sides.plant("ALTER TABLE everything ALTER c_timestamp TYPE text")
    sides.plant("UPDATE everything SET c_timestamp = 'yesterday' WHERE id = 2")
    assert_one_value(sides.prove(EVERYTHING), "c_timestamp", "Id=2")


# ---------------------------------------------------------------------------------------------------------------------
# The time zone and the styles of the role must not matter


def test_the_roles_settings_do_not_reach_the_proof(sides: Sides) -> None:
    for setting in (
        "timezone = 'Asia/Kolkata'",
        "datestyle = 'SQL, DMY'",
        "extra_float_digits = -5",
        "bytea_output = escape",
    ):
        sides.plant(f"ALTER ROLE ferry SET {setting}")
    try:
        sides.prove_all()
    finally:
        sides.plant("ALTER ROLE ferry RESET ALL")


def test_days_are_days_wherever_the_machine_is(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        assert dt.datetime.now().astimezone().utcoffset() == dt.timedelta(hours=14)
        assert sides.prove(EVERYTHING).verdict == "proven"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_json_of_a_proof_has_no_bytes_in_it(sides: Sides) -> None:
    sides.plant("UPDATE everything SET c_bytea = '', c_jsonb = '[]' WHERE id = -2")
    assert json.loads(to_json(sides.prove(EVERYTHING).mismatches, indent=0))
