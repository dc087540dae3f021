"""The proof of views: the rows that each shows, on both engines.

Layer 3. Writes scratch files at most. SQLite is asked first, and PostgreSQL only when SQLite has come to an end: what
never ends on one engine need not be tried on the other, where it might fill a disk.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Final, TypeAlias

from liteferry.compare import NULL, DigestSum, canonicalise_columns, canonicalise_rows, digest_rows, parse_copy_text
from liteferry.compare.words import spell_text, spell_value
from liteferry.errors import MigrationError, TooSlow
from liteferry.findings import make_finding
from liteferry.model import Event, ignore
from liteferry.names import quote_name, quote_qualified
from liteferry.proof.answers import MINUS_ZERO, ZERO, contradict
from liteferry.proof.rows import read_lines
from liteferry.proof.store import ProofStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from liteferry.compare import StorageValue
    from liteferry.model import ColumnMap, Finding, Mismatch, Plan, TargetCatalog, TranslatedSql
    from liteferry.proof.answers import AnswerSource, AnswerTarget

VIEW_S: Final = 30.0
"""For one view, on either engine."""
ALL_VIEWS_S: Final = 300.0
"""For all views together."""
MOST_ROUGH_ROWS: Final = 100_000
"""Rows of a view that adds floating-point numbers are paired in memory: 300 bytes each, for both sides. Other views
need none: 3 µs of computing a row of four columns, on each side."""
_RELATIVE: Final = 1e-9
_ABSOLUTE: Final = 1e-6
"""How far such sums may be apart: a sum that is nothing but its terms' rounding errors is near zero on both sides."""

_unpack_double = Struct(">d").unpack
_INTEGERS: Final = frozenset({"int2", "int4", "int8"})

