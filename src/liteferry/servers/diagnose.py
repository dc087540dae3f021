"""Why a connection to PostgreSQL failed, and what would mend it.

Layer 2. The servers' messages may be in any language, so what they do not say in English is asked for once more over
the wire, where errors have codes; libpq does not hand those on for failures before the login.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from liteferry.errors import MigrationError
from liteferry.names import quote_name
from liteferry.servers import ports

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT: Final = 5432
NEIGHBOUR_PORTS: Final = range(5430, 5450)  # where a second server is usually put


def explain_connection_failure(message: str, sqlstate: str | None, conninfo: Mapping[str, str]) -> MigrationError:
    """Turn a failed connection into the error that says what to do.

    message: libpq's text. sqlstate: where the driver has one. conninfo: host, hostaddr, port, dbname, user, as libpq
    resolved them (its defaults, environment and service file included); never the password.
    Reaches out to the server again, for at most a few seconds.
    """
    if (misread := _explain_misread(message, conninfo)) is not None:
        return misread
    where = _Address.of(conninfo)
    # Only the server's own words: the prefix names the host, which may be called like the database.
    words = re.sub(r"(- host: .*: )?(connection failed: )?connection to server .*? failed: (?=\S)", "", message.strip())
    refusal = _classify_sqlstate(sqlstate, words) or _classify_words(words)
    if refusal is None:
        state, reason = _probe_with_reason(where)
        if state == "closed":
            return _explain_closed(where, reason)
        if state == "other":
            return _explain_other(where)
        refusal = _ask_for_refusal(where, words)
        if refusal == "unknown" and "closed the connection unexpectedly" in words:
            refusal = "not-ready"  # a server that dies, or a proxy whose server is gone
    return _explain_refusal(refusal, where, words)


# ---------------------------------------------------------------------------------------------------------------------
# Nobody was asked

_SERVICE: Final = re.compile(r'definition of service "(.*)" not found')
_SERVICE_FILE: Final = re.compile(r'service file "(.*)" not found|syntax error in service file "(.*)", line \d+')


def _explain_misread(message: str, conninfo: Mapping[str, str]) -> MigrationError | None:
    """What is wrong with the connection's description itself, so that libpq never came to a server, or to a wrong one.

    Source: parseServiceInfo and conninfo_uri_parse_options in src/interfaces/libpq/fe-connect.c: a URI's password ends
    with the first @, and what follows it is taken for the host.
    """
    if any("@" in host[1:] and host[0] != "/" for host in (conninfo.get("host") or "").split(",")):
        return MigrationError(
            "the connection string's host has an @ in it: most likely, it is the rest of a password that has one",
            code="connection-string",
            hint="percent-encode the @ in the password as %40, or put the password into PGPASSWORD or ~/.pgpass",
        )
    for pattern in (_SERVICE, _SERVICE_FILE):
        if found := pattern.search(message):
            return MigrationError(
                f"libpq cannot use the connection's service: {found[0]}",
                code="connection-string",
                hint="services are defined in ~/.pg_service.conf or the file that PGSERVICEFILE names; the name comes "
                "from service= or PGSERVICE",
            )
    return None


# ---------------------------------------------------------------------------------------------------------------------
# What was refused

Refusal = Literal[
    "password", "no-password", "method", "hba", "role", "login", "database", "connect", "not-ready", "full", "tls",
    "other-service", "unknown",
]  # fmt: skip

# PostgreSQL's English messages, and libpq's. A server set to another language is asked over the wire instead.
# Source: src/backend/libpq/auth.c, src/backend/utils/init/{miscinit,postinit}.c, src/interfaces/libpq/fe-*.c.
_WORDS: Final[tuple[tuple[str, Refusal], ...]] = (
    (r"no password supplied", "no-password"),
    (r"(password|SCRAM) authentication failed for user|empty password returned by client", "password"),
    (r"(Peer|Ident|GSSAPI|LDAP|PAM|RADIUS|certificate|\"[a-z]+\") authentication failed for user", "method"),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects connection", "hba"),
    (r'role ".*" is not permitted to log in', "login"),
    (r'role ".*" does not exist', "role"),
    (r'database ".*" does not exist', "database"),
    (r'permission denied for database|database ".*" is not currently accepting connections', "connect"),
    (r"the database system is|the database system was", "not-ready"),
    (r"too many clients already|remaining connection slots|too many connections for", "full"),
    (r"server does not support SSL, but SSL was required|SSL error|certificate verify failed|root certificate", "tls"),
    (r"server certificate for|channel binding required|SSL connection is required", "tls"),
    (r"invalid response to SSL negotiation|expected authentication request from server", "other-service"),
)

_SQLSTATES: Final[Mapping[str, Refusal]] = {
    "28P01": "password",
    "28000": "hba",
    "3D000": "database",
    "42501": "connect",
    "57P03": "not-ready",
    "53300": "full",
}


def _classify_words(words: str) -> Refusal | None:
    return next((refusal for pattern, refusal in _WORDS if re.search(pattern, words)), None)


def _classify_sqlstate(sqlstate: str | None, words: str) -> Refusal | None:
    """28000 stands for a missing role as well as for pg_hba.conf's no: the words decide, where they are English."""
    if sqlstate == "28000":
        return _classify_words(words)
    return _SQLSTATES.get(sqlstate or "")


