"""What is moved of a Django project: the project, described, and the snapshot of its database, pruned.

Layer 3. Used within `django_move` only.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liteferry.course import open_source
from liteferry.django_move.fresh import read_fresh_catalog
from liteferry.django_project import count_pruned, describe_project, prune_snapshot
from liteferry.errors import MigrationError
from liteferry.model import DjangoReport, Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from liteferry.django_move.start import Start
    from liteferry.model import Catalog
    from liteferry.project import Project, Pruned, PruneRule
    from liteferry.run import Run
    from liteferry.source import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What is moved: the project, described, and the snapshot of its database."""

    run: Run
    start: Start
    project: Project
    snapshot: Snapshot
    fresh: Catalog


@contextlib.contextmanager
def set_out(
    run: Run, start: Start, directory: Path | None, rules: Sequence[PruneRule], *, keep: bool = False
) -> Iterator[Journey]:
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
        yield Journey(run=run, start=start, project=project, snapshot=snapshot, fresh=fresh)


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


def list_variables(options: Options) -> dict[str, str]:
    """The variables that the project has only while it is on PostgreSQL. Pure."""
    return dict(options.project.target_env) if options.project else {}
