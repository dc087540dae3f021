"""The plan of one table: its columns and its sequence; keys, checks and indexes by the parts beside this one.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from liteferry.choosing import count_converted, map_column
from liteferry.decisions import find_way
from liteferry.errors import Untranslatable
from liteferry.expressions import (
    ColumnType,
    Translation,
    translate_default,
    translate_generated,
)
from liteferry.findings import make_finding
from liteferry.model import (
    Census,
    Column,
    ColumnCensus,
    ColumnMap,
    Finding,
    Options,
    PlannedObject,
    Step,
    Table,
    TableCensus,
    TableMap,
)
from liteferry.names import NameSpace, fit_name
from liteferry.planner.checks import plan_checks
from liteferry.planner.faults import find_fault, offer_quarantine
from liteferry.planner.indexes import plan_indexes
from liteferry.planner.keys import plan_keys
from liteferry.planner.naming import SYSTEM_COLUMNS, claim_names, list_given_names, note_change
from liteferry.planner.sql import (
    ColumnClause,
    analyze_sql,
    copy_sql,
    create_table_sql,
    is_left_alone,
    set_sequence_sql,
)
from liteferry.planner.table_plan import TablePlan, note_translation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from liteferry.expressions import StorageClass
    from liteferry.planner.collations import Collations
    from liteferry.planner.refusals import Refusals
    from liteferry.typemap import TypeChoice

MOST_COLUMNS: Final = 1600
"""Of a table. Source: PostgreSQL docs, "PostgreSQL Limits"."""
MOST_TEXT_BYTES: Final = (1 << 30) - 1024
MOST_BYTEA_BYTES: Final = MOST_TEXT_BYTES // 2
"""Of a value that the server can still write out: in a buffer of less than 1 GiB, some of it for what goes around.
Source: PostgreSQL docs, "PostgreSQL Limits", and "Binary Data Types": bytea's hex format."""
LARGEST_ID: Final = 2**63 - 1
_TEMPORAL: Final = frozenset({"timestamp", "timestamptz", "date", "time"})


def plan_table(
    table: Table,
    census: TableCensus,
    target: str,
    options: Options,
    relations: NameSpace,
    demanded: Mapping[str, str],
    refusals: Refusals,
    collations: Collations,
    whole: Census | None = None,
) -> TablePlan:
    """Plan one table without its foreign keys. Pure.

    relations: the target schema's relation names; the table's own is taken already. demanded: the types that cast
    rules demand, by column. refusals: the translations that are not to be used. whole: the census of everything, which
    knows what was found about rows, and which of them are set apart.
    """
    staging = collations.staging
    whole = whole or Census(tables=(census,))
    kept, apart = whole.kept(table.name), whole.set_apart(table.name).rows
    choices = {
        column.name: map_column(table, column, census.column(column.name), options, demanded.get(column.name, ""))
        for column in table.columns
    }
    targets = claim_names([column.name for column in table.columns], NameSpace(), options.names, SYSTEM_COLUMNS)
    types = tuple(
        _column_type(table, column, kept.column(column.name), targets[column.name], choices[column.name], collations)
        for column in table.columns
    )
    by_name = {column.source: column for column in types}
    findings: list[Finding] = [found for choice in choices.values() for found in choice.findings]
    generated: dict[str, str] = {}
    for column in table.columns:
        if column.generated:
            sql, found = _translate_generated(table, column, types, by_name[column.name], refusals)
            findings += found
            if sql:
                generated[column.name] = sql
    key_has_null = any(kept.column(name).nulls and name != table.rowid_alias for name in table.primary_key)
    columns = tuple(
        ColumnMap(
            source=column.name,
            target=targets[column.name],
            pg_type=collations.type_name(table.name, column.name, choices[column.name].pg_type),
            kind=choices[column.name].kind,
            rule=choices[column.name].rule,
            declared_type=column.declared_type,
            generated=column.name in generated,
            conversions=choices[column.name].conversions,
            converted=count_converted(choices[column.name], kept.column(column.name)),
        )
        for column in table.columns
    )
    plan = TablePlan(
        table=table,
        map=TableMap(
            source=table.name,
            target=target,
            columns=columns,
            key=() if key_has_null else table.primary_key,
            rows=kept.rows,
            size_bytes=kept.size_bytes,
            document_bytes=kept.count_documents(columns),
            part="fitting" if apart else "",
        ),
        types=types,
        findings=findings,
        collations=collations,
        rows=census.rows,
        refusals=refusals,
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
    judge = partial(find_fault, table, whole, options)
    _plan_columns(plan, census, kept, staging, relations, generated, options)
    plan_keys(plan, census, relations, options, judge, key_has_null=key_has_null)
    plan_checks(plan, staging, judge)
    plan_indexes(plan, relations, judge)
    plan.findings += _find_too_large(plan, kept)
    width, _ = judge("row-too-wide", "")
    plan.findings += [width] if width else []
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


def _find_too_large(plan: TablePlan, census: TableCensus) -> Iterator[Finding]:
    """Find the columns with a value that PostgreSQL could not write out as a text. Pure."""
    for column in plan.map.columns:
        longest = census.column(column.source).longest_value_bytes
        limit = MOST_BYTEA_BYTES if column.kind == "bytea" else MOST_TEXT_BYTES
        if longest > limit:
            yield make_finding(
                "value-too-large",
                f"a value of column {column.source} has {longest:,} bytes; of {column.pg_type}, PostgreSQL can read out"
                f" at most {limit:,}",
                table=plan.table.name,
                name=column.source,
                hint="split the value on a copy of the source, or put it into a file and keep the file's name",
            )


def _column_type(
    table: Table, column: Column, census: ColumnCensus, target: str, choice: TypeChoice, collations: Collations
) -> ColumnType:
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
        plain_suffix=collations.plain_suffix(table.name, column.name),
    )


