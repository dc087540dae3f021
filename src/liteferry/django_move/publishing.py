"""What moves everything in a staging schema to its place, and what takes it away from there again.

Layer 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liteferry.names import quote_name

if TYPE_CHECKING:
    from liteferry.target import Target


def plan_publication(
    server: Target, staging: str, schema: str, *, creates_schema: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The SQL that publishes, and the SQL that undoes it, each for one transaction. Reads the catalogue."""
    place = quote_name(schema)
    found = server.read_objects(staging)
    moves = [f"ALTER {thing.kind} {thing.name} SET SCHEMA {place}" for thing in found]
    create = [f"CREATE SCHEMA {place}"] if creates_schema else []
    drops = [
        f"DROP {thing.kind} {place}.{thing.name.partition('.')[2]} CASCADE"
        for thing in found
        if thing.kind in {"TABLE", "VIEW"}
    ]
    return (*create, *moves, f"DROP SCHEMA {quote_name(staging)}"), tuple(drops)
