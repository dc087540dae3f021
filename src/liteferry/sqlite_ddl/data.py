"""What a CREATE statement says: frozen dataclasses and nothing else.

Layer 1, pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

TokenKind = Literal["word", "quoted", "string", "number", "blob", "variable", "operator"]

_ASCII_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class DdlError(ValueError):
    """A CREATE statement that cannot be read. position: 0-based, in characters of the text. reason: one sentence."""

    def __init__(self, position: int, reason: str) -> None:
        """Hold the place and the reason."""
        super().__init__(f"{reason} (at character {position})")
        self.position = position
        self.reason = reason


@lru_cache(maxsize=1 << 16)  # asked a hundred times for each name of a schema: of 161 tables 130,000 times
def fold_case(name: str) -> str:
    """Bring a name to lower case as SQLite compares names: A to Z only. Pure."""
    return name.translate(_ASCII_LOWER)


class Token(NamedTuple):
    """One token. text: as written. value: the name or string that it stands for, unquoted (else as written).

    kind ``quoted``: "x", [x] or `x`; ``string``: 'x'. ``start`` and ``end`` are positions in the text.

    A tuple: 5,000 small tables have 150,000 of them, and a frozen dataclass takes three times as long to make.
    """

    kind: TokenKind
    text: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyColumnText:
    """A column of a PRIMARY KEY or UNIQUE constraint. collation: as written in the constraint, None when not."""

    name: str
    collation: str | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckText:
    """A CHECK. sql: without the outer parentheses."""

    sql: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyText:
    """A PRIMARY KEY or UNIQUE table constraint."""

    columns: tuple[KeyColumnText, ...]
    name: str | None = None
    on_conflict: str | None = None
    autoincrement: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKeyText:
    """A foreign key. parent_columns: () when the text leaves them to the parent's primary key."""

    columns: tuple[str, ...]
    parent_table: str
    parent_columns: tuple[str, ...] = ()
    name: str | None = None
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"
    match: str | None = None
    deferrable: bool = False
    initially_deferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnText:
    """A column's definition. default_sql, generated_sql: without outer parentheses.

    declared_type: as written, "" for none, the first word alone where that is quoted, and without the GENERATED ALWAYS
    that SQLite takes for a part of it. stored: a generated column that is STORED. ``*_on_conflict``: the upper-case
    word, ABORT too when it is written. ``*_name``: what CONSTRAINT calls it. references: in the order written; usually
    one at most.
    """

    name: str
    declared_type: str = ""
    collation: str | None = None
    default_sql: str | None = None
    generated_sql: str | None = None
    stored: bool = False
    not_null: bool = False
    not_null_name: str | None = None
    not_null_on_conflict: str | None = None
    primary_key: bool = False
    primary_key_name: str | None = None
    primary_key_descending: bool = False
    primary_key_on_conflict: str | None = None
    autoincrement: bool = False
    unique: bool = False
    unique_name: str | None = None
    unique_on_conflict: str | None = None
    checks: tuple[CheckText, ...] = ()
    references: tuple[ForeignKeyText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableText:
    """A CREATE TABLE statement. primary_key: the table-level constraint; a column's own is in its `ColumnText`."""

    name: str
    schema: str | None = None
    temporary: bool = False
    columns: tuple[ColumnText, ...]
    primary_key: KeyText | None = None
    uniques: tuple[KeyText, ...] = ()
    checks: tuple[CheckText, ...] = ()
    foreign_keys: tuple[ForeignKeyText, ...] = ()
    without_rowid: bool = False
    strict: bool = False

    def column(self, name: str) -> ColumnText:
        """The column of that name, letter case aside as in SQLite (ASCII). Raises: KeyError."""
        for column in self.columns:
            if fold_case(column.name) == fold_case(name):
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexKeyText:
    """One key of an index: its SQL without COLLATE, ASC and DESC; column: its name when the key is just a column."""

    text_sql: str
    column: str | None = None
    collation: str | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexText:
    """A CREATE INDEX statement."""

    name: str
    table: str
    unique: bool
    keys: tuple[IndexKeyText, ...]
    where_sql: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewText:
    """A CREATE VIEW statement. columns: the names written after the view's, () when there are none."""

    name: str
    columns: tuple[str, ...]
    select_sql: str
    schema: str | None = None
    temporary: bool = False
