"""The proof of a table's rows by the compiled comparer: where all is equal, it says so, and that is all it says.

Layer 3. Used within `proof` only. Whatever differs is found anew and named by the proof in Python, which reads the
table once more from its beginning. So is what the comparer cannot read: parts of tables, UTF-16, a source that is read
in place.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.compiled.comparing import RowComparison, is_built
from liteferry.proof.rows import select_target
from liteferry.source import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from liteferry.model import ColumnMap, Kind, TableDigest, TableMap
    from liteferry.proof.rows import Progress, ProofJob, ProofSource

ORDERED_KINDS: Final[frozenset[Kind]] = frozenset(
    {"int2", "int4", "int8", "date", "timestamp", "timestamptz", "text", "bytea", "uuid"}
)
"""Kinds by whose canonical forms rows can be put in order: as integers, or byte by byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualRows:
    """That both sides hold the same rows.

    ``in_order``: by the key, which increased strictly. ``changed``: of each column, how many values its conversions
    changed.
    """

    digest: TableDigest
    in_order: bool
    changed: tuple[int, ...]


def compare_compiled(job: ProofJob, progress: Progress) -> EqualRows | None:
    """Compare all rows; None where they differ, or the comparer cannot tell.

    In pairs where there is a key by which both sides can be ordered; where a pair differs, and without a key, as
    multisets: the sides may order the same keys in two ways.
    """
    equal = None
    if job.key and all(job.columns[position].kind in ORDERED_KINDS for position in job.key):
        equal = _compare(job, progress, job.key, is_paired=True)
    return equal or _compare(job, progress, (), is_paired=False)


def _compare(job: ProofJob, progress: Progress, key: tuple[int, ...], *, is_paired: bool) -> EqualRows | None:
    comparison = _begin(job.source, job.table, job.columns, key, is_paired=is_paired)
    if comparison is None:
        return None
    select_sql = select_target(job.schema, job.table.target, job.columns, key)
    if not _feed(comparison, job.target.copy_out(select_sql), progress):
        return None
    source, target = comparison.source, comparison.target
    if source != target:
        return None
    return EqualRows(digest=source, in_order=comparison.is_ordered, changed=comparison.changed)


def digest_source_compiled(source: ProofSource, table: TableMap) -> TableDigest | None:
    """Digest a source table's rows; None where the comparer cannot read them."""
    comparison = _begin(source, table, table.columns, (), is_paired=False)
    if comparison is None:
        return None
    return comparison.source if _feed(comparison, (), None) else None


def digest_target_compiled(
    blocks: Iterable[bytes], columns: Sequence[ColumnMap], progress: Progress
) -> TableDigest | None:
    """Digest rows of COPY's text format; None where they have another number of fields."""
    comparison = RowComparison(columns)
    return comparison.target if _feed(comparison, blocks, progress) else None


def _begin(
    source: ProofSource, table: TableMap, columns: Sequence[ColumnMap], key: tuple[int, ...], *, is_paired: bool
) -> RowComparison | None:
    if not isinstance(source, Snapshot) or table.part or any(column.is_beside for column in columns):
        return None
    place = source.locate_copy() if is_built() else None
    names = [column.source for column in columns]
    sql = source.select_storage(table.source, names, [names[position] for position in key]) if place else ""
    if place is None or not sql:
        return None
    try:
        return RowComparison(columns, uri=place.uri, stand_ins=place.stand_ins, sql=sql, key=key, is_paired=is_paired)
    except sqlite3.Error:
        return None


def _feed(comparison: RowComparison, blocks: Iterable[bytes], progress: Progress | None) -> bool:
    """Give the comparison all blocks, and the end. Returns whether all was equal, as far as it tells.

    Reads the blocks to their end in any case: a COPY that is left half read would break off the transaction.
    """
    try:
        going = True
        for block in blocks:
            going = going and comparison.feed(block)
            if progress:
                progress.advance(comparison.rows_of_target)
        return going and comparison.finish()
    except sqlite3.Error:  # the proof in Python meets the same error, and explains it
        for _ in blocks:
            pass
        return False
