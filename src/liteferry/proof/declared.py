"""What the source declares against what the plan demands: a planner that forgets an index, or mistakes it, is caught.

Layer 3, pure. Used by `proof.objects` only. Compared are the numbers of objects, table by table and sort by sort, minus
what accepted findings leave out; the columns of keys, indexes and foreign keys, by name; and that each trigger, virtual
table and collation, which never travel, is named by a finding. With a plan of an earlier day, the CREATE statements of
the source must still be those that the plan was made from.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from liteferry.planner.questions import name_key
from liteferry.proof.differences import describe_object, differ
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence

    from liteferry.model import (
        Catalog,
        Column,
        Finding,
        Index,
        Mismatch,
        NameChange,
        ObjectKind,
        Plan,
        PlannedObject,
        Table,
        TableMap,
        TranslatedSql,
    )

Sort: TypeAlias = Literal["tables", "columns", "indexes", "unique", "checks", "foreign_keys", "sequences", "views"]
"""The fields of `ObjectCounts`."""

SORTS: Final[dict[ObjectKind, Sort]] = {
    "table": "tables",
    "column": "columns",
    "index": "indexes",
    "unique": "unique",
    "check": "checks",
    "foreign_key": "foreign_keys",
    "sequence": "sequences",
    "view": "views",
}

Counts: TypeAlias = "Counter[tuple[str, Sort]]"
"""Numbers by source table and sort; the table is "" for tables and views."""


def count_declared(plan: Plan, catalog: Catalog) -> Counts:
    """What the source's catalogue declares in the tables that travel; and all tables and views. Pure."""
    carried = {table.source for table in plan.counterparts}
    counts: Counts = Counter()
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
    for table_name in _list_keys_with_null(plan) & carried:
        counts[table_name, "unique"] += 1
    return counts


def _list_keys_with_null(plan: Plan) -> set[str]:
    """The tables whose primary key contains NULL, so that it travels as a UNIQUE constraint."""
    found = [finding for finding in _decided(plan) if finding.code == "null-in-key" and finding.way != "quarantine"]
    return {finding.table for finding in found if finding.table}


def _decided(plan: Plan) -> Iterator[Finding]:
    return (finding for finding in plan.findings if not finding.blocks)


def count_left_out(plan: Plan, catalog: Catalog) -> Counts:
    """What findings say was left out: only those that were accepted, or need not be. Pure."""
    unique = {(table.name, index.name) for table in catalog.tables for index in table.indexes if index.origin == "u"}
    named = {(table.name, name_key(table, i)): i.origin for table in catalog.tables for i in table.indexes}
    with_null = _list_keys_with_null(plan)
    for key in [key for key, origin in named.items() if origin == "pk" and key[0] in with_null]:
        named[key] = "u"
        unique.add(key)
    counts: Counts = Counter()
    views = {view.name for view in catalog.views}
    gone = set[tuple[str, str | None]]()  # one object may be left out for two reasons
    for finding in _decided(plan):
        table = finding.table or ""
        match finding.code:
            case "left-out-by-choice":
                counts["", "tables"] += bool(table)  # else a view, or a virtual table, which is counted nowhere
                counts["", "views"] += finding.name in views and not table
            case "unique-clash" | "index-entry-too-long" if finding.way == "leave-out":
                origin = named.get((table, finding.name or ""))
                if origin != "pk" and (table, finding.name) not in gone:
                    counts[table, "unique" if origin == "u" else "indexes"] += 1
                gone.add((table, finding.name))
            case "index-untranslatable" if named.get((table, finding.name or "")) == "pk":
                pass  # primary keys are counted with neither
            case "index-untranslatable":
                counts[table, "unique" if (table, finding.name) in unique else "indexes"] += 1
            case "check-untranslatable" | "check-implied":
                counts[table, "checks"] += 1
            case "check-broken" if finding.way == "leave-out":
                counts[table, "checks"] += 1
            case "orphan-rows" if finding.way == "leave-out":
                counts[table, "foreign_keys"] += 1
            case "foreign-key-no-parent" | "foreign-key-not-unique" | "foreign-key-types":
                counts[table, "foreign_keys"] += 1
            case "left-dangling":
                counts[(table, "foreign_keys") if table else ("", "views")] += 1
            case "view-untranslatable" | "view-broken":
                counts["", "views"] += 1
            case _:
                pass
    return counts


