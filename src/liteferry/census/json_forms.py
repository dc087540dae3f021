"""What a text is as JSON: kept by jsonb, only by json, or no JSON at all.

Layer 1, pure.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_EXPONENT: Final = re.compile(r"[eE](?<=\d[eE])")
_JSONB_FRACTION_DIGITS: Final = 16_383

_LARGE_CHARS: Final = 1 << 20
"""Of a text that is not read into objects: they would take ten times its size."""
_SCANNED_DEPTH: Final = 500
_BLANK: Final = r"[ \t\n\r]*+"
_STRING: Final = r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"'
_NUMBER: Final = r"-?(?:0|[1-9][0-9]*+)(?:[.][0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_WORD: Final = r"true|false|null"
_WHITE: Final = re.compile(_BLANK)
_KEY: Final = re.compile(rf"({_STRING}){_BLANK}:{_BLANK}")
_VALUE: Final = re.compile(rf"(?:{_STRING}|(?P<number>{_NUMBER})|{_WORD}|(?P<open>[\[{{])){_BLANK}")
_PLAIN_ITEMS: Final = re.compile(
    rf"(?:(?:{_STRING}|{_WORD}|-?(?:0|[1-9][0-9]{{0,99}}+)(?:[.][0-9]{{1,99}}+)?+){_BLANK},{_BLANK})*+"
)
"""Items of an array of which surely none is a number too long."""


class _NotJson(ValueError):  # noqa: N818 - never leaves this module
    """Raised for what RFC 8259 does not allow although Python's json module does."""


def _refuse_constant(name: str) -> object:
    raise _NotJson(name)


class JsonReader:
    """Reads JSON text only to say what it is. One for many texts: making a decoder costs as much as a short text.

    None is made before there is a text: most columns hold no JSON.
    """

    def __init__(self, *, takes_last: bool = False) -> None:
        """Have nothing read. takes_last: of members with the same key the last counts, so that jsonb keeps it all."""
        self._takes_last = takes_last
        self._lossy = False
        self._doubled = False

    @cached_property
    def _plain(self) -> json.JSONDecoder:
        # `len` stands in for a parser of numbers: the cheapest call there is, since GeoJSON is millions of numbers
        return self._make_decoder(len)

    @cached_property
    def _careful(self) -> json.JSONDecoder:
        return self._make_decoder(self._see_number)

    def _make_decoder(self, number: Callable[[str], object]) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=self._see_pairs,
            parse_float=number,
            parse_int=number,
            parse_constant=_refuse_constant,
        )

    def _see_pairs(self, items: list[tuple[str, object]]) -> None:
        if len(items) > 1 and len({key for key, _ in items}) != len(items):
            self._doubled = True

    def _see_number(self, digits: str) -> None:
        if len(digits) > _JSONB_FRACTION_DIGITS:
            self._lossy = True
        elif "e" in digits or "E" in digits:
            exponent = digits.lower().partition("e")[2]
            # jsonb writes the number out: 1e400 is kept, as 401 digits; 1e200000 is refused
            if len(exponent) > 6 or abs(int(exponent)) + len(digits) > _JSONB_FRACTION_DIGITS:
                self._lossy = True

    def classify(self, text: str) -> str:
        """As `text_form_json`."""
        self._lossy = self._doubled = False
        if len(text) > _LARGE_CHARS:
            form = self._scan(text)
            if form is not None:
                return self._judge(text) if form else "other"
            self._lossy = self._doubled = False
        decoder = self._careful if _may_hold_long_number(text) else self._plain
        try:
            decoder.decode(text)
        except RecursionError:
            return "other"  # deeper than the server's own stack would take (max_stack_depth)
        except ValueError:
            return "other"
        return self._judge(text)

    def _judge(self, text: str) -> str:
        """What JSON text is, when it has been read."""
        if not self._lossy and "\\u" in text:
            self._lossy = _has_bad_escape(text)
        return "json-only" if self._lossy or (self._doubled and not self._takes_last) else "json-jsonb"

    def _scan(self, text: str) -> bool | None:
        """Whether a large text is JSON; None where only the decoder can say. Makes nothing of what is read.

        Of objects that are open the keys are kept, and no more of them as soon as one has come twice.
        """
        open_keys: list[set[str] | None] = []  # of each open object; None of an array
        position = _WHITE.match(text).end()  # type: ignore[union-attr]  # it matches everywhere
        is_begun = False  # whether a bracket has just been opened
        while True:
            keys = open_keys[-1] if open_keys else None
            if is_begun and text[position : position + 1] == ("]" if keys is None else "}"):
                is_begun = False
                open_keys.pop()
                position = _WHITE.match(text, position + 1).end()  # type: ignore[union-attr]  # as above
            else:
                if keys is not None:
                    key = _KEY.match(text, position)
                    if key is None:
                        return False
                    self._see_key(keys, key[1])
                    position = key.end()
                elif open_keys:
                    position = _PLAIN_ITEMS.match(text, position).end()  # type: ignore[union-attr]  # as above
                value = _VALUE.match(text, position)
                if value is None:
                    return False
                position = value.end()
                if is_begun := value.lastgroup == "open":
                    open_keys.append(set() if value["open"] == "{" else None)
                    if len(open_keys) > _SCANNED_DEPTH:
                        return None
                    continue
                if value.lastgroup == "number":
                    self._see_number(value["number"])
            while open_keys:
                mark = text[position : position + 1]
                if mark not in {",", "}", "]"}:
                    return False
                position = _WHITE.match(text, position + 1).end()  # type: ignore[union-attr]  # as above
                if mark == ",":
                    break
                if (mark == "]") != (open_keys.pop() is None):
                    return False
            else:
                return position == len(text)

    def _see_key(self, keys: set[str], spelled: str) -> None:
        if self._doubled:
            keys.clear()
            return
        key = json.loads(spelled) if "\\" in spelled else spelled[1:-1]
        self._doubled = key in keys
        keys.add(key)

    @property
    def is_only_doubled(self) -> bool:
        """Whether of the text that was read last, JSON, nothing else hinders jsonb than the same key twice."""
        return self._doubled and not self._lossy


