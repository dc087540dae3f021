"""The length of a window, foretold: from an earlier run, or from rates.

Layer 1, pure. More to do never takes less time: every figure of `Work` has a rate that is not negative, and what an
earlier run took grows by the ratio of two such sums.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from liteferry.forecast.rates import RATES, REFERENCE_JOBS, REFERENCE_SERVER, SLACK_S, SPREAD
from liteferry.forecast.spans import BETWEEN
from liteferry.model import WINDOW_SCHEMA, Expected, Forecast, ServerSpeed, Work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from liteferry.forecast.rates import Rate
    from liteferry.model import Into

_LIMITS: Final = (0.2, 10.0)
"""A machine or server that seems faster or slower than this by one short trial is not believed to be."""
_TRUSTED_S: Final = 0.065
"""A measured time that is much shorter than this says little about a machine."""
_OF_DJANGO: Final = frozenset({"project", "drift", "schema", "evidence"})
_OF_STAGING: Final = frozenset({"indexes", "analyze"})
_OF_PROOF: Final = frozenset({"proof", "evidence"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How fast this machine and the server are, measured: factors on the rates' times, 1 where nothing is known."""

    client: float = 1.0
    server: float = 1.0
    speed: ServerSpeed = REFERENCE_SERVER
    jobs: int = REFERENCE_JOBS


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An earlier run, as far as predicting needs it. ``parts``: seconds of its window, by phase.

    ``is_rehearsal``: it was one, and no migration. ``is_same_server``: it went into the server that is meant now.
    """

    run_id: str
    started_at: str
    parts: Mapping[str, float]
    work: Work
    jobs: int = REFERENCE_JOBS
    speed: ServerSpeed | None = None
    is_rehearsal: bool = True
    is_same_server: bool = True


@dataclass(slots=True)
class _Sum:
    """Phases as they are added."""

    phases: list[Expected] = field(default_factory=list)

    def add(self, name: str, likely_s: float, spread: tuple[float, float]) -> None:
        low, high = spread
        self.phases.append(
            Expected(name=name, likely_s=likely_s, low_s=likely_s * low, high_s=likely_s * high + SLACK_S)
        )


def judge_machine(
    work: Work, *, census_s: float | None, speed: ServerSpeed | None = None, jobs: int = REFERENCE_JOBS
) -> Machine:
    """Judge this machine by its census, and the server by its trial. Pure.

    census_s: what the census of this work took; None where there was none.
    """
    client = 1.0
    if census_s is not None:
        usual_s = _estimate("census", work, Machine())
        client = (census_s / usual_s) ** (usual_s / (usual_s + _TRUSTED_S))
    chosen = speed or REFERENCE_SERVER
    return Machine(
        client=_limit(client),
        server=_limit(chosen.work_s / REFERENCE_SERVER.work_s),
        speed=chosen,
        jobs=max(1, jobs),
    )


def predict_from_rates(
    work: Work,
    machine: Machine,
    *,
    into: Into = "new",
    verify: bool = True,
    measured: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
) -> Forecast:
    """Predict a window from what things usually take, on this machine and server. Pure.

    measured: seconds of phases that were measured just now, which are taken as they are.
    """
    known, total = measured or {}, _Sum()
    for name in list_phases(into, verify=verify):
        if name in known:
            total.add(name, known[name], SPREAD["measured"])
        else:
            total.add(name, _estimate(name, work, machine, into=into), SPREAD["rates"])
    return _add_up(total, basis="rates", notes=tuple(notes))


def predict_from_past(
    past: Past,
    work: Work,
    machine: Machine,
    *,
    into: Into = "new",
    verify: bool = True,
    notes: Sequence[str] = (),
    times: Mapping[str, float] | None = None,
) -> Forecast:
    """Predict a window from an earlier run, by how much more there is to do, and how fast this server is. Pure.

    times: how often phases are gone through, where that is not as in the earlier run.
    """
    total, wanted = _Sum(), list_phases(into, verify=verify)
    others = [name for name in past.parts if name not in RATES]  # the user's own SQL, for one
    for name in (*wanted, *others):
        if name in past.parts:
            likely_s = _scale(name, past, work, machine, into=into) * (times or {}).get(name, 1.0)
            total.add(name, likely_s, SPREAD["rehearsal" if past.is_same_server else "elsewhere"])
        elif name not in _OF_STAGING | {BETWEEN}:
            total.add(name, _estimate(name, work, machine, into=into), SPREAD["rates"])
    return _add_up(total, basis="rehearsal", rehearsal=past.run_id, rehearsed_at=past.started_at, notes=tuple(notes))


def list_phases(into: Into, *, verify: bool = True) -> tuple[str, ...]:
    """The phases of a move's window, by name, in their order. Pure."""
    left_out = (_OF_DJANGO if into != "django" else frozenset()) | (_OF_STAGING if into != "new" else frozenset())
    left_out |= frozenset() if verify else _OF_PROOF
    return tuple(name for name in RATES if name not in left_out)


