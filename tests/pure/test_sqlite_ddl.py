"""What the reader of CREATE statements says, case by case, checked against the real SQLite where that can tell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest

from liteferry.sqlite_ddl import (
    CheckText,
    ColumnText,
    DdlError,
    ForeignKeyText,
    IndexKeyText,
    KeyColumnText,
    KeyText,
    lex,
    parse_create_index,
    parse_create_table,
    parse_create_view,
)


def create(sql: str) -> list[tuple[object, ...]]:
    """What SQLite itself says of a table's columns, having accepted the text."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(sql)
        return connection.execute("SELECT * FROM pragma_table_xinfo((SELECT name FROM sqlite_schema))").fetchall()


def read_column(definition: str) -> ColumnText:
    """The second column of a table."""
    sql = f"CREATE TABLE t(z, {definition})"
    create(sql)
    columns = parse_create_table(sql).columns
    assert len(columns) == 2
    return columns[1]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a 'b''c' \"d\"\"e\" [f g] `h``i`", ["a", "b'c", 'd"e', "f g", "h`i"]),
        ("1 .5 1. 1e-5 0xFF x'0a'", ["1", ".5", "1.", "1e-5", "0xFF", "x'0a'"]),
        ("a--b\n/*c*/d/**/e", ["a", "d", "e"]),
        ("a /* never ends", ["a"]),
        ("a->>b->c||d<=e<>f!=g==h>>i<<j", list("abcdefghij")),
        ("größe $x ?1 :n", ["größe", "$x", "?1", ":n"]),
        ("/*/", []),
    ],
)
def test_lexer(text: str, tokens: list[str]) -> None:
    assert [token.value for token in lex(text) if token.kind != "operator"] == tokens


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a 'b", 2),
        ('a "b', 2),
        ("a [b", 2),
        ("a `b", 2),
        ("12abc", 0),
        ("0x", 0),
        ("x'abc'", 0),
        ("a \0", 2),
        ("a !", 2),
    ],
)
def test_lexer_refuses(text: str, position: int) -> None:
    with pytest.raises(DdlError) as caught:
        lex(text)
    assert caught.value.position == position


def test_every_character_is_a_token_or_space() -> None:
    text = "CREATE TABLE /* c */ [a b] (x INT DEFAULT 'y''z', -- z\n CHECK(x>=1.5e3))"
    tokens = lex(text)
    assert all(text[token.start : token.end] == token.text for token in tokens)
    between = [text[a.end : b.start] for a, b in pairwise(tokens)]
    assert {gap.strip() for gap in between} == {"", "/* c */", "-- z"}


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("", ""),
        ("INT", "INT"),
        ("LENGTH 2", None),
        ("character varying(20)", "character varying(20)"),
        ("DECIMAL(10, 2)", "DECIMAL(10, 2)"),
        ("DECIMAL ( -10 , +2 )", "DECIMAL ( -10 , +2 )"),
        ('"quoted type"', "quoted type"),
        ("[my type]", "my type"),
        ("'string' 'two'", "string"),
        ("integer unsigned", "integer unsigned"),
        ("int /* why */ unsigned", "int /* why */ unsigned"),
        ("KEY", "KEY"),
        ("INT GENERATED ALWAYS AS (1)", "INT"),
        ("GENERATED ALWAYS AS (1)", ""),
        ("a_long_type_name always AS (1)", "a_long_type_name"),
        ("int always AS (1)", "int always"),
    ],
)
def test_declared_type(written: str, declared: str | None) -> None:
    sql = f"CREATE TABLE t(z, a {written})"
    if declared is None:  # SQLite does not read a bare number there either
        with pytest.raises(DdlError):
            parse_create_table(sql)
        return
    told = create(sql)[1][2]
    assert parse_create_table(sql).columns[1].declared_type == declared
    assert str(told).upper() == declared.upper()


