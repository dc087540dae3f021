"""Rows in a SQLite file, read from there and encoded: by the compiled encoder, and by its specification."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from liteferry.census import InvalidText
from liteferry.codecs import RowEncoder, RowMisfit
from liteferry.compiled import find_part
from liteferry.compiled.encoding import encode_rows
from liteferry.errors import MigrationError
from liteferry.model import ColumnMap, Kind, SourceInfo
from liteferry.source import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from liteferry.model import Span

is_built = os.environ.get("LITEFERRY_COMPILED") == "require" or find_part("_encoder") is not None
needs_encoder = pytest.mark.skipif(not is_built, reason="the compiled encoder was not built, or is not wanted")


def column(kind: Kind, pg_type: str = "", name: str = "c", conversions: Sequence[str] = ()) -> ColumnMap:
    """A column of this kind; of the type of that name, unless another is given."""
    return ColumnMap(
        source=name, target=name, pg_type=pg_type or kind, kind=kind, rule="test", conversions=tuple(conversions)
    )


def store(path: Path, names: Sequence[str], rows: Sequence[Sequence[object]]) -> Snapshot:
    """Write a table ``t`` of columns without a type anew, and give it as a snapshot."""
    path.unlink(missing_ok=True)
    items = [[f'"{name}"' for name in names], ["?"] * len(names)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(items[0])})")
        for row in rows:  # a text that is none has to be made of its bytes
            marks = ["CAST(? AS TEXT)" if isinstance(value, InvalidText) else "?" for value in row]
            values = [bytes(value) if isinstance(value, InvalidText) else value for value in row]
            connection.execute(f"INSERT INTO t VALUES ({', '.join(marks)})", values)
        connection.commit()
    return open_copy(path)


def open_copy(path: Path) -> Snapshot:
    """A file as the copy that a snapshot reads."""
    info = SourceInfo(
        path=str(path), size_bytes=0, sha256="", sqlite_version="", encoding="UTF-8", journal_mode="delete"
    )
    return Snapshot(info, file=path)


Outcome = bytes | tuple[str, int, str, tuple[object, ...]] | str
"""COPY data; or a misfit's reason, row, column, and the row's values; or another error's text."""


def encode_compiled(snapshot: Snapshot, columns: Sequence[ColumnMap], span: Span | None = None) -> Outcome:
    """What the load gets."""
    table = snapshot.read_catalog().table("t")
    return _outcome(lambda: b"".join(chunk for _, chunk in encode_rows(snapshot, table, columns, span=span)))


def encode_by_reference(snapshot: Snapshot, columns: Sequence[ColumnMap], span: Span | None = None) -> Outcome:
    """What `liteferry.codecs` says of the same rows."""
    table = snapshot.read_catalog().table("t")
    raw = any(column.kind == "bytea" or column.conversions for column in columns)
    names = [column.source for column in columns]
    encoder = RowEncoder(columns)

    def encode() -> bytes:
        batches = snapshot.read_rows(table, names, invalid_text=raw, span=span)
        return encoder.encode([row for batch in batches for row in batch])

    return _outcome(encode)


def _outcome(encode: Callable[[], bytes]) -> Outcome:
    try:
        return encode()
    except RowMisfit as misfit:
        return misfit.reason, misfit.row, misfit.column, misfit.values
    except MigrationError as error:
        return f"{error} {error.key}"
