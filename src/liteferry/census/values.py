"""The values that the census reads, and how it speaks of them.

Layer 1, pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.compare.storage import RawText, Text

if TYPE_CHECKING:
    from liteferry.compare.storage import StorageValue


class InvalidText(bytes):
    """The bytes of a TEXT value that is not valid UTF-8."""

    __slots__ = ()


def to_storage(value: object) -> StorageValue:
    """A value as the census reads it, as a storage value. Pure."""
    if isinstance(value, str):
        return Text(value.encode())
    if isinstance(value, InvalidText):
        return RawText(value)
    return value  # type: ignore[return-value]  # nothing else is read from SQLite


_CHUNK_CHARS: Final = 1 << 20


def count_bytes(text: str) -> int:
    """The bytes of a text in UTF-8. Pure. Of a large one piece by piece: it may have a gigabyte."""
    if text.isascii():
        return len(text)
    if len(text) <= _CHUNK_CHARS:
        return len(text.encode())
    return sum(len(text[at : at + _CHUNK_CHARS].encode()) for at in range(0, len(text), _CHUNK_CHARS))


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


def describe_key_value(value: object) -> str:
    """Write a key's value for a message: 17, 'abc', x'00ff'. Pure."""
    if isinstance(value, bytes):
        return f"x'{value[:32].hex()}'"
    if isinstance(value, str):
        shown = value if len(value) <= 60 else value[:57] + "…"
        return "'" + shown.replace("'", "''") + "'"
    return "NULL" if value is None else repr(value)
