"""The HTML report in a real browser: alone on the disk, at desktop and phone width, dark, by keyboard, on paper.

Needs Chromium (Debian: ``apt-get install chromium``); skipped where there is none.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liteferry.model import Report, from_json
from liteferry.report import render_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "report"
CASES = sorted(path.stem for path in GOLDEN.glob("*.json"))
DESKTOP, PHONE = 1280, 375


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses to be root
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=[*sandbox, "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a report from the disk; at the end nothing may have been requested, refused or complained about."""
    requests: list[str] = []
    complaints: list[str] = []
    contexts = []

    def open_report(report: Report, *, width: int = DESKTOP, scheme: str = "light") -> Page:
        path = tmp_path / "report.html"
        path.write_text(render_html(report), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert {url for url in requests if not url.startswith("data:,")} == {(tmp_path / "report.html").as_uri()}
    assert complaints == []


def load(case: str) -> Report:
    return from_json(Report, (GOLDEN / f"{case}.json").read_bytes())


def make_original() -> Report:
    """As many tables as the migration had that liteferry's specification comes from."""
    report = load("proven")
    names = [f"application_{number:03}" for number in range(161)]
    tables = (replace(report.tables[n % len(report.tables)], name=name, target=name) for n, name in enumerate(names))
    return replace(report, tables=tuple(tables))


MEASURE_OVERFLOW = """() => {
  const wide = [...document.querySelectorAll("body *")].filter(element => {
    const box = element.getBoundingClientRect();
    const scroller = element.closest(".scroll");
    return box.width > 0 && box.right > innerWidth + 0.5 && (!scroller || scroller === element);
  });
  const named = wide.map(element => element.outerHTML.slice(0, 99));
  return {page: document.documentElement.scrollWidth - innerWidth, wide: named};
}"""

WAIT_FOR_SCROLL = """() => new Promise(done => {
  let frames = 0;
  const look = () => {
    if (document.activeElement.scrollLeft > 0) done(true);
    else if (++frames > 300) done(false);
    else requestAnimationFrame(look);
  };
  look();
})"""


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("case", CASES)
def test_page_fits_the_screen(open_page: Callable[..., Page], case: str, width: int) -> None:
    page = open_page(load(case), width=width)
    assert page.evaluate(MEASURE_OVERFLOW) == {"page": 0, "wide": []}
    sections = page.locator("main section")
    assert sections.count() == page.locator("nav a").count() > 3
    for section in sections.all():
        box = section.bounding_box()
        assert section.is_visible()
        assert box is not None
        assert box["height"] > 40


def test_overflow_would_be_seen(open_page: Callable[..., Page]) -> None:
    page = open_page(load("proven"), width=PHONE)
    page.evaluate("document.querySelector('h1').style.width = '500px'")
    found = page.evaluate(MEASURE_OVERFLOW)
    assert found["page"] > 0
    assert "<h1" in found["wide"][0]


def test_long_names_do_not_widen_the_page(open_page: Callable[..., Page]) -> None:
    report = load("mismatch")
    long_name = "x" * 63
    tables = tuple(replace(table, name=long_name, target=long_name) for table in report.tables)
    findings = tuple(replace(finding, table=long_name, name=long_name * 3) for finding in report.findings)
    mismatches = tuple(replace(mismatch, table=long_name, key="k" * 200) for mismatch in report.mismatches)
    source = replace(report.source, path="/srv/" + "long" * 60)
    report = replace(report, tables=tables, findings=findings, mismatches=mismatches, source=source)
    page = open_page(report, width=PHONE)
    assert page.evaluate(MEASURE_OVERFLOW) == {"page": 0, "wide": []}


def test_wide_tables_scroll_inside_their_box_and_can_be_reached_by_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page(load("proven"), width=PHONE)
    box = page.locator(".scroll:has(table.verification)").first
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.focus()
    assert box.evaluate("box => document.activeElement === box")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(WAIT_FOR_SCROLL)
    name = page.locator("table.verification tbody th").first.bounding_box()
    assert name is not None
    assert name["x"] >= 0, "the table's name stays in sight"


def test_headings_form_an_outline(open_page: Callable[..., Page]) -> None:
    page = open_page(make_original())
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_folds_open_by_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page(make_original())
    hidden = page.get_by_role("row", name=re.compile("application_160 ")).first
    assert not hidden.is_visible()
    page.get_by_text("111 more proven tables").focus()
    page.keyboard.press("Enter")
    assert hidden.is_visible()


def test_drawings_have_names(open_page: Callable[..., Page]) -> None:
    page = open_page(load("proven"))
    drawing = page.get_by_role("img", name="Timeline of the run")
    assert drawing.is_visible()
    described = page.locator(f"#{(drawing.get_attribute('aria-labelledby') or '').split()[1]}").text_content() or ""
    assert all(phase.name in described for phase in load("proven").phases)
    bars = page.locator(".timeline rect.fill").evaluate_all(
        "bars => bars.map(bar => bar.getBoundingClientRect().width)"
    )
    elapsed = [phase.elapsed_s for phase in load("proven").phases]
    assert bars.index(max(bars)) == elapsed.index(max(elapsed))
    assert bars[3] / bars[4] == pytest.approx(elapsed[3] / elapsed[4], rel=0.1)


def test_the_window_is_drawn_end_to_end(open_page: Callable[..., Page]) -> None:
    report = load("proven")
    assert report.window is not None
    assert report.forecast is not None
    page = open_page(report, width=PHONE)
    drawing = page.get_by_role("img", name="The window, phase by phase")
    assert drawing.is_visible()
    boxes = page.locator(".window rect.piece").evaluate_all(
        "pieces => pieces.map(piece => { const {left, right, top} = piece.getBoundingClientRect();"
        " return [left, right, top]; })"
    )
    rows = [[box for box in boxes if box[2] == top] for top in sorted({box[2] for box in boxes})]
    measured = [part.elapsed_s for part in report.window.parts]
    expected = [phase.likely_s for phase in report.forecast.phases]
    assert [len(row) for row in rows] == [len(measured), len(expected)]
    scale = max(report.forecast.high_s, sum(measured), sum(expected))
    track = page.locator(".window rect.track").first.bounding_box()
    assert track is not None
    for row, lengths in zip(rows, (measured, expected), strict=True):
        for (left, right, _), elapsed_s in zip(row, lengths, strict=True):
            assert right - left == pytest.approx(elapsed_s / scale * track["width"], abs=0.6)
        for (_, right, _), (left, _, _) in itertools.pairwise(row):
            assert left == pytest.approx(right, abs=0.6), "no phase covers another, and there is no gap"
    bounds = page.locator(".window line.bounds").bounding_box()
    assert bounds is not None
    assert bounds["width"] == pytest.approx(
        (report.forecast.high_s - report.forecast.low_s) / scale * track["width"], abs=4
    )
    rows_shown = page.locator("section[aria-labelledby=window] tbody tr")
    assert rows_shown.count() == len(measured)


MEASURE_CONTRAST = """() => {
  const parse = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return {r, g, b, a};
  };
  const luminance = colour => {
    const [r, g, b] = [colour.r, colour.g, colour.b].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = element => {
    for (let node = element; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.a === 1) return colour;
      if (colour.a !== 0) throw new Error("half transparent background: " + node.outerHTML.slice(0, 99));
    }
    return {r: 255, g: 255, b: 255, a: 1};
  };
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const found = [];
  let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = luminance(parse(element.closest("svg") ? style.fill : style.color));
    const ground = luminance(background(element));
    const ratio = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    looked += 1;
    if (ratio < 4.5) found.push(ratio.toFixed(2) + " " + element.outerHTML.slice(0, 99));
  }
  return {looked, found, page: luminance(background(document.body))};
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("case", ["proven", "not-proven", "mismatch", "blocked", "failed"])
def test_every_text_can_be_read(open_page: Callable[..., Page], case: str, scheme: str) -> None:
    page = open_page(load(case), scheme=scheme)
    measured = page.evaluate(MEASURE_CONTRAST)
    assert measured["found"] == []
    assert measured["looked"] > 60
    assert (measured["page"] < 0.02) == (scheme == "dark")


def test_faint_text_would_be_seen(open_page: Callable[..., Page]) -> None:
    page = open_page(load("proven"))
    page.evaluate("document.querySelector('.claim').style.color = '#999'")
    assert 'class="claim"' in page.evaluate(MEASURE_CONTRAST)["found"][0]


def test_policy_refuses_the_network_and_foreign_scripts(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    faults = '<img src="http://127.0.0.1:9/x.png"><script>document.title = "taken over"</script><p style="color:red">'
    path.write_text(render_html(load("proven")).replace("<main>", f"<main>{faults}"), encoding="utf-8")
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri())
    assert page.title().startswith("Proven")
    assert len(complaints) >= 3
    assert all("Content Security Policy" in complaint for complaint in complaints)
    page.close()


def test_paper_shows_what_the_screen_folds(open_page: Callable[..., Page]) -> None:
    report = make_original()
    page = open_page(report)
    count_shown = "rows => rows.filter(row => row.getClientRects().length && row.checkVisibility()).length"
    rows = page.locator("table.verification tbody tr")
    assert rows.count() == len(report.tables)
    assert rows.evaluate_all(count_shown) == 50
    page.emulate_media(media="print", color_scheme="dark")
    assert rows.evaluate_all(count_shown) == len(report.tables), "by the style sheet alone"
    assert page.locator(".digests tbody tr").evaluate_all(count_shown) == len(report.tables)
    assert page.evaluate(MEASURE_CONTRAST)["page"] == 1.0, "paper is white, whatever the screen"
    assert not page.locator("nav").is_visible()


def test_browsers_without_the_style_rule_unfold_by_script(open_page: Callable[..., Page]) -> None:
    page = open_page(make_original())
    count_open = "document.querySelectorAll('details[open]').length"
    assert page.evaluate(count_open) == 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(count_open) == page.locator("details").count() == 2
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(count_open) == 0


def test_printed_report_has_every_table_and_every_digest(open_page: Callable[..., Page], tmp_path: Path) -> None:
    report = make_original()
    page = open_page(report)
    path = tmp_path / "report.pdf"
    page.pdf(path=path, prefer_css_page_size=True)
    pages = re.findall(rb"/Type\s*/Page\b.*?/MediaBox\s*\[([^\]]+)\]", path.read_bytes(), flags=re.DOTALL)
    assert 10 < len(pages) < 30
    width, height = (float(number) / 72 * 25.4 for number in pages[0].split()[2:])
    assert (round(width), round(height)) == (210, 297)
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("no pdftotext on this machine (Debian: apt-get install poppler-utils); the pages were counted only")
    text = subprocess.run([reader, "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    squeezed = re.sub(r"\s", "", text)
    for table in report.tables:
        assert squeezed.count(table.name) >= 2, "once in the verification, once among the digests"
        assert table.digest in squeezed
    assert squeezed.count("✓proven") == len(report.tables)
