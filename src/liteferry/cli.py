"""The command line.

Layer 4. The definitions (`build_parser`, `add_arguments`) are argparse's, so that Django's management command can use
the same ones. Standard output carries data, standard error everything else. Whatever is heavy is imported by the
command that needs it: `liteferry --help` has to be quick.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from liteferry import __version__, arguments
from liteferry.errors import EXIT_STATUSES, ExitStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from liteferry.arguments import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: its help, the arguments that it takes, and the name of the function that runs it."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser, Place], None]
    run: str  # the function of `liteferry.commands`
    for_project: bool = False  # it can move a Django project's database


COMMANDS: Final = (
    Command(
        name="demo",
        help="a sample database into the embedded PostgreSQL, proven, with a report; needs no arguments",
        add_arguments=arguments.of_demo,
        run="demo",
    ),
    Command(
        name="inspect",
        help="tables, columns, declared types, and what is really stored",
        add_arguments=arguments.of_inspect,
        run="inspect",
    ),
    Command(
        name="check",
        help="everything that would go wrong; touches nothing",
        add_arguments=arguments.of_check,
        run="check",
        for_project=True,
    ),
    Command(
        name="plan",
        help="the steps and their SQL, exactly as migrate runs them",
        add_arguments=arguments.of_plan,
        run="plan",
        for_project=True,
    ),
    Command(
        name="rehearse",
        help="the whole of migrate, after which nothing remains: into the embedded PostgreSQL, or TARGET's staging",
        add_arguments=arguments.of_rehearse,
        run="rehearse",
        for_project=True,
    ),
    Command(
        name="migrate",
        help="snapshot, plan, load, prove, publish, report",
        add_arguments=arguments.of_migrate,
        run="migrate",
        for_project=True,
    ),
    Command(
        name="verify",
        help="the proof alone: every value and every object of TARGET against SOURCE",
        add_arguments=arguments.of_verify,
        run="verify",
        for_project=True,
    ),
    Command(
        name="digest",
        help="the canonical digests of one side, to hold against a report",
        add_arguments=arguments.of_digest,
        run="digest",
    ),
    Command(
        name="report",
        help="the report of a run again, in any form",
        add_arguments=arguments.of_report,
        run="report",
        for_project=True,
    ),
    Command(
        name="switch",
        help="a Django project's setting for its new database: show it, write it, see where it leads, go back",
        add_arguments=arguments.of_switch,
        run="switch",
        for_project=True,
    ),
    Command(
        name="undo",
        help="take away from the target exactly what a run published",
        add_arguments=arguments.of_undo,
        run="undo",
    ),
    Command(name="server", help="the embedded PostgreSQL", add_arguments=arguments.of_server, run="server"),
    Command(
        name="completion",
        help="print the completion script of a shell",
        add_arguments=arguments.of_completion,
        run="completion",
    ),
)


_OF_RUNS: Final = frozenset({"undo", "server"})
"""Commands about a run, or about the embedded server, that a project's own command has, too."""


_WITH_SNAPSHOT: Final = frozenset({"inspect", "check", "plan", "rehearse", "migrate", "verify", "digest"})
"""Commands that begin with a snapshot of a file, unless they are told otherwise."""


