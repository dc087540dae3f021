"""liteferry.toml: what it may say, and what is said of one that may not."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liteferry.config import CAST_KINDS, DJANGO_KEYS, MOVE_KEYS, POINTS, SECTIONS, find_config, find_line, read_config
from liteferry.errors import MigrationError
from liteferry.findings import make_finding
from liteferry.model import PLAN_SCHEMA, Cast, Decision, Finding, Options, Plan, WayOut
from liteferry.project import ProjectOptions, PruneRule
from liteferry.report.draft import quote_toml, render_config_draft, write_pair

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def write(directory: Path, text: str | bytes) -> Path:
    path = directory / "liteferry.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


FULL = """
[move]
schema = "sales"
names = "snake"
timestamps = "timestamptz"
only = ["a*"]
exclude = ["ab"]
accept = ["trigger-left-out:audit_*", "all"]
[decisions]
"customer.*" = "widen"
"text-nul:customer.name" = "strip-nul"
customer.at = "timezone:Europe/Berlin"
[casts.types]
"integer unsigned" = "bigint"
[casts.columns]
"order.total" = "numeric(12,2)"
[hooks]
before-publish = "last.sql"
before-data = [{ run = "first.sql", undo = "back.sql" }, "last.sql"]
"""


def test_everything_that_it_may_say(tmp_path: Path) -> None:
    for name, sql in (("first", "SELECT 1"), ("back", "SELECT 2;"), ("last", "-- ä\nSELECT 3")):
        (tmp_path / f"{name}.sql").write_text(sql)
    path = write(tmp_path, FULL.replace("customer.at", '"customer.at"'))
    options = read_config(path)
    assert (options.schema, options.names, options.timestamps) == ("sales", "snake", "timestamptz")
    assert (options.only, options.exclude) == (("a*",), ("ab",))
    assert options.accept == ("trigger-left-out:audit_*", "all")
    assert options.decisions == (
        Decision(place="customer.*", way="widen", origin=str(path)),
        Decision(code="text-nul", place="customer.name", way="strip-nul", origin=str(path)),
        Decision(place="customer.at", way="timezone:Europe/Berlin", origin=str(path)),
    )
    assert options.casts == (
        Cast(column="order.total", pg_type="numeric(12,2)"),
        Cast(declared_type="integer unsigned", pg_type="bigint"),
    )
    assert [(h.point, h.file, h.sql, h.undo_file, h.undo_sql) for h in options.hooks] == [
        ("before-data", "first.sql", "SELECT 1", "back.sql", "SELECT 2;"),
        ("before-data", "last.sql", "-- ä\nSELECT 3", "", ""),
        ("before-publish", "last.sql", "-- ä\nSELECT 3", "", ""),
    ]
    assert options.hooks[0].sha256 == hashlib.sha256(b"SELECT 1").hexdigest()
    assert options.config
    assert options.config.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert find_config(tmp_path) == path
    assert find_config(tmp_path / "none") is None


def test_a_django_project_and_the_rows_that_do_not_travel(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
[django]
settings = "site.settings"
python = ".venv"
database = "old"
target-alias = "new"
[django.prune]
"mana.Assessment" = { is_test = true, created__lt = 2020-01-01, at__gt = 2020-01-01T10:00:00+02:00, t = 10:30:00 }
"mana.Answer" = [{ id__in = [1, 2] }, { note__isnull = true, weight__gt = 0.5 }]
"mana.Trial" = true
""",
    )
    options = read_config(path)
    assert options.project == ProjectOptions(
        directory=str(tmp_path),
        settings="site.settings",
        python=str(tmp_path / ".venv"),
        database="old",
        target_alias="new",
        prune=(
            PruneRule(
                model="mana.Assessment",
                filters=(
                    {
                        "is_test": True,
                        "created__lt": "2020-01-01",
                        "at__gt": "2020-01-01T10:00:00+02:00",
                        "t": "10:30:00",
                    },
                ),
            ),
            PruneRule(model="mana.Answer", filters=({"id__in": [1, 2]}, {"note__isnull": True, "weight__gt": 0.5})),
            PruneRule(model="mana.Trial", all_rows=True),
        ),
    )
    assert options.prune == options.project.prune
    assert options.into == "new"
    write(tmp_path, '[django]\ndirectory = "src"\npython = "/usr/bin/python3"')
    project = read_config(path).project
    assert project == ProjectOptions(directory=str(tmp_path / "src"), python="/usr/bin/python3")


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    options = read_config(write(tmp_path, ""))
    assert options == Options(config=options.config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff", ["line 1", "not UTF-8"]),
        (b"\xef\xbb\xbf[move]", ["byte order mark"]),
        ("[move", ["not valid TOML", "line 1"]),
        ('[decisions]\na.b.c = "null"\na.b = "null"', ["not valid TOML", "line 3"]),
        ('[decisions]\n"a" = "null"\n"a" = "widen"', ["not valid TOML", "line 3"]),
        ("[mov]\n", ["line 1", "no section [mov]", "did you mean move?", "decisions"]),
        ("accept = ['all']\n", ["line 1", "no section [accept]"]),
        ("[move]\n\nshema = 'x'\n", ["line 3", "no key shema in [move]", "did you mean schema?"]),
        ("[move]\nschema = 1", ["line 2", "schema must be a text, and is a number"]),
        ("[move]\nschema = ''", ["line 2", "an empty text"]),
        ("[move]\nnames = 'Snake'", ["line 2", "names cannot be Snake", "did you mean snake?", "preserve"]),
        ("[move]\ntimestamps = 'utc'", ["timestamps cannot be utc", "timestamptz"]),
        ("[move]\nonly = 'a'", ["line 2", "only must be a list of texts"]),
        ("[move]\nonly = ['a', 1]", ["only must be a list of texts"]),
        ("[move]\naccept = ['text-to-long']", ["line 2", "text-to-long is no finding", "did you mean text-too-long?"]),
        ("[move]\naccept = ['target-not-empty']", ["cannot be accepted, only repaired"]),
        ("[decisions]\n'a.b' = 'quarantin'", ["line 2", "no way out called quarantin", "did you mean quarantine?"]),
        ("[decisions]\n'a.b' = 'timezone'", ["timezone", "Europe/Berlin"]),
        ("[decisions]\n\n'text-nul:a.b' = 3", ["line 3", "must be a text"]),
        ("[decisions]\na.b = 'null'", ["line 2", "must be a text, and is a section"]),
        ("decisions = 'all'", ["line 1", "must be a section"]),
        ("[casts]\n'a.b' = 'int'", ["no key a.b in [casts]", "columns"]),
        ("[casts.columns]\n'a=b' = ''", ["line 2", "an empty text"]),
        ("[hooks]\nbefore-dat = 'a.sql'", ["line 2", "no key before-dat", "did you mean before-data?"]),
        ("[hooks]\nbefore-data = 3", ["line 2", "before-data must be a file"]),
        ("[hooks]\nbefore-data = {undo = 'a'}", ["line 2", "before-data must be a file"]),
        ("[hooks]\nbefore-data = {run = 'ok.sql', undone = 'a'}", ["no key undone", "did you mean undo?"]),
        ("[hooks]\nbefore-data = {run = 'ok.sql', undo = 7}", ["undo must be a file's name"]),
        ("[hooks]\nbefore-data = 'none.sql'", ["line 2", "none.sql cannot be read: No such file"]),
        ("[hooks]\nbefore-data = {run = 'ok.sql', undo = 'none.sql'}", ["line 2", "none.sql"]),
        ("[django]\nsetting = 'x'", ["line 2", "no key setting in [django]", "did you mean settings?"]),
        ("[django]\nsettings = 1", ["line 2", "settings must be a text, and is a number"]),
        ("[django]\nprune = true", ["line 2", "prune must be a section, [django.prune]", "a boolean"]),
        ("[django.prune]\n\nOrder = true", ["line 3", "Order is no model", "app.Model, in quotes"]),
        ("[django.prune]\nshop.Order = true", ["line 2", "shop is no model", "in quotes"]),
        ("[django.prune]\n'shop.Order' = false", ["line 2", "must be true", "is a boolean"]),
        ("[django.prune]\n'shop.Order' = {}", ["line 2", "is an empty section", "true means every row"]),
        ("[django.prune]\n'shop.Order' = []", ["line 2", "is a list"]),
        ("[django.prune]\n'shop.Order' = [{}]", ["line 2", "is a list"]),
        ("[django.prune]\n'a.B' = true\n'shop.Order' = 'all'", ["line 3", "is a text"]),
        ("[django.prune]\n'shop.Order' = {a.b = 1}", ["line 2", "a of shop.Order cannot be a section", "__is_test"]),
        ("[django.prune]\n'shop.Order' = {a__in = [1, nan]}", ["line 2", "a__in of shop.Order cannot be nan"]),
        ("[move]\npassword = 'x'", ["line 2", "password does not belong in this file", "PGPASSWORD"]),
        ("target = 'dbname=x'", ["line 1", "target does not belong in this file", "command line"]),
    ],
)
def test_what_is_wrong_with_it(text: str | bytes, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "ok.sql").write_text("SELECT 1")
    path = write(tmp_path, text)
    with pytest.raises(MigrationError) as raised:
        read_config(path)
    error = raised.value
    assert error.code == "usage"
    assert error.hint
    assert str(path) in error.what
    for word in words:
        assert word in f"{error.what} {error.hint}"


