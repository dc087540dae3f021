"""The proof that texts without case compare as SQLite compares them: by the rows that are there, and by duplicates.

Layer 3. Columns: the target must hold as many different texts apart as SQLite does. Keys: a duplicate is inserted, and
that very key must refuse it. That works in the staging schema, before anybody sees it, in one transaction a key that is
rolled back. There the table's other keys and conditions are taken away first, so that none of them can refuse the row
in the key's place; the key itself is the one that will be published.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.model import KeyTrial, Kind
from liteferry.names import quote_literal, quote_name, quote_qualified
from liteferry.proof.differences import differ
from liteferry.target import Trial, begin_trial

if TYPE_CHECKING:
    from liteferry.model import Mismatch, Plan, PlannedObject, TableMap, TargetCatalog, TargetTable
    from liteferry.target import Target

_UNIQUE_VIOLATION: Final = "23505"
_SWAP_FROM: Final = quote_literal(string.ascii_letters)
_SWAP_TO: Final = quote_literal(string.ascii_letters.swapcase())
_VALUES: Final[dict[Kind, str]] = {
    "text": "a",
    "bool": "true",
    "bytea": "\\x61",
    "timestamp": "2000-01-01",
    "timestamptz": "2000-01-01",
    "date": "2000-01-01",
    "time": "00:00",
    "interval": "0",
    "json": "0",
    "jsonb": "0",
    "uuid": "00000000-0000-0000-0000-000000000000",
}
"""A value of each kind for a row that is made up; 0 for numbers."""


def try_keys(plan: Plan, server: Target, held: TargetCatalog) -> tuple[tuple[KeyTrial, ...], tuple[Mismatch, ...]]:
    """Try every unique key of the plan that has to ignore case, or spaces at the end. Leaves no row behind.

    held: the staging schema, as it is. A key that is not there at all is not tried: `objects` names it.
    """
    tables = {table.name: table for table in held.tables}
    maps = {table.target: table for table in plan.tables}
    trials: list[KeyTrial] = []
    mismatches: list[Mismatch] = []
    for planned in plan.objects:
        table = tables.get(planned.table or "")
        if not planned.unique or not any(planned.folds) or table is None or not _has_key(table, planned.name):
            continue
        with begin_trial(server) as trial:
            found = _Attempt(trial, held.schema, table, maps[table.name], planned).run()
        trials.append(found)
        if found.refused is False:
            mismatches.append(
                differ(
                    planned.kind,
                    planned.name,
                    table.name,
                    "refuses a duplicate",
                    "takes it",
                    f"{planned.kind.replace('_', ' ')} {planned.name} of {table.name} took {found.how},"
                    " which it has to refuse",
                )
            )
    return tuple(trials), tuple(mismatches)


def compare_columns(plan: Plan, server: Target, held: TargetCatalog) -> tuple[Mismatch, ...]:
    """Find the columns that take texts for one which SQLite holds apart, without a finding that says so. Reads only.

    That texts which differ by the case of A to Z alone are one is seen by the same count.
    """
    told = {
        (finding.table, finding.name)
        for finding in plan.findings
        if finding.code in {"collation-wider", "collation-spread"}
    }
    present = {(table.name, column.name) for table in held.tables for column in table.columns}
    folding = {(o.table, o.name) for o in plan.objects if o.kind == "column" and o.collation} & present
    looked_at = [
        (table.target, column.target)
        for table in plan.tables
        for column in table.columns
        if (table.target, column.target) in folding and (table.source, column.source) not in told
    ]
    if not looked_at:
        return ()
    mismatches = []
    with begin_trial(server) as trial:
        for table, column in looked_at:
            name = quote_name(column)
            plain = f'{name}::pg_catalog.text COLLATE "C"'
            counts = trial.run(
                f"SELECT count(DISTINCT {name}), count(DISTINCT pg_catalog.lower({plain}))"
                f" FROM {quote_qualified(held.schema, table)}"
            )
            found, wanted = counts[0]
            if found != wanted:
                sides = f"{wanted} different texts", f"{found} different texts"
                what = f"column {column} of {table} holds {sides[1]} apart, SQLite's NOCASE {wanted}"
                mismatches.append(differ("column", column, table, *sides, what))
    return tuple(mismatches)


def _has_key(table: TargetTable, name: str) -> bool:
    return name in {constraint.name for constraint in table.constraints} | {index.name for index in table.indexes}


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One key's trial. The row that is inserted differs from another in what the key has to leave out of account."""

    trial: Trial
    schema: str
    table: TargetTable
    map: TableMap
    planned: PlannedObject

    def run(self) -> KeyTrial:
        """Try a copy of a row that is there; where none will do, two that are made up."""
        columns = self._list_key_columns()
        generated = {column.name for column in self.table.columns if column.generated}
        pairs = [(column, fold) for column, fold in zip(columns, self.planned.folds, strict=True) if column and fold]
        if not pairs:
            return self._tell(None, "not tried: the key is an expression of the source's own")
        folded, fold = pairs[0]
        if folded in generated:
            return self._tell(None, f"not tried: {folded} is a generated column")
        self._clear_way()
        name = quote_name(folded)
        plain = f'{name}::pg_catalog.text COLLATE "C"'
        changed = f"pg_catalog.translate({plain}, {_SWAP_FROM}, {_SWAP_TO})" if fold == "NOCASE" else f"{plain} || ' '"
        conditions = [f"{quote_name(column)} IS NOT NULL" for column in columns if column]
        conditions += [f"{plain} ~ '[A-Za-z]'"] if fold == "NOCASE" else []
        predicate = self._read_predicate()
        if predicate:
            conditions.append(f"({predicate})")
        copied = [quote_name(column.name) for column in self.table.columns if not column.generated]
        items = [changed if column == name else column for column in copied]
        what = "in the other case" if fold == "NOCASE" else "with a space more at its end"
        place = quote_qualified(self.schema, self.table.name)
        row = f"FROM {place} WHERE {' AND '.join(conditions)} LIMIT 1"
        if self.trial.run(f"SELECT 1 {row}"):
            sql = f"INSERT INTO {place} ({', '.join(copied)}) SELECT {', '.join(items)} {row}"
            return self._insert(sql, predicate, f"a copy of a row, {folded} {what}")
        return self._make_up(columns, folded, fold, predicate, f"a copy of a made-up row, {folded} {what}")

    def _list_key_columns(self) -> list[str]:
        """The columns of the key, "" for an expression over some."""
        names = self.planned.key_columns or ("",) * len(self.planned.columns)
        return [column or name for column, name in zip(self.planned.columns, names, strict=True)]

    def _clear_way(self) -> None:
        """Take away whatever else could refuse a row."""
        place = quote_qualified(self.schema, self.table.name)
        for constraint in self.table.constraints:
            if constraint.name != self.planned.name:
                name = quote_name(constraint.name)
                self.trial.run(f"ALTER TABLE {place} DROP CONSTRAINT IF EXISTS {name} CASCADE")
        for index in self.table.indexes:
            if index.unique and index.name != self.planned.name:
                self.trial.run(f"DROP INDEX {quote_qualified(self.schema, index.name)}")

    def _read_predicate(self) -> str:
        """The condition of a partial index, in the server's words; "" for any other key."""
        if not self.planned.partial:
            return ""
        name = quote_literal(quote_qualified(self.schema, self.planned.name))
        sql = "SELECT pg_catalog.pg_get_expr(indpred, indrelid) FROM pg_catalog.pg_index"
        rows = self.trial.run(f"{sql} WHERE indexrelid = {name}::pg_catalog.regclass")
        return str(rows[0][0]) if rows else ""

    def _make_up(self, columns: list[str], folded: str, fold: str, predicate: str, how: str) -> KeyTrial:
        """Insert two rows of the key's columns alone; every other column may be NULL for once."""
        place = quote_qualified(self.schema, self.table.name)
        kinds = {column.target: column.kind for column in self.map.columns}
        values: dict[str, str] = {}
        for column in self.table.columns:
            if column.name in columns or column.identity:
                values[column.name] = quote_literal(_VALUES.get(kinds[column.name], "0"))
            elif column.not_null:
                self.trial.run(f"ALTER TABLE {place} ALTER {quote_name(column.name)} DROP NOT NULL")
        names = ", ".join(map(quote_name, values))
        first = self.trial.attempt(f"INSERT INTO {place} ({names}) VALUES ({', '.join(values.values())})")
        if first.sqlstate:
            return self._tell(None, f"not tried: no row could be made up ({first.sqlstate})")
        values[folded] = quote_literal("A" if fold == "NOCASE" else "a ")
        return self._insert(f"INSERT INTO {place} ({names}) VALUES ({', '.join(values.values())})", predicate, how)

    def _insert(self, sql: str, predicate: str, how: str) -> KeyTrial:
        outcome = self.trial.attempt(f"{sql} RETURNING {predicate or 'true'}")
        if outcome.sqlstate == _UNIQUE_VIOLATION and outcome.constraint == self.planned.name:
            return self._tell(True, how)
        if outcome.sqlstate:
            return self._tell(None, f"not tried: the row was refused for another reason ({outcome.sqlstate})")
        if outcome.rows != ((True,),):
            return self._tell(None, "not tried: the index's condition does not hold for the row")
        if "" in self._list_key_columns():
            return self._tell(None, "not tried: an expression of the key may be NULL")
        return self._tell(False, how)

    def _tell(self, refused: bool | None, how: str) -> KeyTrial:  # noqa: FBT001 - a field's value
        planned = self.planned
        return KeyTrial(table=self.map.source, name=planned.name, kind=planned.kind, refused=refused, how=how)
