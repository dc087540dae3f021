"""The proof of everything that is not a row: tables, columns, keys, constraints, indexes, sequences, views.

Layer 3, without effects. Compares in three directions, so that none can hide behind another:

* what the plan demands with what the target's catalogue has, object by object: names, types, NOT NULL, the presence of
  defaults and expressions, the columns of keys, foreign keys and indexes, where sequences stand;
* what the target has with what anybody demanded: nothing more may be there, no trigger, rule or policy either;
* what the source's catalogue declares with what the plan demands (`declared`).

What defaults, conditions, expressions and views say is compared by `definitions`, as PostgreSQL renders it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry.model import (
    Catalog,
    Census,
    Mismatch,
    ObjectCount,
    ObjectCounts,
    Plan,
    PlannedObject,
    TableMap,
    TargetCatalog,
    TargetColumn,
    TargetConstraint,
    TargetIndex,
    TargetTable,
)
from liteferry.proof.declared import SORTS, Sort, count_declared, count_left_out, find_forgotten
from liteferry.proof.definitions import CONSTRAINT_KINDS, name_constraint, name_trait
from liteferry.proof.differences import differ, exceed, miss

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LARGEST_ID: Final = 2**63 - 1


def verify_objects(
    plan: Plan, catalog: Catalog, target: TargetCatalog, census: Census | None = None
) -> tuple[ObjectCounts, tuple[Mismatch, ...]]:
    """Compare every object of the source and the plan with the target's catalogue. Pure.

    census: lets the sequences be compared with the ids that are really there, besides what the plan says.
    """
    mismatches = [
        *_compare_tables(plan, target),
        *_compare_views(plan, target),
        *_find_others(plan, target),
        *_compare_sequences(plan, catalog, target, census),
    ]
    declared = count_declared(plan, catalog)
    left_out = count_left_out(plan, catalog)
    mismatches += find_forgotten(plan, catalog, declared, left_out)
    found = _count_target(plan, target)
    there = {(table.name, index.name) for table in target.tables for index in table.indexes}
    for planned in plan.objects:  # an index that does the work of a constraint is counted as what it stands for
        if planned.stands_for is not None and (planned.table, planned.name) in there:
            found["indexes"] -= 1
            if sort := SORTS.get(planned.stands_for):
                found[sort] += 1
    totals = {
        sort: ObjectCount(
            source=sum(count for (_, of), count in declared.items() if of == sort),
            target=found[sort],
            left_out=sum(count for (_, of), count in left_out.items() if of == sort),
        )
        for sort in SORTS.values()
    }
    return ObjectCounts(**totals), tuple(mismatches)


# ---------------------------------------------------------------------------------------------------------------------
# Tables and what belongs to them


def _compare_tables(plan: Plan, target: TargetCatalog) -> Iterator[Mismatch]:
    found = {table.name: table for table in target.tables}
    objects: dict[str | None, list[PlannedObject]] = {}
    for planned in plan.objects:
        objects.setdefault(planned.table, []).append(planned)
    for table in plan.tables:
        if table.target not in found:
            yield miss("table", table.target, table.target)
            continue
        demanded = objects.get(table.target, [])
        yield from _compare_columns(demanded, found[table.target])
        yield from _compare_constraints(demanded, found[table.target], target.schema)
        yield from _compare_indexes(demanded, found[table.target])
        for trait in found[table.target].traits:
            if not trait.startswith("access method "):  # the database's own choice for every table
                yield exceed("other", name_trait(trait), table.target, trait)
    carried = {table.target for table in plan.tables}
    for name in found:
        if name not in carried:
            yield exceed("table", name, name)


def _compare_columns(demanded: Iterable[PlannedObject], target: TargetTable) -> Iterator[Mismatch]:
    columns = {column.name: column for column in target.columns}
    wanted = {planned.name: planned for planned in demanded if planned.kind == "column"}
    for name, planned in wanted.items():
        if name not in columns:
            yield miss("column", name, target.name, planned.pg_type or "declared")
        else:
            yield from _compare_column(planned, columns[name], target.name)
    for name, column in columns.items():
        if name not in wanted:
            yield exceed("column", name, target.name, column.pg_type)


def _compare_column(planned: PlannedObject, column: TargetColumn, table: str) -> Iterator[Mismatch]:
    name = column.name
    if planned.pg_type is not None and planned.pg_type != column.pg_type:
        yield differ("column", name, table, planned.pg_type, column.pg_type)
    if planned.not_null != column.not_null:
        words = {True: "NOT NULL", False: "nullable"}
        yield differ("column", name, table, words[planned.not_null], words[column.not_null])
    collation = column.collation.rpartition(".")[2].strip('"')
    if planned.collation != collation:
        words_there = f"collation {collation}" if collation else "the database's collation"
        wanted = f"collation {planned.collation}" if planned.collation else "the database's collation"
        yield differ("column", name, table, wanted, words_there)
    if planned.generated != bool(column.generated):
        words = {True: "generated", False: "not generated"}
        yield differ("column", name, table, words[planned.generated], words[bool(column.generated)])
    # An identity has its default in its sequence, which is compared as such; so has a serial column.
    if column.identity or planned.generated or column.generated:
        return
    has_default = column.default_sql is not None
    if planned.has_default != has_default:
        words = {True: "with a default", False: "without a default"}
        yield differ("column", name, table, words[planned.has_default], words[has_default])


def _describe_planned(planned: PlannedObject) -> str:
    columns = ", ".join(column or "an expression" for column in planned.columns)
    if planned.kind == "foreign_key":
        return f"({columns}) → {planned.parent_table} ({', '.join(map(str, planned.parent_columns))})"
    return f"({columns})" if columns else "declared"


def _has_shape(planned: PlannedObject, constraint: TargetConstraint, schema: str) -> bool:
    """Whether the constraint is about the same columns, and the same parent's."""
    if CONSTRAINT_KINDS[constraint.kind] != planned.kind:
        return False
    if planned.kind == "check":
        return False  # the text is another dialect's: only the name tells
    if planned.kind == "foreign_key":
        pairs = set(zip(planned.columns, planned.parent_columns, strict=False))
        found_pairs = set(zip(constraint.columns, constraint.parent_columns, strict=False))
        parent = (constraint.parent_schema, constraint.parent_table)
        return parent == (schema, planned.parent_table) and pairs == found_pairs
    return planned.columns == constraint.columns


