"""The quick comparison of indexes with their tables finds what SQLite's integrity check finds, and nothing else."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from compiled_fuzz import judge
from liteferry.compiled import find_part
from liteferry.errors import MigrationError
from liteferry.source.connection import connect_read_only
from liteferry.source.indexes import find_doubtful, plan_comparison
from liteferry.source.integrity import _is_sound, check_integrity

if TYPE_CHECKING:
    from pathlib import Path

needs_checker = pytest.mark.skipif(
    find_part("_checker") is None, reason="the compiled checker of indexes was not built: it wants a C compiler"
)

ROWS: Final = """
    INSERT INTO t (a, b, c)
    WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    SELECT i * 7919 % 3001, printf('%s%d', CASE i % 3 WHEN 0 THEN 'Ab' WHEN 1 THEN 'aB' ELSE 'zz ' END, i % 500),
        CASE i % 6
            WHEN 0 THEN NULL WHEN 1 THEN i WHEN 2 THEN i * 0.5 WHEN 3 THEN 'c' || i WHEN 4 THEN x'00ff' ELSE ''
        END
    FROM n
"""
TABLE: Final = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c)"


def make(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def behind_its_back(path: Path, index: str, *statements: str, sql: str | None = None) -> None:
    """Change the table while SQLite knows nothing of the index. sql: what the index claims to be afterwards."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        (row,) = db.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE name = ?", [index])
        db.execute("PRAGMA writable_schema = ON")
        db.execute("DELETE FROM sqlite_master WHERE name = ?", [index])
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", [*row[:4], sql or row[4]])


def list_doubtful(path: Path) -> list[str]:
    with closing(connect_read_only(path)) as connection:
        comparison = plan_comparison(connection)
        assert comparison is not None
        return find_doubtful(comparison, path, bytearray(1))


SOUND: Final = {
    "plain": "CREATE INDEX i ON t (a)",
    "two columns, one descending": "CREATE INDEX i ON t (b DESC, a)",
    "any kind of value": "CREATE INDEX i ON t (c)",
    "any kind of value, descending": "CREATE INDEX i ON t (c DESC, b)",
    "without case": "CREATE INDEX i ON t (b COLLATE NOCASE, c)",
    "without blanks at the end": "CREATE INDEX i ON t (b COLLATE RTRIM DESC)",
    "unique": "CREATE UNIQUE INDEX i ON t (a)",
    "unique but for NULL": "CREATE UNIQUE INDEX i ON t (c, a)",
    "on the rowid's own column": "CREATE INDEX i ON t (a, id)",
}


@needs_checker
@pytest.mark.parametrize("index", SOUND.values(), ids=SOUND)
def test_sound_index_is_in_no_doubt(tmp_path: Path, index: str) -> None:
    path = tmp_path / "x.db"
    make(path, TABLE, ROWS, index)
    assert list_doubtful(path) == []


LEFT_OUT: Final = {
    "partial": (TABLE, "CREATE INDEX i ON t (a) WHERE a > 5"),
    "expression": (TABLE, "CREATE INDEX i ON t (a + 1)"),
    "generated": (TABLE.replace(", c)", ", c, d AS (a + 1))"), "CREATE INDEX i ON t (d)"),
    "without rowid": ("CREATE TABLE t (id INTEGER, a INTEGER, b TEXT, c, PRIMARY KEY (a, b)) WITHOUT ROWID",),
    "no name for the rowid": (
        TABLE.replace("id INTEGER PRIMARY KEY", 'rowid, oid, "_ROWID_"'),
        "CREATE INDEX i ON t (a)",
    ),
}


