"""How a difference between objects is put into words.

Layer 3, pure. Used by `proof` only.
"""

from __future__ import annotations

from typing import Final

from liteferry.model import Mismatch, ObjectKind

_WORDS: Final[dict[ObjectKind, str]] = {"primary_key": "primary key", "foreign_key": "foreign key"}


def describe_object(kind: ObjectKind, name: str, table: str | None, preposition: str = "of") -> str:
    """``index foo of bar``. An object of the sort ``other`` has its sort in its name. Pure."""
    where = f" {preposition} {table}" if table and kind != "table" else ""
    return f"{_WORDS.get(kind, kind)} {name}{where}" if kind != "other" else f"{name}{where}"


def differ(kind: ObjectKind, name: str, table: str | None, source: str, target: str, message: str = "") -> Mismatch:
    """Say that an object is not as it should be. Pure."""
    return Mismatch(
        kind="object",
        object_kind=kind,
        object_name=name,
        table=table,
        source=source,
        target=target,
        message=message or f"{describe_object(kind, name, table)} is {target} in the target, and should be {source}",
    )


def miss(kind: ObjectKind, name: str, table: str | None, source: str = "declared") -> Mismatch:
    """Say that an object is not there. Pure."""
    return differ(
        kind, name, table, source, "missing", f"{describe_object(kind, name, table)} is missing in the target"
    )


def exceed(kind: ObjectKind, name: str, table: str | None, target: str = "present") -> Mismatch:
    """Say that an object is there that should not be. Pure."""
    message = f"{describe_object(kind, name, table, 'on')} is in the target, but nothing in the source asks for it"
    return differ(kind, name, table, "not declared", target, message)
