"""Why a connection failed: every refusal that a real server, another service or nobody can give."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from liteferry.servers import diagnose
from liteferry.servers.diagnose import explain_connection_failure
from liteferry.servers.ports import find_free_port, find_path_owner, find_port_owner, probe_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import PostgresServer
    from liteferry.errors import MigrationError

SECRET = "hunter2-s3cret"


@pytest.fixture(scope="module")
def other_server(start_server_of: Callable[..., PostgresServer]) -> Iterator[PostgresServer]:
    """A second server, which lets everybody in by TCP: the wrong one, that was there first."""
    server = start_server_of()
    rules = "local all peered peer\nlocal all all trust\nhost all barred all reject\nhost all all 127.0.0.1/32 trust\n"
    server.account.write_file(server.data_dir / "pg_hba.conf", rules)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for sql in (
            "CREATE ROLE sleeper NOLOGIN",
            "CREATE ROLE barred LOGIN",
            "CREATE ROLE peered LOGIN",
            "CREATE ROLE crowded LOGIN CONNECTION LIMIT 0",
            "CREATE DATABASE closed",
            "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
            "SELECT pg_reload_conf()",
        ):
            connection.execute(sql.encode())
    yield server
    server.stop()


def fail(conninfo: str) -> MigrationError:
    """Connect, and explain the failure as `liteferry.target` does."""
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect(conninfo, connect_timeout=5).close()
    attempt = raised.value.pgconn  # None when the time was up
    names = {"host": "host", "hostaddr": "hostaddr", "port": "port", "user": "user", "dbname": "db"}
    given = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if name in names}
    resolved = {name: getattr(attempt, of).decode() for name, of in names.items()} if attempt else given
    error = explain_connection_failure(str(raised.value), raised.value.sqlstate, resolved)
    assert SECRET not in str(error) + error.hint
    return error


# ---------------------------------------------------------------------------------------------------------------------
# A PostgreSQL that says no


def test_the_wrong_server_was_there_first(other_server: PostgresServer) -> None:
    """The story that this exists for: `role "app" does not exist`, from a server that nobody had thought of."""
    error = fail(f"host=127.0.0.1 port={other_server.port} user=app dbname=app password={SECRET}")
    assert error.code == "role-missing"
    pid = (other_server.data_dir / "postmaster.pid").read_text().split()[0]
    place = f"the server at 127.0.0.1:{other_server.port}"
    owner = f"process {pid} (postgres, PostgreSQL {other_server.version}, user {other_server.account.name})"
    assert str(error) == f'{place}, {owner}, has no role "app": it may be another server than the one meant'
    assert """-c 'CREATE ROLE "app" LOGIN'""" in error.hint
    free = int(error.hint.partition("host and port (")[2].split()[0])
    assert probe_server("127.0.0.1", free) == "closed"


@pytest.mark.parametrize(
    ("user", "database", "code", "says"),
    [
        ("postgres", "shop", "database-missing", 'has no database "shop"'),
        ("sleeper", "postgres", "role-missing", 'does not let the role "sleeper" log in'),
        ("barred", "postgres", "auth-failed", 'does not let the role "barred" into the database "postgres" from here'),
        ("crowded", "postgres", "server-not-ready", "has no connection free"),
        ("ferry", "closed", "auth-failed", 'does not let the role "ferry" into the database "closed"'),
    ],
)
def test_refusals_of_a_server(other_server: PostgresServer, user: str, database: str, code: str, says: str) -> None:
    error = fail(f"host=localhost port={other_server.port} user={user} dbname={database} password={SECRET}")
    assert says in str(error)
    assert error.code == code
    assert error.hint


def test_the_hints_commands_mend_it(other_server: PostgresServer) -> None:
    """Run what the hint says, word for word."""
    psql = other_server.bin_dir / "psql"
    if not psql.exists():
        pytest.skip("this PostgreSQL comes without psql")
    conninfo = f"host={other_server.directory} port={other_server.port} user=o'brien dbname='my \"shop'"
    conninfo = conninfo.replace("o'brien", "'o\\'brien'")
    for code in ("role-missing", "database-missing"):
        error = fail(conninfo)
        assert error.code == code
        command = error.hint.removeprefix("if this is the right one: ").partition("; if another")[0]
        command = command.partition(" -c '\\password")[0]  # it asks at the terminal
        subprocess.run(["bash", "-c", command.replace("psql", str(psql), 1)], check=True)
    psycopg.connect(conninfo).close()


def test_a_wrong_password(pg_server: PostgresServer) -> None:
    error = fail(f"host=127.0.0.1 port={pg_server.port} user=ferry dbname=postgres password={SECRET}")
    assert error.code == "auth-failed"
    assert 'refused the password of the role "ferry"' in str(error)


def test_no_password(pg_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    error = fail(f"host=127.0.0.1 port={pg_server.port} user=ferry dbname=postgres")
    assert error.code == "auth-failed"
    assert "none was given" in str(error)
    assert "PGPASSWORD" in error.hint


@pytest.mark.skipif(pwd.getpwuid(os.geteuid()).pw_name == "peered", reason="the one account that peer would accept")
def test_an_account_of_another_name_on_the_socket(other_server: PostgresServer) -> None:
    error = fail(f"host={other_server.directory} port={other_server.port} user=peered dbname=postgres")
    assert error.code == "auth-failed"
    assert "Peer authentication failed" in str(error)


def test_encryption_that_the_server_does_not_have(pg_server: PostgresServer) -> None:
    error = fail(f"host=127.0.0.1 port={pg_server.port} user=ferry dbname=postgres password=ferry sslmode=require")
    assert error.code == "tls-failed"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("FATAL:  the database system is starting up", "server-not-ready"),
        ("FATAL:  the database system is shutting down", "server-not-ready"),
        ("FATAL:  sorry, too many clients already", "server-not-ready"),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", "server-not-ready"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "app", database "app", no encryption', "auth-failed"),
        ('FATAL:  LDAP authentication failed for user "app"', "auth-failed"),
        ('FATAL:  certificate authentication failed for user "app"', "auth-failed"),
        ("SSL error: certificate verify failed", "tls-failed"),
        ('server certificate for "a" does not match host name "b"', "tls-failed"),
        ("received invalid response to SSL negotiation: H", "server-other"),
        ("expected authentication request from server, but received H", "server-other"),
    ],
)
def test_what_libpq_says(words: str, code: str) -> None:
    """What cannot be staged here in little time, or comes from other versions."""
    prefix = 'connection failed: connection to server at "127.0.0.1", port 1 failed: '
    assert explain_connection_failure(prefix + words, None, {"host": "127.0.0.1", "port": "1"}).code == code


@pytest.mark.parametrize(
    ("sqlstate", "code"),
    [
        ("28P01", "auth-failed"),
        ("3D000", "database-missing"),
        ("57P03", "server-not-ready"),
        ("53300", "server-not-ready"),
    ],
)
def test_a_code_counts_more_than_words(sqlstate: str, code: str) -> None:
    error = explain_connection_failure("ВАЖНО: …", sqlstate, {"host": "127.0.0.1", "port": "1", "user": "a"})
    assert error.code == code


# ---------------------------------------------------------------------------------------------------------------------
# A server that speaks another language


@pytest.fixture(scope="module")
def german_server(start_server_of: Callable[..., PostgresServer]) -> Iterator[PostgresServer]:
    """A server whose messages are German: gettext lets LANGUAGE decide for every locale but C."""
    messages = Path("/usr/share/locale/de/LC_MESSAGES/postgres-15.mo")
    if not messages.exists():
        pytest.skip(f"no German messages for a server: {messages} is not there")
    server = start_server_of(15, {"LANGUAGE": "de", "LC_ALL": "C.UTF-8"})
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET lc_messages = 'C.UTF-8'")
        connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.2)  # for the postmaster to read it
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("where", "user", "database", "password", "code"),
    [
        ("socket", "app", "app", "", "role-missing"),
        ("socket", "ferry", "shop", "", "database-missing"),
        ("tcp", "ferry", "shop", "ferry", "database-missing"),
        ("tcp", "ferry", "ferry", "ferry", "auth-failed"),  # which of the two is missing cannot be told apart
        ("tcp", "ferry", "postgres", SECRET, "auth-failed"),
    ],
)
def test_a_server_of_another_language(
    german_server: PostgresServer, where: str, user: str, database: str, password: str, code: str
) -> None:
    host = german_server.directory if where == "socket" else "127.0.0.1"
    conninfo = f"host={host} port={german_server.port} user={user} dbname={database} password='{password}'"
    with pytest.raises(psycopg.OperationalError, match=r"existiert nicht|fehlgeschlagen"):
        psycopg.connect(conninfo)
    error = fail(conninfo)
    assert error.code == code
    if code == "auth-failed":
        assert "»" in str(error) or "password" in str(error)


# ---------------------------------------------------------------------------------------------------------------------
# Nobody, or something else


class WebPage(BaseHTTPRequestHandler):
    timeout = 1  # a request that never ends does not keep the server

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web_port() -> Iterator[int]:
    """A web server in this process."""
    with ThreadingHTTPServer(("127.0.0.1", 0), WebPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Something that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_where_nobody_listens() -> None:
    port = find_free_port()
    error = fail(f"host=127.0.0.1 port={port} user=app dbname=app password={SECRET}")
    assert error.code == "server-unreachable"
    assert str(error) == f"no PostgreSQL server answers at 127.0.0.1:{port}: nothing listens there"
    assert "liteferry server start" in error.hint


def test_a_server_on_a_neighbouring_port_is_pointed_at(
    pg_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnose, "NEIGHBOUR_PORTS", range(pg_server.port, pg_server.port + 1))
    error = fail(f"host=localhost port={find_free_port()} user=app dbname=app")
    assert f"a PostgreSQL answers at localhost:{pg_server.port}" in error.hint


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    error = fail(f"host={tmp_path} user=app dbname=app")
    assert error.code == "server-unreachable"
    assert str(error) == f"no PostgreSQL server answers at {tmp_path}/.s.PGSQL.5432: there is no such socket"


def test_a_name_that_cannot_be_resolved() -> None:
    error = explain_connection_failure("kein Anschluss", None, {"host": "no such name", "port": "5432"})
    assert error.code == "server-unreachable"
    assert "the name no such name cannot be resolved" in str(error)


@pytest.mark.parametrize("password", ["se@kret", "a@b,kret", "@kret@x", "kret@@x"])
def test_an_at_sign_in_a_password(password: str) -> None:
    """What follows the first @ is the host to libpq, which tries to reach it."""
    error = fail(f"postgresql://u:{password}@localhost:1/x")
    assert error.code == "connection-string"
    assert "percent-encode the @ in the password as %40" in error.hint
    assert "kret" not in str(error) + error.hint


def test_an_abstract_socket_is_no_password() -> None:
    assert fail("host=@nothing-here user=app dbname=app").code == "server-unreachable"


def test_a_service_that_is_not_defined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = tmp_path / "services"
    services.write_text("[other]\nhost=localhost\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    error = fail("service=nosuch")
    assert error.code == "connection-string"
    assert str(error) == """libpq cannot use the connection's service: definition of service "nosuch" not found"""
    assert "PGSERVICEFILE" in error.hint
    services.write_text("[nosuch]\nnonsense\n")
    assert f'syntax error in service file "{services}", line 2' in str(fail("service=nosuch"))
    services.unlink()
    assert f'service file "{services}" not found' in str(fail("service=nosuch"))


