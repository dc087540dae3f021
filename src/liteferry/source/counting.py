"""The census, taken: every value of the source's tables is looked at.

Layer 2.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from liteferry.census import FIRST_VALUES, TableAccumulator, start_census
from liteferry.compiled import find_part
from liteferry.model import Catalog, Census, Event, Span, Table, TableCensus, ignore
from liteferry.source.answering import Answerer
from liteferry.source.readers import UndecodableError, decode_text
from liteferry.source.select import is_named, make_select, name_column, name_rowid, natural_order
from liteferry.source.tallying import SPAN_ROWS, SPANS, CountingPool, Progress, TableCount, is_countable
from liteferry.source.twins import find_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from liteferry.choosing import DemandedConversions
    from liteferry.decisions import DemandedTypes
    from liteferry.model import Part


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
        counted = self._count_tables(chosen, observe, demanded, conversions)
        with self._borrow() as reader, reader.use(decode_text) as connection:
            twins = tuple(found for table in chosen for found in find_twins(connection, table, catalog.encoding))
        orphans = tuple(found for table in chosen for found in self.find_orphans(table, catalog))
        return Census(tables=counted, orphans=orphans, twins=twins)

    def _count_tables(
        self,
        tables: Sequence[Table],
        observe: Callable[[Event], None],
        demanded: DemandedTypes,
        conversions: DemandedConversions,
    ) -> tuple[TableCensus, ...]:
        """Count the tables: with the compiled part several at a time, and the large ones in spans."""

        def count(table: Table, observe: Callable[[Event], None]) -> TableCensus:
            return self._count_table(table, observe, demanded.get(table.name, {}), conversions.get(table.name, {}))

        part, place = find_part("_counter"), self.locate_copy()
        if part is None or place is None:
            return tuple(count(table, observe) for table in tables)
        starts = {
            table.name: partial(self._start, table, demanded.get(table.name, {}), conversions.get(table.name, {}))
            for table in tables
        }
        counts = [
            TableCount(table, starts[table.name], self._find_spans(table)) for table in tables if is_countable(table)
        ]
        CountingPool(part, place, self.info.path).run(counts, observe)
        counted = {one.table.name: one.census for one in counts}
        for one in counts:
            if one.census is not None:
                self.note_largest(one.table, {each.name: each.longest_value_bytes for each in one.census.columns})
        return tuple(counted.get(table.name) or count(table, observe) for table in tables)

    def _find_spans(self, table: Table) -> tuple[Span, ...]:
        """The stretches in which a table is counted: one, unless its rowids lie so far apart that it may be large.

        Not by `cut_spans`, as load and proof: a hole between spans of theirs shows by the rows that were counted here.
        """
        rowid = name_rowid(table)
        if rowid is None:
            return (Span(),)
        with self._borrow() as reader, reader.use(str, table=table.name) as connection:
            sql = ", ".join(make_select([f"{which}({rowid})"], table.name).join("()") for which in ("min", "max"))
            low, high = connection.execute(f"SELECT {sql}").fetchone()
        if low is None or high - low < SPAN_ROWS:
            return (Span(),)
        ends = [low + (high - low) * number // SPANS for number in range(1, SPANS)]
        return tuple(
            Span(low=begin, high=None if end is None else end - 1)
            for begin, end in zip([None, *ends], [*ends, None], strict=True)
        )

    def _start(
        self, table: Table, demanded: Mapping[str, str], conversions: Mapping[str, Sequence[str]], part: Part = ""
    ) -> TableAccumulator:
        store = None if part else self.offenders
        sink = None if store is None else partial(store.add, table.name)
        accumulator = start_census(table, demanded, conversions, sink, is_named=store is None or is_named(table))
        accumulator.expect_storage(self._count_firsts(table, accumulator.list_undeclared(), part))
        return accumulator

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
        start = partial(self._start, table, demanded, conversions, part)
        if self._is_utf16:
            return _mark_half_pairs(self._count_rows(table, self._read_checked_utf16(table, part), observe, start()))
        try:
            return self._count_rows(table, self._read_for_census(table, str, part=part), observe, start())
        except UndecodableError:  # rare, so that the others need not pay for looking
            if self.offenders is not None and not part:
                self.offenders.forget(table.name)
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
        progress = Progress(table.name, observe)
        rows = 0
        for batch in batches:
            accumulator.add_batch(batch)
            rows += len(batch)
            progress.tell(rows)
        progress.end(rows)
        return accumulator.finish()


def _mark_half_pairs(census: TableCensus) -> TableCensus:
    """A UTF-16 database's census: its texts that are none cannot be read as they are."""
    marked = (
        replace(column, half_pairs=True) if column.offence("invalid-utf8") else column for column in census.columns
    )
    return replace(census, columns=tuple(marked))
