"""The choice of a column's PostgreSQL type: what is declared, held against what is stored and what the user decided.

Layer 1, pure. `map_column` gives the type together with the findings that stand in its way. Each family has a chooser;
what it cannot take as declared it says as a problem. Where the user has taken a way out of a problem that is not the
default, the values in question are put aside (quarantined, made NULL, converted) and the chooser is asked again, about
the values that are left.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from liteferry.census import REASONS
from liteferry.conversions import EPOCH_WAYS, REPAIRS, find_zone
from liteferry.decisions import find_way
from liteferry.errors import MigrationError
from liteferry.findings import FINDINGS, WAYS, make_finding
from liteferry.model import Offence, WayOut
from liteferry.typemap import TypeChoice, classify_column, classify_declared_type

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from liteferry.decisions import DemandedTypes
    from liteferry.model import Catalog, Column, ColumnCensus, Finding, Kind, Options, Table
    from liteferry.typemap import DeclaredType, Family

DemandedConversions: TypeAlias = "Mapping[str, Mapping[str, tuple[str, ...]]]"
"""What the user decided to make of columns' values, by the source's table and column name."""

_SAMPLES: Final = 5


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
    case = _Case(table, column, declared, census, options)
    choice = case.decide(_CHOOSERS[declared.family])
    return replace(choice, rule="cast") if declared.pg_type == choice.pg_type else choice


_DATE_WAYS: Final = ("widen", "quarantine", "null", *EPOCH_WAYS)
_TEXT_WAYS: Final = ("widen", "quarantine", "null", *REPAIRS)
_ZONE_CODES: Final = ("time-zone-mixed", "time-zone-absent", "time-zone-given")


def choose_conversions(table: Table, column: Column, options: Options, pg_type: str = "") -> tuple[str, ...]:
    """The conversions of a column that the user decided on; the census judges its values with them. Pure.

    pg_type: what a cast rule or the target demands. Numbers of a column without a declared type become moments only
    where a decision names the very column, since nothing else says that they may be.

    Raises: MigrationError (usage) for two that exclude each other.
    """
    if not options.decisions or column.generated or (column.name == table.rowid_alias and not pg_type):
        return ()
    place = f"{table.name}.{column.name}"
    family = classify_column(table, column, pg_type).family
    if family == "none":
        named = replace(options, decisions=tuple(found for found in options.decisions if found.place == place))
        epoch = find_way("date-form", place, _DATE_WAYS, named)
    else:
        epoch = find_way("date-form", place, _DATE_WAYS, options) if family in {"datetime", "date"} else ""
    chosen = [epoch] if epoch in EPOCH_WAYS else []
    if family == "datetime" or (family == "none" and chosen):
        zones = (find_way(code, place, ("timezone",), options) for code in _ZONE_CODES)
        chosen += [zone for zone in zones if zone][:1]
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


def _withdraw(found: Finding, type_wanted: str) -> Finding:
    """A finding whose way out, NULL, does nothing, since another makes the column wide enough for the values."""
    return replace(
        found,
        way="",
        if_accepted="",
        ways=tuple(way for way in found.ways if way.name != "widen"),
        hint=f"null is for values that do not fit {type_wanted}: it cannot be taken beside a wider type",
    )


def _say_years(way: str, ends: tuple[int | None, int | None]) -> str:
    """Say in which years integers would be; "" where one of them would be beyond a timestamp."""
    from liteferry.conversions import Unconvertible, make_moment_converter

    convert, years = make_moment_converter(way), []
    for end in ends:
        if end is None:
            return " "  # reals: only the values themselves tell
        try:
            years.append(1970 + round(convert(end) / _YEAR_US - 0.5))
        except Unconvertible:
            return ""
    return f": the year {years[0]}" if years[0] == years[1] else f": the years {years[0]} to {years[1]}"


_YEAR_US: Final = 31_556_952_000_000
_MOMENTS: Final[frozenset[Kind]] = frozenset({"timestamp", "timestamptz", "date"})


def _list_counts(parts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count:,} {name}{'s' * (count != 1)}" for name, count in parts if count)


@dataclass(frozen=True, slots=True)
class _Problem:
    """A finding, and the offences that it is about."""

    finding: Finding
    offences: tuple[str, ...] = ()


class _Case:
    """One column's question, with short ways to answer it."""

    def __init__(
        self, table: Table, column: Column, declared: DeclaredType, census: ColumnCensus, options: Options
    ) -> None:
        self.table = table
        self.column = column
        self.declared = declared
        self.stored = census
        self.census = census  # what is left of it
        self.options = options
        self.problems: list[_Problem] = []
        self.quarantined: list[str] = []
        self.nulled: list[str] = []
        self.wanted = ""  # json or text, where the user has taken that
        self.epoch = next((way for way in census.conversions if way in EPOCH_WAYS), "")
        self.zone = find_zone(census.conversions)
        self.repairs = tuple(way for way in census.conversions if way in REPAIRS)
        self._moments = tuple(way for way in census.conversions if way not in REPAIRS)

    def decide(self, choose: Callable[[_Case], TypeChoice]) -> TypeChoice:
        """Choose the type, following the ways out that the user has taken."""
        choice, settled = self._settle(choose)
        if self.repairs and choice.kind != "text":
            # another problem makes bytes of the column, which take every text as it is: nothing is repaired
            self._start_anew()
            choice, settled = self._settle(choose)
        if self.nulled and choice.rule == "widened" and not self._still_misfit(choice.kind):
            settled = [_withdraw(found, self.type_wanted) if found.way == "null" else found for found in settled]
        null = self._null_way()
        conversions = self.repairs if choice.kind == "text" else self._moments if choice.kind in _MOMENTS else ()
        choice = replace(
            choice,
            findings=(*settled, *(problem.finding for problem in self.problems)),
            conversions=(*conversions, *null),
            quarantined=tuple(self.quarantined),
            nulled=tuple(self.nulled),
        )
        return replace(choice, converted=count_converted(choice, self.stored))

    def _start_anew(self) -> None:
        self.census = self.stored
        self.quarantined, self.nulled = [], []
        self.repairs = ()

    def _settle(self, choose: Callable[[_Case], TypeChoice]) -> tuple[TypeChoice, list[Finding]]:
        """Choose until no problem is left of which the user has taken a way out."""
        settled: list[Finding] = []
        while True:
            self.problems = []
            choice = choose(self)
            taken = next(filter(None, map(self._take_way, self.problems)), None)
            if taken is None:
                return choice, settled
            settled.append(taken)

    def _take_way(self, problem: _Problem) -> Finding | None:
        """Follow the way that the user takes of a problem; None where that is the default, or nothing is decided."""
        found = problem.finding
        default = found.ways[0].name if found.if_accepted else ""
        way = (found.way and "") or find_way(found.code, found.place, [way.name for way in found.ways], self.options)
        if found.code in {"text-nul", "text-invalid"} and not way:
            way = next((repair for repair in self.repairs if repair != "strip-nul"), "")  # both look at either
        if not way or way == default:
            return None
        if way in {"quarantine", "null"}:
            away = self.quarantined if way == "quarantine" else self.nulled
            away += [name for name in problem.offences if self.census.offence(name)]
            self.census = put_aside(self.census, problem.offences)
        elif way in self.repairs:
            self.census = forgive(self.census, problem.offences)
        elif way in {"json", "text"}:
            self.wanted = way
        else:
            return None
        return replace(found, way=way)

    def _still_misfit(self, kind: Kind) -> bool:
        """Whether what is to become NULL does not fit the wider type either."""
        fitting = {"class", *(("nul", "invalid-utf8") if kind == "text" else ())}
        return set(self.nulled) <= fitting

    def _null_way(self) -> tuple[str, ...]:
        """``null``, with the storage classes that become NULL altogether."""
        if not self.nulled:
            return ()
        # a text that is not UTF-8 is as little a blob as one that is
        telling = {"class", *(("invalid-utf8",) if self.declared.family == "blob" else ())} & set(self.nulled)
        groups = self.stored.misfits
        listed = ",".join(sorted({group.storage for group in groups if not telling.isdisjoint(group.offences)}))
        return (f"null:{listed}" if listed else "null",)

    def say(
        self,
        code: str,
        offences: Iterable[str],
        message: str,
        *,
        becomes: str = "",
        count: int = 0,
        hint: str = "",
        ways: tuple[WayOut, ...] = (),
        way: str = "",
        note: Offence | None = None,
    ) -> None:
        """Note a problem. offences: of those that are there, all values together; count: where there are none.

        becomes: what the column becomes by default; "" where there is no default. ways: offered beside those that are
        always offered; way: the one that has been taken already.
        """
        names = tuple(name for name in offences if self.census.offence(name))
        samples = note.samples if note else tuple(s for name in names for s in self._offence(name).samples)
        found = make_finding(
            code,
            message,
            table=self.table.name,
            name=self.column.name,
            count=self.count(*names) or count,
            samples=samples[:_SAMPLES],
            sql=f"{self.column.name} {self.column.declared_type}".strip(),
            hint=hint,
            if_accepted=f"the column becomes {becomes}" if becomes else "",
            more_ways=(*self._offer(names), *ways) if becomes or FINDINGS[code].severity == "blocker" else ways,
        )
        if not becomes:
            offered = tuple(one for one in found.ways if one.name != FINDINGS[code].way or not found.if_accepted)
            found = replace(found, if_accepted="", ways=offered)
        if way:
            name = way.partition(":")[0]
            found = replace(found, way=way, ways=(WayOut(name=name, effect=WAYS[name]),))
        self.problems.append(_Problem(found, names))

    def _offer(self, offences: tuple[str, ...]) -> tuple[WayOut, ...]:
        """The ways out that are offered wherever rows can be named."""
        if not offences:
            return ()
        rows = self.count(*offences)
        are = "row is" if rows == 1 else "rows are"
        offered = [WayOut(name="quarantine", effect=f"{rows:,} {are} kept whole, in a table beside the target's")]
        column = self.column
        is_key = column.pk_position > 0 or column.name == self.table.rowid_alias
        if not (column.not_null or column.generated or is_key):
            become = "value becomes" if rows == 1 else "values become"
            offered.append(WayOut(name="null", effect=f"{rows:,} {become} NULL"))
        return tuple(offered)

    def offer_moments(self) -> tuple[WayOut, ...]:
        """What numbers in a column of dates may mean, with the years that they would be in."""
        census = self.census
        if self.column.generated or not (census.integers or census.reals):
            return ()
        ends = (census.min_integer, census.max_integer)
        return tuple(
            WayOut(name=way, effect=WAYS[way] + _say_years(way, ends)) for way in EPOCH_WAYS if _say_years(way, ends)
        )

    def offer_repairs(self, offence: str) -> tuple[WayOut, ...]:
        """What can be made of texts that are none to PostgreSQL."""
        if self.column.generated:
            return ()
        ways = REPAIRS if offence == "nul" else ("u-fffd", "escape")
        return tuple(WayOut(name=way, effect=WAYS[way]) for way in ways)

    def _offence(self, name: str) -> Offence:
        return self.census.offence(name) or Offence(name=name, count=0)

    def count(self, *offences: str) -> int:
        """How many values have any of these offences."""
        return count_values(self.census, offences)

    def has(self, *offences: str) -> bool:
        """Whether any value has one of these offences."""
        return any(self.census.offence(name) for name in offences)

    def say_inexact(self) -> None:
        """Say what binary arithmetic has left in a column of decimals."""
        note = next((found for found in self.stored.notes if found.name == "inexact"), None)
        if note is not None:
            message = (
                f"{note.count:,} of {self.stored.reals:,} reals have more than 15 digits, as 0.1 + 0.2 has in SQLite"
            )
            self.say("decimal-inexact", (), message, count=note.count, note=note)

    def say_moments(self) -> int:
        """Say that numbers become moments, where they do; returns how many."""
        census = self.census
        numbers = census.integers + census.reals - self.count("epoch") if self.epoch else 0
        if numbers:
            years = _say_years(self.epoch, (census.min_integer, census.max_integer)).rstrip()
            meant = WAYS[self.epoch].removeprefix("numbers are ")
            message = f"{numbers:,} of {self.stored.rows:,} values are numbers: {meant}"
            self.say("date-form", (), message + years, count=numbers, way=self.epoch)
        return numbers

    def misfit(self, *, what: str = "") -> TypeChoice:
        """The declared type does not hold everything: widen, and say so."""
        choice = self.widen()
        # where no real fits, an infinity offends by its class already
        numbers = self.column.affinity == "NUMERIC" and bool(self.census.integers and self.census.reals)
        is_finite = self.declared.family in {"decimal", "json"} or (self.declared.family == "none" and numbers)
        infinite = ("nonfinite",) if is_finite else ()
        offences = ("class", "form", "range", "invalid-utf8", *infinite)
        count = self.count(*offences) or self._count_minority()
        message = (
            what or f"{count:,} of {self.stored.rows:,} values do not fit {self.type_wanted}: {self.held()} stored"
        )
        becomes, hint = self.describe(choice), self._say_damage()
        self.say("value-misfit", offences, what or message, becomes=becomes, count=count, hint=hint)
        return choice

    def describe(self, choice: TypeChoice) -> str:
        """The type that the column becomes, and what it makes of values of other storage classes."""
        numbers = self.census.integers or self.census.reals
        if choice.kind == "text" and numbers:
            return f"{choice.pg_type}; numbers become their shortest exact text"
        if choice.kind == "bytea" and self.census.texts:
            return f"bytea; {'numbers and ' if numbers else ''}texts become their bytes in UTF-8"
        if choice.kind == "bytea" and numbers:
            return "bytea; numbers become the bytes of their shortest exact text"
        if choice.kind == "numeric" and self.census.integers and self.census.reals:
            return "numeric, by value: 1.0 becomes 1, and -0.0 becomes 0"
        return choice.pg_type

    def _say_damage(self) -> str:
        """A hint, where SQLite itself has made numbers of texts."""
        numbers, others = self.census.integers + self.census.reals, self.census.texts + self.census.blobs
        is_made = self.declared.family in {"uuid", "none"} and self.column.affinity == "NUMERIC"
        if not (is_made and numbers and others):
            return ""
        return (
            f"in a column of type {self.column.declared_type}, SQLite stores a text that reads as a number as that"
            " number: how it was written (leading zeros, further digits) was lost then, and not by the move"
        )

    def _count_minority(self) -> int:
        """How many values are not of the storage class that most of them have; of one class: all."""
        counts = [self.census.integers, self.census.reals, self.census.texts, self.census.blobs]
        return sum(counts) - max(counts) or sum(counts)

    def held(self) -> str:
        census = self.census
        parts = (
            ("integer", census.integers),
            ("real", census.reals),
            ("text", census.texts),
            ("blob", census.blobs),
        )
        return _list_counts(parts) or "nothing but NULL"

    def held_of(self, offences: Collection[str]) -> str:
        """What the values are that have one of these offences."""
        counted: Counter[str] = Counter()
        for group in self.census.misfits:
            counted[group.storage] += 0 if set(group.offences).isdisjoint(offences) else group.count
        return _list_counts((name, counted[name]) for name in ("integer", "real", "text", "blob"))

    @property
    def type_wanted(self) -> str:
        """The type that the values do not fit, in the words that it is known by."""
        return self.declared.pg_type or self.column.declared_type or "no declared type"

    def _undecodable(self) -> bool:
        return self.census.offence("invalid-utf8") is not None or self.census.offence("nul") is not None

    def widen(self) -> TypeChoice:
        """The narrowest type that holds every stored value as it is."""
        census = self.census
        if census.blobs or self._undecodable():
            return TypeChoice(pg_type="bytea", kind="bytea", rule="widened")
        if census.texts:
            return TypeChoice(pg_type="text", kind="text", rule="widened")
        if census.reals and census.integers:
            if census.offence("nonfinite"):
                return TypeChoice(pg_type="text", kind="text", rule="widened")
            return TypeChoice(pg_type="numeric", kind="numeric", rule="widened")
        if census.reals:
            return TypeChoice(pg_type="double precision", kind="float8", rule="widened")
        return TypeChoice(pg_type="bigint", kind="int8", rule="widened")

    def text_or_problems(self, pg_type: str, rule: str) -> TypeChoice:
        """Text as text, unless some of it cannot be PostgreSQL text."""
        choice = self.widen() if self._undecodable() else TypeChoice(pg_type=pg_type, kind="text", rule=rule)
        for offence, code, what in (
            ("invalid-utf8", "text-invalid", "are not valid UTF-8"),
            ("nul", "text-nul", "contain NUL"),
        ):
            if self.has(offence):
                message = f"{self.count(offence):,} of {self.stored.texts:,} texts {what}"
                ways = self.offer_repairs(offence)
                self.say(code, (offence,), message, becomes=self.describe(choice), ways=ways)
        return choice


