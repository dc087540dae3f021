"""The use cases for a Django project, end to end: check, migrate and rehearse, verify.

Layer 3. What `pipeline` is for a file alone. The schema comes from the project's own migrations, which run in a staging
schema; the rows go in by `arrival`, which fills any schema that an application made; the proof is the same; and then
the project's own ORM has to read all of it there, before anything is published.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from liteferry.arrival import arrive, fill_staging, plan_arrival, read_schema, refuse_options, verify_arrival
from liteferry.course import (
    carry_out,
    follow_plan,
    open_or_start,
    open_source,
    publish_or_rehearse,
    refuse_contradictions,
    scratch_dir,
)
from liteferry.decisions import matches_place
from liteferry.django_move.cache import SchemaCache
from liteferry.django_move.fresh import read_fresh_catalog
from liteferry.django_move.publishing import clear_made, mark_of, plan_publication
from liteferry.django_move.schema import make_schema
from liteferry.django_move.start import Start, start_project
from liteferry.django_project import collect_evidence, count_pruned, describe_project, prune_snapshot, read_models
from liteferry.django_rules.drift import explain_findings, find_drift
from liteferry.django_rules.evidence import judge_evidence
from liteferry.django_rules.refining import decide_by_models, exclude_derived, refine_findings
from liteferry.django_rules.values import decide_values, judge_values
from liteferry.errors import MigrationError
from liteferry.expectation import decide_as
from liteferry.model import DjangoReport, Event, Options, Step, ignore, to_json
from liteferry.names import quote_literal, quote_name
from liteferry.planner import STAGING_COMMENT, accept_findings, staging_name
from liteferry.run import AS_IT_WAS, PLAN_NAME, Run, read_plan, write_private
from liteferry.servers import default_home
from liteferry.staging import refuse_target
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from liteferry.arrival.data import Arrival
    from liteferry.django_move.schema import MadeSchema
    from liteferry.journal import Journal
    from liteferry.model import Catalog, Finding, Plan, Report
    from liteferry.project import Project, ProjectModel, Pruned, PruneRule
    from liteferry.source import Snapshot
    from liteferry.target import Target

_NAMED: Final = 5
_DEFAULT_SCHEMA: Final = Options().schema


@dataclass(frozen=True, slots=True, kw_only=True)
class _Journey:
    """What is moved: the project, described, and the snapshot of its database."""

    run: Run
    start: Start
    project: Project
    snapshot: Snapshot
    fresh: Catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A staging schema that can be filled. ``arrival``: with the plan of filling it; ``plan``: of the whole move."""

    made: MadeSchema
    arrival: Arrival
    plan: Plan


def check(target: str | None, options: Options, observe: Callable[[Event], None] = ignore) -> Plan:
    """Plan a project's move, touching neither source nor target: the schema is made on the embedded server.

    target: a connection string, None for what the project's settings name. Raises: MigrationError.
    """
    start = _start(target, options)
    run = Run(start.path, options, observe)
    with contextlib.ExitStack() as stack:
        if options.into == "existing":
            server = stack.enter_context(open_target(start.target or ""))
            return _plan_in_place(stack.enter_context(_set_out(run, start, None, options.prune)), server).plan
        if start.target is not None:
            server = stack.enter_context(open_target(start.target))
            refuse_target(server, options.schema, exists=server.read_catalog(options.schema).exists)
        journey = stack.enter_context(_set_out(run, start, None, options.prune))
        if start.target is not None:
            _refuse_filled(server, journey.project, options.schema)
        return _plan_on_embedded(journey).plan


def migrate(target: str | None, options: Options, observe: Callable[[Event], None] = ignore) -> Report:
    """Move a project's database, prove that every value arrived, read it by its ORM, and publish it.

    target: as for `check`. With `Options.rehearsal` nothing remains in the target. Returns and raises as
    `pipeline.migrate` does.
    """
    start = _start(target, options)
    run = Run(start.path, options, observe)
    try:
        return _run_move(run, start)
    except BaseException as error:
        if not run.begun:
            run.discard_directory()
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(AS_IT_WAS) from None
        if not isinstance(error, KeyboardInterrupt) or not run.published or run.directory is None:
            raise
    run.note("the interruption came too late: everything is published")
    return run.write_report(run.directory, run.report(run.good_verdict))