@pytest.mark.parametrize(
    "text",
    [
        "[move]\nschema = 'postgresql://u:hunter2@h/d'",
        "[move]\nonly = ['host=x password=hunter2']",
        "[decisions]\n'postgres://u:hunter2@h' = 'null'",
        "[hooks]\nbefore-data = 'postgresql://:hunter2@h'",
    ],
)
def test_a_password_is_refused_and_not_repeated(text: str, tmp_path: Path) -> None:
    with pytest.raises(MigrationError) as raised:
        read_config(write(tmp_path, text))
    assert "password" in raised.value.what
    assert "hunter2" not in f"{raised.value.what} {raised.value.hint}"


@pytest.mark.parametrize("place", ["user.password", "password_reset.token", "a:b@c.d", "url.target"])
def test_columns_may_be_called_so(place: str, tmp_path: Path) -> None:
    options = read_config(write(tmp_path, f"[decisions]\n{write_pair(place, 'null')}"))
    assert [each.place for each in options.decisions] == [place]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(MigrationError) as raised:
            read_config(path)
        assert raised.value.code == "usage"


@pytest.mark.parametrize(
    ("section", "key", "line"),
    [("a", "", 1), ("a", "x", 2), ("a", "y = z", 3), ("a.b", "x", 5), ("c", "x", 0), ("", "top", 0), ("a", "q.r", 7)],
)
def test_find_line(section: str, key: str, line: int) -> None:
    text = "[a]\nx = 1\n\"y = z\" = 'a = b'\n[a.b]\nx = 2\n[a]\n'q.r' = 3\n"
    assert find_line(text, *((section, key) if key else ("", section))) == line


