"""What the user sees while a run works: live bars on a terminal, lines elsewhere, always on standard error.

Layer 4. Fed by Events only.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, TextIO

from liteferry.report.wording import escape_unprintable, format_count, format_duration, format_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID

    from liteferry.model import Event

LINE_EVERY_S: Final = 5.0
SHOWN_TABLES: Final = 8

_PHASES: Final = {
    "sample": "making a sample database",
    "snapshot": "taking a snapshot",
    "project": "asking the project",
    "drift": "comparing models, migrations and the file",
    "schema": "making the schema by the project's migrations",
    "census": "looking at every value",
    "plan": "planning",
    "load": "loading rows and building indexes",
    "indexes": "building indexes",
    "hooks": "running SQL of yours",
    "constraints": "foreign keys and views",
    "proof": "proving every value",
    "evidence": "reading every model by the project's ORM",
    "publish": "publishing",
}


class Watcher(Protocol):
    """Takes events; a context manager that puts the terminal back in order."""

    def __enter__(self) -> Callable[[Event], None]:
        """Begin; returns the observer."""

    def __exit__(self, *exc: object) -> None:
        """End."""


def watch(*, quiet: bool, color: bool, stream: TextIO | None = None) -> Watcher:
    """Choose how to show progress: only what nobody may miss, live on a terminal, or as lines."""
    out = sys.stderr if stream is None else stream
    if out is None:  # closed by whoever started us
        return _Silence()
    live = not quiet and out.isatty()
    return _UntilNobodyReads(_Live(out, color=color) if live else _Lines(out, quiet=quiet), out)


def let_go(stream: TextIO | None) -> None:
    """Let a stream go nowhere from here on.

    What waits in it would fail once more when the process ends, whose exit status would then be Python's and not ours.
    """
    if stream is not None:
        with suppress(OSError):  # it may be no file at all
            place = stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != place:  # which it takes where nothing is open there
                os.dup2(nowhere, place)
                os.close(nowhere)


class _UntilNobodyReads:
    """Another watcher, until what it writes to takes no more: a reader or a terminal that went away, a full disk.

    A run is worth more than its progress: it goes on.
    """

    def __init__(self, watcher: Watcher, out: TextIO) -> None:
        self._watcher = watcher
        self._out = out
        self._observe: Callable[[Event], None] = lambda _: None

    def __enter__(self) -> Callable[[Event], None]:
        try:
            self._observe = self._watcher.__enter__()
        except OSError:
            let_go(self._out)
        return self._pass_on

    def __exit__(self, *exc: object) -> None:
        try:
            self._watcher.__exit__(*exc)
        except OSError:
            let_go(self._out)

    def _pass_on(self, event: Event) -> None:
        try:
            self._observe(event)
        except OSError:
            self._observe = lambda _: None
            let_go(self._out)


class _Silence:
    def __enter__(self) -> Callable[[Event], None]:
        return lambda _: None

    def __exit__(self, *exc: object) -> None:
        return


class _Lines:
    """A line when a phase ends, and one every few seconds while a long one runs. quiet: of warnings only."""

    def __init__(self, out: TextIO, *, quiet: bool = False) -> None:
        self._out = out
        self._quiet = quiet
        self._last = time.monotonic()
        self._rows: dict[str, int] = {}
        self._total = 0

    def __enter__(self) -> Callable[[Event], None]:
        return self._observe

    def __exit__(self, *exc: object) -> None:
        self._out.flush()

    def _say(self, text: str) -> None:
        self._out.write(escape_unprintable(text) + "\n")
        self._out.flush()
        self._last = time.monotonic()

    def _observe(self, event: Event) -> None:
        if event.kind == "warning":
            self._say(event.message)
        elif self._quiet:
            return
        elif event.kind == "note":
            self._say(event.message)
        elif event.kind == "phase-start":
            self._rows.clear()
            self._total = event.total_rows
        elif event.kind == "phase-end":
            rows = sum(self._rows.values())
            counted = f", {format_count(rows)} rows" if rows else ""
            after = "stopped after " if event.message else ""
            self._say(f"{_PHASES.get(event.phase, event.phase)}: {after}{format_duration(event.elapsed_s)}{counted}")
        elif event.kind == "step-start" and event.step_id.startswith("behaviour/"):
            if time.monotonic() - self._last >= LINE_EVERY_S:  # no row is counted while it lasts: it is named before
                self._say(f"  {_PHASES['proof']}: {event.table}, on both engines")
        elif event.table and event.rows:
            self._rows[event.step_id or event.table] = event.rows
            if time.monotonic() - self._last >= LINE_EVERY_S:
                rows = sum(self._rows.values())
                share = f" of {format_count(self._total)}" if self._total else ""
                doing = _PHASES.get(event.phase, event.phase)
                self._say(f"  {doing}: {format_count(rows)}{share} rows so far; {event.table}")


class _Live:
    """Bars: one for the phase, one for each table that is being worked on."""

    def __init__(self, out: TextIO, *, color: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(file=out, no_color=not color, highlight=False)
        self._progress: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[shown]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        self._phase: TaskID | None = None
        self._phase_total = 0
        self._rows: dict[str, int] = {}
        self._bytes: dict[str, int] = {}
        self._tasks: dict[str, TaskID] = {}
        self._begun = time.monotonic()

    def __enter__(self) -> Callable[[Event], None]:
        self._progress.start()
        return self._observe

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def _observe(self, event: Event) -> None:
        if event.kind in {"note", "warning"}:
            self._progress.console.print(escape_unprintable(event.message), markup=False)
        elif event.kind == "phase-start":
            self._start_phase(event)
        elif event.kind == "phase-end":
            self._end_phase(event)
        elif event.table or event.size_bytes:
            self._update(event)

    def _start_phase(self, event: Event) -> None:
        self._begun = time.monotonic()
        self._rows.clear()
        self._bytes.clear()
        self._phase_total = event.total_rows
        label = _PHASES.get(event.phase, event.phase)
        self._phase = self._progress.add_task(label, total=event.total_rows or None, shown="")

    def _end_phase(self, event: Event) -> None:
        for task in (*self._tasks.values(), self._phase):
            if task is not None:
                self._progress.remove_task(task)
        self._tasks.clear()
        self._phase = None
        rows = sum(self._rows.values())
        counted = f", {format_count(rows)} rows" if rows else ""
        label = _PHASES.get(event.phase, event.phase)
        mark, after = ("✗", "stopped after ") if event.message else ("✓", "")
        self._progress.console.print(
            f"{mark} {label}: {after}{format_duration(event.elapsed_s)}{counted}", markup=False, style="dim"
        )

    def _update(self, event: Event) -> None:
        name = event.step_id or event.table
        self._rows[name], self._bytes[name] = event.rows, event.size_bytes
        if event.kind == "step-end" and name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))
        elif event.kind != "step-end" and event.table:
            if name not in self._tasks and len(self._tasks) < SHOWN_TABLES:
                total = event.total_rows or None
                self._tasks[name] = self._progress.add_task(
                    f"  {escape_unprintable(event.table)}", total=total, shown=""
                )
            if name in self._tasks:
                shown = _rate(event.rows, event.size_bytes, event.elapsed_s)
                self._progress.update(self._tasks[name], completed=event.rows, shown=shown)
        if self._phase is not None:
            rows, size = sum(self._rows.values()), sum(self._bytes.values())
            shown = _rate(rows, size, time.monotonic() - self._begun)
            self._progress.update(self._phase, completed=rows, shown=shown)


def _rate(rows: int, size_bytes: int, elapsed_s: float) -> str:
    parts = []
    if rows:
        per_second = f", {format_count(round(rows / elapsed_s))}/s" if elapsed_s > 0.5 else ""
        parts.append(f"{format_count(rows)} rows{per_second}")
    if size_bytes:
        parts.append(format_size(size_bytes))
    return "  ".join(parts)
