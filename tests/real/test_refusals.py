"""Every refusal: one sentence and a hint, the documented exit status, and nothing touched on either side."""

from __future__ import annotations

import os
import shutil
import socket
import socketserver
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from bad_files import (
    make_corrupt,
    make_directory,
    make_encrypted,
    make_missing,
    make_nothing,
    make_text,
    make_truncated,
)
from harness import (
    SECRET,
    SHOP,
    Ferry,
    Proxy,
    assert_error,
    assert_no_secret,
    call_ferry,
    execute,
    give_to_carrier,
    has_schema,
    list_directory,
    list_relations,
    make_shop,
    read_everything,
    run_ferry,
    untouched,
)
from liteferry.cli import main
from liteferry.errors import MigrationError
from liteferry.model import ServerInfo
from liteferry.target import check_server, open_target
from live_files import mounted, read_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Database, PostgresServer


@pytest.fixture
def carrier(pg_server: PostgresServer, pg_database: Database) -> str:
    """A fresh database by TCP, with a password in the URL that must not be found anywhere."""
    return give_to_carrier(pg_server, pg_database)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A source in a directory of its own."""
    directory = tmp_path / "source"
    directory.mkdir()
    return make_shop(directory / "shop.sqlite")


# ---------------------------------------------------------------------------------------------------------------------
# Sources


BAD_SOURCES = [
    (make_text, "source-not-sqlite", "is not a SQLite database"),
    (make_nothing, "source-empty", "it has no bytes at all"),
    (make_encrypted, "source-encrypted", "looks like an encrypted database"),
    (make_truncated, "source-truncated", "is cut off"),
    (make_corrupt, "source-corrupt", "damage"),
    (make_missing, "source-missing", "there is no file"),
    (make_directory, "source-not-sqlite", "is a directory"),
]


@pytest.mark.parametrize(("make", "code", "says"), BAD_SOURCES, ids=lambda value: getattr(value, "__name__", None))
def test_a_source_that_is_none(
    make: Callable[[Path], None], code: str, says: str, tmp_path: Path, carrier: str, pg_admin_url: str
) -> None:
    directory = tmp_path / "source"
    directory.mkdir()
    source = directory / "app.sqlite"
    make(source)
    before = read_everything(pg_admin_url)
    with untouched(source):
        outcome = run_ferry("migrate", source, carrier, "--yes", "--json")
    assert_error(outcome, code, says, str(source))
    assert read_everything(pg_admin_url) == before
    assert_no_secret(outcome, tmp_path)


@pytest.mark.parametrize("command", ["inspect", "check", "plan", "verify", "digest"])
def test_every_command_refuses_such_a_source(
    command: str, tmp_path: Path, pg_url: str, pg_admin_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_everything(pg_admin_url)
    for make, code, says in BAD_SOURCES:
        directory = tmp_path / make.__name__
        directory.mkdir()
        source = directory / "app.sqlite"
        make(source)
        target = [pg_url] if command == "verify" else []
        with untouched(source):
            assert main([command, str(source), *target]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert f"[{code}]" in err
        assert says in err
    assert read_everything(pg_admin_url) == before


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path, carrier: str) -> None:
    """The run directory lies beside the source: where there is no source there must be none."""
    outcome = call_ferry("migrate", tmp_path / "typo" / "app.sqlite", carrier, "--yes")
    assert_error(outcome, "source-missing")
    assert outcome.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_neither_file_nor_connection_string(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["digest", "no-such-file.sqlite"]) == 1
    assert "[source-missing]" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------------------------
# Servers that let nobody in


class Page(socketserver.BaseRequestHandler):
    """Answers like a web server that was sent something else than HTTP."""

    def handle(self) -> None:
        self.request.recv(1024)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


@pytest.fixture
def web_port() -> Iterator[int]:
    """Where something answers that is no PostgreSQL."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        port: int = server.server_address[1]
        yield port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def other_server(start_server_of: Callable[..., PostgresServer]) -> Iterator[PostgresServer]:
    """Another server, that was there first; it lets anybody in by TCP."""
    server = start_server_of()
    server.account.write_file(server.data_dir / "pg_hba.conf", "local all all trust\nhost all all 127.0.0.1/32 trust\n")
    execute(server.url("postgres"), "SELECT pg_reload_conf()")
    yield server
    server.stop()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def refuse(source: Path, url: str, code: str, *says: str) -> None:
    """`migrate` and `check` refuse the target alike, and leave nothing behind."""
    with untouched(source):
        migrated = call_ferry("migrate", source, url, "--yes", "--json")
        checked = call_ferry("check", source, url)
    assert_error(migrated, code, *says)
    assert_error(checked, code, *says)
    assert_no_secret(migrated, checked, source.parent)


