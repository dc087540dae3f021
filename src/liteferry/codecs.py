"""From SQLite's values to the bytes of PostgreSQL's binary COPY format, one encoder a type family.

Layer 1, pure. This is the reference: whatever encodes faster must give the same bytes. The proof does not use this
module, so that an error here is found there.

A field is a 32-bit big-endian length and that many bytes; NULL is the length -1. A row is a 16-bit field count and
its fields. Source: PostgreSQL docs, COPY, "Binary Format"; the fields' own formats are those of the types' ``recv``
functions.

One file although it is long: it is the one table of what each kind's bytes are, held against the compiled encoder.

Speed: rows are turned into columns and each column is encoded by one comprehension, then woven into rows again.
Measured on the wide table (11 columns of 10 types), this is 1.5 times as fast as encoding row by row.
"""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_interface
from itertools import chain, repeat
from struct import Struct
from struct import error as StructError  # noqa: N812 - an exception class by another name
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.census import InvalidText, count_digits, text_form_json
from liteferry.conversions import (
    DAY_US,
    EPOCH_WAYS,
    LAST_KEY,
    REPAIRS,
    Moment,
    find_fold,
    find_quantiser,
    find_zone,
    make_moment_converter,
    make_quantiser,
    make_repair,
    make_zone_resolver,
    split_null,
)
from liteferry.model import KEPT_WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from liteferry.model import ColumnMap, Kind

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
NULL: Final = b"\xff\xff\xff\xff"

_LENGTH: Final = Struct(">i").pack
_COUNT: Final = Struct(">h").pack
_INT2: Final = Struct(">ih").pack
_INT4: Final = Struct(">ii").pack
_INT8: Final = Struct(">iq").pack
_FLOAT4: Final = Struct(">if").pack
_FLOAT8: Final = Struct(">id").pack
_INTERVAL: Final = Struct(">iqii").pack
_TRUE: Final = b"\0\0\0\1\1"
_FALSE: Final = b"\0\0\0\1\0"
_EPOCH_DAYS: Final = date(2000, 1, 1).toordinal()
_UNIX_US: Final = 946_684_800_000_000
"""2000-01-01 00:00 UTC in µs since 1970-01-01."""
_FIELD_LIMIT_BYTES: Final = 1_073_741_823  # Source: PostgreSQL docs, "Limits": field size

