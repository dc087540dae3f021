"""What each command does: make its options, call the API, and write the answer.

Layer 4. `options` makes the options; `console` writes, and asks.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from liteferry.console import (
    confirm,
    dump_json,
    measure_width,
    say,
    tell,
    watch_run,
    write_answer,
    write_error,
    write_outcome,
    write_report,
)
from liteferry.errors import ExitStatus, MigrationError, explain_system_error
from liteferry.model import CHECK_SCHEMA, DIGEST_SCHEMA, INSPECT_SCHEMA, Options, to_json
from liteferry.options import choose_project, make_options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from liteferry.foresight import Examination
    from liteferry.model import Hook, Plan, Report

SWITCH_SCHEMA: Final = "liteferry.switch/1"


def run_command(name: str, arguments: argparse.Namespace) -> int:
    """Run one command; returns the exit status. Every error that the user can act on is written, none raised."""
    try:
        return int(_COMMANDS[name](arguments))
    except MigrationError as error:
        write_error(error, as_json=getattr(arguments, "json", False))
        return int(ExitStatus.USAGE if error.code == "usage" else error.exit_status)
    except KeyboardInterrupt as error:
        what = f"interrupted; {error}" if str(error) else "interrupted"
        stopped = MigrationError(what, code="interrupted", exit_status=ExitStatus.INTERRUPTED)
        write_error(stopped, as_json=getattr(arguments, "json", False))
        return int(ExitStatus.INTERRUPTED)
    except BrokenPipeError:
        # the reader of our output went away (`| head`): nothing is wrong, and nobody is there to be told
        return int(ExitStatus.ERROR)
    except (OSError, MemoryError, RuntimeError) as error:
        # a full disk under our output, a home that may not be entered, a working directory that is gone
        explained = explain_system_error(error)
        if explained is None:
            raise
        write_error(explained, as_json=getattr(arguments, "json", False))
        return int(explained.exit_status)


# ---------------------------------------------------------------------------------------------------------------------
# The commands


def _demo(arguments: argparse.Namespace) -> int:
    from liteferry.demo import run_demo

    with watch_run(arguments) as observe:
        report = run_demo(arguments.directory, scale=arguments.scale, observe=observe)
    return write_report(report, arguments)


def _inspect(arguments: argparse.Namespace) -> int:
    from liteferry import pipeline
    from liteferry.report.inspection import render_inspect_text

    with watch_run(arguments) as observe:
        found = pipeline.inspect(arguments.source, make_options(arguments), observe)
    if arguments.json:
        write_answer(dump_json({"schema": INSPECT_SCHEMA, **json.loads(to_json(found, indent=0))}))
    else:
        write_answer(
            render_inspect_text(found.catalog, found.census, found.source, found.choices, width=measure_width())
        )
    return ExitStatus.PROVEN


def _examine(arguments: argparse.Namespace, options: Options) -> Examination:
    from liteferry import pipeline

    with watch_run(arguments) as observe:
        if options.project is not None:
            from liteferry import django_move

            return django_move.examine_project(arguments.target, options, observe)
        return pipeline.examine(arguments.source, arguments.target, options, observe)


def _check(arguments: argparse.Namespace) -> int:
    from liteferry.report import render_pruned_text
    from liteferry.report.listings import render_findings_text
    from liteferry.report.window import render_forecast_text

    options = make_options(arguments)
    if arguments.write_config is not None and os.path.lexists(arguments.write_config):
        raise _refuse_to_replace(arguments.write_config)  # before the work, not after it
    found = _examine(arguments, options)
    plan = found.plan
    blocked = bool(plan.blockers)
    if arguments.write_config is not None:
        _write_draft(Path(arguments.write_config), plan, options)
    if arguments.json:
        verdict = "blocked" if blocked else "ready"
        head: dict[str, Any] = {"schema": CHECK_SCHEMA, "source": plan.source, "verdict": verdict}
        if plan.into == "django":
            head["pruned"] = json.loads(to_json(plan.pruned, indent=0))
        head["findings"] = json.loads(to_json(plan.findings, indent=0))
        head["forecast"] = json.loads(to_json(found.forecast, indent=0))
        head["phases"] = json.loads(to_json(found.phases, indent=0))
        head["server_speed"] = json.loads(to_json(found.server_speed, indent=0))
        write_answer(dump_json(head))
    else:
        if plan.pruned:
            write_answer(render_pruned_text(plan.pruned, width=measure_width()) + "\n")
        write_answer(render_findings_text(plan.findings, blocked=blocked, width=measure_width()))
        if found.forecast is not None:
            write_answer("\n" + render_forecast_text(found.forecast, width=measure_width()))
    return ExitStatus.BLOCKED if blocked else ExitStatus.PROVEN


def _write_draft(path: Path, plan: Plan, options: Options) -> None:
    """Write the draft of a file of decisions; never over one that is there. Raises: MigrationError (usage)."""
    from liteferry.report.draft import render_config_draft

    if options.config is not None:  # hooks are named relative to their file, which may be in another directory
        here, there = path.absolute().parent, Path(options.config.path).absolute().parent
        hooks = tuple(_rename_hook(hook, there, here) for hook in options.hooks)
        options = replace(options, hooks=hooks)
    text = render_config_draft(plan, options)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise _refuse_to_replace(str(path)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MigrationError(
            f"{path} cannot be written: {reason}", code="usage", hint="name another file: --write-config FILE"
        ) from error
    tell(f"{path} is written: choose a way for each finding there, then check again")


def _refuse_to_replace(path: str) -> MigrationError:
    what = f"{path} is there already, and what you decided may stand in it"
    return MigrationError(what, code="usage", hint="name another file: --write-config FILE")


def _rename_hook(hook: Hook, there: Path, here: Path) -> Hook:
    """A hook whose files are named relative to another directory."""
    file, undo = (os.path.relpath(there / name, here) if name else "" for name in (hook.file, hook.undo_file))
    return replace(hook, file=file, undo_file=undo)


def _plan(arguments: argparse.Namespace) -> int:
    from liteferry.report.listings import render_plan_text

    plan = _examine(arguments, make_options(arguments)).plan
    write_answer(to_json(plan) if arguments.json else render_plan_text(plan, width=measure_width()))
    return ExitStatus.BLOCKED if plan.blockers else ExitStatus.PROVEN


def _migrate(arguments: argparse.Namespace) -> int:
    return _move(arguments, make_options(arguments))


def _rehearse(arguments: argparse.Namespace) -> int:
    return _move(arguments, replace(make_options(arguments), rehearsal=True))


def _move(arguments: argparse.Namespace, options: Options) -> int:
    from liteferry import pipeline

    target = arguments.target
    start = None
    if options.project is not None:
        from liteferry import django_move

        start = django_move.start_project(options.project, target)
        named = start.target_from or "the embedded PostgreSQL"
        tell(f"from DATABASES[{start.alias!r}], {start.path}, to {named}")
        source, target = str(start.path), start.target
    else:
        source = arguments.source
    if target is None and not options.dry_run:
        _refuse_forgotten_target()
    elif target is not None and not options.dry_run:
        if arguments.target is not None:
            _warn_of_password(target)
        if os.path.isfile(source) and not options.rehearsal:  # noqa: PTH113 - Path.is_file raises for a name that is too long
            _confirm_move(source, target, options, arguments)
    write_env = _choose_env(arguments, options)
    report: Report | None = None
    try:
        with watch_run(arguments) as observe:
            if start is not None:
                report = django_move.migrate_project(target, options, observe, start)
            else:
                report = pipeline.migrate(source, target, options, observe)
        status = write_report(report, arguments)
        return _switch_after(report, arguments, target, options, status) if write_env else status
    except KeyboardInterrupt:
        if report is None:
            raise
        return write_report(report, arguments)  # it came too late to change anything


def _choose_env(arguments: argparse.Namespace, options: Options) -> str:
    """The file that --write-env names, "" for none; it is looked at before anything starts. Raises: MigrationError."""
    given = str(getattr(arguments, "write_env", None) or "")
    if not given:
        return ""
    if options.project is None:
        raise MigrationError("--write-env is for Django projects", code="usage", hint="name the project with --django")
    from liteferry import django_move

    place = django_move.find_place(options.project)
    for note in django_move.inspect_env(django_move.find_env(place, given), django_move.DEFAULT_VARIABLE).notes:
        tell(f"note: {note}")
    return given


def _switch_after(
    report: Report, arguments: argparse.Namespace, target: str | None, options: Options, status: int
) -> int:
    """Switch the project over to what was published; standard output has the report alone."""
    from liteferry import django_move
    from liteferry.target import open_target

    if options.project is None or not report.published:
        tell(f"{arguments.write_env} is as it was: nothing was published")
        return status
    try:
        way = django_move.choose_way(options.project, report.run_dir or None, target, options.schema)
        with open_target(way.target) as server:
            switched = django_move.switch_over(
                way.place,
                way.alias,
                server,
                write_env_to=arguments.write_env,
                schema=way.schema,
                environment=way.environment,
            )
    except MigrationError as error:
        write_error(error, as_json=False)
        tell("  The move itself is done: `liteferry switch` switches over, whenever you like.")
        return ExitStatus.ERROR
    for line in django_move.describe_switch(switched).split("\n"):
        tell(line)
    return status


def _confirm_move(source: str, target: str, options: Options, arguments: argparse.Namespace) -> None:
    from liteferry.report.wording import format_plural

    into = f"schema {options.schema} of {_describe_target(target)}"
    files = f", and run {format_plural(len(options.hooks), 'SQL file')} of yours" if options.hooks else ""
    confirm(f"Move {source} into {into}{files}?", arguments)


def _verify(arguments: argparse.Namespace) -> int:
    from liteferry import pipeline

    options = make_options(arguments)
    with watch_run(arguments) as observe:
        if options.project is not None:
            from liteferry import django_move

            report = django_move.verify_project(arguments.target, options, observe)
        else:
            report = pipeline.verify(arguments.source, arguments.target, options, observe)
    return write_report(report, arguments, is_kept=False)


def _digest(arguments: argparse.Namespace) -> int:
    from liteferry import pipeline

    with watch_run(arguments) as observe:
        digests = pipeline.digest(arguments.database, make_options(arguments), observe)
    if arguments.json:
        tables = [
            {"name": name, "rows": found.rows, "sum": found.sum, "xor": found.xor, "digest": found.text}
            for name, found in digests
        ]
        write_answer(dump_json({"schema": DIGEST_SCHEMA, "tables": tables}))
    else:
        write_answer("\n".join(f"{found.text}  {name}" for name, found in digests))
    return ExitStatus.PROVEN


def _report(arguments: argparse.Namespace) -> int:
    from liteferry.report import render_html, render_json, render_markdown, render_text
    from liteferry.run import read_plan, read_report

    directory = _find_run(arguments)
    report = read_report(directory)
    form = "json" if arguments.json else arguments.format
    if form == "json":
        write_answer(render_json(report))
    elif form == "text":
        write_answer(render_text(report, width=measure_width()))
    else:
        render = render_html if form == "html" else render_markdown
        write_answer(render(report, plan=read_plan(directory)))
    return ExitStatus.PROVEN


def _find_run(arguments: argparse.Namespace) -> Path:
    """The run directory that was named; else, of a project, the newest beside its database.

    Raises: MigrationError (usage, run-dir).
    """
    if arguments.run_dir is not None:
        return Path(arguments.run_dir)
    from liteferry import django_move

    project = choose_project(vars(arguments), Options())
    if project is None:
        raise MigrationError("no run is named", code="usage", hint="RUN_DIR, or a project's newest: --django DIR")
    directory = django_move.find_newest_run(project)
    tell(f"the newest run: {directory}")
    return directory


def _undo(arguments: argparse.Namespace) -> int:
    from liteferry.report.wording import format_plural
    from liteferry.rollback import undo

    confirm(f"Take away from the target what the run in {arguments.run_dir} published?", arguments)
    with watch_run(arguments) as observe:
        report = undo(arguments.run_dir, arguments.target, observe)
    if arguments.json:
        text = to_json(report)
    elif report.into == "existing":
        back = sum(table.rows_replaced for table in report.tables)
        text = f"Undone: the run's rows are gone from schema {report.target_schema}" + (
            f"; the {back:,} that they replaced are back." if back else "."
        )
    else:
        tables, rows = format_plural(len(report.tables), "table"), format_plural(report.rows, "row")
        gone = "is" if len(report.tables) == 1 else "are"
        text = f"Undone: {tables} with {rows} {gone} gone from schema {report.target_schema}."
    write_outcome(text, report.run_dir)
    return ExitStatus.PROVEN


def _switch(arguments: argparse.Namespace) -> int:
    from liteferry import django_move
    from liteferry.target import open_target

    wanted = choose_project(vars(arguments), Options())
    if wanted is None:
        raise MigrationError(
            "switch is about a Django project, and none was named",
            code="usage",
            hint="--django DIR, with its manage.py",
        )
    if arguments.back:
        place = django_move.find_place(wanted)
        file = arguments.write_env or ".env"
        confirm(f"Bring {django_move.find_env(place, file)} back as it was?", arguments)
        restored = django_move.switch_back(place, file, force=arguments.force)
        came = "is gone, as it was" if restored.removed else "is as it was"
        edited = f"; the edited one is {restored.kept}" if restored.kept else ""
        facts = {"schema": SWITCH_SCHEMA, "file": str(restored.path), "removed": restored.removed}
        say(arguments, facts, f"{restored.path} {came}{edited}. Restart the application.")
        return ExitStatus.PROVEN
    way = django_move.choose_way(wanted, arguments.run_dir, arguments.target, arguments.schema)
    if arguments.target is not None:
        _warn_of_password(arguments.target)
    with open_target(way.target) as server:
        if arguments.check:
            reach = django_move.check_reach(way.place, way.alias, server, way.environment, schema=way.schema)
            facts = {"schema": SWITCH_SCHEMA, "alias": way.alias, "reach": asdict(reach)}
            say(arguments, facts, django_move.describe_reach(reach))
            return ExitStatus.PROVEN
        told = {"variable": arguments.name, "schema": way.schema, "environment": way.environment}
        if arguments.write_env is None:
            shown = django_move.plan_switch(way.place, way.alias, server, **told)
        else:
            file = django_move.find_env(way.place, arguments.write_env)
            confirm(f"Write {arguments.name} into {file}, with a backup beside it?", arguments)
            shown = django_move.switch_over(way.place, way.alias, server, write_env_to=arguments.write_env, **told)
    say(arguments, {"schema": SWITCH_SCHEMA, **asdict(shown)}, django_move.describe_switch(shown))
    return ExitStatus.PROVEN


def _server(arguments: argparse.Namespace) -> int:
    from liteferry import servers

    if arguments.action == "stop":
        stopped = servers.stop_server()
        say(arguments, {"stopped": stopped}, "stopped" if stopped else "no embedded PostgreSQL was running")
        return ExitStatus.PROVEN
    if arguments.action == "logs":
        lines = servers.read_log(lines=arguments.lines)
        say(arguments, {"lines": list(lines)}, "\n".join(lines))
        return ExitStatus.PROVEN
    if arguments.action == "start":
        server = servers.start_server(tcp=arguments.tcp)
    else:
        found = servers.read_status()
        if found is None and arguments.action == "status":
            say(arguments, {"running": False}, "no embedded PostgreSQL is running (liteferry server start)")
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
        say(arguments, {"url": url}, url)
        return ExitStatus.PROVEN
    facts = {"running": True, "version": server.version, "pid": server.pid, "url": server.url, "data": server.data_dir}
    text = (
        f"PostgreSQL {server.version} is running, process {server.pid}\n"
        f"url   {server.url}\ndata  {server.data_dir}\nlog   {server.log_path}\n"
        "stop it with: liteferry server stop"
    )
    say(arguments, facts, text)
    return ExitStatus.PROVEN


def _completion(arguments: argparse.Namespace) -> int:
    import shtab

    from liteferry.cli import build_parser

    write_answer(shtab.complete(build_parser(), arguments.shell))
    return ExitStatus.PROVEN


_COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "demo": _demo,
    "inspect": _inspect,
    "check": _check,
    "plan": _plan,
    "migrate": _migrate,
    "rehearse": _rehearse,
    "verify": _verify,
    "digest": _digest,
    "report": _report,
    "undo": _undo,
    "switch": _switch,
    "server": _server,
    "completion": _completion,
}


# ---------------------------------------------------------------------------------------------------------------------
# The target, as it was named


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
        tell("note: other users can read a password on the command line; PGPASSWORD or ~/.pgpass keep it from them")