def test_a_wrong_password(shop: Path, pg_server: PostgresServer, carrier: str) -> None:
    url = carrier.replace(SECRET, "wr0ng-passw0rd")
    with untouched(shop):
        outcome = run_ferry("migrate", shop, url, "--yes")
    assert_error(outcome, "auth-failed", "carrier", str(pg_server.port))
    assert_no_secret(outcome, secret="wr0ng-passw0rd")


def test_a_wrong_password_from_the_environment(shop: Path, carrier: str) -> None:
    url = carrier.replace(f":{SECRET}", "")
    with untouched(shop):
        outcome = run_ferry("migrate", shop, url, "--yes", env={"PGPASSWORD": "wr0ng-passw0rd"})
    assert_error(outcome, "auth-failed")
    assert_no_secret(outcome, secret="wr0ng-passw0rd")


def test_no_server(shop: Path) -> None:
    port = unused_port()
    refuse(shop, f"postgresql://carrier:{SECRET}@127.0.0.1:{port}/app", "server-unreachable", str(port))


def test_no_such_host(shop: Path) -> None:
    refuse(shop, f"postgresql://carrier:{SECRET}@no-such-host.invalid/app", "server-unreachable", "no-such-host")


def test_another_service_answers(shop: Path, web_port: int) -> None:
    url = f"postgresql://carrier:{SECRET}@127.0.0.1:{web_port}/app"
    refuse(shop, url, "server-other", "not a PostgreSQL server", f"process {os.getpid()}")


def test_another_server_answers(
    shop: Path, carrier: str, pg_server: PostgresServer, other_server: PostgresServer
) -> None:
    """The right URL but for the port, where another PostgreSQL was first."""
    before = read_everything(other_server.url("postgres"))
    url = carrier.replace(f":{pg_server.port}/", f":{other_server.port}/")
    pid = (other_server.data_dir / "postmaster.pid").read_text().split()[0]
    version = f"PostgreSQL {other_server.version}"
    refuse(shop, url, "role-missing", "another server than the one meant", f"process {pid}", version)
    assert read_everything(other_server.url("postgres")) == before


def test_no_such_role(shop: Path, other_server: PostgresServer) -> None:
    url = f"postgresql://nobody_at_all:{SECRET}@127.0.0.1:{other_server.port}/postgres"
    refuse(shop, url, "role-missing", 'has no role "nobody_at_all"')


def test_no_such_database(shop: Path, carrier: str) -> None:
    refuse(shop, carrier.replace("/test_", "/untest_"), "database-missing", 'has no database "untest_')


@pytest.mark.parametrize("text", [f"postgresql://carrier:{SECRET}@[::1", f"host=x password='{SECRET}", SECRET])
def test_a_connection_string_that_is_none(shop: Path, text: str) -> None:
    refuse(shop, text, "connection-string")


# ---------------------------------------------------------------------------------------------------------------------
# Databases that cannot take it


@pytest.fixture
def guest(pg_server: PostgresServer, pg_database: Database) -> Iterator[str]:
    """The database by a role with no right in it but to connect."""
    admin = pg_server.url("postgres")
    execute(admin, "CREATE ROLE guest LOGIN")
    yield pg_server.url(pg_database.name, "guest")
    execute(pg_database.admin_url, "DROP OWNED BY guest CASCADE")
    execute(admin, f'REVOKE ALL ON DATABASE "{pg_database.name}" FROM guest', "DROP ROLE guest")


def test_no_right_to_create_a_schema(shop: Path, guest: str, pg_admin_url: str) -> None:
    execute(pg_admin_url, "GRANT CREATE ON SCHEMA public TO guest")
    before = read_everything(pg_admin_url)
    refuse(shop, guest, "no-create-right", "may not create schemas", "GRANT CREATE ON DATABASE")
    assert read_everything(pg_admin_url) == before