_TIMESTAMP: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:[.](\d+))?)?\s?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?)?", re.ASCII
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK: Final = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:[.](\d+))?)?", re.ASCII)
_DECIMAL: Final = re.compile(r"([+-]?)(\d*)(?:[.](\d*))?(?:[eE]([+-]?\d{1,4}))?", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_BOOL_WORDS: Final = MappingProxyType(
    {"true": _TRUE, "t": _TRUE, "1": _TRUE, "false": _FALSE, "f": _FALSE, "0": _FALSE}
)


class Misfit(ValueError):  # noqa: N818 - the field's word
    """A value that the type cannot hold exactly. The reason shows no value."""


class RowMisfit(Misfit):
    """A misfit with its place: the index of the row in the batch, its values, and the column's source name."""

    def __init__(self, row: int, column: str, reason: str, values: tuple[object, ...]) -> None:
        """Hold the place and the reason."""
        super().__init__(reason)
        self.row = row
        self.column = column
        self.reason = reason
        self.values = values


def _encode_integer(pack: Callable[[int, int], bytes], size: int) -> Callable[[object], bytes]:
    def encode(value: object) -> bytes:
        if value is None:
            return NULL
        if type(value) is not int:
            raise Misfit(f"not an integer but {type(value).__name__}")
        try:
            return pack(size, value)
        except StructError:
            raise Misfit(f"does not fit in {size} bytes") from None

    return encode


def encode_float8(value: object) -> bytes:
    """Encode a double, bit for bit. Pure. Raises: Misfit for a text, or an integer that no double equals."""
    if value is None:
        return NULL
    if type(value) is int:
        if int(float(value)) != value:
            raise Misfit("an integer that no double precision number equals")
        return _FLOAT8(8, value)
    if type(value) is not float:
        raise Misfit(f"not a number but {type(value).__name__}")
    return _FLOAT8(8, value)


def encode_numeric(value: object) -> bytes:
    """Encode a number as numeric, by the shortest text that reads back as the same number. Pure.

    The format: digit count, weight of the first digit, sign, digits after the decimal point, then base-10000 digits.
    Raises: Misfit for infinities, blobs, and texts that are no decimal number.
    """
    if value is None:
        return NULL
    if type(value) is int or type(value) is float:
        text = repr(value)
    elif type(value) is str:
        text = value
    else:
        raise Misfit(f"not a number but {type(value).__name__}")
    match = _DECIMAL.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        raise Misfit("not a finite decimal number")
    whole, fraction, exponent = match[2], match[3] or "", int(match[4] or 0)
    if exponent:
        digits, point = whole + fraction, len(whole) + exponent
        if point <= 0:
            whole, fraction = "", "0" * -point + digits
        elif point >= len(digits):
            whole, fraction = digits + "0" * (point - len(digits)), ""
        else:
            whole, fraction = digits[:point], digits[point:]
    if type(value) is float:
        fraction = fraction.rstrip("0")  # repr writes 1.0 for what has no fraction
    whole = whole.lstrip("0")
    scale = len(fraction)
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-scale // 4) * 4, "0")
    weight = len(whole) // 4 - 1
    groups = [int(text[i : i + 4]) for text in (whole, fraction) for i in range(0, len(text), 4)]
    start = 0
    while start < len(groups) and groups[start] == 0:
        start += 1
        weight -= 1
    end = len(groups)
    while end > start and groups[end - 1] == 0:
        end -= 1
    groups = groups[start:end]
    if not groups:
        weight = 0
    if not (-32_768 <= weight <= 32_767 and scale <= 16_383):
        raise Misfit("more digits than numeric holds")
    sign = 0x4000 if match[1] == "-" and groups else 0
    count = len(groups)
    return Struct(f">ihhHH{count}h").pack(8 + 2 * count, count, weight, sign, scale, *groups)


def encode_bool(value: object) -> bytes:
    """Encode 0, 1 or a word for them. Pure. Raises: Misfit for anything else."""
    if value is None:
        return NULL
    if type(value) is int and 0 <= value <= 1:
        return _TRUE if value else _FALSE
    if type(value) is str:
        found = _BOOL_WORDS.get(value.lower())
        if found is not None:
            return found
    raise Misfit("neither true nor false")


def encode_text(value: object) -> bytes:
    """Encode a text as UTF-8; a number as the shortest text that reads back as the same number. Pure.

    Raises: Misfit for NUL, blobs, texts that are not Unicode, and more than 1 GiB.
    """
    if value is None:
        return NULL
    if type(value) is str:
        try:
            encoded = value.encode()
        except UnicodeEncodeError:
            raise Misfit("not valid Unicode") from None
        if b"\0" in encoded:
            raise Misfit("contains the NUL character")
    elif type(value) is int or type(value) is float:
        encoded = repr(value).encode()
    else:
        raise Misfit("a blob, or text that is not UTF-8")
    return _sized(encoded)


def _sized(encoded: bytes) -> bytes:
    if len(encoded) > _FIELD_LIMIT_BYTES:
        raise Misfit("larger than the 1 GiB that a PostgreSQL field holds")
    return _LENGTH(len(encoded)) + encoded


def encode_bytea(value: object) -> bytes:
    """Encode a blob's bytes, a text's UTF-8 bytes, or a number's text. Pure. Raises: Misfit over 1 GiB."""
    if value is None:
        return NULL
    if isinstance(value, bytes):
        return _sized(value)
    if type(value) is str:
        return _sized(value.encode())
    return _sized(repr(value).encode())


def _fraction_us(digits: str | None) -> int:
    if not digits:
        return 0
    if len(digits) > 6 and digits[6:].strip("0"):
        raise Misfit("finer than a microsecond")
    return int(digits[:6].ljust(6, "0"))


def _clock_us(hour: str, minute: str, second: str | None, fraction: str | None) -> int:
    h, m, s = int(hour), int(minute), int(second or 0)
    if h > 23 or m > 59 or s > 59:
        raise Misfit("not a time of day")
    return ((h * 60 + m) * 60 + s) * 1_000_000 + _fraction_us(fraction)


def _days(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH_DAYS
    except ValueError:
        raise Misfit("not a date of the calendar") from None


def _encode_timestamp(*, zoned: bool, zone: str = "", which: str = "") -> Callable[[object], bytes]:
    """Make the encoder of timestamp or timestamptz: microseconds since 2000-01-01.

    zone: whose local times those without an offset are; "" UTC. which: of two moments that a local time may be.
    """
    resolve = make_zone_resolver(zone, which) if zone else None

    def encode(value: object) -> bytes:
        if value is None:
            return NULL
        match = _TIMESTAMP.fullmatch(value) if type(value) is str else None
        if type(value) is Moment:
            return _INT8(8, value - _UNIX_US)
        if match is None:
            raise Misfit("not an ISO 8601 date and time")
        day, hour, minute, second, fraction, utc, sign, off_hours, off_minutes = match.groups()
        moment = _days(day) * DAY_US
        if hour is not None:
            moment += _clock_us(hour, minute, second, fraction)
        if utc or sign:
            if not zoned:
                raise Misfit("carries an offset, which timestamp cannot hold")
            if sign:
                if int(off_hours) > 15 or int(off_minutes or 0) > 59:
                    raise Misfit("not an offset from UTC")
                offset = (int(off_hours) * 60 + int(off_minutes or 0)) * 60_000_000
                moment += -offset if sign == "+" else offset
        elif resolve is not None:
            moment = resolve(moment + _UNIX_US) - _UNIX_US
        return _INT8(8, moment)

    return encode


def encode_date(value: object) -> bytes:
    """Encode YYYY-MM-DD, or a moment at midnight, as days since 2000-01-01. Pure. Raises: Misfit for anything else."""
    if value is None:
        return NULL
    if type(value) is Moment and value % DAY_US == 0:
        return _INT4(4, (value - _UNIX_US) // DAY_US)
    if type(value) is not str or _DATE.fullmatch(value) is None:
        raise Misfit("not a date YYYY-MM-DD")
    return _INT4(4, _days(value))


def encode_time(value: object) -> bytes:
    """Encode HH:MM[:SS[.ffffff]] as microseconds since midnight. Pure. Raises: Misfit for anything else."""
    if value is None:
        return NULL
    match = _CLOCK.fullmatch(value) if type(value) is str else None
    if match is None:
        raise Misfit("not a time HH:MM:SS")
    return _INT8(8, _clock_us(*match.groups()))


_encode_naive: Final = _encode_timestamp(zoned=False)
_1970_US: Final = (date(1970, 1, 1).toordinal() - _EPOCH_DAYS) * DAY_US


def encode_interval(value: object) -> bytes:
    """Encode microseconds, or a time counted from 1970-01-01, as an interval of days and the rest. Pure.

    Whole days and a rest of less than a day that is not negative: so psycopg writes Python's timedelta, and the rows
    that come later are no different. Raises: Misfit for anything else. Source: psycopg, types/datetime.py;
    SQLAlchemy, Interval: without a type of its own, a date and time.
    """
    if value is None:
        return NULL
    if type(value) is str and value.startswith(("1970-", "1969-")):
        value = int.from_bytes(_encode_naive(value)[4:], signed=True) - _1970_US
    if type(value) is not int:
        raise Misfit("neither an integer of microseconds nor a time counted from 1970-01-01")
    days, rest = divmod(value, DAY_US)
    return _INTERVAL(16, rest, days, 0)


def _json_bytes(value: object) -> bytes:
    if type(value) is str:
        return value.encode()
    if type(value) is int or (type(value) is float and value not in {float("inf"), float("-inf")}):
        return repr(value).encode()
    raise Misfit("not JSON")


def encode_json(value: object) -> bytes:
    """Encode JSON text as it is; a number that SQLite made of it as its text. Pure. Raises: Misfit for a blob."""
    return NULL if value is None else _sized(_json_bytes(value))


def encode_jsonb(value: object) -> bytes:
    """Encode JSON text for jsonb: a version byte, then the text. Pure. Raises: Misfit for a blob."""
    return NULL if value is None else _sized(b"\1" + _json_bytes(value))


def encode_uuid(value: object) -> bytes:
    """Encode 32 hexadecimal digits, with or without hyphens, or 16 bytes. Pure. Raises: Misfit."""
    if value is None:
        return NULL
    if type(value) is bytes and len(value) == 16:
        return _sized(value)
    if type(value) is str and _UUID.fullmatch(value):
        return _sized(bytes.fromhex(value.replace("-", "")))
    raise Misfit("not a UUID")


def encode_float4(value: object) -> bytes:
    """Encode a number that is exactly one of single precision. Pure. Raises: Misfit for any other."""
    if value is None:
        return NULL
    if type(value) is not int and type(value) is not float:
        raise Misfit("not a number")
    try:
        field = _FLOAT4(4, value)
    except OverflowError:
        raise Misfit("beyond single precision") from None
    if Struct(">f").unpack(field[4:])[0] != value:
        raise Misfit("not exactly a number of single precision")
    return field


_AF_INET: Final = MappingProxyType({4: 2, 6: 3})  # Source: PostgreSQL, inet.h: PGSQL_AF_INET, PGSQL_AF_INET6


def encode_inet(value: object) -> bytes:
    """Encode an address: family, bits of its network, a flag that the server ignores, length, bytes. Pure.

    Raises: Misfit for anything else. Source: PostgreSQL, network.c, network_recv(); of cidr, it checks the bits itself.
    """
    if value is None:
        return NULL
    if type(value) is not str or "%" in value:
        raise Misfit("not an IP address")
    try:
        found = ip_interface(value)
    except ValueError:
        raise Misfit("not an IP address") from None
    packed = found.packed
    return _sized(bytes((_AF_INET[found.version], found.network.prefixlen, 0, len(packed))) + packed)


ENCODERS: Final[MappingProxyType[Kind, Callable[[object], bytes]]] = MappingProxyType(
    {
        "int2": _encode_integer(_INT2, 2),
        "int4": _encode_integer(_INT4, 4),
        "int8": _encode_integer(_INT8, 8),
        "float4": encode_float4,
        "float8": encode_float8,
        "numeric": encode_numeric,
        "bool": encode_bool,
        "text": encode_text,
        "bytea": encode_bytea,
        "timestamp": _encode_timestamp(zoned=False),
        "timestamptz": _encode_timestamp(zoned=True),
        "date": encode_date,
        "time": encode_time,
        "interval": encode_interval,
        "json": encode_json,
        "jsonb": encode_jsonb,
        "uuid": encode_uuid,
        "inet": encode_inet,
    }
)
"""One encoder a kind: a SQLite value (None, int, float, str, bytes) to a COPY field with its length."""


def _encode_int8_column(values: Sequence[object]) -> list[bytes]:
    # all integers, the common case: one C call a value, no Python frame
    if set(map(type, values)) == {int}:
        return list(map(_INT8, repeat(8), values))
    encode = ENCODERS["int8"]
    return [encode(value) for value in values]


def _encode_text_column(values: Sequence[object]) -> list[bytes]:
    # all texts or NULL: the encoder's type checks once a batch instead of once a value
    if set(map(type, values)) <= {str, type(None)}:
        encoded = [None if value is None else value.encode() for value in values]  # type: ignore[attr-defined]  # str
        joined_ok = not any(field is not None and b"\0" in field for field in encoded)
        if joined_ok and max((len(field) for field in encoded if field is not None), default=0) <= _FIELD_LIMIT_BYTES:
            return [NULL if field is None else _LENGTH(len(field)) + field for field in encoded]
    return [encode_text(value) for value in values]


def encode_literal(value: object) -> bytes:
    """Encode a storage value as text: the SQL literal that SQLite reads as exactly this value. Pure.

    A text that no literal can hold (NUL in it, not valid in the database's encoding) is a cast of its bytes. Raises:
    Misfit over 1 GiB. Source: https://sqlite.org/lang_expr.html, "Literal Values (Constants)".
    """
    match value:
        case None:
            text = "NULL"
        case str():
            text = f"CAST(X'{value.encode().hex()}' AS TEXT)" if "\0" in value else "'" + value.replace("'", "''") + "'"
        case bytes() if type(value) is not bytes:  # the census's mark for a text that is none
            text = f"CAST(X'{value.hex()}' AS TEXT)"
        case bytes():
            text = f"X'{value.hex()}'"
        case float() if value in {float("inf"), float("-inf")}:
            text = "9e999" if value > 0 else "-9e999"
        case _:
            text = repr(value)
    return _sized(text.encode())


def make_encoder(column: ColumnMap) -> Callable[[object], bytes]:
    """Make the encoder of one column's values, with its conversions. It raises Misfit. Pure."""
    conversions = column.conversions
    if KEPT_WHOLE in conversions:
        return encode_literal
    encode = ENCODERS[column.kind]
    if not conversions:
        return encode
    if zone := find_zone(conversions):
        encode = _encode_timestamp(zoned=True, zone=zone, which=find_fold(conversions))
    if quantiser := find_quantiser(conversions):
        encode = _encode_quantised(quantiser)
    if epoch := next((way for way in conversions if way in EPOCH_WAYS), ""):
        encode = _encode_moments(encode, epoch, whole_days=column.kind == "date")
    if repairs := [way for way in conversions if way in REPAIRS]:
        encode = _encode_repaired(encode, repairs)
    is_null, classes = split_null(conversions)
    return _encode_or_null(encode, column, classes) if is_null else encode


def _encode_moments(encode: Callable[[object], bytes], way: str, *, whole_days: bool) -> Callable[[object], bytes]:
    convert = make_moment_converter(way, whole_days=whole_days)
    return lambda value: encode(convert(value) if type(value) is int or type(value) is float else value)


def _encode_quantised(conversion: str) -> Callable[[object], bytes]:
    quantise = make_quantiser(conversion)

    def encode_quantised(value: object) -> bytes:
        if type(value) is int or type(value) is float:
            return encode_numeric(f"{quantise(value):f}")
        return encode_numeric(value)

    return encode_quantised


def _encode_repaired(encode: Callable[[object], bytes], ways: Sequence[str]) -> Callable[[object], bytes]:
    repair = make_repair(ways)

    def encode_repaired(value: object) -> bytes:
        if type(value) is str or isinstance(value, InvalidText):
            text = repair(value)
            if text is None:
                raise Misfit("not valid UTF-8")
            return encode(text)
        return encode(value)

    return encode_repaired


_STORAGE: Final[MappingProxyType[type, str]] = MappingProxyType(
    {int: "integer", float: "real", str: "text", InvalidText: "text", bytes: "blob"}
)


def _encode_or_null(
    encode: Callable[[object], bytes], column: ColumnMap, classes: frozenset[str]
) -> Callable[[object], bytes]:
    """Make an encoder that gives NULL for what does not fit the column's type, its limits included."""
    fits = _limit_check(column)

    def encode_or_null(value: object) -> bytes:
        if value is None or _STORAGE[type(value)] in classes:
            return NULL
        try:
            field = encode(value)
        except (ValueError, OverflowError):
            return NULL
        return field if fits(value, field) else NULL

    return encode_or_null


def _limit_check(column: ColumnMap) -> Callable[[object, bytes], bool]:
    """Make the check of what an encoder leaves to the server: whether a value, and its field, keep the limits."""
    name, _, limits = column.pg_type.partition("(")
    numbers = [int(part) for part in limits.partition(")")[0].split(",") if part]
    if column.kind == "text" and numbers:
        most, keeps_blanks = numbers[0], name != "character"
        return lambda _, field: (
            (len(field) - 4 <= most or len(field[4:].decode()) <= most) and (keeps_blanks or field[-1:] != b" ")
        )
    if column.kind in {"timestamp", "timestamptz", "time"} and numbers:  # microseconds, whatever they begin with
        unit = 10 ** (6 - numbers[0])
        return lambda _, field: int.from_bytes(field[4:], "big", signed=True) % unit == 0
    if column.kind == "numeric":
        precision, scale = numbers if name == "numeric" and len(numbers) == 2 else (None, 0)
        is_quantised = bool(find_quantiser(column.conversions))

        def has_room(value: object, _: bytes) -> bool:
            if is_quantised and type(value) is not str:
                return True  # it would not have been encoded
            digits = count_digits(value)  # type: ignore[arg-type]  # an int, float or str: the encoder took it
            if digits is None or precision is None:
                return digits is not None
            return digits[1] <= scale and digits[0] <= precision - scale

        return has_room
    if column.kind in {"json", "jsonb"}:
        taken = {"json-jsonb"} if column.kind == "jsonb" else {"json-jsonb", "json-only"}
        takes_last = LAST_KEY in column.conversions
        return lambda value, _: type(value) is not str or text_form_json(value, takes_last=takes_last) in taken
    return lambda _value, _field: True


def _column_encoder(column: ColumnMap) -> Callable[[Sequence[object]], list[bytes]]:
    encode = make_encoder(column)
    if encode is ENCODERS["int8"]:
        return _encode_int8_column
    if encode is ENCODERS["text"]:
        return _encode_text_column
    return lambda values: [encode(value) for value in values]


class RowEncoder:
    """Encodes batches of rows for one table. The columns are those that are copied, in the rows' order."""

    def __init__(self, columns: Sequence[ColumnMap]) -> None:
        """Choose the encoders."""
        self._columns = tuple(columns)
        self._encoders = [_column_encoder(column) for column in columns]
        self._count = _COUNT(len(self._columns))

    def encode(self, rows: Sequence[tuple[object, ...]]) -> bytes:
        """Encode rows (tuples, one item a column) to COPY bytes, without header and trailer. Pure.

        Raises: RowMisfit, naming the first misfit's row and column.
        """
        if not rows:
            return b""
        try:
            fields = [encode(values) for encode, values in zip(self._encoders, zip(*rows, strict=True), strict=True)]
        except (ValueError, OverflowError):
            self._find_misfit(rows)
            raise
        return b"".join(chain.from_iterable(zip([self._count] * len(rows), *fields, strict=True)))

    def _find_misfit(self, rows: Sequence[tuple[object, ...]]) -> None:
        encoders = [make_encoder(column) for column in self._columns]
        for index, row in enumerate(rows):
            for column, encode, value in zip(self._columns, encoders, row, strict=True):
                try:
                    encode(value)
                except (ValueError, OverflowError) as error:
                    raise RowMisfit(index, column.source, str(error), row) from error
