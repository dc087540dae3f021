"""liteferry.toml through the real command: drafted, decided, taken, and named in what came out."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from harness import assert_error, call_ferry, list_relations, make_shop, run_ferry
from liteferry import pipeline
from liteferry.cli import build_parser, main
from liteferry.errors import MigrationError
from liteferry.model import Cast, Hook, Options
from liteferry.options import make_options
from liteferry.report import render_html, render_markdown, render_text

ODD = 'odd "name" = [ä.b]\n#\\ 😀'


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A file in which much has to be decided, at places that are hard to write."""
    path = tmp_path / "odd.sqlite"
    quoted = ODD.replace('"', '""')
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            f'CREATE TABLE "{quoted}" (id INTEGER PRIMARY KEY, "{quoted}" VARCHAR(3), number INT, at DATETIME);'
            f"INSERT INTO \"{quoted}\" VALUES (1, 'too long', 'x', 17);"
            f'CREATE TABLE child (parent INT REFERENCES "{quoted}"); INSERT INTO child VALUES (9);'
            'CREATE TRIGGER "that\'s it" AFTER INSERT ON child BEGIN SELECT 1; END;'
        )
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return make_shop(tmp_path / "source" / "shop.sqlite")


def uncomment_first_ways(text: str) -> str:
    """Take the # away before the first way of each finding."""
    chosen: list[str] = []
    waiting = False
    for line in text.split("\n"):
        if re.match(r"# [a-z-]+: ", line):
            waiting = True
        if waiting and line.startswith('# "'):
            chosen.append(line[2:])
            waiting = False
        else:
            chosen.append(line)
        waiting = waiting and bool(line)
    return "\n".join(chosen)


