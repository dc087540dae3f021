"""Files made to mislead, to break or to hang whoever reads them: a clear refusal or a finding, in bounded time.

Each is a real file that goes through the real command. Nothing of it is executed but what the plan quotes.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from harness import (
    Outcome,
    assert_error,
    call_ferry,
    list_relations,
    read_everything,
    run_ferry,
    untouched,
)
from live_files import run_python

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Maker = Callable[[Path], None]

BASE: Final = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b');"
PAGE_BYTES: Final = 4096


def written(sql: str) -> Maker:
    """A database that this SQL makes; functions called ``own`` are the application's."""

    def make(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.create_function("own", 1, lambda value: value, deterministic=True)
            db.executescript(sql)

    return make


def edited(sql: str, *edits: str) -> Maker:
    """The same, with edits behind SQLite's back: its schema table is an ordinary one to whoever asks for it."""

    def make(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.executescript(sql)
            db.execute("PRAGMA writable_schema = ON")
            for edit in edits:
                db.execute(edit)

    return make


def declared(name: str, sql: str, *, before: str = BASE) -> Maker:
    """The same, where an object's text says something else."""
    quoted = sql.replace("'", "''")
    return edited(before, f"UPDATE sqlite_schema SET sql = '{quoted}' WHERE name = '{name}'")


def patched(sql: str, offset: int, data: bytes) -> Maker:
    """The same, with some bytes overwritten."""

    def make(path: Path) -> None:
        written(sql)(path)
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    return make


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def migrate(source: Path, url: str, *options: str) -> Outcome:
    """Through the real command, in a process of its own that is killed when it hangs."""
    run_dir = source.parent.with_name(source.parent.name + "-run")
    with untouched(source):
        return run_ferry("migrate", source, url, "--run-dir", run_dir, "--yes", "--json", *options)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the source is to be made."""
    directory = tmp_path / "source"
    directory.mkdir()
    return directory / "app.sqlite"


# ---------------------------------------------------------------------------------------------------------------------
# Refused

MANY: Final = (
    BASE + "INSERT INTO t (v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000)"
    " SELECT 'value ' || i || hex(zeroblob(30)) FROM n;"
)
HOLES: Final = MANY + "DELETE FROM t WHERE id > 100;"
LONG: Final = "CREATE TABLE t (v TEXT); INSERT INTO t VALUES (hex(zeroblob(30000)));"
WITH_G: Final = BASE + "CREATE TABLE g (a); CREATE INDEX i ON g (a); INSERT INTO g VALUES (1), (-9223372036854775808);"
CORRUPT: Final = "source-corrupt"
UNREADABLE: Final = "schema-unreadable"

REFUSED: Final[dict[str, tuple[Maker, str, str]]] = {
    # the schema's text
    "sql is cut by NUL": (
        edited(BASE, "UPDATE sqlite_schema SET sql = replace(sql, ' TEXT', char(0)) WHERE name = 't'"),
        CORRUPT,
        "malformed database schema (t)",
    ),
    "sql is NULL": (edited(BASE, "UPDATE sqlite_schema SET sql = NULL WHERE name = 't'"), CORRUPT, "(t)"),
    "sql is a blob": (edited(BASE, "UPDATE sqlite_schema SET sql = x'ff00' WHERE name = 't'"), CORRUPT, "(t)"),
    "sql is a number": (edited(BASE, "UPDATE sqlite_schema SET sql = 17 WHERE name = 't'"), CORRUPT, "(t)"),
    "sql is not UTF-8": (
        edited(BASE, "UPDATE sqlite_schema SET sql = replace(sql, 'v TEXT', CAST(x'22ff22' AS TEXT)) WHERE name = 't'"),
        UNREADABLE,
        "declares table t is not valid UTF-8",
    ),
    "sql names another table": (edited(BASE, "UPDATE sqlite_schema SET name = 'o', tbl_name = 'o'"), CORRUPT, "(o)"),
    "sql makes nothing": (declared("t", "CREATE TABLE t AS SELECT 1 AS id"), CORRUPT, "(t)"),
    "sql needs another file": (
        declared("t", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT) WITHOUT ROWID"),
        CORRUPT,
        "malformed",
    ),
    "name contains NUL": (
        edited(BASE, "UPDATE sqlite_schema SET name = 't' || char(0), tbl_name = 't' || char(0)"),
        UNREADABLE,
        r"the name of table t\0 contains the NUL character",
    ),
    "name is NULL": (edited(BASE, "UPDATE sqlite_schema SET name = NULL"), CORRUPT, "malformed"),
    "name twice": (
        edited(
            BASE + "CREATE TABLE u (a);",
            "UPDATE sqlite_schema SET name = 't', tbl_name = 't', sql = 'CREATE TABLE t (a)' WHERE name = 'u'",
        ),
        CORRUPT,
        "already exists",
    ),
    "view with a table's name": (
        edited(BASE, "INSERT INTO sqlite_schema VALUES ('view', 'T', 'T', 0, 'CREATE VIEW T AS SELECT 1')"),
        CORRUPT,
        "already exists",
    ),
    "type that is none": (
        edited(BASE, "INSERT INTO sqlite_schema VALUES ('thing', 'x', 'x', 0, 'CREATE VIEW x AS SELECT 1')"),
        CORRUPT,
        "(x)",
    ),
    "generated by load_extension": (
        declared("g", "CREATE TABLE g (a, b AS (load_extension(a)))", before=WITH_G),
        CORRUPT,
        "(g)",
    ),
    "generated column overflows": (declared("g", "CREATE TABLE g (a, b AS (abs(a)))", before=WITH_G), UNREADABLE, "g"),
    "generated column too large": (
        declared("g", "CREATE TABLE g (a, b AS (zeroblob(2000000000)))", before=WITH_G),
        UNREADABLE,
        "too big",
    ),
    "generated column of no JSON": (
        declared("g", "CREATE TABLE g (a, b AS (json('{' || a)))", before=WITH_G),
        UNREADABLE,
        "malformed JSON",
    ),
    "generated by the application": (
        written("CREATE TABLE g (a, b AS (own(a))); INSERT INTO g (a) VALUES (1);"),
        UNREADABLE,
        "own",
    ),
    "index expression overflows": (declared("i", "CREATE INDEX i ON g (abs(a))", before=WITH_G), UNREADABLE, "overf"),
    "more columns than a SELECT may have": (
        written(f"CREATE TABLE t ({', '.join(f'c{i}' for i in range(2000))}); INSERT INTO t (c1) VALUES (1)"),
        UNREADABLE,
        "PostgreSQL allows 1,600 columns",
    ),
    # indexes that are not what they say
    "index of another column": (
        declared("i", "CREATE INDEX i ON g (b)", before="CREATE TABLE g (a, b); CREATE INDEX i ON g (a);"
        "INSERT INTO g VALUES (1, 2);"),
        CORRUPT,
        "index i",
    ),
    "index lacks an entry": (
        declared("i", "CREATE INDEX i ON g (a)", before="CREATE TABLE g (a); CREATE INDEX i ON g (a) WHERE a > 1;"
        "INSERT INTO g VALUES (1), (2);"),
        CORRUPT,
        "missing from index i",
    ),
    "index that is not unique": (
        declared("i", "CREATE UNIQUE INDEX i ON g (a)", before="CREATE TABLE g (a); CREATE INDEX i ON g (a);"
        "INSERT INTO g VALUES (1), (1);"),
        CORRUPT,
        "non-unique entry in index i",
    ),
    "constraint without index": (
        edited("CREATE TABLE g (a UNIQUE);", "DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_g_1'"),
        CORRUPT,
        "malformed",
    ),
    # pages
    "root page is the schema": (edited(BASE, "UPDATE sqlite_schema SET rootpage = 1"), CORRUPT, "(t)"),
    "root page of another": (
        edited(BASE + "CREATE TABLE u (a);", "UPDATE sqlite_schema SET rootpage = 2"),
        CORRUPT,
        "2nd reference",
    ),
    "root page beyond the end": (edited(BASE, "UPDATE sqlite_schema SET rootpage = 99999"), CORRUPT, "rootpage"),
    "root page 0": (edited(BASE, "UPDATE sqlite_schema SET rootpage = 0"), CORRUPT, "malformed"),
    "root page is a text": (edited(BASE, "UPDATE sqlite_schema SET rootpage = 'abc'"), CORRUPT, "rootpage"),
    "tree in a loop": (patched(MANY, PAGE_BYTES + 8, number(2)), CORRUPT, "malformed"),
    "overflow in a loop": (patched(LONG, PAGE_BYTES * 4, number(3)), CORRUPT, "2nd reference"),
    "free pages in a loop": (patched(HOLES, 32, number(2)), CORRUPT, "freelist"),
    "free pages beyond the end": (patched(HOLES, 32, number(99999)), CORRUPT, "freelist"),
    "more free pages than pages": (patched(HOLES, 36, number(2**31 - 1)), CORRUPT, "freelist"),
    "more pages than bytes": (patched(BASE, 28, number(2**32 - 2)), "source-truncated", "17,592,186,036,224"),
    "fewer pages than it uses": (patched(MANY, 28, number(1)), CORRUPT, "rootpage"),
    "page size is none": (patched(BASE, 16, b"\x03\x03"), "source-not-sqlite", "not a SQLite database"),
    "page size is another": (patched(BASE, 16, b"\x02\x00"), CORRUPT, "malformed"),
    "bytes reserved that are used": (patched(BASE, 20, b"\xff"), CORRUPT, "malformed"),
    "encoding is another": (patched(BASE, 56, number(2)), CORRUPT, "malformed"),
    "format from the future": (patched(BASE, 44, number(9)), UNREADABLE, "unsupported file format"),
    "version from the future": (patched(BASE, 18, b"\x03\x03"), "source-not-sqlite", "not a SQLite database"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, place: Path, pg_url: str, pg_admin_url: str) -> None:
    make, code, says = REFUSED[case]
    make(place)
    before = read_everything(pg_admin_url)
    outcome = migrate(place, pg_url, "--accept", "all")
    assert_error(outcome, code, says)
    assert str(place) in outcome.err or "'t'" in outcome.err or " t" in outcome.err
    assert read_everything(pg_admin_url) == before


# ---------------------------------------------------------------------------------------------------------------------
# Carried, and nothing of them hidden

ENDLESS: Final = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
LEGION: Final = (
    "CREATE VIEW v0 AS SELECT 1 AS a;"
    + "".join(f"CREATE VIEW v{i} AS SELECT x.a FROM v{i - 1} AS x, v{i - 1} AS y;" for i in range(1, 14))
    + f"CREATE VIEW v14 AS SELECT v13.a FROM {', '.join(['v13'] * 64)};"
)
"""SQLite takes seconds to find out that 30,000 are too many, and no time for half a million."""

CARRIED: Final[dict[str, tuple[Maker, dict[str, int], set[str]]]] = {
    # what is made, the rows of the tables that must arrive, and the blocking findings
    "text after a NUL": (
        edited(
            "CREATE TABLE t (v TEXT CHECK (v <> 'x')); INSERT INTO t VALUES ('a');",
            "UPDATE sqlite_schema SET sql = sql || char(0) || 'CREATE TABLE other (a)'",
        ),
        {"t": 1},
        set(),
    ),
    "text of megabytes": (
        edited(BASE, "UPDATE sqlite_schema SET sql = sql || '/*' || hex(zeroblob(3000000)) || '*/'"),
        {"t": 2},
        set(),
    ),
    "a thousand long names": (
        written("CREATE TABLE t (" + ", ".join(f"c{i}_{'x' * 10000} INT" for i in range(1000)) + ");"
                "INSERT INTO t DEFAULT VALUES;"),
        {"t": 1},
        set(),
    ),
    "names that SQLite reserves": (
        edited(
            BASE,
            "UPDATE sqlite_schema SET name = 'sqlite_t', tbl_name = 'sqlite_t', sql = replace(sql, ' t ', ' sqlite_t ')"
        ),
        {"sqlite_t": 2},
        set(),
    ),
    "a table in a pragma's place": (
        written(
            BASE + "CREATE TABLE pragma_table_list (schema, name, type, ncol, wr, strict);"
            "INSERT INTO pragma_table_list VALUES ('main', 't', 'shadow', 2, 1, 1), ('main', 't', 'virtual', 2, 1, 1);"
            "CREATE TABLE pragma_table_xinfo (a TEXT); CREATE TABLE pragma_index_list (a TEXT);"
        ),
        {"t": 2, "pragma_table_list": 2, "pragma_table_xinfo": 0, "pragma_index_list": 0},
        set(),
    ),
    "a view in a pragma's place": (
        written(BASE + "CREATE VIEW pragma_table_list AS SELECT 'main' AS schema, 't' AS name, 'view' AS type;"),
        {"t": 2},
        set(),
    ),
    "endless views": (
        written(BASE + f"CREATE VIEW v AS {ENDLESS} i FROM n; CREATE VIEW w AS {ENDLESS} count(*) AS c FROM n;"),
        {"t": 2},
        set(),
    ),
    "a view of itself": (declared("w", "CREATE VIEW w AS SELECT * FROM w", before=BASE + "CREATE VIEW w AS SELECT 1;"),
                         {"t": 2}, {"view-broken"}),
    "a view of half a million": (written(BASE + LEGION), {"t": 2}, {"view-broken"}),
    "a view that loads an extension": (
        declared("w", "CREATE VIEW w AS SELECT load_extension('x') AS a", before=BASE + "CREATE VIEW w AS SELECT 1;"),
        {"t": 2},
        {"view-broken"},
    ),
    "what only the application has": (
        written(
            BASE + "CREATE TABLE a (x INT CHECK (own(x))); CREATE TABLE b (x INT, y INT DEFAULT (own(1)));"
            "CREATE TABLE c (x INT); CREATE INDEX c_own ON c (own(x)); CREATE VIEW w AS SELECT own(v) AS o FROM t;"
            "CREATE TABLE d (x INT, y AS (own(x)) STORED); INSERT INTO c VALUES (5); INSERT INTO d VALUES (6);"
            "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT own(new.v); END;"
        ),
        {"t": 2, "a": 0, "b": 0, "c": 1, "d": 1},
        {"check-untranslatable", "default-untranslatable", "index-untranslatable", "view-broken", "trigger-left-out",
         "generated-untranslatable"},
    ),
    "a module that nobody has": (
        edited(
            BASE + "CREATE TABLE f_data (a INT); INSERT INTO f_data VALUES (1);",
            "INSERT INTO sqlite_schema VALUES ('table', 'f', 'f', 0, 'CREATE VIRTUAL TABLE f USING nomodule(a)')",
        ),
        {"t": 2, "f_data": 1},
        {"virtual-table-left-out"},
    ),
    "a generated column of work": (
        written(BASE + "CREATE TABLE g (a INT, b INT AS (length(hex(zeroblob(a))))); INSERT INTO g VALUES (50000000);"),
        {"t": 2, "g": 1},
        {"generated-untranslatable"},
    ),
    "odd sequences": (
        written(
            "CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO s VALUES (1);"
            "UPDATE sqlite_sequence SET seq = 'abc'; INSERT INTO sqlite_sequence VALUES (NULL, 5), ('gone', 7),"
            "(CAST(x'ff' AS TEXT), 8), (x'00', 9), ('s', 100), ('s', 'xyz');"
        ),
        {"s": 1},
        set(),
    ),
    "keys to what is no table": (
        written(
            BASE + "CREATE VIEW w AS SELECT 1 AS a; CREATE TABLE c (a INT REFERENCES w, b INT REFERENCES sqlite_schema,"
            " c INT REFERENCES t (rowid), d INT REFERENCES t (none)); INSERT INTO c VALUES (1, 2, 3, 4);"
        ),
        {"t": 2, "c": 1},
        {"foreign-key-no-parent"},
    ),
    "rows that STRICT forbids": (
        declared("g", "CREATE TABLE g (a INTEGER) STRICT", before="CREATE TABLE g (a); INSERT INTO g VALUES ('x');"),
        {"g": 1},
        {"value-misfit"},
    ),
    "garbage in statistics": (
        written(BASE + "CREATE INDEX i ON t (v); ANALYZE; UPDATE sqlite_stat1 SET stat = 'garbage', idx = x'ff';"),
        {"t": 2},
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CARRIED)
def test_carried_in_full(case: str, place: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, tables, blocking = CARRIED[case]
    make(place)
    checked = run_ferry("check", place, "--json")
    findings = [finding for finding in checked.json["findings"] if finding["severity"] == "blocker"]
    assert {finding["code"] for finding in findings} == blocking
    assert all(finding["message"] and (finding["table"] or finding["name"]) for finding in findings)
    assert checked.status == (4 if blocking else 0)
    monkeypatch.setattr("liteferry.proof.views.VIEW_S", 2.0)  # nobody wants to wait half a minute for an endless view
    run_dir = place.parent.parent / "run"
    outcome = call_ferry("migrate", place, pg_url, "--run-dir", run_dir, "--yes", "--json", "--accept", "all")
    assert outcome.status == 0, outcome
    assert {table.name: table.rows_target for table in outcome.report.tables} == tables


def test_names_that_would_be_sql(place: Path, pg_url: str, pg_admin_url: str) -> None:
    """Names are quoted wherever they go, and cannot end a statement, nor move a terminal's cursor."""
    names = ['x"; DROP TABLE canary; --', "x'); DROP TABLE canary; --", "%s %(a)s {0} $1 \\", "a\nb\x1b[2J"]
    with closing(sqlite3.connect(place)) as db:
        for name in names:
            quoted = '"' + name.replace('"', '""') + '"'
            literal = "'" + name.replace("'", "''") + "'"
            db.execute(
                f"CREATE TABLE {quoted} ({quoted} TEXT DEFAULT {literal} CONSTRAINT {quoted} UNIQUE,"
                f" n INTEGER CHECK ({quoted} <> {literal} OR n = 1))"
            )
            db.execute(f"INSERT INTO {quoted} (n) VALUES (1)")
            db.execute(f'CREATE VIEW "view of {name.replace(chr(34), chr(34) * 2)}" AS SELECT {quoted} FROM {quoted}')
        db.commit()
    with psycopg.connect(pg_admin_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA guard CREATE TABLE guard.canary (a int)")
    outcome = migrate(place, pg_url, "--accept", "all")
    assert outcome.status == 0, outcome
    assert list_relations(pg_admin_url, "guard") == ["canary"]
    assert sorted(table.target for table in outcome.report.tables) == sorted(names)
    with psycopg.connect(pg_admin_url) as connection:
        for name in names:
            quoted = '"' + name.replace('"', '""') + '"'
            assert connection.execute(f"SELECT {quoted} FROM public.{quoted}".encode()).fetchall() == [(name,)]
    shown = run_ferry("check", place)
    assert "\x1b" not in shown.out + shown.err


def test_an_error_cannot_move_the_cursor(place: Path, pg_url: str) -> None:
    name = "a\nliteferry: all is well \x1b[2J"
    with closing(sqlite3.connect(place)) as db:
        db.execute(f'CREATE TABLE "{name}" (a, b AS (abs(a)) CHECK (1))')
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (1)', 'CHECK (')")
        db.execute(f"UPDATE sqlite_schema SET sql = 'CREATE TABLE \"{name}\" (a, b AS (abs(a)))'")
        db.commit()
    with closing(sqlite3.connect(place)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(f"UPDATE sqlite_schema SET sql = 'CREATE TABLE \"{name}\" (a)'")
        db.commit()
    with closing(sqlite3.connect(place)) as db:
        db.execute(f'INSERT INTO "{name}" VALUES (-9223372036854775808)')
        db.execute("PRAGMA writable_schema = ON")
        db.execute(f"UPDATE sqlite_schema SET sql = 'CREATE TABLE \"{name}\" (a, b AS (abs(a)))'")
        db.commit()
    outcome = migrate(place, pg_url)
    assert_error(outcome, "schema-unreadable", "integer overflow", r"table a\nliteferry: all is well \x1b[2J")
    assert "\x1b" not in outcome.err


# ---------------------------------------------------------------------------------------------------------------------
# What lies beside the file, and where it lies


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "directory"])
@pytest.mark.parametrize("mode", ["copy", "none"])
def test_no_file_where_sqlite_keeps_one(
    suffix: str, make: Callable[[str], None], mode: str, place: Path, pg_url: str
) -> None:
    """SQLite would open a pipe called app.sqlite-journal, and wait for ever."""
    written(BASE)(place)
    make(f"{place}{suffix}")
    outcome = migrate(place, pg_url, "--snapshot", mode)
    kind = "a named pipe" if make is os.mkfifo else "a directory"
    assert_error(outcome, "source-unreadable", f"{place}{suffix} beside it is {kind}")


def test_links_in_a_circle(place: Path, pg_url: str) -> None:
    place.symlink_to(place.name)
    assert_error(migrate(place, pg_url), "source-unreadable", "Too many levels of symbolic links")


@pytest.mark.parametrize("name", ["a?b#c%41&mode=rwc", "two\nlines", "file:memory", "-x", " ", "ünï", b"\xff.db"])
@pytest.mark.parametrize("mode", ["copy", "none"])
def test_odd_file_names(name: str | bytes, mode: str, place: Path, pg_url: str) -> None:
    source = place.parent / os.fsdecode(name)
    written(BASE)(source)
    outcome = migrate(source, pg_url, "--snapshot", mode)
    assert outcome.status == 0, outcome
    assert [table.rows_target for table in outcome.report.tables] == [2]


def leave_wal(path: Path) -> Path:
    """A database in WAL mode whose application has died: rows that are in the -wal file alone. Its path."""
    crash = """
        import os, sqlite3, sys
        db = sqlite3.connect(sys.argv[1], isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        for number in range(20):
            db.execute("INSERT INTO t (v) VALUES (?)", [f"row {number} " * 200])
        os._exit(0)
    """
    run_python(crash, path)
    path.with_name(path.name + "-shm").unlink()
    return path.with_name(path.name + "-wal")


def cut_between_transactions(wal: Path) -> None:
    """Cut after the page with which some transaction ends: that page says how large the database then is."""
    content, frame_bytes = wal.read_bytes(), PAGE_BYTES + 24
    ends = [end for end in range(32, len(content), frame_bytes) if content[end + 4 : end + 8] != number(0)]
    os.truncate(wal, ends[len(ends) // 2] + frame_bytes)


def flip_middle(wal: Path) -> None:
    content = bytearray(wal.read_bytes())
    content[len(content) // 2] ^= 0xFF
    wal.write_bytes(content)


WALS: Final[dict[str, tuple[Callable[[Path], object], bool, bool]]] = {
    "whole": (lambda _: None, True, False),
    "cut between transactions": (cut_between_transactions, False, False),
    "cut within a page": (lambda wal: os.truncate(wal, 32 + (PAGE_BYTES + 24) * 8 + 999), False, True),
    "damaged": (flip_middle, False, True),
    "garbage": (lambda wal: wal.write_bytes(random.Random(1).randbytes(9000)), False, True),
}


@pytest.mark.parametrize("case", WALS)
def test_write_ahead_logs(case: str, place: Path, pg_url: str) -> None:
    """SQLite passes over what it cannot read of a -wal file, and says nothing. We say so."""
    damage, is_whole, is_noted = WALS[case]
    damage(leave_wal(place))
    with closing(sqlite3.connect(shutil.copytree(place.parent, place.parent.parent / "c") / place.name)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema")]
        expected = [db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables]
    outcome = migrate(place, pg_url)
    assert outcome.status == 0, outcome
    assert [table.rows_target for table in outcome.report.tables] == expected
    assert (expected == [20]) is is_whole
    assert ("-wal file ends in" in outcome.err) is is_noted
    assert [found.code for found in outcome.report.findings if found.count] == ["wal-unread"] * is_noted
    assert (outcome.report.source.wal_pages_unread > 0) is is_noted


# ---------------------------------------------------------------------------------------------------------------------
# Every page


def make_varied(path: Path) -> None:
    """Small pages of every sort: tables, both kinds of tree, indexes, overflow, free ones."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(
            """
            PRAGMA page_size = 512;
            CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, big TEXT);
            CREATE TABLE child (a TEXT, b INTEGER, c INTEGER REFERENCES parent (id), PRIMARY KEY (a, b)) WITHOUT ROWID;
            CREATE TABLE measure (id INTEGER PRIMARY KEY, r REAL, n NUMERIC, d BLOB);
            CREATE INDEX measure_r ON measure (r);
            CREATE INDEX measure_n ON measure (n) WHERE n > 3;
            CREATE VIEW names AS SELECT name FROM parent;
            CREATE TABLE gone (x);
            INSERT INTO gone VALUES (zeroblob(9000));
            DELETE FROM gone;
            """
        )
        made = random.Random(7)
        db.executemany("INSERT INTO parent (name, big) VALUES (?, ?)", [(f"name {i}", "x" * i * 60) for i in range(30)])
        db.executemany("INSERT INTO child VALUES (?, ?, ?)", [(f"key {i % 7}", i, i % 30 + 1) for i in range(40)])
        rows = [(i / 7, i, made.randbytes(20)) for i in range(40)]
        db.executemany("INSERT INTO measure (r, n, d) VALUES (?, ?, ?)", rows)


ROWS: Final = {"parent": 30, "child": 40, "measure": 40, "gone": 0}


def damage_and_migrate(path: Path, whole: bytes, page: int, how: str, made: random.Random, url: str) -> str:
    """Damage one page; what came out: the code of an error, or ``proven`` with every row."""
    start, end = page * 512, page * 512 + 512
    content = bytearray(whole)
    if how == "swap":
        other = made.randrange(len(whole) // 512) * 512
        content[start:end] = whole[other : other + 512]
    elif how == "flip":
        content[start + made.randrange(512)] ^= made.randrange(1, 256)
    else:
        content[start:end] = (b"\0" if how == "zero" else b"\xff") * 512
    path.write_bytes(content)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        try:
            sees_damage = db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]
        except (sqlite3.Error, UnicodeDecodeError):
            sees_damage = True
    run_dir = path.parent.parent / f"run-{page}-{how}-{made.random()}"
    with untouched(path):
        outcome = call_ferry("migrate", path, url, "--accept", "all", "--yes", "--json", "--run-dir", run_dir)
    where = (page, how, outcome)
    if outcome.status == 0:
        assert not sees_damage, where
        report = outcome.report
        # a table's name may be what was damaged
        assert sorted(table.rows_target for table in report.tables) == sorted(ROWS.values()), where
        assert report.verdict == "proven", where
        undone = call_ferry("undo", run_dir, "--target", url, "--yes")
        assert undone.status == 0, undone
        return "proven"
    code = str(outcome.json["code"])
    assert sees_damage or code == UNREADABLE, where  # SQLite takes names that are not valid UTF-8
    assert_error(outcome, code)
    return code


KNOWN_CODES: Final = {"proven", CORRUPT, UNREADABLE, "source-not-sqlite", "source-truncated"}


@pytest.mark.parametrize("how", ["zero", "ones", "swap", "flip"])
def test_damage_to_pages_is_found_or_harmless(how: str, place: Path, pg_url: str) -> None:
    make_varied(place)
    whole = place.read_bytes()
    made = random.Random(how)
    pages = sorted({0, *made.sample(range(1, len(whole) // 512), 8)})
    codes = {damage_and_migrate(place, whole, page, how, made, pg_url) for page in pages}
    assert codes <= KNOWN_CODES
    assert len(codes) > 1 or how == "flip"  # a flipped bit may lie where nothing is, or make another value


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_damage_to_every_page_is_found_or_harmless(place: Path, pg_url: str) -> None:
    make_varied(place)
    whole = place.read_bytes()
    made = random.Random(0)
    codes = {
        damage_and_migrate(place, whole, page, how, made, pg_url)
        for page in range(len(whole) // 512)
        for how in ("zero", "ones", "swap", "flip", "flip", "flip", "flip")
    }
    assert codes <= KNOWN_CODES
