"""Whatever a SQLite file holds, in whatever columns: it arrives and is proven, once the findings are accepted."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from liteferry import Options, migrate, undo
from liteferry.target import open_target

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Value = None | int | float | str | bytes

NAMES: SearchStrategy[str] = st.one_of(
    st.sampled_from(
        [
            "order",
            "user",
            "Group",
            "oid",
            "xmin",
            "ctid",
            "tableoid",
            "a b",
            'quo"te',
            "it's",
            "naïve",
            "x" * 70,
            "select",
            "%s",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
)
TYPES = st.sampled_from(
    [
        "INTEGER", "int", "bigint", "BOOL", "REAL", "double precision", "DECIMAL(6,2)", "numeric", "VARCHAR(5)", "TEXT",
        "char(3)", "DATETIME", "DATE", "TIME", "BLOB", "JSON", "UUID", "", "LENGTH", "integer unsigned",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "2025-10-09", "2025-10-09 16:21:00", "2025-10-09T16:21:00.123456Z", "2025-02-30", "08:30", "true", "f", "0",
            "{}", '{"a": 1, "a": 2}', '"\\u0000"', "[1.5, 1e3]", "no json", "0" * 32, "a\0b", "", "\\N", "\\.", "1.50",
            "\t\n\r\\", "NaN", "infinity", "now",
        ]
    ),
)  # fmt: skip
VALUES: SearchStrategy[Value] = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, -1]),
    st.floats(allow_nan=False),
    TEXTS,
    st.binary(max_size=20),
)


@st.composite
def tables(draw: st.DrawFn, name: str) -> tuple[str, list[str], list[tuple[Value, ...]]]:
    """A CREATE TABLE, its columns, and rows for it. Half of the tables hold only what their types are for."""
    columns = draw(st.lists(st.tuples(NAMES, TYPES), min_size=1, max_size=5, unique_by=lambda item: item[0].lower()))
    quoted = ['"' + column.replace('"', '""') + '"' for column, _ in columns]
    parts = [f"{column} {declared}" for column, (_, declared) in zip(quoted, columns, strict=True)]
    if draw(st.booleans()):
        key = next(f'"key{n}"' for n in itertools.count() if f"key{n}" not in [column.lower() for column, _ in columns])
        parts.insert(0, f"{key} INTEGER PRIMARY KEY" + draw(st.sampled_from(["", " AUTOINCREMENT"])))
    sql = f'CREATE TABLE "{name}" ({", ".join(parts)})'
    rows = draw(st.lists(st.tuples(*[VALUES] * len(columns)), max_size=8))
    return sql, quoted, rows + draw(st.sampled_from([[], rows[:1]]))


DATABASES = st.lists(st.integers(0, 3), min_size=1, max_size=3).flatmap(
    lambda picks: st.tuples(*[tables(f"table {number}") for number, _ in enumerate(picks)])
)


def write_source(path: Path, database: tuple[tuple[str, list[str], list[tuple[Value, ...]]], ...]) -> None:
    connection = sqlite3.connect(path)
    for number, (sql, columns, rows) in enumerate(database):
        connection.execute(sql)
        marks = ", ".join("?" * len(columns))
        connection.executemany(f'INSERT INTO "table {number}" ({", ".join(columns)}) VALUES ({marks})', rows)
    connection.commit()
    connection.close()


def check_database(url: str, database: tuple[tuple[str, list[str], list[tuple[Value, ...]]], ...]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "source.sqlite"
        write_source(source, database)
        report = migrate(source, url, Options(accept=("all",), run_dir=f"{directory}/run"))
        assert report.verdict == "proven", (report.failure, report.mismatches)
        assert report.rows == sum(len(rows) for _, _, rows in database)
        undo(f"{directory}/run", url)
        with open_target(url) as target:
            assert target.read_catalog("public").is_empty


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a shrink is a migration a step: by hand, when needed
)
@given(database=DATABASES)
def test_any_database_arrives(
    pg_url: str, database: tuple[tuple[str, list[str], list[tuple[Value, ...]]], ...]
) -> None:
    check_database(pg_url, database)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(database=DATABASES)
def test_any_database_arrives_at_length(
    pg_url: str, database: tuple[tuple[str, list[str], list[tuple[Value, ...]]], ...]
) -> None:
    check_database(pg_url, database)


def test_the_property_can_fail(pg_url: str, tmp_path: Path) -> None:
    """The same check, with a cell changed behind the proof's back after the run, is seen by `verify`."""
    from liteferry import verify

    source = tmp_path / "source.sqlite"
    write_source(source, (('CREATE TABLE "table 0" ("a" TEXT)', ['"a"'], [("x",), ("y",)]),))
    assert migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"))).verdict == "proven"
    with psycopg.connect(pg_url) as connection:
        connection.execute("""UPDATE "table 0" SET a = 'z' WHERE a = 'y'""")
    report = verify(source, pg_url, Options(run_dir=str(tmp_path / "run")))
    assert report.verdict == "mismatch"
    assert report.mismatch_count