def _start(target: str | None, options: Options) -> Start:
    """Refuse what contradicts itself, and find the project. Raises: MigrationError."""
    if options.project is None:
        raise AssertionError("a project's move needs Options.project")
    if options.snapshot != "copy":
        raise MigrationError(
            "--snapshot none is not for Django projects: the project's own code reads the snapshot",
            code="usage",
            hint="make room for a copy, or name a --run-dir on a larger disk",
        )
    refuse_contradictions(options)
    start = start_project(options.project, target)
    refuse_options(start.target, options)
    return start


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
        journey = stack.enter_context(_set_out(run, start, directory, options.prune, keep=not options.dry_run))
        if options.into == "existing":
            arrival = _plan_in_place(journey, server)

            def fill(journal: Journal) -> Report:
                report = arrive(run, arrival, server, journal, directory)
                if run.published and options.verify and not _read_by_orm(journey, server, arrival.plan, options.schema):
                    run.note("the project reads other values than before: look at the evidence, and undo the run")
                    return run.report("mismatch")
                return run.report(report.verdict) if run.published else report

            return follow_plan(run, arrival.plan, journey.snapshot, server, directory, fill)
        _refuse_filled(server, journey.project, options.schema)
        ready: _Ready | None = None
        if start.target is None:  # the database is ours: what is planned on is what is filled
            ready = _prepare(journey, server)
            plan = ready.plan
        else:
            plan = _plan_on_embedded(journey).plan

        def carry(journal: Journal) -> Report:
            if ready is None:
                _clear_killed(run, server, plan)
            return _carry(journey, ready, plan, server, journal, directory)

        return follow_plan(run, plan, journey.snapshot, server, directory, carry)


# ---------------------------------------------------------------------------------------------------------------------
# Planning


@contextlib.contextmanager
def _set_out(
    run: Run, start: Start, directory: Path | None, rules: Sequence[PruneRule], *, keep: bool = False
) -> Iterator[_Journey]:
    """Take the snapshot, prune it by the rules, and have the project described."""
    pruned: list[Pruned] = []

    def prune(copy: Path) -> int:
        pruned.extend(prune_snapshot(start.place, start.settings, start.alias, copy, rules))
        return count_pruned(pruned)

    with open_source(str(start.path), directory, run, keep=keep, prepare=prune if rules else None) as snapshot:
        with run.phase("project"):
            project = describe_project(start.place, start.settings, start.alias, read_applied(snapshot))
        run.django = DjangoReport(
            directory=start.place.directory,
            settings_module=start.settings.settings_module,
            django_version=start.settings.django_version,
            moved_from=start.alias,
            digest=project.digest,
            pruned=tuple(pruned),
        )
        with run.phase("drift"):
            fresh = read_fresh_catalog(project, run.observe)
        yield _Journey(run=run, start=start, project=project, snapshot=snapshot, fresh=fresh)


