from __future__ import annotations

import pytest

from liteferry.decisions import demand_types, find_cast, find_way, parse_cast, parse_decision
from liteferry.errors import MigrationError
from liteferry.model import Cast, Catalog, Column, Decision, Options, Table
from liteferry.typemap import classify_column


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("customer.age=quarantine", Decision(place="customer.age", way="quarantine")),
        ("text-nul:a.b=strip-nul", Decision(code="text-nul", place="a.b", way="strip-nul")),
        ("a:b.c=null", Decision(place="a:b.c", way="null")),
        ("a=b.c=d=null", Decision(place="a=b.c=d", way="null")),
        ("e.at=timezone:Europe/Berlin", Decision(place="e.at", way="timezone:Europe/Berlin")),
    ],
)
def test_parse_decision(text: str, decision: Decision) -> None:
    assert parse_decision(text) == decision


@pytest.mark.parametrize("text", ["", "null", "=null", "a.b=", "a.b=drop", "a.b=timezone", "a.b=null:x"])
def test_a_decision_without_place_or_way_is_refused(text: str) -> None:
    with pytest.raises(MigrationError) as raised:
        parse_decision(text)
    assert raised.value.code == "usage"
    assert raised.value.hint


def test_the_last_decision_that_offers_the_way_counts() -> None:
    decisions = ("*=widen", "a.*=quarantine", "text-nul:a.b=strip-nul", "a.b=epoch-s")
    options = Options(decisions=tuple(map(parse_decision, decisions)))
    offered = {"widen", "quarantine", "strip-nul"}
    assert find_way("text-nul", "a.b", offered, options) == "strip-nul"
    assert find_way("text-invalid", "a.b", offered, options) == "quarantine"
    assert find_way("text-nul", "b.b", offered, options) == "widen"
    assert find_way("text-nul", "b.b", {"null"}, options) == ""


def test_the_first_cast_that_matches_counts() -> None:
    casts = (Cast(column="a.id", pg_type="int"), Cast(declared_type="Integer  Unsigned", pg_type="bigint"))
    assert find_cast("a", "id", "integer unsigned", casts) == "int"
    assert find_cast("a", "n", "integer unsigned", casts) == "bigint"
    assert find_cast("a", "n", "integer", casts) == ""


@pytest.mark.parametrize(
    "pg_type",
    [
        'in the target: enum ["text); DROP TABLE other; --", "a"]',
        "in the target: citext",
        "text); DROP TABLE other; --",
        "numeric(5,2); DROP TABLE other",
        "numeric(5,2 and more)",
        "numeric(1,2,3)",
        "numeric(0)",
        "numeric(1001,2)",
        "varchar(0)",
        "varchar(-1)",
        "varchar(10485761)",
        "time(3)",
    ],
)
def test_a_cast_to_what_is_no_type_of_ours_never_reaches_the_server(pg_type: str) -> None:
    column = Column(name="x", declared_type="TEXT", affinity="TEXT")
    table = Table(name="t", sql="", columns=(column,))
    options = Options(casts=(Cast(column="t.x", pg_type=pg_type),))

    def choose() -> None:
        classify_column(table, column, demand_types(Catalog(tables=(table,)), options)["t"]["x"])

    with pytest.raises(MigrationError, match="cannot fill a column of type") as caught:
        choose()
    assert caught.value.code == "usage"


@pytest.mark.parametrize("text", ["", "a.b", "=int", "a.b= "])
def test_a_cast_without_column_or_type_is_refused(text: str) -> None:
    with pytest.raises(MigrationError):
        parse_cast(text)
