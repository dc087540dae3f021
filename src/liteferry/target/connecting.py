"""Opening a session with PostgreSQL: what it pins, what it is told from others by, and which servers are refused.

Layer 2. Used by `target.session` only.
"""

from __future__ import annotations

import contextlib
import selectors
from typing import TYPE_CHECKING, Final, TypeAlias

from liteferry.errors import MigrationError
from liteferry.model import ServerInfo
from liteferry.names import quote_literal, quote_name
from liteferry.target.reporting import reporting

if TYPE_CHECKING:
    import psycopg

MIN_VERSION_NUM: Final = 130000
_SETTINGS: Final = (
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("xmloption", "content"),
    ("search_path", ""),
    ("statement_timeout", "0"),
    ("lock_timeout", "30s"),
    ("idle_in_transaction_session_timeout", "0"),
    ("default_transaction_read_only", "off"),
    ("row_security", "off"),  # a policy must raise an error, not hide rows from the proof
    ("default_tablespace", ""),
    ("check_function_bodies", "on"),
    ("quote_all_identifiers", "off"),  # definitions are compared as text
)
_KEEPALIVE: Final = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 6,
    "tcp_user_timeout": 90_000,
}
"""When the network swallows everything (a VPN that went away), say so after 90 seconds, not after a quarter hour."""

Session: TypeAlias = tuple[int, str]
"""What tells a session from every other, even when its process number is given out again: when it began."""


def check_server(info: ServerInfo) -> None:
    """Refuse a server or database that cannot take everything. Pure. Raises: MigrationError."""
    if info.version_num < MIN_VERSION_NUM:
        raise MigrationError(
            f"the server on {info.host} port {info.port} is PostgreSQL {info.version}; liteferry needs 13 or newer",
            code="server-too-old",
            hint="migrate into a newer server, or leave TARGET out to use the embedded one",
        )
    if info.encoding != "UTF8":
        raise MigrationError(
            f"database {info.database} has the encoding {info.encoding}, which cannot hold every text",
            code="database-encoding",
            hint=f"CREATE DATABASE {quote_name(info.database + '_utf8')} TEMPLATE template0 ENCODING 'UTF8'",
        )


