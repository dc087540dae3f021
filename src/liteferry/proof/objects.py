"""The proof of everything that is not a row: tables, columns, keys, constraints, indexes, sequences, views.

Layer 3, without effects. Compares in three directions, so that none can hide behind another:

* what the plan demands with what the target's catalogue has, object by object;
* what the target has with what anybody demanded: nothing more may be there;
* what the source's catalogue declares with what the plan demands, sort by sort and table by table, minus what accepted
  findings leave out: a planner that forgets an index is caught.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from liteferry.model import (
    Catalog,
    Census,
    Column,
    Finding,
    Mismatch,
    ObjectCount,
    ObjectCounts,
    ObjectKind,
    Plan,
    PlannedObject,
    Table,
    TableMap,
    TargetCatalog,
    TargetColumn,
    TargetConstraint,
    TargetIndex,
    TargetTable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Sort: TypeAlias = Literal["tables", "columns", "indexes", "unique", "checks", "foreign_keys", "sequences", "views"]
"""The fields of `ObjectCounts`."""

_SORTS: Final[dict[ObjectKind, Sort]] = {
    "table": "tables",
    "column": "columns",
    "index": "indexes",
    "unique": "unique",
    "check": "checks",
    "foreign_key": "foreign_keys",
    "sequence": "sequences",
    "view": "views",
}
_CONSTRAINT_KINDS: Final[dict[str, ObjectKind]] = {"p": "primary_key", "u": "unique", "c": "check", "f": "foreign_key"}
_WORDS: Final[dict[ObjectKind, str]] = {"primary_key": "primary key", "foreign_key": "foreign key"}
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
    declared = _count_declared(plan, catalog)
    left_out = _count_left_out(plan, catalog)
    mismatches += _find_forgotten(plan, catalog, declared, left_out)
    found = _count_target(target)
    totals = {
        sort: ObjectCount(
            source=sum(count for (_, of), count in declared.items() if of == sort),
            target=found[sort],
            left_out=sum(count for (_, of), count in left_out.items() if of == sort),
        )
        for sort in _SORTS.values()
    }
    return ObjectCounts(**totals), tuple(mismatches)


def _mismatch(kind: ObjectKind, name: str, table: str | None, source: str, target: str, message: str = "") -> Mismatch:
    where = f" of {table}" if table and kind != "table" else ""
    what = f"{_WORDS.get(kind, kind)} {name}{where}"
    return Mismatch(
        kind="object",
        object_kind=kind,
        object_name=name,
        table=table,
        source=source,
        target=target,
        message=message or f"{what} is {target} in the target, and should be {source}",
    )


def _missing(kind: ObjectKind, name: str, table: str | None, source: str = "declared") -> Mismatch:
    where = f" of {table}" if table and kind != "table" else ""
    message = f"{_WORDS.get(kind, kind)} {name}{where} is missing in the target"
    return _mismatch(kind, name, table, source, "missing", message)


def _extra(kind: ObjectKind, name: str, table: str | None, target: str = "present") -> Mismatch:
    where = f" on {table}" if table and kind != "table" else ""
    message = f"{_WORDS.get(kind, kind)} {name}{where} is in the target, but nothing in the source asks for it"
    return _mismatch(kind, name, table, "not declared", target, message)


# ---------------------------------------------------------------------------------------------------------------------
# Tables and what belongs to them


def _compare_tables(plan: Plan, target: TargetCatalog) -> Iterator[Mismatch]:
    found = {table.name: table for table in target.tables}
    for table in plan.tables:
        if table.target not in found:
            yield _missing("table", table.target, table.target)
            continue
        demanded = [planned for planned in plan.objects if planned.table == table.target]
        yield from _compare_columns(demanded, found[table.target])
        yield from _compare_constraints(demanded, found[table.target])
        yield from _compare_indexes(demanded, found[table.target])
        for trigger in found[table.target].triggers:
            yield _extra("other", f"trigger {trigger}", table.target)
    carried = {table.target for table in plan.tables}
    for name in found:
        if name not in carried:
            yield _extra("table", name, name)


def _compare_columns(demanded: Iterable[PlannedObject], target: TargetTable) -> Iterator[Mismatch]:
    columns = {column.name: column for column in target.columns}
    wanted = {planned.name: planned for planned in demanded if planned.kind == "column"}
    for name, planned in wanted.items():
        if name not in columns:
            yield _missing("column", name, target.name, planned.pg_type or "declared")
        else:
            yield from _compare_column(planned, columns[name], target.name)
    for name, column in columns.items():
        if name not in wanted:
            yield _extra("column", name, target.name, column.pg_type)


def _compare_column(planned: PlannedObject, column: TargetColumn, table: str) -> Iterator[Mismatch]:
    name = column.name
    if planned.pg_type is not None and planned.pg_type != column.pg_type:
        yield _mismatch("column", name, table, planned.pg_type, column.pg_type)
    if planned.not_null != column.not_null:
        words = {True: "NOT NULL", False: "nullable"}
        yield _mismatch("column", name, table, words[planned.not_null], words[column.not_null])
    if planned.generated != bool(column.generated):
        words = {True: "generated", False: "not generated"}
        yield _mismatch("column", name, table, words[planned.generated], words[bool(column.generated)])
    # An identity has its default in its sequence, which is compared as such; so has a serial column.
    if column.identity or planned.generated or column.generated:
        return
    has_default = column.default_sql is not None
    if planned.has_default != has_default:
        words = {True: "with a default", False: "without a default"}
        yield _mismatch("column", name, table, words[planned.has_default], words[has_default])


def _describe_planned(planned: PlannedObject) -> str:
    columns = ", ".join(column or "an expression" for column in planned.columns)
    if planned.kind == "foreign_key":
        return f"({columns}) → {planned.parent_table} ({', '.join(map(str, planned.parent_columns))})"
    return f"({columns})" if columns else "declared"


def _has_shape(planned: PlannedObject, constraint: TargetConstraint) -> bool:
    """Whether the constraint is about the same columns, and the same parent's."""
    if _CONSTRAINT_KINDS[constraint.kind] != planned.kind:
        return False
    if planned.kind == "check":
        return False  # the text is another dialect's: only the name tells
    if planned.kind == "foreign_key":
        pairs = set(zip(planned.columns, planned.parent_columns, strict=False))
        found_pairs = set(zip(constraint.columns, constraint.parent_columns, strict=False))
        return planned.parent_table == constraint.parent_table and pairs == found_pairs
    return planned.columns == constraint.columns