@pytest.mark.parametrize(
    ("written", "default"),
    [
        ("DEFAULT 0", "0"),
        ("DEFAULT -1.5", "-1.5"),
        ("DEFAULT - 5", "- 5"),
        ("DEFAULT 'it''s'", "'it''s'"),
        ('DEFAULT "x"', '"x"'),
        ("DEFAULT TRUE", "TRUE"),
        ("DEFAULT NULL", "NULL"),
        ("DEFAULT word", "word"),
        ("DEFAULT x'00ff'", "x'00ff'"),
        ("DEFAULT CURRENT_TIMESTAMP NOT NULL", "CURRENT_TIMESTAMP"),
        ("DEFAULT (datetime('now', '-1 day'))", "datetime('now', '-1 day')"),
        ("DEFAULT ((1)+(2))", "(1)+(2)"),
        ("DEFAULT 1 DEFAULT 2", "2"),
    ],
)
def test_default(written: str, default: str) -> None:
    assert read_column(f"a INT {written}").default_sql == default


def test_column_constraints_in_any_order() -> None:
    column = read_column(
        "a INTEGER COLLATE NOCASE CONSTRAINT c1 CHECK (a > 0) REFERENCES p(x) ON DELETE SET NULL ON UPDATE CASCADE "
        "MATCH FULL CONSTRAINT c2 NOT NULL ON CONFLICT IGNORE CONSTRAINT c3 UNIQUE ON CONFLICT REPLACE "
        "CHECK (a <> ')') DEFERRABLE INITIALLY DEFERRED CONSTRAINT c4 PRIMARY KEY DESC ON CONFLICT REPLACE"
    )
    assert column == ColumnText(
        name="a",
        declared_type="INTEGER",
        collation="NOCASE",
        not_null=True,
        not_null_name="c2",
        not_null_on_conflict="IGNORE",
        primary_key=True,
        primary_key_name="c4",
        primary_key_descending=True,
        primary_key_on_conflict="REPLACE",
        unique=True,
        unique_name="c3",
        unique_on_conflict="REPLACE",
        checks=(CheckText(sql="a > 0", name="c1"), CheckText(sql="a <> ')'")),
        references=(
            ForeignKeyText(
                columns=("a",),
                parent_table="p",
                parent_columns=("x",),
                on_update="CASCADE",
                on_delete="SET NULL",
                match="FULL",
                deferrable=True,
                initially_deferred=True,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("written", "deferrable", "deferred"),
    [
        ("", False, False),
        ("DEFERRABLE", True, False),
        ("DEFERRABLE INITIALLY DEFERRED", True, True),
        ("DEFERRABLE INITIALLY IMMEDIATE", True, False),
        ("NOT DEFERRABLE", False, False),
        ("NOT DEFERRABLE INITIALLY DEFERRED", False, False),
    ],
)
def test_deferrable(written: str, *, deferrable: bool, deferred: bool) -> None:
    (key,) = read_column(f"a INT REFERENCES p {written} NOT NULL").references
    assert (key.deferrable, key.initially_deferred, key.parent_columns) == (deferrable, deferred, ())
    (key,) = parse_create_table(f"CREATE TABLE t(a, FOREIGN KEY (a) REFERENCES p {written})").foreign_keys
    assert (key.deferrable, key.initially_deferred) == (deferrable, deferred)


@pytest.mark.parametrize(
    ("written", "generated", "stored"),
    [
        ("GENERATED ALWAYS AS (z || ')') VIRTUAL", "z || ')'", False),
        ("INT GENERATED ALWAYS AS (z) STORED", "z", True),
        ("AS (z + 1)", "z + 1", False),
        ("TEXT AS (z) STORED NOT NULL", "z", True),
    ],
)
def test_generated(written: str, generated: str, *, stored: bool) -> None:
    column = read_column(f"a {written}")
    assert (column.generated_sql, column.stored) == (generated, stored)


def test_table_constraints_without_commas() -> None:
    table = parse_create_table(
        'CREATE TABLE IF NOT EXISTS main.[my table] (a, b, \'c\', "d""e" TEXT,\n'
        "  CONSTRAINT pk PRIMARY KEY (b COLLATE NOCASE DESC, a) ON CONFLICT ROLLBACK\n"
        "  UNIQUE ((b), [c] ASC) ON CONFLICT IGNORE, -- why not\n"
        "  CONSTRAINT positive CHECK (a > (0))\n"
        "  FOREIGN KEY (a, b) REFERENCES 'p q' (x, \"y\") ON UPDATE SET DEFAULT ON DELETE RESTRICT\n"
        "  CONSTRAINT fk FOREIGN KEY (c) REFERENCES t2 DEFERRABLE\n"
        ") STRICT, WITHOUT ROWID;"
    )
    assert (table.schema, table.name, table.strict, table.without_rowid) == ("main", "my table", True, True)
    assert [column.name for column in table.columns] == ["a", "b", "c", 'd"e']
    assert table.primary_key == KeyText(
        name="pk",
        columns=(KeyColumnText(name="b", collation="NOCASE", descending=True), KeyColumnText(name="a")),
        on_conflict="ROLLBACK",
    )
    assert table.uniques == (KeyText(columns=(KeyColumnText(name="b"), KeyColumnText(name="c")), on_conflict="IGNORE"),)
    assert table.checks == (CheckText(sql="a > (0)", name="positive"),)
    assert table.foreign_keys == (
        ForeignKeyText(
            columns=("a", "b"),
            parent_table="p q",
            parent_columns=("x", "y"),
            on_update="SET DEFAULT",
            on_delete="RESTRICT",
        ),
        ForeignKeyText(columns=("c",), parent_table="t2", name="fk", deferrable=True),
    )
    assert table.column("A").name == "a"
    with pytest.raises(KeyError):
        table.column("nothing")


def test_autoincrement_in_either_place() -> None:
    assert parse_create_table("CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT)").columns[0].autoincrement
    key = parse_create_table("CREATE TABLE t(a INTEGER, PRIMARY KEY(a AUTOINCREMENT))").primary_key
    assert key is not None
    assert key.autoincrement
    assert key.columns == (KeyColumnText(name="a"),)


def test_keywords_as_names() -> None:
    sql = "CREATE TABLE replace(key, left, cross, indexed, if, row, match like, current_date text, first, generated)"
    create(sql)
    names = [column.name for column in parse_create_table(sql).columns]
    assert names == ["key", "left", "cross", "indexed", "if", "row", "match", "current_date", "first", "generated"]


REFUSED = [
    ("CREATE TABLE t(a INT, select INT)", "reserved word"),
    ("CREATE TABLE t(a INT,)", "expected a name"),
    ("CREATE TABLE t(a INT", "expected )"),
    ("CREATE TABLE t(a LEFT)", "expected a column constraint"),
    ("CREATE TABLE t(a INT ON)", "expected a column constraint"),
    ("CREATE TABLE t(a DEFAULT - b)", "sign must be followed"),
    ("CREATE TABLE t(a DEFAULT CROSS)", "reserved word"),
    ("CREATE TABLE t(a CHECK ())", "nothing between"),
    ("CREATE TABLE t(a CHECK (1)", "expected )"),
    ("CREATE TABLE t(a CHECK (1;2))", "; within"),
    ("CREATE TABLE t(a UNIQUE ON CONFLICT SHRUG)", "expected ROLLBACK"),
    ("CREATE TABLE t(a REFERENCES p ON DELETE NOTHING)", "expected SET NULL"),
    ("CREATE TABLE t(a, UNIQUE (a + 1))", "expression cannot be part"),
    ("CREATE TABLE t(a, PRIMARY KEY (a) PRIMARY KEY (a))", "second primary key"),
    ("CREATE TABLE t(a, CHECK (a), b)", "expected a table constraint"),
    ("CREATE TABLE t(a) WITHOUT OIDS", "unknown table option"),
    ("CREATE TABLE t(a) STRICT,", "unknown table option"),
    ("CREATE TABLE t(a) x", "unknown table option"),
    ("CREATE TABLE t AS SELECT 1", "does not say its columns"),
    ("CREATE VIRTUAL TABLE t USING fts5(a)", "virtual table"),
    ("CREATE TABLE t(a DECIMAL(x))", "expected a number"),
    ("DROP TABLE t", "expected CREATE"),
    ("", "expected CREATE"),
]


@pytest.mark.parametrize(("sql", "reason"), REFUSED)
def test_table_refused(sql: str, reason: str) -> None:
    with pytest.raises(DdlError) as caught:
        parse_create_table(sql)
    assert reason in str(caught.value)


@pytest.mark.parametrize("sql", [sql for sql, _ in REFUSED if sql.startswith("CREATE TABLE t(")])
def test_sqlite_refuses_it_too(sql: str) -> None:
    with pytest.raises(sqlite3.Error):
        create(sql)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("a", [IndexKeyText(text_sql="a", column="a")]),
        ("[a b] DESC, `c` ASC", [
            IndexKeyText(text_sql="[a b]", column="a b", descending=True),
            IndexKeyText(text_sql="`c`", column="c"),
        ]),
        ("(a) COLLATE NOCASE DESC", [IndexKeyText(text_sql="a", column="a", collation="NOCASE", descending=True)]),
        ("(a COLLATE 'rtrim')", [IndexKeyText(text_sql="a", column="a", collation="rtrim")]),
        ("a COLLATE RTRIM COLLATE NOCASE", [IndexKeyText(text_sql="a", column="a", collation="NOCASE")]),
        ("lower(a) COLLATE NOCASE", [IndexKeyText(text_sql="lower(a)", collation="NOCASE")]),
        ("a || b COLLATE NOCASE", [IndexKeyText(text_sql="a || b COLLATE NOCASE")]),
        ("NOT (a) COLLATE NOCASE", [IndexKeyText(text_sql="NOT (a) COLLATE NOCASE")]),
        ("(a || b) COLLATE NOCASE", [IndexKeyText(text_sql="a || b", collation="NOCASE")]),
        ("desc, asc ASC, desc DESC", [
            IndexKeyText(text_sql="desc", column="desc"),
            IndexKeyText(text_sql="asc", column="asc"),
            IndexKeyText(text_sql="desc", column="desc", descending=True),
        ]),
        ("a || desc", [IndexKeyText(text_sql="a || desc")]),
        ("a IS NULL desc", [IndexKeyText(text_sql="a IS NULL", descending=True)]),
        ("coalesce(a, ',)'), b", [IndexKeyText(text_sql="coalesce(a, ',)')"), IndexKeyText(text_sql="b", column="b")]),
    ],
)  # fmt: skip
def test_index_keys(keys: str, expected: list[IndexKeyText]) -> None:
    assert list(parse_create_index(f"CREATE INDEX i ON t({keys})").keys) == expected