class _Parser(argparse.ArgumentParser):
    """argparse's parser; what it says of a wrong command line is JSON, too, where that was asked for."""

    _given: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # argparse's own signature
        self._given = sys.argv[1:] if args is None else tuple(args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        if "--json" in self._given:
            from liteferry.console import write_usage_error

            write_usage_error(message, f"{self.prog} --help")
        super().error(message)


class _ShowVersion(argparse.Action):
    """Prints the version, and which of the compiled parts are in use; finding these out takes a moment."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from liteferry.compiled import describe_parts
        from liteferry.console import write_answer

        try:
            write_answer(f"liteferry {__version__}\n{describe_parts()}")
        except OSError as error:
            parser.exit(int(ExitStatus.ERROR), f"liteferry: the version could not be written ({error})\n")
        parser.exit()


def build_parser(place: Place = "file") -> argparse.ArgumentParser:
    """Define the whole command line. Pure."""
    parser = _Parser(
        prog="liteferry",
        description="Move a SQLite database to PostgreSQL, prove that every value arrived, and be able to undo it.",
        epilog="exit status: "
        + "; ".join(f"{int(status)} {text.split(';')[0].rstrip('.')}" for status, text in EXIT_STATUSES.items()),
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="say the version, and which parts are compiled")
    add_commands(parser, place)
    return parser


def add_commands(parser: argparse.ArgumentParser, place: Place) -> None:
    """Add the commands to a parser; within a project those that can be about it. Pure."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        if place == "within" and not (command.for_project or command.name in _OF_RUNS):
            continue
        sub = commands.add_parser(
            command.name, help=command.help, description=command.help[0].upper() + command.help[1:]
        )
        command.add_arguments(sub, place if command.for_project else "file")
        sub.set_defaults(run=command.run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `liteferry.errors.ExitStatus`)."""
    return run_arguments(parse_arguments(sys.argv[1:] if argv is None else argv))


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Read a command line: with --django there is no SOURCE. Raises: SystemExit, what is wrong having been said."""
    place: Place = "project" if any(word == "--django" or word.startswith("--django=") for word in argv) else "file"
    return build_parser(place).parse_args(argv)


def run_arguments(arguments: argparse.Namespace) -> int:
    """Run the command that the arguments name; returns the exit status."""
    import logging

    # psycopg warns there of what is told as an error of ours anyway
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    with _catch_signals(), _collect_seldom(), contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_snapshot_ahead(arguments))
            from liteferry import commands
        except KeyboardInterrupt:  # before anything was begun; later ones are the command's
            _tell_at_once(b"liteferry: interrupted [interrupted]\n")
            return int(ExitStatus.INTERRUPTED)
        return commands.run_command(arguments.run, arguments)


def _snapshot_ahead(arguments: argparse.Namespace) -> AbstractContextManager[None]:
    """Start the process that takes the snapshot while this one imports what it needs, where there will be one."""
    source = getattr(arguments, "source", None)
    if arguments.run not in _WITH_SNAPSHOT or not isinstance(source, str) or not os.path.isfile(source):  # noqa: PTH113
        return contextlib.nullcontext()  # a path may hold what a Path does not take
    if getattr(arguments, "snapshot", None) == "none":
        return contextlib.nullcontext()
    from liteferry.child import child_ahead

    return child_ahead("take_snapshot")


@contextlib.contextmanager
def _collect_seldom() -> Iterator[None]:
    """Have Python look for cycles of objects less often than after every 700 new ones.

    Catalogue, census and plan have no cycles, stay to the end, and are looked through each time: with 5,000 tables that
    is a fifth of liteferry's own processor time.
    """
    before = gc.get_threshold()
    gc.set_threshold(10_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _tell_at_once(text: bytes) -> None:
    """Write to standard error, also from within a signal handler, where an error would end the taking back.

    Its disk may be full, and its reader gone: `2>&1 | tee LOG` ends by the same Ctrl-C.
    """
    with contextlib.suppress(OSError):
        os.write(2, text)


@contextlib.contextmanager
def _catch_signals() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt: the first starts the taking back; the third ends it.

    People press Ctrl-C twice: the second must not leave behind what the first would have taken away. A signal that our
    parent ignores (`nohup`, a job in the background) stays ignored.
    """
    count = 0

    def take(*_: object) -> None:
        nonlocal count
        count += 1
        if count != 2:
            raise KeyboardInterrupt
        _tell_at_once(b"taking back what was made; once more to leave it as it is\n")

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    caught = [number for number, handler in before.items() if handler != signal.SIG_IGN]
    if threading.current_thread() is not threading.main_thread():
        caught = []  # Python lets the main thread alone have them
    for number in caught:
        signal.signal(number, take)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])


if __name__ == "__main__":
    sys.exit(main())
