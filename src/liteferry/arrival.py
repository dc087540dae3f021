"""Into a schema that an application made: everything in one transaction, proven before it is committed.

Layer 3. Used by `pipeline` and `rollback`. PostgreSQL sets no limit to what one transaction writes, and a transaction
that ends without its commit leaves nothing behind, however it ends: the target is as it was, to the last sequence.
That is why nothing here needs to be resumed, and nothing taken back by hand.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from liteferry.census import describe_key_value
from liteferry.errors import ExitStatus, MigrationError
from liteferry.executor import copy_table
from liteferry.holding import Holding
from liteferry.journal import list_relations
from liteferry.model import (
    Catalog,
    Census,
    Event,
    Failure,
    Mismatch,
    ObjectCount,
    ObjectCounts,
    Plan,
    Step,
    TableMap,
    TableReport,
    TargetCatalog,
    to_json,
)
from liteferry.names import quote_name, quote_qualified
from liteferry.planner.existing import map_tables, plan_existing
from liteferry.planner.matching import adapt_catalog, match_schema
from liteferry.proof import compare_catalogs, verify_table
from liteferry.proof.differences import differ
from liteferry.run import describe_failure, list_unproven, read_published, read_saved, write_private
from liteferry.source import show_path
from liteferry.target import SnapshotReader, TransactionReader, reporting
from liteferry.target.readers import end_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import psycopg

    from liteferry.journal import Journal
    from liteferry.model import Options, Report, Verdict
    from liteferry.planner.existing import MappedTable
    from liteferry.proof import ProofTarget
    from liteferry.run import Run
    from liteferry.source import Snapshot
    from liteferry.target import Target

REPLACED_NAME: Final = "replaced"
"""The directory, in the run's, of the rows that were replaced: one file of COPY text a table."""
HOLDING_NAME: Final = "holding.json"
_DIFFERENCES_LISTED: Final = 100
_TRANSACTION_TIMEOUT_SINCE: Final = 170000
_KILLED_HINT: Final = "`liteferry undo` finds out whether the transaction was committed, and takes it back if so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What is brought where. ``catalog``: the source's, with the target's NOT NULLs and foreign keys.

    ``target`` and ``holding``: the schema as it was when the plan was made.
    """

    plan: Plan
    catalog: Catalog
    census: Census
    snapshot: Snapshot
    target: TargetCatalog
    holding: Holding


def refuse_options(target: str | None, options: Options) -> None:
    """Refuse options that contradict each other. Raises: MigrationError (usage)."""
    if options.into == "existing" and target is None:
        raise MigrationError(
            "--into existing needs a TARGET: the database with the application's tables",
            code="usage",
            hint="liteferry migrate SOURCE postgresql://user@host/database --into existing",
        )
    if options.into == "new" and options.replace_rows:
        raise MigrationError(
            "--replace-rows is for --into existing", code="usage", hint="add --into existing, or leave it out"
        )


def read_schema(server: Target, schema: str) -> tuple[TargetCatalog, Holding]:
    """Read the schema that is there. Raises: MigrationError (target-missing)."""
    target, holding = server.read_catalog(schema), server.read_holding(schema)
    if holding is None:
        raise MigrationError(
            f"database {server.info.database} has no schema {schema}",
            code="target-missing",
            hint="run the application's migrations first, or name the schema with --schema",
        )
    return target, holding


def plan_arrival(run: Run, server: Target, snapshot: Snapshot, source: str) -> Arrival:
    """Read both sides and plan. Raises: MigrationError."""
    target, holding = read_schema(server, run.options.schema)
    catalog = snapshot.read_catalog()
    matching = match_schema(catalog, target, holding, run.options)
    adapted = adapt_catalog(catalog, matching)
    chosen = {match.table.name for match in matching.tables} | {table.name for table in matching.left}
    with run.phase("census"):
        census = snapshot.take_census(adapted, chosen, observe=run.observe, demanded=matching.demands)
    with run.phase("plan"):
        mapped = map_tables(matching, census, run.options)
        equal = _find_equal(mapped, server, snapshot, target)
        plan = plan_existing(
            mapped,
            matching,
            catalog,
            census,
            target,
            holding,
            run.options,
            equal=equal,
            source=show_path(Path(source).name),
        )
    run.plan = plan
    return Arrival(
        plan=plan, catalog=adapted, census=census, snapshot=snapshot, target=target, holding=holding
    )  # fmt: skip


def _find_equal(
    mapped: Sequence[MappedTable], server: Target, snapshot: Snapshot, target: TargetCatalog
) -> frozenset[str]:
    """The target's tables whose rows are the source's already, every value compared."""
    found = [table for table in mapped if table.match.held.rows and table.match.held.rows == table.map.rows]
    if not found:
        return frozenset()
    with SnapshotReader(server) as reader:
        return frozenset(
            table.map.target
            for table in found
            if table.map.columns
            and verify_table(table.map, snapshot, reader, schema=target.schema, target_catalog=target).verdict
            == "proven"
        )


# ---------------------------------------------------------------------------------------------------------------------
# The transaction


class _UnequalError(Exception):
    """The proof found differences: everything is rolled back."""


def arrive(run: Run, arrival: Arrival, server: Target, journal: Journal, directory: Path) -> Report:
    """Load, prove and commit; whatever goes wrong before the commit leaves the target as it was."""
    run.begun = True
    failure: MigrationError | None = None
    interrupt: KeyboardInterrupt | None = None
    fate = _Fate()
    try:
        journal.set_state("running")
        _run_transaction(run, arrival, server, journal, directory, fate)
    except _UnequalError:
        pass
    except MigrationError as error:
        failure = error
    except KeyboardInterrupt as error:
        failure, interrupt = MigrationError("the run was interrupted", code="interrupted"), error
    except BaseException:
        _settle(run, server, journal, fate)
        if run.published:
            run.write_report(directory, run.report(_good_verdict(run)))
        raise
    left = "" if run.published and failure is None else _settle(run, server, journal, fate)
    if run.published:
        if failure is not None:
            run.note(f"{failure}; but the transaction was committed by then")
        return run.report(_good_verdict(run))
    if left:
        run.note(left)
    else:
        _discard_replaced(directory)
    arrival.snapshot.discard()
    run.tables = run.tables or list_unproven(arrival.plan, run)
    if failure is None:
        return run.report("mismatch")
    status = ExitStatus.INTERRUPTED if failure.code == "interrupted" else ExitStatus.UNDONE
    report = run.report("failed", describe_failure(failure, left), exit_status=int(status))
    if interrupt is not None:
        run.write_report(directory, report)
        raise KeyboardInterrupt(left or "the target is as it was") from None
    return report


def _good_verdict(run: Run) -> Verdict:
    return "proven" if run.options.verify else "not proven"


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
    journal.set_state("published" if run.published else "failed")
    return ""


def _run_transaction(
    run: Run, arrival: Arrival, server: Target, journal: Journal, directory: Path, fate: _Fate
) -> None:
    plan = arrival.plan
    with server.lend_connection() as connection:
        try:
            with reporting("a transaction"):
                if server.info.version_num >= _TRANSACTION_TIMEOUT_SINCE:  # a role may have set one
                    connection.execute("SELECT pg_catalog.set_config('transaction_timeout', '0', false)")
                connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
            with run.phase("load"):
                _run_steps(run, [step for step in plan.steps if step.id == "pre-data/lock"], server, connection)
                _refuse_changed(arrival, server, connection)
                _keep_replaced(arrival, connection, journal, directory)
                steps = [step for step in plan.steps if step.phase == "pre-data" and step.id != "pre-data/lock"]
                _run_steps(run, steps, server, connection)
                for step in plan.steps:
                    if step.phase == "data":
                        _copy(run, arrival, step, server, connection)
            with run.phase("constraints"):
                steps = [step for step in plan.steps if step.phase == "post-data"]
                _run_steps(run, steps, server, connection, arrival)
            held = server.read_catalog(plan.target_schema, connection)
            holding = server.read_holding(plan.target_schema, connection)
            if holding is None:
                raise AssertionError("a locked schema is gone")
            if not _prove(run, arrival, TransactionReader(connection), held, holding, directory):
                raise _UnequalError
            with run.phase("publish"):
                _commit(run, arrival, connection, held, journal, fate)
        finally:
            end_transaction(connection)


def _run_steps(
    run: Run, steps: Sequence[Step], server: Target, connection: psycopg.Connection, arrival: Arrival | None = None
) -> None:
    for step in steps:
        begun = time.monotonic()
        try:
            server.execute_all(step.sql, step_id=step.id, connection=connection)
        except MigrationError as error:
            raise (_name_rows(error, step, arrival, connection) if arrival else error) from error
        elapsed = time.monotonic() - begun
        run.observe(
            Event(kind="step-end", phase=step.phase, step_id=step.id, table=step.table or "", elapsed_s=elapsed)
        )


def _refuse_changed(arrival: Arrival, server: Target, connection: psycopg.Connection) -> None:
    """Now that nobody else can write: is everything as it was when the plan was made?"""
    schema = arrival.plan.target_schema
    names = {table.target for table in arrival.plan.tables}
    now = server.read_holding(schema, connection)
    catalog = server.read_catalog(schema, connection)
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
    journal.write_published(list_relations(held))
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
# The proof


def prove_arrival(
    run: Run, arrival: Arrival, server: Target, held: TargetCatalog, holding: Holding, *, scratch: Path
) -> bool:
    """Prove a schema that was filled earlier: every value, the sequences, and the definitions as they were then."""
    with SnapshotReader(server) as reader:
        return _prove(run, arrival, reader, held, holding, scratch, later=True)


def _prove(
    run: Run,
    arrival: Arrival,
    reader: ProofTarget,
    held: TargetCatalog,
    holding: Holding,
    scratch: Path,
    *,
    later: bool = False,
) -> bool:
    """Compare every value, and both catalogues; puts what it found into the run. Returns whether all is equal.

    later: the sequences that the run did not touch may have moved since.
    """
    wrong = [
        *compare_catalogs(arrival.target, held),
        *_compare_footprints(arrival.holding.footprint, holding.footprint),
        *_compare_sequences(arrival, holding, later=later),
    ]
    run.objects = _count_objects(arrival.plan, held)
    if not run.options.verify:
        loaded = {step.copy for step in arrival.plan.steps if step.copy is not None}
        counted = {table.source: table.rows for table in arrival.plan.tables}
        reports = [
            report if report.name in loaded else replace(report, rows_target=counted[report.name])
            for report in list_unproven(arrival.plan, run)
        ]
        run.tables = _with_replaced(arrival.plan, reports)
        run.mismatches, run.mismatch_count = tuple(wrong[:_DIFFERENCES_LISTED]), len(wrong)
        return not wrong
    with run.phase("proof"):
        proofs = [
            verify_table(
                table,
                arrival.snapshot,
                reader,
                schema=held.schema,
                target_catalog=held,
                show_values=run.options.show_values,
                scratch_dir=scratch,
                observe=run.observe,
            )
            for table in arrival.plan.tables
        ]
    reports = [
        TableReport(
            name=proof.table,
            target=proof.target,
            rows_source=proof.rows_source,
            rows_target=proof.rows_target,
            bytes=run.loaded(proof.table).size_bytes,
            elapsed_s=run.loaded(proof.table).elapsed_s,
            values_compared=proof.values_compared,
            digest=proof.target_digest.text,
            verdict=proof.verdict,
            proof_elapsed_s=proof.elapsed_s,
            method=proof.method,
        )
        for proof in proofs
    ]
    run.tables = _with_replaced(arrival.plan, reports)
    run.mismatches = (*(found for proof in proofs for found in proof.mismatches), *wrong[:_DIFFERENCES_LISTED])
    run.mismatch_count = sum(proof.mismatch_count for proof in proofs) + len(wrong)
    return not run.mismatch_count and all(table.verdict == "proven" for table in run.tables)


def _with_replaced(plan: Plan, reports: Sequence[TableReport]) -> tuple[TableReport, ...]:
    replaced = {table.source: table.replaced for table in plan.tables}
    return tuple(replace(report, rows_replaced=replaced[report.name]) for report in reports)


def _compare_footprints(before: Sequence[str], after: Sequence[str]) -> Iterator[Mismatch]:
    """Every line must be there as often as before."""
    lost, gained = Counter(before) - Counter(after), Counter(after) - Counter(before)
    for line in lost:
        what = line.partition(": ")[0]
        yield differ("other", what, None, line, "not so", f"{what} is not as it was: {line}")
    for line in gained:
        what = line.partition(": ")[0]
        yield differ("other", what, None, "not so", line, f"{what} was not so before: {line}")


def _compare_sequences(arrival: Arrival, holding: Holding, *, later: bool) -> Iterator[Mismatch]:
    """Each sequence of a column that was filled is above its ids; every other stands where it stood."""
    demanded = {planned.name: planned for planned in arrival.plan.objects if planned.kind == "sequence"}
    touched = {step.id.rpartition("/")[2] for step in arrival.plan.steps if "/sequence/" in step.id}
    before = {(found.schema, found.name): found for found in arrival.holding.sequences}
    for found in holding.sequences:
        planned = demanded.get(found.name)
        earlier = before.get((found.schema, found.name))
        if planned is not None and found.increment > 0 and found.column in planned.columns:
            least = planned.at_least or 1
            if least > found.max_value:
                if found.next_value is not None:
                    yield differ("sequence", found.name, found.table, "exhausted", f"at {found.next_value}")
            elif found.next_value is not None and found.next_value < least:
                yield differ("sequence", found.name, found.table, f"at {least} or above", f"at {found.next_value}")
        if earlier is not None and found.increment > 0 and _position(found) < _position(earlier):
            yield differ(
                "sequence", found.name, found.table, f"at {_position(earlier)} or above", f"at {_position(found)}"
            )
        if not later and earlier is not None and found.name not in touched and _position(found) != _position(earlier):
            yield differ("sequence", found.name, found.table, "untouched", f"at {_position(found)}")


def _position(sequence: Any) -> int:
    return int(sequence.last_value + (sequence.increment if sequence.is_called else 0))


def _count_objects(plan: Plan, held: TargetCatalog) -> ObjectCounts:
    """Both sides' objects: of the tables that rows went into. What only one side has is named by findings."""
    names = {table.target for table in plan.tables}
    tables = [table for table in held.tables if table.name in names]
    declared = plan.source_objects

    def of_kind(kind: str) -> int:
        return sum(constraint.kind == kind for table in tables for constraint in table.constraints)

    found = {
        "tables": len(tables),
        "columns": sum(len(table.columns) for table in tables),
        "indexes": sum(len(table.indexes) for table in tables),
        "unique": of_kind("u"),
        "checks": of_kind("c"),
        "foreign_keys": of_kind("f"),
        "sequences": sum(len(table.sequences) for table in tables),
        "views": len(held.views),
    }
    return ObjectCounts(
        **{sort: ObjectCount(source=getattr(declared, sort), target=number) for sort, number in found.items()}
    )


