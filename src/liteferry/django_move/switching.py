"""Switching a project over to its new database: show the setting, write it, see where it leads, and go back.

Layer 3. Whether a setting leads to the right place is not read from it but seen: our session holds an advisory lock of
a random key, and the project's own connection has to find it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from liteferry.django_move.start import choose_target
from liteferry.django_project import ask_project, find_place, read_settings
from liteferry.django_project.env_file import EnvFile, Restored, inspect_env, restore_env, write_env
from liteferry.django_rules.settings_text import (
    DEFAULT_VARIABLE,
    PLACEHOLDER,
    SettingFacts,
    SettingText,
    make_facts,
    render_setting,
    render_url,
)
from liteferry.errors import MigrationError
from liteferry.journal import Journal
from liteferry.run import read_report
from liteferry.servers import ports
from liteferry.target import count_rows, explain_refusal, hold_mark, read_way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liteferry.project import ProjectDatabase, ProjectOptions, ProjectPlace, ProjectSettings
    from liteferry.target import Target, Way

DEFAULT_ALIAS: Final = "default"
_PROBE: Final = "liteferry_asks_whether_this_is_read"
_NAMED: Final = 5
_LOCAL: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where the project's own connection came to, as the server there says it.

    ``model``, ``rows``: a model that its ORM counted, "" when there is none; the same number was counted by us.
    ``unapplied``: migrations that the project still has for it.
    """

    version: str
    database: str
    user: str
    host: str
    port: str
    search_path: str
    tables: int
    model: str
    rows: int
    unapplied: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A setting that is shown, and what came of it when it was written.

    ``reads_variable``: with the variable set, the project's DATABASES follow it. ``file``, ``backup``: what was
    written; ``way_back``: the command that takes it back. ``reach``: where the project came to with it.
    """

    alias: str
    variable: str
    setting: SettingText
    reads_variable: bool
    notes: tuple[str, ...] = ()
    file: str = ""
    backup: str = ""
    way_back: str = ""
    reach: Reach | None = None


def plan_switch(
    place: ProjectPlace,
    alias: str,
    server: Target,
    *,
    variable: str = DEFAULT_VARIABLE,
    schema: str = "public",
    environment: Mapping[str, str | None] | None = None,
) -> Switch:
    """Make the setting that leads where the target is, and ask the project whether it reads the variable.

    environment: variables that the project has only with its new database. Writes nothing.

    Raises: MigrationError (django-…).
    """
    way = read_way(server)
    reads, notes = _ask_for_variable(place, alias, variable, environment or {})
    if environment:
        notes.append(f"the application needs there, too: {', '.join(environment)}")
    if way.origin == "file":
        notes.append(
            "the password came from ~/.pgpass or a service file: the application finds it there, too, where it runs"
            " under this account; else it belongs into the setting"
        )
    return Switch(
        alias=alias,
        variable=variable,
        setting=render_setting(_make_facts(way, alias, variable, schema)),
        reads_variable=reads,
        notes=tuple(notes),
    )


def switch_over(
    place: ProjectPlace,
    alias: str,
    server: Target,
    *,
    write_env_to: str,
    variable: str = DEFAULT_VARIABLE,
    schema: str = "public",
    environment: Mapping[str, str | None] | None = None,
) -> Switch:
    """Write the variable into a file, and see that the project reaches the target with it; else take it back.

    write_env_to: as for `find_env`. environment: as for `plan_switch`. The password is written where the server asked
    for one and it was typed or in PGPASSWORD.

    Raises: MigrationError: what `write_env` and `check_reach` raise; the file is as it was then.
    """
    shown = plan_switch(place, alias, server, variable=variable, schema=schema, environment=environment)
    alone: dict[str, str | None] = {**(environment or {}), variable: None, "PGPASSWORD": None}
    before = _read_entry(place, alias, alone)
    way = read_way(server)
    facts = _make_facts(way, alias, variable, schema)
    file = inspect_env(find_env(place, write_env_to), variable)
    value = render_url(facts, way.password if facts.needs_password else "")
    backup = write_env(file.path, variable, value)
    try:
        try:
            reach = check_reach(place, alias, server, alone, schema=schema)
        except MigrationError as error:
            # a file that others read for the project (systemd, Docker) is tried with what they would make of it
            unread = before is not None and before.vendor != "" and _read_entry(place, alias, alone) == before
            if error.code != "django-not-switched" or not file.lines or not unread:
                raise
            reach = check_reach(place, alias, server, {**alone, variable: value}, schema=schema)
            note = f"the project does not read {file.real} itself: what starts it has to (systemd, Docker, a shell)"
            reach = replace(reach, notes=(note, *reach.notes))
    except BaseException as error:
        restore_env(file.path)
        if isinstance(error, MigrationError):
            # without the cause: a project that does not understand the address may repeat it
            raise _retell(error, f"; {file.real} is as it was", _hint_at_file(error, file, place), way) from None
        raise
    notes = [*shown.notes, *file.notes]
    if os.environ.get(variable, value) != value:
        notes.append(f"{variable} is set in this environment, too, and to something else: most projects prefer that")
    words = ("liteferry", "switch", "--django", place.directory, "--back", "--write-env", str(file.real))
    return replace(
        shown,
        notes=tuple(notes),
        file=str(file.real),
        backup=str(backup),
        way_back=shlex.join(words),
        reach=reach,
    )


def switch_back(place: ProjectPlace, write_env_to: str, *, force: bool = False) -> Restored:
    """Bring the file of variables back as it was before `switch_over`. Raises: MigrationError (env-…)."""
    return restore_env(find_env(place, write_env_to), force=force)


def find_env(place: ProjectPlace, given: str) -> Path:
    """The file that is meant: from the current directory, else, where only that one is there, from the project's."""
    path = Path(given).expanduser()
    beside = Path(place.directory) / path
    return beside if beside.exists() and not path.exists() else path