_KINDS: Final[MappingProxyType[str, Kind]] = MappingProxyType(
    {"timestamp": "timestamp", "timestamptz": "timestamptz", "text": "text", "bytea": "bytea"}
)


def _choose_integer(case: _Case) -> TypeChoice:
    if case.has("class", "range", "invalid-utf8"):
        return case.misfit()
    kinds: dict[int, Kind] = {16: "int2", 32: "int4", 64: "int8"}
    return TypeChoice(pg_type=case.declared.pg_type or "bigint", kind=kinds[case.declared.integer_bits], rule="integer")


def _choose_interval(case: _Case) -> TypeChoice:
    if case.has("class", "invalid-utf8"):
        return case.misfit()
    return TypeChoice(pg_type="interval", kind="interval", rule="cast")


def _choose_bool(case: _Case) -> TypeChoice:
    if case.has("class", "form", "invalid-utf8"):
        return case.misfit()
    return TypeChoice(pg_type="boolean", kind="bool", rule="bool")


def _choose_real(case: _Case) -> TypeChoice:
    if case.has("class", "range", "invalid-utf8"):
        return case.misfit()
    return TypeChoice(pg_type="double precision", kind="float8", rule="real")


def _choose_decimal(case: _Case) -> TypeChoice:
    census, declared = case.census, case.declared
    if case.has("class", "form", "nonfinite", "invalid-utf8"):
        return case.misfit()
    case.say_inexact()
    if declared.precision is None:
        return TypeChoice(pg_type="numeric", kind="numeric", rule="decimal-free")
    if case.has("excess"):
        message = (
            f"{case.count('excess'):,} of {case.stored.rows:,} values have more digits than {case.type_wanted}: "
            f"up to {census.max_integer_digits} before and {census.max_fraction_digits} after the decimal point"
        )
        case.say("decimal-excess", ("excess",), message, becomes="numeric")
        return TypeChoice(pg_type="numeric", kind="numeric", rule="widened")
    return TypeChoice(pg_type=f"numeric({declared.precision},{declared.scale})", kind="numeric", rule="decimal")


