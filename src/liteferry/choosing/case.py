"""One column's question: what is stored, what is wrong with it, and which ways out the user has taken.

Layer 1, pure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from liteferry.conversions import EPOCH_WAYS, FOLDS, LAST_KEY, QUANTISERS, REPAIRS, find_fold, find_quantiser, find_zone
from liteferry.decisions import UTC_WAY, find_way, find_zone_way
from liteferry.findings import FINDINGS, WAYS, make_finding
from liteferry.model import Offence, WayOut
from liteferry.typemap import TypeChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from liteferry.model import Column, ColumnCensus, Finding, Kind, Options, Table
    from liteferry.typemap import DeclaredType
from liteferry.choosing.counting import count_converted, count_values, forgive, put_aside

_SAMPLES: Final = 5


def _withdraw(found: Finding, type_wanted: str) -> Finding:
    """A finding whose way out, NULL, does nothing, since another makes the column wide enough for the values."""
    return replace(
        found,
        way="",
        if_accepted="",
        ways=tuple(way for way in found.ways if way.name != "widen"),
        hint=f"null is for values that do not fit {type_wanted}: it cannot be taken beside a wider type",
    )


def say_years(way: str, ends: tuple[int | None, int | None]) -> str:
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
_CONVERTED: Final[frozenset[Kind]] = frozenset({"timestamp", "timestamptz", "date", "numeric", "jsonb"})
"""The kinds whose values may be converted otherwise than by repairing texts."""


def _list_counts(parts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count:,} {name}{'s' * (count != 1)}" for name, count in parts if count)


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding, and the offences that it is about."""

    finding: Finding
    offences: tuple[str, ...] = ()


