"""Random values through a real server: the forms of both sides are equal exactly when the values are."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liteferry.compare import StorageValue, Text, canonical_source, canonical_target, parse_copy_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liteferry.model import Kind

Case: TypeAlias = tuple[StorageValue, str]
"""What SQLite stores, and the text that PostgreSQL is given for the same value."""

PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN_TEXT, inner, max_size=4),
    max_leaves=8,
)
DECIMALS = st.decimals(-(10**12), 10**12, places=6) | st.integers(-(10**30), 10**30).map(Decimal)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
EARLY, LATE = dt.datetime(1, 1, 3), dt.datetime(9999, 12, 29)  # noqa: DTZ001 - zones are drawn apart


def text(value: object) -> Text:
    return Text(str(value).encode())


def spell_stamp(moment: dt.datetime, separator: str, *, short: bool) -> Text:
    """One of the forms in which applications write a moment."""
    spelled = moment.isoformat(separator)
    return text(spelled.replace("+00:00", "Z") if short else spelled)


def spell_interval(us: int) -> Case:
    """An interval of days and a clock's time; in microseconds alone PostgreSQL would read a double."""
    days, rest = divmod(us, 86_400_000_000)
    return us, f"{days} days {rest // 1_000_000} seconds {rest % 1_000_000} microseconds"


CASES: dict[Kind, tuple[str, st.SearchStrategy[Case]]] = {
    "int2": ("smallint", st.integers(-(2**15), 2**15 - 1).map(lambda n: (n, str(n)))),
    "int4": ("integer", st.integers(-(2**31), 2**31 - 1).map(lambda n: (n, str(n)))),
    "int8": ("bigint", st.integers(-(2**63), 2**63 - 1).map(lambda n: (n, str(n)))),
    "float8": (
        "double precision",
        st.floats(allow_nan=False).map(lambda x: (x, repr(x)))
        | st.integers(-(2**53), 2**53).map(lambda n: (n, str(n))),
    ),
    "numeric": (
        "numeric",
        DECIMALS.map(lambda n: (text(n), f"{n:f}"))
        | st.floats(allow_nan=False, allow_infinity=False).map(lambda x: (x, repr(x)))
        | st.integers(-(2**63), 2**63 - 1).map(lambda n: (n, f"{n}.000")),
    ),
    "bool": ("boolean", st.sampled_from([(1, "t"), (0, "f"), (text("True"), "t"), (text("f"), "f")])),
    "text": ("text", PLAIN_TEXT.map(lambda value: (text(value), value)) | st.floats().map(lambda x: (x, repr(x)))),
    "bytea": ("bytea", st.binary(max_size=40).map(lambda value: (value, "\\x" + value.hex()))),
    "timestamp": (
        "timestamp",
        st.builds(
            lambda moment, separator: (spell_stamp(moment, separator, short=False), str(moment)),
            st.datetimes(EARLY, LATE),
            st.sampled_from(" T"),
        ),
    ),
    "timestamptz": (
        "timestamptz",
        st.builds(
            lambda moment, separator, short: (
                spell_stamp(moment, separator, short=short),
                str(moment.astimezone(dt.UTC)),
            ),
            st.datetimes(EARLY, LATE, timezones=ZONES),
            st.sampled_from(" T"),
            st.booleans(),
        )
        | st.datetimes(EARLY, LATE).map(lambda moment: (text(moment), f"{moment}Z")),
    ),
    "date": ("date", st.dates().map(lambda day: (text(day), str(day)))),
    "time": ("time", st.times().map(lambda clock: (text(clock), str(clock)))),
    "interval": ("interval", st.integers(-(10**15), 10**15).map(spell_interval)),
    "json": ("json", JSON.map(lambda value: (text(json.dumps(value)), json.dumps(value)))),
    "jsonb": (
        "jsonb",
        JSON.map(lambda value: (text(json.dumps(value)), json.dumps(value)))
        | JSON.map(lambda value: (text(json.dumps(value, indent=1, ensure_ascii=False)), json.dumps(value))),
    ),
    "uuid": (
        "uuid",
        st.uuids().map(lambda value: (text(value.hex), str(value)))
        | st.uuids().map(lambda value: (text(str(value).upper()), str(value)))
        | st.uuids().map(lambda value: (value.bytes, str(value))),
    ),
}
EQUALITY = {
    "float8": "float8send(l.v) = float8send(r.v)",  # -0 is not 0 here
    "json": "l.v::text = r.v::text",
}


@pytest.fixture
def session(pg_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(pg_url, autocommit=True) as connection:
        for setting in (
            "TimeZone = UTC",
            "DateStyle = ISO",
            "IntervalStyle = postgres",
            "extra_float_digits = 1",
            "bytea_output = hex",
        ):
            connection.execute(f"SET {setting}".encode())
        yield connection


@pytest.mark.parametrize("kind", CASES)
def test_forms_are_equal_exactly_when_the_values_are(session: psycopg.Connection, kind: Kind) -> None:
    pg_type, cases = CASES[kind]
    session.execute(f"CREATE TEMP TABLE given (n int, v {pg_type})".encode())
    insert = f"INSERT INTO given VALUES (%s, %s::{pg_type})".encode()
    equal = EQUALITY.get(kind, "l.v = r.v")
    pairs = f"SELECT l.n, r.n FROM given l JOIN given r ON l.n < r.n AND {equal}".encode()

    @given(st.lists(cases, min_size=2, max_size=30), st.data())
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def compare_all(values: list[Case], data: st.DataObject) -> None:
        values.append(data.draw(st.sampled_from(values)))  # one pair at least is equal
        session.execute("TRUNCATE given")
        with session.cursor() as cursor:
            cursor.executemany(insert, [(n, spelling) for n, (_, spelling) in enumerate(values)])
            with cursor.copy("COPY (SELECT v FROM given ORDER BY n) TO STDOUT") as copy:
                lines = b"".join(copy).split(b"\n")[:-1]
        forms = [canonical_target(parse_copy_line(line)[0], kind, pg_type) for line in lines]
        assert [canonical_source(value, kind, pg_type) for value, _ in values] == forms
        same = {(left, right) for left, right in combinations(range(len(forms)), 2) if forms[left] == forms[right]}
        assert same == set(session.execute(pairs).fetchall())

    compare_all()
