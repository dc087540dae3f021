"""Loading: the tables' rows and their indexes, by a crew of threads; counters of rows, and the rows that a key refuses.

Layer 3. `loader` loads; used by `executor`, and by `arrival` for the rows alone.
"""

from liteferry.loading.counter import Share
from liteferry.loading.crew import Crew, Task, stop_workers
from liteferry.loading.loader import Loader, copy_tables
from liteferry.loading.steps import BATCH_STEPS, run_batches, run_steps
from liteferry.loading.tables import LARGE_ROWS

__all__ = [
    "BATCH_STEPS",
    "LARGE_ROWS",
    "Crew",
    "Loader",
    "Share",
    "Task",
    "copy_tables",
    "run_batches",
    "run_steps",
    "stop_workers",
]
