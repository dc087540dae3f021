"""What things usually take: the one place with figures that were measured before a run, and not in it.

Layer 1, data alone. They are a fall-back: what a machine, a server and a database really take shows in the census, in a
short trial of the server, and best in a rehearsal, and these figures are scaled by that. They were measured with two
jobs on two cores, PostgreSQL 18 on the same machine. ``bench/rates.py`` fits them to reports of runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from liteferry.model import ServerSpeed


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a phase takes: microseconds a unit, and round trips to the server.

    ``server_share``: how much of it is the server's work, 0 to 1. ``parallel_share``: how much of it is done by several
    jobs at a time. ``sends``: whether all values go over the network. ``fixed_ms``: whatever there is to do.
    """

    fixed_ms: float = 0.0
    source_byte_us: float = 0.0
    table_us: float = 0.0
    object_us: float = 0.0
    row_us: float = 0.0
    value_us: float = 0.0
    byte_us: float = 0.0
    document_byte_us: float = 0.0
    entry_us: float = 0.0
    reference_us: float = 0.0
    server_share: float = 0.0
    parallel_share: float = 0.0
    trips: float = 0.0
    trips_a_table: float = 0.0
    trips_a_step: float = 0.0
    sends: bool = False


RATES: Final[dict[str, Rate]] = {
    "snapshot": Rate(fixed_ms=30, source_byte_us=0.002),
    "census": Rate(fixed_ms=5, table_us=280, row_us=0.02, value_us=0.014, byte_us=0.00025, document_byte_us=0.001),
    "plan": Rate(fixed_ms=5, table_us=30, object_us=80, trips=4),
    "load": Rate(
        fixed_ms=12, table_us=400, row_us=0.1, value_us=0.007, byte_us=0.0022, document_byte_us=0.0085,
        server_share=0.5, parallel_share=0.5, trips=4, trips_a_table=0.5, sends=True,
    ),
    "indexes": Rate(object_us=90, entry_us=0.33, server_share=1.0, parallel_share=0.8, trips_a_table=0.2),
    "analyze": Rate(table_us=110, row_us=0.08, server_share=1.0, parallel_share=0.8),
    "constraints": Rate(fixed_ms=2, object_us=5, reference_us=1.2, server_share=1.0, trips=3, trips_a_step=0.01),
    "proof": Rate(
        fixed_ms=15, table_us=530, object_us=5, row_us=0.25, value_us=0.008, byte_us=0.003, document_byte_us=0.002,
        server_share=0.4, parallel_share=0.8, trips=12, trips_a_table=0.5, sends=True,
    ),
    "project": Rate(fixed_ms=900, table_us=500),
    "drift": Rate(fixed_ms=900, table_us=3000),
    "schema": Rate(fixed_ms=1200, table_us=12000, server_share=0.3, trips=40, trips_a_table=4),
    "evidence": Rate(fixed_ms=1500, table_us=15000, row_us=2, server_share=0.3, trips=20, trips_a_table=12),
    "publish": Rate(fixed_ms=10, table_us=75, object_us=20, server_share=0.8, trips=6),
    "between": Rate(fixed_ms=20, table_us=280, trips=8),
}  # fmt: skip
"""By the names of `liteferry.model.WindowPart`; in the order of a run."""

REFERENCE_SERVER: Final = ServerSpeed(round_trip_s=0.00003, work_s=0.0033)
"""The trial of the server that the rates were measured with."""
REFERENCE_JOBS: Final = 2

SPREAD: Final[dict[str, tuple[float, float]]] = {
    "measured": (0.85, 1.25),
    "rehearsal": (0.80, 1.30),
    "elsewhere": (0.65, 1.60),
    "rates": (0.55, 1.80),
}
"""The bounds of what is expected, as factors: of a phase that was measured just now, in a rehearsal on the same server,
in one on another, or never."""
SLACK_S: Final = 0.03
"""What the upper bound of each phase has on top: of short phases no factor says how long a busy machine takes."""
