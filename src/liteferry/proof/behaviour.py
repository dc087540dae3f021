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
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from liteferry.compare import DigestSum, canonicalise_columns, canonicalise_rows, digest_rows, parse_copy_text
from liteferry.compare.words import spell_value
from liteferry.errors import MigrationError, TooSlow
from liteferry.findings import make_finding
from liteferry.model import ColumnMap, ignore
from liteferry.names import quote_name, quote_qualified
from liteferry.proof.answers import MINUS_ZERO, ZERO, call_object, contradict
from liteferry.proof.probe import ask
from liteferry.proof.rows import order_sql, read_lines
from liteferry.proof.samples import list_names
from liteferry.proof.tables import SMALL_BYTES, SMALL_ROWS
from liteferry.proof.views import ViewsProof, tell_behaviour
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from liteferry.compare import StorageValue
    from liteferry.model import Event, Finding, Mismatch, Plan, TableMap, TargetCatalog, TranslatedSql
    from liteferry.proof.answers import AnswerSource, AnswerTarget

WHOLE_ROWS: Final = 20_000
"""A table with a key and more rows than this is compared at both ends of its key's order only, half as many at each.
Without a key all rows are, as long as the time lasts. Computing costs 2 µs a row and side;
of a keyed table with four expressions 0.2 s, and less than 10 MB."""
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
    observe: Callable[[Event], None] = ignore,
) -> tuple[tuple[Mismatch, ...], tuple[Finding, ...]]:
    """Ask both engines what the translated expressions and views come to, and compare.

    held: the schema that is proven, as it is. observe: is told what is being asked about, which may take its time.

    Returns the differences, and findings about what was not compared.

    Raises: MigrationError when one of them cannot be asked.
    """
    mismatches: list[Mismatch] = []
    findings: list[Finding] = []
    by_table: dict[str, list[TranslatedSql]] = defaultdict(list)
    for translated in plan.translations:
        if translated.use in {"check", "predicate", "index-key"} and translated.table and not translated.moves:
            by_table[translated.table].append(translated)
    proofs: list[_TableProof] = []
    present = {table.name: {column.name for column in table.columns} for table in held.tables}
    for mapped in plan.tables:
        asked = by_table[mapped.source]
        if not asked or mapped.part == "quarantine":
            continue
        if not {column.target for column in mapped.columns} <= present.get(mapped.target, set()):
            continue  # named by `objects`
        proofs.append(_TableProof(mapped, asked, source, target, held.schema))
    target.expect([sql for proof in proofs for sql in proof.foresee()], within_s=TABLE_S)
    for proof in proofs:
        with tell_behaviour(observe, f"expressions of {proof.table.source}"):
            more, notes = proof.compare()
        mismatches += more
        findings += notes
    views = ViewsProof(
        source=source,
        target=target,
        schema=held.schema,
        show_values=show_values,
        scratch_dir=scratch_dir,
        observe=observe,
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
        self.table = table
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
        self._answers = [
            ColumnMap(source="", target="", pg_type=question.pg_type, kind=question.kind, rule="")
            for question in self._questions
        ]
        # rows in quarantine are on one side only: without a key nobody can tell which
        self._is_partial = table.part == "fitting"

    def foresee(self) -> list[str]:
        """What is going to be asked of a small table."""
        if not self._asked or (self._is_partial and not self._key):
            return []
        is_small = self.table.rows <= SMALL_ROWS and self.table.size_bytes <= SMALL_BYTES
        return [self._select_target(0, from_end=False)] if is_small else []

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
            if not self._key:
                return self._add_up(), findings
            paired = self._pair()
            if paired is None:  # a key that was left out, since rows clash in it
                self._key = []
                if self._is_partial:
                    return [], [*findings, *(_not_compared(each, _AMBIGUOUS) for each in self._asked)]
                return self._add_up(), findings
            mismatches, met = paired
            if met:
                return mismatches, findings
            why = "the two engines put the values of its table's key into other orders"
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

    def _read_source(self, most_rows: int, *, from_end: bool) -> Iterator[_Answers]:
        names = [column.source for column in self._key]
        batches = self._source.read_expressions(
            self.table.source,
            names,
            [question.source_sql for question in self._questions],
            within_s=TABLE_S,
            most_rows=most_rows,
            from_end=from_end,
        )
        for batch in batches:
            yield _Answers(canonicalise_rows(batch, self._key + self._answers, "source"), len(names), batch)

    def _select_target(self, most_rows: int, *, from_end: bool) -> str:
        items = [quote_name(column.target) for column in self._key]
        order = [order_sql(column) + " DESC" * from_end for column in self._key]
        items += [f"({question.target_sql}\n)" for question in self._questions]
        select_sql = f"SELECT {', '.join(items)} FROM {quote_qualified(self._schema, self.table.target)}"
        if most_rows:
            select_sql += f" ORDER BY {', '.join(order)} LIMIT {most_rows}"
        return select_sql

    def _read_target(self, most_rows: int, *, from_end: bool) -> Iterator[_Answers]:
        select_sql, width = self._select_target(most_rows, from_end=from_end), len(self._key) + len(self._questions)
        for lines in read_lines(self._target.answer(select_sql, within_s=TABLE_S)):
            values = parse_copy_text(lines, width)
            yield _Answers(canonicalise_columns(values, self._key + self._answers, "target"), len(self._key))

    def _pair(self) -> tuple[list[Mismatch], bool] | None:
        """Compare row by row. A key that only one side has is the row proof's business.

        Returns the differences, and whether rows met at each end of the key's order. None where several rows have
        one key in the target's types, so that it does not say which of them is which.
        """
        found: dict[int, Mismatch] = {}
        met = True
        whole = self.table.rows <= WHOLE_ROWS
        names = [column.source for column in self._key]
        for from_end in (False,) if whole else (False, True):
            most_rows = 0 if whole else WHOLE_ROWS // 2
            expected: dict[bytes, tuple[tuple[bytes, ...], str]] = {}
            rows_read = pairs = 0
            for block in self._read_source(most_rows, from_end=from_end):
                words = (
                    ", ".join(f"{name}={spell_value(value)}" for name, value in zip(names, row, strict=False))
                    for row in block.rows
                )
                expected |= zip(block.digest_keys(), zip(block.list_rows(), words, strict=True), strict=True)
                rows_read += len(block.rows)
            if len(expected) < rows_read:
                return None
            seen = set[bytes]()
            rows_seen = 0
            for block in self._read_target(most_rows, from_end=from_end):
                for key, forms in zip(block.digest_keys(), block.list_rows(), strict=True):
                    seen.add(key)
                    rows_seen += 1
                    pairs += key in expected
                    wanted, spelled = expected.get(key, (forms, ""))
                    if forms == wanted:
                        continue
                    for at, (left, right) in enumerate(zip(wanted, forms, strict=True)):
                        if left != right and at not in found:
                            found[at] = self._contradict(at, left, right, spelled)
            if len(seen) < rows_seen:
                return None
            met = met and (pairs > 0 or not expected)
        return [found[at] for at in sorted(found)], met or bool(found)

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
        source = self._sum_up(self._read_source(0, from_end=False))
        target = self._sum_up(self._read_target(0, from_end=False))
        return [
            contradict(each, "gives other answers in the target", f"{left.rows} rows", f"{right.rows} rows")
            for each, left, right in zip(self._asked, source, target, strict=True)
            if left.rows == right.rows and left.result() != right.result()
        ]

    def _sum_up(self, blocks: Iterator[_Answers]) -> list[DigestSum]:
        sums = [DigestSum() for _ in self._asked]
        for block in blocks:
            for total, forms in zip(sums, block.answers, strict=True):
                total.add(digest_rows([forms]))
        return sums


class _Answers:
    """Some rows' keys and answers in canonical form. rows: as SQLite has them, the key first."""

    def __init__(self, forms: list[list[bytes]], width: int, rows: Sequence[Sequence[StorageValue]] = ()) -> None:
        self._keys = forms[:width]
        self.answers = [_drop_signs(column) for column in forms[width:]]
        self.rows = rows

    def digest_keys(self) -> list[bytes]:
        return digest_rows(self._keys)

    def list_rows(self) -> list[tuple[bytes, ...]]:
        return [tuple(map(_abbreviate, row)) for row in zip(*self.answers, strict=True)]


def _drop_signs(forms: list[bytes]) -> list[bytes]:
    return [ZERO if form == MINUS_ZERO else form for form in forms] if MINUS_ZERO in forms else forms


def _abbreviate(form: bytes) -> bytes:
    return form if len(form) <= _LONG else blake2b(form, digest_size=_LONG).digest()


_LONG: Final = 32
_AMBIGUOUS: Final = "some rows are in quarantine, and several have the same key"

_TRUTHS: Final = {b"i1": "true", b"i0": "false", b"-": "NULL"}


def _not_compared(translated: TranslatedSql, why: str) -> Finding:
    return make_finding(
        "expression-not-compared",
        f"{call_object(translated)} was not compared over the rows: {why}",
        table=translated.table,
        name=translated.name,
        sql=translated.source_sql,
    )
