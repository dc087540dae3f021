"""Settings from outside: the process's environment first, then the file ``.env``."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit

POSTGRESQL_SCHEMES = ("postgres", "postgresql")


def read_env_file(path):
    """Read ``KEY=value`` lines: a dict. Comments, blank lines and a missing file count for nothing."""
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = _unquote_value(value.strip())
    return found


def read_environment(path):
    """What is set in ``.env`` at ``path``, overridden by what is set in the process's environment: a dict."""
    return read_env_file(path) | dict(os.environ)


def parse_database_url(url):
    """Turn ``postgresql://user:password@host:port/name?sslmode=require`` or ``sqlite:///path`` into a DATABASES entry.

    What stands after the question mark goes to libpq as it is, so that ``?host=/run/postgresql`` and
    ``?options=-c%20search_path%3Dstaging`` work.

    Raises: ValueError for any other scheme.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(parts.path).removeprefix("/")}
    if parts.scheme not in POSTGRESQL_SCHEMES:
        raise ValueError(f"DATABASE_URL starts with {parts.scheme!r}; use postgresql:// or sqlite:///")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path).removeprefix("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": options.pop("port", "") or str(parts.port or ""),
        "OPTIONS": options,
    }


def _unquote_value(value):
    """Take matching quotes off."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
