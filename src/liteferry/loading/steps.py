"""Steps that are run together, in one transaction: their statements, and what there is to tell of them.

Layer 3. Used through `loading`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.model import Event
from liteferry.target import run_load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg

    from liteferry.model import Step

BATCH_STEPS: Final = 100
"""How many statements go to the server in one round trip and one transaction: it bounds the locks held at once."""
FINAL: Final = frozenset({"connection-lost", "interrupted", "disk-full", "value-misfit"})
"""Errors that trying again, statement by statement, would neither change nor explain."""


def run_steps(
    steps: Sequence[Step], run: Callable[[Sequence[str], str], None], *, spent_s: float = 0.0
) -> Iterator[Event]:
    """Run steps in one transaction and one round trip; one by one when that fails, to say which it was.

    run: is given statements, and the id of the first one's step. spent_s: on these steps, before.
    """
    if not steps:
        return
    begun = time.monotonic() - spent_s
    try:
        run(list_sql(steps), steps[0].id)
    except MigrationError as error:
        if len(steps) == 1 or error.code in FINAL:
            raise
        for step in steps:
            yield from run_steps([step], run)
        return
    yield from list_ended(steps, begun)


def run_batches(steps: Sequence[Step], run: Callable[[Sequence[str], str], None]) -> Iterator[Event]:
    """As `run_steps`, `BATCH_STEPS` at a time: however many they are, no more locks are held at once."""
    for start in range(0, len(steps), BATCH_STEPS):
        yield from run_steps(steps[start : start + BATCH_STEPS], run)


def run_in_load(
    steps: Sequence[Step], connection: psycopg.Connection, *, sessions: int = 0, spent_s: float = 0.0
) -> Iterator[Event]:
    """As `run_steps`, in a transaction of the load. sessions: as for `run_load`."""

    def run(statements: Sequence[str], step_id: str) -> None:
        run_load(connection, statements, step_id=step_id, sessions=sessions)

    yield from run_steps(steps, run, spent_s=spent_s)


def list_ended(steps: Sequence[Step], begun: float) -> Iterator[Event]:
    """What there is to tell of steps that were run together, since then."""
    elapsed = (time.monotonic() - begun) / max(1, len(steps))
    for step in steps:
        yield Event(kind="step-end", phase=step.phase, step_id=step.id, table=step.table or "", elapsed_s=elapsed)


def list_sql(steps: Sequence[Step]) -> list[str]:
    """The statements of steps, in their order. Pure."""
    return [sql for step in steps for sql in step.sql]
