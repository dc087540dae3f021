"""The schema of a Django project, made by its own migrations in a staging schema of the target.

Layer 3.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from liteferry.django_project import ProjectError, ask_project, replace_all
from liteferry.errors import MigrationError
from liteferry.model import Event
from liteferry.names import quote_literal, quote_name
from liteferry.planner import STAGING_COMMENT
from liteferry.target import make_django_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from liteferry.model import TargetCatalog
    from liteferry.project import Project
    from liteferry.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSchema:
    """A staging schema as the project's migrations make it. ``catalog``: what is in it."""

    made_by: Literal["migrations", "rehearsal"]
    migrations: int
    elapsed_s: float
    catalog: TargetCatalog


def make_schema(
    server: Target,
    conninfo: str,
    staging: str,
    project: Project,
    observe: Callable[[Event], None],
    environment: Mapping[str, str] = MappingProxyType({}),
) -> MadeSchema:
    """Make the staging schema and run the project's migrations in it; events tell of each migration.

    conninfo: the connection string that ``server`` was opened with. environment: variables that the project has only
    while it is on PostgreSQL. Whoever calls this takes the schema away again if
    it raises.

    Raises: MigrationError (django-driver, django-migration).
    """
    if not project.settings.psycopg_version:
        raise MigrationError(
            f"the project's interpreter {project.place.python} has no psycopg, which Django needs for PostgreSQL",
            code="django-driver",
            hint="install it there: pip install 'psycopg[binary]'",
        )
    name = quote_name(staging)
    server.execute_all([f"CREATE SCHEMA {name}", f"COMMENT ON SCHEMA {name} IS {quote_literal(STAGING_COMMENT)}"])
    entry = make_django_entry(conninfo, (staging, "public"))
    begun = time.monotonic()

    def tell(event: Mapping[str, Any]) -> None:
        if event.get("kind") == "migration":
            observe(
                Event(kind="step-end", phase="schema", step_id=f"schema/migration/{event['name']}",
                      elapsed_s=event["elapsed_s"])
            )  # fmt: skip

    try:
        done = ask_project(
            project.place,
            "migrate",
            {"alias": project.alias},
            databases=replace_all(project.settings, project.alias, entry),
            tell=tell,
            environment=environment,
        )
    except ProjectError as error:
        raise _explain_failure(error, server) from error
    return MadeSchema(
        made_by="migrations",
        migrations=done["migrations"],
        elapsed_s=time.monotonic() - begun,
        catalog=server.read_catalog(staging),
    )


def _explain_failure(error: ProjectError, server: Target) -> MigrationError:
    """Which migration, which operation, which SQL failed."""
    facts = error.facts
    if not facts.get("migration"):
        return error
    sql = f"; the SQL was: {facts['sql']}" if facts.get("sql") else ""
    return MigrationError(
        f"migration {facts['migration']} fails on PostgreSQL {server.info.version}, in {facts['operation']}:"
        f" {error.what}{sql}",
        code="django-migration",
        hint="migrations run on an empty database here: make the operation say what each vendor needs (schema_editor"
        ".connection.vendor), or replace it; the source's data is not involved",
    )
