"""Translations tried out before anything is loaded: both engines are asked what sample values come to.

Layer 3. SQLite answers in memory (`liteferry.source.samples`), PostgreSQL without a table (`liteferry.target.samples`).
What gives two answers is refused: the planner then names it like anything that cannot be translated. Views are not
tried out here, since they have no values of their own: `behaviour` compares their rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.compare import storage_class
from liteferry.compare.words import spell_text, spell_value
from liteferry.proof.answers import form_of_source, form_of_target, name_place
from liteferry.proof.samples import (
    combine,
    describe_columns,
    find_used,
    fits,
    sample_values,
    spell_for_target,
    uses_fractions,
)
from liteferry.source.samples import SampleClause, SampleDatabase
from liteferry.sqlite_ddl import fold_case
from liteferry.target.samples import AT_ONCE, SampleQuestion, evaluate_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from liteferry.compare import StorageValue
    from liteferry.model import Catalog, Census, Kind, Plan, TranslatedSql
    from liteferry.proof.samples import SampleColumn
    from liteferry.target import Target
    from liteferry.target.samples import Answer

_DATA_EXCEPTION: Final = "22"
_INEXACT: Final = frozenset({"float8", "numeric"})


def truth_sql(condition_sql: str) -> str:
    """1, 0 or NULL, in either engine's words. Pure."""
    return f"CASE WHEN ({condition_sql}\n) THEN 1 WHEN ({condition_sql}\n) IS NOT NULL THEN 0 END"


@dataclass(frozen=True, slots=True)
class Question:
    """What both engines are asked: an expression for each, and the kind of the answer."""

    source_sql: str
    target_sql: str
    kind: Kind
    pg_type: str


def ask(translated: TranslatedSql) -> Question:
    """The question that a translation answers: of a condition, whether it is true, false or NULL. Pure."""
    if translated.use in {"check", "predicate"}:
        return Question(truth_sql(translated.source_sql), truth_sql(translated.target_sql), "int4", "integer")
    (result,) = translated.results
    return Question(translated.source_sql, translated.target_sql, result.kind, result.pg_type)


def probe_translations(plan: Plan, catalog: Catalog, census: Census, target: Target) -> dict[str, str]:
    """Try out the plan's defaults, generated columns, checks, predicates and index keys with sample values.

    Returns why each that gives two answers must be refused, by ``CODE:PLACE``; {} when none does. Costs 1.5 ms an
    expression of one column and 70 samples, 10 ms one of several and 500; what was tried once is not tried again.

    Raises: MigrationError when the server cannot be asked.
    """
    asked = [translated for translated in plan.translations if translated.table is not None]
    if not asked:
        return {}
    declared, counted = {table.name: table for table in catalog.tables}, {table.table: table for table in census.tables}
    columns_of = {
        mapped.source: describe_columns(declared[mapped.source], counted[mapped.source], mapped)
        for mapped in plan.counterparts
    }
    # thousands of tables have the same few defaults and checks
    identities = [_identify(translated, columns_of[translated.table or ""]) for translated in asked]
    different = list(dict(zip(identities, asked, strict=True)).items())
    found: dict[object, str] = {}
    for start in range(0, len(different), AT_ONCE):
        probes = []
        for identity, translated in different[start : start + AT_ONCE]:
            prepare = _prepare_default if translated.use == "default" else _prepare_expression
            with SampleDatabase(catalog.encoding) as database:
                probe = prepare(translated, columns_of[translated.table or ""], database)
            if probe is not None:
                probes.append((identity, probe))
        answers = evaluate_samples(target, [probe.question for _, probe in probes])
        for (identity, probe), others in zip(probes, answers, strict=True):
            found[identity] = probe.judge(others)
    refused: dict[str, str] = {}
    for identity, translated in zip(identities, asked, strict=True):
        if found.get(identity):
            refused.setdefault(name_place(translated), found[identity])
    return refused


@dataclass(frozen=True, slots=True)
class _Probe:
    """What the target is asked, and what its answers say: why the translation must be refused, "" when it need not."""

    question: SampleQuestion
    judge: Callable[[Sequence[Answer]], str]


def _identify(translated: TranslatedSql, columns: dict[str, SampleColumn]) -> object:
    """What the answers depend on: not the table's name, which an expression that uses it holds itself. Pure."""
    used = tuple(find_used(translated.source_sql, columns))
    own = columns[fold_case(translated.name)] if translated.use in {"default", "generated"} else None
    result = tuple((found.kind, found.pg_type) for found in translated.results)
    return translated.use, translated.source_sql, translated.target_sql, translated.moves, result, used, own


