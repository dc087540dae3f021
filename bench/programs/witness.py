"""Run a command, and tell how long it took, its processor time and the memory of its largest process.

``python bench/programs/witness.py DESCRIPTOR COMMAND…`` writes that to the descriptor, as JSON. It is a small process,
which imports little, between ours and the command's: Linux notes as a process's peak what its parent had at its start.
"""

from __future__ import annotations

import json
import os
import sys
import time

if __name__ == "__main__":
    begun = time.monotonic()
    child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
    _, ended, usage = os.wait4(child, 0)
    told = {
        "elapsed_s": time.monotonic() - begun,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
        "status": os.waitstatus_to_exitcode(ended),
    }
    os.write(int(sys.argv[1]), json.dumps(told).encode())
