"""Reading rows and taking the census, from real files."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from liteferry import pace
from liteferry.census import InvalidText
from liteferry.compare import Text
from liteferry.errors import MigrationError
from liteferry.model import Event, Orphans, Sample, Span
from liteferry.source import readers
from liteferry.source.snapshot import BATCH_BYTES, Snapshot, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MODES = ("copy", "none")


@contextmanager
def snapshot_of(
    tmp_path: Path, schema: str, mode: str = "copy", **tables: Sequence[Sequence[Any]]
) -> Iterator[Snapshot]:
    """A snapshot of a database with this schema and these rows."""
    path = tmp_path / "data.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(schema)
        for name, rows in tables.items():
            connection.execute("BEGIN")
            connection.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(rows[0]))})', rows)
            connection.execute("COMMIT")
    with open_snapshot(path, directory=tmp_path / "run", mode=mode) as snapshot:  # type: ignore[arg-type]  # a literal
        yield snapshot


def read(snapshot: Snapshot, table: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    found = snapshot.read_catalog().table(table)
    return [row for batch in snapshot.read_rows(found, columns, **options) for row in batch]


def read_storage(snapshot: Snapshot, table: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    order_by = options.pop("order_by", ())
    return [row for batch in snapshot.read_storage_rows(table, columns, order_by, **options) for row in batch]


def with_types(rows: Sequence[Sequence[object]]) -> list[list[tuple[type, object]]]:
    return [[(type(value), value) for value in row] for row in rows]


VALUES = (
    None,
    0,
    -(2**63),
    2**63 - 1,
    0.1,
    float("inf"),
    -0.0,
    "",
    "tab\t€😀",
    "a\0b",
    b"",
    bytes(range(256)),
)


@pytest.mark.parametrize("mode", MODES)
def test_every_value_by_its_storage_class(tmp_path: Path, mode: str) -> None:
    rows = [(index, value) for index, value in enumerate(VALUES)]
    with snapshot_of(tmp_path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)", mode, t=rows) as snapshot:
        loaded = read(snapshot, "t", "id", "v")
        assert with_types(loaded) == with_types(rows)
        assert str(loaded[6][1]) == "-0.0"
        proven = read_storage(snapshot, "t", "v", order_by=["id"])
        expected = [(Text(value.encode()) if isinstance(value, str) else value,) for value in VALUES]
        assert with_types(proven) == with_types(expected)


@pytest.mark.parametrize("mode", MODES)
def test_text_that_is_not_utf8(tmp_path: Path, mode: str) -> None:
    schema = """
        CREATE TABLE t (k TEXT PRIMARY KEY, a TEXT, b BLOB);
        INSERT INTO t VALUES ('fine', 'ä', x'ff'), ('bad', CAST(x'41ff' AS TEXT), x'ff'), ('nul', char(0), NULL);
    """
    with snapshot_of(tmp_path, schema, mode) as snapshot:
        census = snapshot.take_census(snapshot.read_catalog())
        found = {offence.name: offence.samples for offence in census.table("t").column("a").offences}
        assert {name: [sample.key for sample in samples] for name, samples in found.items()} == {
            "nul": ["k='nul'"],
            "invalid-utf8": ["k='bad'"],
        }
        assert read(snapshot, "t", "a", "b", invalid_text=True) == [
            ("ä", b"\xff"),
            (InvalidText(b"A\xff"), b"\xff"),
            ("\0", None),
        ]
        assert type(read(snapshot, "t", "a", invalid_text=True)[1][0]) is InvalidText
        assert read_storage(snapshot, "t", "a")[1] == (Text(b"A\xff"),)
        assert read(snapshot, "t", "k", "b")  # a column that is not read does not matter
        with pytest.raises(MigrationError) as caught:
            read(snapshot, "t", "b", "a")
    assert (caught.value.code, caught.value.where) == ("value-misfit", "table t, column a, key k='bad'")


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("mode", MODES)
def test_utf16(tmp_path: Path, encoding: str, mode: str) -> None:
    texts = ["z", "ä", "\uffee", "😀", "a\0b", ""]  # UTF-16 sorts 😀 before U+FFEE, and its bytes otherwise still
    half = "0041d8000042" if encoding == "UTF-16be" else "410000d84200"  # the first half of a pair, then a B
    schema = f"""
        PRAGMA encoding = '{encoding}';
        CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
        CREATE TABLE bad (id INTEGER PRIMARY KEY, v TEXT, w);
        INSERT INTO bad VALUES (1, 'fine', 1), (2, CAST(x'{half}' AS TEXT), x'00'), (3, 4, 5.5);
    """
    with snapshot_of(tmp_path, schema, mode, t=list(enumerate(texts))) as snapshot:
        assert snapshot.info.encoding == encoding
        assert [row[0] for row in read(snapshot, "t", "v")] == texts
        ordered = [row[0] for row in read_storage(snapshot, "t", "v", order_by=["v"])]
        assert ordered == sorted(Text(text.encode()) for text in texts)
        census = snapshot.take_census(snapshot.read_catalog())
        assert census.table("t").column("v").texts == len(texts)
        assert [offence.name for offence in census.table("t").column("v").offences] == ["nul"]
        assert census.table("t").max_rowid == 5
        found = census.table("bad").column("v").offence("invalid-utf8")
        assert found is not None
        assert (found.count, found.samples[0].key) == (1, "id=2")


def test_order_for_the_proof_is_bytewise_whatever_the_collation(tmp_path: Path) -> None:
    rows = [("b", 1), ("A", 2), ("a", 3), ("B", 4), (None, 5), (2, 6), (1.5, 7), (b"A", 8), ("é", 9), ("Z ", 10)]
    schema = "CREATE TABLE t (k TEXT COLLATE NOCASE, n INT); CREATE INDEX i ON t (k)"
    with snapshot_of(tmp_path, schema.replace("TEXT ", ""), t=rows) as snapshot:
        ordered = [row[0] for row in read_storage(snapshot, "t", "n", order_by=["k", "n"])]
        assert ordered == [5, 7, 6, 2, 4, 10, 3, 1, 9, 8]
        assert [row[0] for row in read_storage(snapshot, "t", "n")] == list(range(1, 11))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("id INTEGER PRIMARY KEY, v", [3, 7]),
        ("id INT PRIMARY KEY, v", [1, 2]),
        ("rowid TEXT, v", [1, 2]),
        ("rowid, _rowid_", [1, 2]),
    ],
)
def test_rowid_for_the_proof(tmp_path: Path, columns: str, expected: list[int]) -> None:
    with snapshot_of(tmp_path, f"CREATE TABLE t ({columns})", t=[(7, "x"), (3, "y")]) as snapshot:
        rows = read_storage(snapshot, "t", snapshot.read_catalog().tables[0].columns[1].name, with_rowid=True)
        assert [row[0] for row in rows] == expected
        census = snapshot.take_census(snapshot.read_catalog())
        assert census.tables[0].max_rowid == max(expected)


def test_no_rowid_to_be_had(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE w (a TEXT, b INT, PRIMARY KEY (b, a)) WITHOUT ROWID;
        CREATE TABLE s (rowid, _rowid_, oid);
    """
    rows = [("x", 2), ("y", 1), ("a", 2)]
    with snapshot_of(tmp_path, schema, w=rows, s=[(9, 9, 9), (8, 8, 8)]) as snapshot:
        assert read_storage(snapshot, "w", "a", "b", with_rowid=True)[0] == (None, Text(b"y"), 1)
        assert read(snapshot, "w", "a", "b") == [("y", 1), ("a", 2), ("x", 2)]
        assert read_storage(snapshot, "s", "oid", with_rowid=True) == [(None, 9), (None, 8)]
        census = snapshot.take_census(snapshot.read_catalog())
        assert [(table.rows, table.max_rowid) for table in census.tables] == [(3, None), (2, 2)]


