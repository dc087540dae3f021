"""A run that is broken off between any two things that it does: the target is as before, or all is there."""

from __future__ import annotations

import errno
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from harness import SHOP, has_schema, list_directory, list_relations, make_shop, read_everything, run_ferry, untouched
from liteferry import ExitStatus, Options, migrate, report, undo
from liteferry.run import read_report

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry import Event, Report

STAGING = "liteferry_staging_public"
PHASES = ("snapshot", "census", "plan", "load", "constraints", "proof", "publish")
NOT_BEGUN = ("snapshot", "census", "plan")

BOUNDARIES = [(f"phase-{end}", phase, "") for phase in PHASES for end in ("start", "end")] + [
    ("step-end", "snapshot", "snapshot/copy"),
    ("step-end", "pre-data", "pre-data/schema"),
    ("step-end", "pre-data", "pre-data/table/purchase"),
    ("step-start", "load", "data/table/note"),
    ("step-end", "load", "data/table/note"),
    ("step-end", "post-data", "post-data/primary-key/customer_pkey"),
    ("step-end", "post-data", "post-data/view/large_purchase"),
    ("step-start", "proof", "verify/purchase"),
    ("step-end", "proof", "verify/note"),
]


class BrokenError(Exception):
    """What an observer of somebody else's may raise."""


@dataclass
class Breaker:
    """An observer that raises at one event: at the first of this sort, or the one of this number."""

    error: BaseException
    place: tuple[str, str, str] | None = None
    number: int = -1
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    broke: bool = False

    def __call__(self, event: Event) -> None:
        place = (event.kind, event.phase, event.step_id)
        self.seen.append(place)
        if not self.broke and (place == self.place or len(self.seen) - 1 == self.number):
            self.broke = True
            raise self.error


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return make_shop(tmp_path / "source" / "shop.sqlite", rows=50)


def read_state(run_dir: Path) -> str:
    with closing(sqlite3.connect(run_dir / "journal.sqlite")) as db:
        (state,) = db.execute("SELECT value FROM run WHERE key = 'state'").fetchone()
        return str(state)


def break_off(source: Path, run_dir: Path, url: str, breaker: Breaker) -> bool:
    """Whether the run went on to its end nevertheless, as it may when an interrupt comes too late."""
    try:
        report = migrate(source, url, Options(run_dir=str(run_dir), jobs=2), breaker)
    except type(breaker.error):
        return False
    assert breaker.broke, f"{breaker.place} never happened"
    assert (report.verdict, report.published) == ("proven", True)
    return True


