"""Undo of an arrival: the rows go, those that they replaced come back, the sequences stand where they stood.

Layer 3. Used by `rollback` through `arrival`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from liteferry.arrival.data import list_made, read_holding_file, without_made
from liteferry.arrival.evidence import compare_footprints
from liteferry.arrival.rows import put_back
from liteferry.errors import MigrationError
from liteferry.loading import BATCH_STEPS
from liteferry.names import quote_qualified
from liteferry.proof import compare_catalogs
from liteferry.run import read_published
from liteferry.target import TransactionReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import psycopg

    from liteferry.holding import Holding
    from liteferry.journal import Journal
    from liteferry.model import Plan, TargetCatalog
    from liteferry.target import Target


def take_back(
    plan: Plan,
    server: Target,
    journal: Journal,
    directory: Path,
    find_changes: Callable[[Plan, TransactionReader], list[str]],
) -> None:
    """Delete what a run loaded and bring back what it replaced, in one transaction.

    find_changes: names the tables of a plan whose rows are not those that the run left.
    Raises: MigrationError: undo-nothing, undo-refused.
    """
    loaded = {step.table for step in plan.steps if step.copy is not None}
    loaded |= {table.target for table in plan.tables if table.replaced}
    unsure = journal.read_value("state") == "publishing"
    if not loaded or (unsure and server.read_fate(journal.read_value("transaction")) != "committed"):
        raise MigrationError(
            "the run brought nothing into the target that could be taken away", code="undo-nothing"
        )  # fmt: skip
    before, published = read_holding_file(directory), read_published(directory)
    own = list_made(plan)
    with server.one_transaction() as connection:
        _run_sql(plan, ("pre-data/lock",), server, connection)
        _refuse_altered(before, published, server, connection, own)
        if own:
            places = ", ".join(quote_qualified(plan.target_schema, name) for name in own)
            server.execute_all([f"LOCK TABLE {places} IN ACCESS EXCLUSIVE MODE"], connection=connection)
        tables = tuple(table for table in plan.tables if table.target in loaded)
        changed = find_changes(replace(plan, tables=tables), TransactionReader(connection))
        if changed:
            raise MigrationError(
                f"rows were written since the run: {'; '.join(changed[:8])}"
                + (f"; and {len(changed) - 8} more tables" if len(changed) > 8 else ""),
                code="undo-refused",
                hint="undo would lose them; nothing was touched",
            )
        _run_sql(plan, ("pre-data/drop-", "pre-data/disable-", "pre-data/replace-rows/"), server, connection)
        emptying = [(f"undo/{step.id}", step.undo_sql) for step in plan.steps if step.phase == "data"]
        _run_batches(emptying, server, connection)
        put_back(plan, server, journal, directory, connection)
        try:
            _run_sql(plan, ("post-data/constraints", "post-data/index/", "post-data/enable-"), server, connection)
            _run_sql(plan, ("post-data/foreign-key/",), server, connection)
        except MigrationError as error:
            if error.code != "step-failed":
                raise
            raise MigrationError(
                f"other rows need what the run loaded: {error.what}",
                code="undo-refused",
                hint="delete them first; nothing was touched",
            ) from error
        winding = [
            (f"undo/{step.id}", step.undo_sql) for step in plan.steps if step.id.startswith("post-data/sequence/")
        ]
        _run_batches(winding, server, connection)
        _drop_made(plan, server, connection)
        _refuse_altered(before, without_made(published, plan), server, connection)


def _drop_made(plan: Plan, server: Target, connection: psycopg.Connection) -> None:
    """Drop the tables that the run made. Raises: MigrationError (undo-refused) where something depends on one."""
    for step in plan.steps:
        if step.id.startswith("pre-data/table/"):
            try:
                server.execute_all(step.undo_sql, step_id=f"undo/{step.id}", connection=connection)
            except MigrationError as error:
                if error.code != "step-failed":
                    raise
                raise MigrationError(
                    f"something depends on {step.table}: {error.what}",
                    code="undo-refused",
                    hint="drop it first; nothing was touched",
                ) from error


def _run_sql(plan: Plan, prefixes: tuple[str, ...], server: Target, connection: psycopg.Connection) -> None:
    found = [(f"undo/{step.id}", step.sql) for step in plan.steps if step.id.startswith(prefixes)]
    _run_batches(found, server, connection)


def _run_batches(steps: Sequence[tuple[str, Sequence[str]]], server: Target, connection: psycopg.Connection) -> None:
    """Run steps, each with its name, many in one round trip; one by one where that fails, to say which it was."""
    for start in range(0, len(steps), BATCH_STEPS):
        part = steps[start : start + BATCH_STEPS]
        try:
            server.execute_all([sql for _, own in part for sql in own], step_id=part[0][0], connection=connection)
        except MigrationError as error:
            if len(part) == 1 or error.code != "step-failed":
                raise
            for step in part:
                _run_batches([step], server, connection)


def _refuse_altered(
    before: Holding,
    published: TargetCatalog,
    server: Target,
    connection: psycopg.Connection,
    own: tuple[str, ...] = (),
) -> None:
    """Refuse where the schema is not as it was when the run ended. own: tables that it made.

    Raises: MigrationError (undo-refused).
    """
    held = server.read_catalog(published.schema, connection)
    if not held.exists:
        raise MigrationError(f"schema {published.schema} is not there any more", code="undo-nothing")
    standing = server.read_standing(published.schema, connection, without=own)
    wrong = [*compare_catalogs(published, held), *compare_footprints(before.footprint, standing.footprint)]
    if wrong:
        raise MigrationError(
            f"{len(wrong)} definitions are not as the run left them: "
            + "; ".join(difference.message for difference in wrong[:5])
            + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""),
            code="undo-refused",
            hint="put the schema back as it was; nothing was touched",
        )
