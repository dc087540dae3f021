"""What to do after a run, and how to go back, with the commands for it.

Layer 1, pure. Every renderer of `liteferry.report` says the same, because it says it from here.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.project import BY_DJANGO
from liteferry.report.grouping import group_findings, write_accept_option, write_other_options
from liteferry.report.project import count_models
from liteferry.report.verdict import can_undo, count_mismatches, is_check_only
from liteferry.report.wording import (
    end_sentence,
    format_count,
    format_list,
    format_plural,
    write_address,
    write_command,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import Finding, Report

_HOOKS_MAY: Final = (
    "SQL of yours was run, and what it did stands above: look there first whether it changed what liteferry makes."
)


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
    again = _command("check", report, *report.options, *_into_options(report), *_accepted_options(report))
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
    advice = [Advice(text=end_sentence(failure.hint))] if failure and failure.hint else []
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
    decided = _accepted_options(report)
    name = "rehearse" if report.rehearsal and report.verdict not in {"proven", "not proven"} else "migrate"
    return _command(name, report, *report.options, *_into_options(report), *decided, *options)


def _into_options(report: Report) -> list[str]:
    """--into existing, with the tables whose rows were replaced."""
    if report.into != "existing":
        return []
    replaced = [glob.escape(finding.table or "") for finding in report.findings if finding.code == "rows-replaced"]
    return ["--into", "existing", *(word for name in replaced for word in ("--replace-rows", name))]


def _accepted_options(report: Report) -> list[str]:
    """What was decided, in the user's own words where they are known; what stands in the file of decisions is left out.

    Else each place by itself, and a code as a whole where that is the same and much shorter. ``--accept all`` is never
    repeated: another time there may be other findings.
    """
    file = f"{report.config.path}, " if report.config else None
    chosen = list(dict.fromkeys(finding.decided_by for finding in report.findings))
    patterns = [words for words in chosen if words.startswith("--on-misfit ") and re.search(r"[*?[]", words)]
    if len(patterns) > 1:  # of two that match, the last counts, and which was the last is not known
        chosen = [words for words in chosen if words not in patterns]
    chosen.sort(key=lambda words: words not in patterns)
    typed = [words for words in chosen if words.startswith(("--accept ", "--on-misfit ")) and words != "--accept all"]
    findings = [
        finding
        for finding in report.findings
        if finding.decided_by not in typed and (file is None or not finding.decided_by.startswith(file))
    ]
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
        *(word for words in typed for word in words.split(" ", 1)),
        *(word for value in values for word in ("--accept", value)),
        *(word for way in dict.fromkeys(ways) for word in ("--on-misfit", way)),
    ]