def test_index() -> None:
    index = parse_create_index("CREATE UNIQUE INDEX IF NOT EXISTS s.'my i' ON [t] (a) WHERE a > ';' AND (b IS NULL);")
    assert (index.schema, index.name, index.table, index.unique) == ("s", "my i", "t", True)
    assert index.where_sql == "a > ';' AND (b IS NULL)"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX i ON t()",
        "CREATE INDEX i ON t(a,)",
        "CREATE INDEX i ON t(a) WHERE",
        "CREATE INDEX i ON t(a) b",
        "CREATE INDEX i ON t(a) WHERE (a",
        "CREATE INDEX i ON t(a) WHERE a)",
        "CREATE INDEX i ON t(a",
        "CREATE INDEX i t(a)",
    ],
)
def test_index_refused(sql: str) -> None:
    with pytest.raises(DdlError):
        parse_create_index(sql)


def test_view() -> None:
    view = parse_create_view("CREATE TEMP VIEW IF NOT EXISTS v(\"x y\", b) AS /* c */ SELECT ';', (1) -- end\n;")
    assert (view.name, view.columns, view.temporary) == ("v", ("x y", "b"), True)
    assert view.select_sql == "SELECT ';', (1)"
    with pytest.raises(DdlError):
        parse_create_view("CREATE VIEW v AS")
    with pytest.raises(DdlError):
        parse_create_view("CREATE VIEW v AS SELECT 1; SELECT 2")
