"""What the executor loads with: a crew of threads, counters of rows, and the rows that a key refuses.

Layer 3. Used by `executor` only.
"""

from liteferry.loading.counter import Counter, Share, Sink, Teller
from liteferry.loading.crew import Crew, Task
from liteferry.loading.refused import name_refused_rows
from liteferry.loading.tables import BATCH_BYTES, LARGE_ROWS, Built, Split, TableGroup

__all__ = [
    "BATCH_BYTES",
    "LARGE_ROWS",
    "Built",
    "Counter",
    "Crew",
    "Share",
    "Sink",
    "Split",
    "TableGroup",
    "Task",
    "Teller",
    "name_refused_rows",
]