def _choose_text(case: _Case) -> TypeChoice:
    census, declared = case.census, case.declared
    if case.has("class"):
        return case.misfit()
    if case.has("too-long"):
        choice = case.text_or_problems("text", "widened")
        message = (
            f"{case.count('too-long'):,} of {case.stored.texts:,} texts are longer than {case.type_wanted}: "
            f"the longest has {census.longest_text_chars:,} characters"
        )
        case.say("text-too-long", ("too-long",), message, becomes=case.describe(choice))
        return choice
    if declared.length is not None:
        return case.text_or_problems(f"varchar({declared.length})", "varchar")
    return case.text_or_problems(declared.pg_type or "text", "text")


def _choose_datetime(case: _Case) -> TypeChoice:
    policy = case.options.timestamps
    if case.declared.pg_type == "timestamptz" or case.zone:
        policy = "timestamptz"
    elif case.declared.pg_type == "timestamp":
        policy = "timestamp"
    if case.has(*_OF_FORM):
        choice = _misfit_of_form(case, "YYYY-MM-DD HH:MM:SS, to the microsecond")
        if not case.epoch and not case.zone:
            return choice
        policy = "timestamptz"  # the rest is as the user decided: what cannot be so is put aside, and never widened
    return _choose_zone(case, policy)


def _choose_zone(case: _Case, policy: str) -> TypeChoice:
    census = case.census
    numbers = case.say_moments()
    zoned, unclear = case.count("zone") + numbers, case.count(*_UNCLEAR)
    texts = census.texts + numbers
    if case.zone:
        mixed = zoned and zoned < texts
        message = f"{texts - zoned:,} of {texts:,} timestamps have no offset: local times of {case.zone}"
        code = "time-zone-mixed" if mixed else "time-zone-given"
        case.say(code, (), message, count=texts - zoned, way=f"timezone:{case.zone}")
    if unclear:
        message = (
            f"{unclear:,} of {texts:,} local times are unclear in {case.zone}: {case.count('local-none'):,} never were,"
            f" {case.count('local-twice'):,} were twice"
        )
        case.say("local-time-unclear", _UNCLEAR, message)
    if case.zone:
        return TypeChoice(pg_type="timestamptz", kind="timestamptz", rule="timestamptz")
    if numbers and policy == "timestamp" and not case.has("zone"):
        return TypeChoice(pg_type="timestamp", kind="timestamp", rule="timestamp")
    zone_way = (WayOut(name="timezone", effect=WAYS["timezone"]),) if not case.column.generated else ()
    if not zoned:
        says_zone = _says_time_zone(case.column)
        is_zoned = policy == "timestamptz" or (says_zone and not texts)
        kind: Kind = "timestamptz" if is_zoned else "timestamp"
        if says_zone and not is_zoned and policy != "timestamp":  # neither expected nor said by the user
            message = f"no value of {case.column.declared_type} has an offset; the column becomes timestamp"
            hint = "if they are UTC, --timestamps timestamptz says so"
            case.say("time-zone-absent", (), message, count=texts, hint=hint, ways=zone_way)
        return TypeChoice(pg_type=kind, kind=kind, rule=kind)
    if zoned == texts or policy == "timestamptz":
        if policy == "timestamp":
            message = f"{zoned:,} of {texts:,} timestamps carry an offset, which timestamp does not hold"
            case.say("date-form", ("zone",), message, becomes="timestamptz")
        elif case.has("zone"):
            case.say("time-zone-dropped", ("zone",), f"{case.count('zone'):,} timestamps are written with an offset")
        return TypeChoice(pg_type="timestamptz", kind="timestamptz", rule="timestamptz")
    message = f"{zoned:,} of {texts:,} timestamps carry an offset, the others do not"
    becomes = "" if numbers else "text"
    case.say("time-zone-mixed", ("zone",), message, becomes=becomes, count=zoned, ways=zone_way)
    kind = "timestamptz" if numbers else "text"
    return TypeChoice(pg_type=kind, kind=kind, rule="timestamptz" if numbers else "widened")


