"""What a schema declares, read from databases in memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from liteferry.errors import MigrationError
from liteferry.model import Catalog, Check, Column, ForeignKey, Index, IndexKey, Table, Trigger, View
from liteferry.source.catalog import affinity_of, read_catalog
from liteferry.source.connection import SourceConnection
from liteferry.source.select import make_select, name_rowid, natural_order

needs_strict = pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 37), reason="STRICT came with SQLite 3.37")


def read(schema: str) -> Catalog:
    with closing(sqlite3.connect(":memory:", factory=SourceConnection)) as connection:
        connection.create_collation("own", lambda left, right: (left > right) - (left < right))
        connection.executescript(schema)
        return read_catalog(connection)


def read_table(schema: str) -> Table:
    return read(schema).tables[0]


# Source: https://sqlite.org/datatype3.html, the examples of 3.1.1, and stricter ones
@pytest.mark.parametrize(
    ("declared_type", "affinity"),
    [
        ("INT", "INTEGER"),
        ("INTEGER", "INTEGER"),
        ("TINYINT", "INTEGER"),
        ("UNSIGNED BIG INT", "INTEGER"),
        ("integer unsigned", "INTEGER"),
        ("CHARINT", "INTEGER"),
        ("FLOATING POINT", "INTEGER"),  # by the letters INT in POINT
        ("CHARACTER(20)", "TEXT"),
        ("VARYING CHARACTER(255)", "TEXT"),
        ("NVARCHAR(100)", "TEXT"),
        ("CLOB", "TEXT"),
        ("text", "TEXT"),
        ("TEXTBLOB", "TEXT"),
        ("BLOB", "BLOB"),
        ("", "BLOB"),
        ("REALBLOB", "BLOB"),
        ("REAL", "REAL"),
        ("DOUBLE PRECISION", "REAL"),
        ("FLOAT", "REAL"),
        ("NUMERIC", "NUMERIC"),
        ("DECIMAL(10,5)", "NUMERIC"),
        ("BOOLEAN", "NUMERIC"),
        ("DATETIME", "NUMERIC"),
        ("STRING", "NUMERIC"),
        ("uuid", "NUMERIC"),
        ("JSON", "NUMERIC"),
        ("ANY", "NUMERIC"),
    ],
)
def test_affinity_is_what_sqlite_does(declared_type: str, affinity: str) -> None:
    assert affinity_of(declared_type) == affinity
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE t (a {declared_type})")
        connection.execute("INSERT INTO t VALUES ('1'), (1), (1.5), ('x')")
        stored = [kind for (kind,) in connection.execute("SELECT typeof(a) FROM t")]
    by_affinity = {
        "INTEGER": ["integer", "integer", "real", "text"],
        "NUMERIC": ["integer", "integer", "real", "text"],
        "REAL": ["real", "real", "real", "text"],
        "TEXT": ["text", "text", "text", "text"],
        "BLOB": ["text", "integer", "real", "text"],
    }
    assert stored == by_affinity[affinity]


def test_any_in_a_strict_table_takes_values_as_they_are() -> None:
    assert affinity_of("ANY", strict=True) == "BLOB"


def test_a_whole_table() -> None:
    sql = """CREATE TABLE "Order Details" (
        id INTEGER NOT NULL CONSTRAINT pk PRIMARY KEY AUTOINCREMENT,
        "user name" VARCHAR(30) NOT NULL ON CONFLICT IGNORE COLLATE NoCase CONSTRAINT one UNIQUE ON CONFLICT REPLACE,
        price DECIMAL(10, 2) DEFAULT (1 + 2) CHECK (price > 0),
        kind TEXT DEFAULT 'it''s' COLLATE own,
        total REAL GENERATED ALWAYS AS (price * 2) STORED,
        twice AS (total + total),
        parent INT REFERENCES "order details" ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        CONSTRAINT positive CHECK (id > 0),
        CONSTRAINT both UNIQUE (kind COLLATE binary, price),
        CONSTRAINT up FOREIGN KEY (kind, price) REFERENCES nowhere (a, B) ON UPDATE SET NULL
    )"""
    table = read_table(f'{sql}; INSERT INTO "Order Details" (id, "user name") VALUES (41, \'a\')')
    assert table == Table(
        name="Order Details",
        sql=sql,
        columns=(
            Column(name="id", declared_type="INTEGER", affinity="INTEGER", not_null=True, pk_position=1),
            Column(name="user name", declared_type="VARCHAR(30)", affinity="TEXT", not_null=True, collation="NOCASE"),
            Column(name="price", declared_type="DECIMAL(10, 2)", affinity="NUMERIC", default_sql="1 + 2"),
            Column(name="kind", declared_type="TEXT", affinity="TEXT", default_sql="'it''s'", collation="own"),
            Column(name="total", declared_type="REAL", affinity="REAL", generated="stored", generated_sql="price * 2"),
            Column(name="twice", declared_type="", affinity="BLOB", generated="virtual", generated_sql="total + total"),
            Column(name="parent", declared_type="INT", affinity="INTEGER"),
        ),
        primary_key=("id",),
        primary_key_name="pk",
        rowid_alias="id",
        autoincrement=True,
        sequence_value=41,
        indexes=(
            Index(
                name="sqlite_autoindex_Order Details_1",
                table="Order Details",
                origin="u",
                unique=True,
                keys=(IndexKey(column="user name", collation="NOCASE"),),
                constraint_name="one",
                on_conflict="REPLACE",
            ),
            Index(
                name="sqlite_autoindex_Order Details_2",
                table="Order Details",
                origin="u",
                unique=True,
                keys=(IndexKey(column="kind"), IndexKey(column="price")),
                constraint_name="both",
            ),
        ),
        foreign_keys=(
            ForeignKey(
                columns=("parent",),
                parent_table="Order Details",
                parent_columns=("id",),
                on_delete="CASCADE",
                deferrable=True,
                initially_deferred=True,
            ),
            ForeignKey(
                columns=("kind", "price"),
                parent_table="nowhere",
                parent_columns=("a", "B"),
                on_update="SET NULL",
                name="up",
            ),
        ),
        checks=(Check(sql="price > 0", column="price"), Check(sql="id > 0", name="positive")),
        not_null_on_conflict=("user name",),
    )


@pytest.mark.parametrize(
    ("columns", "alias"),
    [
        ("id INTEGER PRIMARY KEY", "id"),
        ("id integer primary key", "id"),
        ("id InTeGeR PRIMARY KEY ASC", "id"),
        ('id "INTEGER" PRIMARY KEY', "id"),
        ("a, id INTEGER, PRIMARY KEY (id)", "id"),
        ("id INTEGER, PRIMARY KEY (id DESC)", "id"),  # only the column's own DESC has the quirk
        ("id INTEGER PRIMARY KEY DESC", None),
        ("id INT PRIMARY KEY", None),
        ("id BIGINT PRIMARY KEY", None),
        ("id INTEGER(10) PRIMARY KEY", None),
        ("a INTEGER, b, PRIMARY KEY (a, b)", None),
        ("id INTEGER", None),
        ("id INTEGER UNIQUE", None),
    ],
)
def test_rowid_alias_is_what_sqlite_does(columns: str, alias: str | None) -> None:
    assert read_table(f"CREATE TABLE t ({columns})").rowid_alias == alias
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE t ({columns})")
        connection.execute("INSERT INTO t (rowid) VALUES (17)")
        (values,) = connection.execute("SELECT * FROM t")
    assert (17 in values) == (alias is not None)


def test_without_rowid() -> None:
    table = read_table("CREATE TABLE t (a INTEGER, b TEXT COLLATE NOCASE, c, PRIMARY KEY (c, b DESC, a)) WITHOUT ROWID")
    assert table.without_rowid
    assert table.rowid_alias is None
    assert table.primary_key == ("c", "b", "a")
    assert [column.not_null for column in table.columns] == [True, True, True]
    (key,) = table.indexes
    assert key.origin == "pk"
    assert key.keys == (
        IndexKey(column="c"),
        IndexKey(column="b", descending=True, collation="NOCASE"),
        IndexKey(column="a"),
    )
    assert name_rowid(table) is None
    assert make_select(["1"], "t", natural_order(table)) == (
        'SELECT 1 FROM main."t" AS t NOT INDEXED '
        'ORDER BY t."c" COLLATE "BINARY", t."b" COLLATE "NOCASE" DESC, t."a" COLLATE "BINARY"'
    )
    assert read_table("CREATE TABLE t (id INTEGER PRIMARY KEY) WITHOUT ROWID").rowid_alias is None


@needs_strict
def test_strict() -> None:
    table = read_table("CREATE TABLE t (a ANY, b INT) STRICT")
    assert table.strict
    assert [column.affinity for column in table.columns] == ["BLOB", "INTEGER"]


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("a", "t.rowid"),
        ("ROWID", "t._rowid_"),
        ("rowid, _RowId_", "t.oid"),
        ("rowid, _rowid_, oid", None),
        ("rowid, _rowid_, oid INTEGER PRIMARY KEY", 't."oid"'),
    ],
)
def test_a_name_for_the_rowid(columns: str, name: str | None) -> None:
    assert name_rowid(read_table(f"CREATE TABLE t ({columns})")) == name


def test_indexes_in_the_order_of_their_making() -> None:
    table = read_table(
        """
        CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT COLLATE NOCASE, c, UNIQUE (b, c), UNIQUE (b COLLATE BINARY, c));
        CREATE INDEX z ON t (b DESC, c COLLATE RTRIM);
        CREATE UNIQUE INDEX "half; the" ON t (lower(b), (c), c + 1 DESC) WHERE c > 3 AND b <> ')';
        CREATE INDEX by_id ON t (a, c);
        """
    )
    assert [(index.name, index.origin, index.unique) for index in table.indexes] == [
        ("sqlite_autoindex_t_1", "u", True),
        ("sqlite_autoindex_t_2", "u", True),
        ("z", "c", False),
        ("half; the", "c", True),
        ("by_id", "c", False),
    ]
    assert [index.keys for index in table.indexes] == [
        (IndexKey(column="b", collation="NOCASE"), IndexKey(column="c")),
        (IndexKey(column="b"), IndexKey(column="c")),
        (IndexKey(column="b", descending=True, collation="NOCASE"), IndexKey(column="c", collation="RTRIM")),
        (
            IndexKey(expression_sql="lower(b)"),
            IndexKey(column="c"),
            IndexKey(expression_sql="c + 1", descending=True),
        ),
        (IndexKey(column="a"), IndexKey(column="c")),
    ]
    assert [index.where_sql for index in table.indexes] == [None, None, None, "c > 3 AND b <> ')'", None]
    assert table.indexes[3].sql == (
        """CREATE UNIQUE INDEX "half; the" ON t (lower(b), (c), c + 1 DESC) WHERE c > 3 AND b <> ')'"""
    )


def test_two_constraints_that_differ_by_collation_keep_their_names() -> None:
    table = read_table(
        "CREATE TABLE t (a TEXT, CONSTRAINT any_case UNIQUE (a COLLATE NOCASE), CONSTRAINT exact UNIQUE (a))"
    )
    assert [(index.constraint_name, index.keys[0].collation) for index in table.indexes] == [
        ("any_case", "NOCASE"),
        ("exact", "BINARY"),
    ]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("a INT CONSTRAINT k PRIMARY KEY ON CONFLICT REPLACE", ("k", "REPLACE", ("a",))),
        ("a, b, CONSTRAINT k PRIMARY KEY (b, a) ON CONFLICT FAIL", ("k", "FAIL", ("b", "a"))),
        ("a INTEGER PRIMARY KEY ON CONFLICT ABORT", (None, None, ("a",))),
        ("a", (None, None, ())),
    ],
)
def test_primary_key(columns: str, expected: tuple[object, ...]) -> None:
    table = read_table(f"CREATE TABLE t ({columns})")
    assert (table.primary_key_name, table.primary_key_on_conflict, table.primary_key) == expected


def test_foreign_keys_in_the_order_of_the_text() -> None:
    catalog = read(
        """
        CREATE TABLE Parent (Id INTEGER PRIMARY KEY, A, B, UNIQUE (A, B));
        CREATE TABLE pair (x, y, PRIMARY KEY (y, x));
        CREATE TABLE child (
            one REFERENCES parent,
            two REFERENCES PARENT (id) ON UPDATE RESTRICT,
            three REFERENCES pair,
            four REFERENCES keyless,
            FOREIGN KEY (two, one) REFERENCES parent (b, a) NOT DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT c FOREIGN KEY (one, two) REFERENCES pair DEFERRABLE
        );
        CREATE TABLE keyless (a);
        """
    )
    assert catalog.table("child").foreign_keys == (
        ForeignKey(columns=("one",), parent_table="Parent", parent_columns=("Id",)),
        ForeignKey(columns=("two",), parent_table="Parent", parent_columns=("Id",), on_update="RESTRICT"),
        ForeignKey(columns=("three",), parent_table="pair", parent_columns=()),  # of two columns: it cannot be meant
        ForeignKey(columns=("four",), parent_table="keyless", parent_columns=()),
        ForeignKey(columns=("two", "one"), parent_table="Parent", parent_columns=("B", "A")),
        ForeignKey(columns=("one", "two"), parent_table="pair", parent_columns=("y", "x"), name="c", deferrable=True),
    )


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("DELETE FROM t", 9),
        ("UPDATE sqlite_sequence SET seq = 1000", 1000),
        ("DELETE FROM sqlite_sequence", None),
        ("UPDATE sqlite_sequence SET seq = '77'", 77),
        ("INSERT INTO sqlite_sequence VALUES ('t', 500)", 500),
        ("UPDATE sqlite_sequence SET name = 'T'", None),
    ],
)
def test_sequence(change: str, value: int | None) -> None:
    schema = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (9); "
    assert read_table(schema + change).sequence_value == value


def test_views_and_triggers() -> None:
    catalog = read(
        """
        CREATE VIEW early AS SELECT a, n FROM late;
        CREATE TABLE t (a, b);
        CREATE VIEW late (a, n) AS SELECT a, count(*) FROM t GROUP BY a;
        CREATE TABLE gone (a);
        CREATE VIEW broken AS SELECT * FROM gone;
        CREATE VIEW unknown AS SELECT own_function(a) FROM t;
        CREATE VIEW odd AS SELECT a, a, 1 + 1, "b" AS "x""y" FROM t;
        CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END;
        CREATE TRIGGER instead INSTEAD OF INSERT ON late BEGIN SELECT 2; END;
        DROP TABLE gone;
        """
    )
    assert catalog.views == (
        View(name="early", sql="CREATE VIEW early AS SELECT a, n FROM late", columns=("a", "n")),
        View(name="late", sql="CREATE VIEW late (a, n) AS SELECT a, count(*) FROM t GROUP BY a", columns=("a", "n")),
        View(name="broken", sql="CREATE VIEW broken AS SELECT * FROM gone", error="no such table: main.gone"),
        View(
            name="unknown",
            sql="CREATE VIEW unknown AS SELECT own_function(a) FROM t",
            error="no such function: own_function",
        ),
        View(
            name="odd",
            sql='CREATE VIEW odd AS SELECT a, a, 1 + 1, "b" AS "x""y" FROM t',
            columns=("a", "a:1", "1 + 1", 'x"y'),
        ),
    )
    assert catalog.triggers == (
        Trigger(name="tr", table="t", sql="CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END"),
        Trigger(
            name="instead",
            table="late",
            sql="CREATE TRIGGER instead INSTEAD OF INSERT ON late BEGIN SELECT 2; END",
        ),
    )


def test_virtual_tables_and_their_shadows() -> None:
    catalog = read(
        """
        CREATE TABLE notes_content (id INTEGER PRIMARY KEY, body);
        CREATE VIRTUAL TABLE notes USING fts5(body, content='notes_content', content_rowid='id');
        CREATE VIRTUAL TABLE "a b" USING  "rtree" (id, low, high);
        CREATE VIRTUAL TABLE docs USING fts4(body);
        CREATE VIRTUAL TABLE docs_x USING fts5(body);
        CREATE TABLE docs_extra (a);
        CREATE TABLE docs_x_extra (a);
        """
    )
    assert [table.name for table in catalog.tables] == ["notes_content", "docs_extra", "docs_x_extra"]
    assert {virtual.name: (virtual.module, set(virtual.shadow_tables)) for virtual in catalog.virtual_tables} == {
        "notes": ("fts5", {"notes_data", "notes_idx", "notes_docsize", "notes_config"}),
        "a b": ("rtree", {"a b_node", "a b_rowid", "a b_parent"}),
        "docs": ("fts4", {f"docs_{part}" for part in ("content", "segments", "segdir", "docsize", "stat")}),
        "docs_x": ("fts5", {f"docs_x_{part}" for part in ("data", "idx", "content", "docsize", "config")}),
    }


def test_a_module_that_only_the_application_has() -> None:
    with closing(sqlite3.connect(":memory:", factory=SourceConnection)) as connection:
        connection.executescript(
            """
            CREATE TABLE words_vocab (a);
            CREATE TABLE words_other (a);
            PRAGMA writable_schema = ON;
            INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql)
            VALUES ('table', 'words', 'words', 0, 'CREATE VIRTUAL TABLE words USING spellfix1');
            PRAGMA writable_schema = RESET;
            """
        )
        catalog = read_catalog(connection)
    (virtual,) = catalog.virtual_tables
    assert (virtual.name, virtual.module, virtual.shadow_tables) == ("words", "spellfix1", ("words_vocab",))
    assert [table.name for table in catalog.tables] == ["words_other"]


def test_sqlites_own_tables_are_left_out() -> None:
    catalog = read(
        "CREATE TABLE sqlitex (id INTEGER PRIMARY KEY AUTOINCREMENT, a); CREATE INDEX i ON sqlitex (a); "
        "INSERT INTO sqlitex (a) VALUES (1); ANALYZE"
    )
    assert [table.name for table in catalog.tables] == ["sqlitex"]


@pytest.mark.parametrize(
    "name", ["", " ", 'a"b', "a'b", "a]b", "a`b", "x; DROP TABLE y; --", "ÄÖ", "select", "1", "%", "\n"]
)
def test_names_are_only_names(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    catalog = read(
        f"""
        CREATE TABLE {quoted} ({quoted} INTEGER PRIMARY KEY, b REFERENCES {quoted} UNIQUE);
        CREATE INDEX "i{name.replace('"', '""')}" ON {quoted} (b, {quoted}, abs({quoted}));
        CREATE VIEW "v{name.replace('"', '""')}" AS SELECT {quoted} FROM {quoted};
        CREATE TABLE y (a);
        """
    )
    assert [table.name for table in catalog.tables] == [name, "y"]
    table = catalog.tables[0]
    assert [column.name for column in table.columns] == [name, "b"]
    assert table.foreign_keys == (ForeignKey(columns=("b",), parent_table=name, parent_columns=(name,)),)
    assert [key.column for key in table.indexes[1].keys] == ["b", name, None]
    assert catalog.views[0].columns == (name,)


def test_the_databases_own_settings() -> None:
    catalog = read("PRAGMA page_size = 8192; PRAGMA user_version = 7; PRAGMA application_id = 42; CREATE TABLE t (a)")
    assert (catalog.encoding, catalog.page_size_bytes, catalog.user_version, catalog.application_id) == (
        "UTF-8",
        8192,
        7,
        42,
    )
    assert catalog.size_bytes % 8192 == 0
    assert catalog.sqlite_version == sqlite3.sqlite_version


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_utf16(encoding: str) -> None:
    catalog = read(
        f"PRAGMA encoding = '{encoding}'; CREATE TABLE \"tä€😀\" (\"ö\" TEXT DEFAULT '€' CHECK (\"ö\" <> '😀'))"
    )
    assert catalog.encoding == encoding
    assert catalog.tables[0].name == "tä€😀"
    assert catalog.tables[0].checks == (Check(sql="\"ö\" <> '😀'", column="ö"),)


def with_schema_text(table_sql: str, text: bytes) -> Catalog:
    """Read a table whose text in the schema was replaced behind SQLite's back."""
    with closing(sqlite3.connect(":memory:", factory=SourceConnection)) as connection:
        connection.execute(table_sql)
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = CAST(? AS TEXT)", [text])
        connection.commit()
        return read_catalog(connection)


