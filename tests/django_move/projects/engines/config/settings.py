"""Settings of a project that asks which engine it is on, by a variable of its own and by the connection."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "not secret"
INSTALLED_APPS = ["django.contrib.contenttypes", "signs"]
ROOT_URLCONF = "config.urls"
ENGINE = os.environ.get("SIGNS_ENGINE", "sqlite")
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
