"""Into an application's own schema: there, proven, and back, with its catalogue the same throughout."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from application import build, install, read_state
from harness import assert_error, call_ferry, execute, list_directory, untouched
from liteferry.target import open_target

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Database, PostgresServer
    from harness import Outcome
    from liteferry.holding import Holding


NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"


def read_holding(url: str) -> Holding:
    with open_target(url) as target:
        found = target.read_holding("public")
    assert found is not None
    return found


def dump_schema(server: PostgresServer, url: str) -> str:
    """What pg_dump makes of the whole database's schema; "" where this server comes without it."""
    pg_dump = server.bin_dir / "pg_dump"
    if not pg_dump.exists():
        return ""
    done = subprocess.run([pg_dump, "--schema-only", url], capture_output=True, text=True, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def ferry(command: str, source: Path, url: str, *options: str | Path) -> Outcome:
    confirmed = ("--yes",) if command == "migrate" else ()
    return call_ferry(command, source, url, "--into", "existing", "--json", "--quiet", *confirmed, *options)


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql.encode()).fetchall()


def find_codes(outcome: Outcome) -> dict[str, bool]:
    """The findings of a check, and whether each still blocks."""
    return {f["code"]: f["severity"] == "blocker" and not f["accepted"] for f in outcome.json["findings"]}


# ---------------------------------------------------------------------------------------------------------------------
# There and back


def test_there_and_back_and_there_again(tmp_path: Path, pg_url_all: str, pg_servers_all: PostgresServer) -> None:
    source, url = build(tmp_path / "app.sqlite"), install(pg_url_all)
    before, holding, dumped = read_state(url), read_holding(url), dump_schema(pg_servers_all, url)
    assert len(holding.footprint) > 100

    checked = ferry("check", source, url)
    assert checked.status == 4
    assert [code for code, blocks in find_codes(checked).items() if blocks] == ["seeded-rows"]
    assert {"name-matched", "order-differs", "target-extra-column", "target-extra-table", "rows-equal"} <= set(
        find_codes(checked)
    )
    assert read_state(url) == before

    run_dir = tmp_path / "run"
    done = ferry("migrate", source, url, "--replace-rows", "team", "--run-dir", run_dir)
    assert (done.status, done.report.verdict, done.report.into) == (0, "proven", "existing"), done
    assert {t.target: (t.rows_target, t.rows_replaced) for t in done.report.tables} == {
        "team": (2, 2), "person": (3, 0), "event": (2, 0), "version": (1, 0),
    }  # fmt: skip
    after = read_holding(url)
    assert after.footprint == holding.footprint
    assert dump_schema(pg_servers_all, url) == dumped
    assert ask(url, "SELECT id, mood::text, pay::text, code, seen::text, boss, double_pay::text, extra"
                    " FROM public.person ORDER BY 1") == [
        (1, "sad", "10.50", "ab  ", "2020-01-01 10:00:00.123", 2, "21.00", "made here"),
        (2, "happy", None, None, None, None, None, "made here"),
        (7, "ok", "3.00", "abcd", "2020-01-01 10:00:00", 1, "6.00", "made here"),
    ]  # fmt: skip
    state = read_state(url)
    assert state["public.log"] == before["public.log"]  # no trigger fired
    assert state["public.log_id_seq"] == before["public.log_id_seq"]
    assert state["elsewhere.counter"] == before["elsewhere.counter"] == [(500, False)]
    assert [path.stat().st_mode & 0o777 for path in (run_dir / "replaced").iterdir()] == [0o600]
    verified = call_ferry("verify", source, url, "--run-dir", run_dir, "--json", "--quiet")
    assert (verified.status, verified.report.verdict) == (0, "proven"), verified.report.mismatches

    undone = call_ferry("undo", run_dir, "--target", url, "--yes", "--json", "--quiet")
    assert undone.status == 0, undone
    assert read_state(url) == before
    assert read_holding(url).footprint == holding.footprint
    assert dump_schema(pg_servers_all, url) == dumped
    assert_error(call_ferry("undo", run_dir, "--target", url, "--yes", "--quiet"), "undo-nothing")

    again = ferry("migrate", source, url, "--replace-rows", "*", "--run-dir", tmp_path / "again")
    assert again.status == 0
    assert [t.digest for t in again.report.tables] == [t.digest for t in done.report.tables]
    third = ferry("migrate", source, url, "--run-dir", tmp_path / "third")
    assert (third.status, third.report.verdict) == (0, "proven")
    assert read_state(url) == state


