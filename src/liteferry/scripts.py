"""The user's own SQL in a run: hooks are run, watched, published with the rest, and taken back.

Layer 3. What a hook makes in the staging schema is found by looking at the catalogue before and after it. Objects are
known by their OIDs from then on: the server says what each is called when it is moved or dropped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from liteferry.errors import ExitStatus, MigrationError
from liteferry.model import HookChange, HookRun
from liteferry.names import quote_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from liteferry.journal import Journal
    from liteferry.model import Mismatch, Plan, SchemaObject, Step
    from liteferry.target import Target

_DEPENDED_ON: Final = "2BP01"
"""dependent_objects_still_exist. Source: PostgreSQL docs, "Error Codes"."""
_OF_THE_SERVER: Final = frozenset({"step-failed", "no-create-right"})
"""Errors that a hook's own SQL is at fault for; others (the connection broke, a disk is full) keep their code."""


@dataclass(slots=True)
class HookLog:
    """What the hooks of a run did. ``started``: may have been committed. ``oids``: of what they made in the schema."""

    runs: list[HookRun] = field(default_factory=list)
    started: list[Step] = field(default_factory=list)
    oids: list[int] = field(default_factory=list)

    def run(self, step: Step, plan: Plan, target: Target) -> None:
        """Run a hook in the staging schema, and note what it did there. Raises: MigrationError (hook-failed …)."""
        from liteferry.proof import compare_catalogs

        if step.hook is None:
            raise AssertionError(step.id)
        schema = plan.staging_schema
        before, stood = target.read_catalog(schema), target.read_objects(schema)
        try:
            target.run_script(step.sql[0], search_path=[schema, "pg_catalog"], step_id=step.id)
        except MigrationError as error:
            if error.code not in _OF_THE_SERVER:
                self.started.append(step)  # nobody told us whether it was committed
            raise explain_failure(error, step.sql[0], step.hook.file) from error
        self.started.append(step)
        after, stands = target.read_catalog(schema), target.read_objects(schema)
        known = {found.oid for found in stood}
        made = [found for found in stands if found.oid not in known]
        _refuse_extensions(made, step, plan.target_schema)
        self.oids += [found.oid for found in made]
        changes = tuple(_describe_change(found, schema) for found in compare_catalogs(before, after))
        self.runs.append(HookRun(step_id=step.id, file=step.hook, changes=changes))

    def take_back(self, target: Target) -> list[str]:
        """Run the undo files of what was run, the last first, when all else is gone; says what could not be undone."""
        left = []
        for step in reversed(self.started):
            for sql in step.undo_sql:
                try:
                    target.run_script(sql, search_path=["pg_catalog"], step_id=f"undo/{step.id}")
                except MigrationError as error:
                    if error.code == "connection-lost":
                        raise
                    file = step.hook.undo_file if step.hook else ""
                    left.append(str(explain_failure(error, sql, file)))
        return left


def _refuse_extensions(made: Sequence[SchemaObject], step: Step, schema: str) -> None:
    """Refuse an extension that came into the staging schema: but for a superuser nobody may move it from there."""
    for found in made:
        if found.kind == "EXTENSION":
            raise MigrationError(
                f"{step.id} made the extension {found.name} in the staging schema",
                code="hook-failed",
                hint=f"say where it belongs: CREATE EXTENSION IF NOT EXISTS {found.name} SCHEMA {quote_name(schema)};"
                " and write an undo file if it is to go again",
                step_id=step.id,
                exit_status=ExitStatus.UNDONE,
            )


def _describe_change(difference: Mismatch, schema: str) -> HookChange:
    made, gone = difference.source == "not declared", difference.target == "missing"
    return HookChange(
        change="made" if made else "dropped" if gone else "changed",
        kind=difference.object_kind or "other",
        name=_unqualify(difference.object_name or "", [schema]),
        table=difference.table,
        definition="" if gone or difference.target == "present" else _unqualify(difference.target, [schema]),
    )


def _unqualify(definition: str, schemas: Sequence[str]) -> str:
    """A definition without the schema that its names are qualified with. Pure."""
    names = "|".join(re.escape(name) for schema in schemas for name in (quote_name(schema), schema))
    return re.sub(rf'(?<![\w"$.])(?:{names})\.', "", definition)


def explain_failure(error: MigrationError, sql: str, file: str) -> MigrationError:
    """Name the file, and the line where the server says it. Pure."""
    if error.code not in _OF_THE_SERVER:
        return error
    cause = error.__cause__
    position = getattr(getattr(cause, "diag", None), "statement_position", None)
    line = f", line {sql.count(chr(10), 0, int(position) - 1) + 1}" if position else ""
    said = getattr(getattr(cause, "diag", None), "message_primary", None) or error.what
    return MigrationError(
        f"the hook {file}{line} failed: {said} [{getattr(cause, 'sqlstate', None) or 'no SQLSTATE'}]",
        code="hook-failed",
        hint=error.hint or f"repair {file}, then run again",
        step_id=error.step_id,
        exit_status=ExitStatus.UNDONE,
    )


