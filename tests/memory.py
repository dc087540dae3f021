"""How much memory a command takes, with all the processes that it starts, PostgreSQL's aside.

As a script: ``python tests/memory.py COMMAND…`` prints what the command took.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INTERVAL_S: Final = 0.01
MB: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a command took in memory, and how it ended.

    ``together_bytes``: the most that all its processes had at one time; what they share counts once. It is looked at a
    hundred times a second. ``largest_bytes``: the most that one of them ever had, as the kernel itself noted it, so
    that no peak is too short to be seen.
    """

    status: int
    out: str
    err: str
    together_bytes: int
    largest_bytes: int

    @property
    def peak_bytes(self) -> int:
        """The larger of the two figures."""
        return max(self.together_bytes, self.largest_bytes)


def measure_peak(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> Footprint:
    """Run a command to its end, its standard input closed, and measure its memory.

    Source: proc_pid_status(5) for VmHWM, proc_pid_smaps(5) for Pss.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        with subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env={**os.environ, **(env or {})}
        ) as process:
            together = largest = 0
            waiter = threading.Thread(target=process.wait, daemon=True)
            waiter.start()
            while waiter.is_alive():
                waiter.join(_INTERVAL_S)
                found = [_measure(pid) for pid in _list_processes(process.pid)]
                together = max(together, sum(shared for shared, _ in found))
                largest = max([largest, *(peak for _, peak in found)])
        for stream in (out, err):
            stream.seek(0)
        return Footprint(
            status=process.returncode,
            out=out.read(),
            err=err.read(),
            together_bytes=together,
            largest_bytes=largest,
        )


def _list_processes(pid: int) -> list[int]:
    """The process, and what it started, and they; but not PostgreSQL's programs."""
    found = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _list_processes(int(child))
    return [one for one in found if one == pid or _is_python(one)]


def _is_python(pid: int) -> bool:
    try:
        return "python" in Path(os.readlink(f"/proc/{pid}/exe")).name  # noqa: PTH115 - as text, if need be "… (deleted)"
    except OSError:
        return False


def _measure(pid: int) -> tuple[int, int]:
    """A process's share of the memory that it has now, and the most that it ever had, in bytes. 0 when it has ended."""
    shared = peak = 0
    with suppress(OSError):
        shared = _read_kib(f"/proc/{pid}/smaps_rollup", "Pss")
        peak = _read_kib(f"/proc/{pid}/status", "VmHWM")
    return shared, peak


def _read_kib(path: str, name: str) -> int:
    match = re.search(rf"^{name}:\s*(\d+) kB", Path(path).read_text(), re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


if __name__ == "__main__":
    taken = measure_peak(sys.argv[1:])
    sys.stdout.write(taken.out)
    sys.stderr.write(
        f"{taken.err}together {taken.together_bytes / MB:.1f} MB, largest {taken.largest_bytes / MB:.1f} MB\n"
    )
    sys.exit(taken.status)