def test_rows_come_from_the_table_and_not_from_an_index(tmp_path: Path) -> None:
    schema = "CREATE TABLE t (a TEXT, b, PRIMARY KEY (a)); CREATE INDEX covering ON t (b, a)"
    with snapshot_of(tmp_path, schema, t=[("x", 1)]) as snapshot, closing(sqlite3.connect(":memory:")) as connection:
        statements: list[str] = []
        snapshot.read_catalog()
        for reader in snapshot._idle:
            reader.connection.set_trace_callback(statements.append)
        read(snapshot, "t", "b", "a")
        read_storage(snapshot, "t", "b", "a", order_by=["a"])
        snapshot.take_census(snapshot.read_catalog())
        connection.executescript(schema)
        selects = [sql for sql in statements if sql.startswith("SELECT") and "sqlite_" not in sql]
        assert len(selects) >= 4
        for sql in selects:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
            assert not [step for *_, step in plan if "INDEX" in step], sql


def test_generated_columns(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE t (a INT, v AS (a * 2), s TEXT AS (a || 'x') STORED, j AS (json_array(a)));
        INSERT INTO t VALUES (4), (5);
    """
    with snapshot_of(tmp_path, schema) as snapshot:
        assert read_storage(snapshot, "t", "v", "s", "j", order_by=["v"]) == [
            (8, b"4x", b"[4]"),
            (10, b"5x", b"[5]"),
        ]
        assert snapshot.take_census(snapshot.read_catalog()).table("t").column("v").max_integer == 10


def test_a_generated_column_that_takes_too_long_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_COMPUTED_BATCH_S", 0.02)
    schema = "CREATE TABLE t (a INT, b AS (instr(hex(zeroblob(1000000 + a)), 'x')))"
    with snapshot_of(tmp_path, schema + "; INSERT INTO t (a) VALUES (1)" + ", (2)" * 100) as snapshot:
        with pytest.raises(MigrationError) as caught:
            read_storage(snapshot, "t", "b")
        assert (caught.value.code, caught.value.table) == ("schema-unreadable", "t")
        assert len(read(snapshot, "t", "a")) == 101  # the connection is as good as before


def test_a_function_that_only_the_application_has(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("own", 1, lambda value: value, deterministic=True)
        connection.executescript("CREATE TABLE t (a, b AS (own(a))); INSERT INTO t VALUES (1)")
    with open_snapshot(path, directory=tmp_path / "run") as snapshot:
        assert read(snapshot, "t", "a") == [(1,)]
        with pytest.raises(MigrationError) as caught:
            read_storage(snapshot, "t", "b")
        assert (caught.value.code, caught.value.table) == ("schema-unreadable", "t")
        assert "own()" in caught.value.what


def test_names_are_quoted_and_unknown_ones_are_no_texts(tmp_path: Path) -> None:
    schema = """CREATE TABLE "a""b; --" ("select" INT, "x""y" INT); INSERT INTO "a""b; --" VALUES (1, 2)"""
    with snapshot_of(tmp_path, schema) as snapshot:
        assert read(snapshot, 'a"b; --', "select", 'x"y') == [(1, 2)]
        assert read_storage(snapshot, 'a"b; --', 'x"y', order_by=["select"]) == [(2,)]
        with pytest.raises(MigrationError):  # SQLite by itself would read "nothing" as the text 'nothing'
            read_storage(snapshot, 'a"b; --', "nothing")


# ---------------------------------------------------------------------------------------------------------------------
# Memory


@pytest.mark.parametrize("mode", MODES)
def test_batches_are_bounded_by_bytes(tmp_path: Path, mode: str) -> None:
    large = BATCH_BYTES // 3
    rows = [(index, b"x" * (large if index % 50 == 0 else 10)) for index in range(300)]
    with snapshot_of(tmp_path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)", mode, t=rows) as snapshot:
        table = snapshot.read_catalog().table("t")
        for batches in (
            list(snapshot.read_rows(table, ["v"])),
            list(snapshot.read_storage_rows("t", ["v"], ["id"])),
        ):
            sizes = [sum(len(row[0]) for row in batch) for batch in batches]  # type: ignore[arg-type, misc]  # blobs
            assert max(sizes) < BATCH_BYTES + large
            assert len(batches) < 5  # and not a batch a row
            assert [row for batch in batches for row in batch] == [(value,) for _, value in rows]


def test_batches_are_bounded_by_rows(tmp_path: Path) -> None:
    rows = [(index,) for index in range(2500)]
    with snapshot_of(tmp_path, "CREATE TABLE t (id INTEGER PRIMARY KEY)", t=rows) as snapshot:
        table = snapshot.read_catalog().table("t")
        assert [len(batch) for batch in snapshot.read_rows(table, ["id"])] == [1000, 1000, 500]
        assert [len(batch) for batch in snapshot.read_rows(table, ["id"], batch_rows=2000)] == [2000, 500]


@pytest.mark.parametrize(
    ("span", "ids"),
    [
        (None, [-3, 1, 2, 7]),
        (Span(), [-3, 1, 2, 7]),
        (Span(high=1), [-3, 1]),
        (Span(low=2), [2, 7]),
        (Span(low=-3, high=-3), [-3]),
        (Span(low=3, high=6), []),
    ],
)
@pytest.mark.parametrize("schema", ["CREATE TABLE t (id INTEGER PRIMARY KEY)", "CREATE TABLE t (id, rowid TEXT)"])
def test_rows_of_a_span(tmp_path: Path, schema: str, span: Span | None, ids: list[int]) -> None:
    values = ", ".join(f"({number}, {number})" for number in (7, -3, 2, 1))
    with snapshot_of(tmp_path, f"{schema}; INSERT INTO t (_rowid_, id) VALUES {values}") as snapshot:
        table = snapshot.read_catalog().table("t")
        assert [row[0] for batch in snapshot.read_rows(table, ["id"], span=span) for row in batch] == ids
        assert [row[0] for batch in snapshot.read_storage_rows("t", ["id"], ["id"], span=span) for row in batch] == ids


@pytest.mark.parametrize(
    ("schema", "mode", "is_given"),
    [("", "copy", True), ("PRAGMA encoding = 'UTF-16le'; ", "copy", False), ("", "none", False)],
)
def test_where_the_compiled_parts_may_read(tmp_path: Path, schema: str, mode: str, *, is_given: bool) -> None:
    with snapshot_of(tmp_path, f"{schema}CREATE TABLE t (v TEXT)", mode) as snapshot:
        place = snapshot.locate_copy()
        assert (place.uri if place else None) == (f"file://{snapshot.file}?mode=ro" if is_given else None)


def test_many_columns(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(2000)]
    schema = f"CREATE TABLE t ({', '.join(names)}); INSERT INTO t (c0, c1999) VALUES (1, 2), (3, 4)"
    with snapshot_of(tmp_path, schema) as snapshot:
        assert [(row[0], row[-1]) for row in read(snapshot, "t", *names)] == [(1, 2), (3, 4)]
        census = snapshot.take_census(snapshot.read_catalog())
        assert census.tables[0].column("c1999").max_integer == 4


@pytest.mark.parametrize("mode", MODES)
def test_memory_stays_bounded_with_large_rows(tmp_path: Path, mode: str) -> None:
    """40 rows of 4 MB: whatever reads them needs the memory of a few."""
    path = tmp_path / "data.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB, w TEXT)")
        for number in range(40):
            connection.execute("INSERT INTO t VALUES (?, zeroblob(2000000), ?)", [number, "x" * 2_000_000])
        connection.commit()
    script = """
        import resource, sys
        from pathlib import Path
        from liteferry.source import open_snapshot
        with open_snapshot(sys.argv[1], directory=Path(sys.argv[2]), mode=sys.argv[3]) as snapshot:
            catalog = snapshot.read_catalog()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            snapshot.take_census(catalog)
            assert sum(len(batch) for batch in snapshot.read_rows(catalog.table("t"), ["v", "w"])) == 40
            assert sum(len(batch) for batch in snapshot.read_storage_rows("t", ["v", "w"], ["id"])) == 40
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print((after - before) * (1 if sys.platform == "darwin" else 1024))
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), path, tmp_path / "run", mode],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(result.stdout) < 80_000_000


