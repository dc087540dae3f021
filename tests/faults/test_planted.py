"""Faults planted between the load and the proof of a whole run: each is named exactly, and nothing is published."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import call_ferry, has_schema, list_relations, read_everything, untouched
from liteferry import Options, migrate

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry import Event, Mismatch, Report

STAGING = "liteferry_staging_public"

SOURCE_SQL = """
CREATE TABLE cell (
    id INTEGER PRIMARY KEY, an_integer INTEGER, a_double REAL, a_numeric DECIMAL(12,3), a_boolean BOOLEAN, a_text TEXT,
    a_varchar VARCHAR(30), a_blob BLOB, a_timestamp DATETIME, a_timestamptz DATETIME, a_date DATE, a_time TIME,
    a_jsonb JSON, a_json JSON, a_uuid UUID
);
CREATE TABLE bag (word TEXT, number INTEGER);
CREATE TABLE parent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code VARCHAR(8) NOT NULL,
    state TEXT NOT NULL DEFAULT 'new',
    size INTEGER CONSTRAINT size_is_small CHECK (size < 1000),
    CONSTRAINT parent_code UNIQUE (code)
);
CREATE TABLE child (
    parent_id INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (parent_id, place),
    CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE
);
CREATE INDEX parent_size ON parent (size DESC);
CREATE UNIQUE INDEX parent_new ON parent (code) WHERE state = 'new';
CREATE VIEW small_parent AS SELECT id, code FROM parent WHERE size < 10;
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "everything.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SOURCE_SQL)
        for i in range(1, 6):
            day = f"2024-02-0{i}"
            row = [
                i, i * 10**15 + 1, i / 10, i + 0.125, i % 2, f"Zoë {i}", f"v{i}", bytes(range(i * 10)),
                f"{day} 10:11:12.5", f"{day}T10:11:12.5+02:00", day, f"10:11:0{i}", '{"a": [1.50, "x"]}',
                '{"a": 1, "a": 2}', f"00112233-4455-6677-8899-aabbccddee0{i}",
            ]  # fmt: skip
            db.execute(f"INSERT INTO cell VALUES ({', '.join('?' * len(row))})", row)
        db.executemany("INSERT INTO bag VALUES (?, ?)", [("twice", 1), ("twice", 1), ("once", 2), (None, None)])
        db.executemany("INSERT INTO parent (code, size) VALUES (?, ?)", [("a", 1), ("b", 20), ("c", None)])
        db.execute("UPDATE sqlite_sequence SET seq = 41")
        db.executemany("INSERT INTO child VALUES (?, ?)", [(1, 1), (1, 2), (2, 1)])
        db.commit()
    return path


@dataclass
class Planter:
    """Changes staging as soon as the proof begins."""

    admin_url: str
    sql: str = ""
    planted: bool = False

    def __call__(self, event: Event) -> None:
        if (event.kind, event.phase) == ("phase-start", "proof"):
            with psycopg.connect(self.admin_url, autocommit=True) as connection:
                connection.execute(f"SET search_path = {STAGING}".encode())
                connection.execute(self.sql.encode())
            self.planted = True


def run(source: Path, url: str, admin_url: str, sql: str) -> Report:
    planter = Planter(admin_url, sql)
    report = migrate(source, url, Options(run_dir=str(source.parent / "run"), jobs=2), planter)
    assert planter.planted
    return report


def test_without_a_fault_all_is_proven(source: Path, pg_url: str, pg_admin_url: str) -> None:
    """The guard's guard: what finds the faults below finds none where there is none."""
    report = run(source, pg_url, pg_admin_url, "SELECT 1")
    assert (report.verdict, report.exit_status, report.published) == ("proven", 0, True)
    assert report.mismatches == ()
    assert {table.verdict for table in report.tables} == {"proven"}
    assert list_relations(pg_admin_url) == ["bag", "cell", "child", "parent", "small_parent"]


