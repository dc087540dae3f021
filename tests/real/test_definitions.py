"""What the objects say is proven, too: a default, a condition, an index's order that somebody changed is named."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg
import pytest

import liteferry
from liteferry import MigrationError, Options
from liteferry.model import TargetCatalog, TargetColumn, TargetSequence, TargetTable, TargetView, from_json, to_json
from liteferry.planner import plan_migration
from liteferry.proof import compare_catalogs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import PostgresServer
    from liteferry import Report
    from liteferry.model import Plan

SOURCE_SQL = """
CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE t (
    id INTEGER PRIMARY KEY, b TEXT DEFAULT 'x', c INTEGER DEFAULT 5 CHECK (c > 0), d TEXT,
    g INTEGER GENERATED ALWAYS AS (c * 2) STORED, pid INTEGER REFERENCES p (id) ON DELETE CASCADE
);
CREATE INDEX ti ON t (lower(d));
CREATE INDEX tp ON t (b) WHERE c > 3;
CREATE UNIQUE INDEX tu ON t (b, c);
CREATE VIEW v AS SELECT id, b FROM t WHERE c > 1;
CREATE VIEW w AS SELECT v.id, p.code FROM v JOIN p ON p.id = v.id;
INSERT INTO p VALUES (1, 'a'), (2, 'b');
INSERT INTO t (b, c, d, pid) VALUES ('q', 4, 'Z', 1), ('r', 2, 'Y', 2);
"""

CHECK_ANEW = "ALTER TABLE t DROP CONSTRAINT t_c_check, ADD CONSTRAINT t_c_check CHECK"
CODE_ANEW = "ALTER TABLE p DROP CONSTRAINT p_code_key, ADD CONSTRAINT p_code_key UNIQUE"
KEY_ANEW = "ALTER TABLE t DROP CONSTRAINT t_pid_fkey, ADD CONSTRAINT t_pid_fkey FOREIGN KEY (pid) REFERENCES"
PARENT = "CREATE SCHEMA o; CREATE TABLE o.p (id bigint PRIMARY KEY); INSERT INTO o.p VALUES (1), (2)"

# what somebody does; the sort and name of the object that must be named; words of the message; from which version on
PLANTED: list[tuple[str, str, str, str, int]] = [
    ("ALTER TABLE t ALTER b SET DEFAULT 'WRONG'", "column", "b", "default 'WRONG'", 13),
    ("ALTER TABLE t ALTER id SET GENERATED ALWAYS", "column", "id", "identity always", 13),
    ('ALTER TABLE t ALTER d TYPE text COLLATE "POSIX"', "column", "d", "POSIX", 13),
    ("ALTER TABLE t ALTER g SET EXPRESSION AS (c * 3)", "column", "g", "(c * 3)", 17),
    (
        "ALTER TABLE t ALTER id DROP IDENTITY; CREATE SEQUENCE t_id_seq OWNED BY t.id; SELECT setval('t_id_seq', 99)",
        "column",
        "id",
        "identity none",
        13,
    ),
    ("ALTER SEQUENCE t_id_seq INCREMENT BY 1000000", "sequence", "t_id_seq", "INCREMENT BY 1000000", 13),
    ("ALTER SEQUENCE t_id_seq MAXVALUE 3", "sequence", "t_id_seq", "MAXVALUE 3", 13),
    ("ALTER SEQUENCE t_id_seq CYCLE", "sequence", "t_id_seq", "CYCLE", 13),
    ("ALTER SEQUENCE t_id_seq AS integer", "sequence", "t_id_seq", "AS integer", 13),
    (f"{CHECK_ANEW} (c > -1000)", "check", "t_c_check", "-1000", 13),
    (f"{CHECK_ANEW} (c > 0) NO INHERIT", "check", "t_c_check", "NO INHERIT", 13),
    (f"{CHECK_ANEW} (c > 0) NOT ENFORCED", "check", "t_c_check", "not valid", 18),
    (f"{CODE_ANEW} NULLS NOT DISTINCT (code)", "unique", "p_code_key", "NULLS NOT DISTINCT", 15),
    (f"{CODE_ANEW} (code) INCLUDE (id)", "unique", "p_code_key", "INCLUDE (id)", 13),
    (f"{CODE_ANEW} (code) DEFERRABLE", "unique", "p_code_key", "deferrable", 13),
    (f"{KEY_ANEW} p (id) MATCH FULL ON DELETE CASCADE", "foreign_key", "t_pid_fkey", "MATCH FULL", 13),
    (f"{PARENT}; {KEY_ANEW} o.p (id) ON DELETE CASCADE", "foreign_key", "t_pid_fkey", "o.p", 13),
    ("ALTER TABLE t ALTER CONSTRAINT t_pid_fkey NOT ENFORCED", "foreign_key", "t_pid_fkey", "not valid", 18),
    ("DROP INDEX ti; CREATE INDEX ti ON t (upper(d))", "index", "ti", "upper(d)", 13),
    ("DROP INDEX tp; CREATE INDEX tp ON t (b) WHERE c < 3", "index", "tp", "c < 3", 13),
    ("DROP INDEX tp; CREATE INDEX tp ON t USING hash (b) WHERE c > 3", "index", "tp", "hash", 13),
    ("DROP INDEX tp; CREATE INDEX tp ON t (b text_pattern_ops) WHERE c > 3", "index", "tp", "text_pattern_ops", 13),
    ("DROP INDEX tu; CREATE UNIQUE INDEX tu ON t (b NULLS FIRST, c)", "index", "tu", "NULLS FIRST", 13),
    ("DROP INDEX tu; CREATE UNIQUE INDEX tu ON t (b, c) INCLUDE (d)", "index", "tu", "INCLUDE (d)", 13),
    ('DROP INDEX tu; CREATE UNIQUE INDEX tu ON t (b COLLATE "POSIX", c)', "index", "tu", "POSIX", 13),
    ("CREATE OR REPLACE VIEW v AS SELECT id, b FROM t WHERE c > 100", "view", "v", "c > 100", 13),
    ("CREATE OR REPLACE VIEW w AS SELECT v.id, p.code FROM v JOIN p ON true", "view", "w", "ON (true)", 13),
    ("ALTER VIEW v SET (security_barrier = true)", "other", "option security_barrier=true", "on v", 13),
    ("CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING", "other", "rule r", "on t", 13),
    ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "other", "row level security", "on t", 13),
    ("ALTER TABLE t FORCE ROW LEVEL SECURITY", "other", "row level security, forced on the owner too", "on t", 13),
    ("CREATE POLICY y ON t USING (false)", "other", "policy y", "on t", 13),
    ("ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING btree (d WITH =)", "other", "exclusion constraint x", "on t", 13),
    ("ALTER TABLE t SET UNLOGGED", "other", "unlogged", "on t", 13),
    ("ALTER TABLE p REPLICA IDENTITY FULL", "other", "replica identity full", "on p", 13),
    ("CREATE SCHEMA o; CREATE TABLE o.child () INHERITS (public.t)", "other", "inherited by o.child", "on t", 13),
    (
        "CREATE TRIGGER s BEFORE INSERT ON t EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "other",
        "trigger s",
        "on t",
        13,
    ),
    (
        "ALTER TABLE p ALTER code DROP NOT NULL; ALTER TABLE p ADD CONSTRAINT nn NOT NULL code NOT VALID",
        "other",
        "constraint nn",
        "on p",
        18,
    ),
]
BY_THE_ADMIN = ("ALTER TABLE t DISABLE TRIGGER ALL", "trigger of constraint t_pid_fkey, disabled")


@dataclass(frozen=True)
class Moved:
    """A migrated database that serves as a template, and its run."""

    source: Path
    run_dir: Path
    template: str


@dataclass(frozen=True)
class Copy:
    """A database made from it."""

    moved: Moved
    name: str
    url: str
    admin_url: str

    def plant(self, sql: str, url: str = "") -> None:
        with psycopg.connect(url or self.url, autocommit=True) as target:
            target.execute("SET search_path = public")
            for statement in sql.split("; "):
                target.execute(statement.encode())

    def verify(self, *, by_run: bool, url: str = "", accept: tuple[str, ...] = ()) -> Report:
        run_dir = str(self.moved.run_dir) if by_run else None
        return liteferry.verify(str(self.moved.source), url or self.url, Options(run_dir=run_dir, accept=accept))


def write_source(path: Path, sql: str = SOURCE_SQL) -> Path:
    with closing(sqlite3.connect(path)) as source:
        source.executescript(sql)
    return path


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory, pg_server: PostgresServer) -> Iterator[Moved]:
    directory = tmp_path_factory.mktemp("moved")
    source, database = write_source(directory / "source.sqlite"), pg_server.create_database()
    report = liteferry.migrate(str(source), database.url, Options(run_dir=str(directory / "run")))
    assert (report.verdict, report.mismatches) == ("proven", ())
    yield Moved(source, directory / "run", database.name)
    pg_server.drop_database(database.name)


NUMBERS = itertools.count()


@pytest.fixture
def copy(moved: Moved, pg_server: PostgresServer) -> Iterator[Copy]:
    name = f"copy_{next(NUMBERS)}"
    with psycopg.connect(pg_server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {moved.template} OWNER ferry".encode())
    yield Copy(moved, name, pg_server.url(name, "ferry"), pg_server.url(name))
    pg_server.drop_database(name)


BOTH_WAYS = (True, False)  # held against what was published, and against what the plan's SQL makes


@pytest.mark.parametrize(("sql", "kind", "name", "says", "since"), PLANTED, ids=[case[0][:60] for case in PLANTED])
def test_each_change_is_named(
    copy: Copy, pg_server: PostgresServer, sql: str, kind: str, name: str, says: str, since: int
) -> None:
    if pg_server.version < since:
        pytest.skip(f"PostgreSQL {pg_server.version} has no such thing")
    copy.plant(sql)
    for by_run in BOTH_WAYS:
        report = copy.verify(by_run=by_run)
        assert (report.verdict, report.exit_status) == ("mismatch", 3)
        (found,) = (found for found in report.mismatches if found.kind == "object")
        assert (found.object_kind, found.object_name) == (kind, name)
        assert says in found.message


def test_disabled_triggers_of_foreign_keys_are_named(copy: Copy) -> None:
    sql, name = BY_THE_ADMIN
    copy.plant(sql, copy.admin_url)
    for by_run in BOTH_WAYS:
        assert [found.object_name for found in copy.verify(by_run=by_run).mismatches] == [name]


def test_what_does_not_change_the_objects_is_no_mismatch(copy: Copy) -> None:
    copy.plant("ANALYZE; COMMENT ON TABLE t IS 'ours'; SELECT nextval('t_id_seq'); CREATE SCHEMA more")
    copy.plant(f"ALTER DATABASE {copy.name} SET quote_all_identifiers = on", copy.admin_url)
    for by_run in BOTH_WAYS:
        report = copy.verify(by_run=by_run)
        assert (report.verdict, report.mismatches) == ("proven", ())
        assert "definitions-not-compared" not in {finding.code for finding in report.findings}


@pytest.mark.parametrize("schema", ["public", 'Our "own" Schema', "t"])
def test_it_stays_proven_on_every_version(tmp_path: Path, pg_url_all: str, schema: str) -> None:
    source = str(write_source(tmp_path / "source.sqlite"))
    report = liteferry.migrate(source, pg_url_all, Options(run_dir=str(tmp_path / "run"), schema=schema))
    assert report.verdict == "proven"
    for run_dir in (str(tmp_path / "run"), None):
        report = liteferry.verify(source, pg_url_all, Options(run_dir=run_dir, schema=schema))
        assert (report.verdict, report.mismatches) == ("proven", ())
        assert "definitions-not-compared" not in {finding.code for finding in report.findings}
    with psycopg.connect(pg_url_all) as target:
        rows = target.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'liteferry%'").fetchall()
    assert rows == []


def test_a_role_that_may_make_no_schema_is_told_what_was_not_compared(copy: Copy) -> None:
    with psycopg.connect(copy.admin_url, autocommit=True) as admin:
        admin.execute("DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
        admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        admin.execute("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader")
    url = copy.url.replace("ferry@", "reader@")
    copy.plant("ALTER TABLE t ALTER b SET DEFAULT 'WRONG'")
    report = copy.verify(by_run=False, url=url)
    assert report.verdict == "proven"
    assert [finding.code for finding in report.findings] == ["definitions-not-compared"]
    assert copy.verify(by_run=True, url=url).verdict == "mismatch"


def test_a_published_catalogue_of_another_version_is_not_the_measure(copy: Copy) -> None:
    """Another version may render the same definition otherwise: then the plan's SQL is run here."""
    path = copy.moved.run_dir / "published.json"
    text = path.read_text()
    published = from_json(TargetCatalog, text)
    other = replace(published, version_num=140_000, views=())
    path.write_text(to_json(other))
    try:
        assert copy.verify(by_run=True).verdict == "proven"
        path.write_text(to_json(replace(published, views=())))
        assert [found.object_name for found in copy.verify(by_run=True).mismatches] == ["v", "w"]
    finally:
        path.write_text(text)


