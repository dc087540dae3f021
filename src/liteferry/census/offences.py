"""What may be wrong or odd in a column, by name.

Layer 1, pure.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

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
        "local-beyond": "a local time too near to the calendar's end for the chosen time zone",
        "nonfinite": "an infinity in a column that is not REAL",
        "nul": "a text with the NUL character",
        "invalid-utf8": "a text that is not valid UTF-8",
        "null": "NULL where the table says NOT NULL, or in a primary key",
    }
)

NOTES = MappingProxyType(
    {
        "inexact": "a real of more than 15 digits in a DECIMAL column: what binary arithmetic leaves, as in 0.1 + 0.2",
        "folded": "a local time that the chosen time zone had twice, of which the user said which is meant",
        "doubled": "JSON that jsonb would keep, were it not for an object with the same key twice",
        "respelled": "an IP address that PostgreSQL gives back in another spelling",
    }
)
"""What is odd, but hinders nothing."""
