"""Write the pages of the reference that are made from the code: ``python docs/generate.py [--check]``.

With ``--check`` nothing is written; pages that are out of date are named, and the exit status is 1.
"""  # noqa: INP001 - a script beside the pages, in no package

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import sys
import typing
from pathlib import Path
from types import FunctionType, MappingProxyType, UnionType
from typing import TYPE_CHECKING, Any, Final

import liteferry
from liteferry import census, cli, config, expressions, model, names, pipeline, typemap
from liteferry.errors import CODES, EXIT_STATUSES
from liteferry.findings import FINDINGS, WAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

REFERENCE: Final = Path(__file__).resolve().parent / "reference"
MADE: Final = "<!-- Written by docs/generate.py: change the code, not this page. -->\n\n"


def code(text: object) -> str:
    """A text as code within a line."""
    words = str(text)
    return f"`` {words} ``" if "`" in words else f"`{words}`"


def cell(text: str) -> str:
    """A text as it may stand in a table. Renderers disagree about a pipe within code: there it becomes HTML."""
    text = re.sub(r"(``?)(.+?)\1", lambda span: spell_out(span[2].strip()) if "|" in span[2] else span[0], text)
    return text.replace("|", "\\|").replace("\n", " ")


def spell_out(text: str) -> str:
    """A text as code, in HTML, with every character that could mean something by its number."""
    return f"<code>{re.sub(r'[^A-Za-z0-9 .,]', lambda found: f'&#{ord(found[0])};', text)}</code>"


def plain(text: str) -> str:
    """A text of the code's, in which no character is meant as Markdown."""
    return re.sub(r"([\\*_<>\[\]#])", r"\\\1", text)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table."""
    head = tuple(head)
    lines = [head, ["---"] * len(head), *([cell(part) for part in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


# ---------------------------------------------------------------------------------------------------------------------
# What stands around the tables

COMMANDS_INTRO: Final = """\
# Commands

`liteferry COMMAND --help` shows the same on the terminal, `liteferry --version` the version. The answer goes to
standard output, everything else to standard error; [Exit status](exit-status.md) says how a command ends.
"""

EXIT_STATUS_PAGE: Final = """\
# Exit status

Nothing but a command that did all that it was asked to ends with 0. For `migrate` and `verify` that means: every value
is proven.

{table}
`check` and `plan` end with 4 while a blocker is not accepted, else with 0. `undo` ends with 1 when it refuses; nothing
was changed then. From Python, `liteferry.ExitStatus` has the names, and `Report.exit_status` the number.
"""

ERRORS_INTRO: Final = """\
# Errors

An error says in one sentence what is wrong and where, with its code in brackets, and then what to do:

```text
liteferry: what is wrong [the-code]
  what to do
```

With `--json` the same stands on standard output, with the schema `liteferry.error/1`. From Python it is a
`liteferry.MigrationError` with the attributes `code`, `what`, `hint`, `table`, `column`, `key`, `step_id` and
`exit_status`. Anything else that escapes is a bug in liteferry; please report it.
"""

WAYS_INTRO: Final = """\
What a decision takes: `--on-misfit PLACE=WAY`, where PLACE is a table, `table.column` or a pattern, or
`--on-misfit CODE:PLACE=WAY` for findings of one code alone. A finding offers those that make sense at its place;
`liteferry check` shows them. [Decide findings](../how-to/decide-findings.md) has examples, and the exact rules.
"""

FINDINGS_INTRO: Final = """\
# Findings

What `check`, `plan` and `migrate` can find. A **blocker** stops a run until it is repaired or, where it says what
happens then, accepted with `--accept CODE`. See [Decide findings](../how-to/decide-findings.md).
"""

TYPES_PAGE: Final = """\
# Types

From what SQLite declares to what PostgreSQL gets. The rule's name stands in plans and reports. A rule applies only if
its condition holds for every value that is stored; else there is a [finding](findings.md), and accepting it applies the
rule *widened*. [Types](../explanation/types.md) explains it.

{table}
Declared types are read as SQLite reads them, whatever their case: after the names above, a name with INT in it is an
integer, with CHAR, CLOB or TEXT a text, with BLOB a blob, with REAL, FLOA or DOUB a real; any other name says nothing.
"""

EXPRESSIONS_INTRO: Final = """\
# Expressions

