"""The source: a consistent snapshot of the SQLite file, and what can be read from it.

Layer 2. `open_snapshot` gives a `Snapshot`, from which the catalogue, the census and the rows are read. This process
never opens the live file while it copies it (`liteferry.child` says why): with mode ``copy`` everything is read from
the copy, by as many connections as there are readers. With mode ``none`` one read transaction on the file itself
stands for the snapshot, and all readers share its connection; then this process must itself be a child.

Memory: rows come in batches of bounded bytes, however large a single row is.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from liteferry.census import InvalidText, TableAccumulator, name_row_by_key, start_census
from liteferry.child import run_in_child
from liteferry.compare import RawText, Text
from liteferry.errors import MigrationError, TooSlow
from liteferry.model import Catalog, Census, Event, Orphans, RowFault, SourceInfo, Table, TableCensus, ignore
from liteferry.source.catalog import read_catalog
from liteferry.source.connection import (
    SourceConnection,
    connect_read_only,
    list_foreign_collations,
    make_uri,
    show_path,
)
from liteferry.source.copying import (
    SNAPSHOT_NAME,
    CleanRequest,
    SnapshotRequest,
    begin_reading,
    check_source,
    describe_source,
    remove_snapshot,
)
from liteferry.source.faults import (
    FaultCounter,
    entry_bytes_sql,
    find_broken_check,
    find_clashes,
    find_wide_rows,
    list_row_items,
    make_offender,
)
from liteferry.source.file import explain_corruption, list_sidecars
from liteferry.source.orphans import describe_row, find_orphans
from liteferry.source.select import (
    REASON_FUNCTION,
    find_reason_sql,
    is_named,
    make_select,
    name_column,
    name_row_items,
    name_rowid,
    natural_order,
    quote_sqlite_name,
    select_expressions,
    span_sql,
)
from liteferry.source.twins import find_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from liteferry.census import Offender
    from liteferry.choosing import DemandedConversions
    from liteferry.compare import StorageValue
    from liteferry.decisions import DemandedTypes
    from liteferry.model import Part, RowQuestion, Span
    from liteferry.source.offenders import OffenderStore

BATCH_ROWS: Final = 1000
BATCH_BYTES: Final = 8 << 20
"""A batch holds at most this many bytes and one row more."""

_VALUE_OVERHEAD_BYTES: Final = 64  # of a Python object and its place in a tuple
_FEW_ROWS: Final = 32  # below this many rows in a batch, each row's size is looked at instead
_COMPUTED_BATCH_S: Final = 300.0  # for a batch of rows whose generated columns SQLite must compute
_COMPUTED_TABLE_S: Final = 3600.0  # to measure or sort a whole table of them
_EVENT_INTERVAL_S: Final = 0.1

_MOST_COLUMNS: Final = 2000  # of a SELECT, as SQLite is usually compiled
_CODE_POINTS: Final = "liteferry_code_points"
"""A collation like BINARY in a UTF-8 database: UTF-16's own bytes have another order."""


@contextmanager
def open_snapshot(
    path: str | Path,
    *,
    directory: Path,
    mode: Literal["copy", "none"] = "copy",
    observe: Callable[[Event], None] = ignore,
    keep: bool = False,
    prepare: Callable[[Path], int] | None = None,
) -> Iterator[Snapshot]:
    """Give the source as it is at one moment, checked for damage.

    directory: where the copy goes, as ``source.sqlite`` with mode 0600; it is made, with mode 0700, where it does not
    exist. keep: leave the copy there in the end. mode ``none`` makes no copy: writers of a database that is not in WAL
    mode have to wait until the end, and the WAL of one that is grows until then. prepare: is given the copy before
    anything is read from it, may take rows out of it, and returns how many it took out or changed; what it raises goes
    on, and the copy is removed.

    Raises: MigrationError with one of the codes ``source-…``, ``disk-…``, ``run-dir``, ``child-failed``; usage, when
    there is something to prepare, and no copy.
    """
    if mode == "none":
        if prepare is not None:
            raise MigrationError(
                "rows can be pruned in a copy alone, and --snapshot none makes none",
                code="usage",
                hint="leave out --snapshot none, or [django.prune]",
            )
        opened = _open_in_place(path, observe)
    else:
        opened = _open_copy(path, directory, observe, keep=keep, prepare=prepare)
    with opened as snapshot:
        try:
            yield snapshot
        finally:
            snapshot.close()


