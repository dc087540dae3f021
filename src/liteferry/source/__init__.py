"""The source: a SQLite file, read and never written.

Layer 2, and the only part of liteferry that opens the user's file. `copying` takes the snapshot (in a child process,
see `liteferry.child`), `snapshot` reads it: catalogue (`catalog`, `constraints`), census and orphans (`orphans`), what
rows together break (`faults`), rows. `offenders` lists every offender and knows which rows are set apart.
"""

from liteferry.source.connection import show_path
from liteferry.source.offenders import OffenderStore
from liteferry.source.snapshot import Snapshot, open_snapshot

__all__ = ["OffenderStore", "Snapshot", "open_snapshot", "show_path"]
