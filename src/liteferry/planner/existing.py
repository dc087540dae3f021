"""The plan of bringing rows into a schema that an application made.

Layer 1, pure. Types, nullability and constraints are the target's; nothing is created. All steps run in one transaction
on one connection: the foreign keys that point at tables which get rows are dropped and made again in the server's own
words, triggers are disabled and set back to the state that each had, and so are the indexes of large tables. What a
step changes for a while, a later one puts back; that nothing is forgotten is proven by the catalogue before and after.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry import __version__
from liteferry.choosing import count_converted, map_column
from liteferry.conversions import find_zone
from liteferry.decisions import matches_place
from liteferry.errors import MigrationError
from liteferry.findings import make_finding
from liteferry.model import PLAN_SCHEMA, ColumnMap, Plan, TableMap
from liteferry.names import NameSpace, quote_qualified
from liteferry.planner import accept_findings, count_objects, find_left_behind, note_decisions
from liteferry.planner.faults import find_fault, offer_quarantine
from liteferry.planner.filling import MappedTable, copy_into_sql, plan_steps
from liteferry.planner.matching import Matching, sample_keys
from liteferry.planner.missing import find_missing_objects
from liteferry.planner.naming import SYSTEM_COLUMNS
from liteferry.planner.quarantine import QuarantinePlan, plan_quarantine
from liteferry.planner.questions import quarantines
from liteferry.planner.unused import find_unused
from liteferry.typemap import classify_pg_type, kind_of_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from liteferry.holding import Holding
    from liteferry.model import (
        Catalog,
        Census,
        ColumnCensus,
        Finding,
        Kind,
        Options,
        RowFault,
        Step,
        Table,
        TableCensus,
        TargetCatalog,
    )
    from liteferry.planner.matching import ColumnMatch, TableMatch
    from liteferry.typemap import TypeChoice

_LABELS_SHOWN: Final = 8
_CHANGING: Final = frozenset({"widen", "text", "json", "bytes"})
"""Ways out that give a column another type: not here, where the type is the target's."""


def map_tables(matching: Matching, census: Census, options: Options) -> tuple[MappedTable, ...]:
    """Map every pair's columns by the target's types. Pure."""
    return tuple(_map_table(match, census, options) for match in matching.tables)


def plan_existing(
    mapped: Sequence[MappedTable],
    matching: Matching,
    catalog: Catalog,
    census: Census,
    target: TargetCatalog,
    holding: Holding,
    options: Options,
    *,
    equal: Collection[str],
    source: str,
    made_before: bool = False,
) -> Plan:
    """Plan the whole of it. Pure.

    equal: the target's tables that hold the source's rows already, value by value. source: the file's name.
    made_before: it is planned for a proof only; tables of quarantined rows may be there, by the names that they get.

    Raises: MigrationError: usage when --replace-rows names no table of the target, or a decision nothing of the
    source; no-create-right where rows in quarantine need a table.
    """
    _check_replace_rows(
        [*(table.name for table in target.tables), *(table.map.source for table in mapped)], target, options
    )
    findings = [*matching.findings, *_find_left_tables(matching, census)]
    findings += [found for table in mapped for found in table.findings]
    findings += _find_orphans(matching, census, options)
    findings += _find_faults(matching, census, options)
    chosen: list[MappedTable] = []
    for table in mapped:
        if not table.map.columns:
            continue
        about, replaced = _judge_rows(table, equal, options)
        findings += about
        chosen.append(replace(table, map=replace(table.map, replaced=table.match.held.rows if replaced else 0)))
    loaded = [
        table for table in chosen if table.match.target.name not in equal and (table.map.rows or table.map.replaced)
    ]
    steps, objects, about = plan_steps(chosen, loaded, census, holding)
    findings += about
    aside = _plan_aside(chosen, census, holding, made_before=made_before)
    findings += find_left_behind(replace(catalog, triggers=()), [match.table for match in matching.tables], options)
    findings += find_missing_objects(matching, catalog, target, holding)
    findings += list(find_unused(catalog, findings, [table.map for table in chosen], options))
    return Plan(
        schema=PLAN_SCHEMA,
        liteferry_version=__version__,
        source=source,
        target_schema=options.schema,
        staging_schema="",
        creates_schema=False,
        tables=(*(table.map for table in chosen), *(plan.map for plan in aside)),
        steps=tuple(_place_aside(steps, aside, holding.schema)),
        objects=(*objects, *(found for plan in aside for found in plan.objects)),
        findings=accept_findings(findings, options),
        names=matching.names,
        source_objects=count_objects(catalog, [catalog.table(match.table.name) for match in matching.tables]),
        apart=tuple(found for found in census.apart if found.table in {plan.map.source for plan in aside}),
        decided=replace(note_decisions(options), casts=()) if aside or options.prune else None,
        into="existing",
    )


