"""The source: a SQLite file, read and never written.

Layer 2, and the only part of liteferry that opens the user's file. `copying` takes the snapshot (in a child process,
see `liteferry.child`), `snapshot` reads it: catalogue (`catalog`, `constraints`), census and orphans (`orphans`), what
rows together break (`faults`), rows. `offenders` lists every offender and knows which rows are set apart.

What is named here is imported when it is asked for: the child that copies needs a tenth of it, and has to be quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from liteferry.source.connection import show_path
    from liteferry.source.offenders import OffenderStore
    from liteferry.source.snapshot import Snapshot, open_snapshot

__all__ = ["OffenderStore", "Snapshot", "open_snapshot", "show_path"]

_HOMES: Final = {
    "OffenderStore": "offenders",
    "Snapshot": "snapshot",
    "open_snapshot": "snapshot",
    "show_path": "connection",
}


def __getattr__(name: str) -> Any:  # whatever is asked for
    """Import what `__all__` names from where it is."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"liteferry.source.{_HOMES[name]}"), name)
