"""Forty kinds of dirt in the sample project's file: each is carried unharmed, or stops the move before it starts.

Where it stops it, the finding names the table, the column, how many values and which rows; and the way out that it
offers leads to a move that is proven. All forty together in the default run; each by itself among the slow tests.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from harness import Outcome, call_ferry, list_relations
from liteferry.model import Finding, from_json
from projects import run_python

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conftest import Database
    from liteferry.model import Report

COMMUNITY: Final = Path(__file__).parents[2] / "examples" / "community"
SCALE: Final = "0.02"
_LEFT_BEHIND: Final = ("__pycache__", "*.sqlite3*", ".env", "*.liteferry", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """How one kind of dirt is dealt with. ``codes``: of the findings about it, those that block with ``!``.

    ``way`` is taken at the blocking finding's place; ``check``: a question to PostgreSQL after the move, with its
    answer, where ``{key}`` is the row's primary key.
    """

    codes: tuple[str, ...] = ()
    way: str = ""
    check: str = ""
    answer: object = None
    apart: int = 0
    at: str = ""  # the finding's place, where it is not the column of the dirt


def set_apart(*codes: str, table: str, at: str = "", rows: int = 1, name: str = "id") -> Dealt:
    """Dirt whose row is kept in a table beside the target's, and is not in the target's own."""
    question = f"SELECT count(*) FROM {table} WHERE {name}::text = replace('{{key}}', '-', '')"
    return Dealt(codes=codes, way="quarantine", check=question, answer=0, apart=rows, at=at)


DEALT: Final = {
    "orphan-row": set_apart("target-orphans!", table="coordination_organizationcontact"),
    "orphan-link": set_apart("target-orphans!", table="mana_assessment_communities"),
    "orphan-content-type": set_apart("target-orphans!", table="common_attachment"),
    "generic-key-to-nothing": Dealt(check="SELECT count(*) FROM audit_log WHERE object_id = '424242424242'", answer=1),
    "content-type-of-lost-model": Dealt(
        check="SELECT app_label FROM django_content_type WHERE id = {key}", answer="old_surveys"
    ),
    "permission-to-nowhere": set_apart("target-orphans!", table="auth_permission"),
    "over-long-text": set_apart("text-too-long!", table="common_barangay"),
    "nul-in-text": Dealt(
        codes=("text-nul!",),
        way="strip-nul",
        check="SELECT full_name FROM communities_leader WHERE id = {key}",
        answer="AnaMaria",
    ),
    "invalid-utf8": Dealt(
        codes=("text-invalid!",),
        way="u-fffd",
        check="SELECT subject FROM coordination_communication WHERE id = {key}",
        answer="Caf\ufffd",
    ),
    "blob-in-text": set_apart("value-misfit!", table="communities_community"),
    "blank-beside-null": Dealt(check="SELECT reference FROM coordination_partnership WHERE id = '{key}'", answer=""),
    "case-twins": Dealt(check="SELECT username FROM common_user WHERE id = {key}", answer="ADMIN"),
    "unicode-case-twins": Dealt(  # the column's collation is "C", in which É is not folded
        check="SELECT name FROM common_staffteam WHERE id = {key}", answer="équipe rapide"
    ),
    "text-in-integer": set_apart("value-misfit!", table="communities_populationcount"),
    "too-large-integer": Dealt(
        codes=("value-misfit!",), way="null", check="SELECT population FROM common_province WHERE id = {key}"
    ),
    "negative-in-positive": set_apart("check-broken!", table="communities_municipalitycoverage", at="*"),
    "too-many-decimals": Dealt(
        codes=("decimal-inexact",),
        check="SELECT share_percent::text FROM coordination_signatory WHERE id = {key}",
        answer="33.33",
    ),
    "text-in-boolean": set_apart("value-misfit!", table="common_barangay"),
    "json-nul": set_apart("json-not-jsonb!", table="audit_log"),
    "json-nan": Dealt(codes=("json-invalid!",), way="null", check="SELECT evidence FROM mana_need WHERE id = {key}"),
    "json-duplicate-keys": Dealt(
        codes=("json-not-jsonb",),
        check="SELECT extra::text FROM communities_hazard WHERE id = {key}",
        answer='{"houses": 2}',
    ),
    "json-invalid": set_apart("json-invalid!", table="municipal_profiles_municipalityprofile"),
    "year-zero": set_apart("date-form!", table="communities_leaderengagement"),
    "year-ten-thousand": Dealt(
        codes=("date-form!",), way="null", check="SELECT ends_on FROM coordination_partnership WHERE id = '{key}'"
    ),
    "zero-date": Dealt(
        codes=("date-form!",), way="null", check="SELECT built_on FROM communities_facility WHERE id = {key}"
    ),
    "time-with-offset": Dealt(
        codes=("time-zone-dropped",),
        check="SELECT (sent_at AT TIME ZONE 'UTC')::text FROM common_chatmessage WHERE id = {key}",
        answer="2024-05-01 02:00:00",
    ),
    "time-with-t": Dealt(
        check="SELECT (sent_at AT TIME ZONE 'UTC')::text FROM common_chatmessage WHERE id = {key}",
        answer="2024-05-01 10:00:00",
    ),
    "epoch-number": Dealt(
        codes=("date-form!",),
        way="epoch-s",
        check="SELECT extract(epoch FROM starts_at)::bigint FROM coordination_engagement WHERE id = '{key}'",
        answer=1714521600,
    ),
    "text-in-duration": set_apart("value-misfit!", table="mana_workshopactivity"),
    "bad-uuid": set_apart("value-misfit!", table="common_calendarbooking"),
    "uuid-with-dashes": Dealt(
        check="SELECT reference::text FROM common_calendarbooking WHERE id = {key}",
        answer="a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ),
    "bad-address": set_apart("value-misfit!", table="access_log"),
    "null-in-not-null": set_apart("target-null-forbidden!", table="mana_need"),
    "sequence-above": Dealt(check="SELECT nextval(pg_get_serial_sequence('common_chatmessage', 'id'))", answer=100_001),
    "sequence-below": Dealt(
        check="SELECT nextval(pg_get_serial_sequence('common_calendarresource', 'id'))"
        " > (SELECT max(id) FROM common_calendarresource)",
        answer=True,
    ),
    "extra-table": Dealt(
        codes=("target-table-missing!",), way="leave-out", check="SELECT to_regclass('\"users backup 2023\"')"
    ),
    "extra-column": Dealt(
        codes=("target-column-missing!",),
        way="leave-out",
        check="SELECT count(*) FROM pg_attribute WHERE attrelid = 'common_province'::regclass AND attname = 'remark'",
        answer=0,
    ),
    "extra-trigger": Dealt(
        codes=("target-object-missing",),
        at="chat_no_shouting",
        check="SELECT count(*) FROM pg_trigger WHERE tgrelid = 'common_chatmessage'::regclass AND NOT tgisinternal",
        answer=0,
    ),
    "extra-index": Dealt(
        codes=("target-object-missing",),
        at="by_population",
        check="SELECT to_regclass('by_population')",
    ),
    "lost-unique-index": set_apart(
        "django-constraint-differs", "unique-clash!", table="communities_livelihood", at="*", rows=2
    ),
}
"""Every kind of dirt, with what is found and what is done. Where it has no finding it arrives as it is."""


# ---------------------------------------------------------------------------------------------------------------------
# The project, clean and dirty


class _File:
    """A SQLite file as the planting of dirt wants it: a connection of Django's, with sqlite3's own inside."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ensure_connection(self) -> None:
        self.connection = sqlite3.connect(self._path, isolation_level=None)

    def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """The sample project in a directory of its own, so that its schema is made once for all tests here."""

    home: Path
    clean: Path
    dirt: Any  # the project's own module

    def spoil(self, names: Iterable[str]) -> dict[str, Any]:
        """Put the clean file in place, with these kinds of dirt: what was planted, by name."""
        path = self.home / "db.sqlite3"
        shutil.copy(self.clean, path)
        for made in (*self.home.glob("*.liteferry"), *self.home.glob("*.toml")):
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        return {found.name: found for found in self.dirt.plant_dirt(_File(path), self.dirt.choose_kinds(list(names)))}


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Community]:
    directory = tmp_path_factory.mktemp("dirt")
    home = directory / "our community"  # with a space
    shutil.copytree(COMMUNITY, home, ignore=shutil.ignore_patterns(*_LEFT_BEHIND))
    run_python(home, "manage.py", "migrate", "-v0")
    run_python(home, "manage.py", "generate_sample", "--scale", SCALE)
    clean = Path(shutil.move(home / "db.sqlite3", directory / "clean.sqlite3"))
    sys.path.insert(0, str(home))
    try:
        dirt = importlib.import_module("sample.dirt")
    finally:
        sys.path.remove(str(home))
    yield Community(home=home, clean=clean, dirt=dirt)
    for name in [name for name in sys.modules if name == "sample" or name.startswith("sample.")]:
        del sys.modules[name]


