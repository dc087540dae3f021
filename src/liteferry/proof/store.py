"""A scratch file for the proof: which rows one side has and the other has not, however many there are.

Layer 2. The file is SQLite, private to one comparison, and deleted with its directory; memory stays bounded by SQLite's
page cache. It never touches the source.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias

from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Place: TypeAlias = int | str | None
"""Where a row stands on its side: SQLite's rowid, PostgreSQL's ctid."""

_PLACES_SHOWN: Final = 4
_SETTINGS: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",  # it need not survive anything
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA cache_size = -65536",  # KiB; what bounds the memory
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """Rows of one digest of which the sides do not hold the same number. Places: the first few of each side."""

    digest: bytes
    key: bytes | None
    in_source: int
    in_target: int
    source_places: tuple[Place, ...]
    target_places: tuple[Place, ...]


class ProofStore:
    """Takes both sides' rows as digests, then tells the differences. A context manager."""

    def __init__(self, directory: Path | None) -> None:
        """Hold where the scratch file shall be made: None for the system's directory of temporary files."""
        self._directory = directory

    def __enter__(self) -> Self:
        """Make the file."""
        self._scratch = tempfile.TemporaryDirectory(prefix="liteferry-proof-", dir=self._directory)
        self._connection = sqlite3.connect(Path(self._scratch.name) / "rows.sqlite", isolation_level=None)
        with self._reporting():
            for statement in _SETTINGS:
                self._connection.execute(statement)
            self._connection.execute("CREATE TABLE entry (digest BLOB, side INTEGER, key BLOB, place)")
            self._connection.execute("BEGIN")
        return self

    def __exit__(self, *exc: object) -> None:
        """Delete it."""
        self._connection.close()
        self._scratch.cleanup()

    def add_rows(self, side: Literal["source", "target"], rows: Iterable[tuple[bytes, bytes | None, Place]]) -> None:
        """Write rows of one side: digest, canonical key or None, place."""
        with self._reporting():
            self._connection.executemany(
                f"INSERT INTO entry (side, digest, key, place) VALUES ({int(side == 'target')}, ?, ?, ?)", rows
            )

    def find_differences(self) -> tuple[int, int]:
        """Compare, once both sides are complete. Returns how many rows the target lacks, and how many it has beyond."""
        with self._reporting():
            self._connection.execute("CREATE INDEX entry_digest ON entry (digest, side, place)")
            self._connection.execute(
                "CREATE TABLE difference AS SELECT digest, max(key) AS key, sum(side = 0) AS in_source,"
                " sum(side = 1) AS in_target, min(CASE side WHEN 0 THEN place END) AS source_place,"
                " min(CASE side WHEN 1 THEN place END) AS target_place"
                " FROM entry GROUP BY digest HAVING in_source <> in_target"
            )
            lost, extra = self._connection.execute(
                "SELECT coalesce(sum(max(in_source - in_target, 0)), 0),"
                " coalesce(sum(max(in_target - in_source, 0)), 0) FROM difference"
            ).fetchone()
        return lost, extra

    def list_by_key(self, limit: int) -> list[RowDifference]:
        """The differences of the first ``limit`` keys, complete for each of them."""
        return self._list("WHERE key IN (SELECT DISTINCT key FROM difference ORDER BY key LIMIT ?) ORDER BY key", limit)

    def list_by_place(self, limit: int) -> list[RowDifference]:
        """The first ``limit`` differences of either sort, in the order of the places."""
        order = "ORDER BY source_place IS NULL, source_place, target_place LIMIT ?"
        return [
            *self._list(f"WHERE in_source > in_target {order}", limit),
            *self._list(f"WHERE in_source < in_target {order}", limit),
        ]

    def _list(self, clause_sql: str, limit: int) -> list[RowDifference]:
        with self._reporting():
            found = self._connection.execute(
                f"SELECT digest, key, in_source, in_target FROM difference {clause_sql}", (limit,)
            ).fetchall()
            return [
                RowDifference(
                    digest=digest,
                    key=key,
                    in_source=in_source,
                    in_target=in_target,
                    source_places=self._places(digest, 0),
                    target_places=self._places(digest, 1),
                )
                for digest, key, in_source, in_target in found
            ]

    def _places(self, digest: bytes, side: int) -> tuple[Place, ...]:
        rows = self._connection.execute(
            "SELECT place FROM entry WHERE digest = ? AND side = ? ORDER BY place LIMIT ?",
            (digest, side, _PLACES_SHOWN),
        )
        return tuple(place for (place,) in rows)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" not in str(error):
                raise
            raise MigrationError(
                f"the disk filled up while the proof's scratch file was written in {self._scratch.name}",
                code="disk-full",
                hint="free some room there, or set TMPDIR and SQLITE_TMPDIR to a directory with more",
            ) from error
