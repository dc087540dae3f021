"""The executor: runs a plan's steps, tables in parallel, and yields what happens.

Layer 3. One thread and one connection a table group: its rows, then its keys and indexes, while other groups' rows
are on their way. Threads, not processes: the server's work runs beside ours anyway, and a compiled encoder gives up
the interpreter lock. A table and its rows are one transaction, so that COPY can FREEZE.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Protocol

from liteferry.census import describe_key_value
from liteferry.codecs import HEADER, TRAILER, RowEncoder, RowMisfit
from liteferry.errors import ExitStatus, MigrationError
from liteferry.model import Event
from liteferry.names import NameSpace, quote_name, quote_qualified
from liteferry.scripts import HookLog
from liteferry.target import reporting

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import psycopg

    from liteferry.model import Catalog, Plan, Step, Table, TableMap
    from liteferry.source import Snapshot
    from liteferry.target import Target

PROGRESS_S: Final = 0.1
BATCH_STEPS: Final = 100
"""How many statements go to the server in one round trip and one transaction: it bounds the locks held at once."""
MAX_JOBS: Final = 4
STOP_S: Final = 10.0
"""How long workers that were told to stop may take."""


def choose_jobs(wanted: int) -> int:
    """How many tables to load at once. 0: one a core, at most four (the encoder is Python; more only take turns)."""
    return wanted if wanted > 0 else max(1, min(MAX_JOBS, os.cpu_count() or 1))


def execute(
    plan: Plan, catalog: Catalog, snapshot: Snapshot, target: Target, *, jobs: int, hooks: HookLog | None = None
) -> Generator[Event, None, None]:
    """Run everything of a plan but its publication, in the staging schema. Yields events as they happen.

    Closing the generator early, or any error, stops the workers before it ends; the caller then calls `drop_staging`.
    hooks: notes what the plan's hooks do.

    Raises: MigrationError: step-failed, hook-failed, value-misfit, connection-lost, disk-full, interrupted.
    """
    log = hooks or HookLog()
    for name, stage in stage_steps(plan):
        total = sum(table.rows for table in plan.tables) if name == "load" else 0
        if name:
            yield Event(kind="phase-start", phase=name, total_rows=total)
        begun = time.monotonic()
        if name == "hooks":
            for step in stage:
                log.run(step, plan, target)
                yield Event(kind="step-end", phase=step.phase, step_id=step.id, elapsed_s=time.monotonic() - begun)
        elif name in {"load", "indexes"}:
            yield from _run_groups(stage, plan, _Loader(plan, catalog, snapshot, target), jobs=jobs)
        else:
            for start in range(0, len(stage), BATCH_STEPS):
                yield from _run_batch(stage[start : start + BATCH_STEPS], target)
        if name:
            yield Event(kind="phase-end", phase=name, elapsed_s=time.monotonic() - begun)


def stage_steps(plan: Plan) -> list[tuple[str, list[Step]]]:
    """Put the steps into the stages that they run in, each with its phase's name; "" before the rows. Pure.

    Neighbours with a group are one stage, in parallel. The phases load and constraints are there even when empty.
    """
    stages: list[tuple[str, list[Step]]] = []

    def sort_of(step: Step) -> str:
        if step.hook is not None:
            return "hooks"
        return "groups" if step.group else step.phase

    for sort, found in groupby((step for step in plan.steps if step.phase != "publish"), sort_of):
        steps = list(found)
        if sort == "groups":
            stages.append(("load" if any(step.copy for step in steps) else "indexes", steps))
        else:
            stages.append((sort if sort == "hooks" else "" if sort == "pre-data" else "constraints", steps))
    names = [name for name, _ in stages]
    if "load" not in names:
        stages.insert(names.index("constraints") if "constraints" in names else len(stages), ("load", []))
    if "constraints" not in names:
        stages.append(("constraints", []))
    return stages


def _run_groups(steps: Sequence[Step], plan: Plan, loader: _Loader, *, jobs: int) -> Iterator[Event]:
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.group, []).append(step)
    sizes = {table.target: (table.size_bytes, table.rows) for table in plan.tables}
    ordered = sorted(groups, key=lambda name: sizes[name], reverse=True)  # largest first: no long tail at the end
    yield from loader.run([groups[name] for name in ordered], jobs=jobs)


def stop_workers(futures: Sequence[Future[Any]], target: Target) -> None:
    """Have workers end soon: those that have not begun never do, the others get an error from their connections.

    The server is asked to cancel what they wait for; where that does not help in time (it reads from a client that a
    network holds up), the connections are broken.
    """
    for future in futures:
        future.cancel()
    target.cancel_all()
    try:
        if not wait(futures, timeout=STOP_S).not_done:
            return
    except BaseException:
        target.break_all()
        raise
    target.break_all()


def drop_staging(plan: Plan, target: Target) -> None:
    """Take the staging schema away, whatever is in it; the caller has seen that it is ours.

    Raises: MigrationError when the server does not let us.
    """
    target.execute_all([f"DROP SCHEMA IF EXISTS {quote_name(plan.staging_schema)} CASCADE"], step_id="drop-staging")


def _run_batch(steps: Sequence[Step], target: Target, connection: psycopg.Connection | None = None) -> Iterator[Event]:
    """Run steps in one transaction and one round trip; one by one when that fails, to say which it was."""
    begun = time.monotonic()
    try:
        target.execute_all([sql for step in steps for sql in step.sql], step_id=steps[0].id, connection=connection)
    except MigrationError as error:
        if len(steps) == 1 or error.code in {"connection-lost", "interrupted", "disk-full"}:
            raise
        for step in steps:
            yield from _run_batch([step], target, connection)
        return
    elapsed = (time.monotonic() - begun) / len(steps)
    for step in steps:
        yield Event(kind="step-end", phase=step.phase, step_id=step.id, table=step.table or "", elapsed_s=elapsed)


def copy_table(
    step: Step,
    plan: Plan,
    catalog: Catalog,
    snapshot: Snapshot,
    target: Target,
    connection: psycopg.Connection,
    observe: Callable[[Event], None],
) -> int:
    """Copy one table's rows in the connection's transaction, which the caller began; returns how many.

    Raises: MigrationError: step-failed, value-misfit, connection-lost, disk-full.
    """
    return _Loader(plan, catalog, snapshot, target, _Teller(observe)).copy(step, connection)


class _Sink(Protocol):
    """Takes events on their way."""

    def put(self, item: Event, /) -> None:
        """Take one."""
        ...


class _Teller:
    """Tells events to an observer at once, in this thread."""

    def __init__(self, observe: Callable[[Event], None]) -> None:
        self._observe = observe

    def put(self, item: Event, /) -> None:
        self._observe(item)


class _Loader:
    """Loads the table groups with a pool of threads, and hands their events to one generator."""

    def __init__(
        self, plan: Plan, catalog: Catalog, snapshot: Snapshot, target: Target, sink: _Sink | None = None
    ) -> None:
        self._plan = plan
        self._catalog = catalog
        self._snapshot = snapshot
        self._target = target
        self._queue: queue.SimpleQueue[Event | Future[None]] = queue.SimpleQueue()
        self._events: _Sink = sink or self._queue
        self._stop = threading.Event()

    def run(self, groups: Sequence[Sequence[Step]], *, jobs: int) -> Iterator[Event]:
        """Load every group. The first error stops the others and is raised."""
        waiting = len(groups)
        with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="liteferry-load") as pool:
            futures = [pool.submit(self._load_group, group) for group in groups]
            for future in futures:
                future.add_done_callback(self._note_done)
            try:
                while waiting:
                    event = self._queue.get()
                    if isinstance(event, Future):
                        waiting -= 1
                        if not event.cancelled() and event.exception() and (error := _first_error(futures)):
                            raise error
                    else:
                        yield event
            finally:
                if waiting:
                    self._stop.set()
                    stop_workers(futures, self._target)

    def _note_done(self, future: Future[None]) -> None:
        self._queue.put(future)

    def _load_group(self, steps: Sequence[Step]) -> None:
        with self._target.lend_connection() as connection:
            rest = [step for step in steps if step.phase == "post-data"]
            rows = self._load(steps[: len(steps) - len(rest)], connection)
            # a big table's steps one by one, so that each is timed and can be watched; a small one's in one trip
            size = 1 if rows > 50_000 else BATCH_STEPS
            for start in range(0, len(rest), size):
                self._check_stop()
                try:
                    for event in _run_batch(rest[start : start + size], self._target, connection):
                        self._events.put(event)
                except MigrationError as error:
                    raise _name_rows(error, self._plan, connection) from error

    def _load(self, steps: Sequence[Step], connection: psycopg.Connection) -> int:
        """Make a table and fill it; or fill it alone, or neither, where a hook has parted them. Returns its rows."""
        if len(steps) == 2:
            return self._create_and_copy(steps[0], steps[1], connection)
        if not steps:
            return 0
        with self._target.begin(connection):
            return self.copy(steps[0], connection)

    def _create_and_copy(self, create: Step, copy: Step, connection: psycopg.Connection) -> int:
        """Make a table and fill it, in one transaction; returns how many rows it has.

        PostgreSQL names a table's array type after it, cut to 63 bytes and evading what is there; but it cannot see
        what another transaction is about to make: of two tables whose names begin alike, or are foo and _foo, the
        second fails when the first commits, and succeeds when it is tried again.
        """
        for _ in self._plan.tables:
            try:
                with self._target.begin(connection):
                    self._run(create, connection)
                    return self.copy(copy, connection)
            except MigrationError as error:
                # seen before the other commits it is a key of pg_type that is there twice, seen after it a type
                clash = error.table == "pg_type" or getattr(error.__cause__, "sqlstate", "") == "42710"
                if error.step_id != create.id or not clash:
                    raise
        raise MigrationError(f"{create.table} found no name for its array type", code="step-failed", step_id=create.id)

    def _run(self, step: Step, connection: psycopg.Connection) -> None:
        for event in _run_batch([step], self._target, connection):
            self._events.put(event)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise MigrationError("the load was stopped", code="interrupted", exit_status=ExitStatus.INTERRUPTED)

    def copy(self, step: Step, connection: psycopg.Connection) -> int:
        """Copy one table's rows; returns how many."""
        mapped = self._plan.target_table(step.table or "")
        counter = _Counter(self._events, step, mapped.rows)
        table = self._catalog.table(mapped.source)
        chunks = self._encode(table, mapped, counter)
        taken = self._target.copy_rows(connection, step.sql[0], chunks, step_id=step.id)
        if taken != counter.rows:
            raise MigrationError(
                f"the server took {taken:,} of {counter.rows:,} rows of {mapped.source}",
                code="step-failed",
                step_id=step.id,
            )
        counter.finish()
        return taken

    def _encode(self, table: Table, mapped: TableMap, counter: _Counter) -> Iterator[bytes]:
        """The COPY data of one table, a chunk a batch of rows. This loop is what a compiled core replaces."""
        copied = [column for column in mapped.columns if not column.generated]
        encoder = RowEncoder(copied)
        names = [column.source for column in copied if not column.is_beside]
        # a column that holds bytes may hold texts that are not UTF-8, and those as they are; a conversion may take them
        raw = any(column.kind == "bytea" or column.conversions for column in copied)
        yield HEADER
        for rows in self._snapshot.read_rows(table, names, invalid_text=raw, part=mapped.part):
            self._check_stop()
            try:
                chunk = encoder.encode(rows)
            except RowMisfit as misfit:
                raise MigrationError(
                    f"a value does not fit {mapped.target}: {misfit.reason}",
                    code="value-misfit",
                    table=mapped.source,
                    column=misfit.column,
                    key=_describe_row(rows[misfit.row], names, mapped),
                    hint="the census took this value for a fitting one: please report this as a bug of liteferry",
                ) from misfit
            counter.add(len(rows), len(chunk))
            yield chunk
        yield TRAILER


