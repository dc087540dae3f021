"""The plan of the views, in the order in which they can be made.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from liteferry.decisions import matches_place
from liteferry.errors import Untranslatable
from liteferry.expressions import Relation, translate_view
from liteferry.findings import make_finding
from liteferry.model import Catalog, ColumnMap, Finding, NameChange, PlannedObject, Step, TranslatedSql, View
from liteferry.names import NameSpace
from liteferry.planner.naming import claim_names, note_change
from liteferry.planner.sql import create_view_sql
from liteferry.sqlite_ddl import fold_case, lex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from liteferry.expressions import ViewTranslation
    from liteferry.names import NameStyle
    from liteferry.planner.refusals import Refusals
    from liteferry.planner.table_plan import TablePlan


@dataclass(slots=True, kw_only=True)
class ViewsPlan:
    """The views. ``made``: the target's names, in the order of their making."""

    steps: list[Step] = field(default_factory=list)
    objects: list[PlannedObject] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    names: list[NameChange] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    translations: list[TranslatedSql] = field(default_factory=list)


def plan_views(
    catalog: Catalog, plans: Mapping[str, TablePlan], targets: Mapping[str, str], staging: str, refusals: Refusals
) -> ViewsPlan:
    """Translate the views, each after those that it reads, whatever their order in the file. Pure.

    A view whose translation fails because it reads another that is not there yet is tried again after each success;
    what remains is named with its reason.
    """
    result, style = ViewsPlan(), refusals.options.names
    relations = {
        fold_case(name): Relation(source=name, target=plan.map.target, schema=staging, columns=plan.types)
        for name, plan in plans.items()
    }
    excluded = {fold_case(table.name) for table in catalog.tables} - set(relations)
    waiting = []
    for view in catalog.views:
        if any(matches_place(view.name, pattern) for pattern in refusals.options.exclude):
            excluded.add(fold_case(view.name))
            message = f"view {view.name} stays behind"
            result.findings.append(make_finding("left-out-by-choice", message, name=view.name, sql=view.sql))
        elif view.error is None:
            waiting.append(view)
        else:
            message = f"view {view.name} cannot be read by SQLite itself: {view.error}"
            result.findings.append(make_finding("view-broken", message, name=view.name, sql=view.sql))
    reasons: dict[str, str] = {}
    progress = True
    while waiting and progress:
        progress = False
        for view in tuple(waiting):
            try:
                translated = _translate(view, relations, style)
                refusals.check("view-untranslatable", None, view.name)
            except Untranslatable as error:
                reasons[view.name] = error.reason
                continue
            target = targets[view.name]
            relations[fold_case(view.name)] = _add_view(result, view, translated, target, staging, plans, style)
            waiting.remove(view)
            progress = True
    dangling = _find_dangling(waiting, excluded)
    for view in waiting:
        result.findings.append(
            make_finding(
                "left-dangling" if view.name in dangling else "view-untranslatable",
                f"view {view.name} is not carried over: {reasons[view.name]}",
                name=view.name,
                sql=view.sql,
            )
        )
    return result


def _find_dangling(views: Sequence[View], excluded: set[str]) -> set[str]:
    """The views that read an excluded table, or a view that does. excluded: folded names."""
    words = {view.name: {fold_case(token.value) for token in lex(view.sql)} for view in views}
    dangling: set[str] = set()
    absent = excluded
    while found := {name for name, read in words.items() if read & absent} - dangling:
        dangling |= found
        absent = {fold_case(name) for name in found}
    return dangling


def _translate(view: View, relations: Mapping[str, Relation], style: NameStyle) -> ViewTranslation:
    """Translate a view, its columns named as SQLite names them, in the style. Raises: Untranslatable."""
    translated = translate_view(view.sql, relations)
    if len(translated.columns) != len(view.columns):
        raise Untranslatable(f"it has {len(view.columns)} columns, but {len(translated.columns)} when translated")
    names = claim_names(view.columns, NameSpace(), style)
    columns = tuple(
        replace(column, source=name, target=names[name])
        for column, name in zip(translated.columns, view.columns, strict=True)
    )
    return replace(translated, columns=columns)


def _why_not_compared(translated: ViewTranslation, result: ViewsPlan, plans: Mapping[str, TablePlan]) -> str:
    """Why the two engines must show other rows in a view; "" when they must not."""
    if translated.moves:
        return "it reads the clock or makes random values"
    named = {found.name for found in result.findings if found.code == "view-not-compared"}
    for name in translated.depends_on:
        if name in named:
            return f"it reads {name}, of which they are not either"
        if name in plans:
            if plans[name].map.part:
                return f"rows of {name} are in quarantine"
            for column in plans[name].map.columns:
                if column.conversions:
                    return f"the values of {name}.{column.source} are changed by your choice"
    return ""


def _add_view(
    result: ViewsPlan,
    view: View,
    translated: ViewTranslation,
    target: str,
    staging: str,
    plans: Mapping[str, TablePlan],
    style: NameStyle,
) -> Relation:
    columns = tuple(column.target for column in translated.columns)
    result.steps.append(
        Step(
            id=f"post-data/view/{target}",
            phase="post-data",
            table=target,
            sql=(create_view_sql(staging, target, columns, translated.sql),),
        )
    )
    result.objects.append(PlannedObject(kind="view", name=target, columns=columns, source_sql=view.sql))
    result.translations.append(
        TranslatedSql(
            use="view",
            name=view.name,
            object_name=target,
            source_sql=view.sql,
            target_sql=translated.sql,
            results=tuple(
                ColumnMap(source=found.source, target=found.target, pg_type=found.pg_type, kind=found.kind, rule="")
                for found in translated.columns
            ),
            reads=translated.depends_on,
            moves=translated.moves,
            rough=translated.rough,
            chance=translated.chance,
        )
    )
    if why := _why_not_compared(translated, result, plans):
        message = f"the rows of view {view.name} were not compared: {why}"
        result.findings.append(make_finding("view-not-compared", message, name=view.name, sql=view.sql))
    result.findings += [
        make_finding("view-differs", f"view {view.name}: {note}", name=view.name) for note in translated.notes
    ]
    result.names += note_change("view", None, view.name, target, style)
    for column in translated.columns:
        result.names += note_change("column", view.name, column.source, column.target, style)
    result.made.append(target)
    return Relation(source=view.name, target=target, schema=staging, columns=translated.columns)
