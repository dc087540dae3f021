"""What a run means: the verdict in one sentence, what to do next, how to go back, what each finding asks for.

Layer 1, pure. Every renderer of `liteferry.report` says the same, because it says it from here. Nothing is stated that
the report does not hold: a sentence about publishing needs ``published``, one about the load needs tables.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from liteferry.errors import EXIT_STATUSES, ExitStatus
from liteferry.findings import FINDINGS
from liteferry.project import BY_DJANGO
from liteferry.report.project import count_models, state_project
from liteferry.report.wording import (
    format_count,
    format_duration,
    format_list,
    format_plural,
    format_size,
    write_address,
    write_command,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import Finding, Report

_HOOKS_MAY: Final = (
    "SQL of yours was run, and what it did stands above: look there first whether it changed what liteferry makes."
)

# ---------------------------------------------------------------------------------------------------------------------
# Findings, by what they ask for

Standing = Literal["decide", "accepted", "known"]

STANDINGS: Final[tuple[Standing, ...]] = ("decide", "accepted", "known")
"""To be decided, decided beforehand, and for information: the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeFindings:
    """Findings of one code that one rule of Django's decided, for many columns: told in one line.

    ``by``: the rule, as `name_decider` has it. ``way``: that it took.
    """

    by: str
    way: str
    findings: tuple[Finding, ...]

    @property
    def values(self) -> int:
        """How many values they are about."""
        return sum(finding.count for finding in self.findings)


_BY_FIELD: Final = re.compile(rf"({BY_DJANGO}\w+) \S+( \(.*\))?")


def name_decider(finding: Finding) -> str:
    """What decided a finding: of Django's rules the type of field and the setting, without the field's name. Pure."""
    found = _BY_FIELD.fullmatch(finding.decided_by)
    return f"{found[1]}{found[2] or ''}" if found else finding.decided_by


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """The findings of one code that stand alike. ``if_accepted``, ``hint``: where all of the group say the same.

    ``if_accepted``: of findings that are decided, what was decided on. ``singles``: those that are told one by one;
    ``alike``: the others.
    """

    code: str
    standing: Standing
    title: str
    why: str
    findings: tuple[Finding, ...]
    if_accepted: str
    hint: str
    singles: tuple[Finding, ...] = ()
    alike: tuple[AlikeFindings, ...] = ()


def judge_finding(finding: Finding) -> Standing:
    """Say how a finding stands. Pure."""
    if finding.blocks:
        return "decide"
    return "accepted" if finding.accepted else "known"


