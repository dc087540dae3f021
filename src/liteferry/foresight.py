"""Predicting a run's window: a short trial of the server, an earlier run of the same source, and what is known by now.

Layer 3. Used by `course`, `pipeline` and `django_move`. What is asked of server and disk is asked before the snapshot,
while the application still runs.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.forecast import Past, judge_machine, measure_window, predict_from_past, predict_from_rates
from liteferry.model import (
    REPORT_SCHEMA,
    Forecast,
    Into,
    PhaseTime,
    Plan,
    ServerInfo,
    ServerSpeed,
    Window,
    Work,
)
from liteferry.run import REPORT_NAME, Run, choose_jobs, read_saved

if TYPE_CHECKING:
    from liteferry.model import Options
    from liteferry.target import Target

_LOOKED_AT: Final = 20
"""How many runs beside a source are looked at, the newest first."""
_MEASURED: Final = frozenset({"snapshot", "census", "plan", "project", "drift"})
"""The phases that a check goes through as a migration does."""
_RESTORED_SHARE: Final = 0.15
"""What it takes to restore the schema that migrations made, as a share of what they took."""
_TOLD_S: Final = 30.0
"""Windows that are expected to be at least this long are told when the plan is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A plan, and how long the application would have to stand still for it. ``phases``: of the examination."""

    plan: Plan
    forecast: Forecast | None = None
    phases: tuple[PhaseTime, ...] = ()
    server_speed: ServerSpeed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saved:
    """What is read of an earlier run's report; it may be another version's."""

    schema: str
    run_id: str
    started_at: str
    target_schema: str
    jobs: int = 1
    into: Into = "new"
    rehearsal: bool = False
    target: ServerInfo | None = None
    window: Window | None = None
    work: Work | None = None
    server_speed: ServerSpeed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What was found out before a run: how fast the server is, and an earlier run."""

    speed: ServerSpeed | None = None
    past: Past | None = None
    was_embedded: bool = False  # where that run went
    has_target: bool = False


def look_ahead(run: Run, server: Target | None, *, moves: bool = False) -> Foresight:
    """Try the server out, and find the earlier run to predict by. server: None where none is known yet.

    moves: the run is a migration, for which somebody may be waiting already, unless its options say that it is none: it
    is content with less, and does not try out the transfer, nor a server that the earlier run knows.

    Raises: MigrationError: connection-lost; run-dir, where `Options.rehearsed` names no run that can be used.
    """
    saved = _read_named(run.options) if run.options.rehearsed else _find_newest(run)
    then, now = saved.target if saved is not None else None, run.server
    is_same = now is None or (then is not None and _locate(then) == _locate(now))
    moves = moves and not (run.options.rehearsal or run.options.dry_run)
    if server is not None and not (moves and saved is not None and is_same):
        run.speed = server.measure_speed(transfers=not moves)
    if saved is None or saved.window is None or saved.work is None:
        return Foresight(speed=run.speed, has_target=server is not None)
    past = Past(
        run_id=saved.run_id,
        started_at=saved.started_at,
        parts={part.name: part.elapsed_s for part in saved.window.parts},
        work=saved.work,
        jobs=saved.jobs,
        speed=saved.server_speed,
        is_rehearsal=saved.rehearsal,
        is_same_server=is_same,
    )
    return Foresight(
        speed=run.speed,
        past=past,
        was_embedded=then is not None and then.embedded,
        has_target=server is not None,
    )


def foresee(run: Run, plan: Plan, found: Foresight) -> Forecast | None:
    """Predict the window of a plan; None where the run does not know how much there is to do."""
    if run.work is None:
        return None
    options = run.options
    measured: dict[str, float] = {}
    for phase in run.phases:
        measured[phase.name] = measured.get(phase.name, 0.0) + phase.elapsed_s
    machine = judge_machine(
        run.work, census_s=measured.get("census"), speed=found.speed, jobs=choose_jobs(options.jobs)
    )
    twice = plan.into == "django" and _plans_twice(run, found)
    if found.past is not None:
        times = {"census": 2.0, "plan": 2.0, "schema": 2.0} if twice and found.was_embedded else {}
        return predict_from_past(
            found.past, run.work, machine, into=plan.into, verify=options.verify, times=times,
            notes=_note_past(found.past),
        )  # fmt: skip
    known = {name: elapsed_s for name, elapsed_s in measured.items() if name in _MEASURED}
    if "schema" in measured and run.django is not None:
        known["schema"] = _expect_schema(measured["schema"], run.django.made_by, run.django.migrations_s, twice=twice)
    if twice:
        known |= {name: known[name] * 2 for name in ("census", "plan") if name in known}
    notes = [] if found.has_target else ["no TARGET was given: for a server on this machine"]
    return predict_from_rates(run.work, machine, into=plan.into, verify=options.verify, measured=known, notes=notes)


