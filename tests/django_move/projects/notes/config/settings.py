"""Settings: SQLite, and whatever the tests set in the environment."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "not secret"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sites",
    "notes",
    *os.environ.get("MORE_APPS", "").split(),
]
SITE_ID = 1
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
if "SECOND_DATABASE" in os.environ:
    host, port, user, name, password = os.environ["SECOND_DATABASE"].split(" ")
    DATABASES["new"] = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": host,
        "PORT": port,
        "USER": user,
        "NAME": name,
        "PASSWORD": password,
    }
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
print("a line that the settings print")
