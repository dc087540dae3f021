"""What a schema that an application made holds: all that filling it has to know, to touch, and to put back.

Layer 0: frozen dataclasses and nothing else. `liteferry.model.TargetCatalog` says what the schema looks like; this
says how it behaves when rows arrive (triggers, foreign keys, sequences, rights), and in which words the server itself
describes every detail of it (`Holding.footprint`), so that before and after can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from liteferry.model import TargetCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldType:
    """A column's type. ``base``: ``format_type()``'s text of what its values are made of, below all domains.

    ``sort`` is that of the base: ``enum`` with its ``labels``; ``extension`` with its bare name as ``base`` (citext);
    ``array`` and everything else that is not a plain base type is ``other``. ``not_null``, ``has_default``: a domain's.
    """

    column: str
    name: str
    base: str
    sort: Literal["base", "enum", "extension", "array", "other"]
    labels: tuple[str, ...] = ()
    not_null: bool = False
    has_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTrigger:
    """A trigger that somebody made, and its state (pg_trigger.tgenabled: O, D, R or A)."""

    schema: str
    table: str
    name: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldIndex:
    """An index that belongs to no constraint. ``plain``: its definition and comment are all there is to it.

    One that is not plain (of a partitioned table, invalid, clustered on, in a tablespace of its own …) is left alone.
    """

    schema: str
    table: str
    name: str
    definition_sql: str
    plain: bool
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldForeignKey:
    """A foreign key from or to a table of the schema. One of a partition that comes from its parent is not listed.

    ``validated``: the rows that are there satisfy it. ``enabled``: every one of its triggers is enabled as the server
    made it. ``owned``: our role may drop it and make it again.
    """

    schema: str
    table: str
    table_oid: int
    name: str
    columns: tuple[str, ...]
    parent_schema: str
    parent_table: str
    parent_oid: int
    parent_columns: tuple[str, ...]
    definition_sql: str
    validated: bool
    enabled: bool
    owned: bool
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSequence:
    """A sequence that gives a column its values: as its own, or by its default.

    ``last_value`` and ``is_called`` as the sequence itself says. ``kind``: ``always`` and ``by default`` for identity
    columns, ``owned`` for serial, ``default`` where the column's default merely names it.
    """

    schema: str
    name: str
    table: str
    column: str
    kind: Literal["always", "by default", "owned", "default"]
    last_value: int
    is_called: bool
    increment: int
    max_value: int
    owned: bool

    @property
    def next_value(self) -> int | None:
        """What nextval would give; None when it is exhausted."""
        following = self.last_value + (self.increment if self.is_called else 0)
        return None if following > self.max_value else following


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTable:
    """A table, as rows will find it. ``oids``: its own first, then those of all partitions below it.

    ``kind`` is pg_class.relkind: r, or p for a partitioned one. ``rows`` are counted with those of its partitions.
    ``obstacle``: why it cannot be filled, "" when it can.
    """

    name: str
    oids: tuple[int, ...]
    kind: str
    is_partition: bool
    owned: bool
    rows: int
    obstacle: str = ""
    types: tuple[HeldType, ...] = ()
    triggers: tuple[HeldTrigger, ...] = ()
    indexes: tuple[HeldIndex, ...] = ()
    first_keys: tuple[str, ...] = ()

    def type_of(self, column: str) -> HeldType:
        """The type of a column. Raises: KeyError."""
        for found in self.types:
            if found.column == column:
                return found
        raise KeyError(column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One schema that is there. ``footprint``: every detail as one line of text, to be compared with a later one."""

    schema: str
    may_create: bool  # our role may make indexes and tables in it
    names: tuple[str, ...] = ()  # of all its relations and types: what a further table cannot be called
    tables: tuple[HeldTable, ...] = ()
    foreign_keys: tuple[HeldForeignKey, ...] = ()
    sequences: tuple[HeldSequence, ...] = ()
    footprint: tuple[str, ...] = ()

    @property
    def standing(self) -> Standing:
        """What of it is compared with a later moment."""
        return Standing(footprint=self.footprint, sequences=self.sequences)

    def table(self, name: str) -> HeldTable:
        """The table of that name. Raises: KeyError."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSchema:
    """A schema as it was found. ``stamp``: the catalogues', from before anything else was read."""

    catalog: TargetCatalog
    holding: Holding
    stamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a schema stands when rows were brought in: what must be as before, and where its sequences are."""

    footprint: tuple[str, ...]
    sequences: tuple[HeldSequence, ...]
