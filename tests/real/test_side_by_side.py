"""Each compiled part gives up the interpreter's lock while it works, so that threads of several get on side by side."""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from liteferry.census import InvalidText
from liteferry.compiled import find_part, list_parts
from liteferry.compiled.comparing import RowComparison, open_copy
from liteferry.model import ColumnMap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LONG_SQL = "WITH i (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM i LIMIT 3000000) SELECT max(n) FROM i"
"""SQLite takes a good while for its one row."""
ATTEMPTS = 3
"""On a machine that is busy, the thread that looks may come too late; never all of the time."""
LOOKS = 20
"""How often it lets go of the lock and takes it again, a thousandth of a second apart: between two of them the work has
the lock, where it ever takes it."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A file of a page or two, and threads that take turns only where one gives up the lock by itself."""
    path = tmp_path / "x.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (a INTEGER)")
        db.execute("CREATE INDEX i ON t (a)")
        db.commit()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        yield path
    finally:
        sys.setswitchinterval(before)


def encode(uri: str, path: Path) -> Callable[[], object]:  # noqa: ARG001 - as the others
    part = find_part("_encoder")
    assert part is not None
    reader = part.Reader(uri, ())
    reader.begin(LONG_SQL, (("int8", 0, 0, 0, 0, repr),), None)
    return reader.read  # type: ignore[no-any-return]


def compare(uri: str, path: Path) -> Callable[[], object]:  # noqa: ARG001 - as the others
    column = ColumnMap(source="n", target="n", pg_type="bigint", kind="int8", rule="")
    return RowComparison((column,), database=open_copy(uri), sql=LONG_SQL, is_paired=True).finish


def count(uri: str, path: Path) -> Callable[[], object]:  # noqa: ARG001 - as the others
    part = find_part("_counter")
    assert part is not None
    reader, rules = part.open_reader(uri, ()), (False, 1, 0, 2**62, 0, 0, 0, -1, -1, -1)
    return lambda: part.count(reader, LONG_SQL, (rules,), (), False, 0, InvalidText, print, print)


def check(uri: str, path: Path) -> Callable[[], object]:
    part = find_part("_checker")
    assert part is not None
    file, tables = path.open("rb"), ((LONG_SQL, 1, ((3, (0,), b"\0", 0),)),)

    def find() -> object:
        found = part.find_doubtful(uri, file.fileno(), tables, 1, bytearray(1))
        file.close()
        return found

    return find


def is_seen_at_work(work: Callable[[], object]) -> bool:
    """Whether another thread gets to look, again and again, while the work is done."""
    begun, ended = threading.Event(), threading.Event()
    found: list[object] = []

    def run() -> None:
        begun.set()
        found.append(work())
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    for _ in range(LOOKS):
        time.sleep(0.001)
    seen = not ended.is_set()
    thread.join()
    assert len(found) == 1
    return seen


@pytest.mark.skipif(not all(list_parts().values()), reason="not all compiled parts were built")
@pytest.mark.parametrize("begin", [encode, compare, count, check])
def test_another_thread_is_not_kept_waiting(begin: Callable[[str, Path], Callable[[], object]], place: Path) -> None:
    uri = place.as_uri() + "?mode=ro"
    assert any(is_seen_at_work(begin(uri, place)) for _ in range(ATTEMPTS))


def test_what_keeps_the_lock_is_noticed(place: Path) -> None:
    """A function in C that keeps the lock: the other thread sees nothing of it."""
    assert place.exists()
    assert not is_seen_at_work(lambda: sum(range(20_000_000)))
