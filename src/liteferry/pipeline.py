"""The use cases, end to end: inspect, plan and check, migrate, verify, digest.

Layer 3. Each function here reads like what it does: open the source, open the target, plan, execute, prove, publish;
the work is in the modules that it calls. The public Python API (`liteferry`) and the command line call these.

What is needed only when there is a snapshot is imported in functions: `course.open_source` has it imported while the
child process takes the snapshot, which hides a fifth of a second of every run.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from liteferry.choosing.suggestions import ColumnChoice, choose_columns
from liteferry.course import (
    carry_out,
    follow_plan,
    open_or_start,
    open_source,
    publish_or_rehearse,
    read_schema,
    read_schema_aside,
    refuse_contradictions,
    refuse_options,
    run_through,
    scratch_dir,
)
from liteferry.errors import MigrationError
from liteferry.expectation import decide_as, expect_definitions, refresh_plan, refuse_other_source
from liteferry.foresight import Examination, describe_examination, look_ahead
from liteferry.model import (
    Catalog,
    Census,
    Event,
    Options,
    Plan,
    Report,
    SourceInfo,
    TableDigest,
    TargetCatalog,
    ignore,
)
from liteferry.run import Run, choose_jobs, read_plan, read_report
from liteferry.source import show_path
from liteferry.staging import clear_staging, refuse_target
from liteferry.target import SnapshotReader, Target, open_target

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from liteferry.evidence import Cargo
    from liteferry.journal import Journal
    from liteferry.source import Snapshot

DEFAULT_OPTIONS: Final = Options()
PROVING_CONNECTIONS: Final = 3
"""What cannot be done with fewer: one that holds the run's lock, one that holds the snapshot, one that reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What `inspect` found in a source. ``choices``: what each column becomes in PostgreSQL, and could become."""

    source: SourceInfo
    catalog: Catalog
    census: Census
    choices: tuple[ColumnChoice, ...] = ()


def inspect(
    source: str | Path, options: Options = DEFAULT_OPTIONS, observe: Callable[[Event], None] = ignore
) -> Inspection:
    """Read a source's catalogue and census from a snapshot, which goes away again; choose the columns' types.

    Raises: MigrationError (source-…, disk-space).
    """
    found: Inspection = _in_child_without_snapshot("inspect", (str(source),), options, observe, _inspect)
    return replace(found, choices=choose_columns(found.catalog, found.census, options))


def plan(
    source: str | Path,
    target: str | None = None,
    options: Options = DEFAULT_OPTIONS,
    observe: Callable[[Event], None] = ignore,
) -> Plan:
    """Plan a migration, touching neither source nor target. Its findings are what `check` shows.

    target: a connection string, whose schema is then looked at; None plans for an empty one.
    Raises: MigrationError (source-…, server-…, no-create-right, staging-exists, usage).
    """
    return examine(source, target, options, observe).plan


check = plan


def examine(
    source: str | Path,
    target: str | None = None,
    options: Options = DEFAULT_OPTIONS,
    observe: Callable[[Event], None] = ignore,
) -> Examination:
    """Plan a migration as `plan` does, and predict how long the application would have to stand still for it.

    By the newest run beside the source, or that of `Options.rehearsed`; without one by what things usually take, this
    machine's census and a short trial of the server, which writes nothing there. Raises: as `plan`.
    """
    return _in_child_without_snapshot("examine", (str(source), target), options, observe, _examine)  # type: ignore[no-any-return]  # what _examine returns


def migrate(
    source: str | Path,
    target: str | None = None,
    options: Options = DEFAULT_OPTIONS,
    observe: Callable[[Event], None] = ignore,
) -> Report:
    """Move a SQLite file into PostgreSQL, prove that every value arrived, and publish it in one transaction.

    target: a connection string for libpq; None starts the embedded PostgreSQL and makes a database there.

    Returns a report whatever came out of it: look at `Report.verdict`. ``blocked``: findings must be decided;
    ``mismatch`` and ``failed``: nothing was published and the target is as it was. The run directory holds the same
    report as files.

    Raises: MigrationError when no plan could be made at all (source unusable, server unreachable …);
    KeyboardInterrupt, after everything was taken back.
    """
    return _in_child_without_snapshot("migrate", (str(source), target), options, observe, _migrate)  # type: ignore[no-any-return]  # what _migrate returns


