"""Rows of the snapshot against what COPY TO gives, by the compiled comparer; `liteferry.compare` is its specification.

Layer 2. Imports nothing that the load is made of. What the comparer does not judge surely it hands to the functions
here, value by value, which ask `liteferry.compare`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from liteferry.compare import (
    StorageValue,
    Text,
    canonical_source_column,
    canonical_target_column,
    is_changed,
    make_value_converter,
    pads_with_blanks,
)
from liteferry.compiled import find_part
from liteferry.model import TableDigest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from liteferry.compiled._comparer import Database
    from liteferry.model import ColumnMap, Kind

_NAMES: Final[dict[Kind, str]] = {"int2": "integer", "int4": "integer", "int8": "integer", "inet": "other"}
"""The comparer's names of kinds, where they differ from ours."""


def name_kind(kind: Kind, pg_type: str) -> str:
    """The comparer's name for a kind. Pure."""
    return "padded" if pads_with_blanks(kind, pg_type) else _NAMES.get(kind, kind)


def is_built() -> bool:
    """Whether there is a comparer. Raises: MigrationError when it is demanded and there is none."""
    return find_part("_comparer") is not None


def open_copy(uri: str, stand_ins: tuple[str, ...] = ()) -> Database:
    """Open the copy (`CopyPlace`), for one comparison after another. Raises: sqlite3.Error."""
    part = find_part("_comparer")
    assert part is not None  # noqa: S101 - the caller has asked `is_built`
    database: Database = part.open_copy(uri, stand_ins)
    return database


class RowComparison:
    """One table's rows of both sides, or of one: compared in pairs or as multisets, and digested.

    Reads the source by itself, from the copy. Raises sqlite3.Error when it cannot be read.
    """

    def __init__(
        self,
        columns: Sequence[ColumnMap],
        *,
        database: Database | None = None,
        give_back: Callable[[Database], None] | None = None,
        sql: str | None = None,
        key: tuple[int, ...] = (),
        pieced: tuple[int, ...] = (),
        large_bytes: int = 0,
        is_paired: bool = False,
    ) -> None:
        """Begin. sql: reads the source's rows, None where there is none; from the database that `open_copy` gave.

        give_back: takes the database as soon as the comparison is over, for the next one.
        is_paired: each row of one side is compared with that of the other at the same place, value by value; without,
        the digests are only added up. key: positions of columns, by which both sides are ordered. pieced: positions
        of the columns whose values may come in pieces; those of large_bytes and more are then not copied.
        """
        part = find_part("_comparer")
        assert part is not None  # noqa: S101 - the caller has asked `is_built`
        self._database, self._give_back = database, give_back
        described = tuple((name_kind(column.kind, column.pg_type), bool(column.conversions)) for column in columns)
        self._comparer = part.Comparer(
            database=database,
            sql=sql,
            columns=described,
            key=key,
            pieced=pieced,
            large_size=large_bytes,
            is_paired=is_paired,
            ask_source=_make_source_form(columns if sql is not None else ()),
            ask_target=_make_target_form(columns),
        )

    def feed(self, block: bytes) -> bool:
        """Take bytes of COPY's text format, cut anywhere. False: something differs, and it is over."""
        return bool(self._comparer.feed(block)) or self._end(is_equal=False)

    def finish(self) -> bool:
        """Take the end of COPY's bytes. Whether the rows were equal; as multisets only the digests tell."""
        return self._end(is_equal=bool(self._comparer.finish()))

    def _end(self, *, is_equal: bool) -> bool:
        """It is over, and the comparer has let go of the database."""
        database, self._database = self._database, None
        if database is not None and self._give_back is not None:
            self._give_back(database)
        return is_equal

    @property
    def source(self) -> TableDigest:
        """The digest of the source's rows until now."""
        return _make_digest(self._comparer.sums()[0])

    @property
    def target(self) -> TableDigest:
        """The digest of the target's rows until now."""
        return _make_digest(self._comparer.sums()[1])

    @property
    def rows_of_target(self) -> int:
        """How many of the target's rows were taken until now."""
        return int(self._comparer.sums()[1][0])

    @property
    def is_ordered(self) -> bool:
        """Whether the key's values increased strictly."""
        return bool(self._comparer.is_ordered)

    @property
    def changed(self) -> tuple[int, ...]:
        """How many values of each column the conversions changed."""
        return tuple(self._comparer.changed)


def _make_digest(sums: tuple[int, int, int, int, int]) -> TableDigest:
    rows, high, low, xor_high, xor_low = sums
    return TableDigest(rows=rows, sum=f"{high << 64 | low:032x}", xor=f"{xor_high << 64 | xor_low:032x}")


def _make_source_form(
    columns: Sequence[ColumnMap],
) -> Callable[[int, int | float | bytes, bool], tuple[bytes, bool]]:
    """What gives the form of a stored value, and whether the column's conversions changed the value."""
    converters = [make_value_converter(column) if column.conversions else None for column in columns]

    def find_form(position: int, stored: float | bytes, is_text: bool) -> tuple[bytes, bool]:  # noqa: FBT001 - from C
        column, convert = columns[position], converters[position]
        value: StorageValue = Text(stored) if is_text else stored  # type: ignore[arg-type]  # a text comes as bytes
        after = convert(value) if convert else value
        (form,) = canonical_source_column((after,), column.kind, column.pg_type)
        return form, convert is not None and is_changed(value, after)

    return find_form


def _make_target_form(columns: Sequence[ColumnMap]) -> Callable[[int, bytes], bytes]:
    """What gives the form of a text, unescaped and not NULL."""

    def find_form(position: int, text: bytes) -> bytes:
        column = columns[position]
        return canonical_target_column((text,), column.kind, column.pg_type)[0]

    return find_form
