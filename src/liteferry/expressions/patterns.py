"""LIKE and GLOB.

Layer 1, pure. SQLite's LIKE ignores the case of A to Z and of nothing else, and has no escape character unless one is
written; GLOB is exact. Source: patternCompare in SQLite's func.c; PostgreSQL docs, "Pattern Matching".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions.comparisons import fold_literal
from liteferry.expressions.terms import Term, as_text, fold_ascii, make_condition
from liteferry.names import quote_literal

if TYPE_CHECKING:
    from collections.abc import Iterator

_LETTER: Final = re.compile("[A-Za-z]")
_SPECIAL: Final = frozenset(".^$*+?()[]{}|\\")


def translate_like(operand: Term, pattern: Term, escape: Term | None, *, negated: bool) -> Term:
    """Translate x LIKE pattern [ESCAPE c]. Pure. Raises: Untranslatable."""
    text, wanted = as_text(operand, "LIKE"), as_text(pattern, "LIKE")
    literal = wanted.literal.value if wanted.literal else None
    written = ""
    if escape is not None:
        written = _check_escape(escape, literal)
    verb = "NOT LIKE" if negated else "LIKE"
    if isinstance(literal, str):
        folds = _LETTER.search(literal) is not None
        left = fold_ascii(text.operand) if folds else text.operand
        right = quote_literal(fold_literal(literal))
    else:
        left, right = fold_ascii(text.operand), fold_ascii(wanted.operand)
    sql = f'{left} COLLATE "C" {verb} {right} ESCAPE {quote_literal(written)}'
    return make_condition(sql, [text, wanted])


def _check_escape(escape: Term, pattern: object) -> str:
    character = escape.literal.value if escape.literal else None
    if not isinstance(character, str) or len(character) != 1 or not isinstance(pattern, str):
        raise Untranslatable("LIKE … ESCAPE of anything but a literal pattern and one literal character")
    if _LETTER.match(character) or character in "%_":
        raise Untranslatable(f"LIKE … ESCAPE {character!r}: SQLite folds letters, and reads % and _ in its own way")
    rest = pattern.replace(character * 2, "")
    if rest.endswith(character):
        raise Untranslatable("LIKE with a pattern that ends with its escape character")
    return character


def translate_glob(operand: Term, pattern: Term, *, negated: bool) -> Term:
    """Translate x GLOB pattern for a literal pattern. Pure. Raises: Untranslatable."""
    text = as_text(operand, "GLOB")
    literal = pattern.literal.value if pattern.literal else None
    if not isinstance(literal, str):
        raise Untranslatable("GLOB with a pattern that is not a literal")
    if "[" not in literal:
        like = "".join(_like_piece(character) for character in literal)
        sql = f"{text.operand} COLLATE \"C\" {'NOT LIKE' if negated else 'LIKE'} {quote_literal(like)} ESCAPE '!'"
        return make_condition(sql, [text])
    # (?s) is PostgreSQL's own default: a dot matches a newline too
    expression = "^" + "".join(_glob_pieces(literal)) + "$"
    sql = f'{text.operand} COLLATE "C" {"!~" if negated else "~"} {quote_literal(expression)}'
    return make_condition(sql, [text])


def _like_piece(character: str) -> str:
    if character in "%_!":
        return "!" + character
    return {"*": "%", "?": "_"}.get(character, character)


def _glob_pieces(pattern: str) -> Iterator[str]:
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "[":
            piece, position = _glob_class(pattern, position + 1)
            yield piece
            continue
        yield {"*": ".*", "?": "."}.get(character) or ("\\" + character if character in _SPECIAL else character)
        position += 1


def _glob_class(pattern: str, position: int) -> tuple[str, int]:
    """``[a-z]`` and ``[^a-z]`` of ASCII letters, digits and a few signs, which both read alike."""
    end = pattern.find("]", position + 1)
    inner = pattern[position:end] if end > 0 else ""
    negation = "^" if inner.startswith("^") else ""
    inner = inner.removeprefix("^")
    if not re.fullmatch(r"(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[ _.,:;@#/+=])+-?", inner):
        raise Untranslatable(f"GLOB with the class of characters in {pattern!r}")
    for first, last in re.findall(r"(.)-(.)", inner):
        if first > last:
            raise Untranslatable(f"GLOB with the empty range {first}-{last}")
    return f"[{negation}{inner}]", end + 1
