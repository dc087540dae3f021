"""Wrong translations, planted into the rules: each is noticed at run time, whatever object it is in.

What sample values show is refused before anything is touched, and named like what cannot be translated at all. What
only the rows show ends the run with a mismatch that says how to do without the object.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from harness import has_schema, list_relations, read_everything
from liteferry import Options, check, migrate, verify
from liteferry.expressions import functions, patterns, scalar, translate_default, translate_predicate
from liteferry.expressions.data import Translation
from liteferry.planner import checks, indexes, tables
from liteferry.proof import behaviour, views

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liteferry import Event, Report
    from liteferry.expressions.terms import Term
    from liteferry.model import Finding, Mismatch

STAGING = "liteferry_staging_public"

TABLE_SQL = """
CREATE TABLE item (
    id INTEGER PRIMARY KEY, name TEXT, price REAL, size INTEGER, code VARCHAR(20),
    whole INTEGER AS (CAST(price AS INTEGER)),
    kind TEXT DEFAULT (lower('ABC')),
    made TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    token TEXT DEFAULT (lower(hex(randomblob(16)))),
    day DATE,
    CONSTRAINT named CHECK (name LIKE 'a%'),
    CONSTRAINT sized CHECK (size / 2 > -4)
);
CREATE INDEX item_tail ON item (substr(name, -3));
CREATE INDEX item_folded ON item (lower(code));
CREATE INDEX item_cheap ON item (id) WHERE CAST(price AS INTEGER) > 3;
"""
ROWS = [
    (1, "apple", 3.9, 10, "Q"),
    (2, "Avocado", -3.9, 7, None),
    (3, "ab", 2.5, None, "ÄÖ"),
    (4, None, None, -7, "q"),
]


def make_source(path: Path, more_sql: str = "", *, rows: bool = True) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(TABLE_SQL + more_sql)
        if rows:
            db.executemany("INSERT INTO item (id, name, price, size, code) VALUES (?, ?, ?, ?, ?)", ROWS)
        db.commit()
    return path


@dataclass(frozen=True)
class Fault:
    """A rule that is wrong: where it is, how its result is changed, and what it spoils."""

    plant: Callable[[pytest.MonkeyPatch], None]
    spoils: frozenset[str]


def spoil_function(name: str, pattern: str, wrong: str) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        rule = functions.FUNCTIONS[name]

        def translate(arguments: object) -> Term:
            term = rule.translate(arguments)  # type: ignore[arg-type]  # as it was called
            assert re.search(pattern, term.sql)
            return replace(term, sql=re.sub(pattern, wrong, term.sql, count=1), atom=False)

        monkeypatch.setitem(functions.FUNCTIONS, name, replace(rule, translate=translate))

    return plant


def spoil_cast(monkeypatch: pytest.MonkeyPatch) -> None:
    right = scalar._CASTS["INTEGER"]

    def cast(term: Term) -> Term:
        made = right(term)
        assert "trunc" in made.sql
        return replace(made, sql=made.sql.replace("trunc", "round"))

    monkeypatch.setitem(scalar._CASTS, "INTEGER", cast)


def spoil_like(monkeypatch: pytest.MonkeyPatch) -> None:
    right = patterns.translate_like

    def translate(operand: Term, pattern: Term, escape: Term | None, *, negated: bool) -> Term:
        made = right(operand, pattern, escape, negated=negated)
        return replace(made, sql=f"{operand.operand} LIKE {pattern.operand}")

    monkeypatch.setattr(scalar, "translate_like", translate)


def spoil_division(monkeypatch: pytest.MonkeyPatch) -> None:
    right = scalar._integer_arithmetic

    def divide(operator: str, left: Term, other: Term) -> Term:
        made = right(operator, left, other)
        return replace(made, sql=f"floor({left.operand}::numeric / {other.operand})::bigint", atom=True)

    monkeypatch.setattr(scalar, "_integer_arithmetic", divide)


def spoil_default(pattern: str, wrong: str) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        def spoilt(sql: str, column: object) -> Translation:
            made = translate_default(sql, column)  # type: ignore[arg-type]  # as it was called
            return replace(made, sql=re.sub(pattern, wrong, made.sql, count=1))

        monkeypatch.setattr(tables, "translate_default", spoilt)

    return plant


FAULTS: dict[str, Fault] = {
    "cast rounds": Fault(
        spoil_cast, frozenset({"generated-untranslatable:item.whole", "index-untranslatable:item.item_cheap"})
    ),
    "substr is off by one": Fault(
        spoil_function("substr", r", 3\)", ", 4)"), frozenset({"index-untranslatable:item.item_tail"})
    ),
    "lower folds more than A to Z": Fault(
        spoil_function("lower", "(.*)", r"translate(\1, 'À', 'à')"),
        frozenset({"index-untranslatable:item.item_folded"}),
    ),
    "LIKE does not fold": Fault(spoil_like, frozenset({"check-untranslatable:item.named"})),
    "division rounds down": Fault(spoil_division, frozenset({"check-untranslatable:item.sized"})),
    "a constant default": Fault(spoil_default("'ABC'", "'ABD'"), frozenset({"default-untranslatable:item.kind"})),
    "a default that tells the time": Fault(
        spoil_default(r"statement_timestamp\(\)", "(statement_timestamp() - interval '2 hours')"),
        frozenset({"default-untranslatable:item.made"}),
    ),
    "a random default of another length": Fault(
        spoil_default("from 1 for 16", "from 1 for 17"), frozenset({"default-untranslatable:item.token"})
    ),
    "a random default in capitals": Fault(
        spoil_default(r"(.*encode.*)", r"upper(\1)"), frozenset({"default-untranslatable:item.token"})
    ),
}


def list_disagreements(findings: tuple[Finding, ...]) -> set[str]:
    return {f"{found.code}:{found.place}" for found in findings if "the two engines disagree" in found.message}


def test_right_translations_pass(tmp_path: Path, pg_url: str) -> None:
    """The guard's guard: what finds the faults below finds none where there is none."""
    report = migrate(make_source(tmp_path / "a.sqlite"), pg_url, Options(run_dir=str(tmp_path / "run")))
    assert (report.verdict, report.exit_status, report.findings) == ("proven", 0, ())
    assert report.objects.checks.target == 2
    assert verify(tmp_path / "a.sqlite", pg_url).verdict == "proven"


