"""What an arrival works on, and the files that it leaves in the run directory.

Layer 3. Used within `arrival` only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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

    ``target`` and ``holding``: the schema as it was when the plan was made. ``stamp``: of the catalogues, at that time;
    "" where the plan is not carried out.
    """

    plan: Plan
    catalog: Catalog
    census: Census
    snapshot: Snapshot
    target: TargetCatalog
    holding: Holding
    stamp: str = ""


def list_made(plan: Plan) -> tuple[str, ...]:
    """The tables that the run makes itself: those of the rows in quarantine, and no others. Pure."""
    return tuple(table.target for table in plan.tables if table.part == "quarantine")


def without_made(catalog: TargetCatalog, plan: Plan) -> TargetCatalog:
    """A catalogue without the tables that the run makes: what must be as it was. Pure."""
    own = set(list_made(plan))
    return replace(catalog, tables=tuple(table for table in catalog.tables if table.name not in own))


def read_holding_file(directory: Path) -> Holding:
    """What the schema held before a run, from its directory. Raises: MigrationError (run-dir)."""
    return read_saved(directory, HOLDING_NAME, Holding)