# ---------------------------------------------------------------------------------------------------------------------
# Rows that were replaced: kept in the run directory


def _keep_replaced(arrival: Arrival, connection: psycopg.Connection, journal: Journal, directory: Path) -> None:
    """Write the rows that are replaced into the run directory, as COPY text: every column but the generated ones."""
    kept = []
    replaced = [table for table in arrival.plan.tables if table.replaced]
    if not replaced:
        return
    place = directory / REPLACED_NAME
    place.mkdir(mode=0o700)
    for number, table in enumerate(replaced, 1):
        names = [column.name for column in arrival.target.table(table.target).columns if not column.generated]
        listed = ", ".join(map(quote_name, names))
        select_sql = f"SELECT {listed} FROM {quote_qualified(arrival.plan.target_schema, table.target)}"
        path = place / f"{number}.copy"
        digest = hashlib.sha256()
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - its mode
            for block in TransactionReader(connection).copy_out(select_sql):
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        kept.append(
            {"table": table.target, "columns": names, "file": path.name, "rows": table.replaced,
             "sha256": digest.hexdigest()}
        )  # fmt: skip
    journal.set_value("replaced_rows", json.dumps(kept))


def _discard_replaced(directory: Path) -> None:
    """Take the kept rows away again: the target has them."""
    place = directory / REPLACED_NAME
    with contextlib.suppress(OSError):
        for path in place.iterdir():
            path.unlink()
        place.rmdir()


