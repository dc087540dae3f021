"""Names in the target: who gets the one that the source gives, and why a name changed.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.model import NameChange, ObjectKind, Table
from liteferry.names import LIMIT_BYTES, NameSpace, NameStyle, restyle_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SYSTEM_COLUMNS: Final = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
"""Names that no column can have. Source: PostgreSQL docs, "System Columns"."""


def list_given_names(table: Table, style: NameStyle) -> Iterator[str]:
    """The names that the source gives to the table's constraints and indexes, in a style. Pure."""
    found = (
        table.primary_key_name,
        *(index.name if index.origin == "c" else index.constraint_name for index in table.indexes),
        *(check.name for check in table.checks),
        *(key.name for key in table.foreign_keys),
    )
    return (style_name(name, style) for name in found if name)


def style_name(name: str, style: NameStyle) -> str:
    """The name in a style; never empty. Pure."""
    return restyle_name(name, style) or "unnamed"


def claim_names(
    names: Sequence[str], space: NameSpace, style: NameStyle, kept_back: Iterable[str] = ()
) -> dict[str, str]:
    """Take a name in the target for each of the source's: first for those that the style does not change. Pure.

    So user_name keeps its name, and userName evades it, in whatever order they stand. kept_back: names that nothing
    may have.
    """
    for name in kept_back:
        space.claim(name)
    ordered = sorted(names, key=lambda name: style_name(name, style) != name)
    claimed = {name: space.claim(style_name(name, style), seed=name, given=bool(name)) for name in ordered}
    return {name: claimed[name] for name in names}


def note_change(kind: ObjectKind, table: str | None, source: str, target: str, style: NameStyle) -> list[NameChange]:
    """Note that a name was not kept, and why; nothing where it was. Pure."""
    if source == target:
        return []
    why = say_why(source, target, style)
    if kind == "column" and (styled := style_name(source, style)) in SYSTEM_COLUMNS and target != styled:
        why = "PostgreSQL keeps the name for itself"
    return [NameChange(kind=kind, table=table, source=source, target=target, why=why)]


def why_styled(style: NameStyle) -> str:
    """The reason for a change of name that the user asked for. Pure."""
    return f"--names {style}"


def say_why(name: str, target: str, style: NameStyle) -> str:
    """Say why a name that the source gives could not be kept. Pure."""
    styled = restyle_name(name, style)
    if not name:
        return "a name cannot be empty"
    if not styled:
        return f"nothing is left of it with --names {style}"
    if styled == target:
        return why_styled(style)
    if len(styled.encode()) > LIMIT_BYTES:
        return f"it has more than {LIMIT_BYTES} bytes"
    return "another object has it already" if styled == name else f"another object has the name {styled} already"