_UNCLEAR: Final = ("local-none", "local-twice")
_OF_FORM: Final = ("class", "form", "epoch", "invalid-utf8", "nul")


def _misfit_of_form(case: _Case, form: str, *, wider: str = "") -> TypeChoice:
    """A date or time that is written in another way."""
    count = case.count(*_OF_FORM)
    held = f"{case.held()} stored" if not (case.epoch or case.zone) else case.held_of(_OF_FORM)
    message = f"{count:,} of {case.stored.rows:,} values are not in the form {form}: {held}"
    reasons = [f"{found.count:,} {REASONS[found.name]}" for found in case.census.reasons]
    if reasons:
        message += f"; of the texts {', '.join(reasons)}"
    choice = case.widen()
    if wider and choice.kind == "text":
        choice = TypeChoice(pg_type=wider, kind=_KINDS[wider], rule="widened")
    if case.epoch or case.zone:
        if beyond := case.count("epoch"):
            make = "number makes" if beyond == 1 else "numbers make"
            message += f"; {beyond:,} {make} no moment by {case.epoch}"
        case.say("date-form", _OF_FORM, message)
    else:
        ways = case.offer_moments() if case.declared.family in {"datetime", "date"} else ()
        case.say("date-form", _OF_FORM, message, becomes=case.describe(choice), ways=ways)
    return choice


