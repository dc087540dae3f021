"""Storage values as SQLite literals: how a row in quarantine keeps them.

Layer 1, pure. The load has a writer of its own (`liteferry.codecs`), so that an error in either is found.

Source: https://sqlite.org/lang_expr.html, "Literal Values (Constants)".
"""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Final

from liteferry.compare.storage import RawText, Text

if TYPE_CHECKING:
    from liteferry.compare.storage import StorageValue

LARGEST_EXPONENT: Final = b"9e999"
"""What SQLite reads as infinity: it has no word for it."""


def spell_literal(value: StorageValue) -> bytes:
    """Write a storage value as the SQL literal that SQLite reads as exactly this value, in UTF-8. Pure.

    A text with NUL, or that is not valid in the database's encoding, becomes ``CAST(X'…' AS TEXT)``: no literal can
    hold it.
    """
    if value is None:
        return b"NULL"
    if isinstance(value, Text):
        if isinstance(value, RawText) or not _fits_literal(value):
            return b"CAST(X'%s' AS TEXT)" % value.hex().encode()
        return b"'%s'" % value.replace(b"'", b"''")
    if isinstance(value, bytes):
        return b"X'%s'" % value.hex().encode()
    if isinstance(value, float) and isinf(value):
        return LARGEST_EXPONENT if value > 0 else b"-" + LARGEST_EXPONENT
    return repr(value).encode()


def _fits_literal(value: bytes) -> bool:
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False