def find_about(findings: Iterable[Finding], name: str, planted: Any) -> list[Finding]:
    """The findings that are about one kind of dirt."""
    dealt = DEALT[name]
    codes = {code.rstrip("!") for code in dealt.codes}
    place = dealt.at or planted.column
    return [
        found
        for found in findings
        if found.code in codes
        and found.table == planted.table
        and (dealt.at == "*" or found.name == place or found.code == "target-table-missing")
        and not (found.decided_by.startswith("Django") and found.count > 1)
    ]


def assert_findings(findings: Iterable[Finding], name: str, planted: Any) -> list[Finding]:
    """See that one kind of dirt is found as it should be: where, how much, which rows, and the way out."""
    dealt = DEALT[name]
    about = find_about(findings, name, planted)
    assert sorted(f"{found.code}{'!' if found.blocks else ''}" for found in about) == sorted(dealt.codes), name
    for found in about:
        if found.blocks:
            assert found.count == max(dealt.apart, found.count if name.startswith("extra") else 1), found
            assert found.samples or name.startswith("extra"), found
            assert planted.key is None or any(str(planted.key) in one.key for one in found.samples) or not found.samples
            assert dealt.way in {way.name for way in found.ways}, found
    return about


def list_decisions(findings: Iterable[Finding], planted: dict[str, Any]) -> list[str]:
    """--on-misfit for the way that is taken of each kind of dirt."""
    decisions = []
    for name, one in planted.items():
        for found in find_about(findings, name, one):
            if found.blocks:
                decisions += ["--on-misfit", f"{found.code}:{found.place}={DEALT[name].way}"]
    return decisions


