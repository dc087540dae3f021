"""Tokens with a place in them, and the parts that all CREATE statements share.

Layer 1, pure. Source: SQLite's parse.y.
"""

from __future__ import annotations

import re
from typing import Final

from liteferry.sqlite_ddl.data import DdlError, IndexKeyText, Token
from liteferry.sqlite_ddl.lexer import lex

_OPERANDS: Final = frozenset({"NULL", "ISNULL", "NOTNULL"})
"""The reserved words with which an expression can end."""

_KEYWORDS: Final = """
ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT DEFERRABLE DELETE
DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN
LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION
UNIQUE UPDATE USING VALUES WHEN WHERE
"""
RESERVED: Final = frozenset(_KEYWORDS.split())
"""Words that can be no name without quotes; every other keyword falls back to a name. Source: parse.y, %fallback."""

NOT_IN_TYPES: Final = RESERVED | frozenset(["CROSS", "FULL", "INDEXED", "INNER", "LEFT", "NATURAL", "OUTER", "RIGHT"])
"""Words that end a type."""

_SPACES: Final = " \t\n\f\r"
_GENERATED_ALWAYS: Final = re.compile(rf"(?:generated)?[{_SPACES}]*always\Z", re.IGNORECASE)


class Reader:
    """Tokens with a place in them, and the parts that all CREATE statements share."""

    def __init__(self, sql: str) -> None:
        """Stand before the first token. Raises: DdlError."""
        self._sql = sql
        self.tokens = lex(sql)
        self.at = 0

    @property
    def token(self) -> Token | None:
        """The token that comes next, None at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def error(self, reason: str) -> DdlError:
        """Make the error that says that the current place cannot be read."""
        token = self.token
        return DdlError(token.start if token else len(self._sql), reason)

    def peek(self, *words: str, ahead: int = 0) -> bool:
        """Whether these keywords or operators come next."""
        at = self.at + ahead
        if at + len(words) > len(self.tokens):
            return False
        for word in words:  # a plain loop: this is asked some thirty times for each column of a schema
            token = self.tokens[at]
            if token.kind not in ("word", "operator") or token.text.upper() != word:
                return False
            at += 1
        return True

    def accept(self, *words: str) -> bool:
        """Pass these keywords or operators if they come next."""
        if self.peek(*words):
            self.at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Pass these keywords or operators. Raises: DdlError."""
        if not self.accept(*words):
            raise self.error(f"expected {' '.join(words)}")

    def accept_one_of(self, words: frozenset[str]) -> str | None:
        """Pass one of these keywords if it comes next, and give it in upper case."""
        token = self.token
        if token and token.kind == "word" and token.text.upper() in words:
            self.at += 1
            return token.text.upper()
        return None

    def expect_end(self) -> None:
        """Pass a semicolon, if any. Raises: DdlError when anything follows."""
        self.accept(";")
        if self.token:
            raise self.error("the statement should end here")

    def read_name(self) -> str:
        """Pass a name: a word that is not reserved, or anything quoted. Raises: DdlError."""
        token = self.token
        if token is None or token.kind not in ("word", "quoted", "string"):
            raise self.error("expected a name")
        if _is_reserved(token):
            raise self.error(f"{token.text} is a reserved word, not a name")
        self.at += 1
        return token.value

    def read_object_name(self) -> tuple[str | None, str]:
        """IF NOT EXISTS, then a name with or without a schema before it."""
        self.accept("IF", "NOT", "EXISTS")
        name = self.read_name()
        if self.accept("."):
            return name, self.read_name()
        return None, name

    def read_names(self) -> tuple[str, ...]:
        """Pass names in parentheses. Raises: DdlError."""
        self.expect("(")
        names = [self.read_name()]
        while self.accept(","):
            names.append(self.read_name())
        self.expect(")")
        return tuple(names)

    def read_enclosed(self) -> str:
        """The text between a parenthesis and its partner."""
        opening = self.token
        self.expect("(")
        inner = self.skip_balanced()
        self.expect(")")
        if not inner:
            raise DdlError(opening.start if opening else 0, "there is nothing between the parentheses")
        return self.text_of(inner)

    def skip_balanced(self) -> tuple[Token, ...]:
        """Go to the parenthesis that closes the one just passed, and give the tokens before it."""
        first = self.at
        depth = 0
        while token := self.token:
            if token.kind == "operator":
                if token.text == ")" and depth == 0:
                    return self.tokens[first : self.at]
                depth += {"(": 1, ")": -1}.get(token.text, 0)
                if token.text == ";":
                    raise self.error("; within parentheses")
            self.at += 1
        raise self.error("a parenthesis does not close")

    def text_of(self, tokens: tuple[Token, ...]) -> str:
        """Give the text from the first token to the last."""
        return self._sql[tokens[0].start : tokens[-1].end]

    def read_to_end(self) -> str:
        """The text up to the end of the statement, without its semicolon."""
        first = self.at
        while self.token and not self.peek(";"):
            self.at += 1
        tokens = self.tokens[first : self.at]
        depth = 0
        for token in tokens:
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "operator" else 0
            if depth < 0:
                raise DdlError(token.start, "a parenthesis closes that was never opened")
        if depth:
            raise self.error("a parenthesis does not close")
        return self.text_of(tokens) if tokens else ""

    def read_keys(self) -> tuple[IndexKeyText, ...]:
        """The parenthesised keys of an index."""
        self.expect("(")
        tokens = self.skip_balanced()
        keys = self.split_keys(tokens)
        self.expect(")")
        return keys

    def split_keys(self, tokens: tuple[Token, ...]) -> tuple[IndexKeyText, ...]:
        """The keys that stand before the parenthesis at the current place."""
        keys: list[IndexKeyText] = []
        depth = 0
        start = 0
        for index, token in enumerate(tokens):
            if token.kind == "operator":
                depth += {"(": 1, ")": -1}.get(token.text, 0)
                if token.text == "," and depth == 0:
                    keys.append(self._read_key(tokens[start:index], token.start))
                    start = index + 1
        keys.append(self._read_key(tokens[start:], self.token.start if self.token else len(self._sql)))
        return tuple(keys)

    def read_type(self) -> str:
        """Pass a type and give it as SQLite keeps it; "" when none is written. Raises: DdlError."""
        first = self.at
        while (token := self.token) and (
            token.kind in ("quoted", "string") or (token.kind == "word" and token.text.upper() not in NOT_IN_TYPES)
        ):
            self.at += 1
        if self.at == first:
            return ""
        if self.accept("("):
            self._read_signed_number()
            if self.accept(","):
                self._read_signed_number()
            self.expect(")")
        if self.tokens[first].kind != "word":
            return self.tokens[first].value
        text = self.text_of(self.tokens[first : self.at])
        # SQLite's grammar takes GENERATED ALWAYS for words of the type, and then cuts them off (sqlite3AddColumn)
        if len(text) >= len("GENERATED ALWAYS"):
            text = _GENERATED_ALWAYS.sub("", text)
        return text.rstrip(_SPACES)

    def _read_signed_number(self) -> None:
        if not self.accept("+"):
            self.accept("-")
        if self.token is None or self.token.kind != "number":
            raise self.error("expected a number")
        self.at += 1

    def _read_key(self, tokens: tuple[Token, ...], position: int) -> IndexKeyText:
        """Take COLLATE, ASC and DESC off an expression.

        COLLATE is the key's own only when it applies to the whole of the expression: in ``a || b COLLATE NOCASE`` it
        belongs to b. Parentheses around the whole mean nothing to SQLite. Source: sqlite3CreateIndex in build.c.
        """
        descending = is_word(tokens, -1, "DESC") and _can_end(tokens[:-1])
        if descending or (is_word(tokens, -1, "ASC") and _can_end(tokens[:-1])):
            tokens = tokens[:-1]
        collation: str | None = None
        while True:
            if _is_enclosed(tokens):
                tokens = tokens[1:-1]
            elif (
                is_word(tokens, -2, "COLLATE")
                and tokens[-1].kind in ("word", "quoted", "string")
                and _is_one_operand(_without_collations(tokens))
            ):
                collation = collation or tokens[-1].value
                tokens = tokens[:-2]
            else:
                break
        if not tokens:
            raise DdlError(position, "expected a column or an expression")
        only = tokens[0]
        is_name = only.kind in ("word", "quoted", "string") and not _is_reserved(only)
        column = only.value if len(tokens) == 1 and is_name else None
        return IndexKeyText(text_sql=self.text_of(tokens), column=column, collation=collation, descending=descending)


