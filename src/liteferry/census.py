"""The census: what is really stored in each column, over every row.

Layer 1, pure: it is fed batches of rows and never reads anything itself. SQLite keeps any value in any column, so the
declared type is a guess until every value has been looked at; the planner decides on what the census counted, and a
finding names the places that the census kept.

Speed: a batch is turned into columns, and each column is looked at by C-level built-ins (``set(map(type, …))``,
``max(map(len, …))``); values are looked at one by one only where that shows something odd, or where the declared
type makes the text's form matter (dates, JSON, booleans, UUIDs, decimals).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, datetime
from ipaddress import ip_interface, ip_network
from struct import pack, unpack
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from liteferry.compare.literals import spell_literal
from liteferry.compare.storage import RawText, Text
from liteferry.conversions import (
    EPOCH_WAYS,
    REPAIRS,
    Unconvertible,
    find_zone,
    make_moment_converter,
    make_repair,
    make_zone_resolver,
)
from liteferry.model import Column, ColumnCensus, Form, Misfits, Offence, Sample, Table, TableCensus
from liteferry.typemap import DeclaredType, classify_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from liteferry.compare.storage import StorageValue
    from liteferry.model import StorageName

SAMPLES: Final = 5
"""How many places an offence keeps. The count is always exact."""

OFFENCES = MappingProxyType(
    {
        "class": "a storage class that the declared type does not hold (text in an INTEGER column);"
        " without a declared type, another than that of most of the first rows",
        "form": "a text that does not read as the declared type (a date that is none, JSON that is not)",
        "json-only": "JSON with duplicate keys, \\u0000 or lone surrogates, which jsonb would change or refuse",
        "zone": "a timestamp with an offset, in a column where others have none",
        "too-long": "a text longer than the declared length",
        "excess": "a decimal with more digits than declared",
        "range": "a number that the type which a cast rule or the target demands does not hold exactly",
        "epoch": "a number that the chosen epoch makes no moment of: beyond a timestamp, or finer than a microsecond",
        "local-none": "a local time that the chosen time zone never had",
        "local-twice": "a local time that the chosen time zone had twice",
        "nonfinite": "an infinity in a column that is not REAL",
        "nul": "a text with the NUL character",
        "invalid-utf8": "a text that is not valid UTF-8",
        "null": "NULL where the table says NOT NULL, or in a primary key",
    }
)

NOTES = MappingProxyType(
    {
        "inexact": "a real of more than 15 digits in a DECIMAL column: what binary arithmetic leaves, as in 0.1 + 0.2",
    }
)
"""What is odd, but hinders nothing."""

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


class InvalidText(bytes):
    """The bytes of a TEXT value that is not valid UTF-8."""

    __slots__ = ()


class Offender(NamedTuple):
    """One offending value's place. row: its rowid, or its primary key's literals; None where it has no name.

    key: the same for people; why: what offends. value: as stored, where there is one (``has_value``).
    """

    row: int | str | None
    key: str
    why: str
    value: StorageValue = None
    has_value: bool = False


Sink: TypeAlias = "Callable[[str, str, Iterable[Offender]], None]"
"""Takes every offender, as it is found: column, offence, places."""


def to_storage(value: object) -> StorageValue:
    """A value as the census reads it, as a storage value. Pure."""
    if isinstance(value, str):
        return Text(value.encode())
    if isinstance(value, InvalidText):
        return RawText(value)
    return value  # type: ignore[return-value]  # nothing else is read from SQLite


def name_row_by_key(values: Iterable[object]) -> str:
    """Name a row by the literals of its primary key: ``'a', 5``. Pure. Never cut, as what is shown to people is."""
    return ", ".join(spell_literal(to_storage(value)).decode() for value in values)


_DATETIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:([ T])(?:[01]\d|2[0-3]):[0-5]\d(:[0-5]\d(?:[.](\d{1,9}))?)?\s?(Z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.](\d+))?)?", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?=[.]?\d)(\d*)(?:[.](\d*))?(?:[eE]([+-]?\d{1,4}))?", re.ASCII)
_BOOL_WORDS: Final = frozenset({"true", "false", "t", "f", "0", "1"})
_EXPONENT: Final = re.compile(r"[eE](?<=\d[eE])")
MICROSECOND_DIGITS: Final = 6
MOST_EXACT_DIGITS: Final = 15
"""A decimal of so many digits comes back from a double as it was. Source: C standard, DBL_DIG."""
_ORDINAL_OF_1970: Final = date(1970, 1, 1).toordinal()
_EXACT_DOUBLE: Final = 2**53
"""Every integer up to here is a double."""
_JSONB_FRACTION_DIGITS: Final = 16_383


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


def _is_inexact(value: float) -> bool:
    """Whether a real has more digits than any decimal of up to 15 digits, when it was stored, would have left."""
    text = repr(value)
    if len(text) <= MOST_EXACT_DIGITS:
        return False
    return len(text.partition("e")[0].replace(".", "").lstrip("-0").rstrip("0")) > MOST_EXACT_DIGITS


class _NotJson(ValueError):  # noqa: N818 - never leaves this module
    """Raised for what RFC 8259 does not allow although Python's json module does."""


