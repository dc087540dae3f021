"""What every program here writes: JSON whose text is equal exactly when the values are.

Standard library only: each application runs it in a virtual environment of its own.
"""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from enum import Enum
from typing import Any


def as_json(value: Any) -> str:
    """Keys sorted, one value a line; NaN, the infinities and the sign of a zero are kept. Pure."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, default=_describe)


def write_json(value: Any) -> None:
    """Write to standard output."""
    sys.stdout.write(as_json(value) + "\n")


def _describe(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no form here: {value!r}")
