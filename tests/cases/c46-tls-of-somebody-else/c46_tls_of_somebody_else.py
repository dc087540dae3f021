"""The server's certificate is for another name."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from case_directory import World, change
from harness import give_to_role
from tls import run_tls_server

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = """ !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ä€ %41 """


@contextmanager
def prepare(world: World) -> Iterator[World]:
    with run_tls_server() as (server, certificate):
        database = server.create_database()
        role = f"odd_{database.name}"
        give_to_role(server, database, role, PASSWORD)
        target = f"postgresql://{role}@127.0.0.1:{server.port}/{database.name}"
        options = f"sslmode=verify-full&sslrootcert={quote(str(certificate), safe='')}"
        environment = {"PGPASSWORD": PASSWORD}
        yield change(world, server=server, database=database, target=f"{target}?{options}", environment=environment)
