"""The proof of a Django project's move alone, whoever moved it and whenever.

Layer 3.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.arrival import verify_arrival
from liteferry.course import scratch_dir
from liteferry.django_move.evidence import read_by_orm
from liteferry.django_move.journey import Journey, set_out
from liteferry.django_move.planning import decide, make_staging, open_embedded, read_target_models
from liteferry.django_move.start import begin
from liteferry.django_rules.refining import refine_findings
from liteferry.errors import MigrationError
from liteferry.expectation import decide_as
from liteferry.model import Event, Options, ignore
from liteferry.names import staging_name
from liteferry.planner.missing import recount_missing
from liteferry.proof import compare_catalogs
from liteferry.run import PUBLISHED_NAME, Run, read_plan, read_published
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from liteferry.model import Mismatch, Report, TargetCatalog
    from liteferry.target import Target

_DEFAULT_SCHEMA: Final = Options().schema
_NAMED: Final = 5


def verify_project(target: str | None, options: Options, observe: Callable[[Event], None] = ignore) -> Report:
    """Prove that a target holds what the project's database holds, whoever moved it and whenever.

    Every value, and the catalogue: against what the run of `Options.run_dir` published, where one is given. Raises:
    MigrationError.
    """
    start = begin(target, options)
    if start.target is None:
        raise MigrationError(
            "there is no target to verify",
            code="usage",
            hint="name it: TARGET, --target-alias, or DATABASE_URL",
        )
    made = read_plan(Path(options.run_dir)) if options.run_dir is not None else None
    if made is not None and options.schema == _DEFAULT_SCHEMA:
        options = replace(options, schema=made.target_schema)
    run = Run(start.path, options, observe)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(open_target(start.target))
        run.server = server.info
        scratch = stack.enter_context(scratch_dir())
        rules = options.prune if made is None else made.decided.prune if made.decided is not None else ()
        journey = stack.enter_context(set_out(run, start, scratch, rules))
        run.options = options if made is None else decide_as(made, options)
        decided = decide(journey, read_target_models(journey, server, options.schema))
        run.options = replace(decided, into="existing", accept=decided.accept or ("all",))
        report = verify_arrival(run, None, server, journey.snapshot, str(start.path), scratch)
        expected = _expect_catalog(journey, server, options)
        if expected is not None:
            wrong = _compare_own(run, expected, server.read_catalog(options.schema))
            run.mismatches += wrong
            run.mismatch_count += len(wrong)
        good = not run.mismatch_count and report.verdict == "proven"
        if run.plan is not None and not read_by_orm(journey, server, run.plan, options.schema):
            good = False
        if run.plan is not None:  # rows that differ are told as differences: nobody is asked whether they may go
            findings = refine_findings(found for found in run.plan.findings if found.code != "seeded-rows")
            run.plan = replace(run.plan, into="django", findings=findings)
            run.objects = recount_missing(run.objects, findings)
        return run.report("mismatch" if not good and report.verdict == "proven" else report.verdict)


def _compare_own(run: Run, expected: TargetCatalog, held: TargetCatalog) -> tuple[Mismatch, ...]:
    """Compare what is the project's, in a schema that others may use, too: what else is there is noted."""
    own = {table.name for table in expected.tables} | {view.name for view in expected.views}
    restricted = replace(
        held,
        tables=tuple(found for found in held.tables if found.name in own),
        views=tuple(found for found in held.views if found.name in own),
    )
    found = compare_catalogs(expected, restricted)
    beside = [one for one in found if not one.table and one.source == "not declared"]
    names_held = [*(table.name for table in held.tables), *(view.name for view in held.views)]
    strangers = [name for name in names_held if name not in own]
    strangers += [one.object_name or "" for one in beside]
    if strangers:
        more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
        names = ", ".join(strangers[:_NAMED])
        run.note(f"in schema {held.schema} there is also what is not the project's: {names}{more}")
    return tuple(one for one in found if one not in beside)


def _expect_catalog(journey: Journey, server: Target, options: Options) -> TargetCatalog | None:
    """What the definitions must be: as the run published them, else as the migrations make them on the embedded server.

    None where neither can be had for this major version of PostgreSQL, which the run then notes.
    """
    major = server.info.version_num // 10_000
    if options.run_dir is not None and (Path(options.run_dir) / PUBLISHED_NAME).exists():
        published = read_published(Path(options.run_dir))
        if published.version_num // 10_000 == major:
            return published
    with open_embedded(journey) as own:
        if own.info.version_num // 10_000 != major:
            journey.run.note(
                f"the definitions were not compared: the embedded server is PostgreSQL {own.info.version}, the target"
                f" {server.info.version}; --run-dir names the run that published them"
            )
            return None
        with journey.run.phase("schema"):
            return make_staging(journey, own, staging_name(options.schema)).catalog
