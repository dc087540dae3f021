"""Faults planted while rows go into an application's schema, and runs broken off in the middle of it.

Whatever is done wrong is named, and the target is exactly as it was: rows, sequences, catalogue.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from application import build, install, read_state
from harness import execute, read_everything, wait_until_alone
from liteferry import Options, migrate, undo
from liteferry.errors import ExitStatus, MigrationError
from liteferry.journal import JOURNAL_NAME, Journal
from liteferry.planner.existing import plan_existing
from liteferry.run import read_report
from liteferry.target import reporting as report_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from liteferry import Event
    from liteferry.model import Plan, Step

OPTIONS = Options(into="existing", replace_rows=("team",))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return build(tmp_path / "app.sqlite")


# ---------------------------------------------------------------------------------------------------------------------
# Planted faults


def leave_out(step_id: str) -> Callable[[Step], Step]:
    return lambda step: replace(step, sql=()) if step.id == step_id else step


def reword(step_id: str, old: str, new: str) -> Callable[[Step], Step]:
    def change(step: Step) -> Step:
        if step.id != step_id:
            return step
        assert any(old in sql for sql in step.sql)
        return replace(step, sql=tuple(sql.replace(old, new) for sql in step.sql if sql.replace(old, new)))

    return change


def do_more(*sql: str) -> Callable[[Step], Step]:
    """Run statements behind everything else, before the proof."""
    return lambda step: replace(step, sql=(*step.sql, *sql)) if step.id == "post-data/analyze/team" else step


COMMENT = """COMMENT ON CONSTRAINT "team_lead_fkey" ON "public"."team" IS 'who''s the lead'"""
PLANTED = [
    ("a trigger not enabled", leave_out("post-data/enable-trigger/person.t_on"), "t_on"),
    ("a trigger in another state", reword("post-data/enable-trigger/team.t_always", " ALWAYS", ""), "t_always"),
    ("a partition's trigger", leave_out("post-data/enable-trigger/event_new.t_part"), "t_part"),
    ("a trigger enabled that was not", do_more("ALTER TABLE public.person ENABLE TRIGGER t_off"), "t_off"),
    ("a foreign key lost", leave_out("post-data/foreign-key/person.person_boss_fkey"), "person_boss_fkey"),
    ("a foreign key from elsewhere", leave_out("post-data/foreign-key/badge.badge_person"), "badge_person"),
    ("a foreign key not valid",
     reword("post-data/foreign-key/person.person_boss_fkey", "SET NULL", "SET NULL NOT VALID"), "person_boss_fkey"),
    ("a foreign key valid that was not",
     reword("post-data/foreign-key/team.team_lead_fkey", " NOT VALID", ""), "team_lead_fkey"),
    ("a foreign key without its deferral",
     reword("post-data/foreign-key/person.person_team_id_fkey", " DEFERRABLE INITIALLY DEFERRED", ""), "team_id_fkey"),
    ("a comment lost", reword("post-data/foreign-key/team.team_lead_fkey", COMMENT, ""), "team_lead_fkey"),
    ("an index lost", do_more("DROP INDEX public.person_note"), "person_note"),
    ("an index more", do_more("CREATE INDEX more ON public.team (active)"), "more"),
    ("an index's comment", do_more("COMMENT ON INDEX public.person_born IS NULL"), "person_born"),
    ("a policy lost", do_more("DROP POLICY later_ones ON public.person"), "later_ones"),
    ("row security off", do_more("ALTER TABLE public.person DISABLE ROW LEVEL SECURITY"), "person"),
    ("a rule off", do_more("ALTER TABLE public.team DISABLE RULE team_kept"), "team_kept"),
    ("a right more", do_more("GRANT DELETE ON public.team TO PUBLIC"), "team"),
    ("a default", do_more("ALTER TABLE public.team ALTER active SET DEFAULT false"), "active"),
    ("a statistics target", do_more("ALTER TABLE public.person ALTER born SET STATISTICS 7"), "born"),
    ("extended statistics", do_more("DROP STATISTICS public.person_stats"), "statistics"),
    ("a sequence not set", leave_out("post-data/sequence/team_id_seq"), "team_id_seq"),
    ("a sequence too low",
     reword("post-data/sequence/team_id_seq", "RESTART WITH 91", "RESTART WITH 90"), "team_id_seq"),
    ("a sequence put back", do_more("ALTER SEQUENCE public.shared RESTART WITH 2"), "shared"),
    ("a sequence that is nobody's concern", do_more("ALTER SEQUENCE public.log_id_seq RESTART WITH 70"), "log_id_seq"),
    ("a value", do_more("UPDATE public.person SET note = 'A' WHERE id = 1"), "note"),
    ("a boolean", do_more("UPDATE public.team SET active = true"), "active"),
    ("a row lost", do_more("DELETE FROM public.event WHERE id = 2"), "id=2"),
    ("a row more", do_more("INSERT INTO public.event (id, at) VALUES (3, '2021-01-01')"), "id=3"),
    ("a seeded row kept", do_more("INSERT INTO public.team VALUES (50, 'seeded')"), "id=50"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "named"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_a_planted_fault_is_named_and_nothing_stays(
    fault: Callable[[Step], Step], named: str, source: Path, pg_url: str, pg_admin_url: str, monkeypatch: Any
) -> None:
    install(pg_url)
    before, rows = read_everything(pg_admin_url), read_state(pg_url)
    changed = list[bool]()

    def plan_wrongly(*arguments: Any, **keywords: Any) -> Plan:
        plan = plan_existing(*arguments, **keywords)
        steps = tuple(map(fault, plan.steps))
        changed.append(steps != plan.steps)
        return replace(plan, steps=steps)

    monkeypatch.setattr("liteferry.arrival.plan_existing", plan_wrongly)
    report = migrate(source, pg_url, OPTIONS)
    assert changed == [True]
    assert (report.verdict, report.exit_status, report.published) == ("mismatch", 3, False), report.failure
    found = [" ".join(filter(None, (m.object_name, m.column, m.key, m.message))) for m in report.mismatches]
    assert any(named in words for words in found), found
    assert read_everything(pg_admin_url) == before
    after = read_state(pg_url)
    for state in (rows, after):
        del state["public.log_id_seq"]  # where the fault itself fires a trigger: nextval is not rolled back
    assert after == rows


def test_without_a_fault_nothing_is_named(source: Path, pg_url: str) -> None:
    install(pg_url)
    assert migrate(source, pg_url, OPTIONS).mismatches == ()


# ---------------------------------------------------------------------------------------------------------------------
# Broken off


@dataclass
class Breaker:
    """An observer that raises at one place."""

    place: tuple[str, str, str]
    error: BaseException
    broke: bool = False

    def __call__(self, event: Event) -> None:
        if not self.broke and (event.kind, event.phase, event.step_id) == self.place:
            self.broke = True
            raise self.error


def list_places(source: Path, url: str) -> list[tuple[str, str, str]]:
    """Everything that happens in a run, from the load on."""
    seen: list[tuple[str, str, str]] = []

    def note(event: Event) -> None:
        seen.append((event.kind, event.phase, event.step_id))

    migrate(source, url, OPTIONS, note)
    return list(dict.fromkeys(seen[seen.index(("phase-start", "load", "")) :]))


def test_an_interrupt_at_any_step_leaves_everything_as_it_was(
    source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, pg_server: Any
) -> None:
    other = pg_server.create_database()
    places = list_places(source, install(other.url))
    pg_server.drop_database(other.name)
    late = [place for place in places if place in {("step-end", "publish", "publish"), ("phase-end", "publish", "")}]
    assert len(places) > 40
    assert len(late) == 2
    install(pg_url)
    before, rows = read_everything(pg_admin_url), read_state(pg_url)
    for number, place in enumerate(places[::3]):
        if place in late:
            continue
        breaker, run_dir = Breaker(place, KeyboardInterrupt()), tmp_path / f"run{number}"
        with pytest.raises(KeyboardInterrupt):
            migrate(source, pg_url, replace(OPTIONS, run_dir=str(run_dir)), breaker)
        report = read_report(run_dir)
        assert (report.verdict, report.exit_status) == ("failed", ExitStatus.INTERRUPTED), place
        assert not (run_dir / "replaced").exists()
        assert read_everything(pg_admin_url) == before, place
        assert read_state(pg_url) == rows, place
    breaker = Breaker(late[0], KeyboardInterrupt())
    report = migrate(source, pg_url, replace(OPTIONS, run_dir=str(tmp_path / "late")), breaker)
    assert (breaker.broke, report.verdict, report.published) == (True, "proven", True)
    undo(tmp_path / "late", pg_url)
    assert read_state(pg_url) == rows


KILLED_AT = """
import os, signal, sys
from contextlib import contextmanager
from liteferry import Options, arrival, migrate

