"""Memory is bounded, over all of liteferry's processes: by a figure for any number of rows, by the size of one value.

200 MB, however many rows; and of a value of 100 MB, three times that, with all that an empty run takes.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from harness import ferry_argv
from liteferry.compiled import list_parts
from memory import MB, Footprint, measure_peak

if TYPE_CHECKING:
    from pathlib import Path

ROWS_BYTES = 200 * MB
EMPTY_BYTES = 80 * MB  # the interpreter, its libraries, and buffers of bounded size; measured: 45 MB and up to 30 MB
TIMES = 3  # of the value: of one of 100 MB with all that a run takes; small ones leave holes in the allocator's memory
KINDS = ("text", "bytea", "jsonb", "keys", "many keys", "nested")
ODD_KINDS = ("doubled", "no JSON", "NUL", "no UTF-8")
QUICK_KINDS = ("text", "jsonb", "keys", "doubled", "NUL")  # one of each way through the code

pytestmark = pytest.mark.skipif(
    not all(list_parts().values()), reason="in Python a large value costs more; not all compiled parts were built"
)


def move(source: Path, url: str, run_dir: Path) -> Footprint:
    taken = measure_peak(ferry_argv("migrate", source, url, "--yes", "--json", "--run-dir", run_dir))
    assert taken.status == 0, taken.err
    assert json.loads(taken.out)["verdict"] == "proven"
    return taken


def verify(source: Path, url: str) -> Footprint:
    taken = measure_peak(ferry_argv("verify", source, url, "--json"))
    assert taken.status == 0, taken.err
    return taken


def check_rows(place: Path, url: str, count: int, *, note_chars: int = 0) -> None:
    """Move so many rows. note_chars: what each has beside some small values."""
    with closing(sqlite3.connect(place / "x.sqlite")) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, n INTEGER, at DATETIME, note TEXT)")
        db.execute(
            "INSERT INTO entry (n, at, note) WITH i (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM i WHERE i < ?)"
            " SELECT i * 7919 % 1000003, datetime(i, 'unixepoch'), 'note ' || (i % 97) || ? FROM i",
            [count, "." * note_chars],
        )
        db.execute("CREATE INDEX of_n ON entry (n)")
        db.commit()
    taken = move(place / "x.sqlite", url, place / "run")
    assert json.loads(taken.out)["tables"][0]["rows_target"] == count
    assert taken.peak_bytes < ROWS_BYTES


def test_many_rows(tmp_path: Path, pg_url: str) -> None:
    """So many, and so large, that they could not all be held, in whatever form."""
    check_rows(tmp_path, pg_url, 300_000, note_chars=600)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_twenty_million_rows(tmp_path: Path, pg_url: str) -> None:
    check_rows(tmp_path, pg_url, 20_000_000)


def make_value(kind: str, size: int) -> str | bytes:
    match kind:
        case "bytea":
            return os.urandom(size)
        case "text":
            return ('naïve "text" \\ line\n' * (size // 20))[: size * 19 // 20]
        case "NUL":
            return "ab\0d" * (size // 4)
        case "no UTF-8":
            return b"abc\xff" * (size // 4)
        case "many keys":
            return json.dumps({f"key{n * 7919 % 20_000_003}": n for n in range(size // 22)})
        case "nested":
            return json.dumps([{"zeta": n, "alpha": f'"{n}"', "at": [1.5, n / 7]} for n in range(size // 65)])
    items = {"k\n": ["abcdefghij"] * (size // 14), "a": 1.50}
    if kind != "keys":
        items["k"] = items.pop("k\n")
    return (
        json.dumps(items) + {"no JSON": "x"}.get(kind, "") if kind != "doubled" else json.dumps(items)[:-1] + ',"a":1}'
    )


def check_value(place: Path, url: str, kind: str, size: int) -> None:
    declared = {"bytea": "BLOB"}.get(kind, "TEXT" if kind in {"text", "NUL", "no UTF-8"} else "JSON")
    value = make_value(kind, size)
    with closing(sqlite3.connect(place / "x.sqlite")) as db:
        db.execute(f"CREATE TABLE large (id INTEGER PRIMARY KEY, v {declared})")
        db.execute("INSERT INTO large VALUES (1, ?), (2, ?)", [value, make_value(kind, 100)])
        if declared == "TEXT":
            db.execute("UPDATE large SET v = CAST(v AS TEXT)")
        db.commit()
    size_bytes = len(value if isinstance(value, bytes) else value.encode())
    most_bytes = TIMES * size_bytes + (0 if size >= 100 * MB else EMPTY_BYTES)
    if kind in ODD_KINDS:
        taken = measure_peak(ferry_argv("check", place / "x.sqlite", "--json"))
        assert [found["name"] for found in json.loads(taken.out)["findings"]] == ["v"], taken.err
    else:
        taken = move(place / "x.sqlite", url, place / "run")
        assert verify(place / "x.sqlite", url).peak_bytes < most_bytes
    assert taken.peak_bytes < most_bytes


@pytest.mark.parametrize("kind", QUICK_KINDS)
def test_a_value_of_thirty_megabytes(tmp_path: Path, pg_url: str, kind: str) -> None:
    check_value(tmp_path, pg_url, kind, 30 * MB)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", [*KINDS, *ODD_KINDS])
def test_a_value_of_a_hundred_megabytes(tmp_path: Path, pg_url: str, kind: str) -> None:
    check_value(tmp_path, pg_url, kind, 100 * MB)
