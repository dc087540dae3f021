"""The compiled parts: the load's encoder, the proof's comparer, the census's counter, the checker of indexes.

Each may be missing.

Layer 2: they read the snapshot, and only the snapshot. Each does what a reference in Python does (`liteferry.codecs`,
`liteferry.compare`, `liteferry.census`), for the values that are common, and hands every other value to that reference:
so that both give the same bytes, forms, counts and errors. The checker's reference is SQLite's own integrity check. The
encoder and the comparer share no code but the opening of the file (snapshot.h).

``LITEFERRY_COMPILED``: ``none`` does without them, ``require`` makes their absence an error.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, get_args

from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from types import ModuleType

VARIABLE: Final = "LITEFERRY_COMPILED"

PartName = Literal["_encoder", "_comparer", "_counter", "_checker"]


def find_part(name: PartName) -> ModuleType | None:
    """The compiled module; None where it was not built, or is not wanted. Raises: MigrationError (usage)."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in {"", "none", "require"}:
        raise MigrationError(f"{VARIABLE} is {wanted!r}", code="usage", hint="none, require, or leave it unset")
    if wanted == "none":
        return None
    part = _import_part(name)
    if part is None and wanted == "require":
        raise MigrationError(
            f"the compiled part {name} was not built, or cannot be loaded, and {VARIABLE} demands it",
            code="usage",
            hint="install with a C compiler and SQLite's header at hand (Debian: gcc libsqlite3-dev python3-dev), and "
            "with LITEFERRY_BUILD=require, which shows the compiler's errors",
        )
    return part


@cache
def _import_part(name: PartName) -> ModuleType | None:
    try:
        return importlib.import_module(f"liteferry.compiled.{name}")
    except ImportError:  # it was not built, or not for this Python, or SQLite's library is not on this machine
        return None


def list_parts() -> dict[str, bool]:
    """Which of the parts are there and used; that one is missing which is demanded is for `find_part` to say."""
    names: tuple[PartName, ...] = get_args(PartName)
    is_wanted = os.environ.get(VARIABLE) != "none"
    return {name.removeprefix("_"): is_wanted and _import_part(name) is not None for name in names}


def describe_parts() -> str:
    """Which of the parts are used, as a line for people."""
    used = [name for name, is_used in list_parts().items() if is_used]
    missing = [name for name, is_used in list_parts().items() if not is_used]
    if not used:
        return "compiled parts: none, Python does their work, several times as slowly"
    return f"compiled parts: {', '.join(used)}" + (f"; in Python: {', '.join(missing)}" if missing else "")
