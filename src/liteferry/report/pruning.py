"""What is said of the rows that [django.prune] keeps from travelling.

Layer 1, pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liteferry.report.wording import align_rows, format_count, format_list, format_plural, wrap_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from liteferry.project import Pruned


def render_pruned_text(pruned: Sequence[Pruned], width: int = 100) -> str:
    """Write which rows go, by model, and what that leaves behind. Pure. width: in columns of the terminal."""
    lines = [wrap_text(summarise_pruned(pruned), width=width, hang=2)]
    counted = [row for row in pruned if row.deleted or row.updated or row.added]
    if counted:
        rows = [
            (
                row.model or row.table,
                format_count(row.deleted),
                *([format_count(row.updated)] if any(other.updated for other in counted) else []),
                name_cause(row),
            )
            for row in counted
        ]
        changed = ["changed"] if len(rows[0]) == 4 else []
        right = (1, 2) if changed else (1,)
        lines += ["", align_rows(rows, right=right, header=("model", "deleted", *changed, "because of"))]
    notes = [wrap_text(note, width=width, hang=2) for row in pruned for note in describe_leftovers(row)]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def summarise_pruned(pruned: Sequence[Pruned]) -> str:
    """One sentence: how many rows of how many tables do not travel. Pure."""
    deleted = sum(row.deleted for row in pruned)
    updated = sum(row.updated for row in pruned)
    tables = sum(bool(row.deleted) for row in pruned)
    if not deleted:
        return "No row is pruned: none matches the rules."
    kept = f", and {format_plural(updated, 'row')} that stay refer to something else" if updated else ""
    if updated == 1:
        kept = ", and 1 row that stays refers to something else"
    one = "does" if deleted == 1 else "do"
    return f"{format_plural(deleted, 'row')} of {format_plural(tables, 'table')} {one} not travel{kept}."


def describe_leftovers(row: Pruned) -> Iterator[str]:
    """What else a user should know of a model: filters that match nothing, and what pruning leaves. Pure."""
    name = row.model or f"table {row.table}"
    for filter_ in row.unmatched:
        yield f"{name}: no row matches the rule ({filter_})"
    if row.orphaned:
        some = "row refers" if row.orphaned == 1 else "rows refer"
        yield (
            f"{name}: {format_count(row.orphaned)} {some} to rows that are gone, as a generic foreign key or one"
            " without a constraint allows; nothing else happens to them"
        )
    if row.added:
        yield f"{name}: {format_plural(row.added, 'row')} added by an on_delete handler of the project"


def name_cause(row: Pruned) -> str:
    """The rules that led to it, the model's own first. Pure."""
    if not row.by:
        return "ON DELETE of the database" if row.deleted or row.updated else "an on_delete handler"
    names = sorted(row.by, key=lambda name: name != row.model)
    return format_list(["its own rule" if name == row.model else name for name in names])
