"""Into a schema that an application made: everything in one transaction, proven before it is committed.

Layer 3. Used by `pipeline` and `rollback`. PostgreSQL sets no limit to what one transaction writes, and a transaction
that ends without its commit leaves nothing behind, however it ends: the target is as it was, to the last sequence.
That is why nothing here needs to be resumed, and nothing taken back by hand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.arrival.data import HOLDING_NAME, Arrival, list_made, read_holding_file, without_made
from liteferry.arrival.departure import take_back
from liteferry.arrival.evidence import prove, prove_arrival
from liteferry.arrival.rows import copy_rows, discard_replaced, keep_replaced, name_rows
from liteferry.choosing import demand_conversions
from liteferry.course import read_schema
from liteferry.errors import ExitStatus, MigrationError, explain_system_error
from liteferry.expectation import decide_as, refresh_plan, refuse_other_source
from liteferry.journal import list_relations
from liteferry.loading import run_batches
from liteferry.model import Event, Failure, to_json
from liteferry.planner.existing import map_tables, plan_existing
from liteferry.planner.matching import adapt_catalog, match_schema
from liteferry.proof import compare_catalogs, foresee_reads, verify_table
from liteferry.quarantine import settle_rows
from liteferry.run import read_published, write_private
from liteferry.source import show_path
from liteferry.target import TransactionReader, reporting
from liteferry.target.ahead import QUERIES_TOGETHER
from liteferry.target.readers import end_transaction, read_at_one_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import psycopg

    from liteferry.holding import HeldSchema, Holding
    from liteferry.journal import Journal
    from liteferry.model import Catalog, Census, Options, Plan, Report, Step, TargetCatalog
    from liteferry.planner.filling import MappedTable
    from liteferry.planner.matching import Matching
    from liteferry.run import Run
    from liteferry.source import Snapshot
    from liteferry.target import Target

__all__ = ["arrive", "fill_staging", "plan_arrival", "take_back", "verify_arrival"]

_KILLED_HINT: Final = "`liteferry undo` finds out whether the transaction was committed, and takes it back if so"


def plan_arrival(
    run: Run,
    server: Target,
    snapshot: Snapshot,
    source: str,
    options: Options | None = None,
    *,
    made_before: bool = False,
    read: HeldSchema | None = None,
) -> Arrival:
    """Read both sides and plan. options: else the run's; made_before: as in `plan_existing`. Raises: MigrationError.

    read: what `read_schema` gave before; whether it is still so is looked at when nobody can write any more.
    """
    options = options or run.options
    read = read or read_schema(server, options.schema)
    target, holding = read.catalog, read.holding
    catalog = snapshot.read_catalog()
    matching = match_schema(catalog, target, holding, options)
    adapted = adapt_catalog(catalog, matching)
    census = _take_census(run, snapshot, adapted, matching, options)
    with run.phase("plan"):
        mapped = map_tables(matching, census, options)
        equal = _find_equal(mapped, server, snapshot, target)
        plan = plan_existing(
            mapped,
            matching,
            catalog,
            census,
            target,
            holding,
            options,
            equal=equal,
            source=show_path(Path(source).name),
            made_before=made_before,
        )
    run.plan = plan
    run.weigh(plan, target)
    return Arrival(
        plan=plan,
        catalog=adapted,
        census=census,
        snapshot=snapshot,
        target=target,
        holding=holding,
        stamp=read.stamp,
    )


def _take_census(run: Run, snapshot: Snapshot, adapted: Catalog, matching: Matching, options: Options) -> Census:
    """The census by the target's types and rules, with the rows set apart that the user quarantines."""
    chosen = {match.table.name for match in matching.tables} | {table.name for table in matching.left}
    with run.phase("census"):
        conversions = demand_conversions(adapted, options, matching.demands)
        census = snapshot.take_census(
            adapted, chosen, observe=run.observe, demanded=matching.demands, conversions=conversions
        )
        census = settle_rows(
            snapshot,
            adapted,
            census,
            options,
            run.observe,
            matching.demands,
            asked=matching.asked,
            unenforced=matching.unenforced,
        )
        run.save_offenders(snapshot)
        return census


def _find_equal(
    mapped: Sequence[MappedTable], server: Target, snapshot: Snapshot, target: TargetCatalog
) -> frozenset[str]:
    """The target's tables whose rows are the source's already, every value compared, a few tables at one moment."""
    found = [
        table.map
        for table in mapped
        if table.map.columns and table.match.held.rows and table.match.held.rows == table.map.rows
    ]
    equal: list[str] = []
    for start in range(0, len(found), QUERIES_TOGETHER):
        part = found[start : start + QUERIES_TOGETHER]
        with server.lend_connection() as connection, read_at_one_moment(connection) as reader:
            reader.expect(foresee_reads(part, target.schema, target))
            proofs = [
                verify_table(table, snapshot, reader, schema=target.schema, target_catalog=target) for table in part
            ]
        equal += [table.target for table, proof in zip(part, proofs, strict=True) if proof.verdict == "proven"]
    return frozenset(equal)


