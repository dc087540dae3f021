"""Values of a column, a chunk of rows at a time. Pure and deterministic.

A maker gets the numbers of some rows, counted from 0, and gives one value a row; it is asked for all rows in order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

from liteferry.sample import words

if TYPE_CHECKING:
    from liteferry.sample.schema import Field

T = TypeVar("T")
Maker = Callable[[range], Iterable[object]]

RUN_DAYS: Final = 270
_FIRST: Final = datetime(2025, 1, 6, 1, 30)  # noqa: DTZ001 - stored without an offset, as Django does on SQLite
_STARTING: Final = ("start", "joined", "began", "initiated", "collected", "scheduled", "created")
_SUBJECT_LISTS: Final = ("focus_areas", "core_values", "goal_alignment", "areas_of_expertise", "competency_focus")


def seed_generator(name: str) -> Random:
    """A generator that gives the same numbers in every run, and others for every name."""
    return Random(name)  # noqa: S311 - plausible values, not secrets


def each(value: Callable[[int], object]) -> Maker:
    """A maker that asks for the value of every row by its number."""
    return lambda numbers: [value(number) for number in numbers]


def listed(values: Sequence[object]) -> Maker:
    """A maker of the given values, one a row."""
    return lambda numbers: values[numbers.start : numbers.stop]


def streamed(values: Iterator[T]) -> Callable[[range], list[T]]:
    """A maker of what an iterator gives, one a row."""
    return lambda numbers: list(islice(values, len(numbers)))


def always(value: object) -> Maker:
    """A maker of the same value for every row."""
    return lambda numbers: [value] * len(numbers)


def pick(rng: Random, values: Sequence[T]) -> T:
    """One of the values."""
    return values[int(rng.random() * len(values))]


def moment(seconds: float) -> str:
    """A timestamp as Django stores it on SQLite: in UTC, without offset; microseconds only where there are any."""
    return str(_FIRST + timedelta(seconds=seconds))


def day(days: float) -> str:
    """A date as Django stores it on SQLite."""
    return str(date(2025, 1, 6) + timedelta(days=int(days)))


def make_title(number: int) -> str:
    """A title, in turn."""
    return f"{words.ACTIONS[number % len(words.ACTIONS)]} {words.SUBJECTS[number * 7 % len(words.SUBJECTS)]}"


def make_values(field: Field, rng: Random) -> Maker:
    """A maker of plausible values for a column that points at nothing, by its description alone."""
    roll = rng.random
    if field.choices:
        return each(lambda _: pick(rng, field.choices))
    if field.unique:
        return each(lambda i: _unique_value(field, i))
    if field.null and field.kind not in ("json", "decimal", "date", "unsigned", "real"):
        return always(None)
    rarely = 0.15 if field.null else 0.0
    match field.kind:
        case "bool":
            likely = 0.95 if field.name in ("is_active", "auto_sync", "enabled", "is_available") else 0.1
            return each(lambda _: int(roll() < likely))
        case "integer" | "smallint" | "bigint" | "unsigned" | "smallunsigned":
            if "year" in field.name:
                first = 2029 if field.name.startswith("target") else 2024
                return each(lambda i: first + i % 3)
            limit = 100 if field.name == "progress" or "small" in field.kind else 5000
            return each(lambda _: None if roll() < rarely else int(roll() * roll() * limit))
        case "duration":
            return each(lambda _: int(roll() * 480) * 60_000_000)
        case "decimal":
            return each(lambda _: None if roll() < rarely else f"{roll() * roll() * 250_000:.2f}")
        case "real":
            return each(lambda _: None if roll() < rarely else roll())
        case "date":
            return each(lambda _: None if roll() < rarely else day(_offset_days(field, roll())))
        case "datetime":
            return each(lambda _: moment(86400 * _offset_days(field, roll())))
        case "time":
            return each(lambda _: f"{8 + int(roll() * 9):02}:{pick(rng, ('00', '15', '30', '45'))}:00")
        case "json":
            return each(lambda i: None if roll() < rarely else _json(field, rng, i))
        case "ip":
            return each(lambda _: f"203.0.113.{1 + int(roll() * 250)}")
        case "blob":
            return each(lambda _: bytes(int(roll() * 256) for _ in range(64)))
        case "email":
            return each(lambda i: f"office{i + 1}@example.org")
        case "slug":
            return each(lambda i: f"{field.name}-{i + 1}")
        case "text":
            return each(lambda _: pick(rng, words.SENTENCES))
    return _make_short_texts(field, rng)


def _make_short_texts(field: Field, rng: Random) -> Maker:
    """Texts for a short column: what its name asks for, else Django's empty text."""
    if field.name in words.CHOICES:
        return each(lambda _: pick(rng, words.CHOICES[field.name]))
    if field.name in ("title", "name", "object_repr", "metric_name"):
        return each(lambda _: make_title(int(rng.random() * 1000)))
    if field.name in ("contact_number", "phone"):
        return each(lambda _: f"+63 900 {int(rng.random() * 1000):03} {int(rng.random() * 10000):04}")
    return always("")


def _unique_value(field: Field, number: int) -> object:
    if field.kind == "unsigned":
        return 2025 + number
    if field.name == "code":
        return f"CODE-{number + 1:03}"
    subject = words.SUBJECTS[number % len(words.SUBJECTS)].capitalize()
    return subject if number < len(words.SUBJECTS) else f"{subject} {number + 1}"


def _offset_days(field: Field, roll: float) -> float:
    """Days since the first day. What starts does so in the first half of the time, all else in the second."""
    starts = any(word in field.name for word in _STARTING)
    return (roll if starts else 1 + roll) * RUN_DAYS / 2


def _json(field: Field, rng: Random, number: int) -> str:
    if field.name in _SUBJECT_LISTS:
        return json.dumps([pick(rng, words.SUBJECTS) for _ in range(number % 4)])
    return "{}" if number % 2 else "[]"
