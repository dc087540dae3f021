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
from liteferry.choosing import map_column
from liteferry.decisions import matches_place
from liteferry.errors import MigrationError
from liteferry.findings import make_finding
from liteferry.model import PLAN_SCHEMA, ColumnMap, Plan, TableMap
from liteferry.planner import accept_findings, count_objects, find_left_behind
from liteferry.planner.filling import MappedTable, plan_steps
from liteferry.planner.matching import Matching, sample_keys
from liteferry.typemap import classify_pg_type, kind_of_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from liteferry.holding import Holding
    from liteferry.model import Catalog, Census, Finding, Kind, Options, Table, TableCensus, TargetCatalog
    from liteferry.planner.matching import ColumnMatch, TableMatch
    from liteferry.typemap import TypeChoice

_LABELS_SHOWN: Final = 8
_CHANGING: Final = frozenset({"widen", "text", "json", "bytes"})
"""Ways out that give a column another type: not here, where the type is the target's."""


def map_tables(matching: Matching, census: Census, options: Options) -> tuple[MappedTable, ...]:
    """Map every pair's columns by the target's types. Pure."""
    return tuple(_map_table(match, census.table(match.table.name), options) for match in matching.tables)


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
) -> Plan:
    """Plan the whole of it. Pure.

    equal: the target's tables that hold the source's rows already, value by value. source: the file's name.

    Raises: MigrationError (usage) when --replace-rows names no table of the target.
    """
    _check_replace_rows(
        [*(table.name for table in target.tables), *(table.map.source for table in mapped)], target, options
    )
    findings = [*matching.findings, *_find_left_tables(matching, census)]
    findings += [found for table in mapped for found in table.findings]
    findings += _find_orphans(matching, census)
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
    findings += find_left_behind(replace(catalog, triggers=()), [match.table for match in matching.tables], options)
    findings += _find_missing_objects(matching, catalog, target, holding)
    return Plan(
        schema=PLAN_SCHEMA,
        liteferry_version=__version__,
        source=source,
        target_schema=options.schema,
        staging_schema="",
        creates_schema=False,
        tables=tuple(table.map for table in chosen),
        steps=tuple(steps),
        objects=tuple(objects),
        findings=accept_findings(findings, options),
        names=matching.names,
        source_objects=count_objects(catalog, [catalog.table(match.table.name) for match in matching.tables]),
        into="existing",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Columns


def _map_table(match: TableMatch, census: TableCensus, options: Options) -> MappedTable:
    findings: list[Finding] = []
    columns: list[ColumnMap] = []
    for column in match.columns:
        choice = map_column(match.table, column.column, census.column(column.column.name), options, column.demand)
        kind = _kind_of(column)
        findings += _hold_to_type(choice, column, kind)
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
                converted=choice.converted,
            )
        )
        if choice.kind == "timestamptz" and not any(found.code == "time-zone-dropped" for found in choice.findings):
            findings += _note_time_zone(match.table, column, census)
    findings += _find_nulls(match, census)
    findings += _find_left_columns(match, census)
    names = {column.source for column in columns}
    key = match.table.primary_key
    usable = set(key) <= names and not any(census.column(name).nulls for name in key)
    if not key:
        found = make_finding("rowid-not-kept", f"table {match.table.name} has no primary key", table=match.table.name)
        findings.append(found)
    mapped = TableMap(
        source=match.table.name,
        target=match.target.name,
        columns=tuple(columns),
        key=key if usable else (),
        rows=census.rows,
        size_bytes=census.size_bytes,
    )
    return MappedTable(match=match, map=mapped, findings=tuple(findings))


def _kind_of(column: ColumnMatch) -> Kind:
    return "text" if column.held.labels else kind_of_type(column.held.base) or "text"


def _hold_to_type(choice: TypeChoice, column: ColumnMatch, kind: Kind) -> Iterator[Finding]:
    """The findings about a column, where its type is the target's and cannot become another."""
    wanted = classify_pg_type(column.demand)
    fits = choice.kind == kind and (
        choice.rule != "widened" or (wanted is not None and choice.pg_type == wanted.pg_type)
    )
    if fits:
        yield from choice.findings
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


