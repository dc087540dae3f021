"""The command line.

Layer 4. The definitions (`build_parser`, `add_arguments`) are argparse's, so that Django's management command can use
the same ones. Standard output carries data, standard error everything else. Whatever is heavy is imported by the
command that needs it: `liteferry --help` has to be quick.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, TypeAlias

from liteferry import __version__
from liteferry.errors import EXIT_STATUSES, MigrationError
from liteferry.model import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from liteferry.model import Cast, Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: its help, the arguments that it takes, and the name of the function that runs it."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser, Place], None]
    run: str  # the function of `liteferry.commands`
    for_project: bool = False  # it can move a Django project's database


Place: TypeAlias = Literal["file", "project", "within"]
"""What the arguments are about: a SQLite file; a Django project, which --django names; the one we run within."""


# ---------------------------------------------------------------------------------------------------------------------
# Arguments


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="write JSON with a versioned schema to standard output")
    group.add_argument("--quiet", "-q", action="store_true", help="show no progress")


def _add_source(parser: argparse.ArgumentParser, place: Place, *, project: bool = True) -> None:
    """The source: a file, or a project's database. project: whether the command can take one."""
    if place == "file":
        parser.add_argument("source", metavar="SOURCE", help="the SQLite file")
    if project:
        _add_project(parser, place)
    parser.add_argument(
        "--snapshot",
        choices=("copy", "none"),
        default="copy",
        help="copy: work on a consistent copy (default); none: where the disk has no room for one, read the file"
        " itself in one transaction, which makes writers wait, or their write-ahead log grow, until the end",
    )


def _add_project(parser: argparse.ArgumentParser, place: Place) -> None:
    """Which Django project is meant, and which of its databases."""
    group = parser.add_argument_group("a Django project")
    if place != "within":
        group.add_argument(
            "--django",
            metavar="DIR",
            help="move the database of the Django project in this directory, in place of SOURCE; the project is asked"
            " in its own interpreter and need not have liteferry installed",
        )
        group.add_argument(
            "--settings", type=_text, metavar="MODULE", help="its settings (default: as its manage.py says)"
        )
        group.add_argument(
            "--python",
            metavar="PATH",
            help="its interpreter (default: that of the virtual environment in or beside it, else the active one)",
        )
    group.add_argument(
        "--database",
        type=_text,
        metavar="ALIAS",
        help="which of its DATABASES is moved (default: default, or the only one that is SQLite)",
    )
    group.add_argument(
        "--target-alias",
        type=_text,
        metavar="ALIAS",
        help="which of its DATABASES is the target (default: the only PostgreSQL one, else what DATABASE_URL says,"
        " else the embedded PostgreSQL)",
    )
    group.add_argument(
        "--target-env",
        type=_assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable that the project's environment has only while it is on PostgreSQL, where its settings or"
        " migrations ask for one, as DJANGO_DB=postgresql; no secrets",
    )