def test_the_next_ids(tmp_path: Path, pg_url_all: str) -> None:
    """Cases 15 to 17: serial, both sorts of identity, sqlite_sequence above the ids; elsewhere nothing moves."""
    source, url = build(tmp_path / "app.sqlite"), install(pg_url_all)
    assert ferry("migrate", source, url, "--replace-rows", "team").status == 0
    sequences = ("public.team_id_seq", "public.person_id_seq", "public.event_id_seq", "public.shared",
                 "elsewhere.counter")  # fmt: skip
    calls = ", ".join(f"nextval('{name}')" for name in sequences)
    assert ask(url, f"SELECT {calls}") == [(91, 8, 3, 9, 500)]
    assert ask(url, "INSERT INTO public.team (name) VALUES ('new') RETURNING id") == [(92,)]


def test_a_sequence_is_never_put_back(tmp_path: Path, pg_url: str) -> None:
    source, url = build(tmp_path / "app.sqlite"), install(pg_url)
    execute(url, "SELECT setval('public.team_id_seq', 5000)")
    assert ferry("migrate", source, url, "--replace-rows", "team").status == 0
    assert ask(url, "SELECT nextval('public.team_id_seq')") == [(5001,)]


def test_a_sequence_whose_last_value_is_in_use(tmp_path: Path, pg_url: str) -> None:
    url = install(pg_url, "CREATE TABLE t (id smallserial PRIMARY KEY)")
    source = build(tmp_path / "s.sqlite", "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (32767)")
    assert "sequence-exhausted" in find_codes(ferry("check", source, url))
    done = ferry("migrate", source, url, "--run-dir", tmp_path / "run")
    assert done.status == 0, done
    with pytest.raises(psycopg.errors.SequenceGeneratorLimitExceeded):
        ask(url, "SELECT nextval('public.t_id_seq')")
    assert call_ferry("undo", tmp_path / "run", "--target", url, "--yes", "--quiet").status == 0
    assert ask(url, "SELECT nextval('public.t_id_seq')") == [(1,)]


def test_a_large_table_has_its_indexes_made_anew(
    tmp_path: Path, pg_url_all: str, pg_servers_all: PostgresServer
) -> None:
    url = install(
        pg_url_all,
        """CREATE TABLE big (id integer PRIMARY KEY, a integer, b text UNIQUE);
        CREATE INDEX big_a ON big (a DESC) WHERE a > 5; COMMENT ON INDEX big_a IS 'kept';
        CREATE UNIQUE INDEX big_lower ON big (lower(b));
        CREATE INDEX big_left ON big (a); ALTER TABLE big CLUSTER ON big_left;
        CREATE INDEX big_stats ON big ((a + 1)); ALTER INDEX big_stats ALTER COLUMN 1 SET STATISTICS 300""",
    )
    rows = f"{NUMBERS} SELECT i, i % 100, 'x' || i FROM n"
    source = build(
        tmp_path / "s.sqlite", f"CREATE TABLE big (id INTEGER PRIMARY KEY, a INTEGER, b TEXT); INSERT INTO big {rows}"
    )
    holding, dumped = read_holding(url), dump_schema(pg_servers_all, url)
    planned = ferry("plan", source, url).json
    steps = [step["id"] for step in planned["steps"] if "index/" in step["id"] or "drop-index" in step["id"]]
    assert steps == [
        "pre-data/drop-index/big.big_a", "pre-data/drop-index/big.big_lower",
        "post-data/index/big.big_lower", "post-data/index/big.big_a",
    ]  # fmt: skip
    done = ferry("migrate", source, url, "--run-dir", tmp_path / "run")
    assert done.status == 0, done
    assert read_holding(url).footprint == holding.footprint
    assert dump_schema(pg_servers_all, url) == dumped
    assert call_ferry("undo", tmp_path / "run", "--target", url, "--yes", "--quiet").status == 0
    assert read_holding(url).footprint == holding.footprint
    assert ask(url, "SELECT count(*) FROM big") == [(0,)]


