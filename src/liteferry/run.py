"""One run: its directory, its clock, what happened, and the report that comes out of it.

Layer 3. Used by the use cases that go through it (`pipeline`, `course`, `arrival`, `django_move`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import secrets
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from liteferry import __version__
from liteferry.clock import Clock
from liteferry.compiled import list_parts
from liteferry.errors import ExitStatus, MigrationError
from liteferry.forecast import add_work, measure_window, weigh_plan
from liteferry.journal import JOURNAL_NAME
from liteferry.model import (
    KEPT_WHOLE,
    REPORT_SCHEMA,
    ConversionReport,
    DjangoReport,
    Event,
    Failure,
    Forecast,
    KeyTrial,
    Mismatch,
    ObjectCounts,
    Options,
    PhaseTime,
    Plan,
    Report,
    ServerInfo,
    ServerSpeed,
    SourceInfo,
    TableReport,
    TargetCatalog,
    TypeUse,
    Verdict,
    Work,
    encode_json,
    from_json,
)
from liteferry.scripts import HookLog
from liteferry.source import show_path
from liteferry.source.copying import SNAPSHOT_NAME
from liteferry.source.keeping import QUARANTINE_NAME
from liteferry.source.offenders import OFFENDERS_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from liteferry.proof import TableProof
    from liteferry.source import Snapshot

T = TypeVar("T")

REPORT_NAME: Final = "report.json"
PLAN_NAME: Final = "plan.json"
PUBLISHED_NAME: Final = "published.json"
AS_IT_WAS: Final = "the target is as it was"

MOST_CHOSEN_JOBS: Final = 4

_DEFAULTS: Final = Options()

EXIT_OF_VERDICT: Final[dict[Verdict, ExitStatus]] = {
    "proven": ExitStatus.PROVEN,
    "not proven": ExitStatus.MISMATCH,
    "mismatch": ExitStatus.MISMATCH,
    "blocked": ExitStatus.BLOCKED,
    "failed": ExitStatus.UNDONE,
}


def spell_options(options: Options) -> tuple[str, ...]:
    """The words of a command line that moves the same things in the same way; decisions and schema apart. Pure."""
    words = ["--config", options.config.path] if options.config else []
    for name in ("names", "timestamps", "nocase"):
        if (value := getattr(options, name)) != getattr(_DEFAULTS, name):
            words += [f"--{name}", value]
    for name in ("only", "exclude"):
        for pattern in getattr(options, name):
            words += [f"--{name}", pattern]
    for cast in options.casts:
        if cast.column:
            words += ["--cast", f"{cast.column}={cast.pg_type}"]
    return tuple(words)


class Run:
    """A run in progress. Watches every event on its way to the user, and keeps what the report needs."""

    def __init__(self, source: str | Path, options: Options, observe: Callable[[Event], None]) -> None:
        """Start the clock."""
        self._clock = Clock()
        self._watchers: list[Callable[[Event], None]] = [self._count, observe]
        self._loaded: dict[str, Event] = {}
        self._guard = threading.RLock()
        self._made_directories: list[Path] = []
        self.started = datetime.now(UTC)
        self.run_id = f"{self.started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        self.path = Path(source)
        self.options = options
        self.directory: Path | None = None
        self.source: SourceInfo | None = None
        self.server: ServerInfo | None = None
        self.plan: Plan | None = None
        self.jobs = 1
        self.work: Work | None = None
        self.speed: ServerSpeed | None = None
        self.forecast: Forecast | None = None
        self.tables: tuple[TableReport, ...] = ()
        self.objects = ObjectCounts()
        self.mismatches: tuple[Mismatch, ...] = ()
        self.mismatch_count = 0
        self.key_trials: tuple[KeyTrial, ...] = ()
        self.conversions: tuple[ConversionReport, ...] | None = None  # as the proof counted them
        self.writers: dict[str, list[str]] = {}  # the transactions that wrote each table's rows
        self.hooks = HookLog()
        self.hook_remains: list[str] = []  # what undo files could not take back
        self.django: DjangoReport | None = None
        self.staged: TargetCatalog | None = None  # what is in staging, as it was compared
        self.begun = False  # the target was touched
        self.publishing: tuple[tuple[str, str, int], ...] | None = None  # what the commit makes appear
        self.published = False
        self.staging_kept = False
        self.keeps_offenders = False  # the list of them outlives the run
        self.offenders: Path | None = None  # where it is, when there are any

    def watch(self, watcher: Callable[[Event], None]) -> None:
        """Show every further event to one more watcher."""
        self._watchers.append(watcher)

    def observe(self, event: Event) -> None:
        """Pass an event on, from whatever thread; watchers see one at a time."""
        with self._guard:
            for watcher in self._watchers:
                watcher(event)

    def note(self, message: str) -> None:
        """Tell the user something."""
        self.observe(Event(kind="note", message=message))

    def warn(self, message: str) -> None:
        """Tell what nobody may miss. It is no part of what came out: that stands where an observer cannot write."""
        with contextlib.suppress(OSError):
            self.observe(Event(kind="warning", message=message))

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase, whatever becomes of it."""
        self.observe(Event(kind="phase-start", phase=name))
        begun = time.monotonic()
        outcome = "stopped"
        try:
            yield
            outcome = ""
        finally:
            self.observe(Event(kind="phase-end", phase=name, elapsed_s=time.monotonic() - begun, message=outcome))

    def part(self, name: str) -> AbstractContextManager[None]:
        """Time a part of the phase that is open."""
        return self._clock.part(name)

    @property
    def phases(self) -> tuple[PhaseTime, ...]:
        """The phases that have ended."""
        return self._clock.phases

    @property
    def directory_of_runs(self) -> Path | None:
        """Where the runs of this source lie, unless the user says otherwise; None where there is no such directory."""
        found = self.path.with_name(self.path.name + ".liteferry")
        return found if os.path.isdir(found) else None  # noqa: PTH112 - Path.is_dir raises for a name that is too long

    def _count(self, event: Event) -> None:
        self._clock.note(event)
        if event.kind == "step-end" and event.step_id.startswith("data/table/"):
            self._loaded[event.step_id.removeprefix("data/table/")] = event

    def weigh(self, plan: Plan, held: TargetCatalog | None = None) -> None:
        """Count what a plan has to do. held: the schema, where an application makes it."""
        self.work = weigh_plan(plan, source_bytes=self.source.size_bytes if self.source else 0, held=held)

    def loaded(self, target: str) -> Event:
        """What the load counted for a table of the target; zeros when it did not get there."""
        return self._loaded.get(target, Event(kind="step-end"))

    @property
    def good_verdict(self) -> Verdict:
        """What a run that published is called: proven, unless it was told not to prove."""
        return "proven" if self.options.verify else "not proven"

    def report_table(self, proof: TableProof) -> TableReport:
        """What became of one table: what the load counted, and what the proof found."""
        loaded = self.loaded(proof.target)
        return TableReport(
            name=proof.table,
            target=proof.target,
            part=proof.part,
            rows_source=proof.rows_source,
            rows_target=proof.rows_target,
            bytes=loaded.size_bytes,
            elapsed_s=loaded.elapsed_s,
            values_compared=proof.values_compared,
            digest=proof.target_digest.text,
            verdict=proof.verdict,
            proof_elapsed_s=proof.elapsed_s,
            method=proof.method,
        )

    def report_unpublished(
        self, plan: Plan, directory: Path, failure: MigrationError | None, left: str, *, interrupted: bool
    ) -> Report:
        """Report a run that published nothing: for a failure, or without one for what the proof found.

        left: what could not be taken back, "" when all is well.
        Raises: KeyboardInterrupt, the report written, where that is what ended the run.
        """
        self.tables = self.tables or list_unproven(plan, self)
        if failure is None:
            return self.report("mismatch")
        status = ExitStatus.INTERRUPTED if failure.code == "interrupted" else ExitStatus.UNDONE
        report = self.report("failed", describe_failure(failure, left), exit_status=int(status))
        if interrupted:
            self.write_report(directory, report)
            raise KeyboardInterrupt(left or AS_IT_WAS) from None
        return report

    def save_offenders(self, snapshot: Snapshot) -> None:
        """Write the list of offenders down; the report names it where it stays. Raises: MigrationError."""
        store = snapshot.offenders
        if store is not None and store.save() and self.keeps_offenders:
            self.offenders = store.path

    def make_directory(self) -> Path:
        """Make the run directory, open to its owner alone: the user's, or beside the source and named by time.

        Raises: MigrationError (run-dir) when it cannot be made, or is not empty.
        """
        wanted = self.options.run_dir
        if wanted is not None:
            directory = Path(wanted)
        else:
            directory = self.path.with_name(self.path.name + ".liteferry") / f"{self.started:%Y-%m-%dT%H%M%S}"
        try:
            if wanted is None and directory.exists():
                directory = directory.with_name(f"{directory.name}-{self.run_id[-6:]}")
            missing = [path for path in (directory, *directory.parents) if not path.exists()]
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._made_directories = missing
            held = sorted(entry.name for entry in directory.iterdir())
        except OSError as error:
            raise MigrationError(
                f"the run directory {directory} cannot be made: {error.strerror or error}",
                code="run-dir",
                hint="name a directory that you may write to with --run-dir",
            ) from error
        if held:
            raise MigrationError(
                f"the run directory {directory} is not empty: it holds {held[0]}",
                code="run-dir",
                hint="give another --run-dir, or leave it out",
            )
        self.directory = directory.absolute()
        return self.directory

    def discard_directory(self) -> None:
        """Take away the run directory, and what the run has put into it: it was refused before it began."""
        if self.directory is not None:
            for name in (
                PLAN_NAME,
                PUBLISHED_NAME,
                JOURNAL_NAME,
                SNAPSHOT_NAME,
                OFFENDERS_NAME,
                QUARANTINE_NAME,
                REPORT_NAME,
                "report.md",
                "report.html",
            ):
                for path in (self.directory / name, self.directory / f"{name}.part"):
                    with contextlib.suppress(OSError):  # it is not there; or the disk takes nothing any more
                        path.unlink()
        for directory in self._made_directories:  # the innermost first
            with contextlib.suppress(OSError):  # somebody else has put something there
                directory.rmdir()

    def report(self, verdict: Verdict, failure: Failure | None = None, *, exit_status: int | None = None) -> Report:
        """Write down what came out, as of now."""
        plan = self.plan
        is_whole = verdict in {"proven", "not proven"} and (self.published or self.options.rehearsal)
        return Report(
            schema=REPORT_SCHEMA,
            verdict=verdict,
            exit_status=int(EXIT_OF_VERDICT[verdict]) if exit_status is None else exit_status,
            liteferry_version=__version__,
            python_version=platform.python_version(),
            compiled=tuple(name for name, is_used in list_parts().items() if is_used),
            run_id=self.run_id,
            started_at=self.started.isoformat(timespec="seconds"),
            elapsed_s=self._clock.now_s,
            run_dir=show_path(self.directory) if self.directory else "",
            source=self.source
            or SourceInfo(
                path=show_path(self.path), size_bytes=0, sha256="", sqlite_version="", encoding="", journal_mode=""
            ),
            target=self.server,
            target_schema=plan.target_schema if plan else self.options.schema,
            phases=self.describe_phases(),
            tables=self.tables,
            objects=self.objects,
            findings=plan.findings if plan else (),
            mismatches=self.mismatches,
            mismatch_count=self.mismatch_count,
            names=plan.names if plan else (),
            types=count_types(plan) if plan else (),
            key_trials=self.key_trials,
            conversions=self._list_conversions(plan),
            config=self.options.config,
            options=spell_options(self.options),
            hooks=tuple(self.hooks.runs),
            published=self.published and not self.options.rehearsal,
            jobs=self.jobs,
            failure=failure,
            apart=plan.apart if plan else (),
            offenders=show_path(self.offenders) if self.offenders else "",
            into=plan.into if plan else self.options.into,
            django=self.django,
            rehearsal=self.options.rehearsal,
            window=measure_window(self.phases, is_rehearsal=self.options.rehearsal) if is_whole else None,
            forecast=self.forecast,
            work=self.work,
            server_speed=self.speed,
        )

    def describe_phases(self) -> tuple[PhaseTime, ...]:
        """The phases that have ended, each with what it went through."""
        loaded = self._loaded.values()
        return add_work(
            self.phases,
            source_bytes=self.source.size_bytes if self.source else 0,
            work=self.work,
            loaded=(sum(event.rows for event in loaded), sum(event.size_bytes for event in loaded)),
            proven=sum(table.rows_target for table in self.tables if table.values_compared),
        )

    def _list_conversions(self, plan: Plan | None) -> tuple[ConversionReport, ...]:
        """What was made of values; of a project's columns only where anything was: its fields decide for every one."""
        found = list_conversions(plan) if plan and self.conversions is None else self.conversions or ()
        return tuple(one for one in found if one.values or self.django is None)

    def write_provisional(self, report: Report) -> None:
        """Write what would have to be known if the process were killed now. Raises: MigrationError."""
        if self.directory is not None:
            from liteferry.report.summary import render_json

            write_private(self.directory / REPORT_NAME, render_json(report))

    def write_published(self, staged: TargetCatalog) -> None:
        """Write down what is about to be published, definition by definition. Raises: MigrationError."""
        if self.directory is not None:
            write_private(self.directory / PUBLISHED_NAME, encode_json(staged))

    def write_down(self, write: Callable[[], None]) -> None:
        """Write down in the journal what came out; it stands whether or not that is possible, which is only noted."""
        try:
            write()
        except MigrationError as error:
            self.warn(str(error))

    def write_report(self, directory: Path, report: Report) -> Report:
        """Write the report into the run directory, in every form; returns it.

        What came out stands whether or not it can be written down: where the disk is full, that is only noted.
        """
        try:
            write_reports(directory, report, self.plan)
        except MigrationError as error:
            self.warn(f"the report could not be written down in full: {error}")
        return report


