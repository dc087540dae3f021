"""The server's socket, by keywords: no host name, no password."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from case_directory import World, change

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def prepare(world: World) -> Iterator[World]:
    place = f"host='{world.server.directory}' port={world.server.port}"
    yield change(world, target=f"{place} user=ferry dbname='{world.database.name}'")
