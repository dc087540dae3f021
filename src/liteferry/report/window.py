"""The window of a move in words: as it was measured, as it is expected, and how far the two were apart.

Layer 1, pure. An expectation is always a range with its basis, and never stands where a measurement is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.forecast.spans import BETWEEN
from liteferry.report.charts import draw_window
from liteferry.report.wording import (
    escape_unprintable,
    format_byte_rate,
    format_duration,
    format_list,
    format_row_rate,
    format_share,
    wrap_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liteferry.model import Forecast, PhasePart, PhaseTime, Report

_NAMED: Final = 4
"""How many phases a sentence names; the others are the rest."""


def state_window(report: Report) -> str:
    """How long the application had, or would have had, to stand still; "" where nothing was published. Pure."""
    window = report.window
    if window is None:
        return ""
    return f"{format_duration(window.elapsed_s)}{_say_parts((p.name, p.elapsed_s) for p in window.parts)}"


def state_forecast(forecast: Forecast) -> str:
    """How long a window is expected to be: ``about 14 s (11 s to 19 s), of which load 6.0 s, …``. Pure."""
    parts = _say_parts((phase.name, phase.likely_s) for phase in forecast.phases)
    return f"about {format_duration(forecast.likely_s)} ({format_range(forecast)}){parts}"


_A_HUNDREDTH: Final = 0.01


def format_range(forecast: Forecast) -> str:
    """The bounds of a forecast: ``11 s to 19 s``. Pure."""
    return f"{format_duration(forecast.low_s)} to {format_duration(forecast.high_s)}"


def state_basis(forecast: Forecast) -> str:
    """What a forecast was made from, as a sentence. Pure."""
    said = f"from the run of {forecast.rehearsed_at}"
    if forecast.basis == "rates":
        said = "from this machine's census and what the rest usually takes: rehearse for a better figure"
    return "; ".join([said, *map(escape_unprintable, forecast.notes)]) + "."


def compare_forecast(report: Report) -> str:
    """How far the forecast was from what was measured; "" where there is not both, or one came from the other. Pure."""
    window, forecast = report.window, report.forecast
    if window is None or forecast is None or report.rehearsal or forecast.likely_s <= 0:
        return ""
    share = window.elapsed_s / forecast.likely_s - 1
    within = "within" if forecast.low_s <= window.elapsed_s <= forecast.high_s else "outside"
    much = f"{format_share(abs(share), 1)} {'longer' if share > 0 else 'shorter'} than was likely"
    return (
        f"it was expected to be about {format_duration(forecast.likely_s)} ({format_range(forecast)}): "
        f"{within} its bounds, {much if abs(share) >= _A_HUNDREDTH else 'nearly to the point'}"
    )


def render_forecast_text(forecast: Forecast, *, width: int = 100) -> str:
    """Write a forecast for a terminal. Pure. width: in columns."""
    lines = [wrap_text(f"Window: {state_forecast(forecast)}.", width=width, hang=2)]
    lines.append(wrap_text(f"{_capitalise(state_basis(forecast))}", width=width, indent=2))
    return "\n".join(lines) + "\n"


def describe_window(report: Report) -> dict[str, object]:
    """What is said and drawn of the window, for the pages; empty where none was measured or expected. Pure."""
    window, forecast = report.window, report.forecast
    if window is None and forecast is None:
        return {}
    shown = forecast if forecast and (window is None or not report.rehearsal) else None
    likely = [(phase.name, phase.likely_s) for phase in shown.phases] if shown else []
    parts = [(part.name, part.elapsed_s) for part in window.parts] if window else []
    sentences = []
    if said := state_window(report):
        sentences.append(
            f"In this rehearsal the application would have had to stand still for {said}."
            if report.rehearsal
            else f"The application had to stand still for {said}."
        )
    if compared := compare_forecast(report):
        sentences.append(f"{compared[:1].upper()}{compared[1:]}.")
    if forecast and (report.rehearsal or window is None):
        sentences.append(f"The move itself is expected to need {state_forecast(forecast)}.")
    if forecast and (basis := state_basis(forecast)):
        sentences.append(f"Expected {basis}")
    return {
        "sentences": sentences,
        "drawing": draw_window(parts, likely=likely, bounds=(shown.low_s, shown.high_s) if shown else (0, 0)),
        "rows": list_window(report),
        "is_compared": bool(window and shown),
    }


def list_window(report: Report) -> list[tuple[str, str, str]]:
    """The window's phases: name, what each took, and what it was expected to take ("" for nothing). Pure."""
    window = report.window
    if window is None:
        return []
    forecast = None if report.rehearsal else report.forecast
    expected = {phase.name: phase.likely_s for phase in forecast.phases} if forecast else {}
    taken = {part.name: part.elapsed_s for part in window.parts}
    names = dict.fromkeys((*taken, *expected))
    return [
        (
            name,
            format_duration(taken.get(name, 0.0)),
            format_duration(expected.get(name, 0.0)) if forecast else "",
        )
        for name in names
    ]


def describe_rate(phase: PhaseTime) -> str:
    """What a phase achieved: rows and bytes a second; "" where that would mean nothing. Pure."""
    rates = (format_row_rate(phase.rows, phase.elapsed_s), format_byte_rate(phase.size_bytes, phase.elapsed_s))
    return ", ".join(rate for rate in rates if rate)


def describe_part(part: PhasePart) -> str:
    """A part of a phase: how long it took, and by how many steps at once. Pure."""
    together = part.busy_s / part.elapsed_s if part.elapsed_s > 0 else 0.0
    beside = f", {together:.1f} at a time" if together >= 1.2 else ""
    return f"{format_duration(part.elapsed_s)}{beside}"


def _say_parts(parts: Iterable[tuple[str, float]]) -> str:
    found = list(parts)
    longest = sorted((part for part in found if part[0] != BETWEEN and part[1] > 0), key=lambda part: -part[1])
    chosen = {name for name, _ in longest[:_NAMED]}
    rest = sum(elapsed_s for name, elapsed_s in found if name not in chosen)
    said = [f"{name} {format_duration(elapsed_s)}" for name, elapsed_s in found if name in chosen]
    said += [f"the rest {format_duration(rest)}"] if rest > 0 else []
    return f", of which {format_list(said)}" if len(said) > 1 else ""


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
