"""The proof of what a run made: every value and every object, and what the run then knows of them.

Layer 3. `proof` compares; here its parts are put together, for what is in staging and for what `verify` finds. What
went into an application's own schema `arrival` proves in its own way.
"""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from liteferry.loading import run_steps, stop_workers
from liteferry.proof import (
    compare_catalogs,
    compare_columns,
    compare_counts,
    compare_parts,
    foresee_reads,
    reads_spans,
    try_keys,
    verify_behaviour,
    verify_objects,
    verify_table,
)
from liteferry.run import list_unproven
from liteferry.scripts import excuse_hooks
from liteferry.target import SnapshotReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from liteferry.model import Catalog, Census, Plan, Step, TargetCatalog
    from liteferry.proof import TableProof
    from liteferry.run import Run
    from liteferry.source import Snapshot
    from liteferry.target import Target


@dataclass(frozen=True, slots=True)
class Cargo:
    """What a run carries: the plan, and the source that it was made from."""

    plan: Plan
    catalog: Catalog
    census: Census
    snapshot: Snapshot


def defer_analyses(run: Run, cargo: Cargo) -> tuple[Plan, tuple[Step, ...]]:
    """Part a plan from those of its ANALYZE steps that run while the proof reads the rows. Pure.

    ANALYZE looks at 30,000 rows of any larger table while the other cores have nothing to do: of 100,000 rows of 11
    columns that was 0.12 s of 0.77, and 0.055 s of it are gained. It may wait where nobody needs the statistics so
    early: for a table that is read by spans of its key, which the server finds by its index without them; but not where
    foreign keys are validated, which joins two tables, nor where hooks do what nobody foresees.
    """
    plan = cargo.plan
    if not run.options.verify or run.jobs < 2 or any(step.hook is not None for step in plan.steps):
        return plan, ()
    keys = [found for found in plan.objects if found.kind == "foreign_key"]
    joined = {name for found in keys for name in (found.table, found.parent_table)}
    spanned = {table.target for table in plan.tables if reads_spans(table, cargo.catalog.table(table.source))} - joined
    later = [step for step in plan.steps if step.id.startswith("post-data/analyze/") and step.table in spanned]
    names = {step.id for step in later}
    return replace(plan, steps=tuple(step for step in plan.steps if step.id not in names)), tuple(later)


def prove_staging(run: Run, cargo: Cargo, server: Target, scratch: Path, deferred: Sequence[Step] = ()) -> bool:
    """Whether what is in staging may be published. deferred: steps that run beside the proof."""
    schema = cargo.plan.staging_schema
    if run.options.verify:
        with run.phase("proof"):
            held = server.read_catalog(schema)
            proven = prove(run, cargo, server, held, scratch=scratch, deferred=deferred)
            with run.part("keys tried out"):
                run.key_trials, taken = try_keys(cargo.plan, server, held)
            run.mismatches += taken
            run.mismatch_count += len(taken)
            return proven and not taken
    run.tables = list_unproven(cargo.plan, run)
    run.staged = server.read_catalog(schema)
    run.objects, wrong = verify_objects(cargo.plan, cargo.catalog, run.staged, cargo.census)
    run.mismatches = (*compare_counts(run.tables), *excuse_hooks(wrong, run.hooks.runs, schema))
    run.mismatch_count = len(run.mismatches)
    return not run.mismatches


def _run_deferred(step: Step, run: Run, server: Target) -> None:
    with server.lend_control():
        for event in run_steps([step], lambda sql, step_id: server.execute_all(sql, step_id=step_id)):
            run.observe(event)


def prove(
    run: Run,
    cargo: Cargo,
    server: Target,
    held: TargetCatalog,
    *,
    scratch: Path,
    expected: TargetCatalog | None = None,
    deferred: Sequence[Step] = (),
) -> bool:
    """Compare every value and every object; puts what it found into the run. Returns whether all is equal.

    held: the schema to be proven, as it is. expected: what its definitions are held against, where there is anything.
    deferred: steps that run meanwhile on the control connection: nearly all of it is the server's work.
    """
    run.staged = held
    with (
        SnapshotReader(server) as reader,
        ThreadPoolExecutor(run.jobs, thread_name_prefix="liteferry-proof") as pool,
        ThreadPoolExecutor(1, thread_name_prefix="liteferry-analyze") as aside,
    ):
        ordered = sorted(cargo.plan.tables, key=lambda table: (table.size_bytes, table.rows), reverse=True)
        counted = {table.table: table for table in cargo.census.tables}
        shared: list[Future[None]] = []
        analysed: list[Future[None]] = []

        def share(work: Callable[[], None]) -> None:
            """Offer a piece of a large table to a worker that has nothing else to do."""
            shared.append(pool.submit(work))

        reader.expect(foresee_reads(ordered, held.schema, held))
        futures: dict[str, Future[TableProof]] = {}
        try:
            # each by itself: none holds a table while others are looked at, and none begins after a stop
            analysed.extend(aside.submit(_run_deferred, step, run, server) for step in deferred)
            for table in ordered:
                futures[table.target] = pool.submit(
                    verify_table,
                    table,
                    cargo.snapshot,
                    reader,
                    schema=held.schema,
                    target_catalog=held,
                    census=counted.get(table.source),
                    show_values=run.options.show_values,
                    scratch_dir=scratch,
                    observe=run.observe,
                    share=share if run.jobs > 1 else None,
                )
            working: list[Future[Any]] = [*futures.values(), *analysed]
            for future in wait(working, return_when=FIRST_EXCEPTION).done:
                future.result()  # raises what went wrong, as soon as it did
            proofs = [futures[table.target].result() for table in cargo.plan.tables]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # also what no thread could be started for
            stop_workers([*futures.values(), *shared, *analysed], server)
            raise
        with run.part("objects"):
            run.objects, wrong = verify_objects(cargo.plan, cargo.catalog, held, cargo.census)
            wrong = excuse_hooks(wrong, run.hooks.runs, held.schema)
            wrong += compare_columns(cargo.plan, server, held)
            wrong += compare_parts(proofs, cargo.census)
            if expected is not None:
                named = {(found.object_kind, found.object_name, found.table) for found in wrong}
                others = compare_catalogs(expected, held)
                wrong += tuple(f for f in others if (f.object_kind, f.object_name, f.table) not in named)
        if not wrong and not any(proof.mismatch_count for proof in proofs):  # else other answers are no wonder
            with run.part("behaviour"):
                wrong, notes = verify_behaviour(
                    cargo.plan,
                    cargo.snapshot,
                    reader,
                    held,
                    show_values=run.options.show_values,
                    scratch_dir=scratch,
                    observe=run.observe,
                )
            if notes and run.plan is not None:
                run.plan = replace(run.plan, findings=(*run.plan.findings, *notes))
    run.tables = tuple(map(run.report_table, proofs))
    run.conversions = tuple(found for proof in proofs for found in proof.conversions)
    run.mismatches = (*(found for proof in proofs for found in proof.mismatches), *wrong)
    run.mismatch_count = sum(proof.mismatch_count for proof in proofs) + len(wrong)
    return not run.mismatch_count and all(table.verdict == "proven" for table in run.tables)