def _compare_constraints(demanded: Iterable[PlannedObject], target: TargetTable, schema: str) -> Iterator[Mismatch]:
    wanted = {planned.name: planned for planned in demanded if planned.kind in CONSTRAINT_KINDS.values()}
    found = {constraint.name: constraint for constraint in target.constraints}
    nameless = [name for name in found if name not in wanted]
    for name, planned in wanted.items():
        constraint = found.get(name)
        if constraint is None:
            twin = next((other for other in nameless if _has_shape(planned, found[other], schema)), None)
            if twin is None:
                yield miss(planned.kind, name, target.name, _describe_planned(planned))
                continue
            nameless.remove(twin)
            yield differ(planned.kind, name, target.name, f"named {name}", f"named {twin}")
            constraint = found[twin]
        elif planned.kind != CONSTRAINT_KINDS[constraint.kind] or (
            planned.kind != "check" and not _has_shape(planned, constraint, schema)
        ):
            yield differ(planned.kind, name, target.name, _describe_planned(planned), constraint.definition_sql)
            continue
        yield from _compare_constraint(planned, constraint, target.name)
    for name in nameless:
        extra = found[name]
        yield exceed(CONSTRAINT_KINDS[extra.kind], name_constraint(extra), target.name, extra.definition_sql)


def _compare_constraint(planned: PlannedObject, constraint: TargetConstraint, table: str) -> Iterator[Mismatch]:
    name = planned.name
    if planned.validated and not constraint.validated:
        yield differ(planned.kind, name, table, "valid", "not valid")
    if planned.kind == "foreign_key":
        for event, wanted, found in (
            ("UPDATE", planned.on_update, constraint.on_update),
            ("DELETE", planned.on_delete, constraint.on_delete),
        ):
            if wanted != found:
                yield differ(planned.kind, name, table, f"ON {event} {wanted}", f"ON {event} {found}")
    checked = _describe_deferral(deferrable=planned.deferrable, deferred=planned.deferred)
    checked_there = _describe_deferral(deferrable=constraint.deferrable, deferred=constraint.deferred)
    if checked != checked_there:
        yield differ(planned.kind, name, table, checked, checked_there)


def _describe_deferral(*, deferrable: bool, deferred: bool) -> str:
    if not deferrable:
        return "not deferrable"
    return "initially deferred" if deferred else "deferrable"


def _compare_indexes(demanded: Iterable[PlannedObject], target: TargetTable) -> Iterator[Mismatch]:
    wanted = {planned.name: planned for planned in demanded if planned.kind == "index"}
    found = {index.name: index for index in target.indexes}
    for name, planned in wanted.items():
        if name not in found:
            yield miss("index", name, target.name, _describe_index(planned))
            continue
        index = found[name]
        as_made = planned
        if planned.bare:
            there = zip(planned.columns, planned.bare, strict=True)
            as_made = replace(planned, columns=tuple(column or name or None for column, name in there))
        shape, shape_there = _describe_index(as_made), _describe_index(index)
        if shape != shape_there:
            yield differ("index", name, target.name, shape, shape_there)
        if not index.valid:
            yield differ("index", name, target.name, "valid", "invalid")
    for name, index in found.items():
        if name not in wanted:
            yield exceed("index", name, target.name, index.definition_sql)