class Case:
    """One column's question, with short ways to answer it."""

    def __init__(
        self, table: Table, column: Column, declared: DeclaredType, census: ColumnCensus, options: Options
    ) -> None:
        """Start with nothing decided."""
        self.table = table
        self.column = column
        self.declared = declared
        self.stored = census
        self.census = census  # what is left of it
        self.options = options
        self.problems: list[Problem] = []
        self.quarantined: list[str] = []
        self.nulled: list[str] = []
        self.wanted = ""  # json or text, where the user has taken that
        self.epoch = next((way for way in census.conversions if way in EPOCH_WAYS), "")
        self.zone = find_zone(census.conversions)
        self.repairs = tuple(way for way in census.conversions if way in REPAIRS)
        self.fold = find_fold(census.conversions)
        self.quantiser = find_quantiser(census.conversions)
        self.takes_last = LAST_KEY in census.conversions
        self._moments = tuple(way for way in census.conversions if way not in REPAIRS)

    def decide(self, choose: Callable[[Case], TypeChoice]) -> TypeChoice:
        """Choose the type, following the ways out that the user has taken."""
        choice, settled = self._settle(choose)
        if self.repairs and choice.kind != "text":
            # another problem makes bytes of the column, which take every text as it is: nothing is repaired
            self._start_anew()
            choice, settled = self._settle(choose)
        if self.nulled and choice.rule == "widened" and not self._still_misfit(choice.kind):
            settled = [_withdraw(found, self.type_wanted) if found.way == "null" else found for found in settled]
        null = self._null_way()
        conversions = self.repairs if choice.kind == "text" else self._moments if choice.kind in _CONVERTED else ()
        findings = (*settled, *(problem.finding for problem in self.problems))
        if not (findings or conversions or null or self.quarantined or self.nulled or choice.findings):
            return choice  # most columns: a copy of each would be a third of what choosing costs
        choice = replace(
            choice,
            findings=findings,
            conversions=(*conversions, *null),
            quarantined=tuple(self.quarantined),
            nulled=tuple(self.nulled),
        )
        return replace(choice, converted=count_converted(choice, self.stored))

    def _start_anew(self) -> None:
        self.census = self.stored
        self.quarantined, self.nulled = [], []
        self.repairs = ()

    def _settle(self, choose: Callable[[Case], TypeChoice]) -> tuple[TypeChoice, list[Finding]]:
        """Choose until no problem is left of which the user has taken a way out."""
        settled: list[Finding] = []
        while True:
            self.problems = []
            choice = choose(self)
            taken = next(filter(None, map(self._take_way, self.problems)), None)
            if taken is None:
                return choice, settled
            settled.append(taken)

    def _take_way(self, problem: Problem) -> Finding | None:
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
            more_ways=(*self.offer_rows(names), *ways) if becomes or FINDINGS[code].severity == "blocker" else ways,
        )
        if not becomes:
            offered = tuple(one for one in found.ways if one.name != FINDINGS[code].way or not found.if_accepted)
            found = replace(found, if_accepted="", ways=offered)
        if self.census.half_pairs and "invalid-utf8" in names:
            # half a surrogate pair swallows the character behind it when SQLite converts the text: who reads such a
            # value reads another, the load as well as the proof; quarantine alone reads its bytes
            kept = tuple(one for one in found.ways if one.name == "quarantine")
            found = replace(
                found, if_accepted="", ways=kept, hint="SQLite itself cannot give these texts out unchanged"
            )
        if way:
            name = way.partition(":")[0]
            found = replace(found, way=way, ways=(WayOut(name=name, effect=WAYS[name]),))
        self.problems.append(Problem(found, names))

    def offer_rows(self, offences: tuple[str, ...]) -> tuple[WayOut, ...]:
        """The ways out that are offered wherever rows can be named."""
        if not offences:
            return ()
        rows = self.count(*offences)
        are = "row is" if rows == 1 else "rows are"
        offered = [WayOut(name="quarantine", effect=f"{rows:,} {are} kept whole, in a table beside the target's")]
        column = self.column
        is_key = column.pk_position > 0 or column.name == self.table.rowid_alias
        is_enum = bool(self.declared.labels)  # whose labels neither the load nor the proof knows
        if not (column.not_null or column.generated or is_key or is_enum):
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
            WayOut(name=way, effect=WAYS[way] + say_years(way, ends)) for way in EPOCH_WAYS if say_years(way, ends)
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

    def note_of(self, name: str) -> Offence | None:
        """What the census noted under this name, if anything."""
        return next((found for found in self.stored.notes if found.name == name), None)

    def offer_quantisers(self) -> tuple[WayOut, ...]:
        """What rounds decimals."""
        return tuple(WayOut(name=way, effect=WAYS[way]) for way in QUANTISERS)

    def offer_folds(self) -> tuple[WayOut, ...]:
        """Which of two moments may be meant."""
        if self.column.generated or not self.has("local-twice"):
            return ()
        return tuple(WayOut(name=way, effect=WAYS[way]) for way in FOLDS)

    def say_inexact(self) -> None:
        """Say what binary arithmetic has left in a column of decimals, and what becomes of it."""
        note = self.note_of("inexact")
        if self.quantiser and self.stored.converted:
            way, _, limits = self.quantiser.partition(":")
            places = f", and to {limits.partition(',')[2]} decimal places" if limits else ""
            message = (
                f"{self.stored.converted:,} of {self.stored.rows:,} values are rounded, as they are read: to 15"
                f" digits{places}, halves to the even digit"
            )
            self.say("decimal-inexact", (), message, count=self.stored.converted, way=way, note=note)
        elif note is not None and not self.quantiser:
            message = (
                f"{note.count:,} of {self.stored.reals:,} reals have more than 15 digits, as 0.1 + 0.2 has in SQLite"
            )
            ways = () if self.column.generated else self.offer_quantisers()
            self.say("decimal-inexact", (), message, count=note.count, note=note, ways=ways)

    @property
    def is_utc(self) -> bool:
        """Whether somebody said that times without an offset are of UTC, where they are taken for that anyway."""
        place = f"{self.table.name}.{self.column.name}"
        return (
            self.declared.pg_type == "timestamptz" and not self.zone and find_zone_way(place, self.options) == UTC_WAY
        )

    def say_moments(self) -> int:
        """Say that numbers become moments, where they do; returns how many."""
        census = self.census
        numbers = census.integers + census.reals - self.count("epoch") if self.epoch else 0
        if numbers:
            years = say_years(self.epoch, (census.min_integer, census.max_integer)).rstrip()
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
        """What is left, by storage class: ``2 integers, 1 text``."""
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
