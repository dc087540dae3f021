"""Random CREATE TABLE texts: what is read must be what SQLite's own pragmas say of the table they create."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from liteferry.sqlite_ddl import (
    DdlError,
    TableText,
    fold_case,
    lex,
    parse_create_index,
    parse_create_table,
    parse_create_view,
)

SPACES = st.sampled_from([" ", "\n", "\t", " /* c */ ", " -- it's (\n", "/**/", "  "])
WORDS = st.sampled_from(
    [
        "a",
        "B",
        "größe",
        "x$1",
        "_",
        "key",
        "left",
        "order_id",
        "if",
        "row",
        "first",
        "end",
        "match",
        "temp",
        "current_date",
    ]
)
ANY_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
TYPES = st.sampled_from(
    ["", "INT", "integer", "TEXT", "VARCHAR(20)", "DECIMAL(10, 2)", "character varying ( 5 )", "double precision",
     '"q t"', "'s'", "LENGTH", "x(-1,+2.5)", "Unsigned Big Int", "key"]
)  # fmt: skip
LITERALS = ["0", "-1", "+2.5", "1e3", ".5", "0xFF", "'x'", "'it''s'", "''", '"word"', "x'00'", "NULL", "TRUE", "false",
            "CURRENT_TIMESTAMP", "word"]  # fmt: skip
EXPRESSIONS = ["1", "1 + 2", "')'", "(1) + (2)", "CASE 1 WHEN 2 THEN ',' END", "max(1, (2))", '")"', "datetime('now')"]
ACTIONS = ["NO ACTION", "RESTRICT", "SET NULL", "SET DEFAULT", "CASCADE"]
CONFLICTS = ["", "", "ON CONFLICT ROLLBACK", "ON CONFLICT REPLACE"]


@st.composite
def written_names(draw: st.DrawFn) -> str:
    """A name as it may be written."""
    style = draw(st.sampled_from(["word", "word", '"', "`", "[", "'"]))
    if style == "word":
        return draw(WORDS)
    name = draw(ANY_NAMES | WORDS)
    if style == "[":
        assume("]" not in name)
        return f"[{name}]"
    return style + name.replace(style, style * 2) + style


def fold_name(written: str) -> str:
    return fold_case(lex(written)[0].value)


@st.composite
def column_constraints(draw: st.DrawFn, parent: str) -> str:
    """A column's constraint that any column can have, any number of times."""
    conflict = draw(st.sampled_from(CONFLICTS))
    action = draw(st.sampled_from(ACTIONS))
    return draw(
        st.sampled_from(
            [
                f"NOT NULL {conflict}",
                "NULL",
                "UNIQUE",
                f"DEFAULT {draw(st.sampled_from(LITERALS))}",
                f"DEFAULT ({draw(st.sampled_from(EXPRESSIONS))})",
                f"CHECK ({draw(st.sampled_from(EXPRESSIONS[:-1]))})",
                f"COLLATE {draw(st.sampled_from(['NOCASE', 'binary', '[rtrim]']))}",
                f"REFERENCES {parent}",
                f"REFERENCES {parent} (x) ON DELETE {action} MATCH FULL",
                f"REFERENCES {parent} ON UPDATE {action} DEFERRABLE INITIALLY DEFERRED",
                "NOT DEFERRABLE",
            ]
        )
    )


