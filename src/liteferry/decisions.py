"""What the user decided, looked up: the way out that is taken of a finding, and the type that a cast rule demands.

Layer 1, pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, TypeAlias

from liteferry.conversions import is_zone
from liteferry.errors import MigrationError
from liteferry.findings import FINDINGS, WAYS
from liteferry.model import Cast, Decision
from liteferry.project import BY_DJANGO
from liteferry.typemap import is_demand_of_target, refuse_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from liteferry.model import Catalog, Finding, Options


def parse_decision(text: str) -> Decision:
    """Read ``[CODE:]PLACE=WAY``, as `--on-misfit` and liteferry.toml have it. Pure.

    Raises: MigrationError (usage) for a way that there is not, or without one.
    """
    left, equals, way = text.rpartition("=")
    code, colon, place = left.partition(":")
    if not colon or code not in FINDINGS:
        code, place = "", left
    if not equals or not place:
        raise MigrationError(
            f"--on-misfit {text}: a place and a way are needed, as in customer.age=quarantine",
            code="usage",
            hint="`liteferry check SOURCE` shows the places, and the ways that each finding offers",
        )
    return make_decision(code, place, way)


def make_decision(code: str, place: str, way: str) -> Decision:
    """Make a decision of its parts. Pure. Raises: MigrationError (usage) for a way that there is not."""
    name, colon, argument = way.partition(":")
    if name not in WAYS:
        raise MigrationError(f"there is no way out called {name}", code="usage", hint=f"there are: {', '.join(WAYS)}")
    if (name == "timezone") != bool(colon and argument):
        raise MigrationError(
            f"{place}={way}: the way out timezone, and no other, has the name of a zone behind a colon",
            code="usage",
            hint="for instance timezone:Europe/Berlin",
        )
    if argument and not is_zone(argument):
        raise MigrationError(
            f"{place}={way}: there is no time zone called {argument}",
            code="usage",
            hint="names are those of the IANA database, as Europe/Berlin; where the system has none of them,"
            " `pip install tzdata` brings them",
        )
    return Decision(code=code, place=place, way=way)


def parse_cast(text: str) -> Cast:
    """Read ``TABLE.COLUMN=TYPE``, as `--cast` has it. Pure. Raises: MigrationError (usage)."""
    column, equals, pg_type = text.rpartition("=")
    if not equals or not column or not pg_type.strip():
        raise MigrationError(
            f"--cast {text}: a column and a type are needed, as in order.total=numeric(12,2)",
            code="usage",
            hint="the column is a shell pattern on table.column",
        )
    return Cast(column=column, pg_type=pg_type.strip())


def find_way(code: str, place: str, offered: Collection[str], options: Options) -> str:
    """The way that the user takes of a finding, of those that it offers; "" where nothing is decided. Pure.

    The last decision that matches counts, so that a particular one can follow a general one; `--accept` is looked at
    elsewhere, and less particular than any decision.
    """
    for decision in _list_candidates(place, options.decisions):
        if decision.code in {"", code} and matches_place(place, decision.place):
            name = decision.way.partition(":")[0]
            if name in offered:
                return decision.way
    return ""


class _Index:
    """Decisions by their places. A Django project's rules are thousands, and every column asks several times."""

    def __init__(self, decisions: tuple[Decision, ...]) -> None:
        """Sort them into those of one place and those whose place is a pattern."""
        self.decisions = decisions
        self.by_place: dict[str, list[int]] = {}
        self.patterns: list[int] = []
        for number, decision in enumerate(decisions):
            if _MAGIC.isdisjoint(decision.place):
                self.by_place.setdefault(decision.place, []).append(number)
            else:
                self.patterns.append(number)


_MAGIC: Final = frozenset("*?[")
_last_index = _Index(())


def _list_candidates(place: str, decisions: tuple[Decision, ...]) -> Iterator[Decision]:
    """The decisions that a place may match, the last first. Keeps the index of the decisions it was given last."""
    global _last_index  # noqa: PLW0603 - a cache of one: a run's options are the same all along
    index = _last_index
    if index.decisions is not decisions:
        index = _last_index = _Index(decisions)
    numbers = index.by_place.get(place)
    for number in sorted((*numbers, *index.patterns), reverse=True) if numbers else reversed(index.patterns):
        yield decisions[number]


UTC_WAY: Final = "timezone:UTC"
_ZONE_CODES: Final = ("time-zone-mixed", "time-zone-absent", "time-zone-given")


def find_zone_way(place: str, options: Options) -> str:
    """``timezone:ZONE``, where somebody said whose local times a column's are; "" otherwise. Pure."""
    zones = (find_way(code, place, ("timezone",), options) for code in _ZONE_CODES)
    return next((zone for zone in zones if zone), "")


def name_origin(finding: Finding, options: Options) -> str:
    """What took the way out of a finding: the option, or the file with its line. Pure."""
    for decision in reversed(options.decisions):
        here = decision.code in {"", finding.code} and matches_place(finding.place, decision.place)
        if here and decision.way.partition(":")[0] == finding.way.partition(":")[0]:
            item = f"{decision.code}:{decision.place}" if decision.code else decision.place
            if decision.origin.startswith(BY_DJANGO):
                return decision.origin
            if decision.origin:
                return f"{decision.origin}, [decisions] {item} = {decision.way}"
            return f"--on-misfit {item}={decision.way}"
    for item in options.accept:
        code, _, place = item.partition(":")
        if code in {finding.code, "all"} and (not place or matches_place(finding.place, place)):
            if options.config is not None and item in options.config.accept:
                return f"{options.config.path}, accept {item}"
            return f"--accept {item}"
    return ""


def matches_place(place: str, pattern: str) -> bool:
    """Whether a shell pattern matches a place, or is its very name: ``[a]`` is a name, too. Pure."""
    return place == pattern or fnmatchcase(place, pattern)


def find_cast(table: str, column: str, declared_type: str, casts: Sequence[Cast]) -> str:
    """The PostgreSQL type that the user's first matching cast rule demands for a column; "" for none. Pure."""
    declared = " ".join(declared_type.upper().split())
    for cast in casts:
        named = not cast.column or matches_place(f"{table}.{column}", cast.column)
        if named and (not cast.declared_type or " ".join(cast.declared_type.upper().split()) == declared):
            return cast.pg_type
    return ""


DemandedTypes: TypeAlias = Mapping[str, Mapping[str, str]]
"""The PostgreSQL types that cast rules or the target demand: by the source's table and column name."""


def demand_types(catalog: Catalog, options: Options) -> DemandedTypes:
    """The types that the user's cast rules demand. Pure.

    Raises: MigrationError (usage) for a cast rule that matches no column, which is most likely misspelt, or whose type
    is written as only the target's own may be.
    """
    for cast in options.casts:
        if is_demand_of_target(cast.pg_type):
            raise refuse_type(cast.pg_type)
    demanded: dict[str, dict[str, str]] = {}
    for table in catalog.tables:
        for column in table.columns:
            pg_type = find_cast(table.name, column.name, column.declared_type, options.casts)
            if pg_type:
                demanded.setdefault(table.name, {})[column.name] = pg_type
    for cast in options.casts:
        alone = (cast,)
        if not any(
            find_cast(table.name, column.name, column.declared_type, alone)
            for table in catalog.tables
            for column in table.columns
        ):
            raise MigrationError(
                f"the cast rule for {cast.column or cast.declared_type} matches no column of the source",
                code="usage",
                hint="`liteferry inspect SOURCE` shows the columns and their declared types",
            )
    return demanded
