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
    from collections.abc import Iterator, Sequence

    import psycopg

    from liteferry.model import Step

BATCH_STEPS: Final = 100
"""How many statements go to the server in one round trip and one transaction: it bounds the locks held at once."""
FINAL: Final = frozenset({"connection-lost", "interrupted", "disk-full", "value-misfit"})
"""Errors that trying again, statement by statement, would neither change nor explain."""


def run_in_load(
    steps: Sequence[Step], connection: psycopg.Connection, *, sessions: int = 0, spent_s: float = 0.0
) -> Iterator[Event]:
    """Run steps in the load's transaction, by one message; one by one when that fails, to say which it was.

    spent_s: on these steps, before.
    """
    if not steps:
        return
    begun = time.monotonic() - spent_s
    try:
        run_load(connection, list_sql(steps), step_id=steps[0].id, sessions=sessions)
    except MigrationError as error:
        if len(steps) == 1 or error.code in FINAL:
            raise
        for step in steps:
            yield from run_in_load([step], connection)
        return
    yield from list_ended(steps, begun)


def list_ended(steps: Sequence[Step], begun: float) -> Iterator[Event]:
    """What there is to tell of steps that were run together, since then."""
    elapsed = (time.monotonic() - begun) / max(1, len(steps))
    for step in steps:
        yield Event(kind="step-end", phase=step.phase, step_id=step.id, table=step.table or "", elapsed_s=elapsed)


def list_sql(steps: Sequence[Step]) -> list[str]:
    """The statements of steps, in their order. Pure."""
    return [sql for step in steps for sql in step.sql]