@pytest.mark.parametrize("rows", ["with rows", "empty"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_rule_is_refused_before_anything_is_touched(
    rows: str, name: str, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(tmp_path / "a.sqlite", rows=rows != "empty")
    FAULTS[name].plant(monkeypatch)
    before = read_everything(pg_admin_url)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")))
    assert (report.verdict, report.exit_status) == ("blocked", 4)
    assert list_disagreements(report.findings) == FAULTS[name].spoils
    assert list_disagreements(check(source, pg_url).findings) == FAULTS[name].spoils
    assert read_everything(pg_admin_url) == before
    codes = {place.partition(":")[0] for place in FAULTS[name].spoils}
    accepted = migrate(source, pg_url, Options(run_dir=str(tmp_path / "again"), accept=tuple(codes)))
    assert accepted.verdict == "proven"
    assert verify(source, pg_url).verdict == "proven"


# ---------------------------------------------------------------------------------------------------------------------
# What only the rows show


@pytest.fixture
def unprobed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sample values are not tried out, so that the rows have to show what is wrong."""
    monkeypatch.setattr("liteferry.proof.probe_translations", lambda *_: {})


def prove_wrong(
    source: Path, url: str, admin_url: str, *, values: bool = False, accept: tuple[str, ...] = ()
) -> tuple[Mismatch, ...]:
    before = read_everything(admin_url)
    run_dir = source.parent / "wrong"
    report = migrate(source, url, Options(run_dir=str(run_dir), show_values=values, accept=accept))
    assert (report.verdict, report.exit_status, report.published) == ("mismatch", 3, False), report.failure
    assert read_everything(admin_url) == before
    assert not has_schema(admin_url, STAGING)
    assert report.mismatch_count == len(report.mismatches)
    return report.mismatches


def find_one(mismatches: tuple[Mismatch, ...], kind: str, name: str) -> Mismatch:
    (found,) = mismatches
    assert (found.kind, found.object_kind, found.object_name) == ("object", kind, name)
    return found


@pytest.mark.usefixtures("unprobed")
def test_rows_show_a_wrong_key(tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS["substr is off by one"].plant(monkeypatch)
    source = make_source(tmp_path / "a.sqlite")
    found = find_one(prove_wrong(source, pg_url, pg_admin_url), "index", "item_tail")
    assert (found.table, found.key) == ("item", "id=1")
    assert "apple" not in str(found)
    (place,) = re.findall(r"--accept '(.*)'", found.message)
    assert place == "index-untranslatable:item.item_tail"
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"), accept=(place,)))
    assert report.verdict == "proven"
    assert [(item.code, item.name, item.accepted) for item in report.findings] == [
        ("index-untranslatable", "item_tail", True)
    ]
    assert verify(source, pg_url, Options(accept=(place,))).verdict == "proven"


@pytest.mark.usefixtures("unprobed")
def test_rows_show_a_wrong_condition(
    tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(sql: str, columns: object) -> Translation:
        made = translate_predicate(sql, columns)  # type: ignore[arg-type]  # as it was called
        return replace(made, sql=f"coalesce({made.sql}, TRUE)")

    monkeypatch.setattr(indexes, "translate_predicate", spoilt)
    found = find_one(prove_wrong(make_source(tmp_path / "a.sqlite"), pg_url, pg_admin_url), "index", "item_cheap")
    assert (found.key, found.source, found.target) == ("id=4", "NULL", "true")


@pytest.mark.usefixtures("unprobed")
def test_rows_show_a_check_that_is_too_weak(
    tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the rows do not keep what SQLite's own check says: it was added later, or switched off."""
    source = make_source(
        tmp_path / "a.sqlite", "PRAGMA ignore_check_constraints = ON; INSERT INTO item (id, name) VALUES (9, 'zebra');"
    )

    def translate(operand: Term, pattern: Term, escape: Term | None, *, negated: bool) -> Term:
        made = patterns.translate_like(operand, pattern, escape, negated=negated)
        return replace(made, sql=f"CASE WHEN ({made.sql}) IS NULL THEN NULL ELSE TRUE END")

    monkeypatch.setattr(scalar, "translate_like", translate)
    found = find_one(prove_wrong(source, pg_url, pg_admin_url, accept=("check-broken",)), "check", "named")
    assert (found.key, found.source, found.target) == ("id=9", "false", "true")


@pytest.mark.usefixtures("unprobed")
@pytest.mark.parametrize("place", [1, 500, 1000])
def test_a_large_table_is_compared_at_both_ends(
    place: int, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies between is beyond the bound: said so in the docs."""
    source = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(source)) as db:
        db.execute("CREATE TABLE large (a TEXT, b INTEGER, name TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID")
        db.executemany("INSERT INTO large VALUES (?, ?, 'ab')", [(f"k{at:04}", at) for at in range(1, 1001)])
        db.execute("UPDATE large SET name = 'abcdef' WHERE b = ?", [place])
        db.execute("CREATE INDEX tail ON large (substr(name, -3))")
        db.commit()
    FAULTS["substr is off by one"].plant(monkeypatch)
    monkeypatch.setattr(behaviour, "WHOLE_ROWS", 100)
    if place == 500:
        assert migrate(source, pg_url, Options(run_dir=str(tmp_path / "run"))).verdict == "proven"
    else:
        found = find_one(prove_wrong(source, pg_url, pg_admin_url), "index", "tail")
        assert found.key == f"a='k{place:04}', b={place}"


def test_rows_that_both_engines_order_otherwise_are_not_said_to_be_compared(
    tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite puts capitals first; a UUID's own order knows none: no row of either end is at that end of the other."""
    source = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(source)) as db:
        db.execute(
            "CREATE TABLE large (id UUID PRIMARY KEY, n INTEGER, CONSTRAINT small CHECK (n < 100)) WITHOUT ROWID"
        )
        keys = [f"{letter * 30}{number:02}" for number in range(20) for letter in "Fa"]
        db.executemany("INSERT INTO large VALUES (?, 1)", [(key,) for key in keys])
        db.commit()
    monkeypatch.setattr(behaviour, "WHOLE_ROWS", 10)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")))
    assert report.verdict == "proven"
    (found,) = [found for found in report.findings if found.code == "expression-not-compared"]
    assert found.place == "large.small"
    assert "other orders" in found.message


@pytest.mark.usefixtures("unprobed")
def test_a_table_without_a_key_is_compared_as_a_whole(
    tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(source)) as db:
        db.executescript(
            "CREATE TABLE bag (name TEXT); INSERT INTO bag VALUES ('ab'), ('abcd'), ('ab'), (NULL);"
            "CREATE INDEX tail ON bag (substr(name, -3));"
        )
    report = migrate(source, pg_url, Options(schema="right", run_dir=str(tmp_path / "run")))
    assert report.verdict == "proven"
    FAULTS["substr is off by one"].plant(monkeypatch)
    monkeypatch.setattr(behaviour, "WHOLE_ROWS", 1)
    find_one(prove_wrong(source, pg_url, pg_admin_url), "index", "tail")


AMBIGUOUS: Final = {
    "equal in the target's types": "'1', 'ab'), (x'31', 'abcd'), ('2', 'abc'",
    "NULL": "NULL, 'ab'), (NULL, 'abcd'), ('2', 'abc'",
}


@pytest.mark.usefixtures("unprobed")
@pytest.mark.parametrize("rows", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_key_that_does_not_name_one_row_is_not_used_to_pair_them(
    rows: str, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a key is left out; its rows were held against each other all the same, each against any."""
    source = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(source)) as db:
        db.executescript(
            f"CREATE TABLE bag (code TEXT PRIMARY KEY, name TEXT); INSERT INTO bag VALUES ({rows});"
            "CREATE INDEX tail ON bag (substr(name, -3)); CREATE INDEX long ON bag (name) WHERE length(name) > 2;"
        )
    options = Options(schema="right", accept=("all",), run_dir=str(tmp_path / "run"))
    report = migrate(source, pg_url, options)
    assert report.verdict == "proven", report.mismatches
    assert not [found for found in report.findings if found.code == "expression-not-compared"]
    FAULTS["substr is off by one"].plant(monkeypatch)
    find_one(prove_wrong(source, pg_url, pg_admin_url, accept=("all",)), "index", "tail")


def test_what_takes_too_long_is_named(tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviour, "TABLE_S", 0.0)
    report = migrate(make_source(tmp_path / "a.sqlite"), pg_url, Options(run_dir=str(tmp_path / "run")))
    assert report.verdict == "proven"
    places = sorted(found.place for found in report.findings if found.code == "expression-not-compared")
    assert places == ["item.item_cheap", "item.item_folded", "item.item_tail", "item.named", "item.sized"]


# ---------------------------------------------------------------------------------------------------------------------
# Views


VIEWS_SQL = """
CREATE VIEW short AS SELECT id, substr(name, 1, 2) AS word FROM item;
CREATE VIEW mean AS SELECT size % 2 AS odd, avg(price) AS price FROM item GROUP BY 1;
CREATE VIEW top AS SELECT name FROM item ORDER BY size % 2 LIMIT 2;
CREATE VIEW fresh AS SELECT id FROM item WHERE made < datetime('now');
CREATE VIEW above_fresh AS SELECT id FROM fresh;
"""
ENDLESS_SQL = """
CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n;
CREATE VIEW busy AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS x FROM n;
CREATE VIEW overflow AS SELECT sum(id + 9223372036854775000) AS x FROM item;
"""


@dataclass
class Planter:
    """Changes staging as soon as the proof begins."""

    admin_url: str
    sql: str

    def __call__(self, event: Event) -> None:
        if (event.kind, event.phase) == ("phase-start", "proof"):
            with psycopg.connect(self.admin_url, autocommit=True) as connection:
                connection.execute(f"SET search_path = {STAGING}".encode())
                connection.execute(self.sql.encode())


def replace_view(name: str, right: str, wrong: str) -> str:
    """SQL that changes a view's definition as PostgreSQL has it."""
    return f"""DO $do$ DECLARE old text := pg_get_viewdef('{STAGING}.{name}'::regclass); BEGIN
        ASSERT old ~ $re${right}$re$, old;
        EXECUTE 'CREATE OR REPLACE VIEW {name} AS ' || regexp_replace(old, $re${right}$re$, $new${wrong}$new$, 'g');
        END $do$"""


VIEW_FAULTS = {
    "another value": (replace_view("short", r"1, 2\)", "1, 3)"), "short", "id=1"),
    "a row too few": (replace_view("short", r";\s*$", " WHERE id <> 2"), "short", "id=2"),
    "an error": (replace_view("short", r"id,", "id / (id - 1) AS id,"), "short", None),
    "a sum": (replace_view("mean", r"avg\((.*?)\) AS", r"avg(\1) * 1.000001::float8 AS"), "mean", None),
    "a group": (replace_view("mean", r"% '2'", "% '3'"), "mean", "odd="),
    "too many of a LIMIT": (replace_view("top", r"LIMIT 2", "LIMIT 3"), "top", None),
}


@pytest.mark.parametrize("name", VIEW_FAULTS)
def test_a_view_that_shows_something_else(name: str, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    sql, view, key = VIEW_FAULTS[name]
    source = make_source(tmp_path / "a.sqlite", VIEWS_SQL)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")), Planter(pg_admin_url, sql))
    assert (report.verdict, report.exit_status, report.published) == ("mismatch", 3, False), report.failure
    assert not has_schema(pg_admin_url, STAGING)
    found = find_one(report.mismatches, "view", view)
    assert found.key is None or key is None or found.key.startswith(key)
    assert "av" not in f"{found.source}{found.target}{found.key}".lower(), "values are shown only where asked for"
    (place,) = re.findall(r"--accept '(.*)'", found.message)
    left = migrate(source, pg_url, Options(run_dir=str(tmp_path / "again"), accept=(place,)))
    assert left.verdict == "proven"
    assert view not in list_relations(pg_admin_url)


def test_a_wrong_rule_in_a_view(
    tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(tmp_path / "a.sqlite")
    with closing(sqlite3.connect(source)) as db:
        db.execute("CREATE VIEW named AS SELECT id, name FROM item WHERE name LIKE 'av%'")
        db.execute("DROP INDEX item_tail")
    monkeypatch.setattr("liteferry.proof.probe_translations", lambda *_: {})
    monkeypatch.setattr(checks, "translate_check", lambda *_: Translation(sql="TRUE", kind="bool"))
    spoil_like(monkeypatch)
    mismatches = prove_wrong(source, pg_url, pg_admin_url)
    found = next(found for found in mismatches if found.object_kind == "view")
    assert (found.object_name, found.key) == ("named", "id=2")


def note_views(report: Report) -> dict[str | None, str]:
    return {found.name: found.message for found in report.findings if found.code == "view-not-compared"}


def test_views_that_cannot_be_compared_are_named(tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "VIEW_S", 0.5)
    source = make_source(tmp_path / "a.sqlite", VIEWS_SQL + ENDLESS_SQL)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")))
    assert report.verdict == "proven", (report.failure, report.mismatches)
    notes = note_views(report)
    assert {"endless", "busy", "overflow", "fresh", "above_fresh"} <= set(notes) <= {
        "endless", "busy", "overflow", "fresh", "above_fresh", "top",
    }  # fmt: skip
    for name in ("endless", "busy"):
        assert "SQLite needs longer" in notes[name]
    assert "integer overflow" in notes["overflow"]
    assert "reads the clock" in notes["fresh"]
    assert "it reads fresh" in notes["above_fresh"]
    assert set(note_views(verify(source, pg_url))) == set(notes)


def test_a_view_that_is_slow_in_postgresql_alone_is_named(
    tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "VIEW_S", 1.0)
    source = make_source(tmp_path / "a.sqlite", VIEWS_SQL)
    sql = replace_view("short", r";\s*$", " WHERE pg_sleep(2) IS NOT NULL")
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")), Planter(pg_admin_url, sql))
    assert report.verdict == "proven", (report.failure, report.mismatches)
    assert "PostgreSQL needs longer" in note_views(report)["short"]


def test_all_views_together_have_their_time(tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "ALL_VIEWS_S", 0.0)
    report = migrate(make_source(tmp_path / "a.sqlite", VIEWS_SQL), pg_url, Options(run_dir=str(tmp_path / "run")))
    assert set(note_views(report)) == {"short", "mean", "top", "fresh", "above_fresh"}


ROUGH = {
    "a last digit": (r"avg(\1) * (1::float8 + 1e-15) AS", "proven"),
    "a little more": (r"avg(\1) * (1::float8 + 1e-8) AS", "mismatch"),
}


@pytest.mark.parametrize("name", ROUGH)
def test_sums_may_differ_by_rounding_alone(name: str, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    wrong, verdict = ROUGH[name]
    source = make_source(tmp_path / "a.sqlite", VIEWS_SQL)
    sql = "UPDATE item SET id = id; " + replace_view("mean", r"avg\((.*?)\) AS", wrong)
    with closing(sqlite3.connect(source)) as db:
        db.execute("UPDATE item SET price = price * 1000000 WHERE price > 0")
        db.execute("DELETE FROM item WHERE price < 0")
        db.commit()
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")), Planter(pg_admin_url, sql))
    assert report.verdict == verdict, (report.failure, report.mismatches)


def test_more_sums_than_can_be_paired_are_named(tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_ROUGH_ROWS", 1)
    source = make_source(tmp_path / "a.sqlite", VIEWS_SQL)
    report = migrate(source, pg_url, Options(run_dir=str(tmp_path / "run")))
    assert report.verdict == "proven"
    assert "but for sums: price" in note_views(report)["mean"]
