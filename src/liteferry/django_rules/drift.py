"""Where a Django project, its migrations, its SQLite file and the target's schema do not agree.

Layer 1, pure. Three comparisons: the models against the migrations, the migrations against the file, the models against
the schema that the migrations made on PostgreSQL. Each difference is a finding with its cause and its repair.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry.django_rules.catalogues import compare_catalogs, miss_column
from liteferry.django_rules.causes import explain_missing_table, list_gone
from liteferry.django_rules.models import compare_models
from liteferry.django_rules.repairs import name_migrate, repair_table
from liteferry.findings import make_finding
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from liteferry.model import Catalog, Finding, TargetCatalog
    from liteferry.project import Project, ProjectMigration, ProjectModel

_ADDS_FIELD: Final = re.compile(r"(?P<app>\S+): Add field (?P<field>\S+) to (?P<model>\S+)")
_CREATES_MODEL: Final = re.compile(r"(?P<app>\S+): Create model (?P<model>\S+)")
_SHOWN: Final = 6


def find_drift(
    project: Project,
    catalog: Catalog,
    fresh: Catalog | None,
    target: TargetCatalog | None,
    models: tuple[ProjectModel, ...] = (),
) -> tuple[Finding, ...]:
    """Find every place where project, migrations, file and target do not agree. Pure.

    catalog: of the file that is moved. fresh: of an empty SQLite file after all migrations; without it the file is
    compared with the models alone. target: the schema that the migrations made on PostgreSQL, with models as they are
    there, else the project's.
    """
    findings = [*_find_unapplied(project), *_find_disorder(project), *_find_gone(project)]
    if fresh is not None:
        findings += compare_catalogs(project, catalog, fresh)
    else:
        findings += _compare_with_models(project, catalog)
    taken = {found.place for found in findings if found.code in {"django-table-missing", "django-column-missing"}}
    if target is not None:
        there = replace(project, models=models) if models else project
        findings += [found for found in compare_models(there, target) if found.place not in taken]
    return (*_find_changes(project, findings), *findings)


# ---------------------------------------------------------------------------------------------------------------------
# Models against migrations


def _find_changes(project: Project, findings: Iterable[Finding]) -> Iterator[Finding]:
    """What makemigrations would write, without what a finding about the missing column or table says already."""
    said = {found.place for found in findings if found.severity == "blocker"}
    for change in project.changes:
        place = _place_of_change(project, change)
        if place and place in said:
            continue
        app, _, what = change.partition(": ")
        alters = change in project.schema_changes
        found = make_finding(
            "django-model-changed",
            f"the models of {app} have changed since its last migration: makemigrations would write {what!r}, which"
            + (" changes tables" if alters else " changes no table"),
            name=app,
            hint=f"python manage.py makemigrations {app}, then {name_migrate(project)}"
            + ("; of an app that is not yours, its next version may bring it" if alters else ""),
        )
        yield replace(found, severity="blocker") if place else found


def _place_of_change(project: Project, change: str) -> str:
    """The table or column that a change would make; "" for a change that makes none."""
    match = _ADDS_FIELD.fullmatch(change) or _CREATES_MODEL.fullmatch(change)
    if match is None:
        return ""
    for model in project.models:
        if model.app == match["app"] and fold_case(model.name) == fold_case(match["model"]):
            wanted = match.groupdict().get("field")
            if wanted is None:
                return model.table if model.managed and model.allowed else ""
            return next((f"{model.table}.{field.column}" for field in model.fields if field.name == wanted), "")
    return ""


# ---------------------------------------------------------------------------------------------------------------------
# Migrations against the file's own records


def _find_unapplied(project: Project) -> Iterator[Finding]:
    known = {found.key: found for found in project.migrations}
    for key in project.unapplied:
        yield make_finding(
            "django-migration-unapplied",
            f"migration {key} is not applied to the SQLite file{_say_effects(known.get(key))}",
            name=key,
            hint=f"apply it there first: {name_migrate(project)}",
        )


def _say_effects(migration: ProjectMigration | None) -> str:
    if migration is None:
        return ""
    created = set(migration.creates)
    parts = {
        "creates": migration.creates,
        "adds": tuple(name for name in migration.adds if name.partition(".")[0] not in created),
        "removes": migration.removes,
        "deletes": migration.deletes,
        "alters": tuple(dict.fromkeys(migration.alters)),
        "renames": tuple(f"{old} to {new}" for old, new in migration.renames),
    }
    said = [f"{verb} {_list_some(names)}" for verb, names in parts.items() if names]
    said += ["runs code or SQL of its own"] if migration.raw else []
    return f": it {'; '.join(said)}" if said else ""


def _list_some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _find_disorder(project: Project) -> Iterator[Finding]:
    for key, parent in project.inconsistent:
        yield make_finding(
            "django-migration-order",
            f"migration {key} is recorded as applied, and {parent}, which it depends on, is not",
            name=key,
            hint="`manage.py migrate` refuses this, too: restore the records or the dependency as they were when"
            f" {key} was applied, from a backup or the project's history",
        )


def _find_gone(project: Project) -> Iterator[Finding]:
    installed = {model.app for model in project.models} | {found.app for found in project.migrations}
    for app, names in list_gone(project).items():
        there = app in installed
        yield make_finding(
            "django-migration-gone",
            f"{len(names)} migration{'' if len(names) == 1 else 's'} of {app} recorded as applied, but not on disk"
            f" ({_list_some(names)}): "
            + ("squashed or deleted since" if there else "the app is not installed any more"),
            name=app,
            count=len(names),
            hint=f"`manage.py migrate {app} --prune` removes records of squashed ones; or put the files back"
            if there
            else "nothing need be done; its tables are told of by themselves",
        )


# ---------------------------------------------------------------------------------------------------------------------
# The file against the models alone, where the migrations could not be run on SQLite


def _compare_with_models(project: Project, catalog: Catalog) -> Iterator[Finding]:
    tables = {fold_case(table.name): table for table in catalog.tables}
    for model in project.models:
        if not (model.managed and model.allowed):
            continue
        table = tables.get(fold_case(model.table))
        if table is None:
            cause = explain_missing_table(project, model.table)
            yield make_finding(
                "django-table-missing",
                f"model {model.label} has no table {model.table} in the file: {cause.text}",
                table=model.table,
                hint=repair_table(project, cause),
            )
            continue
        there = {fold_case(column.name): column.name for column in table.columns}
        for field in model.fields:
            if fold_case(field.column) not in there:
                others = [name for name in there.values() if model.field_of(name) is None]
                yield miss_column(project, table.name, field.column, others, None)


# ---------------------------------------------------------------------------------------------------------------------
# One finding for one place


_SAME: Final = {
    "django-table-extra": ("target-table-missing", "virtual-table-left-out"),
    "django-column-extra": ("target-column-missing",),
    "django-table-missing": ("target-extra-table",),
    "django-column-missing": ("target-extra-column", "target-column-required"),
    "django-column-differs": (
        "target-null-forbidden",
        "target-type-differs",
        "value-misfit",
        "text-too-long",
        "decimal-excess",
        "date-form",
        "json-invalid",
        "target-object-missing",
    ),
    "django-constraint-differs": ("target-orphans", "unique-clash", "target-object-missing"),
    "django-object-differs": ("target-object-missing", "trigger-left-out"),
}
"""Which findings of the planner are about the same thing, at the same place, as one of ours."""

_STANDING: Final = frozenset({"django-table-missing", "django-column-missing"})
"""Ours that say more, and block, where the planner's is a consequence that needs no decision then."""


