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
    from collections.abc import Callable

    import psycopg

_WORK_SQL: Final = (
    "SELECT pg_catalog.count(*) FROM (SELECT pg_catalog.hashtextextended(pg_catalog.repeat(i::text, 4), 0) AS h"
    " FROM pg_catalog.generate_series(1, 20000) i ORDER BY 1) s"
)
"""Not by md5(), which a server that follows FIPS 140 refuses."""
_TRANSFER_BYTES: Final = 1 << 18
_QUICK_S: Final = 0.02
"""What takes no longer is tried again: the shorter time is the truer one."""
_NEAR_S: Final = 0.0005
"""A server that answers sooner is on this machine, or beside it: what lies between them holds nothing up."""
_LEAST_S: Final = 1e-5


def measure_speed(connection: psycopg.Connection, *, transfers: bool = True) -> ServerSpeed:
    """Try a server out, in a few questions. transfers: also how fast data comes from one that is not near.

    Raises: MigrationError (connection-lost).
    """
    with reporting("a trial of the server's speed"):
        round_trip_s = _repeat(lambda: _time_query(connection, "SELECT 1"), 3)
        work_s = _repeat(lambda: _time_query(connection, _WORK_SQL), 2) - round_trip_s
        bytes_s = _measure_transfer(connection, round_trip_s) if transfers and round_trip_s > _NEAR_S else 0.0
    return ServerSpeed(round_trip_s=round_trip_s, work_s=max(_LEAST_S, work_s), transfer_bytes_s=bytes_s)


def _measure_transfer(connection: psycopg.Connection, round_trip_s: float) -> float:
    """Bytes a second. Twice: a connection sends little at first, and more when nothing of that was lost."""
    taken_s = min(_time_copy(connection) for _ in range(2))
    return _TRANSFER_BYTES / max(_LEAST_S, taken_s - round_trip_s)


def _repeat(measure: Callable[[], float], times: int) -> float:
    taken_s = measure()
    for _ in range(times - 1):
        if taken_s < _QUICK_S:
            taken_s = min(taken_s, measure())
    return taken_s


def _time_copy(connection: psycopg.Connection) -> float:
    begun = time.perf_counter()
    sql = f"COPY (SELECT pg_catalog.repeat('x', {_TRANSFER_BYTES})) TO STDOUT"
    with connection.cursor().copy(sql.encode()) as copy:
        for _ in copy:
            pass
    return time.perf_counter() - begun


def _time_query(connection: psycopg.Connection, sql: str) -> float:
    begun = time.perf_counter()
    connection.execute(sql.encode()).fetchall()
    return time.perf_counter() - begun
