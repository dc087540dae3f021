"""Reading ahead: many small queries whose turn comes soon are read in one round trip, when the first is asked for.

Layer 2. Used within `target`. Nothing else changes: who asks gets the same bytes of the same moment, from memory.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUERIES_TOGETHER: Final = 20
"""So many share a round trip, and a transaction, which holds a lock on all that they touched until it ends."""
AHEAD_BYTES: Final = 1 << 20
"""Of one batch: what is beyond is read when it is asked for. At most so much waits in memory for each worker."""


@dataclass(slots=True)
class _Batch:
    selects: Sequence[str]
    guard: threading.Lock = field(default_factory=threading.Lock)
    copies: dict[str, bytes] | None = None  # None: not read yet


class ReadAhead:
    """What is expected to be asked for. Usable from several threads: who comes second waits for the first's answer."""

    def __init__(self, read: Callable[[Sequence[str], float], list[bytes | None]]) -> None:
        """read: gives what queries say, each within so many seconds (0 for any), None for what is too much."""
        self._read = read
        self._expected: dict[tuple[str, float], _Batch] = {}
        self._guard = threading.Lock()

    def expect(self, selects: Sequence[str], within_s: float = 0) -> None:
        """Say what is going to be asked for, about in this order; nothing else must be expected any more.

        What was read for an earlier expectation, and nobody has asked for, is forgotten.
        """
        batches = [
            _Batch(selects[start : start + QUERIES_TOGETHER]) for start in range(0, len(selects), QUERIES_TOGETHER)
        ]
        with self._guard:
            self._expected = {(sql, within_s): batch for batch in batches for sql in batch.selects}

    def take(self, sql: str, within_s: float = 0) -> bytes | None:
        """What a query says, once; None where nobody expected it, or it has to be asked by itself."""
        with self._guard:
            batch = self._expected.pop((sql, within_s), None)
        if batch is None:
            return None
        with batch.guard:
            if batch.copies is None:
                batch.copies = {}  # whatever becomes of it: it is not tried again
                copies = self._read(batch.selects, within_s)
                found = zip(batch.selects, copies, strict=True)
                batch.copies = {sql: copy for sql, copy in found if copy is not None}
            return batch.copies.pop(sql, None)
