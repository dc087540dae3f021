"""The staging schema: refused or cleared beforehand, published at once, or taken back.

Layer 3. Used by `course` and `pipeline`. Until the publication, which is one transaction, the target's own schema is as
it was.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from liteferry.errors import ExitStatus, MigrationError
from liteferry.journal import list_relations
from liteferry.model import Failure
from liteferry.names import STAGING_COMMENT, quote_literal, quote_name, quote_qualified, staging_name
from liteferry.scripts import list_moves, write_hook_objects

if TYPE_CHECKING:
    from liteferry.journal import Journal
    from liteferry.model import Plan
    from liteferry.run import Run
    from liteferry.target import Target

SETTLE_ATTEMPTS: Final = 3
"""A server that dies takes one session after the other: one that still answered may be gone a moment later."""
_DROPPED_TOGETHER: Final = 100
"""Tables in one transaction, where the server cannot lock all at once."""
KEPT_COMMENT: Final = f"{STAGING_COMMENT}, kept for inspection"
_KILLED_HINT: Final = "look at the target: the tables are all there, and `liteferry undo` takes them away, or none is"


def refuse_target(server: Target, schema: str, *, exists: bool) -> None:
    """Refuse, before anything starts, where the role may not do what a run does, or a schema is in its way.

    Raises: MigrationError: no-create-right, staging-exists.
    """
    info = server.info
    if not info.can_create_schema:
        raise MigrationError(
            f"role {info.user} may not create schemas in database {info.database}, which staging needs",
            code="no-create-right",
            hint=f"as its owner: GRANT CREATE ON DATABASE {quote_name(info.database)} TO {quote_name(info.user)}",
        )
    if exists and not server.may_create_in(schema):
        raise MigrationError(
            f"role {info.user} may not create tables in schema {schema} of database {info.database}",
            code="no-create-right",
            hint=f"as its owner: GRANT CREATE, USAGE ON SCHEMA {quote_name(schema)}"
            f" TO {quote_name(info.user)}; or choose another --schema",
        )
    staging = staging_name(schema)
    comment = server.read_schema_comment(staging)
    if comment not in {None, STAGING_COMMENT}:
        kept = comment == KEPT_COMMENT
        raise MigrationError(
            f"schema {staging} is in the way: "
            + ("an earlier run kept it for inspection" if kept else "it is not one of liteferry's"),
            code="staging-exists",
            hint=f"when nobody needs it any more: DROP SCHEMA {quote_name(staging)} CASCADE",
        )


def clear_staging(server: Target, plan: Plan, run: Run) -> None:
    """Take away what a killed run left in staging. The advisory lock says that no other run is using it."""
    if server.read_schema_comment(plan.staging_schema) == STAGING_COMMENT:
        _drop_staging(plan, server)
        run.note("a staging schema left behind by a run that was killed has been removed")


def publish(run: Run, plan: Plan, server: Target, journal: Journal) -> None:
    """Move everything into the target's schema, in one transaction that is on disk when it returns.

    The journal knows the objects before they appear, their definitions and a report that undo can use lie there:
    nobody knows when a process is killed.
    """
    staged = run.staged or server.read_catalog(plan.staging_schema)
    relations = list_relations(staged)
    journal.note_published(relations)
    write_hook_objects(run.hooks, plan, server, journal)
    if not run.options.verify:  # there are no digests by which undo could tell whether rows were written since
        versions = {name: " ".join(sorted(set(numbers))) for name, numbers in run.writers.items()}
        if run.hooks.runs:  # which may have written rows, too
            versions = server.read_row_versions(plan.staging_schema, [table.name for table in staged.tables])
        journal.set_value("row_versions", json.dumps(versions))
    run.write_published(staged)
    killed = Failure(code="interrupted", what="the run ended while it published", hint=_KILLED_HINT)
    run.write_provisional(run.report("failed", killed, exit_status=int(ExitStatus.INTERRUPTED)))
    journal.set_state("publishing")
    run.publishing = relations
    step = next(step for step in plan.steps if step.phase == "publish")
    first = int(plan.creates_schema)  # that comes before whatever moves into it
    moves = list_moves(run.hooks, plan, server) if run.hooks.runs else []
    server.execute_all([*step.sql[:first], *moves, *step.sql[first:]], step_id=step.id, commit_apart=True)
    run.published = True
    journal.set_state("published")


def settle(run: Run, plan: Plan, server: Target, journal: Journal) -> str:
    """Put the target back as it was; unless everything is published already, as `Run.published` then says.

    When the connection broke during the commit, nobody told us whether it happened: then the server is asked. With
    ``keep_staging`` the staging schema stays, marked as kept.

    Returns what could not be done because the server is gone, "" when all is well.
    """
    for attempts_left in reversed(range(SETTLE_ATTEMPTS)):
        try:
            _settle_target(run, plan, server)
            break
        except MigrationError as error:
            if error.code == "connection-lost" and attempts_left:
                continue
            if run.publishing is not None:
                return f"whether the publication happened is not known ({error}): look at schema {plan.target_schema}"
            return f"the staging schema {plan.staging_schema} is still there ({error}): the next run will remove it"
    # where that fails: the target is as the report says, and undo asks the target
    run.write_down(lambda: journal.set_state("published" if run.published else "failed"))
    return "; ".join(run.hook_remains)


def _settle_target(run: Run, plan: Plan, server: Target) -> None:
    server.restore_control()
    if run.publishing is not None and not run.published:
        gone = server.read_schema_comment(plan.staging_schema) is None
        run.published = gone and set(run.publishing) <= set(list_relations(server.read_catalog(plan.target_schema)))
        if not run.published:
            run.publishing = None  # now it is known
    if not run.published:
        _take_back(run, plan, server)


def _take_back(run: Run, plan: Plan, server: Target) -> None:
    """Take our own staging schema away, or mark it as kept.

    The comment says whose it is: a schema of that name that somebody else made, or that an earlier run kept, is not
    touched. Under the run's lock, which `Target.restore_control` has seen to, no other run can have made it.
    """
    if server.read_schema_comment(plan.staging_schema) != STAGING_COMMENT:
        return
    if run.options.keep_staging:
        from liteferry.planner.sql import let_vacuum_sql

        name = quote_name(plan.staging_schema)
        server.execute_all(
            [
                f"COMMENT ON SCHEMA {name} IS {quote_literal(KEPT_COMMENT)}",
                *let_vacuum_sql(plan.staging_schema, plan.steps),
            ]
        )
        run.staging_kept = True
        run.note(
            f"the staging schema {plan.staging_schema} was kept in database {server.info.database};"
            " the next run into the same schema will ask you to drop it"
        )
    else:
        _drop_staging(plan, server)
        run.hook_remains += [
            f"what a hook did outside the schema could not be taken back: {what}"
            for what in run.hooks.take_back(server)
        ]


def _drop_staging(plan: Plan, target: Target) -> None:
    """Take the staging schema away, whatever is in it; the caller has seen that it is ours.

    Where it holds more than the server can lock in one transaction, its tables go first, some at a time.

    Raises: MigrationError when the server does not let us.
    """
    drop = f"DROP SCHEMA IF EXISTS {quote_name(plan.staging_schema)} CASCADE"
    try:
        target.execute_all([drop], step_id="drop-staging")
    except MigrationError as error:
        if error.code != "server-limits":
            raise
        tables = [table.name for table in target.read_catalog(plan.staging_schema).tables]
        for start in range(0, len(tables), _DROPPED_TOGETHER):
            names = ", ".join(quote_qualified(plan.staging_schema, name) for name in tables[start:][:_DROPPED_TOGETHER])
            target.execute_all([f"DROP TABLE {names} CASCADE"], step_id="drop-staging")
        target.execute_all([drop], step_id="drop-staging")