# ---------------------------------------------------------------------------------------------------------------------
# The transaction


class _UnequalError(Exception):
    """The proof found differences: everything is rolled back."""


def arrive(run: Run, arrival: Arrival, server: Target, journal: Journal, directory: Path) -> Report:
    """Load, prove and commit; whatever goes wrong before the commit leaves the target as it was."""
    run.begun = True
    failure: MigrationError | None = None
    interrupted = False
    fate = _Fate()

    def commit(connection: psycopg.Connection, held: TargetCatalog) -> None:
        with run.phase("publish"):
            _commit(run, arrival, connection, held, journal, fate)

    try:
        journal.set_state("running")
        _run_transaction(run, arrival, server, journal, directory, commit)
    except _UnequalError:
        pass
    except MigrationError as error:
        failure = error
    except KeyboardInterrupt:
        failure, interrupted = MigrationError("the run was interrupted", code="interrupted"), True
    except BaseException as error:
        failure = explain_system_error(error)
        if failure is None:
            _settle(run, server, journal, fate)
            if run.published:
                run.write_report(directory, run.report(run.good_verdict))
            raise
    left = "" if run.published and failure is None else _settle(run, server, journal, fate)
    if run.published:
        if failure is not None:
            run.warn(f"{failure}; but the transaction was committed by then")
        return run.report(run.good_verdict)
    if left:
        run.warn(left)
    else:
        discard_replaced(directory)
    arrival.snapshot.discard()
    return run.report_unpublished(arrival.plan, directory, failure, left, interrupted=interrupted)


@dataclass(slots=True)
class _Fate:
    """The transaction's number, from the moment on when its commit is asked for."""

    transaction: str = ""


def _settle(run: Run, server: Target, journal: Journal, fate: _Fate) -> str:
    """Find out what became of the transaction. Returns what is not known, "" when all is."""
    try:
        server.restore_control()
        if fate.transaction:
            run.published = server.read_fate(fate.transaction) == "committed"
    except MigrationError as error:
        if fate.transaction:
            return f"whether the transaction was committed is not known ({error}): {_KILLED_HINT}"
    # where that fails: the target is as the report says, and undo asks the target
    run.write_down(lambda: journal.set_state("published" if run.published else "failed"))
    return ""


def fill_staging(run: Run, arrival: Arrival, server: Target, journal: Journal, directory: Path) -> bool:
    """Load and prove a schema of our own, which somebody else then publishes. Returns whether all is equal.

    What goes wrong is raised; nothing has been loaded then.
    """

    def commit(connection: psycopg.Connection, held: TargetCatalog) -> None:
        run.staged = held
        with reporting("the commit"):
            connection.execute("COMMIT")

    try:
        _run_transaction(run, arrival, server, journal, directory, commit, keeps_rows=False)
    except _UnequalError:
        return False
    return True


def _run_transaction(
    run: Run,
    arrival: Arrival,
    server: Target,
    journal: Journal,
    directory: Path,
    commit: Callable[[psycopg.Connection, TargetCatalog], None],
    *,
    keeps_rows: bool = True,
) -> None:
    plan = arrival.plan
    with server.lend_connection() as connection:
        try:
            with reporting("a transaction"):
                connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
            with run.phase("load"):
                _run_steps(run, [step for step in plan.steps if step.id == "pre-data/lock"], server, connection)
                arrival = _look_again(arrival, server, connection)
                if keeps_rows:
                    keep_replaced(arrival, connection, journal, directory)
                steps = [step for step in plan.steps if step.phase == "pre-data" and step.id != "pre-data/lock"]
                _run_steps(run, steps, server, connection)
                steps = [step for step in plan.steps if step.phase == "data"]
                copy_rows(run, arrival, steps, server, connection)
            with run.phase("constraints"):
                steps = [step for step in plan.steps if step.phase == "post-data"]
                _run_steps(run, steps, server, connection, arrival)
            held = server.read_catalog(plan.target_schema, connection)
            standing = server.read_standing(plan.target_schema, connection, without=list_made(plan))
            if not prove(run, arrival, TransactionReader(connection), held, standing, directory):
                raise _UnequalError
            commit(connection, held)
        finally:
            end_transaction(connection)


def _run_steps(
    run: Run, steps: Sequence[Step], server: Target, connection: psycopg.Connection, arrival: Arrival | None = None
) -> None:
    """Run steps, many in one round trip. One of them failing, those of its trip one by one, to say which it was."""

    def execute(statements: Sequence[str], step_id: str) -> None:
        server.execute_all(statements, step_id=step_id, connection=connection)

    try:
        for event in run_batches(steps, execute):
            run.observe(event)
    except MigrationError as error:
        step = next((step for step in steps if step.id == error.step_id), None)
        named = name_rows(error, step, arrival, connection) if arrival and step else error
        if named is error:
            raise
        raise named from error


