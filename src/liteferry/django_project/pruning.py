"""Take rows out of our copy of the database, as the project's models say what goes with them.

Layer 2. The deleting is the project's own Django's (`inside.pruning`); what it did is checked here, without it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liteferry.django_project.asking import ProjectError, ask_project
from liteferry.django_project.databases import replace_all, sqlite_entry
from liteferry.errors import MigrationError
from liteferry.project import ProjectPlace, ProjectSettings, Pruned, PruneRule
from liteferry.source.pruned import refuse_changes, survey_copy

if TYPE_CHECKING:
    from collections.abc import Sequence


def prune_snapshot(
    place: ProjectPlace,
    settings: ProjectSettings,
    alias: str,
    path: Path,
    rules: Sequence[PruneRule],
    *,
    dry_run: bool = False,
) -> tuple[Pruned, ...]:
    """Delete from a copy of the database what the rules name, and what Django's collector would delete with it.

    path: our own copy, never the file that is moved. All or nothing: in one transaction. dry_run: find out what would
    go, and leave the copy as it is. The rows come by table, those with a rule of their own first.

    Raises: MigrationError (django-prune) when a rule cannot be followed; ProjectError when the project's code fails.
    """
    import msgspec

    if not rules:
        return ()
    before = survey_copy(path)
    with tempfile.TemporaryDirectory(prefix="liteferry-") as directory:
        # the applications are loaded before the copy is there: what they do when they start must not reach it
        stand_in = sqlite_entry(Path(directory) / "empty.sqlite", writable=True)
        databases = replace_all(settings, alias, stand_in)
        argument = {
            "alias": alias,
            "aliases": list(databases),
            "path": str(path.absolute()),
            "rules": msgspec.to_builtins(list(rules)),
            "dry_run": dry_run,
        }
        try:
            found: dict[str, Any] = ask_project(place, "prune", argument, databases=databases)
        except ProjectError as error:
            raise _name_rule(error) from error
    if "refused" in found:
        raise MigrationError(found["refused"]["what"], code="django-prune", hint=found["refused"]["hint"])
    pruned = msgspec.convert(found["pruned"], tuple[Pruned, ...])
    written = () if dry_run else pruned
    refuse_changes(
        before,
        survey_copy(path, thorough=not dry_run),
        {row.table: row.added - row.deleted for row in written},
        {row.table for row in written if row.added},
    )
    return pruned


def count_pruned(pruned: Sequence[Pruned]) -> int:
    """How many rows were taken away, changed or added. Pure."""
    return sum(row.deleted + row.updated + row.added for row in pruned)


def _name_rule(error: ProjectError) -> ProjectError:
    """The project's error with the rule that led to it, where it was one."""
    rule = error.facts.get("rule")
    if not rule:
        return error
    named = ProjectError(f"pruning {rule}: {error.what}", code="django-prune", hint=error.hint)
    named.facts = error.facts
    return named
