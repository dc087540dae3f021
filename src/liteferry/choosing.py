"""The choice of a column's PostgreSQL type: what is declared, held against what is stored and what the user decided.

Layer 1, pure. `map_column` gives the type together with the findings that stand in its way. Each family has a chooser;
what it cannot take as declared it says as a problem. Where the user has taken a way out of a problem that is not the
default, the values in question are put aside (quarantined, made NULL, converted) and the chooser is asked again, about
the values that are left.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.decisions import find_way
from liteferry.findings import make_finding
from liteferry.model import Offence, WayOut
from liteferry.typemap import TypeChoice, classify_column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from liteferry.model import Column, ColumnCensus, Finding, Kind, Options, Table
    from liteferry.typemap import DeclaredType, Family

_SAMPLES: Final = 5


def map_column(table: Table, column: Column, census: ColumnCensus, options: Options, pg_type: str = "") -> TypeChoice:
    """Choose the PostgreSQL type of one column. Pure.

    pg_type: what a cast rule or the target demands; the census must have been taken with the same.

    Never chooses a type that would change a value: where the declared type's counterpart does not hold every stored
    value, the choice is the narrowest type that does, and a blocking finding says so; unless the user has taken another
    way out, which the choice then follows.
    """
    declared = classify_column(table, column, pg_type)
    if column.name == table.rowid_alias and not pg_type:
        return TypeChoice(pg_type="bigint", kind="int8", rule="rowid-alias")
    case = _Case(table, column, declared, census, options)
    choice = case.decide(_CHOOSERS[declared.family])
    return replace(choice, rule="cast") if declared.pg_type == choice.pg_type else choice


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
    )


def count_values(census: ColumnCensus, offences: Collection[str], without: Collection[str] = ()) -> int:
    """How many values have any of these offences, each counted once, and none of those in ``without``. Pure."""
    return sum(
        group.count
        for group in census.misfits
        if not set(group.offences).isdisjoint(offences) and set(group.offences).isdisjoint(without)
    )


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

    def decide(self, choose: Callable[[_Case], TypeChoice]) -> TypeChoice:
        """Choose the type, following the ways out that the user has taken."""
        settled: list[Finding] = []
        while True:
            self.problems = []
            choice = choose(self)
            taken = next(filter(None, map(self._take_way, self.problems)), None)
            if taken is None:
                break
            settled.append(taken)
        findings = (*settled, *(problem.finding for problem in self.problems))
        return replace(choice, findings=findings, quarantined=tuple(self.quarantined))

    def _take_way(self, problem: _Problem) -> Finding | None:
        """Follow the way that the user takes of a problem; None where that is the default, or nothing is decided."""
        found = problem.finding
        offered = [way.name for way in found.ways]
        way = find_way(found.code, found.place, offered, self.options)
        if not way or way == offered[0]:
            return None
        if way == "quarantine":
            self.quarantined += [name for name in problem.offences if self.census.offence(name)]
            self.census = put_aside(self.census, problem.offences)
        return replace(found, way=way)

    def say(
        self, code: str, offences: Iterable[str], message: str, *, becomes: str = "", count: int = 0, hint: str = ""
    ) -> None:
        """Note a problem. offences: of those that are there, all values together; count: where there are none."""
        names = tuple(name for name in offences if self.census.offence(name))
        self.problems.append(
            _Problem(
                make_finding(
                    code,
                    message,
                    table=self.table.name,
                    name=self.column.name,
                    count=self.count(*names) or count,
                    samples=tuple(sample for name in names for sample in self._offence(name).samples)[:_SAMPLES],
                    sql=f"{self.column.name} {self.column.declared_type}".strip(),
                    hint=hint,
                    if_accepted=f"the column becomes {becomes}" if becomes else "",
                    more_ways=self._offer(names) if becomes else (),
                ),
                names,
            )
        )

    def _offer(self, offences: tuple[str, ...]) -> tuple[WayOut, ...]:
        """The ways out beside the default."""
        if not offences:
            return ()
        rows = self.count(*offences)
        are = "row is" if rows == 1 else "rows are"
        return (WayOut(name="quarantine", effect=f"{rows:,} {are} kept whole, in a table beside the target's"),)

    def _offence(self, name: str) -> Offence:
        return self.census.offence(name) or Offence(name=name, count=0)

    def count(self, *offences: str) -> int:
        """How many values have any of these offences."""
        return count_values(self.census, offences)

    def has(self, *offences: str) -> bool:
        """Whether any value has one of these offences."""
        return any(self.census.offence(name) for name in offences)

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
        found = [f"{count:,} {name}{'s' * (count != 1)}" for name, count in parts if count]
        return ", ".join(found) or "nothing but NULL"

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
                self.say(code, (offence,), message, becomes=self.describe(choice))
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
    census, policy = case.census, case.options.timestamps
    if case.declared.pg_type == "timestamptz":
        policy = "timestamptz"
    elif case.declared.pg_type == "timestamp":
        policy = "timestamp"
    if case.has(*_OF_FORM):
        return _misfit_of_form(case, "YYYY-MM-DD HH:MM:SS, to the microsecond")
    zoned = case.count("zone")
    if not zoned:
        says_zone = _says_time_zone(case.column)
        is_zoned = policy == "timestamptz" or (says_zone and not census.texts)
        kind: Kind = "timestamptz" if is_zoned else "timestamp"
        if says_zone and not is_zoned and policy != "timestamp":  # neither expected nor said by the user
            message = f"no value of {case.column.declared_type} has an offset; the column becomes timestamp"
            hint = "if they are UTC, --timestamps timestamptz says so"
            case.say("time-zone-absent", (), message, count=census.texts, hint=hint)
        return TypeChoice(pg_type=kind, kind=kind, rule=kind)
    if zoned == census.texts or policy == "timestamptz":
        if policy == "timestamp":
            message = f"{zoned:,} of {census.texts:,} timestamps carry an offset, which timestamp does not hold"
            case.say("date-form", ("zone",), message, becomes="timestamptz")
        else:
            case.say("time-zone-dropped", ("zone",), f"{zoned:,} timestamps are written with an offset")
        return TypeChoice(pg_type="timestamptz", kind="timestamptz", rule="timestamptz")
    message = f"{zoned:,} of {census.texts:,} timestamps carry an offset, the others do not"
    case.say("time-zone-mixed", ("zone",), message, becomes="text")
    return TypeChoice(pg_type="text", kind="text", rule="widened")


_OF_FORM: Final = ("class", "form", "invalid-utf8", "nul")


def _misfit_of_form(case: _Case, form: str, *, wider: str = "") -> TypeChoice:
    """A date or time that is written in another way."""
    count = case.count(*_OF_FORM)
    message = f"{count:,} of {case.stored.rows:,} values are not in the form {form}: {case.held()} stored"
    choice = case.widen()
    if wider and choice.kind == "text":
        choice = TypeChoice(pg_type=wider, kind=_KINDS[wider], rule="widened")
    case.say("date-form", _OF_FORM, message, becomes=case.describe(choice))
    return choice


def _says_time_zone(column: Column) -> bool:
    declared = " ".join(column.declared_type.upper().split())
    return "TIMESTAMPTZ" in declared or "WITH TIME ZONE" in declared


def _choose_date(case: _Case) -> TypeChoice:
    census = case.census
    if case.has(*_OF_FORM):
        only_forms = not case.has("class") and not census.form("other") and not census.form("datetime-tz")
        return _misfit_of_form(case, "YYYY-MM-DD", wider="timestamp" if only_forms else "")
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
    if case.declared.pg_type == "json":
        return TypeChoice(pg_type="json", kind="json", rule="json")
    only = case.count("json-only")
    if only:
        message = f"jsonb would change {only:,} of {census.rows:,} values; the column becomes json"
        case.say("json-not-jsonb", ("json-only",), message)
        return TypeChoice(pg_type="json", kind="json", rule="json")
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


def _choose_stored(case: _Case) -> TypeChoice:
    census = case.census
    classes = [name for name in ("integers", "reals", "texts", "blobs") if getattr(census, name)]
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
