"""The course that every run takes: open the source, open the target, follow a plan as far as it leads, or take it back.

Layer 3. Used by `pipeline` and `django_move`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import ExitStatus, MigrationError, explain_system_error
from liteferry.foresight import foresee, foresee_move, note_forecast
from liteferry.holding import HeldSchema
from liteferry.journal import Journal
from liteferry.model import MOST_JOBS, encode_json
from liteferry.run import AS_IT_WAS, PLAN_NAME, choose_jobs, write_private
from liteferry.source import OffenderStore, open_snapshot, show_path
from liteferry.source.keeping import QUARANTINE_NAME, write_quarantine
from liteferry.source.offenders import OFFENDERS_NAME
from liteferry.staging import publish, settle
from liteferry.target import open_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from liteferry.foresight import Foresight
    from liteferry.model import Options, Plan, Report
    from liteferry.run import Run
    from liteferry.source import Snapshot
    from liteferry.target import Target

_NEEDED_NEXT: Final = (
    "liteferry.quarantine",
    "liteferry.planner",
    "liteferry.executor",
    "liteferry.evidence",
    "liteferry.arrival",
    "liteferry.expressions.scalar",
    "liteferry.expressions.tables",
    "liteferry.report.summary",
    "msgspec",
)
"""Imported while the snapshot is taken."""
LONG_COPY_BYTES: Final = 128_000_000
"""A source of this size is copied and checked in no less time than we take for all that can be got ready meanwhile. Of
a smaller one the pages' templates would make the window longer; they are needed after it."""
EMBEDDED_ROOM: Final = 3
"""How many times the source's size the embedded server's disk must have free: tables, indexes, write-ahead log."""


def refuse_contradictions(options: Options) -> None:
    """Refuse what would have to be ignored: an application's schema has its own names, and no staging schema.

    Also more jobs than make sense. Raises: MigrationError (usage).
    """
    if not 0 <= options.jobs <= MOST_JOBS:
        raise MigrationError(
            f"{options.jobs} jobs are asked for, and at most {MOST_JOBS} make sense",
            code="usage",
            hint="each is a connection to the server; without a number there is one a core, at most four",
        )
    if options.into != "existing" and options.project is None:
        return
    refused = {
        "hooks have no place": bool(options.hooks),
        "cast rules have no meaning": bool(options.casts),
        f"--names {options.names} has no meaning": options.names != "preserve",
        f"--nocase {options.nocase} has no meaning": options.nocase != "auto",
        f"--timestamps {options.timestamps} has no meaning": options.timestamps != "auto",
    }
    for what, is_given in refused.items():
        if is_given:
            raise MigrationError(
                f"{what} in a schema that an application's migrations make",
                code="usage",
                hint="leave them out; its tables, columns, types and names stay as they are",
            )


def refuse_options(target: str | None, options: Options) -> None:
    """Refuse options that contradict each other. Raises: MigrationError (usage)."""
    if options.into == "existing" and target is None:
        raise MigrationError(
            "--into existing needs a TARGET: the database with the application's tables",
            code="usage",
            hint="liteferry migrate SOURCE postgresql://user@host/database --into existing",
        )
    if options.into == "existing" and options.rehearsal:
        raise MigrationError(
            "--into existing cannot be rehearsed: there is no staging schema to rehearse in",
            code="usage",
            hint="`liteferry check` with the same options looks at both sides and touches neither; or rehearse without"
            " --into, into an empty database",
        )
    if options.into == "new" and options.replace_rows:
        raise MigrationError(
            "--replace-rows is for --into existing", code="usage", hint="add --into existing, or leave it out"
        )


def read_schema(server: Target, schema: str, connection: psycopg.Connection | None = None) -> HeldSchema:
    """Read the schema that is there, by the control connection unless one is given.

    Raises: MigrationError (target-missing).
    """
    stamp = server.read_stamp(connection)
    catalog, holding = server.read_catalog(schema, connection), server.read_holding(schema, connection)
    if holding is None:
        raise MigrationError(
            f"database {server.info.database} has no schema {schema}",
            code="target-missing",
            hint="run the application's migrations first, or name the schema with --schema",
        )
    return HeldSchema(catalog=catalog, holding=holding, stamp=stamp)


