"""Reads the variable by django-environ."""

import environ
from settings_common import *  # noqa: F403 - as settings do
from settings_common import BASE_DIR, SQLITE_URL

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")
DATABASES = {"default": env.db("DATABASE_URL", default=SQLITE_URL)}
