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
    Column,
    ColumnCensus,
    ColumnMap,
    Finding,
    Index,
    IndexKey,
    Kind,
    NameChange,
    ObjectKind,
    Options,
    PlannedObject,
    Step,
    Table,
    TableCensus,
    TableMap,
)
from liteferry.names import LIMIT_BYTES, NameSpace, NameStyle, fit_name, quote_name, restyle_name
from liteferry.planner.sql import (
    ColumnClause,
    add_check_sql,
    add_key_sql,
    analyze_sql,
    copy_sql,
    create_index_sql,
    create_table_sql,
    set_sequence_sql,
)
from liteferry.sqlite_ddl import fold_case
from liteferry.typemap import TypeChoice, map_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from liteferry.expressions import StorageClass

SYSTEM_COLUMNS: Final = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
"""Names that no column can have. Source: PostgreSQL docs, "System Columns"."""
MOST_COLUMNS: Final = 1600
MOST_KEY_COLUMNS: Final = 32
"""Of a table, and of an index. Source: PostgreSQL docs, "PostgreSQL Limits"."""
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
    style: NameStyle = "preserve"
    sequence: str = ""  # the identity column's sequence

    def target_of(self, column: str) -> str:
        """The target's name of a source column, whatever its case. Raises: KeyError."""
        return self._find(column).target

    def kind_of(self, column: str) -> Kind:
        """The kind of a source column, whatever its case. Raises: KeyError."""
        return self._find(column).kind

    def _find(self, column: str) -> ColumnMap:
        for found in self.map.columns:
            if fold_case(found.source) == fold_case(column):
                return found
        raise KeyError(column)


def plan_table(
    table: Table,
    census: TableCensus,
    target: str,
    staging: str,
    options: Options,
    relations: NameSpace,
    demanded: Mapping[str, str],
) -> TablePlan:
    """Plan one table without its foreign keys. Pure.

    relations: the target schema's relation names; the table's own is taken already. demanded: the types that cast
    rules demand, by column.
    """
    choices = {
        column.name: map_column(table, column, census.column(column.name), options, demanded.get(column.name, ""))
        for column in table.columns
    }
    targets = claim_names([column.name for column in table.columns], NameSpace(), options.names, SYSTEM_COLUMNS)
    types = tuple(
        _column_type(table, column, census.column(column.name), targets[column.name], choices[column.name])
        for column in table.columns
    )
    by_name = {column.source: column for column in types}
    findings: list[Finding] = [found for choice in choices.values() for found in choice.findings]
    generated: dict[str, str] = {}
    for column in table.columns:
        if column.generated:
            sql, found = _translate_generated(table, column, types, by_name[column.name], options)
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
                    conversions=choices[column.name].conversions,
                    converted=choices[column.name].converted,
                )
                for column in table.columns
            ),
            key=() if key_has_null else table.primary_key,
            rows=census.rows,
            size_bytes=census.size_bytes,
        ),
        types=types,
        findings=findings,
        constraint_names=NameSpace(list_given_names(table, options.names)),
        style=options.names,
    )
    for column in table.columns:
        plan.names += note_change("column", table.name, column.name, targets[column.name], options.names)
    if len(table.columns) > MOST_COLUMNS:
        plan.findings.append(
            make_finding(
                "table-too-wide",
                f"table {table.name} has {len(table.columns):,} columns; PostgreSQL allows {MOST_COLUMNS:,}",
                table=table.name,
                count=len(table.columns),
                hint="leave it behind with --exclude, or split it in the source",
            )
        )
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


def list_given_names(table: Table, style: NameStyle) -> Iterator[str]:
    """The names that the source gives to the table's constraints and indexes, in a style. Pure."""
    found = (
        table.primary_key_name,
        *(index.name if index.origin == "c" else index.constraint_name for index in table.indexes),
        *(check.name for check in table.checks),
        *(key.name for key in table.foreign_keys),
    )
    return (_style(name, style) for name in found if name)


def _style(name: str, style: NameStyle) -> str:
    return restyle_name(name, style) or "unnamed"


