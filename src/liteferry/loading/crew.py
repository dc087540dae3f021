"""Tasks that bring further tasks, and which of them is next.

Layer 3. Used through `loading`. Knows nothing of what the tasks do.
"""

from __future__ import annotations

import heapq
import threading
from concurrent.futures import wait
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    import psycopg

    from liteferry.target import Target

STOP_S: Final = 10.0
"""How long workers that were told to stop may take."""

Work: TypeAlias = "Callable[[psycopg.Connection], Sequence[Task]]"
"""Does something on a connection, in whatever thread; returns what can be done now that it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do. ``size``: the larger ones are begun first, so that no long one is left over at the end."""

    work: Work
    size: int = 0


class Crew:
    """Hands out tasks to threads: what follows from a task first, then the largest."""

    def __init__(self, tasks: Sequence[Task], workers: int = 1) -> None:
        """Begin with these tasks. workers: how many are going to take them."""
        self._workers = workers
        self._numbers = count()
        self._waiting: list[tuple[int, int, int, Task]] = []
        self._running = 0
        self._ended = False
        self._changed = threading.Condition()
        self._add(tasks, rank=1)

    def _add(self, tasks: Sequence[Task], *, rank: int) -> None:
        for task in tasks:
            heapq.heappush(self._waiting, (rank, -task.size, next(self._numbers), task))

    def take(self) -> Task | None:
        """Wait for a task and take it; None when there is nothing more to do, or everything was broken off."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._running or self._ended)
            if self._ended or not self._waiting:
                return None
            self._running += 1
            return heapq.heappop(self._waiting)[-1]

    def finish(self, follow: Sequence[Task]) -> None:
        """Say that a task is done, and what follows from it."""
        with self._changed:
            self._running -= 1
            self._add(follow, rank=0)
            self._changed.notify_all()

    def resign(self, task: Task) -> bool:
        """Give a task back that was not begun, and take no more. False: nobody else is left who could do it."""
        with self._changed:
            self._running -= 1
            self._workers -= 1
            self._add([task], rank=0)
            self._changed.notify_all()
            return self._workers > 0

    def break_off(self) -> None:
        """Let nobody take any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def stop_workers(futures: Sequence[Future[Any]], target: Target) -> None:
    """Have workers end soon: those that have not begun never do, the others get an error from their connections.

    The server is asked to cancel what they wait for; where that does not help in time (it reads from a client that a
    network holds up), the connections are broken. A future that is cancelled is not waited for: one that a pool took
    out of its queue when it was shut down never tells `wait` that it is done.
    """
    begun = [future for future in futures if not future.cancel()]
    target.cancel_all()
    try:
        if not wait(begun, timeout=STOP_S).not_done:
            return
    except BaseException:
        target.break_all()
        raise
    target.break_all()
