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
from typing import TYPE_CHECKING, Final

from liteferry.model import Column, ColumnCensus, Form, Offence, Sample, Table, TableCensus
from liteferry.typemap import DeclaredType, classify_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

SAMPLES: Final = 5
"""How many places an offence keeps. The count is always exact."""

OFFENCES = MappingProxyType(
    {
        "class": "a storage class that the declared type does not hold (text in an INTEGER column)",
        "form": "a text that does not read as the declared type (a date that is none, JSON that is not)",
        "json-only": "JSON with duplicate keys, \\u0000 or lone surrogates, which jsonb would change or refuse",
        "zone": "a timestamp with an offset, in a column where others have none",
        "too-long": "a text longer than the declared length",
        "excess": "a decimal with more digits than declared",
        "range": "a number that the type which a cast rule or the target demands does not hold exactly",
        "nonfinite": "an infinity in a column that is not REAL",
        "nul": "a text with the NUL character",
        "invalid-utf8": "a text that is not valid UTF-8",
        "null": "NULL where the table says NOT NULL, or in a primary key",
    }
)

FORMS = MappingProxyType(
    {
        "date": "YYYY-MM-DD",
        "datetime": "YYYY-MM-DD HH:MM:SS",
        **{f"datetime-f{digits}": f"YYYY-MM-DD HH:MM:SS.{'f' * digits}" for digits in range(1, 10)},
        "datetime-t": "YYYY-MM-DDTHH:MM:SS, with or without a fraction",
        "datetime-short": "YYYY-MM-DD HH:MM, with a space or T",
        "datetime-tz": "any of these with Z or an offset",
        "time": "HH:MM[:SS[.ffffff]]",
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


_DATETIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:([ T])(?:[01]\d|2[0-3]):[0-5]\d(:[0-5]\d(?:[.](\d{1,9}))?)?\s?(Z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.](\d+))?)?", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(\d+)(?:[.](\d*))?(?:[eE]([+-]?\d{1,4}))?", re.ASCII)
_BOOL_WORDS: Final = frozenset({"true", "false", "t", "f", "0", "1"})
_EXPONENT: Final = re.compile(r"[eE](?<=\d[eE])")
MICROSECOND_DIGITS: Final = 6
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
    """Counts one column. ``add`` takes a batch's values and a function that names the row of an index."""

    def __init__(self, column: Column, declared: DeclaredType, *, forbids_null: bool) -> None:
        self.column = column
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
        family = declared.family
        self.holds: frozenset[type] = _HOLDS[family]
        self.look: Callable[[str], str] | None = {
            "datetime": self._look_datetime,
            "date": self._look_datetime,
            "time": self._look_time,
            "json": _JsonReader().classify,
            "uuid": _look_uuid,
            "bool": _look_bool,
            "inet": _look_inet if declared.pg_type == "inet" else _look_cidr,
            "text": self._look_label if declared.labels else _look_padding if declared.pads else None,
        }.get(family)

    def add(self, values: Sequence[object], name_row: Callable[[int], str]) -> None:
        counted = Counter(map(type, values))
        self.classes.update(counted)
        family = self.declared.family
        for found in counted:
            if found is not type(None) and found not in self.holds and found is not InvalidText:
                self._offend("class", self._where(values, found), values, name_row)
        if type(None) in counted and self.forbids_null:
            self._offend("null", self._where(values, type(None)), values, name_row)
        if int in counted:
            integers: Sequence[int] = [v for v in values if type(v) is int]
            low, high = min(integers), max(integers)
            self.min_integer = low if self.min_integer is None else min(low, self.min_integer)
            self.max_integer = high if self.max_integer is None else max(high, self.max_integer)
            self.size_bytes += 8 * len(integers)
            if family == "bool" and not (low >= 0 and high <= 1):
                self._offend(
                    "form", [i for i, v in enumerate(values) if type(v) is int and v not in {0, 1}], values, name_row
                )
            if family == "decimal":
                self._look_decimals(values, int, name_row)
            bound = 1 << (self.declared.integer_bits - 1)
            if self.declared.pg_type == "real":
                inexact = [i for i, v in enumerate(values) if type(v) is int and not _fits_float4(v)]
                self._offend("range", inexact, values, name_row)
            if family == "integer" and not (low >= -bound and high < bound):
                beyond = [i for i, v in enumerate(values) if type(v) is int and not -bound <= v < bound]
                self._offend("range", beyond, values, name_row)
        if float in counted:
            self._add_reals(values, name_row)
        if str in counted:
            self._add_texts(values, whole=len(counted) == 1, name_row=name_row)
        if bytes in counted:
            lengths = [len(v) for v in values if type(v) is bytes]
            self.longest_bytes = max(self.longest_bytes, *lengths)
            self.size_bytes += sum(lengths)
            if family == "uuid":
                wrong = [i for i, v in enumerate(values) if type(v) is bytes and len(v) != 16]
                self._offend("form", wrong, values, name_row)
        if InvalidText in counted:
            bad = [v for v in values if type(v) is InvalidText]
            self.longest_bytes = max(self.longest_bytes, *map(len, bad))
            self.size_bytes += sum(map(len, bad))
            self._offend("invalid-utf8", self._where(values, InvalidText), values, name_row)

    def _add_reals(self, values: Sequence[object], name_row: Callable[[int], str]) -> None:
        reals = [v for v in values if type(v) is float]
        self.size_bytes += 8 * len(reals)
        family = self.declared.family
        if family != "real":
            infinite = [i for i, v in enumerate(values) if type(v) is float and v in {float("inf"), float("-inf")}]
            self._offend("nonfinite", infinite, values, name_row)
        if family == "decimal":
            self._look_decimals(values, float, name_row)
        if self.declared.pg_type == "real":
            inexact = [i for i, v in enumerate(values) if type(v) is float and not _fits_float4(v)]
            self._offend("range", inexact, values, name_row)

    def _add_texts(self, values: Sequence[object], *, whole: bool, name_row: Callable[[int], str]) -> None:
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
            self._offend("nul", [i for i, v in enumerate(values) if type(v) is str and "\0" in v], values, name_row)
        limit = self.declared.length
        if self.declared.family == "text" and limit is not None and longest > limit:
            long = [i for i, v in enumerate(values) if type(v) is str and len(v) > limit]
            self._offend("too-long", long, values, name_row)
        if self.declared.family == "decimal":
            self._look_decimals(values, str, name_row)
        if self.look is not None:
            forms = [self.look(v) if type(v) is str else "" for v in values]
            counted = Counter(forms)
            del counted[""]
            self.forms.update(counted)
            wrong = set(counted) - _TAKES[self.declared.family]
            if wrong:
                self._offend("form", [i for i, form in enumerate(forms) if form in wrong], values, name_row)
            for form, offence in (("json-only", "json-only"), ("datetime-tz", "zone")):
                if form in counted:
                    self._offend(offence, [i for i, found in enumerate(forms) if found == form], values, name_row)

    def _look_decimals(self, values: Sequence[object], found: type, name_row: Callable[[int], str]) -> None:
        precision, scale = self.declared.precision, self.declared.scale or 0
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
        self._offend("excess", excess, values, name_row)
        self._offend("form", wrong, values, name_row)

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

    def _look_label(self, text: str) -> str:
        return "label" if text in self.declared.labels else "other"

    @staticmethod
    def _where(values: Sequence[object], found: type) -> list[int]:
        return [index for index, value in enumerate(values) if type(value) is found]

    def _offend(
        self, offence: str, indexes: Iterable[int], values: Sequence[object], name_row: Callable[[int], str]
    ) -> None:
        for index in indexes:
            self.counts[offence] += 1
            kept = self.samples.setdefault(offence, [])
            if len(kept) < SAMPLES:
                kept.append(Sample(key=name_row(index), why=describe_class(values[index])))

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
        )


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
        "interval": frozenset({int}),
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
        "json": frozenset({"json-jsonb", "json-only"}),
        "uuid": frozenset({"uuid"}),
        "bool": frozenset({"bool-word"}),
        "text": frozenset({"label", "unpadded"}),
        "inet": frozenset({"inet"}),
    }
)


class TableAccumulator:
    """Takes a table's rows batch by batch; made by `start_census`."""

    def __init__(self, table: Table, demanded: Mapping[str, str]) -> None:
        """Start with no rows."""
        self._table = table
        self._rows = 0
        self._max_rowid: int | None = None
        self._columns = [
            _ColumnAccumulator(
                column,
                classify_column(table, column, demanded.get(column.name, "")),
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

        def name_row(index: int) -> str:
            row = rows[index]
            if self._key and all(row[position] is not None for _, position in self._key):
                return ", ".join(f"{name}={describe_key_value(row[position])}" for name, position in self._key)
            return f"rowid={row[-1]}" if self._has_rowid else "the row with NULL in its key"

        for accumulator, values in zip(self._columns, zip(*rows, strict=True), strict=False):
            accumulator.add(values, name_row)
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


def start_census(table: Table, demanded: Mapping[str, str] = MappingProxyType({})) -> TableAccumulator:
    """Begin the census of one table. Pure.

    demanded: the PostgreSQL types that cast rules or the target demand, by column name.
    """
    return TableAccumulator(table, demanded)
