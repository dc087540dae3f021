"""Reads no variable at all."""

from settings_common import *  # noqa: F403 - as settings do
from settings_common import BASE_DIR

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