def claim_names(
    names: Sequence[str], space: NameSpace, style: NameStyle, kept_back: Iterable[str] = ()
) -> dict[str, str]:
    """Take a name in the target for each of the source's: first for those that the style does not change. Pure.

    So user_name keeps its name, and userName evades it, in whatever order they stand. kept_back: names that nothing
    may have.
    """
    for name in kept_back:
        space.claim(name)
    ordered = sorted(names, key=lambda name: _style(name, style) != name)
    claimed = {name: space.claim(_style(name, style), seed=name, given=bool(name)) for name in ordered}
    return {name: claimed[name] for name in names}


def note_change(kind: ObjectKind, table: str | None, source: str, target: str, style: NameStyle) -> list[NameChange]:
    """Note that a name was not kept, and why; nothing where it was. Pure."""
    if source == target:
        return []
    why = say_why(source, target, style)
    if kind == "column" and (styled := _style(source, style)) in SYSTEM_COLUMNS and target != styled:
        why = "PostgreSQL keeps the name for itself"
    return [NameChange(kind=kind, table=table, source=source, target=target, why=why)]


def why_styled(style: NameStyle) -> str:
    """The reason for a change of name that the user asked for. Pure."""
    return f"--names {style}"


def say_why(name: str, target: str, style: NameStyle) -> str:
    """Say why a name that the source gives could not be kept. Pure."""
    styled = restyle_name(name, style)
    if not name:
        return "a name cannot be empty"
    if not styled:
        return f"nothing is left of it with --names {style}"
    if styled == target:
        return why_styled(style)
    if len(styled.encode()) > LIMIT_BYTES:
        return f"it has more than {LIMIT_BYTES} bytes"
    return "another object has it already" if styled == name else f"another object has the name {styled} already"


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
        forms=frozenset(form.name for form in census.forms) if choice.kind in _TEMPORAL else frozenset(),
        rowid=column.name == table.rowid_alias,
        generated=bool(column.generated),
    )


def _translate_generated(
    table: Table, column: Column, types: Sequence[ColumnType], own: ColumnType, options: Options
) -> tuple[str, list[Finding]]:
    reason = ""
    if f"generated-untranslatable:{table.name}.{column.name}" in options.accept:
        reason = "you asked for a plain column"  # the way out where the proof finds that the two engines differ
    else:
        try:
            sql = translate_generated(column.generated_sql or "", types, own).sql
        except Untranslatable as error:
            reason = error.reason
    if reason:
        message = f"the expression of generated column {column.name} is not carried over: {reason}"
        found = make_finding(
            "generated-untranslatable", message, table=table.name, name=column.name, sql=column.generated_sql
        )
        return "", [found]
    if own.kind == "float8" and own.affinity == "REAL":
        # SQLite stores whole numbers in a REAL column as integers, which have no negative zero
        sql = f"({sql}) + 0.0::double precision"
    return sql, []


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
                    hint=_collation_hint(table, column, f"{quote_name(target)} (lower({quote_name(mapped.target)}"),
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
                not_null_name=_evade(plan, f"{target}_{mapped.target}_not_null") if not_null else "",
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


def _collation_hint(table: Table, column: Column, place: str) -> str:
    """What to do about a collation; place: the table and the beginning of an index's key, in SQL."""
    alone = any(index.unique and [key.column for key in index.keys] == [column.name] for index in table.indexes)
    if column.collation != "NOCASE" or not alone:
        return "compare lower(column) in the application, or use the citext extension"
    return (
        "texts that differ by nothing but the case of A to Z will clash no more; to let them, after the migration:"
        f' CREATE UNIQUE INDEX ON {place} COLLATE "C"))'
    )


def _evade(plan: TablePlan, default: str) -> str:
    """A name for NOT NULL, where the one that PostgreSQL 18 would choose is the source's for another constraint."""
    name = plan.constraint_names.claim(default)
    return "" if name == fit_name(default) else name


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
    declared = {fold_case(column.name): column.collation.upper() for column in plan.table.columns}
    return [
        key.collation
        for key in keys
        if key.collation.upper() not in {"BINARY", declared.get(fold_case(key.column or ""), "BINARY")}
    ]