def _look_again(arrival: Arrival, server: Target, connection: psycopg.Connection) -> Arrival:
    """Now that nobody else can write: is everything as it was when the plan was made? Raises: MigrationError.

    Returns the arrival with the sequences where they stand now: those of tables that get no rows may have moved, and
    it is from here on that the run must leave them alone.
    """
    schema = arrival.plan.target_schema
    names = {table.target for table in arrival.plan.tables}
    now: Holding | None
    if server.read_stamp(connection) == arrival.stamp:
        now, catalog = server.count_again(arrival.holding, names, connection), arrival.target
    else:  # anything: a table that somebody made in another schema; what it is to ours, the texts tell
        now, catalog = server.read_holding(schema, connection), server.read_catalog(schema, connection)
    if (
        now is None
        or _restrict(now, names) != _restrict(arrival.holding, names)
        or compare_catalogs(arrival.target, catalog)
    ):
        raise MigrationError(
            f"schema {schema} of the target changed while the run was planned",
            code="target-changed",
            hint="stop the application while its data is brought over, then run again",
        )
    return replace(arrival, holding=replace(arrival.holding, sequences=now.sequences))


def _restrict(holding: Holding, names: Collection[str]) -> Holding:
    """The rows and sequences of these tables alone: what others write elsewhere does not concern us."""
    return replace(
        holding,
        tables=tuple(
            table if table.name in names else replace(table, rows=0, first_keys=()) for table in holding.tables
        ),
        sequences=tuple(sequence for sequence in holding.sequences if sequence.table in names),
    )


def _commit(
    run: Run, arrival: Arrival, connection: psycopg.Connection, held: TargetCatalog, journal: Journal, fate: _Fate
) -> None:
    """Write down what would have to be known if nobody told us how the commit went; then commit."""
    with reporting("asking for the transaction's number"):
        row = connection.execute("SELECT pg_catalog.pg_current_xact_id()::text").fetchone()
    number = str(row[0]) if row else ""
    run.staged = held
    journal.note_published(list_relations(held))
    journal.set_value("transaction", number)
    if not run.options.verify:
        loaded = [step.table for step in arrival.plan.steps if step.copy is not None]
        journal.set_value("row_versions", json.dumps({name: str(int(number) % 2**32) for name in loaded}))
    run.write_published(held)
    if run.directory is not None:
        write_private(run.directory / HOLDING_NAME, to_json(arrival.holding, indent=0))
    killed = Failure(code="interrupted", what="the run ended while it committed", hint=_KILLED_HINT)
    run.write_provisional(run.report("failed", killed, exit_status=int(ExitStatus.INTERRUPTED)))
    journal.set_state("publishing")
    fate.transaction = number
    with reporting("the commit"):
        connection.execute("COMMIT")
    run.published = True
    run.observe(Event(kind="step-end", phase="publish", step_id="publish"))
    journal.set_state("published")


# ---------------------------------------------------------------------------------------------------------------------
# Verify


def verify_arrival(
    run: Run, made: Plan | None, server: Target, snapshot: Snapshot, source: str, scratch: Path
) -> Report:
    """Prove a schema that an application made: against an earlier run's plan, or against one made anew.

    Raises: MigrationError.
    """
    read = read_schema(server, run.options.schema)
    target, holding = read.catalog, read.holding
    if made is None:
        run.options = replace(run.options, accept=run.options.accept or ("all",))
        arrival = plan_arrival(run, server, snapshot, source, made_before=True)
    else:
        catalog = snapshot.read_catalog()
        refuse_other_source(made, catalog, source)
        directory = Path(run.options.run_dir or "")
        before, then = read_holding_file(directory), read_published(directory)
        if made.apart:
            options = decide_as(made, run.options)
            matching = match_schema(catalog, without_made(then, made), before, options)
            census = _take_census(run, snapshot, adapt_catalog(catalog, matching), matching, options)
        else:
            with run.phase("census"):
                census = snapshot.take_census(catalog, {table.source for table in made.tables}, observe=run.observe)
        run.plan = refresh_plan(made, census)
        if then.version_num // 10_000 != server.info.version_num // 10_000:  # it may render them in other words
            then, before = target, replace(before, footprint=holding.footprint)
        then = without_made(then, made)
        arrival = Arrival(plan=run.plan, catalog=catalog, census=census, snapshot=snapshot, target=then, holding=before)
    own = list_made(arrival.plan)
    if own:
        holding = server.read_holding(run.options.schema, without=own) or holding
    if made is None:
        arrival = replace(arrival, target=without_made(arrival.target, arrival.plan), holding=holding)
    proven = prove_arrival(run, arrival, server, target, holding.standing, scratch=scratch)
    run.published = True
    blocked = [finding for finding in arrival.plan.findings if finding.blocks]
    return run.report("proven" if proven and not blocked else "mismatch" if not proven else "blocked")
