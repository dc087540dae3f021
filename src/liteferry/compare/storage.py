"""What SQLite stores, as the proof reads it.

Layer 1, pure.
"""

from __future__ import annotations

from typing import TypeAlias


class Text(bytes):
    """The bytes of a SQLite TEXT value; a plain ``bytes`` is a BLOB."""

    __slots__ = ()


class RawText(Text):
    """A TEXT value that is not valid in the database's encoding, or holds NUL there: its bytes as they are stored."""

    __slots__ = ()


class Unclear(bytes):
    """A value that a conversion makes nothing of, as text: no type has a form for it.

    A local time that a time zone never had, or had twice; a number that has too many digits.
    """

    __slots__ = ()


class Moment(int):
    """Microseconds since 1970-01-01 00:00 UTC, which the user's way out has made of a number or of a local time."""

    __slots__ = ()


class Digits(bytes):
    """A decimal number in plain notation, which the user's way out has made of a number."""

    __slots__ = ()


StorageValue: TypeAlias = int | float | Text | bytes | None
"""What SQLite stores: INTEGER, REAL, TEXT, BLOB, NULL."""


def storage_class(value: StorageValue) -> str:
    """SQLite's name for what the value is stored as: null, integer, real, text, blob. Pure."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "real"
    return "text" if isinstance(value, Text) else "blob"
