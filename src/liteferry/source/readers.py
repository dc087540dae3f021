"""The connections that read the source, and how rows come from them.

Layer 2. With a copy each reader has a connection of its own; in mode none all share one.

Memory: rows come in batches of bounded bytes, however large a single row is.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from liteferry.census import InvalidText, name_row_by_key
from liteferry.source.catalog import read_catalog
from liteferry.source.connection import SourceConnection, connect_read_only, list_foreign_collations, make_uri
from liteferry.source.select import (
    REASON_FUNCTION,
    find_reason_sql,
    is_named,
    make_select,
    name_column,
    span_sql,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from liteferry.compiled import PartName
    from liteferry.model import Catalog, Part, SourceInfo, Span, Table
    from liteferry.source.offenders import OffenderStore

BATCH_ROWS: Final = 1000
BATCH_BYTES: Final = 8 << 20
"""A batch holds at most this many bytes and one row more."""

CODE_POINTS: Final = "liteferry_code_points"
"""A collation like BINARY in a UTF-8 database: UTF-16's own bytes have another order."""

_NUMBER_BYTES: Final = 32  # of any number as text, at most
_VALUE_OVERHEAD_BYTES: Final = 64  # of a Python object and its place in a tuple
_FEW_ROWS: Final = 32  # below this many rows in a batch, each row's size is looked at instead
_COMPUTED_BATCH_S: Final = 300.0  # for a batch of rows whose generated columns SQLite must compute
_COMPUTED_TABLE_S: Final = 3600.0  # to measure or sort a whole table of them


class _Reader:
    """A connection with its lock: in mode none all threads share one."""

    def __init__(self, connection: SourceConnection) -> None:
        self.connection = connection
        self._lock = threading.RLock()

    @contextmanager
    def use(self, text_factory: Callable[[bytes], Any], *, table: str | None = None) -> Iterator[SourceConnection]:
        """Have the connection alone, with texts made by this function (str, too, is one)."""
        with self._lock, self.connection.explain_errors(table=table):
            self.connection.text_factory = text_factory
            yield self.connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPlace:
    """The copy's ``file:`` URI, and the collations that a connection to it needs stand-ins for."""

    uri: str
    stand_ins: tuple[str, ...]


class UndecodableError(Exception):
    """A text that is not valid UTF-8, where the fast way was taken."""


def fetch_large(cursor: sqlite3.Cursor, most_rows: int) -> list[tuple[Any, ...]]:
    """Fetch rows until their size or number is enough for a batch."""
    batch: list[tuple[Any, ...]] = []
    size_bytes = 0
    for row in cursor:
        batch.append(row)
        size_bytes += _VALUE_OVERHEAD_BYTES * len(row)
        size_bytes += sum(len(value) for value in row if isinstance(value, str | bytes))
        if size_bytes >= BATCH_BYTES or len(batch) >= most_rows:
            break
    return batch


@contextmanager
def _notice_undecodable() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if str(error).startswith("Could not decode to UTF-8"):
            raise UndecodableError from error
        raise


