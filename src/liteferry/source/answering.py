"""Answers: what the source's views and expressions come to, and which rows the target would not take.

Layer 2.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from liteferry.compare import Text
from liteferry.errors import MigrationError, TooSlow
from liteferry.source.faults import (
    FaultCounter,
    entry_bytes_sql,
    find_broken_check,
    find_clashes,
    find_wide_rows,
    list_row_items,
    make_offender,
)
from liteferry.source.orphans import find_orphans
from liteferry.source.readers import BATCH_ROWS, CODE_POINTS, decode_text, fetch_large
from liteferry.source.rows import RowReaders
from liteferry.source.select import make_select, name_column, name_row_items, quote_sqlite_name, select_expressions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from liteferry.census import Offender
    from liteferry.compare import StorageValue
    from liteferry.model import Catalog, Orphans, RowFault, RowQuestion, Table


class Answerer(RowReaders):
    """Answers questions about rows."""

    # questions about rows, of those that are not set apart

    def answer(self, question: RowQuestion) -> RowFault:
        """Find the rows that a constraint or index of the target would not take."""
        table = self.read_catalog().table(question.table)
        store = self.offenders
        counter = FaultCounter(
            question,
            lambda found: store.add(question.table, question.name, question.code, found) if store else None,
        )
        fitting = self.filter_sql(table, "fitting") if self._has_apart(table) else ""
        where = f"({question.condition_sql}\n)" if question.condition_sql else ""
        condition = " AND ".join(filter(None, (where, fitting)))
        names = [column.source for column in question.columns]
        items = [*map(name_column, names), *name_row_items(table)]
        match question.code:
            case "check-broken":
                alias = quote_sqlite_name(table.name)
                further = self.filter_sql(table, "fitting", alias) if fitting else ""
                with self._borrow() as reader, reader.use(decode_text, table=table.name) as connection:
                    return find_broken_check(connection, table, question, further, self._name_row, counter)
            case "unique-clash":
                batches = self._stream(make_select(items, table.name, (), condition), table, names, Text)
                return find_clashes(table, question, batches, self._name_row, counter)
            case "row-too-wide":
                batches = self._stream(make_select(items, table.name, (), condition), table, names, Text)
                return find_wide_rows(table, question, batches, self._name_row, counter)
            case _:
                # a text of a UTF-16 database may be half as long again in UTF-8
                limit = question.limit * 2 // 3 if self._is_utf16 else question.limit
                size = f"{entry_bytes_sql(question)} > {limit}"
                condition = " AND ".join(filter(None, (size, condition)))
                sql = make_select(list_row_items(table), table.name, (), condition)
                why = f"more than {limit:,} bytes in {', '.join(names)}"
                for batch in self._stream(sql, table, table.primary_key, decode_text):
                    counter.add([make_offender(table, row, self._name_row, why) for row in batch])
                return counter.finish()

    def find_orphans(self, table: Table, catalog: Catalog) -> tuple[Orphans, ...]:
        """Find the rows that a foreign key leaves without a parent, when the rows that are set apart are gone."""
        store = self.offenders

        def filter_sql(of: Table, alias: str) -> str:
            return self.filter_sql(of, "fitting", alias) if self._has_apart(of) else ""

        def take(name: str, found: Sequence[Offender]) -> None:
            if store is not None:
                store.add(table.name, name, "orphan-rows", found)

        with self._borrow() as reader, reader.use(decode_text, table=table.name) as connection:
            return tuple(find_orphans(connection, table, catalog, filter_sql, take, self._name_row))

    # answers, for the proof of what was translated

    def read_view(self, view: str, /, *, within_s: float) -> Iterator[list[tuple[StorageValue, ...]]]:
        """Give a view's rows as `read_storage_rows` gives a table's. Raises: TooSlow; MigrationError."""
        return self._answer(f"SELECT * FROM main.{quote_sqlite_name(view)}", within_s)

    def read_expressions(
        self,
        table: str,
        key: Sequence[str],
        expressions: Sequence[str],
        /,
        *,
        within_s: float,
        most_rows: int = 0,
        from_end: bool = False,
    ) -> Iterator[list[tuple[StorageValue, ...]]]:
        """Give for each row its key, then what expressions of the table's schema come to.

        most_rows: that many, in the key's order, from its end where wanted; 0 for all, in any order.

        Raises: TooSlow; MigrationError when SQLite cannot compute it.
        """
        collation, way = CODE_POINTS if self._is_utf16 else "BINARY", " DESC" if from_end else ""
        order = [f"{name_column(name, quote_sqlite_name(table))} COLLATE {collation}{way}" for name in key]
        sql = select_expressions(table, key, expressions, order if most_rows else ())
        return self._answer(f"{sql} LIMIT {most_rows}" if most_rows else sql, within_s)

    def _answer(self, sql: str, within_s: float) -> Iterator[list[tuple[StorageValue, ...]]]:
        deadline = time.monotonic() + within_s
        with self._borrow() as reader:
            cursor = None
            try:
                while True:
                    with reader.use(Text) as connection, connection.time_limit(deadline - time.monotonic()):
                        cursor = cursor or connection.execute(sql)
                        batch = fetch_large(cursor, BATCH_ROWS)
                    if not batch:
                        return
                    yield batch
            except MigrationError as error:
                if time.monotonic() < deadline:
                    raise
                raise TooSlow(within_s) from error
            finally:
                if cursor is not None:
                    with reader.use(str):
                        cursor.close()
