"""The program's start: read the request, start the project as its manage.py would, run one task, answer.

The request is one JSON object on standard input; answers are lines of JSON on a pipe of their own, so that whatever the
project prints, on import too, disturbs nothing: it goes to the file that standard output and error lead to.

Request: ``answers`` (descriptor), ``task``, ``argument``, ``manage`` (path or ""), ``directory``, ``settings`` (module
or ""), ``databases`` (alias to an entry of DATABASES that takes the place of the project's own).
Answers: ``{"event": {...}}``, and at last ``{"result": ...}`` or ``{"error": {...}}``.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import runpy
import sys
import traceback
from pathlib import Path
from typing import IO, Any, Callable

_PACKAGE = "liteferry_inside"
"""The name under which this directory is imported here: the project may have modules called as ours are."""

TASKS = {
    "read_settings": "settings",
    "describe": "describing",
    "read_models": "describing",
    "migrate": "migrating",
    "collect_evidence": "evidence",
    "read_server": "reaching",
    "prune": "pruning",
}
"""Tasks, functions of the same name, by the module that has them. Each takes (argument, tell) and returns JSON."""
_OF_MODELS = frozenset({"describe", "read_models", "collect_evidence", "prune"})
"""Tasks that want every model that there is."""

_MESSAGE_SHOWN = 2000
_SECRET_NAME = re.compile("PASSWORD$|PASSWD|SECRET|TOKEN$|SIGNATURE|API_?KEY|_KEY$", re.IGNORECASE)


class NotStartedError(Exception):
    """manage.py ended without handing over to Django."""


def main() -> None:
    """Run the one task that standard input asks for."""
    request = json.loads(sys.stdin.buffer.read())
    os.set_inheritable(request["answers"], False)  # programs that the project starts must not hold it open
    with open(request["answers"], "w", encoding="utf-8") as answers:  # noqa: PTH123 - a descriptor, not a path
        stage = ["start"]
        try:
            answer = {"result": _run(request, answers, stage)}
        except BaseException as error:  # noqa: BLE001 - the project's own code may raise, or exit with, anything
            answer = {"error": _describe_error(error, stage[0], request["directory"])}
        _send(answers, answer)


def _run(request: dict[str, Any], answers: IO[str], stage: list[str]) -> Any:
    package = _load_package()
    directory = request["directory"]
    os.chdir(directory)
    if getattr(sys.flags, "safe_path", False):  # then this program's own directory is not there
        sys.path.insert(0, directory)
    else:
        sys.path[0] = directory  # as `python manage.py` has it, in place of this program's own
    if request["settings"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = request["settings"]
    found = []
    failed = []

    def go_on() -> None:
        try:
            found.append(do_task())
        except BaseException as error:
            failed.append((error, error.__traceback__, stage[0]))  # a manage.py may catch it, and end in its own way
            raise

    def do_task() -> Any:
        stage[0] = "settings"
        _read_settings()
        _replace_databases(request["databases"])
        if request["task"] != "read_settings":
            import django

            stage[0] = "setup"
            django.setup()
            if request["task"] in _OF_MODELS:
                _import_urls(lambda **event: _send(answers, {"event": event}))
        stage[0] = "task"
        module = importlib.import_module(f"{package}.{TASKS[request['task']]}")
        task: Callable[..., Any] = getattr(module, request["task"])
        return task(request["argument"], lambda **event: _send(answers, {"event": event}))

    stage[0] = "manage"
    try:
        if request["manage"]:
            _run_manage(request["manage"], go_on)
        else:
            go_on()
    except BaseException:
        if not (found or failed):
            raise
    if failed:
        error, trace, stage[0] = failed[0]
        raise error.with_traceback(trace)  # without the way through manage.py
    if not found:
        raise NotStartedError("it ended without calling Django's execute_from_command_line")
    return found[0]


def _load_package() -> str:
    """Import this directory as a package under a name of its own."""
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, str(here / "__init__.py"), submodule_search_locations=[str(here)]
    )
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - the file is there
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = module
    spec.loader.exec_module(module)
    return _PACKAGE


def _run_manage(path: str, go_on: Callable[[], None]) -> None:
    """Run the project's manage.py, which may set paths and read files, up to where it hands over to Django."""
    from django.core import management

    def take_over(*_: object) -> None:
        go_on()

    management.execute_from_command_line = take_over
    management.ManagementUtility.execute = take_over  # the other way in
    sys.argv = [path, "check"]
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:  # `sys.exit(main())`
        if end.code not in {None, 0}:
            raise