def _refuse_constant(name: str) -> object:
    raise _NotJson(name)


class _JsonReader:
    """Reads JSON text only to say what it is. One for many texts: making a decoder costs as much as a short text."""

    def __init__(self) -> None:
        self._lossy = False
        # `len` stands in for a parser of numbers: the cheapest call there is, since GeoJSON is millions of numbers
        self._plain = self._make_decoder(len)
        self._careful = self._make_decoder(self._see_number)

    def _make_decoder(self, number: Callable[[str], object]) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=self._see_pairs,
            parse_float=number,
            parse_int=number,
            parse_constant=_refuse_constant,
        )

    def _see_pairs(self, items: list[tuple[str, object]]) -> None:
        if len(items) > 1 and len({key for key, _ in items}) != len(items):
            self._lossy = True

    def _see_number(self, digits: str) -> None:
        if len(digits) > _JSONB_FRACTION_DIGITS:
            self._lossy = True
        elif "e" in digits or "E" in digits:
            exponent = digits.lower().partition("e")[2]
            # jsonb writes the number out: 1e400 is kept, as 401 digits; 1e200000 is refused
            if len(exponent) > 6 or abs(int(exponent)) + len(digits) > _JSONB_FRACTION_DIGITS:
                self._lossy = True

    def classify(self, text: str) -> str:
        """As `text_form_json`."""
        self._lossy = False
        decoder = self._careful if _may_hold_long_number(text) else self._plain
        try:
            decoder.decode(text)
        except RecursionError:
            return "other"  # deeper than the server's own stack would take (max_stack_depth)
        except ValueError:
            return "other"
        if not self._lossy and "\\u" in text:
            self._lossy = _has_bad_escape(text)
        return "json-only" if self._lossy else "json-jsonb"


def _may_hold_long_number(text: str) -> bool:
    """Whether JSON text may hold a number with an exponent or with very many digits: quick, and wrong on one side only.

    A pattern for many digits would try anew at each digit, and cost more than the parsing.
    """
    if _EXPONENT.search(text):
        return True
    limit = _JSONB_FRACTION_DIGITS
    return len(text) > limit and max(map(len, text.split(","))) > limit


def text_form_json(text: str) -> str:
    r"""Classify a text as ``json-jsonb``, ``json-only`` or ``other`` (not JSON by RFC 8259). Pure.

    ``json-only``: duplicate keys; ``\u0000`` or a surrogate without its other half; a number with more digits than
    numeric has room for after its point (16,383). Source: PostgreSQL docs, "JSON Types" and "Numeric Types".
    """
    return _JsonReader().classify(text)


