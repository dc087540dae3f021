"""What Django's rules decide, and the conversions against Django's own converters."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import column
from liteferry.census import start_census
from liteferry.codecs import Misfit, make_encoder
from liteferry.compare import canonical_source, canonical_target
from liteferry.compare.conversions import convert_values
from liteferry.compare.storage import Digits, Text, Unclear
from liteferry.conversions import Unconvertible, make_quantiser
from liteferry.decisions import find_way
from liteferry.django_rules.values import decide_values, judge_values
from liteferry.model import Catalog, Census, ColumnMap, Options, Table
from liteferry.project import Project, ProjectDatabase, ProjectField, ProjectModel, ProjectPlace, ProjectSettings

if TYPE_CHECKING:
    from collections.abc import Callable

django = pytest.importorskip("django")

from django.db.backends.sqlite3.base import DatabaseOperations  # noqa: E402 - only where there is Django
from django.db.models import DecimalField  # noqa: E402 - the same
from django.db.models.expressions import Col  # noqa: E402 - the same
from django.utils.dateparse import parse_date, parse_datetime, parse_time  # noqa: E402 - the same

# ---------------------------------------------------------------------------------------------------------------------
# Django's own converters


def make_django_converter(digits: int, places: int) -> Callable[[Any], Decimal]:
    """What Django reads a value of a DecimalField's column in SQLite with."""
    field = DecimalField(max_digits=digits, decimal_places=places)
    operations = DatabaseOperations(SimpleNamespace(features=None))
    expression = Col("t", field, field)
    convert = operations.get_decimalfield_converter(expression)
    return lambda value: convert(value, expression, None)


WAY = "quantise-reals" if django.VERSION >= (6, 1) else "quantise"
NUMBERS = st.one_of(
    st.floats(allow_nan=False),
    st.floats(-(10**6), 10**6),
    st.decimals(-(10**8), 10**8, places=3).map(float),
    st.integers(-(10**8), 10**8).map(lambda number: number / 1000 + 0.0005),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([-0.0, 0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 2.675, 999999999999999.9, 1e22, 10**15]),
)


@given(st.tuples(st.integers(1, 40), st.integers(0, 30)).filter(lambda two: two[1] <= two[0]), NUMBERS)
def test_decimals_are_those_that_django_reads(limits: tuple[int, int], value: float) -> None:
    conversion = f"{WAY}:{limits[0]},{limits[1]}"
    target = ColumnMap(
        source="c",
        target="c",
        pg_type=f"numeric({limits[0]},{limits[1]})",
        kind="numeric",
        rule="",
        conversions=(conversion,),
    )
    (proven,) = convert_values([value], target, lambda _: b"")
    try:
        wanted = make_django_converter(*limits)(value)
    except InvalidOperation:
        with pytest.raises(Unconvertible):
            make_quantiser(conversion)(value)
        assert type(proven) is Unclear
        return
    assert str(make_quantiser(conversion)(value)) == str(wanted)
    assert Decimal(proven.decode() if isinstance(proven, Digits) else repr(proven)) == wanted
    assert make_encoder(target)(value) == make_encoder(replace(target, conversions=()))(f"{wanted:f}")


@given(st.one_of(st.uuids().map(str), st.uuids().map(lambda key: key.hex.upper()), st.text(max_size=40)))
def test_a_text_is_a_uuid_only_if_it_is_to_django(text: str) -> None:
    try:
        form = canonical_source(Text(text.encode()), "uuid", "uuid")
    except ValueError:
        return  # a finding: Django may read more spellings, such as urn:uuid:…
    assert form == canonical_target(str(uuid.UUID(text)).encode(), "uuid", "uuid")


@given(st.datetimes(), st.sampled_from([" ", "T"]), st.sampled_from(["auto", "seconds", "minutes", "milliseconds"]))
def test_times_are_those_that_django_reads(moment: datetime, separator: str, timespec: str) -> None:
    text = moment.isoformat(separator, timespec)
    read = parse_datetime(text)
    assert canonical_source(Text(text.encode()), "timestamp", "timestamp") == canonical_target(
        read.isoformat(" ").encode(), "timestamp", "timestamp"
    )
    clock = text[11:]
    assert canonical_source(Text(clock.encode()), "time", "time") == canonical_target(
        parse_time(clock).isoformat().encode(), "time", "time"
    )
    day = text[:10]
    assert canonical_source(Text(day.encode()), "date", "date") == canonical_target(
        parse_date(day).isoformat().encode(), "date", "date"
    )


@pytest.mark.parametrize("text", ["2024-01-01 00:00:00", "2024-1-1", "1700000000", "2024-02-30", ""])
def test_what_django_reads_as_no_date_is_none_here(text: str) -> None:
    """Django gives None or fails; that no row loses a value in silence, these are findings."""
    with pytest.raises(Misfit):
        make_encoder(ColumnMap(source="c", target="c", pg_type="date", kind="date", rule=""))(text)


