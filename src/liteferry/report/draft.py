"""The draft of liteferry.toml: everything that was found, each way out as a comment, nothing chosen.

Layer 1, pure. What the user had decided before stands in it as it was decided, so that the draft alone gives the same
plan again.
"""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Final

from liteferry.model import Options
from liteferry.report.wording import escape_unprintable, format_count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from liteferry.model import Finding, Plan
    from liteferry.project import ProjectOptions

_WIDTH: Final = 110
_HEAD: Final = """\
# What becomes of {source} in PostgreSQL: a draft, written by `liteferry check --write-config`.
#
# Take away the # before the way that you choose, one for each finding; `liteferry check` then says what is left.
# No secrets belong in this file: name source and target on the command line."""
_DEFAULTS: Final = Options()


def render_config_draft(plan: Plan, options: Options) -> str:
    """Write the draft. Pure. options: those that the plan was made with."""
    lines = [_HEAD.format(source=escape_unprintable(plan.source)), "", "[move]"]
    for key in ("schema", "names", "timestamps", "nocase", "into", "replace-rows", "only", "exclude", "accept"):
        field = key.replace("-", "_")
        value = getattr(options, field)
        chosen = value != getattr(_DEFAULTS, field)
        lines.append(f"{'' if chosen else '# '}{key} = {quote_toml(value)}")
    lines += ["", "[decisions]"]
    lines += [write_pair(f"{d.code}:{d.place}" if d.code else d.place, d.way) for d in options.decisions]
    ordered = sorted(plan.findings, key=lambda finding: (not finding.blocks, finding.severity != "blocker"))
    decided = {f"{d.code}:{d.place}" for d in options.decisions}
    for finding in ordered:
        lines += ["", *_write_finding(finding, decided)]
    lines += _write_casts(options)
    lines += _write_hooks(options)
    lines += _write_project(options.project) if options.project else []
    return "\n".join(lines) + "\n"


def quote_toml(value: str | Sequence[str]) -> str:
    """Write a text, or a list of texts, as TOML has them. Pure.

    Source: TOML 1.0.0, "String": a basic string has JSON's escapes; beyond JSON's, U+007F must be escaped.
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(quote_toml, value))}]"


def write_pair(key: str, value: str) -> str:
    """Write a key, quoted, and its value. Pure."""
    return f"{quote_toml(key)} = {quote_toml(value)}"


def _write_finding(finding: Finding, decided: Collection[str]) -> Iterator[str]:
    """decided: keys that stand in the file already; none may stand there twice."""
    place = escape_unprintable(finding.place) or "the whole database"
    count = f" ({format_count(finding.count)} affected)" if finding.count else ""
    yield from _comment(f"{finding.code}: {place}{count}")
    yield from _comment(finding.message, indent=2)
    for sample in finding.samples:
        yield from _comment(f"{sample.key}: {sample.why}" if sample.why else sample.key, indent=4)
    if finding.hint:
        yield from _comment(f"Hint: {finding.hint}", indent=2)
    if finding.severity == "info":
        yield "#   For information: nothing needs to be decided."
    elif not finding.ways:
        yield "#   Nothing can be chosen here: it has to be repaired."
    elif finding.accepted:
        yield from _comment(f"Decided: {finding.way}, by {finding.decided_by}", indent=2)
    for way in finding.ways if finding.severity == "blocker" else ():
        example = "timezone:Europe/Berlin" if way.name == "timezone" else way.name
        yield from _comment(f"{way.name}: {way.effect}", indent=2)
        key = f"{finding.code}:{finding.place}"
        yield f"# {write_pair(finding.place if key in decided else key, example)}"


def _comment(text: str, *, indent: int = 0) -> list[str]:
    """Comment lines. A line break or a control character in the text would end a comment, or be no TOML."""
    plain = escape_unprintable(" ".join(text.split()))
    lead = "# " + " " * indent
    return textwrap.wrap(
        plain,
        width=_WIDTH,
        initial_indent=lead,
        subsequent_indent=lead + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _write_casts(options: Options) -> list[str]:
    columns = [write_pair(cast.column, cast.pg_type) for cast in options.casts if cast.column]
    types = [write_pair(cast.declared_type, cast.pg_type) for cast in options.casts if not cast.column]
    return [
        "",
        "[casts.columns]",
        *(columns or ['# "order.total" = "numeric(12,2)"']),
        "",
        "[casts.types]",
        *(types or ['# "integer unsigned" = "bigint"']),
    ]


def _write_project(project: ProjectOptions) -> list[str]:
    texts = {
        "directory": "" if project.directory == "." else project.directory,
        "settings": project.settings,
        "python": project.python,
        "database": project.database,
        "target-alias": project.target_alias,
    }
    lines = ["", "[django]", *(f"{key} = {quote_toml(text)}" for key, text in texts.items() if text)]
    if project.prune:
        lines += ["", "[django.prune]"]
    for rule in project.prune:
        tables = [
            ", ".join(f"{_write_key(name)} = {_write_value(value)}" for name, value in filter_.items())
            for filter_ in rule.filters
        ]
        given = "true" if rule.all_rows else f"[{', '.join(f'{{ {table} }}' for table in tables)}]"
        lines.append(f"{quote_toml(rule.model)} = {given}")
    return lines


def _write_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quote_toml(name)


def _write_value(value: object) -> str:
    """A lookup's value: JSON's numbers, booleans and lists are TOML's, too."""
    if isinstance(value, list):
        return f"[{', '.join(map(_write_value, value))}]"
    return quote_toml(value) if isinstance(value, str) else json.dumps(value)


def _write_hooks(options: Options) -> list[str]:
    points: dict[str, list[str]] = {}
    for hook in options.hooks:
        undo = f", undo = {quote_toml(hook.undo_file)}" if hook.undo_file else ""
        points.setdefault(hook.point, []).append(f"{{ run = {quote_toml(hook.file)}{undo} }}")
    lines = [f"{point} = [{', '.join(items)}]" for point, items in points.items()]
    return ["", "[hooks]", *(lines or ['# after-data = ["sql/after-data.sql"]'])]