def _has_bad_escape(text: str) -> bool:
    r"""Whether valid JSON text has \u0000 or an unpaired surrogate escape."""
    position, end = 0, len(text)
    while (position := text.find("\\", position)) >= 0:
        if position + 1 < end and text[position + 1] != "u":
            position += 2
            continue
        code = int(text[position + 2 : position + 6], 16)
        position += 6
        if code == 0 or 0xDC00 <= code <= 0xDFFF:
            return True
        if 0xD800 <= code <= 0xDBFF:
            if text[position : position + 2] != "\\u":
                return True
            low = int(text[position + 2 : position + 6], 16)
            if not 0xDC00 <= low <= 0xDFFF:
                return True
            position += 6
    return False


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


def describe_class(value: object) -> str:
    """Say what a storage value is without showing it: ``text, 12 characters``. Pure."""
    if value is None:
        return "NULL"
    if isinstance(value, InvalidText):
        return f"text that is not UTF-8, {len(value)} bytes"
    if isinstance(value, bytes):
        return f"blob, {len(value)} bytes"
    if isinstance(value, str):
        return f"text, {len(value)} character{'' if len(value) == 1 else 's'}"
    return "integer" if isinstance(value, int) else "real"


class _ColumnAccumulator:
    """Counts one column. ``add`` takes a batch's values and what names the row of an index."""

    def __init__(
        self,
        column: Column,
        declared: DeclaredType,
        sink: Sink | None,
        *,
        forbids_null: bool,
        conversions: Sequence[str] = (),
    ) -> None:
        self.column = column
        self.sink = sink
        self.conversions = tuple(conversions)
        self.declared = declared
        self.forbids_null = forbids_null
        self.classes: Counter[type] = Counter()
        self.min_integer: int | None = None
        self.max_integer: int | None = None
        self.longest_text = 0
        self.longest_bytes = 0
        self.size_bytes = 0
        self.forms: Counter[str] = Counter()
        self.fraction_digits = 0
        self.integer_digits = 0
        self.counts: Counter[str] = Counter()
        self.samples: dict[str, list[Sample]] = {}
        self.groups: Counter[tuple[type, tuple[str, ...], bool]] = Counter()
        self._offenders: dict[int, list[str]] = {}  # of the batch: what each value's offences are
        self._expected: frozenset[type] = frozenset()  # without a declared type: the class of the first rows
        family = declared.family
        self.holds: frozenset[type] = _HOLDS[family]
        if family == "text" and declared.pg_type:
            self.holds |= {int, float}  # whoever demands text says that numbers become their text
        self.notes: dict[str, list[Sample]] = {}
        self.reasons: Counter[str] = Counter()
        self.converted = 0
        self._changed: set[int] = set()  # of the batch: the values that a conversion changes
        repairs = [way for way in self.conversions if way in REPAIRS]
        self._repair = make_repair(repairs) if repairs else None
        epoch = next((way for way in self.conversions if way in EPOCH_WAYS), "")
        self._to_moment = make_moment_converter(epoch, whole_days=family == "date") if epoch else None
        if epoch:
            self.holds |= {int, float}
        zone = find_zone(self.conversions)
        self._resolve = make_zone_resolver(zone) if zone else None
        self.look: Callable[[str], str] | None = {
            "datetime": self._look_datetime,
            "date": self._look_datetime,
            "time": self._look_time,
            "interval": self._look_interval,
            "json": _JsonReader().classify,
            "uuid": _look_uuid,
            "bool": _look_bool,
            "inet": _look_inet if declared.pg_type == "inet" else _look_cidr,
            "text": self._look_label if declared.labels else _look_padding if declared.pads else None,
        }.get(family)

    def add(self, values: Sequence[object], rows: _Batch) -> None:
        counted = Counter(map(type, values))
        self.classes.update(counted)
        family = self.declared.family
        if family == "none":
            self._expect_class(counted)
        for found in counted:
            if found is not type(None) and found not in self.holds and found is not InvalidText:
                self._offend("class", self._where(values, found), values, rows)
        if type(None) in counted and self.forbids_null:
            self._offend("null", self._where(values, type(None)), values, rows)
        if int in counted:
            self._add_integers(values, rows)
        if float in counted:
            self._add_reals(values, rows)
        if str in counted:
            self._add_texts(values, whole=len(counted) == 1, rows=rows)
        if bytes in counted:
            lengths = [len(v) for v in values if type(v) is bytes]
            self.longest_bytes = max(self.longest_bytes, *lengths)
            self.size_bytes += sum(lengths)
            if family == "uuid":
                wrong = [i for i, v in enumerate(values) if type(v) is bytes and len(v) != 16]
                self._offend("form", wrong, values, rows)
        if InvalidText in counted:
            bad = [v for v in values if type(v) is InvalidText]
            self.longest_bytes = max(self.longest_bytes, *map(len, bad))
            self.size_bytes += sum(map(len, bad))
            self._offend("invalid-utf8", self._where(values, InvalidText), values, rows)
            if self._repair is not None:
                self._add_repaired(values, InvalidText, rows)
        if self._to_moment is not None and (int in counted or float in counted):
            self._add_numbers(values, self._to_moment, rows)
        if self._offenders:
            self.groups.update(
                (type(values[index]), tuple(names), index in self._changed) for index, names in self._offenders.items()
            )
            self._offenders.clear()
        self.converted += len(self._changed)
        self._changed.clear()

    def _expect_class(self, counted: Counter[type]) -> None:
        """Without a declared type: the class that most of the first rows have is the one that the others offend."""
        if self._expected:
            return
        numbers = frozenset({int, float}) if self.column.affinity == "NUMERIC" else frozenset()
        kinds = [numbers or frozenset({int}), numbers or frozenset({float}), _TEXTS, frozenset({bytes})]
        most = max(kinds, key=lambda kind: sum(counted[found] for found in kind))
        if any(counted[found] for found in most):
            self.holds = self._expected = most

    def _add_integers(self, values: Sequence[object], rows: _Batch) -> None:
        family = self.declared.family
        integers: Sequence[int] = [v for v in values if type(v) is int]
        low, high = min(integers), max(integers)
        self.min_integer = low if self.min_integer is None else min(low, self.min_integer)
        self.max_integer = high if self.max_integer is None else max(high, self.max_integer)
        self.size_bytes += 8 * len(integers)
        if family == "bool" and not (low >= 0 and high <= 1):
            self._offend("form", [i for i, v in enumerate(values) if type(v) is int and v not in {0, 1}], values, rows)
        if family == "decimal":
            self._look_decimals(values, int, rows)
        bound = 1 << (self.declared.integer_bits - 1)
        if self.declared.pg_type == "real":
            inexact = [i for i, v in enumerate(values) if type(v) is int and not _fits_float4(v)]
            self._offend("range", inexact, values, rows)
        elif family == "real" and max(-low, high) > _EXACT_DOUBLE:
            inexact = [i for i, v in enumerate(values) if type(v) is int and int(float(v)) != v]
            self._offend("range", inexact, values, rows)
        if family == "integer" and not (low >= -bound and high < bound):
            beyond = [i for i, v in enumerate(values) if type(v) is int and not -bound <= v < bound]
            self._offend("range", beyond, values, rows)

    def _add_reals(self, values: Sequence[object], rows: _Batch) -> None:
        reals = [v for v in values if type(v) is float]
        self.size_bytes += 8 * len(reals)
        family = self.declared.family
        if family != "real":
            infinite = [i for i, v in enumerate(values) if type(v) is float and v in {float("inf"), float("-inf")}]
            self._offend("nonfinite", infinite, values, rows)
        if family == "decimal":
            self._look_decimals(values, float, rows)
        if self.declared.pg_type == "real":
            inexact = [i for i, v in enumerate(values) if type(v) is float and not _fits_float4(v)]
            self._offend("range", inexact, values, rows)

    def _add_texts(self, values: Sequence[object], *, whole: bool, rows: _Batch) -> None:
        texts: Sequence[str] = values if whole else [v for v in values if type(v) is str]  # type: ignore[assignment]  # just selected by type
        longest = max(map(len, texts))
        self.longest_text = max(self.longest_text, longest)
        joined = "".join(texts)
        encoded_bytes = len(joined) if joined.isascii() else len(joined.encode())
        self.size_bytes += encoded_bytes
        self.longest_bytes = max(
            self.longest_bytes, longest if joined.isascii() else max(len(t.encode()) for t in texts)
        )
        if "\0" in joined:
            self._offend("nul", [i for i, v in enumerate(values) if type(v) is str and "\0" in v], values, rows)
        limit = self.declared.length
        if self._repair is not None:
            self._add_repaired(values, str, rows)
        elif self.declared.family == "text" and limit is not None and longest > limit:
            long = [i for i, v in enumerate(values) if type(v) is str and len(v) > limit]
            self._offend("too-long", long, values, rows)
        if self.declared.family == "decimal":
            self._look_decimals(values, str, rows)
        if self.look is not None:
            forms = [self.look(v) if type(v) is str else "" for v in values]
            counted = Counter(forms)
            del counted[""]
            self.forms.update(counted)
            wrong = set(counted) - _TAKES[self.declared.family]
            if wrong:
                self._offend("form", [i for i, form in enumerate(forms) if form in wrong], values, rows)
                if self.declared.family in {"datetime", "date", "time"}:
                    odd = [v for v, form in zip(values, forms, strict=True) if form in wrong]
                    self.reasons.update(tell_why_no_time(v) for v in odd if type(v) is str)
            for form, offence in (("json-only", "json-only"), ("datetime-tz", "zone")):
                if form in counted:
                    self._offend(offence, [i for i, found in enumerate(forms) if found == form], values, rows)
            if self._resolve is not None:
                self._add_local_times(values, forms, wrong, rows)

    def _add_local_times(self, values: Sequence[object], forms: Sequence[str], wrong: set[str], rows: _Batch) -> None:
        """Look at the texts that the chosen time zone makes moments of: those without an offset."""
        unclear: dict[str, list[int]] = {}
        for index, (value, form) in enumerate(zip(values, forms, strict=True)):
            if type(value) is not str or form in wrong or form == "datetime-tz":
                continue
            try:
                self._resolve(read_local_us(value))  # type: ignore[misc]  # only called where there is one
            except Unconvertible as error:
                unclear.setdefault("local-twice" if "twice" in str(error) else "local-none", []).append(index)
            else:
                self._changed.add(index)
        for offence, indexes in unclear.items():
            self._offend(offence, indexes, values, rows)

    def _add_repaired(self, values: Sequence[object], found: type, rows: _Batch) -> None:
        """Look at what the chosen repairs make of texts."""
        repair, limit, long = self._repair, self.declared.length, []
        for index, value in enumerate(values):
            if type(value) is not found:
                continue
            text = repair(value)  # type: ignore[misc, arg-type]  # only called where there is one, with texts
            if text is None:
                continue
            if text != value:
                self._changed.add(index)
            self.longest_text = max(self.longest_text, len(text))
            if self.declared.family == "text" and limit is not None and len(text) > limit:
                long.append(index)
        self._offend("too-long", long, values, rows)

    def _add_numbers(self, values: Sequence[object], convert: Callable[[int | float], int], rows: _Batch) -> None:
        """Look at the numbers that the chosen epoch makes moments of."""
        beyond = []
        for index, value in enumerate(values):
            if type(value) is int or type(value) is float:
                try:
                    convert(value)
                except Unconvertible:
                    beyond.append(index)
                else:
                    self._changed.add(index)
        self._offend("epoch", beyond, values, rows)

    def _look_decimals(self, values: Sequence[object], found: type, rows: _Batch) -> None:
        precision, scale = self.declared.precision, self.declared.scale or 0
        if found is float:
            self._note(
                "inexact", [i for i, v in enumerate(values) if type(v) is float and _is_inexact(v)], values, rows
            )
        if precision is None and found is not str:
            return  # numeric without limits takes every finite number: there is nothing to count
        excess, wrong = [], []
        for index, value in enumerate(values):
            if type(value) is not found:
                continue
            digits = count_digits(value)  # type: ignore[arg-type]  # an int, float or str, by the line above
            if digits is None:
                if found is str:
                    wrong.append(index)
                continue
            whole, fraction = digits
            self.integer_digits = max(self.integer_digits, whole)
            self.fraction_digits = max(self.fraction_digits, fraction)
            if precision is not None and (fraction > scale or whole > precision - scale):
                excess.append(index)
        self._offend("excess", excess, values, rows)
        self._offend("form", wrong, values, rows)

    def _look_datetime(self, text: str) -> str:
        form, digits = text_form_datetime(text)
        if digits > self.fraction_digits:
            if digits > self.declared.fraction_digits:
                return "other"
            self.fraction_digits = digits
        return form

    def _look_time(self, text: str) -> str:
        form, digits = text_form_time(text)
        if digits > self.declared.fraction_digits:
            return "other"
        self.fraction_digits = max(self.fraction_digits, digits)
        return form

    def _look_interval(self, text: str) -> str:
        form = self._look_datetime(text)
        elapsed = form.startswith("datetime") and form != "datetime-tz" and text.startswith(("1970-", "1969-"))
        return "since-1970" if elapsed else "other"

    def _look_label(self, text: str) -> str:
        return "label" if text in self.declared.labels else "other"

    @staticmethod
    def _where(values: Sequence[object], found: type) -> list[int]:
        return [index for index, value in enumerate(values) if type(value) is found]

    def _offend(self, offence: str, indexes: Iterable[int], values: Sequence[object], rows: _Batch) -> None:
        found = indexes if isinstance(indexes, list) else list(indexes)
        if not found:
            return
        self.counts[offence] += len(found)
        for index in found:
            self._offenders.setdefault(index, []).append(offence)
        kept = self.samples.setdefault(offence, [])
        for index in found[: SAMPLES - len(kept)]:
            kept.append(Sample(key=rows.describe(index), why=describe_class(values[index])))
        if self.sink is not None:
            self.sink(
                self.column.name,
                offence,
                (
                    Offender(
                        rows.identify(index),
                        rows.describe(index),
                        describe_class(values[index]),
                        to_storage(values[index]),
                        has_value=True,
                    )
                    for index in found
                ),
            )

    def _note(self, note: str, indexes: Sequence[int], values: Sequence[object], rows: _Batch) -> None:
        """Count what hinders nothing."""
        self.counts[note] += len(indexes)
        kept = self.notes.setdefault(note, [])
        for index in indexes[: SAMPLES - len(kept)]:
            kept.append(Sample(key=rows.describe(index), why=describe_class(values[index])))

    def finish(self) -> ColumnCensus:
        return ColumnCensus(
            name=self.column.name,
            nulls=self.classes[type(None)],
            integers=self.classes[int],
            reals=self.classes[float],
            texts=self.classes[str] + self.classes[InvalidText],
            blobs=self.classes[bytes],
            min_integer=self.min_integer,
            max_integer=self.max_integer,
            longest_text_chars=self.longest_text,
            longest_value_bytes=self.longest_bytes,
            forms_of=self.declared.family if self.look is not None else "",
            forms=tuple(Form(name=name, count=self.forms[name]) for name in FORMS if self.forms[name]),
            max_fraction_digits=self.fraction_digits,
            max_integer_digits=self.integer_digits,
            offences=tuple(
                Offence(name=name, count=self.counts[name], samples=tuple(self.samples[name]))
                for name in OFFENCES
                if self.counts[name]
            ),
            misfits=tuple(
                Misfits(storage=_STORAGE[found], offences=names, converted=converted, count=count)
                for (found, names, converted), count in sorted(self.groups.items(), key=_order_group)
            ),
            notes=tuple(
                Offence(name=name, count=self.counts[name], samples=tuple(self.notes[name]))
                for name in NOTES
                if self.counts[name]
            ),
            reasons=tuple(Form(name=name, count=self.reasons[name]) for name in REASONS if self.reasons[name]),
            conversions=self.conversions,
            converted=self.converted,
        )


