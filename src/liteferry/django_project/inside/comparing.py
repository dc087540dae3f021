"""Values as Python has them: whether two are the same, and how they, and errors, are told.

No value of a row is told unless it was asked for; keys always are.
"""

from __future__ import annotations

import datetime as dt
import decimal
import ipaddress
import re
import uuid
from typing import Any

_LONGEST_SHOWN = 80
_ADDRESSES = frozenset({"GenericIPAddressField", "IPAddressField"})
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

    NaN is NaN; a datetime is an instant; an IP address is what it says, in whatever spelling. Values of the
    application's own types are asked whether they are equal, and where they deny it (a class without ``__eq__``) it
    counts what their field would store.
    """
    kind = find_kind(one)
    if kind != find_kind(other):
        return False
    if kind == "bytes":
        return bytes(one) == bytes(other)
    if kind == "object":
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if kind == "list":
        return len(one) == len(other) and all(is_same(*pair) for pair in zip(one, other))
    try:
        if bool(one == other):
            return True
    except Exception:  # noqa: BLE001 - an application's own comparison may raise anything; what is stored decides then
        return _is_stored_same(one, other, field)
    if kind == "text" and field is not None and field.get_internal_type() in _ADDRESSES:
        return _is_same_address(one, other)
    if kind in {"number", "Decimal"}:
        return bool(one != one and other != other)  # noqa: PLR0124 - NaN
    return kind == type(one).__name__ and _is_stored_same(one, other, field)


def _is_same_address(one: str, other: str) -> bool:
    """Whether two texts are one address: PostgreSQL's inet does not keep how it was written."""
    try:
        return ipaddress.ip_interface(one) == ipaddress.ip_interface(other)
    except ValueError:
        return False


def _is_stored_same(one: Any, other: Any, field: Any) -> bool:
    if field is None or type(one) is not type(other):
        return False
    stored, other_stored = field.get_prep_value(one), field.get_prep_value(other)
    is_plain = find_kind(stored) != type(stored).__name__ or isinstance(stored, decimal.Decimal)
    return is_plain and is_same(stored, other_stored)


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
