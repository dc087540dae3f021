"""The options of a run: what the command line gave, and below it what the file of decisions says.

Layer 4. `arguments` says what can be given, `config` what can stand in the file.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from liteferry.console import tell
from liteferry.errors import MigrationError
from liteferry.model import Options
from liteferry.project import ProjectOptions

if TYPE_CHECKING:
    import argparse


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
        project=choose_project(given, kept),
        show_values=given.get("show_values", False),
        run_dir=given.get("run_dir"),
        offenders=given.get("offenders"),
        rehearsed=given.get("rehearsal"),
    )


def choose_project(given: dict[str, object], kept: Options) -> ProjectOptions | None:
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
    if "config" not in arguments or arguments.no_config:
        return Options()
    from liteferry.config import find_config, read_config

    here = Path(getattr(arguments, "django", None) or "")
    path = Path(arguments.config) if arguments.config is not None else find_config(here)
    if path is None:
        return Options()
    options = read_config(path)
    if options.config is not None:
        tell(f"options are taken from {path} (SHA-256 {options.config.sha256[:12]}…); --no-config goes without")
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