def _order_group(group: tuple[tuple[type, tuple[str, ...], bool], int]) -> tuple[str, tuple[str, ...], bool]:
    (found, names, converted), _ = group
    return _STORAGE[found], names, converted


def _look_uuid(text: str) -> str:
    return "uuid" if _UUID.fullmatch(text) else "other"


def _look_bool(text: str) -> str:
    return "bool-word" if text.lower() in _BOOL_WORDS else "other"


def _look_padding(text: str) -> str:
    return "other" if text.endswith(" ") else "unpadded"


def _look_inet(text: str) -> str:
    try:
        ip_interface(text)
    except ValueError:
        return "other"
    return "other" if "%" in text else "inet"  # PostgreSQL knows no zones of addresses


def _look_cidr(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        return "other"
    return "other" if "%" in text else "inet"


def _fits_float4(value: float) -> bool:
    """Whether a number is exactly one of single precision."""
    try:
        (found,) = unpack(">f", pack(">f", value))
    except OverflowError:
        return False
    return bool(found == value)


_ANY: Final = frozenset({int, float, str, bytes})
_TEXTS: Final[frozenset[type]] = frozenset({str, InvalidText})
_STORAGE: Final[MappingProxyType[type, StorageName]] = MappingProxyType(
    {type(None): "null", int: "integer", float: "real", str: "text", InvalidText: "text", bytes: "blob"}
)
_HOLDS: Final[MappingProxyType[str, frozenset[type]]] = MappingProxyType(
    {
        "integer": frozenset({int}),
        "bool": frozenset({int, str}),
        "real": frozenset({float, int}),
        "decimal": frozenset({int, float, str}),
        "text": frozenset({str}),
        "datetime": frozenset({str}),
        "date": frozenset({str}),
        "time": frozenset({str}),
        "interval": frozenset({int, str}),
        "blob": frozenset({bytes}),
        "json": frozenset({str, int, float}),
        "uuid": frozenset({str, bytes}),
        "inet": frozenset({str}),
        "none": _ANY,
    }
)
_TAKES: Final = MappingProxyType(
    {
        "datetime": frozenset(form for form in FORMS if form.startswith("date")),
        "date": frozenset({"date"}),
        "time": frozenset({"time"}),
        "interval": frozenset({"since-1970"}),
        "json": frozenset({"json-jsonb", "json-only"}),
        "uuid": frozenset({"uuid"}),
        "bool": frozenset({"bool-word"}),
        "text": frozenset({"label", "unpadded"}),
        "inet": frozenset({"inet"}),
    }
)


class _Batch:
    """Names the rows of a batch. has_rowid: each ends with its rowid; is_named: SQL can ask for it by that."""

    __slots__ = ("_has_rowid", "_is_named", "_key", "_rows")

    def __init__(
        self, rows: Sequence[tuple[object, ...]], key: Sequence[tuple[str, int]], *, has_rowid: bool, is_named: bool
    ) -> None:
        self._rows = rows
        self._key = key
        self._has_rowid = has_rowid
        self._is_named = is_named

    def describe(self, index: int) -> str:
        """The row's key, for people."""
        row = self._rows[index]
        if self._key and all(row[position] is not None for _, position in self._key):
            return ", ".join(f"{name}={describe_key_value(row[position])}" for name, position in self._key)
        return f"rowid={row[-1]}" if self._has_rowid else "the row with NULL in its key"

    def identify(self, index: int) -> int | str | None:
        """The row's name for the machine, exact."""
        row = self._rows[index]
        if not self._has_rowid:
            return name_row_by_key(row[position] for _, position in self._key)
        return row[-1] if self._is_named else None  # type: ignore[return-value]  # rowids are integers


class TableAccumulator:
    """Takes a table's rows batch by batch; made by `start_census`."""

    def __init__(
        self,
        table: Table,
        demanded: Mapping[str, str],
        conversions: Mapping[str, Sequence[str]],
        sink: Sink | None,
        *,
        is_named: bool,
    ) -> None:
        """Start with no rows."""
        self._is_named = is_named
        self._table = table
        self._rows = 0
        self._max_rowid: int | None = None
        self._columns = [
            _ColumnAccumulator(
                column,
                classify_column(
                    table, column, demanded.get(column.name, ""), conversions=conversions.get(column.name, ())
                ),
                sink,
                conversions=conversions.get(column.name, ()),
                forbids_null=column.not_null or (column.pk_position > 0 and column.name != table.rowid_alias),
            )
            for column in table.columns
        ]
        positions = {column.name: index for index, column in enumerate(table.columns)}
        self._key = [(name, positions[name]) for name in table.primary_key]
        self._has_rowid = not table.without_rowid

    def add_batch(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Count a batch: one tuple a row, the values in the table's column order, then the rowid where there is one.

        TEXT is str, or `InvalidText` where it is not UTF-8; BLOB is bytes.
        """
        if not rows:
            return
        self._rows += len(rows)

        batch = _Batch(rows, self._key, has_rowid=self._has_rowid, is_named=self._is_named)
        for accumulator, values in zip(self._columns, zip(*rows, strict=True), strict=False):
            accumulator.add(values, batch)
        if self._has_rowid:
            highest = max(row[-1] for row in rows)  # type: ignore[type-var]  # rowids are integers
            if self._max_rowid is None or highest > self._max_rowid:  # type: ignore[operator]  # the same
                self._max_rowid = highest  # type: ignore[assignment]  # the same

    def finish(self) -> TableCensus:
        """Return what was counted."""
        return TableCensus(
            table=self._table.name,
            rows=self._rows,
            columns=tuple(accumulator.finish() for accumulator in self._columns),
            size_bytes=sum(accumulator.size_bytes for accumulator in self._columns),
            max_rowid=self._max_rowid,
        )


def describe_key_value(value: object) -> str:
    """Write a key's value for a message: 17, 'abc', x'00ff'. Pure."""
    if isinstance(value, bytes):
        return f"x'{value[:32].hex()}'"
    if isinstance(value, str):
        shown = value if len(value) <= 60 else value[:57] + "…"
        return "'" + shown.replace("'", "''") + "'"
    return "NULL" if value is None else repr(value)


def start_census(
    table: Table,
    demanded: Mapping[str, str] = MappingProxyType({}),
    conversions: Mapping[str, Sequence[str]] = MappingProxyType({}),
    sink: Sink | None = None,
    *,
    is_named: bool = True,
) -> TableAccumulator:
    """Begin the census of one table. Pure, but for what the sink does.

    demanded: the PostgreSQL types that cast rules or the target demand, by column name. conversions: what the user
    decided to make of a column's values, as `liteferry.choosing.choose_conversions` gives it. sink: takes every
    offender; the census itself keeps a few. is_named: SQL can ask for the rows by their rowids or keys.
    """
    return TableAccumulator(table, demanded, conversions, sink, is_named=is_named)