@needs_checker
@pytest.mark.parametrize("statements", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_not_understood_is_left_to_sqlite(tmp_path: Path, statements: tuple[str, ...]) -> None:
    path = tmp_path / "x.db"
    make(path, *statements, ROWS)
    assert list_doubtful(path) == ["t"]
    with closing(connect_read_only(path)) as connection:
        assert _is_sound(connection, path)


DAMAGE: Final = {
    "a row is missing": ("CREATE INDEX i ON t (a)", "INSERT INTO t (a, b) VALUES (1, 'x')", None),
    "a row is missing, one is left": ("CREATE INDEX i ON t (b)", "UPDATE t SET b = 'other' WHERE id = 1500", None),
    "an entry is left": ("CREATE INDEX i ON t (c)", "DELETE FROM t WHERE id = 77", None),
    "an entry has another row": ("CREATE INDEX i ON t (a)", "UPDATE t SET id = 9999 WHERE id = 3", None),
    "an entry has another kind of value": ("CREATE INDEX i ON t (c)", "UPDATE t SET c = '1' WHERE id = 1", None),
    "two rows have changed places": (
        "CREATE INDEX i ON t (b)",
        "UPDATE t SET b = (SELECT b FROM t AS o WHERE o.id = 30 - t.id) WHERE id IN (10, 20)",
        None,
    ),
    "the order is another": ("CREATE INDEX i ON t (a)", "SELECT 1", "CREATE INDEX i ON t (a DESC)"),
    "the collation is another": (
        "CREATE INDEX i ON t (b)",
        "SELECT 1",
        "CREATE INDEX i ON t (b COLLATE NOCASE)",
    ),
    "the column is another": ("CREATE INDEX i ON t (a)", "SELECT 1", "CREATE INDEX i ON t (b)"),
    "not unique": ("CREATE INDEX i ON t (b)", "SELECT 1", "CREATE UNIQUE INDEX i ON t (b)"),
    "partial": ("CREATE INDEX i ON t (a) WHERE a > 5", "INSERT INTO t (a) VALUES (6)", None),
    "expression": ("CREATE INDEX i ON t (a + 1)", "INSERT INTO t (a) VALUES (6)", None),
}


@needs_checker
@pytest.mark.parametrize(("index", "change", "claim"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_found_and_explained_as_ever(tmp_path: Path, index: str, change: str, claim: str | None) -> None:
    path = tmp_path / "x.db"
    make(path, TABLE, ROWS, index, "CREATE TABLE other (a UNIQUE)", "INSERT INTO other SELECT a FROM t")
    behind_its_back(path, "i", change, sql=claim)
    assert list_doubtful(path) == ["t"]
    explained = []
    for copy in (path, None):
        with closing(connect_read_only(path)) as connection, pytest.raises(MigrationError) as caught:
            check_integrity(connection, pytest.fail, copy=copy)
        explained.append((caught.value.code, caught.value.table, caught.value.what))
    assert explained[0] == explained[1]
    assert explained[0][:2] == ("source-corrupt", "t")


@needs_checker
def test_damage_behind_much_that_is_none(tmp_path: Path) -> None:
    """SQLite's check of one table ends after a hundred messages, NULLs where none may be among them."""
    path = tmp_path / "x.db"
    make(path, TABLE, ROWS, "UPDATE t SET b = NULL WHERE id <= 150", "CREATE INDEX i ON t (a)")
    behind_its_back(path, "i", "UPDATE t SET a = 5000 WHERE id = 2000")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'b TEXT', 'b TEXT NOT NULL') WHERE name = 't'")
    with closing(connect_read_only(path)) as connection:
        for copy in (path, None):
            with pytest.raises(MigrationError, match="row 2000 missing from index i"):
                check_integrity(connection, pytest.fail, copy=copy)


@needs_checker
def test_a_table_whose_check_ends_early_is_named(tmp_path: Path) -> None:
    """Another table needs the application's own collation, so that tables are checked one by one."""
    path = tmp_path / "x.db"
    make(path, TABLE.replace("b TEXT", "b TEXT NOT NULL DEFAULT ''"), ROWS, "CREATE INDEX i ON t (a)")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.create_collation("own", lambda left, right: (left > right) - (left < right))
        db.execute("CREATE TABLE o (x TEXT COLLATE own UNIQUE)")
        db.execute("INSERT INTO o VALUES ('x'), ('y')")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, ', c)', ', c NOT NULL)') WHERE name = 't'")
    notes: list[str] = []
    with closing(connect_read_only(path)) as connection:
        check_integrity(connection, notes.append, copy=path)
    assert [note.rpartition(": ")[2] for note in notes] == ["o", "t"]


@needs_checker
@pytest.mark.parametrize("number", [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F])
def test_no_number_wipes_out_what_stands_before_it(tmp_path: Path, number: int) -> None:
    """The constants of the sum: a hash by multiplication forgets what it was, where a factor becomes nought."""
    path = tmp_path / "x.db"
    make(path, TABLE, ROWS, "CREATE INDEX i ON t (a, c)", f"UPDATE t SET c = {number - 2**64}")
    assert list_doubtful(path) == []
    behind_its_back(path, "i", "UPDATE t SET a = a + 1000 WHERE id = 2000")
    assert list_doubtful(path) == ["t"]


@needs_checker
def test_without_case_sqlite_looks_no_further_than_nul(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    make(
        path,
        TABLE,
        "INSERT INTO t (b) VALUES (CAST(x'610062' AS TEXT)), (CAST(x'610063' AS TEXT)), (CAST(x'610061' AS TEXT))",
        "CREATE INDEX i ON t (b COLLATE NOCASE)",
    )
    assert list_doubtful(path) == []
    behind_its_back(path, "i", "SELECT 1", sql="CREATE UNIQUE INDEX i ON t (b COLLATE NOCASE)")
    assert list_doubtful(path) == ["t"]


@needs_checker
@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_give_the_same_verdict(tmp_path: Path, seed: int) -> None:
    """Wherever a bit of the file flips: sound is what SQLite's own check calls sound."""
    assert_same_verdicts(tmp_path, seed=seed, files=60)


@needs_checker
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 108))
def test_flipped_bits_give_the_same_verdict_at_length(tmp_path: Path, seed: int) -> None:
    assert_same_verdicts(tmp_path, seed=seed, files=2000)


