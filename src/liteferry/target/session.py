"""Sessions with PostgreSQL: how they are lent, what is asked through them, and how a broken one is replaced.

Layer 2. Used through `target` only; `target.connecting` opens them. Connection strings go to libpq as the user
wrote them and are never kept in anything that is printed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from liteferry.errors import MigrationError
from liteferry.names import quote_literal, quote_name, quote_qualified
from liteferry.target.catalog import read_catalog, read_objects
from liteferry.target.connecting import Session, check_server, connect, is_alive, read_server, refuse_shared_sessions
from liteferry.target.copies import copy_in_together
from liteferry.target.definitions import read_definitions
from liteferry.target.entries import list_variables, make_django_entry
from liteferry.target.footprint import read_footprint
from liteferry.target.gathering import close_unread
from liteferry.target.holding import count_again, read_holding, read_standing
from liteferry.target.outside import (
    end_sessions,
    list_tables_to_hold,
    outside_sql,
    read_default_rights,
    read_extensions,
    read_fixed_extensions,
)
from liteferry.target.readers import end_transaction
from liteferry.target.reporting import reporting
from liteferry.target.speed import measure_speed
from liteferry.target.stamp import read_stamp
from liteferry.target.together import ask_together, run_together

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import psycopg

    from liteferry.holding import Holding, Standing
    from liteferry.model import SchemaObject, ServerInfo, ServerSpeed, TargetCatalog
    from liteferry.target.outside import Extension

PATIENCE_S: Final = 30.0
"""How long to wait for a server that went away (it may be starting again) before giving up."""
_LOCK_PATIENCE_S: Final = 2.0
"""How long a run waits for another's lock: a killed run's session ends a little after its process."""
_RETRY_S: Final = 0.1

_ADDRESS: Final = (
    "service", "host", "hostaddr", "port", "dbname", "user", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey",
)  # fmt: skip
_NOTHING: Final[dict[str, object]] = {}


class Target:
    """A PostgreSQL database. Made by `open_target`; hands out connections, each for one thread at a time."""

    def __init__(self, conninfo: str, control: psycopg.Connection, session: Session, info: ServerInfo) -> None:
        """Hold the control connection, which keeps the run's advisory lock."""
        self._conninfo = conninfo
        self._idle: list[psycopg.Connection] = []
        self._lent: set[psycopg.Connection] = set()
        self._sessions: dict[psycopg.Connection, Session] = {}
        self._lost: set[Session] = set()  # may still be there, with their locks, not knowing that they have lost us
        self._guard = threading.Lock()
        self._lock: tuple[str, int] | None = None  # the schema, and the advisory lock's key
        self._session = session
        self.control = control
        self.info = info

    @property
    def conninfo(self) -> str:
        """The connection string that it was opened with, for a child of ours to open the same: may hold a password."""
        return self._conninfo

    @contextlib.contextmanager
    def lend_connection(self) -> Iterator[psycopg.Connection]:
        """Lend a connection in autocommit mode; it goes back to the pool, or is closed when it broke."""
        connection = self._take_idle()
        if connection is None:
            connection, session = connect(self._conninfo)
            self._sessions[connection] = session
        with self._guard:
            self._lent.add(connection)
        try:
            yield connection
        finally:
            with self._guard:
                self._lent.discard(connection)
                if not connection.closed and connection.info.transaction_status == 0:
                    self._idle.append(connection)
                    connection = None
                else:
                    self._lost.add(self._sessions.pop(connection))
            if connection is not None:
                connection.close()

    @contextlib.contextmanager
    def lend_control(self) -> Iterator[None]:
        """Lend the control connection to another thread; meanwhile it is cancelled and broken like the others."""
        lent = self.control
        with self._guard:
            self._lent.add(lent)
        try:
            yield
        finally:
            with self._guard:
                self._lent.discard(lent)

    def _take_idle(self) -> psycopg.Connection | None:
        """Take a connection out of the pool; one that broke while it lay there is put away."""
        while True:
            with self._guard:
                connection = self._idle.pop() if self._idle else None
            if connection is None or is_alive(connection):
                return connection
            self._lost.add(self._sessions.pop(connection))
            connection.close()

    def reserve_connections(self, count: int) -> None:
        """Have so many connections, with the control connection: what a run cannot do without; they wait in the pool.

        Raises: MigrationError: server-not-ready where the server gives fewer; server-…, connection-lost.
        """
        with contextlib.ExitStack() as stack:
            for held in range(1, count):
                try:
                    stack.enter_context(self.lend_connection())
                except MigrationError as error:
                    if error.code != "server-not-ready":
                        raise
                    raise MigrationError(
                        f"a run needs {count} connections at once, whatever --jobs says, and there {_count(held)}:"
                        f" {error.what}",
                        code=error.code,
                        hint="close some clients, or raise the limit that the message names: the role's or the"
                        " database's CONNECTION LIMIT, or the server's max_connections",
                    ) from error

    def cancel_all(self) -> None:
        """Ask the server to stop what every lent connection is doing; one that does not answer is left to itself."""
        import psycopg

        with self._guard:
            lent = list(self._lent)
        for connection in lent:
            with contextlib.suppress(psycopg.Error):  # it is a courtesy, and the server may be gone
                connection.cancel_safe(timeout=5)

    def break_all(self) -> None:
        """Break every lent connection, so that whoever waits for an answer on it gets an error instead."""
        import psycopg

        with self._guard:
            lent = list(self._lent)
        for connection in lent:
            with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every connection."""
        with self._guard:
            for connection in {*self._idle, *self._lent, self.control}:
                close_unread(connection)
            self._idle.clear()

    def read_catalog(self, schema: str, connection: psycopg.Connection | None = None) -> TargetCatalog:
        """Read one schema's objects; by a connection that holds locks on them, where one is given."""
        with reporting("reading the target's catalogue"):
            return read_catalog(connection or self.control, schema)

    def read_objects(self, schema: str, connection: psycopg.Connection | None = None) -> tuple[SchemaObject, ...]:
        """Read what stands in a schema by itself, in the order in which it was made."""
        with reporting("reading the target's catalogue"):
            return read_objects(connection or self.control, schema)

    def run_script(self, sql: str, *, search_path: Sequence[str], step_id: str) -> None:
        """Run the user's SQL in one transaction of a session of its own, so that no setting of it lives on.

        Raises: MigrationError: step-failed, connection-lost …
        """
        path = ", ".join(map(quote_name, search_path))
        with self.lend_connection() as connection:
            try:
                with reporting("running SQL of yours", step_id=step_id), connection.transaction():
                    connection.execute("SELECT pg_catalog.set_config('search_path', %s, true)", (path,))
                    connection.execute(sql.encode())
            finally:
                connection.close()

    def set_path(self, connection: psycopg.Connection, path: str) -> None:
        """Set the search_path until the transaction ends."""
        with reporting("setting the search path"):
            connection.execute("SELECT pg_catalog.set_config('search_path', %s, true)", (path,))

    def fingerprint_tables(self, tables: Sequence[str], connection: psycopg.Connection | None = None) -> dict[int, str]:
        """Fingerprint the rows of tables, made by the server alone: by the tables' OIDs, as ``count:sum``.

        tables: quoted and qualified.
        """
        asked = (
            f"SELECT {quote_literal(table)}::pg_catalog.regclass::oid::bigint, pg_catalog.count(*),"
            ' coalesce(sum(pg_catalog.hashtextextended(ROW(r.*)::text COLLATE "C", 0)::numeric), 0)::text'
            f" FROM {table} r"
            for table in tables
        )
        with reporting("fingerprinting rows"):
            answers = ask_together(connection or self.control, [(sql, _NOTHING) for sql in asked])
        return {int(oid): f"{count}:{total}" for ((oid, count, total),) in answers}

    def read_holding(
        self, schema: str, connection: psycopg.Connection | None = None, *, without: Collection[str] = ()
    ) -> Holding | None:
        """Read what an application's schema holds, its rows counted; None where there is no such schema.

        without: names of tables that are passed over.
        """
        with reporting("reading what the target holds"):
            return read_holding(connection or self.control, schema, without)

    def read_standing(self, schema: str, connection: psycopg.Connection, *, without: Collection[str] = ()) -> Standing:
        """Read how an application's schema stands, to be compared with what it held. without: as for `read_holding`."""
        with reporting("reading what the target holds"):
            return read_standing(connection, schema, without)

    def count_again(self, holding: Holding, names: Collection[str], connection: psycopg.Connection) -> Holding:
        """Look anew at these tables' rows, and at all sequences, where the catalogues' stamp is still the same."""
        with reporting("reading what the target holds"):
            return count_again(connection, holding, names)

    def read_stamp(self, connection: psycopg.Connection | None = None) -> str:
        """Read the catalogues' stamp: as long as it is the same, nobody has changed what any of them says."""
        with reporting("reading the target's catalogue"):
            return read_stamp(connection or self.control)

    def make_django_entry(self, search_path: Sequence[str] = ()) -> dict[str, Any]:
        """An entry of Django's DATABASES that leads where this session has led, and pins the search path.

        It holds the password where the connection string did: it is for the standard input of a child process.
        """
        given = self.control.info
        return make_django_entry(self._conninfo, search_path, database=given.dbname, options=given.options)

    def list_variables(self) -> dict[str, str]:
        """The environment variables that lead PostgreSQL's own programs here, the password among them."""
        return list_variables(self.control)

    def list_outside(self, schema: str, staging: str) -> tuple[str, ...]:
        """Name what stands outside staging: all of a schema, and of others what is our role's; not extensions."""
        with reporting("reading what the target holds"):
            rows = self.control.execute(outside_sql(schema, staging).encode()).fetchall()
        return tuple(str(line) for (line,) in rows)

    def describe_schema(self, schema: str) -> tuple[str, ...]:
        """Every detail of a schema's relations, line by line, without looking at rows; none where there is none."""
        with reporting("reading what the target holds"):
            return read_footprint(self.control, schema)

    def read_extensions(self, connection: psycopg.Connection | None = None) -> tuple[Extension, ...]:
        """The extensions of the database."""
        with reporting("reading the target's catalogue"):
            return read_extensions(connection or self.control)

    def read_default_rights(self, schema: str) -> tuple[str, ...]:
        """What is granted on whatever our role makes in a schema, as ALTER DEFAULT PRIVILEGES takes it."""
        with reporting("reading the target's catalogue"):
            return read_default_rights(self.control, schema)

    def read_fixed_extensions(self) -> tuple[str, ...]:
        """The extensions on the server's disk that choose their schema themselves."""
        with reporting("reading the target's catalogue"):
            return read_fixed_extensions(self.control)

    def read_definitions(
        self, schema: str, connection: psycopg.Connection | None = None
    ) -> tuple[tuple[str, str], ...]:
        """Read what the objects of a schema are and say: pairs of a description and a text."""
        with reporting("reading the target's catalogue"):
            return read_definitions(connection or self.control, quote_name(schema))

    @contextlib.contextmanager
    def hold_tables(self, schema: str) -> Iterator[int]:
        """Let nobody else drop, alter or empty a table of a schema meanwhile; reading and writing go on.

        Gives how many there are. No snapshot is held: CREATE INDEX CONCURRENTLY would wait for its end.
        """
        with reporting("locking the target's tables"):
            tables = list_tables_to_hold(self.control, schema)
        if not tables:
            yield 0
            return
        with self.lend_connection() as connection, reporting("locking the target's tables"), connection.transaction():
            connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS SHARE MODE".encode())
            yield len(tables)

    def end_sessions(self, application_name: str) -> None:
        """End our role's sessions of that name, whose client is gone."""
        with reporting("ending the broken sessions"):
            end_sessions(self.control, application_name)

    @contextlib.contextmanager
    def rolled_back(self, connection: psycopg.Connection | None = None) -> Iterator[psycopg.Connection]:
        """Lend a connection, or the one that is given, within a transaction that is rolled back in any case."""
        with contextlib.ExitStack() as stack:
            chosen = connection or stack.enter_context(self.lend_connection())
            stack.enter_context(reporting("a transaction"))
            stack.enter_context(chosen.transaction(force_rollback=True))
            yield chosen

    def measure_speed(self, *, transfers: bool = True) -> ServerSpeed:
        """Try out how far away the server is, and how fast: a few questions, which write nothing."""
        return measure_speed(self.control, transfers=transfers)

    def read_fate(self, transaction: str) -> str:
        """What became of a transaction, by its number: committed, aborted, in progress; "" for not known."""
        with reporting("asking what became of the transaction"):
            row = self.control.execute("SELECT pg_catalog.pg_xact_status(%s::xid8)", (transaction,)).fetchone()
        return str(row[0] or "") if row else ""

    def try_out(self, statements: Sequence[str], schema: str) -> TargetCatalog:
        """Read the catalogue of a schema as statements would make it, in a transaction that is rolled back.

        Raises: MigrationError: no-create-right, step-failed (the schema is there already …), connection-lost.
        """
        with self.lend_connection() as connection, reporting("making the plan's objects for comparison"):
            connection.execute("BEGIN")
            try:
                connection.execute("\n;\n".join(statements).encode())  # a view's SQL may end in a comment
                return read_catalog(connection, schema)
            finally:
                end_transaction(connection)

    def read_row_versions(self, schema: str, tables: Sequence[str]) -> dict[str, str]:
        """Read which transactions wrote the rows of each table, separated by blanks; the empty ones are left out.

        Whatever is written later has another.
        """
        questions = [
            (f"SELECT string_agg(DISTINCT xmin::text, ' ') FROM ONLY {quote_qualified(schema, table)}", _NOTHING)
            for table in tables
        ]
        with reporting("looking at the rows' transactions"):
            answers = ask_together(self.control, questions)
        return {table: str(rows[0][0]) for table, rows in zip(tables, answers, strict=True) if rows[0][0] is not None}

    def lock_schema(self, schema: str) -> None:
        """Take the advisory lock of a run on this schema, held until the target is closed.

        Raises: MigrationError (target-busy) when another run has it.
        """
        digest = hashlib.sha256(f"liteferry/{schema}".encode()).digest()
        self._lock = (schema, int.from_bytes(digest[:8], "big", signed=True))
        self._await_lock(_LOCK_PATIENCE_S)

    def _await_lock(self, patience_s: float) -> None:
        if self._lock is None:
            return
        schema, key = self._lock
        deadline = time.monotonic() + patience_s
        with reporting("taking the run's lock"):
            while self.control.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", (key,)).fetchone() != (True,):
                if time.monotonic() > deadline:
                    raise MigrationError(
                        f"another liteferry run is working on schema {schema} of database {self.info.database}",
                        code="target-busy",
                        hint="wait for it to end, or choose another --schema. A run that was killed holds its lock"
                        " until the server has finished its last statement: pg_stat_activity shows it",
                    )
                time.sleep(_RETRY_S)

    def restore_control(self) -> None:
        """See that the control connection works and holds the run's lock; replace it where it broke.

        The server may be starting again: it is waited for. Sessions whose connection broke may still be there, with
        their locks, not knowing that they have lost us: they are ended, and what their transactions came to is decided
        when this returns.

        Raises: MigrationError: server-…, connection-lost; target-busy when another run took the lock meanwhile.
        """
        broken = not self._is_control_alive()
        if broken:
            self.control.close()
            self._lost.add(self._session)
            self.control, self._session = _connect_patiently(self._conninfo)
        with reporting("ending the broken sessions"):
            for session in self._lost:
                self.control.execute(
                    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
                    " WHERE pid = %s AND backend_start::text = %s",
                    session,
                )
        self._lost.clear()
        if broken:
            self._await_lock(PATIENCE_S)

    def _is_control_alive(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.Error):
            if self.control.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                self.control.execute("SELECT 1")
                return True
        return False

    def may_create_in(self, schema: str) -> bool:
        """Whether the role may create tables in that schema, which exists."""
        sql = "SELECT pg_catalog.has_schema_privilege(%s, 'CREATE') AND pg_catalog.has_schema_privilege(%s, 'USAGE')"
        with reporting("asking for the role's rights"):
            return self.control.execute(sql, (schema, schema)).fetchone() == (True,)

    def describe_address(self) -> str:
        """The connection string that leads here again, without the password."""
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        given = self.control.info.get_parameters()
        typed = {name for name, value in conninfo_to_dict(self._conninfo).items() if value is not None}
        if "host" in given and not typed & {"hostaddr", "service"} and not os.environ.get("PGHOSTADDR"):
            given.pop("hostaddr", None)  # what psycopg resolved the name to, today
        # libpq reports every parameter that differs from its own default, some of which older libpqs do not know
        return make_conninfo("", **{name: given[name] for name in _ADDRESS if name in given})

    def read_schema_comment(self, schema: str) -> str | None:
        """The comment on a schema; "" when it has none, None when there is no such schema."""
        with reporting("reading the target's catalogue"):
            row = self.control.execute(
                "SELECT coalesce(pg_catalog.obj_description(oid, 'pg_namespace'), '')"
                " FROM pg_catalog.pg_namespace WHERE nspname = %s",
                (schema,),
            ).fetchone()
        return None if row is None else str(row[0])

    def execute_all(
        self,
        statements: Sequence[str],
        *,
        step_id: str = "",
        connection: psycopg.Connection | None = None,
        commit_apart: bool = False,
    ) -> None:
        """Run statements in order, in one round trip and one transaction. commit_apart: the commit by itself.

        Raises: MigrationError (step-failed …).
        """
        if statements:
            with reporting("running a statement of the plan", step_id=step_id):
                run_together(connection or self.control, statements, commit_apart=commit_apart)

    def run_one(self, sql: str, connection: psycopg.Connection, *, step_id: str) -> None:
        """Run somebody's SQL in the transaction that is open, by itself: an error tells where in it."""
        with reporting("running a statement of the plan", step_id=step_id):
            connection.execute(sql.encode())

    def copy_rows(self, connection: psycopg.Connection, copy_sql: str, chunks: Iterable[bytes], *, step_id: str) -> int:
        """Send COPY data. Returns the number of rows that the server took. Raises: MigrationError."""
        with copy_in_together(connection, [copy_sql]) as copies:
            return copies.send(chunks, step_id=step_id)

    @contextlib.contextmanager
    def one_transaction(self) -> Iterator[psycopg.Connection]:
        """Lend a connection within a transaction, committed at the end; rolled back by any error."""
        with self.lend_connection() as connection, reporting("a transaction"), connection.transaction():
            yield connection


@contextlib.contextmanager
def open_target(conninfo: str) -> Iterator[Target]:
    """Connect to a database and look at the server; everything is closed at the end.

    conninfo: whatever libpq takes (URI, key=value, "" for the PG* variables).
    Raises: MigrationError: connection-string, server-unreachable, server-other, auth-failed, role-missing,
    database-missing, server-too-old, database-encoding, pooled-sessions.
    """
    control, session = connect(conninfo)
    target = Target(conninfo, control, session, read_server(control))
    try:
        check_server(target.info)
        refuse_shared_sessions(control, session, conninfo)
        yield target
    finally:
        target.close()


def _count(connections: int) -> str:
    return "is 1" if connections == 1 else f"are {connections}"


def _connect_patiently(conninfo: str) -> tuple[psycopg.Connection, Session]:
    """Connect, and try again for a while: it went well before, and a proxy before the server may say anything."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return connect(conninfo)
        except MigrationError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_S)
