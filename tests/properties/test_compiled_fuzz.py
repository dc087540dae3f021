"""Random and damaged databases: the compiled parts answer what Python answers, and never do worse than fail."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from compiled_fuzz import QUESTIONS, assert_same_answers, flip_bits, write_values
from liteferry.compiled import VARIABLE, list_parts
from long_fuzz import PARTS, run_cases
from random_databases import Statement, databases, write_database

pytestmark = pytest.mark.skipif(
    not all(list_parts().values()), reason="not all compiled parts were built: they want a C compiler"
)

RANDOM = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


def check_random_database(statements: tuple[Statement, ...]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "x.sqlite"
        write_database(path, statements)
        assert_same_answers(path)


@settings(RANDOM, max_examples=40)
@given(statements=databases())
def test_random_databases(statements: tuple[Statement, ...]) -> None:
    check_random_database(statements)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@settings(RANDOM, max_examples=3000)
@given(statements=databases())
def test_random_databases_at_length(statements: tuple[Statement, ...]) -> None:
    check_random_database(statements)


def check_random_values(path: Path, seed: int, rows: int) -> None:
    write_values(path, random.Random(seed), rows)
    assert assert_same_answers(path) == len(QUESTIONS)


@pytest.mark.parametrize("seed", range(4))
def test_random_values(tmp_path: Path, seed: int) -> None:
    check_random_values(tmp_path / "x.sqlite", seed, 300)


def check_flipped_bits(directory: Path, seed: int, files: int) -> None:
    """Not what a run does, which has checked its copy: but the disk under it may lose a bit later."""
    chance = random.Random(seed)
    write_values(directory / "whole.sqlite", chance, 60)
    whole = (directory / "whole.sqlite").read_bytes()
    path = directory / "x.sqlite"
    answered = 0
    for _ in range(files):
        path.write_bytes(whole)
        flip_bits(path, chance)
        answered += assert_same_answers(path, is_damaged=True)
    assert answered > 0, "every flip made the file unreadable: the test proves nothing"


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits(tmp_path: Path, seed: int) -> None:
    check_flipped_bits(tmp_path, seed, 12)


@pytest.mark.parametrize("part", PARTS)
def test_some_cases_of_the_long_fuzz(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """`make slow` runs it for minutes, under the sanitizers."""
    monkeypatch.setenv(VARIABLE, "require")
    assert run_cases(part, seed=0, seconds=0, first=0) == 1
    assert run_cases(part, seed=0, seconds=0, first=7) == 1
