"""The demo: a made-up community-management database, moved and proven, with nothing to set up.

Layer 4.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.model import Options
from liteferry.pipeline import migrate
from liteferry.sample import write_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from liteferry.model import Event, Report

SAMPLE_NAME: Final = "community.sqlite3"
DEFAULT_SCALE: Final = 0.1


def run_demo(directory: str | None, *, scale: float, observe: Callable[[Event], None]) -> Report:
    """Write the sample, move it into the embedded PostgreSQL and prove it. Returns the run's report.

    directory: where sample and run go; None for ``liteferry-demo`` here. A sample that is there already is used again.

    Raises: MigrationError.
    """
    place = Path(directory or "liteferry-demo")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MigrationError(
            f"the directory {place} cannot be made: {error.strerror or error}",
            code="run-dir",
            hint="name one that you may write to with --directory",
        ) from error
    source = place / (SAMPLE_NAME if scale == DEFAULT_SCALE else f"community-{scale:g}.sqlite3")
    if not source.exists():
        write_sample(source, scale=scale, observe=observe)
    return migrate(source, None, Options(), observe)
