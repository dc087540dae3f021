"""Loading tables: rows and indexes, by a crew of threads, each with a connection of its own while it works.

Layer 3. Used through `loading`. Small tables go many to a transaction, so that their number costs few round trips. A
large one is a transaction by itself, so that COPY can FREEZE; or, where it is more than one worker's share of
everything, is made first and then filled in spans of rowids by several workers at once. Its indexes are built by
several at once, too, while other tables' rows are on their way. Threads, not processes: the server's work runs beside
ours anyway, and the compiled encoder gives up the interpreter lock.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from liteferry.census import describe_key_value
from liteferry.codecs import HEADER, TRAILER, RowMisfit
from liteferry.compiled.encoding import encode_rows, find_encoder
from liteferry.errors import ExitStatus, MigrationError
from liteferry.loading.counter import Counter, Share, Sink, Teller
from liteferry.loading.crew import Crew, Task, stop_workers
from liteferry.loading.refused import name_refused_rows
from liteferry.loading.steps import BATCH_STEPS, FINAL, list_ended, list_sql, run_in_load
from liteferry.loading.tables import BATCH_BYTES, Built, Split, TableGroup
from liteferry.planner.sql import thaw
from liteferry.target import begin_load, copy_in_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import psycopg

    from liteferry.model import Catalog, ColumnMap, Event, Plan, Span, Step, Table, TableMap
    from liteferry.source import Snapshot
    from liteferry.target import Copies, LoadTransaction, Target

SPLIT_BYTES: Final = 32 << 20
"""From which size on a table may be split, where it is more than one worker's share of the work.

