"""Trying out what the target refuses, in transactions that never commit.

Layer 2. Used through `target` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.target.reporting import reporting
from liteferry.target.together import try_together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.pq.abc import PGresult

    from liteferry.target.session import Target
    from liteferry.target.together import Statement

_AT_ONCE: Final = 50
"""How many trials go in one round trip: so that what is waiting for an answer stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Statements for one transaction, which is rolled back: what prepares it must work, the attempts may fail."""

    preparing: tuple[str, ...] = ()
    attempts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a trial: the rows of each attempt, as text, up to the one that failed.

    sqlstate, constraint: of the failure, and the constraint that it names.
    """

    rows: tuple[tuple[tuple[str | None, ...], ...], ...] = ()
    sqlstate: str = ""
    constraint: str = ""


def try_out_all(target: Target, trials: Sequence[Trial]) -> list[Outcome]:
    """Run trials one after the other, each in a transaction that is rolled back; many in one round trip.

    Raises: MigrationError for any failure but an attempt's on the rows that it makes.
    """
    outcomes = []
    with target.lend_connection() as connection, reporting("trying out a key"):
        for start in range(0, len(trials), _AT_ONCE):
            groups: list[list[Statement]] = []
            for trial in trials[start : start + _AT_ONCE]:
                statements = ("BEGIN", *trial.preparing, *trial.attempts)
                groups += [[(sql.encode(), None) for sql in statements], [(b"ROLLBACK", None)]]
            answers = try_together(connection, groups)
            outcomes += [_judge(trial, answer) for trial, answer in zip(trials[start:], answers[::2], strict=False)]
    return outcomes


def _judge(trial: Trial, answers: Sequence[PGresult | Exception]) -> Outcome:
    import psycopg

    rows: list[tuple[tuple[str | None, ...], ...]] = []
    for answer in answers[1 + len(trial.preparing) :]:
        if isinstance(answer, (psycopg.IntegrityError, psycopg.DataError)):
            constraint = answer.diag.constraint_name or ""
            return Outcome(rows=tuple(rows), sqlstate=answer.sqlstate or "", constraint=constraint)
        if isinstance(answer, Exception):
            raise answer
        rows.append(_read_rows(answer))
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return Outcome(rows=tuple(rows))


def _read_rows(result: PGresult) -> tuple[tuple[str | None, ...], ...]:
    return tuple(
        tuple(
            None if value is None else value.decode()
            for value in (result.get_value(row, column) for column in range(result.nfields))
        )
        for row in range(result.ntuples)
    )
