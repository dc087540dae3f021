"""Rows of the source: for the load, for the proof, for the census.

Layer 2.
"""

from __future__ import annotations

from itertools import count, zip_longest
from typing import TYPE_CHECKING, Any, Final

from liteferry.census import InvalidText
from liteferry.compare import RawText, Text
from liteferry.errors import MigrationError
from liteferry.source.orphans import describe_row
from liteferry.source.readers import BATCH_ROWS, CODE_POINTS, Readers, UndecodableError, decode_text
from liteferry.source.select import find_reason_sql, make_select, name_column, name_rowid, natural_order
from liteferry.source.spans import cut_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from liteferry.compare import StorageValue
    from liteferry.model import Part, Span, Table

_MOST_COLUMNS: Final = 2000  # of a SELECT, as SQLite is usually compiled


class RowReaders(Readers):
    """Reads the rows of tables."""

    def read_rows(
        self,
        table: Table,
        columns: Sequence[str],
        *,
        invalid_text: bool = False,
        batch_rows: int = BATCH_ROWS,
        part: Part = "",
        span: Span | None = None,
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Give the rows for the load, in the order in which they are stored: by rowid, or by the primary key.

        TEXT is str, BLOB is bytes. A text that is not valid UTF-8 is an `InvalidText` with invalid_text; without, it
        is an error, and reading is faster. part: of the table's rows, all of them within the span, which is none for
        those in quarantine. Those have their rowid, where it is
        no column, and the reason as further items, and a text that no literal can hold is an `InvalidText` of its
        bytes.

        Raises: MigrationError ``value-misfit`` with the value's place.
        """
        if part == "quarantine":
            kept_rowid = _rowid_keeper(table)
            for batch in self._read_quarantined(table, columns, natural_order(table), batch_rows):
                yield [
                    (
                        *(value if raw is None else InvalidText(raw) for value, raw in values),
                        *kept_rowid(rowid),
                        reason,
                    )
                    for values, (rowid, reason) in batch
                ]
            return
        items = [name_column(name) for name in columns]
        sql = make_select(items, table.name, natural_order(table), self.filter_sql(table, part, span=span))
        try:
            yield from self._stream(sql, table, columns, decode_text if invalid_text else str, batch_rows)
        except UndecodableError as error:
            raise self._explain_undecodable(table, columns, part) from error

    def cut_spans(self, table: Table, rows: int, count: int) -> tuple[Span, ...]:
        """Cut a table into at most so many spans of about equally many rows; empty where that cannot be done.

        rows: how many it has, about. Raises: MigrationError.
        """
        with self._borrow() as reader, reader.use(str, table=table.name) as connection:
            return cut_spans(connection, table, rows, count)

    def read_storage_rows(
        self,
        table: str,
        columns: Sequence[str],
        order_by: Sequence[str],
        *,
        with_rowid: bool = False,
        part: Part = "",
        span: Span | None = None,
    ) -> Iterator[list[tuple[StorageValue, ...]]]:
        """Give the rows for the proof, as they are stored, from the table itself and from no index.

        TEXT is `Text`, BLOB is plain bytes. order_by: columns; NULLs first, then numbers, texts, blobs, texts by their
        UTF-8 bytes whatever the columns' collations; none for the order of storage. with_rowid: the rowid is the first
        item of each row, None where there is none. part, span: as in `read_rows`. Those in quarantine have their rowid,
        where it is no column, and the reason as further items at the end, and a text that no literal can hold is a
        `RawText`.

        Raises: MigrationError.
        """
        found = self.read_catalog().table(table)
        order = self._order_storage(found, order_by)
        if part == "quarantine":
            return self._read_quarantined_storage(found, columns, order, with_rowid=with_rowid)
        items = [name_column(name) for name in columns]
        head = [name_rowid(found) or "NULL"] if with_rowid else []
        sql = make_select([*head, *items], table, order, self.filter_sql(found, part, span=span))
        return self._stream(sql, found, [*columns, *order_by], Text)

    def _order_storage(self, table: Table, order_by: Sequence[str]) -> Sequence[str]:
        collation = CODE_POINTS if self._is_utf16 else "BINARY"
        return [f"{name_column(name)} COLLATE {collation}" for name in order_by] or natural_order(table)

    def select_storage(
        self, table: str, columns: Sequence[str], order_by: Sequence[str], span: Span | None = None
    ) -> str:
        """The SELECT by which `read_storage_rows` reads all rows, or those within a span, for the compiled proof.

        "" where only a connection of our own may read them: it watches the clock while SQL of the source's computes.
        """
        found = self.read_catalog().table(table)
        if any(column.generated and column.name in columns for column in found.columns):
            return ""
        items = [name_column(name) for name in columns]
        return make_select(items, table, self._order_storage(found, order_by), self.filter_sql(found, "", span=span))

    def _read_quarantined_storage(
        self, table: Table, columns: Sequence[str], order: Sequence[str], *, with_rowid: bool
    ) -> Iterator[list[tuple[StorageValue, ...]]]:
        kept_rowid = _rowid_keeper(table)
        for batch in self._read_quarantined(table, columns, order, BATCH_ROWS, as_text=Text):
            yield [
                (
                    *((rowid,) if with_rowid else ()),
                    *(value if raw is None else RawText(raw) for value, raw in values),
                    *kept_rowid(rowid),
                    Text(reason.encode()),
                )
                for values, (rowid, reason) in batch
            ]

    def _read_quarantined(
        self,
        table: Table,
        columns: Sequence[str],
        order: Sequence[str],
        batch_rows: int,
        as_text: Callable[[bytes], Any] | None = None,
    ) -> Iterator[list[tuple[list[tuple[Any, bytes | None]], tuple[int | None, str]]]]:
        """Rows in quarantine: each value, with its bytes where it is a TEXT that no literal can hold; rowid, reason."""
        texts = [name_column(name) for name in columns]
        # in UTF-8 the text itself has its bytes; and there can be as many columns as a SELECT takes
        utf16 = texts if self._is_utf16 else []
        stored = [f"CASE typeof({name}) WHEN 'text' THEN CAST({name} AS BLOB) END" for name in utf16]
        reason = find_reason_sql(table, self._number(table))
        items = [*texts, *stored, name_rowid(table) or "NULL", f"CAST({reason} AS BLOB)"]
        sql = make_select(items, table.name, order, self.filter_sql(table, "quarantine"))
        width = len(columns)
        for batch in self._stream(sql, table, columns, as_text or decode_text, batch_rows):
            yield [
                (
                    [
                        (value, None if raw is None or self._fits_literal(raw) else raw)
                        for value, raw in zip_longest(row[:width], row[width:-2])
                    ],
                    (row[-2], row[-1].decode(self._encoding)),
                )
                for row in batch
            ]

    def _fits_literal(self, raw: bytes) -> bool:
        """Whether a literal can hold a text of these bytes: it is valid, and without NUL."""
        try:
            return "\0" not in raw.decode(self._encoding)
        except UnicodeDecodeError:
            return False

    def _explain_undecodable(self, table: Table, columns: Sequence[str], part: Part) -> MigrationError:
        """Find the first text that is not valid UTF-8."""
        for batch in self._read_for_census(table, decode_text, part=part):
            for row in batch:
                values = {column.name: value for column, value in zip(table.columns, row, strict=False)}
                column = next((name for name in columns if isinstance(values[name], InvalidText)), None)
                if column is not None:
                    return MigrationError(
                        "a text is not valid UTF-8, although the census said that all were",
                        code="value-misfit",
                        table=table.name,
                        column=column,
                        key=describe_row(table, [values[name] for name in table.primary_key], row[-1]),
                    )
        return MigrationError("a text could not be read as UTF-8", code="value-misfit", table=table.name)

    def _read_for_census(
        self, table: Table, text_factory: Callable[[bytes], Any], more_items: Sequence[str] = (), part: Part = ""
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The table's rows, then more items of SQL, then the rowid where they have one."""
        items = [*(name_column(column.name) for column in table.columns), *more_items]
        rowid = name_rowid(table)
        if rowid and len(items) < _MOST_COLUMNS:
            items.append(rowid)
        names = [column.name for column in table.columns]
        sql = make_select(items, table.name, natural_order(table), self.filter_sql(table, part))
        batches = self._stream(sql, table, names, text_factory)
        return batches if table.without_rowid or items[-1] == rowid else _number_rows(batches)

    def _read_checked_utf16(self, table: Table, part: Part = "") -> Iterator[list[tuple[Any, ...]]]:
        """The same for a UTF-16 database: SQLite converts half a surrogate pair into something else, and says nothing.

        So each text is compared with its bytes as they are stored.
        """
        width = len(table.columns)
        stored = [f"CAST({name_column(column.name)} AS BLOB)" for column in table.columns]
        for batch in self._read_for_census(table, decode_text, stored, part):
            yield [
                (
                    *(
                        InvalidText(raw) if isinstance(value, str) and not _decodes(raw, self._encoding) else value
                        for value, raw in zip(row[:width], row[width : 2 * width], strict=True)
                    ),
                    *row[2 * width :],
                )
                for row in batch
            ]


def _rowid_keeper(table: Table) -> Callable[[int | None], tuple[int | None, ...]]:
    """What keeps a rowid as an item of its own: nothing where it is a column, or there is none."""
    if table.without_rowid or table.rowid_alias is not None:
        return lambda _: ()
    return lambda rowid: (rowid,)


def _number_rows(batches: Iterator[list[tuple[Any, ...]]]) -> Iterator[list[tuple[Any, ...]]]:
    """Append the row's number, from 1, for want of a rowid that can be named."""
    numbers = count(1)
    for batch in batches:
        yield [(*row, next(numbers)) for row in batch]


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
