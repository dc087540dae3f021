"""How others find the way to where a target is, and how they are known to have come to the same place.

Layer 2. Used through `target` only. What is made here may hold a password (`Way.password`): it is in no ``repr``, and
goes nowhere but into the file that the user named, or a child's standard input.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from liteferry.names import quote_qualified
from liteferry.target.reporting import reporting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from liteferry.errors import MigrationError
    from liteferry.target.session import Target

_SECRET_WORDS: Final = ("password", "secret", "scram", "token")
_OUR_OWN: Final = frozenset({"application_name", "connect_timeout", "fallback_application_name"})
"""What liteferry, or the user for liteferry's sake, says of the session: nothing that leads there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to get where a target is: libpq's keywords without the secret ones, the host as it was resolved.

    ``origin``: whence the password is; "" when the server asked for none; ``given``: the connection string had it;
    ``environment``: PGPASSWORD; ``file``: ~/.pgpass or the service file. ``password``: what the server took.
    """

    keywords: Mapping[str, str]
    origin: Literal["", "given", "environment", "file"]
    password: str = field(repr=False, default="")


def read_way(server: Target) -> Way:
    """Read how the server was reached. Asks nothing of it."""
    from psycopg.conninfo import conninfo_to_dict

    info = server.control.info
    typed = {key: str(value) for key, value in conninfo_to_dict(server.conninfo).items() if value is not None}
    keywords = {key: str(value) for key, value in conninfo_to_dict(server.describe_address()).items()}
    keywords |= {key: value for key, value in typed.items() if key not in keywords and key not in _OUR_OWN}
    keywords = {key: value for key, value in keywords.items() if not any(word in key for word in _SECRET_WORDS)}
    if not keywords.get("host") and not keywords.get("hostaddr"):
        keywords["host"] = info.host  # the socket's directory, which another libpq may expect elsewhere
    keywords.setdefault("dbname", info.dbname)
    if "passfile" not in typed and Path(keywords.get("passfile", "")) == Path("~/.pgpass").expanduser():
        keywords.pop("passfile", None)
    if not server.control.pgconn.used_password:
        return Way(keywords=keywords, origin="")
    if typed.get("password"):
        return Way(keywords=keywords, origin="given", password=info.password)
    if os.environ.get("PGPASSWORD") == info.password:
        return Way(keywords=keywords, origin="environment", password=info.password)
    return Way(keywords=keywords, origin="file", password=info.password)


@contextlib.contextmanager
def hold_mark(server: Target) -> Iterator[int]:
    """Hold an advisory lock of a random key: whoever sees it in pg_locks is in the same database of the same server.

    Writes nothing, and needs no right. Source: PostgreSQL docs, "pg_locks": advisory locks are local to a database.
    """
    key = secrets.randbits(63)
    with server.lend_connection() as connection, reporting("marking the database"):
        connection.execute("SELECT pg_catalog.pg_advisory_lock(%s)", (key,))
        try:
            yield key
        finally:
            if not connection.closed:
                connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", (key,))


def count_rows(server: Target, schema: str, table: str) -> int:
    """Count a table's rows."""
    sql = f"SELECT pg_catalog.count(*) FROM {quote_qualified(schema, table)}"
    with server.lend_connection() as connection, reporting("counting rows"):
        row = connection.execute(sql.encode()).fetchone()
    return int(row[0]) if row else 0


def explain_refusal(message: str, sqlstate: str | None, parameters: Mapping[str, str]) -> MigrationError:
    """Why somebody else's connection failed. parameters: libpq's, as they were given; its defaults are put in here."""
    from psycopg.pq import Conninfo

    from liteferry.servers.diagnose import explain_connection_failure

    defaults = {
        option.keyword.decode(): option.val.decode(errors="replace")
        for option in Conninfo.get_defaults()
        if option.val and option.keyword in {b"host", b"hostaddr", b"port", b"dbname", b"user", b"service"}
    }
    given = {key: value for key, value in parameters.items() if value and "password" not in key}
    return explain_connection_failure(message, sqlstate, {**defaults, **given})
