"""The plan of a table's primary key and UNIQUE constraints.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry.decisions import find_way
from liteferry.errors import Untranslatable
from liteferry.findings import make_finding
from liteferry.model import IndexKey, ObjectKind, Options, PlannedObject, Step, TableCensus
from liteferry.planner.collations import KeyPart, describe_parts
from liteferry.planner.faults import offer_quarantine
from liteferry.planner.indexes import is_plain, is_taken, key_parts, why_no_index
from liteferry.planner.questions import name_key
from liteferry.planner.sql import add_key_sql, build_key_sql, create_index_sql
from liteferry.planner.table_plan import Judge, TablePlan, claim_relation
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.names import NameSpace


LARGE_BYTES: Final = 32 << 20
"""From which size of a table on its keys are made in two steps, so that its indexes can be built at once.

Measured on two cores, two million rows, a key and two indexes: one after the other, each with the server's parallel
workers, 1.11 s and 1.17 s; two at a time 0.85 s and 0.98 s.
"""


def _note_conflict(plan: TablePlan, name: str, clause: str) -> None:
    plan.findings.append(
        make_finding(
            "conflict-clause",
            f"{name} says {clause}; PostgreSQL has no such clause",
            table=plan.table.name,
            name=name,
            hint="say INSERT … ON CONFLICT in the application where it relies on this",
        )
    )


def plan_keys(
    plan: TablePlan,
    census: TableCensus,
    relations: NameSpace,
    options: Options,
    judge: Judge,
    *,
    key_has_null: bool,
) -> None:
    """The primary key and the UNIQUE constraints."""
    table, target = plan.table, plan.map.target
    for column in table.not_null_on_conflict:
        _note_conflict(plan, f"NOT NULL of {column}", "ON CONFLICT")
    if table.primary_key:
        if table.primary_key_on_conflict is not None:
            _note_conflict(plan, "PRIMARY KEY", f"ON CONFLICT {table.primary_key_on_conflict}")
        nulls = [census.column(name) for name in table.primary_key if census.column(name).nulls]
        if nulls and table.rowid_alias is None:
            offence = nulls[0].offence("null")
            places = ", ".join(f"{found.nulls:,} in {found.name}" for found in nulls)
            rows = sum(found.nulls for found in nulls)
            made = make_finding(
                "null-in-key",
                f"PRIMARY KEY ({', '.join(table.primary_key)}) contains NULL: {places}",
                table=table.name,
                name=", ".join(table.primary_key),
                count=rows,
                samples=offence.samples if offence else (),
                more_ways=(offer_quarantine(rows),),
            )
            if find_way(made.code, made.place, {"quarantine"}, options):
                plan.findings.append(replace(made, way="quarantine"))
            elif key_has_null:
                plan.findings.append(made)
        name = claim_relation(plan, relations, "primary_key", table.primary_key_name, f"{target}_pkey")
        index = next((index for index in table.indexes if index.origin == "pk"), None)
        what = f"PRIMARY KEY ({', '.join(table.primary_key)})"
        if index is not None and (reason := why_no_index(plan, index.keys)):
            plan.findings.append(
                make_finding(
                    "index-untranslatable",
                    f"{what} is not carried over: {reason}",
                    table=table.name,
                    name=name_key(table, index),
                )
            )
        elif index is None or is_taken(plan, index, what, judge):
            _plan_primary_key(plan, name, relations, key_has_null=key_has_null)
    for index in table.indexes:
        if index.origin != "u":
            continue
        columns = tuple(key.column for key in index.keys if key.column is not None)
        if index.on_conflict is not None:
            _note_conflict(plan, f"UNIQUE ({', '.join(columns)})", f"ON CONFLICT {index.on_conflict}")
        default = "_".join((target, *(plan.target_of(column) for column in columns), "key"))
        name = claim_relation(plan, relations, "unique", index.constraint_name, default)
        try:
            parts = key_parts(plan, index.keys)
        except Untranslatable as error:
            plan.findings.append(
                make_finding(
                    "index-untranslatable",
                    f"UNIQUE ({', '.join(columns)}) is not carried over: {error.reason}",
                    table=table.name,
                    name=index.name,
                )
            )
            continue
        if is_taken(plan, index, f"UNIQUE ({', '.join(columns)})", judge):
            _add_unique(plan, name, columns, parts)


def _plan_primary_key(plan: TablePlan, name: str, relations: NameSpace, *, key_has_null: bool) -> None:
    """The primary key, and where it cannot ignore what SQLite's does, a unique index beside it that can."""
    table = plan.table
    declared = next((index.keys for index in table.indexes if index.origin == "pk"), ())
    keys = declared or tuple(IndexKey(column=column) for column in table.primary_key)
    parts: list[KeyPart] = []
    try:
        parts = key_parts(plan, keys)
    except Untranslatable as error:
        if not any(_is_named(plan, key) for key in keys):
            message = f"PRIMARY KEY ({', '.join(table.primary_key)}) compares byte for byte: {error.reason}"
            place = ", ".join(table.primary_key)
            plan.findings.append(make_finding("collation-lost", message, table=table.name, name=place))
    if key_has_null and parts:
        _add_unique(plan, name, table.primary_key, parts)
        return
    is_plain = not any(part.expression for part in parts)
    _add_key(plan, name, table.primary_key, primary=not key_has_null, folds=parts if is_plain else ())
    if not is_plain:
        ending = "nocase" if any(part.folds == "NOCASE" for part in parts) else "rtrim"
        beside = claim_relation(plan, relations, "index", None, f"{name}_{ending}")
        _add_folding_index(plan, beside, table.primary_key, parts, "primary_key")


