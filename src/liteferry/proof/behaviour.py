"""The proof of what the translated objects do: both engines' answers over the real rows.

Layer 3. `objects` and `definitions` compare what is there and what it says; here

* the rows of each view are compared, in any order (`views`);
* what each CHECK, partial index's condition and index's expression comes to is compared row by row.

Generated columns are compared by the row proof. Defaults, and what the rows that are there do not show, are tried out
with sample values before anything is loaded (`probe`).

Nothing is asked for ever: a view may never end, on either engine. What could not be compared is a finding.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from liteferry.compare import DigestSum, canonicalise_columns, canonicalise_rows, digest_rows, parse_copy_text
from liteferry.compare.words import spell_value
from liteferry.errors import MigrationError, TooSlow
from liteferry.findings import make_finding
from liteferry.names import quote_name, quote_qualified
from liteferry.proof.answers import call_object, contradict, form_of_source, form_of_target
from liteferry.proof.probe import ask
from liteferry.proof.rows import read_lines
from liteferry.proof.samples import list_names
from liteferry.proof.views import ViewsProof
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from liteferry.model import ColumnMap, Finding, Mismatch, Plan, TableMap, TargetCatalog, TranslatedSql
    from liteferry.proof.answers import AnswerSource, AnswerTarget

WHOLE_ROWS: Final = 20_000
"""A table with a key and more rows than this is compared at both ends of its key's order only, half as many at each.
Without a key all rows are, as long as the time lasts."""
TABLE_S: Final = 60.0
"""For the expressions of one table, on either engine."""


def verify_behaviour(
    plan: Plan,
    source: AnswerSource,
    target: AnswerTarget,
    held: TargetCatalog,
    *,
    show_values: bool = False,
    scratch_dir: Path | None = None,
) -> tuple[tuple[Mismatch, ...], tuple[Finding, ...]]:
    """Ask both engines what the translated expressions and views come to, and compare.

    held: the schema that is proven, as it is. Returns the differences, and findings about what was not compared.

    Raises: MigrationError when one of them cannot be asked.
    """
    mismatches: list[Mismatch] = []
    findings: list[Finding] = []
    by_table: dict[str, list[TranslatedSql]] = defaultdict(list)
    for translated in plan.translations:
        if translated.use in {"check", "predicate", "index-key"} and translated.table and not translated.moves:
            by_table[translated.table].append(translated)
    present = {table.name: {column.name for column in table.columns} for table in held.tables}
    for mapped in plan.tables:
        asked = by_table[mapped.source]
        if not asked or mapped.part == "quarantine":
            continue
        if not {column.target for column in mapped.columns} <= present.get(mapped.target, set()):
            continue  # named by `objects`
        proof = _TableProof(mapped, asked, source, target, held.schema)
        more, notes = proof.compare()
        mismatches += more
        findings += notes
    views = ViewsProof(
        source=source, target=target, schema=held.schema, show_values=show_values, scratch_dir=scratch_dir
    )
    more, notes = views.compare_all(plan, held)
    return (*mismatches, *more), (*findings, *notes)


class _TableProof:
    """The expressions of one table."""

    def __init__(
        self,
        table: TableMap,
        asked: Sequence[TranslatedSql],
        source: AnswerSource,
        target: AnswerTarget,
        schema: str,
    ) -> None:
        self._table = table
        self._source = source
        self._target = target
        self._schema = schema
        changed = {fold_case(column.source): column.source for column in table.columns if column.conversions}
        self._changed = {each: changed[name] for each in asked for name in list_names(each.source_sql) & set(changed)}
        self._asked = [each for each in asked if each not in self._changed]
        self._questions = [ask(each) for each in self._asked]
        columns = {column.source: column for column in table.columns}
        self._key: list[ColumnMap] = [columns[name] for name in table.key]
        if any(column.conversions for column in self._key):
            self._key = []
        # rows in quarantine are on one side only: without a key nobody can tell which
        self._is_partial = table.part == "fitting"

    def compare(self) -> tuple[list[Mismatch], list[Finding]]:
        """The differences, and what was not compared."""
        findings = [
            _not_compared(each, f"the values of {column} are changed by your choice")
            for each, column in self._changed.items()
        ]
        if not self._asked:
            return [], findings
        if self._is_partial and not self._key:
            return [], [*findings, *(_not_compared(each, "some rows are in quarantine") for each in self._asked)]
        try:
            return (self._pair() if self._key else self._add_up()), findings
        except TooSlow as slow:
            why = f"{slow}"
        except MigrationError as error:
            if error.code not in {"schema-unreadable", "step-failed"}:
                raise
            if error.code == "step-failed":
                what = f"cannot be computed by PostgreSQL: {error.what}"
                return [contradict(each, what, "an answer", "an error") for each in self._asked], findings
            why = error.what
        return [], [*findings, *(_not_compared(each, why) for each in self._asked)]

    def _read_source(self, most_rows: int, *, from_end: bool) -> Iterator[tuple[bytes, list[bytes], str]]:
        """Each row's key as a digest, its answers' forms, and its key in words."""
        names = [column.source for column in self._key]
        batches = self._source.read_expressions(
            self._table.source,
            names,
            [question.source_sql for question in self._questions],
            within_s=TABLE_S,
            most_rows=most_rows,
            from_end=from_end,
        )
        width = len(names)
        for batch in batches:
            keys = self._digest_keys(canonicalise_rows([row[:width] for row in batch], self._key, "source"), len(batch))
            for key, row in zip(keys, batch, strict=True):
                forms = [
                    form_of_source(value, question.kind, question.pg_type)
                    for value, question in zip(row[width:], self._questions, strict=True)
                ]
                words = ", ".join(
                    f"{name}={spell_value(value)}" for name, value in zip(names, row[:width], strict=True)
                )
                yield key, forms, words

    def _read_target(self, most_rows: int, *, from_end: bool) -> Iterator[tuple[bytes, list[bytes]]]:
        """Each row's key as a digest, and its answers' forms."""
        items = [quote_name(column.target) for column in self._key]
        order = [
            name + (' COLLATE "C"' if column.kind == "text" else "") + (" DESC" if from_end else "")
            for name, column in zip(items, self._key, strict=True)
        ]
        items += [f"({question.target_sql}\n)" for question in self._questions]
        select_sql = f"SELECT {', '.join(items)} FROM {quote_qualified(self._schema, self._table.target)}"
        if most_rows:
            select_sql += f" ORDER BY {', '.join(order)} LIMIT {most_rows}"
        width = len(self._key)
        for lines in read_lines(self._target.answer(select_sql, within_s=TABLE_S)):
            values = parse_copy_text(lines, len(items))
            keys = self._digest_keys(canonicalise_columns(values[:width], self._key, "target"), len(values[0]))
            for key, row in zip(keys, zip(*values[width:], strict=True), strict=True):
                yield (
                    key,
                    [
                        form_of_target(text, question.kind, question.pg_type)
                        for text, question in zip(row, self._questions, strict=True)
                    ],
                )

    def _digest_keys(self, forms: list[list[bytes]], rows: int) -> list[bytes]:
        return digest_rows(forms) if self._key else [b""] * rows

    def _pair(self) -> list[Mismatch]:
        """Compare row by row. A key that only one side has is the row proof's business."""
        found: dict[int, Mismatch] = {}
        whole = self._table.rows <= WHOLE_ROWS
        for from_end in (False,) if whole else (False, True):
            most_rows = 0 if whole else WHOLE_ROWS // 2
            answers = {key: (forms, words) for key, forms, words in self._read_source(most_rows, from_end=from_end)}
            for key, forms in self._read_target(most_rows, from_end=from_end):
                expected, words = answers.get(key, (forms, ""))
                if forms == expected:
                    continue
                for at, (left, right) in enumerate(zip(expected, forms, strict=True)):
                    if left != right and at not in found:
                        found[at] = self._contradict(at, left, right, words)
        return [found[at] for at in sorted(found)]

    def _contradict(self, at: int, source: bytes, target: bytes, words: str) -> Mismatch:
        shows = self._asked[at].use in {"check", "predicate"}  # true or false: no value of a row's
        return contradict(
            self._asked[at],
            "gives another answer in the target",
            _TRUTHS.get(source, "a value") if shows else "a value",
            _TRUTHS.get(target, "another value") if shows else "another value",
            words,
        )

    def _add_up(self) -> list[Mismatch]:
        """Compare each expression's answers over all rows, in any order."""
        sums: list[list[DigestSum]] = [[DigestSum() for _ in self._asked] for _ in ("source", "target")]
        for _, forms, _ in self._read_source(0, from_end=False):
            for total, form in zip(sums[0], forms, strict=True):
                total.add(digest_rows([[form]]))
        for _, forms in self._read_target(0, from_end=False):
            for total, form in zip(sums[1], forms, strict=True):
                total.add(digest_rows([[form]]))
        return [
            contradict(each, "gives other answers in the target", f"{left.rows} rows", f"{right.rows} rows")
            for each, left, right in zip(self._asked, *sums, strict=True)
            if left.rows == right.rows and left.result() != right.result()
        ]


_TRUTHS: Final = {b"i1": "true", b"i0": "false", b"-": "NULL"}


def _not_compared(translated: TranslatedSql, why: str) -> Finding:
    return make_finding(
        "expression-not-compared",
        f"{call_object(translated)} was not compared over the rows: {why}",
        table=translated.table,
        name=translated.name,
        sql=translated.source_sql,
    )
