"""Rows in quarantine: kept whole beside their table, proven, and taken back; every fault that is planted is seen."""

from __future__ import annotations

import sqlite3
import stat
import struct
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from harness import call_ferry, ferry_argv
from liteferry.compare import RawText, Text, spell_literal
from liteferry.source.snapshot import Snapshot
from memory import MB, measure_peak

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Outcome
    from liteferry.model import Part, Span, Table

AGES = """
CREATE TABLE person (id INTEGER PRIMARY KEY, age INT, note TEXT, height REAL, photo BLOB);
INSERT INTO person VALUES
  (1, 41, 'fits', 1.75, X'00ff'),
  (2, 'forty-one', 'it''s', 0.1, X''),
  (3, 42, NULL, NULL, NULL),
  (4, 'old', char(0) || 'nul', 9e999, X'deadbeef'),
  (5, X'07', CAST(X'c328' AS TEXT), -9e999, NULL),
  (90, 'gone', 'é', -1e-320, NULL);
"""
APART = ["2", "4", "5", "90"]
QUARANTINE = ("--on-misfit", "person.*=quarantine", "--on-misfit", "value-misfit:person.age=quarantine")


def make_source(path: Path, statements: str, encoding: str = "UTF-8") -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA encoding = '{encoding}'")
        db.executescript(statements)
    return path


def migrate(source: Path, url: str, run_dir: Path, *options: str) -> Outcome:
    return call_ferry("migrate", source, url, "--yes", "--json", "--run-dir", run_dir, *options)


def read_table(url: str, table: str, order: str = "1") -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        query = sql.SQL("SELECT * FROM {} ORDER BY {}").format(sql.Identifier(table), sql.SQL(order))
        return connection.execute(query).fetchall()