def check_reach(
    place: ProjectPlace,
    alias: str,
    server: Target,
    environment: Mapping[str, str | None] | None = None,
    *,
    schema: str = "public",
) -> Reach:
    """See that the project, with its settings as they are, reaches the target, and its tables there. Writes nothing.

    environment: variables for the project, on top of our own; None takes one away.

    Raises: MigrationError: django-not-switched, django-driver, django-other-server, django-not-served; what a failed
    connection raises (auth-failed …); ProjectError.
    """
    settings, _ = read_settings(place, environment)
    _refuse_unswitched(settings, alias, place)
    with hold_mark(server) as mark:
        found = ask_project(place, "read_server", {"alias": alias, "mark": mark}, environment=environment)
    if "refused" in found:
        raise _explain_refused(found["refused"], alias)
    if not found["held"]:
        raise _explain_other(found, alias, server)
    _refuse_unserved(found, alias, server, schema)
    counted = found["counted"] or {"model": "", "rows": 0}
    return Reach(
        version=found["version"],
        database=found["database"],
        user=found["user"],
        host=found["host"] or found["settings_host"] or "local",
        port=found["settings_port"] or found["port"],
        search_path=found["search_path"],
        tables=sum(found["schemas"].values()),
        model=counted["model"],
        rows=counted["rows"],
        unapplied=tuple(found["unapplied"]),
        notes=_note_reach(found),
    )


# ---------------------------------------------------------------------------------------------------------------------
# The setting


def _make_facts(way: Way, alias: str, variable: str, schema: str) -> SettingFacts:
    return make_facts(
        way.keywords,
        alias=alias,
        variable=variable,
        schema=schema,
        needs_password=way.origin in {"given", "environment"},
    )


def _ask_for_variable(
    place: ProjectPlace, alias: str, variable: str, environment: Mapping[str, str | None]
) -> tuple[bool, list[str]]:
    """Whether DATABASES follow the variable: the project is started with it set to an address that is nowhere."""
    probe = f"postgresql://liteferry@liteferry.invalid/{_PROBE}"
    try:
        settings, _ = read_settings(place, {**environment, variable: probe})
    except MigrationError as error:
        return False, [f"with {variable} set to a PostgreSQL address, the project does not start: {error.what}"]
    if any(found.alias == alias and found.name == _PROBE for found in settings.databases):
        return True, []
    note = (
        f"the project does not follow {variable} when that is set in its environment: either its settings have to be"
        " changed, or they take what a file says before it"
    )
    return False, [note]


def _read_entry(place: ProjectPlace, alias: str, environment: Mapping[str, str | None]) -> ProjectDatabase | None:
    """What DATABASES say of an alias."""
    settings, _ = read_settings(place, environment)
    return next((found for found in settings.databases if found.alias == alias), None)


