"""What a project's SQLite file declares, against what the project's migrations make on an empty one.

Layer 1, pure. What is compared is the meaning: the order of columns does not count (a column that was added stands at
the end, or where the model has it, depending on how the version of Django added it), nor do names of indexes and unique
keys (they are made of hashes that versions of Django compute differently), DEFERRABLE (written since 2.0),
AUTOINCREMENT, case and quotes, and whichever of the names for whole numbers is declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liteferry.django_rules.causes import (
    Cause,
    explain_difference,
    explain_extra_column,
    explain_extra_table,
    explain_missing_column,
    explain_missing_table,
    explain_object,
)
from liteferry.django_rules.repairs import add_column_sql, repair_column, repair_extra, repair_object, repair_table
from liteferry.django_rules.spelling import is_field_check, read_condition, read_sql, simplify_type
from liteferry.findings import make_finding
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from liteferry.model import Catalog, Check, Column, Finding, ForeignKey, Index, Table, Trigger, View, VirtualTable
    from liteferry.project import Project

_RECORDS = "django_migrations"


def compare_catalogs(project: Project, catalog: Catalog, fresh: Catalog) -> Iterator[Finding]:
    """Find every difference in meaning, each with its cause and its repair. Pure.

    catalog: of the file. fresh: of an empty file after all of the project's migrations.
    """
    here = {fold_case(table.name): table for table in catalog.tables}
    wanted = {fold_case(table.name): table for table in fresh.tables}
    for name, table in wanted.items():
        if name not in here:
            yield _miss_table(project, table)
        elif name != _RECORDS:
            yield from _compare_tables(project, here[name], table, set(here) ^ set(wanted))
    known = {fold_case(table.name) for table in fresh.virtual_tables}
    extra = [table for name, table in here.items() if name not in wanted]
    unknown = [table for table in catalog.virtual_tables if fold_case(table.name) not in known]
    others: list[Table | VirtualTable] = [*extra, *unknown]
    for found in others:
        cause = explain_extra_table(project, found.name)
        yield make_finding(
            "django-table-extra",
            f"no migration makes the table {found.name}: {cause.text}",
            table=found.name,
            sql=found.sql,
            hint="" if found in unknown else repair_extra(project, cause, found.name),
        )
    for virtual in fresh.virtual_tables:
        if fold_case(virtual.name) not in {fold_case(table.name) for table in catalog.virtual_tables}:
            cause = explain_object(project, virtual.name, None)
            yield _report_object(project, "virtual table", virtual.name, None, virtual.sql, cause, is_extra=False)
    gone = {fold_case(table.name) for table in extra}
    yield from _compare_named(project, "view", catalog.views, fresh.views, gone)
    yield from _compare_named(project, "trigger", catalog.triggers, fresh.triggers, gone)


def miss_column(project: Project, table: str, column: str, there: Sequence[str], sql: str | None) -> Finding:
    """The finding about a column that the file does not have. Pure."""
    cause = explain_missing_column(project, table, column, there)
    return make_finding(
        "django-column-missing",
        f"{_name_field(project, table, column)} has no column {table}.{column}: {cause.text}",
        table=table,
        name=column,
        sql=sql,
        hint=repair_column(project, cause),
    )


def _miss_table(project: Project, table: Table) -> Finding:
    cause = explain_missing_table(project, table.name)
    model = next((model for model in project.models if fold_case(model.table) == fold_case(table.name)), None)
    what = f"model {model.label}" if model is not None else "the project"
    return make_finding(
        "django-table-missing",
        f"{what} has no table {table.name} in the file: {cause.text}",
        table=table.name,
        sql=table.sql,
        hint=repair_table(project, cause),
    )


def _name_field(project: Project, table: str, column: str) -> str:
    model = next((model for model in project.models if fold_case(model.table) == fold_case(table)), None)
    field = None
    if model is not None:
        field = next((field for field in model.fields if fold_case(field.column) == fold_case(column)), None)
    return f"model field `{model.name}.{field.name}`" if model and field else f"what the migrations make of {table}"


# ---------------------------------------------------------------------------------------------------------------------
# Within a table


def _compare_tables(project: Project, here: Table, wanted: Table, gone: set[str]) -> Iterator[Finding]:
    """gone: tables of one side alone, which are told of by themselves; so foreign keys to them need not be."""
    columns = {fold_case(column.name): column for column in here.columns}
    expected = {fold_case(column.name): column for column in wanted.columns}
    missing = [column for name, column in expected.items() if name not in columns]
    extra = [column for name, column in columns.items() if name not in expected]
    for column in missing:
        there = [found.name for found in extra]
        yield miss_column(project, here.name, column.name, there, add_column_sql(here.name, column, wanted))
    for column in extra:
        cause = explain_extra_column(project, here.name, column.name)
        yield make_finding(
            "django-column-extra",
            f"no migration makes the column {here.name}.{column.name}: {cause.text}",
            table=here.name,
            name=column.name,
            sql=f"{column.name} {column.declared_type}".strip(),
            hint=repair_extra(project, cause, f"{here.name}.{column.name}"),
        )
    for name, column in expected.items():
        if name in columns:
            yield from _compare_columns(project, here, columns[name], column)
    absent = {fold_case(column.name) for column in missing} | {fold_case(column.name) for column in extra}
    yield from _compare_keys(project, here, wanted, absent)
    yield from _compare_foreign_keys(project, here, wanted, absent, gone)
    yield from _compare_checks(project, here, wanted, absent)
    yield from _compare_indexes(project, here, wanted, absent)


def _compare_columns(project: Project, table: Table, here: Column, wanted: Column) -> Iterator[Finding]:
    differences: list[tuple[str, str]] = []
    if simplify_type(here.declared_type) != simplify_type(wanted.declared_type):
        differences.append((_say_type(here), _say_type(wanted)))
    # a key of whole numbers holds no NULL, whatever is declared; others Django declares NOT NULL, and files may not
    if here.not_null != wanted.not_null and not (here.pk_position and wanted.pk_position and _is_whole(here)):
        differences.append(("NOT NULL", "NULL") if here.not_null else ("NULL", "NOT NULL"))
    if _read_default(here) != _read_default(wanted):
        differences.append((_say_default(here), _say_default(wanted)))
    if fold_case(here.collation) != fold_case(wanted.collation):
        differences.append((f"COLLATE {here.collation}", f"COLLATE {wanted.collation}"))
    if here.generated != wanted.generated or not _is_same_expression(table, here, wanted):
        differences.append((_say_generated(here), _say_generated(wanted)))
    if not differences:
        return
    cause = explain_difference(project, table.name, [here.name])
    has, makes = (" ".join(parts) for parts in zip(*differences, strict=True))
    yield make_finding(
        "django-column-differs",
        f"column {table.name}.{here.name} is {has} in the file, and {makes} by the migrations: {cause.text}",
        table=table.name,
        name=here.name,
        hint=repair_object(project, cause),
    )


def _is_same_expression(table: Table, here: Column, wanted: Column) -> bool:
    return read_condition(here.generated_sql, table.name) == read_condition(wanted.generated_sql, table.name)


def _say_type(column: Column) -> str:
    return fold_case(column.declared_type) or "of no type"  # SQLite itself gives out some in capitals


def _is_whole(column: Column) -> bool:
    return simplify_type(column.declared_type) == "integer"


def _read_default(column: Column) -> object:
    default = read_sql(column.default_sql)
    return () if default == ("null",) else default


def _say_default(column: Column) -> str:
    return f"DEFAULT {column.default_sql}" if _read_default(column) else "without a default"


def _say_generated(column: Column) -> str:
    return f"GENERATED ALWAYS AS ({column.generated_sql})" if column.generated else "not generated"


def _compare_keys(project: Project, here: Table, wanted: Table, absent: set[str]) -> Iterator[Finding]:
    """Primary key and unique keys, by their columns."""
    if [fold_case(name) for name in here.primary_key] != [fold_case(name) for name in wanted.primary_key]:
        has, makes = (f"({', '.join(table.primary_key)})" if table.primary_key else "none" for table in (here, wanted))
        cause = explain_difference(project, here.name, [*here.primary_key, *wanted.primary_key])
        yield make_finding(
            "django-constraint-differs",
            f"the primary key of {here.name} is {has} in the file, and {makes} by the migrations: {cause.text}",
            table=here.name,
            name=", ".join(here.primary_key or wanted.primary_key),
            hint=repair_object(project, cause),
        )
    primary = frozenset(fold_case(name) for name in here.primary_key)
    has_unique, makes_unique = (_list_unique(table, primary) for table in (here, wanted))
    for is_extra, some, others in ((False, makes_unique, has_unique), (True, has_unique, makes_unique)):
        for key, index in some.items():
            columns = [found.column or "an expression" for found in index.keys]
            if key not in others and not absent & {fold_case(name) for name in columns}:
                what = "unique index" if index.origin == "c" and index.where_sql else "unique key"
                name = index.name if index.origin == "c" and is_extra else ", ".join(columns)
                yield _report_key(project, what, here.name, columns, name, index.sql, is_extra=is_extra)


def _compare_foreign_keys(
    project: Project, here: Table, wanted: Table, absent: set[str], gone: set[str]
) -> Iterator[Finding]:
    has, makes = (_list_foreign(table) for table in (here, wanted))
    for is_extra, some, others in ((False, makes, has), (True, has, makes)):
        for key, found in some.items():
            told = fold_case(found.parent_table) in gone or absent & {fold_case(name) for name in found.columns}
            if key not in others and not told:
                yield _report_foreign_key(project, here.name, found, is_extra=is_extra)


def _list_unique(table: Table, primary: frozenset[str]) -> dict[object, Index]:
    found: dict[object, Index] = {}
    for index in table.indexes:
        keys = frozenset(fold_case(key.column) if key.column else read_sql(key.expression_sql) for key in index.keys)
        if index.unique and index.origin != "pk" and not (keys == primary and not index.where_sql):
            collations = frozenset(fold_case(key.collation) for key in index.keys)
            found[keys, collations, read_condition(index.where_sql, table.name)] = index
    return found


def _list_foreign(table: Table) -> dict[object, ForeignKey]:
    return {
        (
            frozenset(zip(map(fold_case, key.columns), map(fold_case, key.parent_columns), strict=False)),
            fold_case(key.parent_table),
            key.on_delete,
            key.on_update,
        ): key
        for key in table.foreign_keys
    }


def _report_key(
    project: Project, what: str, table: str, columns: Sequence[str], name: str, sql: str | None, *, is_extra: bool
) -> Finding:
    cause = explain_difference(project, table, columns, is_extra=is_extra)
    if not is_extra and cause.state == "unknown":
        cause = Cause(text="it was dropped, or the table changed, by hand")
    where = "only in the file" if is_extra else "missing in the file"
    return make_finding(
        "django-constraint-differs",
        f"the {what} ({', '.join(columns)}) of {table} is {where}: {cause.text}",
        table=table,
        name=name,
        sql=sql,
        hint=repair_object(project, cause, is_extra=is_extra),
    )


def _report_foreign_key(project: Project, table: str, key: ForeignKey, *, is_extra: bool) -> Finding:
    parent = fold_case(key.parent_table)
    cause = explain_difference(project, table, key.columns, is_extra=is_extra)
    if is_extra and (parent.endswith("__old") or parent.startswith("new__")):
        cause = Cause(
            text="a version of Django before 2.1.5 that met SQLite 3.26 left it behind when it renamed the table"
        )
    actions = "".join(
        f" ON {event} {action}"
        for event, action in (("DELETE", key.on_delete), ("UPDATE", key.on_update))
        if action != "NO ACTION"
    )
    where = "only in the file" if is_extra else "missing in the file"
    listed = f"({', '.join(key.columns)}) to {key.parent_table} ({', '.join(key.parent_columns)}){actions}"
    return make_finding(
        "django-constraint-differs",
        f"the foreign key {listed} of {table} is {where}: {cause.text}",
        table=table,
        name=", ".join(key.columns),
        hint=repair_object(project, cause, is_extra=is_extra),
    )


def _compare_checks(project: Project, here: Table, wanted: Table, absent: set[str]) -> Iterator[Finding]:
    has, makes = ({read_condition(check.sql, table.name): check for check in table.checks} for table in (here, wanted))
    for is_extra, some, others in ((False, makes, has), (True, has, makes)):
        names = {fold_case(check.name): check for check in others.values() if check.name}
        for key, check in some.items():
            if key in others or is_field_check(check.sql) or absent & _names_of(key):
                continue
            namesake = names.get(fold_case(check.name or ""))
            if namesake is None or not is_extra:  # one finding for both
                yield _report_check(project, here.name, check, namesake, is_extra=is_extra)


def _names_of(condition: Sequence[object]) -> frozenset[str]:
    return condition[0] if condition and isinstance(condition[0], frozenset) else frozenset()


def _report_check(project: Project, table: str, check: Check, namesake: Check | None, *, is_extra: bool) -> Finding:
    """namesake: the file's CHECK of the same name, which says something else."""
    columns = sorted(_names_of(read_condition(check.sql, table)))
    cause = explain_object(project, check.name, None) if check.name and not is_extra else Cause(text="")
    if not cause.migration:
        cause = explain_difference(project, table, columns, is_extra=is_extra)
    where = "only in the file" if is_extra else "missing in the file"
    if namesake is not None:
        where = f"({namesake.sql}) in the file"
    called = f"{check.name} ({check.sql})" if check.name else f"({check.sql})"
    return make_finding(
        "django-constraint-differs",
        f"the CHECK {called} of {table} is {where}: {cause.text}",
        table=table,
        name=check.name or ", ".join(columns),
        sql=check.sql,
        hint=repair_object(project, cause, is_extra=is_extra),
    )


