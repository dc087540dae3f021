"""Django settings: SQLite in ``db.sqlite3``, or whatever ``DATABASE_URL`` says (environment, or the file ``.env``)."""

import importlib.util
from pathlib import Path

from config.environment import parse_database_url, read_environment

BASE_DIR = Path(__file__).resolve().parent.parent
# in lower case: only names in capitals become settings, and this holds what the whole process was given
_environment = read_environment(BASE_DIR / ".env")

# a demonstration on this machine; a real site sets both
SECRET_KEY = _environment.get("SECRET_KEY", "for-demonstration-only-on-this-machine")
DEBUG = _environment.get("DEBUG", "1") == "1"
ALLOWED_HOSTS = _environment.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "common",
    "communities",
    "coordination",
    "mana",
    "policy_tracking",
    "monitoring",
    "project_central",
    "municipal_profiles",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
if importlib.util.find_spec("liteferry") and importlib.util.find_spec("liteferry.django"):
    INSTALLED_APPS.append("liteferry.django")  # manage.py liteferry check|rehearse|migrate|verify|report

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": parse_database_url(_environment.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}"),
}
# covering indexes cover more on PostgreSQL, and are plain indexes on SQLite
SILENCED_SYSTEM_CHECKS = ["models.W040"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "common.User"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
SITE_ID = 1

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Asia/Manila"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
MEDIA_URL = "media/"
MEDIA_ROOT = BASE_DIR / "media"
