"""The rows of a batch by their names, and the places of offending values.

Layer 1, pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from liteferry.census.values import describe_key_value, to_storage
from liteferry.compare.literals import spell_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Offender(NamedTuple):
    """One offending value's place. row: its rowid, or its primary key's literals; None where it has no name.

    key: the same for people; why: what offends. value: as the census reads it, where there is one (``has_value``);
    `to_storage` makes a copy of it, and it may be large.
    """

    row: int | str | None
    key: str
    why: str
    value: object = None
    has_value: bool = False


Sink: TypeAlias = "Callable[[str, str, Iterable[Offender]], None]"
"""Takes every offender, as it is found: column, offence, places."""


def name_row_by_key(values: Iterable[object]) -> str:
    """Name a row by the literals of its primary key: ``'a', 5``. Pure. Never cut, as what is shown to people is."""
    return ", ".join(spell_literal(to_storage(value)).decode() for value in values)


class Batch:
    """Names the rows of a batch. has_rowid: each ends with its rowid; is_named: SQL can ask for it by that.

    ``orders``: each row's place among the table's rows, ascending.
    """

    __slots__ = ("_has_rowid", "_is_named", "_key", "_rows", "orders")

    def __init__(
        self,
        rows: Sequence[tuple[object, ...]],
        key: Sequence[tuple[str, int]],
        orders: Sequence[int],
        *,
        has_rowid: bool,
        is_named: bool,
    ) -> None:
        """Keep the rows; key: the columns of the primary key and their positions."""
        self._rows = rows
        self._key = key
        self.orders = orders
        self._has_rowid = has_rowid
        self._is_named = is_named

    def describe(self, index: int) -> str:
        """The row's key, for people."""
        row = self._rows[index]
        if self._key and all(row[position] is not None for _, position in self._key):
            return ", ".join(f"{name}={describe_key_value(row[position])}" for name, position in self._key)
        return f"rowid={row[-1]}" if self._has_rowid else "the row with NULL in its key"

    def identify(self, index: int) -> int | str | None:
        """The row's name for the machine, exact."""
        row = self._rows[index]
        if not self._has_rowid:
            return name_row_by_key(row[position] for _, position in self._key)
        return row[-1] if self._is_named else None  # type: ignore[return-value]  # rowids are integers
