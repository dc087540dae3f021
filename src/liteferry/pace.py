"""How often those who watch are told of what goes on: one measure for snapshot, census, load and proof.

Layer 2.
"""

from __future__ import annotations

import time
from typing import Final

TELL_EVERY_S: Final = 0.1


class Pace:
    """A stopwatch that says when it is time to tell how far something is. For one thread at a time."""

    def __init__(self) -> None:
        """Begin now."""
        self._begun = self._told = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._begun

    def is_due(self) -> bool:
        """Whether it is time to tell; if so, the next time is counted from here."""
        now = time.monotonic()
        if now - self._told < TELL_EVERY_S:
            return False
        self._told = now
        return True
