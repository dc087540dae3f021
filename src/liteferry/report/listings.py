"""What a terminal shows before anything was moved: findings and the plan.

Layer 1, pure. Plain text, no colours: the command line adds them. Commands and SQL are never folded, so that they can
be copied.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final

from liteferry.report.grouping import (
    AlikeFindings,
    FindingGroup,
    Standing,
    count_alike,
    describe_outcome,
    group_findings,
    judge_finding,
    write_accept_all_option,
    write_accept_option,
    write_other_options,
    write_place_count,
)
from liteferry.report.pruning import render_pruned_text
from liteferry.report.wording import (
    align_rows,
    escape_unprintable,
    format_count,
    format_list,
    format_plural,
    format_size,
    indent_sql,
    wrap_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from liteferry.model import (
        Finding,
        NameChange,
        Plan,
        Sample,
        Step,
    )

_LISTED_ALIKE: Final = 5
"""How many columns are named that one rule of Django's decided."""
_LISTED_NOTES: Final = 10
"""How many findings for information are listed one by one; what must be, or was, decided is listed in full."""

# ---------------------------------------------------------------------------------------------------------------------
# Findings


def render_findings_text(findings: Sequence[Finding], *, blocked: bool, width: int = 100) -> str:
    """Write findings for reading and deciding: by code, then by place, each with the option that accepts it. Pure.

    blocked: whether the findings stop the move; decides the first line. width: in columns of the terminal.
    """
    standings = Counter(judge_finding(finding) for finding in findings)
    lines = [wrap_text(_headline(standings, blocked=blocked), width=width, hang=2)]
    for group in group_findings(findings):
        lines += ["", *write_group(group, width=width)]
    stuck = sum(finding.blocks and not write_accept_option(finding) for finding in findings)
    if stuck:
        only = f"{format_plural(stuck, 'finding')} cannot be accepted: repair the source, or choose another target."
        lines += ["", wrap_text(only, width=width)]
    return "\n".join(lines) + "\n"


def _headline(standings: Counter[Standing], *, blocked: bool) -> str:
    others = [f"{format_count(standings[standing])} {word}" for standing, word in _OTHER_WORDS if standings[standing]]
    rest = f" {format_list(others).capitalize()}." if others else ""
    if blocked:
        asked = standings["decide"]
        must = f"{format_plural(asked, 'finding')} must" if asked else "findings must"
        return f"BLOCKED: {must} be decided before anything can start. Nothing was touched.{rest}"
    return f"READY: nothing stands in the way of the move.{rest}"


_OTHER_WORDS: Final[tuple[tuple[Standing, str], ...]] = (("accepted", "accepted"), ("known", "for information"))
_STANDING_WORDS: Final = {"decide": "TO DECIDE", "accepted": "ACCEPTED", "known": "TO KNOW"}


def write_group(group: FindingGroup, *, width: int) -> Iterator[str]:
    """Write the findings of one code in full, line by line, with the options that accept them. Pure."""
    yield wrap_text(f"{_STANDING_WORDS[group.standing]}  {group.code}: {group.title}", width=width, hang=2)
    if group.why:
        yield wrap_text(group.why, width=width, indent=2)
    outcome = "What happens" if group.standing == "accepted" else "If accepted"
    if group.if_accepted and group.standing != "known":
        yield wrap_text(f"{outcome}: {group.if_accepted}.", width=width, indent=2, hang=2)
    if group.hint:
        yield wrap_text(f"Hint: {group.hint}", width=width, indent=2, hang=2)
    shown = group.singles[:_LISTED_NOTES] if group.standing == "known" else group.singles
    for finding in shown:
        yield ""
        yield from _write_finding(finding, group, outcome=outcome, width=width)
    if len(shown) < len(group.singles):
        yield ""
        yield f"    and {format_count(len(group.singles) - len(shown))} more of this kind, listed in full by --json"
    for alike in group.alike:
        yield ""
        yield from _write_alike(alike, width=width)
    option = write_accept_all_option(group)
    if group.standing == "decide" and option and len(group.findings) > 1:
        yield ""
        yield f"  All {format_count(len(group.findings))} at once:  {option}"


def _write_alike(alike: AlikeFindings, *, width: int) -> Iterator[str]:
    yield wrap_text(f"{count_alike(alike)}, decided by {alike.by}: {alike.way}", width=width, indent=4, hang=2)
    places = [write_place_count(finding) for finding in alike.findings[:_LISTED_ALIKE]]
    if len(alike.findings) > len(places):
        places.append(f"{format_count(len(alike.findings) - len(places))} more, listed in full by --json")
    yield wrap_text(escape_unprintable(format_list(places)), width=width, indent=6)


def _write_finding(finding: Finding, group: FindingGroup, *, outcome: str, width: int) -> Iterator[str]:
    place = escape_unprintable(finding.place) or "the whole database"
    yield f"    {place}" + (f"  ({format_count(finding.count)} affected)" if finding.count else "")
    yield wrap_text(finding.message, width=width, indent=6)
    for sample in finding.samples:
        yield wrap_text(_write_sample(sample), width=width, indent=8, hang=2)
    unnamed = finding.count - len(finding.samples)
    if finding.samples and unnamed > 0:
        yield f"        and {format_count(unnamed)} more"
    if finding.sql:
        yield indent_sql(finding.sql, indent=8)
    if (happens := describe_outcome(finding)) and not group.if_accepted and group.standing != "known":
        yield wrap_text(f"{outcome}: {happens}.", width=width, indent=6, hang=2)
    if finding.hint and not group.hint:
        yield wrap_text(f"Hint: {finding.hint}", width=width, indent=6, hang=2)
    if group.standing == "decide":
        option, others = write_accept_option(finding), write_other_options(finding)
        yield f"      {option or others or 'cannot be accepted, only repaired'}"
        if option and others:
            yield f"      or {others}"


