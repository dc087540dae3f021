"""The file lies on a disk that nobody can write to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from live_files import read_only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from case_directory import World


@contextmanager
def prepare(world: World) -> Iterator[World]:
    with read_only(world.source.parent):
        yield world