# ---------------------------------------------------------------------------------------------------------------------
# Types: the target's

GOOD = [
    ("boolean", "BOOLEAN", "0 | 1 | NULL | 't' | 'false'"),
    ("boolean", "TINYINT", "0 | 1"),
    ("smallint", "INTEGER", "-32768 | 32767"),
    ("integer", "INTEGER", "-2147483648 | 2147483647"),
    ("bigint", "INTEGER", "-9223372036854775808 | 9223372036854775807"),
    ("real", "FLOAT", "0.5 | -3 | 16777216 | 1267650600228229401496703205376.0 | NULL | 9e999"),
    ("double precision", "FLOAT", "0.1 | 1.7976931348623157e308 | 5e-324 | -0.0"),
    ("numeric(5,2)", "DECIMAL(5,2)", "1.25 | 999.99 | -3 | '7.10'"),
    ("varchar(3)", "VARCHAR(9)", "'abc' | '' | 'äöü'"),
    ("character(4)", "CHAR(4)", "'ab' | '' | 'abcd' | ' x'"),
    ("text", "VARCHAR(5)", "'longer than five'"),
    ("bytea", "BLOB", "x'' | x'00ff' | NULL"),
    ("timestamp", "DATETIME", "'2024-02-29 10:11:12.123456' | '2024-02-29' | '2024-02-29T10:11'"),
    ("timestamp(0)", "DATETIME", "'2024-02-29 10:11:12' | '2024-02-29 10:11:12.000'"),
    ("timestamp(3)", "DATETIME", "'2024-02-29 10:11:12.123'"),
    ("timestamptz", "DATETIME", "'2024-02-29 10:11:12' | '2024-02-29 10:11:12+02:00'"),
    ("timestamptz(3)", "DATETIME", "'2024-02-29 10:11:12.5Z'"),
    ("date", "DATE", "'0001-01-01' | '9999-12-31'"),
    ("time(0)", "TIME", "'23:59:59' | '00:00'"),
    ("time", "TIME", "'23:59:59.999999'"),
    ("interval", "BIGINT", "0 | 86400000000 | -1"),
    ("json", "JSON", """'{"a":1,"a":2}' | 'null' | '[1.50]'"""),
    ("jsonb", "TEXT", """'{"b": 1, "a": 1.50}' | 'null'"""),
    ("uuid", "CHAR(32)", "'00112233445566778899aabbccddeeff' | '00112233-4455-6677-8899-aabbccddeeff'"),
    ("inet", "CHAR(39)", "'192.168.0.1' | '10.0.0.0/8' | '2001:DB8::1' | '::ffff:10.0.0.1'"),
    ("cidr", "TEXT", "'10.0.0.0/8' | '2001:db8::/32'"),
    ("mood", "VARCHAR(5)", "'sad' | 'ok' | NULL"),
    ("small", "INTEGER", "1 | 9"),
    ("smaller", "INTEGER", "1 | 8"),
    ("moody", "VARCHAR(5)", "'sad'"),
]
TYPES_SQL = """
CREATE TYPE public.mood AS ENUM ('sad', 'ok');
CREATE DOMAIN public.small AS smallint CHECK (VALUE < 10);
CREATE DOMAIN public.smaller AS public.small CHECK (VALUE < 9);
CREATE DOMAIN public.moody AS public.mood NOT NULL;
SET search_path = public;
"""


@pytest.mark.parametrize(("pg_type", "declared", "values"), GOOD, ids=lambda value: str(value)[:20])
def test_values_arrive_in_the_targets_type(
    pg_type: str, declared: str, values: str, tmp_path: Path, pg_url: str
) -> None:
    url = install(pg_url, f"{TYPES_SQL} CREATE TABLE t (id integer PRIMARY KEY, a {pg_type})")
    rows = "".join(f"INSERT INTO t (a) VALUES ({value});" for value in values.split(" | "))
    source = build(tmp_path / "s.sqlite", f"CREATE TABLE t (id INTEGER PRIMARY KEY, a {declared}); {rows}")
    done = ferry("migrate", source, url)
    assert (done.status, done.report.verdict) == (0, "proven"), done
    assert done.report.tables[0].rows_target == len(values.split(" | "))