# ---------------------------------------------------------------------------------------------------------------------
# A source that has changed since the plan was made

CHANGED = [
    ("CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END", "trigger tr"),
    ("CREATE TRIGGER tr INSTEAD OF INSERT ON v BEGIN SELECT 1; END", "trigger tr"),
    ("CREATE VIRTUAL TABLE ff USING fts5 (z)", "virtual table ff"),
    ("ALTER TABLE p ADD COLUMN n TEXT COLLATE NOCASE", "collation NOCASE of column n"),
    ("DROP INDEX tu; CREATE UNIQUE INDEX tu ON t (b COLLATE NOCASE, c)", "collation of index tu"),
    ("DROP INDEX tu; CREATE UNIQUE INDEX tu ON t (c, b)", "tu"),
    ("DROP INDEX tp; CREATE INDEX tp ON t (b) WHERE c > 4", "tp"),
    ("DROP INDEX ti; CREATE INDEX ti ON t (upper(d))", "ti"),
    ("DROP VIEW v; CREATE VIEW v AS SELECT id, b FROM t WHERE c > 2", "v"),
]


@pytest.mark.parametrize(("sql", "name"), CHANGED, ids=[case[0][:60] for case in CHANGED])
def test_what_the_source_has_otherwise_since(copy: Copy, tmp_path: Path, sql: str, name: str) -> None:
    source = write_source(tmp_path / "source.sqlite", f"{SOURCE_SQL}; {sql}")
    moved = replace(copy.moved, source=source)
    report = replace(copy, moved=moved).verify(by_run=True)
    assert (report.verdict, report.exit_status) == ("mismatch", 3)
    assert name in {found.object_name for found in report.mismatches}


