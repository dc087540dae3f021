"""What texts and blobs look like, whatever the declared type: numbers, moments, UUIDs, JSON, words for true and false.

Layer 1, pure. Nothing is decided by it: `inspect` shows it, and suggests types.

Cost. Cheap things come first: texts of one length are looked at all at once, as one string; otherwise the first
character and the length say which texts are looked at one by one. Every value is counted, and what is counted does not
depend on how the rows were cut into batches: the compiled census counts them one by one.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections import Counter
from datetime import date, datetime
from operator import add
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.census.forms import MICROSECOND_DIGITS, text_form_datetime, text_form_time
from liteferry.census.json_forms import JsonReader

if TYPE_CHECKING:
    from collections.abc import Sequence

SHAPES = MappingProxyType(
    {
        "empty": "no character",
        "integer": "decimal digits, with or without a sign",
        "decimal": "a decimal number with a point or an exponent",
        "date": "YYYY-MM-DD",
        "datetime": "a date and time without an offset, with a space or T, to the microsecond",
        "datetime-tz": "the same with Z or an offset",
        "time": "HH:MM[:SS[.ffffff]]",
        "uuid-dashed": "32 hexadecimal digits with hyphens: 8-4-4-4-12",
        "uuid-hex": "32 hexadecimal digits",
        "bool-word": "true, false, t, f",
        "yes-no": "yes, no, y, n, on, off",
        "json-object": "a JSON object that jsonb keeps by value",
        "json-array": "a JSON array that jsonb keeps by value",
        "json-only": "a JSON object or array that jsonb would change or refuse",
        "other": "none of these, as are texts that are not UTF-8",
        "empty-blob": "a blob without a byte",
        "uuid-blob": "a blob of 16 bytes, which are no printable text",
        "text-blob": "a blob that is UTF-8 text, without control characters other than tabs and line ends",
        "other-blob": "any other blob",
    }
)
"""What a text or blob may look like, whatever was declared. 32 digits are a UUID, not a number."""

_HEX_ONLY: Final = re.compile(r"[0-9a-fA-F]*+", re.ASCII)
_DASHED: Final = re.compile(r"(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})*+", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?=[.]?\d)\d*(?:[.]\d*)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS: Final = MappingProxyType(
    {
        **dict.fromkeys(("true", "false", "t", "f"), "bool-word"),
        **dict.fromkeys(("yes", "no", "y", "n", "on", "off"), "yes-no"),
    }
)
_HEX_LENGTH: Final = 32
_DASHED_LENGTH: Final = 36
_UUID_BYTES: Final = 16
_DATE_LENGTH: Final = 10
_SECONDS_LENGTH: Final = 19
_MICROSECONDS_LENGTH: Final = 26
_LENGTHS: Final = frozenset({*map(len, _WORDS), _HEX_LENGTH, _DASHED_LENGTH})
_BLANKS: Final = " \t\n\r"
"""What may stand around JSON. Source: RFC 8259, section 2."""
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_STARTS: Final = _NUMBER_STARTS | frozenset("{[" + _BLANKS)
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r")
_CHUNK_BYTES: Final = 1 << 16


class ShapeCounter:
    """Counts the shapes of a column's texts and blobs, batch by batch; none of the names is for both."""

    def __init__(self) -> None:
        """Start with no values."""
        self.counts: Counter[str] = Counter()
        self._json = JsonReader()

    def add_texts(self, texts: Sequence[str], joined: str, longest: int) -> dict[str, str]:
        """Count a batch of texts. joined: all in one; longest: its characters.

        Returns the first text of each shape.
        """
        if shape := _shape_all(texts, joined, longest):
            self.counts[shape] += len(texts)
            return {shape: texts[0]}
        found: Counter[str] = Counter()
        first: dict[str, str] = {}
        likely = [text for text in texts if text[:1] in _STARTS or len(text) in _LENGTHS]  # `_is_likely`
        for text in likely:
            shape = self.shape_text(text)
            found[shape] += 1
            if shape not in first:
                first[shape] = text
        plain = len(texts) - len(likely)
        if plain:
            empty = texts.count("")
            found.update({"empty": empty, "other": plain - empty})
            if empty:
                first["empty"] = ""
            if plain > empty:
                other = next(text for text in texts if text and not _is_likely(text))
                first["other"] = min(first.get("other", other), other, key=texts.index)
        self.counts.update(+found)
        return first

    def add_blobs(self, blobs: Sequence[bytes]) -> dict[str, bytes]:
        """Count a batch of blobs. Returns the first blob of each shape."""
        first: dict[str, bytes] = {}
        for blob in blobs:
            shape = shape_blob(blob)
            self.counts[shape] += 1
            if shape not in first:
                first[shape] = blob
        return first

    def add_others(self, number: int) -> None:
        """Count texts that are not UTF-8."""
        self.counts["other"] += number

    def shape_text(self, text: str) -> str:
        """Say what a text looks like: one of `SHAPES`."""
        length, start = len(text), text[:1]
        if length in {_HEX_LENGTH, _DASHED_LENGTH} and (shape := _shape_uuid(text)):
            return shape
        if start in _STARTS:
            return _shape_number(text) if start in _NUMBER_STARTS else self._shape_json(text)
        if length in _LENGTHS:
            return _WORDS.get(text.lower(), "other")
        return "other" if length else "empty"

    def _shape_json(self, text: str) -> str:
        bare = text.strip(_BLANKS)
        if bare[:1] + bare[-1:] not in {"{}", "[]"}:
            return "other"
        form = self._json.classify(text)
        if form == "json-jsonb":
            return "json-object" if bare[0] == "{" else "json-array"
        return form