_Block: TypeAlias = "tuple[list[list[bytes]], Callable[[int, int], str]]"
"""Rows in canonical form, a list for each column, and what spells a value, given its column and its row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsProof:
    """Compares views one after the other."""

    source: AnswerSource
    target: AnswerTarget
    schema: str
    show_values: bool
    scratch_dir: Path | None
    observe: Callable[[Event], None] = ignore

    def compare_all(self, plan: Plan, held: TargetCatalog) -> tuple[list[Mismatch], list[Finding]]:
        """Compare every view that the plan does not say cannot be compared.

        held: what the target has; a view that is missing there, or has other columns, is named by `objects` already.
        """
        mismatches: list[Mismatch] = []
        findings: list[Finding] = []
        deadline = time.monotonic() + ALL_VIEWS_S
        named = {found.name for found in plan.findings if found.code == "view-not-compared"}
        known = {view.object_name for view in plan.translations}
        findings += [
            make_finding(
                "view-not-compared",
                f"the rows of view {planned.name} were not compared: the plan was made by an earlier liteferry",
                name=planned.name,
            )
            for planned in plan.objects
            if planned.kind == "view" and planned.name not in known
        ]
        columns = {view.name: tuple(column.name for column in view.columns) for view in held.views}
        for view in plan.translations:
            if view.use != "view" or view.name in named:
                continue
            if columns.get(view.object_name) != tuple(column.target for column in view.results):
                continue
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                why = f"the {ALL_VIEWS_S:.0f} seconds that comparing views may take were over"
                findings.append(_not_compared(view, why))
                continue
            with tell_behaviour(self.observe, f"view {view.name}"):
                found = _ViewProof(self, view, min(VIEW_S, left_s)).compare()
            if isinstance(found, str):
                findings += [_not_compared(view, found)] if found else []
            else:
                mismatches.append(found)
        return mismatches, findings


@contextmanager
def tell_behaviour(observe: Callable[[Event], None], what: str) -> Iterator[None]:
    """Tell a watcher what is being asked of both engines, and when it is answered."""
    begun = time.monotonic()
    step_id = f"behaviour/{what}"
    observe(Event(kind="step-start", phase="proof", step_id=step_id, table=what))
    try:
        yield
    finally:
        elapsed = time.monotonic() - begun
        observe(Event(kind="step-end", phase="proof", step_id=step_id, table=what, elapsed_s=elapsed))


def _not_compared(view: TranslatedSql, why: str) -> Finding:
    return make_finding("view-not-compared", f"the rows of view {view.name} were not compared: {why}", name=view.name)


class _Rough:
    """Rows with sums of floating-point numbers: the rest of the row as a digest, and the numbers."""

    def __init__(self, columns: Sequence[int]) -> None:
        self._columns = columns
        self.rows: list[tuple[bytes, tuple[float, ...]]] = []
        self.is_full = False

    def add(self, forms: list[list[bytes]], digests: Sequence[bytes]) -> None:
        self.is_full = self.is_full or len(self.rows) + len(digests) > MOST_ROUGH_ROWS
        if self.is_full:
            self.rows.clear()
            return
        numbers = zip(*(map(_number, forms[at]) for at in self._columns), strict=True)
        self.rows += zip(digests, numbers, strict=True)


def _number(form: bytes) -> float:
    return _unpack_double(form[1:])[0] if form[:1] == b"f" else -math.inf  # NULL: as equals itself


class _ViewProof:
    def __init__(self, proof: ViewsProof, view: TranslatedSql, within_s: float) -> None:
        self._proof = proof
        self._view = view
        self._within_s = within_s
        # what is added up in another order differs in the last digits; everything else is compared as it is
        self._rough = [at for at, column in enumerate(view.results) if view.rough and column.kind == "float8"]

    def compare(self) -> Mismatch | str:
        """A mismatch; or why the view's rows were not compared, "" when they are equal."""
        try:
            source, source_numbers = self._add_up(self._read_source())
        except TooSlow as slow:
            return f"SQLite needs longer for them: {slow}"
        except MigrationError as error:
            if error.code != "schema-unreadable":
                raise
            return f"SQLite cannot compute them: {error.what}"
        try:
            target, target_numbers = self._add_up(self._read_target())
        except TooSlow as slow:
            return f"PostgreSQL needs longer for them: {slow}"
        except MigrationError as error:
            if error.code != "step-failed":
                raise
            return contradict(
                self._view, f"cannot be computed by PostgreSQL: {error.what}", f"{source.rows} rows", "an error"
            )
        if source.result() != target.result():
            if self._view.chance and source.rows == target.rows:
                return f"they differ, and {self._view.chance}"
            return self._name_difference()
        if source_numbers.is_full or target_numbers.is_full:
            names = ", ".join(self._view.results[at].source for at in self._rough)
            return f"there are more than {MOST_ROUGH_ROWS:,}; all columns were, but for sums: {names}"
        if not _are_near(source_numbers.rows, target_numbers.rows):
            return contradict(
                self._view,
                "gives sums of floating-point numbers in the target that differ by more than rounding",
                f"{source.rows} rows",
                "other sums",
            )
        return ""

    def _add_up(self, blocks: Iterator[_Block]) -> tuple[DigestSum, _Rough]:
        total, numbers = DigestSum(), _Rough(self._rough)
        for forms, _ in blocks:
            digests = self._digest(forms)
            total.add(digests)
            if self._rough:
                numbers.add(forms, digests)
        return total, numbers

    def _digest(self, forms: list[list[bytes]]) -> list[bytes]:
        """The digests of rows, without their sums of floating-point numbers."""
        exact = [column for at, column in enumerate(forms) if at not in self._rough]
        return digest_rows(exact or [[NULL] * len(forms[0])])

    def _read_source(self) -> Iterator[_Block]:
        columns = self._view.results
        for batch in self._proof.source.read_view(self._view.name, within_s=self._within_s):
            yield _drop_signs(canonicalise_rows(batch, columns, "source"), columns), partial(_spell_source, batch)

    def _read_target(self) -> Iterator[_Block]:
        columns = self._view.results
        names = ", ".join(quote_name(column.target) for column in columns)
        select_sql = f"SELECT {names} FROM {quote_qualified(self._proof.schema, self._view.object_name)}"
        for lines in read_lines(self._proof.target.answer(select_sql, within_s=self._within_s)):
            values = parse_copy_text(lines, len(columns))
            yield (
                _drop_signs(canonicalise_columns(values, columns, "target"), columns),
                partial(_spell_target, values, columns),
            )

    def _name_difference(self) -> Mismatch:
        """Read both sides once more, and tell how many rows differ; one of them as an example."""
        with ProofStore(self._proof.scratch_dir) as store:
            number = 0
            for side, blocks in (("source", self._read_source()), ("target", self._read_target())):
                for forms, spelled in blocks:
                    digests = self._digest(forms)
                    rows = (
                        (digest, self._spell_row(spelled, row).encode(), number + row)
                        for row, digest in enumerate(digests)
                    )
                    store.add_rows(side, rows)  # type: ignore[arg-type]  # one of the two sides
                    number += len(digests)
            lost, extra = store.find_differences()
            examples = [(found.key or b"").decode() for found in store.list_by_place(1)]
        what = f"shows other rows: {lost:,} only in SQLite, {extra:,} only in PostgreSQL"
        return contradict(
            self._view, what, f"{lost:,} of its own", f"{extra:,} of its own", examples[0] if examples else ""
        )

    def _spell_row(self, spelled: Callable[[int, int], str], row: int) -> str:
        """The row as an example: as far as numbers, where values are not to be shown."""
        columns = self._view.results
        shown = [at for at, column in enumerate(columns) if self._proof.show_values or column.kind in _INTEGERS]
        return ", ".join(f"{columns[at].source}={spelled(at, row)}" for at in shown[:_MOST_SHOWN])


_MOST_SHOWN: Final = 4


def _spell_source(rows: Sequence[Sequence[StorageValue]], at: int, row: int) -> str:
    return spell_value(rows[row][at])


def _spell_target(values: Sequence[Sequence[bytes | None]], columns: Sequence[ColumnMap], at: int, row: int) -> str:
    return spell_text(values[at][row], columns[at].kind)


def _drop_signs(forms: list[list[bytes]], columns: Sequence[ColumnMap]) -> list[list[bytes]]:
    """The forms with no negative zero, which is no answer of its own."""
    return [
        [ZERO if form == MINUS_ZERO else form for form in found] if column.kind == "float8" else found
        for found, column in zip(forms, columns, strict=True)
    ]


def _are_near(source: list[tuple[bytes, tuple[float, ...]]], target: list[tuple[bytes, tuple[float, ...]]]) -> bool:
    """Whether the rows pair with each other: the same but for the last digits of their sums."""
    return len(source) == len(target) and all(
        left[0] == right[0]
        and all(
            math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
            for one, other in zip(left[1], right[1], strict=True)
        )
        for left, right in zip(sorted(source), sorted(target), strict=True)
    )