def test_what_the_source_declares_in_other_words_since(copy: Copy, tmp_path: Path) -> None:
    source = write_source(tmp_path / "source.sqlite", SOURCE_SQL.replace("DEFAULT 'x'", "DEFAULT 'y'"))
    report = replace(copy, moved=replace(copy.moved, source=source)).verify(by_run=True)
    (found,) = report.mismatches
    assert (found.object_kind, found.object_name) == ("table", "t")
    assert "another statement than when the plan was made" in found.message


# ---------------------------------------------------------------------------------------------------------------------
# The comparison alone


def make_catalog(schema: str, view: str, default: str = "5") -> TargetCatalog:
    column = TargetColumn(name="id", pg_type="bigint", not_null=True, default_sql=default)
    sequence = TargetSequence(name="s", column="id", next_value=1)
    return TargetCatalog(
        schema=schema,
        exists=True,
        tables=(TargetTable(name="t", oid=1, columns=(column,), sequences=(sequence,)),),
        views=(TargetView(name="v", oid=2, definition_sql=view),),
    )


SAME = [
    ("SELECT t.id FROM old.t", "SELECT t.id FROM new.t", "new"),
    ("SELECT t.id FROM old.t", 'SELECT t.id FROM "New ""one""".t', 'New "one"'),
    ("SELECT t.id FROM old.t", 'SELECT t.id FROM "user".t', "user"),
    ("SELECT new.id FROM old.new", "SELECT new.id FROM new.new", "new"),  # a table that is called like the schema
    ("SELECT nextval('old.s'::regclass)", "SELECT nextval('new.s'::regclass)", "new"),
    ("SELECT 'old.s'::text", "SELECT 'old.s'::text", "new"),
    ("SELECT t.old, ' ''old.' FROM old.t", "SELECT t.old, ' ''old.' FROM new.t", "new"),
]
DIFFERENT = [
    ("SELECT 'old.s'::text", "SELECT 'new.s'::text", "new"),
    ("SELECT t.old FROM old.t", "SELECT t.new FROM new.t", "new"),
    ("SELECT t.id FROM old.t", "SELECT t.id FROM other.t", "new"),
    ("SELECT t.id FROM old.t", "SELECT t.id FROM t", "new"),
]


