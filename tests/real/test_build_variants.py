"""liteferry is built with its compiled parts, without them, or not at all where they are demanded and cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

import pytest

from building import ROOT, clean_environment, copy_tree, has_compiler, run_setup
from harness import make_shop

if TYPE_CHECKING:
    from pathlib import Path

NO_COMPILER = {"CC": "/bin/false"}
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="no C compiler with Python's and SQLite's headers")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    return copy_tree(tmp_path / "tree")


def list_built(tree: Path) -> list[str]:
    return sorted(path.name.partition(".")[0] for path in (tree / "src/liteferry/compiled").glob("*.so"))


def test_installed_without_a_compiler(tree: Path, tmp_path: Path, pg_url: str) -> None:
    """``pip install .`` succeeds, says what is missing, and what it installs moves a database."""
    place = tmp_path / "site"
    options = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--target", place)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, tree],
        env={**clean_environment(), **NO_COMPILER},
        check=True,
        capture_output=True,
    )
    assert not list(place.rglob("*.so"))
    assert (place / "liteferry/compiled/__init__.py").exists()

    def run(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "liteferry", *arguments],
            env={**clean_environment(), "PYTHONPATH": str(place), **env},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert "compiled parts: none" in run("--version").stdout
    source = make_shop(tmp_path / "shop.sqlite")
    moved = run("migrate", source, pg_url, "--yes", "--json", "--run-dir", tmp_path / "run")
    assert moved.returncode == 0, moved.stderr
    assert '"compiled": []' in moved.stdout or '"compiled":[]' in moved.stdout
    refused = run("inspect", source, LITEFERRY_COMPILED="require")
    assert refused.returncode == 2
    assert "was not built" in refused.stderr


def test_a_part_that_cannot_be_loaded_is_missing(tmp_path: Path) -> None:
    """As where SQLite's library, which it was linked with, was taken away."""
    (tmp_path / f"_comparer{EXTENSION_SUFFIXES[0]}").write_bytes(b"\x7fELF no more")
    looking = f"import liteferry.compiled as c; c.__path__ = [{str(tmp_path)!r}]; print(c.find_part('_comparer'))"
    env = {**os.environ, "LITEFERRY_COMPILED": ""}
    done = subprocess.run([sys.executable, "-c", looking], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


def test_what_is_demanded_and_cannot_be_built_is_an_error(tree: Path) -> None:
    done = run_setup(tree, "build_ext", "--inplace", env={**NO_COMPILER, "LITEFERRY_BUILD": "require"})
    assert done.returncode != 0
    assert "/bin/false" in done.stderr
    assert list_built(tree) == []


def test_the_continuous_integration_demands_them(tmp_path: Path) -> None:
    """What it runs is ``make``: one that says what it was told stands in for it."""
    (tmp_path / "make").write_text('#!/bin/sh\necho "$LITEFERRY_BUILD $LITEFERRY_COMPILED $*"\n')
    (tmp_path / "make").chmod(0o755)
    env = {**clean_environment(), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([ROOT / ".ci" / "run"], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == ["require", "require"]
    assert done.stdout.split()[-1] == "test"


def test_optional_parts_are_passed_over(tree: Path) -> None:
    done = run_setup(tree, "build_ext", "--inplace", env=NO_COMPILER)
    assert done.returncode == 0, done.stderr
    assert list_built(tree) == []


def test_nothing_is_tried_where_nothing_is_wanted(tree: Path) -> None:
    done = run_setup(tree, "build_ext", "--inplace", env={**NO_COMPILER, "LITEFERRY_BUILD": "none"})
    assert (done.returncode, done.stderr) == (0, "")


def test_another_word_is_refused(tree: Path) -> None:
    done = run_setup(tree, "build_ext", env={"LITEFERRY_BUILD": "yes"})
    assert done.returncode != 0
    assert "LITEFERRY_BUILD is 'yes': it has to be one of optional, require, none, sanitize" in done.stderr


@needs_compiler
def test_every_part_is_built_without_a_warning(tree: Path) -> None:
    done = run_setup(
        tree,
        "build_ext",
        "--inplace",
        env={"LITEFERRY_BUILD": "require", "CFLAGS": "-Werror -Wno-error=unused-function"},
    )
    assert done.returncode == 0, done.stderr
    sources = sorted(path.stem for path in (tree / "src/liteferry/compiled").glob("_*.c"))
    assert list_built(tree) == sources
    assert len(sources) == 4


@needs_compiler
def test_nothing_of_an_earlier_build_gets_into_a_wheel(tree: Path, tmp_path: Path) -> None:
    """As pip builds, in the tree; and what setuptools finds in its build directory, it takes along."""

    def build_wheel(place: str, **env: str) -> set[str]:
        """The files of the package that the compiler makes, and the module that comes and goes."""
        done = run_setup(tree, "bdist_wheel", "--dist-dir", str(tmp_path / place), env=env)
        assert done.returncode == 0, done.stderr
        (wheel,) = (tmp_path / place).glob("*.whl")
        names = [name.rpartition("/")[2].partition(".")[::2] for name in zipfile.ZipFile(wheel).namelist()]
        assert ("encoding", "py") in names
        return {name for name, suffix in names if name == "gone" or suffix.endswith("so")}

    gone = tree / "src/liteferry/compiled/gone.py"
    gone.write_text("")
    assert build_wheel("first", LITEFERRY_BUILD="require") == {"_checker", "_comparer", "_counter", "_encoder", "gone"}
    gone.unlink()
    assert build_wheel("second", **NO_COMPILER) == set()


def test_the_source_distribution_holds_what_the_build_needs(tree: Path, tmp_path: Path) -> None:
    done = run_setup(tree, "sdist", "--dist-dir", str(tmp_path / "dist"))
    assert done.returncode == 0, done.stderr
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as contents:
        held = {name.partition("/")[2] for name in contents.getnames()}
    compiled = {
        f"src/liteferry/compiled/{path.name}"
        for path in (tree / "src/liteferry/compiled").iterdir()
        if path.suffix in {".c", ".h", ".py", ".pyi"}
    }
    templates = {
        f"src/liteferry/report/templates/{path.name}" for path in (tree / "src/liteferry/report/templates").iterdir()
    }
    assert {
        "setup.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "src/liteferry/py.typed",
    } | compiled | templates <= held
