"""The evidence of a run as pages: Markdown, and one HTML file that needs nothing else.

Layer 1, pure; the public functions are `liteferry.report`'s. What both formats show is computed once (`_prepare`); the
templates only say where it stands. Names and messages come from databases that anybody may have made: both templates
escape whatever they print, without being asked (`escape_markdown`, jinja2's autoescape).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from liteferry.errors import EXIT_STATUSES, ExitStatus
from liteferry.report.advice import advise, advise_audit, advise_way_back
from liteferry.report.charts import draw_bar, draw_timeline
from liteferry.report.grouping import (
    count_alike,
    describe_outcome,
    group_findings,
    write_accept_all_option,
    write_accept_option,
    write_other_options,
    write_place_count,
)
from liteferry.report.listings import join_statements, stage_steps
from liteferry.report.markup import Ready, fence_sql, finalize_html, finalize_markdown, mark_code, soften_name
from liteferry.report.objects import count_objects, describe_key_trials, has_target_objects
from liteferry.report.project import (
    count_models,
    list_models,
    list_project_facts,
    list_pruned,
    state_models,
    state_pruned,
)
from liteferry.report.verdict import (
    count_mismatches,
    list_quarantined,
    state_outcome,
    state_verdict,
    state_word,
    summarise,
)
from liteferry.report.window import describe_part, describe_rate, describe_window
from liteferry.report.wording import (
    format_byte_rate,
    format_count,
    format_duration,
    format_plural,
    format_row_rate,
    format_share,
    format_size,
    name_change,
    name_place,
)

if TYPE_CHECKING:
    from jinja2 import Template

    from liteferry.model import Finding, Plan, Report, TableReport
    from liteferry.report.project import ModelRow

_MARKDOWN: Final = "report.md.j2"
_HTML: Final = "report.html.j2"
LOAD_PHASE: Final = "load"
"""The executor's name for the phase that copies rows; what the rates are measured over."""

_CHARTED_TABLES: Final = 8
"""How many bars a chart of tables has."""

_OPEN_TABLES: Final = 50
"""How many proven tables the HTML report shows before the rest goes behind a fold."""

_OPEN_MODELS: Final = 15
"""How many equal models the HTML report shows before they all go behind a fold."""

_MODELS_NOTE: Final = (
    "Of small models, and of those with fields of the project's own, every row was compared, field by field; of the "
    "others a sample, as the proof has compared every value. Every row that was inserted on trial was rolled back."
)

_OPEN_FINDINGS: Final = 20
"""The same for the findings of one code."""

_OPEN_MISMATCHES: Final = 100
"""The same for differences."""

# ---------------------------------------------------------------------------------------------------------------------
# What both formats show


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of the key figures."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A bar chart of tables: ``bars`` are the table's name, its share of the longest bar, and its figures as text."""

    title: str
    bars: tuple[tuple[str, float, str], ...]


def render_markdown(report: Report, *, plan: Plan | None = None) -> str:
    """Write the report as Markdown (CommonMark with tables), complete: every table is listed. Pure.

    plan: adds the steps with their SQL.
    """
    return _load_template(_MARKDOWN).render(_prepare(report, plan))