On two cores with the server on the same machine, two million rows of eleven columns: one stream into a table made in
the same transaction, with FREEZE, 1.96 s; two streams without it 1.78 s (the server works 2.07 s instead of 1.85 s, and
reading the table back costs it 1.58 s instead of 1.35 s). Each further core shortens the second alone.
"""
SPAN_BYTES: Final = 16 << 20
"""About how large a span is: many more than there are workers, taken in order, so that none has long to wait for the
last one, and rows lie in the table nearly as their keys are ordered."""
MOST_SPANS: Final = 256
_INDEX_SQL: Final = ("CREATE INDEX ", "CREATE UNIQUE INDEX ")


def copy_tables(
    steps: Sequence[Step],
    plan: Plan,
    catalog: Catalog,
    snapshot: Snapshot,
    target: Target,
    connection: psycopg.Connection,
    observe: Callable[[Event], None],
) -> None:
    """Copy tables' rows in the connection's transaction, which the caller began; `BATCH_STEPS` of them by one message.

    Raises: MigrationError: value-misfit; step-failed, connection-lost, disk-full, with the id of the table's step.
    """
    loader = Loader(plan, catalog, snapshot, target, Teller(observe))
    for start in range(0, len(steps), BATCH_STEPS):
        loader.copy(steps[start : start + BATCH_STEPS], connection)


class Loader:
    """Loads the table groups with a crew of threads, and hands their events to one generator."""

    def __init__(
        self,
        plan: Plan,
        catalog: Catalog,
        snapshot: Snapshot,
        target: Target,
        sink: Sink | None = None,
        *,
        jobs: int = 1,
        writers: dict[str, list[str]] | None = None,
    ) -> None:
        """Have nothing begun. sink: takes the events of `copy`; writers: as in `liteferry.executor.execute`."""
        self._plan = plan
        self._catalog = catalog
        self._snapshot = snapshot
        self._target = target
        self._jobs = jobs
        self._writers = {} if writers is None else writers
        self._queue: queue.SimpleQueue[Event | Future[None]] = queue.SimpleQueue()
        self._events: Sink = sink or self._queue
        self._stop = threading.Event()

    def run(self, groups: Sequence[Sequence[Step]]) -> Iterator[Event]:
        """Load every group. The first error stops the others and is raised."""
        return self._run(
            self._plan_tasks([TableGroup.of(steps, self._plan.target_table(steps[0].group)) for steps in groups])
        )

    def validate(self, steps: Iterable[Step]) -> Iterator[Event]:
        """Validate foreign keys, of several tables at once: the last statement of each step."""
        by_table: dict[str, list[Step]] = {}
        for step in steps:
            by_table.setdefault(step.table or "", []).append(replace(step, sql=step.sql[-1:]))
        tasks = [
            Task(work=partial(self._validate, found), size=self._plan.target_table(name).rows * len(found))
            for name, found in by_table.items()
        ]
        return self._run(tasks)

    def _validate(self, steps: Sequence[Step], connection: psycopg.Connection) -> list[Task]:
        for step in steps:
            self._check_stop()
            for event in run_in_load([step], connection):
                self._events.put(event)
        return []

    def _run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        crew = Crew(tasks, self._jobs)
        with ThreadPoolExecutor(max_workers=self._jobs, thread_name_prefix="liteferry-load") as pool:
            futures: list[Future[None]] = []
            waiting = self._jobs
            try:
                for _ in range(self._jobs):
                    futures.append(pool.submit(self._work, crew))
                    futures[-1].add_done_callback(self._note_done)
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
                    crew.break_off()
                    stop_workers(futures, self._target)

    def _note_done(self, future: Future[None]) -> None:
        self._queue.put(future)

    def _work(self, crew: Crew) -> None:
        while (task := crew.take()) is not None:
            with contextlib.ExitStack() as lending:
                try:
                    connection = lending.enter_context(self._target.lend_connection())
                except MigrationError as error:
                    # the role, the database or the server has no more connections: those who have one do it all
                    if error.code == "server-not-ready" and crew.resign(task):
                        return
                    raise
                self._check_stop()
                follow = task.work(connection)
            crew.finish(follow)

    def _plan_tasks(self, groups: Sequence[TableGroup]) -> list[Task]:
        """Large tables one by one; small ones many together, by as many statements as one transaction takes."""
        tasks, together = [], list[TableGroup]()
        fair_share = sum(group.size_bytes for group in groups) // self._jobs
        for group in sorted(groups, key=lambda group: (group.size_bytes, group.rows), reverse=True):
            if group.is_large:
                work = partial(self._begin_large, group, spans=self._cut(group, fair_share))
                tasks.append(Task(work=work, size=group.size_bytes))
                continue
            steps = len(group.steps) + sum(len(other.steps) for other in together)
            size_bytes = group.size_bytes + sum(other.size_bytes for other in together)
            if together and (steps > BATCH_STEPS or size_bytes > BATCH_BYTES):
                tasks.append(self._plan_small(together))
                together = []
            together.append(group)
        return [*tasks, self._plan_small(together)] if together else tasks

    def _plan_small(self, groups: Sequence[TableGroup]) -> Task:
        return Task(work=partial(self._load_small, groups), size=sum(group.size_bytes for group in groups))

    def _cut(self, group: TableGroup, fair_share: int) -> tuple[Span, ...]:
        """The spans of a table that is more than its share of the work; empty for one that is loaded as a whole."""
        if group.copy is None or self._jobs < 2 or group.size_bytes < SPLIT_BYTES or group.size_bytes <= fair_share:
            return ()
        table = self._catalog.table(group.map.source)
        if find_encoder(self._snapshot, table, _list_copied(group.map), group.map.part) is None:
            return ()  # two threads would take turns at encoding
        pieces = min(max(group.size_bytes // SPAN_BYTES, 2 * self._jobs), MOST_SPANS)
        return self._snapshot.cut_spans(table, group.rows, pieces)

    # small tables, many in a transaction

    def _load_small(self, groups: Sequence[TableGroup], connection: psycopg.Connection) -> list[Task]:
        """Load tables in one transaction; each by itself when that fails, to get round it or say what it was."""
        try:
            self._load_together(groups, connection)
        except MigrationError as error:
            if error.code in FINAL:
                raise
            for group in groups:
                self._check_stop()
                self._load(group, connection)
                with self._naming_rows(connection):
                    for event in run_in_load(group.rest, connection):
                        self._events.put(event)
        return []

    def _load_together(self, groups: Sequence[TableGroup], connection: psycopg.Connection) -> None:
        creates = [group.create for group in groups if group.create]
        copies = [group.copy for group in groups if group.copy]
        rest = [step for group in groups for step in group.rest]
        begun = time.monotonic()
        with begin_load(connection, list_sql(creates), step_id=_first_id(creates), numbered=bool(copies)) as load:
            self._tell_ended(creates, begun)
            self.copy(copies, connection, load)
            begun = time.monotonic()
            load.commit(list_sql(rest), step_id=_first_id(rest))
        self._tell_ended(rest, begun)

    def _tell_ended(self, steps: Sequence[Step], begun: float) -> None:
        for event in list_ended(steps, begun):
            self._events.put(event)

    def _note_writer(self, copy: Step, rows: int, load: LoadTransaction) -> None:
        if rows and copy.table:
            self._writers.setdefault(copy.table, []).append(load.number)

    # a large table: its rows, then its indexes, then what needs both

    def _begin_large(self, group: TableGroup, connection: psycopg.Connection, *, spans: Sequence[Span]) -> list[Task]:
        if group.copy is None or not spans:
            self._load(group, connection)
            return self._follow_rows(group)
        if group.create is not None:
            self._make_table(group.create, None, connection)
        mapped = group.map
        split = Split(copy=thaw(group.copy), counter=Counter(self._events, group.copy, mapped.rows), left=len(spans))
        size = group.size_bytes // len(spans)
        return [Task(work=partial(self._copy_span, group, split, span), size=size) for span in spans]

    def _copy_span(self, group: TableGroup, split: Split, span: Span, connection: psycopg.Connection) -> list[Task]:
        with begin_load(connection, numbered=True) as load:
            with copy_in_together(connection, split.copy.sql) as copies:
                rows = self._send(split.copy, split.counter, copies, span)
            load.commit(step_id=split.copy.id)
        with split.guard:
            self._note_writer(split.copy, rows, load)
            split.rows += rows
            split.left -= 1
            if split.left:
                return []
        if split.rows != group.map.rows:
            raise MigrationError(
                f"the spans of {group.map.source} had {split.rows:,} rows in all, the table has {group.map.rows:,}",
                code="step-failed",
                step_id=split.copy.id,
            )
        split.counter.finish()
        return self._follow_rows(group)

    def _follow_rows(self, group: TableGroup) -> list[Task]:
        """What a large table gets once its rows are there: several indexes at once, then what alters the table.

        CREATE INDEX lets others of its kind work beside it, ALTER TABLE and ANALYZE do not. Source: PostgreSQL docs,
        "Explicit Locking".
        """
        indexes = [step for step in group.rest if step.sql[0].startswith(_INDEX_SQL)]
        built = Built(left=len(indexes))
        if len(indexes) < 2 or self._jobs < 2:
            return [Task(work=partial(self._finish_large, group, built), size=group.size_bytes)] if group.rest else []
        work = [partial(self._build, group, built, step) for step in indexes]
        return [Task(work=one, size=group.size_bytes) for one in work]

    def _build(self, group: TableGroup, built: Built, step: Step, connection: psycopg.Connection) -> list[Task]:
        begun = time.monotonic()
        first = replace(step, sql=step.sql[:1])
        with self._naming_rows(connection):
            events = list(run_in_load([first], connection, sessions=self._jobs))
        with built.guard:
            built.elapsed_s[step.id] = time.monotonic() - begun
            built.left -= 1
            last = not built.left
        if len(step.sql) == 1:
            for event in events:
                self._events.put(event)
        return [Task(work=partial(self._finish_large, group, built), size=group.size_bytes)] if last else []

    def _finish_large(self, group: TableGroup, built: Built, connection: psycopg.Connection) -> list[Task]:
        for step in group.rest:  # one by one, so that each is timed and can be watched
            spent = built.elapsed_s.get(step.id, 0.0)
            left = replace(step, sql=step.sql[1:]) if step.id in built.elapsed_s else step
            if not left.sql:
                continue
            self._check_stop()
            with self._naming_rows(connection):
                for event in run_in_load([left], connection, sessions=self._jobs, spent_s=spent):
                    self._events.put(event)
        return []

    @contextlib.contextmanager
    def _naming_rows(self, connection: psycopg.Connection) -> Iterator[None]:
        try:
            yield
        except MigrationError as error:
            raise name_refused_rows(error, self._plan, connection) from error

    # rows

    def _load(self, group: TableGroup, connection: psycopg.Connection) -> None:
        """Make a table and fill it; or fill it alone, or neither, where a hook has parted them."""
        if group.create is not None:
            self._make_table(group.create, group.copy, connection)
        elif group.copy is not None:
            with begin_load(connection, numbered=True) as load:
                self.copy([group.copy], connection, load)
                load.commit(step_id=group.copy.id)

    def _make_table(self, create: Step, copy: Step | None, connection: psycopg.Connection) -> None:
        """Make a table, and fill it in the same transaction.

        PostgreSQL names a table's array type after it, cut to 63 bytes and evading what is there; but it cannot see
        what another transaction is about to make: of two tables whose names begin alike, or are foo and _foo, the
        second fails when the first commits, and succeeds when it is tried again.
        """
        for _ in self._plan.tables:
            begun = time.monotonic()
            try:
                with begin_load(connection, create.sql, step_id=create.id, numbered=copy is not None) as load:
                    self._tell_ended([create], begun)
                    if copy is not None:
                        self.copy([copy], connection, load)
                    load.commit(step_id=copy.id if copy else create.id)
            except MigrationError as error:
                # seen before the other commits it is a key of pg_type that is there twice, seen after it a type
                clash = error.table == "pg_type" or getattr(error.__cause__, "sqlstate", "") == "42710"
                if error.step_id != create.id or not clash:
                    raise
            else:
                return
        raise MigrationError(f"{create.table} found no name for its array type", code="step-failed", step_id=create.id)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise MigrationError("the load was stopped", code="interrupted", exit_status=ExitStatus.INTERRUPTED)

    def copy(self, steps: Sequence[Step], connection: psycopg.Connection, load: LoadTransaction | None = None) -> None:
        """Copy tables' rows, by one message. load: the transaction, where it is noted which one wrote them."""
        with copy_in_together(connection, list_sql(steps)) as copies:
            for step in steps:
                self._check_stop()
                counter = Counter(self._events, step, self._plan.target_table(step.table or "").rows)
                rows = self._send(step, counter, copies)
                if load is not None:
                    self._note_writer(step, rows, load)
                counter.finish()

    def _send(self, step: Step, counter: Counter, copies: Copies, span: Span | None = None) -> int:
        """Send a table's rows, or those of a span; returns how many."""
        mapped = self._plan.target_table(step.table or "")
        table = self._catalog.table(mapped.source)
        share = Share(counter)
        taken = copies.send(self._encode(table, mapped, share, span), step_id=step.id)
        if taken != share.rows:
            raise MigrationError(
                f"the server took {taken:,} of {share.rows:,} rows of {mapped.source}",
                code="step-failed",
                step_id=step.id,
            )
        return taken

    def _encode(self, table: Table, mapped: TableMap, counter: Share, span: Span | None = None) -> Iterator[bytes]:
        """The COPY data of one table, or of a span of it, by the compiled encoder where it can be used."""
        copied = _list_copied(mapped)
        yield HEADER
        try:
            for rows, chunk in encode_rows(self._snapshot, table, copied, part=mapped.part, span=span):
                self._check_stop()
                counter.add(rows, len(chunk))
                yield chunk
                del chunk
        except RowMisfit as misfit:
            names = [column.source for column in copied if not column.is_beside]
            raise MigrationError(
                f"a value does not fit {mapped.target}: {misfit.reason}",
                code="value-misfit",
                table=mapped.source,
                column=misfit.column,
                key=_describe_row(misfit.values, names, mapped),
                hint="the census took this value for a fitting one: please report this as a bug of liteferry",
            ) from misfit
        yield TRAILER


def _list_copied(mapped: TableMap) -> list[ColumnMap]:
    return [column for column in mapped.columns if not column.generated]


def _describe_row(row: Sequence[object], names: Sequence[str], mapped: TableMap) -> str:
    return ", ".join(f"{name}={describe_key_value(row[names.index(name)])}" for name in mapped.key if name in names)


def _first_error(futures: Sequence[Future[None]]) -> BaseException | None:
    """The error of the worker that failed first; not of those that stopped because of it."""
    errors = [future.exception() for future in futures if future.done() and not future.cancelled()]
    found = [error for error in errors if error is not None]
    real = [error for error in found if not (isinstance(error, MigrationError) and error.code == "interrupted")]
    return next(iter(real or found), None)


def _first_id(steps: Sequence[Step]) -> str:
    return steps[0].id if steps else ""