def _name_rows(error: MigrationError, plan: Plan, connection: psycopg.Connection) -> MigrationError:
    """Name the rows that a key, unique index or CHECK does not take; any other error is returned as it is.

    SQLite took them: 1 and '1', or one UUID with and without hyphens, are two values there, and it looks at a CHECK
    only when a row is written.
    """
    from liteferry.planner.sql import add_check_sql

    state = getattr(error.__cause__, "sqlstate", "")
    step = next((step for step in plan.steps if step.id == error.step_id), None)
    kinds = {"post-data/primary-key/": "primary_key", "post-data/unique/": "unique", "post-data/index/": "index"}
    kinds[f"post-data/check/{step.table if step else ''}."] = "check"
    named = {f"{prefix}{o.name}": o for o in plan.objects for prefix, kind in kinds.items() if o.kind == kind}
    wanted = named.get(error.step_id or "")
    if state not in {"23505", "23514"} or step is None or wanted is None:
        return error
    table = next(table for table in plan.tables if table.target == wanted.table)
    place = quote_qualified(plan.staging_schema, table.target)
    shown = [column for column in table.columns if column.source in table.key]
    columns = [column for column in wanted.columns if column is not None]
    counted = quote_name(NameSpace(column.target for column in table.columns).claim("count"))
    if state == "23514":
        condition = step.sql[0].removeprefix(add_check_sql(plan.staging_schema, table.target, wanted.name, "")[:-1])
        chosen, what = f"NOT ({condition}", f"do not hold CHECK constraint {wanted.name}"
    elif wanted.partial or None in wanted.columns:
        return error
    else:
        shown = shown or [column for column in table.columns if column.target in columns]
        keys = ", ".join(map(quote_name, columns))
        # partitions go by the types' own idea of equality, whatever the search_path
        place = f"(SELECT *, count(*) OVER (PARTITION BY {keys}) AS {counted} FROM {place}) AS counted"
        chosen = " AND ".join([f"{counted} > 1", *(f"{quote_name(column)} IS NOT NULL" for column in columns)])
        names = ", ".join(columns)
        what = f"differ in SQLite, but are equal in the PostgreSQL types of ({names}), which must be unique"
    rows = ", ".join(f"{quote_name(column.target)}::text" for column in shown) or "'without a key'"
    try:
        with reporting("looking for the rows"):
            query = f"SELECT {rows} FROM {place} WHERE {chosen} ORDER BY 1 LIMIT 6"
            found = connection.execute(query.encode()).fetchall()
    except MigrationError:
        return error  # the condition itself fails for some row (an overflow, say): the first error says as much
    listed = [", ".join(f"{c.source}={v}" for c, v in zip(shown, row, strict=False)) or str(row[0]) for row in found]
    return MigrationError(
        f"rows of {table.source} {what}: {'; '.join(listed[:5])}{' …' if len(listed) > 5 else ''}",
        code=error.code,
        hint="repair them on a copy of the source, then run again"
        + ("; or --nocase index, which folds A to Z alone" if any(wanted.folds) else ""),
        step_id=error.step_id,
    )


