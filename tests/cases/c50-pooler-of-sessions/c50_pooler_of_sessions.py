"""A pooler stands before the server, and leaves each client its session."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from case_directory import World, change
from pooler import run_pooler

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def prepare(world: World) -> Iterator[World]:
    with run_pooler(world.server, world.database, "session", 20) as url:
        yield change(world, target=url)
