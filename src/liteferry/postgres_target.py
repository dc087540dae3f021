"""The target: the only module that talks to PostgreSQL.

Layer 2. Connection strings go to libpq as the user wrote them and are never kept in anything that is printed. Every
session pins what the server's or the role's settings could change (time zone, date style, search_path …); every
name in SQL comes from `names.quote_name`, every value is a parameter.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from typing import TYPE_CHECKING, Final, Self

from liteferry.errors import ExitStatus, MigrationError
from liteferry.model import (
    ServerInfo,
    TargetCatalog,
    TargetColumn,
    TargetConstraint,
    TargetIndex,
    TargetSequence,
    TargetTable,
    TargetView,
)
from liteferry.names import quote_name, quote_qualified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import psycopg

MIN_VERSION_NUM: Final = 130000
PATIENCE_S: Final = 30.0
"""How long to wait for a server that went away (it may be starting again) before giving up."""
_LOCK_PATIENCE_S: Final = 2.0
"""How long a run waits for another's lock: a killed run's session ends a little after its process."""
_RETRY_S: Final = 0.1

_SETTINGS: Final = (
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("xmloption", "content"),
    ("search_path", ""),
    ("statement_timeout", "0"),
    ("lock_timeout", "30s"),
    ("idle_in_transaction_session_timeout", "0"),
    ("default_transaction_read_only", "off"),
    ("row_security", "off"),  # a policy must raise an error, not hide rows from the proof
    ("default_tablespace", ""),
    ("check_function_bodies", "on"),
)
_ADDRESS: Final = (
    "service", "host", "hostaddr", "port", "dbname", "user", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey",
)  # fmt: skip
_ACTIONS: Final = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


class Target:
    """A PostgreSQL database. Made by `open_target`; hands out connections, each for one thread at a time."""

    def __init__(self, conninfo: str, control: psycopg.Connection, info: ServerInfo) -> None:
        """Hold the control connection, which keeps the run's advisory lock."""
        self._conninfo = conninfo
        self._idle: list[psycopg.Connection] = []
        self._lent: set[psycopg.Connection] = set()
        self._guard = threading.Lock()
        self._lock: tuple[str, int] | None = None  # the schema, and the advisory lock's key
        self._session = _identify_session(control)
        self.control = control
        self.info = info

    @contextlib.contextmanager
    def lend_connection(self) -> Iterator[psycopg.Connection]:
        """Lend a connection in autocommit mode; it goes back to the pool, or is closed when it broke."""
        with self._guard:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = _connect(self._conninfo)
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
            if connection is not None:
                connection.close()

    def cancel_all(self) -> None:
        """Ask the server to stop what every lent connection is doing; one that does not answer is left to itself."""
        import psycopg

        with self._guard:
            lent = list(self._lent)
        for connection in lent:
            with contextlib.suppress(psycopg.Error):  # it is a courtesy, and the server may be gone
                connection.cancel_safe(timeout=5)

    def close(self) -> None:
        """Close every connection."""
        with self._guard:
            for connection in (*self._idle, *self._lent, self.control):
                connection.close()
            self._idle.clear()

    def read_catalog(self, schema: str, connection: psycopg.Connection | None = None) -> TargetCatalog:
        """Read one schema's objects; by a connection that holds locks on them, where one is given."""
        with reporting("reading the target's catalogue"):
            return _read_catalog(connection or self.control, schema)

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

        The server may be starting again: it is waited for. The broken connection's session may still be there, not
        knowing that it has lost us: it is ended, and what its transaction came to is decided when this returns.

        Raises: MigrationError: server-…, connection-lost; target-busy when another run took the lock meanwhile.
        """
        import psycopg

        with contextlib.suppress(psycopg.Error):
            if self.control.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                self.control.execute("SELECT 1")
                return
        self.control.close()
        self.control = _connect_patiently(self._conninfo)
        with reporting("ending the broken session"):
            self.control.execute(
                "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
                " WHERE pid = %s AND backend_start::text = %s",
                self._session,
            )
        self._session = _identify_session(self.control)
        self._await_lock(PATIENCE_S)

    def may_create_in(self, schema: str) -> bool:
        """Whether the role may create tables in that schema, which exists."""
        sql = "SELECT pg_catalog.has_schema_privilege(%s, 'CREATE') AND pg_catalog.has_schema_privilege(%s, 'USAGE')"
        with reporting("asking for the role's rights"):
            return self.control.execute(sql, (schema, schema)).fetchone() == (True,)

    def describe_address(self) -> str:
        """The connection string that leads here again, without the password."""
        from psycopg.conninfo import make_conninfo

        given = self.control.info.get_parameters()
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
        self, statements: Sequence[str], *, step_id: str = "", connection: psycopg.Connection | None = None
    ) -> None:
        """Run statements in order, in one round trip and one transaction. Raises: MigrationError (step-failed …)."""
        if not statements:
            return
        chosen = connection or self.control
        with reporting("running a statement of the plan", step_id=step_id), chosen.transaction():
            if len(statements) == 1:
                chosen.execute(statements[0].encode())
            else:
                with chosen.pipeline():
                    for statement in statements:
                        chosen.execute(statement.encode())

    def copy_rows(self, connection: psycopg.Connection, copy_sql: str, chunks: Iterable[bytes], *, step_id: str) -> int:
        """Send COPY data. Returns the number of rows that the server took. Raises: MigrationError."""
        with reporting("copying rows", step_id=step_id), connection.cursor() as cursor:
            with cursor.copy(copy_sql.encode()) as copy:
                for chunk in chunks:
                    copy.write(chunk)
            return cursor.rowcount

    @contextlib.contextmanager
    def one_transaction(self) -> Iterator[psycopg.Connection]:
        """Lend a connection within a transaction, committed at the end; rolled back by any error."""
        with self.lend_connection() as connection, connection.transaction():
            yield connection

    def begin(self, connection: psycopg.Connection) -> contextlib.AbstractContextManager[object]:
        """Open a transaction that does not wait for its own commit to reach the disk (`publish` does wait)."""
        return _fast_transaction(connection)


@contextlib.contextmanager
def _fast_transaction(connection: psycopg.Connection) -> Iterator[None]:
    with connection.transaction():
        connection.execute("SET LOCAL synchronous_commit = off")
        yield


class SnapshotReader:
    """Reads the target at one moment, from several threads: every reader sees the same snapshot.

    A context manager; the snapshot lives as long as it is open.
    """

    def __init__(self, target: Target) -> None:
        """Wait for `__enter__`."""
        self._target = target
        self._stack = contextlib.ExitStack()
        self._snapshot = ""

    def __enter__(self) -> Self:
        """Open the exporting transaction."""
        connection = self._stack.enter_context(self._target.lend_connection())
        with reporting("taking a snapshot of the target"):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._stack.callback(_end, connection)
            row = connection.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
        self._snapshot = str(row[0]) if row else ""
        return self

    def __exit__(self, *exc: object) -> None:
        """End it."""
        self._stack.close()

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        """Give the blocks of ``COPY (select_sql) TO STDOUT`` in text format, cut at row ends.

        Settings as in every session here: UTC, ISO dates, shortest exact floats, hex bytea, UTF-8.
        """
        with self._target.lend_connection() as connection, reporting("reading rows back"):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                self._take_snapshot(connection)
                yield from _copy_out(connection, select_sql)
            finally:
                _end(connection)

    def _take_snapshot(self, connection: psycopg.Connection) -> None:
        import psycopg

        try:
            connection.execute(f"SET TRANSACTION SNAPSHOT '{self._snapshot}'".encode())
        except (psycopg.errors.UndefinedObject, psycopg.errors.InvalidParameterValue) as error:
            raise MigrationError(
                "the session that held the snapshot for the proof was ended",
                code="connection-lost",
                hint="look at the server's log, then run again",
            ) from error


class TransactionReader:
    """Reads rows on a connection whose transaction somebody else began and will end."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Hold the connection."""
        self._connection = connection

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        """As `SnapshotReader.copy_out`."""
        with reporting("reading rows back"):
            yield from _copy_out(self._connection, select_sql)


