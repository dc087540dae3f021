"""When the application would take two values for the same, and how differences are told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from liteferry.django_project.inside.comparing import is_same, make_key, tell_error, tell_key, tell_values

NAN = float("nan")
NEW_YORK = ZoneInfo("America/New_York")
UUID_7 = UUID(int=7)


class Field:
    """As much of a field as is asked."""

    def __init__(self, kind: str = "CharField") -> None:
        """Hold it."""
        self._kind = kind

    def get_internal_type(self) -> str:
        return self._kind

    def get_prep_value(self, value: Any) -> Any:
        return getattr(value, "stored", value)


class Bare:
    """Knows no equality."""

    def __init__(self, **facts: Any) -> None:
        """Hold it."""
        self.__dict__.update(facts)


class Slotted:
    """Knows no equality, and shows nothing but what is stored of it."""

    __slots__ = ("stored",)

    def __init__(self, stored: object) -> None:
        """Hold it."""
        self.stored = stored


class Angry:
    """Cannot be compared."""

    def __init__(self, stored: str) -> None:
        """Hold it."""
        self.stored = stored

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compare yourself")

    __hash__ = None  # type: ignore[assignment]  # as classes with __eq__ have it


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, None),
        (1, 1),
        (1, 1.0),
        (10**23, 1e23),  # JSON's 1e23, as jsonb gives it back
        (10**400, float("inf")),
        (NAN, NAN),
        (Decimal("NaN"), Decimal("NaN")),
        (Decimal("1.10"), Decimal("1.1")),
        (b"a", memoryview(b"a")),
        ({"a": [1, None, {"b": NAN}]}, {"a": [1.0, None, {"b": NAN}]}),
        ([1, 2], (1, 2)),
        (dt.datetime(2024, 1, 1, 5, tzinfo=dt.UTC), dt.datetime(2024, 1, 1, 0, tzinfo=NEW_YORK)),
        (dt.datetime(2024, 11, 3, 6, 30, tzinfo=dt.UTC), dt.datetime(2024, 11, 3, 1, 30, fold=1, tzinfo=NEW_YORK)),
        (dt.timedelta(days=1), dt.timedelta(hours=24)),
        (Bare(amount=Decimal(1), parts=[1, 2]), Bare(amount=Decimal("1.0"), parts=[1, 2])),
        (Slotted("x"), Slotted("x")),
        (Angry("x"), Angry("x")),
    ],
)
def test_the_same(one: Any, other: Any) -> None:
    assert is_same(one, other, Field())
    assert is_same(other, one, Field())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, 0),
        (None, ""),
        (True, 1),
        (False, 0),
        (1, "1"),
        (1, Decimal(1)),
        (1.5, Decimal("1.5")),
        (UUID_7, str(UUID_7)),
        (NAN, 1.0),
        (b"a", "a"),
        ("a", "a "),
        ("2001:db8::1", "2001:DB8::1"),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": None}, {}),
        ({"a": [True]}, {"a": [1]}),
        ({"1": 2}, {1: 2}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        (dt.date(2024, 1, 1), dt.datetime(2024, 1, 1)),  # noqa: DTZ001 - without a zone is meant
        (dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)),  # noqa: DTZ001 - the same
        (dt.datetime(2024, 11, 3, 1, 30, tzinfo=NEW_YORK), dt.datetime(2024, 11, 3, 1, 30, fold=1, tzinfo=NEW_YORK)),
        (Bare(amount=1), Bare(amount=2)),
        (Bare(), Bare()),  # nothing is known of either
        (Bare(amount=1), Slotted(1)),
        (Slotted("x"), Slotted("y")),
        (Angry("x"), Angry("y")),
    ],
)
def test_not_the_same(one: Any, other: Any) -> None:
    assert not is_same(one, other, Field())
    assert not is_same(other, one, Field())


def test_addresses_are_the_same_however_they_are_written() -> None:
    field = Field("GenericIPAddressField")
    assert is_same("2001:DB8:0::1", "2001:db8::1", field)
    assert not is_same("2001:db8::1", "2001:db8::2", field)
    assert not is_same("somewhere", "2001:db8::2", field)


def test_what_leads_back_to_itself_ends() -> None:
    one, other = Bare(), Bare()
    vars(one).update(me=one)
    vars(other).update(me=other)
    assert not is_same(one, other, Field())


@pytest.mark.parametrize("key", [1, "a", b"a", memoryview(b"a"), (1, b"a"), [1, "b"], UUID_7, {"no": "hash"}])
def test_every_key_can_be_looked_up(key: Any) -> None:
    assert {make_key(key): 1}[make_key(key)] == 1


def test_keys_are_told() -> None:
    assert tell_key((1, "a", UUID_7)) == f"(1, 'a', {UUID_7})"
    assert len(tell_key("x" * 500)) == 80


def test_values_are_told_when_asked_for() -> None:
    assert tell_values("secret", "other", show=False) == "another value"
    assert tell_values("secret", 5, show=False) == "text in SQLite, number in PostgreSQL"
    assert tell_values("secret", 5, show=True) == "'secret' in SQLite, 5 in PostgreSQL"


class DatabaseError(Exception):
    """As psycopg's."""

    def __init__(self, sqlstate: str) -> None:
        """Hold it."""
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("message", "code", "told"),
    [
        ('invalid input syntax for type uuid: "secret"\nLINE 1', "22P02", "invalid input syntax for type uuid"),
        ('null value in column "id"\nDETAIL: secret', "23502", 'null value in column "id"'),
        ("Invalid isoformat string: 'secret'", "", "Invalid isoformat string: …"),
        ("“secret” is not a valid UUID.", "", "… is not a valid UUID."),
        ("", "", ""),
    ],
)  # fmt: skip
def test_errors_tell_no_value(message: str, code: str, told: str) -> None:
    error = ValueError(message)
    error.__cause__ = DatabaseError(code) if code else None
    assert tell_error(error, show=False) == (f"ValueError: {told}" if told else "ValueError")
    if "secret" in message.splitlines()[:1]:
        assert "secret" in tell_error(error, show=True)