def read_applied(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """The migrations that the file says are applied, app and name. Raises: MigrationError (django-database)."""
    table = next((table for table in snapshot.read_catalog().tables if table.name == "django_migrations"), None)
    if table is None:
        raise MigrationError(
            "the database has no table django_migrations: Django's migrations never ran on it",
            code="django-database",
            hint="is this the file that the project uses? `manage.py showmigrations` says what it sees",
        )
    return tuple((str(app), str(name)) for rows in snapshot.read_rows(table, ("app", "name")) for app, name in rows)


def _plan_on_embedded(journey: _Journey) -> _Ready:
    """Plan on the embedded server, in a database that goes away again."""
    from liteferry import servers

    embedded = servers.start_server()
    url = servers.create_database(embedded, journey.start.path.stem)
    try:
        with open_target(url) as server:
            return _prepare(journey, server)
    finally:
        servers.drop_database(embedded, url)


def _plan_in_place(journey: _Journey, server: Target) -> Arrival:
    """Plan to fill the tables that the user's own `manage.py migrate` made in the target."""
    run, options = journey.run, journey.run.options
    if run.django is not None:
        run.django = replace(run.django, made_by="user")
    models = _read_models(journey, server, options.schema)
    decided = _decide(journey, models)
    arrival = plan_arrival(run, server, journey.snapshot, str(journey.start.path), decided)
    pruned = run.django.pruned if run.django else ()
    run.plan = replace(arrival.plan, findings=_judge(journey, arrival, models), pruned=pruned)
    return replace(arrival, plan=run.plan)


def _read_models(journey: _Journey, server: Target, schema: str) -> tuple[ProjectModel, ...]:
    """The models as they are on the target. schema: the one that has the project's tables."""
    entry = server.make_django_entry((schema, "public"))
    return read_models(journey.project, entry, _list_variables(journey.run.options))


def _decide(journey: _Journey, models: tuple[ProjectModel, ...]) -> Options:
    """The options with what the project's models decide, below what the user does."""
    catalog = journey.snapshot.read_catalog()
    options = exclude_derived(catalog, journey.run.options)
    decided = (*decide_values(journey.project, catalog), *decide_by_models(models, catalog))
    return replace(options, decisions=(*decided, *options.decisions))


def _judge(journey: _Journey, arrival: Arrival, models: tuple[ProjectModel, ...]) -> tuple[Finding, ...]:
    """The plan's findings together with those about the project: drift, and values that its fields read otherwise."""
    project, catalog = journey.project, journey.snapshot.read_catalog()
    drift = find_drift(project, catalog, journey.fresh, arrival.target, models)
    judged = judge_values(project, catalog, arrival.census)
    own = accept_findings((*drift, *judged), journey.run.options)
    return refine_findings(explain_findings(arrival.plan.findings, own), arrival.target.schema)


def _list_variables(options: Options) -> dict[str, str]:
    return dict(options.project.target_env) if options.project else {}


def _prepare(journey: _Journey, server: Target) -> _Ready:
    """Make the staging schema, and plan how it is filled."""
    run, options = journey.run, journey.run.options
    staging = staging_name(options.schema)
    with run.phase("schema"):
        made = make_schema(
            server,
            server.conninfo,
            staging,
            journey.project,
            run.observe,
            schema=options.schema,
            environment=_list_variables(options),
            cache=SchemaCache(default_home()),
        )
        for note in made.notes:
            run.note(note)
    models = _read_models(journey, server, staging)
    working = replace(_decide(journey, models), schema=staging, into="existing", replace_rows=("*",))
    arrival = plan_arrival(run, server, journey.snapshot, str(journey.start.path), working)
    filling = replace(
        arrival.plan,
        findings=_judge(journey, arrival, models),
        pruned=run.django.pruned if run.django else (),
    )
    plan = _plan_move(filling, server, options, staging)
    run.plan = plan
    if run.django is not None:
        run.django = replace(
            run.django,
            made_by=made.made_by,
            migrations=made.migrations,
            migrations_s=made.migrations_s,
            seeded=tuple((table.target, table.replaced) for table in plan.tables if table.replaced),
        )
    return _Ready(made=made, arrival=arrival, plan=plan)


def _refuse_filled(server: Target, project: Project, schema: str) -> None:
    """Refuse a schema that has tables of the project's names already. Raises: MigrationError (target-not-empty)."""
    held = server.read_catalog(schema)
    there = {table.name for table in held.tables} | {view.name for view in held.views}
    clash = [name for name in ("django_migrations", *(model.table for model in project.models)) if name in there]
    if clash:
        more = f" and {len(clash) - _NAMED} more" if len(clash) > _NAMED else ""
        raise MigrationError(
            f"schema {schema} of database {server.info.database} has tables of this project already:"
            f" {', '.join(clash[:_NAMED])}{more}",
            code="target-not-empty",
            hint="give an empty database or another --schema; or, where `manage.py migrate` made them and their rows"
            " may go, --into existing --replace-rows '*'",
        )


def _plan_move(filling: Plan, server: Target, options: Options, staging: str) -> Plan:
    """The plan of the whole move, around that of filling the staging schema."""
    creates = server.read_schema_comment(options.schema) in {None, mark_of(staging)}
    publish_sql, undo_sql = plan_publication(server, staging, options.schema, creates)
    name = quote_name(staging)
    make = (f"CREATE SCHEMA {name}", f"COMMENT ON SCHEMA {name} IS {quote_literal(STAGING_COMMENT)}")
    steps = [step for step in filling.steps if step.phase != "publish"]
    return replace(
        filling,
        target_schema=options.schema,
        staging_schema=staging,
        creates_schema=creates,
        steps=(
            Step(id="pre-data/schema", phase="pre-data", sql=make),
            *steps,
            Step(id="publish", phase="publish", sql=publish_sql, undo_sql=undo_sql),
        ),
        into="django",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Carrying it out


def _carry(
    journey: _Journey, ready: _Ready | None, plan: Plan, server: Target, journal: Journal, directory: Path
) -> Report:
    """Make the schema where it is not yet made; load, prove, read by the ORM, publish; or take everything back."""
    run = journey.run

    def work() -> bool:
        try:
            return move_rows()
        finally:
            if run.publishing is None and not run.options.keep_staging:
                with contextlib.suppress(MigrationError):  # the server is gone: what is to be said of that is said
                    clear_made(server, plan.staging_schema, plan.target_schema)

    def move_rows() -> bool:
        filled = ready or _prepare_on_target(journey, server, plan)
        proven = fill_staging(run, filled.arrival, server, journal, directory)
        run.plan = filled.plan
        if proven and run.options.verify:
            proven = _read_by_orm(journey, server, filled.plan, filled.plan.staging_schema)
        if proven:
            write_private(directory / PLAN_NAME, to_json(filled.plan))
            publish_or_rehearse(run, filled.plan, server, journal)
        return proven

    return carry_out(run, plan, server, journal, directory, work, journey.snapshot.discard)


def _read_by_orm(journey: _Journey, server: Target, plan: Plan, schema: str) -> bool:
    """Have the project read every model on both sides; puts the evidence into the run. Returns whether it is good."""
    run, user, copy = journey.run, journey.run.options, journey.snapshot.file
    if copy is None:
        raise AssertionError("a project's snapshot is a copy")
    with run.phase("evidence"):
        evidence = collect_evidence(
            journey.project,
            copy,
            server.make_django_entry((schema, "public")),
            show_values=user.show_values,
            tell=_tell_models(run),
            apart={found.table: found.rows for found in plan.apart},
            changed=[
                (table.source, column.source)
                for table in plan.counterparts
                for column in table.columns
                if column.conversions
                and any(matches_place(f"{table.source}.{column.source}", made.place) for made in user.decisions)
            ],
            left_out={table.name for table in journey.snapshot.read_catalog().tables}
            - {table.source for table in plan.tables},
            environment=_list_variables(user),
        )
    if run.django is not None:
        run.django = replace(run.django, evidence=evidence)
    return judge_evidence(evidence)


def _tell_models(run: Run) -> Callable[[Mapping[str, Any]], None]:
    """Pass the project's events on as the run's."""

    def tell(event: Mapping[str, Any]) -> None:
        if event.get("kind") == "model":
            run.observe(Event(kind="step-end", phase="evidence", step_id=f"evidence/{event['name']}"))

    return tell


def _prepare_on_target(journey: _Journey, server: Target, planned: Plan) -> _Ready:
    """The same preparation on the target itself. Raises: MigrationError where its plan has a finding that blocks."""
    ready = _prepare(journey, server)
    if ready.plan.blockers:
        known = {(found.code, found.place) for found in planned.findings}
        new = [found for found in ready.plan.blockers if (found.code, found.place) not in known]
        raise MigrationError(
            f"on this server the plan has findings that it did not have on the embedded one:"
            f" {'; '.join(found.message for found in new[:_NAMED])}",
            code="target-changed",
            hint="`liteferry rehearse` with this target shows them",
        )
    return ready


def _clear_killed(run: Run, server: Target, plan: Plan) -> None:
    """Take away what a killed run left. The advisory lock says that no other run is using it."""
    if server.read_schema_comment(plan.staging_schema) == STAGING_COMMENT:
        run.note("a staging schema left behind by a run that was killed has been removed")
    clear_made(server, plan.staging_schema, plan.target_schema)


# ---------------------------------------------------------------------------------------------------------------------
# Verify


def verify(target: str | None, options: Options, observe: Callable[[Event], None] = ignore) -> Report:
    """Prove that a target holds what the project's database holds, whoever moved it and whenever.

    Every value, and the catalogue: against what the run of `Options.run_dir` published, where one is given. Raises:
    MigrationError.
    """
    start = _start(target, options)
    if start.target is None:
        raise MigrationError(
            "there is no target to verify",
            code="usage",
            hint="name it: TARGET, --target-alias, or DATABASE_URL",
        )
    made = read_plan(Path(options.run_dir)) if options.run_dir is not None else None
    if made is not None and options.schema == _DEFAULT_SCHEMA:
        options = replace(options, schema=made.target_schema)
    run = Run(start.path, options, observe)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(open_target(start.target))
        run.server = server.info
        scratch = stack.enter_context(scratch_dir())
        rules = made.decided.prune if made is not None and made.decided is not None else options.prune
        journey = stack.enter_context(_set_out(run, start, scratch, rules))
        decided = options if made is None else decide_as(made, options)
        meant = decide_values(journey.project, journey.snapshot.read_catalog())
        run.options = replace(
            decided,
            into="existing",
            accept=decided.accept or ("all",),
            decisions=(*meant, *decided.decisions),
        )
        return verify_arrival(run, None, server, journey.snapshot, str(start.path), scratch)
