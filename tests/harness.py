"""The real command, watched: start it, hold it up at a chosen place, and look at what it left behind."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psycopg

from liteferry.cli import main
from liteferry.model import Report, from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conftest import Database, PostgresServer

SECRET = "hunter2-s3cret"
"""The password of the role ``carrier``: it must not be found anywhere."""

PROMPT_S = 60.0
"""How long anything here may take before the test gives up."""


# ---------------------------------------------------------------------------------------------------------------------
# Running it


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # whatever the command wrote
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def report(self) -> Report:
        """Standard output as a report."""
        return from_json(Report, self.out)


def ferry_argv(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "liteferry", *map(str, arguments)]


def run_ferry(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    limit: str = "",
) -> Outcome:
    """Run the command to its end, its standard input closed. limit: words of the shell's `ulimit`."""
    limited = ("sh", "-c", f'ulimit {limit}; exec "$@"', "sh") if limit else ()
    done = subprocess.run(
        [*limited, *ferry_argv(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        timeout=PROMPT_S,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def call_ferry(*arguments: str | Path) -> Outcome:
    """The same in this process, for want of time; what the command line does, nothing less."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(argument) for argument in arguments])
    return Outcome(status, out.getvalue(), err.getvalue())


_MEASURE = """
import re, resource, sys
from pathlib import Path
from liteferry.cli import main
status = main(sys.argv[1:])
own_kb = int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
print(own_kb, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def measure_ferry(*arguments: str | Path) -> tuple[Outcome, int]:
    """Run the command in a process of its own; how it ended, and the most that it, or a child, had in memory, in MB.

    Not by getrusage() of the process itself: Linux counts what its parent had when it was started.
    """
    argv = [sys.executable, "-c", _MEASURE, *map(str, arguments)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    peaks_kb = map(int, done.stderr.splitlines()[-1].split())
    return Outcome(done.returncode, done.stdout, done.stderr), max(peaks_kb) // 1024


def _hear_hangups() -> None:
    """Have a signal that the tests' own parent may ignore (`nohup`) as it is by default."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Ferry:
    """The command while it runs. A context manager: it is dead at the end."""

    def __init__(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            ferry_argv(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
            preexec_fn=_hear_hangups,  # noqa: PLW1509 - nothing is locked that it needs
        )
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.kill()
        self._reader.join(PROMPT_S)

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()

    def wait_for_line(self, text: str) -> None:
        """Wait until it has written a line with this text to standard error."""
        with self._changed:
            found = self._changed.wait_for(lambda: any(text in line for line in self._lines), PROMPT_S)
        assert found, f"never said {text!r}: {''.join(self._lines)}"

    def end(self) -> Outcome:
        """Wait until it has ended."""
        assert self.process.stdout
        with self.process.stdout as stream:
            out = stream.read()
        status = self.process.wait(PROMPT_S)
        self._reader.join(PROMPT_S)
        return Outcome(status, out, "".join(self._lines))

    def list_children(self) -> list[int]:
        """The processes that it has started and that still run, and theirs."""
        return list_descendants(self.process.pid)


def list_descendants(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *list_descendants(int(child))]
    return found


# ---------------------------------------------------------------------------------------------------------------------
# What must not change


def list_directory(directory: Path) -> dict[str, str]:
    """Every file below a directory, with what it is."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "other"
        for path in sorted(directory.rglob("*"))
    }


@contextmanager
def untouched(source: Path) -> Iterator[None]:
    """The source's bytes, its time, and everything that lies in its directory are the same at the end."""
    before, stamp = list_directory(source.parent), _stamp(source)
    yield
    assert list_directory(source.parent) == before
    assert _stamp(source) == stamp


def _stamp(path: Path) -> tuple[int, int, int] | None:
    if not path.exists():
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_mode


_CATALOGUE_SQL = """
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
SELECT 'schema', n.oid::bigint, n.nspname::text, coalesce(nspacl::text, '') FROM pg_namespace n JOIN s USING (oid)
UNION ALL SELECT 'relation ' || relkind::text, c.oid::bigint, nspname || '.' || relname, coalesce(relacl::text, '')
  FROM pg_class c JOIN s ON s.oid = relnamespace
UNION ALL SELECT 'type', t.oid::bigint, nspname || '.' || typname, '' FROM pg_type t JOIN s ON s.oid = typnamespace
UNION ALL SELECT 'routine', p.oid::bigint, nspname || '.' || proname, '' FROM pg_proc p JOIN s ON s.oid = pronamespace
UNION ALL SELECT 'constraint', k.oid::bigint, nspname || '.' || conname, pg_get_constraintdef(k.oid)
  FROM pg_constraint k JOIN s ON s.oid = connamespace
UNION ALL SELECT 'column', attrelid::bigint, nspname || '.' || relname || '.' || attname, atttypid::regtype::text
  FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN s ON s.oid = relnamespace WHERE attnum > 0
ORDER BY 1, 3, 2
"""


def read_everything(admin_url: str) -> list[tuple[object, ...]]:
    """Every object of a database but PostgreSQL's own, with its OID: where two are equal, nothing was touched."""
    with psycopg.connect(admin_url) as connection:
        return connection.execute(_CATALOGUE_SQL).fetchall()


def list_relations(admin_url: str, schema: str = "public") -> list[str]:
    """The tables and views of a schema."""
    with psycopg.connect(admin_url) as connection:
        rows = connection.execute(
            "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'v')"
            " ORDER BY 1",
            [f'"{schema}"'],
        )
        return [str(name) for (name,) in rows]


def has_schema(admin_url: str, schema: str) -> bool:
    with psycopg.connect(admin_url) as connection:
        found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [schema])
        return found.fetchone() is not None


def assert_error(outcome: Outcome, code: str, *words: str, status: int = 1) -> None:
    """It ended with this error: one sentence and a hint on standard error, the same as JSON where there is output."""
    assert outcome.status == status, outcome
    assert "Traceback" not in outcome.err
    lines = outcome.err.splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith("liteferry: ")]
    sentence = lines[place].removeprefix("liteferry: ")
    assert sentence.endswith(f" [{code}]")
    assert len(lines) == place + 2, f"a sentence and a hint, nothing after them: {lines}"
    assert lines[place + 1].startswith("  ")
    for word in words:
        assert word in lines[place] + lines[place + 1], (word, lines)
    if outcome.out:
        found = outcome.json
        assert found["schema"] == "liteferry.error/1"
        assert found["code"] == code
        assert sentence.startswith(found["what"])
        assert found["hint"] == lines[place + 1].strip()


def assert_no_secret(*where: Outcome | Path, secret: str = SECRET) -> None:
    """Nothing that was written holds the password."""
    for place in where:
        if isinstance(place, Outcome):
            assert secret not in place.out
            assert secret not in place.err
        else:
            for path in place.rglob("*"):
                if path.is_file():
                    assert secret.encode() not in path.read_bytes(), path


def execute(url: str, *statements: str) -> None:
    """Run statements, each for itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + PROMPT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def wait_until_alone(admin_url: str) -> None:
    """Wait until nobody else is connected to the database: a killed client's sessions end a little later."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    def alone() -> bool:
        with psycopg.connect(admin_url) as connection:
            return connection.execute(sql).fetchone() == (0,)

    wait_until(alone, "the killed run's sessions to end")


# ---------------------------------------------------------------------------------------------------------------------
# Sources and targets

SHOP_SQL = """
CREATE TABLE customer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name VARCHAR(40) NOT NULL UNIQUE,
    active BOOLEAN NOT NULL DEFAULT 1,
    CONSTRAINT customer_active CHECK (active IN (0, 1))
);
CREATE TABLE purchase (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL,
    total DECIMAL(10,2),
    placed_on DATE,
    CONSTRAINT purchase_customer FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE CASCADE
);
CREATE INDEX purchase_placed_on ON purchase (placed_on DESC);
CREATE TABLE note (line TEXT, number INTEGER);
CREATE VIEW large_purchase AS SELECT id, total FROM purchase WHERE total > 10;
"""

MARKER = "right here, in the middle of the rows"
"""A text in the table ``note`` of `make_shop`: what passes by when its rows are sent or read back."""


def make_shop(path: Path, *, rows: int = 200) -> Path:
    """Make a SQLite file of four tables and views with everything that a run can stumble over in little time."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SHOP_SQL)
        db.executemany("INSERT INTO customer (name) VALUES (?)", [(f"customer {i}",) for i in range(20)])
        purchases = [(i % 20 + 1, i / 4, f"2024-02-{i % 28 + 1:02d}") for i in range(rows)]
        db.executemany("INSERT INTO purchase (customer_id, total, placed_on) VALUES (?, ?, ?)", purchases)
        notes = [("twice", 1), ("twice", 1), (MARKER, 2), ("last", 3)]
        db.executemany("INSERT INTO note VALUES (?, ?)", notes)
        db.commit()
    return path


SHOP = ["customer", "large_purchase", "note", "purchase"]


def give_to_role(server: PostgresServer, database: Database, role: str, password: str) -> None:
    """Let a role own a database; it is made where there is none, with this password."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
            literal = "'" + password.replace("'", "''") + "'"
            connection.execute(f'CREATE ROLE "{role}" LOGIN PASSWORD {literal}'.encode())
        connection.execute(f'ALTER DATABASE "{database.name}" OWNER TO "{role}"'.encode())


def give_to_carrier(server: PostgresServer, database: Database, *, port: int = 0) -> str:
    """Let the role ``carrier`` own a database; its URL by TCP, with the password. port: where a `Proxy` listens."""
    give_to_role(server, database, "carrier", SECRET)
    return f"postgresql://carrier:{SECRET}@127.0.0.1:{port or server.port}/{database.name}?sslmode=disable"


_APPLICATION = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
for line in sys.stdin:
    print(repr(db.execute(line).fetchall()), flush=True)
"""


class Application:
    """Another process that has the source open. A context manager.

    Not this one: whoever reads the file here, and closes it, drops SQLite's locks on it.
    """

    def __init__(self, source: Path) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _APPLICATION, source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.kill()

    def send(self, sql: str) -> None:
        """Begin a statement, on one line."""
        assert self.process.stdin
        self.process.stdin.write(sql + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        """Wait for the end of the statement; its rows."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the application died"
        return line.strip()

    def execute(self, sql: str) -> str:
        """Run a statement to its end."""
        self.send(sql)
        return self.answer()


# ---------------------------------------------------------------------------------------------------------------------
# Between it and the server


@dataclass
class Halt:
    """A place in what the client sends: when ``pattern`` passes by, ``act`` is called, before it goes on.

    armed_by: only in a connection, and after the moment, in which this was sent; b"" for always. Once only.
    """

    pattern: bytes
    act: Callable[[Wire], None]
    armed_by: bytes = b""
    done: bool = False


@dataclass
class Wire:
    """One connection through a `Proxy`."""

    client: socket.socket
    server: socket.socket
    swallow: bool = False  # what the server answers
    sent: bytes = b""  # the end of what the client sent so far
    armed: set[int] = field(default_factory=set)

    def cut(self) -> None:
        """Break both ends."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut_client(self) -> None:
        """Break the client's end alone: the server waits on."""
        with suppress(OSError):
            self.client.shutdown(socket.SHUT_RDWR)


class Proxy:
    """A TCP proxy before a server, which can hold up, cut or swallow. A context manager."""

    def __init__(self, port: int) -> None:
        """Listen on a port of its own."""
        self._target = port
        self.port = 0
        self._listener: socket.socket | None = None
        self._halts: list[Halt] = []
        self._wires: list[Wire] = []
        self._threads: list[threading.Thread] = []
        self._rewritten: list[tuple[bytes, bytes]] = []

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()
        self.cut()
        for thread in self._threads:
            thread.join(PROMPT_S)
        for wire in self._wires:
            wire.client.close()
            wire.server.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def halt(self, pattern: bytes, act: Callable[[Wire], None], *, armed_by: bytes = b"") -> None:
        """Do something when the client is about to send this."""
        self._halts.append(Halt(pattern, act, armed_by))

    def hold(self, pattern: bytes, *, armed_by: bytes = b"") -> Hold:
        """Hold the client up when it is about to send this."""
        hold = Hold()
        self.halt(pattern, hold.act, armed_by=armed_by)
        return hold

    def rewrite(self, old: bytes, new: bytes) -> None:
        """Let the server say something else, which is as long."""
        assert len(old) == len(new)
        self._rewritten.append((old, new))

    def cut(self) -> None:
        """Break every connection that there is now."""
        for wire in self._wires:
            wire.cut()

    def listen(self) -> None:
        """Let clients in, at the same port every time."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def refuse(self) -> None:
        """Let no further client in: nobody listens any more."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    @property
    def refuses(self) -> bool:
        """Whether it lets nobody in."""
        return self._listener is None

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            wire = Wire(client, server)
            self._wires.append(wire)
            self._start(self._pump_out, wire)
            self._start(self._pump_back, wire)

    def _pump_out(self, wire: Wire) -> None:
        with suppress(OSError):
            while data := wire.client.recv(1 << 16):
                wire.sent = wire.sent[-200:] + data
                for halt in self._halts:
                    if halt.done:
                        continue
                    if halt.armed_by and id(halt) not in wire.armed:
                        if halt.armed_by in wire.sent:
                            wire.armed.add(id(halt))
                            wire.sent = b""
                        continue
                    if halt.pattern in wire.sent:
                        halt.done = True
                        halt.act(wire)
                wire.server.sendall(data)
        with suppress(OSError):
            wire.server.shutdown(socket.SHUT_WR)

    def _pump_back(self, wire: Wire) -> None:
        with suppress(OSError):
            while data := wire.server.recv(1 << 16):
                for old, new in self._rewritten:
                    data = data.replace(old, new)
                if wire.swallow:
                    wire.cut_client()
                else:
                    wire.client.sendall(data)
        wire.cut_client()


class Hold:
    """Where a client is held up."""

    def __init__(self) -> None:
        """Wait for a client."""
        self._reached = threading.Event()
        self._released = threading.Event()

    def act(self, _: Wire) -> None:
        self._reached.set()
        self._released.wait(PROMPT_S)

    def wait(self) -> None:
        """Wait until a client has got there."""
        assert self._reached.wait(PROMPT_S), "the client never got there"

    def release(self) -> None:
        """Let it go on."""
        self._released.set()


class Gate:
    """Where the server itself is held up, in a statement that the client has sent: see `hold_up_server`."""

    def __init__(self, admin_url: str) -> None:
        """Close the gate."""
        self._connection = psycopg.connect(admin_url, autocommit=True)
        self._connection.execute(f"SELECT pg_advisory_lock({_GATE})".encode())

    def wait(self) -> None:
        """Wait until a session stands before it."""
        sql = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {_GATE} AND NOT granted"
        wait_until(lambda: self._connection.execute(sql.encode()).fetchone() != (0,), "a session at the gate")

    def close(self) -> None:
        """Open it, for good."""
        self._connection.close()


_GATE = 4711


def hold_up_server(admin_url: str, tag: str) -> Gate:
    """Hold up every statement of this tag (``CREATE VIEW``) in the database, by an event trigger and a lock.

    Leaves behind the event trigger and the schema ``gate``.
    """
    execute(
        admin_url,
        "CREATE SCHEMA gate",
        "GRANT USAGE ON SCHEMA gate TO PUBLIC",
        "CREATE FUNCTION gate.gate() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        f" 'BEGIN PERFORM pg_advisory_lock({_GATE}); PERFORM pg_advisory_unlock({_GATE}); END'",
        f"CREATE EVENT TRIGGER gate ON ddl_command_start WHEN TAG IN ('{tag}') EXECUTE FUNCTION gate.gate()",
    )
    return Gate(admin_url)


# ---------------------------------------------------------------------------------------------------------------------
# All of it together

STAGING = "liteferry_staging_public"

PLACES = {
    "load": (b"CREATE TABLE", b""),
    "begin": (b"SET LOCAL synchronous_commit", b""),
    "copy": (MARKER.encode(), b""),
    "copy's commit": (b"COMMIT", MARKER.encode()),
    "index": (b"CREATE INDEX", b""),
    "constraints": (b"CREATE VIEW", b""),
    "proof": (b"pg_export_snapshot", b""),
    "reading back": (b"TO STDOUT", b"SET TRANSACTION SNAPSHOT"),
    "publish": (b"SET SCHEMA", b""),
    "commit": (b"COMMIT", b"RESTRICT"),
}
"""Where the client can be held up: what it is about to send, and after what."""


@dataclass
class Scene:
    """A source, a target behind a proxy, and a run directory."""

    proxy: Proxy
    url: str
    direct_url: str
    admin_url: str
    source: Path
    run_dir: Path

    def hold(self, place: str) -> Hold:
        pattern, armed_by = PLACES[place]
        return self.proxy.hold(pattern, armed_by=armed_by)

    def start(self, *options: str) -> Ferry:
        return Ferry("migrate", self.source, self.url, "--yes", "--json", "--run-dir", self.run_dir, *options)

    def read_state(self) -> str:
        with closing(sqlite3.connect(self.run_dir / "journal.sqlite")) as db:
            (state,) = db.execute("SELECT value FROM run WHERE key = 'state'").fetchone()
            return str(state)

    def run_again(self) -> Outcome:
        """A run as if nothing had happened; what it says."""
        wait_until_alone(self.admin_url)
        with untouched(self.source):
            outcome = call_ferry(
                "migrate", self.source, self.direct_url, "--yes", "--json", "--run-dir", self.run_dir.with_name("again")
            )
        assert outcome.report.verdict == "proven"
        assert list_relations(self.admin_url) == SHOP
        assert not has_schema(self.admin_url, STAGING)
        return outcome


@contextmanager
def set_scene(directory: Path, server: PostgresServer, database: Database) -> Iterator[Scene]:
    """A fresh source, and a database behind a proxy."""
    (directory / "source").mkdir()
    source = make_shop(directory / "source" / "shop.sqlite")
    with Proxy(server.port) as proxy:
        url = give_to_carrier(server, database, port=proxy.port)
        direct = url.replace(f":{proxy.port}/", f":{server.port}/")
        yield Scene(proxy, url, direct, database.admin_url, source, directory / "run")
