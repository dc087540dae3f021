"""The pages' figures of speed are those of the committed measurement, written by the bench and by nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import growth
import pytest
from drawing import BLOCKS, MARK, draw_chart, fill_blocks

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = json.loads((ROOT / "bench" / "results" / "comparison.json").read_text())
PAGES = [page for page in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"] if "<!-- bench:" in page.read_text()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_the_measured_figures(page: Path) -> None:
    text = page.read_text()
    assert fill_blocks(text, RESULTS) == text, "written by: python bench/run.py --from bench/results/… --write-docs"
    changed = json.loads(json.dumps(RESULTS))
    for figures in changed["workloads"].values():
        for way in figures["ways"].values():
            way["elapsed_s"] = {"least": 1000.0, "median": 1001.0, "most": 1002.0}
    if "<!-- bench:times -->" in text or "<!-- bench:summary -->" in text:
        assert fill_blocks(text, changed) != text


def test_the_table_of_growth_is_the_measured_one() -> None:
    found = list(growth.read_results(ROOT / "bench" / "results" / "growth.json").values())
    assert {"rows-1e5", "rows-1e6", "rows-1e7"} <= {each.name for each in found}
    text = growth.PAGE.read_text()
    assert growth.fill_page(text, found) == text, "written by: python bench/growth.py … --write-docs"


def test_every_block_is_on_a_page() -> None:
    assert len(PAGES) >= 2
    texts = [page.read_text() for page in PAGES]
    for name in BLOCKS:
        assert any(MARK.format("", name) in text and MARK.format("/", name) in text for text in texts), name


def test_the_chart_is_drawn_from_the_same() -> None:
    committed = (ROOT / "docs" / "assets" / "speed.svg").read_text()
    assert draw_chart(RESULTS) == committed
    drawing = ET.fromstring(committed)  # noqa: S314 - our own drawing
    space = "{http://www.w3.org/2000/svg}"
    assert "prefers-color-scheme: dark" in (drawing.findtext(f"{space}style") or "")
    width = float(drawing.get("width") or 0)
    for bar in drawing.iter(f"{space}rect"):
        assert float(bar.get("x") or 0) + float(bar.get("width") or 0) <= width
