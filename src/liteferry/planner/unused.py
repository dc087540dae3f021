"""Decisions that decide nothing: misspelt ones are refused, the others are said.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.decisions import matches_place
from liteferry.errors import MigrationError
from liteferry.findings import make_finding
from liteferry.project import BY_DJANGO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from liteferry.model import Catalog, Finding, Options, TableMap


_CAME_OF: Final = {"collation-lost": "collation-wider"}
"""What a finding was, before a way out was taken that makes it another."""


def find_unused(
    catalog: Catalog, findings: Sequence[Finding], maps: Iterable[TableMap], options: Options
) -> Iterator[Finding]:
    """Find the decisions that neither a finding nor a column of the plan took up. Pure.

    Raises: MigrationError (usage) for a place that is no finding's, and no object of the source: it is misspelt.
    """
    places = set(_list_places(catalog))
    converted = {
        (f"{table.source}.{column.source}", conversion.partition(":")[0])
        for table in maps
        for column in table.columns
        for conversion in column.conversions
    }
    for option, code, place, way in _list_decisions(options):
        matching = [
            found
            for found in findings
            if code in {"", "all", found.code, _CAME_OF.get(found.code)} and matches_place(found.place, place)
        ]
        offered = {offer.name.partition(":")[0] for found in matching for offer in found.ways}
        if matching and (not way or way in offered):
            continue
        if any(way == taken and matches_place(column, place) for column, taken in converted):
            continue  # it is taken, though there may be more to decide
        if not matching and not any(matches_place(known, place) for known in places):
            raise MigrationError(
                f"{option} names {place}, and there is nothing of that name in the source",
                code="usage",
                hint="a place is table.column or as `liteferry check SOURCE` shows it; patterns mind the case",
            )
        why = (
            f"it offers {', '.join(sorted(offered)) or 'no way out'}" if matching else "nothing is to be decided there"
        )
        yield make_finding("decision-unused", f"{option} decides nothing: {why}", name=place)


def _list_decisions(options: Options) -> Iterator[tuple[str, str, str, str]]:
    """Each decision with a place: as it was given, its code, place and way."""
    for item in options.accept:
        code, colon, place = item.partition(":")
        if colon and place:
            yield f"--accept {item}", code, place, ""
    for decision in options.decisions:
        if decision.origin.startswith(BY_DJANGO):
            continue  # nobody wrote it: it says what would be done
        text = f"{decision.code}:{decision.place}" if decision.code else decision.place
        yield f"--on-misfit {text}={decision.way}", decision.code, decision.place, decision.way.partition(":")[0]


def _list_places(catalog: Catalog) -> Iterator[str]:
    """Everything of the source that a finding could be about, as `Finding.place` has it."""
    for table in catalog.tables:
        yield table.name
        parts = [
            *(column.name for column in table.columns),
            *(index.name for index in table.indexes),
            *(", ".join(key.column or "" for key in index.keys) for index in table.indexes),
            *(", ".join(key.columns) for key in table.foreign_keys),
            *(check.name or f"check {position}" for position, check in enumerate(table.checks, start=1)),
        ]
        yield from (f"{table.name}.{part}" for part in parts)
    yield from (f"{trigger.table}.{trigger.name}" for trigger in catalog.triggers)
    yield from (view.name for view in catalog.views)
    yield from (table.name for table in catalog.virtual_tables)
