"""Move a SQLite database to PostgreSQL, prove that every value arrived, and be able to undo it.

The public Python API: `inspect`, `check`, `plan`, `examine`, `migrate`, `verify`, `digest`, `undo`, with `Options`,
`Report`, `Plan`, `Event` and `MigrationError`; for a Django project `check_project`, `examine_project`,
`migrate_project`, `verify_project`, with `ProjectOptions`. Everything is imported when it is first used, so that
importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from liteferry.config import read_config as read_config
    from liteferry.django_move import check_project as check_project
    from liteferry.django_move import examine_project as examine_project
    from liteferry.django_move import migrate_project as migrate_project
    from liteferry.django_move import verify_project as verify_project
    from liteferry.errors import ExitStatus as ExitStatus
    from liteferry.errors import MigrationError as MigrationError
    from liteferry.model import Event as Event
    from liteferry.model import Finding as Finding
    from liteferry.model import Forecast as Forecast
    from liteferry.model import Mismatch as Mismatch
    from liteferry.model import Options as Options
    from liteferry.model import Plan as Plan
    from liteferry.model import Report as Report
    from liteferry.pipeline import check as check
    from liteferry.pipeline import digest as digest
    from liteferry.pipeline import examine as examine
    from liteferry.pipeline import inspect as inspect
    from liteferry.pipeline import migrate as migrate
    from liteferry.pipeline import plan as plan
    from liteferry.pipeline import verify as verify
    from liteferry.project import ProjectOptions as ProjectOptions
    from liteferry.rollback import undo as undo

_HOMES = {
    "liteferry.config": ("read_config",),
    "liteferry.django_move": ("check_project", "examine_project", "migrate_project", "verify_project"),
    "liteferry.errors": ("ExitStatus", "MigrationError"),
    "liteferry.model": ("Event", "Finding", "Forecast", "Mismatch", "Options", "Plan", "Report"),
    "liteferry.pipeline": ("check", "digest", "examine", "inspect", "migrate", "plan", "verify"),
    "liteferry.project": ("ProjectOptions",),
    "liteferry.rollback": ("undo",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]  # noqa: PLE0604 - strings all, computed


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for. Source: PEP 562."""
    from importlib import import_module

    if name not in _HOME_OF:
        raise AttributeError(f"module 'liteferry' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
