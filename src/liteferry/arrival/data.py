"""What an arrival works on, and the files that it leaves in the run directory.

Layer 3. Used within `arrival` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.holding import Holding
from liteferry.run import read_saved

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry.model import Catalog, Census, Plan, TargetCatalog
    from liteferry.source import Snapshot

REPLACED_NAME: Final = "replaced"
"""The directory, in the run's, of the rows that were replaced: one file of COPY text a table."""
HOLDING_NAME: Final = "holding.json"
"""What the schema held before the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What is brought where. ``catalog``: the source's, with the target's NOT NULLs and foreign keys.

    ``target`` and ``holding``: the schema as it was when the plan was made.
    """

    plan: Plan
    catalog: Catalog
    census: Census
    snapshot: Snapshot
    target: TargetCatalog
    holding: Holding


def read_holding_file(directory: Path) -> Holding:
    """What the schema held before a run, from its directory. Raises: MigrationError (run-dir)."""
    return read_saved(directory, HOLDING_NAME, Holding)