def _describe_row(row: Sequence[object], names: Sequence[str], mapped: TableMap) -> str:
    return ", ".join(f"{name}={describe_key_value(row[names.index(name)])}" for name in mapped.key if name in names)


def _first_error(futures: Sequence[Future[None]]) -> BaseException | None:
    """The error of the worker that failed first; not of those that stopped because of it."""
    errors = [future.exception() for future in futures if future.done() and not future.cancelled()]
    found = [error for error in errors if error is not None]
    real = [error for error in found if not (isinstance(error, MigrationError) and error.code == "interrupted")]
    return next(iter(real or found), None)


class _Counter:
    """Counts a table's rows, and says so at most ten times a second."""

    def __init__(self, events: _Sink, step: Step, total_rows: int) -> None:
        self._events = events
        self._step = step
        self._total = total_rows
        self._begun = time.monotonic()
        self._told = 0.0
        self.rows = 0
        self.size_bytes = 0
        self._tell("step-start")

    def add(self, rows: int, size_bytes: int) -> None:
        self.rows += rows
        self.size_bytes += size_bytes
        if time.monotonic() - self._told >= PROGRESS_S:
            self._tell("step-progress")

    def finish(self) -> None:
        self._tell("step-end")

    def _tell(self, kind: str) -> None:
        self._told = time.monotonic()
        self._events.put(
            Event(
                kind=kind,  # type: ignore[arg-type]  # the three literals above
                phase="load",
                step_id=self._step.id,
                table=self._step.copy or "",
                rows=self.rows,
                total_rows=self._total,
                size_bytes=self.size_bytes,
                elapsed_s=self._told - self._begun,
            )
        )
