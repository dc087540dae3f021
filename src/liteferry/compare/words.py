"""Words about values for the proof's mismatches: what they are like, or, where asked for, what they are.

Layer 1, pure.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from liteferry.compare.storage import Digits, Moment, StorageValue, Text, storage_class
from liteferry.compare.times import DAY_US

if TYPE_CHECKING:
    from liteferry.model import Kind


def describe_value(value: StorageValue, *, show_values: bool) -> str:
    """``text, 12 characters``; or the value itself. Pure."""
    if value is None:
        return "NULL"
    if show_values:
        return spell_value(value)
    if isinstance(value, Text):
        return f"text, {_count(len(value.decode(errors='replace')), 'character')}"
    if isinstance(value, bytes):
        return f"blob, {_count(len(value), 'byte')}"
    return storage_class(value)


def describe_text(text: bytes | None, kind: Kind, pg_type: str, *, show_values: bool) -> str:
    """``character varying(30), 12 characters``; or the value itself. Pure."""
    if text is None:
        return "NULL"
    if show_values:
        return spell_text(text, kind)
    if kind == "bytea":
        return f"{pg_type}, {_count(max(len(text) - 2, 0) // 2, 'byte')}"
    if kind in ("text", "json", "jsonb"):
        return f"{pg_type}, {_count(len(text.decode(errors='replace')), 'character')}"
    return pg_type


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_LONGEST_SPELLING: Final = 200


def _quote(text: bytes) -> str:
    spelled = "'" + text.decode(errors="backslashreplace").replace("'", "''") + "'"
    return spelled if len(spelled) <= _LONGEST_SPELLING else spelled[:_LONGEST_SPELLING] + "…"


def spell_value(value: StorageValue) -> str:
    """A source value as in SQL: ``17``, ``'x'``, ``x'00ff'``; cut after 200 characters. Pure."""
    if value is None:
        return "NULL"
    if isinstance(value, Text):
        return _quote(value)
    if isinstance(value, Digits):
        return value.decode()
    if isinstance(value, bytes):
        digits = value[:_LONGEST_SPELLING].hex()
        return f"x'{digits}'" if len(value) <= _LONGEST_SPELLING // 2 else f"x'{digits[:_LONGEST_SPELLING]}…"
    return repr(value)


def describe_moment(value: StorageValue, kind: Kind) -> str:
    """A moment that a conversion has made, in ISO form; "" for any other value. Pure."""
    if not isinstance(value, Moment):
        return ""
    days, rest_us = divmod(int(value), DAY_US)
    try:
        day = date.fromordinal(days + date(1970, 1, 1).toordinal()).isoformat()
    except (ValueError, OverflowError):
        return f"{int(value)} microseconds from 1970-01-01"
    if kind == "date":
        return day
    seconds, fraction = divmod(rest_us, 1_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{day} {clock}{f'.{fraction:06}'.rstrip('0') if fraction else ''}{'Z' if kind == 'timestamptz' else ''}"


_SPELLED_BARE: Final[frozenset[Kind]] = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "bool"})


def spell_text(text: bytes | None, kind: Kind) -> str:
    """A target value as in SQL, like `spell_value`. Pure."""
    if text is None:
        return "NULL"
    if kind in _SPELLED_BARE:
        return text.decode(errors="backslashreplace")
    if kind == "bytea" and text[:2] == b"\\x":
        digits = text[2 : _LONGEST_SPELLING + 2].decode(errors="backslashreplace")
        return f"x'{digits}'" if len(text) <= _LONGEST_SPELLING + 2 else f"x'{digits}…"
    return _quote(text)
