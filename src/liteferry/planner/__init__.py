"""The plan: from what the source declares and stores to the steps that make it in PostgreSQL.

Layer 1, pure: the same catalogues, census and options always give the same plan. Nothing is left out without a
finding; a finding that blocks says what accepting it would do, and the steps are already those that accepting leads
to, so that a plan can be read before it is decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry import __version__
from liteferry.decisions import demand_types, find_way, matches_place
from liteferry.errors import MigrationError
from liteferry.findings import make_finding
from liteferry.model import (
    PLAN_SCHEMA,
    Catalog,
    Census,
    ColumnMap,
    Finding,
    NameChange,
    ObjectTotals,
    Options,
    Plan,
    Step,
    Table,
    TableMap,
    TargetCatalog,
    VirtualTable,
)
from liteferry.names import LIMIT_BYTES, NameSpace, quote_name, quote_qualified
from liteferry.planner.foreign_keys import plan_foreign_keys
from liteferry.planner.sql import create_schema_sql, move_sql
from liteferry.planner.tables import TablePlan, list_given_names, plan_table, say_why
from liteferry.planner.views import plan_views
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STAGING_COMMENT: Final = "liteferry staging"
"""How a staging schema of ours begins its comment; anything else is not ours to drop."""


def plan_migration(
    catalog: Catalog,
    census: Census,
    target: TargetCatalog | None,
    options: Options,
    *,
    source: str,
) -> Plan:
    """Plan the whole migration. Pure.

    target: the target schema as it is; None when there is no server yet. source: the file's name, for the record.

    Raises: MigrationError (usage) when --only or --exclude names no table, or --schema cannot be a schema's name.
    """
    _check_schema_name(options.schema)
    chosen, findings = select_tables(catalog, options)
    relations, names = NameSpace(name for table in chosen for name in list_given_names(table)), list[NameChange]()
    targets: dict[str, str] = {}
    for table in chosen:
        targets[table.name] = relations.claim(table.name or "unnamed", given=bool(table.name))
        if targets[table.name] != table.name:
            names.append(
                NameChange(
                    kind="table", table=None, source=table.name, target=targets[table.name], why=say_why(table.name)
                )
            )
    view_targets = {view.name: relations.claim(view.name or "unnamed", given=bool(view.name)) for view in catalog.views}
    staging = staging_name(options.schema)
    plans: dict[str, TablePlan] = {}
    demanded = demand_types(catalog, options)
    for table in chosen:
        plans[table.name] = plan_table(
            table,
            census.table(table.name),
            targets[table.name],
            staging,
            options,
            relations,
            demanded.get(table.name, {}),
        )
    keys = plan_foreign_keys(catalog, census, chosen, plans, staging)
    views = plan_views(catalog, plans, view_targets, staging)

    findings += [found for plan in plans.values() for found in plan.findings]
    findings += [*keys.findings, *views.findings, *find_left_behind(catalog, chosen, options)]
    names += [change for plan in plans.values() for change in plan.names]
    names += views.names
    findings += [
        make_finding(
            "name-changed",
            f"{change.kind.replace('_', ' ')} {change.source} becomes {change.target}: {change.why}",
            table=change.table,
            name=change.source,
        )
        for change in names
    ]
    creates_schema = target is not None and not target.exists
    if target is not None:
        findings += _find_in_target(target)

    steps = [
        Step(id="pre-data/schema", phase="pre-data", sql=create_schema_sql(staging, STAGING_COMMENT)),
        *(step for plan in plans.values() for step in plan.steps),
        *keys.steps,
        *views.steps,
    ]
    made = [(plans[table.name].map.target, "TABLE") for table in chosen] + [(name, "VIEW") for name in views.made]
    steps.append(_publish_step(made, staging, options.schema, creates_schema=creates_schema))
    return Plan(
        schema=PLAN_SCHEMA,
        liteferry_version=__version__,
        source=source,
        target_schema=options.schema,
        staging_schema=staging,
        creates_schema=creates_schema,
        tables=tuple(plans[table.name].map for table in chosen),
        steps=tuple(steps),
        objects=(*(found for plan in plans.values() for found in plan.objects), *keys.objects, *views.objects),
        findings=accept_findings(findings, options),
        names=tuple(names),
        source_objects=count_objects(catalog, chosen),
    )


def map_target_tables(target: TargetCatalog, options: Options) -> tuple[TableMap, ...]:
    """Map a target's own tables onto themselves, so that one side can be digested alone. Pure.

    Raises: MigrationError (usage) for a column of a type that liteferry never makes.
    """
    from liteferry.typemap import kind_of_type

    def map_column(table: str, name: str, pg_type: str) -> ColumnMap:
        kind = kind_of_type(pg_type)
        if kind is None:
            raise MigrationError(
                f"column {table}.{name} has the type {pg_type}, which liteferry has no digest for",
                code="usage",
                hint="leave the table out with --exclude",
            )
        return ColumnMap(source=name, target=name, pg_type=pg_type, kind=kind, rule="")

    return tuple(
        TableMap(
            source=table.name,
            target=table.name,
            columns=tuple(map_column(table.name, column.name, column.pg_type) for column in table.columns),
        )
        for table in target.tables
        if _is_chosen(table.name, options)
    )


def _is_chosen(name: str, options: Options) -> bool:
    """Whether --only and --exclude choose a table."""
    inside = not options.only or any(matches_place(name, pattern) for pattern in options.only)
    return inside and not any(matches_place(name, pattern) for pattern in options.exclude)


def _check_schema_name(schema: str) -> None:
    """Refuse what the server would refuse at the very end, or cut short. Raises: MigrationError (usage)."""
    if not schema or "\0" in schema:
        reason = "it is empty" if not schema else "it contains NUL"
    elif len(schema.encode()) > LIMIT_BYTES:
        reason = f"it has more than {LIMIT_BYTES} bytes"
    elif schema.startswith("pg_"):
        reason = "PostgreSQL keeps names that begin with pg_ for itself"
    else:
        return
    raise MigrationError(
        f"--schema {schema!r} cannot be the name of a schema: {reason}", code="usage", hint="choose another name"
    )


def staging_name(schema: str) -> str:
    """Name the staging schema for a target schema. Pure."""
    return NameSpace().claim(f"liteferry_staging_{schema}")


def select_tables(catalog: Catalog, options: Options) -> tuple[list[Table], list[Finding]]:
    """Choose the tables by --only and --exclude (shell patterns). Pure.

    Raises: MigrationError (usage) when a pattern matches no table: it is most likely misspelt.
    """
    every = [*(table.name for table in catalog.tables), *(table.name for table in catalog.virtual_tables)]
    for option, patterns in (("--only", options.only), ("--exclude", options.exclude)):
        for pattern in patterns:
            if not any(matches_place(name, pattern) for name in every):
                raise MigrationError(
                    f"{option} {pattern} matches no table of the source",
                    code="usage",
                    hint="`liteferry inspect SOURCE` lists the tables; patterns are those of a shell and mind the case",
                )

    chosen = [table for table in catalog.tables if _is_chosen(table.name, options)]
    left = [table for table in catalog.tables if not _is_chosen(table.name, options)]
    findings = [
        make_finding("left-out-by-choice", f"table {table.name} stays behind", table=table.name) for table in left
    ]
    return chosen, findings


def accept_findings(findings: Iterable[Finding], options: Options) -> tuple[Finding, ...]:
    """Mark the findings that the user decided: accepted by ``CODE`` or ``CODE:PLACE``, or by a way out. Pure.

    Raises: MigrationError (usage) when an accepted code does not exist, or cannot be accepted.
    """
    from dataclasses import replace

    from liteferry.findings import FINDINGS

    wanted = [tuple(item.partition(":")[::2]) for item in options.accept]
    for code, _ in wanted:
        if code != "all" and code not in FINDINGS:
            raise MigrationError(
                f"--accept {code}: there is no such finding",
                code="usage",
                hint="`liteferry check SOURCE` names the codes; the docs list all of them",
            )
        if code != "all" and not FINDINGS[code].if_accepted:
            raise MigrationError(
                f"--accept {code}: this finding cannot be accepted, only repaired",
                code="usage",
                hint=FINDINGS[code].why,
            )

    def is_accepted(finding: Finding) -> bool:
        return bool(finding.if_accepted) and any(
            code in {finding.code, "all"} and (not place or matches_place(finding.place, place))
            for code, place in wanted
        )

    def decide(finding: Finding) -> Finding:
        if finding.severity != "blocker":
            return finding
        if finding.way:  # the planner took another way out than the first
            return replace(finding, accepted=True)
        first = finding.ways[0].name if finding.ways else ""
        if is_accepted(finding) or (first and find_way(finding.code, finding.place, {first}, options)):
            return replace(finding, accepted=True, way=first)
        return finding

    return tuple(map(decide, findings))


def find_left_behind(catalog: Catalog, chosen: Sequence[Table], options: Options) -> list[Finding]:
    """Triggers and virtual tables, which are never carried over; those of tables left by choice go with them. Pure."""
    left = {fold_case(table.name) for table in catalog.tables} - {fold_case(table.name) for table in chosen}
    findings = [
        make_finding(
            "trigger-left-out",
            f"trigger {trigger.name} on {trigger.table} is not carried over",
            table=trigger.table,
            name=trigger.name,
            sql=trigger.sql,
            hint="write it anew as a PostgreSQL trigger function, after the migration",
        )
        for trigger in catalog.triggers
        if fold_case(trigger.table) not in left
    ]
    findings += [
        make_finding(
            "virtual-table-left-out",
            f"virtual table {table.name} ({table.module}) is not carried over"
            + (f", with its shadow tables {', '.join(table.shadow_tables)}" if table.shadow_tables else "")
            + (": what was inserted into it is stored nowhere else" if _holds_its_own(table) else ""),
            name=table.name,
            sql=table.sql,
            hint=_virtual_hint(table.module),
        )
        for table in catalog.virtual_tables
        if _is_chosen(table.name, options)
    ]
    findings += [
        make_finding("left-out-by-choice", f"virtual table {table.name} stays behind", name=table.name, sql=table.sql)
        for table in catalog.virtual_tables
        if not _is_chosen(table.name, options)
    ]
    return findings


def _holds_its_own(table: VirtualTable) -> bool:
    """Whether the shadow tables hold what was inserted, and are no mere index of another table."""
    module = table.module.lower()
    if module.startswith("fts"):
        return any(name.lower().endswith("_content") for name in table.shadow_tables)
    return bool(table.shadow_tables)


def _virtual_hint(module: str) -> str:
    lowered = module.lower()
    if lowered.startswith("fts"):
        return "PostgreSQL's full text search: a generated tsvector column with a GIN index"
    if lowered.startswith("rtree"):
        return "PostgreSQL's range or box types with a GiST index, or PostGIS"
    return "its rows are made by a program that PostgreSQL does not have"


def _find_in_target(target: TargetCatalog) -> list[Finding]:
    if target.is_empty:
        return []
    held = [f"table {table.name}" for table in target.tables]
    held += [f"view {view.name}" for view in target.views]
    held += target.others
    shown = ", ".join(held[:5]) + (f" and {len(held) - 5} more" if len(held) > 5 else "")
    return [
        make_finding(
            "target-not-empty",
            f"schema {target.schema} of the target is not empty: it holds {shown}",
            count=len(held),
            hint="choose another --schema or another database; liteferry replaces nothing",
        )
    ]


def _publish_step(made: Sequence[tuple[str, str]], staging: str, schema: str, *, creates_schema: bool) -> Step:
    sql = [f"CREATE SCHEMA {quote_name(schema)}"] if creates_schema else []
    sql += [move_sql(kind, staging, name, schema) for name, kind in made]
    sql.append(f"DROP SCHEMA {quote_name(staging)} RESTRICT")
    return Step(id="publish", phase="publish", sql=tuple(sql), undo_sql=_undo_sql(made, schema, creates_schema))


def _undo_sql(made: Sequence[tuple[str, str]], schema: str, creates_schema: bool) -> tuple[str, ...]:  # noqa: FBT001 - private, named at its one call
    """What takes the published objects away: views first, the last made first; then all tables at once.

    One DROP for all tables, without CASCADE: foreign keys among them do not hinder it, those of strangers do.
    """
    undo = [f"DROP VIEW {quote_qualified(schema, name)}" for name, kind in reversed(made) if kind == "VIEW"]
    tables = ", ".join(quote_qualified(schema, name) for name, kind in made if kind == "TABLE")
    if tables:
        undo.append(f"DROP TABLE {tables}")
    if creates_schema:
        undo.append(f"DROP SCHEMA {quote_name(schema)} RESTRICT")
    return tuple(undo)


def count_objects(catalog: Catalog, chosen: Sequence[Table]) -> ObjectTotals:
    """Count what the source declares in the chosen tables. Pure."""
    return ObjectTotals(
        tables=len(chosen),
        columns=sum(len(table.columns) for table in chosen),
        indexes=sum(index.origin == "c" for table in chosen for index in table.indexes),
        unique=sum(index.origin == "u" for table in chosen for index in table.indexes),
        checks=sum(len(table.checks) for table in chosen),
        foreign_keys=sum(len(table.foreign_keys) for table in chosen),
        sequences=sum(table.rowid_alias is not None for table in chosen),
        views=len(catalog.views),
    )
