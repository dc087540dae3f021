"""Large values are read in pieces; whatever is planted into them is seen."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from liteferry.compiled.comparing import is_built
from liteferry.model import ColumnCensus, ColumnMap, Kind, SourceInfo, TableCensus, TableMap
from liteferry.proof import verify_table
from liteferry.proof.compiled import compare_compiled
from liteferry.proof.rows import Progress, ProofJob
from liteferry.source import Snapshot
from liteferry.target import SnapshotReader, open_target
from watched_reads import Watched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from liteferry.proof import TableProof
    from liteferry.proof.compiled import EqualRows

pytestmark = pytest.mark.skipif(not is_built(), reason="the comparer was not built")

PIECE_BYTES = 100
TYPES: dict[str, tuple[Kind, str]] = {
    "_0": ("int8", "bigint"),
    "case": ("text", "text"),
    "var": ("text", "varchar"),
    "b": ("bytea", "bytea"),
    "j": ("json", "json"),
    "jb": ("jsonb", "jsonb"),
}
COLUMNS = tuple(
    ColumnMap(source=name, target=name, pg_type=pg_type, kind=kind, rule="test")
    for name, (kind, pg_type) in TYPES.items()
)
TABLE = TableMap(source="t", target="t", columns=COLUMNS, key=("_0",))


def make_rows() -> list[list[object]]:
    """Rows of small, large and absent values, with sizes about those of pieces."""
    dice = random.Random(3)
    rows: list[list[object]] = []
    for number in range(60):
        size = dice.choice([0, 5, 99, 100, 101, 199, 200, 201, 1000])
        text = "".join(dice.choice("aé\n\t\\ 😀'") for _ in range(size))
        document = {
            "é" * (size % 7 + 1): [dice.random() for _ in range(size // 20)],
            "a": {str(key): {"z": [text[:20], None], "b": 1.50} for key in range(size // 50)},
            "": text[: size // 2],
        }
        spelled = json.dumps(document, indent=number % 2 or None, ensure_ascii=number % 3 == 0)
        row = [number, text, text[::-1], dice.randbytes(size), spelled, spelled]
        rows.append([value if at == 0 or dice.random() < 0.8 else None for at, value in enumerate(row)])
    return rows


ROWS = make_rows()


@dataclass
class Sides:
    file: Path
    url: str
    target: psycopg.Connection
    longest: int = 1000
    statements: list[str] = field(default_factory=list)

    def prove(self, *, in_pieces: bool = True) -> TableProof:
        info = SourceInfo(
            path=str(self.file), size_bytes=0, sha256="", sqlite_version="", encoding="UTF-8", journal_mode=""
        )
        counted = tuple(ColumnCensus(name=name, longest_value_bytes=self.longest) for name in TYPES)
        census = TableCensus(table="t", rows=len(ROWS), columns=counted) if in_pieces else None
        with closing(Snapshot(info, file=self.file)) as snapshot, open_target(self.url) as target:
            catalog = target.read_catalog("public")
            with SnapshotReader(target) as reader:
                watched = Watched(reader, self.statements)
                job = ProofJob(table=TABLE, columns=COLUMNS, key=(0,), schema="public", source=snapshot, target=watched)
                self.found: EqualRows | None = compare_compiled(
                    job, Progress(TABLE, lambda _: None), catalog, census, None
                )
                return verify_table(TABLE, snapshot, watched, schema="public", target_catalog=catalog, census=census)


@pytest.fixture
def sides(pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    for module in ("rows", "compiled"):
        monkeypatch.setattr(f"liteferry.proof.{module}.PIECE_BYTES", PIECE_BYTES)
    file = tmp_path / "source.sqlite"
    places = ", ".join("?" * len(TYPES))
    with closing(sqlite3.connect(file)) as source:
        declared = ", ".join(f'"{name}"' for name in [*TYPES][1:])
        source.execute(f"CREATE TABLE t (_0 INTEGER PRIMARY KEY, {declared})")
        source.executemany(f"INSERT INTO t VALUES ({places})", ROWS)
        source.commit()
    with psycopg.connect(pg_url, autocommit=True) as target:
        declared = ", ".join(f'"{name}" {pg_type}' for name, (_, pg_type) in TYPES.items())
        target.execute(f"CREATE TABLE t ({declared}, PRIMARY KEY (_0))".encode())
        with target.cursor() as cursor:
            cursor.executemany(f"INSERT INTO t VALUES ({places.replace('?', '%s')})".encode(), ROWS)
        yield Sides(file, pg_url, target)


def test_pieces_come_to_what_whole_values_do(sides: Sides) -> None:
    whole = sides.prove(in_pieces=False)
    assert not [sql for sql in sides.statements if "substring" in sql]
    in_pieces = sides.prove()
    assert sides.found is not None
    assert replace(in_pieces, elapsed_s=0) == replace(whole, elapsed_s=0)
    assert [sql for sql in sides.statements if "substring" in sql]


LARGE = [row for row in ROWS if all(isinstance(value, int) or (value and len(value) > 500) for value in row)]  # type: ignore[arg-type]
KEY = LARGE[0][0]
PLANTED = [
    *(
        f'UPDATE t SET "{name}" = overlay("{name}" placing \'x\' FROM {at}) WHERE _0 = {KEY}'
        for name in ("case", "var")
        for at in (1, 120, 999)
    ),
    f'UPDATE t SET "case" = "case" || \'x\' WHERE _0 = {KEY}',
    f'UPDATE t SET "case" = left("case", -1) WHERE _0 = {KEY}',
    f'UPDATE t SET "case" = left("case", 90) WHERE _0 = {KEY}',
    f"UPDATE t SET \"case\" = '' WHERE _0 = {KEY}",
    *(f'UPDATE t SET "{name}" = NULL WHERE _0 = {KEY}' for name in TYPES if name != "_0"),
    *(f"UPDATE t SET b = set_byte(b, {at}, 255 - get_byte(b, {at})) WHERE _0 = {KEY}" for at in (0, 100, 999)),
    f"UPDATE t SET b = b || '\\x00' WHERE _0 = {KEY}",
    f"UPDATE t SET b = substring(b FROM 2) WHERE _0 = {KEY}",
    f"UPDATE t SET j = (j::text || ' ')::json WHERE _0 = {KEY}",
    f"UPDATE t SET jb = jb || '{{\"a\": 1}}' WHERE _0 = {KEY}",
    f"UPDATE t SET jb = jb || '{{\"new\": 1}}' WHERE _0 = {KEY}",
    f"UPDATE t SET jb = jsonb_set(jb, '{{a,3,z,1}}', 'true') WHERE _0 = {KEY}",
    f"UPDATE t SET jb = '{{}}' WHERE _0 = {KEY}",
    *(
        f'UPDATE t SET "{name}" = {large} WHERE _0 = (SELECT min(_0) FROM t WHERE "{name}" IS NULL)'
        for name, large in {
            "case": "repeat('x', 500)",
            "b": "decode(repeat('00', 500), 'hex')",
            "j": "to_json(repeat('x', 500))",
            "jb": "to_jsonb(repeat('x', 500))",
        }.items()
    ),
    *(
        f'UPDATE t SET "{name}" = {value} WHERE _0 = (SELECT min(_0) FROM t WHERE "{name}" {condition})'
        for name in ("case", "var", "b")
        for value, condition in (("NULL", "= ''"), ("''", "IS NULL"))
    ),
    f"DELETE FROM t WHERE _0 = {KEY}",
    "DELETE FROM t WHERE _0 = 59",
    'INSERT INTO t SELECT 60, "case", var, b, j, jb FROM t WHERE _0 = 59',
    'UPDATE t SET "case" = var, var = "case" WHERE _0 = (SELECT max(_0) FROM t WHERE "case" <> var)',
]


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_seen(sides: Sides, planted: str) -> None:
    assert sides.target.execute(planted.encode()).rowcount == 1
    proof = sides.prove()
    assert sides.found is None
    assert proof.mismatch_count in {1, 2}


def test_small_values_are_not_read_in_pieces(sides: Sides) -> None:
    sides.longest = 4 * PIECE_BYTES
    assert sides.prove().verdict == "proven"
    assert not [sql for sql in sides.statements if "substring" in sql]
