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


StorageValue: TypeAlias = int | float | Text | bytes | None
"""What SQLite stores: INTEGER, REAL, TEXT, BLOB, NULL."""
