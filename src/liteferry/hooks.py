"""The SQL of hooks, read as far as is needed to refuse what cannot run in one transaction of ours.

Layer 1, pure. A hook's statements go to the server as they are; here it is only found where each of them begins, by the
rules of PostgreSQL's lexer for quotes, dollar quotes and comments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRANSACTION: Final = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})
_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<comment>/\*)
  | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
  | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*(?P<escaped_end>')?)
  | (?P<text>'(?:[^']|'')*(?P<text_end>')?)
  | (?P<name>"(?:[^"]|"")*(?P<name_end>")?)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""Source: PostgreSQL docs, "Lexical Structure", with standard_conforming_strings on."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement's words outside of quotes and comments, in capitals, and the line on which it begins."""

    line: int
    words: tuple[str, ...]


def check_hook_sql(sql: str, file: str) -> None:
    """Refuse what a hook cannot hold. Pure.

    Raises: MigrationError (usage): no statement at all, NUL, transaction control, psql's commands, COPY by the
    connection, a quote or comment that never ends.
    """
    if "\0" in sql:
        raise _fail(file, sql[: sql.index("\0")].count("\n") + 1, "contains NUL", "is it an SQL file?")
    empty = True
    for statement in split_statements(sql, file):
        empty = False
        words = statement.words
        first = words[0] if words else ""
        if first in _TRANSACTION or words[:2] == ("PREPARE", "TRANSACTION"):
            what = f"{first} is not possible in a hook"
            raise _fail(file, statement.line, what, "liteferry runs each hook in one transaction of its own")
        if first == "COPY" and {"STDIN", "STDOUT"} & set(words):
            what = "COPY from or to the connection is not possible in a hook"
            raise _fail(file, statement.line, what, "use INSERT INTO … VALUES")
    if empty:
        raise MigrationError(f"{file} holds no SQL statement", code="usage", hint="take it out of [hooks], or fill it")


def split_statements(sql: str, file: str = "the SQL") -> Iterator[Statement]:
    """Split at the semicolons that end a statement. Pure.

    As psql does, a semicolon within parentheses, or between BEGIN and END of a function's body, ends nothing.

    Raises: MigrationError (usage) for a backslash command, and for what never ends.
    """
    place, line = 0, 1
    words: list[str] = []
    begun, parentheses, blocks = 0, 0, 0
    while place < len(sql):
        match = _TOKEN.match(sql, place)
        if match is None:  # no character is left over by the pattern's last part
            raise AssertionError(place)
        kind, end = match.lastgroup or "", match.end()
        kind = kind.removesuffix("_end")
        if kind in {"comment", "dollar"}:
            end = _end_of_comment(sql, place) if kind == "comment" else _end_of_dollar(sql, match[0], match.end())
        if not end or (kind in {"escaped", "text", "name"} and match[f"{kind}_end"] is None):
            raise _fail(
                file, line, f"what begins with {match[0][:1]} never ends", "look for a quote that is not closed"
            )
        if kind not in {"space", "comment"} and not begun and match[0] != ";":
            begun = line
        if kind == "word":
            words.append(match[0].upper())
            blocks += _count_block(words, blocks)
        elif kind == "other":
            if match[0] == "\\":
                raise _fail(file, line, "a backslash: psql's own commands are not SQL", "write it as SQL")
            parentheses += {"(": 1, ")": -1}.get(match[0], 0)
            if match[0] == ";" and parentheses <= 0 and not blocks:
                if begun:
                    yield Statement(begun, tuple(words))
                words, begun, parentheses = [], 0, 0
        line += sql.count("\n", place, end)
        place = end
    if begun:
        yield Statement(begun, tuple(words))


def _count_block(words: list[str], blocks: int) -> int:
    """How a word changes the depth of BEGIN ATOMIC … END in a function's body."""
    head = [word for word in words[:4] if word not in {"OR", "REPLACE"}]
    if head[:2] not in (["CREATE", "FUNCTION"], ["CREATE", "PROCEDURE"]):
        return 0
    if words[-2:] == ["BEGIN", "ATOMIC"] or (blocks and words[-1] == "CASE"):
        return 1
    return -1 if blocks and words[-1] == "END" else 0


def _end_of_comment(sql: str, place: int) -> int:
    """The end of a comment, which may hold others; 0 where it never ends."""
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(sql, place):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return 0


def _end_of_dollar(sql: str, tag: str, place: int) -> int:
    """The end of a dollar quoted text; 0 where it never ends."""
    found = sql.find(tag, place)
    return found + len(tag) if found >= 0 else 0


def _fail(file: str, line: int, what: str, hint: str) -> MigrationError:
    return MigrationError(f"{file}, line {line}: {what}", code="usage", hint=hint)