@contextmanager
def _open_copy(
    path: str | Path,
    directory: Path,
    observe: Callable[[Event], None],
    *,
    keep: bool,
    prepare: Callable[[Path], int] | None,
) -> Iterator[Snapshot]:
    copy = directory / SNAPSHOT_NAME
    if copy.exists():
        raise MigrationError(
            f"there is a snapshot already: {show_path(copy)}", code="run-dir", hint="give another --run-dir"
        )
    request = SnapshotRequest(path=str(path), directory=str(directory))
    info: SourceInfo | None = None
    try:
        taken: SourceInfo = run_in_child("take_snapshot", request, observe=observe, harmless=True)
        if prepare is not None:
            taken = replace(taken, pruned_rows=prepare(copy))
        info = taken
        yield Snapshot(info, file=copy)
    finally:
        if info is None or not keep:
            remove_snapshot(directory)


@contextmanager
def _open_in_place(path: str | Path, observe: Callable[[Event], None]) -> Iterator[Snapshot]:
    header, before = run_in_child("inspect_source", str(path), harmless=True)
    with ExitStack() as stack:
        stack.callback(_clean, str(path), before)
        try:
            connection = stack.enter_context(closing(connect_read_only(path)))
            with connection.explain_errors():
                begin_reading(connection, str(path))
            check_source(connection, observe)
        except MigrationError as error:
            explained = explain_corruption(error, str(path), header)
            if explained is error:
                raise
            raise explained from error
        info = describe_source(connection, str(path))
        read_at = _stamp(path)
        yield Snapshot(info, shared=connection)
        # A lock keeps writers out where there is no WAL; but not on every network file system.
        if info.journal_mode != "wal" and _stamp(path) != read_at:
            raise MigrationError(
                f"{info.path} was written while it was read, although it was locked",
                code="source-changed",
                hint="stop the application meanwhile, or use --snapshot copy",
            )


def _clean(path: str, before: frozenset[str]) -> None:
    if list_sidecars(path) - before:
        run_in_child("clean_source", CleanRequest(path=path, before=before), harmless=True)


def _stamp(path: str | Path) -> tuple[int, int]:
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns


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


class _UndecodableError(Exception):
    """A text that is not valid UTF-8, where the fast way was taken."""