def prove_wrong(source: Path, url: str, admin_url: str, sql: str) -> Report:
    """The run ends with a mismatch, and both sides are as before."""
    before = read_everything(admin_url)
    (source.parent / "run").mkdir()
    with untouched(source):
        report = run(source, url, admin_url, sql)
        kept = json.loads((source.parent / "run" / "report.json").read_text())
        for path in (source.parent / "run").iterdir():
            path.unlink()
    assert (report.verdict, report.exit_status, report.published) == ("mismatch", 3, False)
    assert report.failure is None
    assert read_everything(admin_url) == before
    assert not has_schema(admin_url, STAGING)
    assert kept["verdict"] == "mismatch"
    assert len(kept["mismatches"]) == report.mismatch_count == len(report.mismatches)
    return report


def only_table(report: Report, name: str) -> None:
    """No table but this one is doubted."""
    assert {table.name for table in report.tables if table.verdict != "proven"} == {name}


# ---------------------------------------------------------------------------------------------------------------------
# Rows

CELLS = {
    "an_integer": "an_integer + 1",
    "a_double": "a_double + 0.0000000000000001",
    "a_numeric": "a_numeric + 0.001",
    "a_boolean": "NOT a_boolean",
    "a_text": "replace(a_text, 'ë', 'e')",
    "a_varchar": "a_varchar || ' '",
    "a_blob": "a_blob || '\\x00'::bytea",
    "a_timestamp": "a_timestamp + interval '1 microsecond'",
    "a_timestamptz": "a_timestamptz + interval '1 microsecond'",
    "a_date": "a_date + 1",
    "a_time": "a_time + interval '1 microsecond'",
    "a_jsonb": '\'{"a": [1.5, "X"]}\'',
    "a_json": '\'{"a": 2, "a": 1}\'',
    "a_uuid": "'00112233-4455-6677-8899-aabbccddee99'",
}


@pytest.mark.parametrize("column", CELLS)
def test_one_changed_cell(column: str, source: Path, pg_url: str, pg_admin_url: str) -> None:
    sql = f"UPDATE cell SET {column} = {CELLS[column]} WHERE id = 3"
    report = prove_wrong(source, pg_url, pg_admin_url, sql)
    (found,) = report.mismatches
    assert (found.kind, found.table, found.column, found.key) == ("value", "cell", column, "id=3")
    assert "Zo" not in found.message + found.source + found.target  # a value is shown only where asked for
    only_table(report, "cell")


def test_a_null_where_a_value_was_and_the_reverse(source: Path, pg_url: str, pg_admin_url: str) -> None:
    sql = "UPDATE cell SET a_text = NULL WHERE id = 2; UPDATE parent SET size = 0 WHERE id = 3"
    report = prove_wrong(source, pg_url, pg_admin_url, sql)
    places = {(found.table, found.column, found.key) for found in report.mismatches}
    assert places == {("cell", "a_text", "id=2"), ("parent", "size", "id=3")}


def test_every_cell_of_a_type_at_once(source: Path, pg_url: str, pg_admin_url: str) -> None:
    report = prove_wrong(source, pg_url, pg_admin_url, f"UPDATE cell SET a_date = {CELLS['a_date']}")
    assert [(found.column, found.key) for found in report.mismatches] == [("a_date", f"id={i}") for i in range(1, 6)]


ROWS = [
    ("DELETE FROM cell WHERE id = 4", "cell", [("row-missing", "id=4")]),
    ("DELETE FROM child WHERE place = 2", "child", [("row-missing", "parent_id=1, place=2")]),
    ("INSERT INTO cell (id) VALUES (6)", "cell", [("row-extra", "id=6")]),
    ("INSERT INTO child VALUES (2, 2)", "child", [("row-extra", "parent_id=2, place=2")]),
    ("INSERT INTO bag VALUES ('twice', 1)", "bag", [("row-extra", "rowid=1 or 2")]),
    ("INSERT INTO bag VALUES ('once', 2)", "bag", [("row-extra", "rowid=3")]),
    ("INSERT INTO bag VALUES ('new', 9)", "bag", [("row-extra", "ctid=(0,5)")]),
    ("DELETE FROM bag WHERE ctid = '(0,1)'", "bag", [("row-missing", "rowid=1 or 2")]),
    ("DELETE FROM bag WHERE word IS NULL", "bag", [("row-missing", "rowid=4")]),
    ("UPDATE cell SET id = 7 WHERE id = 5", "cell", [("row-missing", "id=5"), ("row-extra", "id=7")]),
]


