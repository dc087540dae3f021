"""Reads the variable by dj-database-url, from the environment alone: what starts it reads the file."""

import dj_database_url
from settings_common import *  # noqa: F403 - as settings do
from settings_common import SQLITE_URL

DATABASES = {"default": dj_database_url.config(default=SQLITE_URL)}
