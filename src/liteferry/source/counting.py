"""The census, taken: every value of the source's tables is looked at.

Layer 2.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from liteferry.census import FIRST_VALUES, TableAccumulator, start_census
from liteferry.model import Catalog, Census, Event, Table, TableCensus, ignore
from liteferry.source.answering import Answerer
from liteferry.source.readers import UndecodableError, decode_text
from liteferry.source.select import is_named, make_select, name_column, natural_order
from liteferry.source.twins import find_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from liteferry.choosing import DemandedConversions
    from liteferry.decisions import DemandedTypes
    from liteferry.model import Part

_EVENT_INTERVAL_S: Final = 0.1


class CensusTaker(Answerer):
    """Takes the census."""

    def take_census(
        self,
        catalog: Catalog,
        tables: Collection[str] | None = None,
        observe: Callable[[Event], None] = ignore,
        demanded: DemandedTypes = MappingProxyType({}),
        conversions: DemandedConversions = MappingProxyType({}),
    ) -> Census:
        """Look at every value of the tables (all of them by default), and for rows without their parent.

        demanded: the PostgreSQL types that cast rules or the target demand, by table and column. conversions: what the
        user decided to make of columns' values.

        Raises: MigrationError.
        """
        chosen = [table for table in catalog.tables if tables is None or table.name in tables]
        counted = tuple(
            self._count_table(table, observe, demanded.get(table.name, {}), conversions.get(table.name, {}))
            for table in chosen
        )
        with self._borrow() as reader, reader.use(decode_text) as connection:
            twins = tuple(found for table in chosen for found in find_twins(connection, table, catalog.encoding))
        orphans = tuple(found for table in chosen for found in self.find_orphans(table, catalog))
        return Census(tables=counted, orphans=orphans, twins=twins)

    def count_fitting(
        self,
        table: Table,
        observe: Callable[[Event], None],
        demanded: Mapping[str, str],
        conversions: Mapping[str, Sequence[str]],
    ) -> TableCensus:
        """Take the census of a table without the rows that are set apart."""
        return self._count_table(table, observe, demanded, conversions, "fitting")

    def _count_table(
        self,
        table: Table,
        observe: Callable[[Event], None],
        demanded: Mapping[str, str],
        conversions: Mapping[str, Sequence[str]],
        part: Part = "",
    ) -> TableCensus:
        store = None if part else self.offenders

        def start() -> TableAccumulator:
            sink = None if store is None else partial(store.add, table.name)
            accumulator = start_census(table, demanded, conversions, sink, is_named=store is None or is_named(table))
            accumulator.expect_storage(self._count_firsts(table, accumulator.list_undeclared(), part))
            return accumulator

        if self._is_utf16:
            return _mark_half_pairs(self._count_rows(table, self._read_checked_utf16(table, part), observe, start()))
        try:
            return self._count_rows(table, self._read_for_census(table, str, part=part), observe, start())
        except UndecodableError:  # rare, so that the others need not pay for looking
            if store is not None:
                store.forget(table.name)
            return self._count_rows(table, self._read_for_census(table, decode_text, part=part), observe, start())

    def _count_firsts(self, table: Table, columns: Sequence[str], part: Part) -> dict[str, dict[str, int]]:
        """The storage classes of the first values of columns: how many of each, by column."""
        found: dict[str, dict[str, int]] = {}
        if not columns:
            return found
        with self._borrow() as reader, reader.use(str, table=table.name) as connection:
            for name in columns:
                column = name_column(name)
                condition = " AND ".join(filter(None, (f"{column} IS NOT NULL", self.filter_sql(table, part))))
                first = make_select([f"typeof({column}) AS storage"], table.name, natural_order(table), condition)
                sql = f"SELECT storage, count(*) FROM ({first} LIMIT {FIRST_VALUES}) GROUP BY storage"
                found[name] = dict(connection.execute(sql))
        return found

    def _count_rows(
        self,
        table: Table,
        batches: Iterator[list[tuple[Any, ...]]],
        observe: Callable[[Event], None],
        accumulator: TableAccumulator,
    ) -> TableCensus:
        began = told = time.monotonic()
        rows = 0
        for batch in batches:
            accumulator.add_batch(batch)
            rows += len(batch)
            now = time.monotonic()
            if now - told >= _EVENT_INTERVAL_S:
                told = now
                observe(
                    Event(
                        kind="step-progress",
                        phase="census",
                        step_id=f"census/{table.name}",
                        table=table.name,
                        rows=rows,
                        elapsed_s=now - began,
                    )
                )
        observe(
            Event(
                kind="step-end",
                phase="census",
                step_id=f"census/{table.name}",
                table=table.name,
                rows=rows,
                elapsed_s=time.monotonic() - began,
            )
        )
        return accumulator.finish()


def _mark_half_pairs(census: TableCensus) -> TableCensus:
    """A UTF-16 database's census: its texts that are none cannot be read as they are."""
    marked = (
        replace(column, half_pairs=True) if column.offence("invalid-utf8") else column for column in census.columns
    )
    return replace(census, columns=tuple(marked))