How the SQL in defaults, checks, generated columns, indexes and views is translated. It is a whitelist: only what surely
means the same on both engines is translated. Everything else is a [finding](findings.md) with its SQL. What is
translated is then computed by both engines, over sample values and over the rows; where the answers differ, it is
refused as well. [The proof](../explanation/proof.md#what-the-objects-do) says how.

## Translated

"""

INSPECT_INTRO: Final = f"""\
# Inspect schema

What `inspect --json` writes: `{model.INSPECT_SCHEMA}`, in the field `schema`, and the fields of `Inspection`. Every
field is always there. Within one number after the slash, fields are only ever added.

The census knows these shapes, forms, offences, notes and reasons by name. A shape is what a text or blob looks like,
whatever was declared; a form is one that matters to the declared type; an offence may stand in the way of the move, a
note does not; a reason says why a text is no date or time.
"""

REPORT_INTRO: Final = f"""\
# Report schema

`report.json`, and what `migrate --json`, `verify --json` and `report --json` write: `{model.REPORT_SCHEMA}`. Every
field is always there. Within one number after the slash, fields are only ever added.

The JSON Schema, for validators:

```python
import json

from liteferry.model import Report, json_schema

print(json.dumps(json_schema(Report), indent=2))
```
"""

CONFIG_INTRO: Final = """\
# Configuration file

`liteferry.toml` holds options, decisions, casts, hooks and what Django commands need. `check`, `plan`, `migrate`,
`verify` and `digest` read it: the file that `--config FILE` names, else `liteferry.toml` in the current directory, or
in the project's with `--django`. `--no-config` goes without. Which file was taken is said on standard error, and stands
with its SHA-256 in the plan and in the report.

`liteferry check SOURCE --write-config` [drafts it](../how-to/keep-decisions-in-a-file.md). From Python,
`liteferry.read_config("liteferry.toml")` gives the `Options`.

```toml
{example}```

The file is [TOML](https://toml.io/en/v1.0.0), in UTF-8 without a byte order mark. A key that there is not, a value of
another type, or a way or code that does not exist is a usage error (exit status 2) with the line and what is allowed.
Source, target and passwords do not belong in it and are refused.

## What the command line adds

| option | together with the file |
| --- | --- |
| `--schema`, `--names`, `--timestamps`, `--nocase`, `--into` | replaces the file's |
| `--only`, `--exclude`, `--replace-rows` | replaces the file's list |
| `--accept` | comes on top of the file's |
| `--on-misfit` | comes after the file's decisions, and so before them in rank: the last that matches counts |
| `--cast` | comes before the file's casts: the first that matches counts |

A decision that names a way counts more than `accept`, wherever they stand.

"""

CONFIG_EXAMPLE: Final = """\
[move]
schema = "sales"
names = "lower"
exclude = ["tmp_*"]
accept = ["trigger-left-out:audit_*"]

[decisions]
"customer.age" = "widen"
"orphan-rows:order_item.order_id" = "not-valid"

[casts.columns]
"order.total" = "numeric(12,2)"

[casts.types]
"integer unsigned" = "bigint"

[hooks]
after-data = ["sql/search.sql"]
before-pre-data = { run = "sql/citext.sql", undo = "sql/citext.undo.sql" }

[django]
settings = "shop.settings"

[django.prune]
"shop.Order" = { customer__is_test = true, created__lt = 2020-01-01 }
"""

NAMES_INTRO: Final = """\
# Names

Every name is quoted, so that any name can be kept: with capitals, blanks, dots, or a reserved word. `--names` decides
how names are written in PostgreSQL: those of tables, columns, views and their columns, indexes and constraints.

- `preserve` (default): as they are. `"Order Details"` and `"userName"` need their quotes in PostgreSQL, too.
- `lower`: A to Z in lower case, and nothing else. That is what PostgreSQL itself makes of a name without quotes, so
  that `SELECT userName` finds `username`. Letters beyond A to Z stay as they are, as in PostgreSQL with UTF-8.
- `snake`: words in lower case with an underscore between them. A word ends before a capital that follows a small letter
  or a digit, before the last of several capitals when a small letter follows, and at whatever is no letter, digit or
  mark. An underscore at the beginning stays, and one is put before a digit there; those at the end go. Capitals of
  every script become small letters.

{table}
Expressions, checks, generated columns, foreign keys, predicates and views follow the names; the proof, `verify` and
`undo` work the same with each style. `plan` and the report list every name that is not as it was.

## Names that cannot be kept

PostgreSQL's names end after 63 bytes, indexes share one name space with tables, a few column names (`ctid`, `xmin` and
so on) are PostgreSQL's own, and two names can become one in a style. Such a name gets a suffix of eight hexadecimal
digits, made from the source's name: the same in every run. A name that the style does not change keeps it, and the
others evade it. Each is a finding, [name-changed](findings.md#name-changed); names that only the style changed are one
finding together, [names-styled](findings.md#names-styled). A name of which `snake` leaves nothing becomes `unnamed`.
"""

NAME_EXAMPLES: Final = (
    "Order Details", "userName", "userID", "HTTPServer", "MD5Hash", "order-line", "2nd Line", "_private", "ÄhreGrün",
    "a.b", "ORDERS",
)  # fmt: skip

API_INTRO: Final = """\
# Python API

Everything that the command line does, from Python. What is not on this page is not meant for others and may change.

```python
import liteferry

options = liteferry.Options(accept=("text-too-long",))
report = liteferry.migrate("app.db", "postgresql://app@db.example.org/app", options)
if report.verdict != "proven":
    raise SystemExit(report.exit_status)
```

Importing `liteferry` costs nothing: each name is loaded when it is first used. `observe` is called with every `Event`,
from liteferry's own threads too. `liteferry.__version__` is the version.

## Functions
"""

REMARKS: Final = MappingProxyType(
    {
        "Report.schema": f"always {model.REPORT_SCHEMA}",
        "Forecast.schema": f"always {model.WINDOW_SCHEMA}",
        "Report.verdict": "see the page Read the report",
        "Report.exit_status": "see the page Exit status",
        "Report.run_dir": "where the run's files are; empty where none were kept",
        "Report.target": "the server; null when the run did not get there",
        "Report.target_schema": "where the tables were to go",
        "Report.mismatches": "each difference; at most a hundred a table",
        "Report.mismatch_count": "how many differences there are",
        "Report.names": "names that could not be kept",
        "Report.types": "how often which type became which",
        "Report.published": "whether what the run made is in the target's schema",
        "Report.jobs": "how many tables were loaded at a time",
        "Report.failure": "why the run failed; null when it did not",
        "TableReport.name": "in the source",
        "TableReport.target": "in the target",
        "TableReport.bytes": "sent to the server",
    }
)
"""What the code does not say beside a field."""

# ---------------------------------------------------------------------------------------------------------------------
# Commands


def write_commands() -> str:
    """Every command with every argument."""
    parser = cli.build_parser()
    parts = [COMMANDS_INTRO]
    subcommands = list(find_subcommands(parser))
    parts.append(table(("command", "what it does"), ((f"[{name}](#{name})", text) for name, text, _ in subcommands)))
    for name, text, command in subcommands:
        parts.append(f"## {name}\n")
        parts.append(f"{text[0].upper()}{text[1:]}.\n")
        parts.append(describe_arguments(f"liteferry {name}", command))
        for action, about, nested in find_subcommands(command):
            parts.append(f"### {name} {action}\n")
            parts.append(f"{about[0].upper()}{about[1:]}.\n")
            parts.append(describe_arguments(f"liteferry {name} {action}", nested))
    return "\n".join(part for part in parts if part)


def find_subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """The commands below a parser: name, help, parser."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001 - the same
            for name, nested in action.choices.items():
                yield name, helps[name], nested


def describe_arguments(call: str, parser: argparse.ArgumentParser) -> str:
    """The way that a command is called, and what its arguments mean."""
    actions = [
        action
        for action in parser._actions  # noqa: SLF001 - argparse has no public way to ask
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)  # noqa: SLF001 - the same
    ]
    positional = [action for action in actions if not action.option_strings]
    options = [action for action in actions if action.option_strings]
    usage = [call]
    if any(True for _ in find_subcommands(parser)):
        usage.append("ACTION")
    usage += ["[OPTION …]"] if options else []
    usage += [name_argument(action) if action.nargs != "?" else f"[{name_argument(action)}]" for action in positional]
    text = f"```text\n{' '.join(usage)}\n```\n"
    if actions:
        rows = ((code(spell_argument(action)), plain(action.help or "")) for action in (*positional, *options))
        text += "\n" + table(("argument", "meaning"), rows)
    return text


def name_argument(action: argparse.Action) -> str:
    """What stands for an argument's value."""
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return str(action.metavar or action.dest.upper())


def spell_argument(action: argparse.Action) -> str:
    """An argument as it is typed."""
    if not action.option_strings:
        return name_argument(action)
    value = "" if action.nargs == 0 else f" {name_argument(action)}" + (" …" if action.nargs == "+" else "")
    return ", ".join(action.option_strings) + value


# ---------------------------------------------------------------------------------------------------------------------
# Codes


def write_exit_status() -> str:
    """Every exit status."""
    rows = ((str(int(status)), status.name.lower(), plain(text)) for status, text in EXIT_STATUSES.items())
    return EXIT_STATUS_PAGE.format(table=table(("status", "name", "what it means"), rows))


def write_errors() -> str:
    """Every error code."""
    parts = [ERRORS_INTRO]
    for name, meaning in CODES.items():
        parts.append(f"## {name}\n")
        parts.append(f"{plain(meaning)}\n")
        if name in ADVICE:
            parts.append(f"{ADVICE[name]}\n")
    return "\n".join(parts)


ADVICE: Final = MappingProxyType(
    {
        "source-missing": "Look at the path. liteferry never creates a source.",
        "source-unreadable": "The user that runs liteferry must be allowed to read the file and enter its directory.",
        "source-empty": "Most often the path is that of a file that an application made by opening the wrong name.",
        "source-encrypted": "Export it with the program that encrypted it, and migrate the export.",
        "source-truncated": "A copy that broke off, most often. Copy it again, or use a backup.",
        "source-corrupt": (
            "SQLite's `.recover` command in its shell saves what can be saved into a new file. Compare that with a"
            " backup before you migrate it."
        ),
        "source-locked": (
            "Another process holds a lock, most often a transaction that somebody forgot to end. Try again when it is"
            " finished."
        ),
        "source-hot-journal": (
            "Let the application that writes the file open it once: SQLite then rolls the unfinished write back."
            " liteferry does not, since that would write to the source."
        ),
        "source-changed": "Use `--snapshot copy`, or keep writers away with `--snapshot none`.",
        "disk-space": "The hint names the directory. `--run-dir` and `LITEFERRY_HOME` can put things on another disk.",
        "disk-full": "Everything was taken back. Make room, and run again.",
        "run-dir": "Every run has a directory of its own: see [Run directory](run-directory.md).",
        "server-not-ready": "A run needs three connections at once, whatever `--jobs` says; two with `--no-verify` or"
        " `--into existing`.",
        "server-unreachable": "Look at host and port, and whether the server runs and listens there.",
        "server-other": (
            "Two servers on one machine, most often: the one in a container, and one that the system started. The"
            " message says which one answers."
        ),
        "auth-failed": (
            "libpq takes the password from `PGPASSWORD`, `~/.pgpass` or a service file. Which way a server wants it is"
            " in its `pg_hba.conf`."
        ),
        "database-encoding": "Make another one: `CREATE DATABASE app ENCODING 'UTF8' TEMPLATE template0`.",
        "no-create-right": "The hint has the GRANT to run.",
        "target-not-empty": "Choose another `--schema` or database. liteferry mixes with nothing and replaces nothing.",
        "target-busy": "Wait for the other run. The lock goes away with the connection that holds it.",
        "staging-exists": "It was kept with `--keep-staging`, or is somebody else's. The hint has the statement.",
        "value-misfit": "Please report it: the census and the load should not disagree.",
        "step-failed": "The message has the server's own words, and the step is in `plan.json`.",
        "hook-failed": "The message names your file and the line, where the server says it. All was taken back.",
        "connection-lost": "The target is as it was. Run again when the server is there.",
        "undo-refused": "See [Undo a run](../how-to/undo.md#when-it-refuses).",
        "undo-nothing": "Only a run that published can be undone, and only once.",
        "embedded-missing": "`pip install 'liteferry[embedded]'`, or give a target.",
        "embedded-failed": "`liteferry server logs` shows the server's own words.",
        "sample-exists": "Give another `--directory`, or remove the file.",
    }
)
"""What to do beyond the hint that the error itself has."""


def write_findings() -> str:
    """Every finding code."""
    ways = ((f'<a id="way-{name}"></a>{code(name)}', plain(effect)) for name, effect in WAYS.items())
    parts = [
        FINDINGS_INTRO,
        WAYS_INTRO,
        table(("way out", "what it does"), ways),
        table(
            ("code", "severity", "what it is"),
            ((f"[{name}](#{name})", kind.severity, plain(kind.title)) for name, kind in FINDINGS.items()),
        ),
    ]
    for name, kind in FINDINGS.items():
        parts.append(f"## {name}\n")
        parts.append(f"**{plain(kind.title)}** ({kind.severity}). {plain(kind.why)}\n")
        if kind.if_accepted:
            parts.append(f"If accepted, with `--accept {name}`: {plain(kind.if_accepted)}.\n")
        elif kind.severity == "blocker" and not kind.others:
            parts.append("It cannot be accepted, only repaired.\n")
        if kind.others:
            listed = ", ".join(f"[{way}](#way-{way})" for way in kind.others)
            beside = "Other ways out" if kind.if_accepted else "Ways out"
            parts.append(f"{beside}, with `--on-misfit PLACE=WAY`: {listed}.\n")
    return "\n".join(parts)


# ---------------------------------------------------------------------------------------------------------------------
# Translations


def write_types() -> str:
    """Every cast rule."""
    rows = ((rule.name, plain(rule.declared), code(rule.pg_type), plain(rule.when)) for rule in typemap.RULES)
    return TYPES_PAGE.format(table=table(("rule", "declared type", "PostgreSQL", "when"), rows))


def spell(text: str) -> str:
    """SQL as code; a description in plain words (``the same``) as it is."""
    return text if re.fullmatch(r"[a-z][a-z ,-]* [a-z ,-]+", text) else code(text)


def write_expressions() -> str:
    """Every rule of translation."""
    rules = expressions.describe_rules()
    translated = ((spell(rule.sqlite), spell(rule.postgresql), rule.note) for rule in rules if rule.postgresql)
    refused = [(spell(rule.sqlite), rule.note) for rule in rules if not rule.postgresql]
    text = EXPRESSIONS_INTRO + table(("SQLite", "PostgreSQL", "note"), translated)
    if refused:
        text += "\n## Refused\n\n" + table(("SQLite", "why"), refused)
    return text


# ---------------------------------------------------------------------------------------------------------------------
# Data and functions


def write_report_schema() -> str:
    """The fields of a report."""
    parts = [REPORT_INTRO]
    for cls in find_dataclasses(model.Report):
        parts.append(f"## {cls.__name__}\n")
        parts.append(write_docstring(cls) + "\n")
        parts.append(describe_fields(cls))
    return "\n".join(parts)


def write_inspect_schema() -> str:
    """The fields of an inspection, and the words of the census."""
    parts = [INSPECT_INTRO]
    for title, words in (
        ("Shapes", census.SHAPES),
        ("Forms", census.FORMS),
        ("Offences", census.OFFENCES),
        ("Notes", census.NOTES),
        ("Reasons", census.REASONS),
    ):
        parts.append(f"## {title}\n")
        parts.append(table(("name", "meaning"), ((code(name), plain(text)) for name, text in words.items())))
    for cls in find_dataclasses(pipeline.Inspection):
        parts.append(f"## {cls.__name__}\n")
        parts.append(write_docstring(cls) + "\n")
        parts.append(describe_fields(cls))
    return "\n".join(parts)


def find_dataclasses(cls: type[Any]) -> list[type[Any]]:
    """A dataclass and those in its fields, each once, in order."""
    found: list[type[Any]] = [cls]
    for one in found:
        for hint in typing.get_type_hints(one).values():
            for part in walk_type(hint):
                if isinstance(part, type) and dataclasses.is_dataclass(part) and part not in found:
                    found.append(part)
    return found


def walk_type(hint: Any) -> Iterator[Any]:  # a type, or what stands for one
    """A type and the types that it is made of."""
    yield hint
    for part in typing.get_args(hint):
        yield from walk_type(part)


def describe_fields(cls: type[Any]) -> str:
    """A table of a dataclass's fields. What they mean stands beside them in the code."""
    hints = typing.get_type_hints(cls)
    owners = [owner for owner in reversed(cls.__mro__) if dataclasses.is_dataclass(owner)]
    sources = "".join(map(inspect.getsource, owners))
    remarks = dict(re.findall(r"^    (\w+): .*?  # (.*)$", sources, re.MULTILINE))
    rows = []
    for field in dataclasses.fields(cls):
        remark = REMARKS.get(f"{cls.__name__}.{field.name}", remarks.get(field.name, ""))
        rows.append((code(field.name), name_type(hints[field.name]), plain(remark)))
    return table(("field", "type", "meaning"), rows)


def name_type(hint: Any) -> str:  # a type, or what stands for one
    """A type in JSON's words."""
    simple = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
    if hint in simple:
        return simple[hint]
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return ", ".join(code(f'"{part}"' if isinstance(part, str) else part) for part in parts)
    if origin in (typing.Union, UnionType):
        return " or ".join(name_type(part) for part in parts)
    if origin is tuple:
        return f"array of {name_type(parts[0])}"
    return f"[{hint.__name__}](#{hint.__name__.lower()})"


def write_docstring(thing: object) -> str:
    """The docstring as Markdown: code in single backquotes, paragraphs as they are."""
    text = inspect.getdoc(thing) or ""
    pieces = re.split(r"(``.+?``|`[^`]+`)", text)
    return "".join(
        code(piece.strip("`").removeprefix("liteferry.")) if n % 2 else plain(piece) for n, piece in enumerate(pieces)
    )


def write_python_api() -> str:
    """The public names."""
    public = {name: getattr(liteferry, name) for name in liteferry.__all__ if name != "__version__"}
    functions = {name: thing for name, thing in public.items() if isinstance(thing, FunctionType)}
    parts = [API_INTRO]
    for name, function in functions.items():
        parts.append(f"### {name}\n")
        parts.append(f"```python\n{write_signature(name, function)}\n```\n")
        original = function.__name__
        parts.append(f"The same function as `{original}`.\n" if original != name else f"{write_docstring(function)}\n")
    parts.append("## Options\n")
    parts.append(write_docstring(model.Options) + "\n")
    parts.append(describe_options())
    parts.append("## Other names\n")
    others = (name for name in public if name not in functions and name != "Options")
    rows = ((code(name), first_line(public[name])) for name in others)
    parts.append(table(("name", "what it is"), rows))
    parts.append(
        "\nThe fields of `Report` and what it is made of are those of the [Report schema](report-schema.md).\n"
    )
    return "\n".join(parts)


def first_line(thing: object) -> str:
    """The first line of a docstring."""
    return write_docstring(thing).partition("\n")[0]


def write_signature(name: str, function: Callable[..., object]) -> str:
    """A function's signature, its defaults by their names."""
    signature = inspect.signature(function)
    parts = []
    for parameter in signature.parameters.values():
        default = parameter.default
        text = f"{parameter.name}: {parameter.annotation}"
        if isinstance(default, FunctionType):
            text += f" = {default.__name__}"
        elif default is not parameter.empty:
            text += f" = {type(default).__name__}()" if dataclasses.is_dataclass(default) else f" = {default!r}"
        parts.append(text)
    return f"{name}(\n    " + ",\n    ".join(parts) + f",\n) -> {signature.return_annotation}"


def describe_options() -> str:
    """A table of the options, each with the command line's option of that name."""
    flags = {"verify": "--no-verify", "rehearsed": "--rehearsal", "rehearsal": "rehearse"}
    remarks = dict(re.findall(r"^    (\w+): .*?  # (.*)$", inspect.getsource(model.Options), re.MULTILINE))
    rows = (
        (
            code(field.name),
            code(field.type),
            code(repr(field.default)),
            code(flags.get(field.name, "--" + field.name.replace("_", "-"))),
            plain(remarks.get(field.name, "")),
        )
        for field in dataclasses.fields(model.Options)
    )
    return table(("field", "type", "default", "command line", ""), rows)


# ---------------------------------------------------------------------------------------------------------------------


def write_config_file() -> str:
    """Every section and key of liteferry.toml."""
    parts = [CONFIG_INTRO.format(example=CONFIG_EXAMPLE)]
    parts.append("## Sections\n\n" + table(("section", "what stands in it"), _code_first(config.SECTIONS)))
    parts.append("## move\n\n" + table(("key", "meaning"), _code_first(config.MOVE_KEYS)))
    parts.append(
        "## decisions\n\nA place is what `check` prints, `table.column` most often, or a shell pattern; with a code"
        " before it and a colon, the decision is about findings of that code alone. The last that matches counts.\n\n"
        + table(("way", "what it does"), _code_first(WAYS))
    )
    parts.append(
        "## casts\n\n"
        + table(("section", "what stands in it"), _code_first({f"casts.{k}": v for k, v in config.CAST_KINDS.items()}))
    )
    parts.append(
        '## hooks\n\nThe value is a file\'s name, relative to this file; or `{ run = "FILE", undo = "FILE" }`; or a'
        " list of these, run in their order. See [Run your own SQL](../how-to/run-your-own-sql.md).\n\n"
        + table(("point", "what is there then"), _code_first(config.POINTS))
    )
    parts.append(
        "## django\n\nOnly commands that move a Django project look at it: `liteferry check app.db` in the same"
        " directory goes on as if it were not there. What the command line says replaces it.\n\n"
        + table(("key", "meaning"), _code_first(config.DJANGO_KEYS))
    )
    parts.append(
        "## django.prune\n\nModel = rows that do not travel. The model is named `app.Model`, in quotes; what goes with"
        " its rows is what Django would delete with them. Dates and times are written as they are, without quotes. See"
        " [Prune before the move](../how-to/prune-before-the-move.md).\n\n"
        + table(("value", "which rows"), config.PRUNE_FORMS.items())
    )
    return "\n".join(parts)


def _code_first(words: typing.Mapping[Any, str]) -> Iterator[tuple[str, str]]:
    return ((code(key), plain(text) if "`" not in text else text) for key, text in words.items())


def write_names() -> str:
    """What each style makes of names."""
    rows = (
        (code(name), code(names.restyle_name(name, "lower")), code(names.restyle_name(name, "snake")))
        for name in NAME_EXAMPLES
    )
    return NAMES_INTRO.format(table=table(("in SQLite", "lower", "snake"), rows))


PAGES: Final = MappingProxyType(
    {
        "commands.md": write_commands,
        "exit-status.md": write_exit_status,
        "errors.md": write_errors,
        "findings.md": write_findings,
        "config-file.md": write_config_file,
        "names.md": write_names,
        "types.md": write_types,
        "expressions.md": write_expressions,
        "report-schema.md": write_report_schema,
        "inspect-schema.md": write_inspect_schema,
        "python-api.md": write_python_api,
    }
)


def build_pages() -> dict[str, str]:
    """Every page's text by its name. Pure."""
    return {name: MADE + write().rstrip("\n") + "\n" for name, write in PAGES.items()}


def find_outdated(directory: Path) -> list[str]:
    """The pages in a directory that are not what they should be."""
    return [
        name
        for name, text in build_pages().items()
        if not (directory / name).exists() or (directory / name).read_text(encoding="utf-8") != text
    ]


def main(argv: list[str] | None = None) -> int:
    """Write the pages, or look whether they are up to date."""
    parser = argparse.ArgumentParser(description="Write the reference's pages that are made from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; name the pages that are out of date")
    if parser.parse_args(argv).check:
        outdated = find_outdated(REFERENCE)
        for name in outdated:
            sys.stderr.write(f"docs/reference/{name} is out of date: python docs/generate.py\n")
        return 1 if outdated else 0
    REFERENCE.mkdir(exist_ok=True)
    for name, text in build_pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
