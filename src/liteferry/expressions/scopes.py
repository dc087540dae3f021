"""What names mean within a SELECT.

Layer 1, pure. Source: lookupName in SQLite's resolve.c: columns of FROM, then rowid, then the outer SELECT's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions.tables import ROWID_NAMES
from liteferry.expressions.terms import Term, make_column
from liteferry.names import quote_name
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from liteferry.expressions.data import ColumnType

_SCHEMAS: Final = frozenset({"main", "temp"})


@dataclass(slots=True)
class FromItem:
    """A table, view or subquery in FROM. alias: what the SELECT calls it. target: the alias in PostgreSQL.

    hidden: columns (folded) that USING took from the item on the left. nullable: an outer join may leave it out.
    """

    alias: str
    target: str
    columns: tuple[ColumnType, ...]
    nullable: bool = False
    hidden: set[str] = field(default_factory=set)

    def find(self, name: str) -> Term | None:
        """The column of that name; ``rowid`` and its like name the INTEGER PRIMARY KEY. None when there is none."""
        folded = fold_case(name)
        for column in self.columns:
            if fold_case(column.source) == folded:
                return self.term(column)
        if folded in ROWID_NAMES:
            for column in self.columns:
                if column.rowid:
                    return self.term(column)
        return None

    def term(self, column: ColumnType) -> Term:
        """The term of one of its columns."""
        return make_column(column, f"{quote_name(self.target)}.", nullable=self.nullable)


@dataclass(slots=True)
class SelectScope:
    """The names of one SELECT, and of the SELECTs around it.

    keys: in an aggregated SELECT, the SQL of what it is grouped by; its subqueries may name nothing else of it.
    """

    items: list[FromItem] = field(default_factory=list)
    parent: SelectScope | None = None
    keys: Mapping[str, Term] | None = None

    def resolve(self, parts: tuple[str, ...]) -> Term | None:
        """The column of that name, None when there is none."""
        here = self.resolve_here(parts)
        if here is not None or self.parent is None:
            return here
        outer = self.parent.resolve(parts)
        keys = self.parent.keys
        if outer is not None and keys is not None and outer.sql not in keys and self.parent.resolve_here(parts):
            raise Untranslatable(f"a subquery uses {'.'.join(parts)}, which is neither grouped nor aggregated")
        return outer

    def resolve_here(self, parts: tuple[str, ...]) -> Term | None:
        """The same, without the SELECTs around this one. Raises: Untranslatable when two columns have the name."""
        if len(parts) == 3 and fold_case(parts[0]) not in _SCHEMAS:
            return None
        *qualifier, name = parts
        if qualifier:
            wanted = fold_case(qualifier[-1])
            found = [term for item in self.items if fold_case(item.alias) == wanted and (term := item.find(name))]
        else:
            found = [term for item in self.items if fold_case(name) not in item.hidden and (term := item.find(name))]
        if len(found) > 1:
            raise Untranslatable(f"{'.'.join(parts)} names more than one column")
        return found[0] if found else None

    def expand_star(self, table: str) -> Iterator[tuple[ColumnType, Term]]:
        """The columns of ``*`` (table "") or ``table.*``, in SQLite's order. Raises: Untranslatable."""
        items = [item for item in self.items if not table or fold_case(item.alias) == fold_case(table)]
        if not items:
            raise Untranslatable(f"{table or ''}* stands for no table")
        for item in items:
            for column in item.columns:
                if table or fold_case(column.source) not in item.hidden:
                    yield column, item.term(column)
