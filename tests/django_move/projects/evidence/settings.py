"""A shop whose models do all that makes reading them by the ORM hard."""

import os
from pathlib import Path

SECRET_KEY = "of no use"  # noqa: S105
BASE_DIR = Path(__file__).parent
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "shop"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_DATABASE", str(BASE_DIR / "db.sqlite3")),
        "TIME_ZONE": os.environ.get("SHOP_DATABASE_ZONE") or None,
    }
}
USE_TZ = os.environ.get("SHOP_USE_TZ", "1") == "1"
TIME_ZONE = "Asia/Manila"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