def _plan_aside(
    chosen: Sequence[MappedTable], census: Census, holding: Holding, *, made_before: bool
) -> list[QuarantinePlan]:
    """The tables of quarantined rows: beside the application's, and all that is created. Raises: MigrationError."""
    divided = [table for table in chosen if table.map.part]
    if divided and not (holding.may_create or made_before):
        raise MigrationError(
            f"the rows in quarantine need a table in schema {holding.schema}, and your role may create none there",
            code="no-create-right",
            hint=f"GRANT CREATE ON SCHEMA {holding.schema} TO your role, or decide otherwise than by quarantine",
            table=divided[0].map.source,
        )
    relations = NameSpace()
    for name in () if made_before else holding.names:
        relations.claim(name)
    plans = []
    for table in divided:
        known = {column.source for column in table.map.columns}
        left = [
            ColumnMap(source=column.name, target=column.name, pg_type="text", kind="text", rule="target")
            for column in table.match.table.columns
            if column.name not in known
        ]
        whole = replace(table.map, columns=(*table.map.columns, *left))  # also of what the target does not take
        apart = census.set_apart(table.map.source)
        plans.append(plan_quarantine(table.match.table, whole, apart, holding.schema, relations, SYSTEM_COLUMNS))
    return plans


def _place_aside(steps: Sequence[Step], aside: Sequence[QuarantinePlan], schema: str) -> list[Step]:
    """Put the steps of the quarantined rows' tables among the others: made behind the locks, all in one transaction."""
    more = []
    for plan in aside:
        for step in plan.steps:
            sql = (copy_into_sql(schema, plan.map),) if step.copy is not None else step.sql
            undo = (f"DROP TABLE {quote_qualified(schema, plan.map.target)}",) if step.phase == "pre-data" else ()
            more.append(replace(step, group="", sql=sql, undo_sql=undo))
    order = {"pre-data": 0, "data": 1, "post-data": 2, "publish": 3}
    locked = sum(step.id == "pre-data/lock" for step in steps)
    return [*steps[:locked], *sorted([*more, *steps[locked:]], key=lambda step: order[step.phase])]


# ---------------------------------------------------------------------------------------------------------------------
# Columns


def _map_table(match: TableMatch, whole: Census, options: Options) -> MappedTable:
    census, kept = whole.table(match.table.name), whole.kept(match.table.name)
    findings: list[Finding] = []
    columns: list[ColumnMap] = []
    naive: list[tuple[ColumnMatch, int]] = []
    for column in match.columns:
        choice = map_column(match.table, column.column, census.column(column.column.name), options, column.demand)
        kind = _kind_of(column)
        findings += _hold_to_type(choice, match.table, column, kind)
        columns.append(
            ColumnMap(
                source=column.column.name,
                target=column.target.name,
                pg_type=column.held.base if column.held.sort == "base" else column.held.name,
                kind=kind,
                rule="target",
                declared_type=column.column.declared_type,
                generated=bool(column.target.generated),
                conversions=choice.conversions,
                converted=count_converted(choice, kept.column(column.column.name)),
            )
        )
        is_given = any(found.code == "time-zone-given" for found in choice.findings)
        if choice.kind == "timestamptz" and not find_zone(choice.conversions) and not is_given:
            naive.append((column, _count_naive(kept.column(column.column.name))))
    findings += _note_time_zones(match.table, [(column, count) for column, count in naive if count])
    findings += _find_nulls(match, census, options)
    findings += _find_left_columns(match, census)
    names = {column.source for column in columns}
    key = match.table.primary_key
    usable = set(key) <= names and not any(kept.column(name).nulls for name in key)
    if not key:
        found = make_finding("rowid-not-kept", f"table {match.table.name} has no primary key", table=match.table.name)
        findings.append(found)
    mapped = TableMap(
        source=match.table.name,
        target=match.target.name,
        columns=tuple(columns),
        key=key if usable else (),
        rows=kept.rows,
        size_bytes=kept.size_bytes,
        document_bytes=kept.count_documents(columns),
        part="fitting" if whole.set_apart(match.table.name).rows else "",
    )
    return MappedTable(match=match, map=mapped, findings=tuple(findings))