def _copy_out(connection: psycopg.Connection, select_sql: str) -> Iterator[bytes]:
    # the server sends a row a message: gathered, since a generator's step costs more than a short row
    with connection.cursor() as cursor, cursor.copy(f"COPY ({select_sql}) TO STDOUT".encode()) as copy:
        block, size = [], 0
        for piece in copy:
            block.append(bytes(piece))
            size += len(piece)
            if size >= 1 << 18:
                yield b"".join(block)
                block, size = [], 0
        if block:
            yield b"".join(block)


def _end(connection: psycopg.Connection) -> None:
    """End a transaction that only read. Raises nothing: where the connection broke, something said so already."""
    import psycopg

    if connection.closed:
        return
    if connection.info.transaction_status == 1:  # a COPY was left half read: the connection is of no use any more
        connection.close()
        return
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()


@contextlib.contextmanager
def open_target(conninfo: str) -> Iterator[Target]:
    """Connect to a database and look at the server; everything is closed at the end.

    conninfo: whatever libpq takes (URI, key=value, "" for the PG* variables).
    Raises: MigrationError: connection-string, server-unreachable, server-other, auth-failed, role-missing,
    database-missing, server-too-old, database-encoding.
    """
    control = _connect(conninfo)
    target = Target(conninfo, control, _read_server(control))
    try:
        check_server(target.info)
        yield target
    finally:
        target.close()