def verify(
    source: str | Path,
    target: str,
    options: Options = DEFAULT_OPTIONS,
    observe: Callable[[Event], None] = ignore,
) -> Report:
    """Prove that a target holds what the source holds, whoever moved it and whenever.

    The plan that the target is held against is that of `Options.run_dir` where one is given, else it is made anew;
    findings then count as accepted, unless `Options.accept` names some.

    Raises: MigrationError.
    """
    return _in_child_without_snapshot("verify", (str(source), target), options, observe, _verify)  # type: ignore[no-any-return]  # what _verify returns


def digest(
    database: str, options: Options = DEFAULT_OPTIONS, observe: Callable[[Event], None] = ignore
) -> tuple[tuple[str, TableDigest], ...]:
    """Digest one side alone: the tables' names in the target, and their canonical digests.

    database: a SQLite file that exists, else a connection string. The digests of both sides are equal when, and only
    when, every value is.
    """
    if os.path.exists(database) or _looks_like_path(database):  # noqa: PTH110 - Path.exists raises for names too long
        found = _in_child_without_snapshot("digest", (database,), options, observe, _digest_source)
        return tuple(found)
    from liteferry.planner import map_target_tables
    from liteferry.proof import digest_target, foresee_reads

    with open_target(database) as server:
        catalog = server.read_catalog(options.schema)
        tables = read_plan(Path(options.run_dir)).tables if options.run_dir else map_target_tables(catalog, options)
        if not tables:
            raise MigrationError(
                f"there is nothing to digest: no table of schema {options.schema} in database {server.info.database}"
                + (" is selected" if catalog.tables else ""),
                code="usage",
                hint="name the schema with --schema; table patterns mind the case",
            )
        with SnapshotReader(server) as reader:
            reader.expect(foresee_reads(tables, options.schema, ordered=False))
            return tuple(digest_target(tables, reader, schema=options.schema, observe=observe))


def _looks_like_path(database: str) -> bool:
    """Whether a text that names no file was meant for one: no connection string is without both of these. Pure."""
    return bool(database) and "=" not in database and "://" not in database


# ---------------------------------------------------------------------------------------------------------------------
# Without a snapshot the whole use case moves into a child process


def _in_child_without_snapshot(
    name: str,
    arguments: tuple[object, ...],
    options: Options,
    observe: Callable[[Event], None],
    run: Callable[..., Any],
) -> Any:  # whatever the use case returns
    """Run a use case here, or with --snapshot none in a child process.

    There the one read transaction stands for the snapshot, and it must not live in a process that may have the same
    file open for other reasons: closing either of the two would drop the other's locks.
    """
    options = replace(options, project=None)  # a file of decisions may name one; here a file is moved, not a project
    refuse_contradictions(options)
    if options.snapshot == "copy":
        return run(*arguments, options, observe)
    from liteferry.child import run_in_child

    return run_in_child("use_case", (name, arguments, options), observe=observe)


def run_use_case(request: tuple[str, tuple[object, ...], Options], observe: Callable[[Event], None]) -> object:
    """Run a use case in this process: what the child process calls."""
    name, arguments, options = request
    use_cases: dict[str, Callable[..., object]] = {
        "inspect": _inspect,
        "examine": _examine,
        "migrate": _migrate,
        "verify": _verify,
        "digest": _digest_source,
    }
    return use_cases[name](*arguments, options, observe)


def _read_source(snapshot: Snapshot, run: Run, options: Options | None = None) -> tuple[Catalog, Census]:
    """The catalogue, and the census with the rows set apart that the user quarantines. options: else the run's."""
    from liteferry.choosing import demand_conversions
    from liteferry.decisions import demand_types
    from liteferry.planner import select_tables
    from liteferry.quarantine import settle_rows

    catalog, options = snapshot.read_catalog(), options or run.options
    with run.phase("census"):
        demanded = demand_types(catalog, options)
        conversions = demand_conversions(catalog, options, demanded)
        chosen = {table.name for table in select_tables(catalog, options)[0]}
        census = snapshot.take_census(catalog, chosen, run.observe, demanded=demanded, conversions=conversions)
        census = settle_rows(snapshot, catalog, census, options, run.observe, demanded)
        run.save_offenders(snapshot)
        return catalog, census