# ---------------------------------------------------------------------------------------------------------------------
# Naming rows


def _copy(run: Run, arrival: Arrival, step: Step, server: Target, connection: psycopg.Connection) -> None:
    plan, snapshot = arrival.plan, arrival.snapshot
    try:
        copy_table(step, plan, arrival.catalog, snapshot, server, connection, run.observe)
    except MigrationError as error:
        raise _name_copied_row(error, arrival, plan.table(step.copy or "")) from error


def _name_copied_row(error: MigrationError, arrival: Arrival, mapped: TableMap) -> MigrationError:
    """Name the row that the server stumbled over: it counts the rows of a COPY, and its context says how far it was.

    The context can show values as well: nothing but the number is taken from it.
    """
    context = getattr(getattr(error.__cause__, "diag", None), "context", None) or ""
    found = re.search(r", line (\d+)", context)
    if found is None or error.key or error.code != "step-failed":
        return error
    names = list(mapped.key) or [column.source for column in mapped.columns[:1]]
    number = int(found[1]) - 1
    for rows in arrival.snapshot.read_rows(arrival.catalog.table(mapped.source), names, invalid_text=True):
        if number < len(rows):
            key = ", ".join(
                f"{name}={describe_key_value(value)}" for name, value in zip(names, rows[number], strict=True)
            )
            return MigrationError(
                error.what,
                code=error.code,
                hint=error.hint or "repair it on a copy of the source, then run again",
                table=mapped.source,
                column=error.column,
                key=key,
                step_id=error.step_id,
            )
        number -= len(rows)
    return error


