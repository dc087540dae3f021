"""Which of a project's databases is moved, and what stands in its place while the project's code runs.

Layer 2.
"""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liteferry.project import ProjectDatabase, ProjectSettings

_DEFAULT_ALIAS: Final = "default"
_SQLITE: Final = "django.db.backends.sqlite3"


def choose_database(settings: ProjectSettings, wanted: str = "") -> tuple[str, Path]:
    """The alias that is moved, and its SQLite file: the one that was named, else ``default``, else the only SQLite one.

    Raises: MigrationError (django-database).
    """
    databases = {found.alias: found for found in settings.databases}
    lite = [alias for alias, found in databases.items() if found.vendor == "sqlite"]
    listed = ", ".join(f"{found.alias} ({found.vendor or found.engine})" for found in settings.databases) or "none"
    alias = wanted or (_DEFAULT_ALIAS if _DEFAULT_ALIAS in lite or len(lite) != 1 else lite[0])
    if alias not in databases:
        raise MigrationError(
            f"DATABASES has no database {alias}; it has: {listed}",
            code="django-database",
            hint="name one of them with --database",
        )
    found = databases[alias]
    if found.vendor != "sqlite":
        raise MigrationError(
            f"database {alias} of the project is {found.vendor or found.engine or 'nothing'}, not SQLite",
            code="django-database",
            hint=f"DATABASES has: {listed}. Is the project switched over already? Set the environment that it has"
            " while it is on SQLite, or name another --database",
        )
    path = _locate(settings, found.name)
    if ":memory:" in found.name or "mode=memory" in found.name or not path.is_file():
        raise MigrationError(
            f"database {alias} of the project has no file: {found.name}",
            code="django-database",
            hint="is this the environment that the project runs in? Relative paths start where manage.py is",
        )
    return alias, path


def _read_path(name: str) -> str:
    """The file that NAME leads to: a path, or a URI as SQLite takes it."""
    if not name.startswith("file:"):
        return name
    path = name.removeprefix("file:").partition("?")[0].partition("#")[0]
    if path.startswith("//"):
        path = "/" + path.removeprefix("//").partition("/")[2]  # behind the host, which can only be this one
    return unquote(path)


def sqlite_entry(path: Path, *, writable: bool = False) -> dict[str, object]:
    """An entry of DATABASES for a SQLite file of ours. Without writable nothing can be written through it."""
    name = str(path) if writable else f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return {"ENGINE": _SQLITE, "NAME": name}


def replace_all(settings: ProjectSettings, alias: str, entry: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """The entry for the alias and for every other alias that leads to the same SQLite file, however it is spelled.

    A SQLite file of ours is opened by the project's own engine, which may be one of its own, and in the time zone that
    the database has in its settings.
    """
    databases = {found.alias: found for found in settings.databases}
    moved = databases[alias]
    if entry["ENGINE"] == _SQLITE and moved.vendor == "sqlite":
        entry = {**entry, "ENGINE": moved.engine, **({"TIME_ZONE": moved.time_zone} if moved.time_zone else {})}
    return {
        other: entry
        for other, found in databases.items()
        if other == alias or (found.vendor == "sqlite" and _find_file(settings, found) == _find_file(settings, moved))
    }


def shield_others(
    settings: ProjectSettings, databases: Mapping[str, Mapping[str, object]]
) -> dict[str, Mapping[str, object]]:
    """The entries with every other alias led nowhere: migrations are to write into databases of ours alone. Pure.

    Code of the project that uses another database then gets Django's own error, which says so.
    """
    return {**{found.alias: {"ENGINE": "django.db.backends.dummy"} for found in settings.databases}, **databases}


def _find_file(settings: ProjectSettings, found: ProjectDatabase) -> str:
    return found.name if ":memory:" in found.name else os.path.realpath(_locate(settings, found.name))


def _locate(settings: ProjectSettings, name: str) -> Path:
    return Path(settings.base_dir, _read_path(name))
