"""What is no question for a Django project: decided by what its models are, or of no meaning to it.

Layer 1, pure. What is decided here is in the plan and the report, as decided by Django; what is left out of the listing
is what every Django project has and what its ORM does not look at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry.model import Decision
from liteferry.project import BY_DJANGO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from liteferry.model import Catalog, Finding, Options
    from liteferry.project import ProjectModel

_OF_NO_MEANING: Final = frozenset({"rows-replaced", "rows-equal", "order-differs"})
"""Rows that migrations put into a schema of ours are none of the user's, and the report lists them in a table of their
own; the ORM names its columns, so that their order is nothing to it, and Django's remakes on SQLite change it."""
_OF_DJANGO: Final = "django_migrations"
"""The table in which Django notes when a migration ran: nothing reads those times but people."""
_JSON_CHECK: Final = "JSON_VALID("
"""Django gives every JSONField this CHECK on SQLite, where there is no type to say it."""
_DERIVED: Final = {
    "wagtailsearch_indexentry": "manage.py update_index",
    "modelsearch_indexentry": "manage.py rebuild_modelsearch_index",
}
"""Tables of indexes that an application makes from its other tables, in another form on every engine; with what makes
them anew. Source: Wagtail's documentation, "Backends": its database backends keep their entries in this table; that of
django-modelsearch, which is the same outside of Wagtail."""


def decide_by_models(models: Sequence[ProjectModel], catalog: Catalog) -> tuple[Decision, ...]:
    """Decisions that follow from the models as they are on PostgreSQL. Pure.

    models: of `read_models`. A column that the target computes takes no values, whatever its type; a derived index is
    made anew by its application.
    """
    by_table = {model.table: model for model in models}
    computed = [
        Decision(
            code="target-type-unknown",
            place=f"{table.name}.{field.column}",
            way="leave-out",
            origin=f"{BY_DJANGO}{by_table[table.name].label}.{field.name} is computed by PostgreSQL",
        )
        for table in catalog.tables
        if table.name in by_table
        for field in by_table[table.name].fields
        if field.generated
    ]
    derived = [
        Decision(
            code="virtual-table-left-out",
            place=table.name,
            way="leave-out",
            origin=f"{BY_DJANGO}{command} makes it anew",
        )
        for table in catalog.virtual_tables
        for name, command in _DERIVED.items()
        if table.name.startswith(name)
    ]
    return (*computed, *derived)


def exclude_derived(catalog: Catalog, options: Options) -> Options:
    """The options without the tables of derived indexes. Pure."""
    names = tuple(table.name for table in catalog.tables if table.name in _DERIVED)
    return replace(options, exclude=(*options.exclude, *names)) if names else options


def refine_findings(findings: Iterable[Finding], staging: str = "") -> tuple[Finding, ...]:
    """The findings that mean something to a Django project, in words without the staging schema's name. Pure."""
    kept = (_explain(found) for found in findings if not _is_of_no_meaning(found))
    if not staging:
        return tuple(kept)
    return tuple(replace(found, message=found.message.replace(f"{staging}.", "")) for found in kept)


def _is_of_no_meaning(finding: Finding) -> bool:
    if finding.blocks:
        return False
    if finding.code == "target-time-zone" and finding.place == _OF_DJANGO:
        return True
    if finding.code == "target-object-missing":
        found = (finding.sql or "").upper().count(_JSON_CHECK)
        return found > 0 and found == max(finding.count, 1)
    return finding.code in _OF_NO_MEANING


def _explain(finding: Finding) -> Finding:
    place = finding.place
    if finding.code == "left-out-by-choice" and place in _DERIVED:
        what = f"table {place} is an index that its application makes from other tables: `{_DERIVED[place]}` makes it"
        return replace(finding, message=f"{what} on PostgreSQL", hint=f"run {_DERIVED[place]} after the move")
    return finding
