"""A table's rows as COPY data: by the compiled encoder where it can be used, by `liteferry.codecs` otherwise.

Layer 2. Both give the same bytes and the same errors: `liteferry.codecs` is the specification, and the compiled encoder
hands every value to it of which it is not certain. What it knows by itself of a column is chosen here.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from liteferry.census import InvalidText
from liteferry.codecs import RowEncoder, RowMisfit, make_encoder
from liteferry.compiled import find_part
from liteferry.conversions import FOLDS, LAST_KEY, QUANTISERS, REPAIRS
from liteferry.errors import MigrationError
from liteferry.source.connection import explaining
from liteferry.source.select import make_select, name_column, natural_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from liteferry.compiled._encoder import Reader
    from liteferry.model import ColumnMap, Part, Span, Table
    from liteferry.source import Snapshot

    Description = tuple[str, int, int, int, int, Callable[[object], bytes]]
    """Kind ("": every value goes to the reference), flags, precision, scale, unit in µs, reference."""

_UNITS_US: Final = {"epoch-s": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1}


def encode_rows(
    snapshot: Snapshot, table: Table, columns: Sequence[ColumnMap], *, part: Part = "", span: Span | None = None
) -> Iterator[tuple[int, bytes]]:
    """Give the rows of a part of the table, within a span, as COPY data without header and trailer.

    columns: those that are copied. Items: how many rows end in the chunk, and its bytes, which may end within a row.

    Raises: RowMisfit with the row's values; MigrationError when the rows cannot be read.
    """
    names = [column.source for column in columns if not column.is_beside]
    # a column that holds bytes may hold texts that are not UTF-8, and those as they are; a conversion may take them
    raw = any(column.kind == "bytea" or column.conversions for column in columns)
    module = find_encoder(snapshot, table, columns, part)
    if module is not None:
        yield from _encode_compiled(module, snapshot, table, columns, span, raw=raw)
        return
    encoder = RowEncoder(columns)
    for rows in snapshot.read_rows(table, names, invalid_text=raw, part=part, span=span):
        found = len(rows), encoder.encode(rows)
        rows.clear()  # a batch of large rows is not to be there beside the next one, nor are its bytes
        yield found
        del found


def find_encoder(snapshot: Snapshot, table: Table, columns: Sequence[ColumnMap], part: Part) -> ModuleType | None:
    """The compiled part, where it can read these rows: without the interpreter's lock, so that threads are of use.

    Not those of a table with quarantined ones: a function of Python's says which these are. Nor computed columns, for
    which SQLite may take any time, and its version in the compiled part may be another one than Python's.
    """
    names = {column.source for column in columns if not column.is_beside}
    computed = any(column.generated and column.name in names for column in table.columns)
    return None if part or computed or snapshot.locate_copy() is None else find_part("_encoder")


def _encode_compiled(
    module: ModuleType,
    snapshot: Snapshot,
    table: Table,
    columns: Sequence[ColumnMap],
    span: Span | None,
    *,
    raw: bool,
) -> Iterator[tuple[int, bytes]]:
    items = [name_column(column.source) for column in columns]
    sql = make_select(items, table.name, natural_order(table), snapshot.filter_sql(table, "", span=span))
    descriptions = tuple(describe_column(module, column) for column in columns)
    with explaining(snapshot.info.path, table=table.name), _borrow(module, snapshot) as reader:
        reader.begin(sql, descriptions, InvalidText if raw else None)
        try:
            while (found := _read_chunk(reader, columns)) is not None:
                yield found
        except module.Undecodable:
            for _ in snapshot.read_rows(table, [column.source for column in columns]):
                pass  # it looks for the place, and raises
            raise MigrationError("a text could not be read as UTF-8", code="value-misfit", table=table.name) from None


def _read_chunk(reader: Reader, columns: Sequence[ColumnMap]) -> tuple[int, bytes] | None:
    try:
        return reader.read()
    except (ValueError, OverflowError) as error:
        raise RowMisfit(reader.rows, columns[reader.column].source, str(error), reader.read_values()) from error


@contextmanager
def _borrow(module: ModuleType, snapshot: Snapshot) -> Iterator[Reader]:
    reader: Reader | None = snapshot.take_kept("_encoder")
    if reader is None:
        place = snapshot.locate_copy()
        assert place is not None  # noqa: S101 - else there would be no compiled encoder
        reader = module.Reader(place.uri, place.stand_ins)
    try:
        yield reader
    finally:
        reader.finish()
        snapshot.keep("_encoder", reader)


def describe_column(module: ModuleType, column: ColumnMap) -> Description:
    """What the compiled encoder is told of a column. Pure.

    A conversion that it does not know, or a type that it knows no conversion for, leaves every value to the reference.
    """
    kind: str = column.kind
    flags = precision = scale = unit_us = 0
    for conversion in column.conversions:
        name, _, rest = conversion.partition(":")
        if name in QUANTISERS and kind == "numeric" and rest:
            kind = "quantised"
            precision, scale = (int(number) for number in rest.split(","))
            flags |= module.KEEPS_INTEGERS if name == "quantise-reals" else 0
        elif name in _UNITS_US and kind in {"timestamp", "timestamptz", "date"}:
            unit_us = _UNITS_US[name]
        elif name == "julian" and kind in {"timestamp", "timestamptz", "date"}:
            flags |= module.JULIAN
        elif name in REPAIRS and kind == "text":
            flags |= module.REPAIRS_BACKSLASH if name == "escape" else 0
        elif name != LAST_KEY and name not in FOLDS and not (conversion == "timezone:UTC" and kind == "timestamptz"):
            kind = ""
    return kind, flags, precision, scale, unit_us, make_encoder(column)