@given(st.integers(-(2**63), 2**63 - 1))
def test_spans_are_written_as_psycopg_writes_a_timedelta(microseconds: int) -> None:
    field = make_encoder(ColumnMap(source="c", target="c", pg_type="interval", kind="interval", rule=""))(microseconds)
    span = timedelta(0, 0, microseconds)
    rest, days, months = (int.from_bytes(part, signed=True) for part in (field[4:12], field[12:16], field[16:]))
    assert (days, rest, months) == (span.days, span.seconds * 1_000_000 + span.microseconds, 0)


# ---------------------------------------------------------------------------------------------------------------------
# Decisions


def make_field(name: str, internal_type: str, **facts: Any) -> ProjectField:
    given = {"class_name": f"django.db.models.{internal_type}", "db_type": "", "sqlite_type": "", **facts}
    return ProjectField(name=name, column=given.pop("column", name), internal_type=internal_type, **given)


def make_model(label: str, *fields: ProjectField, **facts: Any) -> ProjectModel:
    app, _, name = label.partition(".")
    given = {"table": f"{app}_{name}".lower(), "managed": True, "allowed": True, "auto_created": False, **facts}
    return ProjectModel(label=label, app=app, name=name, fields=fields, **given)


def make_project(*models: ProjectModel, version: str = "5.2.1", zone: str = "", **settings: Any) -> Project:
    database = ProjectDatabase(alias="default", engine="", vendor="sqlite", name="db", time_zone=zone)
    facts = {"use_tz": True, "time_zone": "Europe/Berlin", **settings}
    return Project(
        place=ProjectPlace(directory="/p", manage="", settings="s", python="python"),
        settings=ProjectSettings(
            settings_module="s",
            base_dir="/p",
            django_version=version,
            python_version="3.11",
            psycopg_version="3",
            databases=(database,),
            **facts,
        ),
        alias="default",
        models=models,
        migrations=(),
    )


def make_catalog(**tables: tuple[str, ...]) -> Catalog:
    return Catalog(
        tables=tuple(
            Table(name=name, sql="", columns=tuple(column(called) for called in columns))
            for name, columns in tables.items()
        )
    )


TOTAL = make_field("total", "DecimalField")
AT = make_field("at", "DateTimeField")
ORDER = make_model("shop.Order", TOTAL, AT, make_field("data", "JSONField"), make_field("name", "CharField"))
ORDERS = make_catalog(shop_order=("id", "total", "at", "data", "name", "other"))


def list_ways(project: Project, catalog: Catalog = ORDERS) -> list[tuple[str, str]]:
    return [(found.place, found.way) for found in decide_values(project, catalog)]


ZONES = [
    ({}, ["timezone:UTC", "earlier"]),
    ({"zone": "America/New_York"}, ["timezone:America/New_York", "earlier"]),
    ({"use_tz": False}, ["timezone:Europe/Berlin", "later"]),
    ({"use_tz": False, "time_zone": "Etc/UTC"}, ["timezone:UTC", "later"]),
    ({"use_tz": False, "time_zone": ""}, []),
    ({"use_tz": False, "zone": "America/New_York"}, ["timezone:Europe/Berlin", "later"]),
]


@pytest.mark.parametrize(("settings", "ways"), ZONES)
def test_whose_local_times_are_meant(settings: dict[str, Any], ways: list[str]) -> None:
    found = list_ways(make_project(make_model("shop.Order", AT), **settings))
    assert found == [("shop_order.at", way) for way in ways]


@pytest.mark.parametrize(
    ("version", "way"),
    [("4.2.30", "quantise"), ("6.0", "quantise"), ("6.1a1", "quantise-reals"), ("6.10", "quantise-reals")],
)
def test_how_decimals_are_read_depends_on_the_version(version: str, way: str) -> None:
    assert list_ways(make_project(make_model("shop.Order", TOTAL), version=version)) == [("shop_order.total", way)]


def test_the_times_of_migrations_are_no_models_of_the_project() -> None:
    catalog = make_catalog(django_migrations=("id", "app", "name", "applied"))
    assert list_ways(make_project(ORDER, use_tz=False), catalog) == [
        ("django_migrations.applied", "timezone:Europe/Berlin"),
        ("django_migrations.applied", "later"),
    ]


def test_every_decision_names_its_field() -> None:
    origins = {found.way: found.origin for found in decide_values(make_project(ORDER), ORDERS)}
    assert origins == {
        "quantise": "Django: DecimalField shop.Order.total",
        "timezone:UTC": "Django: DateTimeField shop.Order.at (USE_TZ, UTC)",
        "earlier": "Django: DateTimeField shop.Order.at (USE_TZ, UTC)",
        "last-key": "Django: JSONField shop.Order.data",
    }