# ---------------------------------------------------------------------------------------------------------------------
# Threads


@pytest.mark.parametrize("mode", MODES)
def test_several_readers_at_once(tmp_path: Path, mode: str) -> None:
    rows = [(index, f"text {index}" * 5) for index in range(20_000)]
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"
    with snapshot_of(tmp_path, schema, mode, t=rows) as snapshot:
        table = snapshot.read_catalog().table("t")
        results: list[object] = []

        def load() -> None:
            results.append([row for batch in snapshot.read_rows(table, ["id", "v"], batch_rows=97) for row in batch])

        def prove() -> None:
            found = read_storage(snapshot, "t", "id", "v", order_by=["v", "id"])
            assert all(type(text) is Text for _, text in found)
            results.append(sorted((number, text.decode()) for number, text in found))

        def leave_early() -> None:
            for _ in range(20):
                next(snapshot.read_storage_rows("t", ["v"], ["id"]))
            results.append(rows)

        threads = [threading.Thread(target=work) for work in (load, prove, leave_early, load, prove)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [rows] * len(threads)


def test_connections_are_used_again(tmp_path: Path) -> None:
    with snapshot_of(tmp_path, "CREATE TABLE t (id INTEGER PRIMARY KEY)", t=[(1,)]) as snapshot:
        for _ in range(5):
            read(snapshot, "t", "id")
        assert len(snapshot._idle) == 1


# ---------------------------------------------------------------------------------------------------------------------
# The census


def test_census_of_chosen_tables_with_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "TELL_EVERY_S", 0.0)
    monkeypatch.setenv("LITEFERRY_COMPILED", "none")  # which tells less often
    schema = "CREATE TABLE a (x INT); CREATE TABLE b (x TEXT)"
    events: list[Event] = []
    with snapshot_of(tmp_path, schema, a=[(1,), ("odd",)], b=[("y",)] * 1500) as snapshot:
        catalog = snapshot.read_catalog()
        census = snapshot.take_census(catalog, ["b"], events.append)
        assert [table.table for table in census.tables] == ["b"]
        assert [(event.table, event.rows) for event in events] == [("b", 1000), ("b", 1500), ("b", 1500)]
        assert events[-1].kind == "step-end"
        whole = snapshot.take_census(catalog)
    assert [(table.table, table.rows) for table in whole.tables] == [("a", 2), ("b", 1500)]
    (offence,) = whole.table("a").column("x").offences
    assert (offence.name, offence.samples) == ("class", (Sample(key="rowid=2", why="text, 3 characters"),))


