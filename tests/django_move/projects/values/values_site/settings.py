"""One table for every type of field. What the tests vary comes from the environment."""

import json
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "for tests alone"
INSTALLED_APPS = ["store", *(["own"] if "VALUES_OWN" in os.environ else [])]
USE_TZ = os.environ.get("VALUES_USE_TZ", "1") == "1"
TIME_ZONE = os.environ.get("VALUES_TIME_ZONE", "UTC")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("VALUES_SQLITE", BASE_DIR / "db.sqlite3"),
    }
}
if USE_TZ and "VALUES_DATABASE_TIME_ZONE" in os.environ:
    DATABASES["default"]["TIME_ZONE"] = os.environ["VALUES_DATABASE_TIME_ZONE"]
if "VALUES_ENTRY" in os.environ:
    DATABASES["default"] = json.loads(os.environ["VALUES_ENTRY"])