def test_a_key_of_an_enum_and_a_boolean(tmp_path: Path, pg_url: str) -> None:
    url = install(pg_url, f"{TYPES_SQL} CREATE TABLE t (m mood, b boolean, f double precision, PRIMARY KEY (m, b, f))")
    source = build(
        tmp_path / "s.sqlite",
        """CREATE TABLE t (m VARCHAR(5) NOT NULL, b BOOLEAN NOT NULL, f FLOAT NOT NULL, PRIMARY KEY (m, b, f));
        INSERT INTO t VALUES ('sad', 0, 1.5), ('ok', 1, -1e300), ('sad', 1, 0)""",
    )
    assert ferry("migrate", source, url).status == 0


def test_citext(tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    try:
        execute(pg_admin_url, "CREATE EXTENSION citext")
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this server comes without citext")
    url = install(pg_url, "CREATE TABLE t (a citext PRIMARY KEY)")
    source = build(
        tmp_path / "s.sqlite", "CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES ('B'), ('a'), ('C')"
    )
    assert ferry("migrate", source, url).status == 0


# ---------------------------------------------------------------------------------------------------------------------
# Findings

ONE = "CREATE TABLE t (id integer PRIMARY KEY, a {})"
HELD = "CREATE TABLE t (id INTEGER PRIMARY KEY, a {}); INSERT INTO t VALUES (1, {}), (2, NULL)"
TWO_UUIDS = """CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
INSERT INTO t VALUES (1, '00112233445566778899aabbccddeeff'), (2, '00112233-4455-6677-8899-aabbccddeeff')"""
TWO_FIVES = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); INSERT INTO t VALUES (1, 5), (2, 5)"
BLOCKED = [
    ("misfit-boolean", ONE.format("boolean"), HELD.format("BOOLEAN", "2"), "value-misfit", 1),
    ("overflow-varchar", ONE.format("varchar(3)"), HELD.format("VARCHAR(9)", "'abcd'"), "text-too-long", 1),
    ("overflow-integer", ONE.format("integer"), HELD.format("INTEGER", "2147483648"), "value-misfit", 1),
    ("inexact-real", ONE.format("real"), HELD.format("REAL", "0.1"), "value-misfit", 1),
    ("excess-numeric", ONE.format("numeric(4,1)"), HELD.format("DECIMAL(8,3)", "1.25"), "decimal-excess", 1),
    ("excess-fraction", ONE.format("timestamp(3)"), HELD.format("DATETIME", "'2024-01-01 00:00:00.1234'"), "date-form",
     1),
    ("excess-time", ONE.format("time(0)"), HELD.format("TIME", "'10:00:00.5'"), "date-form", 1),
    ("no-label", ONE.format("mood"), HELD.format("VARCHAR(5)", "'Sad'"), "value-misfit", 1),
    ("trailing-blank", ONE.format("character(4)"), HELD.format("CHAR(4)", "'ab '"), "value-misfit", 1),
    ("not-an-address", ONE.format("inet"), HELD.format("TEXT", "'10.0.0'"), "value-misfit", 1),
    ("offset-dropped", ONE.format("timestamp"), HELD.format("DATETIME", "'2024-01-01 00:00:00Z'"), "date-form", 1),
    ("time-in-date", ONE.format("date"), HELD.format("DATE", "'2024-01-01 10:00:00'"), "date-form", 1),
    ("json-for-jsonb", ONE.format("jsonb"), HELD.format("JSON", """'{"a":1,"a":2}'"""), "json-not-jsonb", 1),
    ("blob-uuid", ONE.format("uuid"), HELD.format("UUID", "x'00112233445566778899aabbccddeeff'"), "uuid-bytes", 1),
    ("nul", ONE.format("text"), HELD.format("TEXT", "'a' || char(0)"), "text-nul", 1),
    ("null-forbidden", ONE.format("integer NOT NULL"), HELD.format("INTEGER", "1"), "target-null-forbidden", 1),
    ("null-in-domain", ONE.format("moody"), HELD.format("TEXT", "'sad'"), "target-null-forbidden", 1),
    ("array", ONE.format("integer[] NOT NULL"), HELD.format("TEXT", "'{1}'"), "target-type-unknown", 0),
    ("required", ONE.format("integer") + "; ALTER TABLE t ADD b integer NOT NULL", HELD.format("INTEGER", "1"),
     "target-column-required", 0),
    ("inherits", ONE.format("integer") + "; CREATE TABLE u () INHERITS (t)", HELD.format("INTEGER", "1"),
     "target-unsuitable", 0),
    ("forced-policies", ONE.format("integer") + "; ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
     HELD.format("INTEGER", "1"), "target-row-security", 0),
    ("seeded", ONE.format("integer") + "; INSERT INTO t VALUES (1, 5), (2, NULL)", HELD.format("INTEGER", "1"),
     "seeded-rows", 2),
    ("seeded-in-part", ONE.format("integer") + "; INSERT INTO t VALUES (1, 1)", HELD.format("INTEGER", "1"),
     "seeded-rows", 1),
    ("unique", ONE.format("uuid UNIQUE"), TWO_UUIDS, "unique-clash", 2),
    ("deferred unique", ONE.format("integer UNIQUE DEFERRABLE INITIALLY DEFERRED"), TWO_FIVES, "unique-clash", 2),
    ("unique index", ONE.format("integer") + "; CREATE UNIQUE INDEX ON t (a)", TWO_FIVES, "unique-clash", 2),
    ("long key", ONE.format("text UNIQUE"), HELD.format("TEXT", "hex(randomblob(3000))"), "index-entry-too-long", 1),
    ("orphans", ONE.format("integer REFERENCES t"), HELD.format("INTEGER", "77"), "target-orphans", 1),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "rows", "code", "count"), [row[1:] for row in BLOCKED], ids=[r[0] for r in BLOCKED])
