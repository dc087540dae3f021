"""What a large value costs in memory while it is encoded and sent: itself, and little more."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from memory import MB, measure_peak
from stored_rows import needs_encoder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_encoder

SEND = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import psycopg
from liteferry.codecs import HEADER, TRAILER
from liteferry.compiled.encoding import encode_rows
from stored_rows import column, open_copy
snapshot = open_copy(Path(sys.argv[2]))
table = snapshot.read_catalog().table("t")
with psycopg.connect(sys.argv[3]) as connection:
    with connection.cursor().copy("COPY t FROM STDIN (FORMAT binary)") as copy:
        copy.write(HEADER)
        for _, chunk in encode_rows(snapshot, table, [column(sys.argv[4], name="v")]):
            copy.write(chunk)
        copy.write(TRAILER)
snapshot.close()
"""
VALUES = {
    "bytea": "zeroblob({size})",
    "text": "replace(hex(zeroblob({size} / 2)), '00', 'é')",
    "json": "json_quote(hex(zeroblob({size} / 2 - 1)))",
}


@pytest.mark.parametrize("kind", sorted(VALUES))
@pytest.mark.parametrize("size", [30 * MB, pytest.param(100 * MB, marks=pytest.mark.slow)])
def test_a_large_value_costs_itself(tmp_path: Path, pg_url: str, kind: str, size: int) -> None:
    with psycopg.connect(pg_url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE t (v {kind})".encode())
    small, large = (send(tmp_path, pg_url, kind, of) for of in (1000, size))
    assert large - small < size * 1.2 + 4 * MB
    with psycopg.connect(pg_url) as connection:
        sizes = connection.execute(
            "SELECT octet_length(v::text) FROM t" if kind != "bytea" else "SELECT length(v) FROM t"
        )
        assert sorted(found for (found,) in sizes) == [1000] * 3 + [size] * 3


def send(tmp_path: Path, url: str, kind: str, size: int) -> int:
    """Send three values of this size; gives the most memory that it took, in bytes."""
    path = tmp_path / f"{size}.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (v)")
        for _ in range(3):
            connection.execute(f"INSERT INTO t VALUES ({VALUES[kind].format(size=size)})")
        connection.commit()
    taken = measure_peak([sys.executable, "-c", SEND, sys.path[0], str(path), url, kind])
    assert taken.status == 0, taken.err
    return taken.peak_bytes