def _ask_for_refusal(where: _Address, words: str) -> Refusal:
    """Begin a login as libpq did and read the error's code; where a password is asked for, look at the words' names."""
    fields = ports.ask_login(where.host, where.port, where.user, where.database)
    if fields.get("C") == "28000" and fields.get("R") == "InitializeSessionUserId":
        return "role"  # R is the C function's name: the same in every language
    if "C" in fields:
        return _SQLSTATES.get(fields["C"], "unknown")
    if "asks" not in fields:
        return "unknown"
    names = {name for name in (where.database, where.user) if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words)}
    if names == {where.database} and where.database != where.user:
        return "database"  # the password was right, then: this comes after it
    return "password" if where.user in names else "unknown"


def _explain_refusal(refusal: Refusal, where: _Address, words: str) -> MigrationError:
    if refusal == "other-service":
        return _explain_other(where)
    role, database = quote_name(where.user), quote_name(where.database)
    owner = _find_owner(where)
    server = f"the server at {where}" + (f", {owner}," if owner else "")
    said = next((line.strip() for line in words.splitlines() if line.strip()), "it gave no reason")
    free = f" ({ports.find_free_port(5433)} is free here for a new one)" if _is_local(where) else ""
    another = f"if another server was meant, give its host and port{free}"
    set_password = f"\\password {role}"

    def admin(*commands: str) -> str:
        options = "".join(f" -c {shlex.quote(command)}" for command in commands)
        return f"psql -h {where.host} -p {where.port} -U postgres -d postgres{options}"

    code, what, hint = {
        "role": (
            "role-missing",
            f"has no role {role}: it may be another server than the one meant",
            f"if this is the right one: {admin(f'CREATE ROLE {role} LOGIN', set_password)}; {another}",
        ),
        "login": (
            "role-missing",
            f"does not let the role {role} log in",
            admin(f"ALTER ROLE {role} LOGIN"),
        ),
        "database": (
            "database-missing",
            f"has no database {database}",
            f"{admin(f'CREATE DATABASE {database} OWNER {role}')}; {another}",
        ),
        "connect": (
            "auth-failed",
            f"does not let the role {role} into the database {database}: {said}",
            admin(
                f"GRANT CONNECT ON DATABASE {database} TO {role}", f"ALTER DATABASE {database} ALLOW_CONNECTIONS true"
            ),
        ),
        "password": (
            "auth-failed",
            f"refused the password of the role {role}, or has no such role: it does not say which",
            f"check PGPASSWORD, ~/.pgpass or the service file; {admin(set_password)} sets a new one; {another}",
        ),
        "no-password": (
            "auth-failed",
            f"asks for the password of the role {role}, and none was given",
            "put it into PGPASSWORD or ~/.pgpass (host:port:database:user:password, mode 0600)",
        ),
        "method": (
            "auth-failed",
            f"did not accept the role {role}: {said}",
            "on a socket the role often has to be called like the system's account; host=localhost takes a password",
        ),
        "hba": (
            "auth-failed",
            f"does not let the role {role} into the database {database} from here: {said}",
            "its pg_hba.conf needs a line that fits; where it complains of no encryption, sslmode=require may do",
        ),
        "not-ready": (
            "server-not-ready",
            f"is starting or stopping: {said}",
            "try again in a moment; its log says how far it is",
        ),
        "full": (
            "server-not-ready",
            f"has no connection free: {said}",
            "a run takes three or more: close some clients, or raise max_connections or the role's or database's limit",
        ),
        "tls": (
            "tls-failed",
            f"and this client did not agree on encryption: {said}",
            "sslmode=prefer takes what the server offers; verify-ca and verify-full need sslrootcert",
        ),
        "unknown": (
            "auth-failed",
            f"refused the connection: {said}",
            f"its log says more; {another}",
        ),
    }[refusal]
    return MigrationError(f"{server} {what}", code=code, hint=hint)