def _kind_of(column: ColumnMatch) -> Kind:
    return "text" if column.held.labels else kind_of_type(column.held.base) or "text"


def _hold_to_type(choice: TypeChoice, table: Table, column: ColumnMatch, kind: Kind) -> Iterator[Finding]:
    """The findings about a column, where its type is the target's and cannot become another."""
    wanted = classify_pg_type(column.demand)
    fits = choice.kind == kind and (
        choice.rule != "widened" or (wanted is not None and choice.pg_type == wanted.pg_type)
    )
    if fits:
        for found in choice.findings:
            yield replace(found, ways=tuple(way for way in found.ways if way.name not in _CHANGING))
        return
    said = False
    for found in choice.findings:
        if found.way and found.way.partition(":")[0] not in _CHANGING:
            yield found  # decided otherwise
            said = True
            continue
        ways = tuple(way for way in found.ways if way.name not in _CHANGING)
        what = found.message.partition("; ")[0]  # behind it stands what the column would have become
        message = f"{what}; the target's column is {column.held.name}{_say_limits(column)}"
        said = True
        yield replace(found, severity="blocker", message=message, ways=ways, if_accepted="", way="")
    if not said:
        yield make_finding(
            "target-type-differs",
            f"the values would make a column of type {choice.pg_type}, and the target's is {column.held.name}",
            table=table.name,
            name=column.column.name,
        )


def _say_limits(column: ColumnMatch) -> str:
    """What a type refuses that its name does not say."""
    held = column.held
    if held.labels:
        shown = ", ".join(held.labels[:_LABELS_SHOWN]) + (" …" if len(held.labels) > _LABELS_SHOWN else "")
        return f" ({shown})"
    if held.base.startswith("character("):
        return ", which does not keep blanks at a text's end"
    return ", which holds numbers of single precision" if held.base == "real" else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _count_naive(census: ColumnCensus) -> int:
    """How many of a column's times have no offset."""
    zoned = census.offence("zone")
    return max(0, census.texts - (zoned.count if zoned else 0))


def _note_time_zones(table: Table, columns: Sequence[tuple[ColumnMatch, int]]) -> Iterator[Finding]:
    """One finding for all columns of a table."""
    if not columns:
        return
    count = sum(found for _, found in columns)
    have = "time has" if count == 1 else "times have"
    listed = ", ".join(f"{column.column.name} ({found:,})" for column, found in columns)
    yield make_finding(
        "target-time-zone",
        f"{count:,} {have} no offset, and the target has timestamptz there: taken for UTC in {listed}",
        table=table.name,
        count=count,
        hint=f"--on-misfit {table.name}.{columns[0][0].column.name}=timezone:ZONE takes them for local times of a zone",
    )


def _find_nulls(match: TableMatch, census: TableCensus, options: Options) -> Iterator[Finding]:
    """NULLs that the target's NOT NULL refuses: the census was told to look for them."""
    for column in match.columns:
        found = census.column(column.column.name).offence("null")
        if found is not None and column.column.not_null and not column.target.generated:
            made = make_finding(
                "target-null-forbidden",
                f"{found.count:,} of {census.rows:,} values are NULL, and the target's column is NOT NULL",
                table=match.table.name,
                name=column.column.name,
                count=found.count,
                samples=found.samples,
                more_ways=(offer_quarantine(found.count),),
            )
            yield _note_quarantine(made, options)


def _find_left_columns(match: TableMatch, census: TableCensus) -> Iterator[Finding]:
    for column in match.left:
        held = census.column(column.name)
        values = held.rows - held.nulls
        found = make_finding(
            "target-column-missing",
            f"the target's table {match.target.name} has no column {column.name}, which holds {_count(values, 'value')}"
            + (" that SQLite computes" if column.generated else ""),
            table=match.table.name,
            name=column.name,
            count=values,
            sql=f"{column.name} {column.declared_type}".strip(),
        )
        yield found if values and not column.generated else _lower(found)


def _find_left_tables(matching: Matching, census: Census) -> Iterator[Finding]:
    for table in matching.left:
        rows = census.table(table.name).rows
        found = make_finding(
            "target-table-missing",
            f"the target has no table {table.name}, which holds {_count(rows, 'row')}",
            table=table.name,
            count=rows,
            hint="make it with the application's own migrations, or leave it behind with --exclude",
        )
        yield found if rows else _lower(found)


