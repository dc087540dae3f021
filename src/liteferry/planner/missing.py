"""What the source declares and the schema that an application made does not have: named, object by object.

Layer 1, pure. Used by `planner.existing` only. Every finding here is an info and no blocker. The schema is the
application's own: its migrations for PostgreSQL say what shall be there, no value is lost by what they leave out, and
nothing of it could be made by us. But nobody has to find out afterwards that a rule is gone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

from liteferry.findings import make_finding
from liteferry.model import ObjectCounts
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from liteferry.holding import Holding
    from liteferry.model import Catalog, Finding, Index, Table, TargetCatalog
    from liteferry.planner.matching import Matching, TableMatch


def find_missing_objects(
    matching: Matching, catalog: Catalog, target: TargetCatalog, holding: Holding
) -> Iterator[Finding]:
    """Name what the source's tables have and the target's do not. Pure.

    Keys, indexes and foreign keys are told by their columns. CHECKs are told by their names; those without one are
    counted, since no two engines write an expression alike.
    """
    views = {fold_case(view.name) for view in target.views}
    views |= {fold_case(what.partition(" view ")[2]) for what in target.others if what.startswith("materialized view ")}
    for view in catalog.views:
        if fold_case(view.name) not in views:
            yield _miss("view", view.name, None, view.name, view.sql)
    matches = {fold_case(match.table.name): match for match in matching.tables}
    for trigger in catalog.triggers:
        match = matches.get(fold_case(trigger.table))
        there = {fold_case(held.name) for held in match.held.triggers} if match else set()
        if match is not None and fold_case(trigger.name) not in there:
            yield _miss("trigger", trigger.name, match.table.name, trigger.name, trigger.sql)
    for match in matching.tables:
        table = catalog.table(match.table.name)
        yield from _find_missing_keys(match, table)
        yield from _find_missing_foreign_keys(match, table, matches, holding)
        yield from _find_missing_checks(match, table)
        yield from _find_missing_of_columns(match, table, holding)


def _find_missing_keys(match: TableMatch, table: Table) -> Iterator[Finding]:
    """Primary keys, unique keys and indexes, by their columns in any order."""
    names = {fold_case(column.column.name): column.target.name for column in match.columns}
    keys = {frozenset(found.columns) for found in match.target.constraints if found.kind in {"p", "u"}}
    plain = [index for index in match.target.indexes if not index.partial]
    unique = keys | {frozenset(index.columns) for index in plain if index.unique}
    if table.primary_key and frozenset(names.get(fold_case(name), "?") for name in table.primary_key) not in unique:
        listed = f"({', '.join(table.primary_key)})"
        yield _miss("primary key", listed, table.name, ", ".join(table.primary_key), None)
    leading: list[tuple[str | None, ...]] = [
        found.columns for found in match.target.constraints if found.kind in {"p", "u"}
    ]
    leading += [index.columns for index in match.target.indexes]
    called = {fold_case(index.name) for index in match.target.indexes}
    for index in table.indexes:
        if index.origin == "pk":
            continue
        told = index.where_sql is None and all(key.column is not None for key in index.keys)
        columns = [names.get(fold_case(key.column or ""), "?") for key in index.keys]
        listed = f"({', '.join(key.column or 'an expression' for key in index.keys)})"
        if told and index.unique:
            if frozenset(columns) not in unique:
                what = "unique key" if index.origin == "u" else "unique index"
                yield _miss(what, listed, table.name, _name_key(index), index.sql)
        elif fold_case(index.name) not in called and not (
            told and any(list(held[: len(columns)]) == columns for held in leading)
        ):
            what = "unique index" if index.unique else "index"
            yield _miss(what, f"{index.name} {listed}", table.name, index.name, index.sql)


def _name_key(index: Index) -> str:
    return index.name if index.origin == "c" else ", ".join(key.column or "" for key in index.keys)


def _find_missing_foreign_keys(
    match: TableMatch, table: Table, matches: dict[str, TableMatch], holding: Holding
) -> Iterator[Finding]:
    held = {(key.table, frozenset(zip(key.columns, key.parent_columns, strict=True))) for key in holding.foreign_keys}
    names = {fold_case(column.column.name): column.target.name for column in match.columns}
    for key in table.foreign_keys:
        parent = matches.get(fold_case(key.parent_table))
        others = {fold_case(c.column.name): c.target.name for c in parent.columns} if parent else {}
        pairs = zip(key.columns, key.parent_columns, strict=False)
        shape = frozenset((names.get(fold_case(a), "?"), others.get(fold_case(b), "?")) for a, b in pairs)
        if (match.target.name, shape) not in held:
            listed = f"({', '.join(key.columns)}) to {key.parent_table} ({', '.join(key.parent_columns)})"
            yield _miss("foreign key", listed, table.name, ", ".join(key.columns), None)


def _find_missing_checks(match: TableMatch, table: Table) -> Iterator[Finding]:
    """A named CHECK by its name; the others against as many as the target has besides: which is which, nobody can tell.

    One that only says which values there are (a boolean's 0 and 1, a list of words) is named, too, although the
    target's type may say the same.
    """
    held = [fold_case(found.name) for found in match.target.constraints if found.kind == "c"]
    for check in table.checks:
        if check.name is not None and fold_case(check.name) in held:
            held.remove(fold_case(check.name))
        elif check.name is not None:
            yield _miss("CHECK", check.name, table.name, check.name, check.sql)
    unnamed = [(f"check {at}", check) for at, check in enumerate(table.checks, start=1) if check.name is None]
    missing = len(unnamed) - len(held)
    if held and missing > 0:
        called = f"constraints without a name: {missing:,} of {len(unnamed):,}"
        listed = "; ".join(check.sql for _, check in unnamed)
        yield _miss("CHECK", called, table.name, "check", listed, count=missing)
    elif missing > 0:
        for name, check in unnamed:
            yield _miss("CHECK", f"({check.sql})", table.name, name, check.sql)


def _find_missing_of_columns(match: TableMatch, table: Table, holding: Holding) -> Iterator[Finding]:
    """NOT NULL and defaults: one finding a table for each, as an application's models often keep them to themselves."""
    identities = {sequence.column for sequence in holding.sequences if sequence.table == match.target.name}
    by_name = {column.name: column for column in table.columns}
    nullable: list[str] = []
    without: list[str] = []
    for column in match.columns:
        source = by_name[column.column.name]
        if source.not_null and not (column.target.not_null or column.held.not_null):
            nullable.append(source.name)
        has_default = source.default_sql is not None and source.default_sql.upper() != "NULL"
        fills = column.target.default_sql is not None or column.target.identity or column.held.has_default
        if has_default and not (fills or column.target.generated or column.target.name in identities):
            without.append(source.name)
    for what, columns in (("NOT NULL", nullable), ("default", without)):
        if columns:
            yield _miss(what, f"of {', '.join(columns)}", table.name, what.lower(), None, count=len(columns))


_START: Final = "the target has no counterpart of the source's"
_SORTS: Final = {
    "view": "views",
    "unique key": "unique",
    "unique index": "indexes",
    "index": "indexes",
    "foreign key": "foreign_keys",
    "CHECK": "checks",
}
"""What is missing, and the field of `liteferry.model.ObjectCounts` that it is counted in."""


def count_missing(findings: Iterable[Finding]) -> Counter[str]:
    """How many objects of each sort the findings name that `find_missing_objects` made, by field. Pure."""
    found: Counter[str] = Counter()
    for finding in findings:
        if finding.code == "target-object-missing":
            sort = next((sort for what, sort in _SORTS.items() if finding.message.startswith(f"{_START} {what} ")), "")
            found[sort] += finding.count or 1
    return found


def recount_missing(objects: ObjectCounts, findings: Iterable[Finding]) -> ObjectCounts:
    """The counts, with what these findings say is missing in place of what was said before. Pure."""
    missing = count_missing(findings)
    found = {
        field.name: replace(getattr(objects, field.name), left_out=missing[field.name]) for field in fields(objects)
    }
    return ObjectCounts(**found)


def _miss(what: str, called: str, table: str | None, name: str, sql: str | None, *, count: int = 0) -> Finding:
    message = f"{_START} {what} {called}" + (f" of {table}" if table else "")
    return make_finding("target-object-missing", message, table=table, name=name, sql=sql, count=count)