ORPHANS = """
    CREATE TABLE parent (id INTEGER PRIMARY KEY, code TEXT COLLATE NOCASE UNIQUE, a, b REAL, UNIQUE (a, b));
    INSERT INTO parent VALUES (1, 'One', 'x', 1.0), (2, '2', 'x', 2.0), (3, 'é', NULL, NULL);
"""


@pytest.mark.parametrize(
    ("child", "rows", "orphans", "sqlite_says"),
    [
        ("a INT REFERENCES parent", "(1), (2), (NULL), (4), ('x')", 2, 2),
        ("a TEXT REFERENCES parent", "('1'), ('01'), ('1.0'), ('one')", 1, 1),  # the parent's INTEGER affinity
        ("a REFERENCES parent (code)", "('one'), ('ONE'), (2), ('É')", 1, 1),  # its affinity, and its NOCASE
        ("a INT REFERENCES parent (code)", "(2), (1)", 1, 1),
        ("a, b, FOREIGN KEY (a, b) REFERENCES parent (a, b)", "('x', 1), ('x', '2'), ('y', 1), ('y', NULL)", 1, 1),
        ("a, b, FOREIGN KEY (b, a) REFERENCES parent (b, a)", "('x', 1), ('x', 3)", 1, 1),
        ("a INTEGER PRIMARY KEY, b REFERENCES child", "(1, NULL), (2, 1), (3, 3), (4, 9)", 1, 1),
        ("a REFERENCES nowhere", "(1)", 0, 1),  # a finding of its own
        ("a REFERENCES parent (absent)", "(1)", 0, "mismatch"),
        ("a REFERENCES parent (b)", "(1), (2), (3)", 1, "mismatch"),  # not unique there, and still looked up
    ],
)
def test_orphans(tmp_path: Path, child: str, rows: str, orphans: int, sqlite_says: int | str) -> None:
    schema = f"{ORPHANS} CREATE TABLE child ({child}); INSERT INTO child VALUES {rows}"
    with snapshot_of(tmp_path, schema) as snapshot:
        census = snapshot.take_census(snapshot.read_catalog())
    assert sum(found.count for found in census.orphans if not found.exact) == orphans
    with closing(sqlite3.connect(tmp_path / "data.db")) as connection:
        found: int | str
        try:
            found = len(connection.execute("PRAGMA foreign_key_check(child)").fetchall())
        except sqlite3.OperationalError as error:
            found = str(error)
    assert found == sqlite_says or ("mismatch" in str(found) and sqlite_says == "mismatch")


