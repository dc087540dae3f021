"""The compiled parts under AddressSanitizer and UndefinedBehaviorSanitizer: in tests made for them, and at random."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest

from building import ROOT, copy_tree, has_compiler, run_setup
from long_fuzz import PARTS

if TYPE_CHECKING:
    from pathlib import Path

SUITES = (
    "properties/test_compiled_*.py",
    "properties/test_encoder*.py",
    "real/test_compiled_*.py",
    "real/test_index_check.py",
)  # fmt: skip
SECONDS: Final = float(os.environ.get("LITEFERRY_FUZZ_SECONDS", "300"))
"""How long the processor works at each part, with random input."""
SEED: Final = int(os.environ.get("LITEFERRY_FUZZ_SEED", random.SystemRandom().getrandbits(32)))


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
    pytest.mark.timeout(7200 + 10 * SECONDS),
    pytest.mark.skipif(not find_runtime(), reason="no C compiler with AddressSanitizer"),
]


def build_sanitized(tree: Path) -> Path:
    """Build a tree's compiled parts with the sanitizers."""
    built = run_setup(tree, "build_ext", "--inplace", env={"LITEFERRY_BUILD": "sanitize"})
    assert built.returncode == 0, built.stderr
    return tree


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_sanitized(copy_tree(tmp_path_factory.mktemp("sanitized")))


def sanitized_environment(tree: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(tree / "src"),
        "LD_PRELOAD": find_runtime(),
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter leaves much for the system to take back
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",  # else the ends of small objects are nobody's, and reading beyond them is not seen
        "LITEFERRY_COMPILED": "require",
    }


def run_sanitized(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tests with what was built."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-s", *arguments],
        cwd=ROOT,
        env=sanitized_environment(tree),
        capture_output=True,
        text=True,
        check=False,
    )


def run_fuzz(tree: Path, part: str, errors: Path, *, seed: int, seconds: float) -> tuple[int, str]:
    """Try a part at random, and tell how far it is. Returns the exit status, and what the last line said."""
    command = [sys.executable, "tests/long_fuzz.py", part, "--seed", str(seed), "--seconds", str(seconds)]
    last, told_at = "", time.monotonic()
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            command, cwd=ROOT, env=sanitized_environment(tree), stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as running,
    ):
        assert running.stdout is not None
        for line in running.stdout:
            if not last or time.monotonic() > told_at + 15:
                told_at = time.monotonic()
                sys.stderr.write(line)
            last = line
    sys.stderr.write(last)
    return running.returncode, last


@pytest.mark.parametrize("suite", SUITES)
def test_sanitizers_find_nothing(sanitized: Path, suite: str) -> None:
    files = [str(path) for path in (ROOT / "tests").glob(suite)]
    assert files
    done = run_sanitized(sanitized, "-m", "not slow", *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.parametrize("part", PARTS)
def test_long_fuzzing_under_the_sanitizers(
    sanitized: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], part: str
) -> None:
    with capfd.disabled():  # one wants to see how far it is
        status, last = run_fuzz(sanitized, part, tmp_path / "errors", seed=SEED, seconds=SECONDS)
    assert status == 0, last + (tmp_path / "errors").read_text()
    assert "nothing found" in last


FAULTS: Final = {
    "encoder": (
        "encoder_output.h",
        "room = (size_t)(out->end - out->at),",
        "room = (size_t)(out->end - out->at) + 64,",
    ),
    "counter": ("counter_json.h", "realloc(json->hashes, room * ", "realloc(json->hashes, (room - 1) * "),
    "comparer": ("comparer_json.h", "realloc(items, wanted * ", "realloc(items, (wanted - 1) * "),
    "checker": ("checker_values.h", "realloc(kept->buffer, value->size)", "realloc(kept->buffer, value->size - 1)"),
}
"""In each part one that writes beyond what it has, where only large or many values get to."""


def plant(tree: Path, part: str) -> Path:
    """Build a tree with a part's fault."""
    name, sound, faulty = FAULTS[part]
    path = tree / "src/liteferry/compiled" / name
    text = path.read_text()
    assert text.count(sound) == 1
    path.write_text(text.replace(sound, faulty))
    return build_sanitized(tree)


@pytest.mark.parametrize("part", FAULTS)
def test_an_overflow_would_be_found_at_random(tmp_path: Path, part: str) -> None:
    """Else all of the above might be looked at by nobody."""
    tree = plant(copy_tree(tmp_path), part)
    status, last = run_fuzz(tree, part, tmp_path / "errors", seed=1, seconds=120)
    assert status != 0
    assert last.startswith(f"{part}: seed 1, case ")
    errors = (tmp_path / "errors").read_text()
    assert "heap-buffer-overflow" in errors
    assert f"_{part}.c" in errors or FAULTS[part][0] in errors, errors


def test_an_overflow_would_be_found_by_the_tests(tmp_path: Path) -> None:
    tree = plant(copy_tree(tmp_path), "checker")
    done = run_sanitized(tree, "-k", "test_sound_index_is_in_no_doubt", str(ROOT / "tests/real/test_index_check.py"))
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
