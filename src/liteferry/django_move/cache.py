"""The schema that a project's migrations made, kept: the next run restores it in seconds, and compares.

Layer 3. What is kept is SQL by pg_dump, with the rows that migrations seeded, and the catalogue as it was read then.
A kept schema is found by the digest of all that decides what migrations make, and the server's major version; it
serves where the extensions and the schema's name are the same, and only if its catalogue is equal once it is restored.

Files are ours alone (0600), appear at once or not at all, and carry a checksum of themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from liteferry import __version__
from liteferry.django_move.publishing import mark_of
from liteferry.django_rules.keys import explain_change
from liteferry.errors import MigrationError
from liteferry.model import TargetCatalog
from liteferry.names import quote_literal, quote_name
from liteferry.proof import compare_catalogs
from liteferry.servers.dumping import dump_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liteferry.project import Project
    from liteferry.target import Target

_FORMAT: Final = f"{__version__} 2"
_SHOWN: Final = 5
_REFUSED: Final = frozenset({"step-failed", "no-create-right", "server-limits"})
"""Errors by which a kept schema does not fit this server; others (the connection broke …) are no fault of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSchema:
    """A schema as it was kept. ``extensions``: created by its migrations; ``conditions``: what else had to be so."""

    path: Path
    sql: str
    catalog: TargetCatalog
    details: tuple[str, ...]
    extensions: tuple[str, ...]
    migrations: int
    migrations_s: float


class SchemaCache:
    """The kept schemas below one directory."""

    def __init__(self, home: Path) -> None:
        """Keep them in ``home/django``; nothing is made before there is something to keep."""
        self._home = home / "django"

    def find(
        self, server: Target, staging: str, schema: str, project: Project, environment: Mapping[str, str]
    ) -> tuple[KeptSchema | None, list[str]]:
        """Find the schema that was kept for this project, server and name; and say why there is none that serves."""
        path = self._place(server, staging, schema, project)
        if not path.exists():
            return None, self._explain_absence(project, server, schema)
        try:
            kept = _read(path)
        except (OSError, ValueError) as error:
            self._remove(path)
            return None, [f"the schema that was kept in {path} is damaged ({error}); the migrations run again"]
        unlike = _compare_conditions(kept["conditions"], _read_conditions(server, schema, environment))
        if unlike:
            return None, [f"the schema of the rehearsal does not serve here: {unlike}; the migrations run again"]
        return (
            KeptSchema(
                path=path,
                sql=kept["sql"],
                catalog=msgspec.convert(kept["catalog"], TargetCatalog),
                details=tuple(kept["details"]),
                extensions=tuple(kept["extensions"]),
                migrations=kept["migrations"],
                migrations_s=kept["migrations_s"],
            ),
            [],
        )

    def keep(
        self,
        server: Target,
        staging: str,
        schema: str,
        project: Project,
        environment: Mapping[str, str],
        migrations: int,
        migrations_s: float,
    ) -> list[str]:
        """Keep what stands in staging, as the migrations made it; says why not, where it cannot be."""
        try:
            sql = dump_schema(staging, server.list_variables(), server.info.version_num)
            made = [found.name for found in server.read_extensions() if found.comment == mark_of(staging)]
            content = {
                "sql": sql,
                "catalog": msgspec.to_builtins(server.read_catalog(staging)),
                "details": _read_details(server, staging),
                "extensions": made,
                "conditions": _read_conditions(server, schema, environment, without=made),
                "migrations": migrations,
                "migrations_s": migrations_s,
            }
            _write(self._place(server, staging, schema, project), content)
            self._forget_last(project)
            _write(self._pointer(project), {"digest": project.digest, "parts": project.digest_parts})
        except MigrationError as error:
            if error.code not in {"embedded-missing", "embedded-failed"}:
                raise
            return [f"the schema is not kept for the next run: {error}"]
        except OSError as error:
            return [f"the schema is not kept for the next run: {self._home}: {error.strerror or error}"]
        return []

    def _forget_last(self, project: Project) -> None:
        """Remove what was kept of the project as it was before: nobody will ask for it again."""
        with suppress(OSError, ValueError):  # there is nothing of it, or another process was quicker
            last = str(_read(self._pointer(project))["digest"])
            if last != project.digest and re.fullmatch("[0-9a-f]{64}", last):
                shutil.rmtree(self._home / last)

    def throw_away(self, kept: KeptSchema) -> None:
        """Remove a kept schema."""
        self._remove(kept.path)

    def _place(self, server: Target, staging: str, schema: str, project: Project) -> Path:
        name = hashlib.sha256(f"{staging}\0{schema}".encode()).hexdigest()[:12]
        return self._home / project.digest / f"pg{server.info.version_num // 10000}" / f"{name}.json"

    def _pointer(self, project: Project) -> Path:
        name = hashlib.sha256(f"{project.place.directory}\0{project.alias}".encode()).hexdigest()[:12]
        return self._home / "projects" / f"{name}.json"

    def _explain_absence(self, project: Project, server: Target, schema: str) -> list[str]:
        """Why nothing is there: the project changed since, or it was another server or schema; or nothing ever was."""
        try:
            last = _read(self._pointer(project))
        except (OSError, ValueError):
            return []
        if last["digest"] == project.digest:
            major = server.info.version_num // 10000
            return [f"no schema of a rehearsal is kept for PostgreSQL {major} and schema {schema}; the migrations run"]
        changes = explain_change([(name, digest) for name, digest in last["parts"]], project.digest_parts)
        shown = "; ".join(changes[:_SHOWN]) + (f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else "")
        said = f" ({shown})" if shown else ""
        return [f"the project has changed since its schema was kept{said}: the migrations run again"]

    def _remove(self, path: Path) -> None:
        with suppress(OSError):  # another process was quicker, or the directory is not ours: it is written over
            path.unlink()