def _compare_constraints(demanded: Iterable[PlannedObject], target: TargetTable) -> Iterator[Mismatch]:
    wanted = {planned.name: planned for planned in demanded if planned.kind in _CONSTRAINT_KINDS.values()}
    found = {constraint.name: constraint for constraint in target.constraints}
    nameless = [name for name in found if name not in wanted]
    for name, planned in wanted.items():
        constraint = found.get(name)
        if constraint is None:
            twin = next((other for other in nameless if _has_shape(planned, found[other])), None)
            if twin is None:
                yield _missing(planned.kind, name, target.name, _describe_planned(planned))
                continue
            nameless.remove(twin)
            yield _mismatch(planned.kind, name, target.name, f"named {name}", f"named {twin}")
            constraint = found[twin]
        elif planned.kind != _CONSTRAINT_KINDS[constraint.kind] or (
            planned.kind != "check" and not _has_shape(planned, constraint)
        ):
            yield _mismatch(planned.kind, name, target.name, _describe_planned(planned), constraint.definition_sql)
            continue
        yield from _compare_constraint(planned, constraint, target.name)
    for name in nameless:
        yield _extra(_CONSTRAINT_KINDS[found[name].kind], name, target.name, found[name].definition_sql)


def _compare_constraint(planned: PlannedObject, constraint: TargetConstraint, table: str) -> Iterator[Mismatch]:
    name = planned.name
    if planned.validated and not constraint.validated:
        yield _mismatch(planned.kind, name, table, "valid", "not valid")
    if planned.kind != "foreign_key":
        return
    for event, wanted, found in (
        ("UPDATE", planned.on_update, constraint.on_update),
        ("DELETE", planned.on_delete, constraint.on_delete),
    ):
        if wanted != found:
            yield _mismatch(planned.kind, name, table, f"ON {event} {wanted}", f"ON {event} {found}")
    checked = _describe_deferral(deferrable=planned.deferrable, deferred=planned.deferred)
    checked_there = _describe_deferral(deferrable=constraint.deferrable, deferred=constraint.deferred)
    if checked != checked_there:
        yield _mismatch(planned.kind, name, table, checked, checked_there)


def _describe_deferral(*, deferrable: bool, deferred: bool) -> str:
    if not deferrable:
        return "not deferrable"
    return "initially deferred" if deferred else "deferrable"


def _compare_indexes(demanded: Iterable[PlannedObject], target: TargetTable) -> Iterator[Mismatch]:
    wanted = {planned.name: planned for planned in demanded if planned.kind == "index"}
    found = {index.name: index for index in target.indexes}
    for name, planned in wanted.items():
        if name not in found:
            yield _missing("index", name, target.name, _describe_index(planned))
            continue
        index = found[name]
        shape, shape_there = _describe_index(planned), _describe_index(index)
        if shape != shape_there:
            yield _mismatch("index", name, target.name, shape, shape_there)
        if not index.valid:
            yield _mismatch("index", name, target.name, "valid", "invalid")
    for name, index in found.items():
        if name not in wanted:
            yield _extra("index", name, target.name, index.definition_sql)


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
            yield _missing("view", name, None, _describe_planned(planned))
            continue
        columns = tuple(column.name for column in found[name].columns)
        if planned.columns != columns:
            has = f"({', '.join(columns)})"
            yield _mismatch("view", name, None, _describe_planned(planned), has)
    for name in found:
        if name not in wanted:
            yield _extra("view", name, None)