def choose_jobs(wanted: int) -> int:
    """How many workers load at once. 0: one a core, at most four.

    The compiled encoder reads, encodes and sends two million rows in 0.8 s of a core, which the server takes 1.9 s to
    2.1 s to write: it is the server's cores that more workers would need, and each of its sessions its memory.
    """
    return wanted if wanted > 0 else max(1, min(MOST_CHOSEN_JOBS, os.cpu_count() or 1))


def write_reports(directory: Path, report: Report, plan: Plan | None) -> None:
    """Write a report in every form. Raises: MigrationError: disk-full, run-dir."""
    from liteferry.report import render_html, render_json, render_markdown

    write_private(directory / REPORT_NAME, render_json(report))
    write_private(directory / "report.md", render_markdown(report, plan=plan))
    write_private(directory / "report.html", render_html(report, plan=plan))


def count_types(plan: Plan) -> tuple[TypeUse, ...]:
    """Count how often each declared type became which PostgreSQL type, by which rule. Pure."""
    uses = Counter(
        (column.declared_type.upper(), column.pg_type, column.rule)
        for table in plan.counterparts
        for column in table.columns
    )
    return tuple(
        TypeUse(declared_type=declared, pg_type=pg_type, rule=rule, columns=count)
        for (declared, pg_type, rule), count in sorted(uses.items(), key=lambda item: (-item[1], item[0]))
    )