def _read_settings() -> None:
    """Import the settings, which Django would do when one of them is asked for first."""
    from django.conf import settings

    dir(settings)


def _replace_databases(databases: dict[str, dict[str, Any]]) -> None:
    """Put other databases in the place of the project's, before any application can have opened one.

    A settings module that imports a lot may have opened one already: that connection is closed and forgotten.
    """
    from django.conf import settings
    from django.db import connections

    for alias, entry in databases.items():
        settings.DATABASES[alias] = dict(entry)
    connections.__dict__.pop("settings", None)  # both are read from the settings again when they are asked for
    connections._settings = None
    for alias in databases:
        opened = getattr(connections._connections, alias, None)
        if opened is not None:
            opened.close()
            del connections[alias]


def _import_urls(tell: Callable[..., None]) -> None:
    """Import the project's URLs, as Django's checks do before makemigrations: some models are in modules behind them.

    Without that, such a model would seem to be gone. Where they cannot be imported, that is told, and nothing else: the
    move has no use for what they lead to.
    """
    from django.conf import settings

    if getattr(settings, "ROOT_URLCONF", None):
        try:
            importlib.import_module(settings.ROOT_URLCONF)
        except Exception as error:  # noqa: BLE001 - the project's own
            tell(kind="urls-failed", error=f"{type(error).__name__}: {error}")


def _send(answers: IO[str], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer, default=str) + "\n")
    answers.flush()


def _describe_error(error: BaseException, stage: str, directory: str) -> dict[str, Any]:
    """The error with the part of its traceback that is the project's own, the last of it."""
    frames = traceback.extract_tb(error.__traceback__)
    here = str(Path(__file__).resolve().parent)
    outside = [frame for frame in frames if not frame.filename.startswith((here, "<frozen"))]
    own = [
        frame
        for frame in outside
        if frame.filename.startswith(str(directory)) and "site-packages" not in frame.filename
    ]
    shown = (own or outside)[-4:]
    if outside and outside[-1] not in shown:
        shown.append(outside[-1])
    if isinstance(error, SyntaxError) and error.filename:  # the place is in no frame: that file never ran
        shown = [traceback.FrameSummary(error.filename, error.lineno or 0, "<module>", line=error.text or "")]
    return {
        "stage": stage,
        "type": "" if isinstance(error, NotStartedError) else type(error).__name__,
        "family": [kind.__name__ for kind in type(error).__mro__],
        "message": str(error)[:_MESSAGE_SHOWN],
        "frames": [
            {"file": f.filename, "line": f.lineno, "function": f.name, "text": f.line or "", "own": f in own}
            for f in shown
        ],
        "facts": getattr(error, "liteferry_facts", {}),
        "code": getattr(error, "liteferry_code", ""),
        "secrets": _list_secrets(),
    }


def _list_secrets() -> list[str]:
    """What the settings keep secret, so that it can be hidden in whatever is shown of the error."""
    found: set[str] = set()
    try:
        from django.conf import settings

        if settings.configured:
            for name in dir(settings):
                if name.isupper():
                    _collect_secrets(name, getattr(settings, name), found)
    except BaseException:  # noqa: BLE001 - settings that cannot be read keep nothing that we could know
        return sorted(found)
    return sorted(found)


def _collect_secrets(name: object, value: object, found: set[str]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _collect_secrets(key, item, found)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _collect_secrets(name, item, found)
    elif isinstance(value, str) and value and _SECRET_NAME.search(str(name)):
        found.add(value)


if __name__ == "__main__":
    main()