def _add_target(parser: argparse.ArgumentParser, *, optional: bool) -> None:
    parser.add_argument(
        "target",
        metavar="TARGET",
        nargs="?" if optional else None,
        type=_text,
        help="the PostgreSQL database: anything libpq takes, as postgresql://user@host/db or 'service=x'."
        " Keep passwords out of it: use PGPASSWORD, ~/.pgpass or a service file"
        + ("; without TARGET: the embedded PostgreSQL" if optional else ""),
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is moved, and how")
    group.add_argument("--schema", type=_text, metavar="NAME", help="the target's schema (default: public)")
    group.add_argument(
        "--into",
        choices=("new", "existing"),
        help="new (default): make the tables; existing: the application's migrations made them in TARGET, fill them",
    )
    group.add_argument(
        "--replace-rows",
        type=_text,
        action="append",
        default=[],
        metavar="TABLE",
        help="with --into existing: the rows that this table of the target holds (a shell pattern, '*' for all) may be"
        " replaced; undo brings them back",
    )
    group.add_argument(
        "--only",
        type=_text,
        action="extend",
        nargs="+",
        default=[],
        metavar="TABLE",
        help="only these tables (shell patterns)",
    )
    group.add_argument(
        "--exclude",
        type=_text,
        action="extend",
        nargs="+",
        default=[],
        metavar="TABLE",
        help="not these tables or views (shell patterns)",
    )
    group.add_argument(
        "--accept",
        type=_text,
        action="extend",
        nargs="+",
        default=[],
        metavar="CODE[:PLACE]",
        help="accept findings by their code, everywhere or at one place (table.column, patterns allowed);"
        " `liteferry check` says what accepting does",
    )
    group.add_argument(
        "--on-misfit",
        type=_decision,
        action="append",
        default=[],
        metavar="[CODE:]PLACE=WAY",
        help="take another way out of a finding than the one that accepting takes, as customer.age=quarantine;"
        " `liteferry check` shows which ways each finding offers",
    )
    group.add_argument(
        "--cast",
        type=_cast,
        action="append",
        default=[],
        metavar="COLUMN=TYPE",
        help="a cast rule of your own: the columns that match table.column (a shell pattern) become this type,"
        " as 'order.total=numeric(12,2)'",
    )
    group.add_argument(
        "--timestamps",
        choices=("auto", "timestamp", "timestamptz"),
        help="what DATETIME columns become: auto (default) is timestamptz where every value has an offset, else"
        " timestamp; timestamptz takes values without an offset for UTC",
    )
    group.add_argument(
        "--nocase",
        choices=("auto", "icu", "citext", "index", "bytes"),
        help="how COLLATE NOCASE goes on: an ICU collation, the type citext, an index for unique keys alone, or not at"
        " all (bytes); auto (default) takes the first of these that the server has",
    )

    group.add_argument(
        "--names",
        choices=("preserve", "lower", "snake"),
        help="how names are written: preserve (default) as they are; lower: A to Z in lower case, so that none needs"
        " quotes for its case; snake: userID as user_id, Order Details as order_details",
    )
    _add_config(parser)


def _add_config(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the file of decisions")
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "--config",
        metavar="FILE",
        help="take options, decisions, casts and hooks from this file (default: liteferry.toml in the current"
        " directory, where there is one); what the command line says comes on top of it",
    )
    either.add_argument("--no-config", action="store_true", help="ignore liteferry.toml in the current directory")


def _add_run(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the run")
    group.add_argument("--yes", "-y", action="store_true", help="do not ask; needed when not on a terminal")
    group.add_argument("--dry-run", action="store_true", help="plan, and stop there")
    group.add_argument(
        "--run-dir", metavar="DIR", help="where plan, journal, snapshot and reports go (default: beside the source)"
    )
    group.add_argument(
        "--jobs", type=_positive, default=0, metavar="N", help="tables at a time (default: one a core, at most four)"
    )
    group.add_argument(
        "--no-verify",
        action="store_true",
        help="publish without the proof; the report says 'not proven' and the exit status is 3",
    )
    group.add_argument(
        "--keep-staging", action="store_true", help="after a failure, leave the staging schema for inspection"
    )
    _add_show_values(group)


def _add_show_values(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--show-values", action="store_true", help="show the differing values themselves in mismatches and reports"
    )


def _text(text: str) -> str:
    """Refuse what is not text: bytes of the command line that are not UTF-8 (paths alone may have them)."""
    if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
        raise argparse.ArgumentTypeError("is not valid UTF-8")
    return text


def _decision(text: str) -> Decision:
    from liteferry.decisions import parse_decision

    try:
        return parse_decision(_text(text))
    except MigrationError as error:
        raise argparse.ArgumentTypeError(f"{error.what}; {error.hint}") from error


def _cast(text: str) -> Cast:
    from liteferry.decisions import parse_cast

    try:
        return parse_cast(_text(text))
    except MigrationError as error:
        raise argparse.ArgumentTypeError(f"{error.what}; {error.hint}") from error


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = _text(text).partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError("must be NAME=VALUE")
    return name, value


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _scale(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError("must be greater than 0, at most 1000")
    return number


# ---------------------------------------------------------------------------------------------------------------------
# Commands


def _arguments_demo(parser: argparse.ArgumentParser, _place: Place) -> None:
    parser.add_argument(
        "--scale",
        type=_scale,
        default=0.1,
        metavar="X",
        help="how large the sample is: 1 is the size of a real one (110 MB); above 1 the rows are multiplied"
        " (default: 0.1)",
    )
    parser.add_argument("--directory", metavar="DIR", help="where sample and run go (default: ./liteferry-demo)")
    _add_output(parser)


def _add_offenders(parser: argparse.ArgumentParser, default: str = "not kept") -> None:
    parser.add_argument(
        "--offenders",
        metavar="FILE",
        help=f"a SQLite file to list every offending value's place in (default: {default})",
    )


def _arguments_inspect(parser: argparse.ArgumentParser, place: Place) -> None:
    _add_source(parser, place, project=False)
    _add_offenders(parser)
    _add_output(parser)


def _arguments_plan(parser: argparse.ArgumentParser, place: Place) -> None:
    _add_source(parser, place)
    _add_target(parser, optional=True)
    _add_selection(parser)
    _add_offenders(parser, "not kept; migrate: offenders.sqlite in the run directory")
    _add_output(parser)


def _arguments_check(parser: argparse.ArgumentParser, place: Place) -> None:
    _arguments_plan(parser, place)
    group = parser.add_argument_group("the draft")
    group.add_argument(
        "--write-config",
        type=_text,
        nargs="?",
        const=CONFIG_NAME,
        metavar="FILE",
        help=f"write what was found to a new file (default: {CONFIG_NAME}), with every way out as a comment, for you to"
        " decide there",
    )


def _arguments_migrate(parser: argparse.ArgumentParser, place: Place) -> None:
    _arguments_rehearse(parser, place)
    _add_write_env(parser.add_argument_group("switching a Django project over"))


def _arguments_rehearse(parser: argparse.ArgumentParser, place: Place) -> None:
    _arguments_plan(parser, place)
    _add_run(parser)


def _arguments_verify(parser: argparse.ArgumentParser, place: Place) -> None:
    _add_source(parser, place)
    _add_target(parser, optional=place != "file")
    _add_selection(parser)
    group = parser.add_argument_group("the proof")
    group.add_argument("--run-dir", metavar="DIR", help="the run that made the target: its plan says what was accepted")
    group.add_argument("--jobs", type=_positive, default=0, metavar="N", help="tables at a time")
    _add_show_values(group)
    _add_output(parser)


def _arguments_digest(parser: argparse.ArgumentParser, _place: Place) -> None:
    parser.add_argument("database", metavar="DATABASE", help="a SQLite file, or a PostgreSQL connection string")
    parser.add_argument("--snapshot", choices=("copy", "none"), default="copy", help="as for migrate")
    parser.add_argument(
        "--run-dir", metavar="DIR", help="the run whose types the SQLite side is digested by (default: as planned anew)"
    )
    _add_selection(parser)
    _add_output(parser)


def _arguments_report(parser: argparse.ArgumentParser, _place: Place) -> None:
    parser.add_argument("run_dir", metavar="RUN_DIR", help="the directory of a run")
    parser.add_argument(
        "--format", choices=("text", "markdown", "html", "json"), default="text", help="the form (default: text)"
    )
    parser.add_argument("--json", action="store_true", help="the same as --format json")


def _arguments_switch(parser: argparse.ArgumentParser, place: Place) -> None:
    parser.add_argument(
        "run_dir",
        metavar="RUN_DIR",
        nargs="?",
        help="the directory of the run that moved the database: it knows where that is now",
    )
    _add_project(parser, place)
    group = parser.add_argument_group("the setting")
    group.add_argument(
        "--target",
        metavar="TARGET",
        type=_text,
        help="the database, where no RUN_DIR is given, or where its address does not lead there any more",
    )
    group.add_argument("--schema", type=_text, metavar="NAME", help="the schema of the tables (default: the run's)")
    group.add_argument(
        "--name",
        type=_text,
        default="DATABASE_URL",
        metavar="VARIABLE",
        help="the variable that the settings read (default: DATABASE_URL)",
    )
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "--check",
        action="store_true",
        help="only see whether the project, with its settings as they are, reaches the database",
    )
    either.add_argument(
        "--back", action="store_true", help="bring the file of variables back as it was before --write-env"
    )
    _add_write_env(group)
    group.add_argument(
        "--force",
        action="store_true",
        help="with --back: also when the file was edited since; the edited one is kept beside it",
    )
    group.add_argument("--yes", "-y", action="store_true", help="do not ask; needed when not on a terminal")
    _add_output(parser)


def _add_write_env(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--write-env",
        metavar="FILE",
        help="write the new address (DATABASE_URL) into this file of variables, as .env, with a backup beside it; then"
        " see that the project reaches the database with it, else bring the file back",
    )


def _arguments_undo(parser: argparse.ArgumentParser, _place: Place) -> None:
    parser.add_argument("run_dir", metavar="RUN_DIR", help="the directory of the run to take back")
    parser.add_argument(
        "--target", metavar="TARGET", help="the database, where the run's own address does not lead there any more"
    )
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask; needed when not on a terminal")
    _add_output(parser)


def _arguments_server(parser: argparse.ArgumentParser, _place: Place) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    start = actions.add_parser("start", help="start it, making its data directory the first time")
    start.add_argument("--tcp", action="store_true", help="listen on 127.0.0.1 too, on a free port, with a password")
    actions.add_parser("stop", help="stop it; its databases stay")
    actions.add_parser("status", help="say whether it runs, where, and which version")
    psql = actions.add_parser("psql", help="open psql on one of its databases")
    psql.add_argument("database", nargs="?", default="postgres", metavar="DATABASE", help="the database's name")
    url = actions.add_parser("url", help="print the URL of one of its databases")
    url.add_argument("database", nargs="?", default="postgres", metavar="DATABASE", help="the database's name")
    url.add_argument("--with-password", action="store_true", help="the URL for TCP, with the password in it")
    logs = actions.add_parser("logs", help="show the end of its log")
    logs.add_argument("--lines", type=_positive, default=50, metavar="N", help="how many lines (default: 50)")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="write JSON to standard output")


def _arguments_completion(parser: argparse.ArgumentParser, _place: Place) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="the shell")


