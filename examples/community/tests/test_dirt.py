"""The forty kinds of dirt."""

import json
import sqlite3
from contextlib import closing

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from conftest import SCALE, manage
from sample.dirt import KINDS, choose_kinds


@pytest.fixture
def sample_file(sqlite_file):
    """A SQLite file with the clean sample."""
    manage(sqlite_file, "generate_sample", "--scale", str(SCALE))
    return sqlite_file


def test_there_are_forty():
    assert len(KINDS) == len({kind.name for kind in KINDS}) == 40


def test_the_list_is_printed(capsys):
    call_command("generate_sample", list_dirt=True)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [kind.name for kind in KINDS]


def test_all_of_it_is_planted(sample_file):
    clean = dump_file(sample_file)
    planted = json.loads(manage(sample_file, "generate_sample", "--dirt", "--json"))
    assert [one["name"] for one in planted] == [kind.name for kind in KINDS]
    assert dump_file(sample_file) != clean
    by_name = {one["name"]: one for one in planted}
    with closing(sqlite3.connect(sample_file)) as file:
        for kind in KINDS:
            if kind.value is not None:
                assert read_cell(file, kind, by_name[kind.name]["key"]) == store_value(file, kind), kind.name
        orphans = {row[0] for row in file.execute("PRAGMA foreign_key_check")}
        damage = " ".join(row[0] for row in file.execute("PRAGMA integrity_check"))
    assert orphans == {
        "coordination_organizationcontact",
        "mana_assessment_communities",
        "common_attachment",
        "auth_permission",
    }
    assert "NULL value in mana_need.title" in damage


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.value is None], ids=lambda kind: kind.name)
def test_dirt_made_by_statements_changes_the_file(kind, sample_file):
    before = dump_file(sample_file)
    (planted,) = json.loads(manage(sample_file, "generate_sample", "--dirt", kind.name, "--json"))
    assert planted["table"] == kind.table
    assert dump_file(sample_file) != before


def test_unknown_dirt_is_refused():
    with pytest.raises(KeyError, match="mud"):
        choose_kinds(["mud", "zero-date"])


def test_only_sqlite_can_hold_dirt():
    if connection.vendor == "sqlite":
        pytest.skip("this is SQLite")
    with pytest.raises(CommandError, match="only be planted in SQLite"):
        call_command("generate_sample", dirt=[])


def read_cell(file, kind, key):
    """What stands where the dirt went: its storage class and its bytes."""
    key_column = next(row[1] for row in file.execute(f'PRAGMA table_info("{kind.table}")') if row[5])
    cell = f'typeof("{kind.column}"), hex("{kind.column}")'
    return file.execute(f'SELECT {cell} FROM "{kind.table}" WHERE "{key_column}" = ?', [key]).fetchone()


def store_value(file, kind):
    """What SQLite makes of the dirt's value in a column of that type."""
    file.execute(f'CREATE TEMP TABLE again AS SELECT "{kind.column}" AS it FROM "{kind.table}" WHERE false')
    file.execute(f"INSERT INTO again VALUES ({kind.value})")
    stored = file.execute("SELECT typeof(it), hex(it) FROM again").fetchone()
    file.execute("DROP TABLE again")
    return stored


def dump_file(path):
    """All that the file says, as SQL."""
    with closing(sqlite3.connect(path)) as file:
        file.text_factory = lambda value: value.decode(errors="surrogateescape")
        tables = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        rows = [sorted(map(repr, file.execute(f'SELECT * FROM "{table}"'))) for table in tables]
        return rows, sorted(map(repr, file.execute("SELECT * FROM sqlite_master")))
