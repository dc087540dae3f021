"""Which table and column of a schema that is there takes which of the source's.

Layer 1, pure. By the exact name, else by the only one that differs in nothing but case. Whatever has no counterpart
is a finding, on either side; so is a type that liteferry cannot fill, and a table that it may not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from liteferry.findings import make_finding
from liteferry.model import Check, ForeignKey, Index, IndexKey, NameChange, Sample
from liteferry.names import quote_name
from liteferry.planner import select_tables
from liteferry.sqlite_ddl import fold_case
from liteferry.typemap import classify_pg_type, demand_of_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from liteferry.decisions import DemandedTypes
    from liteferry.holding import HeldForeignKey, HeldTable, HeldType, Holding
    from liteferry.model import (
        Catalog,
        Column,
        Finding,
        Options,
        Table,
        TargetCatalog,
        TargetColumn,
        TargetConstraint,
        TargetTable,
    )


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)

ROW_SECURITY: Final = "row level security"
"""`HeldTable.obstacle` where policies would hide rows from us."""

_RESPELLED: Final = ("uuid", "inet", "cidr", "citext", "boolean", "timestamp", "time ", "time(")
"""How types begin in which one value has several spellings: SQLite cannot tell that two of them are equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMatch:
    """A column of the source and the target's that takes it."""

    column: Column
    target: TargetColumn
    held: HeldType

    @property
    def demand(self) -> str:
        """The type that the target demands, as the census and `map_column` take it."""
        return demand_of_target(self.held.base, self.held.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMatch:
    """A table of the source and the target's that takes it. ``table``: with the target's NOT NULLs and foreign keys.

    ``keys``: the target's foreign keys that ``table.foreign_keys`` are, in the same order. ``left``: columns of the
    source that the target does not take.
    """

    table: Table
    target: TargetTable
    held: HeldTable
    columns: tuple[ColumnMatch, ...]
    keys: tuple[HeldForeignKey, ...] = ()
    left: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Both sides' tables, paired. ``left``: tables of the source without a counterpart.

    ``asked``: the source's tables with the target's keys and indexes, about which rows are asked; ``unenforced``: those
    of the unique ones that the source does not have, by table and name.
    """

    tables: tuple[TableMatch, ...]
    left: tuple[Table, ...]
    findings: tuple[Finding, ...]
    names: tuple[NameChange, ...]
    asked: tuple[Table, ...] = ()
    unenforced: frozenset[tuple[str, str]] = frozenset()

    @property
    def demands(self) -> DemandedTypes:
        """The types that the target demands, for the census."""
        return {
            match.table.name: {column.column.name: column.demand for column in match.columns} for match in self.tables
        }


def match_schema(catalog: Catalog, target: TargetCatalog, holding: Holding, options: Options) -> Matching:
    """Pair both sides' tables and columns. Pure. Raises: MigrationError (usage), as `select_tables`."""
    chosen, findings = select_tables(catalog, options)
    names: list[NameChange] = []
    matches: list[TableMatch] = []
    left: list[Table] = []
    for table in chosen:
        found = _find(table.name, target.tables)
        if found is None:
            left.append(table)
            continue
        if found.name != table.name:
            names.append(_note_name("table", None, table.name, found.name))
        match, about, changes = _match_columns(table, found, holding.table(found.name))
        matches.append(match)
        findings += about
        names += changes
    with_keys = _add_foreign_keys(matches, holding)
    findings += [
        make_finding(
            "name-matched",
            f"{change.kind} {change.source} goes into {change.target}: {change.why}",
            table=change.table,
            name=change.source,
        )
        for change in names
    ]
    asked = tuple(_add_indexes(match) for match in with_keys)
    unenforced = {
        (table.name, index.name)
        for table in asked
        for index in table.indexes
        if index.unique and not _is_enforced(catalog.table(table.name), index)
    }
    others = {fold_case(table.name) for table in catalog.tables} - {fold_case(table.name) for table in chosen}
    findings += _find_extra_tables(target, holding, {match.target.name for match in matches}, others)
    return Matching(
        tables=with_keys,
        left=tuple(left),
        findings=tuple(findings),
        names=tuple(names),
        asked=asked,
        unenforced=frozenset(unenforced),
    )


def adapt_catalog(catalog: Catalog, matching: Matching) -> Catalog:
    """The source's catalogue with the target's NOT NULLs and foreign keys: what the census has to look for. Pure."""
    adapted = {match.table.name: match.table for match in matching.tables}
    return replace(
        catalog,
        tables=tuple(adapted.get(table.name, replace(table, foreign_keys=())) for table in catalog.tables),
    )


def _find(name: str, candidates: Iterable[N]) -> N | None:
    """The one of that name, else the only one that differs in case alone."""
    found = list(candidates)
    exact = next((candidate for candidate in found if candidate.name == name), None)
    alike = [candidate for candidate in found if fold_case(candidate.name) == fold_case(name)]
    return exact or (alike[0] if len(alike) == 1 else None)


def _note_name(kind: str, table: str | None, source: str, target: str) -> NameChange:
    why = "the target writes the name with other capitals"
    return NameChange(kind=kind, table=table, source=source, target=target, why=why)  # type: ignore[arg-type]  # table or column


def _match_columns(
    table: Table, target: TargetTable, held: HeldTable
) -> tuple[TableMatch, list[Finding], list[NameChange]]:
    findings = _find_obstacles(table, held)
    names: list[NameChange] = []
    columns: list[ColumnMatch] = []
    left: list[Column] = []
    taken: set[str] = set()
    for column in table.columns:
        found = _find(column.name, target.columns)
        if found is None:
            left.append(column)
            continue
        taken.add(found.name)
        if found.name != column.name:
            names.append(_note_name("column", table.name, column.name, found.name))
        match = ColumnMatch(column=column, target=found, held=held.type_of(found.name))
        if classify_pg_type(match.demand) is None or match.held.sort in {"array", "other"}:
            findings.append(_refuse_type(table, match))
            continue
        columns.append(match)
    findings += _find_extra_columns(table, target, held, taken)
    order = [found.name for found in target.columns if found.name in taken]
    if [match.target.name for match in columns] != [name for name in order if name in {m.target.name for m in columns}]:
        findings.append(
            make_finding(
                "order-differs", f"the target's table {target.name} has its columns in another order", table=table.name
            )
        )
    not_null = {
        match.column.name
        for match in columns
        if (match.target.not_null or match.held.not_null) and not match.target.generated
    }
    adapted = replace(
        table,
        columns=tuple(replace(column, not_null=column.name in not_null) for column in table.columns),
        foreign_keys=(),
    )
    by_name = {column.name: column for column in adapted.columns}
    match_ = TableMatch(
        table=adapted,
        target=target,
        held=held,
        columns=tuple(replace(match, column=by_name[match.column.name]) for match in columns),
        left=tuple(left),
    )
    return match_, findings, names


def _find_obstacles(table: Table, held: HeldTable) -> list[Finding]:
    if not held.owned:
        return [
            make_finding(
                "target-not-owned",
                f"table {held.name} of the target, or a partition of it, is a role's that you are no member of",
                table=table.name,
                hint="run as the role that owns the application's tables",
            )
        ]
    if held.obstacle == ROW_SECURITY:
        return [
            make_finding(
                "target-row-security",
                f"the policies of table {held.name} apply to you, too: rows could be hidden from the proof",
                table=table.name,
                hint="run as its owner, for whom they do not count (without FORCE ROW LEVEL SECURITY)",
            )
        ]
    if held.obstacle:
        return [
            make_finding(
                "target-unsuitable", f"table {held.name} of the target cannot be filled: {held.obstacle}",
                table=table.name,
            )
        ]  # fmt: skip
    return []


def _refuse_type(table: Table, match: ColumnMatch) -> Finding:
    required = is_required(match.target, match.held)
    found = make_finding(
        "target-type-unknown",
        f"liteferry cannot fill the target's column {match.target.name} of type {match.held.name}",
        table=table.name,
        name=match.column.name,
        sql=f"{match.column.name} {match.column.declared_type}".strip(),
    )
    return replace(found, if_accepted="", ways=()) if required else found


def is_required(column: TargetColumn, held: HeldType) -> bool:
    """Whether a row that says nothing about the column is refused: NOT NULL, and nothing fills it. Pure."""
    filled = column.default_sql is not None or column.identity or column.generated or held.has_default
    return (column.not_null or held.not_null) and not filled


def _find_extra_columns(table: Table, target: TargetTable, held: HeldTable, taken: set[str]) -> list[Finding]:
    findings = []
    for column in target.columns:
        if column.name in taken or column.generated:
            continue
        if is_required(column, held.type_of(column.name)):
            what = f"column {target.name}.{column.name} of the target is NOT NULL, and nothing of the source fills it"
            findings.append(
                make_finding(
                    "target-column-required",
                    what,
                    table=table.name,
                    name=column.name,
                    hint="give it a default in the target, or add the column to a copy of the source",
                )
            )
        else:
            filled = column.default_sql or ("its identity" if column.identity else "NULL")
            what = f"column {target.name}.{column.name} is not in the source: it is filled with {filled}"
            findings.append(make_finding("target-extra-column", what, table=table.name, name=column.name))
    return findings


def _find_extra_tables(target: TargetCatalog, holding: Holding, taken: set[str], excluded: set[str]) -> list[Finding]:
    parts = {oid for table in holding.tables if table.name in taken for oid in table.oids}
    return [
        make_finding(
            "target-extra-table",
            f"table {table.name} of the target is not in the source: it stays as it is, with {held.rows:,}"
            f" row{'' if held.rows == 1 else 's'}",
            name=table.name,
            count=held.rows,
        )
        for table in target.tables
        if table.name not in taken
        and fold_case(table.name) not in excluded
        and not (held := holding.table(table.name)).is_partition
        and table.oid not in parts
    ]


# ---------------------------------------------------------------------------------------------------------------------
# Foreign keys: those of the target, in the source's names, so that their orphans are found beforehand


def _add_foreign_keys(matches: Sequence[TableMatch], holding: Holding) -> tuple[TableMatch, ...]:
    by_oid = {match.target.oid: match for match in matches}
    found: dict[int, list[tuple[ForeignKey, HeldForeignKey]]] = {}
    for key in holding.foreign_keys:
        child, parent = by_oid.get(key.table_oid), by_oid.get(key.parent_oid)
        if child is None or parent is None or not key.validated:
            continue
        columns, parent_columns = _name_in_source(child, key.columns), _name_in_source(parent, key.parent_columns)
        is_of_uuids = len(key.columns) == 1 and _is_uuid(child, key.columns) and _is_uuid(parent, key.parent_columns)
        if columns is None or parent_columns is None:
            continue
        if not is_of_uuids and (_is_respelled(child, key.columns) or _is_respelled(parent, key.parent_columns)):
            continue
        found.setdefault(key.table_oid, []).append(
            (
                ForeignKey(
                    columns=columns,
                    parent_table=parent.table.name,
                    parent_columns=parent_columns,
                    name=key.name,
                    is_of_uuids=is_of_uuids,
                ),
                key,
            )
        )
    return tuple(
        replace(
            match,
            table=replace(match.table, foreign_keys=tuple(key for key, _ in found.get(match.target.oid, ()))),
            keys=tuple(held for _, held in found.get(match.target.oid, ())),
        )
        for match in matches
    )


# ---------------------------------------------------------------------------------------------------------------------
# Keys and indexes: those of the target likewise


def _add_indexes(match: TableMatch) -> Table:
    """The source's table with the target's keys and B-tree indexes, as far as the source's columns can tell of them.

    With those CHECKs that hold a column to a bound. Those of expressions, and with conditions, are left to the server,
    and so are all other CHECKs: they are in its own words.
    """
    names = {column.target.name: column.column.name for column in match.columns}
    found: list[tuple[str, tuple[str | None, ...], bool]] = [
        (key.name, key.columns, True)
        for key in match.target.constraints
        if key.kind in {"p", "u"} and "NULLS NOT DISTINCT" not in key.definition_sql
    ]
    found += [
        (index.name, index.columns, index.unique)
        for index in match.target.indexes
        if not index.partial and " USING btree " in index.definition_sql
        if "NULLS NOT DISTINCT" not in index.definition_sql
    ]
    indexes = tuple(
        Index(
            name=name,
            table=match.table.name,
            origin="c",
            unique=unique,
            keys=tuple(IndexKey(column=names[column or ""]) for column in columns),
        )
        for name, columns, unique in found
        if all(column in names for column in columns)
    )
    checks = (_read_check(key, names) for key in match.target.constraints if key.kind == "c")
    return replace(match.table, indexes=indexes, checks=tuple(check for check in checks if check is not None))


_BOUND: Final = re.compile(r'CHECK \(\((?:(\w+)|"((?:[^"]|"")+)") (>=|>|<=|<) (\d+)\)\)')
"""As PostgreSQL writes the CHECK of a column of positive numbers. Source: Django, ``PositiveIntegerField``."""


def _read_check(key: TargetConstraint, names: Mapping[str, str]) -> Check | None:
    """A CHECK of the target that means the same in SQLite's words; None for any other."""
    found = _BOUND.fullmatch(key.definition_sql)
    name = names.get(found[1] or found[2].replace('""', '"')) if found else None
    if found is None or name is None:
        return None
    return Check(sql=f"{quote_name(name)} {found[3]} {found[4]}", name=key.name, column=name)


def _is_enforced(table: Table, wanted: Index) -> bool:
    """Whether a key of the source holds that the rows differ in these columns, byte for byte or more."""
    columns = {fold_case(key.column or "") for key in wanted.keys}
    keys = [
        {fold_case(key.column or "") for key in index.keys}
        for index in table.indexes
        if index.unique and index.where_sql is None and all(key.column for key in index.keys)
    ]
    keys += [{fold_case(table.rowid_alias)}] if table.rowid_alias is not None else []
    return any(key <= columns for key in keys)


def _name_in_source(match: TableMatch, columns: Sequence[str]) -> tuple[str, ...] | None:
    """The source's names of a foreign key's columns; None where it does not have them all."""
    names = {column.target.name: column.column.name for column in match.columns}
    return tuple(names[name] for name in columns) if all(name in names for name in columns) else None


def _is_respelled(match: TableMatch, columns: Sequence[str]) -> bool:
    """Whether SQLite cannot tell of one of the columns that two of its values are equal in the target."""
    return any(column.target.name in columns and column.held.base.startswith(_RESPELLED) for column in match.columns)


def _is_uuid(match: TableMatch, columns: Sequence[str]) -> bool:
    return any(column.target.name in columns and column.held.base == "uuid" for column in match.columns)


def sample_keys(held: HeldTable) -> tuple[Sample, ...]:
    """The first keys of the rows that a table of the target holds. Pure."""
    return tuple(Sample(key=key, why="") for key in held.first_keys)
