"""The task `describe`: models, migrations, and what decides the schema that they make."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

_VALUE_METHODS = ("from_db_value", "to_python", "get_prep_value", "get_db_prep_value", "get_db_prep_save", "db_type")
_SECRET_WORDS = ("SECRET", "PASSWORD", "PASSWD", "TOKEN", "KEY", "CREDENTIAL", "DSN", "URL")
_OWN_BUSINESS = frozenset({"DATABASES", "CACHES", "LOGGING", "EMAIL_BACKEND", "DEBUG", "ALLOWED_HOSTS"})
"""Settings that do not decide what migrations make, or that differ from machine to machine."""


def describe(argument: dict[str, Any], tell: Callable[..., None]) -> dict[str, Any]:  # noqa: ARG001 - as all tasks
    """Describe the project for the database ``argument["alias"]``, in whose place an empty file of ours stands.

    ``argument["applied"]``: the migrations that the moved database says are applied, as pairs. Gives the fields of
    `liteferry.project.Project` but ``place`` and ``settings``.
    """
    from django.apps import apps
    from django.db import connections, router
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.exceptions import BadMigrationError, CircularDependencyError, NodeNotFoundError
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
    from django.db.migrations.recorder import MigrationRecorder
    from django.db.migrations.state import ProjectState

    alias = argument["alias"]
    source = connections[alias]
    postgresql = _make_postgresql_connection()
    recorder = MigrationRecorder(source)  # which migrations count as replaced depends on what is applied
    recorder.ensure_schema()
    recorder.migration_qs.bulk_create([recorder.Migration(app=app, name=name) for app, name in argument["applied"]])
    try:
        loader = MigrationLoader(source)
    except (BadMigrationError, CircularDependencyError, NodeNotFoundError) as error:
        error.liteferry_code = "django-migrations"  # read by program
        raise
    _refuse_conflicts(loader)
    before, after = loader.project_state(), ProjectState.from_apps(apps)
    questioner = NonInteractiveMigrationQuestioner(specified_apps=set(), dry_run=True)
    detected = MigrationAutodetector(before, after, questioner).changes(graph=loader.graph)
    changes = [
        (app, operation)
        for app, migrations in detected.items()
        for migration in migrations
        for operation in migration.operations
        if router.allow_migrate(alias, app, **_name_model(operation))
    ]
    plan = [key for target in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(target)]
    applied = set(loader.applied_migrations)
    parts = dict(_digest_parts(loader))
    return {
        "alias": alias,
        "models": [
            _describe_model(model, source, postgresql, allowed=router.allow_migrate_model(alias, model))
            for model in apps.get_models(include_auto_created=True)
            if not model._meta.proxy and not model._meta.swapped
        ],
        "migrations": [_describe_migration(migration) for _, migration in sorted(loader.disk_migrations.items())],
        "applied": sorted(applied),
        "unapplied": list(dict.fromkeys(f"{app}.{name}" for app, name in plan if (app, name) not in applied)),
        "changes": [f"{app}: {operation.describe()}" for app, operation in changes],
        "schema_changes": [
            f"{app}: {operation.describe()}"
            for app, operation in changes
            if _changes_schema(app, operation, before, after, source)
        ],
        "inconsistent": _find_inconsistent(loader, applied),
        "cache_tables": _list_cache_tables(),
        "digest": _digest(repr(sorted(parts.items())).encode()),
        "digest_parts": sorted(parts.items()),
    }


def read_models(argument: dict[str, Any], tell: Callable[..., None]) -> list[dict[str, Any]]:  # noqa: ARG001 - as all tasks
    """Describe the models as they are on the database ``argument["alias"]``: some ask for its vendor."""
    from django.apps import apps
    from django.db import connections, router

    alias = argument["alias"]
    return [
        _describe_model(model, None, connections[alias], allowed=bool(router.allow_migrate_model(alias, model)))
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy and not model._meta.swapped
    ]


def _make_postgresql_connection() -> Any:
    """A connection that is never opened: asked for column types alone. None without a driver."""
    from django.db import connections

    try:
        from django.db.backends.postgresql.base import DatabaseWrapper
    except Exception:  # noqa: BLE001 - ImproperlyConfigured, or whatever a broken driver raises: settings tell of it
        return None
    entry = connections.configure_settings({"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}})
    return DatabaseWrapper(entry["default"], "liteferry_types")


def _describe_model(model: Any, sqlite: Any, postgresql: Any, *, allowed: bool) -> dict[str, Any]:
    meta = model._meta
    return {
        "label": meta.label,
        "app": meta.app_label,
        "name": meta.object_name,
        "table": meta.db_table,
        "managed": bool(meta.managed),
        "allowed": bool(allowed),
        "auto_created": bool(meta.auto_created),
        "fields": [_describe_field(field, sqlite, postgresql) for field in meta.local_concrete_fields if field.column],
    }


def _describe_field(field: Any, sqlite: Any, postgresql: Any) -> dict[str, Any]:
    target = getattr(field, "target_field", None) if field.is_relation else None
    class_ = type(field)
    return {
        "name": field.name,
        "column": field.column,
        "internal_type": str(field.get_internal_type()),
        "class_name": f"{class_.__module__}.{class_.__qualname__}",
        "db_type": _ask_type(field, postgresql),
        "sqlite_type": _ask_type(field, sqlite),
        "null": bool(field.null),
        "primary_key": bool(field.primary_key),
        "unique": bool(field.unique),
        "max_length": getattr(field, "max_length", None),
        "max_digits": getattr(field, "max_digits", None),
        "decimal_places": getattr(field, "decimal_places", None),
        "related": field.related_model._meta.label if target is not None else "",
        "related_column": target.column if target is not None else "",
        "generated": bool(getattr(field, "generated", False)),
        "collation": str(getattr(field, "db_collation", None) or ""),
        "custom": is_custom(class_),
    }


def _ask_type(field: Any, connection: Any) -> str:
    if connection is None:
        return ""
    return str(field.db_parameters(connection=connection).get("type") or "")


def is_custom(class_: type) -> bool:
    """Whether a field's values pass through code that is not Django's."""
    for name in _VALUE_METHODS:
        method = inspect.getattr_static(class_, name, None)
        module = getattr(getattr(method, "__func__", method), "__module__", "") or ""
        if method is not None and not module.startswith("django."):
            return True
    return False


def _refuse_conflicts(loader: Any) -> None:
    from django.core.management.base import CommandError

    for app, names in sorted(loader.detect_conflicts().items()):
        error = CommandError(
            f"app {app} has {len(names)} last migrations, {' and '.join(sorted(names))}: migrate would refuse them,"
            " too. `manage.py makemigrations --merge` joins them"
        )
        error.liteferry_code = "django-migrations"
        raise error


def _find_inconsistent(loader: Any, applied: Any) -> list[list[str]]:
    """Applied migrations with one that they depend on and that is not applied; squashed ones as Django takes them."""
    return [
        [".".join(key), ".".join(parent)]
        for key in sorted(applied)
        if key in loader.graph.nodes
        for parent in sorted(node.key for node in loader.graph.node_map[key].parents)
        if parent not in applied and not _is_replaced(loader, parent, applied)
    ]


def _is_replaced(loader: Any, key: Any, applied: Any) -> bool:
    squashed = loader.replacements.get(key)
    return squashed is not None and all(name in applied for name in squashed.replaces)


def _list_cache_tables() -> list[str]:
    """The tables of caches that are kept in a database; which one, their routers decide."""
    from django.conf import settings

    caches = [cache for cache in settings.CACHES.values() if isinstance(cache, dict)]
    return [str(cache.get("LOCATION", "")) for cache in caches if "DatabaseCache" in str(cache.get("BACKEND", ""))]


def _describe_migration(migration: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"app": migration.app_label, "name": migration.name}
    found["replaces"] = [list(key) for key in migration.replaces]
    for name in ("creates", "adds", "raw", "deletes", "removes", "alters", "renames", "tables", "objects"):
        found[name] = []
    for operation in _walk(migration.operations):
        _note_operation(operation, found)
    return found


def _note_operation(operation: Any, found: dict[str, Any]) -> None:
    kind = type(operation).__name__
    model = str(getattr(operation, "model_name", "")).lower()
    name = str(getattr(operation, "name", "")).lower()
    if kind == "CreateModel":
        found["creates"].append(name)
        found["adds"] += [f"{name}.{field}".lower() for field, _ in operation.fields]
        if operation.options.get("db_table"):
            found["tables"].append([name, operation.options["db_table"]])
        for option in ("indexes", "constraints"):
            found["objects"] += [str(added.name).lower() for added in operation.options.get(option) or ()]
    elif kind == "DeleteModel":
        found["deletes"].append(name)
    elif kind == "RenameModel":
        found["renames"].append([operation.old_name.lower(), operation.new_name.lower()])
    elif kind == "RenameField":
        found["renames"].append([f"{model}.{operation.old_name}".lower(), f"{model}.{operation.new_name}".lower()])
    elif kind == "AlterModelTable":
        found["tables"].append([name, operation.table or ""])
    elif kind in _OF_FIELDS:
        found[_OF_FIELDS[kind]].append(f"{model}.{name}")
    elif kind in {"AddIndex", "AddConstraint"}:
        added = operation.index if kind == "AddIndex" else operation.constraint
        found["objects"].append(str(added.name).lower())
    elif kind in {"AlterUniqueTogether", "AlterIndexTogether"}:
        found["alters"] += [f"{name}.{field}".lower() for fields in operation.option_value or () for field in fields]
    elif kind in {"RunSQL", "RunPython"}:
        found["raw"].append(f"{kind}: {_describe_raw(operation)}")


_OF_FIELDS = {"AddField": "adds", "RemoveField": "removes", "AlterField": "alters"}
_RAW_SHOWN = 4000


def _describe_raw(operation: Any) -> str:
    """RunSQL's statements, RunPython's function."""
    code = getattr(operation, "code", None)
    if code is not None:
        return f"{getattr(code, '__module__', '')}.{getattr(code, '__qualname__', '')}"
    sql = getattr(operation, "sql", "")
    parts = [sql] if isinstance(sql, str) else [part if isinstance(part, str) else part[0] for part in sql or ()]
    return "; ".join(map(str, parts))[:_RAW_SHOWN]


def _walk(operations: Any) -> Iterator[Any]:
    for operation in operations:
        yield operation
        yield from _walk(getattr(operation, "database_operations", None) or ())
        yield from _walk(getattr(operation, "state_operations", None) or ())


# ---------------------------------------------------------------------------------------------------------------------
# What makemigrations would write


def _name_model(operation: Any) -> dict[str, Any]:
    """The model that an operation is about, as routers are asked."""
    name = getattr(operation, "model_name", None) or getattr(operation, "name", None)
    return {"model_name": str(name).lower()} if name else {}


def _changes_schema(app: str, operation: Any, before: Any, after: Any, connection: Any) -> bool:
    """Whether an operation would change a table: not one that Python alone sees, as other choices for a field."""
    kind = type(operation).__name__
    if kind in {"AlterModelOptions", "AlterModelManagers", "AlterOrderWithRespectTo", "AlterModelTableComment"}:
        return kind == "AlterOrderWithRespectTo"
    if kind in {"CreateModel", "DeleteModel"}:
        state = (after if kind == "CreateModel" else before).models.get((app, operation.name.lower()))
        return state is None or not (state.options.get("proxy") or state.options.get("managed") is False)
    if kind != "AlterField":
        return True
    try:
        old = before.apps.get_model(app, operation.model_name)._meta.get_field(operation.name)
        new = after.apps.get_model(app, operation.model_name)._meta.get_field(operation.name)
    except Exception:  # noqa: BLE001 - a field that moved between the two: then it is no mere change of words
        return True
    return _describe_shape(old, connection) != _describe_shape(new, connection)


def _describe_shape(field: Any, connection: Any) -> tuple[Any, ...]:
    """What a field has of its own in a table."""
    parameters = field.db_parameters(connection=connection)
    related = getattr(field, "remote_field", None)
    return (
        field.column,
        sorted((key, str(value)) for key, value in parameters.items()),
        field.null,
        field.primary_key,
        field.unique,
        bool(field.db_index),
        getattr(field, "max_length", None),
        getattr(field, "max_digits", None),
        getattr(field, "decimal_places", None),
        repr(getattr(field, "db_default", None)),
        str(getattr(related, "model", "")) if related is not None else "",
        getattr(field, "db_constraint", None),
    )


# ---------------------------------------------------------------------------------------------------------------------
# The digest: what decides which schema the migrations make


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest_parts(loader: Any) -> Iterator[tuple[str, str]]:
    """Migration files one by one, the project's own modules, the packages, Python, and the settings."""
    for (app, name), migration in loader.disk_migrations.items():
        module = sys.modules[type(migration).__module__]
        yield f"migration {app}.{name}", _digest_file(getattr(module, "__file__", None))
    packages = sorted(
        {f"{found.metadata['Name']}=={found.version}" for found in importlib.metadata.distributions()} - {None}
    )
    for package in packages:
        name, _, version = package.partition("==")
        yield f"package {name}", version
    yield "Python", ".".join(map(str, sys.version_info[:2]))
    for name, digest in _digest_settings():
        yield f"setting {name}", digest
    for name in sorted(_list_own_modules()):
        yield f"module {name}", _digest_file(getattr(sys.modules[name], "__file__", None))


def _digest_file(path: Any) -> str:
    try:
        return _digest(Path(path).read_bytes())
    except (OSError, TypeError, ValueError):  # a module without a file, or in an archive: its package's version tells
        return ""


def _digest_settings() -> Iterator[tuple[str, str]]:
    from django.conf import settings

    for name in sorted(dir(settings)):
        if not name.isupper() or name in _OWN_BUSINESS or any(word in name for word in _SECRET_WORDS):
            continue
        value = getattr(settings, name)
        if _is_plain(value):
            yield name, _digest(repr(value).encode("utf-8", "backslashreplace"))


def _is_plain(value: Any) -> bool:
    """Whether a value's repr is the same in every process: no addresses, no sets in an order of their own."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    return value is None or isinstance(value, (str, bytes, int, float, bool, Path))


def _list_own_modules() -> Iterator[str]:
    """The modules of applications that are no installed packages: their fields and functions decide, too."""
    from django.apps import apps

    roots = tuple(f"{config.name}." for config in apps.get_app_configs() if "site-packages" not in (config.path or ""))
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or "site-packages"
        is_own = f"{name}.".startswith(roots) and "site-packages" not in file
        if is_own and ".migrations." not in name and ".tests" not in name:
            yield name