def assert_same_verdicts(tmp_path: Path, *, seed: int, files: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "x.db"
    make(
        path,
        TABLE,
        ROWS.replace("3000", "400"),
        "CREATE UNIQUE INDEX i ON t (a)",
        "CREATE INDEX j ON t (b COLLATE NOCASE DESC, c)",
        "CREATE TABLE w (k PRIMARY KEY, v) WITHOUT ROWID",
        "INSERT INTO w SELECT DISTINCT b, a FROM t GROUP BY b",
        "CREATE INDEX x ON w (v)",
    )
    whole = path.read_bytes()
    verdicts = set()
    for _ in range(files):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 1, 1, 2, 8))):
            damaged[chance.randrange(100, len(damaged))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        verdicts.add(judge(path))
    assert verdicts <= {(True, True), (False, False)}
    assert len(verdicts) == 2, "the flips never, or always, did damage: the test proves nothing"


@needs_checker
def test_stopped_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    make(path, TABLE, ROWS, "CREATE INDEX i ON t (a)")
    behind_its_back(path, "i", "DELETE FROM t WHERE id = 77")
    with closing(connect_read_only(path)) as connection:
        comparison = plan_comparison(connection)
    assert comparison is not None
    assert find_doubtful(comparison, path, bytearray(b"\1")) == []


@needs_checker
@pytest.mark.parametrize(
    ("tables", "error"),
    [
        ((("SELECT 1", 1, ((2, (0,), b"", 0),)),), ValueError),
        ((("SELECT 1", 1, ((2, (1,), b"\0", 0),)),), ValueError),
        ((("SELECT 1", 1, ((2, (0,), b"\0", 1),)),), ValueError),
        ((("SELECT 1", 1, ("x",)),), TypeError),
        (("x",), TypeError),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, tables: tuple[object, ...], error: type[Exception]) -> None:
    path = tmp_path / "x.db"
    make(path, TABLE)
    checker = find_part("_checker")
    assert checker is not None
    with path.open("rb") as file, pytest.raises(error):
        checker.find_doubtful(f"file:{path}?mode=ro", file.fileno(), tables, 1, bytearray(1))
