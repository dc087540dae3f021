"""What `verify` holds a target against: an earlier run's plan and definitions, or those that a plan makes here.

Layer 3. Used by `pipeline`, `arrival` and `django_move`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from liteferry.errors import MigrationError
from liteferry.findings import make_finding
from liteferry.run import PUBLISHED_NAME, read_published

if TYPE_CHECKING:
    from liteferry.model import Catalog, Census, Options, Plan, TableMap, TargetCatalog
    from liteferry.run import Run
    from liteferry.target import Target


def expect_definitions(run: Run, made: Plan, server: Target) -> TargetCatalog | None:
    """What the target's definitions must be: as they were published, or else as the plan's SQL makes them here.

    Another major version of PostgreSQL may render the same definition otherwise: then the plan's SQL is the measure,
    too. Where it cannot be run, the plan gets a finding that says so.
    """
    if run.options.run_dir is not None and (Path(run.options.run_dir) / PUBLISHED_NAME).exists():
        published = read_published(Path(run.options.run_dir))
        if published.version_num // 10_000 == server.info.version_num // 10_000:
            return published
    statements = [
        statement
        for step in made.steps
        if step.phase in {"pre-data", "post-data"} and not step.id.startswith("post-data/analyze/") and not step.hook
        for statement in step.sql
    ]
    try:
        return server.try_out(statements, made.staging_schema)
    except MigrationError as error:
        if error.code not in {"no-create-right", "step-failed", "target-busy"}:
            raise
        finding = make_finding("definitions-not-compared", f"the objects' definitions were not compared: {error.what}")
        run.plan = replace(made, findings=(*made.findings, finding))
        return None


def refuse_other_source(made: Plan, catalog: Catalog, source: str) -> None:
    """Refuse a source without a table or column that the plan carries. Raises: MigrationError (run-dir)."""
    columns = {table.name: {column.name for column in table.columns} for table in catalog.tables}
    for table in made.counterparts:
        missing = [column.source for column in table.columns if column.source not in columns.get(table.source, ())]
        if table.source not in columns or missing:
            what = f"table {table.source}" if table.source not in columns else f"column {table.source}.{missing[0]}"
            raise MigrationError(
                f"{source} has no {what}, which the plan in the run directory carries",
                code="run-dir",
                hint="is this the source of that run? Without --run-dir a plan is made anew",
            )


def decide_as(made: Plan, options: Options) -> Options:
    """The options of the run that made a plan, as far as they say which rows, and what becomes of values. Pure."""
    decided = made.decided
    options = replace(options, only=tuple(table.source for table in made.counterparts), exclude=())
    if decided is None:
        return options
    return replace(
        options,
        accept=decided.accept,
        decisions=decided.decisions,
        casts=decided.casts,
        timestamps=decided.timestamps,
        project=options.project and replace(options.project, prune=decided.prune),
    )


def refresh_plan(made: Plan, census: Census) -> Plan:
    """An old plan with the row counts of today's source, and of the rows that are set apart in it."""
    known = {table.table for table in census.tables}
    tables = tuple(_recount(table, census) if table.source in known else table for table in made.tables)
    return replace(made, tables=tables, apart=census.apart)


def _recount(table: TableMap, census: Census) -> TableMap:
    if table.part == "quarantine":
        return replace(table, rows=census.set_apart(table.source).rows)
    counted = census.kept(table.source)
    documents = counted.count_documents(table.columns)
    return replace(table, rows=counted.rows, size_bytes=counted.size_bytes, document_bytes=documents)
