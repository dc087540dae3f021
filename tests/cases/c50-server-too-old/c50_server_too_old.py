"""A server that says of itself that it is PostgreSQL 12."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from case_directory import World, change
from harness import Proxy, give_to_carrier

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def prepare(world: World) -> Iterator[World]:
    version = world.server.version
    with Proxy(world.server.port) as proxy:
        proxy.rewrite(str(version).encode() + b"000", b"12000")
        yield change(world, target=give_to_carrier(world.server, world.database, port=proxy.port))