@pytest.mark.parametrize(("sql", "table", "expected"), ROWS, ids=[sql for sql, _, _ in ROWS])
def test_a_row_too_few_or_too_many(
    sql: str, table: str, expected: list[tuple[str, str]], source: Path, pg_url: str, pg_admin_url: str
) -> None:
    report = prove_wrong(source, pg_url, pg_admin_url, sql)
    assert sorted((found.kind, found.key) for found in report.mismatches) == sorted(expected)
    assert {found.table for found in report.mismatches} == {table}
    only_table(report, table)


def test_a_changed_cell_without_a_key(source: Path, pg_url: str, pg_admin_url: str) -> None:
    report = prove_wrong(source, pg_url, pg_admin_url, "UPDATE bag SET number = 3 WHERE word = 'once'")
    (found,) = report.mismatches
    assert (found.kind, found.table, found.column, found.key) == ("value", "bag", "number", "rowid=3")


def test_a_lost_row_and_a_doubled_one(source: Path, pg_url: str, pg_admin_url: str) -> None:
    """The number of rows is right."""
    sql = "DELETE FROM bag WHERE word = 'once'; INSERT INTO bag VALUES ('twice', 1)"
    report = prove_wrong(source, pg_url, pg_admin_url, sql)
    found = sorted((found.kind, found.key) for found in report.mismatches)
    assert found == [("row-extra", "rowid=1 or 2"), ("row-missing", "rowid=3")]
    (bag,) = (table for table in report.tables if table.name == "bag")
    assert bag.rows_source == bag.rows_target == 4


# ---------------------------------------------------------------------------------------------------------------------
# Objects: what is planted; the kind and the name of what is found; a word of how it is put

NEW_KEY = (
    "ALTER TABLE child DROP CONSTRAINT child_parent;"
    " ALTER TABLE child ADD CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent"
)
NEW_TRIGGER = (
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    " CREATE TRIGGER eats BEFORE INSERT ON bag FOR EACH ROW EXECUTE FUNCTION f()"
)

OBJECTS = [
    ("ALTER TABLE cell DROP CONSTRAINT cell_pkey", "primary_key", "cell_pkey", "missing"),
    ("ALTER TABLE parent DROP CONSTRAINT parent_code", "unique", "parent_code", "missing"),
    ("ALTER TABLE parent DROP CONSTRAINT size_is_small", "check", "size_is_small", "missing"),
    ("ALTER TABLE child DROP CONSTRAINT child_parent", "foreign_key", "child_parent", "missing"),
    (NEW_KEY + " ON DELETE CASCADE NOT VALID", "foreign_key", "child_parent", "not valid"),
    (NEW_KEY, "foreign_key", "child_parent", "NO ACTION"),
    (NEW_KEY + " ON DELETE CASCADE DEFERRABLE", "foreign_key", "child_parent", "deferrable"),
    ("ALTER TABLE cell ADD CONSTRAINT cell_a CHECK (id > 0)", "check", "cell_a", "nothing in the source asks for it"),
    ("DROP INDEX parent_size", "index", "parent_size", "missing"),
    ("DROP INDEX parent_size; CREATE INDEX parent_size ON parent (size)", "index", "parent_size", "DESC"),
    ("DROP INDEX parent_new; CREATE UNIQUE INDEX parent_new ON parent (code)", "index", "parent_new", "partial"),
    ("CREATE INDEX bag_word ON bag (word)", "index", "bag_word", "nothing in the source asks for it"),
    ("DROP VIEW small_parent", "view", "small_parent", "missing"),
    ("CREATE VIEW another AS SELECT 1 AS x", "view", "another", "nothing in the source asks for it"),
    ("ALTER TABLE parent ALTER state DROP DEFAULT", "column", "state", "without a default"),
    ("ALTER TABLE parent ALTER size SET DEFAULT 1", "column", "size", "with a default"),
    ("ALTER TABLE parent ALTER state DROP NOT NULL", "column", "state", "nullable"),
    ("ALTER TABLE bag ALTER word TYPE varchar(9)", "column", "word", "varying(9)"),
    ("ALTER TABLE bag ADD COLUMN extra text", "column", "extra", "nothing in the source asks for it"),
    ("ALTER SEQUENCE parent_id_seq RESTART WITH 4", "sequence", "parent_id_seq", "at 42 or above"),
    ("ALTER SEQUENCE cell_id_seq RESTART WITH 1", "sequence", "cell_id_seq", "at 6 or above"),
    ("ALTER TABLE cell ALTER id DROP IDENTITY", "sequence", "cell_id_seq", "missing"),
    ("CREATE TABLE another (x int)", "table", "another", "nothing in the source asks for it"),
    (NEW_TRIGGER, "other", "trigger eats", "nothing in the source asks for it"),
]


