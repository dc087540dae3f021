"""What the conversions of a table's columns changed in the source, counted by the proof itself.

Layer 3. The census said how many values each column's conversions would change, and the plan repeats it; the load
converted them; here they are counted anew, by code that shares nothing with either. Where the figures differ, one of
the three is wrong, and the table is not proven.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry.compare import convert_column, is_changed
from liteferry.compare.words import describe_moment, spell_value
from liteferry.model import KEPT_WHOLE, ConversionReport, ConversionSample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.compare import StorageValue
    from liteferry.model import ColumnMap
    from liteferry.proof.rows import Differences, ProofJob, SourceRow

SAMPLES: Final = 5


def count_conversions(
    job: ProofJob, differences: Differences, known: Sequence[int] | None = None
) -> tuple[ConversionReport, ...]:
    """Count the values that each column's conversions change. Reads those columns of the source, once more.

    known: of each column, where the values were counted already; the source is then read for samples alone.
    A count that is not the plan's is added to ``differences``.
    """
    converted = [column for column in job.columns if column.conversions and KEPT_WHOLE not in column.conversions]
    if not converted:
        return ()
    if known is not None and not differences.show_values:
        counts = [known[job.columns.index(column)] for column in converted]
        return _report_conversions(job, differences, converted, counts, [[] for _ in converted])
    keys = [job.columns[position] for position in job.key]
    small = replace(job, columns=(*keys, *converted), key=tuple(range(len(keys))))
    counts = [0] * len(converted)
    samples: list[list[ConversionSample]] = [[] for _ in converted]
    for block in small.read_source():
        rows: list[SourceRow] = list(block.rows)  # type: ignore[call-overload]  # the source's are a sequence
        for at, column in enumerate(converted):
            before = [row[len(keys) + at] for row in rows]
            after = convert_column(before, column)
            changed = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if is_changed(old, new)]
            counts[at] += len(changed)
            if differences.show_values:
                samples[at] += [
                    ConversionSample(
                        key=small.spell_source_key(rows[index]),
                        before=spell_value(before[index]),
                        after=_spell_after(after[index], column),
                    )
                    for index in changed[: SAMPLES - len(samples[at])]
                ]
    return _report_conversions(job, differences, converted, counts, samples)


def _report_conversions(
    job: ProofJob,
    differences: Differences,
    converted: Sequence[ColumnMap],
    counts: Sequence[int],
    samples: Sequence[Sequence[ConversionSample]],
) -> tuple[ConversionReport, ...]:
    for column, count in zip(converted, counts, strict=True):
        if count != column.converted:
            differences.add_conversion(column, count)
    return tuple(
        ConversionReport(
            table=job.table.source,
            column=column.source,
            pg_type=column.pg_type,
            conversions=column.conversions,
            values=count,
            samples=tuple(kept),
        )
        for column, count, kept in zip(converted, counts, samples, strict=True)
    )


def _spell_after(value: StorageValue, column: ColumnMap) -> str:
    return describe_moment(value, column.kind) or spell_value(value)
