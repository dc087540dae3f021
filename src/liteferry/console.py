"""What commands say and ask: the answer to standard output, everything else to standard error.

Layer 4. Used by the command line only.
"""

from __future__ import annotations

import codecs
import json
import os
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from liteferry.errors import ExitStatus, MigrationError
from liteferry.progress import let_go, watch
from liteferry.report.wording import escape_unprintable

if TYPE_CHECKING:
    import argparse

    from liteferry.model import Report
    from liteferry.progress import Watcher

ERROR_SCHEMA: Final = "liteferry.error/1"


def write_answer(text: str) -> None:
    """Write to standard output, with one line end. Raises: OSError.

    What its encoding does not have is written as JSON escapes it, so that JSON stays JSON: a name with an accent in a
    locale of ASCII alone is no reason to say nothing.
    """
    if sys.stdout is None:
        raise OSError("standard output is closed")
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, _ESCAPES).decode(encoding).rstrip("\n") + "\n")
        sys.stdout.flush()
    except OSError:
        let_go(sys.stdout)
        raise


def _escape_unencodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


_ESCAPES: Final = "liteferry-escapes"
codecs.register_error(_ESCAPES, _escape_unencodable)


def tell(text: str) -> None:
    """Write a line to standard error, where there is one that takes it."""
    if sys.stderr is None:  # closed by whoever started us (`2>&-`)
        return
    try:
        sys.stderr.write(escape_unprintable(text) + "\n")
        sys.stderr.flush()
    except OSError:  # its reader went away, its disk is full: what is done does not depend on it
        let_go(sys.stderr)


def dump_json(value: object) -> str:
    """JSON as all commands write it. Pure."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def measure_width() -> int:
    """How many characters the lines of an answer may have."""
    return max(60, min(120, shutil.get_terminal_size((100, 24)).columns))


def watch_run(arguments: argparse.Namespace) -> Watcher:
    """Show the progress of what is done within, and give what is to be told of it."""
    color = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return watch(quiet=arguments.quiet, color=color)


def write_report(report: Report, arguments: argparse.Namespace, *, is_kept: bool = True) -> int:
    """Write a run's report; returns the exit status, which says what was done, whether or not it can be written.

    is_kept: the run keeps its report; else what is written here is all that there is. Raises: OSError, in that case.
    """
    from liteferry.report import render_json, render_text

    text = render_json(report) if arguments.json else render_text(report, width=measure_width())
    if is_kept and report.run_dir:
        write_outcome(text, report.run_dir)
    else:
        write_answer(text)
    return report.exit_status


def write_outcome(text: str, run_dir: str) -> None:
    """Write what came of something that is done, and stays done: that it cannot be written is only told.

    run_dir: where it can be read, too; "" for nowhere.
    """
    try:
        write_answer(text)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # as with `| head`: nothing is wrong
            where = f"; the report is in {run_dir}" if run_dir else ""
            tell(f"liteferry: what came out could not be written ({error.strerror or error}){where}")


def say(arguments: argparse.Namespace, facts: dict[str, object], text: str) -> None:
    """Write an answer: the facts as JSON where that was asked for, else the text."""
    write_answer(dump_json(facts) if arguments.json else text)


def write_error(error: MigrationError, *, as_json: bool) -> None:
    """Write an error to standard error. as_json: to standard output, too."""
    if as_json:
        _write_error_json(error)
    tell(f"liteferry: {error} [{error.code}]")
    for line in error.trace:
        tell(f"    {line}")
    if error.hint:
        tell(f"  {error.hint}")


def write_usage_error(message: str, hint: str) -> None:
    """Write what is wrong with a command line as JSON, to standard output; argparse tells it on standard error."""
    _write_error_json(MigrationError(message, code="usage", hint=hint))


def _write_error_json(error: MigrationError) -> None:
    facts = {
        "schema": ERROR_SCHEMA,
        "code": error.code,
        "what": error.what,
        "hint": error.hint,
        "table": error.table,
        "column": error.column,
        "key": error.key,
        "step_id": error.step_id,
        **({"trace": list(error.trace)} if error.trace else {}),
    }
    with suppress(OSError):  # standard error gets it, too
        write_answer(dump_json(facts))


def confirm(question: str, arguments: argparse.Namespace) -> None:
    """Ask, unless --yes. Raises: MigrationError: usage when nobody can be asked, interrupted on no."""
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise MigrationError("nobody can be asked here, and --yes was not given", code="usage", hint="add --yes")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise MigrationError(
            "not confirmed, and nothing was done", code="interrupted", exit_status=ExitStatus.INTERRUPTED
        )
