"""The demo's sample database: what it holds, that it is the same every time, and that its map is a map."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

import liteferry
from liteferry.errors import ExitStatus, MigrationError
from liteferry.sample import SampleInfo, write_sample
from liteferry.sample.models import MODELS
from liteferry.sample.schema import parse_models
from liteferry.sqlite_ddl import parse_create_index, parse_create_table, parse_create_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from liteferry.model import Event

    Point = list[float]

ROWS = {
    "common_region": 4,
    "common_province": 24,
    "common_municipality": 282,
    "common_barangay": 6598,
    "common_user": 74,
    "common_staffprofile": 25,
    "communities_community": 6598,
    "communities_municipalitycoverage": 282,
    "communities_historicalcommunity": 6627,
    "municipal_profiles_historicalmunicipalprofile": 6602,
    "auditlog_logentry": 9266,
    "axes_accesslog": 42,
    "common_calendarresource": 5,
    "common_calendarresourcebooking": 65,
    "common_chatmessage": 70,
    "monitoring_monitoringentry": 209,
    "coordination_organization": 44,
    "coordination_organizationcontact": 2,
    "django_migrations": 118,
}
FORMS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "datetime": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?"),
    "time": re.compile(r"\d\d:\d\d:\d\d"),
    "char(32)": re.compile(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}"),
    "char(39)": re.compile(r"[0-9a-f:.]{3,39}"),
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleInfo]:
    path = tmp_path_factory.mktemp("sample") / "sample.sqlite3"
    return path, write_sample(path, scale=0.03)


@pytest.fixture
def db(sample: tuple[Path, SampleInfo]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(sample[0].as_uri() + "?mode=ro", uri=True)) as connection:
        yield connection


def count_rows(db: sqlite3.Connection) -> dict[str, int]:
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}


def test_it_has_the_row_counts_of_the_original(db: sqlite3.Connection) -> None:
    rows = count_rows(db)
    del rows["sqlite_sequence"]
    assert {table: rows[table] for table in ROWS} == ROWS
    assert sum(rows.values()) == 38_217
    assert db.execute("SELECT sum(is_superuser), sum(is_staff) FROM common_user").fetchone() == (2, 27)


def test_it_has_the_objects_of_the_original_and_says_so(
    sample: tuple[Path, SampleInfo], db: sqlite3.Connection
) -> None:
    path, info = sample
    kinds = dict(db.execute("SELECT type, count(*) FROM sqlite_schema GROUP BY type"))
    tables = [name for name in count_rows(db) if name != "sqlite_sequence"]
    numbered = db.execute("SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%PRIMARY KEY AUTOINCREMENT%'").fetchone()
    assert (info.tables, info.indexes, info.foreign_keys, info.sequences) == (161, 774, 361, 129)
    assert (info.rows, info.scale) == (38_217, 0.03)
    assert info.size_bytes == path.stat().st_size
    assert kinds == {"table": info.tables + 1, "index": info.indexes, "view": info.views}
    assert numbered == (info.sequences,)
    pragma = "SELECT count(*) FROM pragma_table_info(?)"
    assert sum(db.execute(pragma, (table,)).fetchone()[0] for table in tables) == info.columns
    pragma = "SELECT count(*) FROM pragma_foreign_key_list(?)"
    assert sum(db.execute(pragma, (table,)).fetchone()[0] for table in tables) == info.foreign_keys


def test_it_is_sound_and_has_no_orphans(db: sqlite3.Connection) -> None:
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("SELECT count(*), sum(communities) FROM reporting_province_population").fetchone() == (24, 6598)
    assert db.execute("SELECT count(*) > 20 FROM reporting_open_entries").fetchone() == (1,)


def test_its_statements_look_like_djangos(db: sqlite3.Connection) -> None:
    statements = [sql for (sql,) in db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
    text = "\n".join(statements)
    for piece in (
        'CREATE TABLE "common_barangay" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, ',
        '"code" varchar(20) NOT NULL UNIQUE',
        'bigint NOT NULL REFERENCES "common_region" ("id") DEFERRABLE INITIALLY DEFERRED',
        'text NULL CHECK ((JSON_VALID("boundary_geojson") OR "boundary_geojson" IS NULL))',
        'integer unsigned NOT NULL CHECK ("order" >= 0)',
        '"id" char(32) NOT NULL PRIMARY KEY',
        '"duration" bigint NULL',
        '"thumbnail" BLOB NULL',
        "varchar(10) DEFAULT 'info' NOT NULL",
        '"parent_id" bigint NULL REFERENCES "common_chatmessage" ("id")',  # to itself
        'WHERE "is_primary"',
        'CONSTRAINT "question_order" UNIQUE ("survey_id", "order")',
    ):
        assert piece in text, piece
    # table, columns and a hash, as Django names them; some beyond PostgreSQL's 63 bytes
    assert re.search(r'CREATE INDEX "common_barangay_municipality_id_[0-9a-f]{8}" ON', text)
    assert re.search(r'CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_[0-9a-f]{8}_uniq" ON', text)
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema")]
    assert sum(len(name) > 63 for name in names) > 20


def test_liteferry_reads_its_statements(db: sqlite3.Connection) -> None:
    readers = {"table": parse_create_table, "index": parse_create_index, "view": parse_create_view}
    read = 0
    for kind, sql in db.execute("SELECT type, sql FROM sqlite_schema WHERE sql IS NOT NULL"):
        readers[kind](sql)
        read += 1
    assert read > 161


def test_nothing_about_it_has_to_be_decided(sample: tuple[Path, SampleInfo]) -> None:
    plan = liteferry.plan(sample[0])
    assert plan.blockers == ()
    assert {finding.code for finding in plan.findings} == {"check-implied", "name-changed", "json-normalised"}


def test_every_value_fits_its_declared_type(db: sqlite3.Connection) -> None:
    for table in count_rows(db):
        for _, column, declared, *_ in db.execute(f'PRAGMA table_info("{table}")').fetchall():
            values = db.execute(f'SELECT typeof("{column}"), "{column}" FROM "{table}"')
            misfits = [value for kind, value in values if kind != "null" and not fits(declared.lower(), kind, value)]
            assert misfits == [], (table, column, declared)


def fits(declared: str, kind: str, value: object) -> bool:
    if declared in ("", "bool"):  # sqlite_sequence has no types
        return declared == "" or value in (0, 1)
    if declared.startswith(("integer", "bigint", "smallint")):
        return isinstance(value, int) and abs(value) < 2**63 and (value >= 0 or "unsigned" not in declared)
    if declared == "decimal":
        return kind in ("integer", "real")
    if declared == "real":
        return kind == "real"
    if declared == "blob":
        return kind == "blob"
    if declared in FORMS:
        return FORMS[declared].fullmatch(str(value)) is not None
    assert declared == "text" or declared.startswith("varchar(")
    limit = int(declared[8:-1]) if declared != "text" else 10**9
    return isinstance(value, str) and len(value) <= limit and "\0" not in value


def test_json_is_written_as_django_would(db: sqlite3.Connection) -> None:
    seen = 0
    for (value,) in db.execute("SELECT boundary_geojson FROM common_barangay UNION ALL SELECT entities FROM"
                               " common_chatmessage UNION ALL SELECT bounding_box FROM common_province"):  # fmt: skip
        assert json.dumps(json.loads(value)) == value
        seen += 1
    assert seen > 6598


def test_some_sequences_are_ahead_of_their_tables(db: sqlite3.Connection) -> None:
    sequences = dict(db.execute("SELECT name, seq FROM sqlite_sequence"))
    assert len(sequences) == len(set(sequences))
    highest = {table: db.execute(f'SELECT max(rowid) FROM "{table}"').fetchone()[0] or 0 for table in sequences}
    assert all(sequences[table] >= highest[table] for table in sequences)
    ahead = {table for table in sequences if sequences[table] > highest[table]}
    assert {"common_user", "auditlog_logentry", "mana_need"} <= ahead
    assert highest["mana_need"] == 0  # the rows were deleted, the sequence remembers them


def test_the_same_scale_gives_the_same_bytes(sample: tuple[Path, SampleInfo], tmp_path: Path) -> None:
    again = tmp_path / "again.sqlite3"
    code = "import sys; from pathlib import Path; from liteferry.sample import write_sample; "
    code += "write_sample(Path(sys.argv[1]), scale=0.03)"
    surroundings = {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LC_ALL": "C", "PYTHONUTF8": "0"}
    subprocess.run([sys.executable, "-c", code, str(again)], check=True, env=os.environ | surroundings)
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (sample[0], again)}
    assert len(digests) == 1


def test_full_scale_is_the_originals_size_with_fine_borders(tmp_path: Path) -> None:
    path = tmp_path / "full.sqlite3"
    info = write_sample(path, scale=1.0)
    assert info.rows == 38_217
    assert 0.95 * 110.7e6 < info.size_bytes < 1.05 * 110.7e6
    with closing(sqlite3.connect(path)) as db:
        for (outline,) in db.execute("SELECT boundary_geojson FROM common_barangay WHERE id % 800 = 0"):
            ring = read_ring(outline)
            assert len(ring) > 300
            assert not crosses_itself(ring)


def test_a_scale_above_one_multiplies_the_rows_that_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liteferry.sample._FULL_SEGMENTS", 2)  # the rows are looked at here, not the map
    path = tmp_path / "large.sqlite3"
    info = write_sample(path, scale=2.5)
    with closing(sqlite3.connect(path)) as db:
        rows = count_rows(db)
        assert (rows["common_region"], rows["common_province"], rows["common_user"]) == (4, 24, 74)
        assert rows["common_barangay"] == rows["communities_community"] == 16_495
        assert rows["communities_historicalcommunity"] == round(6627 * 2.5)
        assert info.rows == sum(rows.values()) - rows["sqlite_sequence"]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_scale_near_zero_draws_plain_quadrilaterals(tmp_path: Path) -> None:
    path = tmp_path / "coarse.sqlite3"
    assert write_sample(path, scale=1e-9).rows == 38_217
    with closing(sqlite3.connect(path)) as db:
        corners = "SELECT DISTINCT json_array_length(boundary_geojson, '$.coordinates[0]') FROM common_barangay"
        assert db.execute(corners).fetchall() == [(5,)]


# ---------------------------------------------------------------------------------------------------------------------
# The map


def read_ring(geojson: str) -> list[Point]:
    geometry = json.loads(geojson)
    parts = geometry["coordinates"] if geometry["type"] == "Polygon" else geometry["coordinates"][0]
    assert geometry["type"] in ("Polygon", "MultiPolygon")
    assert len(parts) == 1
    ring: list[Point] = parts[0]
    return ring


def area(ring: Sequence[Point]) -> float:
    """Positive where the ring runs counter-clockwise."""
    west, south = ring[0]  # small numbers keep their digits
    return sum((a[0] - west) * (b[1] - south) - (b[0] - west) * (a[1] - south) for a, b in pairwise(ring)) / 2


def crosses_itself(ring: Sequence[Point]) -> bool:
    pieces = list(pairwise(ring))
    for number, (a, b) in enumerate(pieces):
        for other, (c, d) in enumerate(pieces[number + 2 :], number + 2):
            if number == 0 and other == len(pieces) - 1:
                continue  # the last piece ends where the first begins
            if turn(a, b, c) * turn(a, b, d) <= 0 and turn(c, d, a) * turn(c, d, b) <= 0:
                return True
    return False


def turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def test_the_crossing_check_sees_a_bow_tie() -> None:
    assert crosses_itself([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]])
    assert not crosses_itself([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])


@pytest.mark.parametrize("level", ["region", "province", "municipality", "barangay"])
def test_outlines_are_valid_rings_within_their_boxes(db: sqlite3.Connection, level: str) -> None:
    areas = db.execute(f"SELECT boundary_geojson, bounding_box, center_coordinates FROM common_{level}").fetchall()
    assert len(areas) == ROWS[f"common_{level}"]
    for number, (outline, box, centre) in enumerate(areas):
        ring = read_ring(outline)
        west, south, east, north = json.loads(box)
        assert ring[0] == ring[-1]
        assert len(ring) > 4
        assert area(ring) > 0, "RFC 7946: counter-clockwise"
        assert all(west <= lng <= east and south <= lat <= north for lng, lat in ring)
        assert json.loads(centre) == {
            "lat": pytest.approx((south + north) / 2, abs=1e-5),
            "lng": pytest.approx((west + east) / 2, abs=1e-5),
        }
        if level == "barangay" or number % 40 == 0:
            assert not crosses_itself(ring)


@pytest.mark.parametrize(
    ("inner", "outer"), [("barangay", "municipality"), ("municipality", "province"), ("province", "region")]
)
def test_areas_fill_the_one_above_without_overlap(db: sqlite3.Connection, inner: str, outer: str) -> None:
    inside: dict[int, float] = {}
    used: dict[tuple[float, ...], int] = {}
    for parent, outline in db.execute(f"SELECT {outer}_id, boundary_geojson FROM common_{inner}"):
        ring = read_ring(outline)
        inside[parent] = inside.get(parent, 0.0) + area(ring)
        for a, b in pairwise(ring):
            piece = (*a, *b)
            used[piece] = used.get(piece, 0) + 1
    assert max(used.values()) == 1, "two areas on the same side of a border"
    for key, outline in db.execute(f"SELECT id, boundary_geojson FROM common_{outer}"):
        assert inside[key] == pytest.approx(area(read_ring(outline)), rel=1e-6)


def test_communities_are_in_their_barangays(db: sqlite3.Connection) -> None:
    outside = db.execute(
        "SELECT count(*) FROM communities_community c JOIN common_barangay b ON b.id = c.barangay_id"
        " WHERE c.longitude NOT BETWEEN json_extract(b.bounding_box, '$[0]') AND json_extract(b.bounding_box, '$[2]')"
        " OR c.latitude NOT BETWEEN json_extract(b.bounding_box, '$[1]') AND json_extract(b.bounding_box, '$[3]')"
    )
    assert outside.fetchone() == (0,)


# ---------------------------------------------------------------------------------------------------------------------
# Refusals


def test_it_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite3"
    path.write_bytes(b"precious")
    with pytest.raises(MigrationError) as caught:
        write_sample(path, scale=0.01)
    assert caught.value.code == "sample-exists"
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_it_refuses_a_scale_that_is_none(tmp_path: Path, scale: float) -> None:
    with pytest.raises(MigrationError) as caught:
        write_sample(tmp_path / "x.sqlite3", scale=scale)
    assert (caught.value.code, caught.value.exit_status) == ("usage", ExitStatus.USAGE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("parent", ["none", "file"])
def test_it_refuses_a_directory_that_is_none(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MigrationError) as caught:
        write_sample(tmp_path / parent / "x.sqlite3")
    assert caught.value.code == "sample-failed"


def test_what_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3.partial").write_bytes(b"half a database")
    write_sample(tmp_path / "x.sqlite3", scale=0.01)
    assert [path.name for path in tmp_path.iterdir()] == ["x.sqlite3"]


def test_an_interrupted_sample_leaves_nothing(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if event.table == "common_barangay":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "x.sqlite3", scale=0.01, observe=stop)
    assert list(tmp_path.iterdir()) == []


def test_events_tell_of_every_table_with_rows(tmp_path: Path, db: sqlite3.Connection) -> None:
    events: list[Event] = []
    write_sample(tmp_path / "x.sqlite3", scale=0.01, observe=events.append)
    filled = {table: rows for table, rows in count_rows(db).items() if rows and table != "sqlite_sequence"}
    assert {event.table: event.rows for event in events if event.kind == "step-end"} == filled
    assert [event.kind for event in (events[0], events[-1])] == ["phase-start", "phase-end"]


# ---------------------------------------------------------------------------------------------------------------------
# The words that models are described in


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a.B\n    name varchr(10)", KeyError),
        ("a.B\n    name varchar(10) nul", ValueError),
        ("a.B\n    other -> Missing", KeyError),
        ("a.B\n    what?", ValueError),
    ],
)
def test_a_wrong_word_in_a_model_is_an_error(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_models(text)


def test_every_model_is_described_once() -> None:
    tables = [model.table for model in parse_models(MODELS)]
    assert len(tables) == len(set(tables)) == 161