COMMANDS: Final = (
    Command(
        name="demo",
        help="a sample database into the embedded PostgreSQL, proven, with a report; needs no arguments",
        add_arguments=_arguments_demo,
        run="demo",
    ),
    Command(
        name="inspect",
        help="tables, columns, declared types, and what is really stored",
        add_arguments=_arguments_inspect,
        run="inspect",
    ),
    Command(
        name="check",
        help="everything that would go wrong; touches nothing",
        add_arguments=_arguments_check,
        run="check",
        for_project=True,
    ),
    Command(
        name="plan",
        help="the steps and their SQL, exactly as migrate runs them",
        add_arguments=_arguments_plan,
        run="plan",
        for_project=True,
    ),
    Command(
        name="rehearse",
        help="the whole of migrate, after which nothing remains: into the embedded PostgreSQL, or TARGET's staging",
        add_arguments=_arguments_rehearse,
        run="rehearse",
        for_project=True,
    ),
    Command(
        name="migrate",
        help="snapshot, plan, load, prove, publish, report",
        add_arguments=_arguments_migrate,
        run="migrate",
        for_project=True,
    ),
    Command(
        name="verify",
        help="the proof alone: every value and every object of TARGET against SOURCE",
        add_arguments=_arguments_verify,
        run="verify",
        for_project=True,
    ),
    Command(
        name="digest",
        help="the canonical digests of one side, to hold against a report",
        add_arguments=_arguments_digest,
        run="digest",
    ),
    Command(
        name="report", help="the report of a run again, in any form", add_arguments=_arguments_report, run="report"
    ),
    Command(
        name="switch",
        help="a Django project's setting for its new database: show it, write it, see where it leads, go back",
        add_arguments=_arguments_switch,
        run="switch",
        for_project=True,
    ),
    Command(
        name="undo",
        help="take away from the target exactly what a run published",
        add_arguments=_arguments_undo,
        run="undo",
    ),
    Command(name="server", help="the embedded PostgreSQL", add_arguments=_arguments_server, run="server"),
    Command(
        name="completion",
        help="print the completion script of a shell",
        add_arguments=_arguments_completion,
        run="completion",
    ),
)


_OF_RUNS: Final = frozenset({"report", "undo", "server"})
"""Commands about a run, or about the embedded server, that a project's own command has, too."""


class _Parser(argparse.ArgumentParser):
    """argparse's parser; what it says of a wrong command line is JSON, too, where that was asked for."""

    _given: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # argparse's own signature
        self._given = sys.argv[1:] if args is None else tuple(args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        if "--json" in self._given:
            from liteferry.commands import write_usage_error

            write_usage_error(message, f"{self.prog} --help")
        super().error(message)


def build_parser(place: Place = "file") -> argparse.ArgumentParser:
    """Define the whole command line. Pure."""
    parser = _Parser(
        prog="liteferry",
        description="Move a SQLite database to PostgreSQL, prove that every value arrived, and be able to undo it.",
        epilog="exit status: "
        + "; ".join(f"{int(status)} {text.split(';')[0].rstrip('.')}" for status, text in EXIT_STATUSES.items()),
    )
    parser.add_argument("--version", action="version", version=f"liteferry {__version__}")
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
    from liteferry import commands

    with _catch_signals():
        return commands.run_command(arguments.run, arguments)


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
        os.write(2, b"taking back what was made; once more to leave it as it is\n")

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
