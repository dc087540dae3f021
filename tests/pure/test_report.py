"""The renderers of `liteferry.report`: golden files for every verdict, hostile names, huge reports, honest sentences.

LITEFERRY_UPDATE_GOLDEN=1 rewrites the golden files; look at the difference before you keep it.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import re
import shlex
import sys
from collections import Counter
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pytest
from markdown_it import MarkdownIt

from liteferry.choosing.suggestions import ColumnChoice, Suggestion
from liteferry.findings import FINDINGS, make_finding
from liteferry.model import (
    PLAN_SCHEMA,
    Catalog,
    Census,
    Column,
    ColumnCensus,
    ColumnMap,
    ConfigFile,
    Finding,
    ForeignKey,
    Form,
    HookFile,
    HookRun,
    Mismatch,
    NameChange,
    ObjectCount,
    Offence,
    Options,
    Orphans,
    Plan,
    Report,
    Sample,
    SourceInfo,
    Step,
    Table,
    TableCensus,
    TableMap,
    Trigger,
    View,
    VirtualTable,
    WayOut,
    from_json,
)
from liteferry.planner import accept_findings
from liteferry.planner.missing import recount_missing
from liteferry.report import (
    render_findings_text,
    render_html,
    render_inspect_text,
    render_json,
    render_markdown,
    render_plan_text,
    render_text,
)
from liteferry.report.advice import advise
from liteferry.report.grouping import group_findings, write_accept_option
from liteferry.report.project import list_models, state_project
from liteferry.report.verdict import state_outcome, state_verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from liteferry.model import Verdict

T = TypeVar("T")

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "report"
CASES = sorted(path.stem for path in GOLDEN.glob("*.json"))
RENDERERS: dict[str, Callable[[Report], str]] = {"txt": render_text, "md": render_markdown, "html": render_html}


def load(case: str) -> Report:
    return from_json(Report, (GOLDEN / f"{case}.json").read_bytes())


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("LITEFERRY_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{name} is missing; LITEFERRY_UPDATE_GOLDEN=1 writes it"
    assert text == path.read_text(encoding="utf-8")


def leave_assets_out(page: str) -> str:
    """The page without its style, script and policy: they are the same in every page, and have tests of their own."""
    page = re.sub(r"(<style>).*?(</style>)", r"\1…\2", page, flags=re.DOTALL)
    page = re.sub(r"(<script>).*?(</script>)", r"\1…\2", page, flags=re.DOTALL)
    return re.sub(r"sha256-[A-Za-z0-9+/=]+", "sha256-…", page)


# ---------------------------------------------------------------------------------------------------------------------
# Golden files


def test_there_is_a_case_for_every_verdict() -> None:
    assert {load(case).verdict for case in CASES} == {"proven", "not proven", "mismatch", "blocked", "failed"}


@pytest.mark.parametrize("form", RENDERERS)
@pytest.mark.parametrize("case", CASES)
def test_report_is_as_agreed(case: str, form: str) -> None:
    check_golden(f"{case}.{form}", leave_assets_out(RENDERERS[form](load(case))))


@pytest.mark.parametrize("case", CASES)
def test_json_can_be_read_back(case: str) -> None:
    report = load(case)
    assert from_json(Report, render_json(report)) == report


# ---------------------------------------------------------------------------------------------------------------------
# What stands in the page


class PageReader(HTMLParser):
    """Reads a page: elements with their attributes, headings, ids, links, and the text of every section."""

    VOID = frozenset({"meta", "link", "br", "wbr", "circle", "path", "rect", "line"})

    def __init__(self, page: str) -> None:
        """Read the whole page."""
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.sections: dict[str, str] = {}
        self.rows: list[list[str]] = []
        self.text = ""
        self._section = ""
        self.feed(page)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "section":
            self._section = str(attributes["aria-labelledby"])
            self.sections[self._section] = ""
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "section":
            self._section = ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.rows and ("td" in self.open or "th" in self.open):
            self.rows[-1][-1] += data
        if self._section and not {"h2", "style", "script"} & set(self.open):
            self.sections[self._section] += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


@pytest.mark.parametrize("case", CASES)
def test_page_is_whole(case: str) -> None:
    page = PageReader(render_html(load(case)))
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    steps = [after - before for before, after in itertools.pairwise(page.headings)]
    assert max(steps) == 1, "no level of headings is skipped"
    ids = {attributes.get("id") for _, attributes in page.elements}
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert links == [f"#{section}" for section in page.sections], "the contents are the sections, in order"
    assert {str(link)[1:] for link in links} <= ids
    empty = [section for section, text in page.sections.items() if not text.strip()]
    assert empty == []
    assert page.count("table") == page.count("caption")
    assert page.count("tr") > 0
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.elements if tag == "th")


@pytest.mark.parametrize("case", CASES)
def test_page_needs_nothing_from_outside(case: str) -> None:
    page = render_html(load(case))
    reader = PageReader(page)
    outside = [
        (tag, name, value)
        for tag, attributes in reader.elements
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}
        and not str(value).startswith(("#", "data:,"))
    ]
    assert outside == []
    assert "url(" not in page
    assert "@import" not in page
    assert not [name for _, attributes in reader.elements for name in attributes if name.startswith("on")]
    assert not [attributes for _, attributes in reader.elements if "style" in attributes], "the policy would refuse it"


def test_policy_admits_the_pages_own_style_and_script_and_nothing_else() -> None:
    page = render_html(load("proven"))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].replace("&#39;", "'").split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy[1]
    for element, rule in (("style", "style-src"), ("script", "script-src")):
        content = re.search(rf"<{element}>(.*?)</{element}>", page, flags=re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


def test_report_without_tables_says_nothing_of_tables() -> None:
    for render in RENDERERS.values():
        text = leave_assets_out(render(load("blocked")))
        assert "values compared" not in text.lower()
        assert not re.search(r"\b0 (?:%|rows|values|tables)", text)


def test_mismatched_tables_come_first() -> None:
    report = load("mismatch")
    wrong = [table.name for table in report.tables if table.verdict == "mismatch"]
    for text in (
        render_html(report).split('id="verification"')[1],
        render_markdown(report).split("## Verification")[1],
    ):
        positions = {table.name: text.replace("<wbr>", "").find(table.name) for table in report.tables}
        assert sorted(positions, key=positions.__getitem__)[: len(wrong)] == wrong


def test_models_that_are_not_equal_come_first_and_decide_what_is_said() -> None:
    report = load("django-mismatch")
    assert [(row.model, row.status) for row in list_models(report)] == [
        ("shop.Order", "failed"),
        ("auth.User", "different"),
        ("shop.Legacy", "skipped"),
        ("contenttypes.ContentType", "equal"),
    ]
    verdict = "the application does not read 2 models as before, although the proof found every value equal."
    assert state_verdict(report) == verdict
    both = replace(report, mismatches=load("mismatch").mismatches)
    assert state_verdict(both).endswith("; the application does not read 2 models as before.")
    assert render_html(report).index('id="models"') < render_html(report).index('id="next"')
    assert "shop.Order, failed: count: 6,598 rows in SQLite" in render_text(report, width=200)


def test_many_equal_models_are_folded_and_others_never() -> None:
    report = load("django-mismatch")
    assert report.django is not None
    assert report.django.evidence is not None
    equal = next(found for found in report.django.evidence if found.status == "equal")
    many = (*report.django.evidence, *(replace(equal, model=f"app.Model{number}") for number in range(100)))
    report = replace(report, django=replace(report.django, evidence=many))
    section = render_html(report).partition('<h2 id="models">')[2].partition("</section>")[0]
    folded = section.partition("<details>")[2]
    assert "101 models that are equal" in folded
    assert "app.<wbr>Model99" in folded
    assert "shop.<wbr>Order" in section.partition("<details>")[0]
    assert "shop.<wbr>Legacy" in section.partition("<details>")[0]


@pytest.mark.parametrize(
    ("made_by", "sentence"),
    [
        ("migrations", "The schema was made by the project's own 118 migrations, run in 1 min 23 s."),
        ("rehearsal", "The schema was restored from a rehearsal, where 118 migrations of the project had made it, and"),
        ("user", "The schema was made by the project's own migrations, before this run."),
        ("", "Every one of 3 models gave the project's own ORM the same in PostgreSQL as in SQLite; 1 model"),
    ],
)
def test_how_the_schema_came_about_is_told(
    made_by: Literal["migrations", "rehearsal", "user", ""], sentence: str
) -> None:
    report = load("django")
    assert report.django is not None
    report = replace(report, django=replace(report.django, made_by=made_by))
    assert state_project(report)[0].startswith(sentence)
    assert "taken out of the snapshot, with which the proof compares" in state_project(report)[1]


@pytest.mark.parametrize("made_by", ["migrations", ""])
def test_a_project_that_was_not_read_says_nothing_of_models(made_by: Literal["migrations", ""]) -> None:
    report = load("django")
    assert report.django is not None
    django = replace(report.django, made_by=made_by, evidence=None, pruned=(), seeded=())
    for render in RENDERERS.values():
        assert "odels" not in leave_assets_out(render(replace(report, django=django)))


def test_plan_adds_its_steps_with_their_sql() -> None:
    plan, report = make_plan(), load("proven")
    for render in (render_html, render_markdown):
        without, with_plan = render(report), render(report, plan=plan)
        assert "post-data/index/t_b_idx" not in without
        softened = with_plan.replace("<wbr>", "")
        assert all(step.id in softened for step in plan.steps)
        assert "CREATE INDEX" in with_plan


# ---------------------------------------------------------------------------------------------------------------------
# Hostile names

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`|*_[x](javascript:alert(1))\x1b[31m\x07\u202e&amp;{{7*7}}"
    "\\\n# heading\r\t\ud800 --> ]]> ~~~ http://x.example"
)
MEANT = frozenset(
    {"schema", "verdict", "severity", "snapshot", "kind", "object_kind", "phase", "code", "status", "made_by"}
)


def poison(value: T) -> T:
    """The same data with every free text made hostile."""
    changed: Any = value  # Any: the walk goes through tuples, dataclasses and scalars alike
    if isinstance(value, str) and value:
        changed = HOSTILE + value
    elif isinstance(value, tuple):
        changed = tuple(poison(item) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        changes = {f.name: poison(getattr(value, f.name)) for f in fields(value) if f.name not in MEANT}
        changed = replace(value, **changes)
    return changed  # type: ignore[no-any-return]


def test_poison_reaches_the_names() -> None:
    poisoned = poison(load("mismatch"))
    assert poisoned.tables[0].name.startswith("<script>")
    assert (poisoned.mismatches[0].column or "").startswith("<script>")
    assert poisoned.findings[0].samples[0].why.startswith("<script>")


@pytest.mark.parametrize("case", CASES)
def test_hostile_names_stay_text_in_html(case: str) -> None:
    clean, page = PageReader(render_html(load(case))), render_html(poison(load(case)), plan=poison(make_plan()))
    page.encode()  # no half of a surrogate pair
    reader = PageReader(page)
    assert reader.count("script") == clean.count("script") == 1
    assert reader.count("img") == 0
    assert not [name for _, attributes in reader.elements for name in attributes if name.startswith("on")]
    assert {tag for tag, _ in reader.elements} - {"details", "summary", "pre"} <= {tag for tag, _ in clean.elements} | {
        "svg",
        "ol",
        "ul",
        "li",
        "wbr",
        "strong",
    }
    assert "<script>alert(1)</script>" in reader.text, "the name itself can be read"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", page)


@pytest.mark.parametrize("case", CASES)
def test_hostile_names_stay_text_in_markdown(case: str) -> None:
    text = render_markdown(poison(load(case)), plan=poison(make_plan()))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", text)
    html = MarkdownIt("commonmark").enable("table").render(text)
    reader = PageReader(html)
    made = {tag for tag, _ in reader.elements} - {
        "h1",
        "h2",
        "h3",
        "h4",
        "p",
        "strong",
        "code",
        "pre",
        "ol",
        "ul",
        "li",
    }
    assert made <= {"table", "thead", "tbody", "tr", "th", "td"}
    assert "<script>alert(1)</script>" in reader.text
    clean = PageReader(MarkdownIt("commonmark").enable("table").render(render_markdown(load(case), plan=make_plan())))
    assert [len(row) for row in reader.rows] == [len(row) for row in clean.rows], "no name breaks a table"
    assert reader.headings == clean.headings, "no name makes a heading"
    last = [row[-1] for row in reader.rows]
    assert not [cell for cell in last if "\n" in cell]


@pytest.mark.parametrize("case", CASES)
def test_hostile_names_cannot_steer_a_terminal(case: str) -> None:
    report = poison(load(case))
    for text in (
        render_text(report),
        render_plan_text(poison(make_plan())),
        render_findings_text(report.findings, blocked=True),
        render_inspect_text(*poison(make_inspection())),
    ):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", text)
        text.encode()


# ---------------------------------------------------------------------------------------------------------------------
# Huge reports


def make_huge(tables: int) -> Report:
    report = load("proven")
    kinds = report.tables
    many = tuple(
        replace(
            kinds[number % len(kinds)], name=f"application_model_{number:05}", target=f"application_model_{number:05}"
        )
        for number in range(tables)
    )
    return replace(report, tables=many)


def test_five_thousand_tables_make_a_page_that_can_be_opened() -> None:
    page = render_html(make_huge(5000))
    assert len(page.encode()) < 5_000_000
    text = page.replace("<wbr>", "")
    named = Counter(re.findall(r"application_model_\d{5}", text[text.index('id="verification"') :]))
    assert set(named.values()) == {2}, "each table stands once in the verification and once among the digests"
    assert len(named) == 5000
    unfolded = text[text.index('id="verification"') : text.index("<details>", text.index('id="verification"'))]
    assert len(set(re.findall(r"application_model_\d{5}", unfolded))) == 50
    assert "4,950 more proven tables" in text


@pytest.mark.parametrize("render", [render_text, render_markdown, render_html])
def test_work_grows_with_the_tables_and_not_with_their_square(render: Callable[[Report], str]) -> None:
    def count_calls(report: Report) -> int:
        calls = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            render(report)
        finally:
            sys.setprofile(None)
        return calls

    small, large = make_huge(100), make_huge(800)
    render(small)  # templates are loaded once
    assert count_calls(large) < 10 * count_calls(small)


# ---------------------------------------------------------------------------------------------------------------------
# Sentences


@pytest.mark.parametrize(
    ("rows", "values", "tables", "sentence"),
    [
        (
            (3, 4),
            (12, 16),
            2,
            "every one of the 28 values of 7 rows in 2 tables is in PostgreSQL, equal to the source.",
        ),
        ((1,), (1,), 1, "the only value of 1 row in 1 table is in PostgreSQL, equal to the source."),
        ((0, 0), (0, 0), 2, "2 tables are in PostgreSQL, holding no row, as in the source."),
        ((0,), (0,), 1, "1 table is in PostgreSQL, holding no row, as in the source."),
        ((), (), 0, "the source holds no table, so that there was no value to carry over."),
    ],
)
def test_proven_sentence(rows: tuple[int, ...], values: tuple[int, ...], tables: int, sentence: str) -> None:
    report = load("proven")
    made = tuple(
        replace(report.tables[0], rows_source=count, rows_target=count, values_compared=compared)
        for count, compared in zip(rows, values, strict=True)
    )
    assert len(made) == tables
    changed = replace(report, tables=made)
    assert state_verdict(changed) == sentence
    assert render_text(changed, width=1000).startswith(f"PROVEN: {sentence} ")
    assert sentence[1:] in render_html(changed)


def test_figures_are_the_reports_own() -> None:
    report = load("proven")
    rows, values = sum(table.rows_target for table in report.tables), report.values_compared
    for render in RENDERERS.values():
        text = render(report)
        assert f"{rows:,}" in text
        assert f"{values:,}" in text


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.5, "within its bounds, 50 % longer than was likely"),
        (1.005, "within its bounds, nearly to the point"),
        (0.9, "within its bounds, 10 % shorter than was likely"),
        (2.5, "outside its bounds, 150 % longer than was likely"),
    ],
)
def test_the_window_is_held_against_what_was_expected(share: float, said: str) -> None:
    report = load("proven")
    assert report.window is not None
    assert report.forecast is not None
    likely_s = report.window.elapsed_s / share
    forecast = replace(report.forecast, likely_s=likely_s, low_s=likely_s / 2, high_s=likely_s * 2)
    assert said in render_text(replace(report, forecast=forecast), width=1000)


def test_that_nothing_is_compiled_is_said_in_the_terminal() -> None:
    report = load("proven")
    assert "nothing is compiled here" in render_text(replace(report, compiled=()), width=1000)
    for parts in (None, ("encoder",)):
        assert "nothing is compiled here" not in render_text(replace(report, compiled=parts), width=1000)


def test_undone_run_is_not_called_present() -> None:
    text = render_text(load("undone"), width=1000)
    assert " was in PostgreSQL" in text
    assert " is in PostgreSQL" not in text
    assert "liteferry undo" not in text


@pytest.mark.parametrize(
    ("case", "offered"),
    [("proven", True), ("not-proven", True), ("embedded", True)]
    + [(case, False) for case in ("mismatch", "blocked", "failed", "checked", "undone")],
)
def test_undo_is_offered_where_there_is_something_to_undo(case: str, *, offered: bool) -> None:
    report = load(case)
    for render in RENDERERS.values():
        assert ("liteferry undo " in render(report).replace("<span>", "").replace("</span>", "")) == offered


def test_commands_stand_on_one_line_and_survive_the_shell() -> None:
    report = load("mismatch")
    report = replace(
        report, source=replace(report.source, path="/srv/it's here/a b?.db"), run_dir="/srv/it's here/run 1"
    )
    commands = [line for line in render_text(report, width=40).splitlines() if line.lstrip().startswith("liteferry ")]
    words = shlex.split(commands[0])
    assert words[:3] == ["liteferry", "migrate", "/srv/it's here/a b?.db"]
    assert words[-1] == "--keep-staging"


def test_a_project_is_told_how_it_comes_to_use_its_database() -> None:
    for case, offered in (("django", True), ("django-mismatch", False), ("proven", False), ("embedded", False)):
        assert ("liteferry switch " in render_text(load(case))) == offered, case
    moved = load("django")
    rehearsed = render_text(replace(moved, published=False, rehearsal=True))
    assert "liteferry switch " not in rehearsed
    embedded = render_text(replace(moved, target=load("embedded").target))
    assert embedded.index("liteferry switch ") < embedded.index("liteferry server psql ")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("proven", "everything was loaded and proven, and nothing of it remains"),
        ("not proven", "everything was loaded, not everything was proven, and nothing of it remains"),
    ],
)
def test_a_rehearsal_says_proven_only_of_what_was(verdict: Verdict, said: str) -> None:
    rehearsed = replace(load("proven"), verdict=verdict, published=False, rehearsal=True)
    assert state_outcome(rehearsed) == f"This was a rehearsal: {said} in PostgreSQL."
    stopped = replace(rehearsed, verdict="not proven", tables=())
    assert state_outcome(stopped) == "This was a rehearsal: nothing of it remains in PostgreSQL."


def test_what_django_makes_otherwise_is_not_called_left_out() -> None:
    objects = replace(load("django").objects, checks=ObjectCount(source=83, target=49))
    text = render_text(replace(load("django"), objects=objects))
    assert re.search(r"CHECK constraints +83 +49 +as Django makes them on PostgreSQL$", text, re.MULTILINE)
    before = replace(objects, checks=ObjectCount(source=83, target=49, left_out=34))
    message = "the target has no counterpart of the source's index by_size of shop_item"
    counted = recount_missing(before, [make_finding("target-object-missing", message, table="shop_item")])
    assert (counted.indexes.left_out, counted.checks) == (1, objects.checks)


def test_other_schema_is_named_in_every_command() -> None:
    report = replace(load("proven"), target_schema="app two")
    lines = [line for line in render_text(report).splitlines() if line.lstrip().startswith("liteferry verify")]
    assert "--schema 'app two'" in lines[0]


def test_the_same_options_are_given_again() -> None:
    options = ("--names", "snake", "--cast", "a.b=text", "--only", "a*")
    report = replace(load("blocked"), options=options)
    lines = [line.strip() for line in render_text(report).splitlines()]
    again = [shlex.split(line) for line in lines if line.startswith(("liteferry check", "liteferry migrate"))]
    assert again
    assert all(" ".join(options) in " ".join(words) for words in again)


def test_a_way_out_that_is_not_the_first_is_no_repair() -> None:
    finding = make_finding(
        "local-time-unclear",
        "two are unclear",
        table="t",
        name="at",
        more_ways=(WayOut(name="quarantine", effect="2 rows are kept whole"),),
    )
    text = " ".join(render_text(replace(load("blocked"), findings=(finding,))).split())
    assert "--on-misfit local-time-unclear:t.at=WAY with WAY one of quarantine" in text
    assert "1 finding needs a way out that you choose with --on-misfit, or a repair: t.at." in text
    assert "cannot be accepted, only repaired" not in text
    assert "accept them all" not in text


def test_a_difference_after_sql_of_the_users_own_points_there_first() -> None:
    report = load("mismatch")
    assert "SQL of yours was run" not in render_text(report)
    hook = HookRun(step_id="hook/after-data/1/h.sql", file=HookFile(point="after-data", file="h.sql", sha256="0" * 64))
    assert "SQL of yours was run" in render_text(replace(report, hooks=(hook,)))


def test_differences_that_are_not_listed_are_counted() -> None:
    report = load("mismatch")
    many = tuple(Mismatch(kind="value", table="t", column="c", key=f"id={number}") for number in range(150))
    report = replace(report, mismatches=many, mismatch_count=1000)
    assert "and 980 more; report.html lists 150 of them" in render_text(report)
    page = render_html(report)
    assert "1,000 differences in all; 150 of them are listed here." in page
    assert "50 more differences" in page
    assert all(f"id={number}<" in page for number in range(150))


def test_early_failure_says_nothing_of_a_source_it_could_not_open() -> None:
    source = SourceInfo(path="/srv/x.db", size_bytes=0, sha256="", sqlite_version="", encoding="", journal_mode="")
    report = replace(load("failed"), source=source, target=None, tables=(), phases=(), findings=(), elapsed_s=0.0)
    for render in RENDERERS.values():
        text = leave_assets_out(render(report))
        assert "0 bytes" not in text
        assert "library ," not in text


# ---------------------------------------------------------------------------------------------------------------------
# Findings


def test_every_code_can_be_listed_decided_and_explained() -> None:
    findings = [make_finding(code, f"{code} happened.", table="t", name="c") for code in FINDINGS]
    text = render_findings_text(findings, blocked=True, width=1000)
    for code, kind in FINDINGS.items():
        assert f"{code}: {kind.title}" in text
        assert f"{code} happened." in text
        assert (f"--accept {code}:t.c" in text) == (kind.severity == "blocker" and bool(kind.if_accepted))


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("orders", "total"),
        ("order details", "unit price"),
        ("a*b", "c?[d]"),
        ("it's", 'say "x"'),
        ("naïve", "日本"),
        ("$x`y`", "!z"),
    ],
)
def test_accept_option_accepts_its_finding_and_no_other(table: str, name: str) -> None:
    wanted = make_finding("text-too-long", "x", table=table, name=name)
    others = [
        make_finding("text-too-long", "x", table="aXXb", name="c1d"),
        make_finding("text-too-long", "x", table=table, name=name + "2"),
        make_finding("value-misfit", "x", table=table, name=name),
    ]
    option, value = shlex.split(write_accept_option(wanted))
    assert option == "--accept"
    accepted = accept_findings([wanted, *others], Options(accept=(value,)))
    assert [finding.accepted for finding in accepted] == [True, False, False, False]


def test_findings_of_one_code_are_grouped_and_what_must_be_decided_comes_first() -> None:
    findings = (
        make_finding("rowid-not-kept", "x", table="a"),
        replace(make_finding("text-nul", "x", table="a"), accepted=True),
        make_finding("text-nul", "x", table="b"),
        make_finding("rowid-not-kept", "x", table="b"),
        make_finding("text-nul", "x", table="c"),
    )
    assert [(group.standing, group.code, len(group.findings)) for group in group_findings(findings)] == [
        ("decide", "text-nul", 2),
        ("accepted", "text-nul", 1),
        ("known", "rowid-not-kept", 2),
    ]


def test_findings_of_unknown_codes_are_shown() -> None:
    finding = replace(make_finding("text-nul", "From another version.", table="a"), code="made-later")
    report = replace(load("blocked"), findings=(finding,))
    for render in RENDERERS.values():
        assert "From another version." in render(report)


def test_nothing_found_is_ready() -> None:
    assert render_findings_text((), blocked=False).startswith("READY: nothing stands in the way of the move.")


def test_every_place_to_decide_is_listed_and_notes_are_counted() -> None:
    blockers = [make_finding("text-nul", "x", table=f"t{number}", name="c") for number in range(40)]
    notes = [make_finding("rowid-not-kept", "x", table=f"n{number}") for number in range(40)]
    text = render_findings_text([*blockers, *notes], blocked=True)
    assert all(f"--accept text-nul:t{number}.c" in text for number in range(40))
    assert "All 40 at once:  --accept text-nul" in text
    assert "and 30 more of this kind" in text


# ---------------------------------------------------------------------------------------------------------------------
# Plan and inspection


def make_plan() -> Plan:
    columns = (
        ColumnMap(source="id", target="id", pg_type="bigint", kind="int8", rule="integer", declared_type="INTEGER"),
        ColumnMap(source="b", target="b", pg_type="text", kind="text", rule="text"),
    )
    return Plan(
        schema=PLAN_SCHEMA,
        liteferry_version="0.1.0",
        source="shop.db",
        target_schema="public",
        staging_schema="liteferry_public",
        creates_schema=False,
        tables=(
            TableMap(source="t", target="t", columns=columns, key=("id",), rows=1234, size_bytes=56_789),
            TableMap(source="log", target="log_1", columns=columns[1:], rows=2, size_bytes=10),
        ),
        steps=(
            Step(id="pre-data/schema", phase="pre-data", sql=('CREATE SCHEMA "liteferry_public"',)),
            Step(id="pre-data/table/t", phase="pre-data", sql=('CREATE TABLE "t" (\n  "id" bigint\n);',), group="t"),
            Step(id="data/table/t", phase="data", copy="t", sql=('COPY "t" FROM STDIN',), group="t"),
            Step(id="pre-data/table/log_1", phase="pre-data", sql=('CREATE TABLE "log_1" ("b" text)',), group="log_1"),
            Step(id="data/table/log_1", phase="data", copy="log", table="log_1", group="log_1"),
            Step(id="post-data/index/t_b_idx", phase="post-data", sql=('CREATE INDEX ON "t" ("b")',), group="t"),
            Step(id="post-data/view/v", phase="post-data", sql=('CREATE VIEW "v" AS SELECT 1',)),
            Step(id="publish", phase="publish", sql=('ALTER TABLE "t" SET SCHEMA x',), undo_sql=('DROP TABLE "t"',)),
        ),
        objects=(),
        findings=(
            make_finding(
                "text-too-long",
                "1 text is too long.",
                table="t",
                name="b",
                count=1,
                samples=(Sample(key="id=7", why="131 characters"),),
            ),
        ),
        names=(NameChange(kind="table", table=None, source="log", target="log_1", why="an index has that name"),),
    )


def make_inspection() -> tuple[Catalog, Census, SourceInfo, tuple[ColumnChoice, ...]]:
    columns = (
        Column(name="id", declared_type="INTEGER", affinity="INTEGER", pk_position=1),
        Column(name="customer", declared_type="INT", affinity="INTEGER", not_null=True),
        Column(name="at", declared_type="datetime", affinity="NUMERIC"),
        Column(name="twice", declared_type="", affinity="BLOB", generated="virtual", generated_sql="id * 2"),
        Column(name="code", declared_type="TEXT", affinity="TEXT"),
        Column(name="price", declared_type="REAL", affinity="REAL"),
    )
    table = Table(
        name="orders",
        sql="CREATE TABLE orders (…)",
        columns=columns,
        primary_key=("id",),
        rowid_alias="id",
        sequence_value=1200,
        foreign_keys=(ForeignKey(columns=("customer",), parent_table="customers", parent_columns=("id",)),),
    )
    catalog = Catalog(
        tables=(table, Table(name="empty", sql="", columns=columns[:1], strict=True)),
        views=(View(name="totals", sql="", columns=("a", "b")), View(name="broken", sql="", error="no such table: x")),
        triggers=(Trigger(name="touch", table="orders", sql=""),),
        virtual_tables=(VirtualTable(name="search", module="fts5", sql="", shadow_tables=("search_data",)),),
        user_version=3,
        sqlite_version="3.45.1",
    )
    census = Census(
        tables=(
            TableCensus(
                table="orders",
                rows=1000,
                size_bytes=45_678,
                columns=(
                    ColumnCensus(name="id", integers=1000, min_integer=1, max_integer=1150),
                    ColumnCensus(
                        name="customer", integers=999, blobs=1, min_integer=1, max_integer=9, longest_value_bytes=2048
                    ),
                    ColumnCensus(
                        name="at",
                        texts=990,
                        nulls=10,
                        longest_text_chars=26,
                        forms=(Form(name="datetime", count=988), Form(name="other", count=2)),
                        offences=(Offence(name="year-zero", count=2, samples=(Sample(key="id=4", why=""),)),),
                    ),
                    ColumnCensus(name="twice", integers=1000, min_integer=2, max_integer=2300),
                    ColumnCensus(
                        name="code",
                        texts=1000,
                        longest_text_chars=36,
                        shapes=(
                            Form(name="uuid-dashed", count=996, first="id=1"),
                            Form(name="other", count=4, first="id=17"),
                        ),
                    ),
                    ColumnCensus(
                        name="price",
                        integers=1,
                        reals=999,
                        min_integer=3,
                        max_integer=3,
                        min_real=-0.5,
                        max_real=1e300,
                        negative_zeros=2,
                        positive_infinities=1,
                        negative_infinities=1001,
                        notes=(Offence(name="inexact", count=1, samples=(Sample(key="id=8", why=""),)),),
                    ),
                ),
            ),
        ),
        orphans=(Orphans(table="orders", foreign_key=0, count=3, samples=(Sample(key="id=9", why=""),)),),
    )
    info = SourceInfo(
        path="/srv/shop.db",
        size_bytes=81_920,
        sha256="ab" * 32,
        sqlite_version="3.45.1",
        encoding="UTF-8",
        journal_mode="wal",
    )
    epoch = Suggestion(
        why="all 999 integers, taken for seconds since 1970, lie between 2020-01-01 and 2021-01-01",
        pg_type="timestamptz",
        way="epoch-s",
    )
    choices = (
        ColumnChoice(table="orders", column="id", pg_type="bigint", rule="rowid-alias"),
        ColumnChoice(table="orders", column="customer", pg_type="bigint", rule="integer", suggestions=(epoch,)),
        ColumnChoice(table="orders", column="at", pg_type="text", rule="widened", findings=("date-form",)),
        ColumnChoice(
            table="orders", column="code", pg_type="text", rule="text", suggestions=(Suggestion(why="all are odd"),)
        ),
    )
    return catalog, census, info, choices


def test_plan_text_is_as_agreed() -> None:
    check_golden("plan-text.txt", render_plan_text(make_plan()))


def test_findings_text_is_as_agreed() -> None:
    check_golden("findings-text.txt", render_findings_text(load("blocked").findings, blocked=True))


def test_inspect_text_is_as_agreed() -> None:
    check_golden("inspect-text.txt", render_inspect_text(*make_inspection(), width=80))


def test_inspect_text_of_names_without_room() -> None:
    catalog, census, info, choices = make_inspection()
    column = Column(name="n" * 70, declared_type="VARCHAR(200)", affinity="TEXT", not_null=True)
    table = Table(name="wide", sql="", columns=(column, *catalog.tables[0].columns[:1]))
    text = render_inspect_text(replace(catalog, tables=(table,)), census, info, choices, width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "n" * 70 in text


def test_steps_stand_in_the_order_of_execution() -> None:
    text = render_plan_text(make_plan())
    order = sorted((step.id for step in make_plan().steps), key=lambda step_id: text.index(f"  {step_id}\n"))
    assert order == [
        "pre-data/schema",
        "pre-data/table/t",
        "data/table/t",
        "post-data/index/t_b_idx",
        "pre-data/table/log_1",
        "data/table/log_1",
        "post-data/view/v",
        "publish",
    ]


def test_plan_text_shows_every_step_and_all_sql() -> None:
    plan = make_plan()
    text = render_plan_text(plan)
    for step in plan.steps:
        assert f"  {step.id}\n" in text
        for sql in (*step.sql, *step.undo_sql):
            assert all(line.strip() in text for line in sql.splitlines())


# ---------------------------------------------------------------------------------------------------------------------
# What was decided is said again as briefly as it can be


def decided(code: str, table: str, by: str, way: str = "") -> Finding:
    return replace(make_finding(code, "x", table=table, name="c"), accepted=True, way=way, decided_by=by)


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        # a pattern that decided many is typed once more, and not place by place
        ([decided("text-nul", f"t{n}", "--on-misfit t*.c=strip-nul", "strip-nul") for n in range(9)],
         "--on-misfit 't*.c=strip-nul'"),
        ([decided("text-nul", f"t{n}", "--accept text-nul:t*.c") for n in range(9)], "--accept 'text-nul:t*.c'"),
        # what stands in the file is not said again
        ([decided("text-nul", "a", "liteferry.toml, [decisions] a.c = null", "null"),
          decided("text-nul", "b", "liteferry.toml, accept text-nul")], ""),
        # "all" may mean other findings the next time
        ([decided("text-nul", "a", "--accept all")], "--accept text-nul:a.c"),
        # the pattern first: the last that matches counts
        ([decided("text-nul", "a", "--on-misfit a.c=null", "null"),
          decided("text-nul", "b", "--on-misfit *.c=escape", "escape")],
         "--on-misfit '*.c=escape' --on-misfit a.c=null"),
        # nobody knows which of two patterns came last
        ([decided("text-nul", "a", "--on-misfit a*=null", "null"),
          decided("text-nul", "b", "--on-misfit *.c=escape", "escape")],
         "--on-misfit text-nul:a.c=null --on-misfit text-nul:b.c=escape"),
    ],
)  # fmt: skip
def test_decisions_are_repeated_in_the_users_words(findings: list[Finding], expected: str) -> None:
    config = ConfigFile(path="liteferry.toml", sha256="0" * 64)
    report = replace(load("failed"), findings=tuple(findings), config=config, options=("--config", "liteferry.toml"))
    (command,) = [item.command for item in advise(report) if item.command]
    _, _, said = command.partition("--config liteferry.toml")
    assert said.strip() == expected