def _name_rows(error: MigrationError, step: Step, arrival: Arrival, connection: psycopg.Connection) -> MigrationError:
    """Name the rows that a foreign key or unique index does not take; any other error is returned as it is."""
    state = getattr(error.__cause__, "sqlstate", "")
    kind, _, ident = step.id.removeprefix("post-data/").partition("/")
    select_sql, shown = "", list[str]()
    if state == "23503" and kind == "foreign-key":
        key = next(key for key in arrival.holding.foreign_keys if f"{key.table}.{key.name}" == ident)
        shown = list(key.columns)
        pairs = zip(key.columns, key.parent_columns, strict=True)
        match = " AND ".join(f"p.{quote_name(parent)} = c.{quote_name(child)}" for child, parent in pairs)
        complete = " AND ".join(f"c.{quote_name(child)} IS NOT NULL" for child in key.columns)
        select_sql = (
            f"FROM {quote_qualified(key.schema, key.table)} c WHERE {complete} AND NOT EXISTS"
            f" (SELECT FROM {quote_qualified(key.parent_schema, key.parent_table)} p WHERE {match})"
        )
    elif state == "23505" and kind == "index":
        table, _, name = ident.partition(".")
        index = next((index for index in arrival.target.table(table).indexes if index.name == name), None)
        if index is None or index.partial or None in index.columns:
            return error
        shown = [column for column in index.columns if column is not None]
        keys = ", ".join(f"c.{quote_name(column)}" for column in shown)
        place = quote_qualified(arrival.plan.target_schema, table)
        select_sql = f"FROM {place} c GROUP BY {keys} HAVING count(*) > 1"
    if not select_sql:
        return error
    columns = ", ".join(f"c.{quote_name(column)}::text" for column in shown)
    with reporting("looking for the rows"):
        rows = connection.execute(f"SELECT {columns} {select_sql} ORDER BY 1 LIMIT 6".encode()).fetchall()
    listed = [", ".join(f"{name}={value}" for name, value in zip(shown, row, strict=True)) for row in rows]
    return MigrationError(
        f"{error.what}: {'; '.join(listed[:5])}{' …' if len(listed) > 5 else ''}",
        code=error.code,
        hint=error.hint or "repair the rows on a copy of the source, then run again",
        step_id=error.step_id,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Undo


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
    with server.one_transaction() as connection:
        _run_sql(plan, ("pre-data/lock",), server, connection)
        _refuse_altered(before, published, server, connection)
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
        for step in plan.steps:
            if step.phase == "data":
                server.execute_all(step.undo_sql, step_id=f"undo/{step.id}", connection=connection)
        _put_back(plan, server, journal, directory, connection)
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
        for step in plan.steps:
            if step.id.startswith("post-data/sequence/"):
                server.execute_all(step.undo_sql, step_id=f"undo/{step.id}", connection=connection)
        _refuse_altered(before, published, server, connection)


def _run_sql(plan: Plan, prefixes: tuple[str, ...], server: Target, connection: psycopg.Connection) -> None:
    for step in plan.steps:
        if step.id.startswith(prefixes):
            server.execute_all(step.sql, step_id=f"undo/{step.id}", connection=connection)


def _refuse_altered(before: Holding, published: TargetCatalog, server: Target, connection: psycopg.Connection) -> None:
    """Refuse where the schema is not as it was when the run ended. Raises: MigrationError (undo-refused)."""
    holding = server.read_holding(published.schema, connection)
    if holding is None:
        raise MigrationError(f"schema {published.schema} is not there any more", code="undo-nothing")
    held = server.read_catalog(published.schema, connection)
    wrong = [*compare_catalogs(published, held), *_compare_footprints(before.footprint, holding.footprint)]
    if wrong:
        raise MigrationError(
            f"{len(wrong)} definitions are not as the run left them: "
            + "; ".join(difference.message for difference in wrong[:5])
            + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""),
            code="undo-refused",
            hint="put the schema back as it was; nothing was touched",
        )