def _find_others(plan: Plan, target: TargetCatalog) -> Iterator[Mismatch]:
    planned = {found.name for found in plan.objects if found.kind == "other"}
    for other in target.others:
        if other not in planned:
            yield _extra("other", other, None)


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
            yield _missing("sequence", planned.name, table)
            continue
        if sequence.name != planned.name:
            yield _mismatch("sequence", planned.name, table, f"named {planned.name}", f"named {sequence.name}")
        at_least = _smallest_next(planned, tables.get(table), catalog, census)
        if at_least > _LARGEST_ID:
            if sequence.next_value is not None:
                yield _mismatch("sequence", planned.name, table, "exhausted", f"at {sequence.next_value}")
        elif sequence.next_value is None:
            yield _mismatch("sequence", planned.name, table, f"at {at_least} or above", "exhausted")
        elif sequence.next_value < at_least:
            yield _mismatch("sequence", planned.name, table, f"at {at_least} or above", f"at {sequence.next_value}")
    for (table, column), sequence in found.items():
        if (table, column) not in wanted and table in tables:
            yield _extra("sequence", sequence.name, table)


def _smallest_next(planned: PlannedObject, table: TableMap | None, catalog: Catalog, census: Census | None) -> int:
    """The smallest next value that no id of the source, given or only once given, can clash with."""
    highest = _LARGEST_ID if planned.at_least is None else planned.at_least - 1
    if table is not None:
        highest = max(highest, catalog.table(table.source).sequence_value or 0)
        if census is not None:
            highest = max(highest, census.table(table.source).max_rowid or 0)
    return highest + 1


# ---------------------------------------------------------------------------------------------------------------------
# The source against the plan: numbers, by table and sort. The table is "" for tables and views.

_Counts: TypeAlias = "Counter[tuple[str, Sort]]"


def _count_declared(plan: Plan, catalog: Catalog) -> _Counts:
    """What the source's catalogue declares in the tables that travel; and all tables and views."""
    carried = {table.source for table in plan.tables}
    counts: _Counts = Counter()
    counts["", "tables"] = len(catalog.tables)
    counts["", "views"] = len(catalog.views)
    for table in catalog.tables:
        if table.name not in carried:
            continue
        counts[table.name, "columns"] = len(table.columns)
        counts[table.name, "indexes"] = sum(index.origin == "c" for index in table.indexes)
        counts[table.name, "unique"] = sum(index.origin == "u" for index in table.indexes)
        counts[table.name, "checks"] = len(table.checks)
        counts[table.name, "foreign_keys"] = len(table.foreign_keys)
        counts[table.name, "sequences"] = int(table.rowid_alias is not None)
    for finding in _decided(plan):
        if finding.code == "null-in-key" and finding.table in carried:
            counts[finding.table, "unique"] += 1  # what was a primary key
    return counts


def _decided(plan: Plan) -> Iterator[Finding]:
    return (finding for finding in plan.findings if not finding.blocks)


def _count_left_out(plan: Plan, catalog: Catalog) -> _Counts:
    """What findings say was left out: only those that were accepted, or need not be."""
    unique = {(table.name, index.name) for table in catalog.tables for index in table.indexes if index.origin == "u"}
    counts: _Counts = Counter()
    for finding in _decided(plan):
        table = finding.table or ""
        match finding.code:
            case "left-out-by-choice":
                counts["", "tables"] += bool(table)  # else a virtual table, which is counted nowhere
            case "index-untranslatable":
                counts[table, "unique" if (table, finding.name) in unique else "indexes"] += 1
            case "check-untranslatable" | "check-implied":
                counts[table, "checks"] += 1
            case "foreign-key-no-parent" | "foreign-key-not-unique" | "foreign-key-types":
                counts[table, "foreign_keys"] += 1
            case "left-dangling":
                counts[(table, "foreign_keys") if table else ("", "views")] += 1
            case "view-untranslatable" | "view-broken":
                counts["", "views"] += 1
            case _:
                pass
    return counts


def _count_planned(plan: Plan) -> _Counts:
    source_names = {table.target: table.source for table in plan.tables}
    counts: _Counts = Counter()
    for planned in plan.objects:
        if sort := _SORTS.get(planned.kind):
            table = "" if sort in {"tables", "views"} else source_names.get(planned.table or "", planned.table or "")
            counts[table, sort] += 1
    return counts


