"""The plan of the table that keeps a table's quarantined rows.

Layer 1, pure. Used by `planner` only. Each row is kept whole: one text column for each of the source's, holding the
exact storage value as a SQLite literal; the rowid, where it is no column; and why the row is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.model import BESIDE, ColumnMap, PlannedObject, Step, TableMap
from liteferry.names import NameSpace
from liteferry.planner.sql import ColumnClause, analyze_sql, copy_sql, create_table_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import Apart, Table

REASON_COLUMN: Final = "liteferry_reason"
ROWID_COLUMN: Final = "liteferry_rowid"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinePlan:
    """What was planned for one table's quarantined rows."""

    map: TableMap
    steps: tuple[Step, ...]
    objects: tuple[PlannedObject, ...]


def plan_quarantine(
    table: Table, mapped: TableMap, apart: Apart, staging: str, relations: NameSpace, reserved: Sequence[str]
) -> QuarantinePlan:
    """Plan the table beside a target table. Pure.

    mapped: how the other rows travel; the columns keep its names. reserved: names that no column can have.
    """
    target = relations.claim(f"{mapped.target}_quarantine")
    names = NameSpace()
    for name in (*reserved, *(column.target for column in mapped.columns)):
        names.claim(name)
    columns = [
        ColumnMap(
            source=column.source,
            target=column.target,
            pg_type="text",
            kind="text",
            rule="quarantine",
            declared_type=column.declared_type,
            conversions=("quarantine",),
        )
        for column in mapped.columns
    ]
    if table.rowid_alias is None and not table.without_rowid:
        name = names.claim(ROWID_COLUMN)
        columns.append(ColumnMap(source=ROWID_COLUMN, target=name, pg_type="bigint", kind="int8", rule=BESIDE))
    name = names.claim(REASON_COLUMN)
    columns.append(ColumnMap(source=REASON_COLUMN, target=name, pg_type="text", kind="text", rule=BESIDE))
    clauses = [ColumnClause(name=column.target, pg_type=column.pg_type, not_null=True) for column in columns]
    steps = (
        Step(
            id=f"pre-data/table/{target}",
            phase="pre-data",
            table=target,
            sql=(create_table_sql(staging, target, clauses),),
            group=target,
        ),
        Step(
            id=f"data/table/{target}",
            phase="data",
            table=target,
            copy=table.name,
            sql=(copy_sql(staging, target, [column.target for column in columns]),),
            group=target,
        ),
        Step(
            id=f"post-data/analyze/{target}",
            phase="post-data",
            table=target,
            sql=(analyze_sql(staging, target),),
            group=target,
        ),
    )
    objects = (
        PlannedObject(kind="table", name=target),
        *(
            PlannedObject(kind="column", name=column.target, table=target, pg_type=column.pg_type, not_null=True)
            for column in columns
        ),
    )
    made = TableMap(source=table.name, target=target, columns=tuple(columns), rows=apart.rows, part="quarantine")
    return QuarantinePlan(map=made, steps=steps, objects=objects)
