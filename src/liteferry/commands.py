"""What each command does: call the API, and write the answer.

Layer 4. Standard output carries the answer, as text or JSON; everything else goes to standard error.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from liteferry.errors import ExitStatus, MigrationError
from liteferry.model import CHECK_SCHEMA, DIGEST_SCHEMA, INSPECT_SCHEMA, Options, to_json
from liteferry.progress import watch
from liteferry.project import ProjectOptions
from liteferry.report.wording import escape_unprintable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from liteferry.foresight import Examination
    from liteferry.model import Hook, Plan, Report
    from liteferry.progress import Watcher

ERROR_SCHEMA: Final = "liteferry.error/1"
SWITCH_SCHEMA: Final = "liteferry.switch/1"


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
    """The options of the file of decisions, and over them those that the command line gave.

    Lists of decisions add up, and the command line's come after the file's, or before them where the first counts;
    every other option replaces the file's. Raises: MigrationError (usage).
    """
    given = vars(arguments)
    _refuse_swallowed_target(given)
    kept = _read_config(arguments)
    return Options(
        schema=given.get("schema") or kept.schema,
        names=given.get("names") or kept.names,
        only=tuple(given.get("only", ())) or kept.only,
        exclude=tuple(given.get("exclude", ())) or kept.exclude,
        accept=(*kept.accept, *given.get("accept", ())),
        decisions=(*kept.decisions, *given.get("on_misfit", ())),
        casts=(*given.get("cast", ()), *kept.casts),
        timestamps=given.get("timestamps") or kept.timestamps,
        nocase=given.get("nocase") or kept.nocase,
        into=given.get("into") or kept.into,
        replace_rows=tuple(given.get("replace_rows", ())) or kept.replace_rows,
        hooks=kept.hooks,
        config=kept.config,
        snapshot=given.get("snapshot", "copy"),
        jobs=given.get("jobs", 0),
        verify=not given.get("no_verify", False),
        keep_staging=given.get("keep_staging", False),
        dry_run=given.get("dry_run", False),
        project=_choose_project(given, kept),
        show_values=given.get("show_values", False),
        run_dir=given.get("run_dir"),
        offenders=given.get("offenders"),
        rehearsed=given.get("rehearsal"),
    )


def _choose_project(given: dict[str, object], kept: Options) -> ProjectOptions | None:
    """The Django project that the command line names; what the file of decisions says of it comes below that."""
    if not given.get("django"):
        return None
    found = kept.project or ProjectOptions(directory="")
    said = {name: value for name in ("settings", "python", "database", "target_alias") if (value := given.get(name))}
    variables: tuple[tuple[str, str], ...] = tuple(given.get("target_env", ()))  # type: ignore[arg-type]  # pairs
    found = replace(found, target_env=(*found.target_env, *variables))
    return replace(found, directory=str(given["django"]), **said)  # type: ignore[arg-type]  # all of them texts


def _read_config(arguments: argparse.Namespace) -> Options:
    """What the file of decisions says; the defaults where there is none, or the command takes none."""
    from liteferry.config import find_config, read_config

    if "config" not in arguments or arguments.no_config:
        return Options()
    here = Path(getattr(arguments, "django", None) or "")
    path = Path(arguments.config) if arguments.config is not None else find_config(here)
    if path is None:
        return Options()
    options = read_config(path)
    if options.config is not None:
        _tell(f"options are taken from {path} (SHA-256 {options.config.sha256[:12]}…); --no-config goes without")
    return options


def _refuse_swallowed_target(given: dict[str, object]) -> None:
    """Refuse a TARGET that an option of several words has taken for itself. Raises: MigrationError (usage)."""
    for option in ("accept", "only", "exclude", "write_config"):
        found = given.get(option) or ()
        items: tuple[str, ...] = (found,) if isinstance(found, str) else tuple(found)  # type: ignore[arg-type]  # texts
        if any(_looks_like_target(item) for item in items):
            raise MigrationError(
                f"--{option.replace('_', '-')} was given what looks like TARGET: it takes every word that follows",
                code="usage",
                hint="put SOURCE and TARGET before the options",
            )


def _looks_like_target(text: str) -> bool:
    """Whether a text is a connection string: a URI, or libpq's key=value. Pure."""
    return text.startswith(("postgresql://", "postgres://")) or bool(
        re.match(r"(?:service|host|hostaddr|port|dbname|user|sslmode|passfile|password)\s*=", text)
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
    from liteferry.report.inspection import render_inspect_text

    with _watching(arguments) as observe:
        found = pipeline.inspect(arguments.source, make_options(arguments), observe)
    if arguments.json:
        _write(_dump({"schema": INSPECT_SCHEMA, **json.loads(to_json(found, indent=0))}))
    else:
        _write(render_inspect_text(found.catalog, found.census, found.source, found.choices, width=_width()))
    return ExitStatus.PROVEN


def _examine(arguments: argparse.Namespace, options: Options) -> Examination:
    from liteferry import pipeline

    with _watching(arguments) as observe:
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
        _write(_dump(head))
    else:
        if plan.pruned:
            _write(render_pruned_text(plan.pruned, width=_width()) + "\n")
        _write(render_findings_text(plan.findings, blocked=blocked, width=_width()))
        if found.forecast is not None:
            _write("\n" + render_forecast_text(found.forecast, width=_width()))
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
    _tell(f"{path} is written: choose a way for each finding there, then check again")


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
    _write(to_json(plan) if arguments.json else render_plan_text(plan, width=_width()))
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
        _tell(f"from DATABASES[{start.alias!r}], {start.path}, to {named}")
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
        with _watching(arguments) as observe:
            if start is not None:
                report = django_move.migrate_project(target, options, observe, start)
            else:
                report = pipeline.migrate(source, target, options, observe)
        status = _finish(report, arguments)
        return _switch_after(report, arguments, target, options, status) if write_env else status
    except KeyboardInterrupt:
        if report is None:
            raise
        return _finish(report, arguments)  # it came too late to change anything


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
        _tell(f"note: {note}")
    return given


def _switch_after(
    report: Report, arguments: argparse.Namespace, target: str | None, options: Options, status: int
) -> int:
    """Switch the project over to what was published; standard output has the report alone."""
    from liteferry import django_move
    from liteferry.target import open_target

    if options.project is None or not report.published:
        _tell(f"{arguments.write_env} is as it was: nothing was published")
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
        _write_error(error, as_json=False)
        _tell("  The move itself is done: `liteferry switch` switches over, whenever you like.")
        return ExitStatus.ERROR
    for line in django_move.describe_switch(switched).split("\n"):
        _tell(line)
    return status


def _confirm_move(source: str, target: str, options: Options, arguments: argparse.Namespace) -> None:
    from liteferry.report.wording import format_plural

    into = f"schema {options.schema} of {_describe_target(target)}"
    files = f", and run {format_plural(len(options.hooks), 'SQL file')} of yours" if options.hooks else ""
    _confirm(f"Move {source} into {into}{files}?", arguments)


def _verify(arguments: argparse.Namespace) -> int:
    from liteferry import pipeline

    options = make_options(arguments)
    with _watching(arguments) as observe:
        if options.project is not None:
            from liteferry import django_move

            report = django_move.verify_project(arguments.target, options, observe)
        else:
            report = pipeline.verify(arguments.source, arguments.target, options, observe)
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

    directory = _find_run(arguments)
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


def _find_run(arguments: argparse.Namespace) -> Path:
    """The run directory that was named; else, of a project, the newest beside its database.

    Raises: MigrationError (usage, run-dir).
    """
    if arguments.run_dir is not None:
        return Path(arguments.run_dir)
    from liteferry import django_move

    project = _choose_project(vars(arguments), Options())
    if project is None:
        raise MigrationError("no run is named", code="usage", hint="RUN_DIR, or a project's newest: --django DIR")
    directory = django_move.find_newest_run(project)
    _tell(f"the newest run: {directory}")
    return directory


def _undo(arguments: argparse.Namespace) -> int:
    from liteferry.report.wording import format_plural
    from liteferry.rollback import undo

    _confirm(f"Take away from the target what the run in {arguments.run_dir} published?", arguments)
    with _watching(arguments) as observe:
        report = undo(arguments.run_dir, arguments.target, observe)
    if arguments.json:
        _write(to_json(report))
    elif report.into == "existing":
        back = sum(table.rows_replaced for table in report.tables)
        _write(
            f"Undone: the run's rows are gone from schema {report.target_schema}"
            + (f"; the {back:,} that they replaced are back." if back else ".")
        )
    else:
        tables, rows = format_plural(len(report.tables), "table"), format_plural(report.rows, "row")
        gone = "is" if len(report.tables) == 1 else "are"
        _write(f"Undone: {tables} with {rows} {gone} gone from schema {report.target_schema}.")
    return ExitStatus.PROVEN


def _switch(arguments: argparse.Namespace) -> int:
    from liteferry import django_move
    from liteferry.target import open_target

    wanted = _choose_project(vars(arguments), Options())
    if wanted is None:
        raise MigrationError(
            "switch is about a Django project, and none was named",
            code="usage",
            hint="--django DIR, with its manage.py",
        )
    if arguments.back:
        place = django_move.find_place(wanted)
        file = arguments.write_env or ".env"
        _confirm(f"Bring {django_move.find_env(place, file)} back as it was?", arguments)
        restored = django_move.switch_back(place, file, force=arguments.force)
        came = "is gone, as it was" if restored.removed else "is as it was"
        edited = f"; the edited one is {restored.kept}" if restored.kept else ""
        facts = {"schema": SWITCH_SCHEMA, "file": str(restored.path), "removed": restored.removed}
        _say(arguments, facts, f"{restored.path} {came}{edited}. Restart the application.")
        return ExitStatus.PROVEN
    way = django_move.choose_way(wanted, arguments.run_dir, arguments.target, arguments.schema)
    if arguments.target is not None:
        _warn_of_password(arguments.target)
    with open_target(way.target) as server:
        if arguments.check:
            reach = django_move.check_reach(way.place, way.alias, server, way.environment, schema=way.schema)
            facts = {"schema": SWITCH_SCHEMA, "alias": way.alias, "reach": asdict(reach)}
            _say(arguments, facts, django_move.describe_reach(reach))
            return ExitStatus.PROVEN
        told = {"variable": arguments.name, "schema": way.schema, "environment": way.environment}
        if arguments.write_env is None:
            shown = django_move.plan_switch(way.place, way.alias, server, **told)
        else:
            file = django_move.find_env(way.place, arguments.write_env)
            _confirm(f"Write {arguments.name} into {file}, with a backup beside it?", arguments)
            shown = django_move.switch_over(way.place, way.alias, server, write_env_to=arguments.write_env, **told)
    _say(arguments, {"schema": SWITCH_SCHEMA, **asdict(shown)}, django_move.describe_switch(shown))
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
# Output


def _write(text: str) -> None:
    if sys.stdout is None:
        raise OSError("standard output is closed")
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def _tell(text: str) -> None:
    if sys.stderr is None:  # closed by whoever started us (`2>&-`)
        return
    sys.stderr.write(escape_unprintable(text) + "\n")
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
        _write_error_json(error)
    _tell(f"liteferry: {error} [{error.code}]")
    for line in error.trace:
        _tell(f"    {line}")
    if error.hint:
        _tell(f"  {error.hint}")


def write_usage_error(message: str, hint: str) -> None:
    """Write what is wrong with a command line as JSON, to standard output."""
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
    _write(_dump(facts))


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