def _count_target(target: TargetCatalog) -> Counter[Sort]:
    counts: Counter[Sort] = Counter()
    counts["tables"] = len(target.tables)
    counts["views"] = len(target.views)
    for table in target.tables:
        counts["columns"] += len(table.columns)
        counts["indexes"] += len(table.indexes)
        counts["sequences"] += len(table.sequences)
        for constraint in table.constraints:
            if sort := _SORTS.get(_CONSTRAINT_KINDS[constraint.kind]):
                counts[sort] += 1
    return counts


def _find_forgotten(plan: Plan, catalog: Catalog, declared: _Counts, left_out: _Counts) -> Iterator[Mismatch]:
    """What the source declares, and neither the plan demands nor a finding explains."""
    planned = _count_planned(plan)
    kinds = {sort: kind for kind, sort in _SORTS.items()}
    for table, sort in declared:
        number, expected = planned[table, sort], declared[table, sort] - left_out[table, sort]
        if number != expected:
            names = _name_forgotten(plan, catalog, table, sort)
            yield _mismatch(
                kinds[sort],
                ", ".join(names) or sort,
                table or None,
                f"{declared[table, sort]} declared, {left_out[table, sort]} left out",
                f"{number} planned",
                f"the source declares {declared[table, sort]} {sort.replace('_', ' ')}"
                + (f" of {table}" if table else "")
                + f", findings explain the absence of {left_out[table, sort]}, but the plan has {number}"
                + (f": look at {', '.join(names)}" if names else ""),
            )
    carried = {table.source: table for table in plan.tables}
    for table_ in catalog.tables:
        if table_.name in carried:
            yield from _find_forgotten_in_table(plan, table_, carried[table_.name])


def _name_forgotten(plan: Plan, catalog: Catalog, table: str, sort: Sort) -> list[str]:
    """The names of declared objects that neither the plan nor a finding mentions; the most likely ones."""
    known = {planned.name for planned in plan.objects if _SORTS.get(planned.kind) == sort}
    known |= {change.source for change in plan.names}
    known |= {finding.name or finding.table or "" for finding in _decided(plan)}
    declared: Sequence[str | None]
    match sort:
        case "tables":
            known = {found.source for found in plan.tables} | {finding.table or "" for finding in _decided(plan)}
            declared = [found.name for found in catalog.tables]
        case "views":
            declared = [view.name for view in catalog.views]
        case "columns":
            known = {mapped.source for mapped in plan.table(table).columns}
            declared = [column.name for column in catalog.table(table).columns]
        case "indexes":
            declared = [index.name for index in catalog.table(table).indexes if index.origin == "c"]
        case "unique":
            declared = [index.constraint_name for index in catalog.table(table).indexes if index.origin == "u"]
        case "checks":
            declared = [check.name for check in catalog.table(table).checks]
        case "foreign_keys":
            declared = [key.name for key in catalog.table(table).foreign_keys]
        case "sequences":
            declared = [catalog.table(table).rowid_alias]
    return [name for name in declared if name is not None and name not in known]


def _find_forgotten_in_table(plan: Plan, table: Table, mapped: TableMap) -> Iterator[Mismatch]:
    """Primary key, NOT NULL, defaults, generated columns: what the source declares and the plan must demand."""
    demanded = {
        planned.name: planned for planned in plan.objects if planned.table == mapped.target and planned.kind == "column"
    }
    explained = {(finding.code, finding.name) for finding in _decided(plan) if finding.table == table.name}
    has_key = any(planned.kind == "primary_key" and planned.table == mapped.target for planned in plan.objects)
    if table.primary_key and not has_key and not any(code == "null-in-key" for code, _ in explained):
        yield _mismatch("primary_key", "PRIMARY KEY", mapped.target, f"({', '.join(table.primary_key)})", "not planned")
    targets = {column.source: column.target for column in mapped.columns}
    for column in table.columns:
        planned = demanded.get(targets.get(column.name, ""))
        if planned is None:
            continue  # counted above
        for code, wanted, there, words in (
            ("null-in-not-null", column.not_null, planned.not_null, "NOT NULL"),
            ("default-untranslatable", _has_default(table, column), planned.has_default, "a default"),
            ("generated-untranslatable", bool(column.generated), planned.generated, "generated"),
        ):
            if wanted and not there and (code, column.name) not in explained:
                yield _mismatch("column", planned.name, mapped.target, words, "not planned")


def _has_default(table: Table, column: Column) -> bool:
    """Whether the column has a default that does something: not NULL, and not in a rowid alias, where it is dead."""
    if column.default_sql is None or column.generated or column.name == table.rowid_alias:
        return False
    return column.default_sql.strip(" ()").upper() != "NULL"
