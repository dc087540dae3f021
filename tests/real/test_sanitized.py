"""The compiled parts under AddressSanitizer and UndefinedBehaviorSanitizer, in the tests that are made for them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from building import ROOT, copy_tree, has_compiler, run_setup

if TYPE_CHECKING:
    from pathlib import Path

SUITES = (
    "properties/test_compiled_*.py",
    "properties/test_encoder*.py",
    "real/test_compiled_*.py",
    "real/test_index_check.py",
)  # fmt: skip


def find_runtime() -> str:
    """The sanitizer's library, which must be there before the interpreter; "" where there is none."""
    if not has_compiler():
        return ""
    compiler = os.environ.get("CC", "cc")
    found = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=False)
    path = found.stdout.strip()
    return path if path.startswith("/") else ""  # the bare name, where it has none


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not find_runtime(), reason="no C compiler with AddressSanitizer"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    return copy_tree(tmp_path / "tree")


def run_sanitized(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Build a tree with the sanitizers, and run tests with what was built."""
    built = run_setup(tree, "build_ext", "--inplace", env={"LITEFERRY_BUILD": "sanitize"})
    assert built.returncode == 0, built.stderr
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / "src"),
        "LD_PRELOAD": find_runtime(),
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter leaves much for the system to take back
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "LITEFERRY_COMPILED": "require",
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-s", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("suite", SUITES)
def test_sanitizers_find_nothing(tree: Path, suite: str) -> None:
    files = [str(path) for path in (ROOT / "tests").glob(suite)]
    assert files
    done = run_sanitized(tree, "-m", "not slow", *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_long_fuzzing_under_the_sanitizers(tree: Path) -> None:
    done = run_sanitized(
        tree, "-k", "values_at_length or bits_at_length", str(ROOT / "tests/properties/test_compiled_fuzz.py")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_an_overflow_would_be_found(tree: Path) -> None:
    """A fault is planted: a text's last byte and one more. Else all of the above might be looked at by nobody."""
    path = tree / "src/liteferry/compiled/checker_values.h"
    sound = "memcpy(kept->buffer, value->bytes, value->size);"
    text = path.read_text()
    assert text.count(sound) == 1
    path.write_text(text.replace(sound, sound.replace("value->size", "value->size + 1")))
    done = run_sanitized(tree, "-k", "test_sound_index_is_in_no_doubt", str(ROOT / "tests/real/test_index_check.py"))
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
