"""What PostgreSQL makes of sample values, without touching any table.

Layer 2. For `liteferry.proof.probe`, which asks SQLite the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from liteferry.errors import MigrationError
from liteferry.names import NameSpace, quote_name
from liteferry.target.reporting import reporting
from liteferry.target.together import try_together

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from liteferry.target.session import Target
    from liteferry.target.together import Statement

Answer: TypeAlias = "tuple[str, bytes | None]"
"""The SQLSTATE of an error, "" for none; and the value's text."""

_TOGETHER_MS: Final = 10_000  # for one expression; 500 rows take 5
AT_ONCE: Final = 64
"""How many expressions, each with its sample values, go in one round trip: some megabytes at most."""
_GUARD_SQL: Final = (
    f"SELECT pg_catalog.set_config('statement_timeout', '{_TOGETHER_MS}', true),"
    " pg_catalog.set_config('transaction_read_only', 'on', true)"
)
"""Until the transaction's end: nothing can be written, no setting lives on, and each expression has its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleQuestion:
    """An expression over sample values. columns: names and types; rows: the values' texts."""

    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str | None, ...], ...]
    expression_sql: str


def evaluate_samples(target: Target, questions: Sequence[SampleQuestion]) -> list[list[Answer]]:
    """What each expression comes to in each of its rows. `AT_ONCE` of them cost one round trip where none is an error.

    Where one is, each half of its rows is asked for apart, and so on; those of all expressions together.

    Raises: MigrationError when the server cannot be asked.
    """
    found: list[list[Answer]] = [[("", None)] * len(question.rows) for question in questions]
    waiting = [(at, 0, len(question.rows)) for at, question in enumerate(questions) if question.rows]
    statements = [_make_sql(question.columns, question.expression_sql) for question in questions]
    with reporting("comparing translations"):
        while waiting:
            asked, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            groups: list[list[Statement]] = [
                [(_GUARD_SQL.encode(), None), (statements[at], _make_arrays(questions[at], start, end))]
                for at, start, end in asked
            ]
            for (at, start, end), answers in zip(asked, try_together(target.control, groups), strict=True):
                answer = answers[-1]
                if isinstance(answer, Exception):
                    state = _read_state(answer)
                    if end - start == 1 or not state.startswith("22"):  # every row fails alike
                        found[at][start:end] = [(state, None)] * (end - start)
                    else:
                        half = (start + end) // 2
                        waiting += [(at, start, half), (at, half, end)]
                elif answer.ntuples != end - start:
                    raise MigrationError(
                        "the server gave another number of rows than it was asked for", code="step-failed"
                    )
                else:
                    found[at][start:end] = [("", answer.get_value(row, 0)) for row in range(end - start)]
    return found


def _read_state(error: psycopg.Error) -> str:
    """An expression's error; that of a server in trouble is raised."""
    state = error.sqlstate or ""
    if not state or state.startswith(("08", "57P", "53")):
        raise error
    return state


def _make_sql(columns: Sequence[tuple[str, str]], expression_sql: str) -> bytes:
    names = NameSpace(name for name, _ in columns)
    number = quote_name(names.claim("number"))
    typed = [f"s.c{at}::{pg_type} AS {quote_name(name)}" for at, (name, pg_type) in enumerate(columns)]
    arrays = ", ".join(f"${at + 1}::text[]" for at in range(max(len(columns), 1)))
    aliases = ", ".join(f"c{at}" for at in range(max(len(columns), 1)))
    rows_sql = (
        f"SELECT {', '.join([*typed, f'n AS {number}'])} FROM unnest({arrays}) WITH ORDINALITY AS s({aliases}, n)"
    )
    return f"SELECT ({expression_sql}\n) FROM ({rows_sql}) AS q ORDER BY {number}".encode()


def _make_arrays(question: SampleQuestion, start: int, end: int) -> list[bytes | None]:
    """The values as text arrays, a column each; an array of as many NULLs where there is no column."""
    rows = question.rows[start:end]
    columns = [[row[at] for row in rows] for at in range(len(question.columns))] or [[None] * len(rows)]
    return [_spell_array(values) for values in columns]


def _spell_array(values: Sequence[str | None]) -> bytes:
    """An array's text. Source: PostgreSQL docs, "Array Input and Output Syntax"."""
    spelled = (
        "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values
    )
    return ("{" + ",".join(spelled) + "}").encode()
