"""Which rows differ between two multisets: for tables without a key, or whose key's order the sides do not share.

Layer 3. Runs only when the digests say that something differs: reads both sides twice more, first to find the rows'
digests of which the numbers differ, then to fetch those rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING, Literal, cast

from liteferry.compare import canonical_row, digest_rows
from liteferry.proof.store import Place, ProofStore, RowDifference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from liteferry.proof.rows import Block, Differences, ProofJob, SourceRow, TargetRow


@dataclass(slots=True)
class _Row:
    """A row that one side has more often. Holds words about its values, never the values: they may be huge.

    excess: how many copies are still unexplained. prints: short stand-ins for the canonical forms, equal where they
    are. words: about each value; reasons: why the type has no form for it, for the source's.
    """

    found: RowDifference
    excess: int
    key: str
    prints: list[bytes]
    words: list[str]
    reasons: list[str]


def name_differences(job: ProofJob, differences: Differences, scratch_dir: Path | None) -> None:
    """Add every row and value that differs to ``differences``. Writes a scratch file, and deletes it.

    A lost and an extra row are taken for one changed row where they share the key, or, without a key, where they agree
    in at least half of their columns; the pair that agrees most comes first.
    """
    keyed = bool(job.key)
    with ProofStore(scratch_dir) as store:
        _store_side(store, "source", job, job.read_source(placed=not keyed))
        _store_side(store, "target", job, job.read_target(placed=not keyed))
        lost, extra = store.find_differences()
        found = (store.list_by_key if keyed else store.list_by_place)(differences.limit)
    lost_rows = _fetch_lost(job, differences, {row.digest: row for row in found if row.in_source > row.in_target})
    extra_rows = _fetch_extra(job, differences, {row.digest: row for row in found if row.in_source < row.in_target})
    groups = groupby(found, key=lambda row: row.key) if keyed else [(None, found)]
    for _, group in groups:
        digests = [row.digest for row in group]
        _explain_group(
            job,
            differences,
            [lost_rows[digest] for digest in digests if digest in lost_rows],
            [extra_rows[digest] for digest in digests if digest in extra_rows],
        )
    differences.count += lost + extra - sum(abs(row.in_source - row.in_target) for row in found)


def _store_side(store: ProofStore, side: Literal["source", "target"], job: ProofJob, blocks: Iterable[Block]) -> None:
    """Write one side's digests, keys and places to the store."""
    for block in blocks:
        digests = digest_rows(block.forms)
        keys: Iterable[bytes | None] = [None] * len(digests)
        if job.key:
            keys = map(canonical_row, zip(*(block.forms[position] for position in job.key), strict=True))
        places: Sequence[Place] = block.places or [None] * len(digests)
        store.add_rows(side, zip(digests, keys, places, strict=True))


def _fetch_lost(job: ProofJob, differences: Differences, wanted: Mapping[bytes, RowDifference]) -> dict[bytes, _Row]:
    """The rows with these digests, from the source."""
    rows: dict[bytes, _Row] = {}
    for digest, prints, raw in _find_rows(job.read_source, wanted):
        values: SourceRow = raw
        words = [differences.describe_source(column, value) for column, value in zip(job.columns, values, strict=True)]
        found = wanted[digest]
        rows[digest] = _Row(
            found=found,
            excess=found.in_source - found.in_target,
            key=job.spell_source_key(values)
            if job.key
            else _spell_places("rowid", found.source_places, found.in_source),
            prints=prints,
            words=[word for word, _ in words],
            reasons=[reason for _, reason in words],
        )
    return rows


def _fetch_extra(job: ProofJob, differences: Differences, wanted: Mapping[bytes, RowDifference]) -> dict[bytes, _Row]:
    """The rows with these digests, from the target."""
    rows: dict[bytes, _Row] = {}
    for digest, prints, raw in _find_rows(job.read_target, wanted):
        texts = cast("TargetRow", raw)
        found = wanted[digest]
        if job.key:
            key = job.spell_target_key(texts)
        elif found.in_source:  # a copy of a row that the source has: there it has a name that stays
            key = _spell_places("rowid", found.source_places, found.in_source)
        else:
            key = _spell_places("ctid", found.target_places, found.in_target)
        rows[digest] = _Row(
            found=found,
            excess=found.in_target - found.in_source,
            key=key,
            prints=prints,
            words=[differences.describe_target(column, text) for column, text in zip(job.columns, texts, strict=True)],
            reasons=[],
        )
    return rows


def _find_rows(
    read: Callable[[], Iterator[Block]], wanted: Collection[bytes]
) -> Iterator[tuple[bytes, list[bytes], SourceRow | TargetRow]]:
    """Digest, prints and values of each row with one of these digests."""
    if not wanted:
        return
    for block in read():
        for position, digest in enumerate(digest_rows(block.forms)):
            if digest in wanted:
                yield digest, [_print(column[position]) for column in block.forms], block.rows[position]


def _print(form: bytes) -> bytes:
    return form if len(form) <= 32 else blake2b(form, digest_size=32).digest()


def _explain_group(job: ProofJob, differences: Differences, lost: list[_Row], extra: list[_Row]) -> None:
    """Add what differs between rows of one key, or of the whole table where there is none."""
    for source, target in _pair(lost, extra, at_least=0 if job.key else (len(job.columns) + 1) // 2):
        times = min(source.excess, target.excess)
        source.excess -= times
        target.excess -= times
        for position, column in enumerate(job.columns):
            if source.prints[position] != target.prints[position]:
                words = source.words[position], source.reasons[position]
                differences.add_value(column, source.key, words, target.words[position], times=times)
    for row in lost:
        if row.excess:
            differences.add_row("row-missing", row.key, row.found.in_source, row.found.in_source - row.excess)
    for row in extra:
        if row.excess:
            differences.add_row("row-extra", row.key, row.found.in_target - row.excess, row.found.in_target)


def _pair(lost: list[_Row], extra: list[_Row], *, at_least: int) -> Iterator[tuple[_Row, _Row]]:
    """Pairs of rows with unexplained copies, those that agree in most columns first, then in the earlier ones."""
    candidates = []
    for left_position, left in enumerate(lost):
        for right_position, right in enumerate(extra):
            agreeing = [a == b for a, b in zip(left.prints, right.prints, strict=True)]
            if sum(agreeing) >= at_least:
                candidates.append((-sum(agreeing), [not same for same in agreeing], left_position, right_position))
    for _, _, left_position, right_position in sorted(candidates):
        if lost[left_position].excess and extra[right_position].excess:
            yield lost[left_position], extra[right_position]


def _spell_places(name: str, places: Sequence[Place], count: int) -> str:
    """``rowid=5``; ``rowid=5 or 6`` where equal rows cannot be told apart."""
    known = [str(place) for place in places if place is not None]
    if not known:
        return ""
    return f"{name}={' or '.join(known)}" + (" or …" if count > len(known) else "")
