"""What was counted of a column's ordinary values by somebody else: the compiled census.

Layer 1, pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts and extremes of values that offend in nothing. The fields are those of `liteferry.model.ColumnCensus`.

    ``forms``, ``shapes``: how many texts and blobs by name.
    """

    nulls: int = 0
    integers: int = 0
    reals: int = 0
    texts: int = 0
    blobs: int = 0
    min_integer: int | None = None
    max_integer: int | None = None
    min_real: float | None = None
    max_real: float | None = None
    negative_zeros: int = 0
    positive_infinities: int = 0
    negative_infinities: int = 0
    longest_text_chars: int = 0
    longest_value_bytes: int = 0
    size_bytes: int = 0
    max_fraction_digits: int = 0
    max_integer_digits: int = 0
    forms: Mapping[str, int] = field(default_factory=dict)
    shapes: Mapping[str, int] = field(default_factory=dict)
