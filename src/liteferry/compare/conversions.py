r"""What the user's ways out make of the source's values, for the proof.

Layer 1, pure, and shares no code with the load: the same rules as `liteferry.conversions` has, by other means. Texts
are repaired as bytes, with the table of well-formed UTF-8; an epoch's numbers are scaled as digits; a local time is
looked up from the moments it may be, not from itself; decimals are rounded as digits; and whether a value fits a type
is asked of its canonical form.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import floor, isinf
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from liteferry.compare import json_values, times
from liteferry.compare.literals import spell_literal
from liteferry.compare.storage import Digits, Moment, StorageValue, Text, Unclear, storage_class
from liteferry.model import KEPT_WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from liteferry.model import ColumnMap, Kind

_WELL_FORMED: Final = (
    rb"[\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
"""Source: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences"; without NUL."""
_CHARACTERS: Final = re.compile(rb"((?:" + _WELL_FORMED + rb")+)|(.)", re.DOTALL)
_ONLY_CHARACTERS: Final = re.compile(rb"(?:" + _WELL_FORMED + rb")*")
_REPLACEMENT: Final = b"\xef\xbf\xbd"

_FOLDS: Final = ("earlier", "later")
_SHIFT: Final = {"epoch-s": 6, "epoch-ms": 3, "epoch-us": 0}
"""How many decimal places a unit's point stands before that of microseconds."""
_FIRST_US: Final = times.target_timestamp_us(b"4714-11-24 00:00:00 BC")
_END_US: Final = times.target_timestamp_us(b"294277-01-01 00:00:00")
_JULIAN_DAY_OF_1970: Final = 2_440_587.5
_LAST_JULIAN_MS: Final = 464_269_060_799_999
_DAY_US: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def convert_values(
    values: Sequence[StorageValue], column: ColumnMap, find_form: Callable[[StorageValue], bytes]
) -> list[StorageValue]:
    """The source's values as the column's conversions make them. Pure, never raises.

    find_form: the canonical form of a value in the column's type; raises ValueError for one that has none. A value
    that a conversion does not take stays as it is, and has no form then.
    """
    if KEPT_WHOLE in column.conversions:
        return [Text(spell_literal(value)) for value in values]
    converted = list(values)
    for step in make_steps(column, find_form):
        converted = [None if value is None else step(value) for value in converted]
    return converted


def make_steps(
    column: ColumnMap, find_form: Callable[[StorageValue], bytes]
) -> list[Callable[[StorageValue], StorageValue]]:
    """What makes of a value, which is not NULL, what the column's conversions make of it, one after the other. Pure.

    Not for a column of a quarantine table.
    """
    which = {"earlier": min, "later": max}.get(next((way for way in column.conversions if way in _FOLDS), ""))
    steps = [
        _make_zone_step(conversion.partition(":")[2], which)
        if conversion.startswith("timezone:")
        else _make_step(conversion, column.kind)
        for conversion in column.conversions
        if conversion[:4] != "null" and conversion not in _FOLDS
    ]
    null = next((conversion for conversion in column.conversions if conversion[:4] == "null"), None)
    if null is not None:
        steps.append(_make_null_step(column, null.partition(":")[2].split(","), find_form))
    return steps


def is_changed(before: StorageValue, after: StorageValue) -> bool:
    """Whether a conversion has made something else of a value. Pure."""
    return not isinstance(after, Unclear) and (type(before) is not type(after) or before != after)


def _make_step(conversion: str, kind: Kind) -> Callable[[StorageValue], StorageValue]:
    name, _, argument = conversion.partition(":")
    if name in {"quantise", "quantise-reals"}:
        limits = [int(limit) for limit in argument.split(",")] if argument else []
        return lambda value: _quantise(value, limits, rounds_integers=name == "quantise")
    if name == "last-key":
        return _keep_last
    if name == "julian":
        return lambda value: _keep_days(value, _find_julian(value), kind)
    if name in _SHIFT:
        places = _SHIFT[name]
        return lambda value: _keep_days(value, _find_epoch(value, places), kind)
    repair = {"strip-nul": _strip, "u-fffd": _replace, "escape": _escape}[name]
    return lambda value: Text(repair(value)) if isinstance(value, Text) else value


