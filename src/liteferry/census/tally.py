"""What was counted of a column's ordinary values by somebody else: the compiled census.

Layer 1, pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from liteferry.model import ColumnCounts

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(ColumnCounts):
    """Counts and extremes of values that offend in nothing.

    ``forms``, ``shapes``: how many texts and blobs by name.
    """

    size_bytes: int = 0
    forms: Mapping[str, int] = field(default_factory=dict)
    shapes: Mapping[str, int] = field(default_factory=dict)
