"""Which rows a key, a unique index or a CHECK of the target does not take.

Layer 3. Used through `loading`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liteferry.errors import MigrationError
from liteferry.names import NameSpace, quote_name, quote_qualified
from liteferry.planner.sql import add_check_sql
from liteferry.target import reporting

if TYPE_CHECKING:
    import psycopg

    from liteferry.model import Plan


def name_refused_rows(error: MigrationError, plan: Plan, connection: psycopg.Connection) -> MigrationError:
    """Name the rows that a key, unique index or CHECK does not take; any other error is returned as it is.

    SQLite took them: 1 and '1', or one UUID with and without hyphens, are two values there, and it looks at a CHECK
    only when a row is written.
    """
    state = getattr(error.__cause__, "sqlstate", "")
    step = next((step for step in plan.steps if step.id == error.step_id), None)
    kinds = {"post-data/primary-key/": "primary_key", "post-data/unique/": "unique", "post-data/index/": "index"}
    kinds[f"post-data/check/{step.table if step else ''}."] = "check"
    named = {f"{prefix}{o.name}": o for o in plan.objects for prefix, kind in kinds.items() if o.kind == kind}
    wanted = named.get(error.step_id or "")
    if state not in {"23505", "23514"} or step is None or wanted is None:
        return error
    table = next(table for table in plan.tables if table.target == wanted.table)
    place = quote_qualified(plan.staging_schema, table.target)
    shown = [column for column in table.columns if column.source in table.key]
    columns = [column for column in wanted.columns if column is not None]
    counted = quote_name(NameSpace(column.target for column in table.columns).claim("count"))
    if state == "23514":
        condition = step.sql[0].removeprefix(add_check_sql(plan.staging_schema, table.target, wanted.name, "")[:-1])
        chosen, what = f"NOT ({condition}", f"do not hold CHECK constraint {wanted.name}"
    elif wanted.partial or None in wanted.columns:
        return error
    else:
        shown = shown or [column for column in table.columns if column.target in columns]
        keys = ", ".join(map(quote_name, columns))
        # partitions go by the types' own idea of equality, whatever the search_path
        place = f"(SELECT *, count(*) OVER (PARTITION BY {keys}) AS {counted} FROM {place}) AS counted"
        chosen = " AND ".join([f"{counted} > 1", *(f"{quote_name(column)} IS NOT NULL" for column in columns)])
        names = ", ".join(columns)
        what = f"differ in SQLite, but are equal in the PostgreSQL types of ({names}), which must be unique"
    rows = ", ".join(f"{quote_name(column.target)}::text" for column in shown) or "'without a key'"
    try:
        with reporting("looking for the rows"):
            query = f"SELECT {rows} FROM {place} WHERE {chosen} ORDER BY 1 LIMIT 6"
            found = connection.execute(query.encode()).fetchall()
    except MigrationError:
        return error  # the condition itself fails for some row (an overflow, say): the first error says as much
    listed = [", ".join(f"{c.source}={v}" for c, v in zip(shown, row, strict=False)) or str(row[0]) for row in found]
    return MigrationError(
        f"rows of {table.source} {what}: {'; '.join(listed[:5])}{' …' if len(listed) > 5 else ''}",
        code=error.code,
        hint="repair them on a copy of the source, then run again"
        + ("; or --nocase index, which folds A to Z alone" if any(wanted.folds) else ""),
        step_id=error.step_id,
    )
