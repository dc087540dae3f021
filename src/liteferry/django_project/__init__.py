"""What the user's Django project says, asked for in the project's own interpreter.

Layer 2. `place` finds it, `asking` starts it and takes its answers, `databases` says which database is meant and what
stands in its place, `inside` is what runs there. The file that is moved is never opened there: whatever task needs data
is given a copy.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liteferry.django_project.asking import ProjectError, ask_project
from liteferry.django_project.databases import choose_database, replace_all, shield_others, sqlite_entry
from liteferry.django_project.evidence import collect_evidence
from liteferry.django_project.place import find_place
from liteferry.django_project.pruning import count_pruned, prune_snapshot
from liteferry.project import Project, ProjectModel, ProjectPlace, ProjectSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ProjectError",
    "ask_project",
    "choose_database",
    "collect_evidence",
    "count_pruned",
    "describe_project",
    "find_place",
    "prune_snapshot",
    "read_models",
    "read_settings",
    "replace_all",
    "shield_others",
    "sqlite_entry",
]


def read_settings(
    place: ProjectPlace, environment: Mapping[str, str | None] | None = None
) -> tuple[ProjectSettings, dict[str, dict[str, Any]]]:
    """Ask for the settings, and for DATABASES as it stands, passwords too: that stays in memory.

    environment: as for `ask_project`. Raises: ProjectError.
    """
    import msgspec

    found = ask_project(place, "read_settings", environment=environment)
    return msgspec.convert(found["settings"], ProjectSettings), found["entries"]


def describe_project(
    place: ProjectPlace, settings: ProjectSettings, alias: str, applied: Sequence[tuple[str, str]]
) -> Project:
    """Load the project's applications, with an empty database in the place of the moved one, and describe them.

    applied: the migrations that the moved database says are applied. Raises: ProjectError.
    """
    import msgspec

    with tempfile.TemporaryDirectory(prefix="liteferry-") as directory:
        entry = sqlite_entry(Path(directory) / "empty.sqlite", writable=True)
        argument = {"alias": alias, "applied": [list(key) for key in applied]}
        found: Mapping[str, Any] = ask_project(
            place, "describe", argument, databases=replace_all(settings, alias, entry)
        )
    facts = {"place": msgspec.to_builtins(place), "settings": msgspec.to_builtins(settings)}
    return msgspec.convert({**found, **facts}, Project)


def read_models(
    project: Project, entry: Mapping[str, object], environment: Mapping[str, str]
) -> tuple[ProjectModel, ...]:
    """Describe the models as they are where an entry of DATABASES leads: some ask for the vendor. Raises: ProjectError.

    environment: variables that the project has only there.
    """
    import msgspec

    found = ask_project(
        project.place,
        "read_models",
        {"alias": project.alias},
        databases=replace_all(project.settings, project.alias, entry),
        environment=environment,
    )
    return msgspec.convert(found, tuple[ProjectModel, ...])