def _says_time_zone(column: Column) -> bool:
    declared = " ".join(column.declared_type.upper().split())
    return "TIMESTAMPTZ" in declared or "WITH TIME ZONE" in declared


def _choose_date(case: _Case) -> TypeChoice:
    census = case.census
    if case.has(*_OF_FORM):
        only_forms = not case.has("class") and not census.form("other") and not census.form("datetime-tz")
        choice = _misfit_of_form(case, "YYYY-MM-DD", wider="timestamp" if only_forms else "")
        if not case.epoch:
            return choice
    case.say_moments()
    return TypeChoice(pg_type="date", kind="date", rule="date")


def _choose_time(case: _Case) -> TypeChoice:
    if case.has(*_OF_FORM):
        return _misfit_of_form(case, "HH:MM:SS, to the microsecond")
    return TypeChoice(pg_type="time", kind="time", rule="time")


def _choose_blob(case: _Case) -> TypeChoice:
    if case.has("class", "invalid-utf8"):
        return case.misfit()
    return TypeChoice(pg_type="bytea", kind="bytea", rule="blob")


def _choose_json(case: _Case) -> TypeChoice:
    census = case.census
    if case.has("class", "nonfinite"):
        return case.misfit()
    broken = case.count("form", "invalid-utf8", "nul")
    if broken:
        message = f"{broken:,} of {case.stored.rows:,} values are not JSON, or nested too deeply"
        choice = case.widen()
        case.say("json-invalid", ("form", "invalid-utf8", "nul"), message, becomes=case.describe(choice))
        return choice
    if case.wanted == "text":
        return TypeChoice(pg_type="text", kind="text", rule="text")
    if case.declared.pg_type == "json" or case.wanted == "json":
        return TypeChoice(pg_type="json", kind="json", rule="json")
    only = case.count("json-only")
    as_text = WayOut(name="text", effect=WAYS["text"])
    if only:
        message = f"jsonb would change {only:,} of {census.rows:,} values; the column becomes json"
        case.say("json-not-jsonb", ("json-only",), message, ways=(as_text,))
        return TypeChoice(pg_type="json", kind="json", rule="json")
    if (
        census.texts
        and not case.declared.pg_type
        and classify_declared_type(case.column.declared_type).family != "json"
    ):
        message = f"{census.texts:,} JSON texts are kept by value in jsonb, not letter by letter"
        ways = (WayOut(name="json", effect=WAYS["json"]), as_text)
        case.say("json-normalised", (), message, count=census.texts, ways=ways)
    return TypeChoice(pg_type="jsonb", kind="jsonb", rule="jsonb")