def _compare_indexes(project: Project, here: Table, wanted: Table, absent: set[str]) -> Iterator[Finding]:
    """Indexes that are not unique, by what they are of."""
    has, makes = (_list_indexes(table) for table in (here, wanted))
    for is_extra, some, others in ((False, makes, has), (True, has, makes)):
        for key, index in some.items():
            if key in others or absent & {fold_case(part.column or "") for part in index.keys}:
                continue
            cause = explain_object(project, index.name, None) if not is_extra else Cause(text="")
            if not cause.migration:
                columns = [part.column for part in index.keys if part.column]
                cause = explain_difference(project, here.name, columns, is_extra=is_extra)
            listed = f"{index.name} ({', '.join(part.column or 'an expression' for part in index.keys)})"
            yield _report_object(project, "index", listed, here.name, index.sql, cause, is_extra=is_extra,
                                 name=index.name)  # fmt: skip


def _list_indexes(table: Table) -> dict[object, Index]:
    return {
        (
            tuple(
                (fold_case(key.column) if key.column else read_sql(key.expression_sql), key.descending)
                for key in index.keys
            ),
            read_condition(index.where_sql, table.name),
        ): index
        for index in table.indexes
        if not index.unique
    }


# ---------------------------------------------------------------------------------------------------------------------
# Views and triggers