def _estimate(name: str, work: Work, machine: Machine, *, into: Into = "new") -> float:
    """What a phase takes by the rates, in s."""
    rate = RATES[name]
    micros = _add_rates(rate, work)
    if name == "load" and into != "new":  # the indexes are there, or are made again in the same transaction
        micros += _add_rates(RATES["indexes"], work)
    client, server = machine.client * (1 - rate.server_share), machine.server * rate.server_share
    jobs = machine.jobs if into == "new" else 1  # one transaction, one connection
    worked_s = micros * 1e-6 * (client + server) * _slow_down(rate.parallel_share, jobs)
    if rate.sends:
        worked_s = max(worked_s, _send(work, machine))
    return _count_trips(name, work) * machine.speed.round_trip_s + worked_s


def _add_rates(rate: Rate, work: Work) -> float:
    """The microseconds of a phase by its rate, wherever it runs."""
    return (
        rate.fixed_ms * 1000
        + rate.source_byte_us * work.source_bytes
        + rate.table_us * work.tables
        + rate.object_us * work.objects
        + rate.row_us * work.rows
        + rate.value_us * work.values
        + rate.byte_us * work.size_bytes
        + rate.document_byte_us * work.document_bytes
        + rate.entry_us * work.entries
        + rate.reference_us * work.references
    )


def _scale(name: str, past: Past, work: Work, machine: Machine, *, into: Into) -> float:
    """What a phase of an earlier run takes now, in s."""
    taken_s = past.parts[name]
    rate = RATES.get(name)
    if rate is None:
        return taken_s
    usual = Machine()
    before_s, now_s = _estimate(name, past.work, usual, into=into), _estimate(name, work, usual, into=into)
    scaled_s = taken_s * (now_s / before_s if before_s > 0 else 1.0)
    if into == "new":
        scaled_s *= _slow_down(rate.parallel_share, machine.jobs) / _slow_down(rate.parallel_share, past.jobs)
    if past.is_same_server or past.speed is None:
        return scaled_s
    ratio = _limit(machine.speed.work_s / past.speed.work_s) if past.speed.work_s > 0 else 1.0
    moved_s = scaled_s * (1 - rate.server_share + rate.server_share * ratio)
    farther_s = max(0.0, machine.speed.round_trip_s - past.speed.round_trip_s)
    if rate.sends:
        moved_s = max(moved_s, _send(work, machine))
    return moved_s + _count_trips(name, work) * farther_s


def _send(work: Work, machine: Machine) -> float:
    """The least that all values take on their way, in s."""
    bytes_s = machine.speed.transfer_bytes_s
    return work.size_bytes / bytes_s if bytes_s > 0 else 0.0


def _count_trips(name: str, work: Work) -> float:
    rate = RATES[name]
    return rate.trips + rate.trips_a_table * work.tables + rate.trips_a_step * work.steps


def _slow_down(parallel_share: float, jobs: int) -> float:
    """How many times longer a phase takes than with the jobs of the rates; more jobs than those win nothing sure."""
    return 1 - parallel_share + parallel_share * REFERENCE_JOBS / min(max(jobs, 1), REFERENCE_JOBS)


def _limit(factor: float) -> float:
    low, high = _LIMITS
    return min(max(factor, low), high)


def _add_up(
    total: _Sum, *, basis: str, notes: tuple[str, ...], rehearsal: str = "", rehearsed_at: str = ""
) -> Forecast:
    return Forecast(
        schema=WINDOW_SCHEMA,
        likely_s=sum(phase.likely_s for phase in total.phases),
        low_s=sum(phase.low_s for phase in total.phases),
        high_s=sum(phase.high_s for phase in total.phases),
        phases=tuple(total.phases),
        basis="rehearsal" if basis == "rehearsal" else "rates",
        rehearsal=rehearsal,
        rehearsed_at=rehearsed_at,
        notes=notes,
    )