def _note_time_zone(table: Table, column: ColumnMatch, census: TableCensus) -> Iterator[Finding]:
    found = census.column(column.column.name)
    zoned = found.offence("zone")
    naive = found.texts - (zoned.count if zoned else 0)
    if naive > 0:
        yield make_finding(
            "target-time-zone",
            f"{naive:,} times have no offset, and the target's column is {column.held.name}: they are taken for UTC",
            table=table.name,
            name=column.column.name,
            count=naive,
        )


def _find_nulls(match: TableMatch, census: TableCensus) -> Iterator[Finding]:
    """NULLs that the target's NOT NULL refuses: the census was told to look for them."""
    for column in match.columns:
        found = census.column(column.column.name).offence("null")
        if found is not None and column.column.not_null and not column.target.generated:
            yield make_finding(
                "target-null-forbidden",
                f"{found.count:,} of {census.rows:,} values are NULL, and the target's column is NOT NULL",
                table=match.table.name,
                name=column.column.name,
                count=found.count,
                samples=found.samples,
            )


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


def _find_orphans(matching: Matching, census: Census) -> Iterator[Finding]:
    tables = {match.table.name: match for match in matching.tables}
    for orphans in census.orphans:
        match = tables.get(orphans.table)
        if match is None:
            continue
        key = match.keys[orphans.foreign_key]
        yield make_finding(
            "target-orphans",
            f"the target's foreign key {key.name} does not hold in {_count(orphans.count, 'row')}:"
            f" {key.definition_sql}",
            table=orphans.table,
            name=key.name,
            count=orphans.count,
            samples=orphans.samples,
            hint="repair them on a copy of the source",
        )


# ---------------------------------------------------------------------------------------------------------------------
# What the source declares and the target does not have


def _find_missing_objects(
    matching: Matching, catalog: Catalog, target: TargetCatalog, holding: Holding
) -> Iterator[Finding]:
    views = {view.name.lower() for view in target.views}
    for view in catalog.views:
        if view.name.lower() not in views:
            yield _miss("view", view.name, None, view.name, view.sql)
    matches = {match.table.name.lower(): match for match in matching.tables}
    for trigger in catalog.triggers:
        match = matches.get(trigger.table.lower())
        there = {held.name.lower() for held in match.held.triggers} if match else set()
        if match is not None and trigger.name.lower() not in there:
            yield _miss("trigger", trigger.name, match.table.name, trigger.name, trigger.sql)
    for match in matching.tables:
        names = {column.column.name: column.target.name for column in match.columns}
        unique: set[frozenset[str | None]]
        unique = {frozenset(found.columns) for found in match.target.constraints if found.kind in {"p", "u"}}
        unique |= {frozenset(index.columns) for index in match.target.indexes if index.unique and not index.partial}
        for index in match.table.indexes:
            columns = frozenset(names.get(key.column or "", "?") for key in index.keys)
            if index.unique and index.where_sql is None and columns not in unique:
                listed = ", ".join(key.column or "an expression" for key in index.keys)
                yield _miss("unique key", f"({listed})", match.table.name, index.name, index.sql)
    held_keys = {
        (key.table, frozenset(zip(key.columns, key.parent_columns, strict=True))) for key in holding.foreign_keys
    }
    for match in matching.tables:
        names = {column.column.name.lower(): column.target.name for column in match.columns}
        for key in catalog.table(match.table.name).foreign_keys:
            parent = matches.get(key.parent_table.lower())
            others = {c.column.name.lower(): c.target.name for c in parent.columns} if parent else {}
            pairs = zip(key.columns, key.parent_columns, strict=False)
            shape = frozenset((names.get(a.lower(), "?"), others.get(b.lower(), "?")) for a, b in pairs)
            if (match.target.name, shape) not in held_keys:
                listed = f"({', '.join(key.columns)}) to {key.parent_table} ({', '.join(key.parent_columns)})"
                yield _miss("foreign key", listed, match.table.name, key.name or ", ".join(key.columns), None)


def _miss(what: str, called: str, table: str | None, name: str, sql: str | None) -> Finding:
    message = f"the target has no counterpart of the source's {what} {called}" + (f" of {table}" if table else "")
    return make_finding("target-object-missing", message, table=table, name=name, sql=sql)
