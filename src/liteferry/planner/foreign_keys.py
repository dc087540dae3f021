"""The plan of the foreign keys, which need every table's plan.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.decisions import find_way
from liteferry.findings import make_finding
from liteferry.model import (
    Catalog,
    Census,
    Finding,
    ForeignKey,
    Kind,
    Options,
    Orphans,
    PlannedObject,
    Step,
    Table,
    WayOut,
)
from liteferry.planner.faults import offer_quarantine
from liteferry.planner.questions import quarantines_orphans
from liteferry.planner.sql import ForeignKeyClause, add_foreign_key_sql, validate_key_sql
from liteferry.planner.table_plan import TablePlan, claim_constraint
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LARGE_ROWS: Final = 200_000
"""From how many rows of the child table on a foreign key is added first and validated then, beside those of others.

Two of a million rows each, on two cores: one after the other 0.49 s, added at once, which wait for each other's lock on
the parent, 0.64 s; validated at once 0.31 s.
"""


@dataclass(slots=True, kw_only=True)
class ForeignKeysPlan:
    """The foreign keys of all tables."""

    steps: list[Step] = field(default_factory=list)
    objects: list[PlannedObject] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def plan_foreign_keys(
    catalog: Catalog,
    census: Census,
    chosen: Sequence[Table],
    plans: Mapping[str, TablePlan],
    staging: str,
    options: Options,
) -> ForeignKeysPlan:
    """Plan the foreign keys of the chosen tables: all after every table's rows and keys. Pure."""
    result = ForeignKeysPlan()
    by_name = {fold_case(name): plan for name, plan in plans.items()}
    known = {fold_case(table.name) for table in catalog.tables}
    orphans = {(found.table, found.foreign_key, found.exact): found for found in census.orphans}
    for table in chosen:
        plan = plans[table.name]
        for position, key in enumerate(table.foreign_keys):
            place = f"{table.name} ({', '.join(key.columns)}) → {key.parent_table} ({', '.join(key.parent_columns)})"
            code, reason = _why_not(key, plan, by_name, known)
            if code:
                message = f"foreign key {place} is not carried over: {reason}"
                result.findings.append(make_finding(code, message, table=table.name, name=", ".join(key.columns)))
                continue
            parent = by_name[fold_case(key.parent_table)]
            found = orphans.get((table.name, position, _compares_otherwise(key, parent)))
            both = (orphans.get((table.name, position, exact)) for exact in (False, True))
            most = max(filter(None, both), key=lambda each: each.count, default=None)
            if found is None and most is not None and quarantines_orphans(table, position, options):
                found = replace(most, count=0)  # a decision that is about other findings takes these rows, too
            way = ""
            if found is not None and most is not None:
                judged, way = _judge_orphans(found, most.count, key, place, plan, options)
                result.findings.append(judged)
                if way == "leave-out":
                    continue
            default = "_".join((plan.map.target, *map(plan.target_of, key.columns), "fkey"))
            clause = ForeignKeyClause(
                name=claim_constraint(plan, "foreign_key", key.name, default),
                columns=tuple(map(plan.target_of, key.columns)),
                parent_table=parent.map.target,
                parent_columns=tuple(map(parent.target_of, key.parent_columns)),
                on_update=key.on_update,
                on_delete=key.on_delete,
                deferrable=key.deferrable,
                deferred=key.initially_deferred,
                valid=way != "not-valid",
            )
            _add_foreign_key(result, plan.map.target, clause, staging, is_large=plan.map.rows >= LARGE_ROWS)
    return result


def _compares_otherwise(key: ForeignKey, parent: TablePlan) -> bool:
    """Whether PostgreSQL will compare the key byte for byte, where SQLite goes by the parent's collation."""
    return any(
        column.collation.upper() != "BINARY" and not parent.collations.folds_column(parent.table.name, column.name)
        for column in parent.table.columns
        if fold_case(column.name) in set(map(fold_case, key.parent_columns))
    )