def test_from_draft_to_proof(odd: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    draft = tmp_path / "liteferry.toml"
    outcome = call_ferry("check", odd, "--json", "--write-config", draft)
    assert outcome.status == 4
    assert str(draft) in outcome.err
    text = draft.read_text()
    undecided = call_ferry("check", odd, "--json", "--config", draft)
    assert undecided.status == 4
    assert undecided.json["findings"] == outcome.json["findings"]

    draft.write_text(uncomment_first_ways(text))
    decided = call_ferry("check", odd, "--json", "--config", draft)
    assert decided.status == 0, decided
    blockers = [finding for finding in decided.json["findings"] if finding["severity"] == "blocker"]
    assert len(blockers) == 5
    for finding in blockers:
        place = ".".join(part for part in (finding["table"], finding["name"]) if part)
        assert finding["decided_by"] == f"{draft}, [decisions] {finding['code']}:{place} = {finding['way']}"

    moved = call_ferry("migrate", odd, pg_url, "--json", "--yes", "--config", draft, "--run-dir", tmp_path / "run")
    assert moved.status == 0, moved
    digest = hashlib.sha256(draft.read_bytes()).hexdigest()
    assert moved.report.config
    assert (moved.report.config.path, moved.report.config.sha256) == (str(draft), digest)
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["config"]["sha256"] == digest
    assert list_relations(pg_admin_url) == sorted(["child", ODD])
    for render in (render_text, render_markdown, render_html):
        assert digest[:12] in render(moved.report)


@pytest.mark.parametrize(
    ("written", "given", "wanted"),
    [
        ('into = "existing"\nreplace-rows = ["team"]', (), ("existing", ("team",), "auto")),
        ('into = "existing"\nreplace-rows = ["team"]', ("--replace-rows", "*"), ("existing", ("*",), "auto")),
        ('nocase = "index"', (), ("new", (), "index")),
        ('nocase = "index"', ("--nocase", "icu", "--into", "existing"), ("existing", (), "icu")),
        ("", (), ("new", (), "auto")),
    ],
)
def test_the_command_line_replaces_what_the_file_says(
    written: str, given: tuple[str, ...], wanted: tuple[str, tuple[str, ...], str], tmp_path: Path
) -> None:
    config = tmp_path / "x.toml"
    config.write_text(f"[move]\n{written}\n")
    options = make_options(build_parser().parse_args(["check", "a", "b", "--config", str(config), *given]))
    assert (options.into, options.replace_rows, options.nocase) == wanted


def test_a_draft_never_replaces_a_file(odd: Path, tmp_path: Path) -> None:
    place = tmp_path / "liteferry.toml"
    place.write_text("# mine\n")
    assert_error(call_ferry("check", odd, "--write-config", place), "usage", "there already", status=2)
    assert place.read_text() == "# mine\n"
    nowhere = tmp_path / "none" / "x.toml"
    assert_error(call_ferry("check", odd, "--write-config", nowhere), "usage", "cannot be written", status=2)


def test_it_is_found_in_the_current_directory(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("liteferry.toml").write_text('[move]\nschema = "kept"\nnames = "snake"\nonly = ["customer", "note"]\n')
    plan = call_ferry("plan", shop, "--json", "--quiet")
    assert "options are taken from liteferry.toml (SHA-256 " in plan.err
    assert plan.json["target_schema"] == "kept"
    assert [table["source"] for table in plan.json["tables"]] == ["customer", "note"]
    other = call_ferry("plan", shop, "--json", "--schema", "other", "--only", "note")
    assert other.json["target_schema"] == "other"
    assert [table["source"] for table in other.json["tables"]] == ["note"]
    without = call_ferry("plan", shop, "--json", "--no-config")
    assert "options are taken" not in without.err
    assert without.json["target_schema"] == "public"
    assert without.json["config"] is None


def test_the_command_line_comes_on_top(odd: Path, tmp_path: Path) -> None:
    config = tmp_path / "some.toml"
    config.write_text('[move]\naccept = ["orphan-rows", "trigger-left-out"]\n[decisions]\n"*" = "widen"\n')
    found = call_ferry("check", odd, "--json", "--config", config, "--on-misfit", "text-too-long:*=widen")
    by = {finding["code"]: finding["decided_by"] for finding in found.json["findings"] if finding["accepted"]}
    assert by["text-too-long"] == "--on-misfit text-too-long:*=widen"
    assert by["value-misfit"] == f"{config}, [decisions] * = widen"
    assert by["orphan-rows"] == f"{config}, accept orphan-rows"
    alone = call_ferry("check", odd, "--json", "--no-config", "--accept", "all")
    assert {f["decided_by"] for f in alone.json["findings"] if f["accepted"]} == {"--accept all"}


def test_a_cast_on_the_command_line_comes_before_the_files(tmp_path: Path) -> None:
    """The first that matches counts."""
    config = tmp_path / "some.toml"
    config.write_text('[casts.columns]\n"purchase.*" = "text"\n')
    arguments = ["plan", "x", "--config", str(config), "--cast", "purchase.total=numeric(12,4)"]
    options = make_options(build_parser().parse_args(arguments))
    assert [cast.pg_type for cast in options.casts] == ["numeric(12,4)", "text"]


@pytest.mark.parametrize("options", [("--config", "none.toml"), ("--config", "bad.toml")])
def test_a_bad_file_is_one_usage_error(
    options: tuple[str, ...], shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text("[move]\nnaems = 1\n")
    assert_error(call_ferry("check", shop, "--json", *options), "usage", options[1], status=2)


def test_config_and_no_config_exclude_each_other(shop: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["check", str(shop), "--config", "x", "--no-config"])
    assert caught.value.code == 2


@pytest.mark.parametrize("option", ["--accept", "--only", "--exclude", "--write-config"])
@pytest.mark.parametrize("target", ["postgresql://me:hunter2@host/db", "dbname=x password=hunter2", "service=x"])
def test_an_option_that_swallowed_the_target(option: str, target: str, shop: Path) -> None:
    outcome = call_ferry("check", shop, option, target)
    assert_error(outcome, "usage", option, "TARGET", status=2)
    assert "hunter2" not in outcome.err


@pytest.mark.parametrize(
    "options",
    [
        Options(into="existing", names="lower"),
        Options(into="existing", nocase="bytes"),
        Options(into="existing", timestamps="timestamptz"),
        Options(into="existing", casts=(Cast(pg_type="text", column="*.*"),)),
        Options(into="existing", hooks=(Hook(point="after-data", file="a.sql", sql="SELECT 1", sha256=""),)),
    ],
)
def test_what_has_no_place_in_an_applications_schema_is_refused(options: Options, shop: Path, pg_url: str) -> None:
    for use in (pipeline.plan, pipeline.migrate, pipeline.verify):
        with pytest.raises(MigrationError) as raised:
            use(shop, pg_url, options)
        assert raised.value.code == "usage"


def test_a_wrong_command_line_is_json_too(shop: Path) -> None:
    outcome = run_ferry("migrate", shop, "--json", "--jobs", "0")
    assert outcome.status == 2
    assert (outcome.json["schema"], outcome.json["code"]) == ("liteferry.error/1", "usage")
    assert "--jobs" in outcome.json["what"]
    assert outcome.err.startswith("usage: ")
    assert run_ferry("nothing", "--json").json["code"] == "usage"


def test_the_question_names_the_files(shop: Path, tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1")
    config = tmp_path / "x.toml"
    config.write_text('[hooks]\nbefore-data = "a.sql"\n')
    asked = io.StringIO()

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    monkeypatch.setattr("sys.stderr", asked)
    assert main(["migrate", str(shop), pg_url, "--config", str(config)]) == 130
    assert ", and run 1 SQL file of yours? [y/N]" in asked.getvalue()