def run_sql(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def bits(value: object) -> object:
    """A value with its type, and a real with its very bits."""
    return type(value), struct.pack(">d", value) if isinstance(value, float) else value


def read_source(path: Path, query: str) -> list[list[object]]:
    """A source's rows, texts as they are stored."""
    with closing(sqlite3.connect(path)) as db:
        db.text_factory = lambda raw: (str, raw)
        return [[bits(value) for value in row] for row in db.execute(query)]


@pytest.fixture
def ages(tmp_path: Path) -> Path:
    return make_source(tmp_path / "ages.sqlite", AGES)


@pytest.fixture
def moved(ages: Path, pg_url: str, tmp_path: Path) -> Path:
    """The directory of a run that published rows in quarantine."""
    outcome = migrate(ages, pg_url, tmp_path / "run", *QUARANTINE)
    assert outcome.report.verdict == "proven", outcome.out
    return tmp_path / "run"


def verify(source: Path, url: str, *options: str | Path) -> Outcome:
    return call_ferry("verify", source, url, "--json", *options)


# ---------------------------------------------------------------------------------------------------------------------
# What comes out


def test_the_rows_are_in_quarantine_and_nowhere_else(moved: Path, pg_url: str) -> None:
    assert [row[0] for row in read_table(pg_url, "person")] == [1, 3]
    assert sorted(row[0] for row in read_table(pg_url, "person_quarantine")) == sorted(APART)
    report = call_ferry("report", moved, "--json").report
    assert report.exit_status == 0
    assert [(found.table, found.rows) for found in report.apart] == [("person", len(APART))]
    assert {(table.part, table.rows_target) for table in report.tables} == {("fitting", 2), ("quarantine", 4)}
    assert "4 rows of them in quarantine" in " ".join(call_ferry("report", moved).out.split())


def test_the_literals_give_the_values_back(ages: Path, moved: Path, pg_url: str) -> None:
    assert moved.exists()
    rows = {row[0]: row for row in read_table(pg_url, "person_quarantine")}
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.text_factory = lambda raw: (str, raw)
        for key in APART:
            *literals, reason = rows[key]
            given_back = empty.execute(f"SELECT {', '.join(literals)}").fetchone()
            (stored,) = read_source(ages, f"SELECT * FROM person WHERE id = {key}")
            assert [bits(value) for value in given_back] == stored
            assert "class:age" in reason


def test_the_next_id_is_above_those_in_quarantine(moved: Path, pg_url: str) -> None:
    assert moved.exists()
    with psycopg.connect(pg_url) as connection:
        inserted = connection.execute("INSERT INTO person (age) VALUES (1) RETURNING id").fetchone()
    assert inserted == (91,)


def test_the_run_directory_keeps_the_rows_and_every_offender(moved: Path, pg_url: str) -> None:
    for name in ("quarantine.sqlite", "offenders.sqlite"):
        assert stat.S_IMODE((moved / name).stat().st_mode) == 0o600
    with closing(sqlite3.connect(moved / "quarantine.sqlite")) as db:
        kept = db.execute("SELECT * FROM person_quarantine ORDER BY 1").fetchall()
    assert kept == read_table(pg_url, "person_quarantine")
    with closing(sqlite3.connect(moved / "offenders.sqlite")) as db:
        found = db.execute("SELECT row, key FROM offender WHERE name = 'age' ORDER BY row").fetchall()
        assert found == [(2, "id=2"), (4, "id=4"), (5, "id=5"), (90, "id=90")]
        assert db.execute("SELECT count(value) FROM offender").fetchone() == (0,)


def test_there_and_back_and_there_again(ages: Path, moved: Path, pg_url: str, tmp_path: Path) -> None:
    assert call_ferry("undo", moved, "--yes", "--json", "--target", pg_url).status == 0
    with psycopg.connect(pg_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    assert migrate(ages, pg_url, tmp_path / "again", *QUARANTINE).report.verdict == "proven"


def test_verify_knows_the_rows_by_the_run_and_by_the_decisions(ages: Path, moved: Path, pg_url: str) -> None:
    assert verify(ages, pg_url, "--run-dir", moved).report.verdict == "proven"
    assert verify(ages, pg_url, *QUARANTINE).report.verdict == "proven"
    assert verify(ages, pg_url).status == 3  # another decision makes another plan


def test_both_sides_have_the_same_digests(ages: Path, moved: Path, pg_url: str) -> None:
    source = call_ferry("digest", ages, "--json", "--run-dir", moved)
    target = call_ferry("digest", pg_url, "--json")
    assert source.json["tables"] == target.json["tables"]
    assert len(source.json["tables"]) == 2


# ---------------------------------------------------------------------------------------------------------------------
# Sources of every kind


@pytest.mark.parametrize(("encoding", "snapshot"), [("UTF-8", "copy"), ("UTF-16be", "none")])
@pytest.mark.parametrize(
    ("declaration", "rows", "apart"),
    [
        (
            "(a TEXT, b INT, v INT, PRIMARY KEY (b, a)) WITHOUT ROWID",
            [("x'y", 1, 1), ("é\0", 1, "n"), ("z", 2, "m")],
            2,
        ),
        ("(v INT)", [(1,), ("dup",), ("dup",), (1,)], 2),
        ("(rowid TEXT, v INT)", [("a", 1), ("b", "x")], 1),
        ("(liteferry_reason TEXT, liteferry_rowid TEXT, v INT)", [("a", "b", "c"), ("a", "b", 1)], 1),
        ("(k REAL PRIMARY KEY, v INT) WITHOUT ROWID", [(0.1, "x"), (0.1 + 2**-56, 1), (1e300, "y")], 2),
        ("(v INT, w INT AS (v || 'x') STORED)", [(1,), ("t",)], 1),
        ("(v INT)", [("only",), ("these",)], 2),
    ],
    ids=["composite", "keyless", "rowid-taken", "names-taken", "real-key", "generated", "all"],
)
def test_any_table(
    tmp_path: Path, pg_url: str, declaration: str, rows: list[tuple[Any, ...]], apart: int, encoding: str, snapshot: str
) -> None:
    source = make_source(tmp_path / "any.sqlite", f"CREATE TABLE t {declaration}", encoding)
    with closing(sqlite3.connect(source)) as db:
        columns = [name for _, name, *_, hidden in db.execute("PRAGMA table_xinfo(t)") if not hidden]
        db.executemany(f"INSERT INTO t ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows)
        db.commit()
    options = ("--on-misfit", "t.v=quarantine", "--accept", "all", "--snapshot", snapshot)
    report = migrate(source, pg_url, tmp_path / "run", *options).report
    assert report.verdict == "proven", report.failure
    counts = {table.part: table.rows_target for table in report.tables}
    assert counts == {"fitting": len(rows) - apart, "quarantine": apart}
    assert verify(source, pg_url, "--run-dir", tmp_path / "run").report.verdict == "proven"


def test_half_a_surrogate_pair_is_kept_as_it_is(tmp_path: Path, pg_url: str) -> None:
    statements = "CREATE TABLE t (v INT, w TEXT); INSERT INTO t VALUES ('x', CAST(X'00d84100' AS TEXT)), (1, 'fits')"
    source = make_source(tmp_path / "half.sqlite", statements, "UTF-16le")
    assert migrate(source, pg_url, tmp_path / "run", "--on-misfit", "t.*=quarantine").report.verdict == "proven"
    ((_, literal, *_),) = read_table(pg_url, "t_quarantine")
    assert literal == "CAST(X'00d84100' AS TEXT)"


def test_orphans_of_orphans_follow(tmp_path: Path, pg_url: str) -> None:
    chain = ", ".join(f"({number}, {number - 1})" for number in range(2, 40))
    source = make_source(
        tmp_path / "chain.sqlite",
        "CREATE TABLE node (id INTEGER PRIMARY KEY, parent INT REFERENCES node);"
        f"INSERT INTO node VALUES (1, 999), {chain}, (100, NULL), (101, 100);"
        "CREATE TABLE leaf (node INT REFERENCES node (id)); INSERT INTO leaf VALUES (39), (101), (NULL);",
    )
    outcome = migrate(source, pg_url, tmp_path / "run", "--on-misfit", "orphan-rows:*=quarantine")
    assert outcome.report.verdict == "proven"
    assert {(found.table, found.rows) for found in outcome.report.apart} == {("node", 39), ("leaf", 1)}
    (found, leaf) = [f for f in outcome.report.findings if f.code == "orphan-rows"]
    assert (found.count, leaf.count) == (39, 1)
    with closing(sqlite3.connect(tmp_path / "run" / "offenders.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM offender").fetchone() == (40,)
    with psycopg.connect(pg_url) as connection:
        valid = connection.execute("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'").fetchone()
    assert valid == (True,)


@pytest.mark.parametrize(("orphan", "count"), [(", (3, 'zz')", 1), ("", 0)])
def test_quarantine_says_whom_it_takes_where_the_parent_ignores_case(
    orphan: str, count: int, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    """It is settled before the server is asked what it has: child 1 goes, too, whose parent is 'A'."""
    source = make_source(
        tmp_path / "family.sqlite",
        "CREATE TABLE parent (code TEXT COLLATE NOCASE PRIMARY KEY); INSERT INTO parent VALUES ('A');"
        "CREATE TABLE child (id INTEGER PRIMARY KEY, code TEXT REFERENCES parent);"
        f"INSERT INTO child VALUES (1, 'a'), (2, 'A'){orphan};",
    )
    run_sql(pg_admin_url, "CREATE EXTENSION citext SCHEMA public")
    options = ("--nocase", "citext", "--accept", "collation-spread", "--on-misfit", "child.code=quarantine")
    report = migrate(source, pg_url, tmp_path / "run", *options).report
    assert report.verdict == "proven"
    (found,) = [found for found in report.findings if found.code == "orphan-rows"]
    assert found.message.startswith(f"{count} of ")
    assert f"byte for byte {count + 1} do, which quarantine takes" in found.message
    assert [(apart.table, apart.rows) for apart in report.apart] == [("child", count + 1)]
    assert [row[0] for row in read_table(pg_url, "child")] == [2]


def test_children_of_a_quarantined_parent_are_a_finding_of_their_own(tmp_path: Path, pg_url: str) -> None:
    source = make_source(
        tmp_path / "family.sqlite",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, age INT); INSERT INTO parent VALUES (1, 'old'), (2, 2);"
        "CREATE TABLE child (parent INT REFERENCES parent); INSERT INTO child VALUES (1), (1), (2);",
    )
    blocked = migrate(source, pg_url, tmp_path / "a", "--on-misfit", "parent.age=quarantine").report
    assert blocked.verdict == "blocked"
    assert [(f.code, f.count) for f in blocked.findings if f.blocks] == [("orphan-rows", 2)]
    kept = migrate(
        source, pg_url, tmp_path / "b", "--on-misfit", "parent.age=quarantine", "--accept", "orphan-rows"
    ).report
    assert kept.verdict == "proven"
    assert {(table.target, table.rows_target) for table in kept.tables} == {
        ("parent", 1),
        ("parent_quarantine", 1),
        ("child", 3),
    }


# ---------------------------------------------------------------------------------------------------------------------
# Planted faults


@pytest.mark.parametrize(
    ("fault", "kind", "place"),
    [
        ("DELETE FROM person_quarantine WHERE id = '4'", "row-missing", None),
        ("INSERT INTO person_quarantine SELECT * FROM person_quarantine WHERE id = '2'", "row-extra", None),
        ("UPDATE person_quarantine SET height = '0.10000000000000002' WHERE id = '2'", "value", "height"),
        ("UPDATE person_quarantine SET note = '''its''' WHERE id = '2'", "value", "note"),
        ("UPDATE person_quarantine SET photo = 'NULL' WHERE id = '2'", "value", "photo"),
        ("UPDATE person_quarantine SET liteferry_reason = 'no reason' WHERE id = '90'", "value", "liteferry_reason"),
        ("DELETE FROM person WHERE id = 3", "row-missing", None),
        ("INSERT INTO person (id, age) VALUES (2, 41)", "row-extra", None),
        ("DROP TABLE person_quarantine", "row-count", None),
        ("ALTER TABLE person_quarantine DROP COLUMN liteferry_reason", "object", None),
    ],
)
def test_a_changed_target_is_noticed(
    ages: Path, moved: Path, pg_url: str, fault: str, kind: str, place: str | None
) -> None:
    run_sql(pg_url, fault)
    outcome = verify(ages, pg_url, "--run-dir", moved)
    assert outcome.status == 3
    assert (kind, place) in {(found.kind, found.column) for found in outcome.report.mismatches}


def test_a_row_written_into_quarantine_is_not_undone(moved: Path, pg_url: str) -> None:
    run_sql(pg_url, "UPDATE person_quarantine SET note = 'read' WHERE id = '2'")
    outcome = call_ferry("undo", moved, "--yes", "--json", "--target", pg_url)
    assert outcome.status == 1
    assert "person_quarantine: 4 rows as before, but other values" in outcome.err


@pytest.mark.parametrize(
    "filters",
    [
        {"fitting": "{} AND t.id <> 3"},
        {"quarantine": "{} AND t.id <> 4"},
        {"fitting": "t.id = 1"},
    ],
    ids=["a fitting row lost", "a quarantined row lost", "only one kept"],
)
def test_a_filter_that_loses_or_doubles_rows_is_noticed(
    ages: Path, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filters: dict[Part, str]
) -> None:
    right = Snapshot.filter_sql

    def wrong(self: Snapshot, table: Table, part: Part, alias: str = "t", span: Span | None = None) -> str:
        return filters.get(part, "{}").format(right(self, table, part, alias, span))

    monkeypatch.setattr(Snapshot, "filter_sql", wrong)
    outcome = migrate(ages, pg_url, tmp_path / "run", *QUARANTINE)
    assert outcome.report.verdict == "mismatch"
    assert any("are not all of its rows" in found.message for found in outcome.report.mismatches)
    with psycopg.connect(pg_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_row_that_was_not_to_go_into_quarantine_is_noticed(
    ages: Path, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows are there, and all are equal; but one is in quarantine that nobody put there."""
    right = Snapshot._find_reason

    def wrong(self: Snapshot, number: int, *parts: int) -> str | None:
        return right(self, number, *parts) or ("no reason at all" if parts == (3,) else None)

    monkeypatch.setattr(Snapshot, "_find_reason", wrong)
    outcome = migrate(ages, pg_url, tmp_path / "run", *QUARANTINE)
    assert outcome.report.verdict == "mismatch"
    assert any("other rows are in quarantine" in found.message for found in outcome.report.mismatches)


def test_a_row_in_both_parts_is_noticed(tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source(
        tmp_path / "orphan.sqlite",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES t); INSERT INTO t VALUES (1, NULL), (2, 9);",
    )
    right = Snapshot.filter_sql

    def wrong(self: Snapshot, table: Table, part: Part, alias: str = "t", span: Span | None = None) -> str:
        condition = right(self, table, part, alias, span)
        return f"({condition} OR t.id = 2)" if part == "fitting" and alias == "t" else condition

    monkeypatch.setattr(Snapshot, "filter_sql", wrong)
    options = ("--on-misfit", "orphan-rows:t.up=quarantine")
    monkeypatch.setattr("liteferry.planner.foreign_keys.add_foreign_key_sql", lambda *_: "SELECT 1")
    outcome = migrate(source, pg_url, tmp_path / "run", *options)
    assert outcome.report.verdict == "mismatch"
    assert any("are not all of its rows" in found.message for found in outcome.report.mismatches)


@pytest.mark.parametrize("value", [0.1 + 0.2, -0.0, float("inf"), "it's", b"\x00", None, 2**63 - 1, "a\0b"])
def test_a_wrong_literal_of_the_load_is_noticed(
    tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    from liteferry import codecs

    source = make_source(tmp_path / "one.sqlite", "CREATE TABLE t (v INT, w)")
    with closing(sqlite3.connect(source)) as db:
        db.executemany("INSERT INTO t VALUES (?, ?)", [("misfit", value), (1, None)])
        db.commit()
    right = codecs.encode_literal

    def wrong(given: object) -> bytes:
        return right("misfit") if type(given) is type(value) and given == value else right(given)

    monkeypatch.setattr(codecs, "encode_literal", wrong)
    options = ("--on-misfit", "t.v=quarantine", "--accept", "all")
    report = migrate(source, pg_url, tmp_path / "run", *options).report
    assert report.verdict == "mismatch"
    assert ("w", "value") in {(found.column, found.kind) for found in report.mismatches}


# ---------------------------------------------------------------------------------------------------------------------
# Literals


NASTY: list[object] = [
    *(None, 0, -1, 2**63 - 1, -(2**63), 0.0, -0.0, 0.1, 1e22, 5e-324, 1.7976931348623157e308, 123456789.123),
    *(float("inf"), float("-inf"), "", "'", "''", "a\nb", "\\", "é😀", "\0", "a\0b", b"", b"'", bytes(range(256))),
]


@pytest.mark.parametrize("value", NASTY, ids=repr)
def test_a_literal_is_read_back_as_the_very_value(value: object) -> None:
    stored: Any = Text(value.encode()) if isinstance(value, str) else value
    with closing(sqlite3.connect(":memory:")) as db:
        (found,) = db.execute(f"SELECT {spell_literal(stored).decode()}").fetchone()
    assert bits(found) == bits(value)


def test_the_load_and_the_proof_write_the_same_literals() -> None:
    from liteferry.census import InvalidText
    from liteferry.codecs import encode_literal

    for value in NASTY:
        stored: Any = Text(value.encode()) if isinstance(value, str) else value
        assert encode_literal(value)[4:] == spell_literal(stored)
    assert encode_literal(InvalidText(b"\xc3("))[4:] == spell_literal(RawText(b"\xc3(")) == b"CAST(X'c328' AS TEXT)"


# ---------------------------------------------------------------------------------------------------------------------
# The list of offenders


def test_the_list_is_kept_where_the_user_says(ages: Path, tmp_path: Path) -> None:
    kept = tmp_path / "list.sqlite"
    assert call_ferry("check", ages, "--offenders", kept).status == 4
    with closing(sqlite3.connect(kept)) as db:
        assert db.execute("SELECT count(*) FROM offender WHERE name = 'age'").fetchone() == (4,)
    again = call_ferry("check", ages, "--offenders", kept)
    assert again.status == 1
    assert "File exists" in again.err


def test_values_are_in_it_only_where_asked_for(ages: Path, tmp_path: Path, pg_url: str) -> None:
    assert migrate(ages, pg_url, tmp_path / "run", "--show-values").status == 4
    with closing(sqlite3.connect(tmp_path / "run" / "offenders.sqlite")) as db:
        shown = db.execute("SELECT value FROM offender WHERE name = 'age' AND row = 2").fetchone()
    assert shown == ("'forty-one'",)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    source = make_source(tmp_path / "many.sqlite", "CREATE TABLE t (v INT)")
    with closing(sqlite3.connect(source)) as db:
        db.executemany("INSERT INTO t VALUES (?)", (("x",) if number % 2 else (number,) for number in range(2500)))
        db.commit()
    return source


def test_more_rows_than_are_held_in_memory_are_looked_up(
    many: Path, tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liteferry.source.offenders.HELD_ROWS", 10)
    report = migrate(many, pg_url, tmp_path / "run", "--on-misfit", "t.v=quarantine").report
    assert report.verdict == "proven"
    assert {table.rows_target for table in report.tables} == {1250}


def test_a_value_whose_literal_would_be_too_long_is_refused_beforehand(
    ages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liteferry.quarantine.LONGEST_TEXT_BYTES", 40)
    outcome = call_ferry("check", ages, *QUARANTINE)
    assert outcome.status == 1
    assert "may be too long for a quarantine table" in outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--on-misfit", "t.v=quarantine")], ids=["listed", "set apart"])
def test_a_million_offenders_do_not_fill_the_memory(tmp_path: Path, options: tuple[str, ...]) -> None:
    source = make_source(
        tmp_path / "million.sqlite",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v INT);"
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
        " INSERT INTO t SELECT i, 'x' || i FROM n",
    )
    kept = tmp_path / "list.sqlite"
    argv = ferry_argv("check", source, "--quiet", "--json", "--offenders", kept, *options)
    assert measure_peak(argv).peak_bytes < 200 * MB  # measured: 62 and 79 MB
    with closing(sqlite3.connect(kept)) as db:
        assert db.execute("SELECT count(*) FROM offender").fetchone() == (1_000_000,)
