"""SQLite's lexer.

Layer 1, pure. Source: SQLite's tokenize.c.
"""

from __future__ import annotations

import re
from typing import Any, Final

from liteferry.sqlite_ddl.data import DdlError, Token

_WORD_START: Final = r"A-Za-z_\x80-\U0010ffff"
_TOKEN: Final = re.compile(
    rf"""
    (?P<space>[ \t\n\f\r\ufeff]+ | --[^\n]* | /\*(?!\Z)(?s:.*?)(?:\*/|\Z))
  | (?P<blob>[xX]'(?:[0-9A-Fa-f]{{2}})*')
  | (?P<word>[{_WORD_START}][{_WORD_START}0-9$]*)
  | (?P<number>0[xX][0-9A-Fa-f]+(?:_[0-9A-Fa-f]+)*
             | (?:[0-9]+(?:_[0-9]+)*(?:\.(?:[0-9]+(?:_[0-9]+)*)?)?|\.[0-9]+(?:_[0-9]+)*)
               (?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?)
  | (?P<string>'(?:[^']|\'\')*')
  | (?P<quoted>"(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\])
  | (?P<variable>\?[0-9]* | [@:#$][{_WORD_START}0-9$]+(?:::[{_WORD_START}0-9$]+)*)
  | (?P<operator>->>|->|\|\||<<|<=|<>|>>|>=|==|!=|[-()+*/%=<>|,&~.;])
    """,
    re.VERBOSE,
)
_IDENTIFIER_CHARACTER: Final = re.compile(rf"[{_WORD_START}0-9$]")


def lex(sql: str) -> tuple[Token, ...]:
    """Cut a text into SQLite's tokens; whitespace and comments are left out, everything else is covered. Pure.

    Raises: DdlError for a character that begins no token, and for a quote that does not end.
    Source: SQLite's tokenize.c.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            quote = sql[position]
            raise DdlError(position, f"the quote {quote} does not end" if quote in "'\"`[" else f"unexpected {quote!r}")
        end = match.end()
        text = match.group()
        kind: Any = match.lastgroup  # "space" or a TokenKind: the alternatives are these and no others
        if kind == "number" and _IDENTIFIER_CHARACTER.match(sql, end):
            raise DdlError(position, f"{text + sql[end]!r} is neither a number nor a name")
        if kind == "word" and text in "xX" and sql[end : end + 1] == "'":
            raise DdlError(position, "a blob literal must hold an even number of hexadecimal digits")
        if kind != "space":
            value = _unquote(text) if kind in ("string", "quoted") else text
            tokens.append(Token(kind, text, value, position, end))
        position = end
    return tuple(tokens)


def _unquote(text: str) -> str:
    quote = text[0]
    return text[1:-1] if quote == "[" else text[1:-1].replace(quote * 2, quote)