def _shape_all(texts: Sequence[str], joined: str, longest: int) -> str:
    """The one shape of all texts, where that is seen at once; else "". joined: all in one."""
    number = len(texts)
    if len(joined) != longest * number or not longest:
        return ""
    if longest == _HEX_LENGTH:
        return "uuid-hex" if _HEX_ONLY.fullmatch(joined) else ""
    if longest == _DASHED_LENGTH:
        return "uuid-dashed" if _DASHED.fullmatch(joined) else ""
    if joined.isdigit() and joined.isascii():
        return "integer"
    try:
        if longest == _DATE_LENGTH and _hold_at(joined, longest, "-", 4, 7):
            for _ in map(date.fromisoformat, texts):
                pass
            return "date"
        if _are_usual_moments(joined, longest):
            for _ in map(datetime.fromisoformat, texts):
                pass
            return "datetime"
    except ValueError:
        return ""
    return ""


def _are_usual_moments(joined: str, length: int) -> bool:
    """Whether texts, of this length each, may all be YYYY-MM-DD HH:MM:SS, with six digits of a fraction or none."""
    return (
        length in {_SECONDS_LENGTH, _MICROSECONDS_LENGTH}
        and _hold_at(joined, length, "-", 4, 7)
        and _hold_at(joined, length, ":", 13, 16)
        and not joined[10::length].strip(" T")
        # newer Pythons take 24:00 for the next day's midnight
        and "24" not in set(map(add, joined[11::length], joined[12::length]))
        and (
            length == _SECONDS_LENGTH
            or (_hold_at(joined, length, ".", 19) and all(joined[at::length].isdigit() for at in range(20, length)))
        )
    )


def _hold_at(joined: str, length: int, character: str, *places: int) -> bool:
    """Whether texts, of this length each, all have the character at these places."""
    return all(not joined[place::length].strip(character) for place in places)


def _is_likely(text: str) -> bool:
    return text[:1] in _STARTS or len(text) in _LENGTHS


def _shape_uuid(text: str) -> str:
    if len(text) == _HEX_LENGTH:
        return "uuid-hex" if _HEX_ONLY.fullmatch(text) else ""
    return "uuid-dashed" if _DASHED.fullmatch(text) else ""


def _shape_number(text: str) -> str:
    """What a text looks like that begins like a number."""
    if text[4:5] == "-" or text[2:3] == ":":
        form, digits = text_form_datetime(text) if text[4:5] == "-" else text_form_time(text)
        if digits > MICROSECOND_DIGITS:
            return "other"
        return "datetime" if form.startswith("datetime") and form != "datetime-tz" else form
    if _INTEGER.fullmatch(text):
        return "integer"
    return "decimal" if _DECIMAL.fullmatch(text) else "other"


def shape_blob(blob: bytes) -> str:
    """Say what a blob looks like: one of `SHAPES`. Pure."""
    if not blob:
        return "empty-blob"
    if _is_text(blob):
        return "text-blob"
    return "uuid-blob" if len(blob) == _UUID_BYTES else "other-blob"


def _is_text(blob: bytes) -> bool:
    """Whether it is UTF-8 without control characters; chunk by chunk, since a blob may have a gigabyte."""
    decoder = getincrementaldecoder("utf-8")()
    try:
        for place in range(0, len(blob), _CHUNK_BYTES):
            chunk = blob[place : place + _CHUNK_BYTES]
            if len(chunk.translate(None, _CONTROLS)) < len(chunk):
                return False
            decoder.decode(chunk, final=place + _CHUNK_BYTES >= len(blob))
    except UnicodeDecodeError:
        return False
    return True