def test_no_right_to_create_in_the_schema(shop: Path, guest: str, pg_database: Database) -> None:
    admin = pg_database.admin_url
    grant = f'GRANT CREATE ON DATABASE "{pg_database.name}" TO guest'
    execute(admin, grant, "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "GRANT USAGE ON SCHEMA public TO guest")
    before = read_everything(admin)
    refuse(shop, guest, "no-create-right", "may not create tables in schema public", 'ON SCHEMA "public"')
    assert read_everything(admin) == before


def test_the_hints_grants_are_all_it_takes(
    shop: Path, guest: str, pg_admin_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run what the hints say until nothing is refused any more: two grants, and the run is proven."""
    execute(pg_admin_url, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for _ in range(2):
        assert main(["migrate", str(shop), guest, "--yes", "--quiet"]) == 1
        hint = capsys.readouterr().err.splitlines()[-1]
        execute(pg_admin_url, hint.strip().removeprefix("as its owner: ").partition(";")[0])
    assert main(["migrate", str(shop), guest, "--yes", "--quiet"]) == 0


HELD = [
    ("CREATE TABLE mine (x int)", "table mine"),
    ("CREATE VIEW mine AS SELECT 1 AS x", "view mine"),
    ("CREATE MATERIALIZED VIEW mine AS SELECT 1 AS x", "materialized view mine"),
    ("CREATE SEQUENCE mine", "sequence mine"),
    ("CREATE TYPE mine AS ENUM ('x')", "enum mine"),
    ("CREATE DOMAIN mine AS int", "domain mine"),
    ("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function mine()"),
]


@pytest.mark.parametrize(("sql", "what"), HELD, ids=[what.partition(" mine")[0] for _, what in HELD])
def test_a_schema_that_holds_something(
    sql: str, what: str, shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(pg_admin_url, "SET search_path = public; " + sql)
    before = read_everything(pg_admin_url)
    with untouched(shop):
        assert main(["migrate", str(shop), pg_url, "--yes", "--run-dir", str(tmp_path / "run")]) == 4
        out, _ = capsys.readouterr()
        assert what in out
        assert "target-not-empty" in out
        assert main(["migrate", str(shop), pg_url, "--yes", "--json", "--accept", "all", "--dry-run"]) == 4
    assert read_everything(pg_admin_url) == before
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "journal.sqlite", "plan.json", "report.html", "report.json", "report.md",
    ]  # fmt: skip


def test_it_cannot_be_accepted(shop: Path, pg_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", str(shop), pg_url, "--yes", "--accept", "target-not-empty"]) == 2
    assert "cannot be accepted, only repaired" in capsys.readouterr().err


def test_an_extensions_objects_do_not_count(
    shop: Path, pg_server: PostgresServer, pg_url: str, pg_admin_url: str
) -> None:
    with psycopg.connect(pg_admin_url, autocommit=True) as connection:
        offered = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
        wanted = next((name for name in ("pg_trgm", "citext", "hstore", "pg_stat_statements") if name in offered), None)
        if wanted is None:
            pytest.skip(f"PostgreSQL {pg_server.version} comes without extensions here")
        connection.execute(f"CREATE EXTENSION {wanted} SCHEMA public".encode())
    with untouched(shop.parent / "shop.sqlite"):
        outcome = call_ferry("check", shop, pg_url)
        assert outcome.status == 0, outcome
    assert main(["migrate", str(shop), pg_url, "--yes", "--quiet"]) == 0
    assert set(SHOP) <= set(list_relations(pg_admin_url))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_is_not_utf8(encoding: str, shop: Path, pg_server: PostgresServer) -> None:
    name = f"coded_{encoding.lower()}"
    provider = " LOCALE_PROVIDER libc" if pg_server.version >= 15 else ""
    create = f"CREATE DATABASE {name} OWNER ferry TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'{provider}"
    execute(pg_server.url("postgres"), create)
    before = read_everything(pg_server.url(name))
    refuse(shop, pg_server.url(name, "ferry"), "database-encoding", encoding, f'CREATE DATABASE "{name}_utf8"')
    assert read_everything(pg_server.url(name)) == before
    pg_server.drop_database(name)


def test_a_server_that_is_too_old() -> None:
    """No such server is at hand: the check is pure, and takes what a server says of itself."""
    facts = {"host": "db", "port": 5432, "database": "app", "user": "app"}
    check_server(ServerInfo(version="13.0", version_num=130000, **facts))  # type: ignore[arg-type]  # host, port …
    with pytest.raises(MigrationError) as caught:
        check_server(ServerInfo(version="12.22", version_num=120022, **facts))  # type: ignore[arg-type]  # the same
    assert caught.value.code == "server-too-old"
    assert "db port 5432 is PostgreSQL 12.22" in str(caught.value)


# ---------------------------------------------------------------------------------------------------------------------
# Staging


def test_what_a_killed_run_left_is_cleared_and_said(shop: Path, pg_url: str, pg_admin_url: str) -> None:
    execute(
        pg_url,
        "CREATE SCHEMA liteferry_staging_public",
        "COMMENT ON SCHEMA liteferry_staging_public IS 'liteferry staging'",
        "CREATE TABLE liteferry_staging_public.customer (half int)",
    )
    outcome = call_ferry("migrate", shop, pg_url, "--yes", "--json")
    assert outcome.report.verdict == "proven"
    assert "a staging schema left behind by a run that was killed has been removed" in outcome.err
    assert not has_schema(pg_admin_url, "liteferry_staging_public")


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("liteferry staging, kept for inspection", "an earlier run kept it for inspection"),
        ("my own", "it is not one of liteferry's"),
        ("", "it is not one of liteferry's"),
    ],
)
def test_a_staging_schema_that_is_somebodys(
    comment: str, says: str, shop: Path, pg_url: str, pg_admin_url: str
) -> None:
    execute(pg_url, "CREATE SCHEMA liteferry_staging_public", "CREATE TABLE liteferry_staging_public.precious (x int)")
    if comment:
        execute(pg_url, f"COMMENT ON SCHEMA liteferry_staging_public IS '{comment}'")
    before = read_everything(pg_admin_url)
    refuse(shop, pg_url, "staging-exists", says, 'DROP SCHEMA "liteferry_staging_public" CASCADE')
    assert read_everything(pg_admin_url) == before


def test_another_run_is_working_there(shop: Path, pg_url: str, pg_admin_url: str) -> None:
    with open_target(pg_url) as first:
        first.lock_schema("public")
        before = read_everything(pg_admin_url)
        with untouched(shop):
            outcome = call_ferry("migrate", shop, pg_url, "--yes", "--json")
            elsewhere = call_ferry("migrate", shop, pg_url, "--yes", "--json", "--schema", "other", "--dry-run")
        assert_error(outcome, "target-busy", "another liteferry run is working on schema public")
        assert elsewhere.status == 0
        assert read_everything(pg_admin_url) == before


# ---------------------------------------------------------------------------------------------------------------------
# Options


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--only", "custmer"), "--only custmer matches no table"),
        (("--exclude", "Customer"), "--exclude Customer matches no table"),
        (("--accept", "no-such-code"), "--accept no-such-code: there is no such finding"),
        (("--accept", "name-changed"), "cannot be accepted"),
    ],
)
def test_options_that_mean_nothing(
    options: tuple[str, ...], says: str, shop: Path, pg_url: str, pg_admin_url: str
) -> None:
    before = read_everything(pg_admin_url)
    with untouched(shop):
        outcome = call_ferry("migrate", shop, pg_url, "--yes", "--json", *options)
    assert_error(outcome, "usage", says, status=2)
    assert read_everything(pg_admin_url) == before


def test_nobody_can_be_asked(shop: Path, pg_url: str, pg_admin_url: str) -> None:
    before = read_everything(pg_admin_url)
    with untouched(shop):
        outcome = run_ferry("migrate", shop, pg_url)
    assert_error(outcome, "usage", "--yes was not given", status=2)
    assert read_everything(pg_admin_url) == before


# ---------------------------------------------------------------------------------------------------------------------
# Directories and disks


def test_a_run_directory_that_is_not_empty(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("precious")
    before = read_everything(pg_admin_url)
    with untouched(shop), untouched(taken / "thesis.txt"):
        outcome = call_ferry("migrate", shop, pg_url, "--yes", "--json", "--run-dir", taken)
    assert_error(outcome, "run-dir", "is not empty: it holds thesis.txt")
    assert read_everything(pg_admin_url) == before


def test_an_empty_run_directory_is_left_as_it_was(shop: Path, tmp_path: Path, pg_url: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    outcome = call_ferry("migrate", shop, pg_url, "--yes", "--only", "nothing", "--run-dir", empty)
    assert outcome.status == 2
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_run_directory_that_cannot_be_made(place: str, shop: Path, tmp_path: Path, pg_url: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with untouched(shop):
        outcome = call_ferry("migrate", shop, pg_url, "--yes", "--json", "--run-dir", tmp_path / place)
    assert_error(outcome, "run-dir", str(tmp_path / place), "--run-dir")
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    if not shutil.which("mount"):
        pytest.skip("no mount(8) here")
    directory = tmp_path / "disk"
    directory.mkdir()
    with mounted(directory, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        yield directory


def test_a_source_on_a_read_only_disk(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    """The default run directory lies beside the source; elsewhere everything works."""
    before = read_everything(pg_admin_url)
    shop.chmod(0o444)
    with untouched(shop), read_only(shop.parent):
        outcome = call_ferry("migrate", shop, pg_url, "--yes", "--json")
        assert_error(outcome, "run-dir", "cannot be made", "--run-dir")
        assert read_everything(pg_admin_url) == before
        outcome = call_ferry("migrate", shop, pg_url, "--yes", "--json", "--run-dir", tmp_path / "run")
        assert outcome.report.verdict == "proven"


def test_no_room_for_the_snapshot(tmp_path: Path, small_disk: Path, pg_url: str, pg_admin_url: str) -> None:
    (tmp_path / "source").mkdir()
    source = make_shop(tmp_path / "source" / "shop.sqlite", rows=60_000)
    assert source.stat().st_size > 1 << 20
    before = read_everything(pg_admin_url)
    with untouched(source):
        outcome = call_ferry("migrate", source, pg_url, "--yes", "--json", "--run-dir", small_disk / "run")
    assert_error(outcome, "disk-space", "MB free", "--snapshot none")
    assert list_directory(small_disk) == {}
    assert read_everything(pg_admin_url) == before


# ---------------------------------------------------------------------------------------------------------------------
# Secrets


@pytest.mark.parametrize("snapshot", ["copy", "none"])
def test_the_password_is_nowhere(
    snapshot: str, tmp_path: Path, shop: Path, pg_server: PostgresServer, pg_database: Database
) -> None:
    """Neither in a file, nor in what is written, nor on the command line of any process that liteferry starts."""
    run_dir = tmp_path / "run"
    with Proxy(pg_server.port) as proxy:
        hold = proxy.hold(b"CREATE VIEW")
        url = give_to_carrier(pg_server, pg_database, port=proxy.port)
        plain = url.replace(f":{SECRET}", "")
        arguments = ("migrate", shop, plain, "--yes", "--json", "--run-dir", run_dir, "--snapshot", snapshot)
        with Ferry(*arguments, env={"PGPASSWORD": SECRET}) as ferry:
            hold.wait()
            running = [ferry.process.pid, *ferry.list_children()]
            assert len(running) == (2 if snapshot == "none" else 1)
            for pid in running:
                with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - not a file on a disk
                    assert SECRET.encode() not in file.read()
            hold.release()
            outcome = ferry.end()
        assert outcome.report.verdict == "proven"
        assert_no_secret(outcome, tmp_path)
        assert_no_secret(call_ferry("report", run_dir), call_ferry("report", run_dir, "--format", "html"))
        assert_no_secret(call_ferry("plan", shop, url, "--schema", "other"))
        undone = run_ferry("undo", run_dir, "--yes", env={"PGPASSWORD": SECRET})
        assert undone.status == 0
        assert_no_secret(undone, tmp_path)


def test_a_password_in_the_url_works_and_is_warned_of(shop: Path, tmp_path: Path, carrier: str) -> None:
    outcome = run_ferry("migrate", shop, carrier, "--yes", "--json", "--run-dir", tmp_path / "run")
    assert outcome.report.verdict == "proven"
    assert "other users can read a password on the command line" in outcome.err
    assert_no_secret(outcome, tmp_path)
    undone = run_ferry("undo", tmp_path / "run", "--yes", "--json", env={"PGPASSFILE": str(tmp_path / "none")})
    assert_error(undone, "auth-failed", "none was given", "PGPASSWORD")
    assert_no_secret(undone)


def test_a_snapshot_that_may_not_grow_is_no_fault_of_the_source(shop: Path, tmp_path: Path, pg_url: str) -> None:
    """As with a quota: SQLite tells of it like of a disk that cannot be read."""
    outcome = run_ferry("migrate", shop, pg_url, "--yes", "--run-dir", tmp_path / "run", limit="-f 8")
    assert_error(outcome, "run-dir", "could not be copied into", "ulimit -f")
    assert not (tmp_path / "run").exists()
