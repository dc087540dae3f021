"""TCP ports and Unix sockets: what answers on one, whose it is, which is free.

Layer 2: opens sockets and reads /proc; changes nothing, knows no password, logs in nowhere.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import pwd
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Answer = Literal["postgresql", "other", "closed"]

PROBE_TIMEOUT_S: Final = 3.0
SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)
PROTOCOL_3_0: Final = 196608
TCP_LISTEN: Final = "0A"
UNIX_LISTENING: Final = 0x10000  # __SO_ACCEPTCON


@dataclass(frozen=True, slots=True, kw_only=True)
class PortOwner:
    """Who listens on a port. pid is None and command empty where only root may know them; the user is always known.

    version: PostgreSQL's major version where the command or its data directory tells it, else "".
    container: ``address:port`` within a Docker container, where a docker-proxy holds the port for it.
    """

    user: str
    pid: int | None = None
    command: str = ""
    version: str = ""
    container: str = ""

    def __str__(self) -> str:
        """``process 812 (postgres, PostgreSQL 15, user postgres)``."""
        if self.container:
            return f"a Docker container ({self.container}, by docker-proxy)"
        if self.pid is None:
            return f"a process of the user {self.user}"
        version = f", PostgreSQL {self.version}" if self.version else ""
        return f"process {self.pid} ({self.command}{version}, user {self.user})"


def find_free_port(start: int = 0) -> int:
    """A TCP port that nobody listens on, on any address: the first from ``start`` on, or, for 0, any.

    It is free now, not reserved: bind it soon, and try again when somebody else was faster.
    """
    for port in range(start, 65536) if start else (0,):
        with socket.socket() as candidate, contextlib.suppress(OSError):
            candidate.bind(("", port))
            found: int = candidate.getsockname()[1]
            return found
    message = f"no free port from {start} on"
    raise OSError(errno.EADDRINUSE, message)


def probe_server(host: str, port: int, *, timeout_s: float = PROBE_TIMEOUT_S) -> Answer:
    """Ask whether PostgreSQL answers there. host: a name, an address, or the directory of a Unix socket.

    ``other``: something takes the connection and does not speak PostgreSQL's protocol, or not within the time.
    ``closed``: nothing takes it, or the way there fails.
    """
    try:
        connection = connect(host, port, timeout_s=timeout_s)
    except OSError:
        return "closed"
    with connection:
        return "postgresql" if speaks_postgresql(connection) else "other"


def find_port_owner(port: int) -> PortOwner | None:
    """Who listens on that TCP port of this machine; None when nobody does or it cannot be known (no /proc)."""
    listening = list(_read_listening(port))
    if not listening:
        return None
    container = _find_docker_proxy(port)
    inodes = {inode for _, inode, _ in listening}
    owner = _find_inode_owner(inodes)
    if owner is not None:
        return _describe_process(owner, container=container)
    return PortOwner(user=user_name(listening[0][2]), container=container)


# ---------------------------------------------------------------------------------------------------------------------
# The wire


def connect(host: str, port: int, *, timeout_s: float = PROBE_TIMEOUT_S) -> socket.socket:
    """Open a connection; host as for `probe_server`. Raises: OSError."""
    if not host.startswith(("/", "@")):
        return socket.create_connection((host, port), timeout=timeout_s)
    path = f"{host}/.s.PGSQL.{port}"
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout_s)
        connection.connect("\0" + path[1:] if path.startswith("@") else path)
    except BaseException:
        connection.close()
        raise
    return connection


def speaks_postgresql(connection: socket.socket) -> bool:
    """Ask for TLS: PostgreSQL says S or N and then waits; out of resources, it sends an ErrorResponse.

    Source: PostgreSQL docs, "Message Flow", SSL Session Encryption.
    """
    try:
        connection.sendall(SSL_REQUEST)
        answer = connection.recv(5)
    except OSError:
        return False
    if answer[:1] == b"E" and len(answer) == 5:
        return 4 < int.from_bytes(answer[1:], "big") < 30_000
    return answer in (b"S", b"N")


def ask_login(host: str, port: int, user: str, database: str) -> dict[str, str]:
    """Send the start-up message without a password; the ErrorResponse's fields by their letters, or ``asks``.

    ``asks`` stands for a server that wants a password. Empty when nothing can be learnt.
    Source: PostgreSQL docs, "Message Formats", "Error and Notice Message Fields".
    """
    pairs = b"".join(text.encode() + b"\0" for text in ("user", user, "database", database))
    body = struct.pack("!i", PROTOCOL_3_0) + pairs + b"\0"
    try:
        with connect(host, port) as connection, connection.makefile("rb") as stream:
            connection.sendall(struct.pack("!i", len(body) + 4) + body)
            kind, length = stream.read(1), int.from_bytes(stream.read(4), "big")
            content = stream.read(min(max(length - 4, 0), 30_000))
            if kind == b"R" and content[:4] == b"\0\0\0\0":  # authenticated without a password: go on to what follows
                while (kind := stream.read(1)) in (b"S", b"K", b"N", b"v"):
                    stream.read(int.from_bytes(stream.read(4), "big") - 4)
                content = stream.read(int.from_bytes(stream.read(4), "big") - 4)
    except OSError:
        return {}
    if kind == b"R":
        return {"asks": "password"}
    if kind != b"E":
        return {}
    return {field[:1].decode(): field[1:].decode(errors="replace") for field in content.split(b"\0") if field}


# ---------------------------------------------------------------------------------------------------------------------
# Whose port it is: Linux's /proc


def find_path_owner(path: str) -> PortOwner | None:
    """Who listens on that Unix socket of this machine. None as for `find_port_owner`.

    Source: proc(5), /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path.
    """
    for line in _read_lines(Path("/proc/net/unix"))[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and fields[7] == path and int(fields[3], 16) & UNIX_LISTENING:
            owner = _find_inode_owner({fields[6]})
            if owner is not None:
                return _describe_process(owner)
            return PortOwner(user=user_name(Path(path).stat().st_uid))
    return None


def list_listening_ports() -> set[int]:
    """The TCP ports that somebody listens on, on this machine; empty where it cannot be known."""
    return {port for port, _, _ in _read_listening()}


def _read_listening(port: int | None = None) -> Iterator[tuple[int, str, int]]:
    """Port, inode and user id of the listening TCP sockets. Source: proc(5), /proc/net/tcp."""
    for name in ("tcp", "tcp6"):
        for line in _read_lines(Path("/proc/net") / name)[1:]:
            fields = line.split()
            found = int(fields[1].rpartition(":")[2], 16)
            if fields[3] == TCP_LISTEN and port in (None, found):
                yield found, fields[9], int(fields[7])


def _find_inode_owner(inodes: set[str]) -> int | None:
    """The lowest process id with one of these sockets open: the parent, where children have inherited it."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in sorted(_process_ids()):
        with contextlib.suppress(OSError):  # it ended meanwhile, or belongs to somebody else
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(descriptor.readlink()) in wanted:
                        return process
    return None