def describe_examination(run: Run, plan: Plan, found: Foresight) -> Examination:
    """What an examination found out."""
    return Examination(
        plan=plan, forecast=foresee(run, plan, found), phases=run.describe_phases(), server_speed=found.speed
    )


def foresee_move(run: Run, plan: Plan) -> Forecast | None:
    """Predict the window of the move that a run has just rehearsed, on the same server."""
    window = measure_window(run.phases, is_rehearsal=True)
    if window is None or run.work is None:
        return None
    past = Past(
        run_id=run.run_id,
        started_at=run.started.isoformat(timespec="seconds"),
        parts={part.name: part.elapsed_s for part in window.parts},
        work=run.work,
        jobs=run.jobs,
        speed=run.speed,
    )
    census_s = sum(phase.elapsed_s for phase in run.phases if phase.name == "census")
    machine = judge_machine(run.work, census_s=census_s or None, speed=run.speed, jobs=run.jobs)
    notes = ["for a move into this server; for another, `liteferry check` with it as TARGET measures the difference"]
    return predict_from_past(
        past, run.work, machine, into=plan.into, verify=run.options.verify,
        notes=notes if run.server is not None and run.server.embedded else (),
    )  # fmt: skip


def note_forecast(run: Run) -> None:
    """Tell the user of a window that is going to be long."""
    from liteferry.report.window import state_forecast

    if run.forecast is not None and run.forecast.likely_s >= _TOLD_S and not run.options.dry_run:
        run.note(f"the window is expected to be {state_forecast(run.forecast)}")


def _plans_twice(run: Run, found: Foresight) -> bool:
    """Whether a project's plan is made on the embedded server first, and then on the target."""
    return found.has_target and not (run.server is not None and run.server.embedded)


def _expect_schema(elapsed_s: float, made_by: str, migrations_s: float, *, twice: bool) -> float:
    """What making the schema will take, after it was made once: restored there, and made or restored on the target."""
    restored_s = elapsed_s if made_by == "rehearsal" else elapsed_s * _RESTORED_SHARE
    return restored_s + max(migrations_s, restored_s) if twice else restored_s


def _note_past(past: Past) -> list[str]:
    notes = []
    if not past.is_rehearsal:
        notes.append("that run was a migration")
    if not past.is_same_server:
        notes.append(
            "that run went to another server; the difference was measured in a moment, so rehearse on this one"
            if past.speed is not None
            else "that run went to another server, and nothing is known of its speed"
        )
    return notes


def _locate(server: ServerInfo) -> tuple[object, ...]:
    """A server, whatever the database: every rehearsal on the embedded one has a database of its own."""
    return (server.embedded,) if server.embedded else (server.host, server.port)


def _read_named(options: Options) -> _Saved:
    directory = Path(options.rehearsed or "")
    saved = read_saved(directory, REPORT_NAME, _Saved)
    if saved.window is None or saved.work is None:
        raise MigrationError(
            f"the run in {directory} did not come to its end, or is of an older version: it says nothing of a window",
            code="run-dir",
            hint="rehearse again: `liteferry rehearse`",
        )
    return saved


def _find_newest(run: Run) -> _Saved | None:
    """The newest run beside the source that is like this one; a server that is the same comes first."""
    if run.directory_of_runs is None:
        return None
    pattern = f"{glob.escape(run.directory_of_runs.name)}/*/{REPORT_NAME}"
    reports = sorted(run.directory_of_runs.parent.glob(pattern), key=lambda path: path.parent.name, reverse=True)
    newest: _Saved | None = None
    for path in reports[:_LOOKED_AT]:
        try:
            saved = read_saved(path.parent, REPORT_NAME, _Saved)
        except MigrationError:  # another version's, or somebody else's: only a forecast is worse for it
            continue
        is_whole = saved.schema == REPORT_SCHEMA and saved.window is not None and saved.work is not None
        if not is_whole or not _is_alike(saved, run.options):
            continue
        newest = newest or saved
        if run.server is None or (saved.target is not None and _locate(saved.target) == _locate(run.server)):
            return saved
    return newest


def _is_alike(saved: _Saved, options: Options) -> bool:
    wanted: Into = "django" if options.project is not None and options.into != "existing" else options.into
    return saved.into == wanted
