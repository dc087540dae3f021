"""The text format of COPY, read.

Layer 1, pure. Source: PostgreSQL docs, COPY, "Text Format".
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)


def _unescape(field: bytes) -> bytes | None:
    if field == b"\\N":
        return None
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), field)


def parse_copy_text(data: bytes, width: int) -> list[list[bytes | None]]:
    r"""The fields of whole lines of COPY's text format, a list for each of ``width`` columns. Pure.

    data: one line or more, without the end of the last. Splitting at tabs and line feeds is safe, because COPY writes
    those of a value as ``\t`` and ``\n``. All lines are split at once, since a list for each line costs twice the time
    and gives the garbage collector something to look at.
    Source: PostgreSQL docs, "COPY", Text Format.

    Raises: ValueError when the lines do not have that many fields.
    """
    lines = data.count(b"\n") + 1
    fields: list[bytes | None] = data.replace(b"\n", b"\t").split(b"\t")  # type: ignore[assignment]  # none is None yet
    if len(fields) != width * lines:
        raise ValueError(f"{lines} lines of COPY text with {len(fields)} fields, not {width} each")
    if b"\\" in data:
        fields = [_unescape(field) if field and b"\\" in field else field for field in fields]
    return [fields[position::width] for position in range(width)]


def parse_copy_line(line: bytes) -> list[bytes | None]:
    """The fields of one line of COPY's text format, without its end of line. Pure."""
    return [field for (field,) in parse_copy_text(line, line.count(b"\t") + 1)]
