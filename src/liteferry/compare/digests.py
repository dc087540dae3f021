"""The digests of rows and tables.

Layer 1, pure.
"""

from __future__ import annotations

from functools import reduce
from hashlib import blake2b
from operator import xor
from struct import Struct, unpack
from typing import TYPE_CHECKING

from liteferry.model import TableDigest

if TYPE_CHECKING:
    from collections.abc import Sequence


def canonical_row(values: Sequence[bytes]) -> bytes:
    """The bytes of a row of canonical forms: their number, their lengths, themselves. Pure; injective."""
    return Struct(f">I{len(values)}Q").pack(len(values), *map(len, values)) + b"".join(values)


def digest_row(values: Sequence[bytes]) -> bytes:
    """The 16 bytes of a row's digest. Pure."""
    return blake2b(canonical_row(values), digest_size=16).digest()


def digest_rows(columns: Sequence[Sequence[bytes]]) -> list[bytes]:
    """The digests of rows that are given a column at a time. Pure."""
    pack = Struct(f">I{len(columns)}Q").pack
    count = len(columns)
    return [
        blake2b(pack(count, *map(len, row)) + b"".join(row), digest_size=16).digest()
        for row in zip(*columns, strict=True)
    ]


class DigestSum:
    """Adds up the digests of a table's rows, in any order."""

    def __init__(self) -> None:
        """Start with no rows."""
        self._rows = 0
        self._high = 0
        self._low = 0
        self._xor = 0

    def add(self, digests: Sequence[bytes]) -> None:
        """Add rows' digests of 16 bytes each."""
        count = len(digests)
        halves = unpack(f">{2 * count}Q", b"".join(digests))
        high, low = halves[0::2], halves[1::2]
        self._rows += count
        self._high += sum(high)
        self._low += sum(low)
        self._xor ^= (reduce(xor, high, 0) << 64) | reduce(xor, low, 0)

    @property
    def rows(self) -> int:
        """The number of rows added."""
        return self._rows

    def result(self) -> TableDigest:
        """The digest of the rows added so far."""
        total = ((self._high << 64) + self._low) % (1 << 128)
        return TableDigest(rows=self._rows, sum=f"{total:032x}", xor=f"{self._xor:032x}")
