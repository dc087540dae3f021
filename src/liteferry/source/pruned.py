"""Look at a copy of the source before and after rows are taken out of it.

Layer 2. Whoever deletes says what was deleted; here it is found out whether that is all that happened.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.source.connection import SourceConnection, connect_read_only, list_foreign_collations
from liteferry.source.integrity import check_integrity
from liteferry.source.select import quote_sqlite_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_SIDE_FILES: Final = ("-journal", "-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyState:
    """What must not change in a copy when rows are taken out of it, and what changes by them.

    ``rows`` by table. ``violations``: rows without their parent, by table, parent and foreign key. ``side_files``:
    what lies beside the copy.
    """

    journal_mode: str
    schema: frozenset[tuple[str, str, str, str | None]]
    sequences: Mapping[str, int]
    rows: Mapping[str, int]
    violations: Mapping[tuple[str, str, int], int]
    side_files: tuple[str, ...]


def survey_copy(path: Path, *, thorough: bool = False) -> CopyState:
    """Look at a copy of the source. thorough: and run the integrity check.

    Raises: MigrationError (source-…).
    """
    side_files = tuple(suffix for suffix in _SIDE_FILES if Path(f"{path}{suffix}").exists())
    if thorough:
        with closing(connect_read_only(path)) as connection:  # without stand-ins, which would look like damage
            check_integrity(connection, lambda _: None, copy=path)
    stand_ins = list_foreign_collations(path)
    with closing(connect_read_only(path, stand_ins=stand_ins)) as connection, connection.explain_errors():
        schema = frozenset(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"))
        tables = sorted(name for kind, name, _, sql in schema if kind == "table" and _is_ordinary(sql))
        sequences = {}
        if "sqlite_sequence" in tables:
            sequences = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
        return CopyState(
            journal_mode=connection.execute("PRAGMA journal_mode").fetchone()[0],
            schema=schema,
            sequences=sequences,
            rows={
                name: connection.execute(f"SELECT count(*) FROM main.{quote_sqlite_name(name)}").fetchone()[0]
                for name in tables
                if name != "sqlite_sequence"
            },
            violations=_count_violations(connection, tables),
            side_files=side_files,
        )


def refuse_changes(
    before: CopyState, after: CopyState, changes: Mapping[str, int], growing: Collection[str] = ()
) -> None:
    """Refuse a copy in which something else changed than was said. Pure.

    changes: by how much the tables' rows became more; those that are not in it stayed as many. growing: tables in which
    rows were made, too, so that their sequences moved on. Raises: MigrationError (django-prune).
    """
    wrong = [
        *(f"{suffix} was left beside it" for suffix in after.side_files),
        *([f"its journal mode is {after.journal_mode}"] if after.journal_mode != before.journal_mode else []),
        *(f"{kind} {name} changed" for kind, name, *_ in sorted(before.schema ^ after.schema, key=str)),
    ]
    for table in sorted({*before.rows, *after.rows}):
        expected = before.rows.get(table, 0) + changes.get(table, 0)
        if after.rows.get(table, 0) != expected:
            wrong.append(f"table {table} has {after.rows.get(table, 0):,} rows and should have {expected:,}")
    for table, value in after.sequences.items():
        was = before.sequences.get(table)
        if value != was and (table not in growing or value < (was or 0)):
            wrong.append(f"the sequence of table {table} changed")
    wrong += [f"the sequence of table {table} is gone" for table in before.sequences.keys() - after.sequences.keys()]
    for (table, parent, number), count in after.violations.items():
        more = count - before.violations.get((table, parent, number), 0)
        if more > 0:
            wrong.append(f"{more:,} rows of table {table} have no row of {parent} any more")
    if wrong:
        raise MigrationError(
            "pruning changed the snapshot otherwise than it said: " + "; ".join(wrong[:5]),
            code="django-prune",
            hint="code of the project wrote to it: look at its on_delete handlers",
        )


def _is_ordinary(sql: str | None) -> bool:
    return not (sql or "").lstrip().upper().startswith("CREATE VIRTUAL")


def _count_violations(connection: SourceConnection, tables: list[str]) -> Mapping[tuple[str, str, int], int]:
    """What ``PRAGMA foreign_key_check`` finds, counted; a foreign key that SQLite cannot check is left out."""
    found: Counter[tuple[str, str, int]] = Counter()
    for table in tables:
        try:
            cursor = connection.execute(f"PRAGMA main.foreign_key_check({quote_sqlite_name(table)})")
            found.update((child, parent, number) for child, _, parent, number in cursor)
        except connection.OperationalError:  # "foreign key mismatch": its parent has no such key; it never held
            continue
    return found