# ---------------------------------------------------------------------------------------------------------------------
# Nobody, or somebody else


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """Where libpq went: the first host of its list, or the directory of a Unix socket."""

    host: str
    port: int
    user: str
    database: str

    @classmethod
    def of(cls, conninfo: Mapping[str, str]) -> _Address:
        host = (conninfo.get("hostaddr") or conninfo.get("host") or "").split(",")[0]
        port = str(conninfo.get("port") or "").split(",")[0]
        user = conninfo.get("user") or ports.user_name(os.geteuid())
        return cls(
            host=host or _default_socket_dir(),
            port=int(port) if port.isdecimal() else DEFAULT_PORT,
            user=user,
            database=conninfo.get("dbname") or user,
        )

    @property
    def is_socket(self) -> bool:
        return self.host.startswith(("/", "@"))

    @property
    def socket_path(self) -> str:
        return f"{self.host}/.s.PGSQL.{self.port}"

    def __str__(self) -> str:
        if self.is_socket:
            return self.socket_path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _default_socket_dir() -> str:
    """What libpq takes when no host is given, as it was compiled: Debian's, else PostgreSQL's."""
    return next((path for path in ("/var/run/postgresql",) if Path(path).is_dir()), "/tmp")  # noqa: S108 - PostgreSQL's


def _probe_with_reason(where: _Address) -> tuple[ports.Answer, str]:
    try:
        connection = ports.connect(where.host, where.port)
    except socket.gaierror:
        return "closed", f"the name {where.host} cannot be resolved"
    except TimeoutError:
        return "closed", "it does not answer in time: a firewall, or the wrong address"
    except FileNotFoundError:
        return "closed", "there is no such socket"
    except ConnectionRefusedError:
        return "closed", "nothing listens there"
    except OSError as error:
        return "closed", error.strerror or str(error)
    with connection:
        return ("postgresql" if ports.speaks_postgresql(connection) else "other"), ""


def _explain_closed(where: _Address, reason: str) -> MigrationError:
    others = [other for other in _find_local_servers() if other != str(where)] if _is_local(where) else []
    elsewhere = f" (a PostgreSQL answers at {' and at '.join(others)})" if others else ""
    return MigrationError(
        f"no PostgreSQL server answers at {where}: {reason}",
        code="server-unreachable",
        hint=f"start it, or correct host and port{elsewhere}; or leave TARGET out: liteferry then starts its own "
        "(liteferry server start)",
    )


def _explain_other(where: _Address) -> MigrationError:
    owner = _find_owner(where)
    held = f", {owner}," if owner else ""
    free = f", or let PostgreSQL listen on a free one, such as {ports.find_free_port(5433)}" if _is_local(where) else ""
    return MigrationError(
        f"what answers at {where}{held} is not a PostgreSQL server",
        code="server-other",
        hint=f"correct host and port{free}",
    )


def _find_local_servers() -> list[str]:
    """The PostgreSQL servers of this machine in the usual places."""
    found = [
        f"localhost:{port}"
        for port in sorted(ports.list_listening_ports() & set(NEIGHBOUR_PORTS))
        if ports.probe_server("localhost", port, timeout_s=0.5) == "postgresql"
    ]
    for directory in ("/var/run/postgresql", "/tmp"):  # noqa: S108 - where PostgreSQL puts its sockets
        for path in sorted(Path(directory).glob(".s.PGSQL.*[0-9]")):
            port = int(path.name.rpartition(".")[2])
            if ports.probe_server(directory, port, timeout_s=0.5) == "postgresql":
                found.append(str(path))
    return found


def _find_owner(where: _Address) -> ports.PortOwner | None:
    if not _is_local(where):
        return None
    return ports.find_path_owner(where.socket_path) if where.is_socket else ports.find_port_owner(where.port)


def _is_local(where: _Address) -> bool:
    if where.is_socket:
        return True
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)}
    except OSError:
        return False
    return any(_is_own_address(str(address)) for address in addresses)


def _is_own_address(address: str) -> bool:
    """Only an address of this machine can be bound. Sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as candidate:
        try:
            candidate.bind((address, 0))
        except OSError:
            return False
    return True
