"""From turns to figures: medians, spread, ratios, and what the targets say of them. Pure."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final

from peers import DUCKDB, FLOOR_ONE, FLOOR_TWO, LITEFERRY, PGLOADER, STOPPED, UNPROVEN

if TYPE_CHECKING:
    from collections.abc import Sequence

Figures = dict[str, Any]
TARGETS: Final = (
    ("wide", "whole run without proof, times as fast as pgloader", PGLOADER, UNPROVEN, "elapsed_s", 6.0),
    ("wide", "whole run with proof, times as fast as pgloader", PGLOADER, LITEFERRY, "elapsed_s", 4.0),
    ("wide", "rows alone, times as fast as DuckDB", DUCKDB, UNPROVEN, "rows_s", 1.2),
    ("wide", "whole run without proof, times the floor", UNPROVEN, "floor", "elapsed_s", -1.25),
    ("shape", "whole run without proof, times as fast as pgloader", PGLOADER, UNPROVEN, "elapsed_s", 15.0),
    ("shape", "whole run with proof, times as fast as pgloader", PGLOADER, LITEFERRY, "elapsed_s", 8.0),
    ("existing", "whole run without proof, times as fast as pgloader", PGLOADER, UNPROVEN, "elapsed_s", 3.0),
    ("existing", "whole run with proof, times as fast as pgloader", PGLOADER, LITEFERRY, "elapsed_s", 1.5),
)
"""Workload, what, the ratio's upper and lower way, of which time, the least that is aimed at; negative: the most."""


def spread(values: Sequence[float]) -> dict[str, float] | None:
    """Median, least and most; None of nothing."""
    if not values:
        return None
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def succeeded(turns: Sequence[Figures]) -> list[Figures]:
    """The turns whose time counts."""
    return [turn for turn in turns if turn["status"] == 0]


def compare_rounds(upper: Sequence[Figures], lower: Sequence[Figures], time: str) -> dict[str, float] | None:
    """The ratio of two ways, round by round, where both succeeded."""
    below = {turn["round"]: turn[time] for turn in succeeded(lower) if turn[time]}
    ratios = [turn[time] / below[turn["round"]] for turn in succeeded(upper) if turn[time] and turn["round"] in below]
    return spread(ratios)


def summarise(ways: dict[str, Figures]) -> None:
    """Put each way's figures beside its turns, in place."""
    for way in ways.values():
        good = succeeded(way["turns"])
        last = way["turns"][-1]
        way["elapsed_s"] = spread([turn["elapsed_s"] for turn in good])
        way["rows_s"] = spread([turn["rows_s"] for turn in good if turn["rows_s"] is not None])
        way["cpu_s"] = spread([turn["cpu_s"] for turn in good])
        way["peak_mb"] = max((turn["peak_mb"] for turn in good), default=None)
        way["phases"] = {
            phase: statistics.median(turn["phases"].get(phase, 0.0) for turn in good)
            for phase in (good[-1]["phases"] if good else ())
        }
        way["outcome"] = "done" if good else "stopped" if last["status"] == STOPPED else "failed"
        for name, base in (("ratio_to_proven", LITEFERRY), ("ratio_to_unproven", UNPROVEN)):
            way[name] = compare_rounds(way["turns"], ways[base]["turns"], "elapsed_s") if base in ways else None


def judge_targets(workloads: dict[str, Figures]) -> list[Figures]:
    """What was aimed at, and what was measured; None where a way was not measured."""
    found = []
    for workload, what, upper, lower, time, aim in TARGETS:
        ways = workloads.get(workload, {}).get("ways", {})
        if lower == "floor":
            floors = [way for way in (FLOOR_ONE, FLOOR_TWO) if ways.get(way, {}).get("elapsed_s")]
            lower_way = min(floors, key=lambda way: ways[way]["elapsed_s"]["median"], default="")
        else:
            lower_way = lower
        measured = None
        if upper in ways and lower_way in ways:
            measured = compare_rounds(ways[upper]["turns"], ways[lower_way]["turns"], time)
        reached = None if measured is None else measured["median"] <= -aim if aim < 0 else measured["median"] >= aim
        own, other = (upper, lower_way) if aim < 0 else (lower_way, upper)
        found.append(
            {
                "workload": workload,
                "what": what,
                "aim": aim,
                "measured": measured,
                "reached": reached,
                "own": own,
                "other": other,
                "time": time,
            }
        )
    return found