def _describe_index(index: PlannedObject | TargetIndex) -> str:
    """Everything about an index that is compared, as text."""
    descending = index.descending or (False,) * len(index.columns)
    keys = [
        (column if column is not None else "an expression") + (" DESC" if down else "")
        for column, down in zip(index.columns, descending, strict=True)
    ]
    words = ["unique"] if index.unique else []
    words += ["partial"] if index.partial else []
    return " ".join([*words, f"({', '.join(keys)})"])


def _compare_views(plan: Plan, target: TargetCatalog) -> Iterator[Mismatch]:
    wanted = {planned.name: planned for planned in plan.objects if planned.kind == "view"}
    found = {view.name: view for view in target.views}
    for name, planned in wanted.items():
        if name not in found:
            yield miss("view", name, None, _describe_planned(planned))
            continue
        columns = tuple(column.name for column in found[name].columns)
        if planned.columns != columns:
            has = f"({', '.join(columns)})"
            yield differ("view", name, None, _describe_planned(planned), has)
        for trait in found[name].traits:
            yield exceed("other", name_trait(trait), name, trait)
    for name in found:
        if name not in wanted:
            yield exceed("view", name, None)


def _find_others(plan: Plan, target: TargetCatalog) -> Iterator[Mismatch]:
    planned = {found.name for found in plan.objects if found.kind == "other"}
    found = {name_trait(other): other for other in target.others}
    for name in planned:
        if name not in found:
            yield miss("other", name, None)
    for name, other in found.items():
        if name not in planned:
            yield exceed("other", other, None)


# ---------------------------------------------------------------------------------------------------------------------
# Sequences


def _compare_sequences(
    plan: Plan, catalog: Catalog, target: TargetCatalog, census: Census | None
) -> Iterator[Mismatch]:
    wanted = {
        (planned.table or "", planned.columns[0] or ""): planned
        for planned in plan.objects
        if planned.kind == "sequence"
    }
    tables = {table.target: table for table in plan.tables}
    present = {table.name for table in target.tables}
    found = {(table.name, sequence.column): sequence for table in target.tables for sequence in table.sequences}
    for (table, column), planned in wanted.items():
        if table not in present:
            continue  # named with the table
        sequence = found.get((table, column))
        if sequence is None:
            yield miss("sequence", planned.name, table)
            continue
        if sequence.name != planned.name:
            yield differ("sequence", planned.name, table, f"named {planned.name}", f"named {sequence.name}")
        at_least = _smallest_next(planned, tables.get(table), catalog, census)
        if at_least > _LARGEST_ID:
            if sequence.next_value is not None:
                yield differ("sequence", planned.name, table, "exhausted", f"at {sequence.next_value}")
        elif sequence.next_value is None:
            yield differ("sequence", planned.name, table, f"at {at_least} or above", "exhausted")
        elif sequence.next_value < at_least:
            yield differ("sequence", planned.name, table, f"at {at_least} or above", f"at {sequence.next_value}")
    for (table, column), sequence in found.items():
        if (table, column) not in wanted and table in tables:
            yield exceed("sequence", sequence.name, table)


def _smallest_next(planned: PlannedObject, table: TableMap | None, catalog: Catalog, census: Census | None) -> int:
    """The smallest next value that no id of the source, given or only once given, can clash with."""
    highest = _LARGEST_ID if planned.at_least is None else planned.at_least - 1
    if table is not None:
        highest = max(highest, catalog.table(table.source).sequence_value or 0)
        if census is not None:
            highest = max(highest, census.table(table.source).max_rowid or 0)
    return highest + 1


def _count_target(plan: Plan, target: TargetCatalog) -> Counter[Sort]:
    """What stands for the source's objects: tables of quarantined rows are compared, and counted by themselves."""
    quarantines = {table.target for table in plan.tables if table.part == "quarantine"}
    tables = [table for table in target.tables if table.name not in quarantines]
    counts: Counter[Sort] = Counter()
    counts["tables"] = len(tables)
    counts["views"] = len(target.views)
    for table in tables:
        counts["columns"] += len(table.columns)
        counts["indexes"] += len(table.indexes)
        counts["sequences"] += len(table.sequences)
        for constraint in table.constraints:
            if sort := SORTS.get(CONSTRAINT_KINDS[constraint.kind]):
                counts[sort] += 1
    return counts
