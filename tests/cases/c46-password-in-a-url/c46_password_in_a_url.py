"""A password of every special character, written in the URL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from case_directory import World, change
from harness import give_to_role

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = """ !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ä€ %41 """


@contextmanager
def prepare(world: World) -> Iterator[World]:
    role = f"odd_{world.database.name}"
    give_to_role(world.server, world.database, role, PASSWORD)
    who = f"{role}:{quote(PASSWORD, safe='')}"
    yield change(world, target=f"postgresql://{who}@127.0.0.1:{world.server.port}/{world.database.name}")
