"""What the translator takes and gives: frozen dataclasses and nothing else.

Layer 1, pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from liteferry.model import Affinity, Kind

StorageClass = Literal["integer", "real", "text", "blob"]

TEMPORAL_FORMS: Final = (
    "date",  # YYYY-MM-DD
    "datetime",  # YYYY-MM-DD HH:MM:SS
    *(f"datetime-f{digits}" for digits in range(1, 10)),  # with exactly that many digits of a second, zeros too
    "datetime-any",  # any of these
    "datetime-t",  # with T in place of the space, and perhaps a fraction
    "time-s",  # HH:MM:SS
    "time-python",  # HH:MM:SS, then nothing or six digits that are not all zero
)
"""The forms of dates and times whose order as SQLite texts is known: the names of `liteferry.census.FORMS`.

``datetime`` together with ``datetime-f6`` and nothing else is taken for Python's way, which leaves out a fraction that
is zero. Any other name is refused wherever the text's form matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnType:
    """A column as an expression sees it: what SQLite stores in it and what it became in PostgreSQL.

    source, target: its name on either side. affinity: None only for a view's column that is an expression. whole: a
    numeric or float8 column whose values are all whole numbers and stored as INTEGER, so that division truncates in
    SQLite. storage: the storage classes that the census found besides NULL; empty when nobody looked, and then the
    kind's own class is assumed. forms: what the column's dates and times look like in SQLite (`TEMPORAL_FORMS`); empty
    stands for what Python writes. rowid: the column is the table's INTEGER PRIMARY KEY, so that ``rowid`` names it too.
    generated: it is a generated column, which no other generated column may use in PostgreSQL. plain_suffix: what
    makes it a text that compares byte for byte, where the column itself ignores case in PostgreSQL (``::text``).
    """

    source: str
    target: str
    kind: Kind
    affinity: Affinity | None
    pg_type: str
    not_null: bool = False
    collation: str = "BINARY"
    whole: bool = False
    storage: frozenset[StorageClass] = frozenset()
    forms: frozenset[str] = frozenset()
    rowid: bool = False
    generated: bool = False
    plain_suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table, or a view that is translated already, as a view's SELECT sees it."""

    source: str
    target: str
    schema: str
    columns: tuple[ColumnType, ...]


_MOVING: Final = ("statement_timestamp()", "gen_random_uuid()")
"""What every translation that reads the clock or makes random values is built of."""


def _moves(sql: str) -> bool:
    return any(word in sql for word in _MOVING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """An expression in PostgreSQL's words. kind: the result's, None for a bare NULL.

    implied_by_type: the condition holds for every value that the PostgreSQL type can hold (``json_valid(x)`` on
    jsonb), so that the constraint may be left out; ``sql`` is then a condition that is always true.
    """

    sql: str
    kind: Kind | None
    implied_by_type: bool = False

    @property
    def moves(self) -> bool:
        """Whether it reads the clock or makes random values."""
        return _moves(self.sql)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewTranslation:
    """A view in PostgreSQL's words.

    sql: the SELECT, relations schema-qualified, output columns named. columns: the output columns, usable as another
    view's `Relation.columns`. depends_on: source names of the relations that it reads. notes: what a reader should
    know ("sums of floating-point numbers may differ in the last digit"), one sentence each. rough: it adds
    floating-point numbers. chance: why two good answers may differ, "" when they may not.
    """

    sql: str
    columns: tuple[ColumnType, ...]
    depends_on: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rough: bool = False
    chance: str = ""

    @property
    def moves(self) -> bool:
        """Whether it reads the clock or makes random values, itself and not by a view that it reads."""
        return _moves(self.sql)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDoc:
    """One line of the docs' table of translations. postgresql is empty when the construct is refused."""

    sqlite: str
    postgresql: str
    note: str = ""