def list_conversions(plan: Plan) -> tuple[ConversionReport, ...]:
    """What the plan makes of values, as the census counted them. Pure."""
    return tuple(
        ConversionReport(
            table=table.source,
            column=column.source,
            pg_type=column.pg_type,
            conversions=column.conversions,
            values=column.converted,
        )
        for table in plan.tables
        for column in table.columns
        if column.conversions and KEPT_WHOLE not in column.conversions
    )


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that its owner alone may read: complete under its name, or not there at all. content: in UTF-8.

    Raises: MigrationError: disk-full, run-dir.
    """
    waiting = path.with_name(path.name + ".part")
    try:
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(descriptor)
        waiting.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # the disk may have been made read-only, as after an error of its own
            waiting.unlink()
        raise MigrationError(
            f"{path} cannot be written: {error.strerror or error}",
            code="disk-full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "run-dir",
            hint="make room there, or name a directory on another disk with --run-dir",
        ) from error


def describe_failure(error: MigrationError, left: str = "") -> Failure:
    """An error as the report keeps it. left: what could not be taken back. Pure."""
    hint = "; ".join(part for part in (left, error.hint) if part)
    return Failure(code=error.code, what=str(error), hint=hint, step_id=error.step_id or "", is_settled=not left)


def list_unproven(plan: Plan, run: Run, mismatched: Sequence[str] = ()) -> tuple[TableReport, ...]:
    """The tables of a run that was not proven: what the load counted, and nothing more."""
    return tuple(
        TableReport(
            name=table.source,
            target=table.target,
            rows_source=table.rows,
            rows_target=run.loaded(table.target).rows,
            bytes=run.loaded(table.target).size_bytes,
            elapsed_s=run.loaded(table.target).elapsed_s,
            values_compared=0,
            digest="",
            verdict="mismatch" if table.source in mismatched else "not proven",
            part=table.part,
        )
        for table in plan.tables
    )


def read_report(directory: Path) -> Report:
    """Read a run's report back. Raises: MigrationError (run-dir)."""
    return read_saved(directory, REPORT_NAME, Report)


def read_plan(directory: Path) -> Plan:
    """Read a run's plan back. Raises: MigrationError (run-dir)."""
    return read_saved(directory, PLAN_NAME, Plan)


def read_published(directory: Path) -> TargetCatalog:
    """Read back what a run published: staging's catalogue as it was compared. Raises: MigrationError (run-dir)."""
    return read_saved(directory, PUBLISHED_NAME, TargetCatalog)


def read_saved(directory: Path, name: str, cls: type[T]) -> T:
    """Read a file of a run's directory back. Raises: MigrationError (run-dir)."""
    path = directory / name
    try:
        return from_json(cls, path.read_bytes())
    except OSError as error:
        raise MigrationError(
            f"{directory} is not the directory of a finished run: {name}: {error.strerror or error}",
            code="run-dir",
            hint="`liteferry migrate` names the run directory at its end; it lies beside the source by default",
        ) from error
    except ValueError as error:
        raise MigrationError(
            f"{path} cannot be read: {error}", code="run-dir", hint="was it written by another version of liteferry?"
        ) from error
