"""The schema of a Django project, made by its own migrations in a staging schema of the target.

Layer 3. Migrations run as they would for an empty database: what they make goes into staging, which is first in their
search path; what else they do is noticed. Or the schema that they made once is restored (`cache`).
"""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from liteferry.django_move.cache import SchemaCache, restore_schema
from liteferry.django_move.publishing import clear_made, mark_of, plan_publication
from liteferry.django_project import ProjectError, ask_project, replace_all, shield_others
from liteferry.errors import MigrationError
from liteferry.model import Event
from liteferry.names import STAGING_COMMENT, quote_literal, quote_name
from liteferry.planner.sql import create_schema_sql
from liteferry.target import outside_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from liteferry.model import TargetCatalog
    from liteferry.project import Project
    from liteferry.target import Target

_LOCK_PATIENCE: Final = "15s"
"""How long a migration waits for a lock on a table that is none of the project's, and so is held by us, to say so."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSchema:
    """A staging schema as the project's migrations make it. ``catalog``: what is in it.

    ``made_by``: ``rehearsal``, when the schema that they made earlier was restored and compared. ``elapsed_s``: what it
    took now; ``migrations_s``: what the migrations took when they ran. ``extensions``: those that were created for it,
    in the target's schema. ``notes``: why no earlier schema was used, why none was kept.
    """

    made_by: Literal["migrations", "rehearsal"]
    migrations: int
    elapsed_s: float
    catalog: TargetCatalog
    migrations_s: float = 0.0
    digest: str = ""
    extensions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def make_schema(
    server: Target,
    staging: str,
    project: Project,
    observe: Callable[[Event], None],
    *,
    schema: str = "public",
    environment: Mapping[str, str] | None = None,
    cache: SchemaCache | None = None,
    fresh: bool = False,
) -> MadeSchema:
    """Make the staging schema of the target's schema, as the project's migrations make it; events tell of each.

    environment: variables for the project's process, where it chooses its engine by them. cache: where schemas that
    were made are kept; the one for this project, server and schema is restored from there, unless ``fresh`` is set,
    and whatever migrations made is put there.

    When this raises, staging is gone again, and what was created beside it.

    Raises: MigrationError: django-driver; django-migration; django-outside, where a migration did something elsewhere
    (what that was is named, and left as it is); django-staging-named; target-not-empty, where the schema has something
    of the same name; KeyboardInterrupt, the project's process having ended.
    """
    if not project.settings.psycopg_version:
        raise MigrationError(
            f"the project's interpreter {project.place.python} has no psycopg, which Django needs for PostgreSQL",
            code="django-driver",
            hint="install it there: pip install 'psycopg[binary]'",
        )
    begun = time.monotonic()
    notes: list[str] = []
    try:
        if cache is not None and not fresh:
            kept, notes = cache.find(server, staging, schema, project, environment or {})
            if kept is not None:
                catalog, why = restore_schema(server, staging, schema, kept)
                if catalog is not None:
                    plan_publication(server, staging, schema, _is_new(server, staging, schema))
                    return MadeSchema(
                        made_by="rehearsal",
                        migrations=kept.migrations,
                        elapsed_s=time.monotonic() - begun,
                        catalog=catalog,
                        migrations_s=kept.migrations_s,
                        digest=project.digest,
                        extensions=_list_extensions(server, staging),
                        notes=tuple(notes),
                    )
                cache.throw_away(kept)
                notes.append(f"the schema of the rehearsal is not used: {why}; the migrations run again")
                clear_made(server, staging, schema)
                begun = time.monotonic()
        made = _Migrations(server, staging, schema, project, environment or {}, observe).run()
        plan_publication(server, staging, schema, _is_new(server, staging, schema))
        if cache is not None:
            notes += cache.keep(server, staging, schema, project, environment or {}, made.migrations, made.migrations_s)
        return replace(made, notes=(*notes, *made.notes))
    except BaseException:
        server.restore_control()
        clear_made(server, staging, schema)
        raise


class _Migrations:
    """One run of the project's migrations in a staging schema."""

    def __init__(
        self,
        server: Target,
        staging: str,
        schema: str,
        project: Project,
        environment: Mapping[str, str],
        observe: Callable[[Event], None],
    ) -> None:
        self._server = server
        self._staging = staging
        self._schema = schema
        self._project = project
        self._environment = environment
        self._observe = observe
        self._outside: tuple[str, ...] = ()
        self._session = f"liteferry-{secrets.token_hex(8)}"

    def run(self) -> MadeSchema:
        """Run them all. Raises: MigrationError."""
        server, name = self._server, quote_name(self._staging)
        rights = server.read_default_rights(self._schema)  # what staging holds gets them as it would there
        default = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {name}"
        server.execute_all([
            *create_schema_sql(self._staging, STAGING_COMMENT),
            *(f"{default} {grant}" for grant in rights),
        ])  # fmt: skip
        self._outside = server.list_outside(self._schema, self._staging)
        details = server.describe_schema(self._schema)
        begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            strangers = stack.enter_context(server.hold_tables(self._schema))
            try:
                done = self._ask(is_shared=strangers > 0)
            except ProjectError as error:
                raise self._explain_failure(error) from error
            finally:
                server.end_sessions(self._session)  # none is left but when the project's process was killed
        elapsed_s = time.monotonic() - begun
        self._refuse_outside()
        server.execute_all([f"{default} {_revoke(grant)}" for grant in rights])
        changed = sorted(set(server.describe_schema(self._schema)) ^ set(details))
        if changed:
            raise _accuse("a migration", _say("changed", changed), self._schema)
        return MadeSchema(
            made_by="migrations",
            migrations=done["migrations"],
            elapsed_s=elapsed_s,
            migrations_s=elapsed_s,
            digest=self._project.digest,
            catalog=server.read_catalog(self._staging),
            extensions=_list_extensions(server, self._staging),
        )

    def _ask(self, *, is_shared: bool) -> Any:  # the task's answer
        server, project = self._server, self._project
        known = server.read_extensions()
        homes = dict.fromkeys(found.schema for found in known if found.schema != "pg_catalog")
        target = {} if is_shared else {self._schema: None}
        path = tuple({self._staging: None, **target, **homes})
        wider = tuple({self._staging: None, self._schema: None, **homes})
        entry = server.make_django_entry(path)
        entry["OPTIONS"] = {**entry["OPTIONS"], "application_name": self._session}
        if is_shared:
            entry["OPTIONS"]["options"] += f" -c lock_timeout={_LOCK_PATIENCE}"
        if zone := project.database.time_zone:
            entry["TIME_ZONE"] = zone
        return ask_project(
            project.place,
            "migrate",
            {"alias": project.alias, "outside": outside_sql(self._schema, self._staging), "extensions": {
                "schema": quote_name(self._schema),
                "fixed": list(server.read_fixed_extensions()),
                "known": [found.name for found in known],
                "mark": mark_of(self._staging),
                "path": ", ".join(map(quote_name, wider)) if wider != path else "",
                "creates": self._creating_sql(),
            }},
            databases=shield_others(project.settings, replace_all(project.settings, project.alias, entry)),
            tell=self._tell,
            environment=self._environment,
        )  # fmt: skip

    def _creating_sql(self) -> str:
        """What makes the target's schema, for an extension to be created in; "" where it is there."""
        if self._server.read_schema_comment(self._schema) is not None:
            return ""
        name = quote_name(self._schema)
        return (
            f"CREATE SCHEMA IF NOT EXISTS {name}; COMMENT ON SCHEMA {name} IS {quote_literal(mark_of(self._staging))}"
        )

    def _tell(self, event: Mapping[str, Any]) -> None:
        if event.get("kind") != "migration":
            return
        self._observe(
            Event(kind="step-end", phase="schema", step_id=f"schema/migration/{event['name']}",
                  elapsed_s=event["elapsed_s"])
        )  # fmt: skip

    def _refuse_outside(self) -> None:
        """Refuse what is not as it was before: the project's process looks after each migration, and we at the end."""
        now = self._server.list_outside(self._schema, self._staging)
        before, after = dict.fromkeys(self._outside), dict.fromkeys(now)
        if now != self._outside:
            made = [line for line in now if line not in before]
            gone = [line for line in self._outside if line not in after]
            raise _accuse("a migration", [*_say("made", made), *_say("took away", gone)], self._schema)

    def _explain_failure(self, error: ProjectError) -> MigrationError:
        """Which migration, which operation, which SQL failed."""
        facts = error.facts
        if facts.get("outside"):
            lines = [*_say("made", facts["made"]), *_say("took away", facts["gone"])]
            return _accuse(f"migration {facts['outside']}", lines, self._schema)
        if not facts.get("migration"):
            return error
        sql = f"; the SQL was: {facts['sql']}" if facts.get("sql") else ""
        hint = (
            "migrations run on an empty database here: make the operation say what each vendor needs (schema_editor"
            ".connection.vendor), or replace it; the source's data is not involved"
        )
        if f"{self._schema}." in facts.get("sql", "").replace('"', "") or "lock timeout" in error.what:
            hint = (
                f"the migrations run in a schema of their own, {self._staging}, which is published as {self._schema}"
                f" later: SQL in them must not write out the schema {self._schema}, nor touch tables that are not the"
                " project's"
            )
        where = f", in {facts['operation']}" if facts.get("operation") else ""
        found = MigrationError(
            f"migration {facts['migration']} fails on PostgreSQL {self._server.info.version}{where}: {error.what}{sql}",
            code="django-migration",
            hint=hint,
        )
        found.trace = error.trace
        return found


def _is_new(server: Target, staging: str, schema: str) -> bool:
    """Whether the target's schema is not there, or there for an extension of this run alone."""
    return server.read_schema_comment(schema) in {None, mark_of(staging)}


def _list_extensions(server: Target, staging: str) -> tuple[str, ...]:
    return tuple(found.name for found in server.read_extensions() if found.comment == mark_of(staging))


def _revoke(grant: str) -> str:
    """The REVOKE that takes a GRANT back. Pure."""
    right, _, grantee = grant.removeprefix("GRANT ").removesuffix(" WITH GRANT OPTION").rpartition(" TO ")
    return f"REVOKE {right} FROM {grantee}"


def _say(verb: str, lines: Sequence[str]) -> list[str]:
    return [f"{verb}: {line}" for line in lines]


def _accuse(who: str, lines: Sequence[str], schema: str) -> MigrationError:
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return MigrationError(
        f"{who} did something outside the schema that the migrations make: {'; '.join(lines[:_SHOWN])}{more}",
        code="django-outside",
        hint=f"let its SQL leave out the schema's name ({schema}.): what it makes goes where the rest goes. Roles,"
        " schemas and settings of the database are for its administrator, before the move. What is named here is still"
        " there: look at it, and drop what the migration made",
    )