def _inspect(source: str, options: Options, observe: Callable[[Event], None]) -> Inspection:
    run = Run(source, options, observe)
    with open_source(source, None, run) as snapshot:
        catalog = snapshot.read_catalog()
        with run.phase("census"):
            census = snapshot.take_census(catalog, observe=run.observe)
            run.save_offenders(snapshot)
        return Inspection(source=snapshot.info, catalog=catalog, census=census)


def _examine(source: str, target: str | None, options: Options, observe: Callable[[Event], None]) -> Examination:
    from liteferry.planner import plan_migration

    refuse_options(target, options)
    run = Run(source, options, observe)
    with contextlib.ExitStack() as stack:
        held = read = server = None
        if target is not None:
            server = stack.enter_context(open_target(target))
            run.server = server.info
            if options.into == "existing":
                read = read_schema(server, options.schema)  # before the source is read: it may not be there
            else:
                held = server.read_catalog(options.schema)
                refuse_target(server, options.schema, exists=held.exists)
        ahead = look_ahead(run, server)
        snapshot = stack.enter_context(open_source(source, None, run))
        if server is not None and options.into == "existing":
            from liteferry.arrival import plan_arrival

            made = plan_arrival(run, server, snapshot, source, read=read).plan
        else:
            catalog, census = _read_source(snapshot, run)
            with run.phase("plan"):
                if server is not None:
                    made = _plan_tried(run, catalog, census, held, options, server)
                else:
                    made = plan_migration(catalog, census, held, options, source=show_path(Path(source).name))
            run.weigh(made)
        return describe_examination(run, made, ahead)


def _digest_source(
    source: str, options: Options, observe: Callable[[Event], None]
) -> tuple[tuple[str, TableDigest], ...]:
    from liteferry.planner import plan_migration
    from liteferry.proof import digest_source

    run = Run(source, options, observe)
    with open_source(source, None, run) as snapshot:
        if options.run_dir is not None:
            made = read_plan(Path(options.run_dir))
            if made.apart:
                _read_source(snapshot, run, decide_as(made, options))
        else:
            anywhere = replace(options, nocase="bytes")  # no way of ignoring case changes a digest
            made = plan_migration(*_read_source(snapshot, run), None, anywhere, source=show_path(Path(source).name))
        return tuple(digest_source(made.tables, snapshot, observe=observe))


# ---------------------------------------------------------------------------------------------------------------------
# Migrate


def _migrate(source: str, target: str | None, options: Options, observe: Callable[[Event], None]) -> Report:
    run = Run(source, options, observe)
    return run_through(run, lambda: _run_migration(source, target, run))


def _run_migration(source: str, target: str | None, run: Run) -> Report:
    options = run.options
    refuse_options(target, options)
    if options.into == "existing":
        return _run_arrival(source, target or "", run)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(open_or_start(target, run))
        server.lock_schema(options.schema)
        held = server.read_catalog(options.schema)
        refuse_target(server, options.schema, exists=held.exists)
        server.reserve_connections(PROVING_CONNECTIONS if options.verify else 2)
        directory = stack.enter_context(scratch_dir()) if options.dry_run else run.make_directory()
        ahead = look_ahead(run, server, moves=True)
        snapshot = stack.enter_context(open_source(source, directory, run, keep=not options.dry_run))
        catalog, census = _read_source(snapshot, run)
        with run.phase("plan"):
            made = run.plan = _plan_tried(run, catalog, census, held, options, server)
        run.weigh(made)

        def carry(journal: Journal) -> Report:
            from liteferry.evidence import Cargo

            clear_staging(server, made, run)
            return _carry(run, Cargo(made, catalog, census, snapshot), server, journal, directory)

        return follow_plan(run, made, snapshot, server, directory, ahead, carry)


def _plan_tried(
    run: Run, catalog: Catalog, census: Census, held: TargetCatalog | None, options: Options, server: Target
) -> Plan:
    """Plan, and try out what was translated: what gives two answers is not used."""
    from liteferry.planner import plan_migration
    from liteferry.proof import probe_translations

    name = show_path(Path(run.path).name)
    made = plan_migration(catalog, census, held, options, source=name, server=server.info)
    refused = probe_translations(made, catalog, census, server)
    if not refused:
        return made
    return plan_migration(catalog, census, held, options, source=name, server=server.info, refused=refused)


