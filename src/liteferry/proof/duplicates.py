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
from liteferry.target import Outcome, Trial, try_out_all

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
    attempts = [
        _Attempt(held.schema, tables[planned.table or ""], maps[planned.table or ""], planned)
        for planned in plan.objects
        if planned.unique
        and any(planned.folds)
        and planned.table in tables
        and _has_key(tables[planned.table], planned.name)
    ]
    if not attempts:
        return (), ()
    predicates = _read_predicates(server, held.schema, [each.planned.name for each in attempts if each.planned.partial])
    found: dict[int, KeyTrial] = {}
    for way in (_Attempt.copy_row, _Attempt.make_up):  # where no row will do that is there, two are made up
        asked: list[tuple[int, str, Trial]] = []
        for at, attempt in enumerate(attempts):
            if at in found:
                continue
            told = way(attempt, predicates.get(attempt.planned.name, ""))
            if isinstance(told, KeyTrial):
                found[at] = told
            else:
                asked.append((at, *told))
        for (at, how, _), outcome in zip(asked, try_out_all(server, [trial for *_, trial in asked]), strict=True):
            if way is _Attempt.make_up or outcome.rows[:1] != ((),):
                found[at] = attempts[at].judge(outcome, how)
    trials = tuple(found[at] for at in sorted(found))
    mismatches = tuple(
        differ(
            trial.kind,
            trial.name,
            attempts[at].table.name,
            "refuses a duplicate",
            "takes it",
            f"{trial.kind.replace('_', ' ')} {trial.name} of {attempts[at].table.name} took {trial.how},"
            " which it has to refuse",
        )
        for at, trial in sorted(found.items())
        if trial.refused is False
    )
    return trials, mismatches


def _read_predicates(server: Target, schema: str, names: list[str]) -> dict[str, str]:
    """The conditions of partial indexes, in the server's words."""
    if not names:
        return {}
    sql = (
        "SELECT c.relname, pg_catalog.pg_get_expr(i.indpred, i.indrelid) FROM pg_catalog.pg_index i"
        " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE n.nspname = {quote_literal(schema)} AND c.relname IN ({', '.join(map(quote_literal, names))})"
    )
    (outcome,) = try_out_all(server, [Trial(attempts=(sql,))])
    return {str(name): predicate or "" for name, predicate in outcome.rows[0]}


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
    questions = []
    for table, column in looked_at:
        name = quote_name(column)
        plain = f'{name}::pg_catalog.text COLLATE "C"'
        questions.append(
            f"SELECT count(DISTINCT {name}), count(DISTINCT pg_catalog.lower({plain}))"
            f" FROM {quote_qualified(held.schema, table)}"
        )
    mismatches = []
    outcomes = try_out_all(server, [Trial(attempts=(sql,)) for sql in questions])
    for (table, column), outcome in zip(looked_at, outcomes, strict=True):
        ((found, wanted),) = outcome.rows[0]
        if found != wanted:
            sides = f"{wanted} different texts", f"{found} different texts"
            what = f"column {column} of {table} holds {sides[1]} apart, SQLite's NOCASE {wanted}"
            mismatches.append(differ("column", column, table, *sides, what))
    return tuple(mismatches)


def _describe_fold(fold: str) -> str:
    return "in the other case" if fold == "NOCASE" else "with a space more at its end"


