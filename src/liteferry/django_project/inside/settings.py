"""The task `read_settings`: what the settings say, before any application is loaded."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
from typing import Any, Callable


def read_settings(argument: dict[str, Any], tell: Callable[..., None]) -> dict[str, Any]:  # noqa: ARG001 - as all tasks
    """Give the databases and what else is needed to plan; ``entries`` are the databases as they stand, secrets too."""
    import django
    from django.conf import settings

    entries = {alias: dict(entry) for alias, entry in settings.DATABASES.items() if entry}
    return {
        "settings": {
            "settings_module": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
            "base_dir": os.getcwd(),  # noqa: PTH109 - text is wanted
            "django_version": django.get_version(),
            "python_version": platform.python_version(),
            "psycopg_version": _find_psycopg(),
            "use_tz": bool(settings.USE_TZ),
            "time_zone": str(settings.TIME_ZONE),
            "databases": [_describe_database(alias, entry) for alias, entry in entries.items()],
            "routers": [_name(router) for router in settings.DATABASE_ROUTERS],
            "installed_apps": [str(app) for app in settings.INSTALLED_APPS],
            "auth_user_model": str(settings.AUTH_USER_MODEL),
        },
        "entries": entries,
    }


def _describe_database(alias: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "alias": alias,
        "engine": str(entry.get("ENGINE", "")),
        "vendor": _find_vendor(str(entry.get("ENGINE", ""))),
        "name": str(entry.get("NAME") or ""),
        "host": str(entry.get("HOST") or ""),
        "port": str(entry.get("PORT") or ""),
        "user": str(entry.get("USER") or ""),
        "time_zone": str(entry.get("TIME_ZONE") or ""),
    }


def _find_vendor(engine: str) -> str:
    """The vendor of a backend, "" when it cannot be imported (its driver is missing, for instance)."""
    known = {"django.db.backends.sqlite3": "sqlite", "django.db.backends.postgresql": "postgresql"}
    if engine in known:
        return known[engine]
    try:
        return str(importlib.import_module(f"{engine}.base").DatabaseWrapper.vendor)
    except Exception:  # noqa: BLE001 - a backend of somebody's own may raise anything; "" says that it could not be asked
        return ""


def _find_psycopg() -> str:
    """The version of the driver that Django would use for PostgreSQL, "" when there is none that can be imported."""
    for name in ("psycopg", "psycopg2"):
        try:
            return f"{name} {getattr(importlib.import_module(name), '__version__', '')}".strip()
        except ImportError:
            continue
    return ""


def _name(router: object) -> str:
    if isinstance(router, str):
        return router
    return f"{type(router).__module__}.{type(router).__qualname__}"