def _write_sample(sample: Sample) -> str:
    return f"{sample.key}: {sample.why}" if sample.why else sample.key


# ---------------------------------------------------------------------------------------------------------------------
# The plan


def render_plan_text(plan: Plan, *, width: int = 100) -> str:
    """Write a plan for reading: what it does, what was found, what changes, and every step with its SQL. Pure."""
    rows = sum(table.rows for table in plan.tables)
    size = sum(table.size_bytes for table in plan.tables)
    doing = (
        f"The plan for {plan.source}: {format_plural(len(plan.counterparts), 'table')}, {format_plural(rows, 'row')} "
        f"({format_size(size)}) into schema {plan.target_schema}, in {format_plural(len(plan.steps), 'step')}."
    )
    way = (
        f"Everything is made in schema {plan.staging_schema} and proven there; schema {plan.target_schema} shows "
        f"nothing of it until then{', and is created at the end' if plan.creates_schema else ''}."
    )
    if plan.into == "existing":
        way = (
            "Nothing is made: the tables are there. Everything happens in one transaction, in which it is proven, too; "
            "what is dropped or disabled for a while is put back as it was."
        )
    blocked = bool(plan.blockers)
    parts = [wrap_text(doing, width=width), wrap_text(way, width=width), ""]
    parts += [render_pruned_text(plan.pruned, width), ""] if plan.pruned else []
    parts.append(render_findings_text(plan.findings, blocked=blocked, width=width))
    parts += _write_section("Names that change", _write_names(plan.names))
    parts += _write_section("Types", _write_types(plan))
    parts += _write_section("Tables", _write_table_maps(plan))
    rows_of = {table.target: table.rows for table in plan.tables}
    for title, steps in stage_steps(plan):
        lines = [line for step in steps for line in _write_step(step, rows_of)]
        parts += _write_section(f"{title} ({format_plural(len(steps), 'step')})", "\n".join(lines))
    if blocked:
        parts.append("These steps will not run before the findings above are decided.\n")
    return "\n".join(parts)


def stage_steps(plan: Plan) -> list[tuple[str, tuple[Step, ...]]]:
    """Put the steps into the stages that they run in, in their order, each with its title. Pure."""
    if plan.into == "django":
        filling = tuple(step for step in plan.steps if step.phase != "publish" and step.id != "pre-data/schema")
        return [
            ("First; the project's own migrations make the tables there", plan.steps[:1]),
            ("In one transaction, one after the other; it ends with the proof", filling),
            ("After the proof and the project's own reading, in one transaction", plan.steps[-1:]),
        ]
    if plan.into == "existing":
        return [("In one transaction, one after the other; it ends with the proof", plan.steps)]

    def title_of(step: Step) -> str:
        if step.phase == "publish":
            return "After the proof, in one transaction"
        if step.hook is not None:
            return "Then SQL of yours, each file in one transaction"
        return "Then table by table, several at a time" if step.group else "Then one after the other"

    places = {group: place for place, group in enumerate(dict.fromkeys(step.group for step in plan.steps))}
    stages = [
        (title, tuple(sorted(steps, key=lambda step: places[step.group])))
        for title, steps in groupby(plan.steps, title_of)
    ]
    if stages and stages[0][0] == "Then one after the other":
        stages[0] = ("First, one after the other", stages[0][1])
    return stages


def _write_section(title: str, body: str) -> list[str]:
    return [title, body, ""] if body else []


def _write_names(names: Sequence[NameChange]) -> str:
    rows = [(name.kind.replace("_", " "), name.table or "", name.source, name.target, name.why) for name in names]
    return align_rows(rows, header=("kind", "table", "in SQLite", "in PostgreSQL", "why")) if rows else ""


def _write_types(plan: Plan) -> str:
    uses = Counter(
        (column.declared_type or "(none)", column.pg_type, column.rule)
        for table in plan.counterparts
        for column in table.columns
    )
    rows = [(*use, format_count(number)) for use, number in sorted(uses.items())]
    return align_rows(rows, header=("declared", "PostgreSQL", "rule", "columns"), right=(3,)) if rows else ""


def _write_table_maps(plan: Plan) -> str:
    rows = [
        (
            table.source if table.source == table.target else f"{table.source} -> {table.target}",
            format_count(table.rows),
            format_size(table.size_bytes),
            format_count(len(table.columns)),
            f"by key ({', '.join(table.key)})" if table.key else "as a multiset: no key",
        )
        for table in plan.tables
    ]
    return align_rows(rows, header=("table", "rows", "size", "columns", "proof"), right=(1, 2, 3)) if rows else ""


def _write_step(step: Step, rows_of: Mapping[str, int]) -> Iterator[str]:
    yield f"  {escape_unprintable(step.id)}"
    if step.hook is not None:
        yield f"      SHA-256 {step.hook.sha256}"
    if step.copy is not None:
        rows = rows_of.get(step.table or step.group, 0)
        yield f"      copy {format_plural(rows, 'row')} of {escape_unprintable(step.copy)}"
    if step.sql:
        yield indent_sql(join_statements(step.sql), indent=6)
    if step.undo_sql:
        yield "      to go back:"
        yield indent_sql(join_statements(step.undo_sql), indent=8)


def join_statements(statements: Sequence[str]) -> str:
    """Write SQL statements one below the other, each with its semicolon. Pure."""
    return "\n".join(f"{sql.rstrip().removesuffix(';')};" for sql in statements)