def check_server(info: ServerInfo) -> None:
    """Refuse a server or database that cannot take everything. Pure. Raises: MigrationError."""
    if info.version_num < MIN_VERSION_NUM:
        raise MigrationError(
            f"the server on {info.host} port {info.port} is PostgreSQL {info.version}; liteferry needs 13 or newer",
            code="server-too-old",
            hint="migrate into a newer server, or leave TARGET out to use the embedded one",
        )
    if info.encoding != "UTF8":
        raise MigrationError(
            f"database {info.database} has the encoding {info.encoding}, which cannot hold every text",
            code="database-encoding",
            hint=f"CREATE DATABASE {quote_name(info.database + '_utf8')} TEMPLATE template0 ENCODING 'UTF8'",
        )


def _connect(conninfo: str) -> psycopg.Connection:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        # libpq repeats pieces of the string, which may be the password: say only that it is wrong
        raise MigrationError(
            "libpq does not understand the connection string",
            code="connection-string",
            hint="postgresql://user@host:5432/database, or key=value pairs; %-encode special characters in a URI",
        ) from error.with_traceback(None).__cause__
    extra: dict[str, str | int] = {}
    if "application_name" not in parts:
        extra["application_name"] = "liteferry"
    if "connect_timeout" not in parts:
        extra["connect_timeout"] = 10
    try:
        connection: psycopg.Connection = psycopg.connect(
            conninfo,
            autocommit=True,
            prepare_threshold=None,
            **extra,  # type: ignore[arg-type]  # libpq's own keywords
        )
    except psycopg.OperationalError as error:
        from liteferry.servers.diagnose import explain_connection_failure

        shown = {key: str(value) for key, value in parts.items() if key != "password" and value is not None}
        if (tried := error.pgconn) is not None:  # what libpq made of it: PG* variables, service files, several hosts
            resolved = {
                "host": tried.host,
                "hostaddr": tried.hostaddr,
                "port": tried.port,
                "dbname": tried.db,
                "user": tried.user,
            }
            shown |= {key: value.decode(errors="replace") for key, value in resolved.items() if value}
        raise explain_connection_failure(str(error), error.sqlstate, shown) from None
    with reporting("setting up the session"):
        names = ", ".join(["pg_catalog.set_config(%s, %s, false)"] * len(_SETTINGS))
        connection.execute(f"SELECT {names}".encode(), [part for setting in _SETTINGS for part in setting])
        # what is said to be published must survive the server; a wait for standbys stays as it was chosen
        connection.execute(
            "SELECT pg_catalog.set_config('synchronous_commit', 'local', false)"
            " WHERE pg_catalog.current_setting('synchronous_commit') = 'off'"
        )
    return connection


