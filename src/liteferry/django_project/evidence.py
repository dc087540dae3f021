"""Every model of a project read through its own ORM: in the snapshot, and in PostgreSQL.

Layer 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from liteferry.django_project.asking import ask_project
from liteferry.django_project.databases import replace_all, sqlite_entry
from liteferry.project import ModelEvidence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from liteferry.project import Project

_ALIAS: Final = "liteferry_source"

_READ_ONLY: Final = "-c default_transaction_read_only=on"
"""For the target's sessions until the task begins: what an application does when it is loaded must not write there."""


def collect_evidence(
    project: Project,
    snapshot_path: Path,
    target_entry: Mapping[str, Any],
    *,
    show_values: bool,
    tell: Callable[[Mapping[str, Any]], None] | None = None,
    apart: Mapping[str, int] | None = None,
    changed: Iterable[tuple[str, str]] = (),
    left_out: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
    shared: bool = False,
) -> tuple[ModelEvidence, ...]:
    """Have the project read all its models in both databases, and insert a row into each on trial. Nothing stays.

    PostgreSQL stands in the place of the database that is moved, as it will after the move: models that ask at import
    which engine they are on are those of PostgreSQL. The snapshot has an alias of its own.

    target_entry: from `liteferry.target.make_django_entry`; the schema that the rows are in comes first in its search
    path. tell: is given ``{"kind": "model", "name", "status", "number", "of"}`` after each model. apart: how many rows
    of a table stayed in the source, as in quarantine. changed: tables and columns whose values the user had changed,
    which the ORM then rightly reads otherwise. left_out: tables that did not travel. All by their names in the source.
    environment: variables that the project has on PostgreSQL. shared: others may be using the target: a number that a
    sequence gave is not taken back.

    Raises: ProjectError when the project does not start; a model that fails is told in its evidence.
    """
    import msgspec

    alias = _ALIAS
    while any(found.alias == alias for found in project.settings.databases):
        alias += "_"
    zone = {"TIME_ZONE": project.database.time_zone or None}  # the same texts must mean the same moments
    options = dict(target_entry.get("OPTIONS") or {})
    options["options"] = f"{options.get('options', '')} {_READ_ONLY}".strip()
    target = {**target_entry, **zone, "OPTIONS": options}
    by_table: dict[str, list[str]] = {}
    for table, column in changed:
        by_table.setdefault(table, []).append(column)
    found = ask_project(
        project.place,
        "collect_evidence",
        {
            "source": alias,
            "target": project.alias,
            "show_values": show_values,
            "shared": shared,
            "apart": dict(apart or {}),
            "changed": by_table,
            "left_out": sorted(left_out),
        },
        databases={
            **replace_all(project.settings, project.alias, target),
            alias: {**sqlite_entry(snapshot_path), **zone},
        },
        tell=tell,
        environment=environment,
    )
    return tuple(msgspec.convert(found, list[ModelEvidence]))