def _has_key(table: TargetTable, name: str) -> bool:
    return name in {constraint.name for constraint in table.constraints} | {index.name for index in table.indexes}


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One key's trial. The row that is inserted differs from another in what the key has to leave out of account."""

    schema: str
    table: TargetTable
    map: TableMap
    planned: PlannedObject

    def copy_row(self, predicate: str) -> KeyTrial | tuple[str, Trial]:
        """How to insert a copy of a row that is there; or why not."""
        columns = self._list_key_columns()
        folded, fold = self._find_folded()
        if not folded:
            return self._tell(None, "not tried: the key is an expression of the source's own")
        if folded in {column.name for column in self.table.columns if column.generated}:
            return self._tell(None, f"not tried: {folded} is a generated column")
        name = quote_name(folded)
        plain = f'{name}::pg_catalog.text COLLATE "C"'
        changed = f"pg_catalog.translate({plain}, {_SWAP_FROM}, {_SWAP_TO})" if fold == "NOCASE" else f"{plain} || ' '"
        conditions = [f"{quote_name(column)} IS NOT NULL" for column in columns if column]
        conditions += [f"{plain} ~ '[A-Za-z]'"] if fold == "NOCASE" else []
        if predicate:
            conditions.append(f"({predicate})")
        copied = [quote_name(column.name) for column in self.table.columns if not column.generated]
        items = [changed if column == name else column for column in copied]
        place = quote_qualified(self.schema, self.table.name)
        row = f"FROM {place} WHERE {' AND '.join(conditions)} LIMIT 1"
        sql = f"INSERT INTO {place} ({', '.join(copied)}) SELECT {', '.join(items)} {row}"
        attempts = (f"SELECT 1 {row}", f"{sql} RETURNING {predicate or 'true'}")
        how = f"a copy of a row, {folded} {_describe_fold(fold)}"
        return how, Trial(preparing=self._clear_way(), attempts=attempts)

    def make_up(self, predicate: str) -> tuple[str, Trial]:
        """How to insert two rows of the key's columns alone; every other column may be NULL for once."""
        columns = self._list_key_columns()
        folded, fold = self._find_folded()
        place = quote_qualified(self.schema, self.table.name)
        kinds = {column.target: column.kind for column in self.map.columns}
        values: dict[str, str] = {}
        preparing = [*self._clear_way()]
        for column in self.table.columns:
            if column.name in columns or column.identity:
                values[column.name] = quote_literal(_VALUES.get(kinds[column.name], "0"))
            elif column.not_null:
                preparing.append(f"ALTER TABLE {place} ALTER {quote_name(column.name)} DROP NOT NULL")
        insert = f"INSERT INTO {place} ({', '.join(map(quote_name, values))})"
        first = f"{insert} VALUES ({', '.join(values.values())})"
        values[folded] = quote_literal("A" if fold == "NOCASE" else "a ")
        second = f"{insert} VALUES ({', '.join(values.values())}) RETURNING {predicate or 'true'}"
        how = f"a copy of a made-up row, {folded} {_describe_fold(fold)}"
        return how, Trial(preparing=tuple(preparing), attempts=(first, second))

    def judge(self, outcome: Outcome, how: str) -> KeyTrial:
        """What came of the two statements, of which the second is the duplicate."""
        if outcome.sqlstate and not outcome.rows:
            return self._tell(None, f"not tried: no row could be made up ({outcome.sqlstate})")
        if outcome.sqlstate == _UNIQUE_VIOLATION and outcome.constraint == self.planned.name:
            return self._tell(True, how)
        if outcome.sqlstate:
            return self._tell(None, f"not tried: the row was refused for another reason ({outcome.sqlstate})")
        if outcome.rows[1] != (("t",),):
            return self._tell(None, "not tried: the index's condition does not hold for the row")
        if "" in self._list_key_columns():
            return self._tell(None, "not tried: an expression of the key may be NULL")
        return self._tell(False, how)

    def _find_folded(self) -> tuple[str, str]:
        """The first column of the key that is compared by a rule of its own, and the rule; "" where there is none."""
        pairs = zip(self._list_key_columns(), self.planned.folds, strict=True)
        return next(((column, fold) for column, fold in pairs if column and fold), ("", ""))

    def _list_key_columns(self) -> list[str]:
        """The columns of the key, "" for an expression over some."""
        names = self.planned.key_columns or ("",) * len(self.planned.columns)
        return [column or name for column, name in zip(self.planned.columns, names, strict=True)]

    def _clear_way(self) -> tuple[str, ...]:
        """What takes away whatever else could refuse a row."""
        place = quote_qualified(self.schema, self.table.name)
        others = (quote_name(found.name) for found in self.table.constraints if found.name != self.planned.name)
        return (
            *(f"ALTER TABLE {place} DROP CONSTRAINT IF EXISTS {name} CASCADE" for name in others),
            *(
                f"DROP INDEX {quote_qualified(self.schema, index.name)}"
                for index in self.table.indexes
                if index.unique and index.name != self.planned.name
            ),
        )

    def _tell(self, refused: bool | None, how: str) -> KeyTrial:  # noqa: FBT001 - a field's value
        planned = self.planned
        return KeyTrial(table=self.map.source, name=planned.name, kind=planned.kind, refused=refused, how=how)
