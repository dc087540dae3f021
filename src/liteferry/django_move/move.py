"""The use cases for a Django project, end to end: check, migrate and rehearse, verify.

Layer 3. What `pipeline` is for a file alone. The schema comes from the project's own migrations, which run in a staging
schema; the rows go in by `arrival`, which fills any schema that an application made; the proof is the same; and then
the project's own ORM has to read all of it there, before anything is published.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from liteferry.arrival import arrive, fill_staging
from liteferry.course import (
    carry_out,
    follow_plan,
    open_or_start,
    publish_or_rehearse,
    read_schema,
    run_through,
    scratch_dir,
)
from liteferry.django_move.evidence import read_by_orm
from liteferry.django_move.journey import Journey, set_out
from liteferry.django_move.planning import Ready, plan_in_place, plan_on_embedded, prepare_schema, refuse_filled
from liteferry.django_move.publishing import clear_made
from liteferry.django_move.start import Start, begin
from liteferry.errors import MigrationError
from liteferry.foresight import Examination, describe_examination, look_ahead
from liteferry.model import Event, Options, ignore, to_json
from liteferry.names import STAGING_COMMENT, staging_name
from liteferry.planner.missing import recount_missing
from liteferry.run import PLAN_NAME, Run, describe_failure, write_private
from liteferry.staging import refuse_target
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from liteferry.journal import Journal
    from liteferry.model import Plan, Report
    from liteferry.target import Target

_NAMED: Final = 5


def check_project(target: str | None, options: Options, observe: Callable[[Event], None] = ignore) -> Plan:
    """Plan a project's move, touching neither source nor target: the schema is made on the embedded server.

    target: a connection string, None for what the project's settings name. Raises: MigrationError.
    """
    return examine_project(target, options, observe).plan


def examine_project(target: str | None, options: Options, observe: Callable[[Event], None] = ignore) -> Examination:
    """Plan a project's move as `check_project` does, and predict its window as `examine` does.

    Raises: MigrationError.
    """
    start = begin(target, options)
    run = Run(start.path, options, observe)
    with contextlib.ExitStack() as stack:
        server = None
        if start.target is not None:
            server = stack.enter_context(open_target(start.target))
            run.server = server.info
        if server is not None and options.into != "existing":
            refuse_target(server, options.schema, exists=server.read_catalog(options.schema).exists)
        ahead = look_ahead(run, server)
        journey = stack.enter_context(set_out(run, start, None, options.prune))
        if server is not None and options.into == "existing":
            return describe_examination(run, plan_in_place(journey, server).plan, ahead)
        if server is not None:
            refuse_filled(server, journey.project, options.schema)
        return describe_examination(run, plan_on_embedded(journey, server).plan, ahead)


def migrate_project(
    target: str | None, options: Options, observe: Callable[[Event], None] = ignore, start: Start | None = None
) -> Report:
    """Move a project's database, prove that every value arrived, read it by its ORM, and publish it.

    target: as for `check`. start: what `start_project` found for them, which saves asking the project again. With
    `Options.rehearsal` nothing remains in the target. Returns and raises as `pipeline.migrate` does.
    """
    start = begin(target, options, start)
    run = Run(start.path, options, observe)

    def name_undone() -> str:
        unread = run.options.verify and run.django is not None and run.django.evidence is None
        return "the project has not read it: `liteferry verify` does that" if unread else ""

    return run_through(run, lambda: _run_move(run, start), name_undone)


def _run_move(run: Run, start: Start) -> Report:
    options = run.options
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(open_or_start(start.target, run))
        server.lock_schema(options.schema)
        if options.into == "existing":
            read_schema(server, options.schema)
        else:
            refuse_target(server, options.schema, exists=server.read_catalog(options.schema).exists)
        directory = stack.enter_context(scratch_dir()) if options.dry_run else run.make_directory()
        ahead = look_ahead(run, server, moves=True)
        journey = stack.enter_context(set_out(run, start, directory, options.prune, keep=not options.dry_run))
        if options.into == "existing":
            arrival = plan_in_place(journey, server)

            def fill(journal: Journal) -> Report:
                report = arrive(run, arrival, server, journal, directory)
                return _read_filled(journey, server, arrival.plan) if run.published and options.verify else report

            return follow_plan(run, arrival.plan, journey.snapshot, server, directory, ahead, fill)
        refuse_filled(server, journey.project, options.schema)
        ready: Ready | None = None
        if start.target is None:  # the database is ours: what is planned on is what is filled
            ready = prepare_schema(journey, server)
            plan = ready.plan
        else:
            try:
                plan = plan_on_embedded(journey, server).plan
            except MigrationError as error:
                if error.code != "embedded-missing":
                    raise
                ready = stack.enter_context(_plan_on_target(journey, server))
                plan = ready.plan

        def carry(journal: Journal) -> Report:
            if ready is None:
                _clear_killed(run, server, plan.staging_schema, plan.target_schema)
            return _carry(journey, ready, plan, server, journal, directory)

        return follow_plan(run, plan, journey.snapshot, server, directory, ahead, carry)


@contextlib.contextmanager
def _plan_on_target(journey: Journey, server: Target) -> Iterator[Ready]:
    """Plan in a staging schema of the target, where there is no embedded server; it goes away with what blocks."""
    run, schema = journey.run, journey.run.options.schema
    run.note("the embedded PostgreSQL is not installed: the plan is made in a staging schema of the target")
    staging = staging_name(schema)
    _clear_killed(run, server, staging, schema)
    try:
        ready = prepare_schema(journey, server)
        yield ready
    finally:
        _clear_beside(run, server, staging, schema)


def _carry(
    journey: Journey, ready: Ready | None, plan: Plan, server: Target, journal: Journal, directory: Path
) -> Report:
    """Make the schema where it is not yet made; load, prove, read by the ORM, publish; or take everything back."""
    run = journey.run

    def work() -> bool:
        filled = ready or _prepare_on_target(journey, server, plan)
        proven = fill_staging(run, filled.arrival, server, journal, directory)
        run.plan = filled.plan
        run.objects = recount_missing(run.objects, filled.plan.findings)
        if proven and run.options.verify:
            proven = read_by_orm(journey, server, filled.plan, filled.plan.staging_schema)
        if proven:
            write_private(directory / PLAN_NAME, to_json(filled.plan))
            publish_or_rehearse(run, filled.plan, server, journal)
        return proven

    try:
        return carry_out(run, plan, server, journal, directory, work, journey.snapshot.discard)
    finally:
        _clear_beside(run, server, plan.staging_schema, plan.target_schema)


def _clear_beside(run: Run, server: Target, staging: str, schema: str) -> None:
    """Take away what the migrations created beside the staging schema, where that was taken back."""
    if run.published or run.publishing is not None or run.staging_kept:
        return
    try:
        clear_made(server, staging, schema)
    except MigrationError as error:
        run.warn(f"extensions that the migrations created may still be there ({error}): the next run will remove them")


def _read_filled(journey: Journey, server: Target, plan: Plan) -> Report:
    """Have the project read its own tables, now that the rows are there: it cannot read them before the commit."""
    run = journey.run
    why = "the project reads other values than before: look at the evidence"
    failure: MigrationError | None = None
    try:
        if read_by_orm(journey, server, plan, plan.target_schema):
            return run.report(run.good_verdict)
    except MigrationError as error:
        why, failure = f"the project could not read what was brought over: {error}", error
    run.warn(f"{why}. Every row is there, and `liteferry undo` takes them back")
    return run.report("mismatch", describe_failure(failure) if failure else None)


def _prepare_on_target(journey: Journey, server: Target, planned: Plan) -> Ready:
    """The same preparation on the target itself. Raises: MigrationError where its plan has a finding that blocks."""
    ready = prepare_schema(journey, server)
    if ready.plan.blockers:
        known = {(found.code, found.place) for found in planned.findings}
        new = [found for found in ready.plan.blockers if (found.code, found.place) not in known] or ready.plan.blockers
        raise MigrationError(
            f"on this server the plan has findings that it did not have on the embedded one:"
            f" {'; '.join(found.message for found in new[:_NAMED])}",
            code="target-changed",
            hint="`liteferry rehearse` with this target shows them",
        )
    return ready


def _clear_killed(run: Run, server: Target, staging: str, schema: str) -> None:
    """Take away what a killed run left. The advisory lock says that no other run is using it."""
    if server.read_schema_comment(staging) == STAGING_COMMENT:
        run.note("a staging schema left behind by a run that was killed has been removed")
    clear_made(server, staging, schema)
