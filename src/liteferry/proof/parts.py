"""The proof that a table's parts are the whole: no row is in neither, or in both.

Layer 3, without effects.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from liteferry.model import Mismatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liteferry.model import Census
    from liteferry.proof.tables import TableProof


def compare_parts(proofs: Iterable[TableProof], census: Census) -> tuple[Mismatch, ...]:
    """Hold the rows that were compared, of all parts of a table, against those that the census counted in it. Pure.

    The census reads the table without any filter, before anything is set apart; which rows are is said by the list of
    offenders. What the target's two tables hold is compared with the parts by `verify_table`; here it is seen that the
    parts lose and double nothing, and that as many rows are in quarantine as were put there.
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
    return tuple(
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