def _connect_patiently(conninfo: str) -> psycopg.Connection:
    """Connect, and try again for a while: it went well before, and a proxy before the server may say anything."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return _connect(conninfo)
        except MigrationError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_S)


def _identify_session(connection: psycopg.Connection) -> tuple[int, str]:
    """What tells a session from every other, even when its process id is given out again."""
    with reporting("setting up the session"):
        row = connection.execute(
            "SELECT backend_start::text FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()"
        ).fetchone()
    return connection.info.backend_pid, str(row[0]) if row else ""


def _read_server(connection: psycopg.Connection) -> ServerInfo:
    with reporting("looking at the server"):
        row = connection.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int, current_database(),"
            " current_user, pg_catalog.pg_encoding_to_char(d.encoding),"
            " pg_catalog.has_database_privilege(current_database(), 'CREATE'),"
            " pg_catalog.pg_database_size(current_database()),"
            " coalesce((SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'TimeZone'), '')"
            " FROM pg_catalog.pg_database d WHERE d.datname = current_database()"
        ).fetchone()
    if row is None:
        raise AssertionError("the current database is not in pg_database")
    return ServerInfo(
        version=str(row[0]).split(" ")[0],
        version_num=int(row[1]),
        host=connection.info.host or "local",
        port=connection.info.port,
        database=str(row[2]),
        user=str(row[3]),
        encoding=str(row[4]),
        can_create_schema=bool(row[5]),
        size_bytes=int(row[6]),
        timezone=str(row[7]),
    )


_LIMIT_HINT: Final = (
    "this is a limit of PostgreSQL's: leave the table behind with --exclude, or drop the index on a copy of the source"
)


@contextlib.contextmanager
def reporting(doing: str, *, step_id: str = "") -> Iterator[None]:
    """Turn the server's errors into `MigrationError` with the sqlstate's code.

    The server's DETAIL and CONTEXT can show values of rows, so that only the primary message is passed on.
    """
    import psycopg

    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise MigrationError(
            f"{doing} was cancelled by the server",
            code="interrupted",
            step_id=step_id,
            exit_status=ExitStatus.INTERRUPTED,
        ) from error
    except psycopg.Error as error:
        state = error.sqlstate or ""
        message = error.diag.message_primary or str(error).splitlines()[0]
        hint = error.diag.message_hint or ""
        place = f" in step {step_id}" if step_id else ""
        if state == "53100":
            code, hint = "disk-full", "make room on the server's disk, then run again"
        elif state.startswith(("08", "57P")) or not state:
            code, hint = "connection-lost", "look at the server's log, then run again"
        elif state == "55P03":
            code, hint = "target-busy", "another session holds a lock that is in the way: pg_locks shows it; try later"
        elif state == "42501":
            code, hint = "no-create-right", hint or "ask the database's owner for the right that the message names"
        elif state.startswith("54"):
            code, hint = "step-failed", hint or _LIMIT_HINT
        else:
            code = "step-failed"
        constraint = f" (constraint {error.diag.constraint_name})" if error.diag.constraint_name else ""
        raise MigrationError(
            f"{doing} failed{place}: {message}{constraint} [{state or 'no SQLSTATE'}]",
            code=code,
            hint=hint,
            table=error.diag.table_name,
            column=error.diag.column_name,
            step_id=step_id,
        ) from error


# ---------------------------------------------------------------------------------------------------------------------
# The catalogue

_TABLES_SQL: Final = """
SELECT c.oid::bigint, c.relname, c.relkind::text
FROM pg_catalog.pg_class c
WHERE c.relnamespace = %(schema)s AND c.relkind IN ('r', 'p', 'v')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname COLLATE "C"
"""

_COLUMNS_SQL: Final = """
SELECT a.attrelid::bigint, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> t.typcollation THEN l.collname ELSE '' END
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = %(schema)s AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_CONSTRAINTS_SQL: Final = """
SELECT k.conrelid::bigint, k.conname, k.contype::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place),
       pg_catalog.pg_get_constraintdef(k.oid), k.convalidated, k.condeferrable, k.condeferred, p.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place),
       k.confupdtype::text, k.confdeltype::text
FROM pg_catalog.pg_constraint k
LEFT JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
WHERE k.connamespace = %(schema)s AND k.conrelid <> 0 AND k.contype IN ('p', 'u', 'c', 'f')
ORDER BY k.conrelid, k.conname COLLATE "C"
"""

