"""What a project's models want, against the schema that its migrations made on PostgreSQL.

Layer 1, pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from liteferry.django_rules.repairs import name_migrate
from liteferry.findings import make_finding
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liteferry.model import Finding, TargetCatalog, TargetTable
    from liteferry.project import Project, ProjectField, ProjectModel

_SHORT: Final = {
    "character varying": "varchar",
    "character": "char",
    "bpchar": "char",
    "decimal": "numeric",
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "serial": "integer",
    "bigserial": "bigint",
    "smallserial": "smallint",
    "float8": "double precision",
    "float4": "real",
    "bool": "boolean",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "timetz": "time with time zone",
    "time": "time without time zone",
    "varbit": "bit varying",
}
"""Names of one type. Source: https://www.postgresql.org/docs/current/datatype.html, table 8.1."""

_WHOLE_NUMBERS: Final = frozenset({"smallint", "integer", "bigint"})

_TYPE: Final = re.compile(r"(?P<name>[^(\[]+)(?:(?P<limits>\([^)]*\))(?P<rest>[^\[(]*))?(?P<array>(?:\[\d*\])*)\s*")


def compare_models(project: Project, target: TargetCatalog) -> Iterator[Finding]:
    """Find what a model wants and its table on PostgreSQL does not give. Pure.

    Models that the routers keep off the database are left out, and so are unmanaged ones without a table: what they
    read is none of the project's own business on SQLite either, or is told of as a table that no migration makes.
    """
    tables = {table.name: table for table in target.tables}
    views = {view.name: view for view in target.views}
    for model in project.models:
        if not model.allowed or '"' in model.table:  # with a schema in its name: it is elsewhere
            continue
        table = tables.get(model.table)
        if table is not None:
            yield from _compare_model(project, model, table)
        elif model.table in views:
            there = {column.name for column in views[model.table].columns}
            yield from (_miss(project, model, field) for field in model.fields if field.column not in there)
        elif model.managed:
            yield make_finding(
                "django-target-missing",
                f"model {model.label} has no table {model.table} in the schema that the migrations make:"
                " none of them creates it on PostgreSQL",
                table=model.table,
                hint=_repair(project, model),
            )


def _compare_model(project: Project, model: ProjectModel, table: TargetTable) -> Iterator[Finding]:
    columns = {column.name: column for column in table.columns}
    keys = next((found.columns for found in table.constraints if found.kind == "p"), ())
    for field in model.fields:
        column = columns.get(field.column)
        if column is None:
            yield _miss(project, model, field)
            continue
        differences = []
        if not _is_same_type(model, field, column.pg_type):
            differences.append((field.db_type, column.pg_type))
        if field.null == column.not_null and not (field.generated or field.primary_key):
            differences.append(("NULL", "NOT NULL") if field.null else ("NOT NULL", "NULL"))
        if field.primary_key != (field.column in keys) and len(keys) < 2:  # a composite key is no field's
            differences.append(("the primary key", "not") if field.primary_key else ("not", "the primary key"))
        if differences:
            wants, has = (" ".join(parts) for parts in zip(*differences, strict=True))
            yield make_finding(
                "django-target-differs",
                f"model field `{model.name}.{field.name}` is {wants}, and the column {model.table}.{field.column} that"
                f" the migrations make on PostgreSQL is {has}",
                table=model.table,
                name=field.column,
                hint=f"does it lack a migration? python manage.py makemigrations {model.app}",
            )


def _is_same_type(model: ProjectModel, field: ProjectField, pg_type: str) -> bool:
    """Whether the column is of the field's type, as far as that is known.

    The key of an automatic many-to-many table is an exception: where an app has a default_auto_field of its own, as
    django.contrib.auth has, migrations make it by DEFAULT_AUTO_FIELD all the same. Nothing stores a value for it.
    """
    wanted, there = simplify_pg_type(field.db_type), simplify_pg_type(pg_type)
    if model.auto_created and field.primary_key:
        return {wanted, there} <= _WHOLE_NUMBERS
    return not field.db_type or wanted == there


def _miss(project: Project, model: ProjectModel, field: ProjectField) -> Finding:
    full = f"{model.name}.{field.name}".lower()
    adding = [found for found in project.migrations if found.app == model.app and full in found.adds]
    cause = f"migration {adding[-1].key}, which adds it, makes none on PostgreSQL" if adding else "no migration adds it"
    return make_finding(
        "django-target-missing",
        f"model field `{model.name}.{field.name}` has no column {model.table}.{field.column} in the schema that the"
        f" migrations make: {cause}",
        table=model.table,
        name=field.column,
        hint=_repair(project, model),
    )


def _repair(project: Project, model: ProjectModel) -> str:
    return f"python manage.py makemigrations {model.app}, then {name_migrate(project)}"


def simplify_pg_type(pg_type: str) -> str:
    """A PostgreSQL type in one spelling, as Django's models and as ``format_type()`` write it. Pure."""
    text = fold_case(" ".join(pg_type.split())).replace('"', "")
    match = _TYPE.fullmatch(text)
    if match is None:
        return text
    name = f"{match['name'].strip()} {(match['rest'] or '').strip()}".strip()
    limits = re.sub(r"\s", "", match["limits"] or "")
    if limits.endswith(",0)") and _SHORT.get(name, name) == "numeric":
        limits = f"{limits[:-3]})"
    return f"{_SHORT.get(name, name)}{limits}{'[]' if match['array'] else ''}"
