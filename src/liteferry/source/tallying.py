"""The census by the compiled part: several tables, and stretches of large ones, at a time.

Layer 2. The compiled part reads the copy through connections of its own, without Python's lock, so that as many threads
count as there are cores. What a table's stretches find is added up in one accumulator, in any order.
"""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event as Flag
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from liteferry.compiled.counting import count_rows
from liteferry.model import Event
from liteferry.pace import Pace
from liteferry.source.connection import explain_sqlite_error
from liteferry.source.select import make_select, name_column, name_rowid, natural_order, span_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from types import ModuleType

    from liteferry.census import TableAccumulator
    from liteferry.model import Span, Table, TableCensus
    from liteferry.source.readers import CopyPlace

SPAN_ROWS: Final = 5_000
"""A table whose rowids lie farther apart is counted in spans."""
SPANS: Final = 8
MOST_THREADS: Final = 4
_MOST_COLUMNS: Final = 1999  # and the rowid: of a SELECT, as SQLite is usually compiled
_ORDER_BITS: Final = 48
"""A row's place among a table's: its span's number, then its own within the span, which has fewer rows than that."""


class Progress:
    """Tells how far the census of a table has come."""

    def __init__(self, table: str, observe: Callable[[Event], None]) -> None:
        """Begin now."""
        self._table = table
        self._observe = observe
        self._pace = Pace()

    def tell(self, rows: int) -> None:
        """So many rows were counted. Not every call makes an event."""
        if self._pace.is_due():
            self._emit("step-progress", rows)

    def end(self, rows: int) -> None:
        """All rows were counted."""
        self._emit("step-end", rows)

    def _emit(self, kind: Any, rows: int) -> None:
        step_id, elapsed_s = f"census/{self._table}", self._pace.elapsed_s
        self._observe(
            Event(kind=kind, phase="census", step_id=step_id, table=self._table, rows=rows, elapsed_s=elapsed_s)
        )


class TableCount:
    """A table to count, in spans. start: makes what adds them up. ``census``: once all are counted."""

    def __init__(self, table: Table, start: Callable[[], TableAccumulator], spans: Sequence[Span]) -> None:
        """Have nothing counted."""
        self.table = table
        self.spans = spans
        self.guard = Lock()
        self.census: TableCensus | None = None
        self._start = start
        self._accumulator: TableAccumulator | None = None
        self._counted = [0] * len(spans)
        self._left = len(spans)
        self._progress: Progress | None = None

    def begin(self, observe: Callable[[Event], None]) -> TableAccumulator:
        """What adds up the spans: there only while the table is being counted, since there may be many tables."""
        with self.guard:
            if self._accumulator is None:
                self._progress = Progress(self.table.name, observe)
                self._accumulator = self._start()
            return self._accumulator

    def tell(self, number: int, rows: int) -> None:
        """So many rows of a span were counted so far."""
        with self.guard:
            self._counted[number] = rows
            if self._progress is not None:
                self._progress.tell(sum(self._counted))

    def end(self, number: int, rows: int) -> None:
        """All rows of a span were counted."""
        with self.guard:
            self._counted[number] = rows
            self._left -= 1
            if not self._left and self._progress is not None and self._accumulator is not None:
                self._progress.end(sum(self._counted))
                self.census = self._accumulator.finish()
                self._accumulator = None


class _StoppedError(Exception):
    """Another table's counting has failed, or the user has interrupted it."""


class CountingPool:
    """Counts tables in threads, each of which keeps its connection: reading a large schema anew would cost more."""

    def __init__(self, part: ModuleType, place: CopyPlace, shown: str) -> None:
        """Open nothing yet. shown: the path that messages name."""
        self._part = part
        self._place = place
        self._shown = shown
        self._idle: list[object] = []
        self._stop = Flag()
        self._news: SimpleQueue[Event | Future[None]] = SimpleQueue()

    def run(self, counts: Sequence[TableCount], observe: Callable[[Event], None]) -> None:
        """Count the tables, those in many spans first; observe is called by this thread alone.

        Raises: MigrationError.
        """
        ordered = sorted(counts, key=lambda one: -len(one.spans))
        tasks = deque((one, number) for one in ordered for number in range(len(one.spans)))
        threads = max(1, min(MOST_THREADS, os.cpu_count() or 1, len(tasks)))
        with ThreadPoolExecutor(threads, thread_name_prefix="liteferry-census") as pool:
            try:
                for _ in range(threads):
                    pool.submit(self._work, tasks).add_done_callback(self._news.put)
                left = threads
                while left:
                    news = self._news.get()
                    if isinstance(news, Event):
                        observe(news)
                    else:
                        left -= 1
                        news.result()
            finally:
                self._stop.set()
                pool.shutdown(cancel_futures=True)

    def _work(self, tasks: deque[tuple[TableCount, int]]) -> None:
        """Count one span after the other until none is left; a future for each would cost more than a small table."""
        while True:
            try:
                one, number = tasks.popleft()
            except IndexError:
                return
            self._count_span(one, number)

    def _count_span(self, one: TableCount, number: int) -> None:
        table = one.table

        def tell(rows: int) -> None:
            if self._stop.is_set():
                raise _StoppedError
            one.tell(number, rows)

        tell(0)
        accumulator = one.begin(self._news.put)
        try:
            reader = self._take_reader()
            rows = count_rows(
                self._part,
                reader,
                _select_all(table, one.spans[number]),
                accumulator,
                one.guard,
                has_rowid=not table.without_rowid,
                first_order=number << _ORDER_BITS,
                tell=tell,
            )
            self._idle.append(reader)
        except sqlite3.Error as error:
            raise explain_sqlite_error(error, self._shown, table=table.name) from error
        one.end(number, rows)

    def _take_reader(self) -> object:
        try:
            return self._idle.pop()
        except IndexError:
            return self._part.open_reader(self._place.uri, self._place.stand_ins)


def is_countable(table: Table) -> bool:
    """Whether the compiled part may read the table: not where the schema's own SQL is run, or rows have no name."""
    return (
        (table.without_rowid or name_rowid(table) is not None)
        and len(table.columns) <= _MOST_COLUMNS
        and not any(column.generated for column in table.columns)
    )


def _select_all(table: Table, span: Span) -> str:
    rowid = name_rowid(table)
    items = [*(name_column(column.name) for column in table.columns), *([rowid] if rowid else [])]
    return make_select(items, table.name, natural_order(table), span_sql(table, span))