def test_orphans_are_counted_byte_for_byte_too(tmp_path: Path) -> None:
    """Where the parent has a collation: what becomes of the foreign key depends on what becomes of that."""
    schema = f"""{ORPHANS} CREATE TABLE child (a REFERENCES parent (code), b REFERENCES parent);
        INSERT INTO child VALUES ('one', 1), ('ONE', 7), (2, 2), ('É', 3)"""
    with snapshot_of(tmp_path, schema) as snapshot:
        census = snapshot.take_census(snapshot.read_catalog())
    counted = {(found.foreign_key, found.exact): found.count for found in census.orphans}
    parents = {key.columns: number for number, key in enumerate(snapshot.read_catalog().table("child").foreign_keys)}
    assert counted == {(parents["a",], False): 1, (parents["a",], True): 3, (parents["b",], False): 1}


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_texts_that_look_alike_are_counted(tmp_path: Path, encoding: str) -> None:
    schema = f"""PRAGMA encoding = '{encoding}';
        CREATE TABLE t (k TEXT PRIMARY KEY, word TEXT COLLATE NOCASE, plain TEXT, same TEXT COLLATE NOCASE);
        INSERT INTO t VALUES ('a', 'Émile', 'é', 'ann'), ('b', 'ÉMILE', 'É', 'ANN'), ('c', 'Ann', 'x', 'Ann'),
            ('d', 'ANN', 'X', NULL), ('e', 'a' || char(1) || 'nn', 'y', 'b'), ('f', 'émile', 'z', 'é'),
            ('g', x'ff', 'y', 7), ('h', 'zoë', 'y', '')"""
    with snapshot_of(tmp_path, schema) as snapshot:
        census = snapshot.take_census(snapshot.read_catalog())
    word, same = census.twins
    assert (word.table, word.column, word.beyond_ascii, word.count) == ("t", "word", 5, 6)
    assert {sample.key for sample in word.samples} <= {f"k='{key}'" for key in "abcdef"}
    assert len(word.samples) == 5
    assert (same.column, same.beyond_ascii, same.count, same.samples) == ("same", 1, 0, ())


