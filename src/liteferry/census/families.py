"""What each family of declared types takes: storage classes, and forms of texts.

Layer 1, pure.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from liteferry.census.forms import FORMS

_ANY: Final = frozenset({int, float, str, bytes})
HOLDS: Final[MappingProxyType[str, frozenset[type]]] = MappingProxyType(
    {
        "integer": frozenset({int}),
        "bool": frozenset({int, str}),
        "real": frozenset({float, int}),
        "decimal": frozenset({int, float, str}),
        "text": frozenset({str}),
        "datetime": frozenset({str}),
        "date": frozenset({str}),
        "time": frozenset({str}),
        "interval": frozenset({int, str}),
        "blob": frozenset({bytes}),
        "json": frozenset({str, int, float}),
        "uuid": frozenset({str, bytes}),
        "inet": frozenset({str}),
        "none": _ANY,
    }
)
DESCRIBED: Final = frozenset({"datetime", "date", "time", "interval", "json", "uuid", "bool", "inet"})
"""The families whose forms say what a text looks like: shapes are counted for the others, and for form ``other``."""
TAKES: Final = MappingProxyType(
    {
        "datetime": frozenset(form for form in FORMS if form.startswith("date")),
        "date": frozenset({"date"}),
        "time": frozenset({"time"}),
        "interval": frozenset({"since-1970"}),
        "json": frozenset({"json-jsonb", "json-only"}),
        "uuid": frozenset({"uuid"}),
        "bool": frozenset({"bool-word"}),
        "text": frozenset({"label", "unpadded"}),
        "inet": frozenset({"inet"}),
    }
)