def decode_text(raw: bytes) -> str | InvalidText:
    """A TEXT value's bytes as str; `InvalidText` where they are not UTF-8. Pure."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return InvalidText(raw)


class Readers:
    """The readers of one source: their connections, and what each of them must know."""

    def __init__(self, info: SourceInfo, *, file: Path | None = None, shared: SourceConnection | None = None) -> None:
        """Read from the copy, or through the one connection."""
        self.info = info
        self.file = file
        self.offenders: OffenderStore | None = None
        self._shared = _Reader(shared) if shared else None
        self._idle: list[_Reader] = []
        self._numbered: list[Table] = []
        self._guard = threading.Lock()
        self._catalog: Catalog | None = None
        self._largest_bytes: dict[str, dict[str, int]] = {}  # values, by table and column
        self._stand_ins = list_foreign_collations(file) if file else ()
        self._kept: dict[PartName, list[Any]] = {}  # by compiled part: its connections that nobody uses
        self._place = (
            None if file is None or self._is_utf16 else CopyPlace(uri=make_uri(file), stand_ins=self._stand_ins)
        )
        if shared:
            self._prepare(shared)

    def close(self) -> None:
        """Close the connections to the copy."""
        with self._guard:
            while self._idle:
                self._idle.pop().connection.close()
            self._kept.clear()  # which closes them

    def take_kept(self, part: PartName) -> Any:
        """A compiled part's connection to the copy that nobody uses; None where there is none: it has to open one."""
        with self._guard:
            kept = self._kept.get(part)
            return kept.pop() if kept else None

    def keep(self, part: PartName, connection: object) -> None:
        """Keep a compiled part's connection for its next table, for the reason that `_borrow` gives."""
        with self._guard:
            self._kept.setdefault(part, []).append(connection)

    def discard(self) -> None:
        """Remove the copy now, where `keep` would have left it. Nothing can be read afterwards."""
        self.close()
        if self.file:
            with suppress(OSError):  # it is gone already; or the disk takes nothing any more, which is being told
                self.file.unlink()

    def locate_copy(self) -> CopyPlace | None:
        """Where the compiled parts may read the copy by themselves; None where they must not.

        Not in mode none, where the live file would be opened a second time; nor in UTF-16, where SQLite would hand them
        another text for half a surrogate pair.
        """
        return self._place

    @contextmanager
    def _borrow(self) -> Iterator[_Reader]:
        """A connection for one reader. They are kept: parsing a large schema costs more than reading a small table."""
        if self._shared:
            yield self._shared
            return
        with self._guard:
            reader = self._idle.pop() if self._idle else None
        if reader is None:
            assert self.file is not None  # noqa: S101 - there is either a copy or a shared connection
            connection = connect_read_only(self.file, shown=self.info.path, stand_ins=self._stand_ins)
            self._prepare(connection)
            reader = _Reader(connection)
        try:
            yield reader
        finally:
            with self._guard:
                self._idle.append(reader)

    def _prepare(self, connection: SourceConnection) -> None:
        if self._is_utf16:
            connection.create_collation(CODE_POINTS, lambda left, right: (left > right) - (left < right))
        connection.create_function(REASON_FUNCTION, -1, self._find_reason)

    def _find_reason(self, number: int, *parts: Any) -> str | None:
        """Why a row is set apart: what `find_reason_sql` calls."""
        table = self._numbered[number]
        if self.offenders is None:
            return None
        name = self._name_row(table, parts)
        return None if name is None else self.offenders.find_reason(table.name, name)

    def _name_row(self, table: Table, parts: Sequence[Any]) -> int | str | None:
        """A row's name, of what `name_row_items` gave; None where it has none."""
        if not table.without_rowid:
            return parts[0] if parts else None
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return name_row_by_key(self._decode_part(value) if is_text else value for is_text, value in pairs)

    def _decode_part(self, raw: bytes) -> str | InvalidText:
        try:
            return raw.decode(self._encoding)
        except UnicodeDecodeError:
            return InvalidText(raw)

    def _number(self, table: Table) -> int:
        """A number for the table, by which `find_reason_sql` calls it."""
        with self._guard:
            if table not in self._numbered:
                self._numbered.append(table)
            return self._numbered.index(table)

    def filter_sql(self, table: Table, part: Part, alias: str = "t", span: Span | None = None) -> str:
        """The condition for rows of a part of the table, within a span; "" for all."""
        within = span_sql(table, span, alias)
        if not part or not is_named(table):
            return within
        null = "IS NULL" if part == "fitting" else "IS NOT NULL"
        of_part = f"{find_reason_sql(table, self._number(table), alias)} {null}"
        return f"{within} AND {of_part}" if within else of_part

    @property
    def _is_utf16(self) -> bool:
        return self.info.encoding != "UTF-8"

    @property
    def _encoding(self) -> str:
        """Python's name for how texts are stored."""
        return {"UTF-8": "utf-8", "UTF-16le": "utf-16-le"}.get(self.info.encoding, "utf-16-be")

    def read_catalog(self) -> Catalog:
        """Everything that the schema declares. Raises: MigrationError ``schema-unreadable``."""
        with self._guard:
            catalog = self._catalog
        if catalog is None:
            with self._borrow() as reader, reader.use(str) as connection:
                catalog = read_catalog(connection, journal_mode=self.info.journal_mode)
            catalog = replace(catalog, wal_pages_unread=self.info.wal_pages_unread)
            with self._guard:
                self._catalog = catalog
        return catalog

    def _has_apart(self, table: Table) -> bool:
        return self.offenders is not None and self.offenders.has_apart(table.name)

    def _stream(
        self,
        sql: str,
        table: Table,
        columns: Collection[str],
        text_factory: Callable[[bytes], Any],
        batch_rows: int = BATCH_ROWS,
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Run a SELECT on these columns of the table, and give its rows in batches of bounded size."""
        computed = any(column.generated and column.name in columns for column in table.columns)

        def limit_time(connection: SourceConnection, seconds: float) -> AbstractContextManager[None]:
            return connection.time_limit(seconds) if computed else nullcontext()

        with self._borrow() as reader:
            cursor = None
            try:
                with (
                    reader.use(text_factory, table=table.name) as connection,
                    limit_time(connection, _COMPUTED_TABLE_S),
                ):
                    row_bytes = self._measure_rows(connection, table, columns)
                    cursor = connection.execute(sql)
                fitting = min(batch_rows, BATCH_BYTES // row_bytes)
                while True:
                    with (
                        reader.use(text_factory, table=table.name) as connection,
                        limit_time(connection, _COMPUTED_BATCH_S),
                        _notice_undecodable(),
                    ):
                        batch = cursor.fetchmany(fitting) if fitting >= _FEW_ROWS else fetch_large(cursor, batch_rows)
                    if not batch:
                        return
                    yield batch
            finally:
                if cursor is not None:
                    with reader.use(str):
                        cursor.close()

    def note_largest(self, table: Table, sizes: Mapping[str, int]) -> None:
        """Know how large a table's largest texts and blobs are, by column, so that nobody need measure them again."""
        self._largest_bytes[table.name] = {name: max(size, _NUMBER_BYTES) for name, size in sizes.items()}

    def _measure_rows(self, connection: SourceConnection, table: Table, columns: Collection[str]) -> int:
        """A bound of a row's size in memory: of the largest values of all these columns together. At least 1.

        SQLite tells it in a fifth of the time that Python takes to read the rows, and it lets most tables be read
        without looking at each value's size.
        """
        known = self._largest_bytes.setdefault(table.name, {})
        unknown = [name for name in columns if name not in known]
        if unknown:
            lengths = [f"max(length(CAST({name_column(name)} AS BLOB)))" for name in unknown]
            found = connection.execute(make_select(lengths, table.name)).fetchone()
            known.update(zip(unknown, (length or 0 for length in found), strict=True))
        return sum(known[name] + _VALUE_OVERHEAD_BYTES for name in columns) + 1