# ---------------------------------------------------------------------------------------------------------------------
# Texts


def _strip(text: bytes) -> bytes:
    return b"".join(text.split(b"\0"))


def _replace(text: bytes) -> bytes:
    return _CHARACTERS.sub(lambda found: found[1] or _REPLACEMENT, text)


def _escape(text: bytes) -> bytes:
    def spell(found: re.Match[bytes]) -> bytes:
        return found[1].replace(b"\\", b"\\\\") if found[1] else b"\\x%02x" % found[2][0]

    return _CHARACTERS.sub(spell, text)


# ---------------------------------------------------------------------------------------------------------------------
# Moments


def _keep_days(value: StorageValue, moment: int | None, kind: Kind) -> StorageValue:
    if moment is None or not _FIRST_US <= moment < _END_US or (kind == "date" and moment % _DAY_US):
        return value
    return Moment(moment)


def _find_epoch(value: StorageValue, places: int) -> int | None:
    if isinstance(value, int):
        return value * int("1" + "0" * places)
    if not isinstance(value, float) or isinf(value):
        return None
    whole, _, fraction = json_values.plain_decimal(repr(value)).partition(".")
    if len(fraction) > places:
        return None
    return int(whole + fraction.ljust(places, "0"))


def _find_julian(value: StorageValue) -> int | None:
    if not isinstance(value, int | float) or not 0 <= value < _JULIAN_DAY_OF_1970 + 2_932_897:
        return None
    count_ms = floor(float(value) * 86_400_000.0 + 0.5)
    return (count_ms - round(_JULIAN_DAY_OF_1970 * 86_400_000)) * 1000 if count_ms <= _LAST_JULIAN_MS else None


def _make_zone_step(name: str, which: Callable[[list[int]], int] | None) -> Callable[[StorageValue], StorageValue]:
    """The step to the moment of a zone's local time. which: chooses where the zone had it twice."""
    zone = ZoneInfo(name)

    @lru_cache(maxsize=4096)
    def offset_at(second: int) -> int | None:
        """The zone's offset at a moment, in seconds."""
        try:
            shown = (_EPOCH + timedelta(seconds=second)).astimezone(zone)
        except OverflowError:
            return None
        offset = shown.utcoffset()
        return None if offset is None else offset.days * 86_400 + offset.seconds

    def convert(value: StorageValue) -> StorageValue:
        if not isinstance(value, Text):
            return value
        try:
            local_us = times.source_timestamp_us(value, zoned=False)
        except ValueError:
            return value  # it has an offset, or no form at all: its canonical form tells
        second = local_us // 1_000_000
        # clocks never change twice within six hours: the offsets about the time are all that it can have; there are
        # none beyond the calendar's ends
        around = {offset_at(second + away) for away in range(-93_600, 93_601, 23_400)}
        moments = [second - offset for offset in around if offset is not None and offset_at(second - offset) == offset]
        if not moments or (len(moments) > 1 and which is None):
            return Unclear(value)
        moment = moments[0] if which is None else which(moments)
        return Moment(moment * 1_000_000 + local_us % 1_000_000)

    return convert


# ---------------------------------------------------------------------------------------------------------------------
# Decimals

_KEPT_DIGITS: Final = 15


def _halve_even(number: int, places: int) -> int:
    """A number without its last decimal places, rounded to the nearest, halves to the even one."""
    unit = int("1" + "0" * places)
    whole, rest = divmod(number, unit)
    return whole + (2 * rest > unit or (2 * rest == unit and whole % 2 == 1))


