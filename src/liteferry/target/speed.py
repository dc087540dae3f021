"""A short trial of a server: how far away it is, and how fast.

Layer 2. Used through `target` only. Nothing is written, not even a temporary table: that would leave traces in the
server's catalogue. What is computed and sent is made up by the server itself.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from liteferry.model import ServerSpeed
from liteferry.target.reporting import reporting

if TYPE_CHECKING:
    import psycopg

_ROUNDS: Final = 3
_WORK_SQL: Final = (
    "SELECT pg_catalog.count(*) FROM (SELECT pg_catalog.md5(i::text) AS h FROM pg_catalog.generate_series(1, 4000) i"
    " ORDER BY 1) s"
)
_TRANSFER_BYTES: Final = 1 << 16
_TRANSFER_SQL: Final = f"COPY (SELECT pg_catalog.repeat('x', {_TRANSFER_BYTES})) TO STDOUT"
_LEAST_S: Final = 1e-5


def measure_speed(connection: psycopg.Connection) -> ServerSpeed:
    """Try a server out, in five questions. Raises: MigrationError (connection-lost)."""
    with reporting("a trial of the server's speed"):
        trips = [_time(connection, "SELECT 1") for _ in range(_ROUNDS)]
        round_trip_s = min(trips)
        work_s = max(_LEAST_S, _time(connection, _WORK_SQL) - round_trip_s)
        begun = time.perf_counter()
        with connection.cursor().copy(_TRANSFER_SQL.encode()) as copy:
            size_bytes = sum(len(block) for block in copy)
        took_s = time.perf_counter() - begun - round_trip_s
    return ServerSpeed(round_trip_s=round_trip_s, work_s=work_s, transfer_bytes_s=size_bytes / max(_LEAST_S, took_s))


def _time(connection: psycopg.Connection, sql: str) -> float:
    begun = time.perf_counter()
    connection.execute(sql.encode()).fetchall()
    return time.perf_counter() - begun
