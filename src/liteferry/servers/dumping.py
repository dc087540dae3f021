"""A schema as SQL text, by pg_dump of the embedded package.

Layer 2. Where to is said in the environment of the process, not on its command line, which everybody can read.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.servers.installation import find_binaries

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT: Final = ("PATH", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5CCNAME")
_OPTIONS: Final = (
    "--no-owner", "--no-tablespaces", "--no-publications", "--no-subscriptions", "--no-security-labels",
    "--inserts", "--rows-per-insert=500", "--encoding=UTF8", "--no-password", "--strict-names",
)  # fmt: skip
_TIMEOUT_S: Final = 600
_HEADER: Final = re.compile(r"^(?:--.*|SET \w+ = .*;|SELECT pg_catalog\.set_config\('search_path', '', false\);|)$")
_META: Final = re.compile(r"^\\(?:un)?restrict \w+$")


def dump_schema(schema: str, variables: Mapping[str, str], server_version_num: int) -> str:
    """Write a schema, and the rows in it, as SQL that any client can run.

    variables: libpq's environment variables that lead to the database. The session's settings and psql's own commands,
    which pg_dump begins and ends with, are left out.

    Raises: MigrationError: embedded-missing, where there is no pg_dump; embedded-failed, where it is older than the
    server, or fails.
    """
    binaries = find_binaries()
    program = binaries.bin_dir / "pg_dump"
    if not os.access(program, os.X_OK):
        raise MigrationError(f"there is no pg_dump in {binaries.bin_dir}", code="embedded-missing")
    if int(re.match(r"\d+", binaries.major)[0]) < server_version_num // 10000:  # type: ignore[index]  # a version
        raise MigrationError(
            f"pg_dump {binaries.version} is older than the server, PostgreSQL {server_version_num // 10000}",
            code="embedded-failed",
        )
    pattern = '--schema="' + schema.replace('"', '""') + '"'
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        result = subprocess.run(  # noqa: S603 - PostgreSQL's own program; no shell sees the name
            [program, *_OPTIONS, pattern],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            env={**environment, **variables, "LC_ALL": "C", "PGAPPNAME": "liteferry", "PGCLIENTENCODING": "UTF8"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MigrationError(f"pg_dump did not run: {error}", code="embedded-failed") from error
    if result.returncode != 0:
        words = " / ".join(line for line in result.stderr.splitlines() if line.strip())
        raise MigrationError(f"pg_dump failed: {words}", code="embedded-failed")
    return strip_session(result.stdout)


def strip_session(dump: str) -> str:
    """Leave out what a dump does to its session: the settings at its beginning, and psql's own commands. Pure."""
    lines = dump.splitlines()
    start = 0
    while start < len(lines) and (_HEADER.match(lines[start]) or _META.match(lines[start])):
        start += 1
    end = len(lines)
    while end > start and (not lines[end - 1] or lines[end - 1].startswith("--") or _META.match(lines[end - 1])):
        end -= 1
    return "\n".join(lines[start:end]) + "\n"
