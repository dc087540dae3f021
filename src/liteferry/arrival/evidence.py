"""The proof of an arrival: every value, every sequence, and the catalogue before and after.

Layer 3. Used within `arrival` only.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry.arrival.data import list_made, without_made
from liteferry.model import Mismatch, ObjectCount, ObjectCounts, Plan, TableReport, TargetCatalog
from liteferry.planner.missing import count_missing
from liteferry.proof import compare_catalogs, compare_counts, compare_parts, foresee_reads, verify_table
from liteferry.proof.differences import differ
from liteferry.run import list_unproven
from liteferry.target import SnapshotReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from liteferry.arrival.data import Arrival
    from liteferry.holding import HeldSequence, Standing
    from liteferry.run import Run
    from liteferry.target import Target, TransactionReader

_DIFFERENCES_LISTED: Final = 100


def prove_arrival(
    run: Run, arrival: Arrival, server: Target, held: TargetCatalog, standing: Standing, *, scratch: Path
) -> bool:
    """Prove a schema that was filled earlier: every value, the sequences, and the definitions as they were then."""
    with SnapshotReader(server) as reader:
        return prove(run, arrival, reader, held, standing, scratch, later=True)


def prove(
    run: Run,
    arrival: Arrival,
    reader: SnapshotReader | TransactionReader,
    held: TargetCatalog,
    standing: Standing,
    scratch: Path,
    *,
    later: bool = False,
) -> bool:
    """Compare every value, and both catalogues; puts what it found into the run. Returns whether all is equal.

    later: the sequences that the run did not touch may have moved since.
    """
    with run.phase("proof") if run.options.verify else contextlib.nullcontext():
        with run.part("objects"):
            wrong = [
                *compare_catalogs(arrival.target, without_made(held, arrival.plan)),
                *_compare_made(arrival.plan, held),
                *compare_footprints(arrival.holding.footprint, standing.footprint),
                *_compare_sequences(arrival, standing, later=later),
            ]
        run.objects = _count_objects(arrival.plan, held)
        if not run.options.verify:
            return _settle_unproven(run, arrival, wrong)
        return _prove_values(run, arrival, reader, held, scratch, wrong)


def _settle_unproven(run: Run, arrival: Arrival, wrong: Sequence[Mismatch]) -> bool:
    """Where no values are to be proven, the rows have to be as many. wrong: what was found before."""
    loaded = {step.table for step in arrival.plan.steps if step.copy is not None}
    counted = {table.target: table.rows for table in arrival.plan.tables}
    reports = [
        report if report.target in loaded else replace(report, rows_target=counted[report.target])
        for report in list_unproven(arrival.plan, run)
    ]
    run.tables = _with_replaced(arrival.plan, reports)
    wrong = [*wrong, *compare_counts(reports)]
    run.mismatches, run.mismatch_count = tuple(wrong[:_DIFFERENCES_LISTED]), len(wrong)
    return not wrong


def _prove_values(
    run: Run,
    arrival: Arrival,
    reader: SnapshotReader | TransactionReader,
    held: TargetCatalog,
    scratch: Path,
    wrong: Sequence[Mismatch],
) -> bool:
    """Compare every value. wrong: what was found before."""
    reader.expect(foresee_reads(arrival.plan.tables, held.schema, held))
    proofs = [
        verify_table(
            table,
            arrival.snapshot,
            reader,
            schema=held.schema,
            target_catalog=held,
            census=arrival.census.table(table.source),
            show_values=run.options.show_values,
            scratch_dir=scratch,
            observe=run.observe,
        )
        for table in arrival.plan.tables
    ]
    wrong = [*wrong, *compare_parts(proofs, arrival.census)]
    run.conversions = tuple(found for proof in proofs for found in proof.conversions)
    run.tables = _with_replaced(arrival.plan, [run.report_table(proof) for proof in proofs])
    run.mismatches = (*(found for proof in proofs for found in proof.mismatches), *wrong[:_DIFFERENCES_LISTED])
    run.mismatch_count = sum(proof.mismatch_count for proof in proofs) + len(wrong)
    return not run.mismatch_count and all(table.verdict == "proven" for table in run.tables)


def _with_replaced(plan: Plan, reports: Sequence[TableReport]) -> tuple[TableReport, ...]:
    replaced = {table.target: table.replaced for table in plan.tables}
    return tuple(replace(report, rows_replaced=replaced[report.target]) for report in reports)


def _compare_made(plan: Plan, held: TargetCatalog) -> Iterator[Mismatch]:
    """The tables that the run makes: there, with their columns, and with nothing else to them."""
    tables = {table.name: table for table in held.tables}
    for name in list_made(plan):
        wanted = [f"{o.name} {o.pg_type} not null" for o in plan.objects if o.kind == "column" and o.table == name]
        if name not in tables:
            yield differ("table", name, None, "there", "missing")
            continue
        table = tables[name]
        columns = [f"{column.name} {column.pg_type}{' not null' * column.not_null}" for column in table.columns]
        if columns != wanted:
            yield differ("table", name, None, ", ".join(wanted), ", ".join(columns))
        more = [*(c.name for c in table.constraints), *(index.name for index in table.indexes), *table.traits]
        if more:
            yield differ("table", name, None, "nothing else to it", ", ".join(more))


def compare_footprints(before: Sequence[str], after: Sequence[str]) -> Iterator[Mismatch]:
    """Compare two footprints (`Holding.footprint`): every line must be there as often as before. Pure."""
    lost, gained = Counter(before) - Counter(after), Counter(after) - Counter(before)
    for line in lost:
        what = line.partition(": ")[0]
        yield differ("other", what, None, line, "not so", f"{what} is not as it was: {line}")
    for line in gained:
        what = line.partition(": ")[0]
        yield differ("other", what, None, "not so", line, f"{what} was not so before: {line}")


def _compare_sequences(arrival: Arrival, standing: Standing, *, later: bool) -> Iterator[Mismatch]:
    """Each sequence of a column that was filled is above its ids; every other stands where it stood."""
    demanded = {planned.name: planned for planned in arrival.plan.objects if planned.kind == "sequence"}
    touched = {step.id.rpartition("/")[2] for step in arrival.plan.steps if "/sequence/" in step.id}
    before = {(found.schema, found.name): found for found in arrival.holding.sequences}
    for found in standing.sequences:
        planned = demanded.get(found.name)
        earlier = before.get((found.schema, found.name))
        if planned is not None and found.increment > 0 and found.column in planned.columns:
            least = planned.at_least or 1
            if least > found.max_value:
                if found.next_value is not None:
                    yield differ("sequence", found.name, found.table, "exhausted", f"at {found.next_value}")
            elif found.next_value is not None and found.next_value < least:
                yield differ("sequence", found.name, found.table, f"at {least} or above", f"at {found.next_value}")
        if earlier is not None and found.increment > 0 and _position(found) < _position(earlier):
            yield differ(
                "sequence", found.name, found.table, f"at {_position(earlier)} or above", f"at {_position(found)}"
            )
        if not later and earlier is not None and found.name not in touched and _position(found) != _position(earlier):
            yield differ("sequence", found.name, found.table, "untouched", f"at {_position(found)}")


def _position(sequence: HeldSequence) -> int:
    return sequence.last_value + (sequence.increment if sequence.is_called else 0)


def _count_objects(plan: Plan, held: TargetCatalog) -> ObjectCounts:
    """Both sides' objects: of the tables that rows went into. What only one side has is named by findings."""
    names = {table.target for table in plan.counterparts}
    tables = [table for table in held.tables if table.name in names]
    declared, missing = plan.source_objects, count_missing(plan.findings)

    def of_kind(kind: str) -> int:
        return sum(constraint.kind == kind for table in tables for constraint in table.constraints)

    found = {
        "tables": len(tables),
        "columns": sum(len(table.columns) for table in tables),
        "indexes": sum(len(table.indexes) for table in tables),
        "unique": of_kind("u"),
        "checks": of_kind("c"),
        "foreign_keys": of_kind("f"),
        "sequences": sum(len(table.sequences) for table in tables),
        "views": len(held.views),
    }
    return ObjectCounts(
        **{
            sort: ObjectCount(source=getattr(declared, sort), target=number, left_out=missing[sort])
            for sort, number in found.items()
        }
    )
