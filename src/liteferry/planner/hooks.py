"""Hooks among the steps: where each runs, and what has to be taken apart for it.

Layer 1, pure. Used by `planner` only. Without a hook between tables, rows and keys nothing is changed: a table is made,
filled and given its keys by itself, in parallel with others. Such a hook costs that: every table waits for all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry.findings import make_finding
from liteferry.model import HookFile, Step
from liteferry.planner.sql import thaw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import Finding, Hook, Phase

_PHASES: Final[dict[str, Phase]] = {
    "before-pre-data": "pre-data",
    "after-pre-data": "pre-data",
    "before-data": "data",
    "after-data": "data",
    "before-post-data": "post-data",
    "after-post-data": "post-data",
    "before-publish": "post-data",
}


def place_hooks(
    first: Sequence[Step], tables: Sequence[Step], rest: Sequence[Step], hooks: Sequence[Hook]
) -> list[Step]:
    """Put the hooks' steps among the others. Pure.

    first: what makes the staging schema. tables: the grouped steps, table by table. rest: what follows them.
    """
    at = {point: _make_steps(point, hooks) for point in _PHASES}
    before = [*at["after-pre-data"], *at["before-data"]]
    after = [*at["after-data"], *at["before-post-data"]]
    made: list[Step] = []
    loaded, keyed = list(tables), list[Step]()
    if before:
        # rows come after all tables: COPY is no longer in the transaction that makes its table, which FREEZE demands
        made = [replace(step, group="") for step in tables if step.phase == "pre-data"]
        loaded = [thaw(step) for step in tables if step.phase != "pre-data"]
    if after:
        loaded, keyed = (
            [step for step in loaded if step.phase != "post-data"],
            [step for step in loaded if step.phase == "post-data"],
        )
    last = [*at["after-post-data"], *at["before-publish"]]
    return [*first, *at["before-pre-data"], *made, *before, *loaded, *after, *keyed, *rest, *last]


def _make_steps(point: str, hooks: Sequence[Hook]) -> list[Step]:
    found = [hook for hook in hooks if hook.point == point]
    return [
        Step(
            id=f"hook/{point}/{number}/{hook.file}",
            phase=_PHASES[point],
            sql=(hook.sql,),
            undo_sql=(hook.undo_sql,) if hook.undo_sql else (),
            hook=HookFile(
                point=hook.point,
                file=hook.file,
                sha256=hook.sha256,
                undo_file=hook.undo_file,
                undo_sha256=hook.undo_sha256,
            ),
        )
        for number, hook in enumerate(found, start=1)
    ]


def find_without_undo(hooks: Sequence[Hook]) -> list[Finding]:
    """Name the hooks without an undo file. Pure."""
    return [
        make_finding(
            "hook-without-undo",
            f"{hook.file}, run at {hook.point}, has no undo file: what it does outside the schema stays after an undo",
            name=hook.file,
            hint=f'where it does something elsewhere: {hook.point} = {{run = "{hook.file}", undo = "FILE"}}',
        )
        for hook in hooks
        if not hook.undo_sql
    ]
