"""What the project's migrations make on an empty SQLite file: what the moved file should look like.

Layer 3. Migrations may take minutes, so what they made is kept, by the digest of all that decides it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from liteferry.django_project import ProjectError, ask_project, replace_all, shield_others, sqlite_entry
from liteferry.errors import MigrationError
from liteferry.model import Catalog, Event, from_json, to_json
from liteferry.servers import default_home
from liteferry.source import open_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from liteferry.project import Project

_NAME: Final = "fresh.json"


def read_fresh_catalog(project: Project, observe: Callable[[Event], None]) -> Catalog:
    """Run the project's migrations on an empty SQLite file of ours, and read what they made; or recall it.

    Writes ``django/DIGEST/fresh.json`` in liteferry's home, mode 0600. Events tell of each migration.
    Raises: MigrationError (django-migration: which migration, operation and statement SQLite refused).
    """
    kept = default_home() / "django" / project.digest / _NAME
    found = _recall(kept) if project.digest else None
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="liteferry-") as scratch:
        path = Path(scratch) / "fresh.sqlite"
        path.touch(mode=0o600)
        _migrate(project, path, observe)
        with open_snapshot(path, directory=Path(scratch) / "snapshot") as snapshot:
            catalog = snapshot.read_catalog()
    if project.digest:
        _keep(kept, catalog)
    return catalog


def _migrate(project: Project, path: Path, observe: Callable[[Event], None]) -> None:
    def tell(event: Mapping[str, Any]) -> None:
        if event.get("kind") == "migration":
            step = f"fresh/migration/{event['name']}"
            observe(Event(kind="step-end", phase="schema", step_id=step, elapsed_s=event["elapsed_s"]))

    entry = sqlite_entry(path, writable=True)
    try:
        ask_project(
            project.place,
            "migrate",
            {"alias": project.alias},
            databases=shield_others(project.settings, replace_all(project.settings, project.alias, entry)),
            tell=tell,
        )
    except ProjectError as error:
        facts = error.facts
        if not facts.get("migration"):
            raise
        sql = f"; the SQL was: {facts['sql']}" if facts.get("sql") else ""
        where = f", in {facts['operation']}" if facts.get("operation") else ""
        found = MigrationError(
            f"migration {facts['migration']} fails on an empty SQLite file{where}: {error.what}{sql}",
            code="django-migration",
            hint="the file was made by these migrations, which do not run on SQLite any more: what it should look like"
            " cannot be found out. Its rows are not involved",
        )
        found.trace = error.trace
        raise found from error


def _recall(path: Path) -> Catalog | None:
    """What was kept; None when nothing is, or it was written by a version with another idea of it."""
    try:
        return from_json(Catalog, path.read_bytes())
    except (OSError, ValueError):
        return None


def _keep(path: Path, catalog: Catalog) -> None:
    """Write it as a whole or not at all; without it the next run takes longer, so that no trouble here is an error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".fresh-")  # made with mode 0600
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(to_json(catalog, indent=0))
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
