"""What a report says of a Django project: how its schema was made, what was pruned, how its models were read.

Layer 1, pure. Both pages and the text say the same, because they say it from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.report.pruning import describe_leftovers, name_cause, summarise_pruned
from liteferry.report.wording import format_count, format_duration, format_list, format_plural

if TYPE_CHECKING:
    from liteferry.model import DjangoReport, Report
    from liteferry.project import ModelEvidence

_RANK: Final = ("failed", "different", "skipped", "equal")
"""The order in which models are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One line of the table of models, as it is written."""

    model: str
    table: str
    rows_source: str
    rows_target: str
    status: str
    looked_at: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCounts:
    """How many models there are of each status."""

    equal: int
    different: int
    failed: int
    skipped: int

    @property
    def wrong(self) -> int:
        """Those that make a run a mismatch."""
        return self.different + self.failed

    @property
    def read(self) -> int:
        """Those that were read."""
        return self.equal + self.wrong


def count_models(report: Report) -> ModelCounts:
    """Count the models that the project's ORM read, by what came of it; none where it read none. Pure."""
    statuses = [found.status for found in _list_evidence(report)]
    return ModelCounts(
        equal=statuses.count("equal"),
        different=statuses.count("different"),
        failed=statuses.count("failed"),
        skipped=statuses.count("skipped"),
    )


def list_models(report: Report) -> tuple[ModelRow, ...]:
    """The table of models: those that failed first, then those that differ, those skipped, the equal ones. Pure."""
    evidence = sorted(_list_evidence(report), key=lambda found: _RANK.index(found.status))
    return tuple(
        ModelRow(
            model=found.model,
            table=found.table,
            rows_source=_write_rows(found.rows_source),
            rows_target=_write_rows(found.rows_target),
            status=found.status,
            looked_at=_describe_checks(found),
            why=found.why,
        )
        for found in evidence
    )


def state_models(report: Report) -> str:
    """What the project's ORM made of its models, in one sentence; "" where it was not asked. Pure."""
    counts = count_models(report)
    if not counts.read and not counts.skipped:
        return ""
    skipped = f"; {format_plural(counts.skipped, 'model')} could not be compared" if counts.skipped else ""
    if counts.wrong:
        are = "is" if counts.different == 1 else "are"
        parts = [f"{format_count(counts.different)} {are} different"] if counts.different else []
        parts += [f"{format_count(counts.failed)} failed"] if counts.failed else []
        read = f"Of {format_plural(counts.read, 'model')} that the project's own ORM read in PostgreSQL"
        return f"{read}, {format_list(parts)}{skipped}."
    if not counts.read:
        return f"The project's own ORM could compare none of its {format_plural(counts.skipped, 'model')}."
    every = "The only model" if counts.read == 1 else f"Every one of {format_plural(counts.read, 'model')}"
    return f"{every} gave the project's own ORM the same in PostgreSQL as in SQLite{skipped}."


def state_schema(django: DjangoReport) -> str:
    """How the schema came about, without subject and full stop; "" where there is none. Pure."""
    migrations = format_plural(django.migrations, "migration")
    match django.made_by:
        case "migrations":
            return f"made by the project's own {migrations}, run in {format_duration(django.migrations_s)}"
        case "rehearsal":
            return f"restored from a rehearsal, where {migrations} of the project had made it, and compared with it"
        case "user":
            return "made by the project's own migrations, before this run"
        case _:
            return ""


def state_pruned(django: DjangoReport) -> str:
    """What was pruned, and what that means for the proof; "" where nothing was. Pure."""
    if not django.pruned:
        return ""
    if not any(row.deleted or row.updated for row in django.pruned):
        return summarise_pruned(django.pruned)
    return (
        f"Pruned by rule: {summarise_pruned(django.pruned)} They were taken out of the snapshot, with which the proof "
        "compares; the SQLite file itself still has them."
    )


def list_pruned(django: DjangoReport) -> tuple[list[tuple[str, str, str, str]], list[str]]:
    """What pruning did, as rows (model, deleted, changed, because of), and what it leaves, as sentences. Pure."""
    rows = [
        (row.model or row.table, format_count(row.deleted), format_count(row.updated), name_cause(row))
        for row in django.pruned
        if row.deleted or row.updated or row.added
    ]
    return rows, [note for row in django.pruned for note in describe_leftovers(row)]


def state_project(report: Report) -> tuple[str, ...]:
    """What the summary says of a project. Pure."""
    if report.django is None:
        return ()
    made = state_schema(report.django)
    sentences = (f"The schema was {made}." if made else "", state_models(report))
    paragraphs = (" ".join(filter(None, sentences)), state_pruned(report.django))
    return tuple(filter(None, paragraphs))


def list_project_facts(django: DjangoReport) -> list[tuple[str, str]]:
    """The project's facts, as label and value. Pure."""
    made = state_schema(django)
    facts = [
        ("Project", django.directory),
        ("Settings", django.settings_module),
        ("Django", django.django_version),
        ("Database that was moved", django.moved_from),
        ("Schema", made),
        ("SHA-256 of what makes the schema", django.digest),
    ]
    return [(label, value) for label, value in facts if value]


def _list_evidence(report: Report) -> tuple[ModelEvidence, ...]:
    return (report.django.evidence or ()) if report.django else ()


def _write_rows(rows: int) -> str:
    return format_count(rows) if rows >= 0 else "not counted"


def _describe_checks(found: ModelEvidence) -> str:
    """What was looked at, in one line. The counts have columns of their own, and report.json has it in full."""
    return "; ".join(filter(None, (_describe_check(name, outcome) for name, outcome in found.checks)))


def _describe_check(name: str, outcome: str) -> str:
    counted = outcome.endswith((" row", " rows"))
    match name:
        case "table" | "count":
            return ""
        case "first and last":
            return f"{name}: {outcome}" if outcome.startswith("not compared") else ""
        case "rows" if not outcome.startswith("not compared"):
            return outcome.removesuffix(", all fields")
        case "lookup" if counted:
            return f"{outcome.split(maxsplit=1)[0]} looked up"
        case "relations" if counted:
            return format_plural(outcome.rpartition(" of ")[0].count(", ") + 1, "relation")
        case "insert" if outcome.endswith(", rolled back"):
            return f"insert {outcome.removesuffix(', rolled back')}"
        case _:
            return f"{name}: {outcome}"