@pytest.mark.parametrize(("sql", "kind", "name", "says"), OBJECTS, ids=range(len(OBJECTS)))
def test_an_object_that_is_not_as_it_should_be(
    sql: str, kind: str, name: str, says: str, source: Path, pg_url: str, pg_admin_url: str
) -> None:
    report = prove_wrong(source, pg_url, pg_admin_url, sql)
    named = [found for found in report.mismatches if (found.object_kind, found.object_name) == (kind, name)]
    assert named, report.mismatches
    assert says in named[0].message
    others = [found for found in report.mismatches if found not in named]
    assert all(explains(found, sql) for found in others), others


def explains(found: Mismatch, sql: str) -> bool:
    """Where the fault itself is two: a trigger and its function, a column's identity and its default."""
    return str(found.object_name).startswith("function f") or "DROP IDENTITY" in sql


def test_a_table_that_is_gone(source: Path, pg_url: str, pg_admin_url: str) -> None:
    report = prove_wrong(source, pg_url, pg_admin_url, "DROP TABLE bag")
    assert {found.table for found in report.mismatches} == {"bag"}
    only_table(report, "bag")


def test_a_column_that_is_gone(source: Path, pg_url: str, pg_admin_url: str) -> None:
    report = prove_wrong(source, pg_url, pg_admin_url, "ALTER TABLE cell DROP COLUMN a_date")
    (found,) = report.mismatches
    assert (found.object_kind, found.object_name, found.table) == ("column", "a_date", "cell")
    only_table(report, "cell")


def test_values_are_shown_where_asked_for(source: Path, pg_url: str, pg_admin_url: str) -> None:
    planter = Planter(pg_admin_url, "UPDATE cell SET a_text = 'Zoe' WHERE id = 3")
    options = Options(run_dir=str(source.parent / "run"), show_values=True)
    (found,) = migrate(source, pg_url, options, planter).mismatches
    assert "Zoë 3" in found.source
    assert "Zoe" in found.target


def test_the_staging_schema_is_kept_where_asked_for(source: Path, pg_url: str, pg_admin_url: str) -> None:
    planter = Planter(pg_admin_url, "DELETE FROM cell WHERE id = 4")
    options = Options(run_dir=str(source.parent / "run"), keep_staging=True)
    report = migrate(source, pg_url, options, planter)
    assert (report.verdict, report.published) == ("mismatch", False)
    assert list_relations(pg_admin_url) == []
    assert list_relations(pg_admin_url, STAGING) == ["bag", "cell", "child", "parent", "small_parent"]
    again = call_ferry("migrate", source, pg_url, "--yes")
    assert "an earlier run kept it for inspection" in again.err