_INDEXES_SQL: Final = """
SELECT i.indrelid::bigint, c.relname,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(num, place)
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.num AND u.num <> 0
             WHERE u.place <= i.indnkeyatts ORDER BY u.place),
       ARRAY(SELECT (o.bits & 1) = 1 FROM unnest(i.indoption::int2[]) WITH ORDINALITY o(bits, place) ORDER BY o.place),
       i.indisunique, i.indpred IS NOT NULL, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = %(schema)s
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, c.relname COLLATE "C"
"""

_SEQUENCES_SQL: Final = """
SELECT d.refobjid::bigint, a.attname, n.nspname, c.relname, s.seqincrement, s.seqmax
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
  AND d.deptype IN ('a', 'i') AND t.relnamespace = %(schema)s
ORDER BY d.refobjid, c.relname COLLATE "C"
"""

_TRIGGERS_SQL: Final = """
SELECT t.tgrelid::bigint, t.tgname
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = %(schema)s AND NOT t.tgisinternal ORDER BY t.tgrelid, t.tgname COLLATE "C"
"""

_VIEWS_SQL: Final = """
SELECT c.oid::bigint, pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c
WHERE c.relnamespace = %(schema)s AND c.relkind = 'v'
"""

_OTHERS_SQL: Final = """
WITH extension_owned AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
relation AS (
  SELECT CASE c.relkind WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
              ELSE 'composite type' END || ' ' || c.relname AS what, 'pg_catalog.pg_class'::regclass AS classid, c.oid
  FROM pg_catalog.pg_class c
  WHERE c.relnamespace = %(schema)s AND c.relkind IN ('m', 'S', 'f', 'c')
    AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend d
             WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')))),
type AS (
  SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'type' END || ' ' || t.typname,
         'pg_catalog.pg_type'::regclass, t.oid
  FROM pg_catalog.pg_type t
  WHERE t.typnamespace = %(schema)s AND t.typrelid = 0 AND t.typtype IN ('e', 'd', 'r', 'b')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)),
routine AS (
  SELECT 'function ' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
         'pg_catalog.pg_proc'::regclass, p.oid
  FROM pg_catalog.pg_proc p WHERE p.pronamespace = %(schema)s)
SELECT what FROM (SELECT * FROM relation UNION ALL SELECT * FROM type UNION ALL SELECT * FROM routine) found
WHERE NOT EXISTS (SELECT FROM extension_owned e WHERE e.classid = found.classid AND e.objid = found.oid)
ORDER BY what COLLATE "C"
"""