def _hint_at_file(error: MigrationError, file: EnvFile, place: ProjectPlace) -> str:
    if file.commented and error.code != "django-driver":
        return (
            f"{error.hint}; line {file.lines[-1]} of {file.real} has a comment behind the value, which some readers"
            " (django-environ) take for a part of it: put it on a line of its own"
        )
    if error.code != "django-not-switched":
        return error.hint
    if len(file.lines) > 1:
        return f"{file.real} assigns it in lines {', '.join(map(str, file.lines))}: leave one of them"
    return f"{error.hint}; is {file.real} the file that {place.directory} takes its variables from?"


def _retell(error: MigrationError, more: str, hint: str, way: Way) -> MigrationError:
    what = _hide(error.what, way.password) + more
    return MigrationError(what, code=error.code, hint=_hide(hint, way.password), exit_status=error.exit_status)


def _hide(text: str, password: str) -> str:
    """Put the placeholder where a text has the password, as it is, as a URL or as Python has it."""
    for form in (quote(password, safe=""), repr(password)[1:-1], password):
        text = text.replace(form, PLACEHOLDER) if form else text
    return text


# ---------------------------------------------------------------------------------------------------------------------
# Where it leads


def _refuse_unswitched(settings: ProjectSettings, alias: str, place: ProjectPlace) -> None:
    found = next((database for database in settings.databases if database.alias == alias), None)
    if found is None or found.vendor != "postgresql":
        is_what = (
            "is not in DATABASES"
            if found is None
            else f"is {found.vendor or found.engine or 'without an engine'}, {found.name}, not PostgreSQL"
        )
        raise MigrationError(
            f"database {alias} of the project {is_what}",
            code="django-not-switched",
            hint=f"its settings ({settings.settings_module}) do not take the new address: `liteferry switch` shows the"
            " entry to put there, or --name the variable that they read",
        )
    if not settings.psycopg_version:
        raise MigrationError(
            f"the project's interpreter {place.python} has no psycopg, which Django needs for PostgreSQL",
            code="django-driver",
            hint="install it there: pip install 'psycopg[binary]'",
        )


def _explain_refused(refused: Mapping[str, Any], alias: str) -> MigrationError:
    error = explain_refusal(refused["message"], refused["sqlstate"], refused["parameters"])
    without = error.code == "auth-failed" and refused["taken_from"] != "settings"
    return MigrationError(
        f"the project cannot connect its database {alias}: {error.what}"
        + ("; its settings hold no password" if without else ""),
        code=error.code,
        hint=error.hint.partition("; or leave TARGET out")[0],
    )


def _explain_other(found: Mapping[str, Any], alias: str, server: Target) -> MigrationError:
    host, port = found["settings_host"], found["settings_port"] or found["port"]
    place = f"{host or found['host'] or 'local'} port {port}"
    owner = None
    if host in _LOCAL or host.startswith("/"):
        with contextlib.suppress(OSError, ValueError):  # it is a courtesy
            owner = (
                ports.find_path_owner(f"{host}/.s.PGSQL.{port}")
                if host.startswith("/")
                else ports.find_port_owner(int(port))
            )
    held = f"; {owner} listens there" if owner else ""
    standby = ", a standby," if found["standby"] else ""
    meant = server.info
    return MigrationError(
        f"database {alias} of the project leads to another place than the one meant: to database {found['database']} of"
        f" PostgreSQL {found['version']}{standby} at {place}, as {found['user']}{held}; meant is database"
        f" {meant.database} of PostgreSQL {meant.version} at {meant.host} port {meant.port}",
        code="django-other-server",
        hint="correct host, port and database in the setting; where none is given, Django takes the socket or"
        " localhost, port 5432, whoever answers there",
    )


