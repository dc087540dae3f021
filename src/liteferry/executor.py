"""The executor: runs a plan's steps, tables in parallel, and yields what happens.

Layer 3. The stages of a plan come one after the other: what is made before the rows, hooks, the tables with their rows
and indexes (`loading`), constraints.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from liteferry.loading import Loader, run_batches
from liteferry.model import Event
from liteferry.scripts import HookLog

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from liteferry.model import Catalog, Plan, Step
    from liteferry.source import Snapshot
    from liteferry.target import Target


def execute(
    plan: Plan,
    catalog: Catalog,
    snapshot: Snapshot,
    target: Target,
    *,
    jobs: int,
    hooks: HookLog | None = None,
    writers: dict[str, list[str]] | None = None,
) -> Generator[Event, None, None]:
    """Run everything of a plan but its publication, in the staging schema. Yields events as they happen.

    Closing the generator early, or any error, stops the workers before it ends; the caller then drops staging.
    hooks: notes what the plan's hooks do. writers: takes for each table that gets rows the numbers of the transactions
    which write them.

    Raises: MigrationError: step-failed, hook-failed, value-misfit, connection-lost, disk-full, interrupted.
    """
    log = hooks or HookLog()
    for name, stage in stage_steps(plan):
        total = sum(table.rows for table in plan.tables) if name == "load" else 0
        if name:
            yield Event(kind="phase-start", phase=name, total_rows=total)
        begun = time.monotonic()
        if name == "hooks":
            for step in stage:
                log.run(step, plan, target)
                yield Event(kind="step-end", phase=step.phase, step_id=step.id, elapsed_s=time.monotonic() - begun)
        elif name in {"load", "indexes"}:
            loader = Loader(plan, catalog, snapshot, target, jobs=jobs, writers=writers)
            yield from _run_groups(stage, loader)
        else:
            loader = Loader(plan, catalog, snapshot, target, jobs=jobs)
            yield from _run_in_order(stage, target, loader)
        if name:
            yield Event(kind="phase-end", phase=name, elapsed_s=time.monotonic() - begun)


def stage_steps(plan: Plan) -> list[tuple[str, list[Step]]]:
    """Put the steps into the stages that they run in, each with its phase's name; "" before the rows. Pure.

    Neighbours with a group are one stage, in parallel. The phases load and constraints are there even when empty.
    """
    stages: list[tuple[str, list[Step]]] = []

    def sort_of(step: Step) -> str:
        if step.hook is not None:
            return "hooks"
        return "groups" if step.group else step.phase

    for sort, found in groupby((step for step in plan.steps if step.phase != "publish"), sort_of):
        steps = list(found)
        if sort == "groups":
            stages.append(("load" if any(step.copy for step in steps) else "indexes", steps))
        else:
            stages.append((sort if sort == "hooks" else "" if sort == "pre-data" else "constraints", steps))
    names = [name for name, _ in stages]
    if "load" not in names:
        stages.insert(names.index("constraints") if "constraints" in names else len(stages), ("load", []))
    if "constraints" not in names:
        stages.append(("constraints", []))
    return stages


def _run_in_order(steps: Sequence[Step], target: Target, loader: Loader) -> Iterator[Event]:
    """Run steps one after the other; but foreign keys of large tables are validated last, those of several at once.

    Adding one locks its parent against another that is added, validating one does not.
    Source: PostgreSQL docs, ALTER TABLE, VALIDATE CONSTRAINT.
    """
    parted = {step.id: step for step in steps if step.id.startswith("post-data/foreign-key/") and len(step.sql) == 2}
    first = [replace(step, sql=step.sql[:1]) if step.id in parted else step for step in steps]

    def run(statements: Sequence[str], step_id: str) -> None:
        target.execute_all(statements, step_id=step_id)

    for event in run_batches(first, run):
        if event.step_id not in parted:
            yield event
    if parted:
        yield from loader.validate(parted.values())


def _run_groups(steps: Sequence[Step], loader: Loader) -> Iterator[Event]:
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.group, []).append(step)
    yield from loader.run(list(groups.values()))
