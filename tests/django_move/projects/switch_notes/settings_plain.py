"""Reads the variable by code of its own: from the environment, and from a file .env below that."""

import os
import shlex
from urllib.parse import parse_qsl, unquote, urlsplit

from settings_common import *  # noqa: F403 - as settings do
from settings_common import BASE_DIR, SQLITE_URL


def read_file() -> dict[str, str]:
    path = BASE_DIR / ".env"
    if not path.exists():
        return {}
    words = shlex.split(path.read_text(encoding="utf-8-sig"), comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)


def read_url(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / parts.path.lstrip("/")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


print("the settings are read")  # noqa: T201 - as some settings do
DATABASES = {"default": read_url({**read_file(), **os.environ}.get("DATABASE_URL", SQLITE_URL))}
