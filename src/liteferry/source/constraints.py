"""The keys and CHECKs of a CREATE TABLE statement, to be paired with the indexes that SQLite made for them.

Layer 1, pure. A statement that could not be read (None) has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.model import Check, IndexKey
from liteferry.sqlite_ddl import TableText, fold_case

if TYPE_CHECKING:
    from collections.abc import Iterator

_KNOWN_COLLATIONS: Final = frozenset({"BINARY", "NOCASE", "RTRIM"})


def spell_collation(name: str | None) -> str:
    """SQLite's own collations in upper case; another as it is written. Pure."""
    upper = (name or "BINARY").upper()
    return upper if upper in _KNOWN_COLLATIONS else str(name)


def list_checks(text: TableText | None) -> Iterator[Check]:
    """Every CHECK, the columns' first. Pure."""
    if text:
        for column in text.columns:
            for check in column.checks:
                yield Check(sql=check.sql, name=check.name, column=column.name)
        for check in text.checks:
            yield Check(sql=check.sql, name=check.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyConstraint:
    """A PRIMARY KEY or UNIQUE as the text has it. columns: folded names with their collations, folded."""

    columns: tuple[tuple[str, str], ...] = ()
    origin: str = "pk"
    name: str | None = None
    on_conflict: str | None = None
    autoincrement: bool = False


def list_key_constraints(text: TableText | None) -> Iterator[KeyConstraint]:
    """Every PRIMARY KEY and UNIQUE of the text. Pure."""
    if not text:
        return
    for column in text.columns:
        columns = ((fold_case(column.name), fold_case(column.collation or "BINARY")),)
        if column.primary_key:
            yield KeyConstraint(
                columns=columns,
                name=column.primary_key_name,
                on_conflict=_drop_abort(column.primary_key_on_conflict),
                autoincrement=column.autoincrement,
            )
        if column.unique:
            yield KeyConstraint(
                columns=columns,
                origin="u",
                name=column.unique_name,
                on_conflict=_drop_abort(column.unique_on_conflict),
            )
    keys = [("pk", text.primary_key)] if text.primary_key else []
    for origin, key in [*keys, *(("u", unique) for unique in text.uniques)]:
        yield KeyConstraint(
            columns=tuple(
                (
                    fold_case(column.name),
                    fold_case(column.collation or text.column(column.name).collation or "BINARY"),
                )
                for column in key.columns
            ),
            origin=origin,
            name=key.name,
            on_conflict=_drop_abort(key.on_conflict),
            autoincrement=key.autoincrement,
        )


def _drop_abort(on_conflict: str | None) -> str | None:
    return None if on_conflict == "ABORT" else on_conflict


def find_primary_key(text: TableText | None) -> KeyConstraint:
    """The PRIMARY KEY as the text has it; one without columns when there is none. Pure."""
    found = (constraint for constraint in list_key_constraints(text) if constraint.origin == "pk")
    return next(found, KeyConstraint())


def match_constraint(constraints: list[KeyConstraint], origin: str, keys: tuple[IndexKey, ...]) -> KeyConstraint | None:
    """Find the constraint that SQLite made an index for. Pure."""
    if origin == "c":
        return None
    wanted = tuple((fold_case(key.column or ""), fold_case(key.collation)) for key in keys)
    return next((found for found in constraints if found.origin == origin and found.columns == wanted), None)
