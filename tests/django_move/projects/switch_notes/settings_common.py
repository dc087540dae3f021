"""What all the settings of this project have in common."""

from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "made up"
INSTALLED_APPS = ["django.contrib.contenttypes", "notes"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SQLITE_URL = "sqlite:///db.sqlite3"
