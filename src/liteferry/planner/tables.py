"""The plan of one table: its columns, keys, checks, indexes, sequence and foreign keys.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions import (
    ColumnType,
    translate_check,
    translate_default,
    translate_generated,
    translate_index_key,
    translate_predicate,
)
from liteferry.findings import make_finding
from liteferry.model import (
    Catalog,
    Census,
    Column,
    ColumnCensus,
    ColumnMap,
    Finding,
    ForeignKey,
    Index,
    IndexKey,
    NameChange,
    ObjectKind,
    Options,
    PlannedObject,
    Step,
    Table,
    TableCensus,
    TableMap,
)
from liteferry.names import NameSpace, quote_name
from liteferry.planner.sql import (
    ColumnClause,
    ForeignKeyClause,
    add_check_sql,
    add_foreign_key_sql,
    add_key_sql,
    analyze_sql,
    copy_sql,
    create_index_sql,
    create_table_sql,
    set_sequence_sql,
)
from liteferry.typemap import TypeChoice, map_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from liteferry.expressions import StorageClass

SYSTEM_COLUMNS: Final = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
"""Names that no column can have. Source: PostgreSQL docs, "System Columns"."""
LARGEST_ID: Final = 2**63 - 1
_TEMPORAL: Final = frozenset({"timestamp", "timestamptz", "date", "time"})


@dataclass(slots=True, kw_only=True)
class TablePlan:
    """What was decided for one table; filled while planning, then only read."""

    table: Table
    map: TableMap
    types: tuple[ColumnType, ...]
    unique_sets: list[tuple[str, ...]] = field(default_factory=list)  # source columns that are unique in the target
    steps: list[Step] = field(default_factory=list)
    objects: list[PlannedObject] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    names: list[NameChange] = field(default_factory=list)
    constraint_names: NameSpace = field(default_factory=NameSpace)
    sequence: str = ""  # the identity column's sequence

    def target_of(self, column: str) -> str:
        """The target's name of a source column, whatever its case. Raises: KeyError."""
        for found in self.map.columns:
            if found.source.lower() == column.lower():
                return found.target
        raise KeyError(column)


def plan_table(
    table: Table, census: TableCensus, target: str, staging: str, options: Options, relations: NameSpace
) -> TablePlan:
    """Plan one table without its foreign keys. Pure.

    relations: the target schema's relation names; the table's own is taken already.
    """
    column_names = NameSpace()
    for name in SYSTEM_COLUMNS:
        column_names.claim(name)
    choices = {column.name: map_column(table, column, census.column(column.name), options) for column in table.columns}
    targets = {column.name: column_names.claim(column.name or "unnamed") for column in table.columns}
    types = tuple(
        _column_type(table, column, census.column(column.name), targets[column.name], choices[column.name])
        for column in table.columns
    )
    by_name = {column.source: column for column in types}
    findings: list[Finding] = [found for choice in choices.values() for found in choice.findings]
    generated: dict[str, str] = {}
    for column in table.columns:
        if column.generated:
            sql, found = _translate_generated(table, column, types, by_name[column.name])
            findings += found
            if sql:
                generated[column.name] = sql
    key_has_null = any(census.column(name).nulls and name != table.rowid_alias for name in table.primary_key)
    plan = TablePlan(
        table=table,
        map=TableMap(
            source=table.name,
            target=target,
            columns=tuple(
                ColumnMap(
                    source=column.name,
                    target=targets[column.name],
                    pg_type=choices[column.name].pg_type,
                    kind=choices[column.name].kind,
                    rule=choices[column.name].rule,
                    declared_type=column.declared_type,
                    generated=column.name in generated,
                )
                for column in table.columns
            ),
            key=() if key_has_null else table.primary_key,
            rows=census.rows,
            size_bytes=census.size_bytes,
        ),
        types=types,
        findings=findings,
    )
    plan.names += [
        NameChange(
            kind="column",
            table=table.name,
            source=column.name,
            target=targets[column.name],
            why="PostgreSQL keeps the name for itself"
            if column.name in SYSTEM_COLUMNS
            else "it has more than 63 bytes, or none",
        )
        for column in table.columns
        if targets[column.name] != column.name
    ]
    _plan_columns(plan, census, staging, relations, generated)
    _plan_keys(plan, census, staging, relations, key_has_null=key_has_null)
    _plan_checks(plan, staging)
    _plan_indexes(plan, staging, relations)
    _plan_sequence(plan, census, staging)
    plan.steps.append(
        Step(
            id=f"post-data/analyze/{target}",
            phase="post-data",
            table=target,
            sql=(analyze_sql(staging, target),),
            group=target,
        )
    )
    if not table.primary_key:
        plan.findings.append(make_finding("rowid-not-kept", f"table {table.name} has no primary key", table=table.name))
    return plan


