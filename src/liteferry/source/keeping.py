"""Keep the rows in quarantine in a SQLite file of their own.

Layer 2. The run directory holds every row that did not go into its table, whatever becomes of the target.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from liteferry.compare import spell_literal
from liteferry.errors import MigrationError
from liteferry.source.select import quote_sqlite_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from liteferry.compare import StorageValue
    from liteferry.model import Plan, TableMap
    from liteferry.source.snapshot import Snapshot

QUARANTINE_NAME: Final = "quarantine.sqlite"


def write_quarantine(path: Path, plan: Plan, snapshot: Snapshot) -> None:
    """Write the rows in quarantine: a table for each of the target's, as it will be there; nothing without any.

    Raises: MigrationError (disk-full, run-dir).
    """
    tables = [table for table in plan.tables if table.part == "quarantine"]
    if not tables:
        return
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(path)) as connection, connection:
            for table in tables:
                _write_table(connection, table, snapshot)
    except (sqlite3.OperationalError, OSError) as error:
        raise MigrationError(
            f"the rows in quarantine cannot be kept in {path}: {error}",
            code="disk-full" if "full" in str(error) or "No space" in str(error) else "run-dir",
            hint="make room there, or name a directory on another disk with --run-dir",
        ) from error


def _write_table(connection: sqlite3.Connection, table: TableMap, snapshot: Snapshot) -> None:
    name = quote_sqlite_name(table.target)
    connection.execute(f"CREATE TABLE {name} ({', '.join(quote_sqlite_name(c.target) for c in table.columns)})")
    insert_sql = f"INSERT INTO {name} VALUES ({', '.join('?' * len(table.columns))})"
    wanted = [column.source for column in table.columns if not column.is_beside]
    for rows in snapshot.read_storage_rows(table.source, wanted, (), part="quarantine"):
        connection.executemany(insert_sql, [_spell_row(row, len(wanted)) for row in rows])


def _spell_row(row: Sequence[StorageValue], width: int) -> list[str | StorageValue]:
    beside = [value.decode() if isinstance(value, bytes) else value for value in row[width:]]
    return [*(spell_literal(value).decode() for value in row[:width]), *beside]
