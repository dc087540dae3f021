"""A database that takes any bytes for text."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from case_directory import World, change
from harness import execute

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def prepare(world: World) -> Iterator[World]:
    name = f"{world.database.name}_ascii"
    provider = " LOCALE_PROVIDER libc" if world.server.version >= 15 else ""
    create = f'CREATE DATABASE "{name}" OWNER ferry TEMPLATE template0 ENCODING SQL_ASCII LOCALE "C"{provider}'
    execute(world.server.url("postgres"), create)
    yield change(world, target=world.server.url(name, "ferry"))
    world.server.drop_database(name)