def _column_type(table: Table, column: Column, census: ColumnCensus, target: str, choice: TypeChoice) -> ColumnType:
    storage: list[StorageClass] = []
    if census.integers:
        storage.append("integer")
    if census.reals:
        storage.append("real")
    if census.texts:
        storage.append("text")
    if census.blobs:
        storage.append("blob")
    return ColumnType(
        source=column.name,
        target=target,
        kind=choice.kind,
        affinity=column.affinity,
        pg_type=choice.pg_type,
        not_null=column.not_null or column.name == table.rowid_alias,
        collation=column.collation,
        whole=bool(census.integers) and not (census.reals or census.texts or census.blobs),
        storage=frozenset(storage),
        forms=_temporal_forms(census) if choice.kind in _TEMPORAL else frozenset(),
        rowid=column.name == table.rowid_alias,
    )


def _temporal_forms(census: ColumnCensus) -> frozenset[str]:
    """What the translator may rely on about the texts' forms: the census's finer forms, gathered."""
    found = {form.name for form in census.forms}
    if len(found) <= 1 or found == {"date", "datetime"}:
        return frozenset(found)
    if all(form == "datetime" or form.startswith("datetime-f") for form in found):
        return frozenset({"datetime-any"})
    return frozenset({"other"})


def _translate_generated(
    table: Table, column: Column, types: Sequence[ColumnType], own: ColumnType
) -> tuple[str, list[Finding]]:
    try:
        return translate_generated(column.generated_sql or "", types, own).sql, []
    except Untranslatable as error:
        message = f"the expression of generated column {column.name} is not carried over: {error.reason}"
        found = make_finding(
            "generated-untranslatable", message, table=table.name, name=column.name, sql=column.generated_sql
        )
        return "", [found]


def _plan_columns(
    plan: TablePlan, census: TableCensus, staging: str, relations: NameSpace, generated: Mapping[str, str]
) -> None:
    """CREATE TABLE and COPY, and the columns as objects."""
    table, target = plan.table, plan.map.target
    types = {column.source: column for column in plan.types}
    clauses = []
    for column, mapped in zip(table.columns, plan.map.columns, strict=True):
        counted = census.column(column.name)
        not_null = column.not_null or column.name == table.rowid_alias or column.name in plan.map.key
        if not_null and counted.nulls and column.not_null and column.name != table.rowid_alias:
            offence = counted.offence("null")
            plan.findings.append(
                make_finding(
                    "null-in-not-null",
                    f"{counted.nulls:,} rows have NULL in {column.name}, which is declared NOT NULL",
                    table=table.name,
                    name=column.name,
                    count=counted.nulls,
                    samples=offence.samples if offence else (),
                )
            )
            not_null = False
        default = _translate_default(plan, column, types[column.name]) if not mapped.generated else ""
        if column.collation != "BINARY":
            plan.findings.append(
                make_finding(
                    "collation-lost",
                    f"column {column.name} compares with {column.collation}, which PostgreSQL does not have",
                    table=table.name,
                    name=column.name,
                    hint="compare lower(column) in the application, or use the citext extension",
                )
            )
        identity = ""
        if column.name == table.rowid_alias:
            identity = plan.sequence = relations.claim(f"{target}_{mapped.target}_seq")
        clauses.append(
            ColumnClause(
                name=mapped.target,
                pg_type=mapped.pg_type,
                not_null=not_null,
                default_sql=default,
                generated_sql=generated.get(column.name, ""),
                identity=identity,
            )
        )
        plan.objects.append(
            PlannedObject(
                kind="column",
                name=mapped.target,
                table=target,
                pg_type=_catalogue_type(mapped.pg_type),
                not_null=not_null,
                has_default=bool(default),
                generated=mapped.generated,
                source_sql=f"{column.name} {column.declared_type}".strip(),
            )
        )
    plan.objects.insert(0, PlannedObject(kind="table", name=target, source_sql=table.sql))
    plan.steps.append(
        Step(
            id=f"pre-data/table/{target}",
            phase="pre-data",
            table=target,
            sql=(create_table_sql(staging, target, clauses),),
            group=target,
        )
    )
    copied = [column.target for column in plan.map.columns if not column.generated]
    plan.steps.append(
        Step(
            id=f"data/table/{target}",
            phase="data",
            table=target,
            copy=table.name,
            sql=(copy_sql(staging, target, copied),),
            group=target,
        )
    )


