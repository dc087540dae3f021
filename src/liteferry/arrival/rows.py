"""The rows of an arrival: copied, named where the server refuses them; and those that they replace, kept and put back.

Layer 3. Used within `arrival` only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from typing import TYPE_CHECKING

from liteferry.arrival.data import REPLACED_NAME
from liteferry.census import describe_key_value
from liteferry.errors import MigrationError
from liteferry.loading import copy_tables
from liteferry.names import quote_name, quote_qualified
from liteferry.target import TransactionReader, reporting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import psycopg

    from liteferry.arrival.data import Arrival
    from liteferry.journal import Journal
    from liteferry.model import Plan, Step, TableMap
    from liteferry.run import Run
    from liteferry.target import Target


def keep_replaced(arrival: Arrival, connection: psycopg.Connection, journal: Journal, directory: Path) -> None:
    """Write the rows that are replaced into the run directory, as COPY text: every column but the generated ones."""
    kept = []
    replaced = [table for table in arrival.plan.tables if table.replaced]
    if not replaced:
        return
    place = directory / REPLACED_NAME
    place.mkdir(mode=0o700)
    for number, table in enumerate(replaced, 1):
        names = [column.name for column in arrival.target.table(table.target).columns if not column.generated]
        listed = ", ".join(map(quote_name, names))
        select_sql = f"SELECT {listed} FROM {quote_qualified(arrival.plan.target_schema, table.target)}"
        path = place / f"{number}.copy"
        digest = hashlib.sha256()
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - its mode
            for block in TransactionReader(connection).copy_out(select_sql):
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        kept.append(
            {"table": table.target, "columns": names, "file": path.name, "rows": table.replaced,
             "sha256": digest.hexdigest()}
        )  # fmt: skip
    journal.set_value("replaced_rows", json.dumps(kept))


def discard_replaced(directory: Path) -> None:
    """Take the kept rows away again: the target has them."""
    place = directory / REPLACED_NAME
    with contextlib.suppress(OSError):
        for path in place.iterdir():
            path.unlink()
        place.rmdir()


def put_back(plan: Plan, server: Target, journal: Journal, directory: Path, connection: psycopg.Connection) -> None:
    """Copy the replaced rows back, and read them once more: byte by byte what was kept."""
    for kept in json.loads(journal.read_value("replaced_rows") or "[]"):
        path = directory / REPLACED_NAME / kept["file"]
        place, listed = quote_qualified(plan.target_schema, kept["table"]), ", ".join(map(quote_name, kept["columns"]))
        if _hash_file(path) != kept["sha256"]:
            raise MigrationError(f"{path} is not as the run wrote it", code="undo-refused", hint="nothing was touched")
        copy_sql = f"COPY {place} ({listed}) FROM STDIN"
        server.copy_rows(connection, copy_sql, _read_blocks(path), step_id=f"undo/replace-rows/{kept['table']}")
        digest = hashlib.sha256()
        for block in TransactionReader(connection).copy_out(f"SELECT {listed} FROM {place}"):
            digest.update(block)
        if digest.hexdigest() != kept["sha256"]:
            raise MigrationError(
                f"the rows of {kept['table']} did not come back as they were", code="undo-refused",
                hint=f"they are in {path}; nothing was touched",
            )  # fmt: skip


def _read_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 18):
            yield block


def _hash_file(path: Path) -> str:
    """The SHA-256 of a file; "" when it cannot be read."""
    digest = hashlib.sha256()
    try:
        for block in _read_blocks(path):
            digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# Copying


def copy_rows(
    run: Run, arrival: Arrival, steps: Sequence[Step], server: Target, connection: psycopg.Connection
) -> None:
    """Copy tables' rows. Raises: MigrationError, naming the row that the server did not take."""
    plan, snapshot = arrival.plan, arrival.snapshot
    try:
        copy_tables(steps, plan, arrival.catalog, snapshot, server, connection, run.observe)
    except MigrationError as error:
        failed = next((step for step in steps if step.id == error.step_id), None)
        if failed is None:
            raise
        raise _name_copied_row(error, arrival, plan.target_table(failed.table or "")) from error


def _name_copied_row(error: MigrationError, arrival: Arrival, mapped: TableMap) -> MigrationError:
    """Name the row that the server stumbled over: it counts the rows of a COPY, and its context says how far it was.

    The context can show values as well: nothing but the number is taken from it.
    """
    context = getattr(getattr(error.__cause__, "diag", None), "context", None) or ""
    found = re.search(r", line (\d+)", context)
    if found is None or error.key or error.code != "step-failed" or mapped.part == "quarantine":
        return error
    names = list(mapped.key) or [column.source for column in mapped.columns[:1]]
    number = int(found[1]) - 1
    table = arrival.catalog.table(mapped.source)
    for rows in arrival.snapshot.read_rows(table, names, invalid_text=True, part=mapped.part):
        if number < len(rows):
            key = ", ".join(
                f"{name}={describe_key_value(value)}" for name, value in zip(names, rows[number], strict=True)
            )
            return MigrationError(
                error.what,
                code=error.code,
                hint=error.hint or "repair it on a copy of the source, then run again",
                table=mapped.source,
                column=error.column,
                key=key,
                step_id=error.step_id,
            )
        number -= len(rows)
    return error


def name_rows(error: MigrationError, step: Step, arrival: Arrival, connection: psycopg.Connection) -> MigrationError:
    """Name the rows that a foreign key or unique index does not take; any other error is returned as it is."""
    state = getattr(error.__cause__, "sqlstate", "")
    kind, _, ident = step.id.removeprefix("post-data/").partition("/")
    select_sql, shown = "", list[str]()
    if state == "23503" and kind == "foreign-key":
        key = next(key for key in arrival.holding.foreign_keys if f"{key.table}.{key.name}" == ident)
        shown = list(key.columns)
        pairs = zip(key.columns, key.parent_columns, strict=True)
        match = " AND ".join(f"p.{quote_name(parent)} = c.{quote_name(child)}" for child, parent in pairs)
        complete = " AND ".join(f"c.{quote_name(child)} IS NOT NULL" for child in key.columns)
        select_sql = (
            f"FROM {quote_qualified(key.schema, key.table)} c WHERE {complete} AND NOT EXISTS"
            f" (SELECT FROM {quote_qualified(key.parent_schema, key.parent_table)} p WHERE {match})"
        )
    elif state == "23505" and kind == "index":
        table, _, name = ident.partition(".")
        index = next((index for index in arrival.target.table(table).indexes if index.name == name), None)
        if index is None or index.partial or None in index.columns:
            return error
        shown = [column for column in index.columns if column is not None]
        keys = ", ".join(f"c.{quote_name(column)}" for column in shown)
        place = quote_qualified(arrival.plan.target_schema, table)
        select_sql = f"FROM {place} c GROUP BY {keys} HAVING count(*) > 1"
    if not select_sql:
        return error
    columns = ", ".join(f"c.{quote_name(column)}::text" for column in shown)
    with reporting("looking for the rows"):
        rows = connection.execute(f"SELECT {columns} {select_sql} ORDER BY 1 LIMIT 6".encode()).fetchall()
    listed = [", ".join(f"{name}={value}" for name, value in zip(shown, row, strict=True)) for row in rows]
    return MigrationError(
        f"{error.what}: {'; '.join(listed[:5])}{' …' if len(listed) > 5 else ''}",
        code=error.code,
        hint=error.hint or "repair the rows on a copy of the source, then run again",
        step_id=error.step_id,
    )
