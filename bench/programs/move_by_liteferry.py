"""Move a file by liteferry's Python API, and print as JSON what its report says of the time.

usage: move_by_liteferry.py SOURCE URL RUN_DIR new|existing proven|unproven

``rows_s`` is the time from the load's beginning to the last table's last row: as the report says, or else as the run's
events tell it. Indexes that are built in the meantime are in it, those after it are not.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from liteferry import Options, migrate

if TYPE_CHECKING:
    from liteferry import Event


def main() -> int:
    """Run it."""
    source, url, run_dir, into, proof = sys.argv[1:]
    options = Options(run_dir=run_dir, verify=proof == "proven")
    if into == "existing":
        options = Options(run_dir=run_dir, verify=proof == "proven", into="existing")
    load: list[float] = []

    def observe(event: Event) -> None:
        if event.phase == "load" and (event.kind == "phase-start" or event.rows):
            load.append(time.monotonic())

    report = migrate(source, url, options, observe)
    told = json.loads((Path(run_dir) / "report.json").read_bytes())
    parts = [part for phase in told["phases"] for part in phase.get("parts", ()) if phase["name"] == "load"]
    rows = next((part["elapsed_s"] for part in parts if part["name"] == "rows"), None)
    found = {
        "phases": {phase["name"]: phase["elapsed_s"] for phase in told["phases"]},
        "rows_s": rows if rows is not None else load[-1] - load[0] if load else None,
        "window_s": (told.get("window") or {}).get("elapsed_s"),
        "loader": report.loader,
        "said": report.failure.what if report.failure else report.verdict,
    }
    print(json.dumps(found))
    return 0 if report.verdict == ("proven" if options.verify else "not proven") else 1


if __name__ == "__main__":
    sys.exit(main())