def _is_named(plan: TablePlan, key: IndexKey) -> bool:
    """Whether the key's collation is the column's own, which a finding names."""
    own = {fold_case(column.name): column.collation.upper() for column in plan.table.columns}
    return key.collation.upper() != "BINARY" and own.get(fold_case(key.column or "")) == key.collation.upper()


def _add_unique(plan: TablePlan, name: str, columns: Sequence[str], parts: Sequence[KeyPart]) -> None:
    """A UNIQUE constraint; an index where a key is no plain column, which no constraint can have."""
    if not is_plain(parts):
        _add_folding_index(plan, name, columns, parts, "unique")
    else:
        _add_key(plan, name, columns, primary=False, folds=parts)


def _add_folding_index(
    plan: TablePlan, name: str, columns: Sequence[str], parts: Sequence[KeyPart], stands_for: ObjectKind
) -> None:
    target, staging = plan.map.target, plan.collations.staging
    names = [plan.target_of(column) for column in columns]
    sql = create_index_sql(staging, target, name, [part.sql for part in parts], unique=True, where_sql="")
    plan.steps.append(Step(id=f"post-data/index/{name}", phase="post-data", table=target, sql=(sql,), group=target))
    key_columns, folds = describe_parts(parts, names)
    plan.objects.append(
        PlannedObject(
            kind="index",
            name=name,
            table=target,
            columns=tuple(None if part.expression else column for part, column in zip(parts, names, strict=True)),
            unique=True,
            stands_for=stands_for,
            key_columns=key_columns,
            folds=folds,
        )
    )


def _add_key(
    plan: TablePlan, name: str, columns: Sequence[str], *, primary: bool, folds: Sequence[KeyPart] = ()
) -> None:
    target, staging = plan.map.target, plan.collations.staging
    names = tuple(plan.target_of(column) for column in columns)
    kind: ObjectKind = "primary_key" if primary else "unique"
    step_kind = "primary-key" if primary else "unique"
    words = staging, target, name, "PRIMARY KEY" if primary else "UNIQUE", names
    is_large = plan.map.size_bytes >= LARGE_BYTES
    plan.steps.append(
        Step(
            id=f"post-data/{step_kind}/{name}",
            phase="post-data",
            table=target,
            sql=build_key_sql(*words) if is_large else (add_key_sql(*words),),
            group=target,
        )
    )
    _, folded = describe_parts(folds, names if folds else ())
    plan.objects.append(PlannedObject(kind=kind, name=name, table=target, columns=names, unique=True, folds=folded))
    plan.unique_sets.append(tuple(map(fold_case, columns)))
