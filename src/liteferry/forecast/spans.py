"""Which parts a phase has, and which phases are the window.

Layer 1, pure.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from liteferry.model import PhaseTime, Window, WindowPart, Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FIRST: Final = "snapshot"
_LAST: Final = "publish"
_LOAD: Final = "load"
BETWEEN: Final = "between"
"""What lies between two phases: connections that are opened, catalogues that are read."""

_PARTS: Final = (
    ("data/", "rows"),
    ("pre-data/", "tables"),
    ("post-data/analyze/", "analyze"),
    ("post-data/foreign-key/", "foreign keys"),
    ("post-data/check/", "checks"),
    ("post-data/sequence/", "sequences"),
    ("post-data/view/", "views"),
    ("post-data/", "indexes"),
    ("hook/", "hooks"),
    ("snapshot/copy", "copy"),
    ("snapshot/check", "check"),
    ("schema/migration/", "migrations"),
    ("verify/", "rows"),
)
"""What a step is a part of, by how its id begins; the first that fits. Keys are indexes; other steps are no part."""

_OF_ROWS: Final = frozenset({"rows", "tables"})


def name_part(step_id: str) -> str:
    """Name the part of its phase that a step belongs to; "" for none. Pure."""
    return next((name for prefix, name in _PARTS if step_id.startswith(prefix)), "")


def add_work(
    phases: Sequence[PhaseTime], *, source_bytes: int, work: Work | None, loaded: tuple[int, int], proven: int
) -> tuple[PhaseTime, ...]:
    """Say of each phase what it went through, where a rate means something. Pure.

    source_bytes: of the file. loaded: rows and bytes that were sent. proven: rows whose values were compared.
    """
    planned = work or Work()
    known = {
        _FIRST: (0, source_bytes),
        "census": (planned.rows, planned.size_bytes),
        _LOAD: loaded,
        "proof": (proven, planned.size_bytes if proven else 0),
    }
    return tuple(
        replace(phase, rows=known[phase.name][0], size_bytes=known[phase.name][1]) if phase.name in known else phase
        for phase in phases
    )


def measure_window(phases: Sequence[PhaseTime], *, is_rehearsal: bool = False) -> Window | None:
    """Measure the window: from the first snapshot's beginning to the publication's end. Pure.

    None where there was no publication; a rehearsal's may be missing, and its window then ends with its last phase.
    """
    begun = next((phase.started_s for phase in phases if phase.name == _FIRST), None)
    ends = [phase.started_s + phase.elapsed_s for phase in phases if phase.name == _LAST or is_rehearsal]
    if begun is None or not ends:
        return None
    end = max(ends)
    shares: dict[str, float] = {}
    for name, elapsed_s in _share_out(phases, begun, end):
        shares[name] = shares.get(name, 0.0) + elapsed_s
    between = shares.pop(BETWEEN, 0.0)
    parts = [WindowPart(name=name, elapsed_s=elapsed_s) for name, elapsed_s in shares.items()]
    parts += [WindowPart(name=BETWEEN, elapsed_s=between)] if between > 0 else []
    return Window(started_s=begun, elapsed_s=end - begun, parts=tuple(parts))


def _share_out(phases: Sequence[PhaseTime], begun: float, end: float) -> Iterator[tuple[str, float]]:
    """Cut the window at every beginning and end; phases that are there together share a piece alike."""
    edges = {begun, end}
    for phase in phases:
        edges |= {min(max(edge, begun), end) for edge in (phase.started_s, phase.started_s + phase.elapsed_s)}
    cuts = sorted(edges)
    for start, stop in pairwise(cuts):
        middle = (start + stop) / 2
        there = [phase for phase in phases if phase.started_s <= middle < phase.started_s + phase.elapsed_s]
        if not there:
            yield BETWEEN, stop - start
        for phase in there:
            for name, share in _split(phase):
                yield name, (stop - start) / len(there) * share


def _split(phase: PhaseTime) -> list[tuple[str, float]]:
    """A phase's names in the window, and their shares: the load's rows apart from what follows them, by busy time."""
    busy = sum(part.busy_s for part in phase.parts)
    if phase.name != _LOAD or busy <= 0:
        return [(phase.name, 1.0)]
    shares = {_LOAD: 0.0}
    for part in phase.parts:
        name = _LOAD if part.name in _OF_ROWS else part.name if part.name == "analyze" else "indexes"
        shares[name] = shares.get(name, 0.0) + part.busy_s / busy
    return list(shares.items())
