"""The evidence of the project's own ORM, of a schema in the target.

Layer 3. Used within `django_move` only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from liteferry.decisions import matches_place
from liteferry.django_move.journey import Journey, list_variables
from liteferry.django_project import collect_evidence
from liteferry.django_rules.evidence import judge_evidence
from liteferry.model import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from liteferry.model import Catalog, Options, Plan
    from liteferry.run import Run
    from liteferry.target import Target


def read_by_orm(journey: Journey, server: Target, plan: Plan, schema: str) -> bool:
    """Have the project read every model on both sides; puts the evidence into the run. Returns whether it is good."""
    run, user, copy = journey.run, journey.run.options, journey.snapshot.file
    if copy is None:
        raise AssertionError("a project's snapshot is a copy")
    catalog = journey.snapshot.read_catalog()
    with run.phase("evidence"):
        evidence = collect_evidence(
            journey.project,
            copy,
            server.make_django_entry((schema, "public")),
            show_values=user.show_values,
            tell=_tell_models(run),
            apart={found.table: found.rows for found in plan.apart},
            changed=[*_list_changed(plan, user), *_list_left_out(plan, catalog)],
            left_out={table.name for table in catalog.tables} - {table.source for table in plan.tables},
            environment=list_variables(user),
            shared=run.published,  # staging is ours alone
        )
    if run.django is not None:
        run.django = replace(run.django, evidence=evidence)
    return judge_evidence(evidence)


def _list_changed(plan: Plan, user: Options) -> Iterator[tuple[str, str]]:
    """Tables and columns whose values the user had changed on the way. Pure."""
    for table in plan.counterparts:
        for column in table.columns:
            place = f"{table.source}.{column.source}"
            if column.conversions and any(matches_place(place, made.place) for made in user.decisions):
                yield table.source, column.source


def _list_left_out(plan: Plan, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Tables and columns whose values did not travel, as those of a column that PostgreSQL computes. Pure."""
    carried = {table.source: {column.source for column in table.columns} for table in plan.counterparts}
    for table in catalog.tables:
        for column in table.columns:
            if table.name in carried and column.name not in carried[table.name] and not column.generated:
                yield table.name, column.name


def _tell_models(run: Run) -> Callable[[Mapping[str, Any]], None]:
    """Pass the project's events on as the run's."""

    def tell(event: Mapping[str, Any]) -> None:
        if event.get("kind") == "model":
            run.observe(Event(kind="step-end", phase="evidence", step_id=f"evidence/{event['name']}"))

    return tell