def _quantise(value: StorageValue, limits: Sequence[int], *, rounds_integers: bool) -> StorageValue:
    """The number as a decimal of so many digits and decimal places; itself where that is the same number."""
    if isinstance(value, int):
        number, exponent = abs(value), 0
        surplus = len(str(number)) - _KEPT_DIGITS
        if rounds_integers and surplus > 0:
            number, exponent = _halve_even(number, surplus), surplus
    elif isinstance(value, float):
        if isinf(value):
            return Unclear(repr(value).encode())
        # C's %e rounds the double's exact value, halves to the even digit
        mantissa, _, power = f"{abs(value):.{_KEPT_DIGITS - 1}e}".partition("e")
        number, exponent = int(mantissa.replace(".", "")), int(power) - _KEPT_DIGITS + 1
    else:
        return value
    if limits:
        precision, scale = limits
        up = exponent + scale
        number, exponent = number * 10**up if up >= 0 else _halve_even(number, -up), -scale
        if number >= 10**precision:
            return Unclear(repr(value).encode())
    digits = json_values.plain_decimal(f"{'-' if value < 0 else ''}{number}e{exponent}")
    return value if json_values.plain_decimal(repr(value)) == digits else Digits(digits.encode())


# ---------------------------------------------------------------------------------------------------------------------
# JSON

_NUMBER_IN_QUOTES: Final = re.compile(r'"\\u0000([^"]*)"')


def _keep_last(value: StorageValue) -> StorageValue:
    """A JSON text without the members whose key comes again in their object; itself where there are none."""
    if not isinstance(value, Text) or value.find(b"\\u0000") >= 0:
        return value
    doubled = False

    def keep(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal doubled
        found = dict(pairs)
        doubled = doubled or len(found) != len(pairs)
        return found

    try:
        read = json.loads(
            value.decode(),
            object_pairs_hook=keep,
            parse_int="\0".__add__,  # a number's digits stay as they are written
            parse_float="\0".__add__,
            parse_constant=_refuse_constant,
        )
        if doubled:
            return Text(_NUMBER_IN_QUOTES.sub(r"\1", json.dumps(read, ensure_ascii=False)).encode())
    except (ValueError, RecursionError):
        pass  # it is no JSON, or none that jsonb takes: its canonical form tells
    return value


# ---------------------------------------------------------------------------------------------------------------------
# NULL


def _make_null_step(
    column: ColumnMap, classes: Sequence[str], find_form: Callable[[StorageValue], bytes]
) -> Callable[[StorageValue], StorageValue]:
    keeps_limits = _make_limit(column)

    def convert(value: StorageValue) -> StorageValue:
        if storage_class(value) in classes and not isinstance(value, Moment | Digits):
            return None
        try:
            form = find_form(value)
        except ValueError:
            return None
        return value if keeps_limits(form[1:]) else None

    return convert


_INTEGER_BITS: Final = {"int2": 15, "int4": 31, "int8": 63}


def _make_limit(column: ColumnMap) -> Callable[[bytes], bool]:
    """The check of what a canonical form leaves to the server, on the form without its tag."""
    found = re.search(r"\((\d+)(?:,(\d+))?\)", column.pg_type)
    first, second = (int(number or 0) for number in found.groups()) if found else (None, 0)
    match column.kind:
        case "int2" | "int4" | "int8":
            bound = 1 << _INTEGER_BITS[column.kind]
            return lambda form: -bound <= int(form) < bound
        case "text":
            return lambda form: (
                _ONLY_CHARACTERS.fullmatch(form) is not None and (first is None or len(form.decode()) <= first)
            )
        case "numeric":
            return lambda form: form[-1:] != b"y" and (first is None or _has_room(form, first, second))
        case "timestamp" | "timestamptz" | "time" if found:
            return lambda form: int(form) % 10 ** (6 - (first or 0)) == 0  # microseconds
        case "json" | "jsonb":
            return _is_json
        case _:
            return lambda _: True


def _has_room(form: bytes, precision: int, scale: int) -> bool:
    whole, _, fraction = form.lstrip(b"-").partition(b".")
    return len(fraction) <= scale and len(whole.lstrip(b"0")) <= precision - scale


def _is_json(form: bytes) -> bool:
    try:
        json.loads(form.decode(), parse_int=len, parse_float=len, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> object:
    raise ValueError(name)
