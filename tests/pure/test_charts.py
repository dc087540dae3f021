"""The drawings of the HTML report: geometry within the frame, names that cannot break the markup, readable ticks."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree as ET

import pytest

from liteferry.model import PhaseTime
from liteferry.report.charts import choose_ticks, draw_bar, draw_timeline, draw_window


def read_share(text: str | None) -> float:
    assert text is not None
    assert text.endswith("%")
    return float(text[:-1])


@pytest.mark.parametrize("total_s", [0.004, 6.27, 59.9, 203.0, 9000.0, 400_000.0])
def test_timeline_stays_within_its_frame(total_s: float) -> None:
    phases = [
        PhaseTime(name="a <b> & a very long name of a phase that does not fit", started_s=0, elapsed_s=total_s / 3),
        PhaseTime(name="nothing", started_s=total_s / 3, elapsed_s=0),
        PhaseTime(name="last", started_s=total_s * 0.9999, elapsed_s=total_s / 10_000),
    ]
    drawing = ET.fromstring(draw_timeline(phases, total_s))  # noqa: S314 - our own drawing
    bars = [rect for rect in drawing.iter("rect") if rect.get("class") == "fill"]
    assert len(bars) == len(phases)
    for bar in bars:
        assert read_share(bar.get("x")) >= 0
        assert read_share(bar.get("width")) > 0
        assert read_share(bar.get("x")) + read_share(bar.get("width")) <= 100.01
    assert read_share(bars[0].get("width")) == pytest.approx(100 / 3, abs=0.01)
    assert drawing.find("title") is not None
    assert "3 " not in (drawing.findtext("title") or "")
    assert drawing.findtext("desc", "").count(";") == 2


def test_nothing_is_drawn_without_time() -> None:
    assert draw_timeline([], 3.0) == ""
    assert draw_timeline([PhaseTime(name="a", elapsed_s=0)], 0) == ""


@pytest.mark.parametrize("end_s", [0.0001, 0.03, 0.7, 1.0, 6.27, 42.0, 75.0, 203.4, 1000.0, 5000.0, 90_000.0])
def test_ticks_are_few_even_and_inside(end_s: float) -> None:
    ticks = choose_ticks(end_s)
    assert ticks[0] == 0
    assert 3 <= len(ticks) <= 6
    assert ticks[-1] <= end_s * 1.000001
    gaps = [after - before for before, after in itertools.pairwise(ticks)]
    assert max(gaps) == pytest.approx(min(gaps))


@pytest.mark.parametrize(("share", "width"), [(0.0, 0.4), (0.43, 43.0), (1.0, 100.0), (7.0, 100.0)])
def test_bar_is_as_long_as_its_share(share: float, width: float) -> None:
    bar = ET.fromstring(draw_bar(share))  # noqa: S314 - our own drawing
    assert [read_share(rect.get("width")) for rect in bar.iter("rect")] == [100.0, width]


def test_a_window_is_drawn_to_its_end_and_not_beyond() -> None:
    parts = [("a <b>", 1.0), ("nothing", 0.0), ("c", 3.0)]
    drawing = ET.fromstring(draw_window(parts, likely=[("a <b>", 2.0)], bounds=(1.0, 8.0)))  # noqa: S314 - our own drawing
    pieces = [rect for rect in drawing.iter("rect") if (rect.get("class") or "").startswith("piece")]
    spans = [tuple(float((piece.get(side) or "").rstrip("%")) for side in ("x", "width")) for piece in pieces]
    assert spans == [(0, 12.5), (12.5, 0), (12.5, 37.5), (0, 25)], "of 8 s, the upper bound"
    (line,) = [found for found in drawing.iter("line") if found.get("class") == "bounds"]
    assert (line.get("x1"), line.get("x2")) == ("12.5%", "100%")
    assert [title.text for title in drawing.iter("title")][1:] == [
        "a <b>: 1.0 s",
        "nothing: 0 s",
        "c: 3.0 s",
        "a <b>: 2.0 s",
    ]


def test_without_time_there_is_no_window_to_draw() -> None:
    assert draw_window([]) == ""
    assert draw_window([("a", 0.0)]) == ""
    assert 'class="bounds"' not in draw_window([("a", 1.0)])
