"""``manage.py liteferry``: the command line of liteferry, for the project that it runs within.

The arguments are those of `liteferry.cli`; the project that they are about is this one. The work is done as
`liteferry … --django` does it, in processes of its own, so that this process never opens the database that is moved.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from liteferry.cli import add_commands, run_arguments

if TYPE_CHECKING:
    import argparse


class Command(BaseCommand):  # type: ignore[misc]  # Django has no types
    """Move this project's database to PostgreSQL."""

    help = "Move this project's SQLite database to PostgreSQL, prove that every value arrived, and be able to undo it."
    requires_system_checks: tuple[str, ...] = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the commands of liteferry that can be about a project."""
        add_commands(parser, "within")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the command; its exit status is the process's."""
        import argparse

        if options.get("no_color"):
            os.environ["NO_COLOR"] = "1"
        arguments = argparse.Namespace(**{**options, **self._name_project()})
        if options.get("verbosity") == 0:
            arguments.quiet = True
        status = run_arguments(arguments)
        exec("")  # noqa: S102 - as in `liteferry.__main__`: else an interruption that was handled ends Python by SIGINT
        if status:
            sys.exit(status)

    @staticmethod
    def _name_project() -> dict[str, str]:
        """This project, as `--django`, `--settings` and `--python` would name it."""
        started = Path(sys.argv[0])
        home = started.resolve().parent if started.name == "manage.py" else Path.cwd()
        return {
            "django": str(home),
            "settings": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
            "python": sys.executable,
        }