@st.composite
def key_columns(draw: st.DrawFn, names: list[str]) -> str:
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    tails = ["", " ASC", " DESC", " COLLATE NOCASE", " COLLATE rtrim DESC"]
    return ", ".join(name + draw(st.sampled_from(tails)) for name in chosen)


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A CREATE TABLE text that SQLite may well accept."""
    names = draw(
        st.lists(written_names(), min_size=1, max_size=5, unique_by=lambda name: fold_case(lex(name)[0].value))
    )
    parent = draw(written_names())
    parts: list[str] = []
    key_at = draw(st.integers(-1, len(names) - 1))
    key_in_column = draw(st.booleans())
    for index, name in enumerate(names):
        constraints = draw(st.lists(column_constraints(parent), max_size=4))
        if index == key_at and key_in_column:
            key = draw(st.sampled_from(["PRIMARY KEY", "PRIMARY KEY DESC", "CONSTRAINT pk PRIMARY KEY ASC"]))
            constraints.insert(draw(st.integers(0, len(constraints))), key)
        elif index > 0 and draw(st.integers(0, 5)) == 0:
            constraints = [draw(st.sampled_from(["AS (1)", "GENERATED ALWAYS AS (')') STORED", "AS ((2)) VIRTUAL"]))]
        named = [draw(st.sampled_from(["", "", "CONSTRAINT c "])) + constraint for constraint in constraints]
        parts.append(" ".join([name, draw(TYPES), *named]))
    text = ", ".join(parts)
    extra: list[str] = []
    if key_at >= 0 and not key_in_column:
        extra.append(f"PRIMARY KEY ({draw(key_columns(names))})")
    for _ in range(draw(st.integers(0, 3))):
        keys = draw(key_columns(names))
        chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
        parents = ", ".join(f"[p{index}]" for index in range(len(chosen)))
        extra.append(
            draw(
                st.sampled_from(
                    [
                        f"UNIQUE ({keys})",
                        f"CONSTRAINT u UNIQUE ({keys})",
                        f"CHECK ({draw(st.sampled_from(EXPRESSIONS[:-1]))})",
                        f"FOREIGN KEY ({', '.join(chosen)}) REFERENCES {parent} ({parents}) ON UPDATE CASCADE",
                        f"FOREIGN KEY ({chosen[0]}) REFERENCES {parent} DEFERRABLE",
                    ]
                )
            )
        )
    if extra:
        text += ", " + draw(st.sampled_from([" ", ", ", " , CONSTRAINT zz "])).join(extra)
    options = draw(st.sampled_from(["", "", "", " WITHOUT ROWID"]))
    table = draw(st.sampled_from(["t", "[t]", '"t"', "main.t", "IF NOT EXISTS t"]))
    return _respace(draw, f"CREATE TABLE {table} ({text}){options}")


def _respace(draw: st.DrawFn, sql: str) -> str:
    """Put spaces and comments wherever they may stand: nothing but the types' text may notice."""
    tokens = lex(sql)
    pieces = [tokens[0].text]
    for before, token in pairwise(tokens):
        gap = sql[before.end : token.start]
        pieces.append((draw(SPACES) if draw(st.integers(0, 9)) == 0 else gap) + token.text)
    return "".join(pieces)


def squeeze(text: str | None) -> str | None:
    """A text without what `_respace` may have put into it."""
    return None if text is None else " ".join(token.text for token in lex(text))


def primary_key_of(table: TableText) -> list[str]:
    """The primary key's columns as the text says, each once."""
    if table.primary_key:
        return list(dict.fromkeys(fold_case(column.name) for column in table.primary_key.columns))
    return [fold_case(column.name) for column in table.columns if column.primary_key]


