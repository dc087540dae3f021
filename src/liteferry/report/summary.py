"""The summary of a run for the terminal, and its JSON.

Layer 1, pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.model import to_json
from liteferry.report.advice import Advice, advise, advise_way_back
from liteferry.report.grouping import FindingGroup, group_findings, name_decider
from liteferry.report.listings import write_group
from liteferry.report.objects import ObjectRow, count_objects, describe_key_trials, has_target_objects
from liteferry.report.project import list_models, state_models, state_schema
from liteferry.report.pruning import render_pruned_text, summarise_pruned
from liteferry.report.verdict import (
    can_undo,
    count_mismatches,
    list_quarantined,
    state_outcome,
    state_verdict,
    state_word,
)
from liteferry.report.window import compare_forecast, state_basis, state_forecast, state_window
from liteferry.report.wording import (
    align_rows,
    escape_unprintable,
    format_count,
    format_duration,
    format_list,
    format_plural,
    format_size,
    name_change,
    name_place,
    wrap_text,
    write_address,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import DjangoReport, HookRun, Mismatch, Report

_TEXT_MISMATCHES: Final = 20
"""How many differences the terminal lists."""

_TEXT_PLACES: Final = 5
"""How many places of one accepted finding code the terminal lists."""

# ---------------------------------------------------------------------------------------------------------------------
# JSON and text


def render_json(report: Report) -> str:
    """Write the report as JSON, for programs and for `from_json`. Pure."""
    return to_json(report)


def render_text(report: Report, *, width: int = 100) -> str:
    """Write the report for a terminal: the verdict first, then only what its reader needs now. Pure.

    No colours: the verdict stands in capitals before the first colon, for the command line to colour. Commands are
    never folded.

    width: in columns of the terminal.
    """
    sentence = f"{state_word(report).upper()}: {state_verdict(report)}"
    blocks = [
        wrap_text(f"{sentence} {state_outcome(report)}", width=width, hang=2),
        _write_facts(report),
        _write_pruned(report, width=width),
        _write_objects(report),
        _write_quarantined(report),
        _write_mismatches(report, width=width),
        _write_models(report, width=width),
        _write_decisions(report, width=width),
        _write_advice("What next", advise(report), width=width),
        _write_advice("How to go back", advise_way_back(report), width=width) if can_undo(report) else "",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _write_pruned(report: Report, *, width: int) -> str:
    """What would not travel, where nothing did: in a dry run, or before decisions; a run's pages have it by model."""
    pruned = report.django.pruned if report.django else ()
    return render_pruned_text(pruned, width) if pruned and not report.tables else ""


def _write_facts(report: Report) -> str:
    source, target = report.source, report.target
    size = f" ({format_size(source.size_bytes)})" if source.sqlite_version else ""  # it was opened
    facts = [("source", f"{source.path}{size}")]
    if target:
        schema = f", schema {report.target_schema}"
        embedded = ", embedded" if target.embedded else ""
        facts.append(("target", f"{write_address(target)}{schema} (PostgreSQL {target.version}{embedded})"))
    if report.django:
        facts += _describe_project(report.django)
    if report.config:
        facts.append(("options", f"{report.config.path} (SHA-256 {report.config.sha256[:12]}…)"))
    facts += [("hook", _describe_hook(run)) for run in report.hooks]
    longest = max(report.phases, key=lambda phase: phase.elapsed_s, default=None)
    spent = format_duration(report.elapsed_s)
    if longest and len(report.phases) > 1:
        spent += f"; the longest phase was {longest.name}, {format_duration(longest.elapsed_s)}"
    facts.append(("time", spent))
    if report.compiled == ():
        facts.append(("slower", "nothing is compiled here: Python does that work with the same result, in more time"))
    facts += _describe_window(report)
    if report.run_dir:
        facts.append(("files", f"{report.run_dir}/ with report.html, report.md, report.json"))
    if report.offenders:
        facts.append(("offenders", f"{report.offenders} lists every value that a finding is about"))
    if report.failure and report.failure.step_id:
        facts.append(("step", report.failure.step_id))
    if report.failure:
        facts.append(("error code", report.failure.code))
    return align_rows(facts)


def _describe_window(report: Report) -> list[tuple[str, str]]:
    """How long the application had to stand still, and how long it will have to."""
    facts = []
    if said := state_window(report):
        facts.append(("your window" if not report.rehearsal else "rehearsed", said))
    if compared := compare_forecast(report):
        facts.append(("", compared))
    if report.forecast and (report.rehearsal or report.window is None):
        facts.append(("the move", state_forecast(report.forecast)))
        facts += [] if report.rehearsal else [("", state_basis(report.forecast))]
    return facts


def _describe_project(django: DjangoReport) -> list[tuple[str, str]]:
    facts = [("project", f"{django.directory}, Django {django.django_version}, database {django.moved_from}")]
    if made := state_schema(django):
        facts.append(("schema", made))
    seeded = sum(rows for _, rows in django.seeded)
    if seeded:
        tables = format_plural(len(django.seeded), "table")
        facts.append(("replaced", f"{format_plural(seeded, 'row')} that the migrations put into {tables}"))
    if django.pruned:
        facts.append(("pruned", f"{summarise_pruned(django.pruned)} The proof compares with the pruned snapshot."))
    return facts


def _describe_hook(run: HookRun) -> str:
    changes = [f"{change.change} {name_change(change)}" for change in run.changes]
    if len(changes) > _TEXT_PLACES:
        changes = [*changes[:_TEXT_PLACES], f"{format_count(len(changes) - _TEXT_PLACES)} more"]
    return f"{run.file.file}, {run.file.point}: {format_list(changes) if changes else 'made nothing in the schema'}"


