"""What a terminal shows of a source: what it declares, what it really stores, and what PostgreSQL would make of it.

Layer 1, pure. Plain text for 80 columns; commands are never folded, so that they can be copied.
"""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING, Final

from liteferry.report.wording import (
    align_rows,
    format_count,
    format_list,
    format_plural,
    format_size,
    measure_width,
    wrap_text,
    write_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from liteferry.choosing.suggestions import ColumnChoice, Suggestion
    from liteferry.model import (
        Catalog,
        Census,
        Column,
        ColumnCensus,
        Form,
        SourceInfo,
        Table,
        TableCensus,
    )

_PLAIN_SHAPES: Final = frozenset({"other", "other-blob", "empty", "empty-blob"})


def render_inspect_text(
    catalog: Catalog,
    census: Census,
    info: SourceInfo,
    choices: Sequence[ColumnChoice] = (),
    *,
    width: int = 100,
) -> str:
    """Write what the source declares, what it really stores, and the types that it would get, table by table. Pure."""
    censuses = {table.table: table for table in census.tables}
    rows = sum(table.rows for table in census.tables)
    views, triggers, virtual = len(catalog.views), len(catalog.triggers), len(catalog.virtual_tables)
    holds = [format_plural(len(catalog.tables), "table"), format_plural(rows, "row")]
    holds += [format_plural(views, "view")] if views else []
    holds += [format_plural(triggers, "trigger")] if triggers else []
    holds += [format_plural(virtual, "virtual table")] if virtual else []
    facts = [
        ("file", f"{info.path} ({format_size(info.size_bytes)})"),
        ("holds", format_list(holds)),
        ("SQLite", f"library {info.sqlite_version}"),
        ("text", info.encoding),
        ("pages", f"{format_plural(catalog.page_size_bytes, 'byte')} each, journal mode {info.journal_mode}"),
        ("versions", f"user_version {catalog.user_version}, application_id {catalog.application_id}"),
        ("SHA-256", info.sha256),
    ]
    parts = [align_rows([fact for fact in facts if fact[1]], indent=0)]
    chosen: dict[str, dict[str, ColumnChoice]] = {}
    for choice in choices:
        chosen.setdefault(choice.table, {})[choice.column] = choice
    parts += [
        "\n".join(_write_table(table, censuses.get(table.name), census, chosen.get(table.name, {}), width=width))
        for table in catalog.tables
    ]
    parts += _write_others(catalog)
    if any(choice.suggestions for choice in choices):
        parts.append("?  what the values speak for; nothing of it happens by itself")
    return "\n\n".join(parts) + "\n"


def _write_table(
    table: Table, counted: TableCensus | None, census: Census, choices: Mapping[str, ColumnChoice], *, width: int
) -> Iterator[str]:
    facts = [format_plural(counted.rows, "row"), format_size(counted.size_bytes)] if counted else ["not counted"]
    facts.append(f"primary key {', '.join(table.primary_key)}" if table.primary_key else "no primary key")
    if table.sequence_value is not None:
        facts.append(f"highest id ever given {format_count(table.sequence_value)}")
    facts += [word for word, holds in (("strict", table.strict), ("without rowid", table.without_rowid)) if holds]
    yield wrap_text(f"{table.name}  {' · '.join(facts)}", width=width, hang=2)
    counts = {column.name: column for column in counted.columns} if counted else {}
    heads = _write_heads([_describe_column(column, choices.get(column.name)) for column in table.columns], width=width)
    for column, head in zip(table.columns, heads, strict=True):
        yield head
        if column.name in counts:
            yield wrap_text(" · ".join(_list_facts(counts[column.name])), width=width, indent=6, hang=2)
            yield from _write_oddities(counts[column.name], width=width)
        for suggestion in choices[column.name].suggestions if column.name in choices else ():
            yield from _write_suggestion(suggestion, f"{table.name}.{column.name}", width=width)
    for orphans in census.orphans:
        if orphans.table == table.name:
            key = table.foreign_keys[orphans.foreign_key]
            keys = ", ".join(sample.key for sample in orphans.samples)
            how = ", compared byte for byte," if orphans.exact else ""
            yield wrap_text(
                f"! {', '.join(key.columns)}: {format_plural(orphans.count, 'row')} without a parent in "
                f"{key.parent_table}{how}{f' at {keys}' if keys else ''}",
                width=width,
                indent=4,
                hang=4,
            )


def _describe_column(column: Column, choice: ColumnChoice | None) -> tuple[str, str, str]:
    words = (
        column.declared_type or "(none)",
        "not null" if column.not_null else "",
        f"generated {column.generated}" if column.generated else "",
    )
    becomes = ""
    if choice is not None:
        becomes = f"-> {choice.pg_type}"
        if choice.findings:
            becomes += f", if accepted: {', '.join(choice.findings)}"
    return column.name, " ".join(filter(None, words)), becomes


def _write_heads(rows: Sequence[tuple[str, str, str]], *, width: int) -> list[str]:
    """A line for each column, aligned where all have room."""
    lines = align_rows(rows).split("\n") if rows else []
    if all(measure_width(line) <= width for line in lines):
        return lines
    return [wrap_text("  ".join(filter(None, row)), width=width, indent=2, hang=4) for row in rows]


def _list_facts(counted: ColumnCensus) -> Iterator[str]:
    """What is stored in a column, in few words."""
    stored = [
        format_plural(number, noun)
        for noun, number in (
            ("integer", counted.integers),
            ("real", counted.reals),
            ("text", counted.texts),
            ("blob", counted.blobs),
            ("null", counted.nulls),
        )
        if number
    ]
    yield ", ".join(stored) or "nothing"
    if counted.min_integer is not None and counted.max_integer is not None:
        mixed = "integers " if counted.reals else ""
        yield f"{mixed}{format_count(counted.min_integer)} to {format_count(counted.max_integer)}"
    if counted.min_real is not None:
        mixed = "reals " if counted.integers else ""
        yield f"{mixed}{counted.min_real!r} to {counted.max_real!r}"
    special = (
        ("-0.0", counted.negative_zeros),
        ("+Infinity", counted.positive_infinities),
        ("-Infinity", counted.negative_infinities),
    )
    if found := [f"{word} {format_count(number)}" for word, number in special if number]:
        yield ", ".join(found)
    if counted.texts:
        yield f"up to {format_plural(counted.longest_text_chars, 'character')}"
    if counted.blobs:
        yield f"up to {format_size(counted.longest_value_bytes)}"
    if counted.forms:
        yield ", ".join(f"{form.name} {format_count(form.count)}" for form in counted.forms)
    if any(shape.name not in _PLAIN_SHAPES for shape in counted.shapes):
        yield _write_shapes(counted)


def _write_shapes(counted: ColumnCensus) -> str:
    """The shapes with their counts; where there are several, the rarer ones with the first place of theirs."""
    most = max(counted.shapes, key=_count_of)
    words = [
        f"{shape.name} {format_count(shape.count)}"
        + (f" (first at {shape.first})" if shape.first and shape is not most else "")
        for shape in counted.shapes
    ]
    return ", ".join(words)


def _count_of(form: Form) -> int:
    return form.count


def _write_oddities(counted: ColumnCensus, *, width: int) -> Iterator[str]:
    for oddity in (*counted.offences, *counted.notes):
        keys = ", ".join(sample.key for sample in oddity.samples)
        more = ", …" if 0 < len(oddity.samples) < oddity.count else ""
        at = f" at {keys}{more}" if keys else ""
        yield wrap_text(f"! {oddity.name}, {format_count(oddity.count)}{at}", width=width, indent=6, hang=2)
    if counted.reasons:
        reasons = ", ".join(f"{reason.name} {format_count(reason.count)}" for reason in counted.reasons)
        yield wrap_text(f"why: {reasons}", width=width, indent=8, hang=2)


def _write_suggestion(suggestion: Suggestion, place: str, *, width: int) -> Iterator[str]:
    """What the values speak for, and the options that say so, which are patterns: a name's own stars are no stars."""
    yield wrap_text(f"? {suggestion.why}", width=width, indent=6, hang=2)
    pattern = glob.escape(place)
    if suggestion.pg_type:
        words = ["--cast", f"{pattern}={suggestion.pg_type}"]
        words += ["--on-misfit", f"{pattern}={suggestion.way}"] if suggestion.way else []
        yield f"        {write_command(*words)}"


def _write_others(catalog: Catalog) -> list[str]:
    views = [
        (
            view.name,
            f"cannot be read by SQLite: {view.error}" if view.error else format_plural(len(view.columns), "column"),
        )
        for view in catalog.views
    ]
    triggers = [(trigger.name, f"on {trigger.table}") for trigger in catalog.triggers]
    virtual = [
        (table.name, f"{table.module}, with {format_plural(len(table.shadow_tables), 'shadow table')}")
        for table in catalog.virtual_tables
    ]
    return [
        f"{title}\n{align_rows(rows)}"
        for title, rows in (("Views", views), ("Triggers", triggers), ("Virtual tables", virtual))
        if rows
    ]
