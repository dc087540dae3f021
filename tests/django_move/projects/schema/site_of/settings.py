"""A project whose migrations make one of nearly everything that can stand in a PostgreSQL schema."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "for tests"  # noqa: S105 - of a project that is never served
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "library",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SCHEMA_PROJECT_FILE", BASE_DIR / "db.sqlite3"),
    }
}
if os.environ.get("SCHEMA_PROJECT_PG"):  # for a plain migrate, with which liteferry's is compared
    import json

    DATABASES["default"] = json.loads(os.environ["SCHEMA_PROJECT_PG"])
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "Asia/Manila"
SILENCED_SYSTEM_CHECKS = ["models.W038", "models.W046"]
