"""What must be asked about rows before a plan can be made: what no look at single values tells.

Layer 1, pure. Which CHECKs the rows must hold, which unique keys may clash once their columns have PostgreSQL's types,
which index entries and rows may be too long. A question is asked only where the census leaves it open, so that a source
in which nothing is odd pays for its CHECKs alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.choosing import map_column
from liteferry.decisions import find_way, matches_place
from liteferry.findings import FINDINGS
from liteferry.model import ColumnMap, RowQuestion
from liteferry.planner.known_checks import is_held
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from liteferry.decisions import DemandedTypes
    from liteferry.model import Census, ColumnCensus, Index, Options, Table, TableCensus
    from liteferry.typemap import TypeChoice

INDEX_ENTRY_BYTES: Final = 2704
"""What a B-tree's entry may have at most. Source: PostgreSQL's nbtree.h, BTMaxItemSize for pages of 8 kB."""
ROW_BYTES: Final = 8160
"""What a row may have on its page. Source: PostgreSQL's htup_details.h, MaxHeapTupleSize."""

_ENTRY_HEADER_BYTES: Final = 16
_LENGTH_BYTES: Final = 8  # a value's length word, and what aligns it
_MOVABLE_BYTES: Final = 20  # what stays in the row of a value that is stored apart, and what aligns it
_ONE_SPELLING: Final = frozenset({"date", "datetime", *(f"datetime-f{digits}" for digits in range(1, 10))})
"""Forms of timestamps of which each instant has one text."""


def name_key(table: Table, index: Index) -> str:
    """What a finding calls a key or index of a table: no other one of it. Pure.

    A constraint by its columns, an index by its name; a constraint by SQLite's own name for its index where another
    constraint has the same columns, or an index is called like them.
    """
    if index.origin == "c":
        return index.name
    name = _list_columns(index)
    others = (other.name if other.origin == "c" else _list_columns(other) for other in table.indexes if other != index)
    return index.name if name in others else name


def _list_columns(index: Index) -> str:
    return ", ".join(key.column or "" for key in index.keys)


def name_check(table: Table, position: int) -> str:
    """What a finding calls the check at this position, counted from 0. Pure."""
    return table.checks[position].name or f"check {position + 1}"


def choose_types(
    table: Table,
    census: TableCensus,
    options: Options,
    demanded: Mapping[str, str],
    wanted: Collection[str] | None = None,
) -> dict[str, TypeChoice]:
    """The types of a table's columns, by name: into an existing schema, of those that the target takes. Pure.

    wanted: the folded names of those that are asked about; None for all.
    """
    return {
        column.name: map_column(table, column, census.column(column.name), options, demanded.get(column.name, ""))
        for column in table.columns
        if (wanted is None or fold_case(column.name) in wanted) and (options.into == "new" or column.name in demanded)
    }


def list_quarantined_offences(
    census: Census, options: Options, tables: Iterable[Table], demanded: DemandedTypes
) -> Iterator[tuple[str, str, str]]:
    """The offences whose rows the user quarantines: table, column, offence. Pure."""
    if not (options.decisions or options.accept):
        return
    existing = options.into == "existing"
    null_code = "target-null-forbidden" if existing else "null-in-not-null"
    for table in tables:
        counted = census.table(table.name)
        choices = choose_types(table, counted, options, demanded.get(table.name, {}))
        for name, choice in choices.items():
            yield from ((table.name, name, offence) for offence in choice.quarantined)
        required = [c.name for c in table.columns if c.not_null and c.name != table.rowid_alias and c.name in choices]
        for name in required:
            if counted.column(name).nulls and quarantines(null_code, f"{table.name}.{name}", options):
                yield table.name, name, "null"
        if existing:
            continue  # its own key is not declared here, and the target's columns say what may be NULL
        key = f"{table.name}.{', '.join(table.primary_key)}"
        for name in table.primary_key:
            if name != table.rowid_alias and counted.column(name).nulls and quarantines("null-in-key", key, options):
                yield table.name, name, "null"