def test_a_web_server_on_that_port(web_port: int) -> None:
    error = fail(f"host=127.0.0.1 port={web_port} user=app dbname=app password={SECRET}")
    assert error.code == "server-other"
    assert f"what answers at 127.0.0.1:{web_port}, process {os.getpid()} (" in str(error)
    assert str(error).endswith("is not a PostgreSQL server")


def test_something_silent_on_that_port(silent_port: int) -> None:
    error = explain_connection_failure("timeout expired", None, {"host": "127.0.0.1", "port": str(silent_port)})
    assert error.code == "server-other"


def test_the_last_of_several_hosts(pg_server: PostgresServer) -> None:
    error = fail(f"host=127.0.0.1,{pg_server.directory} port={find_free_port()},{pg_server.port} user=app dbname=app")
    assert error.code == "role-missing"
    assert str(pg_server.directory) in str(error)


def test_what_answers(pg_servers_all: PostgresServer, web_port: int, silent_port: int, tmp_path: Path) -> None:
    assert probe_server("127.0.0.1", pg_servers_all.port) == "postgresql"
    assert probe_server("localhost", pg_servers_all.port) == "postgresql"
    assert probe_server(str(pg_servers_all.directory), pg_servers_all.port) == "postgresql"
    assert probe_server("127.0.0.1", web_port, timeout_s=0.3) == "other"
    assert probe_server("127.0.0.1", silent_port, timeout_s=0.3) == "other"
    assert probe_server("127.0.0.1", find_free_port()) == "closed"
    assert probe_server(str(tmp_path), 5432) == "closed"