@pytest.mark.parametrize(("expected", "found", "schema"), SAME)
def test_the_schemas_name_is_no_difference(expected: str, found: str, schema: str) -> None:
    assert compare_catalogs(make_catalog("old", expected), make_catalog(schema, found)) == ()


@pytest.mark.parametrize(("expected", "found", "schema"), DIFFERENT)
def test_a_text_that_looks_like_it_is_one(expected: str, found: str, schema: str) -> None:
    (mismatch,) = compare_catalogs(make_catalog("old", expected), make_catalog(schema, found))
    assert (mismatch.object_kind, mismatch.object_name) == ("view", "v")


def test_identifiers_and_next_values_are_no_difference() -> None:
    one = make_catalog("s", "SELECT 1")
    (table,) = one.tables
    sequences = (replace(table.sequences[0], next_value=99),)
    assert compare_catalogs(one, replace(one, tables=(replace(table, oid=77, sequences=sequences),))) == ()


def test_the_order_of_columns_is_one() -> None:
    one = make_catalog("s", "SELECT 1")
    (table,) = one.tables
    columns = (*table.columns, replace(table.columns[0], name="b"))
    there, other = (replace(one, tables=(replace(table, columns=ordered),)) for ordered in (columns, columns[::-1]))
    (mismatch,) = compare_catalogs(there, other)
    assert (mismatch.object_kind, mismatch.source, mismatch.target) == ("table", "columns (id, b)", "columns (b, id)")