def assert_arrived(url: str, planted: dict[str, Any]) -> None:
    with psycopg.connect(url) as connection:
        for name, one in planted.items():
            dealt = DEALT[name]
            (answer,) = connection.execute(dealt.check.replace("{key}", str(one.key)).encode()).fetchone() or (None,)
            assert answer == dealt.answer, name
            connection.rollback()


def read_findings(outcome: Outcome) -> list[Finding]:
    return [from_json(Finding, json.dumps(found)) for found in outcome.json["findings"]]


def test_every_kind_is_in_the_table(community: Community) -> None:
    assert set(DEALT) == {kind.name for kind in community.dirt.KINDS}
    fits = {name for name, dealt in DEALT.items() if not any(code.endswith("!") for code in dealt.codes)}
    assert {kind.name for kind in community.dirt.KINDS if kind.fits} <= fits


def test_all_of_it_is_found_and_decided_in_a_file_and_arrives(
    community: Community, pg_database: Database, tmp_path: Path
) -> None:
    planted = community.spoil(DEALT)
    config = community.home / "liteferry.toml"
    place = (community.home, pg_database.url)
    checked = call_ferry("check", "--django", *place, "--json", "--write-config", config)
    assert checked.status == 4, checked.err
    findings = read_findings(checked)
    for name, one in planted.items():
        assert_findings(findings, name, one)
    assert {found.place for found in findings if found.blocks} == {
        found.place for name, one in planted.items() for found in find_about(findings, name, one) if found.blocks
    }
    _decide(config, findings, planted)
    directory = tmp_path / "run"
    options = ("--yes", "--run-dir", directory, "--json")
    moved = call_ferry("migrate", "--django", *place, *options)
    assert moved.status == 0, (moved.out[-1000:], moved.err)
    assert moved.report.verdict == "proven"
    assert_evidence(moved.report)
    assert_arrived(pg_database.url, planted)
    verified = call_ferry("verify", "--django", community.home, pg_database.url, "--run-dir", directory, "--json")
    assert (verified.status, verified.report.verdict) == (0, "proven"), verified.err
    undone = call_ferry("undo", directory, "--target", pg_database.url, "--yes")
    assert undone.status == 0, undone.err
    assert list_relations(pg_database.admin_url) == []


def _decide(config: Path, findings: Iterable[Finding], planted: dict[str, Any]) -> None:
    """Take the # away before the ways that are taken; what goes with a row that is set apart goes after it."""
    text = config.read_text()
    chosen = list_decisions(findings, planted)[1::2]
    for decision in chosen:
        place, _, way = decision.rpartition("=")
        line = f'"{place}" = "{way}"'
        assert text.count(f"# {line}\n") == 1, decision
        text = text.replace(f"# {line}\n", f"{line}\n")
    config.write_text(text.replace("[decisions]\n", '[decisions]\n"target-orphans:*" = "quarantine"\n', 1))


def assert_evidence(report: Report) -> None:
    """The project's own ORM agrees, as far as it can read its own SQLite file."""
    assert report.django is not None
    evidence = report.django.evidence or ()
    wrong = [found for found in evidence if found.status not in {"equal", "skipped"}]
    assert wrong == []
    assert len([found for found in evidence if found.status == "equal"]) > 90


def test_what_stays_open_stops_a_migrate_before_it_starts(community: Community, pg_database: Database) -> None:
    community.spoil(["negative-in-positive", "invalid-utf8", "bad-uuid"])
    moved = call_ferry("migrate", "--django", community.home, pg_database.url, "--yes", "--json")
    assert moved.status == 4, moved.err
    with psycopg.connect(pg_database.url) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'liteferry%'").fetchall()
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("name", DEALT)
def test_each_by_itself(name: str, community: Community, pg_database: Database) -> None:
    planted = community.spoil([name])
    url = pg_database.url
    checked = call_ferry("check", "--django", community.home, url, "--json")
    findings = read_findings(checked)
    about = assert_findings(findings, name, planted[name])
    assert [found for found in findings if found.blocks and found not in about] == []
    assert checked.status == (4 if any(found.blocks for found in findings) else 0)
    decisions = list_decisions(findings, planted)
    if DEALT[name].way == "quarantine":
        decisions += ["--on-misfit", "target-orphans:*=quarantine"]
    moved = call_ferry("migrate", "--django", community.home, url, "--yes", "--json", *decisions)
    assert moved.status == 0, moved.err
    assert moved.report.verdict == "proven"
    assert_evidence(moved.report)
    assert_arrived(url, planted)