def _catalogue_type(pg_type: str) -> str:
    """The type's name as format_type() writes it. Source: PostgreSQL docs, "Data Types"."""
    if pg_type.startswith("varchar"):
        return "character varying" + pg_type.removeprefix("varchar")
    return {
        "timestamp": "timestamp without time zone",
        "timestamptz": "timestamp with time zone",
        "time": "time without time zone",
    }.get(pg_type, pg_type)


def _translate_default(plan: TablePlan, column: Column, own: ColumnType) -> str:
    if column.default_sql is None or column.name == plan.table.rowid_alias:
        return ""
    try:
        sql = translate_default(column.default_sql, own).sql
    except Untranslatable as error:
        plan.findings.append(
            make_finding(
                "default-untranslatable",
                f"the default of {column.name} is not carried over: {error.reason}",
                table=plan.table.name,
                name=column.name,
                sql=column.default_sql,
            )
        )
        return ""
    return "" if sql.upper() == "NULL" else sql


def _collations(plan: TablePlan, keys: Iterable[IndexKey]) -> list[str]:
    """The collations among an index's keys that PostgreSQL lacks and that the column does not have itself."""
    declared = {column.name.lower(): column.collation.upper() for column in plan.table.columns}
    return [
        key.collation
        for key in keys
        if key.collation.upper() not in {"BINARY", declared.get((key.column or "").lower(), "BINARY")}
    ]


def _note_conflict(plan: TablePlan, name: str, clause: str | None, sql: str | None = None) -> None:
    if clause is not None:
        plan.findings.append(
            make_finding(
                "conflict-clause",
                f"{name} says ON CONFLICT {clause}; PostgreSQL has no such clause",
                table=plan.table.name,
                name=name,
                sql=sql,
                hint="say INSERT … ON CONFLICT in the application where it relies on this",
            )
        )


def _plan_keys(plan: TablePlan, census: TableCensus, staging: str, relations: NameSpace, *, key_has_null: bool) -> None:
    """The primary key and the UNIQUE constraints."""
    table, target = plan.table, plan.map.target
    for column in table.not_null_on_conflict:
        _note_conflict(plan, f"{column} NOT NULL", "…")
    if table.primary_key:
        _note_conflict(plan, "PRIMARY KEY", table.primary_key_on_conflict)
        if key_has_null:
            nulls = [census.column(name) for name in table.primary_key if census.column(name).nulls]
            offence = nulls[0].offence("null")
            plan.findings.append(
                make_finding(
                    "null-in-key",
                    f"the primary key of {table.name} has NULL in {sum(found.nulls for found in nulls):,} rows",
                    table=table.name,
                    name=", ".join(table.primary_key),
                    count=sum(found.nulls for found in nulls),
                    samples=offence.samples if offence else (),
                )
            )
        name = _claim(plan, relations, "primary_key", table.primary_key_name, f"{target}_pkey")
        _add_key(plan, staging, name, table.primary_key, primary=not key_has_null)
    for index in table.indexes:
        if index.origin != "u":
            continue
        columns = tuple(key.column for key in index.keys if key.column is not None)
        _note_conflict(plan, f"UNIQUE ({', '.join(columns)})", index.on_conflict)
        default = "_".join((target, *(plan.target_of(column) for column in columns), "key"))
        name = _claim(plan, relations, "unique", index.constraint_name, default)
        if lost := _collations(plan, index.keys):
            plan.findings.append(
                make_finding(
                    "index-untranslatable",
                    f"UNIQUE ({', '.join(columns)}) compares with {lost[0]}, which PostgreSQL does not have",
                    table=table.name,
                    name=index.name,
                )
            )
            continue
        _add_key(plan, staging, name, columns, primary=False)


def _claim(plan: TablePlan, relations: NameSpace, kind: ObjectKind, given: str | None, default: str) -> str:
    """Take a name for something backed by an index: unique in the schema, and among the table's constraints."""
    wanted = given or default
    name = relations.claim(wanted, seed=f"{plan.map.target}/{kind}")
    plan.constraint_names.claim(name)
    if given is not None and name != given:
        why = "it has more than 63 bytes" if len(given.encode()) > 63 else "another relation of the schema has it"
        plan.names.append(NameChange(kind=kind, table=plan.table.name, source=given, target=name, why=why))
    return name