def _run_arrival(source: str, target: str, run: Run) -> Report:
    """The same into a schema that is there: no staging, but one transaction."""
    options = run.options
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(open_or_start(target, run))
        server.lock_schema(options.schema)
        server.reserve_connections(2)
        directory = stack.enter_context(scratch_dir()) if options.dry_run else run.make_directory()
        ahead = look_ahead(run, server, moves=True)  # before the server is given anything to do
        with read_schema_aside(server, options.schema) as await_schema:
            snapshot = stack.enter_context(open_source(source, directory, run, keep=not options.dry_run))
            read = await_schema()
        from liteferry.arrival import arrive, plan_arrival

        arrival = plan_arrival(run, server, snapshot, source, read=read)

        def carry(journal: Journal) -> Report:
            return arrive(run, arrival, server, journal, directory)

        return follow_plan(run, arrival.plan, snapshot, server, directory, ahead, carry)


def _carry(run: Run, cargo: Cargo, server: Target, journal: Journal, directory: Path) -> Report:
    """Execute, prove, publish; or take everything back."""
    from liteferry.evidence import defer_analyses, prove_staging

    def work() -> bool:
        now, later = defer_analyses(run, cargo)
        # closed before anything is taken back: then its workers have ended
        with contextlib.closing(_execute(run, replace(cargo, plan=now), server)) as events:
            for event in events:
                run.observe(event)
        proven = prove_staging(run, cargo, server, directory, later)
        if proven:
            publish_or_rehearse(run, cargo.plan, server, journal)
        return proven

    return carry_out(run, cargo.plan, server, journal, directory, work, cargo.snapshot.discard)


def _execute(run: Run, cargo: Cargo, server: Target) -> Generator[Event, None, None]:
    from liteferry.executor import execute

    return execute(
        cargo.plan, cargo.catalog, cargo.snapshot, server, jobs=run.jobs, hooks=run.hooks, writers=run.writers
    )


# ---------------------------------------------------------------------------------------------------------------------
# Verify


def _verify(source: str, target: str, options: Options, observe: Callable[[Event], None]) -> Report:
    made = read_plan(Path(options.run_dir)) if options.run_dir is not None else None
    if made is not None and made.into == "django":
        raise MigrationError(
            f"the run in {options.run_dir} moved a Django project, whose models say what its values mean",
            code="usage",
            hint="liteferry verify --django DIR TARGET --run-dir RUN_DIR, without SOURCE",
        )
    if made is not None and options.schema == DEFAULT_OPTIONS.schema:
        options = replace(options, schema=made.target_schema)
    if made is not None and made.into != options.into:
        options = replace(options, into=made.into)
    run = Run(source, options, observe)
    run.jobs = choose_jobs(options.jobs)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(open_target(target))
        run.server = server.info
        server.reserve_connections(PROVING_CONNECTIONS)
        scratch = stack.enter_context(scratch_dir())
        snapshot = stack.enter_context(open_source(source, scratch, run))
        if options.into == "existing":
            from liteferry.arrival import verify_arrival

            return verify_arrival(run, made, server, snapshot, source, scratch)
        if made is not None:
            refuse_other_source(made, snapshot.read_catalog(), source)
        catalog, census = _read_source(snapshot, run, decide_as(made, options) if made is not None else None)
        if made is not None:
            run.hooks.runs += read_report(Path(options.run_dir)).hooks if options.run_dir is not None else ()
            run.plan = refresh_plan(made, census)
        else:
            taken = replace(options, accept=options.accept or ("all",))
            with run.phase("plan"):
                run.plan = _plan_tried(run, catalog, census, None, taken, server)
        from liteferry.evidence import Cargo, prove

        with run.phase("proof"):
            cargo = Cargo(run.plan, catalog, census, snapshot)
            expected = expect_definitions(run, run.plan, server)
            held = server.read_catalog(options.schema)
            proven = prove(run, cargo, server, held, scratch=scratch, expected=expected)
        run.published = True
        blocked = [finding for finding in run.plan.findings if finding.blocks]
        return run.report("proven" if proven and not blocked else "mismatch" if not proven else "blocked")
