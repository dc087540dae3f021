"""What a run means: the verdict in one sentence, what the target shows, and what else must be known.

Layer 1, pure. Every renderer of `liteferry.report` says the same, because it says it from here. Nothing is stated that
the report does not hold: a sentence about publishing needs ``published``, one about the load needs tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from liteferry.errors import EXIT_STATUSES, ExitStatus
from liteferry.report.grouping import judge_finding
from liteferry.report.project import count_models, state_project
from liteferry.report.wording import (
    end_sentence,
    format_count,
    format_duration,
    format_list,
    format_plural,
    format_size,
)

if TYPE_CHECKING:
    from liteferry.model import Report


def state_word(report: Report) -> str:
    """The verdict as one word or two, with a capital. Pure."""
    return report.verdict.capitalize()


def state_verdict(report: Report) -> str:
    """The verdict in one sentence, without its word: ``every one of the 1,234 values …``. Pure.

    In the past tense once the run was undone.
    """
    match report.verdict:
        case "proven":
            return _state_proven(report)
        case "not proven":
            return _state_unproven(report)
        case "mismatch":
            return _state_mismatch(report)
        case "blocked":
            blocking = sum(finding.blocks for finding in report.findings)
            asks = f"{format_plural(blocking, 'finding')} must" if blocking else "findings must"
            return f"{asks} be decided before anything can start."
        case "failed":
            return end_sentence(report.failure.what) if report.failure else "the run did not come to its end."


def _state_proven(report: Report) -> str:
    tables = format_plural(sum(table.part != "quarantine" for table in report.tables), "table")
    is_or_was = "was" if report.undone_at else "is"
    if not report.tables:
        return "the source holds no table, so that there was no value to carry over."
    if not report.values_compared:
        are_or_were = is_or_was if len(report.tables) == 1 else "were" if report.undone_at else "are"
        rows = "no row, as in the source" if not report.rows else format_plural(report.rows, "row")
        return f"{tables} {are_or_were} in PostgreSQL, holding {rows}."
    values = report.values_compared
    every = "the only value" if values == 1 else f"every one of the {format_count(values)} values"
    is_or_was = "was" if report.rehearsal else is_or_was
    sentence = f"{every} of {format_plural(report.rows, 'row')} in {tables} {is_or_was} in PostgreSQL"
    apart = sum(found.rows for found in report.apart)
    aside = f", {format_plural(apart, 'row')} of them in quarantine" if apart else ""
    return f"{sentence}, equal to the source{aside}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """The rows of one table that are in quarantine: how many, in which table of the target, and why."""

    table: str
    target: str
    rows: int
    reasons: str


def list_quarantined(report: Report) -> tuple[Quarantined, ...]:
    """The tables that have rows in quarantine. Pure."""
    targets = {table.name: table.target for table in report.tables if table.part == "quarantine"}
    return tuple(
        Quarantined(
            table=found.table,
            target=targets.get(found.table, ""),
            rows=found.rows,
            reasons=format_list([f"{reason.reason}: {format_count(reason.rows)}" for reason in found.reasons]),
        )
        for found in report.apart
    )


def _state_unproven(report: Report) -> str:
    if not report.tables:
        return "no row was copied and no value was compared."
    copied = f"{format_plural(report.rows, 'row')} in {format_plural(len(report.tables), 'table')}"
    if not report.values_compared:
        return f"{copied} {'was' if report.rows == 1 else 'were'} copied to PostgreSQL, and no value was compared."
    proven = sum(table.verdict == "proven" for table in report.tables)
    return f"of {copied} in PostgreSQL, {format_plural(proven, 'table')} could be proven."


def count_mismatches(report: Report) -> int:
    """How many differences the proof found, listed or not. Pure."""
    return max(report.mismatch_count, len(report.mismatches))


def _state_mismatch(report: Report) -> str:
    wrong = count_models(report).wrong
    models = f"the application does not read {format_plural(wrong, 'model')} as before"
    found = f"the proof found {_count_differences(report)}"
    if count_mismatches(report):
        return f"{found}; {models}." if wrong else f"{found}."
    proven = ", although the proof found every value equal" if report.values_compared else ""
    return f"{models}{proven}." if wrong else f"{found}."


def _count_differences(report: Report) -> str:
    found = format_plural(count_mismatches(report), "difference")
    tables = sum(table.verdict == "mismatch" for table in report.tables)
    objects = len({(m.object_kind, m.table, m.object_name) for m in report.mismatches if m.kind == "object"})
    where = [f"{format_count(tables)} of {format_plural(len(report.tables), 'table')}"] if tables else []
    where += [format_plural(objects, "object")] if objects else []
    return f"{found} between the source and PostgreSQL" + (f", in {format_list(where)}" if where else "")


def state_outcome(report: Report) -> str:
    """What the target shows after the run, in one sentence. Pure."""
    if report.undone_at:
        return f"The run was undone at {report.undone_at}: what it had published is gone from PostgreSQL."
    match report.verdict:
        case "blocked":
            return "Nothing was touched, neither the source nor the target."
        case "failed" if report.failure and not report.failure.is_settled:
            return "The run failed after it had begun, and not everything could be taken away again: see what is next."
        case "failed" if not report.published:
            try:
                return EXIT_STATUSES[ExitStatus(report.exit_status)]
            except ValueError:  # a report of another version may end in another way
                return "Nothing was published."
        case _ if is_check_only(report):
            return f"This run changed nothing: it compared the source with {_name_schema(report)}."
        case "proven" | "not proven" if report.rehearsal:
            proven = "loaded and proven" if report.verdict == "proven" else "loaded, not everything was proven"
            done = f"everything was {proven}, and " if report.tables else ""
            return f"This was a rehearsal: {done}nothing of it remains in PostgreSQL."
        case _ if report.published:
            if report.into == "django":
                return (
                    f"Everything was published in {_name_schema(report)}, in one transaction, in the tables that the"
                    " project's own migrations make."
                )
            if report.into == "new":
                return f"Everything was published in {_name_schema(report)}, in one transaction."
            return f"Everything was brought into {_name_schema(report)}, in one transaction{_say_replaced(report)}."
        case _:
            return "Nothing was published."


def _say_replaced(report: Report) -> str:
    replaced = sum(table.rows_replaced for table in report.tables)
    if not replaced:
        return ""
    were = "was" if replaced == 1 else "were"
    return f"; {format_plural(replaced, 'row')} that {were} there {were} replaced, and can be brought back by undo"


def _name_schema(report: Report) -> str:
    where = f" of database {report.target.database}" if report.target else ""
    return f"schema {report.target_schema}{where}"


def is_check_only(report: Report) -> bool:
    """Whether the run compared two databases without having loaded one, as `liteferry verify` does. Pure."""
    return bool(report.tables) and not any(table.elapsed_s for table in report.tables)


def can_undo(report: Report) -> bool:
    """Whether the run published something that is still to be taken back. Pure."""
    return report.published and not is_check_only(report)


# ---------------------------------------------------------------------------------------------------------------------
# The summary


def summarise(report: Report) -> tuple[str, ...]:
    """What a reader who reads nothing else must know beside the verdict, as paragraphs. Pure."""
    proof = ""
    if report.values_compared:
        proof = (
            "The values were read back from both databases and compared one by one, by code that shares nothing with "
            "the code that loaded them."
        )
    moment = ""
    if report.tables and report.source.snapshot == "copy" and report.verdict != "failed" and not report.undone_at:
        moment = (
            f"All this holds for the source as it was in the snapshot that this run took; the run began at "
            f"{report.started_at}. What was written to the source later is not in PostgreSQL."
        )
    first = f"{_introduce(report)} {proof}".rstrip()
    paragraphs = (first, *state_project(report), " ".join(_recall_findings(report)), moment)
    return tuple(paragraph for paragraph in paragraphs if paragraph)


def _introduce(report: Report) -> str:
    size = f" ({format_size(report.source.size_bytes)})" if report.source.sqlite_version else ""  # it was opened
    source = f"{PurePosixPath(report.source.path).name}{size}"
    spent = format_duration(report.elapsed_s)
    if report.target is None:
        return f"The source is {source}; the run took {spent}."
    server = f"PostgreSQL {report.target.version}"
    return f"The source is {source}, the target database {report.target.database} on {server}; the run took {spent}."


def _recall_findings(report: Report) -> list[str]:
    accepted = sum(judge_finding(finding) == "accepted" for finding in report.findings)
    sentences = []
    if accepted:
        were = "was" if accepted == 1 else "were"
        effect = "changed" if report.tables else "means"
        number = format_plural(accepted, "finding")
        sentences.append(f"{number} {were} accepted beforehand; what that {effect} stands under Findings.")
    gone = _count_left_out(report)
    if gone:
        were = "was" if sum(number for number, _, _ in gone) == 1 else "were"
        named = format_list([format_plural(number, noun, plural) for number, noun, plural in gone])
        sentences.append(f"Left out of PostgreSQL, as accepted, {were} {named}.")
    implied = _count_implied(report)
    if implied:
        sentences.append(f"{format_plural(implied, 'CHECK constraint')} not made: the new types enforce the same.")
    return sentences


def _count_implied(report: Report) -> int:
    """The CHECKs that the new types make needless; only where the plan was carried out."""
    return sum(finding.code == "check-implied" for finding in report.findings) if report.tables else 0


def _count_left_out(report: Report) -> list[tuple[int, str, str]]:
    counts = report.objects
    return [
        (number, noun, plural)
        for noun, plural, number in (
            ("table", "tables", counts.tables.left_out),
            ("column", "columns", counts.columns.left_out),
            ("index", "indexes", counts.indexes.left_out),
            ("UNIQUE constraint", "UNIQUE constraints", counts.unique.left_out),
            ("CHECK constraint", "CHECK constraints", max(0, counts.checks.left_out - _count_implied(report))),
            ("foreign key", "foreign keys", counts.foreign_keys.left_out),
            ("sequence", "sequences", counts.sequences.left_out),
            ("view", "views", counts.views.left_out),
        )
        if number
    ]