def test_text_that_disagrees_with_sqlite_is_refused() -> None:
    with pytest.raises(MigrationError) as caught:
        with_schema_text("CREATE TABLE t (a, b)", b"CREATE TABLE t (a CHECK (a > 0), c)")
    assert (caught.value.code, caught.value.table) == ("schema-unreadable", "t")
    with pytest.raises(MigrationError) as caught:
        with_schema_text("CREATE TABLE t (a REFERENCES x)", b"CREATE TABLE t (a REFERENCES x REFERENCES y)")
    assert "foreign keys" in caught.value.what


def test_text_that_cannot_be_read_is_refused_unless_the_pragmas_tell_all() -> None:
    catalog = with_schema_text(
        "CREATE TABLE t (a INT NOT NULL, b DEFAULT 7)", b"CREATE TABLE t (a INT NOT NULL, b ~ 7)"
    )
    assert [(column.name, column.default_sql, column.not_null) for column in catalog.tables[0].columns] == [
        ("a", None, True),
        ("b", "7", False),
    ]
    with pytest.raises(MigrationError) as caught:
        with_schema_text("CREATE TABLE t (a)", b"CREATE TABLE t (a ~ CHECK (a > 0))")
    assert (caught.value.code, caught.value.table) == ("schema-unreadable", "t")


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(MigrationError) as caught:
        with_schema_text("CREATE TABLE t (a)", b"CREATE TABLE t (a DEFAULT '\xff')")
    assert caught.value.code == "schema-unreadable"
    assert "table t" in caught.value.what


def test_hostile_text_is_not_executed() -> None:
    catalog = with_schema_text("CREATE TABLE t (a)", b"CREATE TABLE t (a); DELETE FROM t")
    assert [table.name for table in catalog.tables] == ["t"]


def test_before_3_37_the_text_tells_what_table_list_would(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = """
        CREATE TABLE w (a PRIMARY KEY) WITHOUT ROWID;
        CREATE VIRTUAL TABLE docs USING fts5(body);
        CREATE TABLE plain (a);
    """
    with_table_list = read(schema)
    from liteferry.source import catalog as sqlite_catalog

    monkeypatch.setattr(sqlite_catalog._CatalogReader, "_read_options", lambda _: {})
    assert read(schema) == with_table_list
