"""The same password in the file that PGPASSFILE names."""

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
    password = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    file = world.own / "pass word"
    file.write_text(f"# ours\n127.0.0.1:*:elsewhere:{role}:wrong\n127.0.0.1:*:*:{role}:{password}\n")
    file.chmod(0o600)
    target = f"postgresql://{role}@127.0.0.1:{world.server.port}/{world.database.name}"
    yield change(world, target=target, environment={"PGPASSFILE": str(file)})
