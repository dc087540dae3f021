"""The process in which a project is asked: whatever its code does there, an answer or one clear error comes of it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from liteferry.django_project import (
    ProjectError,
    ask_project,
    find_place,
    read_settings,
    replace_all,
    sqlite_entry,
)
from liteferry.django_project.hiding import find_secrets, hide_secrets
from liteferry.project import ProjectOptions

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry.project import ProjectPlace

MANAGE = """\
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf")
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
SETTINGS = """\
SECRET_KEY = "kept in the settings"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
"""
PASSWORD = "hunter2/and more"


def make_place(directory: Path, settings: str) -> ProjectPlace:
    (directory / "manage.py").write_text(MANAGE)
    (directory / "conf.py").write_text(SETTINGS + settings)
    return find_place(ProjectOptions(directory=str(directory)))


def test_every_alias_of_the_file_is_led_elsewhere(tmp_path: Path) -> None:
    """However its path is spelled: the project's code must not reach the file that is moved."""
    (tmp_path / "db.sqlite3").touch()
    (tmp_path / "link").symlink_to(tmp_path / "db.sqlite3")
    names = {"same": "./db.sqlite3", "link": str(tmp_path / "link"), "uri": f"file:{tmp_path}/db.sqlite3?mode=ro"}
    entries = {alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": name} for alias, name in names.items()}
    other = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "other.sqlite3")}
    more = {**entries, "other": other}
    settings, _ = read_settings(make_place(tmp_path, f"DATABASES.update({more!r})\n"))
    replaced = replace_all(settings, "default", sqlite_entry(tmp_path / "ours.sqlite3"))
    assert set(replaced) == {"default", *names}


def test_a_thread_that_never_ends_keeps_nobody_waiting(tmp_path: Path) -> None:
    place = make_place(tmp_path, "import threading\nthreading.Thread(target=threading.Event().wait).start()\n")
    settings, _ = read_settings(place)
    assert settings.settings_module == "conf"


def test_a_forked_child_that_stays_keeps_nobody_waiting(tmp_path: Path) -> None:
    program = """
import os
import time

child = os.fork()
if not child:
    os.setsid()
    time.sleep(600)
    os._exit(0)
open("child", "w").write(str(child))
os._exit(3)
"""
    place = make_place(tmp_path, program)
    try:
        with pytest.raises(ProjectError, match=r"ended without an answer \(exit status 3\)"):
            read_settings(place)
    finally:
        with suppress(ProcessLookupError):
            os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


def test_a_project_that_closes_all_descriptors_is_an_error(tmp_path: Path) -> None:
    place = make_place(tmp_path, "import os\nos.closerange(3, 256)\n")
    with pytest.raises(ProjectError, match="ended without an answer"):
        read_settings(place)


def test_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    """It has no terminal: a question that nobody sees would wait for ever."""
    place = make_place(tmp_path, 'open("/dev/tty")\n')
    with pytest.raises(ProjectError, match=r"OSError.*/dev/tty"):
        read_settings(place)


def test_megabytes_of_output_and_of_answer_pass(tmp_path: Path) -> None:
    more = 'print("x" * 5_000_000)\nINSTALLED_APPS = [f"app{number}" for number in range(50_000)]\n'
    settings, _ = read_settings(make_place(tmp_path, more))
    assert len(settings.installed_apps) == 50_000


@pytest.mark.parametrize(
    "program",
    [
        f"raise ValueError({f'invalid dsn: postgres://shop:{PASSWORD}@db.example/shop'!r})",
        f"raise ValueError({f'it is {PASSWORD}, is it?'!r})",  # in what the parent handed over
        "raise ValueError(SECRET_KEY)",  # known to the settings alone
        f"PASSWORD = {PASSWORD!r}; 1 / 0",  # in the line that is shown
        f"DATABASES['default'] = {{'PASSWORD': {PASSWORD!r}",  # SyntaxError: that line was never run
        f"print('password={PASSWORD!r}'); import os; os._exit(4)",
        f"print({PASSWORD!r}); raise SystemExit('no')",
    ],
)
def test_no_error_shows_a_secret(program: str, tmp_path: Path) -> None:
    place = make_place(tmp_path, "")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text(
        f"from django.conf import settings\nSECRET_KEY = settings.SECRET_KEY\n{program}\n"
    )
    (tmp_path / "conf.py").write_text(SETTINGS + "INSTALLED_APPS = ['shop']\n")
    entry = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "PASSWORD": PASSWORD}
    with pytest.raises(ProjectError) as caught:
        ask_project(place, "describe", {"alias": "default", "applied": []}, databases={"default": entry})
    shown = "\n".join((caught.value.what, caught.value.hint or "", *caught.value.trace, repr(caught.value.facts)))
    assert "***" in shown
    assert "hunter2" not in shown
    assert "kept in the settings" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('connect("postgres://me:a:b@c@db/x")', 'connect("postgres://me:***@db/x")'),
        ("host=db password=geheim dbname=x", "host=db password=*** dbname=x"),
        ("'PASSWORD': 'it\\'s', 'HOST': 'db'", "'PASSWORD': ***, 'HOST': 'db'"),
        ("CREATE ROLE me PASSWORD 'geheim' LOGIN", "CREATE ROLE me PASSWORD *** LOGIN"),
        ('PASSWORD = os.environ["PG_PASSWORD"]', 'PASSWORD = os.environ["PG_PASSWORD"]'),
        ("dict(password=os.environ['PG_PASSWORD'])", "dict(password=os.environ['PG_PASSWORD'])"),
        ("dict(password=config('PG_PASSWORD'))", "dict(password=config('PG_PASSWORD'))"),
        ('password authentication failed for user "me"', 'password authentication failed for user "me"'),
        ("KeyError: 'SECRET_KEY'", "KeyError: 'SECRET_KEY'"),
        ("AUTH_PASSWORD_VALIDATORS = [", "AUTH_PASSWORD_VALIDATORS = ["),
        ("http://localhost:8000/x", "http://localhost:8000/x"),
    ],
)
def test_what_is_hidden(text: str, shown: str) -> None:
    assert hide_secrets({"message": [text]}) == {"message": [shown]}


def test_variables_and_entries_tell_what_is_secret() -> None:
    variables = {"DATABASE_URL": "postgres://me:a%40bc@db/x", "MAIL_TOKEN": "geheim", "HOME": "/root", "PGPASSWORD": ""}
    entries = {"default": {"PASSWORD": "open"}, "other": {}}
    assert find_secrets(entries, variables) == {"a%40bc", "a@bc", "geheim", "open"}
    assert hide_secrets("geheim, a%40bc, a@bc; yes", {"a@bc", "geheim", "yes"}) == "***, ***, ***; yes"