source, url, run_dir, *place = sys.argv[1:]
report = arrival.reporting

@contextmanager
def reporting(doing, **more):
    if [doing] == place:
        os.kill(os.getpid(), signal.SIGKILL)
    with report(doing, **more):
        yield

def observe(event):
    if [event.kind, event.phase, event.step_id] == place:
        os.kill(os.getpid(), signal.SIGKILL)

arrival.reporting = reporting
migrate(source, url, Options(into="existing", replace_rows=("team",), run_dir=run_dir), observe)
"""


@pytest.mark.parametrize(
    "place",
    [
        ("step-end", "load", "data/table/person"),
        ("step-end", "post-data", "post-data/foreign-key/person.person_boss_fkey"),
        ("step-end", "proof", "verify/event"),
        ("the commit",),
        ("step-end", "publish", "publish"),
    ],
    ids=" ".join,
)
def test_a_killed_run(place: tuple[str, ...], source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str) -> None:
    committed = place[-1] == "publish"
    install(pg_url)
    before, rows, run_dir = read_everything(pg_admin_url), read_state(pg_url), tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT, source, pg_url, run_dir, *place], env={**os.environ}, check=False
    )
    assert done.returncode == -9
    wait_until_alone(pg_admin_url)
    if committed:
        assert read_state(pg_url) != rows
        undo(run_dir, pg_url)
    else:
        assert read_everything(pg_admin_url) == before
        with pytest.raises(MigrationError) as refused:
            undo(run_dir, pg_url)
        assert refused.value.code == "undo-nothing"
    assert read_state(pg_url) == rows
    assert migrate(source, pg_url, OPTIONS).verdict == "proven"


# ---------------------------------------------------------------------------------------------------------------------
# When nobody says how the commit went


def break_the_commit(monkeypatch: Any, before: Callable[[], None], after: Callable[[], None]) -> None:
    @contextmanager
    def reporting(doing: str, **more: str) -> Iterator[None]:
        if doing == "the commit":
            before()
        with report_errors(doing, **more):
            yield
        if doing == "the commit":
            after()

    monkeypatch.setattr("liteferry.arrival.reporting", reporting)


def test_the_server_ends_the_session_before_the_commit(
    source: Path, tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: Any
) -> None:
    install(pg_url)
    before, rows = read_everything(pg_admin_url), read_state(pg_url)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    break_the_commit(monkeypatch, lambda: execute(pg_admin_url, end), lambda: None)
    report = migrate(source, pg_url, replace(OPTIONS, run_dir=str(tmp_path / "run")))
    assert (report.verdict, report.exit_status, report.published) == ("failed", 5, False)
    assert report.failure is not None
    assert report.failure.code == "connection-lost"
    assert read_everything(pg_admin_url) == before
    assert read_state(pg_url) == rows


def test_the_answer_to_the_commit_is_lost(source: Path, tmp_path: Path, pg_url: str, monkeypatch: Any) -> None:
    install(pg_url)
    rows = read_state(pg_url)

    def lose() -> None:
        raise MigrationError("the connection broke", code="connection-lost")

    break_the_commit(monkeypatch, lambda: None, lose)
    run_dir = tmp_path / "run"
    report = migrate(source, pg_url, replace(OPTIONS, run_dir=str(run_dir)))
    assert (report.verdict, report.published) == ("proven", True)
    with Journal.open(run_dir) as journal:
        assert journal.read_value("state") == "published"
    undo(run_dir, pg_url)
    assert read_state(pg_url) == rows


@pytest.mark.parametrize(
    ("place", "published"), [(("phase-start", "publish", ""), False), (("step-end", "publish", "publish"), True)]
)
def test_the_journal_can_no_longer_be_written(
    place: tuple[str, str, str],
    published: bool,  # noqa: FBT001 - a parameter of the test
    source: Path,
    tmp_path: Path,
    pg_url: str,
    pg_admin_url: str,
) -> None:
    """Before the commit nobody could undo what it makes appear; after it, what came out stands."""
    install(pg_url)
    before, rows, run_dir = read_everything(pg_admin_url), read_state(pg_url), tmp_path / "run"
    journal, aside, notes = run_dir / JOURNAL_NAME, tmp_path / "aside", list[str]()

    def tidy_up(event: Event) -> None:
        if (event.kind, event.phase, event.step_id) == place:
            journal.rename(aside)
        if event.kind == "warning":
            notes.append(event.message)

    report = migrate(source, pg_url, replace(OPTIONS, run_dir=str(run_dir)), tidy_up)
    assert read_report(run_dir) == report
    assert any("the journal" in note for note in notes), notes
    aside.rename(journal)
    if published:
        assert (report.verdict, report.exit_status, report.published) == ("proven", 0, True)
        undo(run_dir, pg_url)
    else:
        assert (report.verdict, report.exit_status, report.published) == ("failed", 5, False)
        assert report.failure is not None
        assert report.failure.code == "run-dir"
        assert not (run_dir / "replaced").exists()
        assert read_everything(pg_admin_url) == before
    assert read_state(pg_url) == rows


def do_while_planned(*sql: str, url: str) -> Callable[[Event], None]:
    """Run statements between the plan and the transaction."""

    def observe(event: Event) -> None:
        if (event.kind, event.phase) == ("phase-end", "plan"):
            execute(url, *sql)

    return observe


CHANGES = [
    "INSERT INTO public.team (name) VALUES ('meanwhile')",
    "UPDATE public.team SET id = 77 WHERE name = 'seeded'",
    "SELECT nextval('public.team_id_seq')",
    "ALTER TABLE public.person ALTER COLUMN extra SET DEFAULT 'made later'",
    "ALTER TABLE public.person ADD COLUMN more text",
    "ALTER TABLE public.person DISABLE TRIGGER t_on",
    "ALTER TABLE public.person ENABLE TRIGGER t_off",
    "ALTER TABLE public.team DROP CONSTRAINT team_lead_fkey",
    "DROP INDEX public.person_note",
    "COMMENT ON COLUMN public.person.note IS 'other text'",
    "REVOKE SELECT ON public.person FROM PUBLIC",
    "ALTER SEQUENCE public.team_id_seq INCREMENT 2",
    "ALTER TYPE public.mood ADD VALUE 'angry'",
    "ALTER TABLE elsewhere.badge RENAME CONSTRAINT badge_person TO badge_of",
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_target_changes_while_the_run_is_planned(change: str, source: Path, pg_url: str) -> None:
    install(pg_url)
    states: list[dict[str, list[tuple[object, ...]]]] = []

    def look(event: Event) -> None:
        do_while_planned(change, url=pg_url)(event)
        if (event.kind, event.phase) == ("phase-end", "plan"):
            states.append(read_state(pg_url))

    report = migrate(source, pg_url, OPTIONS, look)
    assert (report.verdict, report.published) == ("failed", False)
    assert report.failure is not None
    assert report.failure.code == "target-changed"
    assert [read_state(pg_url)] == states


OF_OTHERS = [
    "CREATE TABLE elsewhere.unheard_of (id integer PRIMARY KEY)",
    "COMMENT ON FUNCTION public.note_it() IS 'and said'",
    "INSERT INTO public.log (id, what) VALUES (1000, 'meanwhile')",  # no row of the source goes there
    "SELECT nextval('public.log_id_seq')",
    "SELECT setval('public.log_id_seq', 1, false)",
    "ALTER TABLE public.log ADD COLUMN more text; ALTER TABLE public.log DROP COLUMN more",
    "ANALYZE public.team",
    "VACUUM public.team",
]


@pytest.mark.parametrize("change", OF_OTHERS)
def test_what_changes_meanwhile_and_does_not_concern_the_run(change: str, source: Path, pg_url: str) -> None:
    install(pg_url)
    report = migrate(source, pg_url, OPTIONS, do_while_planned(change, url=pg_url))
    assert (report.verdict, report.published) == ("proven", True)