def _may_hold_long_number(text: str) -> bool:
    """Whether JSON text may hold a number with an exponent or with very many digits: quick, and wrong on one side only.

    A pattern for many digits would try anew at each digit, and cost more than the parsing.
    """
    if _EXPONENT.search(text):
        return True
    limit = _JSONB_FRACTION_DIGITS
    return len(text) > limit and max(map(len, text.split(","))) > limit


def text_form_json(text: str, *, takes_last: bool = False) -> str:
    r"""Classify a text as ``json-jsonb``, ``json-only`` or ``other`` (not JSON by RFC 8259). Pure.

    ``json-only``: duplicate keys; ``\u0000`` or a surrogate without its other half; a number with more digits than
    numeric has room for after its point (16,383). takes_last: as `JsonReader`. Source: PostgreSQL docs, "JSON Types"
    and "Numeric Types".
    """
    return JsonReader(takes_last=takes_last).classify(text)


def _has_bad_escape(text: str) -> bool:
    r"""Whether valid JSON text has \u0000 or an unpaired surrogate escape."""
    position, end = 0, len(text)
    while (position := text.find("\\", position)) >= 0:
        if position + 1 < end and text[position + 1] != "u":
            position += 2
            continue
        code = int(text[position + 2 : position + 6], 16)
        position += 6
        if code == 0 or 0xDC00 <= code <= 0xDFFF:
            return True
        if 0xD800 <= code <= 0xDBFF:
            if text[position : position + 2] != "\\u":
                return True
            low = int(text[position + 2 : position + 6], 16)
            if not 0xDC00 <= low <= 0xDFFF:
                return True
            position += 6
    return False