# ---------------------------------------------------------------------------------------------------------------------
# The draft


def draft(*findings: Finding, options: Options | None = None) -> str:
    plan = Plan(
        schema=PLAN_SCHEMA,
        liteferry_version="1",
        source="odd\nname.db",
        target_schema="public",
        staging_schema="s",
        creates_schema=False,
        tables=(),
        steps=(),
        objects=(),
        findings=findings,
    )
    return render_config_draft(plan, options or Options())


@given(TEXTS)
def test_texts_are_toml(text: str) -> None:
    assert tomllib.loads(f"{quote_toml(text)} = {quote_toml([text, text])}") == {text: [text, text]}


@given(table=TEXTS, name=TEXTS, message=TEXTS)
def test_a_draft_is_toml_with_nothing_chosen(table: str, name: str, message: str) -> None:
    finding = make_finding("text-too-long", message, table=table, name=name, count=3, hint=message)
    text = draft(finding)
    assert tomllib.loads(text) == {"move": {}, "decisions": {}, "casts": {"columns": {}, "types": {}}, "hooks": {}}
    (line,) = [line for line in text.split("\n") if line.startswith('# "text-too-long:')]
    assert tomllib.loads(line[2:]) == {f"text-too-long:{finding.place}": "widen"}


def test_what_was_decided_stands_in_the_draft(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1")
    (tmp_path / "b.sql").write_text("SELECT 1")
    options = read_config(
        write(
            tmp_path,
            '[move]\naccept=["all"]\n[decisions]\n"text-nul:a" = "null"\n[casts.types]\nx = "int"\n[hooks]\n'
            'after-data = ["a.sql", {run = "b.sql", undo = "a.sql"}]',
        )
    )
    again = read_config(write(tmp_path, draft(options=options)))
    assert (again.accept, again.casts, again.hooks) == (options.accept, options.casts, options.hooks)
    assert again.decisions == options.decisions


def test_a_draft_keeps_the_django_project(tmp_path: Path) -> None:
    rules = """
[django]
settings = "site.settings"
[django.prune]
"a.B" = { t__lt = 2020-01-01, name = "\\u007f\\"", on = false, n__in = [1, 2.5], "ä" = -1 }
"a.C" = true
"a.D" = [{ x = 1 }, { y = "z" }]
"""
    options = read_config(write(tmp_path, rules))
    again = read_config(write(tmp_path, draft(options=options)))
    assert again.project == options.project


def test_the_tables_of_keys_are_whole() -> None:
    assert set(SECTIONS) == {"move", "decisions", "casts", "hooks", "django"}
    assert {key.replace("-", "_") for key in DJANGO_KEYS} < {field.name for field in fields(ProjectOptions)}
    assert all(hasattr(Options(), key.replace("-", "_")) for key in MOVE_KEYS)
    assert set(CAST_KINDS) == {"columns", "types"}
    assert len(POINTS) == 7


def test_a_draft_never_proposes_a_key_that_stands_there_already() -> None:
    """A second decision about one finding's kind: a key may stand in a TOML section only once."""
    choice = Decision(code="date-form", place="t.at", way="epoch-s")
    null = WayOut(name="null", effect="1 value becomes NULL")
    left = make_finding("date-form", "1 makes no moment", table="t", name="at", more_ways=(null,))
    text = draft(left, options=Options(decisions=(choice,)))
    taken = text.replace('# "t.at" = "null"', '"t.at" = "null"')
    assert taken != text
    assert tomllib.loads(taken)["decisions"] == {"date-form:t.at": "epoch-s", "t.at": "null"}
