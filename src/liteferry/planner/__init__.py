"""The plan: from what the source declares and stores to the steps that make it in PostgreSQL.

Layer 1, pure: the same catalogues, census and options always give the same plan. Nothing is left out without a
finding; a finding that blocks says what accepting it would do, and the steps are already those that accepting leads
to, so that a plan can be read before it is decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liteferry import __version__
from liteferry.choosing import map_column
from liteferry.decisions import demand_types, find_way, matches_place, name_origin
from liteferry.errors import MigrationError
from liteferry.findings import make_finding
from liteferry.model import (
    PLAN_SCHEMA,
    Catalog,
    Census,
    Column,
    ColumnMap,
    Decided,
    Finding,
    Kind,
    NameChange,
    ObjectTotals,
    Options,
    Plan,
    ServerInfo,
    Step,
    Table,
    TableMap,
    TargetCatalog,
    VirtualTable,
)
from liteferry.names import LIMIT_BYTES, STAGING_COMMENT, NameSpace, quote_name, quote_qualified, staging_name
from liteferry.planner.collations import Collations, plan_collations
from liteferry.planner.foreign_keys import plan_foreign_keys
from liteferry.planner.hooks import find_without_undo, place_hooks
from liteferry.planner.naming import SYSTEM_COLUMNS, claim_names, list_given_names, note_change, why_styled
from liteferry.planner.quarantine import plan_quarantine
from liteferry.planner.refusals import NOTHING_REFUSED, Refusals
from liteferry.planner.sql import create_schema_sql, let_vacuum_sql, move_sql
from liteferry.planner.tables import plan_table
from liteferry.planner.unused import find_unused
from liteferry.planner.views import plan_views
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from liteferry.names import NameStyle
    from liteferry.planner.table_plan import TablePlan


def plan_migration(
    catalog: Catalog,
    census: Census,
    target: TargetCatalog | None,
    options: Options,
    *,
    source: str,
    server: ServerInfo | None = None,
    refused: Mapping[str, str] = NOTHING_REFUSED,
) -> Plan:
    """Plan the whole migration. Pure.

    target: the target schema as it is; None when there is no server yet. source: the file's name, for the record.
    server: what it will run on; None for the embedded one.
    refused: translations that must not be used (`liteferry.proof.probe_translations`), as ``CODE:PLACE``, with why.

    Raises: MigrationError (usage) when --only or --exclude names no table, --schema cannot be a schema's name, or the
    server does not have what --nocase wants.
    """
    _check_schema_name(options.schema)
    chosen, findings = select_tables(catalog, options)
    style = options.names
    given = (name for table in chosen for name in list_given_names(table, style))
    relations, names = NameSpace(given), list[NameChange]()
    targets = claim_names([table.name for table in chosen], relations, style)
    for table in chosen:
        names += note_change("table", None, table.name, targets[table.name], style)
    view_targets = claim_names([view.name for view in catalog.views], relations, style)
    staging = staging_name(options.schema)
    demanded = demand_types(catalog, options)

    def kind_of(table: Table, column: Column) -> Kind:
        pg_type = demanded.get(table.name, {}).get(column.name, "")
        return map_column(table, column, census.table(table.name).column(column.name), options, pg_type).kind

    collations = plan_collations(chosen, census, options, server, staging, kind_of)
    plans: dict[str, TablePlan] = {}
    refusals = Refusals(options=options, refused=refused)
    for table in chosen:
        plans[table.name] = plan_table(
            table,
            census.table(table.name),
            targets[table.name],
            options,
            relations,
            demanded.get(table.name, {}),
            refusals,
            collations,
            census,
        )
    aside = {
        table.name: plan_quarantine(
            table, plans[table.name].map, census.set_apart(table.name), staging, relations, SYSTEM_COLUMNS
        )
        for table in chosen
        if census.set_apart(table.name).rows
    }
    keys = plan_foreign_keys(catalog, census, chosen, plans, staging, options)
    views = plan_views(catalog, plans, view_targets, staging, refusals)

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
        if change.why != why_styled(style)
    ]
    findings += _count_styled(names, style)
    creates_schema = target is not None and not target.exists
    if target is not None:
        findings += _find_in_target(target)

    findings += find_without_undo(options.hooks)
    opening = Step(id="pre-data/schema", phase="pre-data", sql=create_schema_sql(staging, STAGING_COMMENT))
    steps = place_hooks(
        [opening, *collations.steps()],
        [
            *(step for plan in plans.values() for step in plan.steps),
            *(s for plan in aside.values() for s in plan.steps),
        ],
        [*keys.steps, *views.steps],
        options.hooks,
    )
    maps = [*(plans[table.name].map for table in chosen), *(plan.map for plan in aside.values())]
    made = [(table.target, "TABLE") for table in maps] + [(name, "VIEW") for name in views.made]
    steps.append(_publish_step(made, let_vacuum_sql(staging, steps), collations, creates_schema=creates_schema))
    return Plan(
        schema=PLAN_SCHEMA,
        liteferry_version=__version__,
        source=source,
        target_schema=options.schema,
        staging_schema=staging,
        creates_schema=creates_schema,
        tables=tuple(maps),
        steps=tuple(steps),
        objects=(
            *(found for plan in plans.values() for found in plan.objects),
            *(found for plan in aside.values() for found in plan.objects),
            *keys.objects,
            *views.objects,
            *collations.objects(),
        ),
        findings=accept_findings([*findings, *find_unused(catalog, findings, maps, options)], options),
        names=tuple(names),
        source_objects=count_objects(catalog, chosen),
        apart=tuple(found for found in census.apart if found.table in aside),
        decided=note_decisions(options) if aside or options.prune else None,
        translations=(*(made for plan in plans.values() for made in plan.translations), *views.translations),
        config=options.config,
    )


def note_decisions(options: Options) -> Decided:
    """What the options say of values, and of rows that do not travel. Pure."""
    return Decided(
        accept=options.accept,
        decisions=options.decisions,
        casts=options.casts,
        timestamps=options.timestamps,
        prune=options.prune,
    )


def _count_styled(names: Sequence[NameChange], style: NameStyle) -> list[Finding]:
    """One finding for all names that the user asked to have changed; the plan and the report list them."""
    count = sum(change.why == why_styled(style) for change in names)
    if not count:
        return []
    message = f"{count:,} {'name is' if count == 1 else 'names are'} written otherwise, as --names {style} asks"
    return [make_finding("names-styled", message, count=count)]


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


def select_tables(catalog: Catalog, options: Options) -> tuple[list[Table], list[Finding]]:
    """Choose the tables by --only and --exclude (shell patterns). Pure.

    Raises: MigrationError (usage) when a pattern matches no table: it is most likely misspelt.
    """
    tables = [*(table.name for table in catalog.tables), *(table.name for table in catalog.virtual_tables)]
    views = [view.name for view in catalog.views]
    for option, patterns, names in (("--only", options.only, tables), ("--exclude", options.exclude, tables + views)):
        for pattern in patterns:
            if not any(matches_place(name, pattern) for name in names):
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

    decided = map(decide, findings)
    return tuple(
        replace(finding, decided_by=name_origin(finding, options)) if finding.accepted or finding.way else finding
        for finding in decided
    )


def find_left_behind(catalog: Catalog, chosen: Sequence[Table], options: Options) -> list[Finding]:
    """What stays behind. Pure.

    Pages of a WAL that SQLite does not read; triggers and virtual tables, which are never carried over; those of tables
    left by choice go with them.
    """
    pages = catalog.wal_pages_unread
    unread = [
        make_finding(
            "wal-unread",
            f"the source's -wal file ends in {pages:,} page{'s' * (pages != 1)} that SQLite does not read: what was"
            " written there last is not moved",
            count=pages,
        )
    ]
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
    return [*(unread if pages else ()), *findings]


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


def _publish_step(
    made: Sequence[tuple[str, str]], before: Sequence[str], collations: Collations, *, creates_schema: bool
) -> Step:
    staging, schema = collations.staging, collations.schema
    sql = [f"CREATE SCHEMA {quote_name(schema)}"] if creates_schema else []
    sql += before
    sql += [move_sql(kind, staging, name, schema) for name, kind in made]
    sql += collations.publish_sql()
    sql.append(f"DROP SCHEMA {quote_name(staging)} RESTRICT")
    undo = [*_undo_sql(made, schema), *collations.undo_sql()]
    undo += [f"DROP SCHEMA {quote_name(schema)} RESTRICT"] * creates_schema
    return Step(id="publish", phase="publish", sql=tuple(sql), undo_sql=tuple(undo))


def _undo_sql(made: Sequence[tuple[str, str]], schema: str) -> list[str]:
    """What takes the published relations away: views first, the last made first; then all tables at once.

    One DROP for all tables, without CASCADE: foreign keys among them do not hinder it, those of strangers do.
    """
    undo = [f"DROP VIEW {quote_qualified(schema, name)}" for name, kind in reversed(made) if kind == "VIEW"]
    tables = ", ".join(quote_qualified(schema, name) for name, kind in made if kind == "TABLE")
    if tables:
        undo.append(f"DROP TABLE {tables}")
    return undo


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
