"""Undo: take away from the target exactly what a run published.

Layer 3. Refused, naming what and with counts, when rows were written since, or an object is not as it was published;
looking and dropping are one transaction, in which nobody else can write.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from liteferry.arrival import take_back
from liteferry.clock import Clock
from liteferry.errors import MigrationError
from liteferry.journal import Journal, list_relations
from liteferry.model import Event, ignore
from liteferry.names import quote_qualified
from liteferry.proof import compare_catalogs, digest_target, foresee_reads
from liteferry.report.wording import format_plural
from liteferry.run import read_plan, read_published, read_report, write_reports
from liteferry.scripts import drop_all, read_hook_remains
from liteferry.target import TransactionReader, open_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from liteferry.model import Plan, Report, TargetCatalog
    from liteferry.target import Target


def undo(run_dir: str | Path, target: str | None = None, observe: Callable[[Event], None] = ignore) -> Report:
    """Drop the tables and views that a run published, and its schema when the run made it.

    target: a connection string; None for the address in the run's journal, which has no password in it (libpq finds
    one in PGPASSWORD or ~/.pgpass).

    Returns the run's report, with `Report.undone_at` set; the report files are changed alike, unless they cannot be
    written: then that is noted, since everything is undone.

    Raises: MigrationError: undo-nothing when there is nothing (any more); undo-refused when rows, or the objects
    themselves, changed since; run-dir.
    """
    directory = Path(run_dir)
    clock = Clock()
    with Journal.open(directory) as journal:
        state = journal.read_value("state")
        if state not in {"published", "publishing"}:
            raise MigrationError(
                f"the run in {directory} has nothing to take back: its state is {state or 'unknown'}",
                code="undo-nothing",
                hint=(
                    "it published nothing; where it was killed, what it left in a schema liteferry_staging_… "
                    "goes when a migration into the same schema begins"
                    if state == "running"
                    else "only a run that published can be undone, and only once"
                ),
            )
        plan, report = read_plan(directory), read_report(directory)
        with open_target(target or journal.read_value("target")) as server:
            server.lock_schema(plan.target_schema)
            made = _read_run(directory, plan, report, journal, clock)
            with clock.phase("take back"):
                if plan.into == "existing":
                    _take_back_rows(directory, made, journal, server, observe)
                else:
                    _take_away(made, server, journal, observe)
        _note_failure(observe, "the journal", lambda: journal.set_state("undone"))
    undone = replace(
        report,
        undone_at=datetime.now(UTC).isoformat(timespec="seconds"),
        published=False,
        undo_phases=clock.phases,
    )
    _note_failure(observe, "the report", lambda: write_reports(directory, undone, plan))
    return undone


def _note_failure(observe: Callable[[Event], None], file: str, write: Callable[[], None]) -> None:
    """Write down that all is undone; that it cannot be written does not change what was done, and is only said."""
    try:
        write()
    except MigrationError as error:
        observe(Event(kind="warning", message=f"everything is undone, but {file} does not say so: {error}"))


@dataclass(frozen=True, slots=True)
class _Publication:
    """What a run published, from its directory.

    relations: kind, name, OID. definitions: as they were published. versions: the transaction that wrote a table's
    rows, where the run was not proven. clock: of the undo.
    """

    plan: Plan
    report: Report
    relations: tuple[tuple[str, str, int], ...]
    definitions: TargetCatalog
    versions: dict[str, str]
    clock: Clock


def _read_run(directory: Path, plan: Plan, report: Report, journal: Journal, clock: Clock) -> _Publication:
    versions: dict[str, str] = json.loads(journal.read_value("row_versions") or "{}")
    return _Publication(plan, report, journal.read_published(), read_published(directory), versions, clock)


def _take_back_rows(
    directory: Path, made: _Publication, journal: Journal, server: Target, observe: Callable[[Event], None]
) -> None:
    """Take rows back out of an application's schema, which stays. Raises: MigrationError."""

    def find_changes(part: Plan, reader: TransactionReader) -> list[str]:
        return _find_changes(replace(made, plan=part), reader, observe)

    take_back(made.plan, server, journal, directory, find_changes)