def render_html(report: Report, *, plan: Plan | None = None) -> str:
    """Write the report as one HTML file that needs nothing else: no network, no fonts, and no script to be read. Pure.

    The only script opens what is folded before printing, for browsers whose style sheets cannot. A content security
    policy admits that script and the style sheet by their digests, and nothing else.

    plan: adds the steps with their SQL, folded.
    """
    style, script = _read_asset("report.css"), _read_asset("report.js")
    policy = (
        f"default-src 'none'; style-src '{_digest_asset(style)}'; script-src '{_digest_asset(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assets = {"style": style, "script": script, "policy": policy}
    return _load_template(_HTML).render(_prepare(report, plan) | assets)


def load_templates() -> None:
    """Have the pages' templates compiled, which takes a tenth of a second. Pure."""
    for name in (_MARKDOWN, _HTML):
        _load_template(name)


def _prepare(report: Report, plan: Plan | None) -> dict[str, object]:
    proven = [table for table in report.tables if table.verdict == "proven"]
    suspect = sorted((table for table in report.tables if table.verdict != "proven"), key=_rank_table)
    verdict = state_verdict(report)
    timeline = draw_timeline(report.phases, report.elapsed_s)
    return {
        "report": report,
        "plan": plan,
        "source_name": PurePosixPath(report.source.path).name or report.source.path,
        "word": state_word(report),
        "claim": verdict[:1].upper() + verdict[1:],
        "outcome": state_outcome(report),
        "sections": _choose_sections(report, plan),
        "summary": summarise(report),
        "figures": _choose_figures(report),
        "timeline": timeline,
        "window": describe_window(report),
        "charts": _chart_tables(report),
        "load": _measure_load(report),
        "objects": count_objects(report),
        "objects_on_both_sides": has_target_objects(report),
        "key_trials": describe_key_trials(report),
        "all_tables": suspect + proven,
        "open_tables": suspect + proven[:_OPEN_TABLES],
        "open_caption": _caption_tables(suspect=len(suspect), proven=len(proven)),
        "folded_tables": proven[_OPEN_TABLES:],
        "digests": [table for table in report.tables if table.digest],
        "target_label": "Rows loaded" if report.verdict == "failed" else "Rows in target",
        "rows_source": sum(table.rows_source for table in report.tables),
        "mismatch_total": count_mismatches(report),
        "open_mismatches": report.mismatches[:_OPEN_MISMATCHES],
        "folded_mismatches": report.mismatches[_OPEN_MISMATCHES:],
        "groups": group_findings(report.findings),
        "standings": _STANDING_LABELS,
        "open_findings": _OPEN_FINDINGS,
        "advice": advise(report),
        "way_back": advise_way_back(report),
        "models": _group_models(report),
        "models_said": state_models(report),
        "models_note": _MODELS_NOTE,
        "pruned_said": state_pruned(report.django) if report.django else "",
        "pruned": list_pruned(report.django) if report.django else ((), ()),
        "project": list_project_facts(report.django) if report.django else [],
        "provenance": _list_provenance(report),
        "audit": advise_audit(report),
        "quarantined": list_quarantined(report),
        "stages": stage_steps(plan) if plan else [],
    }


_STANDING_LABELS: Final = (
    ("decide", "To be decided"),
    ("accepted", "Accepted beforehand"),
    ("known", "For information"),
)


def _choose_sections(report: Report, plan: Plan | None) -> dict[str, str]:
    """Which sections the report has, by id, in order: none that would be empty, and what is urgent first."""
    urgent = report.verdict != "proven"
    what_next = {"next": "Next steps", "back": "How to go back"}
    findings = {"findings": "Findings"} if report.findings else {}
    sections = {"summary": "Summary"}
    sections |= {"failure": "What went wrong"} if report.failure else {}
    sections |= {"differences": "Differences"} if count_mismatches(report) else {}
    models = {"models": "Models, as the application reads them"} if list_models(report) else {}
    sections |= models if count_models(report).wrong else {}
    sections |= findings if report.verdict == "blocked" else {}
    sections |= what_next if urgent else {}
    sections |= {"window": "The window"} if report.window or (report.forecast and report.verdict != "failed") else {}
    sections |= {"timeline": "Timeline"} if draw_timeline(report.phases, report.elapsed_s) else {}
    sections |= {"load": "Phases and load" if _chart_tables(report) else "Phases"} if report.phases else {}
    tables = "How far each table came" if report.verdict == "failed" else "Verification, table by table"
    sections |= {"verification": tables} if report.tables else {}
    sections |= models
    sections |= {"objects": "Objects of the schema"} if count_objects(report) else {}
    sections |= {"pruned": "Rows that were pruned"} if report.django and report.django.pruned else {}
    sections |= {"quarantine": "Rows in quarantine"} if report.apart else {}
    sections |= {"types": "Types"} if report.types else {}
    sections |= {"conversions": "Converted values"} if report.conversions else {}
    sections |= {"names": "Names that changed"} if report.names else {}
    sections |= {"hooks": "SQL of yours that was run"} if report.hooks else {}
    sections |= findings
    sections |= {"steps": "Steps and their SQL"} if plan and plan.steps else {}
    sections |= what_next
    sections |= {"project": "The Django project"} if report.django else {}
    return sections | {"provenance": "Provenance"}


def _group_models(report: Report) -> list[tuple[str, bool, tuple[ModelRow, ...]]]:
    """The tables of models: what was not equal, and what was; with a caption, and whether it stands open."""
    rows = list_models(report)
    suspect = tuple(row for row in rows if row.status != "equal")
    equal = tuple(row for row in rows if row.status == "equal")
    folded = len(equal) > _OPEN_MODELS
    groups = [
        (f"{format_plural(len(suspect), 'model')} not equal, or not compared", True, suspect),
        (f"{format_plural(len(equal), 'model')} that {'is' if len(equal) == 1 else 'are'} equal", not folded, equal),
    ]
    return [group for group in groups if group[2]]


def _list_provenance(report: Report) -> list[tuple[str, str]]:
    source, target = report.source, report.target
    try:
        meaning = EXIT_STATUSES[ExitStatus(report.exit_status)]
    except ValueError:  # a report of another version may end in another way
        meaning = ""
    opened = bool(source.sqlite_version)  # nothing is known of a source that the run could not open
    snapshot = {"copy": "a copy, by SQLite's online backup", "none": "none: one read transaction"}[source.snapshot]
    facts = [
        ("Run", report.run_id),
        ("Began at", f"{report.started_at}, took {format_duration(report.elapsed_s)}"),
        ("Run directory", report.run_dir),
        ("Every offending value", report.offenders),
        ("Exit status", f"{report.exit_status}. {meaning}"),
        ("liteferry", f"{report.liteferry_version} on Python {report.python_version}"),
        ("Jobs", f"{report.jobs} at a time" if report.tables else ""),
        (
            "Compiled parts",
            "" if report.compiled is None else ", ".join(report.compiled) or "none, Python did their work",
        ),
        ("Source", source.path),
        ("Source size", f"{format_size(source.size_bytes)} ({format_plural(source.size_bytes, 'byte')})" * opened),
        ("SHA-256 of the snapshot", source.sha256),
        ("Snapshot", snapshot * opened),
        ("Configuration", f"{report.config.path}, SHA-256 {report.config.sha256}" if report.config else ""),
        ("SQLite", f"library {source.sqlite_version}, {source.encoding}, journal mode {source.journal_mode}" * opened),
    ]
    if target:
        embedded = " (liteferry's embedded server)" if target.embedded else ""
        facts += [
            ("Server", f"PostgreSQL {target.version}{embedded}"),
            ("Server address", f"{target.host}, port {target.port}"),
            ("Database", f"{target.database}, encoding {target.encoding}, time zone {target.timezone}"),
            ("Role", target.user),
            ("Schema", report.target_schema),
        ]
    return [(label, value) for label, value in facts if value]


def _caption_tables(*, suspect: int, proven: int) -> str:
    shown = "Every table" if proven <= _OPEN_TABLES else f"The first {_OPEN_TABLES} proven tables; the others follow"
    return (
        f"{shown}, with {format_plural(suspect, 'table')} that could not be proven first"
        if suspect and proven
        else shown
    )


def _rank_table(table: TableReport) -> int:
    return {"mismatch": 0, "failed": 1, "not proven": 2}.get(table.verdict, 3)


def _choose_figures(report: Report) -> list[Figure]:
    if not report.tables or report.verdict == "failed":
        return _choose_finding_figures(report)
    data = sum(table.bytes for table in report.tables)
    declared = report.objects.tables.source
    figures = [
        Figure(
            label="Tables",
            value=format_count(len(report.tables)),
            note=f"of {format_count(declared)} in the source" if declared > len(report.tables) else "",
        ),
        Figure(label="Rows", value=format_count(report.rows), note=f"{format_size(data)} copied" if data else ""),
    ]
    if report.values_compared:
        figures.append(Figure(label="Values compared", value=format_count(report.values_compared)))
    counts = count_models(report)
    if counts.read:
        wrong = f"{format_count(counts.wrong)} not equal" if counts.wrong else "all equal"
        figures.append(Figure(label="Models read", value=format_count(counts.read), note=wrong))
    if report.verdict in ("proven", "mismatch"):
        figures.append(Figure(label="Differences", value=format_count(count_mismatches(report))))
    rate = next((rate for _, rate in _measure_load(report) if rate), "")
    figures.append(
        Figure(
            label="Whole run", value=format_duration(report.elapsed_s), note=rate and f"{rate} in phase {LOAD_PHASE}"
        )
    )
    return figures


def _choose_finding_figures(report: Report) -> list[Figure]:
    figures: list[Figure] = []
    if report.verdict == "failed":
        return [Figure(label="Whole run", value=format_duration(report.elapsed_s))]
    for standing, label in (("decide", "To be decided"), ("accepted", "Accepted"), ("known", "For information")):
        number = sum(len(group.findings) for group in group_findings(report.findings) if group.standing == standing)
        if number:
            figures.append(
                Figure(label=label, value=format_count(number), note="finding" if number == 1 else "findings")
            )
    return [*figures, Figure(label="Whole run", value=format_duration(report.elapsed_s))]


def _measure_load(report: Report) -> list[tuple[str, str]]:
    """What the load of the rows achieved, as names and figures; empty for a run that loaded nothing."""
    phase = next((phase for phase in report.phases if phase.name == LOAD_PHASE), None)
    if phase is None or not report.tables:
        return []
    data = sum(table.bytes for table in report.tables)
    facts = [
        (f"Rows, in phase {phase.name}", format_row_rate(report.rows, phase.elapsed_s)),
        (f"Bytes, in phase {phase.name}", format_byte_rate(data, phase.elapsed_s)),
    ]
    return [(name, figure) for name, figure in facts if figure]


def _chart_tables(report: Report) -> list[Chart]:
    charts = []
    for title, weigh in (("Largest tables", _weigh_bytes), ("Slowest tables to load", _weigh_seconds)):
        heaviest = sorted(report.tables, key=weigh, reverse=True)[:_CHARTED_TABLES]
        most = weigh(heaviest[0]) if heaviest else 0.0
        if most > 0:
            bars = tuple((table.name, weigh(table) / most, _describe_load(table)) for table in heaviest if weigh(table))
            charts.append(Chart(title=title, bars=bars))
    return charts


def _weigh_bytes(table: TableReport) -> float:
    return float(table.bytes)


def _weigh_seconds(table: TableReport) -> float:
    return table.elapsed_s


def _describe_load(table: TableReport) -> str:
    facts = [format_plural(table.rows_target, "row"), format_size(table.bytes)]
    if table.elapsed_s > 0:
        facts += [format_duration(table.elapsed_s), format_row_rate(table.rows_target, table.elapsed_s)]
    return " · ".join(fact for fact in facts if fact)


# ---------------------------------------------------------------------------------------------------------------------
# Templates


@cache
def _read_asset(name: str) -> str:
    return files("liteferry.report").joinpath("templates", name).read_text(encoding="utf-8").strip()


def _digest_asset(text: str) -> str:
    """The text of a style or script element as a content security policy names it. Source: CSP Level 3, 8.3."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _load_template(name: str) -> Template:
    from jinja2 import DictLoader, Environment, StrictUndefined

    is_html = name.endswith(".html.j2")
    environment = Environment(
        loader=DictLoader({name: _read_asset(name) + "\n"}),
        autoescape=is_html,  # noqa: S701 - in Markdown finalize_markdown escapes, which HTML's escapes would undo
        finalize=finalize_html if is_html else finalize_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "count": format_count,
        "plural": format_plural,
        "duration": format_duration,
        "size": format_size,
        "share": format_share,
        "place": name_place,
        "place_count": write_place_count,
        "alike": count_alike,
        "change": name_change,
        "accept": write_accept_option,
        "others": write_other_options,
        "outcome": describe_outcome,
        "accept_all": write_accept_all_option,
        "short": _shorten_digest,
        "bar": draw_bar,
        "soft": soften_name,
        "unlisted": _count_unlisted,
        "statements": join_statements,
        "rate": describe_rate,
        "took": describe_part,
    }
    environment.filters |= {"code": mark_code, "fence": fence_sql, "ready": Ready}
    return environment.get_template(name)


def _shorten_digest(digest: str) -> str:
    """The first twelve digits of a digest's sum: enough to tell two apart by eye."""
    parts = digest.split(":")
    return (parts[1] if len(parts) == 3 else digest)[:12]


def _count_unlisted(finding: Finding) -> int:
    return max(finding.count - len(finding.samples), 0) if finding.samples else 0