_HINTED: Final = frozenset({"target-table-missing", "target-column-missing"})
"""The planner's whose hints ours take the place of."""


def explain_findings(findings: Iterable[Finding], drift: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put the planner's findings and those about drift together, with one finding for one thing. Pure.

    A finding of the planner's that has its cause in drift gets the cause and keeps its code, its ways and what was
    decided about it; that about the drift is then left out. Where the file lacks a table or column of the project, the
    finding about that stands, and the planner's, about what the target has besides, is left out.
    """
    found = list(findings)
    kept: list[Finding] = []
    for cause in drift:
        at = [place for place, finding in enumerate(found) if _is_same(cause, finding)]
        if cause.code in _STANDING:
            found = [finding for place, finding in enumerate(found) if place not in at]
            kept.append(cause)
        elif at:
            for place in at:
                found[place] = _explain(found[place], cause)
        else:
            kept.append(cause)
    return (*kept, *found)


def _is_same(cause: Finding, finding: Finding) -> bool:
    if finding.code not in _SAME.get(cause.code, ()):
        return False
    if cause.code == "django-table-missing":
        return finding.name == cause.table and finding.table is None
    if cause.code == "django-column-differs" and finding.code == "target-object-missing":
        return finding.table == cause.table and (
            (finding.name == "not null" and " NOT NULL" in cause.message and _lists(finding, cause.name))
            or (finding.name == "default" and "DEFAULT" in cause.message and _lists(finding, cause.name))
        )
    return finding.place == cause.place or (
        cause.code == "django-table-extra" and finding.name == cause.table and finding.table is None
    )


def _lists(finding: Finding, column: str | None) -> bool:
    """Whether a finding about several columns of a table is about this one."""
    listed = finding.message.partition(" of ")[2].rpartition(" of ")[0]
    return column in listed.split(", ")


def _explain(finding: Finding, cause: Finding) -> Finding:
    said = cause.message.partition(": ")[2]
    if said in finding.message:
        return finding
    own = "" if finding.code in _HINTED or cause.hint in finding.hint else finding.hint
    hint = "; ".join(part for part in (own, cause.hint or finding.hint) if part)
    return replace(finding, message=f"{finding.message}; {said}", hint=hint)
