"""The target, read through something that notes what it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liteferry.target import SnapshotReader


@dataclass
class Watched:
    reader: SnapshotReader
    statements: list[str]

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        self.statements.append(select_sql)
        yield from self.reader.copy_out(select_sql)
