"""Read what SQLite's pragmas do not tell from the text of CREATE statements.

Layer 1, pure, with a lexer of its own that follows SQLite's: whatever SQLite accepts is read, and what is not
understood raises `DdlError` with its position. Nothing is skipped.

Source: https://sqlite.org/lang_createtable.html, lang_createindex.html, lang_createview.html.
"""

from __future__ import annotations

from liteferry.sqlite_ddl.data import (
    CheckText,
    ColumnText,
    DdlError,
    ForeignKeyText,
    IndexKeyText,
    IndexText,
    KeyColumnText,
    KeyText,
    TableText,
    Token,
    TokenKind,
    ViewText,
    fold_case,
)
from liteferry.sqlite_ddl.lexer import lex
from liteferry.sqlite_ddl.reader import Reader
from liteferry.sqlite_ddl.tables import TableReader

__all__ = [
    "CheckText",
    "ColumnText",
    "DdlError",
    "ForeignKeyText",
    "IndexKeyText",
    "IndexText",
    "KeyColumnText",
    "KeyText",
    "TableText",
    "Token",
    "TokenKind",
    "ViewText",
    "fold_case",
    "lex",
    "parse_create_index",
    "parse_create_table",
    "parse_create_view",
]


def parse_create_table(sql: str) -> TableText:
    """Read a CREATE TABLE statement. Pure. Raises: DdlError."""
    return TableReader(sql).read()


def parse_create_index(sql: str) -> IndexText:
    """Read a CREATE INDEX statement. Pure. Raises: DdlError."""
    reader = Reader(sql)
    reader.expect("CREATE")
    unique = reader.accept("UNIQUE")
    reader.expect("INDEX")
    schema, name = reader.read_object_name()
    reader.expect("ON")
    table = reader.read_name()
    keys = reader.read_keys()
    where_sql = None
    if reader.accept("WHERE"):
        where_sql = reader.read_to_end()
        if not where_sql:
            raise reader.error("an expression must follow WHERE")
    reader.expect_end()
    return IndexText(name=name, table=table, unique=unique, keys=keys, where_sql=where_sql, schema=schema)


def parse_create_view(sql: str) -> ViewText:
    """Read a CREATE VIEW statement. Pure. Raises: DdlError."""
    reader = Reader(sql)
    reader.expect("CREATE")
    temporary = reader.accept("TEMP") or reader.accept("TEMPORARY")
    reader.expect("VIEW")
    schema, name = reader.read_object_name()
    columns = reader.read_names() if reader.peek("(") else ()
    reader.expect("AS")
    select_sql = reader.read_to_end()
    reader.expect_end()
    if not select_sql:
        raise reader.error("a SELECT must follow AS")
    return ViewText(name=name, columns=columns, select_sql=select_sql, schema=schema, temporary=temporary)
