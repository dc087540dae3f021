"""What was built apart, together: each combination moved, proven, verified twice, digested and undone."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness import call_ferry, list_relations

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Outcome

SOURCE = """
CREATE TABLE "UserGroup" (id INTEGER PRIMARY KEY, "groupName" TEXT COLLATE NOCASE NOT NULL UNIQUE, "bigNumber" INT,
    CHECK ("bigNumber" <> 13));
CREATE TABLE "appUser" (id INTEGER PRIMARY KEY, "groupId" INT REFERENCES "UserGroup", login TEXT COLLATE NOCASE UNIQUE,
    note TEXT, seen DATETIME, born DATE, extra TEXT DEFAULT 'none', twice INT AS (id * 2) STORED,
    CHECK (login <> note));
CREATE INDEX "userNote" ON "appUser" (upper(note)) WHERE note IS NOT NULL;
CREATE VIEW "allUsers" AS SELECT u.login, g."groupName" FROM "appUser" u JOIN "UserGroup" g ON g.id = u."groupId";
INSERT INTO "UserGroup" VALUES (1, 'Admins', 5), (2, 'staff', 'many'), (3, 'Others', 7);
INSERT INTO "appUser" (id, "groupId", login, note, seen, born) VALUES
    (1, 1, 'Ann', 'a' || char(0), 86400, '2000-01-02'),
    (2, 2, 'Bob', 'in group 2', '2024-01-01 10:00', '2001-01-02'), (3, 1, 'Cy', NULL, NULL, 'unknown'),
    (4, 3, 'Di', 'fits', '2024-06-01', NULL), (5, 77, 'Ed', 'nobody''s', NULL, NULL);
"""
WAYS = (
    "UserGroup.bigNumber=quarantine", "orphan-rows:appUser.groupId=quarantine", "appUser.note=escape",
    "appUser.seen=epoch-s", "appUser.seen=timezone:Europe/Berlin", "appUser.born=null",
)  # fmt: skip
HOOK = "CREATE TABLE made_by_hook (x text); INSERT INTO made_by_hook SELECT '1'"


def make(path: Path, encoding: str = "UTF-8") -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA encoding = '{encoding}'")
        db.executescript(SOURCE)
    return path


def decide(*decisions: str) -> tuple[str, ...]:
    return tuple(word for decision in decisions for word in ("--on-misfit", decision))


COMBINATIONS: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "everything": ("UTF-8", (), True),
    "snake and hooks": ("UTF-8", ("--names", "snake", "--hook"), True),
    "lower and index": ("UTF-8", ("--names", "lower", "--nocase", "index"), True),
    "icu": ("UTF-8", ("--nocase", "icu", "--names", "snake"), True),
    "no snapshot": ("UTF-8", ("--snapshot", "none", "--names", "snake"), True),
    "no proof": ("UTF-8", ("--no-verify", "--nocase", "bytes"), False),
    "no snapshot, no proof": ("UTF-8", ("--snapshot", "none", "--no-verify"), False),
    "utf-16": ("UTF-16le", ("--names", "snake", "--nocase", "index"), True),
    "utf-16be, no snapshot": ("UTF-16be", ("--snapshot", "none"), True),
    "cast": ("UTF-8", ("--cast", "*.extra=varchar(9)", "--cast", "*.id=integer"), True),
    "without the children": ("UTF-8", ("--exclude", "appUser", "allUsers"), True),
    "without the parents": ("UTF-8", ("--exclude", "UserGroup", "allUsers"), True),
}


@pytest.mark.parametrize("case", COMBINATIONS)
def test_there_verified_and_back(case: str, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    encoding, given, is_proven = COMBINATIONS[case]
    source, run_dir = make(tmp_path / "s.sqlite", encoding), tmp_path / "run"
    options = [word for word in given if word != "--hook"]
    hook: list[str] = []
    if "--hook" in given:
        (tmp_path / "a.sql").write_text(HOOK)
        (tmp_path / "x.toml").write_text('[hooks]\nafter-data = "a.sql"\n')
        hook = ["--config", str(tmp_path / "x.toml")]
    ways = decide(*WAYS)
    common: list[str] = [*ways, *options, "--accept", "all", "--json", "--quiet"]
    done = call_ferry("migrate", source, pg_url, *common, *hook, "--yes", "--run-dir", run_dir)
    if "built without ICU" in done.err:
        pytest.skip("this server was built without ICU")
    assert done.status in {0, 3}, done
    assert done.report.verdict == ("proven" if is_proven else "not proven"), (
        done.report.failure,
        done.report.mismatches,
    )
    apart = {found.table: found.rows for found in done.report.apart}
    assert apart == expect_apart(case)
    assert list_quarantine(pg_url) == sum(apart.values())

    again = [word for word in options if word != "--no-verify"]
    by_run = call_ferry("verify", source, pg_url, "--run-dir", run_dir, "--json", "--quiet")
    assert by_run.report.verdict == "proven", by_run.report.mismatches
    if not hook:  # what a hook made is known by the run alone
        anew = call_ferry("verify", source, pg_url, *ways, *again, "--accept", "all", "--json", "--quiet")
        assert anew.report.verdict == "proven", anew.report.mismatches
    here = call_ferry("digest", source, "--run-dir", run_dir, "--json")
    there = call_ferry("digest", pg_url, "--run-dir", run_dir, "--json")
    assert here.json["tables"] == there.json["tables"]
    undone = call_ferry("undo", run_dir, "--target", pg_url, "--yes", "--json", "--quiet")
    assert undone.status == 0, undone
    assert list_relations(pg_admin_url) == []


def expect_apart(case: str) -> dict[str, int]:
    """The group of 'many', its member, and the member of no group."""
    if case == "without the children":
        return {"UserGroup": 1}
    return {"appUser": 1} if case == "without the parents" else {"UserGroup": 1, "appUser": 2}


def list_quarantine(url: str) -> int:
    """How many rows the quarantine tables hold, whatever they are called."""
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE '%quarantine%'").fetchall()
        counts = [connection.execute(f'SELECT count(*) FROM "{name}"'.encode()).fetchone() for (name,) in names]
    return sum(count[0] for count in counts if count)


def test_casts_of_the_file_change_the_plan(tmp_path: Path) -> None:
    source, config = make(tmp_path / "s.sqlite"), tmp_path / "x.toml"
    config.write_text('[casts.columns]\n"appUser.extra" = "varchar(9)"\n[casts.types]\n"int" = "numeric"\n')
    plan = call_ferry("plan", source, "--config", config, "--accept", "all", "--json", "--quiet").json
    types = {f"{t['source']}.{c['source']}": (c["pg_type"], c["rule"]) for t in plan["tables"] for c in t["columns"]}
    assert types["appUser.extra"] == ("varchar(9)", "cast")
    assert types["appUser.groupId"] == ("numeric", "cast")
    other = call_ferry("plan", source, "--cast", "appUser.extra=text", "--config", config, "--json", "--quiet").json
    assert [c["pg_type"] for t in other["tables"] for c in t["columns"] if c["source"] == "extra"] == ["text"]


def test_a_table_left_out_is_not_read(tmp_path: Path, pg_url: str) -> None:
    """A generated column of it that SQLite cannot compute is nobody's concern."""
    source = tmp_path / "s.sqlite"
    with closing(sqlite3.connect(source)) as db:
        db.executescript(
            """CREATE TABLE broken (a TEXT); INSERT INTO broken VALUES ('{');
            ALTER TABLE broken ADD COLUMN b AS (json_extract(a, '$.x')) VIRTUAL;
            CREATE TABLE fine (a TEXT); INSERT INTO fine VALUES ('a')"""
        )
    assert call_ferry("check", source, "--quiet").status == 1
    run_dir = tmp_path / "run"
    done = migrate(source, pg_url, "--exclude", "broken", "--run-dir", run_dir)
    assert done.report.verdict == "proven", done
    verified = call_ferry("verify", source, pg_url, "--run-dir", run_dir, "--json", "--quiet")
    assert verified.report.verdict == "proven", verified


