"""The plan of a Django project's move: the schema made in staging, and how its rows come into it.

Layer 3. Used within `django_move` only.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from liteferry.arrival import plan_arrival
from liteferry.arrival.data import list_made
from liteferry.django_move.cache import SchemaCache
from liteferry.django_move.journey import Journey, list_variables
from liteferry.django_move.publishing import mark_of, plan_publication
from liteferry.django_move.schema import make_schema
from liteferry.django_project import read_models
from liteferry.django_rules.drift import explain_findings, find_drift
from liteferry.django_rules.refining import decide_by_models, exclude_derived, refine_findings
from liteferry.django_rules.values import decide_values, judge_values
from liteferry.errors import MigrationError
from liteferry.model import Options, Step
from liteferry.names import STAGING_COMMENT, quote_name, staging_name
from liteferry.planner import accept_findings, note_decisions
from liteferry.planner.sql import create_schema_sql
from liteferry.servers import default_home
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liteferry.arrival.data import Arrival
    from liteferry.django_move.schema import MadeSchema
    from liteferry.model import Finding, Plan
    from liteferry.project import Project, ProjectModel
    from liteferry.target import Target

_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A staging schema that can be filled. ``arrival``: with the plan of filling it; ``plan``: of the whole move."""

    made: MadeSchema
    arrival: Arrival
    plan: Plan


@contextlib.contextmanager
def open_embedded(journey: Journey) -> Iterator[Target]:
    """Open a database of the embedded server that goes away again. Raises: MigrationError (embedded-…)."""
    from liteferry import servers

    embedded = servers.start_server()
    url = servers.create_database(embedded, journey.start.path.stem)
    try:
        with open_target(url) as server:
            yield server
    finally:
        servers.drop_database(embedded, url)


def plan_on_embedded(journey: Journey, target: Target | None) -> Ready:
    """Plan on the embedded server, in a database that goes away again; it has the schema where the target has it.

    target: None where that database stands for it.
    """
    with open_embedded(journey) as server:
        if target is not None:
            _liken_schema(server, target, journey.run.options.schema)
        return prepare_schema(journey, server)


def _liken_schema(own: Target, target: Target, schema: str) -> None:
    """Let a database of our own have the schema, empty, exactly where the target has it: the plan says who makes it."""
    is_wanted, is_there = (server.read_schema_comment(schema) is not None for server in (target, own))
    if is_wanted and not is_there:
        own.execute_all([f"CREATE SCHEMA {quote_name(schema)}"])
    if is_there and not is_wanted:
        own.execute_all([f"DROP SCHEMA {quote_name(schema)}"])


def plan_in_place(journey: Journey, server: Target) -> Arrival:
    """Plan to fill the tables that the user's own `manage.py migrate` made in the target."""
    run, options = journey.run, journey.run.options
    if run.django is not None:
        run.django = replace(run.django, made_by="user")
    models = read_target_models(journey, server, options.schema)
    decided = decide(journey, models)
    arrival = plan_arrival(run, server, journey.snapshot, str(journey.start.path), decided)
    pruned = run.django.pruned if run.django else ()
    run.plan = replace(arrival.plan, findings=_judge(journey, arrival, models), pruned=pruned)
    return replace(arrival, plan=run.plan)


def prepare_schema(journey: Journey, server: Target) -> Ready:
    """Make the staging schema, and plan how it is filled."""
    run, options = journey.run, journey.run.options
    staging = staging_name(options.schema)
    with run.phase("schema"):
        made = make_staging(journey, server, staging)
    models = read_target_models(journey, server, staging)
    working = replace(decide(journey, models), schema=staging, into="existing", replace_rows=("*",))
    if journey.snapshot.offenders is not None:  # what was set apart for the plan that the embedded server made
        journey.snapshot.offenders.clear()
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
    return Ready(made=made, arrival=arrival, plan=plan)


def make_staging(journey: Journey, server: Target, staging: str) -> MadeSchema:
    """Make the staging schema by the project's migrations, or restore it from a rehearsal."""
    run, options = journey.run, journey.run.options
    made = make_schema(
        server,
        staging,
        journey.project,
        run.observe,
        schema=options.schema,
        environment=list_variables(options),
        cache=SchemaCache(default_home()),
    )
    for note in made.notes:
        run.note(note)
    return made


def read_target_models(journey: Journey, server: Target, schema: str) -> tuple[ProjectModel, ...]:
    """The models as they are on the target. schema: the one that has the project's tables."""
    entry = server.make_django_entry((schema, "public"))
    return read_models(journey.project, entry, list_variables(journey.run.options))


def decide(journey: Journey, models: tuple[ProjectModel, ...]) -> Options:
    """The options with what the project's models decide, below what the user does."""
    catalog = journey.snapshot.read_catalog()
    options = exclude_derived(catalog, journey.run.options)
    decided = (*decide_values(journey.project, catalog), *decide_by_models(models, catalog))
    return replace(options, decisions=(*decided, *options.decisions))


def _judge(journey: Journey, arrival: Arrival, models: tuple[ProjectModel, ...]) -> tuple[Finding, ...]:
    """The plan's findings together with those about the project: drift, and values that its fields read otherwise."""
    project, catalog = journey.project, journey.snapshot.read_catalog()
    drift = find_drift(project, catalog, journey.fresh, arrival.target, models)
    judged = judge_values(project, catalog, arrival.census)
    own = accept_findings((*drift, *judged), journey.run.options)
    return refine_findings(explain_findings(arrival.plan.findings, own), arrival.target.schema)


def refuse_filled(server: Target, project: Project, schema: str) -> None:
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
    aside = set(list_made(filling))  # tables of rows in quarantine: they are made when the rows are loaded
    further = [sql for step in filling.steps if step.phase == "pre-data" and step.table in aside for sql in step.sql]
    publish_sql, undo_sql = plan_publication(server, staging, options.schema, creates, further=further)
    steps = [step for step in filling.steps if step.phase != "publish"]
    return replace(
        filling,
        target_schema=options.schema,
        staging_schema=staging,
        creates_schema=creates,
        steps=(
            Step(id="pre-data/schema", phase="pre-data", sql=create_schema_sql(staging, STAGING_COMMENT)),
            *steps,
            Step(id="publish", phase="publish", sql=publish_sql, undo_sql=undo_sql),
        ),
        decided=filling.decided or note_decisions(options),
        into="django",
    )
