"""The proof of a table's rows by the compiled comparer: where all is equal, it says so, and that is all it says.

Layer 3. Used within `proof` only. Whatever differs is found anew and named by the proof in Python, which reads the
table once more from its beginning. So is what the comparer cannot read: parts of tables, UTF-16, a source that is read
in place.
"""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from liteferry.compiled.comparing import RowComparison, is_built, name_kind, open_copy
from liteferry.model import Span, TableDigest
from liteferry.proof.rows import PIECE_BYTES, select_in_pieces, select_target
from liteferry.source import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor, Future

    from liteferry.model import ColumnMap, Kind, Table, TableCensus, TableMap, TargetCatalog
    from liteferry.proof.rows import Progress, ProofJob, ProofSource

ORDERED_KINDS: Final[frozenset[Kind]] = frozenset(
    {"int2", "int4", "int8", "date", "timestamp", "timestamptz", "text", "bytea", "uuid"}
)
"""Kinds by whose canonical forms rows can be put in order: as integers, or byte by byte."""

SPAN_ROWS: Final = 50_000
SPAN_BYTES: Final = 8 << 20
"""Of a table that is compared in spans: of so many rows, or of so much data. A span costs a statement on either side:
2 ms. On two cores 60,000 documents of 268 MB took 1.6 s in place of 1.9 s as one, 100,000 rows 0.13 s in place of
0.19 s; spans of half this size took as long."""