def test_another_source_is_refused(copy: Copy, tmp_path: Path) -> None:
    for sql, says in (("CREATE TABLE u (i INT)", "no table p"), ("CREATE TABLE p (id INT)", "no column p.code")):
        source = write_source(tmp_path / f"{says}.sqlite", sql)
        with pytest.raises(MigrationError, match=f"has {says}, which the plan") as caught:
            replace(copy, moved=replace(copy.moved, source=source)).verify(by_run=True)
        assert caught.value.code == "run-dir"


def test_without_a_proof_of_values_wrong_objects_are_not_published(
    tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--no-verify leaves out the comparison of values, not that of objects."""

    def forget(plan: Plan) -> Plan:
        return replace(plan, steps=tuple(step for step in plan.steps if step.id != "post-data/index/tu"))

    monkeypatch.setattr(
        "liteferry.planner.plan_migration", lambda *given, **named: forget(plan_migration(*given, **named))
    )
    source = str(write_source(tmp_path / "source.sqlite"))
    report = liteferry.migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), verify=False))
    assert (report.verdict, report.exit_status, report.published) == ("mismatch", 3, False)
    assert [(found.object_kind, found.object_name) for found in report.mismatches] == [("index", "tu")]
    with psycopg.connect(pg_url) as target:
        assert target.execute("SELECT relname FROM pg_class WHERE relname = 'tu' OR relname = 't'").fetchall() == []
