"""Findings by what they ask for: put together, counted, and the options that decide them.

Layer 1, pure.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from liteferry.findings import FINDINGS
from liteferry.project import BY_DJANGO
from liteferry.report.wording import format_count, format_plural, write_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import Finding

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
