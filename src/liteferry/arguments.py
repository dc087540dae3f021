"""The arguments of every command, for argparse.

Layer 4. Used by `cli` only, which puts them together: `liteferry` and Django's management command share them. Nothing
heavy is imported here.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Literal, TypeAlias

from liteferry.errors import MigrationError
from liteferry.model import CONFIG_NAME, MOST_JOBS

if TYPE_CHECKING:
    from liteferry.model import Cast, Decision

Place: TypeAlias = Literal["file", "project", "within"]
"""What the arguments are about: a SQLite file; a Django project, which --django names; the one we run within."""


# ---------------------------------------------------------------------------------------------------------------------
# Arguments


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="write JSON with a versioned schema to standard output")
    group.add_argument("--quiet", "-q", action="store_true", help="show no progress, only what needs your attention")


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
    _add_rehearsal(group)
    group.add_argument(
        "--run-dir", metavar="DIR", help="where plan, journal, snapshot and reports go (default: beside the source)"
    )
    group.add_argument(
        "--jobs",
        type=_jobs,
        default=0,
        metavar="N",
        help=f"connections at once, at most {MOST_JOBS} (default: one a core, at most four)",
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


def _add_rehearsal(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--rehearsal",
        metavar="RUN_DIR",
        help="predict the window by this rehearsal, or earlier run (default: the newest that lies beside the source)",
    )


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


def _jobs(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"must be at least 1, at most {MOST_JOBS}: each is a connection to the server")
    return number


def _scale(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError("must be greater than 0, at most 1000")
    return number


# ---------------------------------------------------------------------------------------------------------------------
# Commands


def of_demo(parser: argparse.ArgumentParser, _place: Place) -> None:
    """The arguments of `demo`."""
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


def of_inspect(parser: argparse.ArgumentParser, place: Place) -> None:
    """The arguments of `inspect`."""
    _add_source(parser, place, project=False)
    _add_offenders(parser)
    _add_output(parser)


def of_plan(parser: argparse.ArgumentParser, place: Place) -> None:
    """The arguments of `plan`."""
    _add_source(parser, place)
    _add_target(parser, optional=True)
    _add_selection(parser)
    _add_offenders(parser, "not kept; migrate: offenders.sqlite in the run directory")
    _add_output(parser)


def of_check(parser: argparse.ArgumentParser, place: Place) -> None:
    """The arguments of `check`."""
    of_plan(parser, place)
    _add_rehearsal(parser.add_argument_group("the window"))
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


def of_migrate(parser: argparse.ArgumentParser, place: Place) -> None:
    """The arguments of `migrate`."""
    of_rehearse(parser, place)
    _add_write_env(parser.add_argument_group("switching a Django project over"))


def of_rehearse(parser: argparse.ArgumentParser, place: Place) -> None:
    """The arguments of `rehearse`."""
    of_plan(parser, place)
    _add_run(parser)


def of_verify(parser: argparse.ArgumentParser, place: Place) -> None:
    """The arguments of `verify`."""
    _add_source(parser, place)
    _add_target(parser, optional=place != "file")
    _add_selection(parser)
    group = parser.add_argument_group("the proof")
    group.add_argument("--run-dir", metavar="DIR", help="the run that made the target: its plan says what was accepted")
    group.add_argument("--jobs", type=_jobs, default=0, metavar="N", help=f"connections at once, at most {MOST_JOBS}")
    _add_show_values(group)
    _add_output(parser)


def of_digest(parser: argparse.ArgumentParser, _place: Place) -> None:
    """The arguments of `digest`."""
    parser.add_argument("database", metavar="DATABASE", help="a SQLite file, or a PostgreSQL connection string")
    parser.add_argument("--snapshot", choices=("copy", "none"), default="copy", help="as for migrate")
    parser.add_argument(
        "--run-dir", metavar="DIR", help="the run whose types the SQLite side is digested by (default: as planned anew)"
    )
    _add_selection(parser)
    _add_output(parser)


def of_report(parser: argparse.ArgumentParser, place: Place) -> None:
    """The arguments of `report`."""
    parser.add_argument(
        "run_dir",
        metavar="RUN_DIR",
        nargs="?",
        help="the directory of a run (default, of a Django project: the newest beside its database)",
    )
    if place != "within":
        parser.add_argument("--django", metavar="DIR", help="the Django project whose newest run is meant")
    parser.add_argument("--database", type=_text, metavar="ALIAS", help="which of its DATABASES was moved")
    parser.add_argument(
        "--format", choices=("text", "markdown", "html", "json"), default="text", help="the form (default: text)"
    )
    parser.add_argument("--json", action="store_true", help="the same as --format json")


def of_switch(parser: argparse.ArgumentParser, place: Place) -> None:
    """The arguments of `switch`."""
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


def of_undo(parser: argparse.ArgumentParser, _place: Place) -> None:
    """The arguments of `undo`."""
    parser.add_argument("run_dir", metavar="RUN_DIR", help="the directory of the run to take back")
    parser.add_argument(
        "--target", metavar="TARGET", help="the database, where the run's own address does not lead there any more"
    )
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask; needed when not on a terminal")
    _add_output(parser)


def of_server(parser: argparse.ArgumentParser, _place: Place) -> None:
    """The arguments of `server`."""
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


def of_completion(parser: argparse.ArgumentParser, _place: Place) -> None:
    """The arguments of `completion`."""
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="the shell")