def _clause(column: SampleColumn) -> SampleClause:
    return SampleClause(column.source, column.affinity, column.collation, column.rowid)


def _prepare_expression(
    translated: TranslatedSql, columns: dict[str, SampleColumn], database: SampleDatabase
) -> _Probe | None:
    """Ask SQLite for an expression; None where there is nothing to ask it for."""
    used = find_used(translated.source_sql, columns)
    values: list[list[StorageValue]] = []
    exact = not (uses_fractions(translated.source_sql) or any(column.kind in _INEXACT for column in used))
    for column in used:
        stored = database.store(_clause(column), sample_values(column, translated.source_sql, exact=exact))
        fitting = {(storage_class(value), value): value for value in stored if fits(column, value)}
        values.append(list(fitting.values()))
    if not all(values):  # a column of which nobody knows what it may hold: the rows are compared all the same
        return None
    rows = combine(values)
    own = columns[fold_case(translated.name)].affinity if translated.use == "generated" else ""
    clauses = [_clause(column) for column in used]
    question = ask(translated)
    answers = list(database.evaluate(translated.table or "", clauses, rows, question.source_sql, own))
    # the extension's type may be nowhere yet; and an expression reads such a column as plain text
    types = {"citext": "text"}

    def judge(others: Sequence[Answer]) -> str:
        for row, (answered, value), (state, text) in zip(rows, answers, others, strict=True):
            # an error is no other answer, as long as it is about the value: SQLite's, too, are loud
            if not answered or state.startswith(_DATA_EXCEPTION):
                continue
            if not state and form_of_source(value, question.kind, question.pg_type) == form_of_target(
                text, question.kind, question.pg_type
            ):
                continue
            sample = ", ".join(f"{column.source}={spell_value(found)}" for column, found in zip(used, row, strict=True))
            other = f"the error {state}" if state else spell_text(text, question.kind)
            where = f" for {sample}" if sample else ""
            return f"the two engines disagree{where}: SQLite gives {spell_value(value)}, PostgreSQL {other}"
        return ""

    asked = SampleQuestion(
        columns=tuple((column.target, types.get(column.pg_type, column.pg_type)) for column in used),
        rows=tuple(
            tuple(spell_for_target(column, value) for column, value in zip(used, row, strict=True)) for row in rows
        ),
        expression_sql=question.target_sql,
    )
    return _Probe(asked, judge)


def _prepare_default(
    translated: TranslatedSql, columns: dict[str, SampleColumn], database: SampleDatabase
) -> _Probe | None:
    """Ask SQLite for a default; None where this SQLite does not know it."""
    (result,) = translated.results
    try:
        value = database.read_default(_clause(columns[fold_case(translated.name)]), translated.source_sql)
    except ValueError:
        return None

    def judge(others: Sequence[Answer]) -> str:
        ((state, text),) = others
        if not state:
            form = form_of_source(value, result.kind, result.pg_type)
            other = form_of_target(text, result.kind, result.pg_type)
            if form == other or (translated.moves and _look_alike(form, other)):
                return ""
        found = f"the error {state}" if state else spell_text(text, result.kind)
        return f"the two engines disagree: SQLite gives {spell_value(value)}, PostgreSQL {found}"

    return _Probe(SampleQuestion(rows=((),), expression_sql=translated.target_sql), judge)


_NEAR_US: Final = 3_600_000_000
"""How far apart two clocks may be: an hour, which no wrong time zone or unit hides in."""


_LONG_NUMBER: Final = re.compile(rb"-?\d{15,}")  # longer than any count of milliseconds


def _look_alike(form: bytes, other: bytes) -> bool:
    """Whether two moments are near each other, two texts of one shape, two other values of one type. Pure."""
    if form[:1] != other[:1]:
        return False
    match form[:1]:
        case b"s" | b"z":
            return abs(int(form[1:]) - int(other[1:])) < _NEAR_US
        case b"d":
            return abs(int(form[1:]) - int(other[1:])) <= 1
        case b"t":
            if _LONG_NUMBER.fullmatch(form[1:]) and _LONG_NUMBER.fullmatch(other[1:]):
                return True  # random() as a text, whose sign and length are chance too
            return _shape(form[1:]) == _shape(other[1:])
        case b"x":
            return len(form) == len(other)
        case _:
            return True


def _shape(text: bytes) -> bytes:
    """A text with its digits, those of base 16 too, made alike: 8 and more of these show whether they are capitals."""
    is_upper = len(text) > _TELLING and text.upper() == text
    return re.sub(rb"[0-9a-fA-F]", b"0", text) + (b"^" if is_upper else b"")


_TELLING: Final = 24  # of so many hexadecimal digits one is a letter, but for one text in 80,000