def test_what_does_not_fit_blocks_and_is_named(
    schema: str, rows: str, code: str, count: int, tmp_path: Path, pg_url: str
) -> None:
    (tmp_path / "source").mkdir()
    url, source = install(pg_url, f"{TYPES_SQL}{schema}"), build(tmp_path / "source" / "s.sqlite", rows)
    before = read_holding(url)
    with untouched(source):
        blocked = ferry("migrate", source, url, "--accept", "all", "--run-dir", tmp_path / "run")
    assert (blocked.status, blocked.report.verdict) == (4, "blocked"), blocked
    (found,) = [finding for finding in blocked.report.findings if finding.blocks]
    assert (found.code, found.table, found.count) == (code, "t", count)
    assert len(found.samples) == (0 if code == "uuid-bytes" else count)
    assert read_holding(url) == before


def test_the_first_seeded_keys_are_shown_in_their_order(tmp_path: Path, pg_url: str) -> None:
    url = install(pg_url, ONE.format("integer") + "; INSERT INTO t SELECT i, i FROM generate_series(1, 12) i")
    source = build(tmp_path / "s.sqlite", HELD.format("INTEGER", "1"))
    (found,) = [f for f in ferry("check", source, url).json["findings"] if f["code"] == "seeded-rows"]
    assert (found["count"], [sample["key"] for sample in found["samples"]]) == (12, [f"id={i}" for i in range(1, 6)])


LEFT = [
    ("table", "CREATE TABLE other (id integer)", HELD.format("INTEGER", "1"), "target-table-missing"),
    ("column", "CREATE TABLE t (id integer)", HELD.format("INTEGER", "1"), "target-column-missing"),
    ("array", ONE.format("integer[]"), HELD.format("TEXT", "'{1}'"), "target-type-unknown"),
]


@pytest.mark.parametrize(("schema", "rows", "code"), [row[1:] for row in LEFT], ids=[row[0] for row in LEFT])
def test_what_may_be_left_out(schema: str, rows: str, code: str, tmp_path: Path, pg_url: str) -> None:
    url, source = install(pg_url, schema), build(tmp_path / "s.sqlite", rows)
    checked = ferry("check", source, url)
    assert (checked.status, find_codes(checked)[code]) == (4, True)
    done = ferry("migrate", source, url, "--accept", code)
    assert (done.status, done.report.verdict) == (0, "proven"), done