def _lower(finding: Finding) -> Finding:
    """The same finding where nothing is lost by it."""
    return replace(finding, severity="info", if_accepted="", ways=())


# ---------------------------------------------------------------------------------------------------------------------
# Rows


def _check_replace_rows(names: Collection[str], target: TargetCatalog, options: Options) -> None:
    for pattern in options.replace_rows:
        if not any(matches_place(name, pattern) for name in names):
            raise MigrationError(
                f"--replace-rows {pattern} matches no table of schema {target.schema} of the target",
                code="usage",
                hint="patterns are those of a shell and mind the case",
            )


def _judge_rows(table: MappedTable, equal: Collection[str], options: Options) -> tuple[list[Finding], bool]:
    """What becomes of the rows that the target's table holds; whether they are replaced."""
    held, name = table.match.held, table.match.target.name
    if not held.rows:
        return [], False
    what = f"table {name} of the target holds {_count(held.rows, 'row')} already"
    place, count, samples = table.map.source, held.rows, sample_keys(held)
    if name in equal:
        message = f"{what}, equal to the source's in every value: they stay"
        return [make_finding("rows-equal", message, table=place, count=count)], False
    if any(matches_place(called, pattern) for pattern in options.replace_rows for called in (name, place)):
        message = f"{what}: the source's {_count(table.map.rows, 'row')} take their place, undo brings them back"
        return [make_finding("rows-replaced", message, table=place, count=count, samples=samples)], True
    message = f"{what}, and they are not the source's {table.map.rows:,}"
    hint = f"--replace-rows {name} (or '*') puts the source's rows in their place; they are kept for undo"
    return [make_finding("seeded-rows", message, table=place, count=count, samples=samples, hint=hint)], False


def _note_quarantine(finding: Finding, options: Options) -> Finding:
    """The finding, with the way of quarantine where the user has taken it: as rows are set apart by it."""
    return replace(finding, way="quarantine") if quarantines(finding.code, finding.place, options) else finding


def _find_orphans(matching: Matching, census: Census, options: Options) -> Iterator[Finding]:
    tables = {match.table.name: match for match in matching.tables}
    exact = {(found.table, found.foreign_key) for found in census.orphans if found.exact}
    for orphans in census.orphans:
        match = tables.get(orphans.table)
        if match is None or (not orphans.exact and (orphans.table, orphans.foreign_key) in exact):
            continue  # byte for byte there are as many, or more
        key = match.keys[orphans.foreign_key]
        made = make_finding(
            "target-orphans",
            f"the target's foreign key {key.name} does not hold in {_count(orphans.count, 'row')}:"
            f" {key.definition_sql}",
            table=orphans.table,
            name=", ".join(match.table.foreign_keys[orphans.foreign_key].columns),
            count=orphans.count,
            samples=orphans.samples,
            hint="repair them on a copy of the source, or decide",
            more_ways=(offer_quarantine(orphans.count),),
        )
        yield _note_quarantine(made, options)


def _find_faults(matching: Matching, census: Census, options: Options) -> Iterator[Finding]:
    """Rows that clash in a unique key of the target, or are too long for an index or a page of it."""
    for table in matching.asked:
        for fault in census.faults:
            if fault.table != table.name:
                continue
            what = f"the target's {fault.name}"
            found, way = find_fault(table, census, options, fault.code, fault.name, what=what)
            if found is None:
                continue
            if fault.code == "unique-clash":
                yield _restrict_clash(found, fault, what, options)
            elif fault.code == "check-broken":
                ways = tuple(offered for offered in found.ways if offered.name == "quarantine")
                yield _note_quarantine(replace(found, ways=ways, if_accepted="", way=""), options)
            elif fault.code == "index-entry-too-long":
                ways = tuple(offered for offered in found.ways if offered.name != "leave-out")
                yield replace(found, ways=ways, if_accepted="", way="" if way == "leave-out" else way)
            else:
                yield found


def _restrict_clash(found: Finding, fault: RowFault, what: str, options: Options) -> Finding:
    rows = _count(fault.count, "row")
    message = f"{rows} clash in {what}: their keys are equal in the target's types; {fault.error}".removesuffix("; ")
    ways = tuple(offered for offered in found.ways if offered.name == "quarantine")
    hint = "repair the rows in the source, or decide; quarantine takes all rows of each group"
    return _note_quarantine(replace(found, message=message, ways=ways, if_accepted="", way="", hint=hint), options)