def restore_schema(server: Target, staging: str, schema: str, kept: KeptSchema) -> tuple[TargetCatalog | None, str]:
    """Make the staging schema again as it was kept, and compare its catalogue with the one that was recorded.

    Gives the catalogue; or None, and why it does not serve: whoever calls this clears staging then.

    Raises: MigrationError (connection-lost …).
    """
    there = {found.name for found in server.read_extensions()}
    sql = []
    missing = [name for name in kept.extensions if name not in there]
    if missing and server.read_schema_comment(schema) is None:
        sql += [f"CREATE SCHEMA {quote_name(schema)}", _mark("SCHEMA", schema, staging)]
    for name in missing:
        sql += [f"CREATE EXTENSION {quote_name(name)} SCHEMA {quote_name(schema)}", _mark("EXTENSION", name, staging)]
    homes = dict.fromkeys(found.schema for found in server.read_extensions())
    script = ";\n".join([*sql, "SET check_function_bodies = off", kept.sql])
    try:
        server.run_script(script, search_path=[*dict.fromkeys((staging, schema, *homes))], step_id="schema/restore")
    except MigrationError as error:
        if error.code not in _REFUSED:
            raise
        return None, str(error)
    catalog = server.read_catalog(staging)
    differences = [found.message for found in compare_catalogs(kept.catalog, catalog)]
    differences += _compare_details(kept.details, _read_details(server, staging))
    if differences:
        more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
        return None, f"restored, it is not what it was: {differences[0]}{more}"
    return catalog, ""


def _mark(kind: str, name: str, staging: str) -> str:
    return f"COMMENT ON {kind} {quote_name(name)} IS {quote_literal(mark_of(staging))}"


def _read_details(server: Target, staging: str) -> list[str]:
    """Every line that the server has to say about a schema, but for what may be otherwise in an equal one.

    That is our role's name, and the numbers of columns: those that a migration dropped leave gaps, a dump has none.
    The order of columns is the catalogue's business.
    """
    role = server.info.user
    lines = [_leave_out(line, role) for line in server.describe_schema(staging)]
    lines += [f"{what}: {words}" for what, words in server.read_definitions(staging)]
    return sorted(lines)


def _leave_out(line: str, role: str) -> str:
    """A line of a footprint without the owner's name, the column's number, and the order of rights. Pure."""
    line = re.sub(r"^(column .*?): number \d+, ", r"\1: ", line)
    name = rf'"*{re.escape(role)}"*'
    line = re.sub(rf"\bowner {name},", "owner -,", line)
    if "rights {" not in line:
        return line
    line = re.sub(rf"(?<=[{{,/]){name}(?=[=,}}/])", "-", line)
    return re.sub(r"rights \{([^}]*)\}", lambda found: f"rights {sorted(found[1].split(','))}", line)  # in any order


def _compare_details(kept: tuple[str, ...], found: list[str]) -> list[str]:
    before, now = set(kept), set(found)
    return [f"it lacks: {line}" for line in kept if line not in now] + [
        f"it has: {line}" for line in found if line not in before
    ]


def _read_conditions(
    server: Target, schema: str, environment: Mapping[str, str], without: list[str] | None = None
) -> dict[str, Any]:
    """What decides besides the project itself: extensions that were there, default rights, variables of the project."""
    digest = hashlib.sha256(repr(sorted(environment.items())).encode("utf-8", "surrogateescape")).hexdigest()
    homes = {found.name: found.schema for found in server.read_extensions() if found.name not in (without or ())}
    rights = list(server.read_default_rights(schema))
    return {"extensions": homes, "rights": rights, "environment": digest}


def _compare_conditions(kept: dict[str, Any], now: dict[str, Any]) -> str:
    """What is not as it was, in words; "" when all is. Pure. Further extensions do not matter."""
    if kept["environment"] != now["environment"]:
        return "the project was given other variables of its environment"
    if kept["rights"] != now["rights"]:
        return "other default privileges are set in the schema"
    for name, before in kept["extensions"].items():
        there = now["extensions"].get(name)
        if before != there:
            place = f"is in schema {there}" if there else "is not installed"
            return f"extension {name} {place} here, and was in {before} then"
    return ""


# ---------------------------------------------------------------------------------------------------------------------
# Files


def _read(path: Path) -> Any:  # what _write was given
    """Read a file of ours. Raises: OSError; ValueError where it is not what was written."""
    head, _, body = path.read_bytes().partition(b"\n")
    if head.decode("ascii", "replace") != f"liteferry {_FORMAT} {hashlib.sha256(body).hexdigest()}":
        message = "its checksum does not fit, or another version wrote it"
        raise ValueError(message)
    return json.loads(body)


def _write(path: Path, content: object) -> None:
    """Write a file of ours, at once or not at all. Raises: OSError."""
    body = json.dumps(content, ensure_ascii=True).encode()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"liteferry {_FORMAT} {hashlib.sha256(body).hexdigest()}\n".encode() + body)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
