"""COPY's rows in blocks: libpq gives one row at a time, and a step of Python's for each costs more than the row.

Layer 2. Used within `target` only. Where there is a compiled part, it calls the very libpq that psycopg has loaded,
without the interpreter's lock: 0.1 µs a row instead of 0.5. Else, and where that libpq cannot be found, psycopg gives
the rows.
"""

from __future__ import annotations

import sys
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from liteferry.compiled import find_part

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    import psycopg

BLOCK_BYTES: Final = 1 << 18
"""Of COPY's data, given at once. Twice as much is no faster."""

_FUNCTIONS: Final = ("PQgetCopyData", "PQconsumeInput", "PQfreemem")
_MORE, _LATER = 1, 0  # less is the end, or an error

_READING: Final[WeakKeyDictionary[psycopg.Connection, threading.Lock]] = WeakKeyDictionary()
"""Held while libpq reads without the interpreter's lock: closing would free what it reads with."""
_GUARD: Final = threading.Lock()


def close_unread(connection: psycopg.Connection) -> None:
    """Close a connection as soon as no thread is within `copy_blocks`' reading: that takes 0.2 s at most."""
    with _lock_reading(connection):
        connection.close()


def _lock_reading(connection: psycopg.Connection) -> threading.Lock:
    with _GUARD:
        return _READING.setdefault(connection, threading.Lock())


def copy_blocks(connection: psycopg.Connection, copy_sql: str) -> Iterator[bytes]:
    """Run a COPY TO STDOUT and give its data, cut at row ends."""
    part, addresses = find_part("_comparer"), _find_libpq(type(connection.pgconn).__module__)
    with connection.cursor() as cursor, cursor.copy(copy_sql.encode()) as copy:
        if part is not None and addresses is not None:
            yield from _gather(connection, part.gather, addresses)
            return
        block, size = [], 0
        for piece in copy:
            block.append(bytes(piece))
            size += len(piece)
            if size >= BLOCK_BYTES:
                yield b"".join(block)
                block, size = [], 0
        if block:
            yield b"".join(block)


@cache
def _find_libpq(module_name: str) -> tuple[int, ...] | None:
    """Where psycopg's own libpq has its functions; None where that cannot be told.

    module_name: of psycopg's connection class. A library's handle finds the functions of what it is linked with, so
    that asking psycopg's compiled module gives the libpq that it calls itself. Source: dlsym(3).
    """
    import ctypes

    path = getattr(sys.modules.get(module_name), "__file__", None) or ""
    if sys.platform == "win32" or not path.endswith(".so"):
        return None
    try:
        library = ctypes.CDLL(path)
        found = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in _FUNCTIONS]
    except (OSError, AttributeError):
        return None
    addresses = tuple(address for address in found if address)
    return addresses if len(addresses) == len(_FUNCTIONS) else None


def _gather(
    connection: psycopg.Connection, gather: Callable[..., tuple[bytes, int]], addresses: tuple[int, ...]
) -> Iterator[bytes]:
    pgconn: Any = connection.pgconn
    lock = _lock_reading(connection)
    state = _MORE
    while state >= _LATER:
        if state == _LATER:
            connection.wait(_await_data(pgconn))
        with lock:
            if not pgconn.pgconn_ptr:
                break  # the connection was closed meanwhile: asking for the result tells
            block, state = gather(pgconn.pgconn_ptr, pgconn.socket, *addresses, BLOCK_BYTES)
        if block:
            yield block
    _raise_failure(connection)


def _await_data(pgconn: Any) -> Generator[Any, Any, None]:
    from psycopg.waiting import Wait

    yield Wait.R  # or some time without: what TLS has read already makes no socket readable
    pgconn.consume_input()


def _raise_failure(connection: psycopg.Connection) -> None:
    """Fetch what the server said at the end of a COPY. Raises: psycopg.Error."""
    from psycopg import OperationalError, pq
    from psycopg.errors import error_from_result

    failure = None
    while True:
        while connection.pgconn.is_busy():
            connection.wait(_await_data(connection.pgconn))
        result = connection.pgconn.get_result()
        if result is None:
            break
        if result.status == pq.ExecStatus.COPY_OUT:  # it is not at its end: libpq had no memory for a row
            raise OperationalError("libpq could not read a row of COPY: " + connection.pgconn.get_error_message())
        if result.status != pq.ExecStatus.COMMAND_OK:
            failure = failure or result
    if failure is not None:
        raise error_from_result(failure, encoding="utf-8")