def _translate_generated(
    table: Table, column: Column, types: Sequence[ColumnType], own: ColumnType, refusals: Refusals
) -> tuple[str, list[Finding]]:
    try:
        sql = translate_generated(column.generated_sql or "", types, own).sql
        refusals.check("generated-untranslatable", table.name, column.name)
    except Untranslatable as error:
        message = f"the expression of generated column {column.name} is not carried over: {error.reason}"
        found = make_finding(
            "generated-untranslatable", message, table=table.name, name=column.name, sql=column.generated_sql
        )
        return "", [found]
    if own.kind == "float8" and own.affinity == "REAL":
        # SQLite stores whole numbers in a REAL column as integers, which have no negative zero
        sql = f"({sql}) + 0.0::double precision"
    return sql, []


def _plan_columns(
    plan: TablePlan,
    census: TableCensus,
    kept: TableCensus,
    staging: str,
    relations: NameSpace,
    generated: Mapping[str, str],
    options: Options,
) -> None:
    """CREATE TABLE and COPY, and the columns as objects."""
    table, target = plan.table, plan.map.target
    types = {column.source: column for column in plan.types}
    clauses = []
    for column, mapped in zip(table.columns, plan.map.columns, strict=True):
        counted = census.column(column.name)
        not_null = column.not_null or column.name == table.rowid_alias or column.name in plan.map.key
        left = kept.column(column.name).nulls
        if not_null and counted.nulls and column.not_null and column.name != table.rowid_alias:
            offence = counted.offence("null")
            found = make_finding(
                "null-in-not-null",
                f"{counted.nulls:,} rows have NULL in {column.name}, which is declared NOT NULL",
                table=table.name,
                name=column.name,
                count=counted.nulls,
                samples=offence.samples if offence else (),
                more_ways=(offer_quarantine(counted.nulls),),
            )
            if find_way(found.code, found.place, {"quarantine"}, options):
                plan.findings.append(replace(found, way="quarantine"))
            elif left:
                plan.findings.append(found)
            not_null = not left
        default = _translate_default(plan, column, types[column.name]) if not mapped.generated else ""
        plan.findings += plan.collations.explain(table, column)
        identity = ""
        if column.name == table.rowid_alias:
            identity = plan.sequence = relations.claim(f"{target}_{mapped.target}_seq")
        clauses.append(
            ColumnClause(
                name=mapped.target,
                pg_type=plan.collations.type_sql(table.name, column.name, types[column.name].pg_type),
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
                collation=plan.collations.collation_name(table.name, column.name),
            )
        )
        if column.name in generated:
            note_translation(
                plan,
                "generated",
                (column.name, mapped.target),
                column.generated_sql or "",
                Translation(sql=generated[column.name], kind=mapped.kind),
                mapped.pg_type,
            )
    plan.objects.insert(0, PlannedObject(kind="table", name=target, source_sql=table.sql))
    left_alone = is_left_alone(plan.map) and not options.hooks  # a hook may want it off for good
    plan.steps.append(
        Step(
            id=f"pre-data/table/{target}",
            phase="pre-data",
            table=target,
            sql=(create_table_sql(staging, target, clauses, left_alone=left_alone),),
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
        translated = translate_default(column.default_sql, own)
        plan.refusals.check("default-untranslatable", plan.table.name, column.name)
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
    if translated.sql.upper() == "NULL":
        return ""
    note_translation(plan, "default", (column.name, own.target), column.default_sql, translated, own.pg_type)
    return translated.sql


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