@pytest.mark.parametrize("broken", ["CAST(x'ff41' AS TEXT)", "'a' || char(0) || 'b'"])
def test_texts_that_are_none_do_not_stop_it(tmp_path: Path, broken: str) -> None:
    schema = f"CREATE TABLE t (word TEXT COLLATE NOCASE); INSERT INTO t VALUES ({broken}), ('É'), ('é')"
    with snapshot_of(tmp_path, schema) as snapshot:
        census = snapshot.take_census(snapshot.read_catalog())
    assert [found.count for found in census.twins] == [2]


def test_orphans_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (k TEXT PRIMARY KEY, first REFERENCES parent, second REFERENCES parent);
        CREATE TABLE bare (p REFERENCES parent);
        CREATE TABLE w (k TEXT, n INT, p REFERENCES parent, PRIMARY KEY (k, n)) WITHOUT ROWID;
    """
    child = [*((f"k{number}", 1, number) for number in range(20)), (None, None, 99)]
    with snapshot_of(tmp_path, schema, parent=[(1,)], child=child, bare=[(1,), (8,)], w=[("x", 1, 5)]) as snapshot:
        census = snapshot.take_census(snapshot.read_catalog())
    why = "parent has no such row"
    assert census.orphans == (
        Orphans(
            table="child",
            foreign_key=1,
            count=20,
            samples=tuple(Sample(key=f"k='k{number}'", why=why) for number in (0, 2, 3, 4, 5)),
        ),
        Orphans(table="bare", foreign_key=0, count=1, samples=(Sample(key="rowid=2", why=why),)),
        Orphans(table="w", foreign_key=0, count=1, samples=(Sample(key="k='x', n=1", why=why),)),
    )


@pytest.mark.parametrize("name", ["chinook.sqlite", "northwind.sqlite"])
@pytest.mark.parametrize("mode", MODES)
def test_real_databases(sample_data: Path, tmp_path: Path, name: str, mode: str) -> None:
    before = (sample_data / name).read_bytes()
    with open_snapshot(sample_data / name, directory=tmp_path, mode=mode) as snapshot:  # type: ignore[arg-type]  # a literal
        catalog = snapshot.read_catalog()
        census = snapshot.take_census(catalog)
        with closing(sqlite3.connect(sample_data / name)) as connection:
            connection.text_factory = Text
            for table in catalog.tables:
                columns = [column.name for column in table.columns]
                quoted = ", ".join(f'"{column}"' for column in columns)
                rows = connection.execute(f'SELECT {quoted} FROM "{table.name}" NOT INDEXED').fetchall()
                assert read_storage(snapshot, table.name, *columns) == rows
                assert census.table(table.name).rows == len(rows) == len(read(snapshot, table.name, *columns))
            errors = connection.execute("PRAGMA foreign_key_check").fetchall()
            assert sum(found.count for found in census.orphans) == len(errors)
        assert not [view for view in catalog.views if view.error or not view.columns]
    assert (sample_data / name).read_bytes() == before
