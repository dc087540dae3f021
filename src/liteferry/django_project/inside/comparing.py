"""Values as Python has them: whether two are the same, and how they, and errors, are told.

No value of a row is told unless it was asked for; keys always are.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import ipaddress
import marshal
import math
import re
import uuid
from typing import Any

_LONGEST_SHOWN = 80
_PLAIN = {"boolean", "number", "Decimal", "text", "bytes", "datetime", "date", "time", "timedelta", "UUID"}
_KINDS = (
    ("boolean", bool),
    ("number", (int, float)),
    ("Decimal", decimal.Decimal),
    ("text", str),
    ("bytes", (bytes, bytearray, memoryview)),
    ("datetime", dt.datetime),  # before date, whose subclass it is
    ("date", dt.date),
    ("time", dt.time),
    ("timedelta", dt.timedelta),
    ("UUID", uuid.UUID),
    ("object", dict),
    ("list", (list, tuple)),
)


def find_kind(value: Any) -> str:
    """Name the kind of a value; values of different kinds are never the same."""
    if value is None:
        return "NULL"
    for name, types in _KINDS:
        if isinstance(value, types):
            return name
    return type(value).__name__


def is_same(one: Any, other: Any, field: Any = None) -> bool:
    """Whether the application would take two values for the same.

    NaN is NaN; a moment is one whatever its zone; an address is one however it is written. Numbers of JSON may be
    integers in one database and floating-point numbers in the other. Values of the application's own types are asked
    whether they are equal; where they deny it (a class without ``__eq__``) it counts what is in them, or what their
    field would store.
    """
    kind = find_kind(one)
    if kind != find_kind(other):
        return False
    if kind == "bytes":
        return bytes(one) == bytes(other)
    if kind in {"object", "list"} and _is_identical(one, other):
        return True
    if kind == "object":
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if kind == "list":
        return len(one) == len(other) and all(is_same(*pair) for pair in zip(one, other))
    if kind == "number" and isinstance(one, float) != isinstance(other, float):
        return _make_float(one) == _make_float(other)
    if kind == "datetime" and one.utcoffset() is not None and other.utcoffset() is not None:
        return bool(one.astimezone(dt.timezone.utc) == other.astimezone(dt.timezone.utc))
    is_own = kind == type(one).__name__ and one is not None
    try:
        if bool(one == other):
            return True
    except Exception:  # noqa: BLE001 - an application's own comparison may raise anything
        return is_own and _is_alike(one, other, field)
    if kind in {"number", "Decimal"}:
        return bool(one != one and other != other)  # noqa: PLR0124 - NaN
    if kind == "text" and field is not None and field.get_internal_type() == "GenericIPAddressField":
        return _is_same_address(one, other)
    return is_own and _is_alike(one, other, field)


def _is_identical(one: Any, other: Any) -> bool:
    """Whether two values of JSON are the same to the letter: a quick yes for large ones, and no is no answer."""
    try:
        return marshal.dumps(one, 2) == marshal.dumps(other, 2)  # the version without references
    except ValueError:  # something that is not JSON's, or nested too deeply
        return False


def _make_float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _is_same_address(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False


def _is_alike(one: Any, other: Any, field: Any) -> bool:
    """Whether two objects of the application's are alike, by what is in them or by what is stored of them."""
    if type(one) is not type(other):
        return False
    with contextlib.suppress(TypeError, RecursionError):  # it has no __dict__, or one that leads back to itself
        if vars(one) and is_same(vars(one), vars(other)):
            return True
    if field is None:
        return False
    stored, other_stored = field.get_prep_value(one), field.get_prep_value(other)
    return find_kind(stored) in _PLAIN and is_same(stored, other_stored)


def make_key(value: Any) -> Any:
    """A value in a form that can be looked up by."""
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return tuple(make_key(part) for part in value)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def tell_key(key: Any) -> str:
    """Write a primary key."""
    if isinstance(key, tuple):
        return "(" + ", ".join(map(tell_key, key)) + ")"
    return _shorten(repr(key) if isinstance(key, (str, bytes)) else str(key))


def tell_values(one: Any, other: Any, *, show: bool) -> str:
    """Say how two values differ: their kinds where these do; the values only with show."""
    kinds = find_kind(one), find_kind(other)
    if show:
        return f"{_shorten(repr(one))} in SQLite, {_shorten(repr(other))} in PostgreSQL"
    if kinds[0] != kinds[1]:
        return f"{kinds[0]} in SQLite, {kinds[1]} in PostgreSQL"
    return "another value"


def tell_error(error: BaseException, *, show: bool) -> str:
    """The first line of an error. Without show, what a message quotes of a value is left out."""
    text = str(error).strip().splitlines()
    message = text[0] if text else ""
    if not show:
        code = find_code(error)
        if not code:
            message = re.sub(r"“[^”]*”|'[^']*'|\"[^\"]*\"|b'[^']*'", "…", message)
        elif code.startswith("22"):  # a data exception: its message may end in the value
            message = re.sub(r": \".*", "", message, flags=re.DOTALL)
    return f"{type(error).__name__}: {_shorten(message, 300)}" if message else type(error).__name__


def find_code(error: BaseException) -> str:
    """The SQLSTATE of a database's error, "" when it is none."""
    cause = error.__cause__
    return str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")


def find_constraint(error: BaseException) -> str:
    """The constraint that an error of PostgreSQL names."""
    return str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or "")


def _shorten(text: str, longest: int = _LONGEST_SHOWN) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
