"""The clock of a run: when each phase and each of its parts began, how long it took, and whose work it was.

Layer 2. It is fed with the run's events, and by `Clock.part` with what has no events of its own.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from liteferry.forecast import name_part
from liteferry.model import Event, PhasePart, PhaseTime

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class _Part:
    """A part of a phase that is open: in s from the run's start."""

    begun_s: float
    ended_s: float
    busy_s: float = 0.0
    steps: int = 0

    def add(self, begun_s: float, ended_s: float, busy_s: float) -> None:
        self.begun_s = min(self.begun_s, begun_s)
        self.ended_s = max(self.ended_s, ended_s)
        self.busy_s += busy_s
        self.steps += 1


@dataclass(slots=True)
class _Phase:
    """A phase that is open."""

    name: str
    started_s: float
    cpu_s: float
    parts: dict[str, _Part] = field(default_factory=dict)


class Clock:
    """Times a run. Fed by one thread at a time; `part` is for the thread that goes through the phases."""

    def __init__(self) -> None:
        """Start it."""
        self._begun = time.monotonic()
        self._open: list[_Phase] = []
        self._phases: list[PhaseTime] = []

    @property
    def now_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._begun

    @property
    def phases(self) -> tuple[PhaseTime, ...]:
        """The phases that have ended, in the order of their ends."""
        return tuple(self._phases)

    def note(self, event: Event) -> None:
        """Take notice of an event, which happened just now."""
        if event.kind == "phase-start":
            self._open.append(_Phase(event.phase, self.now_s, _processor_s()))
        elif event.kind == "phase-end":
            self._end_phase(event)
        elif event.kind == "step-end" and (name := name_part(event.step_id)):
            now = self.now_s
            self._add(name, now - event.elapsed_s, now, event.elapsed_s)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase that nobody is told of."""
        self.note(Event(kind="phase-start", phase=name))
        begun = self.now_s
        try:
            yield
        finally:
            self.note(Event(kind="phase-end", phase=name, elapsed_s=self.now_s - begun))

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time a part of the phase that is open, whatever becomes of it."""
        begun = self.now_s
        try:
            yield
        finally:
            now = self.now_s
            self._add(name, begun, now, now - begun)

    def _add(self, name: str, begun_s: float, ended_s: float, busy_s: float) -> None:
        if not self._open:
            return
        phase = self._open[-1]
        begun_s = max(begun_s, phase.started_s)  # events take a moment to come
        phase.parts.setdefault(name, _Part(begun_s, ended_s)).add(begun_s, ended_s, busy_s)

    def _end_phase(self, event: Event) -> None:
        phase = next((phase for phase in reversed(self._open) if phase.name == event.phase), None)
        if phase is None:
            phase = _Phase(event.phase, self.now_s - event.elapsed_s, _processor_s())
        else:
            self._open.remove(phase)
        parts = (
            PhasePart(
                name=name,
                started_s=part.begun_s,
                elapsed_s=part.ended_s - part.begun_s,
                busy_s=part.busy_s,
                steps=part.steps,
            )
            for name, part in phase.parts.items()
        )
        self._phases.append(
            PhaseTime(
                name=phase.name,
                started_s=phase.started_s,
                elapsed_s=event.elapsed_s,
                cpu_s=max(0.0, _processor_s() - phase.cpu_s),
                parts=tuple(sorted(parts, key=lambda part: part.started_s)),
            )
        )


def _processor_s() -> float:
    """Processor time of this process, all its threads, and of the children that it waited for, in s."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