def compare_with_pragmas(sql: str) -> None:
    """Create the table, read the text, compare."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute(sql)
        except sqlite3.Error:
            parse_or_refuse(sql)
            assume(False)
        stored = connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 't'").fetchone()[0]
        columns = connection.execute(
            "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo('t')"
        )
        told_columns = columns.fetchall()
        told_keys = {
            (
                origin,
                tuple(
                    (fold_case(name), descending, collation.upper())
                    for name, descending, collation in connection.execute(
                        'SELECT name, "desc", coll FROM pragma_index_xinfo(?) WHERE key', (index,)
                    )
                ),
            )
            for index, origin in connection.execute("SELECT name, origin FROM pragma_index_list('t')").fetchall()
        }
        told_foreign_keys = connection.execute(
            'SELECT id, "table", "from", "to", on_update, on_delete '
            "FROM pragma_foreign_key_list('t') ORDER BY id, seq"
        ).fetchall()
    for text in (sql, stored):
        table = parse_create_table(text)
        assert [column.name for column in table.columns] == [row[0] for row in told_columns]
        for column, (_, declared, not_null, default, _, hidden) in zip(table.columns, told_columns, strict=True):
            assert squeeze(column.declared_type.upper()) == squeeze(declared.upper())
            assert squeeze(column.default_sql) == squeeze(default)
            assert (column.generated_sql is not None, column.stored) == (hidden in (2, 3), hidden == 3)
            if not table.without_rowid:
                assert column.not_null == bool(not_null)
        key = sorted((row for row in told_columns if row[4]), key=lambda row: row[4])
        assert primary_key_of(table) == [fold_case(row[0]) for row in key]
        assert_same_uniques(table, told_keys)
        assert_same_foreign_keys(table, told_foreign_keys)


def assert_same_uniques(table: TableText, told: set[tuple[str, tuple[tuple[str, int, str], ...]]]) -> None:
    """Every UNIQUE of the text has its index, unless another key of the same columns stands for it."""
    collations = {fold_case(column.name): (column.collation or "BINARY").upper() for column in table.columns}
    told_sets = {frozenset((name, collation) for name, _, collation in keys) for _, keys in told}
    rowid_alias = set(primary_key_of(table))
    written: list[list[tuple[str, str | None]]] = [[(column.name, None)] for column in table.columns if column.unique]
    written += [[(column.name, column.collation) for column in key.columns] for key in table.uniques]
    for key in written:
        wanted = frozenset(
            (fold_case(name), (collation or collations[fold_case(name)]).upper()) for name, collation in key
        )
        assert wanted in told_sets or {name for name, _ in wanted} == rowid_alias
    wanted_sets = {frozenset(fold_case(name) for name, _ in key) for key in written}
    for origin, keys in told:
        if origin == "u":
            assert frozenset(name for name, _, _ in keys) in wanted_sets


def assert_same_foreign_keys(table: TableText, told: list[tuple[int, str, str, str | None, str, str]]) -> None:
    """SQLite lists the foreign keys from the last to the first."""
    written = [
        (key.parent_table, fold_case(child), parent, key.on_update, key.on_delete)
        for key in (*(key for column in table.columns for key in column.references), *table.foreign_keys)
        for child, parent in zip(key.columns, key.parent_columns or (None,) * len(key.columns), strict=True)
    ]
    listed = [
        (parent_table, fold_case(child), parent, on_update, on_delete)
        for _, parent_table, child, parent, on_update, on_delete in sorted(told, key=lambda row: -row[0])
    ]
    assert written == listed


def parse_or_refuse(sql: str) -> None:
    """Whatever the text, the readers either read it or raise DdlError."""
    for parse in (lex, parse_create_table, parse_create_index, parse_create_view):
        try:
            parse(sql)
        except DdlError as error:
            assert 0 <= error.position <= len(sql)  # noqa: PT017 - both ways are right, but the place must be true


RELAXED = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@settings(max_examples=150, deadline=None, suppress_health_check=RELAXED)
@given(sql=tables())
def test_text_agrees_with_pragmas(sql: str) -> None:
    compare_with_pragmas(sql)


@pytest.mark.slow
@settings(max_examples=5000, deadline=None, suppress_health_check=RELAXED)
@given(sql=tables())
def test_text_agrees_with_pragmas_at_length(sql: str) -> None:
    compare_with_pragmas(sql)


KEYWORDS = [
    "CREATE",
    "TABLE",
    "INDEX",
    "VIEW",
    "ON",
    "AS",
    "CHECK",
    "PRIMARY",
    "KEY",
    "DEFAULT",
    "COLLATE",
    "CONSTRAINT",
]
FRAGMENTS = st.sampled_from(
    [
        *KEYWORDS,
        *"()[],;'\"`.-+*/ \n\0",
        "REFERENCES",
        "NOT",
        "NULL",
        "x",
        "1",
        "--",
        "/*",
        "*/",
        "x'0",
        "CONFLICT",
        "UNIQUE",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.lists(FRAGMENTS, max_size=25).map(" ".join)))
def test_random_text_is_read_or_refused(text: str) -> None:
    parse_or_refuse(text)
    parse_or_refuse("CREATE TABLE t(" + text)
    parse_or_refuse("CREATE INDEX i ON t(" + text)


@settings(max_examples=150, deadline=None, suppress_health_check=RELAXED)
@given(sql=tables(), at=st.integers(0, 400), length=st.integers(0, 5), insert=st.text(max_size=3) | FRAGMENTS)
def test_mutated_text_is_read_or_refused(sql: str, at: int, length: int, insert: str) -> None:
    parse_or_refuse(sql[:at] + insert + sql[at + length :])
