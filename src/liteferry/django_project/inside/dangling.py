"""What deleting leads to that Django's collector does not know of: by the database's own keys, or by none."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

from django.apps import apps
from django.db import Error as DatabaseError
from django.db.models import DO_NOTHING


class Dangling(NamedTuple):
    """The rows of a model, by their keys, that refer by a field to a model's rows that are not there.

    ``has_constraint``: migrations make a foreign key for it.
    """

    label: str
    table: str
    field: str
    target: str
    keys: Set[Any]
    has_constraint: bool

    @property
    def place(self) -> Tuple[str, str, str]:
        """What identifies it."""
        return self.label, self.field, self.target


def quote(name: str) -> str:
    """A name for SQLite, whatever is in it: Django's own quoting takes some for quoted already."""
    return '"%s"' % name.replace('"', '""')


def find_violations(connection: Any) -> Set[Tuple[str, Any, str, int]]:
    """What ``PRAGMA foreign_key_check`` finds: table, rowid, parent, and the foreign key's number.

    A table whose foreign keys SQLite cannot check (their parent has no such key) has none.
    """
    found: Set[Tuple[str, Any, str, int]] = set()
    with connection.cursor() as cursor:
        for table in _list_tables(connection):
            try:
                cursor.execute("PRAGMA main.foreign_key_check(%s)" % quote(table))
                found.update(cursor.fetchall())
            except DatabaseError as error:
                if "foreign key mismatch" not in str(error):
                    raise
    return found


def read_actions(connection: Any) -> Dict[Tuple[str, str], Dict[Any, Any]]:
    """The values that the database itself may change, by ON DELETE SET NULL or SET DEFAULT: by column, then rowid.

    No migration before Django 6.1 makes such a key, so there are hardly ever any.
    """
    found: Dict[Tuple[str, str], Dict[Any, Any]] = {}
    with connection.cursor() as cursor:
        for table in _list_tables(connection):
            cursor.execute("PRAGMA main.foreign_key_list(%s)" % quote(table))
            for _, _, _, column, _, _, on_delete, _ in cursor.fetchall():
                if on_delete in {"SET NULL", "SET DEFAULT"}:
                    values = "SELECT rowid, {0} FROM {1} WHERE {0} IS NOT NULL".format(quote(column), quote(table))
                    try:
                        cursor.execute(values)
                    except DatabaseError as error:
                        if "no such column: rowid" not in str(error):  # WITHOUT ROWID: its rows are counted alone
                            raise
                    else:
                        found[table, column] = dict(cursor.fetchall())
    return found


def find_dangling(connection: Any) -> List[Dangling]:
    """Look at every reference that on_delete leaves alone: DO_NOTHING, and generic foreign keys."""
    tables = set(_list_tables(connection))
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table in tables and not model._meta.proxy and not model._meta.swapped
    ]
    return [*_find_left_alone(connection, models, tables), *_find_generic(connection, models, tables)]


def _find_left_alone(connection: Any, models: List[Any], tables: Set[str]) -> Iterator[Dangling]:
    for model in models:
        for field in model._meta.local_concrete_fields:
            remote = field.remote_field
            if remote is None or getattr(remote, "on_delete", None) is not DO_NOTHING or not field.column:
                continue
            target = field.target_field
            if target.model._meta.db_table in tables:
                yield Dangling(
                    label=model._meta.label,
                    table=model._meta.db_table,
                    field=field.name,
                    target=target.model._meta.label,
                    keys=_find_without(connection, model, field.column, target, ["{column}"]),
                    has_constraint=bool(field.db_constraint),
                )


def _find_generic(connection: Any, models: List[Any], tables: Set[str]) -> Iterator[Dangling]:
    if not apps.is_installed("django.contrib.contenttypes") or "django_content_type" not in tables:
        return
    from django.contrib.contenttypes.fields import GenericForeignKey

    with connection.cursor() as cursor:
        cursor.execute("SELECT id, app_label, model FROM django_content_type")
        types = {key: (app, name) for key, app, name in cursor.fetchall()}
    for model in models:
        own = {field.name: field for field in model._meta.local_concrete_fields}
        for field in model._meta.private_fields:
            if not isinstance(field, GenericForeignKey) or field.ct_field not in own or field.fk_field not in own:
                continue  # a parent's: it is looked at there
            kind, key = own[field.ct_field], own[field.fk_field]
            for number in _list_values(connection, model, kind.column):
                target = _find_target(types.get(number), tables)
                if target is None:
                    continue
                # a UUID is stored without dashes, and referred to with them
                forms = ["{column}", "replace({column}, '-', '')"]
                keys = _find_without(
                    connection,
                    model,
                    key.column,
                    target._meta.pk,
                    forms if target._meta.pk.get_internal_type() == "UUIDField" else forms[:1],
                    (kind.column, number),
                )
                yield Dangling(
                    label=model._meta.label,
                    table=model._meta.db_table,
                    field=field.name,
                    target=target._meta.label,
                    keys=keys,
                    has_constraint=False,
                )


def _list_values(connection: Any, model: Any, column: str) -> List[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT %s FROM %s" % (quote(column), quote(model._meta.db_table)))
        return [value for (value,) in cursor.fetchall()]


def _find_target(name: Optional[Tuple[str, str]], tables: Set[str]) -> Any:
    try:
        model = apps.get_model(*name)._meta.concrete_model if name else None
    except LookupError:  # a content type that outlived its model
        return None
    usable = model is not None and model._meta.db_table in tables and bool(model._meta.pk.column)
    return model if usable else None


def _find_without(
    connection: Any,
    model: Any,
    column: str,
    target: Any,
    forms: List[str],
    condition: Optional[Tuple[str, Any]] = None,
) -> Set[Any]:
    """Keys of the rows whose column refers, in none of these forms, to a row that is there.

    target: the field that is referred to. condition: only rows with this value in this column.
    """
    parents = "SELECT 1 FROM %s p WHERE p.%s" % (quote(target.model._meta.db_table), quote(target.column))
    own = "r." + quote(column)
    conditions = ["%s IS NOT NULL" % own]
    conditions += ["NOT EXISTS (%s = %s)" % (parents, form.format(column=own)) for form in forms]
    key = quote(model._meta.pk.column) if model._meta.pk.column else "rowid"
    sql = "SELECT r.%s FROM %s r WHERE %s" % (key, quote(model._meta.db_table), " AND ".join(conditions))
    with connection.cursor() as cursor:
        if condition is None:
            cursor.execute(sql)
        else:
            cursor.execute(
                sql.replace("%", "%%") + " AND r.%s = %%s" % quote(condition[0]).replace("%", "%%"), [condition[1]]
            )
        return {row[0] for row in cursor.fetchall()}


def _list_tables(connection: Any) -> List[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
        return [name for (name,) in cursor.fetchall() if not name.startswith("sqlite_")]