def test_a_relation_holds_the_values_of_what_it_points_at() -> None:
    rate = make_model("shop.Rate", make_field("key", "DecimalField", primary_key=True))
    part = make_model(
        "shop.Part",
        make_field("rate", "OneToOneField", column="rate_id", related="shop.Rate", related_column="key"),
    )
    use = make_model(
        "shop.Use", make_field("part", "ForeignKey", column="part_id", related="shop.Part", related_column="rate_id")
    )
    catalog = make_catalog(shop_rate=("key",), shop_part=("rate_id",), shop_use=("id", "part_id"))
    assert list_ways(make_project(use, part, rate), catalog) == [
        ("shop_use.part_id", "quantise"),
        ("shop_part.rate_id", "quantise"),
        ("shop_rate.key", "quantise"),
    ]


def test_a_relation_in_a_circle_is_followed_no_further() -> None:
    own = make_field("own", "OneToOneField", related="shop.Own", related_column="own")
    assert not list_ways(make_project(make_model("shop.Own", own)), make_catalog(shop_own=("own",)))


def test_where_two_models_share_a_table_the_one_that_made_it_speaks() -> None:
    other = make_model("old.Order", make_field("total", "JSONField"), table="shop_order", managed=False)
    assert list_ways(make_project(other, ORDER))[0] == ("shop_order.total", "quantise")


def test_names_are_no_patterns_and_mind_no_case() -> None:
    odd = make_model("shop.Odd", make_field("total", "DecimalField", column="TOTAL"), table="odd[1]*")
    catalog = make_catalog(**{"Odd[1]*": ("total",), "Odd1x": ("total",)})
    (decision,) = decide_values(make_project(odd), catalog)
    options = Options(decisions=(decision,))
    assert find_way("decimal-excess", "Odd[1]*.total", {"quantise"}, options) == "quantise"
    assert not find_way("decimal-excess", "Odd1x.total", {"quantise"}, options)


def test_a_users_decision_wins() -> None:
    from liteferry.choosing import choose_conversions
    from liteferry.decisions import parse_decision

    given = decide_values(make_project(ORDER, use_tz=False), ORDERS)
    options = Options(decisions=(*given, parse_decision("shop_order.at=timezone:Asia/Tokyo")))
    table = ORDERS.table("shop_order")
    assert choose_conversions(table, table.columns[2], options, "timestamptz") == ("timezone:Asia/Tokyo", "later")
    assert choose_conversions(table, table.columns[2], Options(decisions=given), "timestamptz") == (
        "timezone:Europe/Berlin",
        "later",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Findings


def count(catalog: Catalog, demanded: dict[str, str], **values: tuple[object, ...]) -> Census:
    (table,) = catalog.tables
    accumulator = start_census(table, demanded)
    length = max(map(len, values.values()))
    for number in range(length):
        row = [values[name.name][number] if name.name in values else None for name in table.columns]
        accumulator.add_batch([(*row, number + 1)])
    return Census(tables=(accumulator.finish(),))


CUSTOM = [
    ("bigint", "interval", True),
    ("text", "text[]", False),  # target-type-unknown
    ("text", "point", False),
    ("char(39)", "inet", False),
    ("integer", "inet", True),
    ("text", "citext", False),
    ("text", "bytea", True),
    ("integer", "boolean", True),
    ("text", "bigint", True),
    ("text", "text", False),
    ("varchar(20)", "varchar(20)", False),
    ("char(32)", "uuid", False),
    ("text", "jsonb", False),
    ("decimal", "numeric(10, 2)", False),
    ("real", "numeric(10, 2)", False),
    ("bigint", "integer", False),
    ("", "interval", False),
]


@pytest.mark.parametrize(("stored", "wanted", "is_found"), CUSTOM)
def test_a_custom_field_with_two_forms_is_a_finding(stored: str, wanted: str, *, is_found: bool) -> None:
    field = make_field("span", "SpanField", class_name="shop.SpanField", sqlite_type=stored, db_type=wanted)
    catalog = make_catalog(shop_part=("span",))
    census = count(catalog, {}, span=("1",))
    for custom in (True, False):
        project = make_project(make_model("shop.Part", replace(field, custom=custom)))
        found = [one.code for one in judge_values(project, catalog, census)]
        assert found == (["django-custom-field"] if is_found and custom else [])


def test_words_in_a_boolean_column_are_a_finding() -> None:
    catalog = make_catalog(shop_part=("yes", "sure"))
    census = count(
        catalog, {"yes": "boolean", "sure": "boolean"}, yes=(1, 0, "true", "f", None), sure=(1, 0, 1, 0, None)
    )
    model = make_model("shop.Part", make_field("yes", "BooleanField"), make_field("sure", "BooleanField"))
    (found,) = judge_values(make_project(model), catalog, census)
    assert (found.code, found.place, found.count, found.blocks) == ("django-boolean-word", "shop_part.yes", 2, True)


def test_only_tables_that_were_counted_are_judged() -> None:
    field = make_field("span", "SpanField", sqlite_type="bigint", db_type="interval", custom=True)
    assert not judge_values(
        make_project(make_model("shop.Part", field)), make_catalog(shop_part=("span",)), Census(tables=())
    )
