"""How much a plan has to do, counted.

Layer 1, pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.model import Work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liteferry.model import Plan, TargetCatalog

_SORTED: Final = frozenset({"primary_key", "unique", "index"})
_COUNTED: Final = _SORTED | {"check", "foreign_key", "sequence", "view"}


def weigh_plan(plan: Plan, *, source_bytes: int, held: TargetCatalog | None = None) -> Work:
    """Count what a plan has to do. Pure.

    source_bytes: of the file. held: the schema, where somebody else made it: the plan does not say which indexes and
    keys it has.
    """
    rows = {table.target: table.rows for table in plan.tables}
    found = list(_list_objects(plan, held))
    return Work(
        source_bytes=source_bytes,
        tables=len(plan.tables),
        objects=len(found),
        steps=len(plan.steps),
        rows=sum(rows.values()),
        values=sum(table.rows * len(table.columns) for table in plan.tables),
        size_bytes=sum(table.size_bytes for table in plan.tables),
        document_bytes=sum(table.document_bytes for table in plan.tables),
        entries=sum(rows.get(table, 0) for kind, table in found if kind in _SORTED),
        references=sum(rows.get(table, 0) for kind, table in found if kind == "foreign_key"),
    )


def _list_objects(plan: Plan, held: TargetCatalog | None) -> Iterator[tuple[str, str]]:
    """Each object that takes work, and its table."""
    if held is None:
        for planned in plan.objects:
            if planned.kind in _COUNTED:
                yield planned.kind, planned.table or ""
        return
    kinds = {"p": "primary_key", "u": "unique", "x": "unique", "c": "check", "f": "foreign_key"}
    chosen = {table.target for table in plan.tables}
    for table in held.tables:
        if table.name in chosen:
            yield from ((kinds[constraint.kind], table.name) for constraint in table.constraints)
            yield from (("index", table.name) for _ in table.indexes)
            yield from (("sequence", table.name) for _ in table.sequences)