def _process_ids() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _describe_process(pid: int, *, container: str = "") -> PortOwner:
    argv = _read_argv(pid)
    command = Path(argv[0]).name if argv else ""
    if re.match(r"python|node|ruby|java|perl", command):  # says nothing without its script
        command = f"{command} {_find_script(argv)}".strip()
    return PortOwner(
        user=user_name(Path(f"/proc/{pid}").stat().st_uid),
        pid=pid,
        command=command,
        version=_find_version(pid, argv),
        container=container,
    )


def _find_script(argv: list[str]) -> str:
    """The script or module that an interpreter runs. Nothing else of its arguments: they might hold secrets."""
    for option, word in itertools.pairwise(argv):
        if word in ("-c", "-e"):
            return ""
        if option == "-m" or not word.startswith("-"):
            return Path(word).name if re.fullmatch(r"[\w./+-]+", word) else ""
    return ""


def _find_version(pid: int, argv: list[str]) -> str:
    """PostgreSQL's major version: from its data directory, else from Debian's paths."""
    if not argv or Path(argv[0]).name not in ("postgres", "postmaster"):
        return ""
    with contextlib.suppress(OSError):  # only its own account and root may look there
        return Path(f"/proc/{pid}/cwd/PG_VERSION").read_text().strip()
    match = re.search(r"/postgresql/(\d+)/|/pgsql-(\d+)/", argv[0])
    return (match[1] or match[2]) if match else ""


def _find_docker_proxy(port: int) -> str:
    """``address:port`` in the container that a docker-proxy forwards this port to; "" when none does."""
    for pid in _process_ids():
        argv = _read_argv(pid)
        if argv and Path(argv[0]).name == "docker-proxy":
            options = dict(zip(argv[1::2], argv[2::2], strict=False))
            if options.get("-host-port") == str(port) and options.get("-proto", "tcp") == "tcp":
                return f"{options.get('-container-ip', '?')}:{options.get('-container-port', '?')}"
    return ""


def _read_argv(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def user_name(uid: int) -> str:
    """The account's name; its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
