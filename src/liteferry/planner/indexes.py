"""The plan of a table's indexes, and what keys and indexes have in common: their parts in SQL.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions import translate_index_key, translate_predicate
from liteferry.findings import make_finding
from liteferry.model import Index, IndexKey, Kind, PlannedObject, Step
from liteferry.names import NameSpace, quote_name
from liteferry.planner.collations import KeyPart, describe_parts
from liteferry.planner.questions import name_key
from liteferry.planner.sql import create_index_sql
from liteferry.planner.table_plan import Judge, TablePlan, claim_relation, note_translation
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_KEY_COLUMNS: Final = 32
"""Of an index. Source: PostgreSQL docs, "PostgreSQL Limits"."""


def why_no_index(plan: TablePlan, keys: Sequence[IndexKey]) -> str:
    """Why PostgreSQL cannot have an index on these keys; "" when it can."""
    if len(keys) > MOST_KEY_COLUMNS:
        return f"it has {len(keys)} columns; PostgreSQL allows {MOST_KEY_COLUMNS}"
    for key in keys:
        if key.column is not None and plan.kind_of(key.column) == "json":
            return f"{key.column} is of type json, which PostgreSQL cannot order"
    return ""


def is_taken(plan: TablePlan, index: Index, what: str, judge: Judge) -> bool:
    """Whether a key or index is made, whatever rows it would not take; adds the findings about them."""
    taken = True
    for code in ("unique-clash", "index-entry-too-long"):
        found, way = judge(code, name_key(plan.table, index), what=what, sql=index.sql)
        if found is not None:
            plan.findings.append(found)
            taken = taken and way in {"quarantine", "try"}
    return taken


def plan_indexes(plan: TablePlan, relations: NameSpace, judge: Judge) -> None:
    """Plan the indexes of CREATE INDEX."""
    table, target = plan.table, plan.map.target
    for index in table.indexes:
        if index.origin != "c":
            continue
        try:
            keys = key_parts(plan, index.keys)
            predicate = translate_predicate(index.where_sql, plan.types) if index.where_sql else None
            # PostgreSQL leaves out a condition that is nothing but TRUE: its catalogue would say "not partial"
            where = predicate.sql if predicate and predicate.sql != "TRUE" else ""
            plan.refusals.check("index-untranslatable", table.name, index.name)
        except Untranslatable as error:
            plan.findings.append(
                make_finding(
                    "index-untranslatable",
                    f"index {index.name} is not carried over: {error.reason}",
                    table=table.name,
                    name=index.name,
                    sql=index.sql,
                )
            )
            continue
        if not is_taken(plan, index, f"index {index.name}", judge):
            continue
        name = claim_relation(plan, relations, "index", index.name, index.name)
        plan.steps.append(
            Step(
                id=f"post-data/index/{name}",
                phase="post-data",
                table=target,
                sql=(_index_sql(plan, index, name, keys, where),),
                group=target,
            )
        )
        plan.objects.append(_index_object(plan, index, name, keys, partial=bool(where)))
        if predicate and index.where_sql:
            note_translation(plan, "predicate", (index.name, name), index.where_sql, predicate)
        for key in index.keys:
            if key.expression_sql:
                translated = translate_index_key(key.expression_sql, plan.types)
                note_translation(plan, "index-key", (index.name, name), key.expression_sql, translated)
        if (
            index.unique
            and not index.where_sql
            and all(key.column is not None for key in index.keys)
            and is_plain(keys)
        ):
            plan.unique_sets.append(tuple(fold_case(key.column or "") for key in index.keys))


def key_parts(plan: TablePlan, keys: Sequence[IndexKey]) -> list[KeyPart]:
    """The keys in SQL. Raises: Untranslatable where PostgreSQL cannot have an index on them."""
    if reason := why_no_index(plan, keys):
        raise Untranslatable(reason)
    return [_key_part(plan, key) for key in keys]


def _key_part(plan: TablePlan, key: IndexKey) -> KeyPart:
    kind: Kind | None
    if key.column is not None:
        sql, kind = quote_name(plan.target_of(key.column)), plan.kind_of(key.column)
    else:
        translated = translate_index_key(key.expression_sql or "", plan.types)
        sql, kind = f"({translated.sql})", translated.kind
    return plan.collations.key_part(plan.table, key, sql, kind)


def is_plain(parts: Sequence[KeyPart]) -> bool:
    """Whether all keys are columns with their own collation, so that foreign keys may point at them."""
    return not any(part.expression or part.collated for part in parts)


def _index_sql(plan: TablePlan, index: Index, name: str, parts: Sequence[KeyPart], where_sql: str) -> str:
    sql = [part.sql + " DESC" * key.descending for part, key in zip(parts, index.keys, strict=True)]
    staging, target = plan.collations.staging, plan.map.target
    return create_index_sql(staging, target, name, sql, unique=index.unique, where_sql=where_sql)


def _index_object(
    plan: TablePlan, index: Index, name: str, parts: Sequence[KeyPart], *, partial: bool
) -> PlannedObject:
    names = [plan.target_of(key.column) if key.column is not None else "" for key in index.keys]
    key_columns, folds = describe_parts(parts, names)
    # PostgreSQL takes an expression that is nothing but a column for the column: a cast to the type that it has
    columns = {f"({quote_name(column.target)})": column.target for column in plan.map.columns}
    bare = tuple("" if name else columns.get(part.sql, "") for part, name in zip(parts, names, strict=True))
    return PlannedObject(
        kind="index",
        name=name,
        table=plan.map.target,
        columns=tuple(None if part.expression else column or None for part, column in zip(parts, names, strict=True)),
        bare=bare if any(bare) else (),
        descending=tuple(key.descending for key in index.keys),
        unique=index.unique,
        partial=partial,
        source_sql=index.sql,
        key_columns=key_columns,
        folds=folds if index.unique else (),
    )