def _put_back(plan: Plan, server: Target, journal: Journal, directory: Path, connection: psycopg.Connection) -> None:
    """Copy the replaced rows back, and read them once more: byte by byte what was kept."""
    for kept in json.loads(journal.read_value("replaced_rows") or "[]"):
        path = directory / REPLACED_NAME / kept["file"]
        place, listed = quote_qualified(plan.target_schema, kept["table"]), ", ".join(map(quote_name, kept["columns"]))
        if hash_file(path) != kept["sha256"]:
            raise MigrationError(f"{path} is not as the run wrote it", code="undo-refused", hint="nothing was touched")
        copy_sql = f"COPY {place} ({listed}) FROM STDIN"
        server.copy_rows(connection, copy_sql, _read_blocks(path), step_id=f"undo/replace-rows/{kept['table']}")
        digest = hashlib.sha256()
        for block in TransactionReader(connection).copy_out(f"SELECT {listed} FROM {place}"):
            digest.update(block)
        if digest.hexdigest() != kept["sha256"]:
            raise MigrationError(
                f"the rows of {kept['table']} did not come back as they were", code="undo-refused",
                hint=f"they are in {path}; nothing was touched",
            )  # fmt: skip


def _read_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 18):
            yield block


def hash_file(path: Path) -> str:
    """The SHA-256 of a file; "" when it cannot be read."""
    digest = hashlib.sha256()
    try:
        for block in _read_blocks(path):
            digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()


def read_holding_file(directory: Path) -> Holding:
    """What the schema held before a run, from its directory. Raises: MigrationError (run-dir)."""
    return read_saved(directory, HOLDING_NAME, Holding)
