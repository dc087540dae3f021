"""A large table that is proven in spans, by several threads: whatever is planted anywhere is seen."""

from __future__ import annotations

import sqlite3
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import pytest

from liteferry.compiled.comparing import is_built
from liteferry.errors import MigrationError
from liteferry.model import ColumnMap, SourceInfo, TableMap
from liteferry.proof import verify_table
from liteferry.proof.compiled import compare_compiled
from liteferry.proof.rows import Progress, ProofJob
from liteferry.source import Snapshot
from liteferry.target import SnapshotReader, open_target
from watched_reads import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from liteferry.model import Span, Table
    from liteferry.proof import TableProof
    from liteferry.proof.compiled import EqualRows

pytestmark = pytest.mark.skipif(not is_built(), reason="the comparer was not built")

IDS = [*range(-3, 20), *range(40, 60), 2**40, 2**40 + 1]
TABLE = TableMap(
    source="t",
    target="t",
    columns=(
        ColumnMap(source="v", target="v", pg_type="text", kind="text", rule="test"),
        ColumnMap(source="id", target="id", pg_type="bigint", kind="int8", rule="test"),
    ),
    key=("id",),
    rows=len(IDS),
)


@dataclass
class Sides:
    file: Path
    url: str
    target: psycopg.Connection
    statements: list[str] = field(default_factory=list)

    def prove(self, share: Callable[[Callable[[], None]], object] | None) -> TableProof:
        info = SourceInfo(
            path=str(self.file), size_bytes=0, sha256="", sqlite_version="", encoding="UTF-8", journal_mode=""
        )
        with closing(Snapshot(info, file=self.file)) as snapshot, open_target(self.url) as target:
            catalog = target.read_catalog("public")
            with SnapshotReader(target) as reader:
                watched = Watched(reader, self.statements)
                job = ProofJob(
                    table=TABLE, columns=TABLE.columns, key=(1,), schema="public", source=snapshot, target=watched
                )
                progress = Progress(TABLE, lambda _: None)
                self.found: EqualRows | None = compare_compiled(job, progress, catalog, None, share)
                return verify_table(TABLE, snapshot, watched, schema="public", target_catalog=catalog, share=share)


@pytest.fixture
def sides(pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    monkeypatch.setattr("liteferry.proof.compiled.SPAN_ROWS", 5)
    file = tmp_path / "source.sqlite"
    with closing(sqlite3.connect(file)) as source:
        source.execute("CREATE TABLE t (v TEXT, id INTEGER PRIMARY KEY)")
        source.executemany("INSERT INTO t VALUES (?, ?)", [(f"v{number}", number) for number in IDS])
        source.commit()
    with psycopg.connect(pg_url, autocommit=True) as target:
        target.execute("CREATE TABLE t (v text, id bigint PRIMARY KEY)")
        with target.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s, %s)", [(f"v{number}", number) for number in IDS])
        yield Sides(file, pg_url, target)


@pytest.fixture(params=["nobody", "another thread", "at once"])
def share(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[], None]], object]]:
    """Whoever does what is offered."""
    with ThreadPoolExecutor(3) as pool:
        never: deque[Callable[[], None]] = deque()
        ways: dict[str, Callable[[Callable[[], None]], object]] = {
            "nobody": never.append,
            "another thread": pool.submit,
            "at once": lambda work: work(),
        }
        yield ways[request.param]


def test_the_spans_come_to_what_the_whole_table_does(
    sides: Sides, share: Callable[[Callable[[], None]], object]
) -> None:
    whole, in_spans = sides.prove(None), sides.prove(share)
    assert in_spans.verdict == "proven"
    assert sides.found is not None
    assert (in_spans.source_digest, in_spans.method) == (whole.source_digest, whole.method)
    assert in_spans.rows_target == len(IDS)
    ends = {sql.partition(" WHERE ")[2] for sql in sides.statements} - {""}
    assert len(ends) > 5
    assert all(">=" in sql and "<=" in sql for sql in ends)  # or the server may not take the index
    assert len([sql for sql in ends if "'-9223372036854775808'" in sql]) == 1
    assert len([sql for sql in ends if "'9223372036854775807'" in sql]) == 1


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        *((f"UPDATE t SET v = 'w' WHERE id = {number}", "value") for number in (-3, 0, 19, 40, 59, 2**40 + 1)),
        *((f"DELETE FROM t WHERE id = {number}", "row-missing") for number in (-3, 10, 2**40 + 1)),
        *((f"INSERT INTO t VALUES ('x', {number})", "row-extra") for number in (-(2**63), -4, 30, 60, 2**63 - 1)),
    ],
)
def test_a_fault_in_any_span_is_seen_and_named(sides: Sides, planted: str, kind: str) -> None:
    sides.target.execute(planted.encode())
    with ThreadPoolExecutor(2) as pool:
        proof = sides.prove(pool.submit)
    assert sides.found is None
    assert [found.kind for found in proof.mismatches] == [kind]


def test_rows_between_two_spans_are_compared_all_the_same(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    """A span is forgotten, in which the target lacks a row: what was compared is equal, but it is not the table."""
    right = Snapshot.cut_spans

    def forget(self: Snapshot, table: Table, rows: int, count: int) -> tuple[Span, ...]:
        first, span, *others = right(self, table, rows, count)
        forgotten.append(span)
        return (first, *others)

    forgotten: list[Span] = []
    monkeypatch.setattr(Snapshot, "cut_spans", forget)
    assert sides.prove(lambda work: work()).verdict == "proven"
    assert sides.found is None
    sides.target.execute(f"DELETE FROM t WHERE id BETWEEN {forgotten[0].low} AND {forgotten[0].high}".encode())
    proof = sides.prove(lambda work: work())
    assert {found.kind for found in proof.mismatches} == {"row-missing"}


def test_a_table_whose_target_has_another_key_is_not_cut(sides: Sides) -> None:
    sides.target.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")
    assert sides.prove(lambda work: work()).verdict == "proven"
    assert not [sql for sql in sides.statements if "WHERE" in sql]


def test_an_error_of_a_span_reaches_the_caller(sides: Sides) -> None:
    def refuse(work: Callable[[], None]) -> None:
        sides.target.execute("DROP TABLE IF EXISTS t")
        work()

    with pytest.raises(MigrationError):
        sides.prove(refuse)
