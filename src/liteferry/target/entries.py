"""The target's address in the forms that others take: an entry of Django's DATABASES, environment variables of libpq.

Layer 2. Used through `target` only. What is made here may hold a password: it goes to a child's standard input or
environment, and into nothing that is written or printed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from liteferry.names import quote_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

_OWN_KEYS: Final = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
"""libpq's keywords that Django has settings of its own for; all others go into OPTIONS."""


def make_django_entry(
    conninfo: str, search_path: Sequence[str] = (), *, database: str = "", options: str | None = None
) -> dict[str, Any]:
    """An entry of DATABASES that leads where a connection string does. Connects to nothing.

    search_path: schemas, by their plain names; the server's own setting when there are none. database, options: what a
    session that was opened with the string has for them, whose service file or environment may have said so.
    `Target.make_django_entry` knows them; without them the environment is asked.

    What the string leaves open is left to libpq in the child, which sees our environment (PGHOST, PGSERVICEFILE …).
    """
    from psycopg.conninfo import conninfo_to_dict

    given = {key: str(value) for key, value in conninfo_to_dict(conninfo).items() if value is not None}
    entry: dict[str, Any] = {name: given.pop(key, "") for key, name in _OWN_KEYS.items()}
    if search_path:
        # options in a connection string take the place of a service file's and of PGOPTIONS: they are repeated
        before = given.get("options", os.environ.get("PGOPTIONS", "")) if options is None else options
        given["options"] = f"{before} -c search_path={_escape_option(search_path)}".strip()
    if not entry["NAME"] and (database or "service" not in given):
        # Django refuses an entry without a name. libpq takes the user's, who may be that of the operating system
        entry["NAME"] = database or os.environ.get("PGDATABASE") or entry["USER"] or os.environ.get("PGUSER", "")
    return {"ENGINE": "django.db.backends.postgresql", **entry, "OPTIONS": given, "CONN_MAX_AGE": 0}


def make_conninfo(entry: Mapping[str, Any]) -> str:
    """The connection string of an entry of DATABASES. Connects to nothing.

    OPTIONS of Django's own (pool, isolation_level, server_side_binding, assume_role …) are left out.
    """
    from psycopg.conninfo import make_conninfo as make
    from psycopg.pq import Conninfo

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    given = {key: value for key, value in (entry.get("OPTIONS") or {}).items() if key in known and value is not None}
    given |= {key: entry[name] for key, name in _OWN_KEYS.items() if entry.get(name)}
    return make("", **given)


def _escape_option(search_path: Sequence[str]) -> str:
    """A search_path within libpq's ``options``, where blanks part and a backslash escapes."""
    path = ",".join(map(quote_name, search_path)).replace("\\", "\\\\")
    return "".join(f"\\{letter}" if letter.isspace() else letter for letter in path)


def list_variables(connection: psycopg.Connection) -> dict[str, str]:
    """Libpq's environment variables that lead where an open session has led, the password among them.

    Those parameters that have no variable (keepalives, the password of a key file) are left out.
    """
    from psycopg import pq

    resolved = {found.keyword.decode(): found.val for found in connection.pgconn.info if found.val}
    variables = {}
    for known in pq.Conninfo.get_defaults():
        value = resolved.get(known.keyword.decode())
        if known.envvar and value:
            variables[known.envvar.decode()] = value.decode("utf-8", "surrogateescape")
    for name, said in (("PGDATABASE", connection.info.dbname), ("PGPASSWORD", connection.info.password)):
        variables |= {name: said} if said else {}
    variables.pop("PGSERVICE", None)  # what it says is among the others
    return variables