class Snapshot:
    """The source at one moment. Usable from several threads at once.

    ``info``: what the report says of it. ``file``: the copy; None in mode none. ``offenders``: where the census puts
    every offender, and what says which rows are set apart; None for nowhere, and none are.
    """

    def __init__(self, info: SourceInfo, *, file: Path | None = None, shared: SourceConnection | None = None) -> None:
        """Read from the copy, or through the one connection. Made by `open_snapshot`."""
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
        if shared:
            self._prepare(shared)

    def close(self) -> None:
        """Close the connections to the copy."""
        with self._guard:
            while self._idle:
                self._idle.pop().connection.close()

    def discard(self) -> None:
        """Remove the copy now, where `keep` would have left it. Nothing can be read afterwards."""
        self.close()
        if self.file:
            self.file.unlink(missing_ok=True)

    def locate_copy(self) -> CopyPlace | None:
        """Where the compiled parts may read the copy by themselves; None where they must not.

        Not in mode none, where the live file would be opened a second time; nor in UTF-16, where SQLite would hand them
        another text for half a surrogate pair.
        """
        if self.file is None or self._is_utf16:
            return None
        return CopyPlace(uri=make_uri(self.file), stand_ins=self._stand_ins)

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
            connection.create_collation(_CODE_POINTS, lambda left, right: (left > right) - (left < right))
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

    # the census

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
        with self._borrow() as reader, reader.use(_decode) as connection:
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
            if store is None:
                return start_census(table, demanded, conversions)
            return start_census(table, demanded, conversions, partial(store.add, table.name), is_named=is_named(table))

        if self._is_utf16:
            return _mark_half_pairs(self._count_rows(table, self._read_checked_utf16(table, part), observe, start()))
        try:
            return self._count_rows(table, self._read_for_census(table, str, part=part), observe, start())
        except _UndecodableError:  # rare, so that the others need not pay for looking
            if store is not None:
                store.forget(table.name)
            return self._count_rows(table, self._read_for_census(table, _decode, part=part), observe, start())

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
        for batch in self._read_for_census(table, _decode, stored, part):
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
                with self._borrow() as reader, reader.use(_decode, table=table.name) as connection:
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
                for batch in self._stream(sql, table, table.primary_key, _decode):
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

        with self._borrow() as reader, reader.use(_decode, table=table.name) as connection:
            return tuple(find_orphans(connection, table, catalog, filter_sql, take, self._name_row))

    def _has_apart(self, table: Table) -> bool:
        return self.offenders is not None and self.offenders.has_apart(table.name)

    # rows

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
            yield from self._stream(sql, table, columns, _decode if invalid_text else str, batch_rows)
        except _UndecodableError as error:
            raise self._explain_undecodable(table, columns, part) from error

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
        collation = _CODE_POINTS if self._is_utf16 else "BINARY"
        order = [f"{name_column(name)} COLLATE {collation}" for name in order_by] or natural_order(found)
        if part == "quarantine":
            return self._read_quarantined_storage(found, columns, order, with_rowid=with_rowid)
        items = [name_column(name) for name in columns]
        head = [name_rowid(found) or "NULL"] if with_rowid else []
        sql = make_select([*head, *items], table, order, self.filter_sql(found, part, span=span))
        return self._stream(sql, found, [*columns, *order_by], Text)

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
        for batch in self._stream(sql, table, columns, as_text or _decode, batch_rows):
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
        collation, way = _CODE_POINTS if self._is_utf16 else "BINARY", " DESC" if from_end else ""
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
                        batch = _fetch_large(cursor, BATCH_ROWS)
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
                        batch = cursor.fetchmany(fitting) if fitting >= _FEW_ROWS else _fetch_large(cursor, batch_rows)
                    if not batch:
                        return
                    yield batch
            finally:
                if cursor is not None:
                    with reader.use(str):
                        cursor.close()

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

    def _explain_undecodable(self, table: Table, columns: Sequence[str], part: Part) -> MigrationError:
        """Find the first text that is not valid UTF-8."""
        for batch in self._read_for_census(table, _decode, part=part):
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


def _rowid_keeper(table: Table) -> Callable[[int | None], tuple[int | None, ...]]:
    """What keeps a rowid as an item of its own: nothing where it is a column, or there is none."""
    if table.without_rowid or table.rowid_alias is not None:
        return lambda _: ()
    return lambda rowid: (rowid,)


def _mark_half_pairs(census: TableCensus) -> TableCensus:
    """A UTF-16 database's census: its texts that are none cannot be read as they are."""
    marked = (
        replace(column, half_pairs=True) if column.offence("invalid-utf8") else column for column in census.columns
    )
    return replace(census, columns=tuple(marked))


def _number_rows(batches: Iterator[list[tuple[Any, ...]]]) -> Iterator[list[tuple[Any, ...]]]:
    """Append the row's number, from 1, for want of a rowid that can be named."""
    numbers = count(1)
    for batch in batches:
        yield [(*row, next(numbers)) for row in batch]


def _fetch_large(cursor: sqlite3.Cursor, most_rows: int) -> list[tuple[Any, ...]]:
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
            raise _UndecodableError from error
        raise


def _decode(raw: bytes) -> str | InvalidText:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return InvalidText(raw)


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
