"""The same service, in a URL that says the rest."""

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
    file.write_text(f"[shop]\nhost=127.0.0.1\nport={world.server.port}\nuser=nobody\n")
    target = f"postgresql://{role}@/{world.database.name}?service=shop"
    yield change(world, target=target, environment={"PGSERVICEFILE": str(file), "PGPASSWORD": PASSWORD})