def _choose_uuid(case: _Case) -> TypeChoice:
    census = case.census
    if census.blobs and not (census.integers or census.reals or census.texts):
        # 16 bytes are a UUID in one byte order or the other (.NET writes the first half backwards): nobody knows here
        message = f"{census.blobs:,} UUIDs are stored as blobs; they stay bytea"
        case.say("uuid-bytes", (), message, count=census.blobs)
        return TypeChoice(pg_type="bytea", kind="bytea", rule="stored-blob")
    if census.blobs or case.has("class", "form", "invalid-utf8"):
        return case.misfit()
    return TypeChoice(pg_type="uuid", kind="uuid", rule="uuid")


_OF_TEXT: Final = re.compile(r"STR|ENUM|NAME|PHONE|EMAIL|ZIP|POST ?CODE|URL|PATH|HASH|CODE", re.IGNORECASE)


def _speaks_of_text(column: Column) -> bool:
    """Whether a declared type that SQLite does not know sounds like text to people."""
    return _OF_TEXT.search(column.declared_type) is not None


def _choose_stored(case: _Case) -> TypeChoice:
    census = case.census
    if case.wanted == "text":
        return TypeChoice(pg_type="text", kind="text", rule="widened")
    classes = [name for name in ("integers", "reals", "texts", "blobs") if getattr(census, name)]
    numbers = census.integers + census.reals
    if numbers and not census.blobs and _speaks_of_text(case.column) and case.column.affinity == "NUMERIC":
        message = f"{numbers:,} of {case.stored.rows:,} values of {case.column.declared_type} are stored as numbers"
        case.say(
            "numbers-of-texts",
            (),
            message,
            count=numbers,
            ways=(WayOut(name="text", effect="the column becomes text; numbers become their shortest exact text"),),
        )
    if classes == ["integers", "reals"] and case.column.affinity == "NUMERIC" and not case.has("nonfinite"):
        return TypeChoice(pg_type="numeric", kind="numeric", rule="stored-numeric")
    if len(classes) > 1:
        return case.misfit(what=f"the column has no type that SQLite enforces, and holds {case.held()}")
    if classes == ["integers"]:
        return TypeChoice(pg_type="bigint", kind="int8", rule="stored-integer")
    if classes == ["reals"]:
        return TypeChoice(pg_type="double precision", kind="float8", rule="stored-real")
    if classes == ["blobs"]:
        return TypeChoice(pg_type="bytea", kind="bytea", rule="stored-blob")
    return case.text_or_problems("text", "stored-text")


_CHOOSERS: Final[MappingProxyType[Family, Callable[[_Case], TypeChoice]]] = MappingProxyType(
    {
        "integer": _choose_integer,
        "bool": _choose_bool,
        "real": _choose_real,
        "decimal": _choose_decimal,
        "text": _choose_text,
        "datetime": _choose_datetime,
        "date": _choose_date,
        "time": _choose_time,
        "interval": _choose_interval,
        "blob": _choose_blob,
        "json": _choose_json,
        "uuid": _choose_uuid,
        "none": _choose_stored,
    }
)
