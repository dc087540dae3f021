"""The choosers, one a family of declared types: the type that holds what is left of a column, and its problems.

Layer 1, pure.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.census import REASONS
from liteferry.conversions import LAST_KEY
from liteferry.decisions import UTC_WAY
from liteferry.findings import WAYS
from liteferry.model import WayOut
from liteferry.typemap import TypeChoice, classify_declared_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from liteferry.choosing.case import Case
    from liteferry.model import Column, Kind
    from liteferry.typemap import Family

_KINDS: Final[MappingProxyType[str, Kind]] = MappingProxyType(
    {"timestamp": "timestamp", "timestamptz": "timestamptz", "text": "text", "bytea": "bytea"}
)


def _choose_integer(case: Case) -> TypeChoice:
    if case.has("class", "range", "invalid-utf8"):
        return case.misfit()
    kinds: dict[int, Kind] = {16: "int2", 32: "int4", 64: "int8"}
    return TypeChoice(pg_type=case.declared.pg_type or "bigint", kind=kinds[case.declared.integer_bits], rule="integer")


def _choose_interval(case: Case) -> TypeChoice:
    if case.has("class", "form", "invalid-utf8", "nul"):
        return case.misfit()
    if texts := case.census.texts:
        message = f"{texts:,} dates and times of 1970 or 1969 are taken for the time since 1970-01-01 00:00"
        case.say("interval-since-1970", (), message, count=texts)
    return TypeChoice(pg_type="interval", kind="interval", rule="cast")


def _choose_bool(case: Case) -> TypeChoice:
    if case.has("class", "form", "invalid-utf8"):
        return case.misfit()
    return TypeChoice(pg_type="boolean", kind="bool", rule="bool")


def _choose_real(case: Case) -> TypeChoice:
    if case.has("class", "range", "invalid-utf8"):
        return case.misfit()
    if case.declared.pg_type == "real":
        return TypeChoice(pg_type="real", kind="float4", rule="real")
    return TypeChoice(pg_type="double precision", kind="float8", rule="real")


def _choose_decimal(case: Case) -> TypeChoice:
    census, declared = case.census, case.declared
    if case.has("class", "form", "nonfinite", "invalid-utf8"):
        return case.misfit()
    case.say_inexact()
    if case.quantiser and case.has("excess"):
        message = (
            f"{case.count('excess'):,} of {case.stored.rows:,} values do not fit {case.type_wanted}, even rounded: "
            f"up to {census.max_integer_digits} digits before the decimal point"
        )
        case.say("decimal-excess", ("excess",), message)
        return TypeChoice(pg_type=f"numeric({declared.precision},{declared.scale})", kind="numeric", rule="decimal")
    if declared.precision is None:
        return TypeChoice(pg_type="numeric", kind="numeric", rule="decimal-free")
    if case.has("excess"):
        message = (
            f"{case.count('excess'):,} of {case.stored.rows:,} values have more digits than {case.type_wanted}: "
            f"up to {census.max_integer_digits} before and {census.max_fraction_digits} after the decimal point"
        )
        ways = () if case.column.generated else case.offer_quantisers()
        case.say("decimal-excess", ("excess",), message, becomes="numeric", ways=ways)
        return TypeChoice(pg_type="numeric", kind="numeric", rule="widened")
    return TypeChoice(pg_type=f"numeric({declared.precision},{declared.scale})", kind="numeric", rule="decimal")


def _choose_text(case: Case) -> TypeChoice:
    census, declared = case.census, case.declared
    if case.has("class", "form"):
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
        return case.text_or_problems(declared.pg_type or f"varchar({declared.length})", "varchar")
    return case.text_or_problems(declared.pg_type or "text", "text")


def _choose_datetime(case: Case) -> TypeChoice:
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


def _choose_zone(case: Case, policy: str) -> TypeChoice:
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
        counts = [(case.count(offence), words) for offence, words in _UNCLEAR.items()]
        parts = ", ".join(f"{count:,} {words}" for count, words in counts if count)
        message = f"{unclear:,} of {texts:,} local times are unclear in {case.zone}: {parts}"
        case.say("local-time-unclear", _UNCLEAR, message, ways=case.offer_folds())
    folded = case.note_of("folded")
    if folded is not None:
        which = "first" if case.fold == "earlier" else "second"
        message = f"{folded.count:,} of {texts:,} local times were twice in {case.zone}: the {which} is meant"
        case.say("local-time-unclear", (), message, count=folded.count, way=case.fold, note=folded)
    if case.zone:
        return TypeChoice(pg_type="timestamptz", kind="timestamptz", rule="timestamptz")
    if numbers and policy == "timestamp" and not case.has("zone"):
        return TypeChoice(pg_type="timestamp", kind="timestamp", rule="timestamp")
    if case.is_utc and texts > zoned:
        message = f"{texts - zoned:,} of {texts:,} timestamps have no offset: they are of UTC"
        case.say("time-zone-given", (), message, count=texts - zoned, way=UTC_WAY)
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


_UNCLEAR: Final = MappingProxyType(
    {
        "local-none": "never were",
        "local-twice": "were twice",
        "local-beyond": "are too near to the calendar's end",
    }
)
_OF_FORM: Final = ("class", "form", "epoch", "invalid-utf8", "nul")


def _misfit_of_form(case: Case, form: str, *, wider: str = "") -> TypeChoice:
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


def _choose_date(case: Case) -> TypeChoice:
    census = case.census
    if case.has(*_OF_FORM):
        only_forms = not case.has("class") and not census.form("other") and not census.form("datetime-tz")
        choice = _misfit_of_form(case, "YYYY-MM-DD", wider="timestamp" if only_forms else "")
        if not case.epoch:
            return choice
    case.say_moments()
    return TypeChoice(pg_type="date", kind="date", rule="date")


def _choose_time(case: Case) -> TypeChoice:
    if case.has(*_OF_FORM):
        return _misfit_of_form(case, "HH:MM:SS, to the microsecond")
    return TypeChoice(pg_type="time", kind="time", rule="time")


def _choose_blob(case: Case) -> TypeChoice:
    if case.has("class", "invalid-utf8"):
        return case.misfit()
    return TypeChoice(pg_type="bytea", kind="bytea", rule="blob")


def _choose_json(case: Case) -> TypeChoice:
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
        message = f"jsonb would change {only:,} of {census.rows:,} values"
        last = WayOut(name=LAST_KEY, effect=WAYS[LAST_KEY])
        doubled = case.note_of("doubled")
        helps = doubled is not None and doubled.count == only and not case.column.generated
        ways = (as_text, last) if helps else (as_text,)
        case.say("json-not-jsonb", ("json-only",), message, ways=(*ways, *case.offer_rows(("json-only",))))
        return TypeChoice(pg_type="json", kind="json", rule="json")
    if case.takes_last and case.stored.converted:
        count = case.stored.converted
        message = f"{count:,} of {census.rows:,} values have an object with the same key twice: the last one counts"
        case.say("json-not-jsonb", (), message, count=count, way=LAST_KEY)
    if (
        census.texts
        and not case.declared.pg_type
        and classify_declared_type(case.column.declared_type).family != "json"
    ):
        message = f"{census.texts:,} JSON texts are kept by value in jsonb, not letter by letter"
        ways = (WayOut(name="json", effect=WAYS["json"]), as_text)
        case.say("json-normalised", (), message, count=census.texts, ways=ways)
    return TypeChoice(pg_type="jsonb", kind="jsonb", rule="jsonb")


def _choose_uuid(case: Case) -> TypeChoice:
    census = case.census
    if census.blobs and not (census.integers or census.reals or census.texts):
        # 16 bytes are a UUID in one byte order or the other (.NET writes the first half backwards): nobody knows here
        message = f"{census.blobs:,} UUIDs are stored as blobs; they stay bytea"
        case.say("uuid-bytes", (), message, count=census.blobs)
        return TypeChoice(pg_type="bytea", kind="bytea", rule="stored-blob")
    if census.blobs or case.has("class", "form", "invalid-utf8"):
        return case.misfit()
    return TypeChoice(pg_type="uuid", kind="uuid", rule="uuid")


def _choose_inet(case: Case) -> TypeChoice:
    if case.has("class", "form", "invalid-utf8", "nul"):
        return case.misfit()
    respelled = case.note_of("respelled")
    if respelled is not None and not case.column.generated:
        message = f"{respelled.count:,} of {case.stored.rows:,} addresses come back in PostgreSQL's own spelling"
        case.say("address-respelled", (), message, count=respelled.count, note=respelled)
    return TypeChoice(pg_type=case.declared.pg_type, kind="inet", rule="cast")


_OF_TEXT: Final = re.compile(r"STR|ENUM|NAME|PHONE|EMAIL|ZIP|POST ?CODE|URL|PATH|HASH|CODE", re.IGNORECASE)


def _speaks_of_text(column: Column) -> bool:
    """Whether a declared type that SQLite does not know sounds like text to people."""
    return _OF_TEXT.search(column.declared_type) is not None


def _choose_stored(case: Case) -> TypeChoice:
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


CHOOSERS: Final[MappingProxyType[Family, Callable[[Case], TypeChoice]]] = MappingProxyType(
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
        "inet": _choose_inet,
        "none": _choose_stored,
    }
)