def _take_away(made: _Publication, server: Target, journal: Journal, observe: Callable[[Event], None]) -> None:
    """Look and drop in one transaction. Raises: MigrationError (undo-refused, undo-nothing)."""
    plan = made.plan
    _refuse_strangers(made, server.read_catalog(plan.target_schema))
    tables = [quote_qualified(plan.target_schema, name) for kind, name, _ in made.relations if kind == "table"]
    with server.one_transaction() as connection:
        if tables:
            server.execute_all([f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE"], connection=connection)
        # once more, now that nobody can change it any more
        _refuse_strangers(made, server.read_catalog(plan.target_schema, connection))
        remains = read_hook_remains(plan, journal, server, connection)
        changed = _find_changes(made, TransactionReader(connection), observe)
        changed += remains.find_changes(server, connection)
        if changed:
            raise MigrationError(
                f"rows were written since the run published: {'; '.join(changed[:8])}"
                + (f"; and {format_plural(len(changed) - 8, 'more table')}" if len(changed) > 8 else ""),
                code="undo-refused",
                hint="undo would lose them; nothing was touched",
            )
        step = next(step for step in plan.steps if step.phase == "publish")
        try:
            if made.report.hooks:
                drop_all(plan, step.undo_sql, remains, server, connection)
            else:
                server.execute_all(step.undo_sql, step_id="undo", connection=connection)
        except MigrationError as error:
            if error.code != "step-failed":
                raise
            raise MigrationError(
                f"something else depends on what the run published: {error.what}",
                code="undo-refused",
                hint="drop what depends on it first; nothing was touched",
            ) from error


def _refuse_strangers(made: _Publication, held: TargetCatalog) -> None:
    """Refuse where what is there is not what the run made: gone, made anew, or defined otherwise."""
    plan, published = made.plan, made.relations
    found = set(list_relations(held))
    missing = [f"{kind} {name}" for kind, name, oid in published if (kind, name, oid) not in found]
    if not held.exists or (published and len(missing) == len(published)):
        raise MigrationError(
            f"nothing of what the run published is in schema {plan.target_schema} any more",
            code="undo-nothing",
            hint="is this the right server and database?",
        )
    if missing:
        raise MigrationError(
            f"{len(missing)} of {len(published)} objects are not the run's any more: {', '.join(missing[:5])}",
            code="undo-refused",
            hint="they were dropped or made anew since; what is left has to be dropped by hand",
        )
    columns = {table.name: {column.name for column in table.columns} for table in made.definitions.tables}
    altered = [
        table.name
        for table in held.tables
        if table.name in columns and {column.name for column in table.columns} != columns[table.name]
    ]
    if altered:
        raise MigrationError(
            f"{format_plural(len(altered), 'table')} with other columns than the run published: "
            + ", ".join(altered[:5]),
            code="undo-refused",
            hint="undo would lose what is in them; nothing was touched",
        )
    found_differences = compare_catalogs(made.definitions, _restrict(held, published))
    # what else is in the schema, and is neither table nor view, is left where it is
    changed = [found for found in found_differences if found.table or found.source != "not declared"]
    if changed:
        raise MigrationError(
            f"{format_plural(len(changed), 'definition')} not as the run published them: "
            + "; ".join(difference.message for difference in changed[:5])
            + (f"; and {len(changed) - 5} more" if len(changed) > 5 else ""),
            code="undo-refused",
            hint="undo would lose what somebody made; nothing was touched",
        )


def _restrict(held: TargetCatalog, published: tuple[tuple[str, str, int], ...]) -> TargetCatalog:
    """A catalogue with the published tables and views alone: others are left where they are. Pure."""
    oids = {oid for _, _, oid in published}
    return replace(
        held,
        tables=tuple(table for table in held.tables if table.oid in oids),
        views=tuple(view for view in held.views if view.oid in oids),
    )


def _find_changes(made: _Publication, reader: TransactionReader, observe: Callable[[Event], None]) -> list[str]:
    """The tables whose rows are not those that were published, each with its counts."""
    plan = made.plan
    published = {table.target: table for table in made.report.tables}
    changed = []
    with made.clock.part("look"):
        reader.expect(foresee_reads(plan.tables, plan.target_schema, ordered=False))
        digests = list(digest_target(plan.tables, reader, schema=plan.target_schema, observe=observe))
    for name, found in digests:
        before = published[name]
        if found.rows != before.rows_target:
            changed.append(f"{name}: {found.rows:,} rows now, {before.rows_target:,} then")
        elif before.digest not in {"", found.text}:
            changed.append(f"{name}: {found.rows:,} rows as before, but other values")
        elif not before.digest:  # a run without a proof: its rows are those that its own transaction wrote
            later = reader.count_rows_of_others(plan.target_schema, name, made.versions.get(name))
            if later:
                changed.append(f"{name}: {found.rows:,} rows as before, but {later:,} of them were written since")
    return changed