def _judge_orphans(
    found: Orphans, most: int, key: ForeignKey, place: str, plan: TablePlan, options: Options
) -> tuple[Finding, str]:
    """The finding about a foreign key's orphans, and the way out that the plan follows.

    most: as many as quarantine takes. It is settled before it is known whether the target will ignore case, so that it
    takes those, too, whose parent is another byte for byte.
    """
    more = f"; byte for byte {most:,} do, which quarantine takes" if most > found.count else ""
    made = make_finding(
        "orphan-rows",
        f"{found.count:,} of {plan.rows:,} rows of {place} point at nothing{more}",
        table=plan.table.name,
        name=", ".join(key.columns),
        count=found.count,
        samples=found.samples,
        hint="delete or repair the rows in the source, or accept",
        more_ways=(
            offer_quarantine(most, ", and whatever points at them"),
            WayOut(name="leave-out", effect="the foreign key is left out"),
        ),
    )
    way = find_way(made.code, made.place, {offered.name for offered in made.ways}, options)
    if way in {"", "not-valid"}:
        return made, "not-valid"
    return replace(made, way=way), way


def _add_foreign_key(
    result: ForeignKeysPlan, target: str, clause: ForeignKeyClause, staging: str, *, is_large: bool
) -> None:
    sql: tuple[str, ...] = (add_foreign_key_sql(staging, target, clause),)
    if is_large and clause.valid:
        sql = (
            add_foreign_key_sql(staging, target, replace(clause, valid=False)),
            validate_key_sql(staging, target, clause.name),
        )
    result.steps.append(
        Step(
            id=f"post-data/foreign-key/{target}.{clause.name}",
            phase="post-data",
            table=target,
            sql=sql,
        )
    )
    result.objects.append(
        PlannedObject(
            kind="foreign_key",
            name=clause.name,
            table=target,
            columns=clause.columns,
            parent_table=clause.parent_table,
            parent_columns=clause.parent_columns,
            on_update=clause.on_update,
            on_delete=clause.on_delete,
            deferrable=clause.deferrable,
            deferred=clause.deferred,
            validated=clause.valid,
        )
    )


def _why_not(
    key: ForeignKey, plan: TablePlan, by_name: Mapping[str, TablePlan], known: Iterable[str]
) -> tuple[str, str]:
    """The finding's code and reason when a foreign key cannot be made; ("", "") when it can."""
    parent = by_name.get(fold_case(key.parent_table))
    if parent is None:
        if fold_case(key.parent_table) in known:
            return "left-dangling", f"table {key.parent_table} is left out by --only or --exclude"
        return "foreign-key-no-parent", f"there is no table {key.parent_table}"
    columns = {fold_case(column.source): column for column in parent.types}
    missing = [name for name in key.parent_columns if fold_case(name) not in columns]
    if missing or len(key.parent_columns) != len(key.columns):
        found = len(key.parent_columns) or len(parent.table.primary_key)
        counts = f"its {found} columns are not as many as the foreign key's {len(key.columns)}"
        reason = f"there is no {', '.join(missing)}" if missing else counts
        return "foreign-key-no-parent", f"{key.parent_table}: {reason}"
    wanted_set = sorted(map(fold_case, key.parent_columns))
    if not any(sorted(unique) == wanted_set for unique in parent.unique_sets):
        return "foreign-key-not-unique", f"({', '.join(key.parent_columns)}) is not unique in {key.parent_table}"
    own = {fold_case(column.source): column for column in plan.types}
    for child_name, parent_name in zip(key.columns, key.parent_columns, strict=True):
        ways = plan.collations.way(plan.table.name, child_name), parent.collations.way(parent.table.name, parent_name)
        if ways[0] == "icu" != ways[1] and plan.collations.offer.strict_keys:
            return "foreign-key-types", f"{child_name} ignores case, {key.parent_table}.{parent_name} does not"
        child, other = own[fold_case(child_name)], columns[fold_case(parent_name)]
        if not _is_comparable(child.kind, other.kind):
            reason = f"{child_name} is {child.pg_type}, {key.parent_table}.{parent_name} is {other.pg_type}"
            return "foreign-key-types", reason
    return "", ""


_NUMBERS: Final[Mapping[Kind, int]] = MappingProxyType({"int2": 0, "int4": 0, "int8": 0, "numeric": 1, "float8": 2})


def _is_comparable(child: Kind, parent: Kind) -> bool:
    """Whether PostgreSQL can check a foreign key of these kinds: the child's must cast to the parent's by itself.

    Source: PostgreSQL docs, CREATE CAST, on implicit casts; they lead from integers over numeric to double precision.
    """
    if child in _NUMBERS and parent in _NUMBERS:
        return _NUMBERS[child] <= _NUMBERS[parent]
    return child == parent