def _read_catalog(connection: psycopg.Connection, schema: str) -> TargetCatalog:
    found = connection.execute(
        "SELECT oid::bigint FROM pg_catalog.pg_namespace WHERE nspname = %s", (schema,)
    ).fetchone()
    if found is None:
        return TargetCatalog(schema=schema, exists=False)
    argument = {"schema": found[0]}

    def grouped(sql: str) -> dict[int, list[tuple[object, ...]]]:
        groups: dict[int, list[tuple[object, ...]]] = {}
        for oid, *rest in connection.execute(sql.encode(), argument):
            groups.setdefault(oid, []).append(tuple(rest))
        return groups

    relations = connection.execute(_TABLES_SQL.encode(), argument).fetchall()
    columns = {
        oid: tuple(
            TargetColumn(
                name=str(name),
                pg_type=str(pg_type),
                not_null=bool(not_null),
                default_sql=None if default is None else str(default),
                identity=str(identity).strip(),  # type: ignore[arg-type]  # "", "a" or "d" by the catalogue
                generated=str(generated).strip(),  # type: ignore[arg-type]  # "", "s" or "v" by the catalogue
                collation=str(collation or ""),
            )
            for name, pg_type, not_null, default, identity, generated, collation in rows
        )
        for oid, rows in grouped(_COLUMNS_SQL).items()
    }
    constraints = {oid: tuple(map(_constraint, rows)) for oid, rows in grouped(_CONSTRAINTS_SQL).items()}
    indexes = {oid: tuple(map(_index, rows)) for oid, rows in grouped(_INDEXES_SQL).items()}
    sequences = _read_sequences(connection, grouped(_SEQUENCES_SQL))
    triggers = {oid: tuple(str(row[0]) for row in rows) for oid, rows in grouped(_TRIGGERS_SQL).items()}
    views = {oid: str(rows[0][0]) for oid, rows in grouped(_VIEWS_SQL).items()}
    return TargetCatalog(
        schema=schema,
        exists=True,
        tables=tuple(
            TargetTable(
                name=name,
                oid=oid,
                columns=columns.get(oid, ()),
                constraints=constraints.get(oid, ()),
                indexes=indexes.get(oid, ()),
                sequences=sequences.get(oid, ()),
                triggers=triggers.get(oid, ()),
            )
            for oid, name, kind in relations
            if kind != "v"
        ),
        views=tuple(
            TargetView(name=name, oid=oid, definition_sql=views.get(oid, ""), columns=columns.get(oid, ()))
            for oid, name, kind in relations
            if kind == "v"
        ),
        others=tuple(str(row[0]) for row in connection.execute(_OTHERS_SQL.encode(), argument)),
    )


def _constraint(row: tuple[object, ...]) -> TargetConstraint:
    name, kind, columns, definition, validated, deferrable, deferred, parent, parent_columns, update, delete = row
    return TargetConstraint(
        name=str(name),
        kind=str(kind),  # type: ignore[arg-type]  # p, u, c or f: the query selects no other
        columns=tuple(columns),  # type: ignore[arg-type]  # an array of names
        definition_sql=str(definition),
        validated=bool(validated),
        deferrable=bool(deferrable),
        deferred=bool(deferred),
        parent_table=None if parent is None else str(parent),
        parent_columns=tuple(parent_columns),  # type: ignore[arg-type]  # an array of names
        on_update=_ACTIONS.get(str(update), "NO ACTION"),
        on_delete=_ACTIONS.get(str(delete), "NO ACTION"),
    )


def _index(row: tuple[object, ...]) -> TargetIndex:
    name, columns, descending, unique, partial, valid, definition = row
    return TargetIndex(
        name=str(name),
        columns=tuple(columns),  # type: ignore[arg-type]  # an array of names and NULLs
        descending=tuple(descending),  # type: ignore[arg-type]  # an array of booleans
        unique=bool(unique),
        partial=bool(partial),
        valid=bool(valid),
        definition_sql=str(definition),
    )


def _read_sequences(
    connection: psycopg.Connection, owned: dict[int, list[tuple[object, ...]]]
) -> dict[int, tuple[TargetSequence, ...]]:
    flat = [(oid, row) for oid, rows in owned.items() for row in rows]
    states: list[tuple[object, ...]] = []
    for start in range(0, len(flat), 200):  # one query for 200 sequences: a sequence is a relation of its own
        part = flat[start : start + 200]
        union = " UNION ALL ".join(
            f"SELECT {index}, last_value, is_called FROM {quote_qualified(str(row[1]), str(row[2]))}"
            for index, (_, row) in enumerate(part)
        )
        states += connection.execute(f"SELECT * FROM ({union}) s ORDER BY 1".encode()).fetchall()
    found: dict[int, list[TargetSequence]] = {}
    for (oid, (column, _, name, increment, highest)), (_, last, called) in zip(flat, states, strict=True):
        following: int | None = int(last) + (int(increment) if called else 0)  # type: ignore[call-overload]  # bigints
        if following is not None and following > int(highest):  # type: ignore[call-overload]  # a bigint
            following = None
        found.setdefault(oid, []).append(TargetSequence(name=str(name), column=str(column), next_value=following))
    return {oid: tuple(sequences) for oid, sequences in found.items()}
