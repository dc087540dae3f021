"""How far the load of a table is.

Layer 3. Used through `loading`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from liteferry.model import Event
from liteferry.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from liteferry.model import Step


class Sink(Protocol):
    """Takes events on their way."""

    def put(self, item: Event, /) -> None:
        """Take one."""
        ...


class Teller:
    """Tells events to an observer at once, in this thread."""

    def __init__(self, observe: Callable[[Event], None]) -> None:
        """Hold the observer."""
        self._observe = observe

    def put(self, item: Event, /) -> None:
        """Tell it."""
        self._observe(item)


class Counter:
    """Counts a table's rows, from whatever threads send them, and says so at most ten times a second."""

    def __init__(self, events: Sink, step: Step, total_rows: int) -> None:
        """Say that it begins."""
        self._events = events
        self._step = step
        self._total = total_rows
        self._guard = threading.Lock()
        self._pace = Pace()
        self.rows = 0
        self.size_bytes = 0
        self._tell("step-start")

    def add(self, rows: int, size_bytes: int) -> None:
        """Count rows that were encoded."""
        with self._guard:
            self.rows += rows
            self.size_bytes += size_bytes
            if self._pace.is_due():
                self._tell("step-progress")

    def finish(self) -> None:
        """Say that it has ended."""
        self._tell("step-end")

    def _tell(self, kind: str) -> None:
        self._events.put(
            Event(
                kind=kind,  # type: ignore[arg-type]  # the three literals above
                phase="load",
                step_id=self._step.id,
                table=self._step.copy or "",
                rows=self.rows,
                total_rows=self._total,
                size_bytes=self.size_bytes,
                elapsed_s=self._pace.elapsed_s,
            )
        )


class Share:
    """What one stream counts of a table's rows; the table's counter counts it too."""

    def __init__(self, counter: Counter) -> None:
        """Count for this counter."""
        self._counter = counter
        self.rows = 0

    def add(self, rows: int, size_bytes: int) -> None:
        """Count rows that were encoded."""
        self.rows += rows
        self._counter.add(rows, size_bytes)