def migrate(source: Path, url: str, *options: str | Path) -> Outcome:
    return call_ferry("migrate", source, url, "--yes", "--json", "--quiet", *options)


def uncomment_first_ways(text: str) -> str:
    """Take the # away before the first way of each finding."""
    chosen: list[str] = []
    is_open = False
    for line in text.split("\n"):
        is_open = bool(line) and (is_open or re.match(r"# [a-z-]+: ", line) is not None)
        taken = is_open and line.startswith('# "')
        chosen.append(line[2:] if taken else line)
        is_open = is_open and not taken
    return "\n".join(chosen)


def test_the_first_way_of_every_finding_is_enough(tmp_path: Path, pg_url: str) -> None:
    source, draft = make(tmp_path / "s.sqlite"), tmp_path / "x.toml"
    assert call_ferry("check", source, pg_url, "--write-config", draft, "--quiet").status == 4
    draft.write_text(uncomment_first_ways(draft.read_text()))
    checked = call_ferry("check", source, pg_url, "--config", draft, "--json", "--quiet")
    assert checked.status == 0, [
        f for f in checked.json["findings"] if f["severity"] == "blocker" and not f["accepted"]
    ]
    assert migrate(source, pg_url, "--config", draft).report.verdict == "proven"


def test_progress_tells_what_both_engines_are_asked(
    tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liteferry.progress.LINE_EVERY_S", 0.0)  # a line is written when nothing was for a while
    source = make(tmp_path / "s.sqlite")
    done = call_ferry("migrate", source, pg_url, "--yes", "--accept", "all", "--json", *decide(*WAYS))
    assert done.report.verdict == "proven", done
    assert "proving every value: expressions of " in done.err
