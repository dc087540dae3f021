"""Where a Django project's move starts: the project, the database that is moved, and the target that is meant.

Layer 3. Used by `move` and by commands that need the project alone.
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from liteferry.course import refuse_contradictions, refuse_options
from liteferry.django_project import choose_database, find_place, read_settings
from liteferry.errors import MigrationError
from liteferry.run import PLAN_NAME, REPORT_NAME
from liteferry.target import make_conninfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liteferry.model import Options
    from liteferry.project import ProjectOptions, ProjectPlace, ProjectSettings

_URL_VARIABLES: Final = ("DATABASE_URL", "POSTGRES_URL", "POSTGRESQL_URL")
_SCHEMES: Final = ("postgres://", "postgresql://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A project that is about to be moved. ``target``: a connection string, None for the embedded server.

    ``target_from``: where the target comes from, "" for the embedded server. ``entries``: DATABASES as it stands,
    passwords too, which stay in memory.
    """

    place: ProjectPlace
    settings: ProjectSettings
    entries: Mapping[str, Mapping[str, Any]]
    alias: str
    path: Path
    target: str | None
    target_from: str


def start_project(wanted: ProjectOptions, target: str | None) -> Start:
    """Find the project, ask for its settings, and choose source and target. Raises: MigrationError (django-…)."""
    place = find_place(wanted)
    settings, entries = read_settings(place)
    alias, path = choose_database(settings, wanted.database)
    chosen, why = choose_target(wanted, settings, entries, alias, target)
    return Start(
        place=place, settings=settings, entries=entries, alias=alias, path=path, target=chosen, target_from=why
    )


def choose_target(
    wanted: ProjectOptions,
    settings: ProjectSettings,
    entries: Mapping[str, Mapping[str, Any]],
    alias: str,
    target: str | None,
) -> tuple[str | None, str]:
    """The target, and where it comes from.

    What the command says; else the alias that was named; else the only PostgreSQL database of the settings; else a
    variable such as DATABASE_URL; else the embedded server.

    Raises: MigrationError (django-database).
    """
    if target is not None:
        return target, "the TARGET that the command names"
    others = {found.alias: found for found in settings.databases if found.alias != alias}
    postgresql = [name for name, found in others.items() if found.vendor == "postgresql"]
    if wanted.target_alias:
        if wanted.target_alias not in postgresql:
            raise MigrationError(
                f"DATABASES has no PostgreSQL database {wanted.target_alias}",
                code="django-database",
                hint=f"it has: {', '.join(postgresql) or 'none'}",
            )
        return make_conninfo(entries[wanted.target_alias]), f"DATABASES[{wanted.target_alias!r}]"
    if len(postgresql) == 1:
        return make_conninfo(entries[postgresql[0]]), f"DATABASES[{postgresql[0]!r}]"
    for name in _URL_VARIABLES:
        if os.environ.get(name, "").startswith(_SCHEMES):
            return os.environ[name], f"the server that {name} names"
    return None, ""


def begin(target: str | None, options: Options, known: Start | None = None) -> Start:
    """Refuse what contradicts itself, and find the project, unless that is done. Raises: MigrationError."""
    if options.project is None:
        raise AssertionError("a project's move needs Options.project")
    if options.snapshot != "copy":
        raise MigrationError(
            "--snapshot none is not for Django projects: the project's own code reads the snapshot",
            code="usage",
            hint="make room for a copy, or name a --run-dir on a larger disk",
        )
    refuse_contradictions(options)
    start = known or start_project(options.project, target)
    refuse_options(start.target, options)
    return start


def find_newest_run(wanted: ProjectOptions) -> Path:
    """The directory of the newest run that moved a project's database, or was to.

    It lies beside the database; where the project uses PostgreSQL by now, beside its manage.py.
    Raises: MigrationError (django-…, run-dir).
    """
    place = find_place(wanted)
    settings, _ = read_settings(place)
    on_sqlite = any(found.vendor == "sqlite" for found in settings.databases)
    if on_sqlite or wanted.database:
        _, path = choose_database(settings, wanted.database)
        where, pattern = path.parent, f"{glob.escape(path.name)}.liteferry/*/{REPORT_NAME}"
    else:
        where, pattern = Path(place.directory), f"*.liteferry/*/{REPORT_NAME}"
    runs = [report.parent for report in where.glob(pattern) if (report.parent / PLAN_NAME).exists()]
    if not runs:
        raise MigrationError(
            f"no run of this project is in {where}: nothing there is {pattern}", code="run-dir", hint="name it: RUN_DIR"
        )
    return max(runs, key=lambda run: (run / PLAN_NAME).stat().st_mtime)  # reports are written again by undo
