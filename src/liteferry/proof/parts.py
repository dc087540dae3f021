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

    The census reads the table without any filter, before anything is set apart. What the target's two tables hold is
    compared with the parts by `verify_table`; here it is seen that the parts lose and double nothing.
    """
    rows: Counter[str] = Counter()
    divided = set()
    for proof in proofs:
        rows[proof.table] += proof.rows_source
        if proof.part:
            divided.add(proof.table)
    return tuple(
        Mismatch(
            kind="row-count",
            table=table,
            source=f"{census.table(table).rows:,} rows",
            target=f"{rows[table]:,} rows, those in quarantine among them",
            message=f"the rows of {table} that fit and those in quarantine are not all of its rows",
        )
        for table in sorted(divided)
        if census.table(table).rows != rows[table]
    )
