"""Typed equality and canonical digests: what the proof means by "the same value".

Layer 1, pure, and shares no code with the load. The load encodes Python values as binary COPY; the proof reads what
SQLite stores and the text that PostgreSQL renders, and brings both to one canonical form. Two values are equal exactly
when their forms are the same bytes.

The form of a value is a tag of one byte and a payload:

====== ==================================================================================================
``-``  NULL
``i``  int2, int4, int8: decimal digits
``f``  float8: the eight bytes of IEEE 754, big-endian (the zero's sign is kept)
``n``  numeric: plain notation (`liteferry.compare.json_values.plain_decimal`), so that 1.50 is 1.5
``b``  bool: ``0`` or ``1``
``t``  text: its UTF-8 bytes
``x``  bytea: its bytes
``s``  timestamp: µs since 1970-01-01 00:00, decimal
``z``  timestamptz: µs since 1970-01-01 00:00 UTC, decimal
``d``  date: days since 1970-01-01, decimal
``h``  time: µs since midnight, decimal
``v``  interval: µs, decimal
``J``  json: the text as it stands
``j``  jsonb: the value (`liteferry.compare.json_values.canonical_json`)
``u``  uuid: 32 lower-case hexadecimal digits
``!``  a source value that has no form in the column's type: a letter for its storage class, and its bytes
``?``  a target text that is none of the column's type (after the type was changed), or that no SQLite value can
       mean (a timestamp of ``infinity``, an interval with months): the text
====== ==================================================================================================

A row is the number of its values (4 bytes), their lengths (8 bytes each), and the values: no separators, so that no two
rows have the same bytes. Its digest is blake2b of 128 bits. A table's digest does not depend on the rows' order: their
number, the sum of their digests modulo 2^128, and their exclusive or.

PostgreSQL's text is that of ``COPY … TO STDOUT`` in text format under ``client_encoding`` UTF8, ``TimeZone`` UTC,
``DateStyle`` ISO, ``IntervalStyle`` postgres, ``extra_float_digits`` 1 and ``bytea_output`` hex.
"""

from liteferry.compare.conversions import is_changed
from liteferry.compare.copy_text import parse_copy_line, parse_copy_text
from liteferry.compare.digests import DigestSum, canonical_row, digest_row, digest_rows
from liteferry.compare.forms import (
    NULL,
    Side,
    Unrepresentable,
    canonical_source,
    canonical_source_column,
    canonical_target,
    canonical_target_column,
    canonicalise_columns,
    canonicalise_rows,
    convert_column,
    make_value_converter,
    pads_with_blanks,
)
from liteferry.compare.literals import spell_literal
from liteferry.compare.storage import RawText, StorageValue, Text, storage_class

__all__ = [
    "NULL",
    "DigestSum",
    "RawText",
    "Side",
    "StorageValue",
    "Text",
    "Unrepresentable",
    "canonical_row",
    "canonical_source",
    "canonical_source_column",
    "canonical_target",
    "canonical_target_column",
    "canonicalise_columns",
    "canonicalise_rows",
    "convert_column",
    "digest_row",
    "digest_rows",
    "is_changed",
    "make_value_converter",
    "pads_with_blanks",
    "parse_copy_line",
    "parse_copy_text",
    "spell_literal",
    "storage_class",
]
