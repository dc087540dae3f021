"""The choice of a column's PostgreSQL type: what is declared, held against what is stored and what the user decided.

Layer 1, pure. `map_column` gives the type together with the findings that stand in its way. Each family has a chooser;
what it cannot take as declared it says as a problem. Where the user has taken a way out of a problem that is not the
default, the values in question are put aside (quarantined, made NULL, converted) and the chooser is asked again, about
the values that are left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from liteferry.choosing.case import Case
from liteferry.choosing.counting import count_converted
from liteferry.choosing.families import CHOOSERS
from liteferry.conversions import EPOCH_WAYS, FOLDS, LAST_KEY, QUANTISERS, REPAIRS
from liteferry.decisions import UTC_WAY, find_way, find_zone_way
from liteferry.errors import MigrationError
from liteferry.typemap import TypeChoice, classify_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liteferry.decisions import DemandedTypes
    from liteferry.model import Catalog, Column, ColumnCensus, Options, Table

__all__ = ["DemandedConversions", "choose_conversions", "count_converted", "demand_conversions", "map_column"]

DemandedConversions: TypeAlias = "Mapping[str, Mapping[str, tuple[str, ...]]]"
"""What the user decided to make of columns' values, by the source's table and column name."""


def map_column(table: Table, column: Column, census: ColumnCensus, options: Options, pg_type: str = "") -> TypeChoice:
    """Choose the PostgreSQL type of one column. Pure.

    pg_type: what a cast rule or the target demands; the census must have been taken with the same, and with the
    conversions that `choose_conversions` gives.

    Never chooses a type that would change a value: where the declared type's counterpart does not hold every stored
    value, the choice is the narrowest type that does, and a blocking finding says so; unless the user has taken another
    way out, which the choice then follows.
    """
    declared = classify_column(table, column, pg_type, conversions=census.conversions)
    if column.name == table.rowid_alias and not pg_type:
        return TypeChoice(pg_type="bigint", kind="int8", rule="rowid-alias")
    case = Case(table, column, declared, census, options)
    choice = case.decide(CHOOSERS[declared.family])
    return replace(choice, rule="cast") if declared.pg_type == choice.pg_type else choice


_DATE_WAYS: Final = ("widen", *EPOCH_WAYS)
"""Not ``quarantine`` and ``null``: beside an epoch these are about the numbers that it makes no moments of, whichever
was said first. Otherwise a second decision, which `check` asks for, would take the first one's moments along."""
_TEXT_WAYS: Final = ("widen", "quarantine", "null", *REPAIRS)
_DECIMAL_CODES: Final = ("decimal-excess", "decimal-inexact")


def choose_conversions(table: Table, column: Column, options: Options, pg_type: str = "") -> tuple[str, ...]:
    """The conversions of a column that the user decided on; the census judges its values with them. Pure.

    pg_type: what a cast rule or the target demands. Numbers of a column without a declared type become moments only
    where a decision names the very column, since nothing else says that they may be.

    Raises: MigrationError (usage) for two that exclude each other.
    """
    is_plain = (column.generated or column.name == table.rowid_alias) and not pg_type
    if not options.decisions or is_plain:
        return ()
    place = f"{table.name}.{column.name}"
    declared = classify_column(table, column, pg_type)
    family = declared.family
    if family == "decimal":
        found = (find_way(code, place, ("widen", *QUANTISERS), options) for code in _DECIMAL_CODES)
        limits = f":{declared.precision},{declared.scale}" if declared.precision is not None else ""
        return tuple(f"{way}{limits}" for way in found if way in QUANTISERS)[:1]
    if family == "json":
        way = find_way("json-not-jsonb", place, (LAST_KEY, "text"), options)
        return (way,) if way == LAST_KEY and declared.pg_type != "json" else ()
    if family == "none":
        named = replace(options, decisions=tuple(found for found in options.decisions if found.place == place))
        epoch = find_way("date-form", place, _DATE_WAYS, named)
    else:
        epoch = find_way("date-form", place, _DATE_WAYS, options) if family in {"datetime", "date"} else ""
    chosen = [epoch] if epoch in EPOCH_WAYS else []
    if family == "datetime" or (family == "none" and chosen):
        zone = find_zone_way(place, options)
        if zone != UTC_WAY or declared.pg_type != "timestamptz":  # there a time without an offset is of UTC anyway
            fold = find_way("local-time-unclear", place, FOLDS, options) if zone else ""
            chosen += [way for way in (zone, fold) if way]
    if family == "text" or (family == "none" and not chosen):
        chosen += _choose_repairs(place, options)
    return tuple(chosen)


def _choose_repairs(place: str, options: Options) -> list[str]:
    ways = {code: find_way(code, place, _TEXT_WAYS, options) for code in ("text-nul", "text-invalid")}
    whole = {"u-fffd", "escape"} & set(ways.values())
    if whole and (len(whole) > 1 or "null" in ways.values()):
        raise MigrationError(
            f"the ways out {ways['text-nul']} and {ways['text-invalid']} exclude each other at {place}",
            code="usage",
            hint="u-fffd and escape look at NUL and at bytes that are not UTF-8 alike",
        )
    return [repair for repair in REPAIRS if repair in ways.values()]


def demand_conversions(catalog: Catalog, options: Options, demanded: DemandedTypes) -> DemandedConversions:
    """The conversions that the user decided on, by table and column; demanded: the types likewise. Pure.

    Raises: as `choose_conversions`.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for table in catalog.tables if options.decisions else ():
        for column in table.columns:
            pg_type = demanded.get(table.name, {}).get(column.name, "")
            if conversions := choose_conversions(table, column, options, pg_type):
                found.setdefault(table.name, {})[column.name] = conversions
    return found
