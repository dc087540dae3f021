"""ORDER BY.

Layer 1, pure. SQLite puts NULLs first and compares bytes; PostgreSQL puts them last and compares by the database's
collation, unless told otherwise.
"""

from __future__ import annotations

from dataclasses import replace

from liteferry.expressions.comparisons import collate
from liteferry.expressions.functions import check_orderable
from liteferry.expressions.terms import Term, as_text


def order_sql(term: Term, *, descending: bool, nulls: str = "") -> str:
    """One term of ORDER BY. nulls: FIRST or LAST, "" for SQLite's own order. Pure. Raises: Untranslatable."""
    check_orderable([replace(term, collation=None)], "ORDER BY")
    if term.kind == "text":
        sql = collate(as_text(replace(term, literal=None), "ORDER BY"), term.collation or "BINARY", ordered=True)
    else:
        sql = term.operand
    direction = " DESC" if descending else ""
    return f"{sql}{direction} NULLS {nulls or ('LAST' if descending else 'FIRST')}"