@pytest.mark.parametrize("place", BOUNDARIES, ids=[" ".join(filter(None, place)) for place in BOUNDARIES])
def test_an_interrupt(place: tuple[str, str, str], shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    before, run_dir = read_everything(pg_admin_url), tmp_path / "run"
    with untouched(shop):
        ended = break_off(shop, run_dir, pg_url, Breaker(KeyboardInterrupt(), place))
    published = place == ("phase-end", "publish", "")
    assert ended == published
    if published:
        assert list_relations(pg_admin_url) == SHOP
        assert read_state(run_dir) == "published"
        undo(run_dir, pg_url)
    elif place[1] in NOT_BEGUN:
        assert not run_dir.exists()
    else:
        report = read_report(run_dir)
        assert (report.verdict, report.exit_status) == ("failed", ExitStatus.INTERRUPTED)
        assert report.failure is not None
        assert report.failure.code == "interrupted"
        assert read_state(run_dir) == "failed"
        assert sorted(path.name for path in run_dir.iterdir()) == [
            "journal.sqlite", "plan.json", "report.html", "report.json", "report.md",
        ]  # fmt: skip
    assert read_everything(pg_admin_url) == before


@pytest.mark.parametrize("place", BOUNDARIES[::3], ids=[" ".join(filter(None, place)) for place in BOUNDARIES[::3]])
def test_an_error_of_the_observer(
    place: tuple[str, str, str], shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    """It is a bug, and is raised as it is; but nothing is left behind."""
    before = read_everything(pg_admin_url)
    with untouched(shop):
        assert not break_off(shop, tmp_path / "run", pg_url, Breaker(BrokenError(), place))
    assert read_everything(pg_admin_url) == before


def test_an_error_of_the_observer_when_all_is_published(
    shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    assert not break_off(shop, tmp_path / "run", pg_url, Breaker(BrokenError(), ("phase-end", "publish", "")))
    assert list_relations(pg_admin_url) == SHOP
    report = read_report(tmp_path / "run")
    assert (report.verdict, report.published) == ("proven", True)
    assert undo(tmp_path / "run", pg_url).undone_at


NOTHING_MORE = [
    (OSError(errno.EMFILE, "Too many open files", "x.sqlite"), "system-error", "Too many open files: x.sqlite"),
    (OSError(errno.ENOSPC, "No space left on device"), "disk-full", "No space left on device"),
    (MemoryError(), "system-error", "no more memory"),
    (RuntimeError("can't start new thread"), "system-error", "no more threads"),
]


@pytest.mark.parametrize("place", [("phase-start", "load", ""), ("phase-start", "proof", "")])
@pytest.mark.parametrize(("error", "code", "named"), NOTHING_MORE, ids=[row[2] for row in NOTHING_MORE])
def test_the_system_has_no_more_of_something(
    error: Exception, code: str, named: str, place: tuple[str, str, str], shop: Path, tmp_path: Path, pg_url: str,
    pg_admin_url: str,
) -> None:  # fmt: skip
    """It is no bug of ours: the run fails, takes everything back, and reports it."""
    before = read_everything(pg_admin_url)
    with untouched(shop):
        report = migrate(shop, pg_url, Options(run_dir=str(tmp_path / "run")), Breaker(error, place))
    assert (report.verdict, report.exit_status, report.published) == ("failed", ExitStatus.UNDONE, False)
    assert report.failure is not None
    assert report.failure.code == code
    assert named in report.failure.what
    assert read_report(tmp_path / "run") == report
    assert read_everything(pg_admin_url) == before


@pytest.mark.parametrize("prefix", ["liteferry-load", "liteferry-proof"])
def test_one_thread_cannot_be_started(
    prefix: str, shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was given to the others is broken off."""
    before, start = read_everything(pg_admin_url), threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == f"{prefix}_1":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    report = migrate(shop, pg_url, Options(run_dir=str(tmp_path / "run"), jobs=3))
    assert (report.verdict, report.exit_status) == ("failed", ExitStatus.UNDONE)
    assert report.failure is not None
    assert "no more threads" in report.failure.what
    assert read_everything(pg_admin_url) == before


def test_no_more_files_may_be_opened(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    """Wherever that happens: what is said, and what the status means."""
    before, codes = read_everything(pg_admin_url), set[str]()
    for most in range(6, 40, 3):
        run_dir = tmp_path / f"run{most}"
        outcome = run_ferry(
            *("migrate", shop, pg_url, "--yes", "--json", "--jobs", "16", "--run-dir", run_dir), limit=f"-n {most}"
        )
        assert "Traceback" not in outcome.err, most
        if outcome.status == ExitStatus.PROVEN:
            undo(run_dir, pg_url)
        else:
            codes.add(outcome.json["code"] if outcome.status == ExitStatus.ERROR else outcome.json["failure"]["code"])
        assert read_everything(pg_admin_url) == before, most
    assert "system-error" in codes


def test_the_default_run_directory_goes_too(shop: Path, pg_url: str) -> None:
    with untouched(shop), pytest.raises(KeyboardInterrupt):
        migrate(shop, pg_url, Options(), Breaker(KeyboardInterrupt(), ("phase-start", "plan", "")))


def test_without_a_snapshot(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    """The run is in a child process, which is told, and takes everything back before it ends."""
    before = read_everything(pg_admin_url)
    for place in (("phase-start", "census", ""), ("step-end", "load", "data/table/note"), ("phase-start", "proof", "")):
        run_dir = tmp_path / f"run-{place[1]}"
        options = Options(run_dir=str(run_dir), snapshot="none")
        with untouched(shop), pytest.raises(KeyboardInterrupt):
            migrate(shop, pg_url, options, Breaker(KeyboardInterrupt(), place))
        assert read_everything(pg_admin_url) == before


def test_the_staging_schema_is_kept_where_asked_for(shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    options = Options(run_dir=str(tmp_path / "run"), keep_staging=True)
    with pytest.raises(KeyboardInterrupt):
        migrate(shop, pg_url, options, Breaker(KeyboardInterrupt(), ("phase-start", "proof", "")))
    assert list_relations(pg_admin_url) == []
    assert list_relations(pg_admin_url, STAGING) == SHOP


@pytest.mark.slow
@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenError()], ids=repr)
@pytest.mark.parametrize("snapshot", ["copy", "none"])
def test_every_single_event(
    error: BaseException, snapshot: str, shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str
) -> None:
    before = read_everything(pg_admin_url)
    counter = Breaker(error)
    options = Options(snapshot=snapshot, jobs=1)  # type: ignore[arg-type]  # the two literals above
    migrate(shop, pg_url, Options(run_dir=str(tmp_path / "whole"), jobs=1), counter)
    undo(tmp_path / "whole", pg_url)
    for number in range(len(counter.seen)):
        breaker, run_dir = Breaker(error, number=number), tmp_path / f"run-{number}"
        try:
            report = migrate(shop, pg_url, Options(run_dir=str(run_dir), jobs=1, snapshot=options.snapshot), breaker)
        except type(error):
            published = (run_dir / "report.json").exists() and read_report(run_dir).published
        else:
            published = report.published
        assert published == (read_everything(pg_admin_url) != before), breaker.seen[-1]
        if published:
            assert list_relations(pg_admin_url) == SHOP
            undo(run_dir, pg_url)
        assert read_everything(pg_admin_url) == before, breaker.seen[-1]
        assert not has_schema(pg_admin_url, STAGING)
    assert list_directory(shop.parent).keys() == {"shop.sqlite"}


def test_while_the_report_is_written(
    shop: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is published by then: the interrupt is too late, and the report is written nevertheless."""
    real, interrupts = report.render_html, iter([KeyboardInterrupt()])

    def render_html(found: Report, **options: object) -> str:
        for interrupt in interrupts:
            raise interrupt
        return real(found, **options)  # type: ignore[arg-type]  # whatever it was called with

    monkeypatch.setattr("liteferry.report.render_html", render_html)
    found = migrate(shop, pg_url, Options(run_dir=str(tmp_path / "run")))
    assert (found.verdict, found.published) == ("proven", True)
    assert read_report(tmp_path / "run").verdict == "proven"
    assert (tmp_path / "run" / "report.html").exists()
    assert list_relations(pg_admin_url) == SHOP
