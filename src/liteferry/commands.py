"""What each command does: call the API, and write the answer.

Layer 4. Standard output carries the answer, as text or JSON; everything else goes to standard error.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import ExitStatus, MigrationError
from liteferry.model import CHECK_SCHEMA, DIGEST_SCHEMA, INSPECT_SCHEMA, Options, to_json
from liteferry.progress import watch

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from liteferry.model import Plan, Report
    from liteferry.progress import Watcher

ERROR_SCHEMA: Final = "liteferry.error/1"


def run_command(name: str, arguments: argparse.Namespace) -> int:
    """Run one command; returns the exit status. Every error that the user can act on is written, none raised."""
    try:
        return int(_COMMANDS[name](arguments))
    except MigrationError as error:
        _write_error(error, as_json=getattr(arguments, "json", False))
        return int(ExitStatus.USAGE if error.code == "usage" else error.exit_status)
    except KeyboardInterrupt as error:
        what = f"interrupted; {error}" if str(error) else "interrupted"
        stopped = MigrationError(what, code="interrupted", exit_status=ExitStatus.INTERRUPTED)
        _write_error(stopped, as_json=getattr(arguments, "json", False))
        return int(ExitStatus.INTERRUPTED)
    except BrokenPipeError:
        # the reader of our output went away (`| head`): nothing is wrong, and nobody is there to be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitStatus.ERROR)
    except OSError as error:
        # a full disk under our output, a home that may not be entered, a working directory that is gone
        place = f": {error.filename}" if error.filename else ""
        _tell(f"liteferry: the system refused: {error.strerror or error}{place} [system-error]")
        return int(ExitStatus.ERROR)


def make_options(arguments: argparse.Namespace) -> Options:
    """The options that the command line gave; defaults where the command does not have them. Pure."""
    given = vars(arguments)
    return Options(
        schema=given.get("schema", "public"),
        only=tuple(given.get("only", ())),
        exclude=tuple(given.get("exclude", ())),
        accept=tuple(given.get("accept", ())),
        decisions=tuple(given.get("on_misfit", ())),
        casts=tuple(given.get("cast", ())),
        into=given.get("into", "new"),
        replace_rows=tuple(given.get("replace_rows", ())),
        timestamps=given.get("timestamps", "auto"),
        snapshot=given.get("snapshot", "copy"),
        jobs=given.get("jobs", 0),
        verify=not given.get("no_verify", False),
        keep_staging=given.get("keep_staging", False),
        dry_run=given.get("dry_run", False),
        show_values=given.get("show_values", False),
        run_dir=given.get("run_dir"),
    )


# ---------------------------------------------------------------------------------------------------------------------
# The commands


def _demo(arguments: argparse.Namespace) -> int:
    from liteferry.demo import run_demo

    with _watching(arguments) as observe:
        report = run_demo(arguments.directory, scale=arguments.scale, observe=observe)
    return _finish(report, arguments)


def _inspect(arguments: argparse.Namespace) -> int:
    from liteferry import pipeline
    from liteferry.report.listings import render_inspect_text

    with _watching(arguments) as observe:
        found = pipeline.inspect(arguments.source, make_options(arguments), observe)
    if arguments.json:
        _write(_dump({"schema": INSPECT_SCHEMA, **json.loads(to_json(found, indent=0))}))
    else:
        _write(render_inspect_text(found.catalog, found.census, found.source, width=_width()))
    return ExitStatus.PROVEN


def _make_plan(arguments: argparse.Namespace) -> Plan:
    from liteferry import pipeline

    with _watching(arguments) as observe:
        return pipeline.plan(arguments.source, arguments.target, make_options(arguments), observe)


def _check(arguments: argparse.Namespace) -> int:
    from liteferry.report.listings import render_findings_text

    plan = _make_plan(arguments)
    blocked = bool(plan.blockers)
    if arguments.json:
        head = {"schema": CHECK_SCHEMA, "source": plan.source, "verdict": "blocked" if blocked else "ready"}
        _write(_dump({**head, "findings": json.loads(to_json(plan.findings, indent=0))}))
    else:
        _write(render_findings_text(plan.findings, blocked=blocked, width=_width()))
    return ExitStatus.BLOCKED if blocked else ExitStatus.PROVEN


def _plan(arguments: argparse.Namespace) -> int:
    from liteferry.report.listings import render_plan_text

    plan = _make_plan(arguments)
    _write(to_json(plan) if arguments.json else render_plan_text(plan, width=_width()))
    return ExitStatus.BLOCKED if plan.blockers else ExitStatus.PROVEN


def _migrate(arguments: argparse.Namespace) -> int:
    from liteferry import pipeline

    options = make_options(arguments)
    if arguments.target is None and not options.dry_run:
        _refuse_forgotten_target()
    elif not options.dry_run:
        _warn_of_password(arguments.target)
        if os.path.isfile(arguments.source):  # noqa: PTH113 - Path.is_file raises for a name that is too long
            into = f"schema {options.schema} of {_describe_target(arguments.target)}"
            _confirm(f"Move {arguments.source} into {into}?", arguments)
    report: Report | None = None
    try:
        with _watching(arguments) as observe:
            report = pipeline.migrate(arguments.source, arguments.target, options, observe)
        return _finish(report, arguments)
    except KeyboardInterrupt:
        if report is None:
            raise
        return _finish(report, arguments)  # it came too late to change anything


def _verify(arguments: argparse.Namespace) -> int:
    from liteferry import pipeline

    with _watching(arguments) as observe:
        report = pipeline.verify(arguments.source, arguments.target, make_options(arguments), observe)
    return _finish(report, arguments)


def _digest(arguments: argparse.Namespace) -> int:
    from liteferry import pipeline

    with _watching(arguments) as observe:
        digests = pipeline.digest(arguments.database, make_options(arguments), observe)
    if arguments.json:
        tables = [
            {"name": name, "rows": found.rows, "sum": found.sum, "xor": found.xor, "digest": found.text}
            for name, found in digests
        ]
        _write(_dump({"schema": DIGEST_SCHEMA, "tables": tables}))
    else:
        _write("\n".join(f"{found.text}  {name}" for name, found in digests))
    return ExitStatus.PROVEN


def _report(arguments: argparse.Namespace) -> int:
    from liteferry.report import render_html, render_json, render_markdown, render_text
    from liteferry.run import read_plan, read_report

    directory = Path(arguments.run_dir)
    report = read_report(directory)
    form = "json" if arguments.json else arguments.format
    if form == "json":
        _write(render_json(report))
    elif form == "text":
        _write(render_text(report, width=_width()))
    else:
        render = render_html if form == "html" else render_markdown
        _write(render(report, plan=read_plan(directory)))
    return ExitStatus.PROVEN


def _undo(arguments: argparse.Namespace) -> int:
    from liteferry.rollback import undo

    _confirm(f"Take away from the target what the run in {arguments.run_dir} published?", arguments)
    with _watching(arguments) as observe:
        report = undo(arguments.run_dir, arguments.target, observe)
    if arguments.json:
        _write(to_json(report))
    else:
        count = len(report.tables)
        if report.into == "existing":
            back = sum(table.rows_replaced for table in report.tables)
            _write(
                f"Undone: the run's rows are gone from schema {report.target_schema}"
                + (f"; the {back:,} that they replaced are back." if back else ".")
            )
            return ExitStatus.PROVEN
        _write(f"Undone: {count:,} tables with {report.rows:,} rows are gone from schema {report.target_schema}.")
    return ExitStatus.PROVEN


def _server(arguments: argparse.Namespace) -> int:
    from liteferry import servers

    if arguments.action == "stop":
        stopped = servers.stop_server()
        _say(arguments, {"stopped": stopped}, "stopped" if stopped else "no embedded PostgreSQL was running")
        return ExitStatus.PROVEN
    if arguments.action == "logs":
        lines = servers.read_log(lines=arguments.lines)
        _say(arguments, {"lines": list(lines)}, "\n".join(lines))
        return ExitStatus.PROVEN
    if arguments.action == "start":
        server = servers.start_server(tcp=arguments.tcp)
    else:
        found = servers.read_status()
        if found is None and arguments.action == "status":
            _say(arguments, {"running": False}, "no embedded PostgreSQL is running (liteferry server start)")
            return ExitStatus.ERROR
        if found is None:
            raise MigrationError(
                "no embedded PostgreSQL is running", code="embedded-failed", hint="liteferry server start"
            )
        server = found
    if arguments.action == "psql":
        argv = servers.psql_argv(server, arguments.database)
        sys.stdout.flush()
        os.execv(argv[0], argv)  # noqa: S606 - psql takes over the terminal; the URL on its argv holds no password
    if arguments.action == "url":
        url = servers.database_url(server, arguments.database, with_password=arguments.with_password)
        _say(arguments, {"url": url}, url)
        return ExitStatus.PROVEN
    facts = {"running": True, "version": server.version, "pid": server.pid, "url": server.url, "data": server.data_dir}
    text = (
        f"PostgreSQL {server.version} is running, process {server.pid}\n"
        f"url   {server.url}\ndata  {server.data_dir}\nlog   {server.log_path}\n"
        "stop it with: liteferry server stop"
    )
    _say(arguments, facts, text)
    return ExitStatus.PROVEN


def _completion(arguments: argparse.Namespace) -> int:
    import shtab

    from liteferry.cli import build_parser

    _write(shtab.complete(build_parser(), arguments.shell))
    return ExitStatus.PROVEN


_COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "demo": _demo,
    "inspect": _inspect,
    "check": _check,
    "plan": _plan,
    "migrate": _migrate,
    "verify": _verify,
    "digest": _digest,
    "report": _report,
    "undo": _undo,
    "server": _server,
    "completion": _completion,
}


# ---------------------------------------------------------------------------------------------------------------------
# Output


def _write(text: str) -> None:
    if sys.stdout is None:
        raise OSError("standard output is closed")
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def _tell(text: str) -> None:
    if sys.stderr is None:  # closed by whoever started us (`2>&-`)
        return
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _dump(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _width() -> int:
    return max(60, min(120, shutil.get_terminal_size((100, 24)).columns))


def _watching(arguments: argparse.Namespace) -> Watcher:
    color = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return watch(quiet=arguments.quiet, color=color)


def _finish(report: Report, arguments: argparse.Namespace) -> int:
    from liteferry.report import render_json, render_text

    _write(render_json(report) if arguments.json else render_text(report, width=_width()))
    return report.exit_status


def _say(arguments: argparse.Namespace, facts: dict[str, object], text: str) -> None:
    _write(_dump(facts) if arguments.json else text)


def _write_error(error: MigrationError, *, as_json: bool) -> None:
    if as_json:
        facts = {
            "schema": ERROR_SCHEMA,
            "code": error.code,
            "what": error.what,
            "hint": error.hint,
            "table": error.table,
            "column": error.column,
            "key": error.key,
            "step_id": error.step_id,
        }
        _write(_dump(facts))
    _tell(f"liteferry: {error} [{error.code}]")
    if error.hint:
        _tell(f"  {error.hint}")


def _refuse_forgotten_target() -> None:
    """Without TARGET the embedded server is used; whoever set libpq's variables may have meant another.

    Raises: MigrationError (usage).
    """
    found = [name for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE") if os.environ.get(name)]
    if found:
        raise MigrationError(
            f"{found[0]} is set, but no TARGET was given: without one the embedded PostgreSQL would be used",
            code="usage",
            hint=f"give '' as TARGET to use the PG* variables, or unset {' '.join(found)} to use the embedded server",
        )


def _describe_target(target: str) -> str:
    """Name the database that a connection string leads to, as far as it says so; never the password."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = {key: str(value) for key, value in conninfo_to_dict(target).items() if value is not None}
    except ProgrammingError:
        return "the target database"  # opening it will say what is wrong with the string
    known = {
        "database": given.get("dbname") or os.environ.get("PGDATABASE"),
        "service": given.get("service") or os.environ.get("PGSERVICE"),
        "host": given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST"),
        "port": given.get("port") or os.environ.get("PGPORT"),
        "user": given.get("user") or os.environ.get("PGUSER"),
    }
    return ", ".join(f"{name} {value}" for name, value in known.items() if value) or "libpq's default database"


def _warn_of_password(target: str) -> None:
    """Say that a password on a command line can be seen by others, and what is safer."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = conninfo_to_dict(target).get("password")
    except ProgrammingError:
        return  # opening the target will say what is wrong with it
    if given and target != os.environ.get("DATABASE_URL"):
        _tell("note: other users can read a password on the command line; PGPASSWORD or ~/.pgpass keep it from them")


def _confirm(question: str, arguments: argparse.Namespace) -> None:
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
