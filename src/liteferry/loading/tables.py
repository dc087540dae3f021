"""What has to be done for one table, and how far it is.

Layer 3. Used through `loading`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.loading.counter import Counter
    from liteferry.model import Step, TableMap

BATCH_BYTES: Final = 4 << 20
"""How much the tables hold that are loaded in one transaction, about; a larger one is loaded by itself."""
LARGE_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TableGroup:
    """The steps of one table: what makes it, what fills it, and what follows; a hook may have parted them."""

    map: TableMap
    create: Step | None = None
    copy: Step | None = None
    rest: tuple[Step, ...] = ()

    @classmethod
    def of(cls, steps: Sequence[Step], mapped: TableMap) -> TableGroup:
        """Sort a table's steps. Pure."""
        return cls(
            map=mapped,
            create=next((step for step in steps if step.phase == "pre-data"), None),
            copy=next((step for step in steps if step.copy is not None), None),
            rest=tuple(step for step in steps if step.phase == "post-data"),
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them, in their order."""
        return (*filter(None, (self.create, self.copy)), *self.rest)

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return self.map.rows

    @property
    def size_bytes(self) -> int:
        """How much the table's values take."""
        return self.map.size_bytes

    @property
    def is_large(self) -> bool:
        """Whether it is loaded by itself."""
        return self.rows > LARGE_ROWS or self.size_bytes > BATCH_BYTES


@dataclass(slots=True, kw_only=True)
class Split:
    """A table whose spans are loaded side by side: how many are left, and the rows of the others."""

    copy: Step
    counter: Counter
    left: int
    rows: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True, kw_only=True)
class Built:
    """A large table's indexes: how many are left, and how long each of the others took."""

    left: int
    elapsed_s: dict[str, float] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)