def connect(conninfo: str) -> tuple[psycopg.Connection, Session]:
    """Open a session, and pin its settings. Raises: MigrationError, as `liteferry.target.open_target` does."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        # libpq repeats pieces of the string, which may be the password: say only that it is wrong
        raise MigrationError(
            "libpq does not understand the connection string",
            code="connection-string",
            hint="postgresql://user@host:5432/database, or key=value pairs; %-encode special characters in a URI",
        ) from error.with_traceback(None).__cause__
    extra: dict[str, str | int] = {}
    if "application_name" not in parts:
        extra["application_name"] = "liteferry"
    if "connect_timeout" not in parts:
        extra["connect_timeout"] = 10
    extra |= {name: value for name, value in _KEEPALIVE.items() if name not in parts}
    try:
        connection: psycopg.Connection = psycopg.connect(
            conninfo,
            autocommit=True,
            prepare_threshold=None,
            **extra,  # type: ignore[arg-type]  # libpq's own keywords
        )
    except psycopg.OperationalError as error:
        from liteferry.servers.diagnose import explain_connection_failure

        shown = {key: str(value) for key, value in parts.items() if key != "password" and value is not None}
        if (tried := error.pgconn) is not None:  # what libpq made of it: PG* variables, service files, several hosts
            resolved = {
                "host": tried.host,
                "hostaddr": tried.hostaddr,
                "port": tried.port,
                "dbname": tried.db,
                "user": tried.user,
            }
            shown |= {key: value.decode(errors="replace") for key, value in resolved.items() if value}
        raise explain_connection_failure(str(error), error.sqlstate, shown) from None
    with reporting("setting up the session"):
        return connection, _set_up(connection)


def is_alive(connection: psycopg.Connection) -> bool:
    """Whether a session that nobody uses has not ended, as far as that has been heard of here."""
    import psycopg

    try:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            while selector.select(0):  # the server's last words, and then the end
                connection.pgconn.consume_input()
    except psycopg.Error:
        return False
    return connection.pgconn.status == psycopg.pq.ConnStatus.OK


def _set_up(connection: psycopg.Connection) -> Session:
    """Pin the session's settings; and what tells it from every other, all in one round trip.

    Not by `options` of the connection: a pooler refuses those.
    """
    settings = (
        f"pg_catalog.set_config({quote_literal(name)}, {quote_literal(value)}, false)" for name, value in _SETTINGS
    )
    # what is said to be published must survive the server; a wait for standbys stays as it was chosen
    commit = (
        "SELECT pg_catalog.set_config('synchronous_commit', 'local', false)"
        " WHERE pg_catalog.current_setting('synchronous_commit') = 'off'"
    )
    # a role may have set them, where the server knows them: sessions wait for each other, and transactions are long
    unlimited = (
        "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings"
        " WHERE name IN ('idle_session_timeout', 'transaction_timeout') AND setting <> '0'"
    )
    identity = (
        "SELECT pg_catalog.pg_backend_pid(), (SELECT backend_start::text FROM pg_catalog.pg_stat_activity"
        " WHERE pid = pg_catalog.pg_backend_pid())"
    )
    cursor = connection.execute(f"SELECT {', '.join(settings)}; {commit}; {unlimited}; {identity}".encode())
    while cursor.nextset():
        pass
    row = cursor.fetchone()
    return (int(row[0]), str(row[1] or "")) if row else (0, "")


def refuse_shared_sessions(control: psycopg.Connection, session: Session, conninfo: str) -> None:
    """Refuse a pooler that hands a session to another client between two transactions.

    The settings and locks of a run are its session's: shared, they would be lost, or be found by strangers. A pooler
    makes up the process number that it tells its clients, which is not the session's own (`_set_up` asked for it); two
    clients who are given the same session at once, or one who is given two, are the certain sign of sharing.

    Raises: MigrationError (pooled-sessions).
    """
    import psycopg

    def ask_process(connection: psycopg.Connection) -> int:
        row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
        return int(row[0]) if row else 0

    if session[0] == control.info.backend_pid:
        return
    with reporting("looking at the server"):
        own = ask_process(control)
        try:
            with contextlib.closing(connect(conninfo)[0]) as other, other.transaction():
                shared = ask_process(other) == own or ask_process(control) != own
        except psycopg.errors.ProtocolViolation:  # a pool in statement mode has no transactions at all
            shared = True
    if shared:
        raise MigrationError(
            "a connection pooler before the server shares sessions between its clients (transaction or statement mode)",
            code="pooled-sessions",
            hint="connect to PostgreSQL itself, or to a pool in session mode",
        )


def read_server(connection: psycopg.Connection) -> ServerInfo:
    """Look at the server, and at the database that the session is with."""
    with reporting("looking at the server"):
        row = connection.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int, current_database(),"
            " current_user, pg_catalog.pg_encoding_to_char(d.encoding),"
            " pg_catalog.has_database_privilege(current_database(), 'CREATE'),"
            " pg_catalog.pg_database_size(current_database()),"
            " coalesce((SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'TimeZone'), ''),"
            # a server without ICU lists the collation "unicode" all the same, which it cannot use; but not this one
            " EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collprovider = 'i' AND collname = 'und-x-icu'),"
            # in a Turkish database I and i are two letters, for citext too
            " (SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
            "  WHERE e.extname = 'citext' AND pg_catalog.lower('I') = 'i'),"
            # what a trusted extension makes is not its owner's: only a superuser can move it out of staging
            " EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = 'citext'"
            "  AND a.installed_version IS NULL AND pg_catalog.lower('I') = 'i')"
            "  AND (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),"
            # another encoding may not have these letters, and is refused anyway
            " CASE WHEN pg_catalog.pg_encoding_to_char(d.encoding) = 'UTF8' THEN (SELECT"
            '  pg_catalog.lower(t COLLATE pg_catalog."default") = t'  # its own, by the name 'UTF8', is "C"
            "  FROM pg_catalog.convert_from('\\xc389d094cea3', 'UTF8') t) ELSE true END"
            " FROM pg_catalog.pg_database d WHERE d.datname = current_database()"
        ).fetchone()
    if row is None:
        raise AssertionError("the current database is not in pg_database")
    return ServerInfo(
        version=str(row[0]).split(" ")[0],
        version_num=int(row[1]),
        host=connection.info.host or "local",
        port=connection.info.port,
        database=str(row[2]),
        user=str(row[3]),
        encoding=str(row[4]),
        can_create_schema=bool(row[5]),
        size_bytes=int(row[6]),
        timezone=str(row[7]),
        icu=bool(row[8]),
        citext="installed" if row[9] is not None else "available" if row[10] else "absent",
        citext_schema=str(row[9] or ""),
        folds_ascii_only=bool(row[11]),
    )
