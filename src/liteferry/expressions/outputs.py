"""The columns that a SELECT gives: their names, their types, and how they are written.

Layer 1, pure. Source: sqlite3ColumnsFromExprList in SQLite's select.c for the names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from liteferry.errors import Untranslatable
from liteferry.expressions import syntax as s
from liteferry.expressions.data import ColumnType
from liteferry.expressions.terms import NOTHING, PG_TYPES, Term, as_bigint, as_number, make_literal, unify
from liteferry.names import NameSpace, quote_name
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.expressions.selects import SelectTranslator


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column that a SELECT gives: SQLite's name for it, and the term. has_name: ORDER BY may call it by its name.

    bare: it is a column of FROM that ignores case by itself, given on as it is: its SQL.
    """

    name: str
    term: Term
    has_name: bool = True
    bare: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A SELECT in PostgreSQL's words, and its columns; ``sql`` names them by `ColumnType.target`."""

    sql: str
    columns: tuple[ColumnType, ...]
    terms: tuple[Term, ...]
    one_row: bool = False


@dataclass(slots=True)
class CompiledCore:
    """One SELECT of a compound one, before its columns have their final types. tail: from FROM on."""

    outputs: list[OutputColumn]
    tail: str
    distinct: bool
    translator: SelectTranslator
    one_row: bool = False
    rows: tuple[tuple[Term, ...], ...] = ()


def integer_literal(node: s.Node | None) -> int | None:
    """The value of an integer literal with or without a sign, None for anything else. Pure."""
    if isinstance(node, s.Unary) and node.operator == "-":
        inner = integer_literal(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, s.Literal) and isinstance(node.value, int) else None


def name_of(column: s.ResultColumn) -> str:
    """SQLite's name of a column without an alias: the column's own, else the expression's text. Pure."""
    node = column.expression
    while isinstance(node, s.Collate):
        node = node.operand
    return node.parts[-1] if isinstance(node, s.Name) else column.text


def finish(term: Term) -> Term:
    """A term as a column that is given: truth values become 0 and 1, as SQLite computes them."""
    if term.condition:
        return as_number(term, "a column")
    return term


def widen(term: Term) -> Term:
    """A column of a recursive table's first SELECT, fit for what the others may add. Pure."""
    if term.kind in ("int2", "int4"):
        return replace(as_bigint(term, "a recursive table"), literal=None, lowest=None)
    return replace(term, literal=None, lowest=None, not_null=False)


def merge_terms(terms: Sequence[Term]) -> Term:
    """What is known of a column that comes from several SELECTs."""
    present = [term for term in terms if not term.literal or term.literal.value is not None] or list(terms)
    first = terms[0]
    storage = NOTHING.union(*(term.storage for term in present))
    return replace(
        present[0],
        storage=storage,
        affinity=first.affinity,
        collation=first.collation,
        not_null=all(term.not_null for term in terms),
        lowest=None,
        digits=all(term.digits for term in present),
        literal=None,
        pg_type=present[0].pg_type if len({term.pg_type for term in present}) == 1 else "",
    )


def unify_cores(cores: Sequence[CompiledCore]) -> list[OutputColumn]:
    """Give all SELECTs of a compound one the same types, and tell what is known of the result's columns."""
    width = len(cores[0].outputs)
    if any(len(core.outputs) != width for core in cores):
        raise Untranslatable("a compound SELECT whose parts have different numbers of columns")
    merged: list[OutputColumn] = []
    for index in range(width):
        terms = [core.outputs[index].term for core in cores]
        if len({(term.collation or "BINARY") for term in terms}) > 1:
            raise Untranslatable("a compound SELECT of texts with different collations")
        if any(core.rows for core in cores) and len({term.kind for term in terms}) > 1:
            raise Untranslatable("VALUES in a compound SELECT with other types")
        unified = unify(terms, "a compound SELECT")
        for core, term in zip(cores, unified, strict=True):
            core.outputs[index] = replace(core.outputs[index], term=term)
        merged.append(OutputColumn(cores[0].outputs[index].name, merge_terms(unified)))
    return merged


def name_outputs(outputs: Sequence[OutputColumn]) -> tuple[tuple[ColumnType, ...], tuple[Term, ...]]:
    """Name the columns as SQLite does (the second ``a`` is ``a:1``), and describe them."""
    names = NameSpace()
    taken: set[str] = set()
    columns: list[ColumnType] = []
    for output in outputs:
        name, count = output.name, 0
        while fold_case(name) in taken:
            count += 1
            name = f"{output.name}:{count}"
        taken.add(fold_case(name))
        term = output.term
        suffix = term.column.plain_suffix if output.bare and term.column else ""
        if term.is_null:
            term = replace(make_literal(None), kind="text")
        kind = term.kind or "text"
        columns.append(
            ColumnType(
                source=name,
                target=names.claim(name or "?column?"),
                kind=kind,
                affinity=term.affinity,
                pg_type=term.pg_type or PG_TYPES[kind],
                not_null=term.not_null,
                collation=term.collation or "BINARY",
                storage=term.storage,
                forms=term.forms,
                plain_suffix=suffix,
            )
        )
    return tuple(columns), tuple(output.term for output in outputs)


def render_core(core: CompiledCore, columns: Sequence[ColumnType]) -> str:
    """Write one SELECT. Pure."""
    if core.rows:
        rows = ", ".join(f"({', '.join(term.sql for term in row)})" for row in core.rows)
        names = ", ".join(quote_name(column.target) for column in columns)
        return f'SELECT * FROM (VALUES {rows}) AS "rows"({names})'
    items = []
    for output, column in zip(core.outputs, columns, strict=True):
        sql = output.term.sql if not output.term.is_null else f"NULL::{column.pg_type}"
        if column.plain_suffix:
            sql = output.bare
        items.append(f"{sql} AS {quote_name(column.target)}")
    return f"SELECT {'DISTINCT ' if core.distinct else ''}{', '.join(items)}{core.tail}"


def output_index(node: s.Node, outputs: Sequence[OutputColumn], core: s.Core) -> int | None:
    """Which column a term of ORDER BY means: its number, its alias, or the same expression. Pure.

    None when it is none of the columns. Raises: Untranslatable for a number that there is no column for.
    """
    position = integer_literal(node)
    if position is not None:
        if not 1 <= position <= len(outputs):
            raise Untranslatable(f"ORDER BY {position}")
        return position - 1
    if isinstance(node, s.Name) and len(node.parts) == 1:
        for index, output in enumerate(outputs):
            if output.has_name and fold_case(output.name) == fold_case(node.parts[0]):
                return index
    if all(column.expression is not None for column in core.columns):
        for index, column in enumerate(core.columns):
            if column.expression == node:
                return index
    return None
