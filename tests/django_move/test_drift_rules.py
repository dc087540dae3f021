"""What the comparison takes for the same, and how its findings join the planner's: tables of cases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from liteferry.django_rules.causes import explain_missing_column
from liteferry.django_rules.drift import explain_findings, find_drift
from liteferry.django_rules.models import compare_models, simplify_pg_type
from liteferry.django_rules.spelling import is_field_check, list_names, read_condition, read_sql, simplify_type
from liteferry.findings import make_finding
from liteferry.model import Catalog, Finding, TargetCatalog, TargetColumn, TargetConstraint, TargetTable, TargetView
from liteferry.project import (
    Project,
    ProjectDatabase,
    ProjectField,
    ProjectMigration,
    ProjectModel,
    ProjectPlace,
    ProjectSettings,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("varchar(40)", "VARCHAR (40)", True),
        ("varchar(40)", "varchar(41)", False),
        ("integer", "bigint", True),
        ("integer unsigned", "bigint unsigned", True),
        ("integer", "bool", False),
        ("decimal(5, 2)", "DECIMAL(5,2)", True),
        ("datetime", "date", False),
        ("", "text", False),
    ],
)
def test_types(one: str, other: str, *, same: bool) -> None:
    assert (simplify_type(one) == simplify_type(other)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('"price" >= 0', "(price >= 0)", True),
        ('"price" >= 0', '"t"."price" >= 0.0', True),
        ('"price" >= 0', "\"price\" >= '0'", True),
        ('"price" >= 0', '"new__t"."price" >= 0', True),
        ('"price" >= 0', '"price" > 0', False),
        ('"price" >= 0', '"cost" >= 0', False),
        ('"price" >= 0', '"price" >= 1', False),
        ('NOT ("a" = "b")', 'NOT ("a" = "b" AND "a" IS NOT NULL)', True),
        ("kind IN ('a', 'b')", "\"kind\" IN ('b', 'a')", True),
        ("kind IN ('a', 'b')", "kind IN ('a', 'c')", False),
        ("kind IN ('a', 'b')", "kind IN ('a', 'B')", False),
        ("length(a) > 3", "LENGTH(a) > 3", True),
        ("length(a) > 3", "lower(a) > 3", False),
        ("a != b", "a <> b", True),
        ("'x", "'x", True),
        ("'x", "'y", False),
    ],
)
def test_conditions(one: str, other: str, *, same: bool) -> None:
    assert (read_condition(one, "T") == read_condition(other, "T")) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("CREATE VIEW v AS SELECT a FROM t", 'create view "v" as\n  select [a] from `t`;', True),
        ("CREATE VIEW v AS SELECT a FROM t", "CREATE VIEW v AS SELECT a, a FROM t", False),
        ("((1))", "1.0", True),
        ("(1) + (2)", "1) + (2", False),
        ("'A'", "'a'", False),
        ("x'00'", "X'00'", False),
        ("99999999999999999999", "99999999999999999998", False),
    ],
)
def test_statements(one: str, other: str, *, same: bool) -> None:
    assert (read_sql(one) == read_sql(other)) is same


def test_checks_that_fields_have_by_themselves() -> None:
    assert is_field_check('"seats" >= 0')
    assert is_field_check('("seats" >= 0)')
    assert not is_field_check('"seats" >= 1')
    assert not is_field_check('"seats" >= 0 AND "seats" < 9')
    assert list_names('CREATE VIEW "V" AS SELECT A FROM t') == {"create", "view", "v", "as", "select", "a", "from", "t"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("varchar(100)", "character varying(100)", True),
        ("varchar(100)", "character varying(200)", False),
        ("varchar(10)[]", "character varying(10)[]", True),
        ("varchar(10)[3]", "character varying(10)[]", True),
        ("numeric(10, 2)", "numeric(10,2)", True),
        ("numeric(10, 0)", "numeric(10)", True),
        ("timestamp with time zone", "timestamp with time zone", True),
        ("timestamptz", "timestamp with time zone", True),
        ("timestamp(3) with time zone", "timestamp(3) with time zone", True),
        ("time", "time without time zone", True),
        ("serial", "integer", True),
        ("integer", "bigint", False),
        ("double precision", "float8", True),
        ("geometry(POINT,4326)", "geometry(Point,4326)", True),
        ("jsonb", "json", False),
        ("char(3)", "character(3)", True),
    ],
)
def test_postgresql_types(one: str, other: str, *, same: bool) -> None:
    assert (simplify_pg_type(one) == simplify_pg_type(other)) is same


# ---------------------------------------------------------------------------------------------------------------------
# Models against the schema on PostgreSQL


def make_field(name: str, db_type: str = "integer", **more: object) -> ProjectField:
    field = ProjectField(
        name=name, column=name, internal_type="IntegerField", class_name="x", db_type=db_type, sqlite_type="integer"
    )
    return replace(field, **more)  # type: ignore[arg-type]  # whatever the case says


def make_model(*fields: ProjectField, **more: object) -> ProjectModel:
    model = ProjectModel(
        label="shop.Item", app="shop", name="Item", table="shop_item", managed=True, allowed=True, auto_created=False,
        fields=fields,
    )  # fmt: skip
    return replace(model, **more)  # type: ignore[arg-type]  # the same


def make_project(*models: ProjectModel, migrations: tuple[ProjectMigration, ...] = (), **more: object) -> Project:
    place = ProjectPlace(directory="/shop", manage="", settings="conf", python="python")
    database = ProjectDatabase(alias="default", engine="django.db.backends.sqlite3", vendor="sqlite", name="db.sqlite3")
    settings = ProjectSettings(
        settings_module="conf", base_dir="/shop", django_version="5.2", python_version="3.11", psycopg_version="",
        use_tz=True, time_zone="UTC", databases=(database,),
    )  # fmt: skip
    project = Project(place=place, settings=settings, alias="default", models=models, migrations=migrations)
    return replace(project, **more)  # type: ignore[arg-type]  # the same


ID = make_field("id", "bigint", primary_key=True)
KEY = TargetConstraint(name="shop_item_pkey", kind="p", columns=("id",), definition_sql="PRIMARY KEY (id)")


def make_target(*columns: TargetColumn, constraints: tuple[TargetConstraint, ...] = (KEY,)) -> TargetCatalog:
    first = TargetColumn(name="id", pg_type="bigint", not_null=True, identity="d")
    table = TargetTable(name="shop_item", oid=1, columns=(first, *columns), constraints=constraints)
    return TargetCatalog(schema="staging", exists=True, tables=(table,))


MODELS = {
    "all is well": (
        make_model(ID, make_field("size")), make_target(TargetColumn(name="size", pg_type="integer", not_null=True)), []
    ),
    "no table": (
        make_model(ID, table="shop_other"), make_target(),
        [("django-target-missing", "shop_other", "model shop.Item has no table shop_other")],
    ),
    "no table for an unmanaged model": (make_model(ID, table="shop_other", managed=False), make_target(), []),
    "a model of another database": (make_model(ID, table="shop_other", allowed=False), make_target(), []),
    "a table elsewhere": (make_model(ID, table='"other"."table"'), make_target(), []),
    "an unmanaged model with a table": (
        make_model(ID, make_field("size"), managed=False), make_target(),
        [("django-target-missing", "shop_item.size", "no migration adds it")],
    ),
    "no column": (
        make_model(ID, make_field("size")), make_target(),
        [("django-target-missing", "shop_item.size", "model field `Item.size` has no column shop_item.size")],
    ),
    "another type": (
        make_model(ID, make_field("size")), make_target(TargetColumn(name="size", pg_type="text", not_null=True)),
        [("django-target-differs", "shop_item.size",
          "`Item.size` is integer, and the column shop_item.size that the migrations make on PostgreSQL is text")],
    ),
    "a type that nobody knows": (
        make_model(ID, make_field("size", "")),
        make_target(TargetColumn(name="size", pg_type="text", not_null=True)), [],
    ),
    "NULL": (
        make_model(ID, make_field("size", null=True)),
        make_target(TargetColumn(name="size", pg_type="integer", not_null=True)),
        [("django-target-differs", "shop_item.size", "that the migrations make on PostgreSQL is NOT NULL")],
    ),
    "no key": (
        make_model(ID), make_target(constraints=()),
        [("django-target-differs", "shop_item.id", "is the primary key, and the column")],
    ),
    "a composite key": (
        make_model(make_field("id", "bigint"), make_field("size")),
        make_target(TargetColumn(name="size", pg_type="integer", not_null=True),
                    constraints=(replace(KEY, columns=("id", "size")),)), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_models_against_the_target(name: str) -> None:
    model, target, expected = MODELS[name]
    found = list(compare_models(make_project(model), target))
    assert [(finding.code, finding.place) for finding in found] == [(code, place) for code, place, _ in expected]
    for finding, (_, _, says) in zip(found, expected, strict=True):
        assert says in finding.message


def test_a_model_may_be_a_view() -> None:
    view = TargetView(name="totals", oid=2, definition_sql="SELECT 1", columns=(make_target().tables[0].columns[0],))
    target = replace(make_target(), views=(view,))
    assert list(compare_models(make_project(make_model(ID, table="totals", managed=False)), target)) == []
    model = make_model(ID, make_field("size"), table="totals", managed=False)
    assert [f.place for f in compare_models(make_project(model), target)] == ["totals.size"]


# ---------------------------------------------------------------------------------------------------------------------
# Causes


def test_what_makemigrations_would_write_is_said_once() -> None:
    changes = ("shop: Add field size to item", "shop: Alter field id on item", "shop: Create model Other")
    other = make_model(ID, label="shop.Other", name="Other", table="shop_other")
    project = make_project(
        make_model(ID, make_field("size")), other, changes=changes, schema_changes=(changes[0], changes[2])
    )
    found = find_drift(project, Catalog(tables=()), None, make_target())
    assert [(finding.code, finding.place, finding.severity) for finding in found] == [
        ("django-model-changed", "shop", "info"),
        ("django-table-missing", "shop_item", "blocker"),
        ("django-table-missing", "shop_other", "blocker"),
        ("django-target-missing", "shop_item.size", "blocker"),
    ]
    assert "'Alter field id on item', which changes no table" in found[0].message
    assert "no migration creates it" in found[2].message


def test_without_catalogues_a_change_that_adds_something_blocks() -> None:
    project = make_project(make_model(ID, managed=False), changes=("shop: Add field size to item",))
    assert [found.severity for found in find_drift(project, Catalog(tables=()), None, None)] == ["info"]
    project = replace(project, models=(make_model(ID, make_field("size"), managed=False),))
    assert [found.severity for found in find_drift(project, Catalog(tables=()), None, None)] == ["blocker"]


INITIAL = ProjectMigration(app="shop", name="0001_initial", creates=("item",), adds=("item.id", "item.size"))
SQUASHED = replace(INITIAL, name="0001_squashed", replaces=(("shop", "0001_initial"), ("shop", "0002_old")))


def test_squashed_migrations_are_blamed_as_they_are_applied() -> None:
    model = make_model(ID, make_field("size"))
    project = make_project(model, migrations=(INITIAL, SQUASHED), applied=(("shop", "0001_initial"),))
    assert "shop.0001_initial" in explain_missing_column(project, "shop_item", "size", []).text
    project = replace(project, applied=(("shop", "0001_initial"), ("shop", "0001_squashed"), ("shop", "0002_old")))
    assert "shop.0001_squashed" in explain_missing_column(project, "shop_item", "size", []).text
    assert find_drift(replace(project, models=()), Catalog(tables=()), None, None) == ()  # 0002_old is replaced


# ---------------------------------------------------------------------------------------------------------------------
# One finding for one thing


def planned(code: str, message: str = "the planner's words", **more: str) -> Finding:
    return make_finding(code, message, **more)  # type: ignore[arg-type]  # names of places


MISS = "the target has no counterpart of the source's"
JOINED = {
    "an extra table": (
        planned("target-table-missing", table="poll"),
        planned("django-table-extra", "no migration makes it: the cause", table="poll"),
        ["target-table-missing: the planner's words; the cause"],
    ),
    "an extra table without rows": (
        replace(planned("target-table-missing", table="poll"), severity="info"),
        planned("django-table-extra", "no migration makes it: the cause", table="poll"),
        ["target-table-missing: the planner's words; the cause"],
    ),
    "a virtual table": (
        planned("virtual-table-left-out", name="search"),
        planned("django-table-extra", "no migration makes it: the cause", table="search"),
        ["virtual-table-left-out: the planner's words; the cause"],
    ),
    "another table": (
        planned("target-table-missing", table="vote"),
        planned("django-table-extra", "no migration makes it: the cause", table="poll"),
        ["django-table-extra: no migration makes it: the cause", "target-table-missing: the planner's words"],
    ),
    "a missing table": (
        planned("target-extra-table", name="poll"),
        planned("django-table-missing", "it is missing", table="poll"),
        ["django-table-missing: it is missing"],
    ),
    "a missing column": (
        planned("target-extra-column", table="poll", name="size"),
        planned("django-column-missing", "it is missing", table="poll", name="size"),
        ["django-column-missing: it is missing"],
    ),
    "a missing column that is required": (
        planned("target-column-required", table="poll", name="size"),
        planned("django-column-missing", "it is missing", table="poll", name="size"),
        ["django-column-missing: it is missing"],
    ),
    "NULLs": (
        planned("target-null-forbidden", table="poll", name="size"),
        planned("django-column-differs", "is NULL: the cause", table="poll", name="size"),
        ["target-null-forbidden: the planner's words; the cause"],
    ),
    "orphans": (
        planned("target-orphans", table="poll", name="size"),
        planned("django-constraint-differs", "missing in the file: the cause", table="poll", name="size"),
        ["target-orphans: the planner's words; the cause"],
    ),
    "an index": (
        planned("target-object-missing", f"{MISS} index i (a) of poll", table="poll", name="i"),
        planned("django-object-differs", "the index i is only in the file: the cause", table="poll", name="i"),
        [f"target-object-missing: {MISS} index i (a) of poll; the cause"],
    ),
    "a default among others": (
        planned("target-object-missing", f"{MISS} default of a, size of poll", table="poll", name="default"),
        planned("django-column-differs", "is DEFAULT 1: the cause", table="poll", name="size"),
        [f"target-object-missing: {MISS} default of a, size of poll; the cause"],
    ),
    "a default of another column": (
        planned("target-object-missing", f"{MISS} default of a, b of poll", table="poll", name="default"),
        planned("django-column-differs", "is DEFAULT 1: the cause", table="poll", name="size"),
        ["django-column-differs: is DEFAULT 1: the cause", f"target-object-missing: {MISS} default of a, b of poll"],
    ),
}


@pytest.mark.parametrize("name", JOINED)
def test_findings_about_one_thing_become_one(name: str) -> None:
    first, drift, expected = JOINED[name]
    found = explain_findings([replace(first, accepted=True)], [drift])
    assert [f"{finding.code}: {finding.message}" for finding in found] == expected
    for finding in found:
        if finding.code == first.code:
            assert (finding.accepted, finding.ways, finding.severity) == (True, first.ways, first.severity)