_MOST_SPANS: Final = 64
_WHOLE: Final = Span()
_ONE_AT_A_TIME: Final = threading.Lock()
"""Held while a table of large values is compared: two such values at once would be twice the memory."""
_IN_PIECES: Final = frozenset({"text", "bytea", "json", "jsonb"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualRows:
    """That both sides hold the same rows.

    ``in_order``: by the key, which increased strictly. ``changed``: of each column, how many values its conversions
    changed.
    """

    digest: TableDigest
    in_order: bool
    changed: tuple[int, ...]


def compare_compiled(
    job: ProofJob,
    progress: Progress,
    catalog: TargetCatalog | None = None,
    census: TableCensus | None = None,
    share: Callable[[Callable[[], None]], object] | None = None,
) -> EqualRows | None:
    """Compare all rows; None where they differ, or the comparer cannot tell.

    In pairs where there is a key by which both sides can be ordered; where a pair differs, and without a key, as
    multisets: the sides may order the same keys in two ways. catalog: the target's. census: the table's; with it large
    values are read in pieces. share: gives a piece of work to
    whoever else has nothing to do; with it a large table is compared in spans of its rowids.
    """
    if pieced := _find_large(job, census):
        with _ONE_AT_A_TIME:
            return _compare(job, job.key, _WHOLE, progress.advance, pieced)
    if share is not None and catalog is not None and (spans := _cut(job, catalog)):
        return _Spans(job, progress, spans).compare(share)
    # where nobody else keeps the other cores busy, what has come is compared while more is coming
    with ThreadPoolExecutor(1) if share is None else nullcontext() as aside:
        equal = _compare(job, job.key, _WHOLE, progress.advance, aside=aside) if _is_ordered(job) else None
        return equal or _compare(job, (), _WHOLE, progress.advance, aside=aside)


def _is_ordered(job: ProofJob) -> bool:
    """Whether both sides can be ordered by the key."""
    return bool(job.key) and all(job.columns[position].kind in ORDERED_KINDS for position in job.key)


def _find_large(job: ProofJob, census: TableCensus | None) -> tuple[int, ...]:
    """Positions of the columns that hold values which are better read in pieces."""
    if census is None or not _is_ordered(job):
        return ()
    longest = {counted.name: counted.longest_value_bytes for counted in census.columns}
    return tuple(
        position
        for position, column in enumerate(job.columns)
        if longest.get(column.source, 0) > 4 * PIECE_BYTES
        and position not in job.key
        and not column.conversions
        and name_kind(column.kind, column.pg_type) in _IN_PIECES
    )


def _compare(
    job: ProofJob,
    key: tuple[int, ...],
    span: Span,
    advance: Callable[[int], None],
    pieced: tuple[int, ...] = (),
    aside: Executor | None = None,
) -> EqualRows | None:
    """Compare the rows within a span of the key: in pairs, or without a key as multisets. aside: as of `_feed`."""
    comparison = _begin(job.source, job.table, job.columns, key, span, pieced)
    if comparison is None:
        return None
    if pieced:
        select_sql = select_in_pieces(job.schema, job.table.target, job.columns, key, pieced, span)
    else:
        select_sql = select_target(job.schema, job.table.target, job.columns, key, span=span)
    if not _feed(comparison, job.target.copy_out(select_sql), advance, aside):
        return None
    source, target = comparison.source, comparison.target
    if source != target:
        return None
    return EqualRows(digest=source, in_order=comparison.is_ordered, changed=comparison.changed)


def digest_source_compiled(source: ProofSource, table: TableMap) -> TableDigest | None:
    """Digest a source table's rows; None where the comparer cannot read them."""
    comparison = _begin(source, table, table.columns, (), _WHOLE)
    if comparison is None:
        return None
    return comparison.source if _feed(comparison, (), None) else None


def digest_target_compiled(
    blocks: Iterable[bytes], columns: Sequence[ColumnMap], progress: Progress
) -> TableDigest | None:
    """Digest rows of COPY's text format; None where they have another number of fields."""
    comparison = RowComparison(columns)
    return comparison.target if _feed(comparison, blocks, progress.advance) else None


def _begin(
    source: ProofSource,
    table: TableMap,
    columns: Sequence[ColumnMap],
    key: tuple[int, ...],
    span: Span,
    pieced: tuple[int, ...] = (),
) -> RowComparison | None:
    """Begin to read the source. key: the rows are compared in pairs, in its order."""
    if not isinstance(source, Snapshot) or table.part or any(column.is_beside for column in columns):
        return None
    place = source.locate_copy() if is_built() else None
    names = [column.source for column in columns]
    order = [names[position] for position in key]
    sql = source.select_storage(table.source, names, order, span) if place else ""
    if place is None or not sql:
        return None
    try:
        return RowComparison(
            columns,
            database=source.take_kept("_comparer") or open_copy(place.uri, place.stand_ins),
            give_back=partial(source.keep, "_comparer"),
            sql=sql,
            key=key,
            pieced=pieced,
            large_bytes=PIECE_BYTES,
            is_paired=bool(key),
        )
    except sqlite3.Error:
        return None


def _feed(
    comparison: RowComparison,
    blocks: Iterable[bytes],
    advance: Callable[[int], None] | None,
    aside: Executor | None = None,
) -> bool:
    """Give the comparison all blocks, and the end. Returns whether all was equal, as far as it tells.

    Reads the blocks to their end in any case: a COPY that is left half read would break off the transaction. aside: has
    a thread that compares a block while this one waits for the next, which Ctrl-C can interrupt.
    """
    fed: Future[bool] | None = None
    try:
        going = True
        for block in blocks:
            going = going and (fed is None or fed.result())
            if aside is None:
                going = going and comparison.feed(block)
            if advance:  # while nothing is being compared: it looks at what is counted there
                advance(comparison.rows_of_target)
            if aside is not None:
                fed = aside.submit(comparison.feed, block) if going else None
        going = going and (fed is None or fed.result())
        return going and comparison.finish()
    except sqlite3.Error:  # the proof in Python meets the same error, and explains it
        for _ in blocks:
            pass
        return False


# ---------------------------------------------------------------------------------------------------------------------
# Spans


def _cut(job: ProofJob, catalog: TargetCatalog) -> tuple[Span, ...]:
    """Spans of rowids that are the target's primary key, too, so that either side finds one by its index.

    The first has no lower end and the last no upper one: every row of the target is in one of them.
    """
    if len(job.key) != 1 or not isinstance(job.source, Snapshot):
        return ()
    declared = job.source.read_catalog().table(job.table.source)
    column = job.columns[job.key[0]]
    held = catalog.table(job.table.target)
    is_key = any(found.kind == "p" and found.columns == (column.target,) for found in held.constraints)
    if not is_key or not reads_spans(job.table, declared):
        return ()
    return job.source.cut_spans(declared, job.table.rows, _count_spans(job.table))


def reads_spans(table: TableMap, declared: Table) -> bool:
    """Whether a table is read by ranges of its rowids, where these are the target's primary key. Pure."""
    if len(table.key) != 1 or table.key[0] != declared.rowid_alias or table.part or not is_built():
        return False
    column = next((column for column in table.columns if column.source == table.key[0]), None)
    is_plain = column is not None and column.kind in {"int2", "int4", "int8"} and not column.conversions
    return is_plain and _count_spans(table) > 1


def _count_spans(table: TableMap) -> int:
    return min(max(table.rows // SPAN_ROWS, table.size_bytes // SPAN_BYTES), _MOST_SPANS)


class _Spans:
    """Compares a table span by span; whoever has nothing else to do takes the next one."""

    def __init__(self, job: ProofJob, progress: Progress, spans: Sequence[Span]) -> None:
        """Have all of them ahead."""
        self._job = job
        self._progress = progress
        self._ahead = list(reversed(spans))
        self._found: list[EqualRows] = []
        self._failed = False
        self._busy = 0
        self._error: BaseException | None = None
        self._moved = threading.Condition()

    def compare(self, share: Callable[[Callable[[], None]], object]) -> EqualRows | None:
        """Compare all spans; None as soon as one differs. Raises: what went wrong in any."""
        for _ in self._ahead[1:]:
            share(self._work)
        self._work()
        with self._moved:
            self._moved.wait_for(lambda: not self._busy)  # whoever was offered it and never began, takes nothing
        if self._error is not None:
            raise self._error
        if self._failed:
            return None
        equal = _add_up(self._found)
        # rows between two spans would be missed on both sides alike
        return equal if equal.digest.rows == self._job.table.rows else None

    def _work(self) -> None:
        """Compare spans until there are none left."""
        while True:
            with self._moved:
                if self._failed or not self._ahead:
                    return
                span = self._ahead.pop()
                self._busy += 1
            equal = None
            try:
                equal = _compare(self._job, self._job.key, span, self._advance)
            except BaseException as error:  # noqa: BLE001 - whoever waits for all spans raises it
                with self._moved:
                    self._error = self._error or error
            finally:
                with self._moved:
                    self._busy -= 1
                    if equal is None:
                        self._failed = True
                    else:
                        self._found.append(equal)
                    self._moved.notify_all()

    def _advance(self, rows: int) -> None:
        self._progress.advance(sum(found.digest.rows for found in self._found) + rows)


def _add_up(parts: Iterable[EqualRows]) -> EqualRows:
    """What spans come to together, which follow each other by their key. Pure."""
    found = list(parts)
    total = sum(int(part.digest.sum, 16) for part in found) % (1 << 128)
    mixed = 0
    for part in found:
        mixed ^= int(part.digest.xor, 16)
    return EqualRows(
        digest=TableDigest(rows=sum(part.digest.rows for part in found), sum=f"{total:032x}", xor=f"{mixed:032x}"),
        in_order=all(part.in_order for part in found),
        changed=tuple(map(sum, zip(*(part.changed for part in found), strict=True))),
    )
