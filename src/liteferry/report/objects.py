"""What a report says of the objects: how many of each sort are on both sides, and what was tried with their keys.

Layer 1, pure.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from liteferry.model import ObjectCount, ObjectCounts
from liteferry.report.wording import format_count, format_plural

if TYPE_CHECKING:
    from liteferry.model import Report

_OBJECT_LABELS: Final = {
    "tables": "tables",
    "columns": "columns",
    "indexes": "indexes",
    "unique": "UNIQUE constraints",
    "checks": "CHECK constraints",
    "foreign_keys": "foreign keys",
    "sequences": "sequences",
    "views": "views",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """One sort of object on both sides. ``remark``: what the three numbers do not explain by themselves."""

    label: str
    source: int
    target: int
    left_out: int
    remark: str


def count_objects(report: Report) -> list[ObjectRow]:
    """Both sides' objects by sort, without the sorts that neither side has. Pure."""
    rows = []
    for field in fields(ObjectCounts):
        count: ObjectCount = getattr(report.objects, field.name)
        if count != ObjectCount():
            rows.append(
                ObjectRow(
                    label=_OBJECT_LABELS[field.name],
                    source=count.source,
                    target=count.target,
                    left_out=count.left_out,
                    remark=_remark_count(count, report),
                )
            )
    return rows


def _remark_count(count: ObjectCount, report: Report) -> str:
    if report.into == "new":
        return _compare_count(count, extra=", by SQL of yours" if report.hooks else "")
    differs = count.target + count.left_out != count.source
    return "as Django makes them on PostgreSQL" if report.into == "django" and differs else ""


def describe_key_trials(report: Report) -> str:
    """What came of the duplicates that unique keys without case were given; "" when there are no such keys. Pure."""
    trials = report.key_trials
    if not trials:
        return ""
    refused = sum(trial.refused is True for trial in trials)
    said = f"{format_plural(len(trials), 'unique key')} must leave case, or spaces at the end, out of account:"
    said += f" a duplicate was inserted on trial, and {'each' if refused == len(trials) else format_count(refused)}"
    said += " refused it"
    for words, wanted in (("taken by", False), ("not tried:", None)):
        names = [trial.name for trial in trials if trial.refused is wanted]
        said += f"; {words} {', '.join(names[:5])}{' …' if len(names) > 5 else ''}" if names else ""
    return said


def _compare_count(count: ObjectCount, *, extra: str) -> str:
    surplus = count.target + count.left_out - count.source
    if surplus == 0:
        return "complete" if not count.left_out else "complete but for what the findings name"
    return f"{format_count(abs(surplus))} {'missing' if surplus < 0 else f'more than in the source{extra}'}"


def has_target_objects(report: Report) -> bool:
    """Whether the target's objects were counted: a blocked or early failed run has nothing to compare. Pure."""
    return any(getattr(report.objects, field.name).target for field in fields(ObjectCounts))
