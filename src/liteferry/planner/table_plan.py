"""What is decided for one table, while it is planned; the names of its constraints, and what was translated for it.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from liteferry.model import (
    ColumnMap,
    Finding,
    Kind,
    NameChange,
    ObjectKind,
    PlannedObject,
    Step,
    Table,
    TableMap,
    TranslatedSql,
    TranslationUse,
)
from liteferry.names import NameSpace, NameStyle
from liteferry.planner.naming import note_change, style_name
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from liteferry.expressions import ColumnType, Translation
    from liteferry.planner.collations import Collations
    from liteferry.planner.refusals import Refusals


class Judge(Protocol):
    """`find_fault` for one table."""

    def __call__(
        self, code: str, name: str, /, *, what: str = "", sql: str | None = None
    ) -> tuple[Finding | None, str]:
        """The finding about rows that a constraint would not take, and the way out that the user takes."""


@dataclass(slots=True, kw_only=True)
class TablePlan:
    """What was decided for one table; filled while planning, then only read."""

    table: Table
    map: TableMap
    types: tuple[ColumnType, ...]
    unique_sets: list[tuple[str, ...]] = field(default_factory=list)  # source columns that are unique in the target
    steps: list[Step] = field(default_factory=list)
    objects: list[PlannedObject] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    names: list[NameChange] = field(default_factory=list)
    constraint_names: NameSpace = field(default_factory=NameSpace)
    style: NameStyle = "preserve"
    sequence: str = ""  # the identity column's sequence
    translations: list[TranslatedSql] = field(default_factory=list)
    refusals: Refusals
    collations: Collations
    rows: int = 0  # of the source, with those in quarantine

    def target_of(self, column: str) -> str:
        """The target's name of a source column, whatever its case. Raises: KeyError."""
        return self._find(column).target

    def kind_of(self, column: str) -> Kind:
        """The kind of a source column, whatever its case. Raises: KeyError."""
        return self._find(column).kind

    def _find(self, column: str) -> ColumnMap:
        for found in self.map.columns:
            if fold_case(found.source) == fold_case(column):
                return found
        raise KeyError(column)


def claim_relation(plan: TablePlan, relations: NameSpace, kind: ObjectKind, given: str | None, default: str) -> str:
    """Take a name for something backed by an index: unique in the schema, and among the table's constraints."""
    wanted = style_name(given, plan.style) if given else default
    name = relations.claim(wanted, seed=f"{plan.map.target}/{kind}", given=given is not None)
    plan.constraint_names.claim(name, given=True)
    _note_name(plan, kind, given, name)
    return name


def claim_constraint(plan: TablePlan, kind: ObjectKind, given: str | None, default: str) -> str:
    """Take a name for a constraint without an index: unique among the table's constraints."""
    wanted = style_name(given, plan.style) if given else default
    name = plan.constraint_names.claim(wanted, seed=given or "", given=given is not None)
    _note_name(plan, kind, given, name)
    return name


def _note_name(plan: TablePlan, kind: ObjectKind, given: str | None, name: str) -> None:
    if given is not None:
        plan.names += note_change(kind, plan.table.name, given, name, plan.style)


def note_translation(
    plan: TablePlan,
    use: TranslationUse,
    names: tuple[str, str],
    source_sql: str,
    translated: Translation,
    pg_type: str = "",
) -> None:
    """Note what was translated, for the proof. names: the object's in findings, and in the target."""
    if translated.kind is None:
        return
    result = ColumnMap(
        source=names[0], target=names[1], pg_type=pg_type or translated.kind, kind=translated.kind, rule=""
    )
    plan.translations.append(
        TranslatedSql(
            use=use,
            name=names[0],
            object_name=names[1],
            table=plan.table.name,
            source_sql=source_sql,
            target_sql=translated.sql,
            results=(result,),
            moves=translated.moves,
        )
    )