def _write_objects(report: Report) -> str:
    rows = count_objects(report)
    if not rows or report.verdict == "blocked":
        return ""
    shown = [(row.label, format_count(row.source), *_write_far_side(row, report)) for row in rows]
    if report.tables:
        sources = sum(table.rows_source for table in report.tables)
        shown.insert(0, ("rows", format_count(sources), *([format_count(report.rows), "", ""][: len(shown[0]) - 2])))
    if report.values_compared:
        proven = sum(table.verdict == "proven" for table in report.tables)
        last = f"{format_count(report.values_compared)} values compared; {format_plural(proven, 'table')} proven"
        if trials := describe_key_trials(report):
            last += f"\n  {trials}"
        body = align_rows(shown, right=(1, 2, 3), header=("", "source", "target", "left out", "")[: len(shown[0])])
        return f"{body}\n  {last}"
    return align_rows(shown, right=(1, 2, 3), header=("", "source", "target", "left out", "")[: len(shown[0])])


def _write_quarantined(report: Report) -> str:
    found = list_quarantined(report)
    if not found:
        return ""
    rows = [(one.table, format_count(one.rows), one.target, one.reasons) for one in found]
    return "In quarantine\n" + align_rows(rows, header=("table", "rows", "in PostgreSQL", "why"), right=(1,))


def _write_far_side(row: ObjectRow, report: Report) -> tuple[str, ...]:
    if not has_target_objects(report):
        return ()
    return format_count(row.target), format_count(row.left_out) if row.left_out else "", row.remark


def _write_mismatches(report: Report, *, width: int) -> str:
    total = count_mismatches(report)
    if not total:
        return ""
    shown = report.mismatches[:_TEXT_MISMATCHES]
    lines = ["Differences"]
    lines += [wrap_text(_explain_mismatch(mismatch), width=width, indent=2, hang=4) for mismatch in shown]
    if total > len(shown):
        listed = f"; report.html lists {format_count(len(report.mismatches))} of them"
        more = f"and {format_count(total - len(shown))} more" if shown else format_plural(total, "difference")
        lines.append(f"  {more}{listed if len(report.mismatches) > len(shown) else ''}")
    return "\n".join(lines)


def _write_models(report: Report, *, width: int) -> str:
    """The models that the application does not read as before, and how many it does."""
    said = state_models(report)
    if not said:
        return ""
    rows = [row for row in list_models(report) if row.status in ("different", "failed")]
    lines = [wrap_text(f"Models: {said[0].lower()}{said[1:]}", width=width, hang=2)]
    lines += [
        wrap_text(f"{row.model}, {row.status}: {row.why}", width=width, indent=2, hang=4)
        for row in rows[:_TEXT_MISMATCHES]
    ]
    if len(rows) > _TEXT_MISMATCHES:
        lines.append(f"  and {format_count(len(rows) - _TEXT_MISMATCHES)} more")
    return "\n".join(lines)


def _explain_mismatch(mismatch: Mismatch) -> str:
    """A difference with its place, once: an object's message names the object itself."""
    place = name_place(mismatch)
    sides = f"source {mismatch.source}; target {mismatch.target}" if mismatch.source or mismatch.target else ""
    if mismatch.message.startswith(place):
        return mismatch.message
    if mismatch.message and sides and mismatch.kind in ("value", "row-count"):
        return f"{place}: {mismatch.message} ({sides})"
    return f"{place}: {mismatch.message or sides or mismatch.kind}"


def _write_decisions(report: Report, *, width: int) -> str:
    groups = group_findings(report.findings)
    lines: list[str] = []
    for group in groups:
        if group.standing == "decide":
            lines += [*write_group(group, width=width), ""]
    accepted = [group for group in groups if group.standing == "accepted"]
    if accepted:
        lines += ["Accepted beforehand, and what happened", *(_write_group(group, width=width) for group in accepted)]
    if report.conversions:
        lines.append("Values that the chosen ways out changed")
        for found in report.conversions:
            place = escape_unprintable(f"{found.table}.{found.column}")
            what = f"{place}: {format_plural(found.values, 'value')} by {', '.join(found.conversions)}"
            lines.append(wrap_text(what, width=width, indent=2, hang=4))
            shown = [f"{sample.key}: {sample.before} -> {sample.after}" for sample in found.samples]
            lines += [wrap_text(escape_unprintable(text), width=width, indent=4, hang=2) for text in shown]
    known = sum(len(group.findings) for group in groups if group.standing == "known")
    if known:
        where = "report.html lists them" if report.run_dir else "--json lists them"
        lines.append(f"For information: {format_plural(known, 'finding')}; {where}.")
    return "\n".join(lines).rstrip("\n")


def _write_group(group: FindingGroup, *, width: int) -> str:
    places = [finding.place for finding in group.findings if finding.place]
    if len(places) > _TEXT_PLACES:
        places = [*places[:_TEXT_PLACES], f"{format_count(len(places) - _TEXT_PLACES)} more"]
    happens = f" -> {group.if_accepted}" if group.if_accepted else ""
    where = f" ({format_list(places)})" if places else ""
    sources = sorted({name_decider(finding) for finding in group.findings if finding.decided_by})
    by = f", by {format_list(sources)}" if 0 < len(sources) <= _TEXT_PLACES else ""
    return wrap_text(f"{group.code}: {group.title}{where}{happens}{by}", width=width, indent=2, hang=4)


def _write_advice(title: str, advice: Sequence[Advice], *, width: int) -> str:
    lines = [title]
    for number, item in enumerate(advice, start=1):
        lines.append(wrap_text(f"{number}. {item.text}", width=width, indent=2, hang=3))
        if item.command:
            lines.append(f"       {escape_unprintable(item.command)}")
    return "\n".join(lines)