def _add_key(plan: TablePlan, staging: str, name: str, columns: Sequence[str], *, primary: bool) -> None:
    target = plan.map.target
    names = tuple(plan.target_of(column) for column in columns)
    kind: ObjectKind = "primary_key" if primary else "unique"
    step_kind = "primary-key" if primary else "unique"
    plan.steps.append(
        Step(
            id=f"post-data/{step_kind}/{name}",
            phase="post-data",
            table=target,
            sql=(add_key_sql(staging, target, name, "PRIMARY KEY" if primary else "UNIQUE", names),),
            group=target,
        )
    )
    plan.objects.append(PlannedObject(kind=kind, name=name, table=target, columns=names, unique=True))
    plan.unique_sets.append(tuple(column.lower() for column in columns))


def _plan_checks(plan: TablePlan, staging: str) -> None:
    table, target = plan.table, plan.map.target
    for position, check in enumerate(table.checks, start=1):
        place = check.name or f"CHECK ({check.sql})"
        try:
            translated = translate_check(check.sql, plan.types)
        except Untranslatable as error:
            plan.findings.append(
                make_finding(
                    "check-untranslatable",
                    f"{place} is not carried over: {error.reason}",
                    table=table.name,
                    name=check.name or f"check {position}",
                    sql=check.sql,
                )
            )
            continue
        if translated.implied_by_type:
            plan.findings.append(
                make_finding(
                    "check-implied",
                    f"{place} is enforced by the column's type",
                    table=table.name,
                    name=check.name or f"check {position}",
                    sql=check.sql,
                )
            )
            continue
        default = f"{target}_{check.column}_check" if check.column else f"{target}_check"
        name = plan.constraint_names.claim(check.name or default)
        plan.steps.append(
            Step(
                id=f"post-data/check/{target}.{name}",
                phase="post-data",
                table=target,
                sql=(add_check_sql(staging, target, name, translated.sql),),
                group=target,
            )
        )
        plan.objects.append(PlannedObject(kind="check", name=name, table=target, source_sql=check.sql))


def _plan_indexes(plan: TablePlan, staging: str, relations: NameSpace) -> None:
    table, target = plan.table, plan.map.target
    for index in table.indexes:
        if index.origin != "c":
            continue
        try:
            keys = [_index_key(plan, key) for key in index.keys]
            where = translate_predicate(index.where_sql, plan.types).sql if index.where_sql else ""
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
        name = _claim(plan, relations, "index", index.name, index.name)
        plan.steps.append(
            Step(
                id=f"post-data/index/{name}",
                phase="post-data",
                table=target,
                sql=(create_index_sql(staging, target, name, keys, unique=index.unique, where_sql=where),),
                group=target,
            )
        )
        plan.objects.append(_index_object(plan, index, name))
        if index.unique and not where and all(key.column is not None for key in index.keys):
            plan.unique_sets.append(tuple((key.column or "").lower() for key in index.keys))


def _index_key(plan: TablePlan, key: IndexKey) -> str:
    if lost := _collations(plan, [key]):
        raise Untranslatable(f"it compares with {lost[0]}, which PostgreSQL does not have")
    if key.column is not None:
        kind = next(column.kind for column in plan.types if column.source.lower() == key.column.lower())
        if kind == "json":
            raise Untranslatable(f"{key.column} is of type json, which PostgreSQL cannot order")
        sql = quote_name(plan.target_of(key.column))
    else:
        sql = f"({translate_index_key(key.expression_sql or '', plan.types).sql})"
    return f"{sql} DESC" if key.descending else sql


def _index_object(plan: TablePlan, index: Index, name: str) -> PlannedObject:
    return PlannedObject(
        kind="index",
        name=name,
        table=plan.map.target,
        columns=tuple(plan.target_of(key.column) if key.column is not None else None for key in index.keys),
        descending=tuple(key.descending for key in index.keys),
        unique=index.unique,
        partial=index.where_sql is not None,
        source_sql=index.sql,
    )


def _plan_sequence(plan: TablePlan, census: TableCensus, staging: str) -> None:
    """The identity's next value: greater than any id that is there, and than any that SQLite ever gave."""
    table, target = plan.table, plan.map.target
    if table.rowid_alias is None:
        return
    highest = max(census.max_rowid or 0, table.sequence_value or 0, 0)
    column, sequence = plan.target_of(table.rowid_alias), plan.sequence
    if highest > 0:
        plan.steps.append(
            Step(
                id=f"post-data/sequence/{sequence}",
                phase="post-data",
                table=target,
                sql=(set_sequence_sql(staging, sequence, highest),),
                group=target,
            )
        )
    plan.objects.append(
        PlannedObject(
            kind="sequence",
            name=sequence,
            table=target,
            columns=(column,),
            at_least=None if highest >= LARGEST_ID else highest + 1,
        )
    )
    if highest >= LARGEST_ID:
        plan.findings.append(
            make_finding(
                "sequence-exhausted",
                f"{table.rowid_alias} has reached {LARGEST_ID}: no greater id can be given",
                table=table.name,
                name=table.rowid_alias,
            )
        )


