"""The SELECTs that read a source's table.

Layer 1, pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import Span, Table


def quote_sqlite_name(name: str) -> str:
    """Quote an identifier for SQLite, where even the empty name is one. Pure."""
    return '"' + name.replace('"', '""') + '"'


def name_column(name: str, alias: str = "t") -> str:
    """A column in SQL. With the table's alias, since SQLite takes an unknown "name" for a text. Pure."""
    return f"{alias}.{quote_sqlite_name(name)}"


def name_rowid(table: Table, alias: str = "t") -> str | None:
    """A name of the rowid that no column of the table has taken for itself. None when there is none. Pure."""
    if table.without_rowid:
        return None
    if table.rowid_alias is not None:
        return name_column(table.rowid_alias, alias)
    taken = {fold_case(column.name) for column in table.columns}
    return next((f"{alias}.{name}" for name in ("rowid", "_rowid_", "oid") if name not in taken), None)


def natural_order(table: Table) -> tuple[str, ...]:
    """The order in which rows are stored, which costs no sorting. Pure."""
    if table.without_rowid:
        (key,) = (index for index in table.indexes if index.origin == "pk")
        return tuple(
            f"{name_column(part.column or '')} COLLATE {quote_sqlite_name(part.collation)}{' DESC' * part.descending}"
            for part in key.keys
        )
    rowid = name_rowid(table)
    return (rowid,) if rowid else ()  # a table that is scanned without an index is scanned by rowid


def span_sql(table: Table, span: Span | None, alias: str = "t") -> str:
    """The condition for rows within a span; "" for all. Pure. The table has a rowid that can be named."""
    if span is None:
        return ""
    rowid = name_rowid(table, alias)
    ends = ((">=", span.low), ("<=", span.high))
    return " AND ".join(f"{rowid} {sign} {end}" for sign, end in ends if end is not None)


def select_expressions(table: str, columns: Sequence[str], expressions: Sequence[str], order: Sequence[str]) -> str:
    """A SELECT of columns, then of expressions as the table's own schema writes them. Pure.

    Without an alias: an expression may name its table. order: terms of ORDER BY.
    """
    name = quote_sqlite_name(table)
    items = [f"{name}.{quote_sqlite_name(column)}" for column in columns]
    items += [f"({expression}\n)" for expression in expressions]  # which may end in a comment
    order_sql = f" ORDER BY {', '.join(order)}" if order else ""
    return f"SELECT {', '.join(items)} FROM main.{name} NOT INDEXED{order_sql}"


def make_select(items: Sequence[str], table: str, order: Sequence[str] = (), where_sql: str = "") -> str:
    """A SELECT that reads the table itself, not an index that may lack entries. Pure."""
    order_sql = f" ORDER BY {', '.join(order)}" if order else ""
    filter_sql = f" WHERE {where_sql}" if where_sql else ""
    return f"SELECT {', '.join(items)} FROM main.{quote_sqlite_name(table)} AS t NOT INDEXED{filter_sql}{order_sql}"


def is_named(table: Table) -> bool:
    """Whether SQL can name the table's rows: not where columns have taken all of the rowid's names. Pure."""
    return table.without_rowid or name_rowid(table) is not None


def name_row_items(table: Table, alias: str = "t") -> tuple[str, ...]:
    """What names a row, as items of SQL: the rowid; or for each column of the key whether it is TEXT, and its value.

    A text comes as its bytes, since not every one is valid. Pure. Empty where rows have no name.
    """
    if not table.without_rowid:
        rowid = name_rowid(table, alias)
        return (rowid,) if rowid else ()
    items: list[str] = []
    for name in table.primary_key:
        column = name_column(name, alias)
        is_text = f"typeof({column}) = 'text'"
        items += [is_text, f"CASE WHEN {is_text} THEN CAST({column} AS BLOB) ELSE {column} END"]
    return tuple(items)


def find_reason_sql(table: Table, number: int, alias: str = "t") -> str:
    """The call that says why a row is set apart, NULL when it is not. number: the table's. Pure."""
    return f"{REASON_FUNCTION}({', '.join((str(number), *name_row_items(table, alias)))})"


REASON_FUNCTION = "liteferry_find_reason"
"""Made for the readers of the source; arguments: the table's number, and what `name_row_items` lists."""
