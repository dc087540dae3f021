"""What a text looks like: the forms that matter to a declared type.

Layer 1, pure.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from ipaddress import IPv4Address, ip_interface, ip_network
from types import MappingProxyType
from typing import Final

REASONS = MappingProxyType(
    {
        "too-fine": "finer than a microsecond",
        "hour-24": "of 24:00 or later",
        "no-such-day": "of a day that the calendar does not have",
        "blanks": "with blanks around them",
        "number": "that are numbers",
        "other": "in another form",
    }
)
"""Why a text is no date or time."""

FORMS = MappingProxyType(
    {
        "date": "YYYY-MM-DD",
        "datetime": "YYYY-MM-DD HH:MM:SS",
        **{f"datetime-f{digits}": f"YYYY-MM-DD HH:MM:SS.{'f' * digits}" for digits in range(1, 10)},
        "datetime-t": "YYYY-MM-DDTHH:MM:SS, with or without a fraction",
        "datetime-short": "YYYY-MM-DD HH:MM, with a space or T",
        "datetime-tz": "any of these with Z or an offset",
        "time": "HH:MM[:SS[.ffffff]]",
        "since-1970": "a date and time of 1970 or 1969, without an offset: the time from 1970-01-01 00:00 to it",
        "uuid": "32 hexadecimal digits, with or without hyphens",
        "bool-word": "true, false, t, f",
        "label": "a label of the target's enum",
        "unpadded": "a text that does not end with a blank",
        "inet": "an IP address, with or without the bits of its network",
        "decimal": "a decimal number",
        "json-jsonb": "JSON that jsonb keeps by value",
        "json-only": "JSON that jsonb would change or refuse",
        "other": "none of the forms that the declared type takes",
    }
)

_DATETIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:([ T])(?:[01]\d|2[0-3]):[0-5]\d(:[0-5]\d(?:[.](\d{1,9}))?)?\s?(Z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.](\d+))?)?", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?=[.]?\d)(\d*)(?:[.](\d*))?(?:[eE]([+-]?\d{1,4}))?", re.ASCII)
_BOOL_WORDS: Final = frozenset({"true", "false", "t", "f", "0", "1"})
MICROSECOND_DIGITS: Final = 6
MOST_EXACT_DIGITS: Final = 15
"""A decimal of so many digits comes back from a double as it was. Source: C standard, DBL_DIG."""
_ORDINAL_OF_1970: Final = date(1970, 1, 1).toordinal()


def text_form_datetime(text: str) -> tuple[str, int]:
    """Classify a text as one of `FORMS` (``date``, ``datetime…``, ``other``); with the digits of its fraction. Pure.

    Fraction digits beyond the last that is not zero do not count: ``.120000000`` has two. Years 0001 to 9999.
    """
    # the three forms that nearly all texts have, by the C parser: 0.3 µs instead of 1.2 µs for the pattern below
    length = len(text)
    try:
        if length == 10 and text[4] == text[7] == "-":
            date.fromisoformat(text)
            return "date", 0
        # 24:00 is left to the pattern, which refuses it: newer Pythons take it for the next day's midnight
        is_usual = length in {19, 26} and text[4] == text[7] == "-" and text[10] == " " and text[13] == text[16] == ":"
        if is_usual and text[11:13] != "24":
            if length == 19:
                datetime.fromisoformat(text)
                return "datetime", 0
            if text[19] == "." and text[20:].isdigit():
                datetime.fromisoformat(text)
                return "datetime-f6", len(text.rstrip("0")) - 20 if text[25] == "0" else 6
    except ValueError:
        return "other", 0
    return _match_datetime(text)


def _match_datetime(text: str) -> tuple[str, int]:
    match = _DATETIME.fullmatch(text)
    if match is None:
        return "other", 0
    try:
        date.fromisoformat(match[1])
    except ValueError:
        return "other", 0
    if match[2] is None:
        return "date", 0
    fraction = match[4] or ""
    if match[5]:
        form = "datetime-tz"
    elif not match[3]:
        form = "datetime-short"
    elif match[2] == "T":
        form = "datetime-t"
    else:
        form = f"datetime-f{len(fraction)}" if fraction else "datetime"
    return form, len(fraction.rstrip("0"))


def text_form_time(text: str) -> tuple[str, int]:
    """Classify a text as ``time`` or ``other``; with the digits of its fraction. Pure."""
    match = _TIME.fullmatch(text)
    return ("other", 0) if match is None else ("time", len((match[1] or "").rstrip("0")))


_CLOCK_24: Final = re.compile(r"(?:.*[ T])?(?:2[4-9]|[3-9]\d):\d\d(?::.*)?", re.ASCII | re.DOTALL)
_FINE: Final = re.compile(r".*:\d\d[.]\d{7,}(?:\s?(?:Z|[+-]\d\d:?\d*))?", re.ASCII | re.DOTALL)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[ T].*)?", re.ASCII | re.DOTALL)


def tell_why_no_time(text: str) -> str:
    """Say why a text is no date or time, in a word of `REASONS`. Pure."""
    if text != text.strip() and text_form_datetime(text.strip())[0] != "other":
        return "blanks"
    if _DECIMAL.fullmatch(text):
        return "number"
    if _CLOCK_24.fullmatch(text):
        return "hour-24"
    if _DAY.fullmatch(text):
        try:
            date.fromisoformat(text[:10])
        except ValueError:
            return "no-such-day"
    return "too-fine" if _FINE.fullmatch(text) else "other"


def read_local_us(text: str) -> int:
    """Read a date and time without an offset, a form that is taken: µs since 1970-01-01 by its own clock. Pure."""
    day, clock = text[:10], text[11:].strip()
    days = date.fromisoformat(day).toordinal() - _ORDINAL_OF_1970
    whole, _, fraction = clock.partition(".")
    hour, minute, second = (int(part) for part in (*whole.split(":"), "0", "0")[:3]) if whole else (0, 0, 0)
    return ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def is_inexact(value: float) -> bool:
    """Whether a real has more digits than any decimal of up to 15 digits, when it was stored, would have left. Pure."""
    text = repr(value)
    if len(text) <= MOST_EXACT_DIGITS:
        return False
    return len(text.partition("e")[0].replace(".", "").lstrip("-0").rstrip("0")) > MOST_EXACT_DIGITS


def count_digits(value: float | int | str) -> tuple[int, int] | None:  # noqa: PYI041 - int and float differ here
    """Count a number's digits before and after its decimal point, without outer zeros. Pure.

    None when it is no finite decimal number. A float counts as its shortest text that reads back as the same float.
    """
    # no blank around it either: SQLite itself has made numbers of the texts whose blanks it passes over
    match = _DECIMAL.fullmatch(value if isinstance(value, str) else repr(value))
    if match is None:
        return None
    exponent = int(match[3] or 0)
    whole, fraction = match[1], match[2] or ""
    digits = whole + fraction
    point = len(whole) + exponent
    stripped = digits.rstrip("0")
    lead = len(digits) - len(digits.lstrip("0"))
    if not stripped:
        return 0, 0
    return max(0, point - lead), max(0, len(stripped) - point)


def look_uuid(text: str) -> str:
    """As a UUID: ``uuid`` or ``other``. Pure."""
    return "uuid" if _UUID.fullmatch(text) else "other"


def look_bool(text: str) -> str:
    """As a boolean: ``bool-word`` or ``other``. Pure."""
    return "bool-word" if text.lower() in _BOOL_WORDS else "other"


def look_padding(text: str) -> str:
    """Whether padding would keep it: ``unpadded`` or ``other``. Pure."""
    return "other" if text.endswith(" ") else "unpadded"


def look_inet(text: str) -> str:
    """As an address with or without its network: ``inet`` or ``other``. Pure."""
    try:
        ip_interface(text)
    except ValueError:
        return "other"
    return "other" if "%" in text else "inet"  # PostgreSQL knows no zones of addresses


def is_respelled(text: str) -> bool:
    """Whether PostgreSQL gives an address, of a form that it takes, back in another spelling. Pure.

    Source: PostgreSQL, inet_net_ntop.c: the longest run of zeros is left out, the first of two that are as long; the
    last four bytes are written as those of IPv4 behind 96 bits of zeros, or 80 of zeros and 16 of ones.
    """
    found = ip_interface(text)
    bits = "" if found.network.prefixlen == found.ip.max_prefixlen else f"/{found.network.prefixlen}"
    spelled = str(found.ip)
    if found.version == 6:
        high, low = int(found.ip) >> 32, int(found.ip) & 0xFFFF_FFFF
        is_embedded = high == 0xFFFF or (high == 0 and low > 0xFFFF) or (high == 0 and 1 < low <= 0xFFFF)
        if is_embedded:
            spelled = f"::{'ffff:' if high else ''}{IPv4Address(low)}"
    return text != spelled + bits


def look_cidr(text: str) -> str:
    """As a network: ``inet`` or ``other``. Pure."""
    try:
        ip_network(text)
    except ValueError:
        return "other"
    return "other" if "%" in text else "inet"
