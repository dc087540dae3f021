"""Drawings for the HTML report: inline SVG, as text.

Layer 1, pure. Positions across are percentages and sizes down are pixels, so that a drawing fills whatever width it
gets while its lettering keeps its size: no scaling, no script. Colours come from the page's style sheet by class.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

from liteferry.report.wording import escape_unprintable, format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import PhaseTime

_ROW_PX: Final = 38  # a phase: its lettering and its bar
_AXIS_PX: Final = 30
_LONGEST_LABEL: Final = 30  # characters that fit beside the duration on a phone


def draw_timeline(phases: Sequence[PhaseTime], total_s: float) -> str:
    """Draw the phases as bars on one axis of time. Pure; empty where no time was measured.

    total_s: the whole run, in s; the axis is as long as the run or the last phase's end.
    """
    end_s = max([total_s, *(phase.started_s + phase.elapsed_s for phase in phases)])
    if not phases or end_s <= 0:
        return ""
    height = _ROW_PX * len(phases) + _AXIS_PX
    spoken = "; ".join(
        f"{phase.name}: from {format_duration(phase.started_s)}, {format_duration(phase.elapsed_s)} long"
        for phase in phases
    )
    parts = [
        (
            f'<svg class="timeline" role="img" width="100%" height="{height}" '
            'aria-labelledby="timeline-title timeline-desc">'
            '<title id="timeline-title">Timeline of the run</title>'
            f'<desc id="timeline-desc">{_escape(spoken)}</desc>'
        ),
    ]
    bottom = height - _AXIS_PX
    ticks = choose_ticks(end_s)
    for tick_s in ticks:
        across = _percent(tick_s / end_s)
        parts.append(f'<line class="grid" x1="{across}" x2="{across}" y1="0" y2="{bottom + 4}"/>')
    for number, phase in enumerate(phases):
        top = number * _ROW_PX
        label = phase.name if len(phase.name) <= _LONGEST_LABEL else phase.name[: _LONGEST_LABEL - 1] + "…"
        took = _escape(format_duration(phase.elapsed_s))
        parts += [
            f'<text class="label" x="0" y="{top + 15}">{_escape(label)}</text>',
            f'<text class="amount" x="100%" y="{top + 15}" text-anchor="end">{took}</text>',
            f'<rect class="track" x="0" y="{top + 21}" width="100%" height="9" rx="2"/>',
            draw_piece(phase.started_s / end_s, phase.elapsed_s / end_s, top_px=top + 21),
        ]
    for tick_s in ticks:
        anchor = "start" if tick_s == 0 else "end" if tick_s / end_s > 0.9 else "middle"
        parts.append(
            f'<text class="tick" x="{_percent(tick_s / end_s)}" y="{height - 8}" text-anchor="{anchor}">'
            f"{_escape(format_duration(tick_s))}</text>"
        )
    return "".join([*parts, "</svg>"])


def draw_window(
    parts: Sequence[tuple[str, float]],
    *,
    likely: Sequence[tuple[str, float]] = (),
    bounds: tuple[float, float] = (0, 0),
) -> str:
    """Draw a window as a bar of its phases, end to end; below it, where there is one, the forecast. Pure.

    parts, likely: names and seconds. bounds: of the forecast, drawn as a line. Empty where there is no time.
    """
    rows = [(label, found) for label, found in (("measured", parts), ("expected", likely)) if found]
    longest = max([bounds[1], *(sum(elapsed_s for _, elapsed_s in found) for _, found in rows)])
    if longest <= 0:
        return ""
    height = _ROW_PX * len(rows) + 6
    spoken = "; ".join(
        f"{label}: {', '.join(f'{name} {format_duration(elapsed_s)}' for name, elapsed_s in found)}"
        for label, found in rows
    )
    pieces = [
        (
            f'<svg class="window" role="img" width="100%" height="{height}" '
            'aria-labelledby="window-title window-desc">'
            '<title id="window-title">The window, phase by phase</title>'
            f'<desc id="window-desc">{_escape(spoken)}</desc>'
        )
    ]
    for number, (label, found) in enumerate(rows):
        top, begun = number * _ROW_PX, 0.0
        total = format_duration(sum(elapsed_s for _, elapsed_s in found))
        pieces += [
            f'<text class="label" x="0" y="{top + 15}">{label}</text>',
            f'<text class="amount" x="100%" y="{top + 15}" text-anchor="end">{_escape(total)}</text>',
            f'<rect class="track" x="0" y="{top + 21}" width="100%" height="12" rx="2"/>',
        ]
        for place, (name, elapsed_s) in enumerate(found):
            spot = f'x="{_percent(begun / longest)}" y="{top + 21}" width="{_percent(elapsed_s / longest)}" height="12"'
            pieces.append(
                f"<g><title>{_escape(name)}: {_escape(format_duration(elapsed_s))}</title>"
                f'<rect class="piece {"odd" if place % 2 else "even"}" {spot}/></g>'
            )
            begun += elapsed_s
        if label == "expected" and bounds[1] > 0:
            low, high = (_percent(bound / longest) for bound in bounds)
            pieces.append(f'<line class="bounds" x1="{low}" x2="{high}" y1="{top + 37}" y2="{top + 37}"/>')
    return "".join([*pieces, "</svg>"])


def draw_bar(share: float) -> str:
    """Draw one bar of a bar chart; the figures stand beside it as text. Pure. share: 0 to 1 of the full width."""
    return (
        '<svg class="bar" aria-hidden="true" focusable="false" width="100%" height="9">'
        '<rect class="track" x="0" y="0" width="100%" height="9" rx="2"/>'
        f"{draw_piece(0, share, top_px=0)}</svg>"
    )


def draw_piece(start: float, share: float, *, top_px: int) -> str:
    """Draw the filled part of a bar. Pure. start, share: 0 to 1; never thinner than can be seen, never outside."""
    share = min(max(share, 0.004), 1.0)
    start = min(max(start, 0.0), 1.0 - share)
    return f'<rect class="fill" x="{_percent(start)}" y="{top_px}" width="{_percent(share)}" height="9" rx="2"/>'


def choose_ticks(end_s: float) -> list[float]:
    """Choose three to six round moments from 0 to the end of an axis, in s. Pure.

    Round as people count time: 1, 2, 5 times a power of ten up to 10 s; quarters of minutes and hours above.
    """
    steps = [factor * 10.0**power for power in range(-5, 1) for factor in (1, 2, 5)]
    steps += [10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0]
    step_s = next((step for step in steps if end_s / step <= 5), 3600.0 * math.ceil(end_s / 5 / 3600))
    return [number * step_s for number in range(int(end_s / step_s + 1e-9) + 1)]


def _percent(share: float) -> str:
    return f"{round(100 * share, 2):g}%"


def _escape(text: str) -> str:
    return escape(escape_unprintable(text))
