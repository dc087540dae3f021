"""The proof of a table's rows, by one of two methods (see `liteferry.proof`).

Layer 3.
"""

from __future__ import annotations

import operator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from liteferry.compare import DigestSum, digest_rows
from liteferry.compiled.comparing import is_built
from liteferry.model import (
    ConversionReport,
    Event,
    Kind,
    Mismatch,
    Part,
    TableCensus,
    TableDigest,
    TableMap,
    TargetCatalog,
    Verdict,
    ignore,
)
from liteferry.proof.compiled import (
    ORDERED_KINDS,
    EqualRows,
    compare_compiled,
    digest_source_compiled,
    digest_target_compiled,
)
from liteferry.proof.conversions import count_conversions
from liteferry.proof.multiset import name_differences
from liteferry.proof.rows import (
    Block,
    Differences,
    Progress,
    ProofJob,
    ProofSource,
    ProofTarget,
    read_source_blocks,
    read_target_blocks,
    select_target,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from pathlib import Path

MERGE: Final = "merge by primary key"
MULTISET: Final = "multiset"
NOT_COMPARED: Final = "not compared"

_BYTES: Final[frozenset[Kind]] = frozenset({"text", "bytea", "uuid"})
"""Of the kinds by whose canonical forms rows can be put in order, those whose forms order byte by byte."""

SMALL_BYTES: Final = 1 << 15
SMALL_ROWS: Final = 2_000
"""Tables of no more are read together with others. What is there may be more: then it is read by itself."""

_Key: TypeAlias = Any
"""A row's key as something that Python orders: int, bytes, or a tuple of those; the same type throughout a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProof:
    """What the proof of one table's rows found.

    ``mismatches`` lists the first hundred, ``mismatch_count`` counts all. ``values_compared``: rows that both sides
    have, times columns. ``complete``: whether the target has the table and all its columns.
    """

    table: str
    target: str
    rows_source: int
    rows_target: int
    values_compared: int
    source_digest: TableDigest
    target_digest: TableDigest
    method: str
    elapsed_s: float
    complete: bool = True
    part: Part = ""
    mismatches: tuple[Mismatch, ...] = ()
    mismatch_count: int = 0
    conversions: tuple[ConversionReport, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``proven`` or ``mismatch``."""
        equal = self.source_digest == self.target_digest and not self.mismatch_count
        return "proven" if equal and self.complete else "mismatch"


def verify_table(
    table: TableMap,
    source: ProofSource,
    target: ProofTarget,
    *,
    schema: str,
    target_catalog: TargetCatalog | None = None,
    census: TableCensus | None = None,
    show_values: bool = False,
    scratch_dir: Path | None = None,
    observe: Callable[[Event], None] = ignore,
    share: Callable[[Callable[[], None]], object] | None = None,
) -> TableProof:
    """Prove the rows of one table. Reads both sides; writes scratch files at most.

    schema: where the table is, the staging schema or the target's own. target_catalog: what that schema holds; with
    it a table or column that is not there is reported instead of failing the query. census: the source table's; large
    values can then be read in pieces. share: gives a piece of the work to
    another thread, which may do it at any time, or never; only for a target that several threads may read.
    """
    progress = Progress(table, observe)
    job = _plan_job(table, source, target, schema, target_catalog)
    if job is None:
        return _report_absent(table, progress)
    differences = Differences(job, show_values=show_values)
    if equal := compare_compiled(job, progress, target_catalog, census, share):
        return _report_equal(job, equal, differences, progress)
    result: _Result | None = None
    if job.key and all(job.columns[position].kind in ORDERED_KINDS for position in job.key):
        try:
            result = _Merge(job, differences, progress).run()
        except _NotOrderedError:
            differences = Differences(job, show_values=show_values)
    if result is None:
        result = _compare_multisets(job, differences, progress, scratch_dir)
    conversions = count_conversions(job, differences)
    elapsed_s = progress.finish(result.target.rows)
    return TableProof(
        table=table.source,
        target=table.target,
        part=table.part,
        rows_source=result.source.rows,
        rows_target=result.target.rows,
        values_compared=result.rows_compared * len(job.columns),
        source_digest=result.source.result(),
        target_digest=result.target.result(),
        method=result.method,
        elapsed_s=elapsed_s,
        complete=len(job.columns) == len(table.columns),
        mismatches=tuple(differences.listed),
        mismatch_count=differences.count,
        conversions=conversions,
    )


def _report_equal(job: ProofJob, equal: EqualRows, differences: Differences, progress: Progress) -> TableProof:
    conversions = count_conversions(job, differences, equal.changed)
    return TableProof(
        table=job.table.source,
        target=job.table.target,
        part=job.table.part,
        rows_source=equal.digest.rows,
        rows_target=equal.digest.rows,
        values_compared=equal.digest.rows * len(job.columns),
        source_digest=equal.digest,
        target_digest=equal.digest,
        method=MERGE if equal.in_order else MULTISET,
        elapsed_s=progress.finish(equal.digest.rows),
        complete=len(job.columns) == len(job.table.columns),
        mismatches=tuple(differences.listed),
        mismatch_count=differences.count,
        conversions=conversions,
    )


def foresee_reads(
    tables: Iterable[TableMap], schema: str, catalog: TargetCatalog | None = None, *, ordered: bool = True
) -> list[str]:
    """The SELECTs by which small tables are going to be read, in this order. Pure.

    A foresight that is wrong costs a round trip. ordered: for the proof, and not for a digest.
    """
    found = []
    for table in tables:
        if table.size_bytes > SMALL_BYTES or table.rows > SMALL_ROWS:
            continue
        job = _plan_job(table, None, None, schema, catalog)  # type: ignore[arg-type]  # nothing is read yet
        if job is not None:
            is_ordered = ordered and all(job.columns[position].kind in ORDERED_KINDS for position in job.key)
            found.append(select_target(schema, table.target, job.columns, job.key if is_ordered else ()))
    return found


def digest_source(
    tables: Iterable[TableMap], source: ProofSource, *, observe: Callable[[Event], None] = ignore
) -> Iterator[tuple[str, TableDigest]]:
    """Digest the source's tables alone. Gives each table's name in the target, and digest."""
    for table in tables:
        progress = Progress(table, observe)
        digest = digest_source_compiled(source, table)
        if digest is None:
            digest = _digest_blocks(read_source_blocks(source, table, table.columns), progress)
        progress.finish(digest.rows)
        yield table.target, digest


def digest_target(
    tables: Iterable[TableMap], target: ProofTarget, *, schema: str, observe: Callable[[Event], None] = ignore
) -> Iterator[tuple[str, TableDigest]]:
    """Digest the target's tables alone. Gives each table's name in the target, and digest."""
    for table in tables:
        progress, digest = Progress(table, observe), None
        if is_built():
            blocks = target.copy_out(select_target(schema, table.target, table.columns))
            digest = digest_target_compiled(blocks, table.columns, progress)
        if digest is None:
            digest = _digest_blocks(read_target_blocks(target, schema, table.target, table.columns), progress)
        progress.finish(digest.rows)
        yield table.target, digest


def _digest_blocks(blocks: Iterable[Block], progress: Progress) -> TableDigest:
    digest = DigestSum()
    for block in blocks:
        digest.add(digest_rows(block.forms))
        progress.advance(digest.rows)
    return digest.result()


def _plan_job(
    table: TableMap, source: ProofSource, target: ProofTarget, schema: str, catalog: TargetCatalog | None
) -> ProofJob | None:
    """What of the table can be compared; None when the target does not have it at all."""
    columns = table.columns
    if catalog is not None:
        try:
            present = {column.name for column in catalog.table(table.target).columns}
        except KeyError:
            return None
        columns = tuple(column for column in columns if column.target in present)
        if not columns:
            return None
    names = [column.source for column in columns]
    key = tuple(map(names.index, table.key)) if set(table.key) <= set(names) else ()
    return ProofJob(table=table, columns=columns, key=key, schema=schema, source=source, target=target)


def _report_absent(table: TableMap, progress: Progress) -> TableProof:
    nothing = DigestSum().result()
    mismatch = Mismatch(
        kind="row-count",
        table=table.source,
        source=f"{table.rows} rows",
        target="no table",
        message="the target does not have the table",
    )
    return TableProof(
        table=table.source,
        target=table.target,
        part=table.part,
        rows_source=table.rows,
        rows_target=0,
        values_compared=0,
        source_digest=nothing,
        target_digest=nothing,
        method=NOT_COMPARED,
        elapsed_s=progress.finish(0),
        complete=False,
        mismatches=(mismatch,),
        mismatch_count=1,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Multisets


@dataclass(frozen=True, slots=True)
class _Result:
    """The sums of both sides' digests, and how many rows stood face to face."""

    source: DigestSum
    target: DigestSum
    rows_compared: int
    method: str


def _compare_multisets(
    job: ProofJob, differences: Differences, progress: Progress, scratch_dir: Path | None
) -> _Result:
    """Compare the digests of both sides; where they differ, find out which rows do."""
    source, target = DigestSum(), DigestSum()
    for block in job.read_source():
        source.add(digest_rows(block.forms))
    for block in job.read_target():
        target.add(digest_rows(block.forms))
        progress.advance(target.rows)
    if source.result() != target.result():
        name_differences(job, differences, scratch_dir)
    return _Result(source, target, min(source.rows, target.rows), MULTISET)


# ---------------------------------------------------------------------------------------------------------------------
# Merge


class _NotOrderedError(Exception):
    """A side's keys are not strictly increasing, or are nothing that can be put in order."""


class _Cursor:
    """Walks through one side's blocks; holds the current one with its keys, and how far it is used up."""

    def __init__(self, blocks: Generator[Block], job: ProofJob) -> None:
        """Stand before the first block."""
        self.blocks = blocks
        self._job = job
        self._last: _Key = None
        self.block = Block([], [])
        self.keys: list[_Key] = []
        self.position = 0

    def fill(self) -> bool:
        """Make sure that there is a row to look at; False at the end of the side. Raises: _NotOrderedError."""
        while self.position >= len(self.keys):
            block = next(self.blocks, None)
            if block is None:
                return False
            if self.keys:
                self._last = self.keys[-1]
            self.block, self.position = block, 0
            self.keys = self._read_keys(block)
        return True

    def _read_keys(self, block: Block) -> list[_Key]:
        parts = [_order_forms(block.forms[position], self._job.columns[position].kind) for position in self._job.key]
        keys: list[_Key] = parts[0] if len(parts) == 1 else [*zip(*parts, strict=True)]
        in_order = all(map(operator.lt, keys, keys[1:]))
        if not in_order or (keys and self._last is not None and not self._last < keys[0]):
            raise _NotOrderedError
        return keys

    @property
    def remaining(self) -> int:
        """How many rows of the current block are left."""
        return len(self.keys) - self.position


def _order_forms(forms: list[bytes], kind: Kind) -> list[Any]:
    """Canonical forms as things that order as both databases do."""
    if kind in _BYTES:
        return forms
    try:
        return [int(form[1:]) for form in forms]
    except ValueError:  # NULL, or no integer at all
        raise _NotOrderedError from None


class _Merge:
    """Walks both sides in the key's order."""

    def __init__(self, job: ProofJob, differences: Differences, progress: Progress) -> None:
        """Stand before the first rows."""
        self._job = job
        self._differences = differences
        self._progress = progress
        self._source = _Cursor(job.read_source(ordered=True), job)
        self._target = _Cursor(job.read_target(ordered=True), job)
        self._source_sum, self._target_sum = DigestSum(), DigestSum()
        self._rows_compared = 0

    def run(self) -> _Result:
        """Walk to the end. Raises: _NotOrderedError; what was found until then is worth nothing."""
        with closing(self._source.blocks), closing(self._target.blocks):
            self._walk()
        return _Result(self._source_sum, self._target_sum, self._rows_compared, MERGE)

    def _walk(self) -> None:
        source, target = self._source, self._target
        while source.fill() & target.fill():
            count = min(source.remaining, target.remaining)
            ahead = slice(source.position, source.position + count), slice(target.position, target.position + count)
            if source.keys[ahead[0]] == target.keys[ahead[1]]:
                self._compare(*ahead)
                source.position += count
                target.position += count
            else:
                self._step_through()
            self._progress.advance(self._target_sum.rows)
        while source.fill():
            self._lose(range(source.position, len(source.keys)))
            source.position = len(source.keys)
        while target.fill():
            self._gain(range(target.position, len(target.keys)))
            target.position = len(target.keys)

    def _step_through(self) -> None:
        """Walk row by row to the end of either block: the sides hold different keys here."""
        source, target = self._source, self._target
        paired: tuple[list[int], list[int]] = [], []
        lost, extra = list[int](), list[int]()
        at, opposite = source.position, target.position
        while at < len(source.keys) and opposite < len(target.keys):
            if source.keys[at] == target.keys[opposite]:
                paired[0].append(at)
                paired[1].append(opposite)
                at, opposite = at + 1, opposite + 1
            elif source.keys[at] < target.keys[opposite]:
                lost.append(at)
                at += 1
            else:
                extra.append(opposite)
                opposite += 1
        source.position, target.position = at, opposite
        self._compare(*paired)
        self._lose(lost)
        self._gain(extra)

    def _compare(self, source_at: slice | Sequence[int], target_at: slice | Sequence[int]) -> None:
        """Compare rows of the same keys."""
        source_forms = _select(self._source.block.forms, source_at)
        target_forms = _select(self._target.block.forms, target_at)
        digests = digest_rows(source_forms)
        self._source_sum.add(digests)
        self._rows_compared += len(digests)
        if source_forms == target_forms:  # every value, compared by C code: 0.08 µs a row of eleven
            self._target_sum.add(digests)
            return
        self._target_sum.add(digest_rows(target_forms))
        rows = zip(
            _positions(source_at),
            _positions(target_at),
            zip(*source_forms, strict=True),
            zip(*target_forms, strict=True),
            strict=True,
        )
        for source_position, target_position, *forms in rows:
            if forms[0] != forms[1]:
                self._name_values(source_position, target_position, *forms)

    def _name_values(
        self, source_at: int, target_at: int, source_forms: Sequence[bytes], target_forms: Sequence[bytes]
    ) -> None:
        """Add each value of a row that differs. source_at, target_at: the row's positions in the blocks."""
        differences = self._differences
        differing = [position for position, form in enumerate(source_forms) if form != target_forms[position]]
        if differences.is_full:
            differences.count += len(differing)
            return
        source, target = self._source.block.rows[source_at], self._target.block.rows[target_at]
        key = self._job.spell_source_key(source)
        for position in differing:
            column = self._job.columns[position]
            words = differences.describe_source(column, source[position])
            differences.add_value(column, key, words, differences.describe_target(column, target[position]))

    def _lose(self, positions: Sequence[int]) -> None:
        """Add rows that only the source has."""
        block = self._source.block
        self._source_sum.add(digest_rows(_select(block.forms, positions)))
        for position in positions:
            key = "" if self._differences.is_full else self._job.spell_source_key(block.rows[position])
            self._differences.add_row("row-missing", key, 1, 0)

    def _gain(self, positions: Sequence[int]) -> None:
        """Add rows that only the target has."""
        block = self._target.block
        self._target_sum.add(digest_rows(_select(block.forms, positions)))
        for position in positions:
            key = "" if self._differences.is_full else self._job.spell_target_key(block.rows[position])
            self._differences.add_row("row-extra", key, 0, 1)


def _positions(at: slice | Sequence[int]) -> Sequence[int]:
    return range(at.start, at.stop) if isinstance(at, slice) else at


def _select(forms: list[list[bytes]], at: slice | Sequence[int]) -> list[list[bytes]]:
    if isinstance(at, slice):
        return [column[at] for column in forms]
    return [[column[position] for position in at] for column in forms]
