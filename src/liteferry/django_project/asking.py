"""Ask the project something: one task of `inside`, in a process of the project's own interpreter.

Layer 2. The request goes to the child's standard input, for it may hold a password; answers come back on a pipe of
their own. What the project prints goes to a file, and is shown only where something went wrong.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from liteferry.django_project.hiding import find_secrets, hide_secrets
from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from liteferry.project import ProjectPlace

PROGRAM: Final = Path(__file__).resolve().parent / "inside" / "program.py"
_GRACE_S: Final = 5.0
_LOOK_S: Final = 0.5
_PIECE_BYTES: Final = 1 << 16
_OUTPUT_SHOWN: Final = 600
_OUTPUT_READ: Final = 16_000
_STAGES: Final = {
    "manage": ("django-not-started", "the project's manage.py fails"),
    "settings": ("django-settings", "the project's settings cannot be imported"),
    "setup": ("django-setup", "the project's applications cannot be loaded"),
    "task": ("django-failed", "the project failed"),
}

_OWN_CODES: Final = {"django-migrations": "the project's migrations cannot be followed"}
"""Codes that a task gives an error by itself, with what they mean."""


class ProjectError(MigrationError):
    """An error of the project's own code. ``facts``: what the task adds (the migration and SQL that failed)."""

    facts: Mapping[str, Any] = {}


def ask_project(
    place: ProjectPlace,
    task: str,
    argument: object = None,
    *,
    databases: Mapping[str, Mapping[str, object]] | None = None,
    tell: Callable[[Mapping[str, Any]], None] | None = None,
    environment: Mapping[str, str | None] | None = None,
) -> Any:  # the task's answer, as JSON has it
    """Run one task in the project's interpreter and return its answer.

    databases: entries of DATABASES that take the place of the project's own, by alias. tell: is given the task's
    events. environment: variables on top of our own; None takes one away.

    Raises: ProjectError with one of the codes ``django-…``; KeyboardInterrupt, the child having ended.
    """
    given = _make_environment(environment or {})
    secrets = find_secrets(databases or {}, given)
    answers, child_answers = os.pipe()
    request = {
        "answers": child_answers,
        "task": task,
        "argument": argument if argument is not None else {},
        "manage": place.manage,
        "directory": place.directory,
        "settings": place.settings,
        "databases": dict(databases or {}),
    }
    with tempfile.TemporaryFile() as output, open(answers, "rb", buffering=0) as reader:  # noqa: PTH123 - a descriptor
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own interpreter, our own program
                [place.python, str(PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=[child_answers],
                cwd=place.directory,
                env=given,
                start_new_session=True,  # Ctrl-C reaches us alone; and without a terminal nothing waits for a password
            )
        except OSError as error:
            raise ProjectError(
                f"{place.python} cannot be started: {error.strerror or error}",
                code="django-not-found",
                hint="give the project's interpreter with --python",
            ) from error
        finally:
            os.close(child_answers)
        try:
            found = _listen(process, reader, json.dumps(request), tell)
            with suppress(subprocess.TimeoutExpired):  # a thread of the project's may never end
                process.wait(_GRACE_S)
        finally:
            _end(process)
        if found is None:
            raise ProjectError(
                f"the project's process ended without an answer (exit status {process.returncode})"
                + _quote_output(output, secrets),
                code="django-failed",
                hint="run its manage.py by hand: something in it ends the process",
            )
        if "error" in found:
            told = found["error"]
            secrets |= set(told.pop("secrets", ()))
            raise _explain(hide_secrets(told, secrets), place, _quote_output(output, secrets))
        return found["result"]


def _listen(
    process: subprocess.Popen[bytes], reader: Any, request: str, tell: Callable[[Mapping[str, Any]], None] | None
) -> dict[str, Any] | None:  # a text file
    assert process.stdin is not None  # noqa: S101 - Popen was asked for a pipe
    with suppress(BrokenPipeError):  # it died at once: its output says why
        process.stdin.write(request.encode())
        process.stdin.close()
    for line in _read_lines(process, reader):
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:  # cut off: it was killed while it wrote
            continue
        if "event" not in answer:
            return answer
        if tell is not None:
            tell(answer["event"])
    return None


def _read_lines(process: subprocess.Popen[bytes], reader: Any) -> Iterator[bytes]:  # a raw file
    """The child's lines, until it closes the pipe or ends: what it has forked may hold the pipe open for ever."""
    waiting = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while True:
            has_ended = process.poll() is not None  # then all that it has written is there already
            if not selector.select(0 if has_ended else _LOOK_S):
                if has_ended:
                    return
                continue
            piece = reader.read(_PIECE_BYTES)
            if not piece:
                return
            head, *others = piece.split(b"\n")
            waiting += head
            for start in others:
                yield bytes(waiting)
                waiting = bytearray(start)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _make_environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Our own environment without what would lead another interpreter to our packages, and with the changes."""
    changed = {**os.environ, "PYTHONHOME": None, "__PYVENV_LAUNCHER__": None, **changes}
    return {name: value for name, value in changed.items() if value is not None}


def _quote_output(output: Any, secrets: set[str]) -> str:  # a binary file
    output.seek(0, os.SEEK_END)
    output.seek(max(0, output.tell() - _OUTPUT_READ))
    text = hide_secrets(output.read().decode("utf-8", "replace").strip(), secrets)[-_OUTPUT_SHOWN:]
    return f"; it printed: …{text}" if text else ""


def _explain(error: Mapping[str, Any], place: ProjectPlace, output: str) -> ProjectError:
    """The project's own error, named as the project's, with the last of its own lines."""
    code, what = _STAGES.get(error["stage"], ("django-failed", "the project failed"))
    kind, message, facts = error["type"], error["message"], error.get("facts") or {}
    frames = error["frames"]
    where = [
        f"{_shorten(frame['file'], place.directory)}:{frame['line']} in {frame['function']}: {frame['text'].strip()}"
        for frame in frames
    ]
    last = max((at for at, frame in enumerate(frames) if frame["own"]), default=len(where) - 1)
    missing = kind == "ModuleNotFoundError" and "'django'" in message
    if missing:
        code, what = "django-missing", f"the interpreter {place.python} has no Django"
    elif error.get("code"):
        code, what, where = error["code"], _OWN_CODES[error["code"]], []
        last = -1
        kind = "" if kind == "CommandError" else kind
    elif kind == "SystemExit":
        kind, message = "", f"it ends with exit status {message}{output}"
    shown = ": ".join(part for part in (what, kind, message) if part)
    if where and not missing:
        shown += f" ({where[last]})"
    hint = {
        "django-missing": "give the project's own interpreter with --python, as --python .venv/bin/python",
        "django-settings": "this comes from the project itself: `manage.py check` should say the same. Its environment"
        " variables must be set here, too",
        "django-setup": "this comes from the project itself: `manage.py check` should say the same",
        "django-migrations": "this comes from the project's migrations: `manage.py showmigrations` reads them, too",
        "django-not-started": "this comes from the project's manage.py; give --settings MODULE to go without it",
    }.get(code, "this comes from the project's own code" + output)
    if code == "django-setup" and "DatabaseError" in error.get("family", ()):
        hint = (
            "applications are loaded on an empty database here, as by `migrate` on a new one: AppConfig.ready() must do"
            " without tables, or wait for post_migrate or the first request"
        )
    found = ProjectError(shown, code=code, hint=hint)
    found.facts = facts
    found.trace = tuple(where) if len(where) > 1 and not missing else ()
    return found


def _shorten(path: str, directory: str) -> str:
    return path[len(directory) + 1 :] if path.startswith(directory + os.sep) else path