@contextlib.contextmanager
def read_schema_aside(server: Target, schema: str) -> Iterator[Callable[[], HeldSchema]]:
    """Read the schema that is there while the block does something else. Gives what waits for it, and returns it.

    By the connection that the rows will go through: it knows the schema then. Raises: as `read_schema`; that there is
    none is found at once.
    """
    if server.read_schema_comment(schema) is None:
        read_schema(server, schema)

    def read() -> HeldSchema:
        with server.lend_connection() as connection:
            return read_schema(server, schema, connection)

    with ThreadPoolExecutor(1, thread_name_prefix="liteferry-schema") as aside:
        reading = aside.submit(read)
        try:
            yield reading.result
        except BaseException:
            server.cancel_all()  # nobody waits for it any more: counting rows may take long
            raise


@contextlib.contextmanager
def scratch_dir() -> Iterator[Path]:
    """A directory that goes away again."""
    with tempfile.TemporaryDirectory(prefix="liteferry-") as directory:
        yield Path(directory)


@contextlib.contextmanager
def open_source(
    source: str,
    directory: Path | None,
    run: Run,
    *,
    keep: bool = False,
    prepare: Callable[[Path], int] | None = None,
) -> Iterator[Snapshot]:
    """The snapshot of the source, in a directory of its own unless one is given. prepare: as for `open_snapshot`.

    While it is taken, what a run needs next is imported.
    """
    with contextlib.ExitStack() as stack:
        place = directory or stack.enter_context(scratch_dir())
        with run.phase("snapshot"):
            snapshot = stack.enter_context(
                open_snapshot(
                    source,
                    directory=place,
                    mode=run.options.snapshot,
                    observe=run.observe,
                    keep=keep,
                    prepare=prepare,
                    meanwhile=partial(_get_ready, source if keep else None),
                )
            )
        run.source = replace(snapshot.info, path=show_path(Path(source).absolute()))
        kept = Path(run.options.offenders) if run.options.offenders else None
        list_path = kept or place / OFFENDERS_NAME
        store = OffenderStore(list_path, show_values=run.options.show_values)
        snapshot.offenders = stack.enter_context(contextlib.closing(store))
        run.keeps_offenders = keep or kept is not None
        yield snapshot


def _get_ready(source: str | None) -> None:
    """Import what comes next. source: where reports will be written, too, the file that is being copied."""
    for name in _NEEDED_NEXT:
        importlib.import_module(name)
    size_bytes = 0
    if source is not None:
        with contextlib.suppress(OSError, ValueError):  # the child says what is the matter with the file
            size_bytes = Path(source).stat().st_size  # which opens nothing
    if size_bytes >= LONG_COPY_BYTES:
        from liteferry.report.pages import load_templates

        load_templates()


@contextlib.contextmanager
def open_or_start(target: str | None, run: Run) -> Iterator[Target]:
    """Open the target; without one, start the embedded server and make a database named after the source.

    Where nothing is published, that database goes away again.
    """
    if target is not None:
        with open_target(target) as server:
            run.server = server.info
            yield server
        return
    from liteferry import servers

    if not os.path.isfile(run.path):  # noqa: PTH113 - the same; before a server is started and a database made for nothing
        with open_source(str(run.path), None, run):
            pass
    _check_room(Path(servers.default_home()), run.path)
    embedded = servers.start_server()
    url = servers.create_database(embedded, run.path.stem)
    try:
        with open_target(url) as server:
            run.server = replace(server.info, embedded=True)
            yield server
    finally:
        if run.options.rehearsal or (not run.published and not run.staging_kept):
            servers.drop_database(embedded, url)


def _check_room(home: Path, source: Path) -> None:
    existing = next(path for path in (home, *home.parents) if path.exists())
    free, needed = shutil.disk_usage(existing).free, EMBEDDED_ROOM * source.stat().st_size
    if free < needed:
        raise MigrationError(
            f"the embedded server's disk has {free / 1e6:,.0f} MB free; this source may need {needed / 1e6:,.0f} MB",
            code="disk-space",
            hint="make room, set LITEFERRY_HOME to a directory on a larger disk, or give a TARGET",
        )