@pytest.mark.parametrize(
    ("schema", "rows"),
    [
        ("CREATE TABLE other (id integer)", "CREATE TABLE t (id INTEGER PRIMARY KEY)"),
        (
            "CREATE TABLE t (id integer)",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, NULL)",
        ),
    ],
    ids=["table without rows", "column of NULLs"],
)
def test_nothing_is_lost_with_what_holds_nothing(schema: str, rows: str, tmp_path: Path, pg_url: str) -> None:
    url, source = install(pg_url, schema), build(tmp_path / "s.sqlite", rows)
    checked = ferry("check", source, url)
    assert checked.status == 0
    assert {"target-table-missing", "target-column-missing"} & set(find_codes(checked))


def test_what_the_target_does_not_have_is_named(tmp_path: Path, pg_url: str) -> None:
    url = install(
        pg_url,
        """CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer, c integer);
        CREATE TABLE u (a integer, b integer NOT NULL DEFAULT 1 CHECK (b > 0), c text, CONSTRAINT kept CHECK (a > 0));
        CREATE UNIQUE INDEX other_name ON u (a); CREATE INDEX wider ON u (c, b); CREATE INDEX u_low ON u (lower(c))""",
    )
    source = build(
        tmp_path / "s.sqlite",
        """CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER UNIQUE, b INTEGER REFERENCES t,
            c INTEGER NOT NULL DEFAULT 5 CHECK (c > 1), CONSTRAINT named CHECK (a <> b));
        CREATE TABLE u (a INTEGER PRIMARY KEY, b INTEGER NOT NULL DEFAULT 1 CHECK (b > 0), c TEXT,
            CONSTRAINT kept CHECK (a > 0), CHECK (b < 9));
        CREATE INDEX t_b ON t (b DESC); CREATE UNIQUE INDEX t_bc ON t (b, c); CREATE INDEX t_part ON t (c) WHERE c > 5;
        CREATE INDEX u_c ON u (c); CREATE INDEX u_low ON u (lower(c));
        CREATE VIEW v AS SELECT 1; CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END""",
    )
    done = ferry("migrate", source, url)
    assert done.status == 0, done
    found = [f.message for f in done.report.findings if f.code == "target-object-missing"]
    assert sorted(message.removeprefix("the target has no counterpart of the source's ") for message in found) == [
        "CHECK (c > 1) of t", "CHECK constraints without a name: 1 of 2 of u", "CHECK named of t",
        "NOT NULL of c of t", "default of c of t", "foreign key (b) to t (id) of t", "index t_b (b) of t",
        "index t_part (c) of t", "trigger g of t", "unique index (b, c) of t", "unique key (a) of t", "view v",
    ]  # fmt: skip
    counted = {sort: getattr(done.report.objects, sort) for sort in ("unique", "checks", "indexes", "foreign_keys")}
    assert {sort: (c.source, c.target, c.left_out) for sort, c in counted.items()} == {
        "unique": (1, 0, 1), "checks": (5, 2, 3), "indexes": (5, 3, 3), "foreign_keys": (1, 0, 1),
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# What only the server knows

POINTED_AT = """CREATE TABLE t (id integer PRIMARY KEY, a integer); INSERT INTO t VALUES (9, 9);
CREATE TABLE other (t_id integer REFERENCES t); INSERT INTO other VALUES (9)"""
PARTED = """CREATE TABLE t (id integer, a integer) PARTITION BY RANGE (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (2)"""
NINE, FIFTY = HELD.format("INTEGER", "9"), HELD.format("INTEGER", "50")
REFUSED = [
    ("domain", ONE.format("small"), FIFTY, ("violates check constraint", "key id=1")),
    ("check", ONE.format("integer CHECK (a % 10 < 5)"), NINE, ("violates check constraint", "key id=1")),
    ("unique", ONE.format("integer") + "; CREATE UNIQUE INDEX ON t (abs(a))", TWO_FIVES, ("duplicate key", "key id=2")),
    (
        "partly unique",
        ONE.format("integer") + "; CREATE UNIQUE INDEX ON t (a) WHERE a > 1",
        TWO_FIVES,
        ("duplicate key", "key id=2"),
    ),
    ("another table's rows", POINTED_AT, NINE, ("foreign key", "t_id=9")),
    ("partition", PARTED, NINE, ("no partition", "id=2")),
]


@pytest.mark.parametrize(("schema", "rows", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_the_server_refuses_is_named_and_taken_back(
    schema: str, rows: str, words: tuple[str, ...], tmp_path: Path, pg_url: str
) -> None:
    url, source = install(pg_url, f"{TYPES_SQL}{schema}"), build(tmp_path / "s.sqlite", rows)
    before = read_holding(url)
    failed = ferry("migrate", source, url, "--replace-rows", "*", "--run-dir", tmp_path / "run")
    assert (failed.status, failed.report.verdict, failed.report.published) == (5, "failed", False), failed
    assert failed.report.failure is not None
    for word in words:
        assert word in failed.report.failure.what
    assert read_holding(url) == before
    assert not (tmp_path / "run" / "replaced").exists()


def test_a_unique_index_of_a_large_table(tmp_path: Path, pg_url: str) -> None:
    url = install(
        pg_url,
        "CREATE TABLE t (id integer PRIMARY KEY, a integer); CREATE UNIQUE INDEX t_a ON t (a) NULLS NOT DISTINCT",
    )
    rows = f"{NUMBERS} SELECT i, min(i, 19999) FROM n"
    source = build(tmp_path / "s.sqlite", f"CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); INSERT INTO t {rows}")
    before = read_holding(url)
    failed = ferry("migrate", source, url)
    assert failed.status == 5
    assert failed.report.failure is not None
    assert "a=19999" in failed.report.failure.what
    assert read_holding(url) == before


# ---------------------------------------------------------------------------------------------------------------------
# Rights


def test_another_roles_table(tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    execute(pg_admin_url, "CREATE TABLE public.t (id integer)", "GRANT ALL ON public.t TO PUBLIC")
    source = build(tmp_path / "s.sqlite", HELD.format("INTEGER", "1"))
    assert find_codes(ferry("check", source, pg_url))["target-not-owned"]


def test_another_roles_foreign_key(tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    url = install(pg_url, ONE.format("integer"))
    execute(pg_admin_url, "CREATE TABLE public.theirs (t_id integer REFERENCES public.t)")
    source = build(tmp_path / "s.sqlite", HELD.format("INTEGER", "1"))
    assert find_codes(ferry("check", source, url))["target-not-owned"]


def test_a_foreign_key_that_a_superuser_has_disabled(tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    url = install(pg_url, ONE.format("integer REFERENCES t"))
    execute(pg_admin_url, "ALTER TABLE public.t DISABLE TRIGGER ALL")
    source = build(tmp_path / "s.sqlite", HELD.format("INTEGER", "1"))
    assert find_codes(ferry("check", source, url))["target-unsuitable"]


def test_no_right_to_create_anything(tmp_path: Path, pg_url: str, pg_admin_url: str, pg_database: Database) -> None:
    url = install(pg_url)
    execute(
        pg_admin_url,
        f'ALTER DATABASE "{pg_database.name}" OWNER TO postgres',
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC, ferry",
    )
    source = build(tmp_path / "app.sqlite")
    done = ferry("migrate", source, url, "--replace-rows", "team", "--run-dir", tmp_path / "run")
    assert done.status == 0, done
    assert call_ferry("undo", tmp_path / "run", "--target", url, "--yes", "--quiet").status == 0


# ---------------------------------------------------------------------------------------------------------------------
# The command line, undo and verify


@pytest.mark.parametrize(
    ("options", "code", "status"),
    [
        (("--into", "existing"), "usage", 2),
        (("postgresql:///x", "--replace-rows", "t"), "usage", 2),
    ],
)
def test_contradictions(options: tuple[str, ...], code: str, status: int, tmp_path: Path) -> None:
    source = build(tmp_path / "s.sqlite", HELD.format("INTEGER", "1"))
    for command in ("check", "plan"):
        assert_error(call_ferry(command, source, *options, "--quiet"), code, status=status)


def test_no_such_schema_and_no_such_table(tmp_path: Path, pg_url: str) -> None:
    source = build(tmp_path / "s.sqlite", HELD.format("INTEGER", "1"))
    assert_error(ferry("check", source, pg_url, "--schema", "nowhere"), "target-missing", "nowhere")
    install(pg_url, ONE.format("integer"))
    assert_error(ferry("migrate", source, pg_url, "--replace-rows", "misspelt"), "usage", "misspelt", status=2)
    assert list_directory(tmp_path).keys() == {"s.sqlite"}


def test_a_dry_run_writes_nothing(tmp_path: Path, pg_url: str) -> None:
    source, url = build(tmp_path / "app.sqlite"), install(pg_url)
    before = read_holding(url)
    assert ferry("migrate", source, url, "--replace-rows", "team", "--dry-run").status == 0
    assert read_holding(url) == before
    assert list_directory(tmp_path).keys() == {"app.sqlite"}


def test_without_a_proof(tmp_path: Path, pg_url: str) -> None:
    source, url = build(tmp_path / "app.sqlite"), install(pg_url)
    before, run_dir = read_state(url), tmp_path / "run"
    done = ferry("migrate", source, url, "--replace-rows", "team", "--no-verify", "--run-dir", run_dir)
    assert (done.status, done.report.verdict, done.report.rows) == (3, "not proven", 8)
    execute(url, "UPDATE public.team SET name = name")
    assert_error(call_ferry("undo", run_dir, "--target", url, "--yes", "--quiet"), "undo-refused", "team")
    verified = call_ferry("verify", source, url, "--run-dir", run_dir, "--json", "--quiet")
    assert verified.report.verdict == "proven"
    again = ferry("migrate", source, url, "--replace-rows", "*", "--run-dir", tmp_path / "again")
    assert again.status == 0
    assert before["public.version"] == read_state(url)["public.version"]


CHANGES = [
    ("a row written", "INSERT INTO public.team (name) VALUES ('later')"),
    ("a value changed", "UPDATE public.person SET note = 'later' WHERE id = 1"),
    ("an index made", "CREATE INDEX later ON public.person (note)"),
    ("a trigger enabled", "ALTER TABLE public.person ENABLE TRIGGER t_off"),
    ("a comment", "COMMENT ON TABLE public.person IS 'later'"),
    ("a row that needs one of the run's", "INSERT INTO elsewhere.badge VALUES (7)"),
]


@pytest.mark.parametrize("change", [row[1] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_undo_is_refused_when_something_changed(change: str, tmp_path: Path, pg_url: str) -> None:
    source, url, run_dir = build(tmp_path / "app.sqlite"), install(pg_url), tmp_path / "run"
    assert ferry("migrate", source, url, "--replace-rows", "team", "--run-dir", run_dir).status == 0
    execute(url, change)
    changed = read_state(url)
    assert_error(call_ferry("undo", run_dir, "--target", url, "--yes", "--quiet"), "undo-refused")
    assert read_state(url) == changed


def test_undo_needs_the_replaced_rows(tmp_path: Path, pg_url: str) -> None:
    source, url, run_dir = build(tmp_path / "app.sqlite"), install(pg_url), tmp_path / "run"
    assert ferry("migrate", source, url, "--replace-rows", "team", "--run-dir", run_dir).status == 0
    (run_dir / "replaced" / "1.copy").write_text("")
    assert_error(call_ferry("undo", run_dir, "--target", url, "--yes", "--quiet"), "undo-refused", "1.copy")


def test_verify_finds_what_changed(tmp_path: Path, pg_url: str) -> None:
    source, url, run_dir = build(tmp_path / "app.sqlite"), install(pg_url), tmp_path / "run"
    assert ferry("migrate", source, url, "--replace-rows", "team", "--run-dir", run_dir).status == 0
    execute(url, "SELECT nextval('public.log_id_seq')")  # the application is in use
    assert call_ferry("verify", source, url, "--run-dir", run_dir, "--quiet").status == 0
    assert ferry("verify", source, url).status == 0
    execute(url, "UPDATE public.person SET note = 'later' WHERE id = 1", "DROP INDEX public.person_note",
            "ALTER SEQUENCE public.team_id_seq RESTART WITH 2")  # fmt: skip
    found = call_ferry("verify", source, url, "--run-dir", run_dir, "--json", "--quiet")
    assert (found.status, found.report.verdict) == (3, "mismatch")
    named = {(m.kind, m.column or m.object_name) for m in found.report.mismatches}
    assert {("value", "note"), ("object", "person_note"), ("object", "team_id_seq")} <= named


def test_only_and_exclude(tmp_path: Path, pg_url: str) -> None:
    source, url = build(tmp_path / "app.sqlite"), install(pg_url)
    done = ferry("migrate", source, url, "--exclude", "Team", "person", "event")
    assert (done.status, [table.name for table in done.report.tables]) == (0, ["version"])