def excuse_hooks(differences: Iterable[Mismatch], runs: Sequence[HookRun], schema: str) -> tuple[Mismatch, ...]:
    """The differences but those that are what hooks made or changed; what a hook dropped is missed all the same. Pure.

    schema: the one that was looked at.
    """
    known = {(c.kind, c.name, c.table) for run in runs for c in run.changes if c.change != "dropped"}
    return tuple(
        found
        for found in differences
        if found.target == "missing"
        or (found.object_kind, _unqualify(found.object_name or "", [schema]), found.table) not in known
    )


# ---------------------------------------------------------------------------------------------------------------------
# Publication and undo


def list_moves(log: HookLog, plan: Plan, target: Target) -> list[str]:
    """What moves the hooks' objects into the target's schema: routines first, whose names hold those of types."""
    made = set(log.oids)
    found = [thing for thing in target.read_objects(plan.staging_schema) if thing.oid in made]
    found.sort(key=lambda thing: thing.kind != "ROUTINE")
    return [f"ALTER {thing.kind} {thing.name} SET SCHEMA {quote_name(plan.target_schema)}" for thing in found]


def write_hook_objects(log: HookLog, plan: Plan, target: Target, journal: Journal) -> None:
    """Keep what undo needs: which objects the hooks made, and what their tables hold."""
    if not log.runs:
        return
    made = set(log.oids)
    tables = [t.name for t in target.read_objects(plan.staging_schema) if t.kind == "TABLE" and t.oid in made]
    journal.set_value("hook_objects", json.dumps(log.oids))
    journal.set_value("hook_rows", json.dumps(target.fingerprint_tables(tables)))


@dataclass(frozen=True, slots=True)
class HookRemains:
    """What the hooks of a published run made, as it is called now. ``rows``: fingerprints by OID, as published."""

    objects: tuple[SchemaObject, ...]
    rows: dict[int, str]

    def find_changes(self, target: Target, connection: psycopg.Connection) -> list[str]:
        """The hooks' tables whose rows are not those that were published."""
        tables = [thing for thing in self.objects if thing.oid in self.rows]
        now = target.fingerprint_tables([thing.name for thing in tables], connection)
        return [
            f"{thing.name}: {now[thing.oid].partition(':')[0]} rows now,"
            f" {self.rows[thing.oid].partition(':')[0]} then"
            + (", and other values" if now[thing.oid].split(":")[0] == self.rows[thing.oid].split(":")[0] else "")
            for thing in tables
            if now[thing.oid] != self.rows[thing.oid]
        ]


def read_hook_remains(plan: Plan, journal: Journal, target: Target, connection: psycopg.Connection) -> HookRemains:
    """Look up what the hooks of a published run made."""
    oids = set(json.loads(journal.read_value("hook_objects") or "[]"))
    rows = json.loads(journal.read_value("hook_rows") or "{}")
    found = target.read_objects(plan.target_schema, connection)
    return HookRemains(
        tuple(thing for thing in found if thing.oid in oids), {int(oid): print_ for oid, print_ in rows.items()}
    )


def drop_all(
    plan: Plan, undo_sql: Sequence[str], remains: HookRemains, target: Target, connection: psycopg.Connection
) -> None:
    """Take away what a run published and its hooks made, and run their undo files, the last first.

    Which depends on which nobody says: what the server does not drop yet is tried again after the rest. Within the
    caller's transaction. Raises: MigrationError when nothing more can be dropped, and something is left.
    """
    tables = ", ".join(thing.name for thing in remains.objects if thing.kind == "TABLE")
    own = [sql + f", {tables}" if tables and sql.startswith("DROP TABLE ") else sql for sql in undo_sql]
    if tables and not any(sql.startswith("DROP TABLE ") for sql in undo_sql):
        own.insert(0, f"DROP TABLE {tables}")
    waiting: list[tuple[str, Step | None]] = [
        *((sql, step) for step in reversed(plan.steps) if step.hook for sql in step.undo_sql),
        *((f"DROP {o.kind} IF EXISTS {o.name}", None) for o in reversed(remains.objects) if o.kind != "TABLE"),
        *((sql, None) for sql in own),
    ]
    while waiting:
        held: list[tuple[str, Step | None]] = []
        last: MigrationError | None = None
        for sql, step in waiting:
            try:
                _drop(sql, step, plan, target, connection)
            except MigrationError as error:
                if getattr(error.__cause__, "sqlstate", "") != _DEPENDED_ON:
                    raise
                held.append((sql, step))
                last = error
        if last is not None and len(held) == len(waiting):
            raise last
        waiting = held


def _drop(sql: str, step: Step | None, plan: Plan, target: Target, connection: psycopg.Connection) -> None:
    if step is None or step.hook is None:
        target.execute_all([sql], step_id="undo", connection=connection)
        return
    path = f"{quote_name(plan.target_schema)}, pg_catalog"
    try:
        with connection.transaction():
            target.set_path(connection, path)
            target.run_one(sql, connection, step_id=f"undo/{step.id}")
            target.set_path(connection, "")
    except MigrationError as error:
        if getattr(error.__cause__, "sqlstate", "") == _DEPENDED_ON:
            raise
        raise explain_failure(error, sql, step.hook.undo_file) from error
