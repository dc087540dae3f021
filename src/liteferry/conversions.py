r"""What the user's ways out make of stored values before they are encoded: repaired texts, moments of numbers.

Layer 1, pure. The census judges with these functions, and the load converts with them. The proof does not use this
module: it has its own (`liteferry.compare.conversions`), so that an error here is found there.

The rules:

- ``strip-nul``: NUL characters go. ``u-fffd``: each NUL, and each byte that is no part of valid UTF-8, becomes U+FFFD.
  ``escape``: NUL becomes ``\x00``, such a byte ``\x`` and two lower-case hexadecimal digits, a backslash becomes two.
- ``epoch-s``, ``epoch-ms``, ``epoch-us``: a number of these units since 1970-01-01 00:00 UTC. A real counts as the
  shortest decimal text that reads back as the same number. Nothing is rounded: what is finer than a microsecond does
  not fit.
- ``julian``: days since noon on 24 November 4714 BC, rounded to the millisecond as SQLite's own functions do, since a
  double of that size has no more. Source: sqlite.org, date.c, ``setRawDateNumber`` and ``validJulianDay``.
- ``timezone:ZONE``: a time without an offset is a local time of the zone. One that the zone's clocks passed over, or
  showed twice, does not fit: nobody knows which instant is meant. With ``earlier`` or ``later`` one that they showed
  twice is the first, or the second.
- ``quantise:P,S``: a real counts with its 15 significant digits, and is rounded to S decimal places; one that then has
  more than P digits does not fit. So does an integer. Without limits nothing but the 15 digits. ``quantise-reals``:
  the same, but an integer counts with all its digits. Both round halves to the even digit, and leave texts alone.
  Source: Django, db/backends/sqlite3/operations.py, ``get_decimalfield_converter``, up to 6.0 and from 6.1 on.
- ``last-key``: of the members of a JSON object that have the same key the last one counts, as jsonb has it itself.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EPOCH_WAYS: Final = ("epoch-s", "epoch-ms", "epoch-us", "julian")
REPAIRS: Final = ("strip-nul", "u-fffd", "escape")
QUANTISERS: Final = ("quantise", "quantise-reals")
FOLDS: Final = ("earlier", "later")
"""Which of two moments a local time is that the clocks showed twice."""
LAST_KEY: Final = "last-key"

_UNITS_US: Final = MappingProxyType({"epoch-s": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1})
_EARLIEST_US: Final = -210_866_803_200_000_000  # 4714-11-24 BC; Source: PostgreSQL docs, "Date/Time Types"
_LATEST_US: Final = 9_224_318_016_000_000_000  # 294277-01-01, the first moment that timestamp does not hold
_JULIAN_END: Final = 5_373_484.5
_JULIAN_MS_OF_1970: Final = 210_866_760_000_000
_DAY_MS: Final = 86_400_000.0
DAY_US: Final = 86_400_000_000
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
_UNDECODED_OR_NUL: Final = re.compile("[\0\udc80-\udcff]")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time, on purpose


class Unconvertible(ValueError):  # noqa: N818 - an answer, not a failure
    """A value that a conversion does not take. The reason shows no value."""


class Moment(int):
    """Microseconds since 1970-01-01 00:00 UTC."""

    __slots__ = ()


def make_moment_converter(way: str, *, whole_days: bool = False) -> Callable[[int | float], Moment]:
    """Make the converter of numbers to moments. Pure. way: one of `EPOCH_WAYS`; whole_days: for a column of dates.

    The converter raises Unconvertible for what is beyond PostgreSQL's timestamps, finer than a microsecond, or no
    midnight where days are wanted.
    """
    convert = _from_julian_day if way == "julian" else _make_epoch_converter(_UNITS_US[way])
    if not whole_days:
        return convert

    def convert_to_midnight(value: float) -> Moment:
        moment = convert(value)
        if moment % DAY_US:
            raise Unconvertible("not at midnight UTC, so that it is no date")
        return moment

    return convert_to_midnight


def _make_epoch_converter(unit_us: int) -> Callable[[int | float], Moment]:
    def convert(value: float) -> Moment:
        if type(value) is int:
            moment = value * unit_us
        else:
            number = Decimal(repr(value))
            if not number.is_finite():
                raise Unconvertible("not finite")
            numerator, denominator = number.as_integer_ratio()
            moment, rest = divmod(numerator * unit_us, denominator)
            if rest:
                raise Unconvertible("finer than a microsecond")
        if not _EARLIEST_US <= moment < _LATEST_US:
            raise Unconvertible("beyond what a timestamp holds")
        return Moment(moment)

    return convert


def _from_julian_day(value: float) -> Moment:
    day = float(value)
    if not 0.0 <= day < _JULIAN_END:
        raise Unconvertible("no Julian day between 0 and 5373484.5")
    return Moment((int(day * _DAY_MS + 0.5) - _JULIAN_MS_OF_1970) * 1000)


def make_zone_resolver(name: str, which: str = "") -> Callable[[int], Moment]:
    """Make the function from a local time (µs since 1970-01-01 00:00 by the zone's clocks) to its moment. Pure.

    which: one of `FOLDS`, or "". It raises Unconvertible for a local time that the zone never had, or had twice where
    nothing says which is meant.
    Source: PEP 495, "Local Time Disambiguation".
    """
    zone = ZoneInfo(name)

    @lru_cache(maxsize=4096)
    def resolve_second(second: int) -> int:
        try:
            local = _EPOCH + timedelta(seconds=second)
            first, later = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
            moment = first.astimezone(UTC)
            is_real = moment.astimezone(zone).replace(tzinfo=None, fold=0) == local
        except OverflowError:
            raise Unconvertible("too near to the calendar's end for a time zone") from None
        if not is_real:
            raise Unconvertible(f"a local time that {name} never had: its clocks were put forward")
        if not which and first.utcoffset() != later.utcoffset():
            raise Unconvertible(f"a local time that {name} had twice: its clocks were put back")
        # by subtraction, since offsets of old times have seconds
        return second - round(((later if which == "later" else first).utcoffset() or timedelta()).total_seconds())

    def resolve(local_us: int) -> Moment:
        second, rest = divmod(local_us, 1_000_000)
        return Moment(resolve_second(second) * 1_000_000 + rest)

    return resolve


_REAL: Final = Context(prec=15, rounding=ROUND_HALF_EVEN)
"""What a double keeps of any decimal number."""


def make_quantiser(conversion: str) -> Callable[[int | float], Decimal]:
    """Make the function from a number to the decimal that it stands for. Pure. conversion: ``quantise:10,2`` and such.

    It raises Unconvertible for what is not finite, and what has too many digits.
    """
    name, _, limits = conversion.partition(":")
    precision, scale = (int(part) for part in limits.split(",")) if limits else (0, 0)
    keeps_integers = name == "quantise-reals"
    unit = Decimal(1).scaleb(-scale)
    context = Context(prec=max(precision, 1), rounding=ROUND_HALF_EVEN)

    def quantise(value: float) -> Decimal:
        is_exact = keeps_integers and type(value) is int
        found = Decimal(value) if is_exact else _REAL.create_decimal_from_float(value)
        if not found.is_finite():
            raise Unconvertible("not finite")
        if not precision:
            return found
        try:
            return found.quantize(unit, context=context)
        except InvalidOperation:
            raise Unconvertible(f"more than {precision} digits, {scale} of them after the point") from None

    return quantise


def find_quantiser(conversions: Sequence[str]) -> str:
    """``quantise:10,2`` and such; "" where none is among them. Pure."""
    return next((found for found in conversions if found.partition(":")[0] in QUANTISERS), "")


def find_fold(conversions: Sequence[str]) -> str:
    """Which moment is meant by a local time that was twice; "" where nothing says so. Pure."""
    return next((found for found in conversions if found in FOLDS), "")


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name. Reads the zone's file."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def make_repair(ways: Sequence[str]) -> Callable[[str | bytes], str | None]:
    """Make the function that repairs a text by these of `REPAIRS`, in that order. Pure.

    It takes the text, or its bytes where they are not UTF-8; None stands for a text that is not UTF-8 thereafter.
    """
    strips = "strip-nul" in ways

    def repair(value: str | bytes) -> str | None:
        if isinstance(value, str):
            text = value.replace("\0", "") if strips else value
        else:  # before it is decoded: bytes may belong together when NUL is gone
            text = (value.replace(b"\0", b"") if strips else value).decode(errors="surrogateescape")
        for way in ways:
            if way == "strip-nul":
                continue
            if way == "u-fffd":
                text = _UNDECODED_OR_NUL.sub("\ufffd", text)
            else:
                text = text.replace("\\", "\\\\").replace("\0", "\\x00")
                text = _UNDECODED.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", text)
        return None if not isinstance(value, str) and _UNDECODED.search(text) else text

    return repair


def split_null(conversions: Sequence[str]) -> tuple[bool, frozenset[str]]:
    """Whether what does not fit becomes NULL, and the storage classes of which everything does. Pure."""
    for conversion in conversions:
        name, _, classes = conversion.partition(":")
        if name == "null":
            return True, frozenset(filter(None, classes.split(",")))
    return False, frozenset()


def find_zone(conversions: Sequence[str]) -> str:
    """The zone of ``timezone:ZONE``; "" where it is not among them. Pure."""
    return next((found.partition(":")[2] for found in conversions if found.startswith("timezone:")), "")
