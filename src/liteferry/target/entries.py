"""The target's address in the forms that others take: an entry of Django's DATABASES.

Layer 2. Used through `target` only. What is made here may hold a password: it goes to a child's standard input, and
into nothing that is written or printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from liteferry.names import quote_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OWN_KEYS: Final = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
"""libpq's keywords that Django has settings of its own for; all others go into OPTIONS."""


def make_django_entry(conninfo: str, search_path: Sequence[str] = ()) -> dict[str, Any]:
    """An entry of DATABASES that leads where a connection string does. Reads nothing and connects to nothing.

    search_path: schemas, by their plain names; the server's own setting when there are none. A string without a
    database name (a service file's, PGDATABASE) is left to libpq.
    """
    from psycopg.conninfo import conninfo_to_dict

    given = {key: str(value) for key, value in conninfo_to_dict(conninfo).items() if value is not None}
    entry: dict[str, Any] = {name: given.pop(key, "") for key, name in _OWN_KEYS.items()}
    if search_path:
        path = ",".join(map(quote_name, search_path)).replace("\\", "\\\\").replace(" ", "\\ ")
        given["options"] = f"{given.get('options', '')} -c search_path={path}".strip()
    if not entry["NAME"] and "service" not in given:
        import os

        entry["NAME"] = os.environ.get("PGDATABASE") or entry["USER"] or os.environ.get("PGUSER", "")
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