def plan_questions(
    census: Census,
    options: Options,
    tables: Iterable[Table],
    demanded: DemandedTypes,
    unenforced: Collection[tuple[str, str]] = (),
) -> Iterator[RowQuestion]:
    """What to ask about the tables' rows, in order: rows that one answer puts aside are not asked about again. Pure.

    unenforced: unique keys that the source does not have, by table and name: they are asked about in any case.
    """
    for table in tables:
        counted = census.table(table.name)
        if not counted.rows:
            continue
        may_be_wide = len(table.columns) * _MOVABLE_BYTES > ROW_BYTES // 2
        keyed = {fold_case(key.column or "") for index in table.indexes for key in index.keys}
        wanted = None if may_be_wide else keyed
        choices = choose_types(table, counted, options, demanded.get(table.name, {}), wanted)
        mapped = {
            fold_case(name): ColumnMap(
                source=name,
                target=name,
                pg_type=choice.pg_type,
                kind=choice.kind,
                rule=choice.rule,
                conversions=choice.conversions,
            )
            for name, choice in choices.items()
        }
        for position, check in enumerate(table.checks):
            if is_held(check.sql, counted):
                continue
            yield _ask(table, "check-broken", name_check(table, position), options, condition_sql=check.sql)
        for index in table.indexes:
            if any(key.column is None for key in index.keys):
                continue  # what an expression gives is seen when the index is made
            columns = tuple(mapped[fold_case(key.column or "")] for key in index.keys)
            counts = [counted.column(column.source) for column in columns]
            where = index.where_sql or ""
            asked = (table.name, index.name) in unenforced or any(map(_may_fold, columns, counts))
            if index.unique and asked:
                yield _ask(table, "unique-clash", name_key(table, index), options, columns=columns, condition_sql=where)
            limit = INDEX_ENTRY_BYTES - _ENTRY_HEADER_BYTES - _LENGTH_BYTES * len(columns)
            if sum(count.longest_value_bytes for count in counts) > limit:
                yield _ask(
                    table,
                    "index-entry-too-long",
                    name_key(table, index),
                    options,
                    columns=columns,
                    condition_sql=where,
                    limit=limit,
                )
        if may_be_wide:
            columns = tuple(mapped.values())
            yield _ask(table, "row-too-wide", "", options, columns=columns, limit=ROW_BYTES)


def quarantines_orphans(table: Table, foreign_key: int, options: Options) -> bool:
    """Whether the user quarantines the rows that this foreign key leaves without a parent. Pure."""
    columns = ", ".join(table.foreign_keys[foreign_key].columns)
    code = "target-orphans" if options.into == "existing" else "orphan-rows"
    return quarantines(code, f"{table.name}.{columns}", options)


def quarantines(code: str, place: str, options: Options) -> bool:
    """Whether the user puts the rows of a finding into quarantine. Pure."""
    if find_way(code, place, {"quarantine"}, options) == "quarantine":
        return True
    return FINDINGS[code].way == "quarantine" and _is_accepted(code, place, options)


def _is_accepted(code: str, place: str, options: Options) -> bool:
    """Whether --accept takes the first way out of a finding."""
    wanted = (item.partition(":") for item in options.accept)
    return any(of in {code, "all"} and (not where or matches_place(place, where)) for of, _, where in wanted)


def _ask(
    table: Table,
    code: str,
    name: str,
    options: Options,
    *,
    columns: tuple[ColumnMap, ...] = (),
    condition_sql: str = "",
    limit: int = 0,
) -> RowQuestion:
    place = f"{table.name}.{name}" if name else table.name
    return RowQuestion(
        table=table.name,
        code=code,
        name=name,
        columns=columns,
        condition_sql=condition_sql,
        limit=limit,
        is_quarantined=quarantines(code, place, options),
    )


def _may_fold(column: ColumnMap, census: ColumnCensus) -> bool:
    """Whether two values that SQLite tells apart may be one value of the type. Wrong on one side only."""
    if column.conversions:
        return True
    numbers, texts, blobs = bool(census.integers or census.reals), bool(census.texts), bool(census.blobs)
    match column.kind:
        case "int2" | "int4" | "int8" | "float8" | "interval" | "date":
            return False  # 1 and 1.0 are one value to SQLite, too; a date has one form
        case "text":
            return (numbers and texts) or column.pg_type.startswith("char")
        case "bytea":
            return numbers + texts + blobs > 1
        case "bool" | "numeric":
            return texts
        case "timestamp" | "timestamptz":
            return not (len(census.forms) == 1 and census.forms[0].name in _ONE_SPELLING)
        case _:
            return texts or blobs or numbers