def _compare_named(
    project: Project, what: str, here: Sequence[View | Trigger], wanted: Sequence[View | Trigger], gone: set[str]
) -> Iterator[Finding]:
    """Compare by name and by what they say. gone: tables that are told of anyway, with their triggers."""
    has, makes = (_by_name(objects) for objects in (here, wanted))
    for name, found in makes.items():
        if name not in has:
            cause = explain_object(project, found.name, None)
            yield _report_object(project, what, found.name, _table_of(found), found.sql, cause, is_extra=False)
        elif read_sql(has[name].sql) != read_sql(found.sql):
            cause = explain_object(project, found.name, None)
            yield make_finding(
                "django-object-differs",
                f"the {what} {found.name} says something else in the file than by the migrations: {cause.text}",
                table=_table_of(found),
                name=found.name,
                sql=has[name].sql,
                hint=repair_object(project, cause, is_extra=True),
            )
    for name, found in has.items():
        if name not in makes and fold_case(_table_of(found) or "") not in gone:
            cause = Cause(text="it was made by hand, or by the application itself")
            yield _report_object(project, what, found.name, _table_of(found), found.sql, cause, is_extra=True)


def _by_name(objects: Sequence[View | Trigger]) -> Mapping[str, View | Trigger]:
    return {fold_case(found.name): found for found in objects}


def _table_of(found: View | Trigger) -> str | None:
    table = getattr(found, "table", None)
    return table if isinstance(table, str) else None


def _report_object(
    project: Project, what: str, listed: str, table: str | None, sql: str | None, cause: Cause, *, is_extra: bool,
    name: str = "",
) -> Finding:  # fmt: skip
    where = "only in the file" if is_extra else "missing in the file"
    of = f" of {table}" if table else ""
    return make_finding(
        "django-object-differs",
        f"the {what} {listed}{of} is {where}: {cause.text}",
        table=table,
        name=name or listed,
        sql=sql,
        hint=repair_object(project, cause, is_extra=is_extra),
    )
