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
    loader = MigrationLoader(source)
    detector = MigrationAutodetector(
        loader.project_state(),
        ProjectState.from_apps(apps),
        NonInteractiveMigrationQuestioner(specified_apps=set(), dry_run=True),
    )
    changes = detector.changes(graph=loader.graph)
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
        "migrations": [_describe_migration(migration) for migration in loader.disk_migrations.values()],
        "applied": sorted(applied),
        "unapplied": list(dict.fromkeys(f"{app}.{name}" for app, name in plan if (app, name) not in applied)),
        "changes": [
            f"{app}: {operation.describe()}"
            for app, migrations in changes.items()
            for migration in migrations
            for operation in migration.operations
        ],
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


def _describe_migration(migration: Any) -> dict[str, Any]:
    creates, adds, raw = [], [], []
    for operation in _walk(migration.operations):
        kind = type(operation).__name__
        if kind == "CreateModel":
            creates.append(operation.name.lower())
            adds += [f"{operation.name}.{name}".lower() for name, _ in operation.fields]
        elif kind == "AddField":
            adds.append(f"{operation.model_name}.{operation.name}".lower())
        elif kind in {"RunSQL", "RunPython"}:
            raw.append(f"{kind}: {operation.describe()}")
    return {
        "app": migration.app_label,
        "name": migration.name,
        "replaces": [list(key) for key in migration.replaces],
        "creates": creates,
        "adds": adds,
        "raw": raw,
    }


def _walk(operations: Any) -> Iterator[Any]:
    for operation in operations:
        yield operation
        yield from _walk(getattr(operation, "database_operations", None) or ())
        yield from _walk(getattr(operation, "state_operations", None) or ())


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