def _is_reserved(token: Token) -> bool:
    return token.kind == "word" and token.text.upper() in RESERVED


def is_word(tokens: tuple[Token, ...], index: int, word: str) -> bool:
    """Whether the token at the (negative) index is that keyword. Pure."""
    return len(tokens) >= -index and tokens[index].kind == "word" and tokens[index].text.upper() == word


def _can_end(tokens: tuple[Token, ...]) -> bool:
    """Whether an expression can end here: where it cannot, ASC and DESC are names of columns."""
    if not tokens:
        return False
    last = tokens[-1]
    return last.text == ")" if last.kind == "operator" else not _is_reserved(last) or last.text.upper() in _OPERANDS


def _without_collations(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    while is_word(tokens, -2, "COLLATE"):
        tokens = tokens[:-2]
    return tokens


def _is_enclosed(tokens: tuple[Token, ...]) -> bool:
    """Whether the first token is a parenthesis whose partner is the last."""
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind == "operator":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0:
            return index == len(tokens) - 1 and index > 0
    return False


def _is_one_operand(tokens: tuple[Token, ...]) -> bool:
    """Whether an operator that follows these tokens applies to all of them: one token, f(...) or (...)."""
    if len(tokens) <= 1 or _is_enclosed(tokens):
        return True
    return tokens[0].kind in ("word", "quoted") and not _is_reserved(tokens[0]) and _is_enclosed(tokens[1:])
