"""Builds of liteferry in a place of their own: nothing is left in the source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parent.parent
_FILES: Final = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")


def copy_tree(place: Path) -> Path:
    """Copy what a package is built from, without what was built before; where it is."""
    shutil.copytree(
        ROOT / "src", place / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info", "*.o")
    )
    for name in _FILES:
        shutil.copy(ROOT / name, place / name)
    return place


def run_setup(tree: Path, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run setup.py in a tree, with nothing set about building but what env says."""
    return subprocess.run(
        [sys.executable, "setup.py", "-q", *arguments],
        cwd=tree,
        env={**clean_environment(), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def clean_environment() -> dict[str, str]:
    """Our environment without what is said in it about building, and about where liteferry is."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"CC", "CFLAGS", "LDFLAGS", "PYTHONPATH", "LITEFERRY_BUILD", "LITEFERRY_COMPILED"}
    }


def has_compiler() -> bool:
    """Whether the compiled parts can be built here."""
    program = "#include <Python.h>\n#include <sqlite3.h>\n"
    import sysconfig

    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return False
    include = sysconfig.get_path("include")
    done = subprocess.run(
        [compiler, "-I", include, "-fsyntax-only", "-x", "c", "-"],
        input=program,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0