def _refuse_unserved(found: Mapping[str, Any], alias: str, server: Target, schema: str) -> None:
    schemas, missing, forbidden = found["schemas"], found["missing"], found["forbidden"]
    elsewhere = sorted(set(schemas) - {schema})
    if not schemas or not found["applied"] or (missing and not found["unapplied"]):
        raise MigrationError(
            f"the project reaches database {found['database']}, but does not see its tables there:"
            f" {_name_some(missing) or 'django_migrations'} (search_path {found['search_path'] or 'empty'})",
            code="django-not-served",
            hint=f"the tables are in schema {schema}: ALTER ROLE … SET search_path, or OPTIONS as `liteferry switch"
            " --schema` shows it; and the role needs USAGE on the schema",
        )
    if elsewhere:
        raise MigrationError(
            f"database {alias} of the project finds tables in schema {elsewhere[0]}, not in {schema} (search_path"
            f" {found['search_path']})",
            code="django-not-served",
            hint=f"put {schema} first in its search_path, or name the schema with --schema",
        )
    if forbidden:
        raise MigrationError(
            f"the project connects as {found['user']}, who may not read and write {_name_some(forbidden)}",
            code="django-not-served",
            hint=f"as the tables' owner: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} and"
            f" GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO that role",
        )
    counted = found["counted"]
    if counted is not None:
        rows = count_rows(server, counted["schema"], counted["table"])
        if rows != counted["rows"]:
            raise MigrationError(
                f"the project counts {counted['rows']:,} rows of {counted['model']}, and there are {rows:,}",
                code="django-not-served",
                hint="a policy hides rows from its role, or somebody writes to the table just now: try again",
            )


def _name_some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _note_reach(found: Mapping[str, Any]) -> tuple[str, ...]:
    notes = []
    if found["unapplied"]:
        notes.append(f"migrations are still to be applied there: {_name_some(found['unapplied'])}")
    if found["taken_from"] == "environment":
        notes.append(
            "the settings hold no password: PGPASSWORD of this environment served, and the application needs it"
        )
    return tuple(notes)


# ---------------------------------------------------------------------------------------------------------------------
# What commands need around it


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchWay:
    """What is switched, and where to. ``target``: a connection string, which may hold a password."""

    place: ProjectPlace
    alias: str
    schema: str
    target: str
    environment: Mapping[str, str | None]


def choose_way(wanted: ProjectOptions, run_dir: str | None, target: str | None, schema: str | None) -> SwitchWay:
    """Find the project, the alias and the target: what the command says, else the run's, else what the project names.

    Raises: MigrationError (usage, run-dir, django-…).
    """
    place = find_place(wanted)
    alias, found_target, found_schema = wanted.database, target, schema
    if run_dir is not None:
        directory = Path(run_dir)
        with Journal.open(directory) as journal:
            found_target = target if target is not None else journal.read_value("target")
        report = read_report(directory)
        found_schema = schema or report.target_schema
        alias = alias or (report.django.moved_from if report.django is not None else "")
    alias = alias or DEFAULT_ALIAS
    if found_target is None:
        settings, entries = read_settings(place)
        found_target, _ = choose_target(wanted, settings, entries, alias, None)
    if found_target is None:
        raise MigrationError(
            "there is no database to switch over to",
            code="usage",
            hint="name the RUN_DIR of the run that moved it, or --target",
        )
    return SwitchWay(
        place=place,
        alias=alias,
        schema=found_schema or "public",
        target=found_target,
        environment=dict(wanted.target_env),
    )


def describe_switch(switch: Switch) -> str:
    """What a person reads of it. Pure."""
    setting = switch.setting
    parts = []
    if not switch.file:
        here = "the project reads it" if switch.reads_variable else "the project does not seem to read it"
        parts += [
            f"As a variable, in its environment or its .env ({here}):\n\n  {setting.line}",
            "Or in the settings, in place of the entry that is there:\n\n" + _indent(setting.entry),
        ]
    else:
        parts.append(
            f"Written: {switch.variable} in {switch.file}; how it was before is kept in {switch.backup}\n"
            f"To go back: {switch.way_back}"
        )
    if switch.reach is not None:
        parts.append(describe_reach(switch.reach))
    if switch.notes:
        parts.append("\n".join(f"note: {note}" for note in switch.notes))
    parts.append("\n".join(f"- {advice}" for advice in setting.advice))
    if switch.file:
        parts.append("Restart the application: it reads its settings when it starts.")
    return "\n\n".join(parts)


def describe_reach(reach: Reach) -> str:
    """What a person reads of it. Pure."""
    counted = f"; {reach.rows:,} rows of {reach.model}, as counted here" if reach.model else ""
    place = f"database {reach.database} of PostgreSQL {reach.version} at {reach.host} port {reach.port}"
    reached = f"The project reaches {place} as {reach.user}: it sees the lock that liteferry holds there"
    return "\n".join((f"{reached}; {reach.tables} tables{counted}.", *(f"note: {note}" for note in reach.notes)))


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
