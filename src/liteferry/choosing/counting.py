"""Values put aside, forgiven and counted: what a census is without those that a way out takes care of.

Layer 1, pure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from liteferry.model import ColumnCensus
    from liteferry.typemap import TypeChoice


def put_aside(census: ColumnCensus, offences: Collection[str]) -> ColumnCensus:
    """The census without the values that have any of these offences. Pure.

    The largest and the longest are those of all values still: they bound those of the others.
    """
    away = [group for group in census.misfits if not set(group.offences).isdisjoint(offences)]
    by_storage: Counter[str] = Counter()
    by_offence: Counter[str] = Counter()
    for group in away:
        by_storage[group.storage] += group.count
        by_offence.update(dict.fromkeys(group.offences, group.count))
    left = [replace(found, count=found.count - by_offence[found.name]) for found in census.offences]
    wrong = {"other"} if "form" in offences else set[str]()
    if "form" in offences and census.forms_of == "date":
        wrong |= {form.name for form in census.forms} - {"date"}
    if "zone" in offences:
        wrong.add("datetime-tz")
    if "json-only" in offences:
        wrong.add("json-only")
    return replace(
        census,
        nulls=census.nulls - by_storage["null"],
        integers=census.integers - by_storage["integer"],
        reals=census.reals - by_storage["real"],
        texts=census.texts - by_storage["text"],
        blobs=census.blobs - by_storage["blob"],
        offences=tuple(found for found in left if found.count),
        misfits=tuple(group for group in census.misfits if group not in away),
        forms=tuple(form for form in census.forms if form.name not in wrong),
        reasons=() if "form" in offences else census.reasons,
    )


def forgive(census: ColumnCensus, offences: Collection[str]) -> ColumnCensus:
    """The census as if these offences were none: a conversion makes something good of the values. Pure."""
    groups = [replace(group, offences=_without(group.offences, offences)) for group in census.misfits]
    return replace(
        census,
        offences=tuple(found for found in census.offences if found.name not in offences),
        misfits=tuple(group for group in groups if group.offences),
    )


def _without(names: tuple[str, ...], away: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in away)


def count_values(census: ColumnCensus, offences: Collection[str], without: Collection[str] = ()) -> int:
    """How many values have any of these offences, each counted once, and none of those in ``without``. Pure."""
    return sum(
        group.count
        for group in census.misfits
        if not set(group.offences).isdisjoint(offences) and set(group.offences).isdisjoint(without)
    )


def count_converted(choice: TypeChoice, census: ColumnCensus) -> int:
    """How many values a choice's conversions change or make NULL, of those that are not quarantined. Pure.

    census: of all rows, or of those that are not set apart.
    """
    nulled = count_values(census, choice.nulled, choice.quarantined)
    if all(conversion.startswith("null") for conversion in choice.conversions):
        return nulled
    both = sum(
        group.count
        for group in census.misfits
        if group.converted and not {*choice.nulled, *choice.quarantined}.isdisjoint(group.offences)
    )
    return census.converted - both + nulled