def run_through(run: Run, work: Callable[[], Report], name_undone: Callable[[], str] = str) -> Report:
    """Do the work of a move; an interruption that comes while its report is written is too late, and said to be.

    Of a run that had not begun to change anything no directory is left. name_undone: what a run that has published has
    not proven; "" for nothing.
    """
    try:
        return work()
    except BaseException as error:
        if not run.begun:
            run.discard_directory()
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(AS_IT_WAS) from None
        if not isinstance(error, KeyboardInterrupt) or not run.published or run.directory is None:
            raise
    undone = name_undone()
    run.warn("the interruption came too late: everything is published" + (f", and {undone}" if undone else ""))
    return run.write_report(run.directory, run.report("not proven" if undone else run.good_verdict))


def follow_plan(
    run: Run,
    made: Plan,
    snapshot: Snapshot,
    server: Target,
    directory: Path,
    ahead: Foresight,
    carry: Callable[[Journal], Report],
) -> Report:
    """Follow a plan as far as it leads: shown, blocked, or carried out; whatever comes of it is written down.

    ahead: what was found out before the run, to predict its window by.
    """
    run.forecast = foresee(run, made, ahead)
    note_forecast(run)
    if run.options.dry_run:
        return run.report("blocked" if made.blockers else "not proven", exit_status=_dry_status(made))
    with Journal.create(directory, run_id=run.run_id, target=server.describe_address()) as journal:
        run.watch(journal.note_event)
        write_private(directory / PLAN_NAME, encode_json(made))
        if made.blockers:
            journal.set_state("blocked")
            snapshot.discard()
            return run.write_report(directory, run.report("blocked"))
        write_quarantine(directory / QUARANTINE_NAME, made, snapshot)
        report = carry(journal)
        run.write_down(journal.flush)
        return run.write_report(directory, report)


def _dry_status(made: Plan) -> int:
    return int(ExitStatus.BLOCKED if made.blockers else ExitStatus.PROVEN)


def carry_out(
    run: Run,
    plan: Plan,
    server: Target,
    journal: Journal,
    directory: Path,
    work: Callable[[], bool],
    discard: Callable[[], None],
) -> Report:
    """Do the work of a plan that goes through a staging schema; or take everything back.

    work: loads, proves and publishes; returns whether all was proven. discard: takes the snapshot away, where nothing
    was published and nothing is proven by it.
    """
    run.jobs = choose_jobs(run.options.jobs)
    run.begun = True
    failure: MigrationError | None = None
    interrupted = proven = False
    try:
        journal.set_state("running")
        proven = work()
    except MigrationError as error:
        failure = error
    except KeyboardInterrupt:
        failure, interrupted = MigrationError("the run was interrupted", code="interrupted"), True
    except BaseException as error:
        failure = explain_system_error(error)
        if failure is None:  # a bug, ours or the observer's: raised, but nothing half done is left behind it
            settle(run, plan, server, journal)
            if run.published:
                run.write_report(directory, run.report(run.good_verdict))
            raise
    left = "" if run.published and failure is None else settle(run, plan, server, journal)
    if run.published:
        if failure is not None:
            run.warn(f"{failure}; but everything was published by then")
        return _conclude(run, plan)
    if left:
        run.warn(left)
    if proven and failure is None:
        return _conclude(run, plan)
    discard()
    return run.report_unpublished(run.plan or plan, directory, failure, left, interrupted=interrupted)


def publish_or_rehearse(run: Run, plan: Plan, server: Target, journal: Journal) -> None:
    """Publish; in a rehearsal on somebody's server, stop here: `carry_out` takes staging away again."""
    if run.options.rehearsal and run.server is not None and not run.server.embedded:
        run.note("rehearsed: everything was loaded and proven in staging, and nothing is published")
        return
    with run.phase("publish"):
        publish(run, plan, server, journal)


def _conclude(run: Run, plan: Plan) -> Report:
    """Report what came out well; a rehearsal has learned how long the move itself is going to take."""
    if run.options.rehearsal:
        run.forecast = foresee_move(run, plan)
    return run.report(run.good_verdict)
