"""A service of the file that PGSERVICEFILE names."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from case_directory import World, change
from harness import give_to_role

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = """ !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ä€ %41 """


@contextmanager
def prepare(world: World) -> Iterator[World]:
    role = f"odd_{world.database.name}"
    give_to_role(world.server, world.database, role, PASSWORD)
    file = world.own / "services"
    server = f"host=127.0.0.1\nport={world.server.port}\ndbname={world.database.name}"
    file.write_text(f"[other]\nhost=no-such-host.invalid\n[shop]\n{server}\nuser={role}\n")
    environment = {"PGSERVICEFILE": str(file), "PGPASSWORD": PASSWORD}
    yield change(world, target="service=shop", environment=environment)