def _why_no_index(plan: TablePlan, keys: Sequence[IndexKey]) -> str:
    """Why PostgreSQL cannot have an index on these keys; "" when it can."""
    if lost := _collations(plan, keys):
        return f"it compares with {lost[0]}, which PostgreSQL does not have"
    if len(keys) > MOST_KEY_COLUMNS:
        return f"it has {len(keys)} columns; PostgreSQL allows {MOST_KEY_COLUMNS}"
    for key in keys:
        if key.column is not None and plan.kind_of(key.column) == "json":
            return f"{key.column} is of type json, which PostgreSQL cannot order"
    return ""


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


def _plan_keys(plan: TablePlan, census: TableCensus, staging: str, relations: NameSpace, *, key_has_null: bool) -> None:
    """The primary key and the UNIQUE constraints."""
    table, target = plan.table, plan.map.target
    for column in table.not_null_on_conflict:
        _note_conflict(plan, f"NOT NULL of {column}", "ON CONFLICT")
    if table.primary_key:
        if table.primary_key_on_conflict is not None:
            _note_conflict(plan, "PRIMARY KEY", f"ON CONFLICT {table.primary_key_on_conflict}")
        if key_has_null:
            nulls = [census.column(name) for name in table.primary_key if census.column(name).nulls]
            offence = nulls[0].offence("null")
            places = ", ".join(f"{found.nulls:,} in {found.name}" for found in nulls)
            plan.findings.append(
                make_finding(
                    "null-in-key",
                    f"PRIMARY KEY ({', '.join(table.primary_key)}) contains NULL: {places}",
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
        if index.on_conflict is not None:
            _note_conflict(plan, f"UNIQUE ({', '.join(columns)})", f"ON CONFLICT {index.on_conflict}")
        default = "_".join((target, *(plan.target_of(column) for column in columns), "key"))
        name = _claim(plan, relations, "unique", index.constraint_name, default)
        if reason := _why_no_index(plan, index.keys):
            plan.findings.append(
                make_finding(
                    "index-untranslatable",
                    f"UNIQUE ({', '.join(columns)}) is not carried over: {reason}",
                    table=table.name,
                    name=index.name,
                )
            )
            continue
        _add_key(plan, staging, name, columns, primary=False)


def _claim(plan: TablePlan, relations: NameSpace, kind: ObjectKind, given: str | None, default: str) -> str:
    """Take a name for something backed by an index: unique in the schema, and among the table's constraints."""
    wanted = _style(given, plan.style) if given else default
    name = relations.claim(wanted, seed=f"{plan.map.target}/{kind}", given=given is not None)
    plan.constraint_names.claim(name, given=True)
    _note_name(plan, kind, given, name)
    return name


def claim_constraint(plan: TablePlan, kind: ObjectKind, given: str | None, default: str) -> str:
    """Take a name for a constraint without an index: unique among the table's constraints."""
    wanted = _style(given, plan.style) if given else default
    name = plan.constraint_names.claim(wanted, seed=given or "", given=given is not None)
    _note_name(plan, kind, given, name)
    return name


def _note_name(plan: TablePlan, kind: ObjectKind, given: str | None, name: str) -> None:
    if given is not None:
        plan.names += note_change(kind, plan.table.name, given, name, plan.style)


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
    plan.unique_sets.append(tuple(map(fold_case, columns)))


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
        name = claim_constraint(plan, "check", check.name, default)
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
            keys = _index_keys(plan, index.keys)
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
            plan.unique_sets.append(tuple(fold_case(key.column or "") for key in index.keys))


def _index_keys(plan: TablePlan, keys: Sequence[IndexKey]) -> list[str]:
    if reason := _why_no_index(plan, keys):
        raise Untranslatable(reason)
    return [_index_key(plan, key) for key in keys]


def _index_key(plan: TablePlan, key: IndexKey) -> str:
    if key.column is not None:
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