def group_findings(findings: Sequence[Finding]) -> tuple[FindingGroup, ...]:
    """Put findings of the same standing and code together, what must be decided first. Pure."""
    groups: dict[tuple[Standing, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((judge_finding(finding), finding.code), []).append(finding)
    made = [_make_group(code, standing, tuple(members)) for (standing, code), members in groups.items()]
    return tuple(sorted(made, key=lambda group: STANDINGS.index(group.standing)))


def count_alike(alike: AlikeFindings) -> str:
    """How many columns and values findings are about. Pure."""
    values = f" with {format_plural(alike.values, 'value')}" if alike.values else ""
    return f"{format_plural(len(alike.findings), 'column')}{values}"


def write_place_count(finding: Finding) -> str:
    """A finding's place, with how many values it is about. Pure."""
    return f"{finding.place} ({format_count(finding.count)})" if finding.count else finding.place


def _make_group(code: str, standing: Standing, members: tuple[Finding, ...]) -> FindingGroup:
    kind = FINDINGS.get(code)  # a report of another version may know other codes
    by_rule: dict[tuple[str, str], list[Finding]] = {}
    for finding in members:
        if _BY_FIELD.fullmatch(finding.decided_by):
            by_rule.setdefault((name_decider(finding), finding.way), []).append(finding)
    many = {rule: tuple(found) for rule, found in by_rule.items() if len(found) > 1}
    told = {id(finding) for found in many.values() for finding in found}
    outcomes = {describe_outcome(finding) for finding in members}
    hints = {finding.hint for finding in members}
    return FindingGroup(
        code=code,
        standing=standing,
        title=kind.title if kind else code,
        why=kind.why if kind else "",
        findings=members,
        if_accepted=outcomes.pop() if len(outcomes) == 1 else "",
        hint=hints.pop() if len(hints) == 1 else "",
        singles=tuple(finding for finding in members if id(finding) not in told),
        alike=tuple(AlikeFindings(by=by, way=way, findings=found) for (by, way), found in many.items()),
    )


def describe_outcome(finding: Finding) -> str:
    """What taking the way out does that was taken, or the first where none was. Pure."""
    if not finding.way:
        return finding.if_accepted
    name, _, argument = finding.way.partition(":")
    effect = next((way.effect for way in finding.ways if way.name == name), finding.if_accepted)
    return f"{finding.way}: {effect}" if argument or effect != finding.if_accepted else effect


def write_other_options(finding: Finding) -> str:
    """Write the option for the other ways out that a finding offers, and which they are; "" without any. Pure."""
    others = [way for way in finding.ways if way.effect != finding.if_accepted]
    if finding.blocks and others:
        place = f"{finding.code}:{glob.escape(finding.place)}"  # another finding at the place keeps its own decision
        names = ", ".join("timezone:ZONE" if way.name == "timezone" else way.name for way in others)
        return f"{write_command('--on-misfit', f'{place}=WAY')}  with WAY one of {names}"
    return ""


def write_accept_option(finding: Finding) -> str:
    """Write the option that accepts this finding and no other, ready to copy; empty when only a repair helps. Pure."""
    if finding.code == "seeded-rows":
        return write_command("--replace-rows", glob.escape(finding.place))
    if not finding.if_accepted:
        return ""
    place = glob.escape(finding.place)  # PLACE is a pattern: a name with a star must not take others along
    return write_command("--accept", f"{finding.code}:{place}" if place else finding.code)


def write_accept_all_option(group: FindingGroup) -> str:
    """Write the option that accepts every finding of a group; empty when one of them cannot be accepted. Pure."""
    acceptable = all(finding.if_accepted for finding in group.findings)
    return write_command("--accept", group.code) if acceptable else ""


# ---------------------------------------------------------------------------------------------------------------------
# The verdict


def state_word(report: Report) -> str:
    """The verdict as one word or two, with a capital. Pure."""
    return report.verdict.capitalize()


def state_verdict(report: Report) -> str:
    """The verdict in one sentence, without its word: ``every one of the 1,234 values …``. Pure.

    In the past tense once the run was undone.
    """
    match report.verdict:
        case "proven":
            return _state_proven(report)
        case "not proven":
            return _state_unproven(report)
        case "mismatch":
            return _state_mismatch(report)
        case "blocked":
            blocking = sum(finding.blocks for finding in report.findings)
            asks = f"{format_plural(blocking, 'finding')} must" if blocking else "findings must"
            return f"{asks} be decided before anything can start."
        case "failed":
            return _end_sentence(report.failure.what) if report.failure else "the run did not come to its end."


def _state_proven(report: Report) -> str:
    tables = format_plural(sum(table.part != "quarantine" for table in report.tables), "table")
    is_or_was = "was" if report.undone_at else "is"
    if not report.tables:
        return "the source holds no table, so that there was no value to carry over."
    if not report.values_compared:
        are_or_were = is_or_was if len(report.tables) == 1 else "were" if report.undone_at else "are"
        rows = "no row, as in the source" if not report.rows else format_plural(report.rows, "row")
        return f"{tables} {are_or_were} in PostgreSQL, holding {rows}."
    values = report.values_compared
    every = "the only value" if values == 1 else f"every one of the {format_count(values)} values"
    is_or_was = "was" if report.rehearsal else is_or_was
    sentence = f"{every} of {format_plural(report.rows, 'row')} in {tables} {is_or_was} in PostgreSQL"
    apart = sum(found.rows for found in report.apart)
    aside = f", {format_plural(apart, 'row')} of them in quarantine" if apart else ""
    return f"{sentence}, equal to the source{aside}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """The rows of one table that are in quarantine: how many, in which table of the target, and why."""

    table: str
    target: str
    rows: int
    reasons: str


def list_quarantined(report: Report) -> tuple[Quarantined, ...]:
    """The tables that have rows in quarantine. Pure."""
    targets = {table.name: table.target for table in report.tables if table.part == "quarantine"}
    return tuple(
        Quarantined(
            table=found.table,
            target=targets.get(found.table, ""),
            rows=found.rows,
            reasons=format_list([f"{reason.reason}: {format_count(reason.rows)}" for reason in found.reasons]),
        )
        for found in report.apart
    )


def _state_unproven(report: Report) -> str:
    if not report.tables:
        return "no row was copied and no value was compared."
    copied = f"{format_plural(report.rows, 'row')} in {format_plural(len(report.tables), 'table')}"
    if not report.values_compared:
        return f"{copied} {'was' if report.rows == 1 else 'were'} copied to PostgreSQL, and no value was compared."
    proven = sum(table.verdict == "proven" for table in report.tables)
    return f"of {copied} in PostgreSQL, {format_plural(proven, 'table')} could be proven."


def count_mismatches(report: Report) -> int:
    """How many differences the proof found, listed or not. Pure."""
    return max(report.mismatch_count, len(report.mismatches))


def _state_mismatch(report: Report) -> str:
    wrong = count_models(report).wrong
    models = f"the application does not read {format_plural(wrong, 'model')} as before"
    found = f"the proof found {_count_differences(report)}"
    if count_mismatches(report):
        return f"{found}; {models}." if wrong else f"{found}."
    proven = ", although the proof found every value equal" if report.values_compared else ""
    return f"{models}{proven}." if wrong else f"{found}."


def _count_differences(report: Report) -> str:
    found = format_plural(count_mismatches(report), "difference")
    tables = sum(table.verdict == "mismatch" for table in report.tables)
    objects = len({(m.object_kind, m.table, m.object_name) for m in report.mismatches if m.kind == "object"})
    where = [f"{format_count(tables)} of {format_plural(len(report.tables), 'table')}"] if tables else []
    where += [format_plural(objects, "object")] if objects else []
    return f"{found} between the source and PostgreSQL" + (f", in {format_list(where)}" if where else "")


def _end_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def state_outcome(report: Report) -> str:
    """What the target shows after the run, in one sentence. Pure."""
    if report.undone_at:
        return f"The run was undone at {report.undone_at}: what it had published is gone from PostgreSQL."
    match report.verdict:
        case "blocked":
            return "Nothing was touched, neither the source nor the target."
        case "failed" if not report.published:
            try:
                return EXIT_STATUSES[ExitStatus(report.exit_status)]
            except ValueError:  # a report of another version may end in another way
                return "Nothing was published."
        case _ if is_check_only(report):
            return f"This run changed nothing: it compared the source with {_name_schema(report)}."
        case "proven" | "not proven" if report.rehearsal:
            return "This was a rehearsal: everything was loaded and proven, and nothing of it remains in PostgreSQL."
        case _ if report.published:
            if report.into == "django":
                return (
                    f"Everything was published in {_name_schema(report)}, in one transaction, in the tables that the"
                    " project's own migrations make."
                )
            if report.into == "new":
                return f"Everything was published in {_name_schema(report)}, in one transaction."
            return f"Everything was brought into {_name_schema(report)}, in one transaction{_say_replaced(report)}."
        case _:
            return "Nothing was published."


def _say_replaced(report: Report) -> str:
    replaced = sum(table.rows_replaced for table in report.tables)
    if not replaced:
        return ""
    were = "was" if replaced == 1 else "were"
    return f"; {format_plural(replaced, 'row')} that {were} there {were} replaced, and can be brought back by undo"


def _name_schema(report: Report) -> str:
    where = f" of database {report.target.database}" if report.target else ""
    return f"schema {report.target_schema}{where}"


def is_check_only(report: Report) -> bool:
    """Whether the run compared two databases without having loaded one, as `liteferry verify` does. Pure."""
    return bool(report.tables) and not any(table.elapsed_s for table in report.tables)


def can_undo(report: Report) -> bool:
    """Whether the run published something that is still to be taken back. Pure."""
    return report.published and not is_check_only(report)


# ---------------------------------------------------------------------------------------------------------------------
# The summary


def summarise(report: Report) -> tuple[str, ...]:
    """What a reader who reads nothing else must know beside the verdict, as paragraphs. Pure."""
    proof = ""
    if report.values_compared:
        proof = (
            "The values were read back from both databases and compared one by one, by code that shares nothing with "
            "the code that loaded them."
        )
    moment = ""
    if report.tables and report.source.snapshot == "copy" and report.verdict != "failed" and not report.undone_at:
        moment = (
            f"All this holds for the source as it was in the snapshot that this run took; the run began at "
            f"{report.started_at}. What was written to the source later is not in PostgreSQL."
        )
    first = f"{_introduce(report)} {proof}".rstrip()
    paragraphs = (first, *state_project(report), " ".join(_recall_findings(report)), moment)
    return tuple(paragraph for paragraph in paragraphs if paragraph)


def _introduce(report: Report) -> str:
    size = f" ({format_size(report.source.size_bytes)})" if report.source.sqlite_version else ""  # it was opened
    source = f"{PurePosixPath(report.source.path).name}{size}"
    spent = format_duration(report.elapsed_s)
    if report.target is None:
        return f"The source is {source}; the run took {spent}."
    server = f"PostgreSQL {report.target.version}"
    return f"The source is {source}, the target database {report.target.database} on {server}; the run took {spent}."


def _recall_findings(report: Report) -> list[str]:
    accepted = sum(judge_finding(finding) == "accepted" for finding in report.findings)
    sentences = []
    if accepted:
        were = "was" if accepted == 1 else "were"
        effect = "changed" if report.tables else "means"
        number = format_plural(accepted, "finding")
        sentences.append(f"{number} {were} accepted beforehand; what that {effect} stands under Findings.")
    gone = _count_left_out(report)
    if gone:
        were = "was" if sum(number for number, _, _ in gone) == 1 else "were"
        named = format_list([format_plural(number, noun, plural) for number, noun, plural in gone])
        sentences.append(f"Left out of PostgreSQL, as accepted, {were} {named}.")
    implied = _count_implied(report)
    if implied:
        sentences.append(f"{format_plural(implied, 'CHECK constraint')} not made: the new types enforce the same.")
    return sentences


def _count_implied(report: Report) -> int:
    """The CHECKs that the new types make needless; only where the plan was carried out."""
    return sum(finding.code == "check-implied" for finding in report.findings) if report.tables else 0


def _count_left_out(report: Report) -> list[tuple[int, str, str]]:
    counts = report.objects
    return [
        (number, noun, plural)
        for noun, plural, number in (
            ("table", "tables", counts.tables.left_out),
            ("column", "columns", counts.columns.left_out),
            ("index", "indexes", counts.indexes.left_out),
            ("UNIQUE constraint", "UNIQUE constraints", counts.unique.left_out),
            ("CHECK constraint", "CHECK constraints", max(0, counts.checks.left_out - _count_implied(report))),
            ("foreign key", "foreign keys", counts.foreign_keys.left_out),
            ("sequence", "sequences", counts.sequences.left_out),
            ("view", "views", counts.views.left_out),
        )
        if number
    ]


# ---------------------------------------------------------------------------------------------------------------------
# What next, and how to go back


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One thing to do: a sentence, and the command for it where there is one."""

    text: str
    command: str = ""


def advise(report: Report) -> tuple[Advice, ...]:
    """What to do next, in order. Pure."""
    match report.verdict:
        case "proven" | "not proven" if report.undone_at:
            return (Advice(text="Migrate again, when it is time:", command=_migrate_command(report)),)
        case "proven":
            return (*_advise_use(report), *_advise_keeping(report))
        case "not proven":
            return (*_advise_proving(report), *_advise_keeping(report))
        case "mismatch":
            return (*_advise_on_differences(report), *_advise_keeping(report))
        case "blocked":
            return _advise_deciding(report)
        case "failed":
            return (*_advise_mending(report), *_advise_keeping(report))


def _advise_use(report: Report) -> list[Advice]:
    advice = []
    server = report.target
    if report.rehearsal:
        command = _migrate_command(report)
        if server and server.embedded:
            return [
                Advice(text="Do it for real, with your own PostgreSQL server as TARGET:", command=f"{command} TARGET")
            ]
        return [Advice(text="Do it for real:", command=command)]
    if can_undo(report) and server:
        switch = _advise_switch(report)
        if server.embedded:
            advice += switch
            advice.append(
                Advice(
                    text="Look around. This server is liteferry's embedded one, meant for rehearsing:",
                    command=write_command("liteferry", "server", "psql", server.database),
                )
            )
            advice.append(Advice(text="It keeps running until you stop it:", command="liteferry server stop"))
            advice.append(
                Advice(text="When all looks right, migrate again with your own PostgreSQL server as the target.")
            )
        else:
            advice.append(
                Advice(
                    text="Stop the application if it still writes to the SQLite file. If it wrote anything since this "
                    "run began, undo the run (below) and migrate again: those rows are not in PostgreSQL."
                )
            )
            advice += switch or [
                Advice(
                    text="Point the application at the new database. The password is not kept here.",
                    command=write_address(server),
                )
            ]
    advice.append(Advice(text="Prove it again, at any time:", command=_verify_command(report)))
    return advice


def _advise_switch(report: Report) -> list[Advice]:
    """How a project comes to use the database: nothing without the directory that knows where it is."""
    if report.django is None or not report.run_dir:
        return []
    words = ("liteferry", "switch", report.run_dir, "--django", report.django.directory, "--write-env", ".env")
    return [
        Advice(
            text="Have the project use the new database, and see that it reaches it; --back in place of RUN_DIR is the "
            "way back:",
            command=write_command(*words),
        )
    ]


def _advise_proving(report: Report) -> list[Advice]:
    if not report.tables:
        return [Advice(text="Run the migration itself:", command=_migrate_command(report))]
    if report.published:
        return [
            Advice(
                text="Do not rely on this database yet. Prove it, before the application writes to it:",
                command=_verify_command(report),
            )
        ]
    return [Advice(text="Run it again with the proof:", command=_migrate_command(report))]


def _advise_on_differences(report: Report) -> list[Advice]:
    advice = [Advice(text="Do not point the application at this database.")]
    if is_check_only(report):
        advice = [
            Advice(
                text="Ask first whether somebody wrote to either database since the migration: "
                "such rows are differences too, and rightly."
            )
        ]
    if count_mismatches(report):
        advice.append(Advice(text="Look at what is listed under Differences: each names its table, row and column."))
    if count_models(report).wrong:
        advice.append(
            Advice(
                text="Look at what is listed under Models: each says what was looked at and what came of it. An error "
                "there is one that the application's users would meet."
            )
        )
    if report.hooks and not is_check_only(report):
        advice.append(Advice(text=_HOOKS_MAY))
    if not is_check_only(report):
        advice.append(
            Advice(
                text="Run it again, and keep the staging schema to look at the rows themselves. If the differences "
                "come back, it is most likely a bug in liteferry: please report it with the file report.json.",
                command=_migrate_command(report, "--keep-staging"),
            )
            if report.into != "existing"
            else Advice(
                text="Run it again. If the differences come back, it is most likely a bug in liteferry: please report "
                "it with the file report.json.",
                command=_migrate_command(report),
            )
        )
    return advice


def _advise_deciding(report: Report) -> tuple[Advice, ...]:
    groups = [group for group in group_findings(report.findings) if group.standing == "decide"]
    undecided = [finding for group in groups for finding in group.findings if not write_accept_option(finding)]
    stuck = [finding for finding in undecided if not write_other_options(finding)]
    open_ways = [finding for finding in undecided if write_other_options(finding)]
    advice = [
        Advice(
            text="Decide each finding: repair the source, or accept what is said there. "
            "Nothing is changed or left out unless you accept it."
        )
    ]
    if open_ways:
        verb = "needs" if len(open_ways) == 1 else "need"
        advice.append(
            Advice(
                text=f"{format_plural(len(open_ways), 'finding')} {verb} a way out that you choose with --on-misfit,"
                f" or a repair: {_list_places(open_ways)}."
            )
        )
    if stuck:
        advice.append(
            Advice(
                text=f"{format_plural(len(stuck), 'finding')} cannot be accepted, only repaired: {_list_places(stuck)}."
            )
        )
    again = _command("check", report, *report.options, *_into_options(report), *_accepted_options(report.findings))
    advice.append(Advice(text="Look again; this touches nothing:", command=again))
    if groups and not undecided:
        options = [word for group in groups if group.code != "seeded-rows" for word in ("--accept", group.code)]
        rows = [finding.place for group in groups for finding in group.findings if group.code == "seeded-rows"]
        options += [word for name in rows for word in ("--replace-rows", glob.escape(name))]
        advice.append(
            Advice(
                text="Or, when you have read what each of them means and accept them all:",
                command=_migrate_command(report, *options),
            )
        )
    return tuple(advice)


def _list_places(findings: Sequence[Finding]) -> str:
    places = sorted({finding.place or finding.code for finding in findings})
    return format_list(places if len(places) <= 5 else [*places[:4], f"{format_count(len(places) - 4)} more"])


def _advise_mending(report: Report) -> list[Advice]:
    failure = report.failure
    advice = [Advice(text=_end_sentence(failure.hint))] if failure and failure.hint else []
    if not advice and report.hooks:
        advice = [Advice(text=_HOOKS_MAY)]
    text = "Then run it again:" if advice else "Look at what the message says, then run it again:"
    return [*advice, Advice(text=text, command=_migrate_command(report))]


def _advise_keeping(report: Report) -> list[Advice]:
    if not report.run_dir:
        return []
    why = "it holds the evidence, and undo needs it" if can_undo(report) else "it holds what is known of this run"
    return [Advice(text=f"Keep the run directory {report.run_dir}: {why}.")]


def advise_way_back(report: Report) -> tuple[Advice, ...]:
    """How to go back to the state before the run. Pure."""
    source = Advice(
        text=f"The SQLite file was only read: {report.source.path} is as it was. The application can use it at once."
    )
    if report.undone_at:
        return (Advice(text=f"The run was undone at {report.undone_at}; there is nothing left to take back."), source)
    if not can_undo(report):
        return (Advice(text="There is nothing to take back: this run published nothing."), source)
    undo = Advice(
        text=(
            "Take away from PostgreSQL exactly what this run published, and nothing else."
            if report.into != "existing"
            else "Take the rows of this run out of PostgreSQL again, and put back those that they replaced."
        )
        + " It refuses, and says how many rows are concerned, when the published tables were changed since.",
        command=write_command("liteferry", "undo", report.run_dir) if report.run_dir else "",
    )
    return (undo, source)


def advise_audit(report: Report) -> tuple[Advice, ...]:
    """How somebody else can check the digests later, on either side alone. Pure."""
    if not any(table.digest for table in report.tables):
        return ()
    plan = ["--run-dir", report.run_dir] if report.run_dir else []
    source = write_command("liteferry", "digest", report.source.path, *plan)
    advice = [Advice(text="The source's digests:", command=source)]
    if report.target and report.published:
        words = ["liteferry", "digest", write_address(report.target), *_schema_option(report), *plan]
        advice.append(Advice(text="The target's digests:", command=write_command(*words)))
    return tuple(advice)


def _schema_option(report: Report) -> list[str]:
    return ["--schema", report.target_schema] if report.target_schema not in ("", "public") else []


def _command(name: str, report: Report, *options: str, embedded: bool = False) -> str:
    """A command on the run's source and target. embedded: name the target also where it is the embedded server's.

    Without a target a command starts the embedded server and makes a database there, so that it need not be named; and
    the database of a run that published nothing is gone again.
    """
    words = ["liteferry", name]
    words += ["--django", report.django.directory] if report.django else [report.source.path]
    if report.target and (embedded or not report.target.embedded):
        words.append(write_address(report.target))
    return write_command(*words, *_schema_option(report), *options)


def _verify_command(report: Report) -> str:
    plan = ["--run-dir", report.run_dir] if report.run_dir else []
    return _command("verify", report, *plan, embedded=True)


def _migrate_command(report: Report, *options: str) -> str:
    """The migration again, with the options of this one and what was accepted before."""
    decided = _accepted_options(report.findings)
    name = "rehearse" if report.rehearsal and report.verdict not in {"proven", "not proven"} else "migrate"
    return _command(name, report, *report.options, *_into_options(report), *decided, *options)


def _into_options(report: Report) -> list[str]:
    """--into existing, with the tables whose rows were replaced."""
    if report.into != "existing":
        return []
    replaced = [glob.escape(finding.table or "") for finding in report.findings if finding.code == "rows-replaced"]
    return ["--into", "existing", *(word for name in replaced for word in ("--replace-rows", name))]


def _accepted_options(findings: Sequence[Finding]) -> list[str]:
    """What was accepted, each place by itself; a code as a whole where that is the same and much shorter."""
    blocking = {finding.code for finding in findings if finding.blocks}
    places: dict[str, list[str]] = {}
    ways: list[str] = []
    for finding in findings:
        default = finding.ways[0].name if finding.ways and finding.if_accepted else ""
        if finding.decided_by.startswith(BY_DJANGO):
            continue  # decided alike the next time
        if finding.way and finding.way != default:
            ways.append(f"{finding.code}:{glob.escape(finding.place)}={finding.way}")
        elif finding.accepted:
            places.setdefault(finding.code, []).append(glob.escape(finding.place))
    values = []
    for code, found in places.items():
        whole = "" in found or (len(found) > 3 and code not in blocking)
        values += [code] if whole else [f"{code}:{place}" for place in dict.fromkeys(found)]
    return [
        *(word for value in values for word in ("--accept", value)),
        *(word for way in dict.fromkeys(ways) for word in ("--on-misfit", way)),
    ]
