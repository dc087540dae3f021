"""The proof that what was read of a table is the whole of it: no row is in no part, or in two.

Layer 3, without effects.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from liteferry.model import Mismatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liteferry.model import Census, TableReport
    from liteferry.proof.tables import TableProof


def compare_parts(proofs: Iterable[TableProof], census: Census) -> tuple[Mismatch, ...]:
    """Hold the rows that were compared, of all parts of a table, against those that the census counted in it. Pure.

    The census reads the table without any filter, before anything is set apart; which rows are set apart is said by the
    list of offenders. What the target's two tables hold is compared with the parts by `verify_table`; here it is seen
    that nothing was lost or doubled on both sides alike, and that as many rows are in quarantine as were put there.
    """
    rows: Counter[str] = Counter()
    aside: Counter[str] = Counter()
    divided = set()
    for proof in proofs:
        rows[proof.table] += proof.rows_source
        if proof.part:
            divided.add(proof.table)
        if proof.part == "quarantine":
            aside[proof.table] += proof.rows_source
    unread = tuple(
        Mismatch(
            kind="row-count",
            table=table,
            source=f"{census.table(table).rows:,} rows",
            target=f"{found:,} rows",
            message=f"other rows of {table} were compared than the census counted",
        )
        for table, found in sorted(rows.items())
        if table not in divided and census.table(table).rows != found
    )
    return unread + tuple(
        Mismatch(
            kind="row-count", table=table, source=f"{wanted:,} rows", target=f"{found:,} rows{which}", message=what
        )
        for table in sorted(divided)
        for wanted, found, which, what in (
            (
                census.table(table).rows,
                rows[table],
                ", those in quarantine among them",
                f"the rows of {table} that fit and those in quarantine are not all of its rows",
            ),
            (
                census.set_apart(table).rows,
                aside[table],
                " in quarantine",
                f"other rows are in quarantine than those of {table} that were set apart",
            ),
        )
        if wanted != found
    )


def compare_counts(tables: Iterable[TableReport]) -> tuple[Mismatch, ...]:
    """Hold what the load counted of each table against the census, where nothing else is proven. Pure."""
    return tuple(
        Mismatch(
            kind="row-count",
            table=table.name,
            source=f"{table.rows_source:,} rows",
            target=f"{table.rows_target:,} rows",
            message=f"other rows of {table.name} were loaded than the census counted",
        )
        for table in tables
        if table.rows_source != table.rows_target
    )
