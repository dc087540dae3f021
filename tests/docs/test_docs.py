"""The documentation says everything, says it of this version, and is built without a warning."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import liteferry
from liteferry.cli import build_parser, parse_arguments
from liteferry.config import MOVE_KEYS, POINTS, SECTIONS
from liteferry.errors import CODES, EXIT_STATUSES
from liteferry.findings import FINDINGS, WAYS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PROSE = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("liteferry_docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next of its level or above."""
    level = heading.partition(" ")[0]
    match = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", page, re.MULTILINE | re.DOTALL)
    assert match, f"no heading {heading!r}"
    return match[1]


def walk_commands(parser: argparse.ArgumentParser, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, nested in action.choices.items():
                yield (*names, name)
                yield from walk_commands(nested, (*names, name))


def options_of(names: tuple[str, ...]) -> set[str]:
    parser = build_parser()
    for name in names:
        choices = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        parser = choices[0][name]
    return {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}


# ---------------------------------------------------------------------------------------------------------------------
# Everything is documented


def test_generated_pages_are_up_to_date() -> None:
    assert load_generator().find_outdated(REFERENCE) == []


def test_an_outdated_page_is_noticed(tmp_path: Path) -> None:
    generator = load_generator()
    for name, text in generator.build_pages().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "errors.md").write_text("# Errors\n", encoding="utf-8")
    (tmp_path / "types.md").unlink()
    assert generator.find_outdated(tmp_path) == ["errors.md", "types.md"]


@pytest.mark.parametrize("names", list(walk_commands(build_parser())), ids=" ".join)
def test_every_command_and_option_is_documented(names: tuple[str, ...]) -> None:
    page = section(read("commands.md"), "#" * (1 + len(names)) + " " + " ".join(names)).partition("\n### ")[0]
    arguments = re.findall(r"^\| `([^`]+)` \| \S", page, re.MULTILINE)
    assert {option for text in arguments for option in re.findall(r"(?<!\S)-[\w-]+", text)} == options_of(names)


def test_every_exit_status_is_documented() -> None:
    page = read("exit-status.md")
    assert all(
        re.search(rf"^\| {int(status)} \| {status.name.lower()} \| \S", page, re.MULTILINE) for status in EXIT_STATUSES
    )


def test_the_example_of_the_configuration_file_is_one(tmp_path: Path) -> None:
    page = read("config-file.md")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "sql").mkdir()
    for name in re.findall(r'"(sql/[^"]+)"', example):
        (tmp_path / name).write_text("SELECT 1")
    (tmp_path / "liteferry.toml").write_text(example)
    options = liteferry.read_config(tmp_path / "liteferry.toml")
    assert (options.schema, options.names, len(options.hooks)) == ("sales", "lower", 2)
    for words in (SECTIONS, MOVE_KEYS, WAYS, POINTS):
        assert all(re.search(rf"^\| `{re.escape(word)}` \| \S", page, re.MULTILINE) for word in words)


def test_every_error_code_is_documented_and_nothing_else() -> None:
    assert re.findall(r"^## (.+)$", read("errors.md"), re.MULTILINE) == list(CODES)
    assert all(section(read("errors.md"), f"## {code}").strip() for code in CODES)
    assert set(load_generator().ADVICE) <= set(CODES)


def test_every_way_out_is_documented() -> None:
    page = read("findings.md")
    assert re.findall(r'^\| <a id="way-(.+?)">', page, re.MULTILINE) == list(WAYS)


def test_every_finding_code_is_documented_and_nothing_else() -> None:
    page = read("findings.md")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(FINDINGS)
    for code, kind in FINDINGS.items():
        assert (f"--accept {code}" in section(page, f"## {code}")) == bool(kind.if_accepted)


def test_every_public_name_is_documented() -> None:
    page = read("python-api.md")
    names = set(liteferry.__all__)
    assert {
        name for name in names if re.search(rf"^### {name}$|^## {name}$|`(liteferry\.)?{name}`", page, re.MULTILINE)
    } == names


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        re.split(r"[\[><=; ]", line)[0] for line in (*project["dependencies"], *extras["embedded"], *extras["test"])
    }
    explained = re.findall(r"^\| `([\w-]+)` \| \S", read("dependencies.md"), re.MULTILINE)
    assert set(explained) == wanted - {"liteferry"}
    assert len(explained) == len(set(explained))


# ---------------------------------------------------------------------------------------------------------------------
# What the prose says can be typed


def find_command_lines() -> Iterator[tuple[str, str]]:
    """The command lines in blocks without a language or in a shell's."""
    for path in PROSE:
        language: str | None = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("```"):
                language = line.removeprefix("```") if language is None else None
            elif language in {"", "sh", "console"} and re.match(r"(\$ )?liteferry ", line):
                yield f"{path.relative_to(ROOT)}", line.removeprefix("$ ")


def test_there_are_command_lines_to_look_at() -> None:
    assert len(list(find_command_lines())) > 30


@pytest.mark.parametrize(("page", "line"), list(find_command_lines()))
def test_command_lines_are_understood(page: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(line, comments=True)
    if ">" in words:
        words = words[: words.index(">")]
    try:
        parse_arguments(words[1:])
    except SystemExit as error:
        if error.code:
            pytest.fail(f"{page}: {line}: {capsys.readouterr().err}")


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_codes_in_the_prose_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    accepted = set(re.findall(r"--accept '?([a-z]+-[a-z-]+)", text))
    assert accepted <= set(FINDINGS)
    assert set(re.findall(r"errors\.md#([\w-]+)", text)) <= set(CODES)
    assert set(re.findall(r"(?<!decide-)findings\.md#([\w-]+)", text)) <= set(FINDINGS)


# ---------------------------------------------------------------------------------------------------------------------
# The site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(directory)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},  # an advertisement, not a warning about these pages
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr, result.stderr
    return directory


def test_the_site_is_built_without_a_warning(site: Path) -> None:
    pages = {path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md")}
    built = {path.parent.relative_to(site) for path in site.rglob("index.html")}
    assert {page for page in pages if page.name != "index"} <= built
    assert not (site / "generate.py").exists()


LOADED = re.compile(
    r"""<(?:script|img|iframe)[^>]+src=["']?(?:https?:)?//"""
    r"""|<link[^>]+rel=["']?(?:stylesheet|preconnect|preload)[^>]*href=["']?(?:https?:)?//"""
    r"""|url\(["']?(?:https?:)?//|@import"""
)


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    looked_at = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]
    assert len(looked_at) > len(list(DOCS.rglob("*.md")))
    assert [path for path in looked_at if LOADED.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    [
        '<link rel="stylesheet" href="https://fonts.example/x.css">',
        "<script src=//cdn.example/x.js>",
        "a { background: url('https://img.example/x.png') }",
    ],
)
def test_what_is_loaded_from_elsewhere_is_seen(text: str) -> None:
    assert LOADED.search(text)
