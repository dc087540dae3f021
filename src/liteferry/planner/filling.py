"""The steps of filling a schema that an application made, and of its sequences.

Layer 1, pure. Used by `planner.existing`. All of them run in one transaction, in the order of the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.findings import make_finding
from liteferry.model import PlannedObject, Step, TableMap
from liteferry.names import quote_literal, quote_name, quote_qualified
from liteferry.planner.sql import analyze_sql, quote_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from liteferry.holding import HeldForeignKey, HeldSequence, HeldTrigger, Holding
    from liteferry.model import Census, Column, Finding, Table
    from liteferry.planner.matching import TableMatch

LARGE_ROWS: Final = 20_000
"""From how many rows on a table's secondary indexes are dropped and made again: below, it saves nothing."""
_STATES: Final = {"O": "ENABLE", "A": "ENABLE ALWAYS"}
"""What puts a trigger back that fires in an ordinary session. Source: PostgreSQL docs, pg_trigger.tgenabled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedTable:
    """A pair of tables with the map of its columns, and what stands in the way."""

    match: TableMatch
    map: TableMap
    findings: tuple[Finding, ...]


def plan_steps(
    chosen: Sequence[MappedTable], loaded: Sequence[MappedTable], census: Census, holding: Holding
) -> tuple[list[Step], list[PlannedObject], list[Finding]]:
    """Plan every step. chosen: all pairs of tables; loaded: those of them that get rows. Pure.

    Returns the steps, the sequences with the smallest next value that each must have, and what stands in the way.
    """
    schema = holding.schema
    first: list[Step] = []
    last: list[Step] = []
    findings: list[Finding] = []
    parts = {oid for table in loaded for oid in table.match.held.oids}
    keys = [key for key in holding.foreign_keys if key.parent_oid in parts]
    findings += _find_immovable(keys, loaded)
    places = [quote_qualified(schema, table.match.target.name) for table in chosen]
    places += sorted({quote_qualified(key.schema, key.table) for key in keys} - set(places))
    if places:
        locks = tuple(f"LOCK TABLE {place} IN ACCESS EXCLUSIVE MODE" for place in places)
        first.append(Step(id="pre-data/lock", phase="pre-data", sql=locks))
    for key in keys:
        drop, make = _plan_foreign_key(key)
        first.append(drop)
        last.append(make)
    for table in loaded:
        for trigger in table.match.held.triggers:
            if trigger.state in _STATES:
                off, on = _plan_trigger(trigger)
                first.append(off)
                last.insert(0, on)
    for table in loaded:
        if table.map.rows >= LARGE_ROWS and holding.may_create:
            for index in table.match.held.indexes:
                if index.plain:
                    place = f"{index.table}.{index.name}"
                    drop_sql = f"DROP INDEX {quote_qualified(index.schema, index.name)}"
                    step_id = f"pre-data/drop-index/{place}"
                    first.append(Step(id=step_id, phase="pre-data", table=index.table, sql=(drop_sql,)))
                    made = [index.definition_sql]
                    if index.comment is not None:
                        name = quote_qualified(index.schema, index.name)
                        made.append(f"COMMENT ON INDEX {name} IS {quote_literal(index.comment)}")
                    last.insert(
                        0, Step(id=f"post-data/index/{place}", phase="post-data", table=index.table, sql=tuple(made))
                    )
    sequences, objects, about = _plan_sequences(chosen, loaded, census, holding)
    findings += about
    first += [step for step in sequences if step.phase == "pre-data"]
    first += [
        Step(
            id=f"pre-data/replace-rows/{table.match.target.name}",
            phase="pre-data",
            table=table.match.target.name,
            sql=(_truncate_sql(schema, table),),
        )
        for table in loaded
        if table.map.replaced
    ]
    data = [
        Step(
            id=f"data/table/{table.match.target.name}",
            phase="data",
            copy=table.map.source,
            table=table.match.target.name,
            sql=(copy_into_sql(schema, table.map),),
            undo_sql=(_truncate_sql(schema, table),),
        )
        for table in loaded
        if table.map.rows
    ]
    # what is checked at the end of a transaction is checked now: no table with waiting checks can be altered
    settled = [Step(id="post-data/constraints", phase="post-data", sql=("SET CONSTRAINTS ALL IMMEDIATE",))]
    analyzed = [
        Step(
            id=f"post-data/analyze/{table.match.target.name}",
            phase="post-data",
            table=table.match.target.name,
            sql=(analyze_sql(schema, table.match.target.name),),
        )
        for table in loaded
    ]
    if not loaded and not sequences:
        return [*first, Step(id="publish", phase="publish")], objects, findings
    settled += [step for step in sequences if step.phase == "post-data"]
    return [*first, *data, *settled, *last, *analyzed, Step(id="publish", phase="publish")], objects, findings


def _find_immovable(keys: Iterable[HeldForeignKey], loaded: Sequence[MappedTable]) -> Iterator[Finding]:
    """Foreign keys that would have to be dropped and made again, and cannot be."""
    sources = {oid: table.map.source for table in loaded for oid in table.match.held.oids}
    for key in keys:
        place, what = sources[key.parent_oid], f"foreign key {key.name} of {key.schema}.{key.table}"
        if not key.owned:
            yield make_finding(
                "target-not-owned",
                f"{what} points at table {key.parent_table}, and your role may not drop it and make it again",
                table=place,
                name=key.name,
                hint="run as the owner of both tables",
            )
        if not key.enabled:
            yield make_finding(
                "target-unsuitable",
                f"triggers of {what} are disabled, which only a superuser could do again",
                table=place,
                name=key.name,
            )


def _plan_foreign_key(key: HeldForeignKey) -> tuple[Step, Step]:
    place, name = quote_qualified(key.schema, key.table), quote_name(key.name)
    ident = f"{key.table}.{key.name}"
    made = [f"ALTER TABLE {place} ADD CONSTRAINT {name} {key.definition_sql}"]
    if key.comment is not None:
        made.append(f"COMMENT ON CONSTRAINT {name} ON {place} IS {quote_literal(key.comment)}")
    drop = f"ALTER TABLE {place} DROP CONSTRAINT {name}"
    return (
        Step(id=f"pre-data/drop-foreign-key/{ident}", phase="pre-data", table=key.table, sql=(drop,)),
        Step(id=f"post-data/foreign-key/{ident}", phase="post-data", table=key.table, sql=tuple(made)),
    )


def _plan_trigger(trigger: HeldTrigger) -> tuple[Step, Step]:
    """ONLY, since the triggers of partitions have states of their own, and steps of their own."""
    head = f"ALTER TABLE ONLY {quote_qualified(trigger.schema, trigger.table)}"
    name, ident = quote_name(trigger.name), f"{trigger.table}.{trigger.name}"
    off, on = f"{head} DISABLE TRIGGER {name}", f"{head} {_STATES[trigger.state]} TRIGGER {name}"
    return (
        Step(id=f"pre-data/disable-trigger/{ident}", phase="pre-data", table=trigger.table, sql=(off,)),
        Step(id=f"post-data/enable-trigger/{ident}", phase="post-data", table=trigger.table, sql=(on,)),
    )


def _truncate_sql(schema: str, table: MappedTable) -> str:
    """TRUNCATE, which no rule of the table can turn into something else, as it could a DELETE."""
    only = "" if table.match.held.kind == "p" else "ONLY "
    return f"TRUNCATE TABLE {only}{quote_qualified(schema, table.match.target.name)}"


def copy_into_sql(schema: str, mapped: TableMap) -> str:
    """COPY … FROM STDIN in binary; without FREEZE, which would show the rows to older snapshots of the application."""
    names = quote_names([column.target for column in mapped.columns if not column.generated])
    return f"COPY {quote_qualified(schema, mapped.target)} ({names}) FROM STDIN WITH (FORMAT binary)"


# ---------------------------------------------------------------------------------------------------------------------
# Sequences


def _plan_sequences(
    chosen: Sequence[MappedTable], loaded: Sequence[MappedTable], census: Census, holding: Holding
) -> tuple[list[Step], list[PlannedObject], list[Finding]]:
    """Put each sequence above every id, never below where it stands, by ALTER SEQUENCE.

    setval is not undone by a rollback; ALTER SEQUENCE … RESTART is. Source: PostgreSQL docs, "ALTER SEQUENCE", Notes.
    """
    highest: dict[tuple[str, str], int] = {}
    uses: dict[tuple[str, str], tuple[HeldSequence, MappedTable, str]] = {}
    filled: set[tuple[str, str]] = set()
    for table in chosen:
        columns = {column.target: column.source for column in table.map.columns}
        for sequence in holding.sequences:
            if sequence.table != table.match.target.name:
                continue
            place = (sequence.schema, sequence.name)
            if sequence.column in columns:
                column = _find_column(table.match.table, columns[sequence.column])
                found = _highest_id(table.match.table, column, census)
                highest[place] = max(highest.get(place, 0), found)
                uses[place] = (sequence, table, sequence.column)
            elif table in loaded:
                uses.setdefault(place, (sequence, table, sequence.column))
                filled.add(place)
    steps: list[Step] = []
    objects: list[PlannedObject] = []
    findings: list[Finding] = []
    for place in sorted(uses):
        sequence, table, name = uses[place]
        at_least = highest.get(place, 0) + 1
        if place in highest:
            objects.append(
                PlannedObject(
                    kind="sequence",
                    name=sequence.name,
                    table=table.match.target.name,
                    columns=(name,),
                    at_least=at_least,
                    has_default=sequence.kind == "default",
                )
            )
        if place in filled:
            # its defaults take values, which no rollback returns: unless the sequence has been restarted before
            hold = _restart(sequence, sequence.last_value, is_called=sequence.is_called)
            steps.append(
                Step(id=f"pre-data/hold-sequence/{sequence.name}", phase="pre-data", table=table.match.target.name,
                     sql=hold)
            )  # fmt: skip
        if sequence.increment < 0 or (sequence.next_value is None or sequence.next_value >= at_least):
            if place not in filled:
                continue
            sql: tuple[str, ...] = ()
        elif at_least > sequence.max_value:
            sql = _restart(sequence, sequence.max_value, is_called=True)
            findings.append(
                make_finding(
                    "sequence-exhausted",
                    f"the sequence of {table.match.target.name}.{name} ends at {sequence.max_value:,}, which is in use",
                    table=table.map.source,
                    name=sequence.name,
                )
            )
        else:
            sql = _restart(sequence, at_least, is_called=False)
        steps.append(
            Step(
                id=f"post-data/sequence/{sequence.name}",
                phase="post-data",
                table=table.match.target.name,
                sql=sql,
                undo_sql=_restart(sequence, sequence.last_value, is_called=sequence.is_called),
            )
        )
    return steps, objects, findings


def _find_column(table: Table, name: str) -> Column:
    """The column of that name. Pure. Raises: KeyError."""
    for column in table.columns:
        if column.name == name:
            return column
    raise KeyError(name)


def _highest_id(table: Table, column: Column, census: Census) -> int:
    """The highest id of a column that there is, or ever was."""
    found = census.table(table.name).column(column.name).max_integer or 0
    return max(found, table.sequence_value or 0) if column.name == table.rowid_alias else found


def _restart(sequence: HeldSequence, value: int, *, is_called: bool) -> tuple[str, ...]:
    """Put a sequence at a value: the one that it gives next, or, where is_called, the one that it gave last."""
    name = quote_qualified(sequence.schema, sequence.name)
    restart = f"ALTER SEQUENCE {name} RESTART WITH {value}"
    return (restart, f"SELECT pg_catalog.nextval({quote_literal(name)})") if is_called else (restart,)