# ---------------------------------------------------------------------------------------------------------------------
# Foreign keys, which need every table's plan


@dataclass(slots=True, kw_only=True)
class ForeignKeysPlan:
    """The foreign keys of all tables."""

    steps: list[Step] = field(default_factory=list)
    objects: list[PlannedObject] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def plan_foreign_keys(
    catalog: Catalog, census: Census, chosen: Sequence[Table], plans: Mapping[str, TablePlan], staging: str
) -> ForeignKeysPlan:
    """Plan the foreign keys of the chosen tables: all after every table's rows and keys. Pure."""
    result = ForeignKeysPlan()
    by_lower = {name.lower(): plan for name, plan in plans.items()}
    known = {table.name.lower() for table in catalog.tables}
    orphans = {(found.table, found.foreign_key): found for found in census.orphans}
    for table in chosen:
        plan = plans[table.name]
        for position, key in enumerate(table.foreign_keys):
            place = f"{table.name} ({', '.join(key.columns)}) → {key.parent_table} ({', '.join(key.parent_columns)})"
            name = key.name or "_".join((plan.map.target, *map(plan.target_of, key.columns), "fkey"))
            code, reason = _why_not(key, plan, by_lower, known)
            if code:
                message = f"foreign key {place} is not carried over: {reason}"
                result.findings.append(make_finding(code, message, table=table.name, name=", ".join(key.columns)))
                continue
            found = orphans.get((table.name, position))
            if found is not None:
                result.findings.append(
                    make_finding(
                        "orphan-rows",
                        f"{found.count:,} rows of {place} point at nothing",
                        table=table.name,
                        name=", ".join(key.columns),
                        count=found.count,
                        samples=found.samples,
                        hint="delete or repair the rows in the source, or accept",
                    )
                )
            parent = by_lower[key.parent_table.lower()]
            clause = ForeignKeyClause(
                name=plan.constraint_names.claim(name),
                columns=tuple(map(plan.target_of, key.columns)),
                parent_table=parent.map.target,
                parent_columns=tuple(map(parent.target_of, key.parent_columns)),
                on_update=key.on_update,
                on_delete=key.on_delete,
                deferrable=key.deferrable,
                deferred=key.initially_deferred,
                valid=found is None,
            )
            _add_foreign_key(result, plan.map.target, clause, staging)
    return result


def _add_foreign_key(result: ForeignKeysPlan, target: str, clause: ForeignKeyClause, staging: str) -> None:
    result.steps.append(
        Step(
            id=f"post-data/foreign-key/{target}.{clause.name}",
            phase="post-data",
            table=target,
            sql=(add_foreign_key_sql(staging, target, clause),),
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
    key: ForeignKey, plan: TablePlan, by_lower: Mapping[str, TablePlan], known: Iterable[str]
) -> tuple[str, str]:
    """The finding's code and reason when a foreign key cannot be made; ("", "") when it can."""
    parent = by_lower.get(key.parent_table.lower())
    if parent is None:
        if key.parent_table.lower() in known:
            return "left-dangling", f"table {key.parent_table} is left out by --only or --exclude"
        return "foreign-key-no-parent", f"there is no table {key.parent_table}"
    columns = {column.source.lower(): column for column in parent.types}
    missing = [name for name in key.parent_columns if name.lower() not in columns]
    if missing or len(key.parent_columns) != len(key.columns):
        wanted = ", ".join(missing) or "as many columns as it refers to"
        return "foreign-key-no-parent", f"{key.parent_table} does not have {wanted}"
    wanted_set = sorted(name.lower() for name in key.parent_columns)
    if not any(sorted(unique) == wanted_set for unique in parent.unique_sets):
        return "foreign-key-not-unique", f"({', '.join(key.parent_columns)}) is not unique in {key.parent_table}"
    own = {column.source.lower(): column for column in plan.types}
    for child_name, parent_name in zip(key.columns, key.parent_columns, strict=True):
        child, other = own[child_name.lower()], columns[parent_name.lower()]
        if _comparable(child) != _comparable(other):
            reason = f"{child_name} is {child.pg_type}, {key.parent_table}.{parent_name} is {other.pg_type}"
            return "foreign-key-types", reason
    return "", ""


def _comparable(column: ColumnType) -> str:
    """The group of types that PostgreSQL compares with each other in a foreign key."""
    return "number" if column.kind in {"int2", "int4", "int8", "numeric", "float8"} else column.kind
