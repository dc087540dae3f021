"""The server's address is of IPv6."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from case_directory import World, change
from harness import give_to_role

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = """ !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ä€ %41 """


@contextmanager
def prepare(world: World) -> Iterator[World]:
    role = f"odd_{world.database.name}"
    give_to_role(world.server, world.database, role, PASSWORD)
    try:
        socket.create_connection(("::1", world.server.port)).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    target = f"postgresql://{role}@[::1]:{world.server.port}/{world.database.name}"
    yield change(world, target=target, environment={"PGPASSWORD": PASSWORD})