# ---------------------------------------------------------------------------------------------------------------------
# Ports and their owners


def test_the_owner_of_a_port(pg_server: PostgresServer, silent_port: int) -> None:
    owner = find_port_owner(pg_server.port)
    assert owner
    assert owner == find_path_owner(f"{pg_server.directory}/.s.PGSQL.{pg_server.port}")
    assert (owner.command, owner.version, owner.user) == ("postgres", str(pg_server.version), pg_server.account.name)
    mine = find_port_owner(silent_port)
    assert mine
    assert mine.pid == os.getpid()
    assert find_port_owner(find_free_port()) is None


def test_an_owners_arguments_are_not_shown() -> None:
    port = find_free_port()
    script = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(port), SECRET], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        owner = find_port_owner(port)
        process.communicate(b"\n")
    assert owner
    assert owner.pid == process.pid
    assert str(owner).startswith(f"process {process.pid} (python")
    assert SECRET not in repr(owner)
    assert "socket" not in repr(owner)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else for a moment")
def test_without_root_the_owners_user_is_known_at_least(pg_server: PostgresServer) -> None:
    os.seteuid(pwd.getpwnam("daemon").pw_uid)
    try:
        owner = find_port_owner(pg_server.port)
    finally:
        os.seteuid(0)
    assert owner
    assert owner.pid is None
    assert str(owner) == f"a process of the user {pg_server.account.name}"


def test_a_docker_container_is_recognised(silent_port: int) -> None:
    options = ["-proto", "tcp", "-host-ip", "0.0.0.0", "-host-port", str(silent_port)]  # noqa: S104 - docker's own words
    options += ["-container-ip", "172.17.0.2", "-container-port", "5432"]
    sleep = "import time; print(flush=True); time.sleep(60)"
    with subprocess.Popen(
        ["docker-proxy", "-c", sleep, *options], executable=sys.executable, stdout=subprocess.PIPE
    ) as proxy:
        assert proxy.stdout
        proxy.stdout.readline()
        owner = find_port_owner(silent_port)
        proxy.kill()
    assert str(owner) == "a Docker container (172.17.0.2:5432, by docker-proxy)"


def test_a_free_port_is_free(silent_port: int) -> None:
    assert find_free_port(silent_port) != silent_port
    with contextlib.closing(socket.create_server(("127.0.0.1", find_free_port()))):
        pass