def _count_planned(plan: Plan) -> Counts:
    source_names = {table.target: table.source for table in plan.counterparts}
    quarantines = {table.target for table in plan.tables if table.part == "quarantine"}
    counts: Counts = Counter()
    for planned in plan.objects:
        if quarantines & {planned.table, planned.name if planned.kind == "table" else None}:
            continue  # the source does not declare them
        if sort := SORTS.get(planned.stands_for or planned.kind):
            table = "" if sort in {"tables", "views"} else source_names.get(planned.table or "", planned.table or "")
            counts[table, sort] += 1
    return counts


def find_forgotten(plan: Plan, catalog: Catalog, declared: Counts, left_out: Counts) -> Iterator[Mismatch]:
    """What the source declares, and neither the plan demands nor a finding explains. Pure."""
    planned = _count_planned(plan)
    kinds = {sort: kind for kind, sort in SORTS.items()}
    for table, sort in declared:
        number, expected = planned[table, sort], declared[table, sort] - left_out[table, sort]
        if number != expected:
            names = _name_forgotten(plan, catalog, table, sort)
            yield differ(
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
    carried = {table.source: table for table in plan.counterparts}
    parts, parents = _split_by_table(plan), _map_parents(plan)
    for table_ in catalog.tables:
        if table_.name in carried:
            part = parts[table_.name]
            yield from _find_forgotten_in_table(part, table_, carried[table_.name])
            yield from _find_mistaken_in_table(part, table_, carried[table_.name], parents)
            yield from _find_unnamed_collations(part, table_)
    yield from _find_unnamed(plan, catalog)
    yield from _find_changed(plan, catalog)


_Parents: TypeAlias = "dict[str, tuple[str, dict[str, str]]]"
"""By a table's folded source name: its target name, and its columns' target names by their folded source names."""


def _map_parents(plan: Plan) -> _Parents:
    return {
        fold_case(parent.source): (parent.target, {fold_case(c.source): c.target for c in parent.columns})
        for parent in plan.counterparts
    }


def _split_by_table(plan: Plan) -> dict[str, Plan]:
    """The plan once for each source table, with what is that table's alone: there can be thousands."""
    names: dict[str | None, list[NameChange]] = {}
    for change in plan.names:
        names.setdefault(change.table, []).append(change)
    objects: dict[str | None, list[PlannedObject]] = {}
    findings: dict[str | None, list[Finding]] = {}
    for planned in plan.objects:
        objects.setdefault(planned.table, []).append(planned)
    for finding in plan.findings:
        findings.setdefault(finding.table, []).append(finding)
    translations: dict[str | None, list[TranslatedSql]] = {}
    for translated in plan.translations:
        translations.setdefault(translated.table, []).append(translated)
    return {
        table.source: replace(
            plan,
            tables=(table,),
            names=tuple(names.get(table.source, ())),
            objects=tuple(objects.get(table.target, ())),
            findings=tuple(findings.get(table.source, ())),
            translations=tuple(translations.get(table.source, ())),
        )
        for table in plan.counterparts
    }


def _name_forgotten(plan: Plan, catalog: Catalog, table: str, sort: Sort) -> list[str]:
    """The names of declared objects that neither the plan nor a finding mentions; the most likely ones."""
    known = {planned.name for planned in plan.objects if SORTS.get(planned.kind) == sort}
    known |= {change.source for change in plan.names}
    known |= {finding.name or finding.table or "" for finding in _decided(plan)}
    declared: Sequence[str | None]
    match sort:
        case "tables":
            known = {found.source for found in plan.counterparts} | {finding.table or "" for finding in _decided(plan)}
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
    left_out = {"null-in-key", "unique-clash", "index-entry-too-long", "index-untranslatable"}
    names = {", ".join(table.primary_key), *(name_key(table, key) for key in table.indexes if key.origin == "pk")}
    if table.primary_key and not has_key and not {(code, name) for code in left_out for name in names} & explained:
        yield differ("primary_key", "PRIMARY KEY", mapped.target, f"({', '.join(table.primary_key)})", "not planned")
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
                yield differ("column", planned.name, mapped.target, words, "not planned")


def _has_default(table: Table, column: Column) -> bool:
    """Whether the column has a default that does something: not NULL, and not in a rowid alias, where it is dead."""
    if column.default_sql is None or column.generated or column.name == table.rowid_alias:
        return False
    return column.default_sql.strip(" ()").upper() != "NULL"


# ---------------------------------------------------------------------------------------------------------------------
# Columns by name: the plan must not demand a key, index or foreign key that the source does not declare

_Shape: TypeAlias = "Hashable"


def _find_mistaken_in_table(plan: Plan, table: Table, mapped: TableMap, parents: _Parents) -> Iterator[Mismatch]:
    """Find the planned keys, indexes and foreign keys on other columns than the source declares.

    That each declared one is planned at all is a question of their numbers.
    """
    names = {fold_case(column.source): column.target for column in mapped.columns}

    def translate(columns: Iterable[str | None], targets: dict[str, str] = names) -> tuple[str | None, ...]:
        return tuple(None if column is None else targets.get(fold_case(column), "?") for column in columns)

    keys = Counter([translate(table.primary_key)] if table.primary_key else [])
    unique = Counter(translate(key.column for key in index.keys) for index in table.indexes if index.origin == "u")
    if any((f.code, f.table) == ("null-in-key", table.name) and f.way != "quarantine" for f in plan.findings):
        unique, keys = unique + keys, Counter()
    indexes = Counter(
        (
            translate(key.column for key in index.keys),
            tuple(key.descending for key in index.keys),
            index.unique,
            index.where_sql is not None,
        )
        for index in table.indexes
        if index.origin == "c"
    )
    # a condition that PostgreSQL leaves out, for it is always true: what the proof of behaviour asks every row
    held = {
        translated.object_name
        for translated in plan.translations
        if (translated.use, translated.table, translated.target_sql) == ("predicate", table.name, "TRUE")
    }
    foreign: Counter[_Shape] = Counter()
    for key in table.foreign_keys:
        parent, targets = parents.get(fold_case(key.parent_table), ("?", {}))
        columns = tuple(zip(translate(key.columns), translate(key.parent_columns, targets), strict=False))
        acts = (key.on_update, key.on_delete, key.deferrable, key.initially_deferred)
        foreign[frozenset(columns), parent, acts] += 1
    shapes: tuple[tuple[ObjectKind, Counter[_Shape], Callable[[PlannedObject], _Shape]], ...] = (
        ("primary_key", Counter(keys), _name_key_columns),
        ("unique", Counter(unique), _name_key_columns),
        ("index", Counter(indexes), partial(_shape_index, held=held)),
        ("foreign_key", foreign, _shape_foreign_key),
    )
    for kind, declared, shape_of in shapes:
        left = Counter(declared)
        if kind == "primary_key":  # an index beside it, which ignores case where the key cannot
            left += Counter(declared)
        for planned in plan.objects:
            if (planned.stands_for or planned.kind, planned.table) != (kind, mapped.target):
                continue
            shape = shape_of(planned)
            if not left[shape]:
                columns_ = ", ".join(column or "an expression" for column in planned.columns)
                what = describe_object(kind, planned.name, mapped.target)
                yield differ(
                    kind,
                    planned.name,
                    mapped.target,
                    "not declared so",
                    f"planned on ({columns_})",
                    f"{what} is planned on ({columns_}), but the source declares it otherwise",
                )
            left[shape] -= 1


def _shape_index(planned: PlannedObject, held: Collection[str]) -> _Shape:
    """As the source declares it. held: the partial ones whose condition every row holds."""
    descending = planned.descending or (False,) * len(planned.columns)
    return _name_key_columns(planned), descending, planned.unique, planned.partial or planned.name in held


def _name_key_columns(planned: PlannedObject) -> tuple[str | None, ...]:
    """The columns of a key, those too that stand in an expression of ours."""
    names = planned.key_columns or ("",) * len(planned.columns)
    return tuple(column or name or None for column, name in zip(planned.columns, names, strict=True))


def _shape_foreign_key(planned: PlannedObject) -> _Shape:
    columns = frozenset(zip(planned.columns, planned.parent_columns, strict=False))
    acts = (planned.on_update, planned.on_delete, planned.deferrable, planned.deferred)
    return columns, planned.parent_table, acts


# ---------------------------------------------------------------------------------------------------------------------
# What never travels, and what was changed since


def _find_unnamed(plan: Plan, catalog: Catalog) -> Iterator[Mismatch]:
    """Find the triggers and virtual tables that no finding names."""
    named = {(finding.code, finding.name) for finding in plan.findings}
    carried = {fold_case(table.source) for table in plan.counterparts} | {
        fold_case(view.name) for view in catalog.views
    }
    for trigger in catalog.triggers:
        if fold_case(trigger.table) in carried and ("trigger-left-out", trigger.name) not in named:
            yield _unnamed(f"trigger {trigger.name}", trigger.table)
    for table in catalog.virtual_tables:
        if not named & {("virtual-table-left-out", table.name), ("left-out-by-choice", table.name)}:
            yield _unnamed(f"virtual table {table.name}", None)


def _find_unnamed_collations(plan: Plan, table: Table) -> Iterator[Mismatch]:
    """Find the columns and indexes with a collation of SQLite's that no finding names."""
    named = {
        (finding.code, finding.name)
        for finding in plan.findings
        if finding.table == table.name
        and (finding.code.startswith("collation-") or finding.code == "index-untranslatable")
    }
    own = {fold_case(column.name): column.collation.upper() for column in table.columns}
    for column in table.columns:
        told = any((code, column.name) in named for code in ("collation-lost", "collation-kept", "collation-wider"))
        if column.collation.upper() != "BINARY" and not told:
            yield _unnamed(f"collation {column.collation} of column {column.name}", table.name)
    # numbers and moments have no letters that a collation of SQLite's own could fold
    caseless = {
        fold_case(mapped.source)
        for mapped in next((made.columns for made in plan.counterparts if made.source == table.name), ())
        if mapped.kind not in {"text", "json", "jsonb", "bytea"}
    }
    renamed = {change.source: change.target for change in plan.names if change.kind in {"index", "unique"}}
    kept = {planned.name for planned in plan.objects if planned.folds or planned.key_columns}
    kept |= {planned.name for planned in plan.objects if planned.kind == "index" and not planned.unique}
    for index in table.indexes:
        if index.origin == "pk" or not _has_collation(index, own, caseless):
            continue
        name = index.constraint_name if index.origin == "u" else index.name
        is_kept = name is None or renamed.get(name, name) in kept  # a nameless constraint is counted with the others
        if not is_kept and ("index-untranslatable", index.name) not in named:
            yield _unnamed(f"collation of index {index.name}", table.name)


def _has_collation(index: Index, own: dict[str, str], caseless: set[str]) -> bool:
    """Whether an index sorts by a collation that neither PostgreSQL has nor its column is declared with."""
    return any(
        key.collation.upper() not in {"BINARY", own.get(fold_case(key.column or ""), "BINARY")}
        and not (key.collation.upper() in {"NOCASE", "RTRIM"} and fold_case(key.column or "") in caseless)
        for key in index.keys
    )


def _unnamed(name: str, table: str | None) -> Mismatch:
    what = describe_object("other", name, table)
    return differ(
        "other", name, table, "declared", "not planned", f"{what} is in the source, and no finding of the plan names it"
    )


def _find_changed(plan: Plan, catalog: Catalog) -> Iterator[Mismatch]:
    """Find what the source declares with another CREATE statement than the plan was made from."""
    planned = {
        (found.kind, found.table if found.kind == "index" else None, found.name): found.source_sql
        for found in plan.objects
        if found.source_sql is not None
    }
    renamed = {(change.kind, change.table, change.source): change.target for change in plan.names}
    targets = {table.source: table.target for table in plan.counterparts}
    statements: list[tuple[ObjectKind, str | None, str, str | None]] = [
        *(("table", None, table.name, table.sql) for table in catalog.tables if table.name in targets),
        *(
            ("index", table.name, index.name, index.sql)
            for table in catalog.tables
            if table.name in targets
            for index in table.indexes
            if index.origin == "c"
        ),
        *(("view", None, view.name, view.sql) for view in catalog.views),
    ]
    for kind, table, name, sql in statements:
        target = targets[name] if kind == "table" else renamed.get((kind, table, name), name)
        before = planned.get((kind, targets[table] if table else None, target))
        if before is not None and sql is not None and before != sql:
            what = describe_object(kind, name, table)
            yield differ(
                kind,
                name,
                table or (name if kind == "table" else None),
                sql,
                before,
                f"{what} is declared in the source with another statement than when the plan was made",
            )
